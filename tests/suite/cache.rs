//! What is remembered of files, and that it is never older than the request it answers.

use std::cell::Cell;
use std::fs;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pws::clock::Now;
use pws::config::SiteOptions;
use pws::files::Files;
use pws::files::file::{File, Stored};
use pws::limits::Limits;
use pws_testing::answer::Answer;
use pws_testing::client::Client;
use pws_testing::folder::{Folder, noise};
use pws_testing::memory::{MemoryServer, NOW_UNIX_SECS, Readiness, Socket};

use crate::support::on_end::OnEnd;
use crate::support::server::RunningServer;
use crate::support::tools;
use crate::support::visitor::Visitor;

/// The file at `path`, with its content; `None` if it is not there.
fn get(files: &mut Files, path: &str, now: &Now) -> Option<Arc<File>> {
    let found = files.find(path.as_bytes(), now).ok()??;
    files.with_content(path.as_bytes(), found, now).ok()
}

/// The content at `path` as the next turn sees it: `None` if it is not there.
#[track_caller]
fn find(files: &mut Files, path: &str) -> Option<Vec<u8>> {
    files.recheck();
    get(files, path, &Now::at(0, NOW_UNIX_SECS)).map(|file| content_of(&file))
}

#[track_caller]
fn content_of(file: &File) -> Vec<u8> {
    match file.content() {
        Stored::Unread => panic!("without content"),
        Stored::Memory(bytes) => bytes.to_vec(),
        Stored::Disk { file: open_file, .. } => {
            let mut bytes = vec![0; file.content_len() as usize];
            rustix::io::pread(open_file, &mut bytes, 0).expect("the content");
            bytes
        }
    }
}

#[track_caller]
fn open(folder: &Folder) -> Files {
    Files::open(&folder.root(), &SiteOptions::default(), &Limits::default()).expect("the folder")
}

#[test]
fn every_way_a_file_can_change_is_seen_in_the_next_turn() {
    for len in [10, 100_000] {
        let (old, new) = (noise(len), vec![b'x'; len]);
        let folder = Folder::new().file("a", &old);
        let path = folder.root().join("a");
        let mut files = open(&folder);
        let mut expect = |content: Option<&[u8]>, what: &str| {
            for _ in 0..2 {
                assert!(find(&mut files, "a").as_deref() == content, "{what}, {len} bytes");
            }
        };
        expect(Some(&old), "as it was");
        fs::write(&path, &new).expect("written in place");
        expect(Some(&new), "written in place, with the same length");
        fs::write(folder.root().join("b"), &old).expect("another file");
        fs::rename(folder.root().join("b"), &path).expect("renamed");
        expect(Some(&old), "another file put in its place");
        fs::File::options().write(true).open(&path).expect("it").set_len(5).expect("cut");
        expect(Some(&old[..5]), "cut");
        fs::remove_file(&path).expect("removed");
        expect(None, "removed");
        fs::write(&path, &new).expect("made anew");
        expect(Some(&new), "made anew");
        fs::remove_file(&path).expect("removed");
        fs::create_dir(&path).expect("a folder");
        expect(None, "a folder in its place");
        fs::remove_dir(&path).expect("removed");
        std::os::unix::fs::symlink("../outside", &path).expect("a symlink");
        fs::write(folder.outside().join("outside"), &new).expect("a file outside");
        expect(None, "a symlink out in its place");
    }
}

#[test]
fn a_file_that_may_be_changing_is_not_kept() {
    let folder = Folder::new().file("a", "content");
    let path = folder.root().join("a");
    let mut files = open(&folder);
    let changed = fs::metadata(&path).expect("it").modified().expect("a time");
    let now_unix_secs = changed.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let find =
        |files: &mut Files, now_unix_secs| get(files, "a", &Now::at(0, now_unix_secs)).expect("a file");
    let (first, second) = (find(&mut files, now_unix_secs), find(&mut files, now_unix_secs));
    assert!(!Arc::ptr_eq(&first, &second), "just changed");
    let later = now_unix_secs + 10;
    let (first, second) = (find(&mut files, later), find(&mut files, later));
    assert!(Arc::ptr_eq(&first, &second), "changed a while ago");
}

