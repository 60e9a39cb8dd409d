//! Everybody who is connected: their slots, how many each client has, what they keep, and who has to go.

use std::io;

use slab::Slab;

use crate::access_log::AccessLog;
use crate::client::connection::{Buffers, Connection, Verdict};
use crate::client::session::Context;
use crate::client::wait::Wait;
use crate::clock::{Now, Tick};
use crate::limits::Limits;
use crate::net::peer::Peer;
use crate::net::socket::{Edge, Pollable, Readiness};
use crate::turn::per_client::ClientCounts;
use crate::turn::run_queue::{Lane, RunQueue};
use crate::turn::slot::Slot;
use crate::turn::waiting::{KEYS_MAX, Waiting};

/// Idle connections closed at once when there are too many.
const EVICTED_MAX: usize = 64;
/// Slots that are not given back when nobody is left.
const SLOTS_KEPT: usize = 256;

/// All connections of a server, by key.
#[derive(Debug)]
pub struct Connections<S> {
    slots: Slab<Slot<S>>,
    waiting: Waiting,
    clients: ClientCounts,
    /// What all together keep of the unread and the unsent.
    kept_bytes: usize,
    kept_bytes_max: usize,
    count_max: usize,
    /// How many have ever been closed.
    closed: u64,
}

impl<S: Pollable> Connections<S> {
    pub fn new(limits: &Limits) -> Connections<S> {
        Connections {
            slots: Slab::new(),
            waiting: Waiting::default(),
            clients: ClientCounts::new(limits.connections_per_client_max),
            kept_bytes: 0,
            kept_bytes_max: limits.kept_bytes_max,
            count_max: limits.connections().min(KEYS_MAX),
            closed: 0,
        }
    }

    /// How many there may be at once.
    pub fn count_max(&self) -> usize {
        self.count_max
    }

    pub fn len(&self) -> usize {
        self.slots.len()
    }

    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub fn is_full(&self) -> bool {
        self.slots.len() >= self.count_max
    }

    /// How many have ever been closed.
    pub fn closed(&self) -> u64 {
        self.closed
    }

