//! The pump: does what the session wants on one socket, until the socket would block or its slice of the turn
//! is over.

use std::io::{self, ErrorKind};

use super::buffers::{Buffers, Rest, keep_rest};
use super::context::{Context, Older};
use super::input::Input;
use super::session::{Session, Want};
use super::verdict::Verdict;
use super::wait::Wait;
use crate::access_log::AccessLog;
use crate::clock::{Now, Tick};
use crate::ledger::Held;
use crate::limits::{BUSY_SOCKET_BYTES, Limits, SOCKET_BYTES};
use crate::net::peer::Peer;
use crate::net::socket::{Edge, Readiness, Socket};
use crate::notices::Notice;
use crate::outbox::{Ended, Outbox, Sent};
use crate::responder::Door;
use crate::timeline::Outcome;

/// What a call takes of the budget beside its bytes: one that was interrupted, or had nothing to move.
const CALL_BYTES: usize = 64;

/// What the kernel is taken to hold for a client that has been sent all: most have taken most of it.
const LINGERING_BYTES: usize = 32 * 1024;

/// What is known of the end of what the peer sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReadEnd {
    Open,
    /// An event told of it: a short read is not the last word.
    Near,
    /// Receiving has returned 0.
    Reached,
}

/// One client: its socket, its session and what is unfinished.
#[derive(Debug)]
pub struct Connection<S> {
    pub socket: S,
    peer: Peer,
    door: Door,
    session: Session,
    rest: Option<Box<Rest>>,
    readable: bool,
    /// An event has told of bytes that were not received before.
    is_told: bool,
    writable: bool,
    read_end: ReadEnd,
    /// Nobody is at the other end.
    is_broken: bool,
}

impl<S: Socket> Connection<S> {
    /// A connection just accepted; it may well be readable already.
    pub fn new(socket: S, (peer, door): (Peer, Door), now: &Now, limits: &Limits) -> Connection<S> {
        Connection {
            socket,
            peer,
            door,
            session: Session::new(now, limits),
            rest: None,
            readable: true,
            is_told: false,
            writable: true,
            read_end: ReadEnd::Open,
            is_broken: false,
        }
    }

    /// Notes what an event said. The flags stay until a call proves them wrong.
    pub fn mark(&mut self, readiness: Readiness) {
        let may_read = readiness.writable && self.socket.read_edge() == Edge::Writable;
        self.readable |= readiness.readable || readiness.read_closed || may_read;
        self.is_told |= readiness.readable;
        self.writable |= readiness.writable;
        if readiness.read_closed && self.read_end == ReadEnd::Open {
            self.read_end = ReadEnd::Near;
        }
        self.is_broken |= readiness.broken;
    }

    /// The tick at which the connection's time is up.
    pub fn deadline(&self) -> Tick {
        self.session.deadline()
    }

    /// What it waits for, and so by which timeout; `None` if it may take as long as it does.
    pub fn wait(&self) -> Option<Wait> {
        self.session.wait()
    }

