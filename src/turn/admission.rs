//! Who comes in: each new connection is given a place and run at once, or told that there is none.

use crate::client::buffers::Buffers;
use crate::client::connection::Connection;
use crate::clock::Now;
use crate::http::refusal::Refusal;
use crate::http::request;
use crate::ledger::Held;
use crate::limits::SOCKET_BYTES;
use crate::net::peer::Peer;
use crate::net::socket::{Listener, Pollable, Socket};
use crate::notices::Notice;
use crate::outbox::Ended;
use crate::responder::{Door, Responder};
use crate::turn::connections::Ending;
use crate::turn::event_loop::{ACCEPT_NANOS, EventLoop, Registry, Share, Turn};

/// What somebody is told who is turned away, rounded up.
const TOLD_BYTES: usize = 1024;
/// What a newcomer holds.
const NEWCOMER: Held = Held { heap_bytes: 0, kernel_bytes: SOCKET_BYTES, descriptors: 1 };

impl<L: Listener, R: Responder> EventLoop<L, R> {
    /// Accepts what is waiting, within a bound. Each connection runs at once, since most have sent their
    /// request; those for whom there is no time run in the next turn. They are let in all the same: where the
    /// backlog is full, the kernel has whoever comes next try again a second later.
    pub(super) fn accept(&mut self, turn: &Turn<Registry<L>>) {
        let now = turn.now;
        let mut end_nanos = None;
        // Looked for once a turn if there are none: a crowd outside must not cost those inside a search each.
        let mut may_have_room = true;
        let mut unrun_left = self.limits.unrun_per_turn_max;
        for _ in 0..self.limits.accepts_per_turn_max {
            if unrun_left == 0 {
                break;
            }
            let Some((socket, peer, door)) = self.acceptor.next(now.tick) else { return };
            if door == Door::Public && !self.guests.welcomes(peer) {
                log::debug!("{peer}: not served, by its address");
                self.turn_away(socket, (peer, door), Refusal::NoGuest, now);
                continue;
            }
            if door == Door::Status {
                self.make_room_to_look(now);
            }
            let is_welcome = match door {
                Door::Status => self.connections.has_place_to_look(),
                Door::Public => self.connections.welcomes(peer),
            };
            if is_welcome && !self.has_room(peer, door) && may_have_room {
                may_have_room = self.make_room(now);
            }
            if !is_welcome || !self.has_room(peer, door) {
                let notice = if is_welcome { Notice::TurnedAway } else { Notice::BeyondOwnBound };
                log::debug!("{peer}: {}", notice.what());
                if door == Door::Public {
                    self.notices.count(notice, &peer, now);
                }
                self.turn_away(socket, (peer, door), Refusal::NoRoom, now);
                continue;
            }
            let connection = Connection::new(socket, (peer, door), now, &self.limits);
            let key = self.connections.insert(connection, &mut self.ledger, &self.limits);
            self.metrics.connections_peak = self.metrics.connections_peak.max(self.connections.public_len());
            self.record_start(key, turn);
            let at_nanos = (turn.stopwatch)();
            match at_nanos < *end_nanos.get_or_insert(at_nanos + ACCEPT_NANOS) {
                true => self.run_newcomer(key, at_nanos, turn),
                false => {
                    self.wake(key);
                    unrun_left -= 1;
                }
            }
        }
        self.acceptor.turn_to_next();
    }

    /// Where too many look at how the server is, whoever asks for nothing makes room.
    fn make_room_to_look(&mut self, now: &Now) {
        if !self.connections.has_place_to_look()
            && let Some(key) = self.connections.longest_idle_looking()
        {
            self.close(key, Ending::Cut, now);
        }
    }

    fn run_newcomer(&mut self, key: usize, at_nanos: u64, turn: &Turn<Registry<L>>) {
        let share = Share::of(self.limits.accepts_per_turn_max, ACCEPT_NANOS, &self.limits);
        self.run(key, at_nanos, share, turn);
    }

    /// Whether there is room for one more of `peer`: in the reserve, too, if it has none yet, or comes to
    /// look at how the server is.
    fn has_room(&self, peer: Peer, door: Door) -> bool {
        let is_room_left = |has_nothing_yet| {
            self.connections.has_place(has_nothing_yet) && self.ledger.has_room_for(NEWCOMER, has_nothing_yet)
        };
        let may_use_reserve = || door == Door::Status || self.connections.count_of(peer) == 0;
        is_room_left(false) || is_room_left(true) && may_use_reserve()
    }

    /// Tells why, as far as that fits what the kernel takes at once, and ends: there is no room to wait in.
    /// Of too many, those who come last see the end only.
    fn turn_away(&mut self, mut socket: L::Socket, (peer, door): (Peer, Door), refusal: Refusal, now: &Now) {
        // What it is told waits in the kernel until it has it: where memory is small, not for a crowd.
        if !self.ledger.leaves_behind(TOLD_BYTES, now.tick) {
            return socket.reset_when_closed();
        }
        let Buffers { input, outbox } = &mut self.buffers;
        // To close on what was not read would be a reset, which may overtake the response.
        let received = socket.receive(input.space()).unwrap_or(0);
        input.filled(received);
        let is_public = door == Door::Public;
        if is_public {
            self.metrics.count_response(refusal.status().code());
        }
        let responded = self.responder.refuse(refusal, request::is_head(input.bytes()), now, outbox);
        outbox.end_response(responded.head_bytes, now.elapsed_micros, |line| {
            self.access_log.describe(now, input.bytes(), refusal.status(), line);
        });
        // Whoever cannot take it sees the end of the connection.
        let _ = outbox.send(&mut socket, usize::MAX).and_then(|_| socket.shutdown_write());
        let mut tell = |ended: Ended| {
            if is_public {
                self.access_log.write(peer, &ended);
            }
        };
        outbox.settle(&mut tell);
        outbox.cut(tell);
        self.buffers.clear();
    }
}
