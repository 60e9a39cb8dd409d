//! What answers requests, as far as a session is concerned: the folder is one kind.

use crate::clock::{Now, Tick};
use crate::http::head::Persistence;
use crate::http::refusal::Refusal;
use crate::http::request::Request;
use crate::http::status::Status;
use crate::metrics::{CacheCounts, Snapshot};
use crate::notices::Notices;
use crate::outbox::Outbox;

/// Where a client came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Where everybody is served.
    Public,
    /// Where whoever runs the server looks at it. What goes on there is not counted.
    Status,
}

/// Answers requests: bytes in, responses queued.
pub trait Responder {
    /// Queues the response to `asked`; `None` if that has to be asked for again in a moment, and nothing was
    /// queued. What goes wrong on the server's side is counted among `notices`.
    fn respond(&mut self, asked: &Asked, notices: &mut Notices, outbox: &mut Outbox) -> Option<Responded>;

    /// Queues the response to what was no request that could be served. It is the last on its connection.
    fn refuse(&mut self, refusal: Refusal, head_only: bool, now: &Now, outbox: &mut Outbox) -> Responded;

    /// A turn begins: from now on no response rests on what was known before, unless the poll would have told
    /// that it has changed; `is_disk_told` if it has. Goes on with what is done beside requests: a fraction
    /// of a millisecond's work.
    fn begin_turn(&mut self, is_disk_told: bool, now: &Now);

    /// From now on no response rests on what was known before. Called when the request that comes next may be
    /// younger than what the poll has told of.
    fn recheck(&mut self);

    /// When a turn is to begin at the latest; `None` if only a request brings something to do.
    fn tend_tick(&self, now: &Now) -> Option<Tick>;

    /// Whether it wants to be told how the loop is, before the next request is answered.
    fn wants_snapshot(&self) -> bool {
        false
    }

    /// Tells it how the loop is. Returns the keys of connections that content has come for.
    fn look_at(&mut self, _snapshot: Snapshot) -> Vec<usize> {
        Vec::new()
    }

    /// Look-ups of files so far.
    fn cache_counts(&self) -> CacheCounts {
        CacheCounts::default()
    }

    /// Files and folders that are open, for responses under way and to be used again.
    fn descriptors(&self) -> usize;
}

/// A request, and what else its response rests on.
#[derive(Debug)]
pub struct Asked<'a> {
    pub request: &'a Request<'a>,
    pub persistence: Persistence,
    pub now: &'a Now,
    /// By which the connection can be woken, where content that is [not there
    /// yet](crate::outbox::Pulled::NothingYet) has come.
    pub key: usize,
    pub door: Door,
}

/// What was queued, for the session and the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Responded {
    pub status: Status,
    /// Bytes of the head, with its empty line.
    pub head_bytes: usize,
    /// The content ends with the connection.
    pub is_last: bool,
}
