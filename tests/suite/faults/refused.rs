//! Calls that the kernel refuses: an old one, an odd filesystem, a sandbox, a broken disk. Whatever is sent is
//! right and whole, or a clear status.

use std::fs::File;
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::OwnedFd;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Duration;

use pws::files::file_slice::FileSlice;
use pws::files::open_file::OpenFile;
use pws::files::stamp::Stamp;
use pws::outbox::{Outbox, Sent};
use pws_testing::folder::{Folder, noise};
use pws_testing::memory::{Socket, gathered};
use rustix::fs::Advice;

use crate::support::strace::Traced;
use crate::support::tools;

const LARGE_BYTES: usize = 300_000;

fn folder() -> Folder {
    let folder = Folder::new().file("small", noise(1000)).file("large", noise(LARGE_BYTES)).file("empty", "");
    folder.file("folder/file", "").file("packed", noise(2000)).file("packed.gz", noise(20_000))
}

/// Has the kernel drop a file from memory, where it can.
#[track_caller]
fn forget(path: &Path) {
    let file = File::open(path).expect("a file");
    file.sync_all().expect("a disk that can be written to");
    rustix::fs::fadvise(&file, 0, None, Advice::DontNeed).expect("advice that is taken");
}

/// Asks for all there is while `call` is refused, and accepts only these `statuses` beside what is right.
#[track_caller]
fn assert_right(call: &str, errnos: &[&str], statuses: &[u16]) {
    for errno in errnos {
        let folder = folder();
        let Some(server) = Traced::refusing(&folder, call, errno) else { return };
        for round in 0..2 {
            forget(&folder.path("large"));
            for (target, status, content) in [
                ("/small", 200, Some(noise(1000))),
                ("/large", 200, Some(noise(LARGE_BYTES))),
                ("/empty", 200, Some(Vec::new())),
                ("/packed", 200, Some(noise(20_000))),
                ("/folder/", 200, None),
                ("/folder", 301, None),
                ("/nowhere", 404, None),
            ] {
                let mut client = server.process.connect();
                client.send(format!(
                    "GET {target} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
                ));
                let answer = client.answer();
                let is_right =
                    answer.status == status && content.is_none_or(|content| content == answer.body);
                let is_plain = target == "/packed" && answer.body == noise(2000);
                assert!(
                    is_right || is_plain || statuses.contains(&answer.status),
                    "{call} {errno} {target} in round {round}: {}, {} bytes",
                    answer.status,
                    answer.body.len(),
                );
            }
        }
        let calls = server.end();
        let is_refused = calls.iter().any(|line| line.contains("(INJECTED)"));
        match call {
            "fadvise64" if !is_refused => tools::skip("a disk in memory"),
            _ => assert!(is_refused, "{call} was never refused"),
        }
    }
}

#[test]
fn a_file_that_the_kernel_does_not_send_is_read_and_sent() {
    let errnos =
        ["EINVAL", "ENOSYS", "EPERM", "EOPNOTSUPP", "EACCES", "ESPIPE", "EOVERFLOW", "EIO", "ENOMEM"];
    assert_right("sendfile", &errnos, &[]);
}

#[test]
fn a_file_that_cannot_be_read_without_waiting_is_read_with() {
    assert_right("preadv2", &["EPERM", "ENOSYS", "EOPNOTSUPP", "EINVAL", "EACCES", "ESPIPE", "EINTR"], &[]);
}

#[test]
fn advice_that_is_refused_is_missed_by_nobody() {
    assert_right("fadvise64", &["EPERM", "ENOSYS"], &[]);
}

#[test]
fn a_file_that_cannot_be_opened_is_told_by_a_status() {
    assert_right("openat2", &["EIO", "EAGAIN", "EINTR", "ENOSYS", "EMFILE"], &[500, 503]);
    assert_right("openat2", &["EPERM", "EACCES"], &[403]);
}

#[test]
fn a_file_that_cannot_be_described_is_told_by_a_status() {
    assert_right("fstat", &["EIO", "ENOSYS", "EINTR", "EOVERFLOW"], &[500, 503]);
}

#[test]
fn a_name_that_cannot_be_looked_at_is_opened() {
    assert_right("newfstatat", &["EIO", "EPERM", "EACCES", "ENOSYS", "EINTR", "EOVERFLOW"], &[]);
}

#[test]
fn a_folder_that_cannot_be_read_is_told_by_a_status() {
    assert_right("getdents64", &["EIO", "ENOSYS"], &[500, 503]);
    assert_right("getdents64", &["EPERM", "EACCES"], &[403]);
}

