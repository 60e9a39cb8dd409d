//! More clients than there is room for.

use std::thread::sleep;
use std::time::Duration;

use pws::limits::Limits;
use pws_testing::client::Client;
use pws_testing::patience::comes_true;

use super::deadlines::folder;
use crate::support::server::RunningServer;

const SECOND: Duration = Duration::from_secs(1);

fn server_for(connections: usize) -> RunningServer {
    let limits = Limits { connections_max: Some(connections), ..Limits::default() };
    RunningServer::start_within(folder(), limits)
}

/// Three clients amid an answer that they do not take.
#[track_caller]
fn fill(server: &RunningServer) -> Vec<Client> {
    let busy = |_| {
        let mut client = server.connect();
        client.ask("/endless.bin");
        assert_eq!(client.head().status, 200);
        client
    };
    (0..3).map(busy).collect()
}

#[track_caller]
fn assert_turned_away(server: &RunningServer) {
    let mut client = server.connect();
    client.ask("/page.html");
    let answer = client.answer();
    assert_eq!((answer.status, answer.field("connection")), (503, Some("close")));
    assert!(answer.field("retry-after").is_some());
    assert!(client.is_closed());
}

#[test]
fn who_finds_no_room_is_told_and_served_when_others_leave() {
    let server = server_for(3);
    let mut busy = fill(&server);
    assert_turned_away(&server);
    assert_turned_away(&server);
    busy.pop();
    let is_served = || {
        let mut client = server.connect();
        client.ask("/page.html");
        client.answer().status == 200
    };
    assert!(comes_true(is_served), "there is room again");
}

#[test]
fn who_has_been_idle_longest_makes_room() {
    let server = server_for(3);
    let mut idle: Vec<Client> = (0..3).map(|_| server.connect()).collect();
    for client in &mut idle[..2] {
        sleep(2 * SECOND);
        assert_eq!(client.get("/page.html").status, 200);
    }
    // The third has never asked.
    assert_eq!(server.connect().get("/page.html").status, 200);
    assert!(idle[2].is_closed());
    assert_eq!(idle[1].get("/page.html").status, 200);
    assert_eq!(idle[0].get("/page.html").status, 200);
}

#[test]
fn one_client_has_so_many_and_no_more() {
    let limits = Limits { connections_per_client_max: Some(2), ..Limits::default() };
    let server = RunningServer::start_within(folder(), limits);
    let mut inside: Vec<Client> = (0..2).map(|_| server.connect()).collect();
    assert_turned_away(&server);
    for client in &mut inside {
        assert_eq!(client.get("/page.html").status, 200);
    }
    inside.pop();
    let is_served = || {
        let mut client = server.connect();
        client.ask("/page.html");
        client.answer().status == 200
    };
    assert!(comes_true(is_served));
}
