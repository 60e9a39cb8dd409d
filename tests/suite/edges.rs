//! What edge-triggering demands, each where a real server has once gone to sleep for ever: the poll tells of
//! an edge once, so whatever was put off must be remembered by the loop itself.

use std::thread::sleep;
use std::time::Duration;

use pws::limits::Limits;
use pws_testing::client::Client;
use pws_testing::folder::{Folder, noise};

use crate::support::server::{RunningServer, bound, bound_to};

const MIB: u64 = 1024 * 1024;

/// Long enough for the server to have come to rest.
const A_WHILE: Duration = Duration::from_millis(200);

fn folder() -> Folder {
    Folder::new().file("page.html", "<p>page").sparse_file("large.bin", 64 * MIB)
}

#[test]
fn a_short_read_of_one_who_has_shut_its_side_is_not_the_last() {
    let server = RunningServer::start(folder());
    for _ in 0..100 {
        let mut client = server.connect();
        client.get("/page.html");
        client.ask("/page.html");
        client.shutdown_write();
        assert_eq!(client.answer().text(), "<p>page");
        assert!(client.is_closed(), "the end was seen, though no edge told of it alone");
    }
}

#[test]
fn a_request_that_comes_amid_an_answer_is_answered_after_it() {
    let server = RunningServer::start(folder());
    let mut client = Client::connect_with_receive_buffer(server.address, 32 * 1024);
    client.ask("/large.bin");
    sleep(A_WHILE);
    // The edge for this comes while the server waits to write, and it will not come again.
    client.ask("/page.html");
    sleep(A_WHILE);
    assert_eq!(client.answer().body.len() as u64, 64 * MIB);
    assert_eq!(client.answer().text(), "<p>page");
    assert_eq!(client.get("/page.html").text(), "<p>page");
}

#[test]
fn requests_beyond_every_bound_of_a_turn_are_answered_without_another_edge() {
    let limits = Limits {
        pipeline_max: 3,
        outbox_bytes_max: 2000,
        run_bytes_max: 500,
        accepts_per_turn_max: 1,
        ..Limits::default()
    };
    let server = RunningServer::start_within(Folder::new().file("page.html", noise(1000)), limits);
    let mut clients: Vec<Client> = (0..20).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send("GET /page.html HTTP/1.1\r\nHost: test\r\n\r\n".repeat(50));
    }
    for client in &mut clients {
        for _ in 0..50 {
            assert_eq!(client.answer().body.len(), 1000);
        }
    }
}

#[test]
fn connections_beyond_the_bound_of_a_turn_are_accepted_without_another_edge() {
    let limits = Limits { accepts_per_turn_max: 3, ..Limits::default() };
    let folder = folder();
    let server = bound(&folder, limits);
    let address = server.local_addrs().expect("its address")[0];
    // All are there before the first turn: one edge for a hundred of them. So many fit only a backlog that is
    // not the usual 128.
    let mut clients: Vec<Client> = (0..300).map(|_| Client::connect(address)).collect();
    let _server = RunningServer::of(server, folder);
    for client in &mut clients {
        assert_eq!(client.get("/page.html").text(), "<p>page");
    }
}

/// With the bound met at one listener, the next to be asked is another: that one is empty, which says nothing
/// of the first.
#[test]
fn connections_beyond_the_bound_at_one_of_two_listeners_are_accepted_without_another_edge() {
    let limits = Limits { accepts_per_turn_max: 3, ..Limits::default() };
    let folder = folder();
    let binds = ["127.0.0.1", "127.0.0.2"].map(str::to_owned).to_vec();
    let server = bound_to(binds, &folder, limits);
    let addresses = server.local_addrs().expect("its addresses");
    let mut clients: Vec<Client> = (0..100).map(|_| Client::connect(addresses[1])).collect();
    let _server = RunningServer::of(server, folder);
    for client in &mut clients {
        assert_eq!(client.get("/page.html").text(), "<p>page");
    }
}

#[test]
fn a_client_that_leaves_and_one_that_comes_are_never_mixed_up() {
    let folder = (0..10).fold(folder(), |folder, number| folder.file(format!("{number}.txt"), [number; 100]));
    let server = RunningServer::start(folder);
    std::thread::scope(|scope| {
        for number in 0..4_u8 {
            let server = &server;
            scope.spawn(move || {
                for round in 0..300 {
                    let mut client = server.connect();
                    client.ask("/large.bin");
                    if round % 2 == 0 {
                        client.reset();
                    }
                    let mut client = server.connect();
                    assert_eq!(client.get(&format!("/{number}.txt")).body, [number; 100]);
                }
            });
        }
    });
}
