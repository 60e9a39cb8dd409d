//! What is the loop's, and lent to one connection after the other.

use super::slice::Slice;
use crate::access_log::AccessLog;
use crate::clock::Now;
use crate::ledger::Ledger;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::net::peer::Peer;
use crate::notices::Notices;
use crate::responder::{Door, Responder};

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
    /// What it may take before it is the others' turn.
    pub slice: Slice<'a>,
    /// What all connections hold.
    pub ledger: &'a mut Ledger,
    pub notices: &'a mut Notices,
    pub metrics: &'a mut Metrics,
    /// The server is stopping: every response is the last on its connection.
    pub is_draining: bool,
}

impl Context<'_> {
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
