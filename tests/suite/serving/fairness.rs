//! The budget of a turn, on a socket that never gets tired: on a real one the network ends most runs first.

use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::BorrowedFd;

use pws::config::SiteOptions;
use pws::limits::Limits;
use pws_testing::folder::Folder;
use pws_testing::memory::{MemoryServer, Socket, Verdict, gathered};

const FILE: &[u8] = b"GET /large.bin HTTP/1.1\r\nHost: test\r\n\r\n";
const LISTING: &[u8] = b"GET /crowd/ HTTP/1.1\r\nHost: test\r\n\r\n";
const LARGE: u64 = 10_000_000;

/// Takes all it is given, and has the same request again and again.
#[derive(Default)]
struct TirelessSocket {
    request: &'static [u8],
    /// How many come in all.
    requests: u64,
    received: u64,
    sent: u64,
}

impl Socket for TirelessSocket {
    /// Fills the buffer as long as there is enough to come, be it amid a request.
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.requests * self.request.len() as u64 - self.received;
        if left == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = buffer.len().min(left as usize);
        let start = self.received as usize % self.request.len();
        for (byte, next) in buffer[..count].iter_mut().zip(self.request.iter().cycle().skip(start)) {
            *byte = *next;
        }
        self.received += count as u64;
        Ok(count)
    }

    fn send(&mut self, slices: &[IoSlice<'_>], _more: bool) -> io::Result<usize> {
        let bytes = gathered(slices);
        self.sent += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn send_file(&mut self, _file: BorrowedFd<'_>, _offset: u64, count: usize) -> io::Result<usize> {
        self.sent += count as u64;
        Ok(count)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs a connection with `requests` times `request` to come until it waits for more; returns the bytes that
/// each run moved.
#[track_caller]
fn bytes_per_run(folder: &Folder, limits: &Limits, request: &'static [u8], requests: u64) -> Vec<u64> {
    let server = MemoryServer::with(folder, &SiteOptions::default(), limits.clone());
    bytes_per_run_of(server, request, requests)
}

/// The same where no run has any time.
fn bytes_per_late_run(folder: &Folder, request: &'static [u8], requests: u64) -> Vec<u64> {
    let mut server = MemoryServer::of(folder);
    server.slice_nanos = 0;
    bytes_per_run_of(server, request, requests)
}

fn bytes_per_run_of(mut server: MemoryServer, request: &'static [u8], requests: u64) -> Vec<u64> {
    let mut connection = server.connect(TirelessSocket { request, requests, ..TirelessSocket::default() });
    let mut runs = Vec::new();
    let mut moved_before = 0;
    loop {
        let verdict = server.run(&mut connection);
        let moved = connection.socket.sent + connection.socket.received;
        runs.push(moved - moved_before);
        moved_before = moved;
        match verdict {
            Verdict::Yield | Verdict::AwaitDisk => assert!(runs.len() < 100_000, "it never comes to rest"),
            Verdict::Park(_) => return runs,
            Verdict::Close => panic!("closed after {runs:?}"),
        }
    }
}

#[test]
fn a_download_gives_way_after_its_budget() {
    let folder = Folder::new().sparse_file("large.bin", LARGE);
    let limits = Limits { run_bytes_max: 100_000, ..Limits::default() };
    let runs = bytes_per_run(&folder, &limits, FILE, 1);
    assert!(runs.iter().sum::<u64>() > LARGE, "the whole file: {runs:?}");
    assert!(runs.iter().all(|moved| *moved <= 100_000), "{runs:?}");
}

#[test]
fn a_client_that_asks_without_end_gives_way_after_its_budget() {
    const COUNT: u64 = 10_000;

    // Small enough to be sent with its head.
    let folder = Folder::new().file("large.bin", "<p>not so large");
    let limits = Limits { run_bytes_max: 100_000, ..Limits::default() };
    let runs = bytes_per_run(&folder, &limits, FILE, COUNT);
    assert!(runs.iter().sum::<u64>() > COUNT * FILE.len() as u64 * 2, "all answers: {runs:?}");
    // The last step of a run may be a read, which fills a buffer: that has room for a few heads.
    let read_max = 4 * limits.head_bytes_max as u64;
    assert!(runs.iter().all(|moved| *moved <= 100_000 + read_max), "{runs:?}");
}

#[test]
fn a_listing_gives_way_when_its_time_is_up() {
    const ENTRIES: usize = 5000;
    const COUNT: usize = 3;
    /// Entries made in one go, and what each of them takes at most.
    const SLICE: (usize, u64) = (256, 200);

    let folder = Folder::new().crowd("crowd", ENTRIES);
    let runs = bytes_per_late_run(&folder, LISTING, COUNT as u64);
    // Two steps are everybody's.
    assert!(runs.len() >= COUNT * ENTRIES / SLICE.0 / 2, "{} runs", runs.len());
    // Beside the slices: a head, the top of the page, and what is read at once.
    let other = 10_000;
    assert!(runs.iter().all(|moved| *moved < 2 * SLICE.0 as u64 * SLICE.1 + other), "{runs:?}");
}

/// What takes long to answer gives way however few bytes it is.
#[test]
fn a_pipeline_gives_way_when_its_time_is_up() {
    const COUNT: u64 = 1000;

    let folder = Folder::new().file("large.bin", "<p>not so large");
    let runs = bytes_per_late_run(&folder, FILE, COUNT);
    let both = runs.iter().max().expect("a run");
    // Two steps are everybody's.
    assert!(runs.len() as u64 >= COUNT / 2, "{} runs", runs.len());
    // What is received at once beside an answer.
    assert!(*both < 2 * 2 * u64::from(Limits::default().head_bytes_max), "{both} bytes");
}
