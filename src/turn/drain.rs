//! How the loop ends: who is under way gets what it asked for, within a bound; what is cut then is told.

use crate::client::connection::Connection;
use crate::clock::Now;
use crate::net::socket::{Listener, Readiness};
use crate::notices::Counted;
use crate::responder::{Door, Responder};
use crate::turn::connections::Ending;
use crate::turn::event_loop::{EventLoop, Stage};

impl<L: Listener, R: Responder> EventLoop<L, R> {
    /// First stops accepting, then, if asked again, everything.
    pub fn stop(&mut self, now: &Now) {
        if self.stage != Stage::Serving {
            self.stage = Stage::Stopped;
            return;
        }
        self.acceptor.close();
        let is_under_way = |connection: &Connection<L::Socket>| {
            !connection.awaits_request() && connection.door() == Door::Public
        };
        let under_way = self.connections.iter().filter(|(_, slot)| is_under_way(&slot.connection)).count();
        if under_way > 0 {
            let secs = self.limits.drain_secs.saturating_add(1);
            let under_way = Counted(under_way as u64, ["response", "responses"]);
            log::info!("stopping: {under_way} under way, {secs} s more at most (again: at once)");
        }
        // One more than asked for: the tick under way is a part of a second only.
        self.stage = Stage::Draining(now.tick.saturating_add(self.limits.drain_secs).saturating_add(1));
        // What has arrived already is still answered.
        let readiness = Readiness { readable: true, ..Readiness::default() };
        self.connections.mark_all(readiness, &mut self.run_queue);
    }

    pub(super) fn finish_drain(&mut self, now: &Now) {
        if let Stage::Draining(end) = self.stage
            && (self.connections.public_len() == 0 || now.tick >= end)
        {
            self.stage = Stage::Stopped;
        }
    }

    /// Ends: what is still under way is cut, and told to the log.
    pub fn end(&mut self, now: &Now) {
        let is_cut =
            |connection: &Connection<L::Socket>| connection.has_unsent() && connection.door() == Door::Public;
        let cut = self.connections.iter().filter(|(_, slot)| is_cut(&slot.connection)).count();
        if cut > 0 {
            log::warn!("{} cut by the stop", Counted(cut as u64, ["response", "responses"]));
        }
        for key in self.connections.keys() {
            self.close(key, Ending::Over, now);
        }
        self.timeline.finish();
        self.access_log.finish();
        self.count_lost_lines(now);
        self.tell_summary(now);
    }
}
