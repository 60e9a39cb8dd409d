//! The HTTP/1.1 life of one client: which phase it is in, and what leads to the next.
//!
//! Bytes in, bytes out: the session never touches a socket, a file or a clock. All transitions go through
//! [`Session::enter`], which also sets the deadline, so the match in it is the whole table.
//!
//! ```text
//!            first byte        head complete        sent, keep-alive
//!   ► Idle ────────────► Head ───────────────► Send ────────────────► Idle
//!                          │ refused            │ sent, last answer
//!                          └─────────► Send     ├──────────────────► Done
//!                                               └──► Linger ───────► Done
//! ```

use std::net::IpAddr;

use crate::access_log::AccessLog;
use crate::clock::{Now, Tick};
use crate::http::head::Persistence;
use crate::http::request::{self, FieldSlots, Parsed, Request, Version};
use crate::input::Input;
use crate::limits::Limits;
use crate::outbox::Outbox;
use crate::site::{Answered, Site};

/// What the loop lends to a session for one turn.
pub struct Turn<'a> {
    pub now: &'a Now,
    pub limits: &'a Limits,
    pub site: &'a mut Site,
    pub access_log: &'a mut AccessLog,
    /// The server is stopping: every answer is the last on its connection.
    pub is_draining: bool,
}

/// What the session needs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// More input.
    Read,
    /// The outbox sent, in part at least.
    Write,
    /// Writing shut down: the client is to see the end, and may still send.
    HalfClose,
    /// The connection closed.
    Close,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Between requests, nothing received.
    Idle,
    /// A head has begun.
    Head,
    /// Answers are queued.
    Send,
    /// The last answer is out; what still comes in is thrown away, so that no reset overtakes it.
    Linger,
    Done,
}

/// What follows the answers that are queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Afterwards {
    NextRequest,
    /// The client has said all it had to say: close at once.
    Close,
    /// The client may still be sending: close with care (RFC 9112 §9.6).
    Linger,
}

/// One client's session.
#[derive(Debug)]
pub struct Session {
    client: IpAddr,
    phase: Phase,
    afterwards: Afterwards,
    deadline: Tick,
    /// Bytes of the unfinished head that were parsed before; while lingering, bytes thrown away.
    searched: u32,
}

impl Session {
    pub fn new(client: IpAddr, now: &Now, limits: &Limits) -> Session {
        let afterwards = Afterwards::NextRequest;
        let mut session = Session { client, phase: Phase::Idle, afterwards, deadline: 0, searched: 0 };
        session.enter(Phase::Idle, now, limits);
        session
    }

    /// The tick at which the session's time is up.
    pub fn deadline(&self) -> Tick {
        self.deadline
    }

    /// Whether no answer is under way.
    pub fn is_waiting(&self) -> bool {
        matches!(self.phase, Phase::Idle | Phase::Head)
    }

    /// The only place that changes the phase.
    fn enter(&mut self, phase: Phase, now: &Now, limits: &Limits) {
        self.phase = phase;
        let secs = match phase {
            Phase::Idle => limits.idle_secs,
            // Absolute: bytes that drip in do not renew it.
            Phase::Head => limits.head_secs,
            // Renewed by `sent`.
            Phase::Send => limits.send_stall_secs,
            Phase::Linger => limits.linger_secs,
            Phase::Done => 0,
        };
        // A tick is a whole second: one more, so that no time is cut short.
        self.deadline = now.tick.saturating_add(secs).saturating_add(1);
        self.searched = 0;
    }

    /// Goes on as far as `input` and `outbox` allow, and says what is needed to go further.
    pub fn advance(&mut self, input: &mut Input, outbox: &mut Outbox, turn: &mut Turn) -> Want {
        loop {
            match self.phase {
                Phase::Idle if input.is_empty() => return Want::Read,
                Phase::Idle => self.enter(Phase::Head, turn.now, turn.limits),
                Phase::Head => {
                    self.answer_requests(input, outbox, turn);
                    match outbox.is_empty() {
                        true => return Want::Read,
                        false => self.enter(Phase::Send, turn.now, turn.limits),
                    }
                }
                Phase::Send if !outbox.is_empty() => return Want::Write,
                Phase::Send => match self.afterwards {
                    Afterwards::NextRequest => self.enter(Phase::Idle, turn.now, turn.limits),
                    Afterwards::Close if input.is_empty() => self.enter(Phase::Done, turn.now, turn.limits),
                    Afterwards::Close | Afterwards::Linger => {
                        self.enter(Phase::Linger, turn.now, turn.limits);
                        return Want::HalfClose;
                    }
                },
                Phase::Linger => match self.throw_away(input, turn.limits) {
                    true => return Want::Read,
                    false => self.enter(Phase::Done, turn.now, turn.limits),
                },
                Phase::Done => return Want::Close,
            }
        }
    }

    /// The pump's word that something was sent.
    pub fn sent(&mut self, now: &Now, limits: &Limits) {
        self.deadline = now.tick.saturating_add(limits.send_stall_secs).saturating_add(1);
    }

    /// Answers all complete requests of the input, within the bounds of a pipeline.
    fn answer_requests(&mut self, input: &mut Input, outbox: &mut Outbox, turn: &mut Turn) {
        for _ in 0..turn.limits.pipeline_max {
            let mut slots = FieldSlots::new();
            match request::parse(input.bytes(), self.searched as usize, &mut slots, turn.limits) {
                Parsed::Complete { request, head_len } => {
                    self.answer(&request, &input.bytes()[..head_len], outbox, turn);
                    input.consume(head_len);
                    self.searched = 0;
                }
                Parsed::Partial => {
                    self.searched = input.bytes().len() as u32;
                    return;
                }
                Parsed::Refused(status) => {
                    let answered = turn.site.refuse(status, turn.now, outbox);
                    self.log(input.bytes(), answered, turn);
                    self.afterwards = Afterwards::Linger;
                    input.clear();
                }
            }
            let is_full = outbox.buffered_bytes() >= turn.limits.outbox_bytes_max;
            if self.afterwards != Afterwards::NextRequest || is_full || input.is_empty() {
                return;
            }
        }
    }

    fn answer(&mut self, request: &Request, head: &[u8], outbox: &mut Outbox, turn: &mut Turn) {
        let persistence = match (request.is_persistent() && !turn.is_draining, request.version) {
            // A body is not read: where the next request starts will not be known.
            _ if request.has_body() => Persistence::Close,
            (false, _) => Persistence::Close,
            (true, Version::Http11) => Persistence::Implied,
            (true, Version::Http10) => Persistence::Announced,
        };
        if persistence == Persistence::Close {
            self.afterwards =
                if request.has_body() || turn.is_draining { Afterwards::Linger } else { Afterwards::Close };
        }
        let answered = turn.site.respond(request, persistence, turn.now, outbox);
        self.log(head, answered, turn);
    }

    fn log(&self, head: &[u8], answered: Answered, turn: &mut Turn) {
        let Answered { status, body_bytes } = answered;
        turn.access_log.line(turn.now, self.client, request::first_line(head), status, body_bytes);
    }

    /// Empties the input; false once the client has sent more than it may.
    fn throw_away(&mut self, input: &mut Input, limits: &Limits) -> bool {
        self.searched = self.searched.saturating_add(input.bytes().len() as u32);
        input.clear();
        (self.searched as usize) < limits.linger_bytes_max
    }
}