/// As on kernels before Linux 5.6, and in some sandboxes.
#[test]
fn without_openat2_nobody_leaves_the_folder_either() {
    for errno in ["ENOSYS", "EPERM"] {
        let folder = Folder::new().file("page", "page").file("a/b/page", "deep").file(".hidden", "secret");
        let inside = folder.path("a/b/page");
        let folder = folder.file_outside("secret", "secret").symlink("absolute", inside);
        let folder = folder.symlink("link", "a").symlink("a/up", "../page").symlink("out", "../secret");
        let folder = folder.symlink("out-folder", "..").symlink("loop", "loop").symlink("shown", ".hidden");
        let inject = format!("-einject=openat2:error={errno}");
        for (symlinks, links_status) in [("inside", 200), ("deny", 404), ("follow", 200)] {
            let options = ["-etrace=openat2", &inject];
            let args = ["--symlinks", symlinks];
            let Some(server) = Traced::serve(&folder, &options, &args) else { return };
            server
                .process
                .wait_for("this system has no openat2 (Linux 5.6): paths are opened folder by folder");
            let outside = if symlinks == "follow" { 200 } else { 404 };
            for (target, status) in [
                ("/page", 200),
                ("/a/b/page", 200),
                ("/a/b/", 200),
                ("/a/b", 301),
                ("/page/", 404),
                ("/nowhere", 404),
                ("/.hidden", 404),
                ("/link/b/page", links_status),
                ("/a/up", links_status),
                ("/absolute", links_status),
                ("/loop", 404),
                ("/shown", outside),
                ("/out", outside),
                ("/out-folder/secret", outside),
                ("/../secret", 404),
                ("/a/..%2f..%2fsecret", 404),
            ] {
                let answer = server.process.connect().get(target);
                assert_eq!(answer.status, status, "{errno}, {symlinks}: {target}");
                let is_secret = answer.body == b"secret";
                assert!(!is_secret || symlinks == "follow", "{errno}, {symlinks}: {target} was given away");
            }
            assert!(server.end().iter().any(|line| line.contains("(INJECTED)")), "it was asked for");
        }
    }
}

/// Sends nothing of a file by itself, and takes `room` bytes at a time of what is sent, then none once.
struct Copying {
    refusal: fn() -> io::Result<usize>,
    /// `None` if nobody is at the other end.
    room: Option<usize>,
    is_full: bool,
    sent: Vec<u8>,
}

impl Socket for Copying {
    fn receive(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        Err(ErrorKind::WouldBlock.into())
    }

    fn send(&mut self, slices: &[IoSlice<'_>], _more: bool) -> io::Result<usize> {
        let room = self.room.ok_or(ErrorKind::BrokenPipe)?;
        self.is_full = !self.is_full;
        if !self.is_full {
            return Err(ErrorKind::WouldBlock.into());
        }
        let bytes = gathered(slices);
        let count = bytes.len().min(room);
        self.sent.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn send_file(&mut self, _file: BorrowedFd<'_>, _offset: u64, _count: usize) -> io::Result<usize> {
        (self.refusal)()
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An outbox with a file of noise in it, and a socket that has to have it copied.
#[track_caller]
fn copying(folder: &Folder, refusal: fn() -> io::Result<usize>) -> (Outbox, Copying) {
    let file = File::open(folder.path("large")).expect("the file");
    let stamp = Stamp::of_open(file.as_fd()).expect("its state");
    let file = OpenFile::new(OwnedFd::from(file).into(), stamp);
    let mut outbox = Outbox::new();
    outbox.push_file(FileSlice::new(&file.into(), 0, LARGE_BYTES as u64, false));
    (outbox, Copying { refusal, room: Some(10_000), is_full: false, sent: Vec::new() })
}

#[test]
fn why_a_file_is_copied_is_told_once_and_only_if_that_helps() {
    let folder = folder();
    for (refusal, told) in [
        ((|| Err(io::Error::from_raw_os_error(1))) as fn() -> io::Result<usize>, Some(1)),
        (|| Err(ErrorKind::Unsupported.into()), None),
        (|| Ok(0), None),
    ] {
        let (mut outbox, mut socket) = copying(&folder, refusal);
        let mut is_full = 0;
        while !outbox.is_empty() {
            match outbox.send(&mut socket, 1 << 20).expect("a socket that takes it") {
                Sent::Bytes(_) => {}
                Sent::SocketFull => is_full += 1,
                sent => panic!("{sent:?}"),
            }
        }
        assert!(socket.sent == noise(LARGE_BYTES));
        // Each look at a full socket is followed by a wait for room, and each wait by progress.
        assert!(is_full <= LARGE_BYTES / 10_000 + 1, "{is_full} times");
        let mut take = || outbox.take_refusal().and_then(|error| error.raw_os_error());
        assert_eq!((take(), take()), (told, None));
    }
    // A client that is gone says nothing of the kernel.
    let (mut outbox, mut socket) = copying(&folder, || Err(io::Error::from_raw_os_error(104)));
    socket.room = None;
    assert_eq!(outbox.send(&mut socket, 1 << 20).expect("no error yet"), Sent::Bytes(0));
    outbox.send(&mut socket, 1 << 20).expect_err("nobody is there");
    assert!(outbox.take_refusal().is_none());
}

/// A call that fails the same way for ever costs no processor, and does not keep the server from ending.
#[test]
fn an_accept_that_is_always_refused_is_asked_for_once_a_second() {
    let folder = folder();
    let Some(server) = Traced::refusing(&folder, "accept4", "EPERM") else { return };
    let _client = server.process.connect();
    std::thread::sleep(Duration::from_millis(2500));
    let calls = server.end();
    let count = calls.iter().filter(|line| line.contains("accept4(")).count();
    // As many as may have broken off by themselves, and then one a second.
    assert!((1024..1034).contains(&count), "{count} calls");
}
