//! What is read of files: only what is sent, and of files that do not tell their length, what there is.

use std::fs;
use std::path::Path;
use std::time::Duration;

use pws::config::{SiteOptions, Symlinks};
use pws_testing::folder::{Folder, noise};
use pws_testing::process::Process;
use rustix::fs::{Mode, OFlags};

use crate::support::strace::Traced;
use crate::support::tools;
use crate::support::visitor::Visitor;

/// Calls that read content.
const READING: &str = "trace=read,readv,pread64,preadv,preadv2,sendfile";

/// Serves files of all sizes while `talk` goes on; the calls that read any of them.
#[track_caller]
fn reads(talk: impl FnOnce(&Process)) -> Option<Vec<String>> {
    let folder = Folder::new().file("small.txt", noise(1000)).file("large.bin", noise(1_000_000));
    let folder = folder.file("small.txt.gz", noise(100)).file("large.bin.br", noise(100_000));
    let folder = folder.file("index.html", "<p>home").file("about.html", "<p>about");
    let folder = folder.file("404.html", noise(20_000));
    let traced = Traced::serve(&folder, &["-e", READING], &["--clean-urls"])?;
    talk(&traced.process);
    let root = folder.root().to_string_lossy().into_owned();
    Some(traced.end().into_iter().filter(|line| line.contains(&format!("<{root}/"))).collect())
}

#[test]
fn what_is_not_sent_is_not_read_but_for_what_tells_of_it() {
    let reads = reads(|process| {
        let mut client = process.connect();
        for (method, target, fields, status) in [
            ("HEAD", "/small.txt", "", 200),
            ("HEAD", "/small.txt", "Accept-Encoding: gzip\r\n", 200),
            ("HEAD", "/large.bin", "", 200),
            ("HEAD", "/large.bin", "Accept-Encoding: br\r\n", 200),
            ("HEAD", "/", "", 200),
            ("HEAD", "/nowhere", "", 404),
            ("GET", "/small.txt", "If-None-Match: *\r\n", 304),
            ("GET", "/large.bin", "If-None-Match: *\r\n", 304),
            ("GET", "/large.bin", "Accept-Encoding: br\r\nIf-None-Match: *\r\n", 304),
            ("HEAD", "/large.bin", "If-Match: \"other\"\r\n", 412),
            ("GET", "/about", "If-None-Match: *\r\n", 304),
            // The look for a shorter form finds files that are not meant.
            ("GET", "/about.html", "", 301),
            ("GET", "/index.html", "", 301),
        ] {
            client.send(format!("{method} {target} HTTP/1.1\r\nHost: test\r\n{fields}\r\n"));
            assert_eq!(client.answer_to(method).status, status, "{method} {target} {fields}");
        }
    });
    let Some(reads) = reads else { return };
    // The start of a text, whose characters it tells, and a small file with a time in whole seconds.
    let tells = |line: &&String| {
        let is_short = line.ends_with("RWF_NOWAIT) = 1000")
            || line.ends_with("RWF_NOWAIT) = 1024")
            || line.contains(".html>")
            || line.contains("small.txt.gz>");
        line.contains("preadv2(") && line.contains("], 1, 0, RWF_NOWAIT)") && is_short
    };
    let other: Vec<&str> = reads.iter().filter(|line| !tells(line)).map(String::as_str).collect();
    assert!(other.is_empty() && !reads.is_empty(), "{}", other.join("\n"));
    assert!(!reads.iter().any(|line| line.contains("large.bin")), "{}", reads.join("\n"));
}

#[test]
fn what_is_sent_is_read() {
    let reads = reads(|process| {
        let mut client = process.connect();
        // After somebody asked for their heads.
        for target in ["/small.txt", "/large.bin"] {
            client.send(format!("HEAD {target} HTTP/1.1\r\nHost: test\r\n\r\n"));
            client.answer_to("HEAD");
        }
        assert!(client.get("/small.txt").body == noise(1000));
        assert!(client.get("/large.bin").body == noise(1_000_000));
        assert!(client.get("/nowhere").body == noise(20_000));
    });
    let Some(reads) = reads else { return };
    for (name, call) in [("small.txt", "preadv2"), ("large.bin", "sendfile"), ("404.html", "sendfile")] {
        let is_read = reads.iter().any(|line| line.contains(call) && line.contains(&format!("/{name}>")));
        assert!(is_read, "{name} by {call}, not {}", reads.join("\n"));
    }
}

