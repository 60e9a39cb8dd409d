//! What is remembered of files, and that it is never older than the request it answers.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pws::clock::Now;
use pws::config::Symlinks;
use pws::files::Files;
use pws::files::file::{File, Stored};
use pws::files::mime::MediaTypes;
use pws::limits::Limits;
use pws_testing::client::Client;
use pws_testing::folder::{Folder, noise};
use pws_testing::memory::NOW_UNIX_SECS;

use crate::support::server::RunningServer;
use crate::support::tools;

/// The file at `path`, with its content; `None` if it is not there.
fn get(files: &mut Files, path: &str, now: &Now) -> Option<Arc<File>> {
    let found = files.find(path.as_bytes(), now).ok()??;
    files.with_content(path.as_bytes(), found, now).ok()
}

/// The content at `path` as the next turn sees it: `None` if it is not there.
#[track_caller]
fn find(files: &mut Files, path: &str) -> Option<Vec<u8>> {
    files.recheck();
    get(files, path, &Now::at(0, NOW_UNIX_SECS)).map(|file| content(&file))
}

#[track_caller]
fn content(file: &File) -> Vec<u8> {
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
    Files::open(&folder.root(), Symlinks::Inside, MediaTypes::default(), &Limits::default())
        .expect("the folder")
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
        let folder = Folder::new().file("a", &old);
        let mut files = open(&folder);
        let now = Now::at(0, NOW_UNIX_SECS);
        let find = |files: &mut Files| files.find(b"a", &now).expect("it").expect("a file");
        let (opened, known) = (find(&mut files), find(&mut files));
        assert!(Arc::ptr_eq(&opened.file, &known.file) && !known.file.has_content());
        // Nobody looks at the disk again, but whoever reads it.
        fs::write(folder.root().join("b"), &new).expect("another file");
        fs::rename(folder.root().join("b"), folder.root().join("a")).expect("renamed");
        let file = files.with_content(b"a", opened, &now).expect("it");
        assert_eq!(content(&file), old, "what was opened");
        files.recheck();
        let known = find(&mut files);
        assert!(!known.file.has_content(), "the other file");
        drop(known);
        let known = find(&mut files);
        fs::write(folder.root().join("b"), &old).expect("another file");
        fs::rename(folder.root().join("b"), folder.root().join("a")).expect("renamed");
        let file = files.with_content(b"a", known, &now).expect("it");
        assert_eq!((content(&file), file.content_len()), (old, len as u64), "what is there now");
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
    let mut files =
        Files::open(own, Symlinks::Inside, MediaTypes::default(), &Limits::default()).expect("the folder");
    for name in ["one", "two", "more"] {
        fs::write(own.join("comm"), name).expect("a thread may be called anything");
        let file = get(&mut files, "comm", &Now::at(0, u64::from(u32::MAX))).expect("it");
        assert_eq!(content(&file), format!("{name}\n").into_bytes());
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
    let mut files =
        Files::open(&folder.root(), Symlinks::Inside, MediaTypes::default(), &limits).expect("the folder");
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
    let mut files =
        Files::open(&folder.root(), Symlinks::Inside, MediaTypes::default(), &limits).expect("the folder");
    let now = Now::at(0, NOW_UNIX_SECS);
    let weak: Vec<_> = (0..20)
        .map(|index| get(&mut files, &index.to_string(), &now).expect("a file"))
        .map(|file| Arc::downgrade(&file))
        .collect();
    assert_eq!(weak.iter().filter(|file| file.upgrade().is_some()).count(), 3);
}

#[test]
fn a_cache_of_no_bytes_keeps_nothing() {
    let folder = Folder::new().file("a", "content");
    let limits = Limits { cache_bytes_max: 0, ..Limits::default() };
    let mut files =
        Files::open(&folder.root(), Symlinks::Inside, MediaTypes::default(), &limits).expect("the folder");
    let now = Now::at(0, NOW_UNIX_SECS);
    let weak = Arc::downgrade(&get(&mut files, "a", &now).expect("a file"));
    assert!(weak.upgrade().is_none());
    assert!(files.find(b"b", &now).is_err());
}

#[test]
fn a_cache_of_no_descriptors_keeps_no_large_file() {
    let folder = Folder::new().file("a", noise(40_000));
    let limits = Limits { cached_descriptors_max: 0, ..Limits::default() };
    let mut files =
        Files::open(&folder.root(), Symlinks::Inside, MediaTypes::default(), &limits).expect("the folder");
    let now = Now::at(0, NOW_UNIX_SECS);
    let weak = Arc::downgrade(&get(&mut files, "a", &now).expect("a file"));
    assert!(weak.upgrade().is_none());
}

#[test]
fn names_that_do_not_exist_do_not_fill_memory() {
    let folder = Folder::new().file("a", "content");
    let limits = Limits { cache_bytes_max: 10_000, ..Limits::default() };
    let mut files =
        Files::open(&folder.root(), Symlinks::Inside, MediaTypes::default(), &limits).expect("the folder");
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
        is_over.store(true, Ordering::Relaxed);
    });
}
