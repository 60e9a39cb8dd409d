//! What was found at a path before, as long as the disk says the same.
//!
//! An entry is compared with the disk by path, so that a file put in another's place is seen, and down to the
//! nanosecond. That takes one system call, and is done at most once between two calls of
//! [`recheck`](Cache::recheck): under load, many requests share it. No watch tells of changes instead:
//! watches overflow, cost one per folder and see nothing on network filesystems.
//!
//! Which compressed variants stand beside a file is looked up when it is found, and then once a second: to
//! miss one for a moment costs bytes and no truth. A variant itself is an entry like any other.
//!
//! The comparison only recognises a file that was opened beneath the root before; it opens nothing. One thing
//! it cannot tell: a folder that was moved out of the root as it is, with a symlink left in its place, still
//! holds the same files, and those that are remembered are served until they change.

use std::collections::HashMap;
use std::sync::Arc;

use rustix::io::Errno;
use slab::Slab;

use super::file::{File, Stored};
use super::root::Root;
use super::variant;
use crate::clock::{Now, Tick};
use crate::http::negotiate::Codings;

/// What an entry takes beside its path and its content: itself, its place in the map, the allocator's share.
const ENTRY_OVERHEAD_BYTES: usize = 384;

/// What is at a path.
#[derive(Clone, Debug)]
pub enum Known {
    /// And the codings in which it is there as well.
    File(Arc<File>, Codings),
    /// Nothing is there.
    Missing,
}

#[derive(Debug)]
struct Entry {
    path: Arc<[u8]>,
    known: Known,
    /// The check in which the disk last agreed.
    checked_in: u64,
    /// When its variants were last looked for.
    variants_tick: Tick,
    /// Asked for since the hand last passed: not evicted this time round.
    is_used: bool,
}

/// Entries by path, bounded in bytes and in open descriptors.
#[derive(Debug)]
pub struct Cache {
    keys: HashMap<Arc<[u8]>, usize>,
    entries: Slab<Entry>,
    bytes: usize,
    bytes_max: usize,
    descriptors: usize,
    descriptors_max: usize,
    check: u64,
    /// Where the search for an entry to evict goes on.
    hand: usize,
}

impl Cache {
    /// An empty cache; one of 0 bytes stays so.
    pub fn new(bytes_max: usize, descriptors_max: usize) -> Cache {
        Cache {
            keys: HashMap::new(),
            entries: Slab::new(),
            bytes: 0,
            bytes_max,
            descriptors: 0,
            descriptors_max,
            check: 0,
            hand: 0,
        }
    }

    /// From now on, whatever was checked before is checked again before it is believed.
    pub fn recheck(&mut self) {
        self.check += 1;
    }

    /// What is at `path`, if that is known and still so.
    pub fn get(&mut self, path: &[u8], root: &Root, now: &Now) -> Option<Known> {
        let key = *self.keys.get(path)?;
        let entry = &mut self.entries[key];
        if entry.checked_in != self.check {
            if !entry.is_still_so(root) {
                self.remove(key);
                return None;
            }
            entry.checked_in = self.check;
        }
        entry.is_used = true;
        if entry.variants_tick != now.tick {
            entry.variants_tick = now.tick;
            if let Known::File(file, codings) = &mut entry.known {
                *codings = variant::codings(&entry.path, file, root);
            }
        }
        Some(entry.known.clone())
    }

    /// Keeps a file that was just found at `path`, or given its content, if it can be told from what it will
    /// be. One whose content is not in memory is kept without: the next to ask may find it there.
    pub fn keep(&mut self, path: &[u8], file: &Arc<File>, codings: Codings, now: &Now) {
        let is_cold = matches!(file.content(), Stored::Disk { is_cold: true, .. });
        if !file.is_in_doubt && !is_cold {
            self.insert(path, Known::File(Arc::clone(file), codings), now);
        }
    }

    /// Keeps that nothing is at `path`.
    pub fn keep_missing(&mut self, path: &[u8], now: &Now) {
        self.insert(path, Known::Missing, now);
    }

    /// Unless it takes more than an eighth of the room there is.
    fn insert(&mut self, path: &[u8], known: Known, now: &Now) {
        if let Some(&key) = self.keys.get(path) {
            self.remove(key);
        }
        let path: Arc<[u8]> = path.into();
        let (checked_in, variants_tick) = (self.check, now.tick);
        let entry = Entry { path, known, checked_in, variants_tick, is_used: false };
        let bytes = entry.bytes();
        if bytes > self.bytes_max / 8 || entry.descriptors() > self.descriptors_max {
            return;
        }
        self.bytes += bytes;
        self.descriptors += entry.descriptors();
        while self.bytes > self.bytes_max || self.descriptors > self.descriptors_max {
            self.evict_one();
        }
        let path = Arc::clone(&entry.path);
        let key = self.entries.insert(entry);
        self.keys.insert(path, key);
    }

    /// Second chance: the hand goes round, spares what was used since its last visit, and takes the next.
    fn evict_one(&mut self) {
        // Two rounds clear every mark.
        for _ in 0..2 * self.entries.capacity() {
            let key = self.hand;
            self.hand = if key + 1 < self.entries.capacity() { key + 1 } else { 0 };
            match self.entries.get_mut(key) {
                Some(entry) if entry.is_used => entry.is_used = false,
                Some(_) => return self.remove(key),
                None => {}
            }
        }
    }

    fn remove(&mut self, key: usize) {
        let entry = self.entries.remove(key);
        self.keys.remove(&entry.path);
        self.bytes -= entry.bytes();
        self.descriptors -= entry.descriptors();
    }
}

impl Entry {
    fn is_still_so(&self, root: &Root) -> bool {
        match (&self.known, root.stamp_at(variant::disk_path(&self.path))) {
            (Known::File(file, _), Ok(stamp)) => file.stamp == stamp,
            (Known::Missing, Err(errno)) => errno == Errno::NOENT,
            _ => false,
        }
    }

    fn bytes(&self) -> usize {
        let content = match &self.known {
            Known::File(file, _) => file.heap_bytes(),
            Known::Missing => 0,
        };
        ENTRY_OVERHEAD_BYTES + self.path.len() + content
    }

    fn descriptors(&self) -> usize {
        let Known::File(file, _) = &self.known else { return 0 };
        usize::from(matches!(file.content(), Stored::Disk { .. }))
    }
}
