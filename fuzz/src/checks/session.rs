//! A whole connection: pump, session, site and outbox, on a small folder and a socket in memory.
//!
//! Input: eight bytes of [`Script`], then all that a client sends. What must hold:
//!
//! - however the bytes come and go, the answers are those to everything at once. Only `100 Continue` may be
//!   missing: a client that has sent the body already is not told to;
//! - the answers are well-formed, and are what the access log says of them, in number, status and length;
//! - the last answer says `Connection: close` exactly if it is the last one;
//! - no more is kept than the limits allow, nothing is read without room for it or sent after the end;
//! - it ends in a number of steps that depends on the bytes in and out alone.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, ErrorKind, Seek, SeekFrom};
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;

use pws::access_log::AccessLog;
use pws::clock::Now;
use pws::connection::{Buffers, Connection, Edge, Readiness, Verdict};
use pws::input::Input;
use pws::limits::Limits;
use pws::net::socket::Socket;
use pws::outbox::Outbox;
use pws::session::{Session, Turn, Want};
use pws::site::Site;

use super::take_header;
use crate::support::answer::Answer;
use crate::support::folder::{Folder, noise};

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
/// Heads, a redirect to a long path or the heads of 64 parts: what an answer may take besides the file.
const ANSWER_BYTES_MAX: usize = 64 * 256;

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new());
}

pub fn check(data: &[u8]) {
    let Some((header, wire)) = take_header(data) else { return };
    WORLD.with_borrow_mut(|world| world.check(&Script::new(header), wire));
}

const TAKES_ALL: u8 = 254;

/// How a case goes, besides what the client sends.
struct Script {
    /// Limits that a short input reaches, in place of the defaults.
    is_tight: bool,
    /// The server is stopping.
    is_draining: bool,
    /// The client sends without waiting for what comes back.
    is_eager: bool,
    /// The client closes behind its last byte.
    is_closed: bool,
    /// The connection breaks when so many writes were made.
    breaks_at: Option<usize>,
    /// What becomes of each write, in turn: 0 blocks, 255 is interrupted, [`TAKES_ALL`] does that, others are
    /// how many bytes are taken.
    writes: [u8; 3],
    /// How many bytes arrive at a time, in turn: 0 is all the rest.
    pieces: [u8; 3],
}

impl Script {
    fn new([flags, breaks_at, w0, w1, w2, p0, p1, p2]: [u8; 8]) -> Script {
        Script {
            is_tight: flags & 1 != 0,
            is_draining: flags & 2 != 0,
            is_eager: flags & 4 != 0,
            is_closed: flags & 8 != 0,
            breaks_at: (flags & 16 != 0).then_some(breaks_at.into()),
            writes: match [w0, w1, w2] {
                // Nothing would ever get through.
                [0 | 255, 0 | 255, 0 | 255] => [TAKES_ALL; 3],
                writes => writes,
            },
            pieces: [p0, p1, p2],
        }
    }

    /// The length of the piece with this number, with `left` bytes left.
    fn piece_len(&self, number: usize, left: usize) -> usize {
        match self.pieces[number % self.pieces.len()] {
            0 => left,
            len => left.min(len.into()),
        }
    }
}

/// What came of a connection.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    answers: Vec<Answer>,
    /// Writing was shut, or the whole connection.
    has_ended: bool,
}

/// What outlives a case: it takes a while to make.
struct World {
    now: Now,
    /// A site for each set of limits.
    loose: (Limits, Site),
    tight: (Limits, Site),
    access_log: AccessLog,
    log_file: File,
    _folder: Folder,
}

impl World {
    fn new() -> World {
        let folder = Folder::new()
            .file("index.html", "<p>home")
            .file("404.html", "<p>lost")
            .file("empty.css", "")
            .file("a/index.html", "<p>a")
            .file("a b/c", "spaced")
            .file(".well-known/x", "known")
            .file(".x", "hidden")
            .file("n", noise(1000))
            .sparse_file("big", 40_000)
            .file_outside("x", "outside")
            .symlink("out", "../x")
            .symlink("in", "n");
        let loose = Limits::default();
        let tight = Limits {
            head_bytes_max: 256,
            target_bytes_max: 64,
            body_bytes_max: 64,
            outbox_bytes_max: 512,
            pipeline_max: 3,
            run_bytes_max: 128,
            loaded_file_bytes_max: 16,
            linger_bytes_max: 128,
            ..Limits::default()
        };
        let site = |limits: Limits| {
            let site = Site::open(&folder.root(), &pws::config::SiteOptions::default(), &limits)
                .expect("the folder");
            (limits, site)
        };
        let log_file = tempfile::tempfile().expect("a file without a name");
        World {
            now: Now::at(0, 1_000_000_000),
            loose: site(loose),
            tight: site(tight),
            access_log: AccessLog::to(log_file.as_fd()).expect("a log"),
            log_file,
            _folder: folder,
        }
    }

