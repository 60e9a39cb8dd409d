//! Connections that are cut when their time is up, and those that must not be.

use std::io::ErrorKind;
use std::thread::sleep;
use std::time::{Duration, Instant};

use pws::limits::Limits;
use pws_testing::client::Client;
use pws_testing::folder::Folder;
use pws_testing::patience::PATIENCE;

use crate::support::server::RunningServer;

const SECOND: Duration = Duration::from_secs(1);

pub fn folder() -> Folder {
    Folder::new().file("page.html", "<p>page").sparse_file("endless.bin", 64 << 30)
}

#[test]
fn an_idle_connection_is_cut_and_an_active_one_is_not() {
    let server = RunningServer::start_within(folder(), Limits { idle_secs: 1, ..Limits::default() });
    let started = Instant::now();
    let mut silent = server.connect();
    let mut satisfied = server.connect();
    assert_eq!(satisfied.get("/page.html").status, 200);
    let mut active = server.connect();
    let idle = std::thread::spawn(move || {
        assert!(silent.is_closed() && satisfied.is_closed());
        started.elapsed()
    });
    for _ in 0..10 {
        assert_eq!(active.get("/page.html").text(), "<p>page");
        sleep(Duration::from_millis(300));
    }
    let cut_after = idle.join().expect("both are cut");
    assert!(cut_after >= SECOND, "{cut_after:?}");
}

#[test]
fn a_head_that_drips_is_cut() {
    let server = RunningServer::start_within(folder(), Limits { head_secs: 1, ..Limits::default() });
    let mut client = server.connect();
    client.set_patience(Duration::from_millis(200));
    let started = Instant::now();
    let head = "GET / HTTP/1.1\r\nHost: test\r\nX: ".bytes().chain(std::iter::repeat(b'x'));
    for byte in head {
        assert!(started.elapsed() < PATIENCE, "bytes that drip in keep the connection");
        client.send([byte]);
        match client.read_some(&mut [0]) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            // Its first byte has come.
            Ok(1) => {
                let answer = client.rest();
                assert!(answer.starts_with(b"TTP/1.1 408 "), "{}", answer.escape_ascii());
                break;
            }
            other => panic!("neither silence nor an answer: {other:?}"),
        }
    }
    assert!(started.elapsed() >= SECOND, "{:?}", started.elapsed());
}

/// More than the kernel keeps of an answer on its way.
const KEPT_BYTES_MAX: u64 = 128 << 20;

/// Whether a client that takes nothing of an answer for `pause` finds that it was cut meanwhile.
#[track_caller]
fn is_cut_after(server: &RunningServer, pause: Duration) -> bool {
    let mut stalled = server.connect();
    stalled.ask("/endless.bin");
    assert_eq!(stalled.head().status, 200);
    sleep(pause);
    stalled.count_rest(KEPT_BYTES_MAX) < KEPT_BYTES_MAX
}

#[test]
fn a_client_that_takes_nothing_is_cut() {
    let server = RunningServer::start_within(folder(), Limits { send_secs: 1, ..Limits::default() });
    assert!(!is_cut_after(&server, SECOND / 2), "cut too early");
    // A slow machine gets more time.
    assert!([3, 6, 12].iter().any(|secs| is_cut_after(&server, *secs * SECOND)), "never cut");
    assert_eq!(server.connect().get("/page.html").text(), "<p>page");
}

/// Where the end of the connection is the end of the answer, a quiet one would make a part look like the whole.
#[test]
fn an_answer_is_cut_by_a_reset() {
    let server = RunningServer::start_within(folder(), Limits { send_secs: 1, ..Limits::default() });
    let mut stalled = server.connect();
    stalled.ask("/endless.bin");
    assert_eq!(stalled.head().status, 200);
    sleep(6 * SECOND);
    let mut buffer = vec![0; 1 << 20];
    let end = loop {
        match stalled.read_some(&mut buffer) {
            Ok(0) => break None,
            Ok(_) => {}
            Err(error) => break Some(error.kind()),
        }
    };
    assert_eq!(end, Some(ErrorKind::ConnectionReset));
}

#[test]
fn a_client_that_takes_little_is_not_cut() {
    // A few times what the kernel takes at once: there is progress to be seen several times a second.
    const PIECE: u64 = 256 * 1024;

    let server = RunningServer::start_within(folder(), Limits { send_secs: 1, ..Limits::default() });
    let mut client = Client::connect_with_receive_buffer(server.address, 128 * 1024);
    client.ask("/endless.bin");
    let started = Instant::now();
    while started.elapsed() < 3 * SECOND {
        assert_eq!(client.count_rest(PIECE), PIECE, "cut after {:?}", started.elapsed());
        sleep(Duration::from_millis(50));
    }
    assert_eq!(client.count_rest(KEPT_BYTES_MAX), KEPT_BYTES_MAX, "what is left is not all there is");
}