/// Whoever opens a FIFO to write to it waits until somebody opens it for reading.
#[test]
fn who_waits_to_write_to_a_fifo_is_not_told_of_a_reader() {
    let names = ["fifo", "page.html", "docs/index.html", "404.html", "_redirects", "packed.js.gz"];
    let mut folder = Folder::new().folder("docs").file("packed.js", "let a;");
    for name in names {
        folder = folder.fifo(name);
    }
    let paths = names.map(|name| folder.path(name));
    let writers =
        paths.clone().map(|path| std::thread::spawn(move || fs::File::options().write(true).open(path)));
    let mut visitor = Visitor::of(folder);
    for (target, status) in
        [("/fifo", 404), ("/page", 404), ("/docs/", 200), ("/nowhere", 404), ("/packed.js", 200)]
    {
        let answer = visitor.get_with(target, "Accept-Encoding: gzip\r\n");
        assert_eq!(answer.status, status, "{target}");
    }
    std::thread::sleep(Duration::from_millis(50));
    for (path, writer) in paths.iter().zip(&writers) {
        assert!(!writer.is_finished(), "{} was opened", path.display());
    }
    // Now somebody does read.
    for (path, writer) in paths.iter().zip(writers) {
        let reader = rustix::fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty());
        reader.expect("a FIFO");
        drop(writer.join().expect("a writer"));
    }
}

#[test]
fn a_device_is_not_opened() {
    let folder = Folder::new().symlink("zero", "/dev/zero").symlink("terminal", "/dev/tty");
    let options = ["-e", "trace=openat2"];
    let Some(traced) = Traced::serve(&folder, &options, &["--symlinks", "follow"]) else { return };
    for target in ["/zero", "/terminal"] {
        assert_eq!(traced.process.connect().get(target).status, 404, "{target}");
    }
    let calls = traced.end();
    assert!(!calls.iter().any(|line| line.contains("zero") || line.contains("terminal")), "{calls:?}");
}

/// What ARCHITECTURE.md tells of a file that is not remembered.
#[test]
fn a_small_file_takes_eleven_calls_the_first_time() {
    let folder = Folder::new().file("page.html", noise(1024));
    let calls = |times: usize| {
        let traced = Traced::serve(&folder, &[], &["--cache-size", "0"])?;
        let mut client = traced.process.connect();
        for _ in 0..times {
            assert_eq!(client.get("/page.html").status, 200);
        }
        // By fcntl a debug build sees that what it closes is open.
        let is_own = |line: &&String| !line.contains("epoll_wait(") && !line.contains("fcntl(");
        Some(traced.end().iter().filter(is_own).count())
    };
    let (Some(few), Some(many)) = (calls(10), calls(110)) else { return };
    let own = (many - few) as f64 / 100.0;
    assert!((10.9..11.3).contains(&own), "{own} calls a request, waiting not counted");
}

/// A site that shows files of `/proc` and `/sys`, which tell a length that is not theirs; `None`, said loudly,
/// where there are none.
fn kernel_files(names: &[(&str, &str)]) -> Option<Visitor> {
    let mut folder = Folder::new();
    for (name, path) in names {
        if !Path::new(path).exists() {
            tools::skip(&format!("{path} is missing"));
            return None;
        }
        folder = folder.symlink(name, path);
    }
    let options = SiteOptions { symlinks: Symlinks::Follow, ..SiteOptions::default() };
    Some(Visitor::with(folder, options))
}

#[test]
fn of_files_that_do_not_tell_their_length_what_can_be_read_is_sent() {
    let files = [("claims-a-page", "/sys/kernel/fscaps"), ("claims-nothing", "/proc/version")];
    let Some(mut visitor) = kernel_files(&files) else { return };
    for (name, path) in &files {
        let content = fs::read(path).expect("it");
        assert_ne!(content.len() as u64, fs::metadata(path).expect("it").len(), "nothing is shown");
        let target = format!("/{name}");
        for _ in 0..2 {
            let answer = visitor.get(&target);
            assert_eq!((answer.status, &answer.body), (200, &content), "{name}");
            let head = visitor.ask("HEAD", &target, "");
            assert_eq!(head.fields, answer.fields, "{name}: not one field is another");
            let etag = answer.field("etag").expect("a tag");
            let part = visitor.get_with(&target, &format!("Range: bytes=1-\r\nIf-Range: {etag}\r\n"));
            assert_eq!((part.status, &part.body[..]), (206, &content[1..]), "{name}");
            let not_modified = visitor.get_with(&target, &format!("If-None-Match: {etag}\r\n"));
            assert_eq!(not_modified.status, 304, "{name}");
        }
    }
}

#[test]
fn what_is_longer_than_it_says_by_far_is_an_error() {
    let Some(mut visitor) = kernel_files(&[("symbols", "/proc/kallsyms")]) else { return };
    let len = fs::read("/proc/kallsyms").map_or(0, |bytes| bytes.len());
    if len < 100_000 {
        tools::skip("/proc/kallsyms is short");
        return;
    }
    assert_eq!(visitor.get("/symbols").status, 500);
    assert_eq!(visitor.ask("HEAD", "/symbols", "").status, 500);
}
