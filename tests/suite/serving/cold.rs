//! A disk that must be waited for: nothing is sent before it is in memory, and meanwhile others have their
//! turn.

use std::fs::File;
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use pws::clock::Now;
use pws::files::file::{self, Terms};
use pws::files::mime::MediaTypes;
use pws::files::page_cache;
use pws::files::root::Descriptor;
use pws::files::stamp::Stamp;
use pws_testing::answer::Answer;
use pws_testing::client::request;
use pws_testing::folder::{Folder, noise};
use pws_testing::memory::{Edge, MemoryServer, Readiness, Socket, Verdict, gathered, read_file};
use pws_testing::process::{Process, serving};
use rustix::fs::Advice;
use rustix::io::Errno;

use crate::support::binary::command;

const PAGE_BYTES: u64 = 4096;

/// Has the kernel forget a file's content; false where it cannot, as on a disk in memory.
#[track_caller]
fn make_cold(path: &Path) -> bool {
    let file = File::open(path).expect("a file");
    file.sync_all().expect("a disk that can be written to");
    rustix::fs::fadvise(&file, 0, None, Advice::DontNeed).expect("advice that is taken");
    let is_cold = !page_cache::holds(&file, 0);
    if !is_cold {
        eprintln!("SKIPPED: {} cannot be dropped from memory, so nothing is shown", path.display());
    }
    is_cold
}

/// Takes all it is given, and looks at each page of a file before it does.
struct WatchfulSocket {
    request: Option<Vec<u8>>,
    sent: Vec<u8>,
    /// Pages that would have had to be waited for.
    missing_pages: u64,
}

