//! A whole connection: pump, session, site and outbox, on small folders and a socket in memory.
//!
//! Input: eight bytes of a `Script`, then all that a client sends. What must hold:
//!
//! - however the bytes come and go, the answers are those to everything at once. Only `100 Continue` may be
//!   missing: a client that has sent the body already is not told to;
//! - a connection that breaks has sent the beginning of that, and is given up;
//! - the answers are well-formed, and are what the access log says of them, in number, status and length;
//! - what is sent of a file is what is in it, and nothing ever fails for want of anything;
//! - the last answer says `Connection: close` exactly if it is the last one;
//! - no more is kept than the limits allow, and nothing between requests; nothing is read without room for it
//!   or sent after the end;
//! - it ends in a number of steps that depends on the bytes in and out alone.

mod sites;
mod socket;

use std::cell::RefCell;
use std::fs::File;
use std::os::unix::fs::FileExt;

use pws::client::input::Input;
use pws::client::session::{Session, Want};
use pws::client::wait::Wait;
use pws::net::peer::Peer;
use pws::outbox::{Outbox, Sent};

use self::sites::Sites;
use self::socket::{MemorySocket, Script};
use super::take_header;
use crate::answer::Answer;
use crate::memory::{Edge, Readiness, Verdict};

/// Heads, a redirect to a long path or the heads of 64 parts: what an answer may take besides the file.
const ANSWER_BYTES_MAX: usize = 64 * 256;
/// What tells a client to send the body, as it is on the wire.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new());
}

pub fn check(data: &[u8]) {
    let Some((header, wire)) = take_header(data) else { return };
    WORLD.with_borrow_mut(|world| world.check(&Script::new(header), wire));
}

/// What came of a connection.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    answers: Vec<Answer>,
    /// Writing was shut, or the whole connection.
    has_ended: bool,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// The client may go on.
    Open,
    /// With all that was to be said.
    Whole,
    /// In the middle.
    Broken,
}

/// What outlives a case: it takes a while to make.
struct World {
    sites: Sites,
    log_file: File,
}

impl World {
    fn new() -> World {
        let log_file = tempfile::tempfile().expect("a file without a name");
        World { sites: Sites::new(&log_file), log_file }
    }

    fn check(&mut self, script: &Script, wire: &[u8]) {
        let (sent, has_ended) = self.all_at_once(script, wire);
        let expected = Outcome { answers: self.take_answers(&sent), has_ended };
        let closes = |answer: &Answer| answer.field("connection") == Some("close");
        if let Some((last, others)) = expected.answers.split_last() {
            assert_eq!(closes(last), expected.has_ended);
            assert!(!others.iter().any(closes), "{others:?}");
        }
        for answer in &expected.answers {
            self.check_content(answer);
        }
        // A byte may take several writes; `100 Continue` is about as long as what it takes to get one.
        let steps_max = 4 * (2 * wire.len() + sent.len()) + 64;
        match self.by_script(script, wire, steps_max) {
            (broken, Ending::Broken) => {
                self.take_log();
                check_beginning(&broken, &sent);
            }
            (sent, ending) => {
                let outcome =
                    Outcome { answers: self.take_answers(&sent), has_ended: ending == Ending::Whole };
                // With the client gone there is nothing to keep open.
                let has_ended = expected.has_ended || script.is_closed;
                assert_eq!(outcome, Outcome { has_ended, ..expected });
            }
        }
    }

    /// What was sent of a file is what is in it. Nothing here is out of reach or short, so no answer says so.
    fn check_content(&self, answer: &Answer) {
        assert!(![500, 503].contains(&answer.status), "{answer:?}");
        let is_file = answer.field("content-length").is_some() && !answer.body.is_empty();
        if answer.status == 200 && is_file {
            assert!(self.sites.has(&answer.body), "the content of no file: {answer:?}");
        }
        let range = answer.field("content-range").filter(|_| answer.status == 206 && is_file);
        if let Some(range) = range {
            let numbers = range.strip_prefix("bytes ").expect(range).split(['-', '/']);
            let numbers: Vec<usize> = numbers.map(|number| number.parse().expect(range)).collect();
            let [first, last, len] = numbers[..] else { panic!("{range}") };
            assert_eq!(answer.body.len(), last + 1 - first, "{answer:?}");
            assert!(self.sites.has_part(&answer.body, first, len), "the part of no file: {answer:?}");
        }
    }

