//! Everybody who is connected: their slots, how many each client has, what they keep, and who has to go.

use std::net::IpAddr;

use slab::Slab;

use crate::client::connection::Connection;
use crate::clock::Tick;
use crate::limits::Limits;
use crate::net::socket::TcpSocket;
use crate::turn::per_client::ClientCounts;
use crate::turn::slot::Slot;

/// Idle connections closed at once when there are too many: looking for them takes longer than closing.
const EVICTED_MAX: usize = 64;
/// Slots that are not given back when nobody is left.
pub const SLOTS_KEPT: usize = 256;

/// All connections of a server, by key.
#[derive(Debug)]
pub struct Connections {
    pub slots: Slab<Slot>,
    /// What all together keep of the unread and the unsent.
    pub kept_bytes: usize,
    /// No connection's time is up before this tick.
    pub next_deadline: Tick,
    count_max: usize,
    clients: ClientCounts,
}

impl Connections {
    /// Room for `count_max` connections.
    pub fn new(count_max: usize, limits: &Limits) -> Connections {
        Connections {
            slots: Slab::new(),
            kept_bytes: 0,
            next_deadline: Tick::MAX,
            count_max,
            clients: ClientCounts::new(limits.connections_per_client_max),
        }
    }

    /// How many there may be at once.
    pub fn count_max(&self) -> usize {
        self.count_max
    }

    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub fn is_full(&self) -> bool {
        self.slots.len() >= self.count_max
    }

    /// Counts one more connection of `client`; false if that is one too many.
    pub fn enter(&mut self, client: IpAddr) -> bool {
        self.clients.enter(client)
    }

    /// Gives a connection whose client was counted a place; returns its key.
    pub fn insert(&mut self, connection: Connection<TcpSocket>) -> usize {
        self.slots.insert(Slot::new(connection))
    }

    /// Closes the connection at `key`.
    pub fn close(&mut self, key: usize) {
        let slot = self.slots.remove(key);
        slot.end();
        self.kept_bytes -= slot.connection.kept_bytes();
        self.clients.leave(slot.connection.client());
    }

    /// Closes connections, `count_max` at most; returns how many.
    fn close_where(&mut self, count_max: usize, mut is_over: impl FnMut(&Slot) -> bool) -> usize {
        let mut count = 0;
        let (clients, kept_bytes) = (&mut self.clients, &mut self.kept_bytes);
        self.slots.retain(|_, slot| {
            let is_over = is_over(slot) && count < count_max;
            if is_over {
                count += 1;
                slot.end();
                clients.leave(slot.connection.client());
                *kept_bytes -= slot.connection.kept_bytes();
            }
            !is_over
        });
        count
    }

    /// Closes the connections whose time is up at `tick`; returns how many.
    ///
    /// A sweep over all slots, at most one a second and only when the earliest deadline has come. A wheel or
    /// a heap would have to be told at every request, and requests are many where expiries are few.
    pub fn close_overdue(&mut self, tick: Tick) -> usize {
        if tick < self.next_deadline {
            return 0;
        }
        let mut next_deadline = Tick::MAX;
        let count = self.close_where(usize::MAX, |slot| {
            let deadline = slot.connection.deadline();
            if deadline > tick {
                next_deadline = next_deadline.min(deadline);
            }
            deadline <= tick
        });
        self.next_deadline = next_deadline;
        if count > 0 {
            log::debug!("{count} connections closed: their time was up");
        }
        count
    }

    /// Makes room: of those between two requests, the ones that have been waiting longest go. Clients expect
    /// that of a kept connection (RFC 9112 §9.5). 0 if there are none whose time is up by `newest`.
    pub fn close_longest_idle(&mut self, newest: Tick) -> usize {
        let idle_deadline =
            |slot: &Slot| (slot.connection.is_idle() && !slot.is_queued).then(|| slot.connection.deadline());
        let deadlines = self.slots.iter().filter_map(|(_, slot)| idle_deadline(slot));
        let Some(oldest) = deadlines.min().filter(|oldest| *oldest <= newest) else { return 0 };
        let count = self.close_where(EVICTED_MAX, |slot| idle_deadline(slot) == Some(oldest));
        log::debug!("{count} idle connections closed to make room");
        count
    }

    /// A crowd that has left leaves no memory behind.
    pub fn shrink(&mut self) {
        if self.slots.is_empty() && self.slots.capacity() > SLOTS_KEPT {
            self.slots = Slab::new();
        }
    }
}
