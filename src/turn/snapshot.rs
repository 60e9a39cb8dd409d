//! Looking at the loop: where that can be done, and how it is at one moment.

use crate::client::wait::Wait;
use crate::clock::{Now, Stopwatch};
use crate::ledger::Resource;
use crate::metrics::{Bounded, Snapshot};
use crate::net::socket::Listener;
use crate::notices::Notice;
use crate::responder::{Door, Responder};
use crate::turn::event_loop::{EventLoop, Stage};

impl<L: Listener, R: Responder> EventLoop<L, R> {
    /// Where it can be looked at.
    pub fn status_listeners(&self) -> &[L] {
        self.acceptor.status_listeners()
    }

    /// Adds a listener at which the server is looked at. From now on the clock is read for that, too.
    pub fn add_status(&mut self, listener: L) {
        self.acceptor.add_status(listener);
        self.metrics.is_timed = true;
    }

    /// Counts how long a turn took, if that is looked at.
    pub fn count_turn(&mut self, stopwatch: Stopwatch) {
        if self.metrics.is_timed {
            self.metrics.count_turn(stopwatch());
        }
    }

    /// Tells what was done so far, and which bounds took effect.
    pub fn tell_summary(&self, now: &Now) {
        let served = self.metrics.told(self.access_log.responses(), now.elapsed_micros);
        self.notices.tell_summary(&served);
    }

    /// Looks at everybody who is connected: some microseconds for a thousand of them.
    pub(super) fn snapshot(&self, now: &Now) -> Snapshot {
        let is_public = |key: &usize| {
            self.connections.get(*key).is_some_and(|slot| slot.connection.door() == Door::Public)
        };
        let waiting = |wait: Wait| {
            let count = self.connections.waiting_for(wait).filter(is_public).count();
            (wait.name(), count as u64)
        };
        let total = |notice: Notice| (notice.name(), self.notices.total(notice));
        let held = |resource, more: usize| Bounded {
            count: (self.ledger.held().of(resource) + more) as u64,
            max: self.ledger.usual_max(resource) as u64,
        };
        Snapshot {
            at_micros: now.elapsed_micros,
            is_draining: self.stage != Stage::Serving,
            metrics: self.metrics.clone(),
            connections: Bounded {
                count: self.connections.public_len() as u64,
                max: self.connections.count_max() as u64,
            },
            waiting: Wait::ALL.map(waiting).to_vec(),
            descriptors: held(Resource::Descriptors, self.responder.descriptors()),
            heap_bytes: held(Resource::Heap, 0),
            kernel_bytes: held(Resource::Kernel, 0),
            cache: self.responder.cache_counts(),
            notices: Notice::ALL.map(total).to_vec(),
        }
    }
}
