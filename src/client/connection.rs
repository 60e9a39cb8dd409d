//! The pump: does what the session wants on one socket, until the socket would block or the budget ends.

use std::io::{self, ErrorKind};
use std::net::IpAddr;

use crate::client::input::Input;
use crate::client::session::{Session, Turn, Want};
use crate::clock::{Now, Tick};
use crate::limits::Limits;
use crate::net::socket::Socket;
use crate::outbox::Outbox;

/// The buffers that serve every connection in turn.
#[derive(Debug)]
pub struct Buffers {
    pub input: Input,
    pub outbox: Outbox,
}

impl Buffers {
    pub fn new(limits: &Limits) -> Buffers {
        let input = Input::with_capacity(2 * usize::from(limits.head_bytes_max));
        Buffers { input, outbox: Outbox::new() }
    }

    /// Drops what is in them.
    pub fn clear(&mut self) {
        self.input.clear();
        self.outbox.clear();
    }
}

/// What a call that was interrupted takes of the budget.
const INTERRUPTION_BYTES: usize = 64;

/// What a run came to, for the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing to do until an edge of this kind.
    Park(Edge),
    /// There is more to do, and it is the others' turn.
    Yield,
    /// There is more to do when the disk has read it. No event tells of that.
    AwaitDisk,
    /// It is over.
    Close,
}

/// What a parked connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    Readable,
    Writable,
}

/// What one event says of a socket: hints, to be tried.
#[derive(Clone, Copy, Debug, Default)]
pub struct Readiness {
    pub readable: bool,
    pub writable: bool,
    /// The peer sends no more, or the connection is broken: a short read is not the last word.
    pub read_closed: bool,
}

/// What a run could not finish. Exists only while it holds something.
#[derive(Debug)]
struct Rest {
    input: Vec<u8>,
    outbox: Outbox,
}

/// Keeps what is unread and unsent; nothing at all if all was read and sent.
fn keep_rest(rest: Option<Box<Rest>>, buffers: &mut Buffers) -> Option<Box<Rest>> {
    let input = buffers.input.bytes();
    match rest {
        Some(rest) if input.is_empty() && rest.outbox.is_empty() => None,
        Some(mut rest) => {
            rest.input.clear();
            rest.input.extend_from_slice(input);
            Some(rest)
        }
        None if input.is_empty() && buffers.outbox.is_empty() => None,
        None => Some(Box::new(Rest { input: input.to_vec(), outbox: buffers.outbox.take_rest() })),
    }
}

/// One client: its socket, its session and what is unfinished.
#[derive(Debug)]
pub struct Connection<S> {
    pub socket: S,
    session: Session,
    rest: Option<Box<Rest>>,
    readable: bool,
    writable: bool,
    read_closed: bool,
    /// Receiving has returned 0.
    at_end: bool,
}

impl<S: Socket> Connection<S> {
    /// A connection just accepted; it may well be readable already.
    pub fn new(socket: S, client: IpAddr, now: &Now, limits: &Limits) -> Connection<S> {
        Connection {
            socket,
            session: Session::new(client, now, limits),
            rest: None,
            readable: true,
            writable: true,
            read_closed: false,
            at_end: false,
        }
    }

    /// Notes what an event said. The flags stay until a call proves them wrong.
    pub fn mark(&mut self, readiness: Readiness) {
        self.readable |= readiness.readable || readiness.read_closed;
        self.writable |= readiness.writable;
        self.read_closed |= readiness.read_closed;
    }

    /// The tick at which the connection's time is up.
    pub fn deadline(&self) -> Tick {
        self.session.deadline()
    }

    /// Bytes of memory it owns while it waits.
    pub fn kept_bytes(&self) -> usize {
        self.rest.as_ref().map_or(0, |rest| rest.input.capacity() + rest.outbox.capacity())
    }

    /// Who is at the other end.
    pub fn client(&self) -> IpAddr {
        self.session.client()
    }

