//! A request and its answer: asked of whoever answers, told to the log, and what follows on the connection.

use super::context::Context;
use super::input::Input;
use crate::http::head::Persistence;
use crate::http::refusal::Refusal;
use crate::http::request::{self, Request, Version};
use crate::notices::Notice;
use crate::outbox::Outbox;
use crate::responder::{Asked, Responded};

/// What follows the responses that are queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    NextRequest,
    /// The client has said all it had to say: close at once.
    Close,
    /// The client may still be sending: close with care.
    Linger,
}

/// What a request leaves behind it in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyEnd {
    /// The next request, or nothing yet.
    Known,
    /// The rest of a body, of which the end is not looked for.
    Unknown,
}

/// Queues the response to a request; returns what follows it, or `None` if it is to be asked for again.
pub fn respond(
    request: &Request,
    head: &[u8],
    body_end: BodyEnd,
    outbox: &mut Outbox,
    context: &mut Context,
) -> Option<Afterwards> {
    let mut is_last = !request.is_persistent() || context.is_draining || body_end == BodyEnd::Unknown;
    let persistence = match (is_last, request.version) {
        (true, _) => Persistence::Close,
        (false, Version::Http11) => Persistence::Implied,
        (false, Version::Http10) => Persistence::Announced,
    };
    let asked = Asked { request, persistence, now: context.now, key: context.key, door: context.door };
    let head_at = outbox.bytes_mut().len();
    context.recheck_if_younger();
    let responded = context.responder.respond(&asked, context.notices, outbox)?;
    is_last |= responded.is_last;
    // A client that asked for the end sends no more; but what takes long to send leaves time for a stray
    // byte, and more with the kernel than is to be left behind.
    let is_quiet = !request.is_persistent() && body_end == BodyEnd::Known && outbox.is_short();
    end_response(head, head_at, responded, outbox, context);
    Some(match (is_last, is_quiet) {
        (false, _) => Afterwards::NextRequest,
        (true, true) => Afterwards::Close,
        (true, false) => Afterwards::Linger,
    })
}

/// Answers what cannot be served. Where the next request would start is unknown: all input is dropped.
pub fn refuse(refusal: Refusal, input: &mut Input, outbox: &mut Outbox, context: &mut Context) -> Afterwards {
    if refusal == Refusal::TlsHello {
        context.notices.count(Notice::TlsHello, &context.peer, context.now);
    }
    let head_only = request::is_head(input.bytes());
    let head_at = outbox.bytes_mut().len();
    let responded = context.responder.refuse(refusal, head_only, context.now, outbox);
    end_response(input.bytes(), head_at, responded, outbox, context);
    input.clear();
    // Who has sent nothing for so long is not waited for once more.
    if refusal == Refusal::Late { Afterwards::Close } else { Afterwards::Linger }
}

/// Says that a response to `head` ends here, and what the log is to tell of it.
fn end_response(
    head: &[u8],
    head_at: usize,
    responded: Responded,
    outbox: &mut Outbox,
    context: &mut Context,
) {
    let Responded { status, head_bytes, .. } = responded;
    log::trace!("  {}: {}", request::first_line(head).escape_ascii(), status.code_and_reason());
    // What is not recorded is not looked for either.
    if context.timeline.is_on() {
        let line = request::first_line(head).escape_ascii();
        context.record_point(&format_args!("{line}: {}", status.code_and_reason()));
    }
    if let Some(metrics) = context.public_metrics() {
        metrics.count_response(status.code());
    }
    outbox.end_response(head_at + head_bytes, context.now.elapsed_micros, |line| {
        context.access_log.describe(context.now, head, status, line);
    });
}
