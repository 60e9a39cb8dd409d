//! What tells one content of a file from another, wherever its times come from: an editor, an image that gives
//! all files one time, a clock that was not set.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use pws_testing::client::{Client, request};
use pws_testing::folder::{Folder, set_modified};
use pws_testing::memory::NOW_UNIX_SECS;

use crate::support::server::RunningServer;
use crate::support::visitor::Visitor;

/// Times that images and builds give to all files: two that nobody can have meant, and the date of a release.
const SHARED_UNIX_SECS: [u64; 3] = [0, 1, 946_684_800];

/// Puts another content in the file's place, of the same length and with the same time.
#[track_caller]
fn replace(folder: &Folder, name: &str, content: &[u8], unix_secs: u64) {
    let new = folder.outside().join("new");
    fs::write(&new, content).expect("a file");
    set_modified(&new, Duration::from_secs(unix_secs));
    fs::rename(new, folder.path(name)).expect("a place for it");
}

#[test]
fn two_builds_of_one_time_and_length_are_told_apart() {
    for (len, unix_secs) in [(10, 0), (10, 1), (10, 946_684_800), (8192, 1), (100_000, 0), (100_000, 1)] {
        let (first, second) = (vec![b'1'; len], vec![b'2'; len]);
        let mut visitor = Visitor::of(Folder::new().file("a.js", ""));
        replace(&visitor.folder, "a.js", &first, unix_secs);
        let before = visitor.get("/a.js");
        let tag = before.field("etag").expect("a tag").to_owned();
        assert!(before.body == first && !tag.starts_with("W/"));
        assert_eq!(visitor.get_with("/a.js", &format!("If-None-Match: {tag}\r\n")).status, 304);
        replace(&visitor.folder, "a.js", &second, unix_secs);
        let what = format!("{len} bytes of {unix_secs}");
        for fields in [
            format!("If-None-Match: {tag}\r\n"),
            format!("Range: bytes=5-\r\nIf-Range: {tag}\r\n"),
            "If-Modified-Since: Thu, 01 Jan 1970 00:00:01 GMT\r\n".to_owned(),
        ] {
            let after = visitor.get_with("/a.js", &fields);
            assert_eq!((after.status, after.body == second), (200, true), "{what}, {fields}");
        }
        assert_eq!(visitor.get_with("/a.js", &format!("If-Match: {tag}\r\n")).status, 412, "{what}");
    }
}

#[test]
fn copies_have_one_tag() {
    for (len, times) in [
        (10, [Duration::from_secs(1); 2]),
        // A hash needs no time.
        (10, [Duration::from_secs(1), Duration::from_secs(946_684_800)]),
        // What `cp -a` and `rsync -a` make of one that was edited.
        (10, [Duration::new(946_684_800, 5); 2]),
        (100_000, [Duration::new(946_684_800, 5); 2]),
        (100_000, [Duration::from_secs(946_684_800); 2]),
    ] {
        let mut visitor =
            Visitor::of(Folder::new().file("a.js", vec![b'a'; len]).file("b.js", vec![b'a'; len]));
        for (name, time) in ["a.js", "b.js"].iter().zip(times) {
            set_modified(&visitor.folder.path(name), time);
        }
        let tags = ["/a.js", "/b.js"].map(|target| visitor.get(target).field("etag").map(str::to_owned));
        assert_eq!(tags[0], tags[1], "{len} bytes of {times:?}");
    }
}

#[test]
fn a_time_that_nobody_meant_is_not_told() {
    for len in [0, 10, 100_000] {
        let mut visitor = Visitor::of(Folder::new().file("a.js", vec![b'a'; len]).file("docs/b", ""));
        for unix_secs in [0, 1, 2] {
            set_modified(&visitor.folder.path("a.js"), Duration::from_secs(unix_secs));
            set_modified(&visitor.folder.path("docs"), Duration::from_secs(unix_secs));
            let date = (unix_secs == 2).then_some("Thu, 01 Jan 1970 00:00:02 GMT");
            for (target, fields) in [("/a.js", ""), ("/a.js", "Range: bytes=0-1\r\n"), ("/docs/", "")] {
                let answer = visitor.get_with(target, fields);
                assert_eq!(answer.field("last-modified"), date, "{target} {fields} {unix_secs}");
                let head = visitor.ask("HEAD", target, "");
                assert_eq!(head.field("last-modified"), date, "HEAD {target} {unix_secs}");
            }
        }
    }
}