    fn check(&mut self, script: &Script, wire: &[u8]) {
        let (expected, sent_bytes) = self.all_at_once(script, wire);
        // A byte may take several writes; `100 Continue` is about as long as what it takes to get one.
        let steps_max = 4 * (2 * wire.len() + sent_bytes) + 64;
        let Some(outcome) = self.by_script(script, wire, steps_max) else { return };
        assert_eq!(outcome.answers, expected.answers);
        // With the client gone there is nothing to keep open.
        assert_eq!(outcome.has_ended, expected.has_ended || script.is_closed);
        let closes = |answer: &Answer| answer.field("connection") == Some("close");
        if let Some((last, others)) = expected.answers.split_last() {
            assert_eq!(closes(last), expected.has_ended);
            assert!(!others.iter().any(closes), "{others:?}");
        }
    }

    /// A pump as plain as can be: the session itself, a socket that takes and gives whatever there is.
    /// Returns how much was sent, too.
    fn all_at_once(&mut self, script: &Script, mut wire: &[u8]) -> (Outcome, usize) {
        let (limits, site) = if script.is_tight { &mut self.tight } else { &mut self.loose };
        let (limits, now, access_log) = (&*limits, &self.now, &mut self.access_log);
        let mut turn = Turn { now, limits, site, access_log, is_draining: script.is_draining };
        let takes_all = Script::new([0; 8]);
        let mut socket = MemorySocket::new(&[], &takes_all);
        let input_bytes_max = 2 * usize::from(limits.head_bytes_max);
        let mut input = Input::with_capacity(input_bytes_max);
        let mut outbox = Outbox::new();
        let mut session = Session::new(CLIENT, now, limits);
        let mut has_ended = false;
        loop {
            match session.advance(&mut input, &mut outbox, &mut turn) {
                Want::Read if wire.is_empty() => break,
                Want::Read => {
                    let space = input.space();
                    assert!(!space.is_empty(), "nothing can be read");
                    let (piece, rest) = wire.split_at(wire.len().min(space.len()));
                    space[..piece.len()].copy_from_slice(piece);
                    input.filled(piece.len());
                    wire = rest;
                }
                Want::Write => {
                    assert!(outbox.buffered_bytes() <= limits.outbox_bytes_max + ANSWER_BYTES_MAX);
                    let count = outbox.write_some(&mut socket, usize::MAX).expect("a socket that takes all");
                    session.sent(count, now, limits);
                }
                Want::HalfClose => has_ended = true,
                Want::Close => {
                    has_ended = true;
                    break;
                }
            }
        }
        (Outcome { answers: self.take_answers(&socket.sent), has_ended }, socket.sent.len())
    }

    /// The real pump, as the loop runs it; `None` if the connection broke.
    fn by_script(&mut self, script: &Script, wire: &[u8], steps_max: usize) -> Option<Outcome> {
        let (limits, site) = if script.is_tight { &mut self.tight } else { &mut self.loose };
        let (limits, now, access_log) = (&*limits, &self.now, &mut self.access_log);
        let mut turn = Turn { now, limits, site, access_log, is_draining: script.is_draining };
        let mut buffers = Buffers::new(limits);
        let mut connection = Connection::new(MemorySocket::new(wire, script), CLIENT, now, limits);
        let mut number = 0;
        let mut has_closed = false;
        for _ in 0..steps_max {
            turn.site.recheck();
            let verdict = connection.run(&mut buffers, &mut turn);
            assert!(buffers.input.is_empty() && buffers.outbox.is_empty(), "left for the next connection");
            let is_parked_for = |edge| verdict == Verdict::Park(edge);
            if verdict == Verdict::Close {
                has_closed = true;
                break;
            }
            if is_parked_for(Edge::Writable) {
                connection.mark(Readiness { writable: true, ..Readiness::default() });
            }
            if is_parked_for(Edge::Readable) || script.is_eager {
                let socket = &mut connection.socket;
                let is_over = socket.coming.is_empty() && (!script.is_closed || socket.is_closed);
                if is_over && is_parked_for(Edge::Readable) {
                    break;
                }
                let len = script.piece_len(number, socket.coming.len());
                number += 1;
                socket.arrive(len, script.is_closed);
                let read_closed = socket.is_closed;
                connection.mark(Readiness { readable: true, read_closed, ..Readiness::default() });
            }
        }
        let MemorySocket { sent, is_write_shut, is_broken, coming, .. } = &connection.socket;
        assert!(has_closed || (coming.is_empty() && !script.is_closed), "it never comes to rest");
        let (sent, has_ended) = (sent.clone(), has_closed || *is_write_shut);
        if *is_broken {
            assert!(has_closed, "a broken connection is not given up");
            self.take_log();
            return None;
        }
        Some(Outcome { answers: self.take_answers(&sent), has_ended })
    }