#[test]
fn content_is_had_when_it_is_asked_for_and_is_that_of_now() {
    for len in [10, 100_000] {
        let (old, new) = (noise(len), noise(len + 1));
        let folder = Folder::new().file("a.bin", &old);
        // A time of its own tells it from others.
        folder.set_later("a.bin", Duration::from_nanos(1));
        let mut files = open(&folder);
        let now = Now::at(0, NOW_UNIX_SECS);
        let find = |files: &mut Files| files.find(b"a.bin", &now).expect("it").expect("a file");
        let (opened, known) = (find(&mut files), find(&mut files));
        assert!(Arc::ptr_eq(&opened.file, &known.file) && !known.file.has_content());
        assert_eq!(files.held().descriptors, 0, "nothing was asked of it that takes one");
        // Nobody looks at the disk again, but whoever reads it.
        fs::write(folder.root().join("b"), &new).expect("another file");
        fs::rename(folder.root().join("b"), folder.root().join("a.bin")).expect("renamed");
        let file = files.with_content(b"a.bin", opened, &now).expect("it");
        assert_eq!(content_of(&file), old, "what was opened");
        files.recheck();
        let known = find(&mut files);
        assert!(!known.file.has_content(), "the other file");
        drop(known);
        let known = find(&mut files);
        fs::write(folder.root().join("b"), &old).expect("another file");
        fs::rename(folder.root().join("b"), folder.root().join("a.bin")).expect("renamed");
        let file = files.with_content(b"a.bin", known, &now).expect("it");
        assert_eq!((content_of(&file), file.content_len()), (old, len as u64), "what is there now");
        assert!(Arc::ptr_eq(&file, &find(&mut files).file), "and kept with its content");
    }
}

/// The kernel makes what is in `/proc` whenever it is read, and says that it has not changed.
#[test]
fn what_is_made_when_it_is_read_is_never_kept() {
    let own = Path::new("/proc/thread-self");
    if !own.exists() {
        tools::skip("/proc is missing");
        return;
    }
    let mut files = Files::open(own, &SiteOptions::default(), &Limits::default()).expect("the folder");
    for name in ["one", "two", "more"] {
        fs::write(own.join("comm"), name).expect("a thread may be called anything");
        let file = get(&mut files, "comm", &Now::at(0, u64::from(u32::MAX))).expect("it");
        assert_eq!(content_of(&file), format!("{name}\n").into_bytes());
    }
}

#[test]
fn permissions_are_checked_again() {
    if rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: permissions mean nothing to root");
        return;
    }
    let folder = Folder::new().file("a", "content");
    let mut files = open(&folder);
    assert!(find(&mut files, "a").is_some());
    fs::set_permissions(folder.root().join("a"), fs::Permissions::from_mode(0o000)).expect("its mode");
    assert!(find(&mut files, "a").is_none());
}

#[test]
fn what_is_kept_is_bounded_and_what_is_used_stays() {
    let mut folder = Folder::new();
    for index in 0..100 {
        folder = folder.file(format!("{index}"), noise(1000));
    }
    let limits = Limits { cache_bytes_max: 20_000, ..Limits::default() };
    let mut files = Files::open(&folder.root(), &SiteOptions::default(), &limits).expect("the folder");
    let now = Now::at(0, NOW_UNIX_SECS);
    let mut find = |name: &str| get(&mut files, name, &now).expect("a file");
    let favourite = find("0");
    let mut weak = Vec::new();
    for index in 1..100 {
        weak.push(Arc::downgrade(&find(&index.to_string())));
        assert!(Arc::ptr_eq(&favourite, &find("0")), "asked for between all others, it stays");
    }
    let kept = weak.iter().filter(|file| file.upgrade().is_some()).count();
    assert!((5..20).contains(&kept), "{kept} of 100 files of 1,000 bytes fit 20,000");
}