#[test]
fn a_head_says_what_the_file_will() {
    for len in [0, 10, 1024, 100_000] {
        for unix_secs in SHARED_UNIX_SECS {
            for reuse in [false, true] {
                let mut visitor = Visitor::of(Folder::new().file("LICENSE", vec![b'a'; len]));
                set_modified(&visitor.folder.path("LICENSE"), Duration::from_secs(unix_secs));
                if reuse {
                    visitor.get("/LICENSE");
                }
                let head = visitor.ask("HEAD", "/LICENSE", "");
                let whole = visitor.get("/LICENSE");
                assert_eq!(head.fields, whole.fields, "{len} bytes of {unix_secs}");
                let tag = format!("If-None-Match: {}\r\n", whole.field("etag").expect("a tag"));
                let unchanged = visitor.get_with("/LICENSE", &tag);
                assert_eq!((unchanged.status, unchanged.field("etag")), (304, whole.field("etag")));
            }
        }
    }
}

/// A client that knows dates only must not be told that nothing has changed when something has: within the
/// second of the first content, too.
#[test]
fn who_sends_dates_only_sees_each_change() {
    let folder = Folder::new().file("a.bin", "before");
    let server = RunningServer::start(folder);
    let mut client = Client::connect(server.address);
    let write = |content: &str| fs::write(server.folder.path("a.bin"), content).expect("written to");
    for attempt in 0..8 {
        write(&format!("{attempt} one"));
        let first = client.get("/a.bin");
        let date = first.field("last-modified").expect("a date").to_owned();
        // At another moment of the kernel's clock.
        std::thread::sleep(Duration::from_millis(20));
        write(&format!("{attempt} two"));
        client.send(request("GET", "/a.bin", &format!("If-Modified-Since: {date}\r\n")));
        let second = client.answer();
        assert_eq!((second.status, second.text()), (200, format!("{attempt} two")), "since {date}");
    }
}

#[test]
fn a_date_is_told_as_soon_as_the_clock_has_passed_it() {
    for len in [10, 100_000] {
        let mut visitor = Visitor::of(Folder::new().file("a.js", vec![b'a'; len]));
        // Booted in 1970, and the clock is set later: the file is known by then.
        let told = [(1000, "Thu, 01 Jan 1970 00:16:38 GMT"), (2000, "Thu, 01 Jan 1970 00:33:18 GMT")];
        let settled = (NOW_UNIX_SECS, "Sun, 06 Nov 1994 08:49:37 GMT");
        for (tick, (unix_secs, date)) in (0..).zip([told[0], told[1], settled, settled, told[0]]) {
            visitor.at_time(tick, unix_secs);
            let answer = visitor.get("/a.js");
            assert_eq!(answer.field("last-modified"), Some(date), "{len} bytes at {unix_secs}");
            let fields = format!("If-Modified-Since: {date}\r\n");
            let expected = if unix_secs == NOW_UNIX_SECS { 304 } else { 200 };
            assert_eq!(visitor.get_with("/a.js", &fields).status, expected, "{len} bytes at {unix_secs}");
        }
    }
}

/// To change permissions, or to move a file here, changes no content.
#[test]
fn a_date_that_is_over_is_good_for_a_range() {
    let folder = Folder::new().file("a.bin", "0123456789");
    fs::set_permissions(folder.path("a.bin"), fs::Permissions::from_mode(0o644)).expect("its mode");
    let server = RunningServer::start(folder);
    let mut client = Client::connect(server.address);
    let mut ask = |date: &str| {
        client.send(request("GET", "/a.bin", &format!("Range: bytes=5-\r\nIf-Range: {date}\r\n")));
        client.answer().status
    };
    assert_eq!(ask("Sun, 06 Nov 1994 08:49:37 GMT"), 206);
    assert_eq!(ask("Sun, 06 Nov 1994 08:49:36 GMT"), 200);
    // Of one that was written just now, there may be another content of the same date.
    fs::write(server.folder.path("a.bin"), "abcdefghij").expect("written to");
    let now = httpdate::fmt_http_date(std::time::SystemTime::now());
    assert_eq!(ask(&now), 200);
}
