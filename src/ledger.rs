//! What is held for clients: memory, the kernel's part of it, descriptors. Counted here in total, so that no
//! bound rests on a guess of how many will want how much at once.
//!
//! A part of each bound is a reserve, which only clients may draw on who have nothing yet: they find
//! something to be answered with, whatever others hold. Where those have met the reserve, whoever has held
//! most for longest without getting on goes first, see `turn/shortage.rs`.

use crate::clock::Tick;
use crate::limits::{Limits, SOCKET_BYTES};

/// The part of each bound that is a reserve: an eighth. Of places and descriptors no more than this: those
/// who have nothing yet come and go.
const RESERVE_DIVISOR: usize = 8;
const PLACES_RESERVED_MAX: usize = 64;
/// What may be left with the kernel by connections that are closed at once: a part of its memory. It may keep
/// that for as long as a client does not take it, and nobody can ask it.
const LEFT_BEHIND_DIVISOR: usize = 8;

/// What can run short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// This program's memory: unread requests and unsent responses.
    Heap,
    /// The kernel's memory: sockets and what they hold.
    Kernel,
    /// Files and folders that are open, and the sockets.
    Descriptors,
}

impl Resource {
    const ALL: [Resource; 3] = [Resource::Heap, Resource::Kernel, Resource::Descriptors];
}

/// So much of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    pub heap_bytes: usize,
    pub kernel_bytes: usize,
    pub descriptors: usize,
}

impl Held {
    pub fn of(&self, resource: Resource) -> usize {
        match resource {
            Resource::Heap => self.heap_bytes,
            Resource::Kernel => self.kernel_bytes,
            Resource::Descriptors => self.descriptors,
        }
    }

    fn replace(&mut self, before: Held, after: Held) {
        let replace = |total: &mut usize, before, after| *total = *total - before + after;
        replace(&mut self.heap_bytes, before.heap_bytes, after.heap_bytes);
        replace(&mut self.kernel_bytes, before.kernel_bytes, after.kernel_bytes);
        replace(&mut self.descriptors, before.descriptors, after.descriptors);
    }
}

/// What all connections together hold, and may hold.
#[derive(Debug)]
pub struct Ledger {
    held: Held,
    max: Held,
    left_behind: LeftBehind,
}

/// Bytes left with the kernel by connections that were closed at once, in this stretch of time and the last.
#[derive(Debug)]
struct LeftBehind {
    bytes: usize,
    bytes_before: usize,
    bytes_max: usize,
    since: Tick,
    /// So long the kernel waits for a client to take them.
    stretch_secs: u32,
}

impl Ledger {
    pub fn new(limits: &Limits) -> Ledger {
        let max = Held {
            heap_bytes: limits.kept_bytes_max,
            kernel_bytes: limits.kernel_bytes_max,
            descriptors: limits.descriptors(),
        };
        let left_behind = LeftBehind {
            bytes: 0,
            bytes_before: 0,
            bytes_max: limits.kernel_bytes_max / LEFT_BEHIND_DIVISOR,
            since: 0,
            stretch_secs: limits.send_secs.max(1),
        };
        Ledger { held: Held::default(), max, left_behind }
    }

    /// What is held.
    pub fn held(&self) -> &Held {
        &self.held
    }

    /// A connection that held `before` holds `after`.
    pub fn replace(&mut self, before: Held, after: Held) {
        self.held.replace(before, after);
    }

    /// What there is not enough of: the reserve was met. The site holds so many descriptors.
    pub fn shortage(&self, site_descriptors: usize) -> Option<Resource> {
        let is_short = |resource| self.held_with(resource, site_descriptors) > self.usual_max(resource);
        Resource::ALL.into_iter().find(|resource| is_short(*resource))
    }

    /// How much is to be given back of what there is not enough of.
    pub fn excess(&self, resource: Resource, site_descriptors: usize) -> usize {
        // Half a reserve more, so that it is not met again at once.
        let relieved = self.usual_max(resource) - self.reserve(resource) / 2;
        self.held_with(resource, site_descriptors).saturating_sub(relieved)
    }

    /// Whether there is room for what `more` is: of a client that has nothing yet, in the reserve, too.
    pub fn has_room_for(&self, more: Held, has_nothing_yet: bool) -> bool {
        Resource::ALL.iter().all(|&resource| {
            let max = if has_nothing_yet { self.max.of(resource) } else { self.usual_max(resource) };
            self.held.of(resource).saturating_add(more.of(resource)) <= max
        })
    }