#[test]
fn descriptors_of_large_files_are_bounded() {
    let mut folder = Folder::new();
    for index in 0..20 {
        folder = folder.file(format!("{index}"), noise(40_000));
    }
    let limits = Limits { cached_descriptors_max: 3, ..Limits::default() };
    let mut files = Files::open(&folder.root(), &SiteOptions::default(), &limits).expect("the folder");
    let now = Now::at(0, NOW_UNIX_SECS);
    let weak: Vec<_> = (0..20)
        .map(|index| get(&mut files, &index.to_string(), &now).expect("a file"))
        .map(|file| Arc::downgrade(&file))
        .collect();
    assert_eq!(weak.iter().filter(|file| file.upgrade().is_some()).count(), 3);
}

/// Files of a folder, as many open as it has.
#[track_caller]
fn open_all(folder: &Folder, cached_descriptors_max: usize) -> Files {
    let limits = Limits { cached_descriptors_max, open_files_max: 1 << 20, ..Limits::default() };
    Files::open(&folder.root(), &SiteOptions::default(), &limits).expect("the folder")
}

fn at(tick: u32) -> Now {
    Now::at(tick, NOW_UNIX_SECS + u64::from(tick))
}

#[test]
fn descriptors_that_nobody_asks_for_are_closed() {
    let folder = Folder::new().file("a", noise(40_000)).file("b", noise(40_000)).file("small", "small");
    let mut files = open_all(&folder, 100);
    assert_eq!(files.wake_tick(), None, "none is open");
    for name in ["a", "b", "small"] {
        get(&mut files, name, &at(10)).expect("it");
    }
    assert_eq!((files.held().descriptors, files.wake_tick()), (2, Some(11)));
    let weak = Arc::downgrade(&get(&mut files, "a", &at(10)).expect("it"));
    for (tick, descriptors) in [(10, 2), (11, 2), (13, 2), (14, 2), (15, 1), (17, 1), (18, 1), (19, 0)] {
        if tick <= 14 {
            get(&mut files, "b", &at(tick)).expect("it");
        }
        files.begin_turn(true, &at(tick));
        assert_eq!(files.held().descriptors, descriptors, "in second {tick}");
        assert_eq!(weak.upgrade().is_some(), descriptors == 2, "it is the other that goes first");
    }
    assert_eq!(files.wake_tick(), None, "nothing is left to wake for");
    let small = get(&mut files, "small", &at(30)).expect("it");
    assert!(Arc::ptr_eq(&small, &get(&mut files, "small", &at(40)).expect("it")), "what is in memory stays");
}

#[test]
fn files_that_were_deleted_or_replaced_are_closed_sooner_and_sent_to_their_end() {
    let content = noise(40_000);
    let mut folder = Folder::new().file("other", "");
    for name in ["deleted", "replaced", "untouched"] {
        folder = folder.file(name, &content);
    }
    let mut files = open_all(&folder, 100);
    let being_sent = get(&mut files, "deleted", &at(0)).expect("it");
    for name in ["replaced", "untouched"] {
        get(&mut files, name, &at(0)).expect("it");
    }
    folder.remove("deleted");
    fs::rename(folder.path("other"), folder.path("replaced")).expect("renamed");
    files.begin_turn(true, &at(0));
    assert_eq!(files.held().descriptors, 3, "they have just been asked for");
    files.begin_turn(true, &at(1));
    assert_eq!(files.held().descriptors, 1);
    assert_eq!(content_of(&being_sent), content, "whoever is being sent it gets all of it");
    let weak = Arc::downgrade(&being_sent);
    drop(being_sent);
    assert!(weak.upgrade().is_none(), "and then it is closed");
}

