//! Everybody who is connected: their slots, how many each client has, and who has been waiting longest.

use std::io;

use slab::Slab;

use crate::access_log::AccessLog;
use crate::client::buffers::Buffers;
use crate::client::connection::Connection;
use crate::client::context::Context;
use crate::client::verdict::Verdict;
use crate::client::wait::Wait;
use crate::clock::{Now, Tick};
use crate::ledger::{self, Held, Ledger};
use crate::limits::Limits;
use crate::net::peer::Peer;
use crate::net::socket::{Edge, Pollable, Readiness};
use crate::responder::Door;
use crate::turn::per_client::ClientCounts;
use crate::turn::run_queue::{Lane, RunQueue};
use crate::turn::slot::Slot;
use crate::turn::waiting::{KEYS_MAX, Waiting};

/// Why a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It is over.
    Over,
    /// It is not, and its time is up or its place is needed.
    Cut,
}

/// What has a part in the end of a connection.
pub struct End<'a> {
    pub access_log: &'a mut AccessLog,
    pub ledger: &'a mut Ledger,
    pub limits: &'a Limits,
    pub now: &'a Now,
}

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
    count_max: usize,
    /// How many have ever been closed.
    closed: u64,
    /// How many look at how the server is.
    looking: usize,
    looking_max: usize,
}

impl<S: Pollable> Connections<S> {
    pub fn new(limits: &Limits) -> Connections<S> {
        Connections {
            slots: Slab::new(),
            waiting: Waiting::default(),
            clients: ClientCounts::new(limits.connections_per_client_max),
            count_max: limits.connections().min(KEYS_MAX),
            closed: 0,
            looking: 0,
            looking_max: limits.looking_max(),
        }
    }

    /// How many there may be at once.
    pub fn count_max(&self) -> usize {
        self.count_max
    }

    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// How many came in by the public door.
    pub fn public_len(&self) -> usize {
        self.slots.len() - self.looking
    }

    /// Who looks at how the server is, and has asked for nothing for longest.
    pub fn longest_idle_looking(&self) -> Option<usize> {
        let is_meant = |key: &usize| {
            let slot = &self.slots[*key];
            slot.connection.door() == Door::Status && slot.lane.is_none()
        };
        self.waiting.iter(Wait::Request).find(is_meant)
    }

    /// Whether one more may look at how the server is: most places are for clients.
    pub fn has_place_to_look(&self) -> bool {
        self.looking < self.looking_max
    }

    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Whether there is a place for one more: of a client that has none yet, in the reserve, too.
    pub fn has_place(&self, has_nothing_yet: bool) -> bool {
        let reserved = if has_nothing_yet { 0 } else { ledger::places_reserved(self.count_max) };
        self.slots.len() < self.count_max - reserved
    }

    /// How many the client of `peer` has.
    pub fn count_of(&self, peer: Peer) -> usize {
        self.clients.count_of(peer)
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
    pub fn insert(&mut self, connection: Connection<S>, ledger: &mut Ledger, limits: &Limits) -> usize {
        match connection.door() {
            Door::Public => self.clients.enter(connection.peer()),
            Door::Status => self.looking += 1,
        }
        ledger.replace(Held::default(), connection.held(limits));
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

    /// Runs the connection that `context` names.
    pub fn run(&mut self, buffers: &mut Buffers, context: &mut Context) -> Verdict {
        let key = context.key;
        let Some(slot) = self.slots.get_mut(key) else { return Verdict::Close };
        slot.lane = None;
        let connection = &mut slot.connection;
        let (held_before, wait_before) =
            (connection.held(context.limits), (connection.wait(), connection.deadline()));
        let verdict = connection.run(buffers, context);
        context.ledger.replace(held_before, connection.held(context.limits));
        let wait = connection.wait();
        let has_waited_anew = wait_before != (wait, connection.deadline());
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
    /// connection would be the end of the response. A reset also takes back what the kernel still holds for a
    /// client that has not taken it in time.
    pub fn close(&mut self, key: usize, ending: Ending, end: &mut End) {
        let Some(mut slot) = self.slots.try_remove(key) else { return };
        self.waiting.leave(key);
        let connection = &mut slot.connection;
        let is_late = ending == Ending::Cut && connection.wait() == Some(Wait::Linger);
        if connection.has_unsent() || is_late {
            connection.socket.reset_when_closed();
        }
        end.ledger.replace(connection.held(end.limits), Held::default());
        match connection.door() {
            Door::Public => self.clients.leave(connection.peer()),
            Door::Status => self.looking -= 1,
        }
        connection.end(end.access_log);
        self.closed += 1;
    }

    /// The tick at which the first of them is due, unless that one is about to run.
    pub fn next_deadline(&self) -> Option<Tick> {
        let firsts = Wait::ALL.into_iter().filter_map(|wait| self.waiting.first(wait));
        let slots = firsts.map(|key| &self.slots[key]).filter(|slot| slot.lane.is_none());
        slots.map(|slot| slot.connection.deadline()).min()
    }

    /// A connection whose time is up at `tick`. Whoever is about to run is heard first: what it waited for
    /// may have come in time.
    pub fn overdue(&self, tick: Tick) -> Option<usize> {
        let mut firsts = Wait::ALL.into_iter().filter_map(|wait| self.waiting.first(wait));
        let is_overdue = |slot: &Slot<S>| slot.connection.deadline() <= tick && slot.lane.is_none();
        firsts.find(|key| is_overdue(&self.slots[*key]))
    }

    /// The time of the connection at `key` is up. Returns whether its client is to be told: then it is to be
    /// run.
    pub fn is_late(&mut self, key: usize, now: &Now, limits: &Limits) -> bool {
        self.slots.get_mut(key).is_some_and(|slot| slot.connection.is_late(now, limits))
    }

    /// Everybody who waits for `wait`, from whoever has been waiting longest on.
    pub fn waiting_for(&self, wait: Wait) -> impl Iterator<Item = usize> {
        self.waiting.iter(wait)
    }

    /// Of those between two requests, the ones that have been waiting longest, of one tick and within a
    /// bound: the first to go where room is needed. Clients expect that of a kept connection (RFC 9112 §9.5).
    /// None if there are none whose time is up by `deadline_max`.
    pub fn longest_idle(&self, deadline_max: Tick) -> Vec<usize> {
        let idle = self.waiting.iter(Wait::Request).take(EVICTED_MAX);
        let idle = idle.map(|key| (key, &self.slots[key])).filter(|(_, slot)| slot.lane.is_none());
        let mut idle = idle.map(|(key, slot)| (key, slot.connection.deadline())).peekable();
        let oldest = idle.peek().map_or(Tick::MAX, |(_, deadline)| *deadline);
        let is_longest = |deadline: Tick| deadline == oldest && deadline <= deadline_max;
        idle.take_while(|(_, deadline)| is_longest(*deadline)).map(|(key, _)| key).collect()
    }

    /// All keys, for what comes before all are dropped.
    pub fn keys(&self) -> Vec<usize> {
        self.slots.iter().map(|(key, _)| key).collect()
    }

    /// A crowd that has left leaves no memory behind.
    pub fn shrink(&mut self) {
        if self.slots.is_empty() && self.slots.capacity() > SLOTS_KEPT {
            self.slots = Slab::new();
            self.waiting.shrink(SLOTS_KEPT);
            self.clients.shrink();
        }
    }
}