    fn held_with(&self, resource: Resource, site_descriptors: usize) -> usize {
        let of_site = if resource == Resource::Descriptors { site_descriptors } else { 0 };
        self.held.of(resource).saturating_add(of_site)
    }

    /// All but the reserve.
    pub fn usual_max(&self, resource: Resource) -> usize {
        self.max.of(resource) - self.reserve(resource)
    }

    fn reserve(&self, resource: Resource) -> usize {
        match resource {
            Resource::Descriptors => places_reserved(self.max.descriptors),
            Resource::Heap | Resource::Kernel => self.max.of(resource) / RESERVE_DIVISOR,
        }
    }

    /// Whether a connection may be closed that has just handed `bytes` to the kernel, which are counted then.
    /// If not, the client is to be waited for.
    pub fn leaves_behind(&mut self, bytes: usize, tick: Tick) -> bool {
        let left = &mut self.left_behind;
        let stretches = tick.saturating_sub(left.since) / left.stretch_secs;
        if stretches > 0 {
            left.bytes_before = if stretches == 1 { left.bytes } else { 0 };
            left.bytes = 0;
            left.since = tick;
        }
        let bytes = bytes + SOCKET_BYTES;
        let has_room = left.bytes_before.saturating_add(left.bytes).saturating_add(bytes) <= left.bytes_max;
        if has_room {
            left.bytes += bytes;
        }
        has_room
    }
}

/// How many of `count` places are for clients who have none yet.
pub fn places_reserved(count: usize) -> usize {
    (count / RESERVE_DIVISOR).min(PLACES_RESERVED_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(heap_bytes: usize, kernel_bytes: usize, descriptors: usize) -> Held {
        Held { heap_bytes, kernel_bytes, descriptors }
    }

    #[test]
    fn what_is_held_is_the_sum_of_what_each_holds() {
        let limits = Limits { kept_bytes_max: 800, kernel_bytes_max: 8000, ..Limits::default() };
        let mut ledger = Ledger::new(&limits);
        ledger.replace(Held::default(), held(500, 1000, 2));
        ledger.replace(Held::default(), held(200, 1000, 1));
        assert_eq!((ledger.held(), ledger.shortage(0)), (&held(700, 2000, 3), None));
        ledger.replace(held(200, 1000, 1), held(201, 1000, 1));
        assert_eq!(ledger.shortage(0), Some(Resource::Heap));
        assert_eq!(ledger.excess(Resource::Heap, 0), 51);
        ledger.replace(held(500, 1000, 2), Held::default());
        assert_eq!((ledger.shortage(0), ledger.excess(Resource::Heap, 0)), (None, 0));
    }

    #[test]
    fn the_reserve_is_for_those_who_have_nothing_yet() {
        let mut ledger = Ledger::new(&Limits { kernel_bytes_max: 8000, ..Limits::default() });
        ledger.replace(Held::default(), held(0, 6500, 1));
        for (bytes, for_all, for_newcomers) in [(500, true, true), (501, false, true), (1501, false, false)] {
            let has_room = |has_nothing_yet| ledger.has_room_for(held(0, bytes, 1), has_nothing_yet);
            assert_eq!((has_room(false), has_room(true)), (for_all, for_newcomers), "{bytes}");
        }
    }

    #[test]
    fn the_descriptors_of_the_site_count() {
        let ledger = Ledger::new(&Limits { open_files_max: 100, ..Limits::default() });
        let max = ledger.usual_max(Resource::Descriptors);
        assert_eq!((places_reserved(100), places_reserved(20_000)), (12, PLACES_RESERVED_MAX));
        assert_eq!((ledger.shortage(max), ledger.shortage(max + 1)), (None, Some(Resource::Descriptors)));
    }

    #[test]
    fn only_so_much_is_left_with_the_kernel_in_any_stretch_of_time() {
        let limits = Limits { kernel_bytes_max: 100 * SOCKET_BYTES, send_secs: 30, ..Limits::default() };
        let mut ledger = Ledger::new(&limits);
        let mut count = |tick| (0..100).filter(|_| ledger.leaves_behind(0, tick)).count();
        assert_eq!([0, 29, 30, 59, 60, 200].map(&mut count), [12, 0, 0, 0, 12, 12]);
        assert!(!ledger.leaves_behind(100 * SOCKET_BYTES, 1000), "too much at once");
    }
}