    /// In which phase it is.
    pub fn phase(&self) -> &'static str {
        self.session.phase()
    }

    /// What it holds while it waits.
    pub fn held(&self, limits: &Limits) -> Held {
        let unsent_bytes = limits.unsent_bytes_max as usize;
        let kernel_bytes = match self.wait() {
            Some(Wait::Request | Wait::Head | Wait::Body) => SOCKET_BYTES,
            Some(Wait::Linger) => SOCKET_BYTES + unsent_bytes.min(LINGERING_BYTES),
            Some(Wait::Send) | None => SOCKET_BYTES + BUSY_SOCKET_BYTES + unsent_bytes,
        };
        Held { heap_bytes: self.kept_bytes(), kernel_bytes, descriptors: 1 }
    }

    /// How many files and folders its responses hold open. Others may share them.
    pub fn files(&self) -> usize {
        self.rest.as_ref().map_or(0, |rest| rest.outbox.segments())
    }

    /// For how long it has waited without getting on, seconds.
    pub fn stalled_secs(&self, tick: Tick, limits: &Limits) -> u32 {
        let secs_max = self.wait().map_or(0, |wait| wait.secs_max(limits));
        (tick + secs_max + 1).saturating_sub(self.deadline())
    }

    /// Its time is up. Returns whether its client is to be told, in the next run: see
    /// [`Session::is_late`]. Not one that does not take what it was sent before.
    pub fn is_late(&mut self, now: &Now, limits: &Limits) -> bool {
        !self.is_broken && !self.has_unsent() && self.session.is_late(now, limits)
    }

    /// Bytes of memory it owns while it waits.
    pub fn kept_bytes(&self) -> usize {
        self.rest.as_ref().map_or(0, |rest| rest.input.capacity() + rest.outbox.capacity())
    }

    /// Who is at the other end.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Where it came in.
    pub fn door(&self) -> Door {
        self.door
    }

    /// Whether something is left of a response that has not been handed to the socket.
    pub fn has_unsent(&self) -> bool {
        self.rest.as_ref().is_some_and(|rest| !rest.outbox.is_empty())
    }

    /// Whether it waits for a request, or for the rest of one's head.
    pub fn awaits_request(&self) -> bool {
        matches!(self.wait(), Some(Wait::Request | Wait::Head))
    }

    /// What comes before it is dropped: the log is told of what has not left.
    pub fn end(&mut self, access_log: &mut AccessLog) {
        if let Some(rest) = &mut self.rest {
            rest.outbox.cut(|ended| tell(&ended, (self.peer, self.door), access_log));
        }
    }

    /// Runs until nothing more can be done now. `buffers` must be empty, and are so again afterwards.
    pub fn run(&mut self, buffers: &mut Buffers, context: &mut Context) -> Verdict {
        debug_assert!(buffers.are_empty(), "another connection's bytes are in the buffers");
        log::trace!(" #{} of {} runs", context.key, self.peer);
        context.record_wait_end();
        let mut rest = self.rest.take();
        let outbox = match &mut rest {
            Some(rest) => {
                buffers.input.load(&rest.input);
                &mut rest.outbox
            }
            None => &mut buffers.outbox,
        };
        let verdict = self.pump(&mut buffers.input, outbox, context);
        self.rest = keep_rest(rest, buffers);
        buffers.input.clear();
        debug_assert!(buffers.are_empty(), "something is left for another connection");
        log::trace!(" #{} {verdict}", context.key);
        context.record_wait(verdict.told());
        verdict
    }

    fn pump(&mut self, input: &mut Input, outbox: &mut Outbox, context: &mut Context) -> Verdict {
        let mut is_first_step = true;
        self.session.resume(context.now, context.limits);
        while !context.slice.is_over() {
            let step = match self.advance(input, outbox, context) {
                Want::Read if self.read_end == ReadEnd::Reached => {
                    return self.end_of_input(context);
                }
                Want::Read if !self.readable => return Verdict::Park(self.socket.read_edge()),
                Want::Read => {
                    let is_told = std::mem::take(&mut self.is_told) && is_first_step && input.is_empty();
                    context.older = if is_told { Older::First } else { Older::None };
                    self.receive(input, context)
                }
                // What is made for nobody is work for nothing.
                Want::Write if self.is_broken => return Verdict::Close,
                Want::Write if !self.writable => return Verdict::Park(Edge::Writable),
                // What is not in memory takes longer to send than a step that is everybody's.
                Want::Write if !is_first_step && outbox.has_segments() && context.slice.is_time_up() => {
                    return Verdict::Yield;
                }
                Want::Write => match self.send(outbox, context) {
                    Ok(Step::Goes(count)) => Ok(count),
                    Ok(Step::Waits(verdict)) => return verdict,
                    Err(error) => Err(error),
                },
                Want::Later => {
                    self.session.spare(context.now, context.limits);
                    return Verdict::AwaitDisk;
                }
                Want::HalfClose => self.socket.shutdown_write().map(|()| 0),
                Want::Close => return Verdict::Close,
            };
            is_first_step = false;
            match step {
                Ok(count) => context.slice.take_step(count),
                // Tried again, but not for ever.
                Err(error) if error.kind() == ErrorKind::Interrupted => {
                    context.slice.take_step(CALL_BYTES);
                }
                Err(error) => {
                    log::debug!("{}: closed, {error}", self.peer);
                    return Verdict::Close;
                }
            }
        }
        Verdict::Yield
    }

    /// Has the session go on.
    fn advance(&mut self, input: &mut Input, outbox: &mut Outbox, context: &mut Context) -> Want {
        let began = context.moment();
        let phase = began.map(|_| self.session.phase());
        let want = self.session.advance(input, outbox, context);
        if phase.is_some_and(|before| before != self.session.phase()) {
            context.record(began, "advance", Outcome::Nothing);
            context.record_phase(self.session.phase());
        }
        want
    }

    /// What follows where the client sends no more and has been sent all. It may still have to take that: if
    /// too much is left with the kernel already, it is waited for until it has, which the poll tells.
    fn end_of_input(&self, context: &mut Context) -> Verdict {
        let is_over = self.is_broken || self.wait() != Some(Wait::Linger);
        match is_over || self.session.leaves_behind(context) {
            true => Verdict::Close,
            false => Verdict::Park(self.socket.read_edge()),
        }
    }

    /// Reads once. After that `readable` tells whether there may be more: a read that did not fill the buffer
    /// emptied the socket, unless the end is near, which brings no edge of its own.
    fn receive(&mut self, input: &mut Input, context: &mut Context) -> io::Result<usize> {
        let space = input.space();
        let room = space.len();
        debug_assert!(room > 0, "nothing can be received");
        let began = context.moment();
        let received = self.socket.receive(space);
        context.record(began, "receive", Outcome::Bytes(*received.as_ref().unwrap_or(&0)));
        match received {
            Ok(0) => {
                log::trace!("  receive: the end");
                self.read_end = ReadEnd::Reached;
                Ok(0)
            }
            Ok(count) => {
                log::trace!("  receive: {count} bytes");
                let is_short = count < room && self.socket.short_read_drains();
                self.readable = !is_short || self.read_end != ReadEnd::Open;
                input.filled(count);
                Ok(count)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                log::trace!("  receive: would block");
                self.readable = false;
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }

    /// Sends once. A short send proves nothing: only a full socket does.
    fn send(&mut self, outbox: &mut Outbox, context: &mut Context) -> io::Result<Step> {
        let mut count_max = context.slice.bytes_left();
        if let Some(call_bytes_max) = context.limits.call_bytes_max {
            count_max = count_max.min(call_bytes_max);
            if !self.socket.has_room() {
                self.writable = false;
                return Ok(Step::Goes(0));
            }
        }
        let (began, call) = (context.moment(), if outbox.sends_file() { "sendfile" } else { "send" });
        let sent = outbox.send(&mut self.socket, count_max)?;
        context.record(began, call, outcome_of(sent));
        let step = match sent {
            Sent::Bytes(0) => {
                self.session.spare(context.now, context.limits);
                Step::Goes(CALL_BYTES)
            }
            Sent::Bytes(count) => {
                log::trace!("  send: {count} bytes");
                if let Some(metrics) = context.public_metrics() {
                    metrics.sent_bytes += count as u64;
                }
                self.session.sent(count, context.now, context.limits);
                Step::Goes(count)
            }
            Sent::SocketFull => {
                log::trace!("  send: would block");
                self.writable = false;
                Step::Goes(0)
            }
            Sent::DiskCold => {
                log::trace!("  send: what comes next is not in memory, a disk was asked for it");
                self.session.spare(context.now, context.limits);
                Step::Waits(Verdict::AwaitDisk)
            }
            // Nobody is left to wait for it.
            Sent::NothingYet if self.is_broken => Step::Waits(Verdict::Close),
            Sent::NothingYet => {
                self.session.awaits_content();
                Step::Waits(Verdict::Park(self.socket.read_edge()))
            }
            // Most responses have told their length, so the end tells that one was cut. A reset would destroy
            // what is on its way, the responses before it too.
            Sent::Cut => {
                log::debug!("{}: response cut short, the rest of it is not to be had", self.peer);
                outbox.cut(|ended| tell(&ended, (self.peer, self.door), context.access_log));
                self.session.cut_short();
                Step::Goes(0)
            }
        };
        if let Some(error) = outbox.take_refusal() {
            context.notices.count_once(Notice::Copied, &error, context.now);
        }
        outbox.settle(|ended| {
            tell(&ended, (self.peer, self.door), context.access_log);
            context.count_latency(ended.queued_micros);
        });
        Ok(step)
    }
}

/// What came of a send, as it is recorded.
fn outcome_of(sent: Sent) -> Outcome {
    match sent {
        Sent::Bytes(count) => Outcome::Bytes(count),
        Sent::SocketFull => Outcome::Words("would block"),
        Sent::DiskCold => Outcome::Words("not in memory"),
        Sent::NothingYet => Outcome::Words("nothing yet"),
        Sent::Cut => Outcome::Words("cut"),
    }
}

/// Tells of a response that has left, or of which no more will leave.
fn tell(response: &Ended, (peer, door): (Peer, Door), access_log: &mut AccessLog) {
    // Who looks at the server does not want to see that.
    if door == Door::Public {
        access_log.write(peer, response);
    }
    log::trace!(
        "  response {}, {} bytes of content, queued at {} us",
        if response.is_whole { "sent" } else { "cut" },
        response.content_bytes,
        response.queued_micros,
    );
}

/// What came of a send.
enum Step {
    /// It took so much of the budget.
    Goes(usize),
    Waits(Verdict),
}

#[cfg(test)]
mod tests {
    use std::io::{IoSlice, Read};
    use std::os::fd::BorrowedFd;

    use super::*;
    use crate::client::slice::Slice;
    use crate::http::refusal::Refusal;
    use crate::ledger::Ledger;
    use crate::metrics::Metrics;
    use crate::notices::Notices;
    use crate::responder::{Asked, Responded, Responder};
    use crate::timeline::Timeline;

    /// A socket that has to write before it can be read, as one that negotiates; what can be read is asked
    /// once.
    struct Negotiating {
        may_be_read: bool,
        request: &'static [u8],
    }

    impl Socket for Negotiating {
        fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.may_be_read {
                true => std::mem::take(&mut self.request).read(buffer),
                false => Err(ErrorKind::WouldBlock.into()),
            }
        }

        fn send(&mut self, _slices: &[IoSlice<'_>], _more: bool) -> io::Result<usize> {
            Err(ErrorKind::WouldBlock.into())
        }

        fn send_file(&mut self, _file: BorrowedFd<'_>, _offset: u64, _count: usize) -> io::Result<usize> {
            Err(ErrorKind::Unsupported.into())
        }

        fn shutdown_write(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn read_edge(&self) -> Edge {
            if self.may_be_read { Edge::Readable } else { Edge::Writable }
        }
    }

    /// Has no answer yet.
    struct Silent;

    impl Responder for Silent {
        fn respond(
            &mut self,
            _asked: &Asked,
            _notices: &mut Notices,
            _outbox: &mut Outbox,
        ) -> Option<Responded> {
            None
        }

        fn refuse(
            &mut self,
            refusal: Refusal,
            _head_only: bool,
            _now: &Now,
            _outbox: &mut Outbox,
        ) -> Responded {
            Responded { status: refusal.status(), head_bytes: 0, is_last: true }
        }

        fn begin_turn(&mut self, _is_disk_told: bool, _now: &Now) {}

        fn recheck(&mut self) {}

        fn tend_tick(&self, _now: &Now) -> Option<Tick> {
            None
        }

        fn descriptors(&self) -> usize {
            0
        }
    }

    fn run_at(tick: Tick, connection: &mut Connection<Negotiating>) -> Verdict {
        let (limits, now) = (Limits::default(), Now::at(tick, 0));
        let mut context = Context {
            now: &now,
            limits: &limits,
            responder: &mut Silent,
            access_log: &mut AccessLog::off(),
            key: 0,
            peer: Peer::Local,
            door: Door::Public,
            older: Older::All,
            slice: Slice::new(&|| 0, 1, 1000),
            ledger: &mut Ledger::new(&limits),
            notices: &mut Notices::default(),
            metrics: &mut Metrics::default(),
            timeline: &mut Timeline::off(),
            is_draining: false,
        };
        connection.run(&mut Buffers::new(&limits), &mut context)
    }

    /// Whoever has to wait for the server's disk must not be told to be late.
    #[test]
    fn the_time_of_an_answer_that_is_not_ready_is_not_the_clients() {
        let (limits, now) = (Limits::default(), Now::at(0, 0));
        for request in [
            &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
            b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1",
        ] {
            let socket = Negotiating { may_be_read: true, request };
            let mut connection = Connection::new(socket, (Peer::Local, Door::Public), &now, &limits);
            for tick in [0, 5, 1000] {
                assert_eq!(run_at(tick, &mut connection), Verdict::AwaitDisk);
                let wait = connection.wait().expect("something to wait for");
                assert_eq!(connection.deadline(), tick + wait.secs_max(&limits) + 1, "{wait:?}");
            }
        }
    }

    #[test]
    fn a_socket_tells_which_edge_its_reader_waits_for() {
        let (limits, now) = (Limits::default(), Now::at(0, 0));
        let socket = Negotiating { may_be_read: false, request: b"" };
        let mut connection = Connection::new(socket, (Peer::Local, Door::Public), &now, &limits);
        let run = |connection: &mut Connection<Negotiating>| run_at(0, connection);
        assert_eq!(run(&mut connection), Verdict::Park(Edge::Writable));
        let writable = Readiness { writable: true, ..Readiness::default() };
        connection.mark(writable);
        assert_eq!(run(&mut connection), Verdict::Park(Edge::Writable), "not yet");
        connection.mark(writable);
        connection.socket.may_be_read = true;
        assert_eq!(run(&mut connection), Verdict::Close, "the end was read");
    }
}
