//! Which of the remembered files that hold a descriptor is to be looked at next, and when.

use std::collections::BTreeMap;

use crate::clock::Tick;

/// A queue that can be left: whoever was put into it last is looked at last.
#[derive(Debug, Default)]
pub struct Looks {
    /// By their place in the queue.
    due: BTreeMap<u64, Look>,
    next_place: u64,
}

/// What is to be looked at, and when.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub key: usize,
    pub tick: Tick,
}

impl Looks {
    /// Has `key` looked at in `tick`, behind all others; returns its place.
    pub fn push(&mut self, key: usize, tick: Tick) -> u64 {
        let place = self.next_place;
        self.next_place += 1;
        self.due.insert(place, Look { key, tick });
        place
    }

    /// Takes out what is at `place`.
    pub fn remove(&mut self, place: u64) {
        self.due.remove(&place);
    }

    /// Who is looked at next.
    pub fn first(&self) -> Option<Look> {
        self.due.first_key_value().map(|(_, look)| *look)
    }

    /// The keys of all, in order.
    pub fn keys(&self) -> impl Iterator<Item = usize> {
        self.due.values().map(|look| look.key)
    }

    pub fn count(&self) -> usize {
        self.due.len()
    }

    /// Bytes of memory on the heap: nodes of the tree are three quarters full, more or less.
    pub fn heap_bytes(&self) -> usize {
        self.count() * size_of::<(u64, Look)>() * 4 / 3
    }
}
