//! The HTTP/1.1 life of one client: which phase it is in, and what leads to the next.
//!
//! Bytes in, bytes out: the session never touches a socket, a file or a clock. All transitions go through
//! `Session::enter`, which also sets the deadline.
//!
//! ```text
//!            first byte        head complete             sent, keep-alive
//!   ► Idle ────────────► Head ────────────────────► Send ────────────────► Idle
//!                         │ with a body              ▲  │ sent, last answer
//!                         └─────────► SkipBody ──────┘  ├─────────────────► Done
//!                                                       └──► Linger ──────► Done
//! ```
//!
//! A request with a body is answered once the body has been skipped, so that a body framed badly can still
//! be answered with 400. Its head waits in the input meanwhile.

use std::net::IpAddr;

use crate::access_log::AccessLog;
use crate::client::input::Input;
use crate::clock::{Now, Tick};
use crate::http::body::{Framing, Skip, Skipped};
use crate::http::head::{CONTINUE, Persistence};
use crate::http::method::Method;
use crate::http::request::{self, Expectation, FieldSlots, Parsed, Request, Version};
use crate::http::status::Status;
use crate::limits::Limits;
use crate::outbox::Outbox;
use crate::site::Site;
use crate::site::reply::Answered;

/// What the loop lends to a session for one turn.
pub struct Turn<'a> {
    pub now: &'a Now,
    pub limits: &'a Limits,
    pub site: &'a mut Site,
    pub access_log: &'a mut AccessLog,
    /// What a connection may read or write before it is the others' turn, bytes.
    pub run_bytes_max: usize,
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
    /// A head has begun; its first `searched` bytes are known not to hold a whole one.
    Head {
        searched: u16,
    },
    /// Behind a head of `head_len` bytes, which is kept in the input, a body is on its way.
    SkipBody {
        head_len: u16,
        skip: Skip,
    },
    /// Answers are queued; of them, `sent` bytes have left since the deadline was set.
    Send {
        sent: usize,
    },
    /// The last answer is out, or cut short. What still comes in is counted and thrown away: closing on
    /// unread input would send a reset, which can destroy an answer before the client has read it (RFC 9112
    /// §9.6).
    Linger {
        received: u32,
    },
    Done,
}

/// What follows the answers that are queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Afterwards {
    NextRequest,
    /// The client has said all it had to say: close at once.
    Close,
    /// The client may still be sending: close with care.
    Linger,
}

/// What a request leaves behind it in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyEnd {
    /// The next request, or nothing yet.
    Known,
    /// The rest of a body, of which the end is not looked for.
    Unknown,
}

/// One client's session.
#[derive(Debug)]
pub struct Session {
    client: IpAddr,
    afterwards: Afterwards,
    phase: Phase,
    deadline: Tick,
}

impl Session {
    pub fn new(client: IpAddr, now: &Now, limits: &Limits) -> Session {
        let mut session =
            Session { client, afterwards: Afterwards::NextRequest, phase: Phase::Idle, deadline: 0 };
        session.enter(Phase::Idle, now, limits);
        session
    }

    /// The tick at which the session's time is up.
    pub fn deadline(&self) -> Tick {
        self.deadline
    }

    /// Who is at the other end.
    pub fn client(&self) -> IpAddr {
        self.client
    }

    /// Whether it waits between two requests, or for the first.
    pub fn is_idle(&self) -> bool {
        self.phase == Phase::Idle
    }

    /// Whether no answer is under way.
    pub fn is_waiting(&self) -> bool {
        matches!(self.phase, Phase::Idle | Phase::Head { .. })
    }

    /// The only place that changes the phase to another.
    fn enter(&mut self, phase: Phase, now: &Now, limits: &Limits) {
        self.phase = phase;
        let secs = match phase {
            Phase::Idle => limits.idle_secs,
            // Absolute, this and the next: bytes that drip in do not renew them.
            Phase::Head { .. } => limits.head_secs,
            Phase::SkipBody { .. } => limits.body_secs,
            // Renewed by `sent`.
            Phase::Send { .. } => limits.send_secs,
            Phase::Linger { .. } => limits.linger_secs,
            Phase::Done => 0,
        };
        // A tick is a whole second: one more, so that no time is cut short.
        self.deadline = now.tick.saturating_add(secs).saturating_add(1);
    }