    /// All of them, by key.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Slot<S>)> {
        self.slots.iter()
    }

    /// Whether one more of `peer` is within its bound.
    pub fn welcomes(&self, peer: Peer) -> bool {
        self.clients.has_room(peer)
    }

    /// Gives a connection a place; returns its key.
    pub fn insert(&mut self, connection: Connection<S>) -> usize {
        self.clients.enter(connection.peer());
        let wait = connection.wait();
        let key = self.slots.insert(Slot::new(connection));
        if let Some(wait) = wait {
            self.waiting.join(key, wait);
        }
        key
    }

    /// Notes an event and queues the connection. A key that nobody has any more is passed over.
    pub fn mark(&mut self, key: usize, readiness: Readiness, run_queue: &mut RunQueue) {
        if let Some(slot) = self.slots.get_mut(key) {
            slot.connection.mark(readiness);
            slot.queue(key, Lane::Fresh, run_queue);
        }
    }

    /// Marks and queues all of them.
    pub fn mark_all(&mut self, readiness: Readiness, run_queue: &mut RunQueue) {
        for (key, slot) in &mut self.slots {
            slot.connection.mark(readiness);
            slot.queue(key, Lane::Fresh, run_queue);
        }
    }

    /// Queues the connection at `key`, if there is one.
    pub fn queue(&mut self, key: usize, lane: Lane, run_queue: &mut RunQueue) {
        if let Some(slot) = self.slots.get_mut(key) {
            slot.queue(key, lane, run_queue);
        }
    }

    /// Runs the connection that `context` names. It is over, too, if there is no memory for what it leaves
    /// undone.
    pub fn run(&mut self, buffers: &mut Buffers, context: &mut Context) -> Verdict {
        let key = context.key;
        let Some(slot) = self.slots.get_mut(key) else { return Verdict::Close };
        slot.lane = None;
        let connection = &mut slot.connection;
        let (kept_before, wait_before) =
            (connection.kept_bytes(), (connection.wait(), connection.deadline()));
        let verdict = connection.run(buffers, context);
        let kept_bytes = connection.kept_bytes();
        let wait = connection.wait();
        let has_waited_anew = wait_before != (wait, connection.deadline());
        self.kept_bytes = self.kept_bytes - kept_before + kept_bytes;
        if kept_bytes > 0 && self.kept_bytes > self.kept_bytes_max {
            log::debug!("{}: closed, there is no memory for what it leaves undone", connection.peer());
            return Verdict::Close;
        }
        match wait {
            // Only the order within a tick is lost, and much work saved.
            Some(wait) if has_waited_anew => self.waiting.join(key, wait),
            Some(_) => {}
            None => self.waiting.leave(key),
        }
        verdict
    }

    /// Has the poll tell of the edges that the connection at `key` waits for.
    pub fn register(&mut self, key: usize, edge: Edge, registry: &S::Registry) -> io::Result<()> {
        self.slots.get_mut(key).map_or(Ok(()), |slot| slot.register(registry, key, edge))
    }

    /// The connection at `key`.
    pub fn get(&self, key: usize) -> Option<&Slot<S>> {
        self.slots.get(key)
    }

    /// Closes the connection at `key`, if there is one.
    ///
    /// A response under way is cut by a reset: whoever gets it sees that, even where the end of the
    /// connection would be the end of the response.
    pub fn close(&mut self, key: usize, access_log: &mut AccessLog, now: &Now) {
        let Some(mut slot) = self.slots.try_remove(key) else { return };
        self.waiting.leave(key);
        if slot.connection.has_unsent() {
            slot.connection.socket.reset_when_closed();
        }
        self.kept_bytes -= slot.connection.kept_bytes();
        self.clients.leave(slot.connection.peer());
        slot.connection.end(access_log, now);
        self.closed += 1;
    }

    /// The tick at which the first of them is due.
    pub fn next_deadline(&self) -> Option<Tick> {
        let firsts = Wait::ALL.into_iter().filter_map(|wait| self.waiting.first(wait));
        firsts.map(|key| self.slots[key].connection.deadline()).min()
    }

    /// A connection whose time is up at `tick`. Whoever is about to run is heard first: what it waited for
    /// may have come in time.
    pub fn overdue(&self, tick: Tick) -> Option<usize> {
        let mut firsts = Wait::ALL.into_iter().filter_map(|wait| self.waiting.first(wait));
        let is_overdue = |slot: &Slot<S>| slot.connection.deadline() <= tick && !slot.is_to_run();
        firsts.find(|key| is_overdue(&self.slots[*key]))
    }

    /// Makes room: of those between two requests, the ones that have been waiting longest go, of one tick and
    /// within a bound. Clients expect that of a kept connection (RFC 9112 §9.5). False if there are none
    /// whose time is up by `deadline_max`.
    pub fn close_longest_idle(&mut self, deadline_max: Tick, access_log: &mut AccessLog, now: &Now) -> bool {
        let Some(first) = self.waiting.first(Wait::Request) else { return false };
        let oldest = self.slots[first].connection.deadline();
        let mut count = 0;
        while let Some(key) = self.waiting.first(Wait::Request)
            && count < EVICTED_MAX
        {
            let slot = &self.slots[key];
            if slot.connection.deadline() != oldest || oldest > deadline_max || slot.lane.is_some() {
                break;
            }
            log::debug!("{}: closed, idle, to make room", slot.connection.peer());
            self.close(key, access_log, now);
            count += 1;
        }
        count > 0
    }

    /// What comes before all are dropped: responses under way are cut.
    pub fn end(&mut self, access_log: &mut AccessLog, now: &Now) {
        let keys: Vec<usize> = self.slots.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.close(key, access_log, now);
        }
    }

    /// A crowd that has left leaves no memory behind.
    pub fn shrink(&mut self) {
        if self.slots.is_empty() && self.slots.capacity() > SLOTS_KEPT {
            self.slots = Slab::new();
            self.waiting.shrink(SLOTS_KEPT);
        }
    }
}
