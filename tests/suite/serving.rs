//! The real server in a thread of the test, and clients that send raw bytes: connections from start to end.

mod cold;
mod deadlines;
mod downloads;
mod fairness;
mod overload;
mod stopping;

use std::io::{ErrorKind, Write};
use std::os::unix::net::UnixListener;
use std::thread::sleep;
use std::time::Duration;

use pws::{Config, Server};
use pws_testing::answer::Answer;
use pws_testing::client::Client;
use pws_testing::folder::{Folder, noise};

use crate::support::server::RunningServer;
use crate::support::tools;

fn pages() -> Folder {
    (0..10).fold(Folder::new().file("index.html", "<p>home"), |folder, number| {
        folder.file(format!("{number}.txt"), format!("page {number}"))
    })
}

#[test]
fn one_connection_carries_thousands_of_requests() {
    let server = RunningServer::start(pages());
    let mut client = server.connect();
    for number in 0..2500 {
        let digit = number % 10;
        let answer = client.get(&format!("/{digit}.txt"));
        assert_eq!((answer.status, answer.text()), (200, format!("page {digit}")), "request {number}");
    }
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let server = RunningServer::start(pages());
    let mut client = server.connect();
    for _ in 0..2 {
        for byte in b"GET /7.txt HTTP/1.1\r\nHost: test\r\n\r\n" {
            client.send([*byte]);
            sleep(Duration::from_millis(2));
        }
        assert_eq!(client.answer().text(), "page 7");
    }
}

#[test]
fn a_pipeline_in_one_packet_is_answered_in_order() {
    let server = RunningServer::start(pages());
    let mut client = server.connect();
    let digits = || (0..100).map(|number| number * 7 % 10);
    let request = |digit| format!("GET /{digit}.txt HTTP/1.1\r\nHost: test\r\n\r\n");
    client.send(digits().map(request).collect::<String>());
    for digit in digits() {
        assert_eq!(client.answer().text(), format!("page {digit}"));
    }
}

#[test]
fn a_client_that_has_shut_its_side_is_answered_and_closed() {
    let content = noise(1_000_000);
    let server = RunningServer::start(pages().file("large.bin", &content));
    for (target, expected) in [("/3.txt", &b"page 3"[..]), ("/large.bin", &content)] {
        let mut client = server.connect();
        client.ask(target);
        client.shutdown_write();
        let answers = client.rest();
        assert!(Answer::all(&answers, &["GET"])[0].body == expected, "{target}");
    }
}

