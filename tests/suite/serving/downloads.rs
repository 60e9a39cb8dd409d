//! Files too large for any buffer: whole, at the client's pace, and at nobody else's expense.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use pws::limits::Limits;
use pws_testing::client::Client;
use pws_testing::folder::{Folder, noise};
use pws_testing::patience::wait_until;

use crate::support::server::RunningServer;

const MIB: u64 = 1 << 20;
/// More than any test reads: a download of this much is under way for as long as it takes.
const ENDLESS: u64 = 64 << 30;

/// What a large file repeats. Not a divisor of any buffer's size, so that no piece can pass for another.
fn pattern() -> Vec<u8> {
    noise(1_000_003)
}

#[track_caller]
fn write_pattern(path: &Path, len: u64) {
    let pattern = pattern();
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    let mut left = len;
    while left > 0 {
        let count = left.min(pattern.len() as u64);
        file.write_all(&pattern[..count as usize]).expect("space for it");
        left -= count;
    }
    file.flush().expect("space for it");
}

/// Asserts that `bytes` are those of the pattern at `offset`.
#[track_caller]
fn assert_pattern(pattern: &[u8], bytes: &[u8], offset: u64) {
    let (mut at, mut rest) = (offset as usize % pattern.len(), bytes);
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.len().min(pattern.len() - at));
        assert!(pattern[at..].starts_with(piece), "other bytes behind {offset}");
        (at, rest) = (0, behind);
    }
}

#[test]
fn a_slow_reader_gets_a_large_file_whole() {
    const LEN: u64 = 64 * MIB;

    let folder = Folder::new();
    write_pattern(&folder.root().join("large.bin"), LEN);
    let server = RunningServer::start(folder);
    let mut client = Client::connect_with_receive_buffer(server.address, 32 * 1024);
    client.ask("/large.bin");
    assert_eq!(client.head().field("content-length"), Some(LEN.to_string().as_str()));
    let pattern = pattern();
    let mut buffer = vec![0; 100_000];
    let (mut total, mut next_rest) = (0, 0);
    while total < LEN {
        let count = client.read_some(&mut buffer).expect("more");
        assert!(count > 0, "cut short at {total}");
        assert_pattern(&pattern, &buffer[..count], total);
        total += count as u64;
        if total >= next_rest {
            sleep(Duration::from_millis(5));
            next_rest += MIB;
        }
    }
    assert_eq!(total, LEN);
    client.ask("/nowhere");
    assert_eq!(client.answer().status, 404, "nothing stands between the file and the next answer");
}

#[test]
fn a_tiny_receive_window_gets_a_file_whole() {
    let content = noise(500_000);
    let server = RunningServer::start(Folder::new().file("file.bin", &content));
    let mut client = Client::connect_with_receive_buffer(server.address, 1);
    assert!(client.get("/file.bin").body == content);
}

#[test]
fn a_file_of_more_than_4_gib_arrives_whole() {
    // The last pieces start past what 32 bits can count too: none is as large as what is left there.
    const LEN: u64 = (4 << 30) + 3 * MIB + 12_345;
    const MARK: &[u8] = b"<here and nowhere else>";

    let folder = Folder::new().sparse_file("huge.bin", LEN);
    let mark_at = LEN - 1000;
    let server = RunningServer::start(folder);
    let file = File::options().write(true).open(server.folder.root().join("huge.bin")).expect("the file");
    file.write_all_at(MARK, mark_at).expect("the mark");
    let mut client = server.connect();
    client.ask("/huge.bin");
    assert_eq!(client.head().field("content-length"), Some(LEN.to_string().as_str()));
    assert_eq!(client.count_rest(mark_at), mark_at);
    let mut tail = [0; 1000];
    let mut filled = 0;
    while filled < tail.len() {
        let count = client.read_some(&mut tail[filled..]).expect("the tail");
        assert!(count > 0, "cut short {} bytes before the end", tail.len() - filled);
        filled += count;
    }
    assert_eq!(&tail[..MARK.len()], MARK);
    assert!(tail[MARK.len()..].iter().all(|byte| *byte == 0));
    assert_eq!(client.get("/nowhere").status, 404);
}

