//! The HTTP/1.1 life of one client: which phase it is in, and what leads to the next.
//!
//! Bytes in, bytes out: the session never touches a socket, a file or a clock. All transitions go through
//! `Session::enter`, which also sets the deadline.
//!
//! ```text
//!            first byte        head complete             sent, keep-alive
//!   ► Idle ────────────► Head ────────────────────► Send ────────────────► Idle
//!                         │ with a body              ▲  │ sent, the last
//!                         ├─────────► SkipBody ──────┤  ├─────────────────► Done
//!                         │ time is up   │           │  └──► Linger ──────► Done
//!                         └──────────────┴──► Late ──┘
//! ```
//!
//! A request with a body is answered once the body has been skipped, so that a body framed badly can still
//! be answered with 400. Its head waits in the input meanwhile.

use super::answer::{self, Afterwards, BodyEnd, respond};
use super::context::Context;
use super::input::Input;
use super::wait::Wait;
use crate::clock::{Now, Tick};
use crate::http::body::{BodyPlan, Skip, Skipped};
use crate::http::head::CONTINUE;
use crate::http::refusal::Refusal;
use crate::http::request::{self, FieldSlots, Parsed};
use crate::limits::Limits;
use crate::outbox::Outbox;

/// What the session needs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// More input.
    Read,
    /// The outbox sent, in part at least.
    Write,
    /// To be asked again in a moment: whoever answers is not ready to.
    Later,
    /// Writing shut down: the client is to see the end, and may still send.
    HalfClose,
    /// The connection closed.
    Close,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// This phase follows.
    Goes(Phase),
    /// Nothing was queued, and this is needed.
    Needs(Want),
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
    /// A request has not come in time, and is about to be told so.
    Late,
    /// Responses are queued; of them, `sent` bytes have left since the deadline was set.
    Send {
        sent: u32,
        afterwards: Afterwards,
    },
    /// The last response is out, or cut short. What still comes in is counted and thrown away: closing on
    /// unread input would send a reset, which can destroy a response before the client has read it (RFC 9112
    /// §9.6). Of what was `sent` last, the kernel may hold some until the client takes it.
    Linger {
        received: u32,
        sent: u32,
    },
    Done,
}

/// One client's session.
#[derive(Debug)]
pub struct Session {
    phase: Phase,
    deadline: Tick,
}

/// The deadline of whoever waits for content that is not there yet: that is not the client's fault.
const NO_DEADLINE: Tick = Tick::MAX;

impl Session {
    pub fn new(now: &Now, limits: &Limits) -> Session {
        let mut session = Session { phase: Phase::Done, deadline: 0 };
        session.enter(Phase::Idle, now, limits);
        session
    }

    /// The tick at which the session's time is up.
    pub fn deadline(&self) -> Tick {
        self.deadline
    }

    /// What it waits for; `None` if it may take as long as it does, or if it is over.
    pub fn wait(&self) -> Option<Wait> {
        if self.deadline == NO_DEADLINE { None } else { self.phase.wait() }
    }

