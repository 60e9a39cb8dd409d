//! What was found at a path before, as long as the disk says the same.
//!
//! An entry is compared with the disk by path, so that a file put in another's place is seen, and down to the
//! nanosecond. That takes one system call, and is done at most once between two calls of
//! [`recheck`](Cache::recheck): under load, many requests share it. Where [watches](super::watches) see all
//! that changes, it is done when they have told of something, and once a second for what they cannot see.
//!
//! Which compressed variants stand beside a file is looked up when it is found, and then once a second: to
//! miss one for a moment costs bytes and no truth. A variant itself is an entry like any other.
//!
//! An open file keeps its room on the disk after it was deleted, and its filesystem from being unmounted. So
//! descriptors are looked at: see [`close_unused`](Cache::close_unused). What is in memory may stay.
//!
//! The comparison only recognises a file that was opened beneath the root before; it opens nothing. One thing
//! it cannot tell: a folder that was moved out of the root as it is, with a symlink left in its place, still
//! holds the same files, and those that are remembered are served until they change.

use std::collections::HashMap;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use foldhash::fast::RandomState;
use slab::Slab;

use super::file::{File, Stored};
use super::looks::{Look, Looks};
use super::remembered::{Entry, Known};
use super::root::Root;
use super::variant;
use super::watches::{WATCH_BYTES, Watches};
use crate::clock::{Now, Tick};
use crate::http::negotiate::Codings;

/// There is an entry for so many bytes that may be kept, at most. The tables are never made smaller, and two
/// fifths of what is kept are theirs at worst.
const BYTES_PER_ENTRY_MIN: usize = 512;
/// What a place in the map takes: a key, a value and a byte of control.
const MAP_PLACE_BYTES: usize = size_of::<(Arc<[u8]>, usize)>() + 1;
/// A descriptor is kept for so many seconds in which nobody asks for its file.
const UNUSED_SECS_MAX: u32 = 5;
/// Descriptors looked at in one call: a stat each, some microseconds.
const LOOKS_MAX: usize = 64;
/// Descriptors let go of at once when there are no more.
const LET_GO_MAX: usize = 64;

/// What is kept, for the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Of memory on the heap, and what watches take of the kernel's.
    pub bytes: usize,
    pub descriptors: usize,
    /// Folders that are watched.
    pub watches: usize,
}

/// Entries by path, bounded in bytes and in open descriptors.
#[derive(Debug)]
pub struct Cache {
    keys: HashMap<Arc<[u8]>, usize, RandomState>,
    entries: Slab<Entry>,
    /// What the entries own beside their places in the tables.
    bytes: usize,
    bytes_max: usize,
    /// Those that hold a descriptor.
    looks: Looks,
    descriptors_max: usize,
    watches: Watches,
    check: u64,
    /// How often an entry was compared with the disk.
    comparisons: u64,
    /// When watches that nobody needs any more were last looked for.
    swept_tick: Tick,
    /// Where the search for an entry to evict goes on.
    hand: usize,
}

impl Cache {
    /// An empty cache; one of 0 bytes stays so.
    pub fn new(bytes_max: usize, descriptors_max: usize) -> Cache {
        Cache {
            keys: HashMap::default(),
            entries: Slab::new(),
            bytes: 0,
            bytes_max,
            looks: Looks::default(),
            descriptors_max,
            watches: Watches::within(bytes_max),
            check: 0,
            comparisons: 0,
            swept_tick: 0,
            hand: 0,
        }
    }

    /// From now on, whatever was checked before is checked again before it is believed, or watches are
    /// listened to.
    pub fn recheck(&mut self) {
        self.check += 1;
        self.watches.listen_later();
    }

    /// The same for a turn that begins: watches tell by the poll, if they have told something.
    pub fn begin_turn(&mut self, is_told: bool, now: &Now) {
        self.check += 1;
        if is_told {
            self.watches.listen(now);
        }
        if self.swept_tick != now.tick {
            self.swept_tick = now.tick;
            self.watches.let_go();
        }
    }

    /// Another folder is the root: paths lead elsewhere.
    pub fn forget_watches(&mut self) {
        self.watches.forget_all();
    }