    /// Whether it waits between two requests, or for the first.
    pub fn is_idle(&self) -> bool {
        self.session.is_idle()
    }

    /// Whether something is left of an answer that has not been handed to the socket.
    pub fn has_unsent(&self) -> bool {
        self.rest.as_ref().is_some_and(|rest| !rest.outbox.is_empty())
    }

    /// Whether no answer is under way.
    pub fn is_waiting(&self) -> bool {
        self.session.is_waiting()
    }

    /// Runs until nothing more can be done now. `buffers` must be empty, and are so again afterwards.
    pub fn run(&mut self, buffers: &mut Buffers, turn: &mut Turn) -> Verdict {
        let mut rest = self.rest.take();
        let outbox = match &mut rest {
            Some(rest) => {
                buffers.input.load(&rest.input);
                &mut rest.outbox
            }
            None => &mut buffers.outbox,
        };
        let verdict = self.pump(&mut buffers.input, outbox, turn);
        self.rest = keep_rest(rest, buffers);
        buffers.clear();
        verdict
    }

    fn pump(&mut self, input: &mut Input, outbox: &mut Outbox, turn: &mut Turn) -> Verdict {
        let mut budget = turn.run_bytes_max;
        let mut is_first_step = true;
        while budget > 0 {
            let step = match self.session.advance(input, outbox, turn) {
                Want::Read if self.at_end => return Verdict::Close,
                Want::Read if !self.readable => return Verdict::Park(Edge::Readable),
                Want::Read => {
                    // What comes now may have been sent after the site checked its files in this turn: by a
                    // client that saw an answer leave, too.
                    if !is_first_step {
                        turn.site.recheck();
                    }
                    self.receive(input)
                }
                Want::Write if !self.writable => return Verdict::Park(Edge::Writable),
                Want::Write => self.send(outbox, budget, turn),
                Want::HalfClose => self.socket.shutdown_write().map(|()| 0),
                Want::Close => return Verdict::Close,
            };
            is_first_step = false;
            match step {
                Ok(count) => budget = budget.saturating_sub(count),
                // Tried again, but not for ever.
                Err(error) if error.kind() == ErrorKind::Interrupted => {
                    budget = budget.saturating_sub(INTERRUPTION_BYTES);
                }
                Err(error) if error.kind() == ErrorKind::ResourceBusy => {
                    self.session.awaits_disk(turn.now, turn.limits);
                    return Verdict::AwaitDisk;
                }
                // An answer with a file told its length, so the end tells that it was cut. A reset would
                // destroy what is on its way, the answers before it too.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    log::debug!("answer cut short: its file is not what it was");
                    outbox.clear();
                    self.session.cut_short();
                }
                Err(error) => {
                    log::debug!("connection closed: {error}");
                    return Verdict::Close;
                }
            }
        }
        Verdict::Yield
    }

    /// Reads once. After that `readable` tells whether there may be more: a read that did not fill the buffer
    /// emptied the socket, unless the end is near, which brings no edge of its own.
    fn receive(&mut self, input: &mut Input) -> io::Result<usize> {
        let space = input.space();
        let room = space.len();
        match self.socket.receive(space) {
            Ok(count) => {
                self.at_end = count == 0;
                self.readable = count == room || self.read_closed;
                input.filled(count);
                Ok(count)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.readable = false;
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }

    /// Sends once; returns what it takes of the budget. A short send proves nothing: only `WouldBlock` does.
    fn send(&mut self, outbox: &mut Outbox, budget: usize, turn: &Turn) -> io::Result<usize> {
        // To make a piece takes longer than its bytes tell: after each it is the others' turn.
        let is_made = outbox.starts_with_source();
        match outbox.write_some(&mut self.socket, budget) {
            Ok(count) => {
                self.session.sent(count, turn.now, turn.limits);
                Ok(if is_made { budget } else { count })
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.writable = false;
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }
}