    /// A pump as plain as can be: the session itself, a socket that takes and gives whatever there is.
    /// Returns what was sent and whether that was the end.
    fn all_at_once(&mut self, script: &Script, mut wire: &[u8]) -> (Vec<u8>, bool) {
        let (mut context, _) = self.sites.pick(script).context();
        let (limits, now) = (context.limits, context.now);
        let plain = Script::plain();
        let mut socket = MemorySocket::new(&[], &plain);
        let input_bytes_max = 2 * usize::from(limits.head_bytes_max);
        let mut input = Input::with_capacity(input_bytes_max);
        let mut outbox = Outbox::new();
        let mut session = Session::new(now, limits);
        let mut has_ended = false;
        loop {
            match session.advance(&mut input, &mut outbox, &mut context) {
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
                    let sent = outbox.send(&mut socket, usize::MAX).expect("a socket that takes all");
                    let Sent::Bytes(count) = sent else { panic!("{sent:?}") };
                    session.sent(count, now, limits);
                    outbox.settle(|ended| context.access_log.write(Peer::Local, &ended));
                }
                Want::Later => {}
                Want::HalfClose => has_ended = true,
                Want::Close => {
                    has_ended = true;
                    break;
                }
            }
        }
        (socket.sent, has_ended)
    }

    /// The real pump, as the loop runs it. Returns what was sent and how it ended.
    fn by_script(&mut self, script: &Script, wire: &[u8], steps_max: usize) -> (Vec<u8>, Ending) {
        let server = self.sites.pick(script);
        let limits = &server.limits;
        // Buffers that grow take up to twice what they need; a piece of a listing is as long as an answer.
        let queued_bytes_max = limits.outbox_bytes_max + 2 * ANSWER_BYTES_MAX;
        let kept_bytes_max = 2 * (2 * usize::from(limits.head_bytes_max) + queued_bytes_max);
        let mut connection = server.connect(MemorySocket::new(wire, script));
        let mut has_closed = false;
        for _ in 0..steps_max {
            server.next_turn();
            let verdict = server.run(&mut connection);
            let buffers = &server.buffers;
            assert!(buffers.input.is_empty() && buffers.outbox.is_empty(), "left for the next connection");
            let kept_bytes = connection.kept_bytes();
            assert!(kept_bytes <= kept_bytes_max, "{kept_bytes} bytes are kept");
            let is_parked_for = |edge| verdict == Verdict::Park(edge);
            if verdict == Verdict::Close {
                has_closed = true;
                break;
            }
            if is_parked_for(Edge::Writable) {
                connection.mark(Readiness { writable: true, ..Readiness::default() });
            }
            if is_parked_for(Edge::Readable) {
                assert!(
                    connection.wait() != Some(Wait::Request) || kept_bytes == 0,
                    "{kept_bytes} bytes are kept for nothing"
                );
                if connection.socket.is_over() {
                    break;
                }
            }
            if is_parked_for(Edge::Readable) || script.is_eager {
                connection.socket.arrive();
                let read_closed = connection.socket.is_closed;
                connection.mark(Readiness { readable: true, read_closed, ..Readiness::default() });
            }
        }
        let MemorySocket { sent, is_write_shut, is_broken, coming, .. } = connection.socket;
        assert!(has_closed || (coming.is_empty() && !script.is_closed), "it never comes to rest");
        assert!(has_closed || !is_broken, "a broken connection is not given up");
        let ending = match has_closed || is_write_shut {
            _ if is_broken => Ending::Broken,
            true => Ending::Whole,
            false => Ending::Open,
        };
        (sent, ending)
    }

    /// Takes `sent` apart as the log says it is made; leaves `100 Continue` out.
    fn take_answers(&mut self, mut sent: &[u8]) -> Vec<Answer> {
        let mut answers = Vec::new();
        for line in self.take_log().lines() {
            while sent.starts_with(CONTINUE) {
                sent = &sent[CONTINUE.len()..];
            }
            let mut words = line.rsplitn(3, ' ');
            let body_bytes = words.next().expect(line);
            let status: u16 = words.next().and_then(|word| word.parse().ok()).expect(line);
            let is_head = line.contains("] \"HEAD ");
            let head = Answer::take(&mut { sent }, true).expect(line);
            let answer = if head.status == 200 && head.field("content-length").is_none() {
                take_listing(&mut sent, is_head)
            } else {
                let answer = Answer::take(&mut sent, body_bytes == "0").expect(line);
                assert_eq!(answer.body.len().to_string(), body_bytes, "{line}");
                answer
            };
            assert_eq!(answer.status, status, "{line}");
            assert!(answer.field("date").is_some() && answer.field("server").is_some(), "{answer:?}");
            answers.push(answer);
        }
        // A body that was asked for may never have come.
        while sent.starts_with(CONTINUE) {
            sent = &sent[CONTINUE.len()..];
        }
        assert_eq!(String::from_utf8_lossy(sent), "", "not in the log");
        answers
    }

    /// What was logged since the last call.
    fn take_log(&mut self) -> String {
        self.sites.flush_logs();
        let len = self.log_file.metadata().expect("its length").len();
        let mut lines = vec![0; usize::try_from(len).expect("a short log")];
        self.log_file.read_exact_at(&mut lines, 0).expect("the log");
        self.log_file.set_len(0).expect("an empty file");
        String::from_utf8(lines).expect("a log is ASCII")
    }
}

/// Takes a folder off the front of `sent`: in chunks, or up to the end.
fn take_listing(sent: &mut &[u8], is_head: bool) -> Answer {
    let all = *sent;
    let answer = Answer::take(sent, true).expect("a whole head");
    if is_head {
        return answer;
    }
    if answer.field("transfer-encoding").is_none() {
        *sent = b"";
        return Answer::until_end(all);
    }
    *sent = all;
    Answer::take(sent, false).expect("a whole listing")
}

/// Of `whole` a connection that broke has sent the beginning, both without any `100 Continue`.
fn check_beginning(broken: &[u8], whole: &[u8]) {
    let (mut broken, whole) = (without_continue(broken), without_continue(whole));
    // The last one may not be whole.
    let cut = (1..CONTINUE.len()).rev().find(|len| broken.ends_with(&CONTINUE[..*len]));
    if let Some(len) = cut.filter(|_| !whole.starts_with(&broken)) {
        broken.truncate(broken.len() - len);
    }
    assert!(whole.starts_with(&broken), "{}", String::from_utf8_lossy(&broken));
}

fn without_continue(mut sent: &[u8]) -> Vec<u8> {
    let mut rest = Vec::new();
    while let Some(at) = sent.windows(CONTINUE.len()).position(|window| window == CONTINUE) {
        rest.extend_from_slice(&sent[..at]);
        sent = &sent[at + CONTINUE.len()..];
    }
    rest.extend_from_slice(sent);
    rest
}