    /// Goes on as far as `input` and `outbox` allow, and says what is needed to go further.
    pub fn advance(&mut self, input: &mut Input, outbox: &mut Outbox, turn: &mut Turn) -> Want {
        let (now, limits) = (turn.now, turn.limits);
        loop {
            match self.phase {
                Phase::Idle if input.is_empty() => return Want::Read,
                Phase::Idle => self.enter(Phase::Head { searched: 0 }, now, limits),
                Phase::Head { searched } => match self.answer_requests(searched, input, outbox, turn) {
                    Some(next) => self.enter(next, now, limits),
                    None => return Want::Read,
                },
                Phase::SkipBody { .. } | Phase::Send { .. } if !outbox.is_empty() => return Want::Write,
                Phase::SkipBody { head_len, skip } => {
                    match self.skip_body(head_len, skip, input, outbox, turn) {
                        Some(next) => self.enter(next, now, limits),
                        None => return Want::Read,
                    }
                }
                Phase::Send { .. } => match self.afterwards {
                    Afterwards::NextRequest => self.enter(Phase::Idle, now, limits),
                    Afterwards::Close if input.is_empty() => self.enter(Phase::Done, now, limits),
                    Afterwards::Close | Afterwards::Linger => {
                        self.enter(Phase::Linger { received: 0 }, now, limits);
                        return Want::HalfClose;
                    }
                },
                Phase::Linger { received } => {
                    let received = received.saturating_add(input.bytes().len() as u32);
                    input.clear();
                    if received >= limits.linger_bytes_max {
                        self.enter(Phase::Done, now, limits);
                    } else {
                        self.phase = Phase::Linger { received };
                        return Want::Read;
                    }
                }
                Phase::Done => return Want::Close,
            }
        }
    }

    /// The pump's word that `count` bytes were sent. Enough of them renew the deadline: to take one now and
    /// then is not.
    pub fn sent(&mut self, count: usize, now: &Now, limits: &Limits) {
        if let Phase::Send { sent } = self.phase {
            let sent = sent.saturating_add(count);
            if sent >= limits.send_bytes_min {
                self.enter(Phase::Send { sent: 0 }, now, limits);
            } else {
                self.phase = Phase::Send { sent };
            }
        }
    }

    /// The pump's word that nothing can be sent before the disk has read it: that is not the client's fault.
    pub fn awaits_disk(&mut self, now: &Now, limits: &Limits) {
        if let Phase::Send { sent } = self.phase {
            self.enter(Phase::Send { sent }, now, limits);
        }
    }

    /// The pump's word that an answer cannot be sent to its end: it is the last. Its rest, and what was
    /// queued behind it, must be gone from the outbox.
    pub fn cut_short(&mut self) {
        self.afterwards = Afterwards::Linger;
    }

    /// Answers all complete requests of the input, within the bounds of a pipeline. Returns the phase that
    /// follows, or `None` if nothing was queued and more input is needed.
    fn answer_requests(
        &mut self,
        mut searched: u16,
        input: &mut Input,
        outbox: &mut Outbox,
        turn: &mut Turn,
    ) -> Option<Phase> {
        for _ in 0..turn.limits.pipeline_max {
            let mut slots = FieldSlots::new();
            match request::parse(input.bytes(), searched.into(), &mut slots, turn.limits) {
                Parsed::Complete { request, head_len } => {
                    let skip = match plan_body(&request, turn.limits) {
                        Ok(skip) => skip,
                        Err(status) => return Some(self.refuse(status, input, outbox, turn)),
                    };
                    let head = &input.bytes()[..head_len];
                    match skip {
                        BodyPlan::NoBody => self.answer(&request, head, BodyEnd::Known, outbox, turn),
                        BodyPlan::Leave => self.answer(&request, head, BodyEnd::Unknown, outbox, turn),
                        // The answers so far leave first: the client may wait for them before it sends the
                        // rest.
                        BodyPlan::Skip { .. } if !outbox.is_empty() => return Some(Phase::Send { sent: 0 }),
                        BodyPlan::Skip { skip, is_awaited } => {
                            if is_awaited && input.bytes().len() == head_len {
                                outbox.bytes_mut().extend_from_slice(CONTINUE);
                            }
                            return Some(Phase::SkipBody { head_len: head_len as u16, skip });
                        }
                    }
                    input.consume(head_len);
                    searched = 0;
                }
                Parsed::Partial if outbox.is_empty() => {
                    self.phase = Phase::Head { searched: input.bytes().len() as u16 };
                    return None;
                }
                Parsed::Partial => return Some(Phase::Send { sent: 0 }),
                Parsed::Refused(status) => return Some(self.refuse(status, input, outbox, turn)),
            }
            // To begin a listing takes time, and it takes memory until it is sent: one after the other.
            let is_full = outbox.buffered_bytes() >= turn.limits.outbox_bytes_max || outbox.ends_in_source();
            if self.afterwards != Afterwards::NextRequest || is_full || input.is_empty() {
                break;
            }
        }
        Some(Phase::Send { sent: 0 })
    }

