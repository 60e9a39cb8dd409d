//! The end of a server: answers under way are finished first, within bounds.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use pws::limits::Limits;
use pws_testing::client::Client;
use pws_testing::folder::Folder;
use pws_testing::patience::wait_until;

use crate::support::server::{RunningServer, bound};

const MIB: u64 = 1 << 20;
/// More than the kernel keeps on the way to a client with a small receive buffer.
const LARGE: u64 = 32 * MIB;

fn folder() -> Folder {
    Folder::new().file("page.html", "<p>page").sparse_file("large.bin", LARGE)
}

/// A client amid a download of [`LARGE`] bytes, most of which the server has still to send.
#[track_caller]
fn downloading(server: &RunningServer) -> Client {
    let mut client = Client::connect_with_receive_buffer(server.address, 32 * 1024);
    client.ask("/large.bin");
    assert_eq!(client.head().status, 200);
    client
}

fn is_refused(server: &RunningServer) -> bool {
    TcpStream::connect(server.address).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

#[test]
fn an_idle_server_stops_at_once() {
    let server = RunningServer::start(folder());
    let mut idle = server.connect();
    assert_eq!(idle.get("/page.html").status, 200);
    server.stop_handle().stop().expect("a waker");
    assert!(idle.is_closed());
    server.join().expect("a clean end");
}

#[test]
fn a_server_stopped_before_it_runs_ends_at_once() {
    let folder = folder();
    let server = bound(&folder, Limits::default());
    server.stop_handle().stop().expect("a waker");
    RunningServer::of(server, folder).join().expect("a clean end");
}

#[test]
fn a_stop_finishes_the_download_and_closes_the_rest() {
    let server = RunningServer::start(folder());
    let mut idle = server.connect();
    assert_eq!(idle.get("/page.html").status, 200);
    let mut amid_a_head = server.connect();
    amid_a_head.send("GET /page.html HT");
    let mut client = downloading(&server);
    server.stop_handle().stop().expect("a waker");
    assert!(idle.is_closed() && amid_a_head.is_closed(), "who waits is closed while the download goes on");
    wait_until("no new connections are accepted", || is_refused(&server));
    assert!(!server.has_ended());
    for _ in 0..LARGE / MIB {
        assert_eq!(client.count_rest(MIB), MIB);
        sleep(Duration::from_millis(10));
    }
    assert!(client.is_closed(), "a stopping server keeps no connection");
    server.join().expect("a clean end");
}

#[test]
fn a_second_stop_ends_at_once() {
    let server = RunningServer::start_within(folder(), Limits { drain_secs: 3600, ..Limits::default() });
    let mut client = downloading(&server);
    server.stop_handle().stop().expect("a waker");
    wait_until("no new connections are accepted", || is_refused(&server));
    assert!(!server.has_ended());
    server.stop_handle().stop().expect("a waker");
    server.join().expect("a clean end");
    assert!(client.count_rest(LARGE) < LARGE);
}

#[test]
fn a_stop_waits_as_long_as_it_may_and_no_longer() {
    let server = RunningServer::start_within(folder(), Limits { drain_secs: 1, ..Limits::default() });
    let mut client = downloading(&server);
    // Amid a second of the server's clock, which must not count for a whole one.
    sleep(Duration::from_millis(600));
    let stopped = Instant::now();
    server.stop_handle().stop().expect("a waker");
    server.join().expect("a clean end");
    let waited = stopped.elapsed();
    assert!((Duration::from_secs(1)..Duration::from_secs(10)).contains(&waited), "{waited:?}");
    assert!(client.count_rest(LARGE) < LARGE);
}