#[test]
fn a_bounded_number_of_descriptors_is_looked_at_in_one_call() {
    const FILES: usize = 200;

    let mut folder = Folder::new();
    for index in 0..FILES {
        folder = folder.file(format!("{index}"), noise(40_000));
    }
    let mut files = open_all(&folder, FILES);
    for index in 0..FILES {
        get(&mut files, &index.to_string(), &at(0)).expect("it");
    }
    let mut left = FILES;
    for call in 1.. {
        files.begin_turn(true, &at(100));
        let closed = left - files.held().descriptors;
        left -= closed;
        assert!((1..=64).contains(&closed), "{closed} in call {call}");
        let Some(tick) = files.wake_tick() else { break };
        assert!(tick <= 100, "there is more to do at once");
    }
    assert_eq!(left, 0);
}

#[test]
fn a_shortage_of_descriptors_takes_nothing_that_is_in_memory_and_none_that_is_used() {
    let mut folder = Folder::new().file("small", "small");
    for index in 0..20 {
        folder = folder.file(format!("{index}"), noise(40_000));
    }
    let mut files = open_all(&folder, 3);
    let mut find = |name: &str| get(&mut files, name, &at(0)).expect("it");
    let (small, favourite) = (find("small"), find("0"));
    for index in 1..20 {
        assert!(Arc::ptr_eq(&favourite, &find("0")), "asked for between all others, it stays");
        find(&index.to_string());
    }
    assert!(Arc::ptr_eq(&small, &find("small")), "it takes no descriptor");
    assert_eq!(files.held().descriptors, 3);
}

/// Until a server with nobody to serve closes what it holds.
#[test]
fn a_site_closes_what_was_deleted_when_it_is_asked_for_something_else() {
    let folder = Folder::new().file("a.bin", noise(40_000)).file("b.bin", noise(40_000));
    let path = folder.path("a.bin").to_string_lossy().into_owned();
    let is_open = || {
        let descriptors = fs::read_dir("/proc/self/fd").expect("our descriptors");
        let mut targets = descriptors.filter_map(|entry| fs::read_link(entry.expect("one").path()).ok());
        targets.any(|target| target.to_string_lossy().starts_with(&path))
    };
    let mut visitor = Visitor::of(folder);
    assert_eq!(visitor.get("/a.bin").status, 200);
    assert!(is_open());
    visitor.folder.remove("a.bin");
    assert_eq!(visitor.at(1).get("/b.bin").status, 200);
    assert!(!is_open());
}

#[test]
fn a_cache_of_no_bytes_keeps_nothing() {
    let folder = Folder::new().file("a", "content");
    let limits = Limits { cache_bytes_max: 0, ..Limits::default() };
    let mut files = Files::open(&folder.root(), &SiteOptions::default(), &limits).expect("the folder");
    let now = Now::at(0, NOW_UNIX_SECS);
    let weak = Arc::downgrade(&get(&mut files, "a", &now).expect("a file"));
    assert!(weak.upgrade().is_none());
    assert!(files.find(b"b", &now).is_err());
}

#[test]
fn a_cache_of_no_descriptors_keeps_no_large_file() {
    let folder = Folder::new().file("a", noise(40_000));
    let limits = Limits { cached_descriptors_max: 0, ..Limits::default() };
    let mut files = Files::open(&folder.root(), &SiteOptions::default(), &limits).expect("the folder");
    let now = Now::at(0, NOW_UNIX_SECS);
    let weak = Arc::downgrade(&get(&mut files, "a", &now).expect("a file"));
    assert!(weak.upgrade().is_none());
}

#[test]
fn names_that_do_not_exist_do_not_fill_memory() {
    let folder = Folder::new().file("a", "content");
    let limits = Limits { cache_bytes_max: 10_000, ..Limits::default() };
    let mut files = Files::open(&folder.root(), &SiteOptions::default(), &limits).expect("the folder");
    let now = Now::at(0, NOW_UNIX_SECS);
    let kept = get(&mut files, "a", &now).expect("a file");
    for index in 0..10_000 {
        assert!(files.find(format!("missing-{index}").as_bytes(), &now).is_err());
        let again = get(&mut files, "a", &now).expect("a file");
        assert!(Arc::ptr_eq(&kept, &again), "what is used stays while names come and go");
    }
}