    /// Tells of changes: see [`begin_turn`](Cache::begin_turn).
    pub fn watch_descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.watches.descriptor()
    }

    /// How often something remembered was compared with the disk.
    pub fn comparisons(&self) -> u64 {
        self.comparisons
    }

    /// What is at `path`, if that is known and still so.
    pub fn get(&mut self, path: &[u8], root: &Root, now: &Now) -> Option<Known> {
        let key = *self.keys.get(path)?;
        let (entry, watches) = (&mut self.entries[key], &mut self.watches);
        if entry.checked_in != self.check && !entry.is_vouched(watches, now) {
            self.comparisons += 1;
            if !entry.compare(watches, root, now) {
                self.remove(key);
                return None;
            }
            entry.checked_in = self.check;
        }
        entry.is_used = true;
        if entry.used_tick != now.tick {
            entry.used_tick = now.tick;
            match &mut entry.known {
                Known::File(file, codings) => *codings = variant::codings(&entry.path, Some(file), root),
                Known::Missing(codings) => *codings = None,
            }
        }
        Some(entry.known.clone())
    }

    /// The codings in which there is what is itself missing at `path`: looked up once a second, as those of a
    /// file are, where it is known to be missing.
    pub fn codings_of_missing(&mut self, path: &[u8], root: &Root) -> Codings {
        let known = self.keys.get(path).map(|&key| &mut self.entries[key].known);
        match known {
            Some(Known::Missing(codings)) => {
                *codings.get_or_insert_with(|| variant::codings(path, None, root))
            }
            _ => variant::codings(path, None, root),
        }
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
        self.insert(path, Known::Missing(None), now);
    }

    /// What is kept now.
    pub fn held(&self) -> Held {
        let (descriptors, watches) = (self.looks.count(), self.watches.count());
        Held { bytes: self.bytes + self.tables_bytes() + watches * WATCH_BYTES, descriptors, watches }
    }

    /// Unless it takes more than an eighth of the room there is.
    fn insert(&mut self, path: &[u8], known: Known, now: &Now) {
        let path: Arc<[u8]> = match self.keys.get_key_value(path) {
            Some((known_path, &key)) => {
                let path = Arc::clone(known_path);
                self.remove(key);
                path
            }
            None => path.into(),
        };
        let holds_descriptor = known.holds_descriptor();
        let entry = Entry::new(path, known, self.check, now);
        let bytes = entry.bytes();
        if bytes > self.bytes_max / 8 || (holds_descriptor && self.descriptors_max == 0) {
            return;
        }
        // Room in the tables counts from now on.
        self.keys.reserve(1);
        self.entries.reserve(1);
        while !self.entries.is_empty() && !self.has_room(bytes) {
            self.evict_one();
        }
        if holds_descriptor && self.looks.count() >= self.descriptors_max {
            self.evict_descriptor(now);
        }
        self.bytes += bytes;
        let path = Arc::clone(&entry.path);
        let key = self.entries.insert(entry);
        self.keys.insert(path, key);
        if holds_descriptor {
            self.look_later(key, now);
        }
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.held().bytes + bytes <= self.bytes_max
            && self.entries.len() < self.bytes_max / BYTES_PER_ENTRY_MIN
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

    /// The same among those that hold a descriptor: what is in memory need not go.
    fn evict_descriptor(&mut self, now: &Now) {
        for _ in 0..=self.looks.count() {
            let Some(Look { key, .. }) = self.looks.first() else { return };
            if !std::mem::take(&mut self.entries[key].is_used) {
                return self.remove(key);
            }
            self.look_later(key, now);
        }
    }

    fn remove(&mut self, key: usize) {
        let entry = self.entries.remove(key);
        self.keys.remove(&entry.path);
        self.bytes -= entry.bytes();
        if let Some(place) = entry.look {
            self.looks.remove(place);
        }
    }

    fn tables_bytes(&self) -> usize {
        let map_places = (self.keys.capacity() * 8 / 7).next_power_of_two();
        let map_bytes = if self.keys.capacity() == 0 { 0 } else { map_places * MAP_PLACE_BYTES };
        map_bytes + self.entries.capacity() * size_of::<Entry>() + self.looks.heap_bytes()
    }
}

/// Descriptors.
impl Cache {
    /// Closes the descriptors of files that nobody has asked for in five seconds, and of those that
    /// nobody has asked for in this tick and that were deleted or replaced. A bounded number of them: there
    /// is more to do while [`wake_tick`](Cache::wake_tick) has come.
    pub fn close_unused(&mut self, root: &Root, now: &Now) {
        for _ in 0..LOOKS_MAX {
            let Some(Look { key, .. }) = self.looks.first().filter(|look| look.tick <= now.tick) else {
                return;
            };
            let entry = &self.entries[key];
            let unused_secs = now.tick.saturating_sub(entry.used_tick);
            if unused_secs == 0 || (unused_secs < UNUSED_SECS_MAX && entry.is_still_so(root)) {
                self.look_later(key, now);
            } else {
                self.remove(key);
            }
        }
    }

    /// When there is a descriptor to look at; `None` if none is kept.
    pub fn wake_tick(&self) -> Option<Tick> {
        self.looks.first().map(|look| look.tick)
    }

    /// Closes some of the descriptors that nobody is being sent from. False if there is none.
    pub fn let_go(&mut self) -> bool {
        let is_free = |key: &usize| self.entries[*key].known.is_used_by_nobody();
        let keys: Vec<usize> = self.looks.keys().filter(is_free).take(LET_GO_MAX).collect();
        keys.iter().for_each(|key| self.remove(*key));
        !keys.is_empty()
    }

    fn look_later(&mut self, key: usize, now: &Now) {
        let entry = &mut self.entries[key];
        if let Some(place) = entry.look.replace(self.looks.push(key, now.tick.saturating_add(1))) {
            self.looks.remove(place);
        }
    }
}