    /// Where it is.
    pub fn phase(&self) -> &'static str {
        self.phase.name()
    }

    /// The only place that changes the phase to another.
    fn enter(&mut self, phase: Phase, now: &Now, limits: &Limits) {
        log::trace!("  {} → {}", self.phase.name(), phase.name());
        self.phase = phase;
        let secs_max = phase.wait().map_or(0, |wait| wait.secs_max(limits));
        // A tick is a whole second: one more, so that no time is cut short.
        self.deadline = now.tick.saturating_add(secs_max).saturating_add(1).min(NO_DEADLINE - 1);
    }

    /// Goes on as far as `input` and `outbox` allow, and says what is needed to go further.
    pub fn advance(&mut self, input: &mut Input, outbox: &mut Outbox, context: &mut Context) -> Want {
        let (now, limits) = (context.now, context.limits);
        loop {
            match self.phase {
                Phase::Idle if input.is_empty() => return Want::Read,
                Phase::Idle => self.enter(Phase::Head { searched: 0 }, now, limits),
                Phase::Head { searched } => {
                    match self.respond_to_requests(searched, input, outbox, context) {
                        Step::Goes(next) => self.enter(next, now, limits),
                        Step::Needs(want) => return want,
                    }
                }
                Phase::Late => {
                    let afterwards = answer::refuse(Refusal::Late, input, outbox, context);
                    self.enter(Phase::Send { sent: 0, afterwards }, now, limits);
                }
                Phase::SkipBody { .. } | Phase::Send { .. } if !outbox.is_empty() => return Want::Write,
                Phase::SkipBody { head_len, skip } => {
                    match self.skip_body(head_len, skip, input, outbox, context) {
                        Step::Goes(next) => self.enter(next, now, limits),
                        Step::Needs(want) => return want,
                    }
                }
                Phase::Send { sent, afterwards } => match afterwards {
                    Afterwards::NextRequest => self.enter(Phase::Idle, now, limits),
                    Afterwards::Close if input.is_empty() && self.leaves_behind(context) => {
                        self.enter(Phase::Done, now, limits);
                    }
                    Afterwards::Close | Afterwards::Linger => {
                        self.enter(Phase::Linger { received: 0, sent }, now, limits);
                        return Want::HalfClose;
                    }
                },
                Phase::Linger { received, sent } => {
                    let received = received.saturating_add(input.bytes().len() as u32);
                    input.clear();
                    if received >= limits.linger_bytes_max {
                        self.enter(Phase::Done, now, limits);
                    } else {
                        self.phase = Phase::Linger { received, sent };
                        return Want::Read;
                    }
                }
                Phase::Done => return Want::Close,
            }
        }
    }

    /// Whether the connection may be closed at once, though nobody knows whether the client has got what was
    /// sent last: the kernel keeps that for it.
    pub fn leaves_behind(&self, context: &mut Context) -> bool {
        let sent =
            if let Phase::Send { sent, .. } | Phase::Linger { sent, .. } = self.phase { sent } else { 0 };
        context.ledger.leaves_behind(sent as usize, context.now.tick)
    }

    /// The loop's word that its time is up. Returns whether there is a request under way: its client is told
    /// so in the next run (RFC 9110 §15.5.9).
    pub fn is_late(&mut self, now: &Now, limits: &Limits) -> bool {
        let is_asking = matches!(self.phase, Phase::Head { .. } | Phase::SkipBody { .. });
        if is_asking {
            self.enter(Phase::Late, now, limits);
        }
        is_asking
    }

    /// The pump's word that `count` bytes were sent. Enough of them renew the deadline: to take one now and
    /// then is not.
    pub fn sent(&mut self, count: usize, now: &Now, limits: &Limits) {
        if let Phase::Send { sent, afterwards } = self.phase {
            let sent = sent.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
            if sent as usize >= limits.send_bytes_min {
                self.enter(Phase::Send { sent: 0, afterwards }, now, limits);
            } else {
                self.phase = Phase::Send { sent, afterwards };
            }
        }
    }

    /// The pump's word that a response, or its content, is not to be had yet: that is not the client's fault.
    pub fn spare(&mut self, now: &Now, limits: &Limits) {
        if let Phase::Head { .. } | Phase::SkipBody { .. } | Phase::Send { .. } = self.phase {
            self.enter(self.phase, now, limits);
        }
    }

    /// The pump's word that there is nothing to send before somebody wakes the connection.
    pub fn awaits_content(&mut self) {
        self.deadline = NO_DEADLINE;
    }

    /// The pump's word that it runs again: from now on it is the client that is waited for.
    pub fn resume(&mut self, now: &Now, limits: &Limits) {
        if self.deadline == NO_DEADLINE {
            self.enter(self.phase, now, limits);
        }
    }

    /// The pump's word that a response cannot be sent to its end: it is the last. Its rest, and what was
    /// queued behind it, must be gone from the outbox.
    pub fn cut_short(&mut self) {
        if let Phase::Send { sent, .. } = self.phase {
            self.phase = Phase::Send { sent, afterwards: Afterwards::Linger };
        }
    }

    /// Answers all complete requests of the input, within the bounds of a pipeline.
    fn respond_to_requests(
        &mut self,
        mut searched: u16,
        input: &mut Input,
        outbox: &mut Outbox,
        context: &mut Context,
    ) -> Step {
        let mut afterwards = Afterwards::NextRequest;
        for _ in 0..context.limits.pipeline_max {
            let mut slots = FieldSlots::new();
            match request::parse(input.bytes(), searched.into(), &mut slots, context.limits) {
                Parsed::Complete { request, head_len } => {
                    let skip = match BodyPlan::of(&request, context.limits) {
                        Ok(skip) => skip,
                        Err(refusal) => return refused(refusal, input, outbox, context),
                    };
                    let head = &input.bytes()[..head_len];
                    let body_end = match skip {
                        BodyPlan::NoBody => BodyEnd::Known,
                        BodyPlan::Leave => BodyEnd::Unknown,
                        // The responses so far leave first: the client may wait for them before it sends the
                        // rest.
                        BodyPlan::Skip { .. } if !outbox.is_empty() => break,
                        BodyPlan::Skip { skip, is_awaited } => {
                            if is_awaited && input.bytes().len() == head_len {
                                outbox.bytes_mut().extend_from_slice(CONTINUE);
                            }
                            return Step::Goes(Phase::SkipBody { head_len: head_len as u16, skip });
                        }
                    };
                    afterwards = match respond(&request, head, body_end, outbox, context) {
                        Some(afterwards) => afterwards,
                        None if outbox.is_empty() => return Step::Needs(Want::Later),
                        // Those in front of it need not wait.
                        None => break,
                    };
                    input.consume(head_len);
                    searched = 0;
                }
                Parsed::Partial if outbox.is_empty() => {
                    self.phase = Phase::Head { searched: input.bytes().len() as u16 };
                    return Step::Needs(Want::Read);
                }
                Parsed::Partial => break,
                Parsed::Refused(refusal) => return refused(refusal, input, outbox, context),
            }
            // What is not in memory holds a descriptor until it is sent, and is sent by calls of its own all
            // the same: one after the other.
            let is_full = outbox.buffered_bytes() >= context.limits.outbox_bytes_max || outbox.has_segments();
            let is_over = afterwards != Afterwards::NextRequest || is_full || input.is_empty();
            if is_over || context.slice.is_time_up() {
                break;
            }
        }
        Step::Goes(Phase::Send { sent: 0, afterwards })
    }

    /// Cuts the body out of the input; answers the request in front of it once the body has ended.
    fn skip_body(
        &mut self,
        head_len: u16,
        mut skip: Skip,
        input: &mut Input,
        outbox: &mut Outbox,
        context: &mut Context,
    ) -> Step {
        let head_len = usize::from(head_len);
        let body_end = match skip.feed(&input.bytes()[head_len..]) {
            Skipped::More => {
                input.truncate(head_len);
                self.phase = Phase::SkipBody { head_len: head_len as u16, skip };
                return Step::Needs(Want::Read);
            }
            Skipped::Malformed => return refused(Refusal::Chunks, input, outbox, context),
            Skipped::TooLarge => BodyEnd::Unknown,
            Skipped::Done { len } => {
                input.remove(head_len, len);
                BodyEnd::Known
            }
        };
        // Its head was good before.
        let mut afterwards = Afterwards::Linger;
        let mut slots = FieldSlots::new();
        if let Parsed::Complete { request, .. } = request::parse(input.bytes(), 0, &mut slots, context.limits)
        {
            match respond(&request, &input.bytes()[..head_len], body_end, outbox, context) {
                Some(next) => afterwards = next,
                // Asked again, the skip says the same.
                None => {
                    self.phase = Phase::SkipBody { head_len: head_len as u16, skip };
                    return Step::Needs(Want::Later);
                }
            }
        }
        input.consume(head_len);
        Step::Goes(Phase::Send { sent: 0, afterwards })
    }
}

fn refused(refusal: Refusal, input: &mut Input, outbox: &mut Outbox, context: &mut Context) -> Step {
    Step::Goes(Phase::Send { sent: 0, afterwards: answer::refuse(refusal, input, outbox, context) })
}

impl Phase {
    /// As in the picture above.
    fn name(self) -> &'static str {
        match self {
            Phase::Idle => "Idle",
            Phase::Head { .. } => "Head",
            Phase::SkipBody { .. } => "SkipBody",
            Phase::Late => "Late",
            Phase::Send { .. } => "Send",
            Phase::Linger { .. } => "Linger",
            Phase::Done => "Done",
        }
    }

    fn wait(self) -> Option<Wait> {
        match self {
            Phase::Idle => Some(Wait::Request),
            // Absolute, this and the next: bytes that drip in do not renew them.
            Phase::Head { .. } | Phase::Late => Some(Wait::Head),
            Phase::SkipBody { .. } => Some(Wait::Body),
            // Renewed by `sent`.
            Phase::Send { .. } => Some(Wait::Send),
            Phase::Linger { .. } => Some(Wait::Linger),
            Phase::Done => None,
        }
    }
}
