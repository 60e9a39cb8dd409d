//! Signals: the first finishes what is under way, the second does not.

use std::io::Read;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use pws_testing::client::Client;
use pws_testing::patience::wait_until;
use rustix::process::Signal;

use super::folder;
use crate::support::binary::serve;

const LARGE: u64 = 64 << 20;

#[test]
fn sigterm_and_sigint_end_with_0_and_the_whole_log() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut process = serve(folder(), &[]);
        let mut client = process.connect();
        client.send("GET /page.html HTTP/1.1\r\nHost: test\r\n\r\n".repeat(200));
        for _ in 0..200 {
            assert_eq!(client.answer().status, 200);
        }
        process.signal(signal);
        assert_eq!(process.wait().code(), Some(0), "{signal:?}");
        assert!(client.is_closed());
        let mut text = String::new();
        let mut stdout = process.stdout.take().expect("standard output");
        stdout.read_to_string(&mut text).expect("UTF-8");
        assert_eq!(text.lines().count(), 200, "{signal:?}");
    }
}

#[test]
fn a_signal_finishes_the_download_and_a_second_one_does_not() {
    for second in [None, Some(Signal::TERM), Some(Signal::INT)] {
        let mut process = serve(folder().sparse_file("large.bin", LARGE), &[]);
        let address = process.address();
        let mut client = Client::connect_with_receive_buffer(address, 32 * 1024);
        client.ask("/large.bin");
        assert_eq!(client.head().status, 200);
        let stopped = Instant::now();
        process.signal(Signal::TERM);
        wait_until("no new connections are accepted", || TcpStream::connect(address).is_err());
        assert!(process.is_running(), "the download is under way");
        if let Some(signal) = second {
            process.signal(signal);
            assert_eq!(process.wait().code(), Some(0));
            assert!(stopped.elapsed() < Duration::from_secs(8), "at once: {:?}", stopped.elapsed());
        }
        let total = client.count_rest(LARGE);
        assert_eq!(total == LARGE, second.is_none(), "{total} bytes, {second:?}");
        assert_eq!(process.wait().code(), Some(0));
    }
}
