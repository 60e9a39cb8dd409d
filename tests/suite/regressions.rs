//! A test per bug, named after what holds since, with the bytes that broke it and where it was known from.

use std::fs::File;
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::OwnedFd;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, UNIX_EPOCH};

use pws::files::file_slice::FileSlice;
use pws::files::open_file::OpenFile;
use pws::files::stamp::Stamp;
use pws::limits::Limits;
use pws::outbox::{Outbox, Piece, Pulled, Sent, Source};
use pws_testing::answer::Answer;
use pws_testing::client::request;
use pws_testing::folder::{Folder, MODIFIED_UNIX_SECS};
use pws_testing::memory::{Edge, MemoryServer, Readiness, Socket, Verdict, exchange_within, gathered};

/// The answer to `input`, however it arrives.
#[track_caller]
fn answer_within(folder: &Folder, limits: &Limits, input: &str) -> Answer {
    let (bytes, _) = exchange_within(folder, limits, input.as_bytes());
    Answer::all(&bytes, &["GET"]).remove(0)
}

#[track_caller]
fn answer(folder: &Folder, input: &str) -> Answer {
    answer_within(folder, &Limits::default(), input)
}

/// The bound on the target was checked on an unfinished line before everything else, and on a whole line
/// behind the method and the line end: the same bytes were answered 414 or 400, depending on how they
/// arrived. Known from the table of conformance, whose rows arrive in every way.
#[test]
fn a_long_target_in_a_malformed_line_is_refused_the_same_however_it_arrives() {
    let folder = Folder::new();
    let limits = Limits { target_bytes_max: 40, ..Limits::default() };
    let target = format!("/{}", "a".repeat(40));
    for input in [
        format!("G(T {target} HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!(" {target} HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!("GET {target} HTTP/1.1\nHost: a\r\n\r\n"),
        format!("GET {target}\n"),
        format!("GET {}\r\nHost: a\r\n\r\n", &target[..40]),
    ] {
        let status = answer_within(&folder, &limits, &input).status;
        assert!([400, 414].contains(&status), "{status} for {input:?}");
    }
}

/// Whether a refusal has a body was judged by a line behind any white space, of which more or less had
/// arrived: the same bytes were answered with a page or without, depending on how they came. Known from
/// fuzzing whole sessions.
#[test]
fn whether_a_refusal_has_a_body_depends_on_no_byte_behind_what_is_refused() {
    for input in ["\nHEAD / HTTP/1.1\r\n", "\r\n\r\n\r\n\r\n\r\nHEAD / HTTP/1.1\r\n"] {
        let answer = answer(&Folder::new(), input);
        assert_eq!((answer.status, answer.body.is_empty()), (400, false), "{input:?}");
    }
}

/// Behind empty lines, a long target was refused when it came whole and waited for when it came in pieces.
/// Known from fuzzing whole sessions.
#[test]
fn a_long_target_behind_empty_lines_is_refused_before_its_line_has_ended() {
    let limits = Limits { target_bytes_max: 40, ..Limits::default() };
    let input = format!("\r\n\r\nGET /{}", "a".repeat(60));
    assert_eq!(answer_within(&Folder::new(), &limits, &input).status, 414);
}

/// `brotli` 1.0 gives what it makes the time of what it was made of, less the fraction of a second: taken for
/// older, no such variant was ever sent. Known from a folder that this program had packed.
#[test]
fn a_variant_whose_time_was_rounded_down_to_the_second_is_current() {
    let folder = Folder::new().file("app.js", "plain").file("app.js.br", "variant");
    let set_modified = |name: &str, millis| {
        let file = File::options().write(true).open(folder.root().join(name)).expect("the file");
        let modified = UNIX_EPOCH + Duration::from_secs(MODIFIED_UNIX_SECS) + Duration::from_millis(millis);
        file.set_modified(modified).expect("its time");
    };
    let request = "GET /app.js HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br\r\n\r\n";
    for (file_millis, variant_millis, expected) in [
        (742, 0, "variant"),
        (742, 742, "variant"),
        (742, 743, "variant"),
        // Not rounded, but older.
        (742, 741, "plain"),
        (1000, 0, "plain"),
        (1742, 0, "plain"),
    ] {
        set_modified("app.js", file_millis);
        set_modified("app.js.br", variant_millis);
        let text = answer(&folder, request).text();
        assert_eq!(text, expected, "{file_millis} and {variant_millis} ms");
    }
}

/// A folder whose time lies in the future had a `Last-Modified` behind the `Date` of the answer. Known from
/// mutations of the source, of which no test took notice.
#[test]
fn a_listing_has_no_last_modified_behind_its_date() {
    let folder = Folder::new().file("list/a", "");
    // It was made just now, long after the time at which it is asked for in memory.
    let answer = answer(&folder, &request("GET", "/list/", ""));
    assert_eq!(answer.field("last-modified"), Some("Sun, 09 Sep 2001 01:46:38 GMT"));
    assert_eq!(answer.field("date"), Some("Sun, 09 Sep 2001 01:46:40 GMT"));
}

/// A folder that was listed hid the rule for it, so that `/docs/ /docs/intro` led nobody anywhere. Known
/// from mutations of the source, of which no test took notice.
#[test]
fn a_redirect_of_a_folder_comes_before_its_listing() {
    let folder = Folder::new().file("docs/intro", "").file("_redirects", "/docs/ /docs/intro 301\n");
    let answer = answer(&folder, &request("GET", "/docs/", ""));
    assert_eq!(answer.field("location"), Some("/docs/intro"));
}

/// The other end does something as soon as a write gets through, and sends what comes of it.
struct Reacting {
    coming: Vec<u8>,
    has_room: bool,
    react: Box<dyn FnMut() -> Vec<u8>>,
    sent: Vec<u8>,
}

impl Reacting {
    fn to(request: &str, has_room: bool, react: Box<dyn FnMut() -> Vec<u8>>) -> Reacting {
        Reacting { coming: request.into(), has_room, react, sent: Vec::new() }
    }
}

impl Socket for Reacting {
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.coming.len();
        buffer[..count].copy_from_slice(&self.coming);
        self.coming.clear();
        if count > 0 { Ok(count) } else { Err(ErrorKind::WouldBlock.into()) }
    }

    fn send(&mut self, slices: &[IoSlice<'_>], _more: bool) -> io::Result<usize> {
        let bytes = gathered(slices);
        if !self.has_room {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.sent.extend_from_slice(&bytes);
        self.coming.extend((self.react)());
        Ok(bytes.len())
    }

    fn send_file(&mut self, _file: BorrowedFd<'_>, _offset: u64, _count: usize) -> io::Result<usize> {
        panic!("a file too large for this test")
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A turn that began with writing read on without asking the disk again: a client that got its answer,
/// changed a file and asked for it could be shown what it had been, if another had asked for it in the same
/// turn. Known from the simulation, seed 1, within a million steps.
#[test]
fn a_file_asked_for_behind_an_answer_that_left_in_the_same_turn_is_looked_at_anew() {
    let folder = Folder::new().file("page", "old").file("other", "other");
    let mut server = MemoryServer::of(&folder);
    let page = folder.root().join("page");
    let react = Box::new(move || {
        let rest = if std::fs::read(&page).expect("a file") == b"old" { "\r\n\r\n" } else { "" };
        std::fs::write(&page, "newer").expect("the same file");
        rest.into()
    });
    let mut slow = server.connect(Reacting::to(&request("GET", "/other", ""), false, react));
    assert_eq!(server.run(&mut slow), Verdict::Park(Edge::Writable));
    slow.socket.coming = b"GET /page HTTP/1.1\r\nHost: a".to_vec();
    slow.socket.has_room = true;
    let mut quick = server.connect(Reacting::to(&request("GET", "/page", ""), true, Box::new(Vec::new)));
    server.next_turn();
    assert_eq!(server.run(&mut quick), Verdict::Park(Edge::Readable));
    assert!(quick.socket.sent.ends_with(b"old"));
    slow.mark(Readiness { readable: true, writable: true, ..Readiness::default() });
    assert_eq!(server.run(&mut slow), Verdict::Park(Edge::Readable));
    assert_eq!(Answer::all(&slow.socket.sent, &["GET", "GET"])[1].text(), "newer");
}

/// A folder that cannot be read on, and a socket that cannot send a file.
#[derive(Debug)]
struct Failing(ErrorKind);

impl Source for Failing {
    fn pull(&mut self, _piece: &mut Piece) -> io::Result<Pulled> {
        Err(self.0.into())
    }

    fn kept_bytes(&self) -> usize {
        0
    }
}

impl Socket for Failing {
    fn receive(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        Err(ErrorKind::WouldBlock.into())
    }

    fn send(&mut self, slices: &[IoSlice<'_>], _more: bool) -> io::Result<usize> {
        let bytes = gathered(slices);
        Ok(bytes.len())
    }

    fn send_file(&mut self, _file: BorrowedFd<'_>, _offset: u64, _count: usize) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A folder that could not be read on with an error that says something else of a socket was waited for, and
/// its list was ended as if it were whole. Noticed when answers with a file were made to be of one version.
#[test]
fn a_listing_whose_folder_cannot_be_read_on_is_neither_waited_for_nor_ended_as_whole() {
    for kind in
        [ErrorKind::WouldBlock, ErrorKind::Interrupted, ErrorKind::ResourceBusy, ErrorKind::UnexpectedEof]
    {
        let mut outbox = Outbox::new();
        outbox.push_source(Box::new(Failing(kind)));
        assert_eq!(outbox.send(&mut Failing(kind), 1000).expect("no error"), Sent::Cut, "of {kind}");
    }
}

/// A file that could not be read because something was busy was waited for like a disk, for ever. Noticed
/// with the fault above.
#[test]
fn a_file_that_cannot_be_read_cuts_its_answer_and_is_not_waited_for() {
    let folder = Folder::new().file("page", "page");
    for kind in [ErrorKind::ResourceBusy, ErrorKind::Other, ErrorKind::BrokenPipe] {
        let file = File::options().append(true).open(folder.root().join("page")).expect("the file");
        let stamp = Stamp::of_open(file.as_fd()).expect("its state");
        let file = OpenFile::new(OwnedFd::from(file).into(), stamp);
        let mut outbox = Outbox::new();
        outbox.push_file(FileSlice::new(&file.into(), 0, 4, false));
        let mut send = || outbox.send(&mut Failing(kind), 1000).expect("no error");
        assert_eq!((send(), send()), (Sent::Bytes(0), Sent::Cut), "of {kind}");
    }
}