/// Reads an endless file as fast as it comes, until dropped.
struct Downloading {
    total: Arc<AtomicU64>,
    is_enough: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Downloading {
    #[track_caller]
    fn start(mut client: Client) -> Downloading {
        client.ask("/endless.bin");
        assert_eq!(client.head().status, 200);
        let (total, is_enough) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (counter, flag) = (Arc::clone(&total), Arc::clone(&is_enough));
        let thread = std::thread::spawn(move || {
            while !flag.load(Ordering::Relaxed) {
                assert_eq!(client.count_rest(MIB), MIB, "the download was cut");
                counter.fetch_add(MIB, Ordering::Relaxed);
            }
        });
        Downloading { total, is_enough, thread: Some(thread) }
    }

    fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    #[track_caller]
    fn stop(mut self) {
        self.is_enough.store(true, Ordering::Relaxed);
        self.thread.take().expect("a thread").join().expect("an undisturbed download");
    }
}

impl Drop for Downloading {
    fn drop(&mut self) {
        self.is_enough.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_fast_download_holds_nobody_up() {
    let folder = Folder::new().file("page.html", "<p>page").sparse_file("endless.bin", ENDLESS);
    let server = RunningServer::start(folder);
    let download = Downloading::start(server.connect());
    let mut client = server.connect();
    for round in 0..50 {
        let total_before = download.total();
        let asked = Instant::now();
        assert_eq!(client.get("/page.html").text(), "<p>page");
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?} in round {round}", asked.elapsed());
        wait_until("the download goes on", || download.total() > total_before);
    }
    download.stop();
}

#[test]
fn a_download_nobody_reads_holds_nobody_up() {
    let folder = Folder::new().file("page.html", "<p>page").sparse_file("endless.bin", ENDLESS);
    let server = RunningServer::start(folder);
    let mut stalled: Vec<Client> = (0..10).map(|_| server.connect()).collect();
    for client in &mut stalled {
        client.ask("/endless.bin");
    }
    let mut client = server.connect();
    for _ in 0..50 {
        let asked = Instant::now();
        assert_eq!(client.get("/page.html").text(), "<p>page");
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    }
    for client in &mut stalled {
        assert_eq!(client.head().status, 200);
        assert_eq!(client.count_rest(20 * MIB), 20 * MIB, "it goes on when it is read");
    }
}

#[test]
fn a_file_that_shrinks_amid_its_answer_is_cut_short() {
    const LEN: u64 = 256 * MIB;

    let folder = Folder::new().file("page.html", "<p>page").sparse_file("shrinks.bin", LEN);
    let server = RunningServer::start(folder);
    let mut client = Client::connect_with_receive_buffer(server.address, 32 * 1024);
    client.ask("/shrinks.bin");
    assert_eq!(client.head().field("content-length"), Some(LEN.to_string().as_str()));
    let file = File::options().write(true).open(server.folder.root().join("shrinks.bin")).expect("the file");
    file.set_len(MIB).expect("a shorter file");
    let mut buffer = vec![0; MIB as usize];
    let mut total = 0;
    // A reset would destroy what is on its way.
    while let count @ 1.. = client.read_some(&mut buffer).expect("an end without a reset") {
        total += count as u64;
    }
    assert!(total < LEN, "all of {total} bytes, of which the file did not have any");
    assert_eq!(server.connect().get("/page.html").text(), "<p>page");
}

#[test]
fn bytes_behind_the_last_request_do_not_cut_its_answer() {
    const LEN: u64 = 8 * MIB;

    let server = RunningServer::start(Folder::new().sparse_file("large.bin", LEN));
    let mut client = Client::connect_with_receive_buffer(server.address, 32 * 1024);
    client.send("GET /large.bin HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    assert_eq!(client.head().status, 200);
    // Unread bytes at the server's end turn a close into a reset, which takes what is on the way with it.
    client.send("\r\n");
    assert_eq!(client.count_rest(LEN + 1), LEN);
}

/// Where memory is bounded, buffers are smaller than a loopback's segments.
#[test]
fn small_buffers_do_not_wait_for_acknowledgements() {
    const BYTES: u64 = 32 << 20;

    let folder = Folder::new().sparse_file("large.bin", BYTES);
    let server = RunningServer::start_within(folder, Limits::within(8 << 20));
    let mut client = server.connect();
    client.ask("/large.bin");
    assert_eq!(client.head().status, 200);
    let started = Instant::now();
    assert_eq!(client.count_rest(BYTES), BYTES);
    // Each waiting 40 ms, 20 s; else a tenth of one.
    assert!(started.elapsed() < Duration::from_secs(8), "{:?} for 32 MiB", started.elapsed());
}
