//! Who has to go when something runs short: those idle longest, then the greediest client.
//!
//! How greedy a client is, is what its connections hold of what is short, each times the seconds for which
//! it has not got on. Whoever gets on is not meant, however much it holds, nor is whoever has just come; a
//! client that holds little a hundred times is as greedy as one that holds a hundred times as much. Whoever
//! would come next is not asked at all: to cut the one who happens to ask is to cut the honest.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::client::wait::Wait;
use crate::clock::{Now, Tick};
use crate::ledger::Resource;
use crate::limits::Limits;
use crate::net::peer::Peer;
use crate::net::socket::{Listener, Pollable};
use crate::notices::Notice;
use crate::responder::Responder;
use crate::turn::connections::{Connections, Ending};
use crate::turn::event_loop::EventLoop;

/// Connections closed at once where something is short, at most: about half a millisecond's work.
const RELIEVED_MAX: usize = 256;
/// Whoever gets on has its place for sure; who has not for so long makes room, seconds.
const STALLED_SECS_MIN: u32 = 5;
/// What may hold something while it waits; those in front of each list have been waiting longest.
const WAITS: [Wait; 4] = [Wait::Head, Wait::Body, Wait::Send, Wait::Linger];
/// How many of each list are looked at: some tens of microseconds' work.
const LOOKED_AT_MAX: usize = 256;

/// One that may have to go.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    key: usize,
    client: Peer,
    held: usize,
    greed: u64,
    /// Of all that the client has.
    greed_of_client: u64,
}

impl<L: Listener, R: Responder> EventLoop<L, R> {
    /// Where the reserve was met, has those idle longest go, then the greediest.
    pub(super) fn relieve(&mut self, now: &Now) {
        let mut left = RELIEVED_MAX;
        while let Some(resource) = self.ledger.shortage(self.responder.descriptors()) {
            let (notice, mut keys) = self.first_to_go(resource, now);
            keys.truncate(left);
            left -= keys.len();
            if keys.is_empty() {
                return;
            }
            self.cut(&keys, notice, now);
        }
    }

    fn first_to_go(&self, resource: Resource, now: &Now) -> (Notice, Vec<usize>) {
        // Who is idle keeps nothing in this program's memory.
        let may_be_idle = resource != Resource::Heap;
        let idle = self.connections.longest_idle(self.idle_before_now(now));
        if may_be_idle && !idle.is_empty() {
            return (Notice::Evicted, idle);
        }
        let wanted = (resource, self.ledger.excess(resource, self.responder.descriptors()));
        let greediest = greediest(&self.connections, wanted, 0, now.tick, &self.limits);
        match resource {
            _ if may_be_idle && greediest.is_empty() => {
                (Notice::Evicted, self.connections.longest_idle(Tick::MAX))
            }
            Resource::Descriptors => (Notice::Stalled, greediest),
            Resource::Heap | Resource::Kernel => (Notice::NoMemory, greediest),
        }
    }

    /// Closes connections whose places or memory are needed.
    fn cut(&mut self, keys: &[usize], notice: Notice, now: &Now) {
        for &key in keys {
            if let Some(slot) = self.connections.get(key) {
                let peer = slot.connection.peer();
                log::debug!("{peer}: {}", notice.what());
                self.notices.count(notice, &peer, now);
            }
            self.close(key, Ending::Cut, now);
        }
    }

    /// Makes room for newcomers: those idle longest go, then the greediest of those who do not get on. False
    /// if there are none.
    pub(super) fn make_room(&mut self, now: &Now) -> bool {
        let idle = self.connections.longest_idle(self.idle_before_now(now));
        self.cut(&idle, Notice::Evicted, now);
        if !idle.is_empty() {
            return true;
        }
        let places = (Resource::Descriptors, 1);
        let keys = greediest(&self.connections, places, STALLED_SECS_MIN, now.tick, &self.limits);
        self.cut(&keys, Notice::Stalled, now);
        !keys.is_empty()
    }

    /// The latest deadline of those who are idle: nobody is who was busy this very second.
    fn idle_before_now(&self, now: &Now) -> Tick {
        now.tick.saturating_add(self.limits.idle_secs)
    }
}

/// Those who go first, until so much of `resource` is given back; none who has got on within
/// `stalled_secs_min`.
fn greediest<S: Pollable>(
    connections: &Connections<S>,
    (resource, wanted): (Resource, usize),
    stalled_secs_min: u32,
    tick: Tick,
    limits: &Limits,
) -> Vec<usize> {
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut by_client: HashMap<Peer, u64> = HashMap::new();
    for key in WAITS.into_iter().flat_map(|wait| connections.waiting_for(wait).take(LOOKED_AT_MAX)) {
        let Some(slot) = connections.get(key) else { continue };
        let connection = &slot.connection;
        let files = if resource == Resource::Descriptors { connection.files() } else { 0 };
        let held = connection.held(limits).of(resource) + files;
        let stalled_secs = connection.stalled_secs(tick, limits);
        if held == 0 || stalled_secs < stalled_secs_min {
            continue;
        }
        let client = connection.peer().client();
        let greed = held as u64 * (1 + u64::from(stalled_secs));
        *by_client.entry(client).or_default() += greed;
        candidates.push(Candidate { key, client, held, greed, greed_of_client: 0 });
    }
    for candidate in &mut candidates {
        candidate.greed_of_client = by_client[&candidate.client];
    }
    // Of each client its greediest connections first.
    candidates.sort_unstable_by_key(|candidate| {
        (Reverse((candidate.greed_of_client, candidate.greed)), candidate.key)
    });
    let mut given_back = 0;
    let is_needed = |candidate: &Candidate| {
        let is_needed = given_back < wanted;
        given_back += candidate.held;
        is_needed
    };
    candidates.into_iter().take_while(is_needed).map(|candidate| candidate.key).collect()
}