/// Versions of a file follow each other by rename while others ask for it without pause; who asks after a
/// rename must get that version or a later one, over an old connection and over a new one.
#[test]
fn no_answer_is_older_than_its_request() {
    let folder = Folder::new().file("version", "0");
    let server = RunningServer::start(folder);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _on_end = OnEnd(&is_over);
        for _ in 0..4 {
            scope.spawn(|| {
                let mut client = server.connect();
                while !is_over.load(Ordering::Relaxed) {
                    client.get("/version");
                }
            });
        }
        let root = server.folder.root();
        let mut kept_open = server.connect();
        for version in 1..=40_u32 {
            fs::write(root.join("next"), version.to_string()).expect("the next version");
            fs::rename(root.join("next"), root.join("version")).expect("its rename");
            for client in [&mut kept_open, &mut Client::connect(server.address)] {
                assert_eq!(client.get("/version").text(), version.to_string());
            }
            // One version grows old enough to be kept.
            if version == 20 {
                std::thread::sleep(Duration::from_millis(4500));
            }
        }
    });
}

/// Whose file changes just before the server reads what it has sent.
struct LateSender<'a> {
    requests: Vec<u8>,
    change: &'a dyn Fn(),
    sent: Vec<u8>,
}

impl Socket for LateSender<'_> {
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.requests.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        (self.change)();
        let count = self.requests.as_slice().read(buffer)?;
        self.requests.drain(..count);
        Ok(count)
    }

    fn send(&mut self, slices: &[IoSlice<'_>], _more: bool) -> io::Result<usize> {
        self.sent.write_vectored(slices)
    }

    fn send_file(&mut self, _file: BorrowedFd<'_>, _offset: u64, _count: usize) -> io::Result<usize> {
        Err(ErrorKind::Unsupported.into())
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The poll has told of the first byte, so that the first request may be as old as all that was told then. What
/// came behind it may have been sent by somebody who knows better.
#[test]
fn what_was_sent_amid_a_turn_is_answered_by_what_the_disk_says_then() {
    const REQUEST: &str = "GET /a HTTP/1.1\r\nHost: test\r\n\r\n";
    for (begun, is_told, count, expected) in [
        (0, true, 1, &["old content"][..]),
        (0, true, 3, &["old content", "new", "new"]),
        (0, false, 1, &["new"]),
        (0, false, 2, &["new", "new"]),
        // The rest of a head.
        (5, true, 1, &["new"]),
    ] {
        let folder = Folder::new().file("a", "old content");
        let mut server = MemoryServer::of(&folder);
        let is_to_change = Cell::new(false);
        let change = || {
            if is_to_change.get() {
                folder.put("a", "new")
            }
        };
        let requests = REQUEST.repeat(count).into_bytes();
        let (first, rest) = requests.split_at(begun);
        let mut connection =
            server.connect(LateSender { requests: first.into(), change: &change, sent: Vec::new() });
        server.run(&mut connection);
        for _ in 0..3 {
            server.next_turn();
            server.run(&mut server.visit(REQUEST.as_bytes()));
        }
        is_to_change.set(true);
        connection.socket.requests = rest.into();
        connection.mark(Readiness { readable: is_told, writable: true, ..Readiness::default() });
        if !is_told {
            // Nothing but that it has just come.
            connection =
                server.connect(LateSender { requests: rest.into(), change: &change, sent: Vec::new() });
            connection.mark(Readiness { writable: true, ..Readiness::default() });
        }
        server.run(&mut connection);
        let answers = Answer::all(&connection.socket.sent, &["GET"].repeat(count));
        let contents: Vec<String> = answers.iter().map(Answer::text).collect();
        assert_eq!(contents, expected, "told: {is_told}, begun: {begun}");
    }
}