impl Socket for WatchfulSocket {
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let request = self.request.take().ok_or(ErrorKind::WouldBlock)?;
        buffer[..request.len()].copy_from_slice(&request);
        Ok(request.len())
    }

    fn send(&mut self, slices: &[IoSlice<'_>], _more: bool) -> io::Result<usize> {
        let bytes = gathered(slices);
        self.sent.extend_from_slice(&bytes);
        Ok(bytes.len())
    }

    fn send_file(&mut self, file: BorrowedFd<'_>, offset: u64, count: usize) -> io::Result<usize> {
        let pages = (offset..offset + count as u64).step_by(PAGE_BYTES as usize);
        self.missing_pages += pages.filter(|at| !page_cache::holds(file, *at)).count() as u64;
        let mut piece = vec![0; count];
        let count = read_file(file, &mut piece, offset)?;
        self.sent.extend_from_slice(&piece[..count]);
        Ok(count)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The body of what is at a path, as [`ask`] has it.
#[track_caller]
fn fetch(server: &mut MemoryServer, path: &str, fields: &str) -> (Vec<u8>, usize, u64) {
    let (answer, waits, missing_pages) = ask(server, "GET", path, fields);
    (answer.body, waits, missing_pages)
}

/// Asks for a path, with more fields in the head, each with its line end, and runs to the end; returns the
/// answer, how often the disk was waited for, and how many pages were sent that were not in memory.
#[track_caller]
fn ask(server: &mut MemoryServer, method: &str, path: &str, fields: &str) -> (Answer, usize, u64) {
    let request = Some(request(method, path, fields).into_bytes());
    let mut connection = server.connect(WatchfulSocket { request, sent: Vec::new(), missing_pages: 0 });
    connection.mark(Readiness { readable: true, ..Readiness::default() });
    let mut waits = 0;
    loop {
        server.next_turn();
        match server.run(&mut connection) {
            Verdict::AwaitDisk => {
                waits += 1;
                assert!(waits < 10_000, "{path}: the disk never comes");
                std::thread::sleep(Duration::from_millis(1));
            }
            Verdict::Yield => {}
            Verdict::Park(Edge::Readable) => break,
            verdict => panic!("{path}: {verdict:?}"),
        }
    }
    let WatchfulSocket { sent, missing_pages, .. } = connection.socket;
    (Answer::all(&sent, &[method]).remove(0), waits, missing_pages)
}

/// A server of `folder`, at a time long after now.
fn server(folder: &Folder) -> MemoryServer {
    let mut server = MemoryServer::of(folder);
    server.now = Now::at(0, 2_000_000_000);
    server
}

#[test]
fn nothing_is_sent_before_it_is_in_memory() {
    const ATTEMPTS: usize = 3;

    let (small, medium, large) = (noise(1000), noise(100_000), noise(5_000_000));
    let folder = Folder::new().file("small.bin", &small).file("medium.bin", &medium);
    let folder = folder.file("large.bin", &large).aged();
    let mut server = server(&folder);
    for (name, content) in [("small.bin", &small), ("medium.bin", &medium), ("large.bin", &large)] {
        // A file is looked at at its ends, and to look makes some kernels read: a quick disk may have read just
        // those by the second look. Unknown at first, then known and dropped since.
        let is_awaited = (0..ATTEMPTS).any(|_| {
            if !make_cold(&folder.root().join(name)) {
                return true;
            }
            let (body, waits, missing_pages) = fetch(&mut server, &format!("/{name}"), "");
            assert!(body == *content, "{name}: other bytes");
            eprintln!("{name}: {waits} waits, {missing_pages} pages sent before they were there");
            missing_pages == 0
        });
        assert!(is_awaited, "{name} was sent before it was there");
        // The kernel may take pages back while others need memory.
        let is_sent_at_once = (0..ATTEMPTS).any(|_| {
            let (body, waits, _) = fetch(&mut server, &format!("/{name}"), "");
            assert!(body == *content, "{name}: other bytes");
            waits == 0
        });
        assert!(is_sent_at_once, "{name} was waited for when it was in memory");
    }
    let is_awaited = (0..ATTEMPTS).any(|_| {
        if !make_cold(&folder.root().join("large.bin")) {
            return true;
        }
        let (body, _, missing_pages) = fetch(&mut server, "/large.bin", "");
        assert!(body == large, "other bytes");
        missing_pages == 0
    });
    assert!(is_awaited, "one that was known, and has been dropped since, was sent before it was there");
}

/// Whether its start has to be read to tell the type, or all of it to tell it from others.
#[test]
fn what_tells_of_a_file_is_awaited_too() {
    let folder =
        Folder::new().file("small.bin", noise(1000)).file("large.html", vec![b'a'; 1_000_000]).aged();
    for (name, content_type) in
        [("small.bin", "application/octet-stream"), ("large.html", "text/html; charset=utf-8")]
    {
        let path = folder.root().join(name);
        let mut server = server(&folder);
        if !make_cold(&path) {
            return;
        }
        let answer = ask(&mut server, "HEAD", &format!("/{name}"), "").0;
        assert_eq!((answer.status, answer.field("content-type")), (200, Some(content_type)));
        let (warm, waits, _) = ask(&mut server, "GET", &format!("/{name}"), "Range: bytes=0-0\r\n");
        assert_eq!((warm.status, waits), (206, 0));
        assert_eq!(warm.field("etag"), answer.field("etag"), "{name}");
    }
}

/// Where nobody can tell whether it is in memory, or a page cannot be read, patience ends.
#[test]
fn what_is_asked_for_in_vain_is_read_in_the_end() {
    let folder = Folder::new().file("small.bin", noise(1000)).file("large.html", noise(1_000_000)).aged();
    let now = Now::at(0, 2_000_000_000);
    for (name, is_loaded) in [("small.bin", true), ("large.html", false)] {
        let path = folder.root().join(name);
        let descriptor = Descriptor::from(OwnedFd::from(File::open(&path).expect("a file")));
        let stamp = Stamp::of_open(descriptor.as_fd()).expect("its state");
        let content_type = MediaTypes::default().of_path(name.as_bytes());
        let look = |may_wait| {
            let terms = Terms { loaded_bytes_max: 8192, may_wait, now: &now };
            file::File::look(&descriptor, stamp, (&content_type, None), terms)
        };
        // To look whether it is cold would have the kernel read it.
        let drop_it = || {
            let file = File::open(&path).expect("a file");
            file.sync_all().expect("a disk that can be written to");
            rustix::fs::fadvise(&file, 0, None, Advice::DontNeed).expect("advice that is taken");
        };
        drop_it();
        match look(false).map(|_| ()) {
            Err(errno) => assert_eq!(errno, Errno::AGAIN, "{name}"),
            Ok(()) => eprintln!("SKIPPED: {name} cannot be dropped from memory, so nothing is shown"),
        }
        drop_it();
        assert_eq!(look(true).expect("the file").has_content(), is_loaded, "{name}");
    }
}

#[test]
fn a_cold_file_arrives_whole() {
    let content = noise(20_000_000);
    let folder = Folder::new().file("large.bin", &content).file("page.html", "<p>page").aged();
    if !make_cold(&folder.root().join("large.bin")) {
        return;
    }
    let process = Process::start(serving(command(), &folder));
    let mut client = process.connect();
    client.ask("/large.bin");
    assert_eq!(process.connect().get("/page.html").text(), "<p>page");
    assert!(client.answer().body == content, "other bytes");
}

#[test]
fn what_lies_far_inside_a_file_is_looked_at_however_short_it_is() {
    const START: usize = 3_000_000;
    const END: usize = 3_100_000;

    let content = noise(5_000_000);
    let folder = Folder::new().file("large.bin", &content).aged();
    let path = folder.root().join("large.bin");
    if !make_cold(&path) {
        return;
    }
    // Its start is in memory, as after somebody else's request.
    File::open(&path).and_then(|file| file.read_exact_at(&mut [0; 300_000], 0)).expect("a file");
    let dropped = START as u64 & !(PAGE_BYTES - 1);
    let file = File::open(&path).expect("a file");
    rustix::fs::fadvise(&file, dropped, None, Advice::DontNeed).expect("advice that is taken");
    assert!(page_cache::holds(&file, 0) && page_cache::holds(&file, 262_143));
    let mut server = server(&folder);
    let range = format!("Range: bytes={START}-{}\r\n", END - 1);
    let (body, waits, missing_pages) = fetch(&mut server, "/large.bin", &range);
    assert!(body == content[START..END], "other bytes");
    assert_eq!(missing_pages, 0, "pages sent before they were there, after {waits} waits");
}

#[test]
fn all_that_is_asked_for_is_read() {
    const LEN: u64 = 20_000_000;
    const ATTEMPTS: u64 = 5;

    let folder = Folder::new().file("large.bin", noise(LEN as usize));
    let path = folder.root().join("large.bin");
    let file = File::open(&path).expect("a file");
    // To look makes the kernel read, so each attempt looks once.
    let is_read = (1..=ATTEMPTS).any(|attempt| {
        if !make_cold(&path) {
            return true;
        }
        page_cache::read_ahead(&file, 0, LEN);
        std::thread::sleep(Duration::from_millis(200 * attempt));
        page_cache::holds(&file, LEN - 1)
    });
    assert!(is_read, "the kernel read a part of what it was asked for");
}