    /// Cuts the body out of the input; answers the request in front of it once the body has ended.
    fn skip_body(
        &mut self,
        head_len: u16,
        mut skip: Skip,
        input: &mut Input,
        outbox: &mut Outbox,
        turn: &mut Turn,
    ) -> Option<Phase> {
        let head_len = usize::from(head_len);
        let body_end = match skip.feed(&input.bytes()[head_len..]) {
            Skipped::More => {
                input.remove(head_len, usize::MAX);
                self.phase = Phase::SkipBody { head_len: head_len as u16, skip };
                return None;
            }
            Skipped::Malformed => return Some(self.refuse(Status::BadRequest, input, outbox, turn)),
            Skipped::TooLarge => BodyEnd::Unknown,
            Skipped::Done { len } => {
                input.remove(head_len, len);
                BodyEnd::Known
            }
        };
        let mut slots = FieldSlots::new();
        if let Parsed::Complete { request, .. } = request::parse(input.bytes(), 0, &mut slots, turn.limits) {
            self.answer(&request, &input.bytes()[..head_len], body_end, outbox, turn);
        }
        input.consume(head_len);
        Some(Phase::Send { sent: 0 })
    }

    fn answer(
        &mut self,
        request: &Request,
        head: &[u8],
        body_end: BodyEnd,
        outbox: &mut Outbox,
        turn: &mut Turn,
    ) {
        let mut is_last = !request.is_persistent() || turn.is_draining || body_end == BodyEnd::Unknown;
        let persistence = match (is_last, request.version) {
            (true, _) => Persistence::Close,
            (false, Version::Http11) => Persistence::Implied,
            (false, Version::Http10) => Persistence::Announced,
        };
        let answered = turn.site.respond(request, persistence, turn.now, outbox);
        is_last |= answered.is_last;
        // A client that asked for the end sends no more; but what takes long to send leaves time for a stray
        // byte.
        let is_quiet = !request.is_persistent() && body_end == BodyEnd::Known && !outbox.has_segments();
        self.afterwards = match (is_last, is_quiet) {
            (false, _) => Afterwards::NextRequest,
            (true, true) => Afterwards::Close,
            (true, false) => Afterwards::Linger,
        };
        self.log(head, answered, turn);
    }

    /// Answers what cannot be served. Where the next request would start is unknown: all input is dropped.
    fn refuse(&mut self, status: Status, input: &mut Input, outbox: &mut Outbox, turn: &mut Turn) -> Phase {
        let head_only = request::is_head(input.bytes());
        let answered = turn.site.refuse(status, head_only, turn.now, outbox);
        self.log(input.bytes(), answered, turn);
        self.afterwards = Afterwards::Linger;
        input.clear();
        Phase::Send { sent: 0 }
    }

    fn log(&self, head: &[u8], answered: Answered, turn: &mut Turn) {
        let Answered { status, body_bytes, .. } = answered;
        turn.access_log.line(turn.now, self.client, head, status, body_bytes);
    }
}

/// What is done about a request's body.
enum BodyPlan {
    NoBody,
    /// Skip it, then answer. `is_awaited`: the client sends it only when told to go on.
    Skip {
        skip: Skip,
        is_awaited: bool,
    },
    /// Answer at once and close: it is too long, or the client waits to hear whether it is welcome and it is
    /// not.
    Leave,
}

fn plan_body(request: &Request, limits: &Limits) -> Result<BodyPlan, Status> {
    let framing = Framing::of(request)?;
    if framing == Framing::None {
        return Ok(BodyPlan::NoBody);
    }
    let is_served = matches!(request.method, Method::Get | Method::Head | Method::Options);
    Ok(match (Skip::start(framing, limits.body_bytes_max), request.expectation()) {
        (Some(skip), Expectation::None) => BodyPlan::Skip { skip, is_awaited: false },
        (Some(skip), Expectation::Continue) if is_served => BodyPlan::Skip { skip, is_awaited: true },
        _ => BodyPlan::Leave,
    })
}
