//! What is the loop's, and lent to one connection after the other.

use std::fmt::Display;

use super::slice::Slice;
use crate::access_log::AccessLog;
use crate::clock::Now;
use crate::ledger::Ledger;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::net::peer::Peer;
use crate::notices::Notices;
use crate::responder::{Door, Responder};
use crate::timeline::{Moment, Name, Outcome, Timeline, Track};

/// Which of the requests that were received are surely older than what is known of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Older {
    /// They were received in a turn before, or it was looked at since.
    All,
    /// The first is: its first byte was there when the poll told of it, and of all changes before.
    First,
    None,
}

/// What the loop lends to a connection while it runs.
pub struct Context<'a> {
    pub now: &'a Now,
    pub limits: &'a Limits,
    pub responder: &'a mut dyn Responder,
    pub access_log: &'a mut AccessLog,
    /// By which the loop knows the connection.
    pub key: usize,
    /// Who is at the other end of it.
    pub peer: Peer,
    pub door: Door,
    /// Of what it has received.
    pub older: Older,
    /// What it may take before it is the others' turn.
    pub slice: Slice<'a>,
    /// What all connections hold.
    pub ledger: &'a mut Ledger,
    pub notices: &'a mut Notices,
    pub metrics: &'a mut Metrics,
    pub timeline: &'a mut Timeline,
    /// The server is stopping: every response is the last on its connection.
    pub is_draining: bool,
}

impl Context<'_> {
    /// Has the disk looked at again if the next request may be younger than what is known of it: its client
    /// may have changed it, or seen another's response, before it asked.
    pub fn recheck_if_younger(&mut self) {
        match self.older {
            Older::All => {}
            Older::First => self.older = Older::None,
            Older::None => {
                self.responder.recheck();
                self.older = Older::All;
            }
        }
    }
    /// The moment, if it is one to record.
    pub fn moment(&self) -> Moment {
        self.timeline.is_on().then(|| self.now.elapsed_micros * 1000 + self.slice.elapsed_nanos())
    }

    /// Records a step that began at `from` and has ended now.
    pub fn record(&mut self, from: Moment, name: &'static str, outcome: Outcome) {
        let to = self.moment();
        self.timeline.step(Track::Connection(self.key), (from, to), Name::Is(name), outcome);
    }

    /// Records something that took no time of its own.
    pub fn record_point(&mut self, what: &dyn Display) {
        let moment = self.moment();
        self.timeline.point(Track::Connection(self.key), moment, Name::Told(what));
    }

    /// Records that what was waited for has come.
    pub fn record_wait_end(&mut self) {
        let moment = self.moment();
        self.timeline.end(Track::Connection(self.key), moment);
    }

    /// Records what is waited for from now on.
    pub fn record_wait(&mut self, what: &'static str) {
        let moment = self.moment();
        self.timeline.begin(Track::Connection(self.key), moment, Name::Is(what));
    }

    /// Records that another phase begins.
    pub fn record_phase(&mut self, to: &'static str) {
        let (track, moment) = (Track::Connection(self.key), self.moment());
        self.timeline.end(track, moment);
        self.timeline.begin(track, moment, Name::Is(to));
    }

    /// Where it is counted what this client gets, if it is.
    pub fn public_metrics(&mut self) -> Option<&mut Metrics> {
        (self.door == Door::Public).then_some(&mut *self.metrics)
    }

    /// Counts how long it has taken to answer what was queued at `queued_micros`.
    pub fn count_latency(&mut self, queued_micros: u64) {
        if self.metrics.is_timed && self.door == Door::Public {
            let at_micros = self.now.elapsed_micros + self.slice.elapsed_nanos() / 1000;
            self.metrics.latency.add(at_micros.saturating_sub(queued_micros));
        }
    }
}
