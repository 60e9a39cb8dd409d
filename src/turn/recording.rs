//! What the loop tells its timeline, where one is kept.

use crate::metrics::Lap;
use crate::net::socket::Listener;
use crate::responder::Responder;
use crate::timeline::{Moment, Name, Outcome, Timeline, Track};
use crate::turn::event_loop::{EventLoop, Registry, Turn};

/// What lies on a connection's track while it is not run: itself, its phase, and what it waits for.
const DEPTH: usize = 3;

impl<L: Listener, R: Responder> EventLoop<L, R> {
    /// Records from now on what it does.
    pub fn record_on(&mut self, timeline: Timeline) {
        self.timeline = timeline;
    }

    pub(super) fn moment(&self, turn: &Turn<Registry<L>>) -> Moment {
        self.timeline.is_on().then(|| turn.nanos())
    }

    /// Records that a part of the turn has ended, for those who look now as well.
    pub(super) fn record_lap(&mut self, turn: &Turn<Registry<L>>, lap: Lap, outcome: Outcome) {
        if self.timeline.is_on() || self.metrics.is_timed {
            let nanos = (turn.stopwatch)();
            self.metrics.count_lap(lap, nanos);
            self.timeline.lap(turn.now.elapsed_micros * 1000 + nanos, lap.name(), outcome);
        }
    }

    /// Records what came between two turns.
    pub(super) fn record_between(&mut self, turn: &Turn<Registry<L>>, name: &'static str) {
        if self.timeline.is_on() {
            self.timeline.lap(turn.nanos(), name, Outcome::Nothing);
        }
    }

    /// Records that somebody came in and is at `key`.
    pub(super) fn record_start(&mut self, key: usize, turn: &Turn<Registry<L>>) {
        let Some(slot) = self.connections.get(key).filter(|_| self.timeline.is_on()) else { return };
        let (connection, moment, track) = (&slot.connection, self.moment(turn), Track::Connection(key));
        self.timeline.begin(track, moment, Name::Told(&connection.peer()));
        self.timeline.begin(track, moment, Name::Is(connection.phase()));
        self.timeline.begin(track, moment, Name::Is("accepted"));
    }

    /// Records that the connection at `key` is over.
    pub(super) fn record_end(&mut self, key: usize) {
        let moment = self.timeline.latest();
        for _ in 0..DEPTH {
            self.timeline.end(Track::Connection(key), moment);
        }
    }
}