    /// Takes `sent` apart as the log says it is made; leaves `100 Continue` out.
    fn take_answers(&mut self, mut sent: &[u8]) -> Vec<Answer> {
        let mut answers = Vec::new();
        for line in self.take_log().lines() {
            let mut words = line.rsplitn(3, ' ');
            let body_bytes = words.next().and_then(|word| word.parse::<usize>().ok()).expect(line);
            let status = words.next().and_then(|word| word.parse::<u16>().ok()).expect(line);
            let answer = loop {
                let answer = Answer::take(&mut sent, body_bytes == 0).expect(line);
                if answer.status != 100 {
                    break answer;
                }
                assert!(answer.fields.is_empty());
            };
            assert_eq!((answer.status, answer.body.len()), (status, body_bytes), "{line}");
            assert!(answer.field("date").is_some() && answer.field("server").is_some(), "{answer:?}");
            answers.push(answer);
        }
        while !sent.is_empty() {
            let answer = Answer::take(&mut sent, true).expect("nothing but whole answers");
            assert_eq!(answer.status, 100, "not in the log: {answer:?}");
        }
        answers
    }

    /// What was logged since the last call.
    fn take_log(&mut self) -> String {
        self.access_log.flush();
        let len = self.log_file.stream_position().expect("a position");
        let mut lines = vec![0; usize::try_from(len).expect("a short log")];
        self.log_file.read_exact_at(&mut lines, 0).expect("the log");
        self.log_file.seek(SeekFrom::Start(0)).expect("a file without holes");
        String::from_utf8(lines).expect("a log is ASCII")
    }
}

/// A socket whose other side goes by a script.
struct MemorySocket<'a> {
    script: &'a Script,
    /// What is still to arrive, and what has arrived and was not yet received.
    coming: &'a [u8],
    arrived: Vec<u8>,
    /// The other side sends no more.
    is_closed: bool,
    writes: usize,
    sent: Vec<u8>,
    is_write_shut: bool,
    is_broken: bool,
}

impl<'a> MemorySocket<'a> {
    fn new(coming: &'a [u8], script: &'a Script) -> MemorySocket<'a> {
        MemorySocket {
            script,
            coming,
            arrived: Vec::new(),
            is_closed: false,
            writes: 0,
            sent: Vec::new(),
            is_write_shut: false,
            is_broken: false,
        }
    }

    /// `len` bytes arrive; the end too if they are the last and `then_closes`.
    fn arrive(&mut self, len: usize, then_closes: bool) {
        let (piece, coming) = self.coming.split_at(len);
        self.arrived.extend_from_slice(piece);
        self.coming = coming;
        self.is_closed = coming.is_empty() && then_closes;
    }

    /// How much of `count` bytes the next write takes.
    fn take(&mut self, count: usize) -> io::Result<usize> {
        assert!(!self.is_write_shut, "sent after the end");
        assert!(count > 0, "an empty write");
        let write = self.script.writes[self.writes % self.script.writes.len()];
        self.is_broken |= self.script.breaks_at == Some(self.writes);
        self.writes += 1;
        match write {
            _ if self.is_broken => Err(ErrorKind::BrokenPipe.into()),
            0 => Err(ErrorKind::WouldBlock.into()),
            255 => Err(ErrorKind::Interrupted.into()),
            TAKES_ALL => Ok(count),
            write => Ok(count.min(write.into())),
        }
    }
}

impl Socket for MemorySocket<'_> {
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(!buffer.is_empty(), "no room to receive into");
        if self.arrived.is_empty() && !self.is_closed {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = self.arrived.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.arrived[..count]);
        self.arrived.drain(..count);
        Ok(count)
    }

    fn send(&mut self, bytes: &[u8], _more: bool) -> io::Result<usize> {
        let count = self.take(bytes.len())?;
        self.sent.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn send_file(&mut self, file: BorrowedFd<'_>, offset: u64, count: usize) -> io::Result<usize> {
        let start = self.sent.len();
        let count = self.take(count)?;
        self.sent.resize(start + count, 0);
        let count = File::from(file.try_clone_to_owned()?).read_at(&mut self.sent[start..], offset)?;
        self.sent.truncate(start + count);
        Ok(count)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        assert!(!self.is_write_shut, "shut twice");
        self.is_write_shut = true;
        Ok(())
    }
}
