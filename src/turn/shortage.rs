//! Who has to go when something runs short: the greediest client first.
//!
//! How greedy a client is, is what its connections hold of what is short, each times the seconds for which it
//! has not got on. Whoever gets on is not meant, however much it holds, nor is whoever has just come; a client
//! that holds little a hundred times is as greedy as one that holds a hundred times as much. Whoever would
//! come next is not asked at all: to cut the one who happens to ask is to cut the honest.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::client::wait::Wait;
use crate::clock::Tick;
use crate::ledger::Resource;
use crate::limits::Limits;
use crate::net::peer::Peer;
use crate::net::socket::Pollable;
use crate::turn::connections::Connections;

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

/// Those who go first, until so much of `resource` is given back; none who has got on within `stalled_secs_min`.
pub fn greediest<S: Pollable>(
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