#[test]
fn an_end_that_comes_with_the_request_is_seen() {
    let server = RunningServer::start(pages());
    let mut client = server.connect();
    // From now on the server waits for news of this connection: one event will tell of request and end.
    assert_eq!(client.get("/2.txt").text(), "page 2");
    client.send_last("GET /3.txt HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(client.answer().text(), "page 3");
    assert!(client.is_closed(), "nobody will say again that it has ended");
}

#[test]
fn http_1_0_gets_one_answer_and_the_end() {
    let server = RunningServer::start(pages());
    let mut client = server.connect();
    client.send("GET /3.txt HTTP/1.0\r\n\r\n");
    let answer = Answer::all(&client.rest(), &["GET"]).remove(0);
    assert_eq!((answer.status, answer.text().as_str()), (200, "page 3"));
}

/// What no request can start with, and how it is refused.
const REFUSED: [(&str, u16); 2] = [("nonsense\r\n\r\n", 400), ("GET / HTTP/1.1\r\nX: ", 431)];

#[test]
fn a_refused_client_may_send_on_for_a_while_and_sees_no_reset() {
    let server = RunningServer::start(pages());
    for (start, status) in REFUSED {
        let mut client = server.connect();
        client.send(start);
        // The head's own bound first; then what is thrown away, within its bound.
        client.send([b'x'; 17_000]);
        let answer = client.answer();
        assert_eq!((answer.status, answer.field("connection")), (status, Some("close")));
        for _ in 0..20 {
            client.send([b'x'; 10_000]);
            sleep(Duration::from_millis(2));
        }
        client.shutdown_write();
        assert_eq!(client.rest(), b"", "a clean end");
    }
}

#[test]
fn a_refused_client_that_sends_megabytes_still_gets_its_answer_whole() {
    let server = RunningServer::start(pages());
    for (start, status) in REFUSED {
        for _ in 0..20 {
            let mut client = server.connect();
            client.send(start);
            let megabytes = vec![b'x'; 8 << 20];
            match client.stream.write_all(&megabytes) {
                Err(error) if [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&error.kind()) => {
                }
                result => result.expect("neither a stall nor another error"),
            }
            assert_eq!(client.answer().status, status);
        }
    }
    assert_eq!(server.connect().get("/").status, 200);
}

#[test]
fn what_is_no_file_is_not_there_and_holds_nobody_up() {
    let folder = pages();
    let mode = rustix::fs::Mode::from_raw_mode(0o666);
    let fifo = folder.root().join("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, mode).expect("a FIFO");
    let _listener = UnixListener::bind(folder.root().join("socket")).expect("a socket");
    let server = RunningServer::start(folder);
    let mut other = server.connect();
    for target in ["/fifo", "/socket"] {
        let mut client = server.connect();
        assert_eq!(client.get(target).status, 404, "{target}");
        assert_eq!(client.get("/").status, 200, "the same connection after {target}");
        assert_eq!(other.get("/").status, 200, "another one after {target}");
    }
}

#[test]
fn a_thousand_connections_are_open_at_once() {
    const COUNT: u64 = 1000;

    let open_files = pws::process::resources::raise_open_files();
    // Both ends are here, and other tests run at the same time.
    if open_files < 2 * COUNT + 500 {
        return tools::skip(&format!("{open_files} open files are allowed, which is too few"));
    }
    let server = RunningServer::start(pages());
    let mut clients: Vec<Client> = (0..COUNT).map(|_| server.connect()).collect();
    for round in 0..2 {
        for (number, client) in clients.iter_mut().enumerate() {
            let digit = (number + round) % 10;
            assert_eq!(client.get(&format!("/{digit}.txt")).text(), format!("page {digit}"));
        }
    }
}

#[test]
fn clients_that_reset_amid_an_answer_do_no_harm() {
    let server = RunningServer::start(pages().sparse_file("large.bin", 1 << 30));
    for _ in 0..200 {
        let mut client = server.connect();
        client.ask("/large.bin");
        assert_eq!(client.head().status, 200);
        client.reset();
    }
    assert_eq!(server.connect().get("/1.txt").text(), "page 1");
}

#[test]
fn all_addresses_of_a_server_share_one_port_and_are_served() {
    let folder = pages();
    let binds = vec!["127.0.0.1".to_owned(), "127.0.0.2".to_owned()];
    let config = Config { binds, port: 0, access_log: false, ..Config::new(folder.root()) };
    let server = RunningServer::of(Server::bind(config).expect("a server"), folder);
    let ips: Vec<String> = server.addresses.iter().map(|address| address.ip().to_string()).collect();
    assert_eq!(ips, ["127.0.0.1", "127.0.0.2"]);
    assert_ne!(server.address.port(), 0);
    for address in &server.addresses {
        assert_eq!(address.port(), server.address.port());
        assert_eq!(Client::connect(*address).get("/5.txt").text(), "page 5");
    }
}

#[test]
fn two_servers_run_in_one_process() {
    let folders = ["first", "second"].map(|name| Folder::new().file("name.txt", name));
    let servers = folders.map(RunningServer::start);
    assert_ne!(servers[0].address, servers[1].address);
    let mut clients = servers.each_ref().map(RunningServer::connect);
    for _ in 0..10 {
        let names = clients.each_mut().map(|client| client.get("/name.txt").text());
        assert_eq!(names, ["first", "second"]);
    }
}
