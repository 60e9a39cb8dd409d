//! Entries that are gathered, sorted and handed out again in steps, each of them short.
//!
//! They are kept in runs. Each run is sorted by itself, and the least of their first entries is the next of
//! all. To sort everything at once would take as long for a few thousand long names as everybody else may be
//! kept waiting.

use std::cmp::Ordering;
use std::collections::VecDeque;

use super::order;
use super::query::Sort;
use crate::files::entry::{Entry, EntryKind};

/// Entries of one run: they are sorted in a fraction of a millisecond.
const RUN_ENTRIES_MAX: usize = 256;
/// The names of one run: long ones take longer to compare.
const RUN_NAMES_BYTES: usize = 16 * 1024;

/// Entries, first taken in, then handed out: sorted if all runs have been, else in the order they came in.
#[derive(Debug)]
pub struct Runs {
    runs: VecDeque<Run>,
    /// The places of those that are sorted and have entries left, as a heap: in front stands the one whose
    /// next entry is the first of all.
    heap: Vec<u32>,
    run_entries_max: usize,
    entries: usize,
}

/// Some entries, without an allocation for each.
#[derive(Debug, Default)]
struct Run {
    names: Vec<u8>,
    packed: Vec<Packed>,
    /// How many of them have been handed out.
    taken: usize,
}

/// An [`Entry`] whose name stands among those of its run.
#[derive(Clone, Copy, Debug)]
struct Packed {
    len: u64,
    modified_unix_secs: i64,
    name_at: u32,
    name_len: u16,
    kind: EntryKind,
}

impl Default for Runs {
    fn default() -> Runs {
        Runs::with(RUN_ENTRIES_MAX)
    }
}

impl Runs {
    /// With at most `run_entries_max` entries in a run.
    pub fn with(run_entries_max: usize) -> Runs {
        Runs { runs: VecDeque::new(), heap: Vec::new(), run_entries_max, entries: 0 }
    }

    /// How many entries have been taken in.
    pub fn count(&self) -> usize {
        self.entries
    }

    /// Takes `entry` in.
    pub fn push(&mut self, entry: &Entry) {
        self.entries += 1;
        if self.runs.back().is_none_or(|run| run.is_full(self.run_entries_max)) {
            if let Some(full) = self.runs.back_mut() {
                full.shrink();
            }
            self.runs.push_back(Run::default());
        }
        if let Some(run) = self.runs.back_mut() {
            run.push(entry);
        }
    }

    /// Sorts one run more. True once all are sorted.
    pub fn sort_one(&mut self, sort: Sort) -> bool {
        let at = self.heap.len();
        if let Some(run) = self.runs.get_mut(at) {
            run.sort(sort);
            self.heap.push(at as u32);
            self.sift_up(at, sort);
        }
        self.heap.len() == self.runs.len()
    }

    /// Hands out the next entry: the first by `sort` once all runs have been sorted by it, or the first that
    /// came. What has been handed out is forgotten run by run.
    pub fn next(&mut self, sort: Option<Sort>) -> Option<Entry<'_>> {
        match sort {
            Some(sort) => self.next_by(sort),
            None => {
                while self.runs.front().is_some_and(Run::is_done) {
                    self.runs.pop_front();
                }
                self.runs.front_mut()?.take()
            }
        }
    }

    fn next_by(&mut self, sort: Sort) -> Option<Entry<'_>> {
        // The entry before came from the run in front, whose next one is another by now.
        let front = &mut self.runs[*self.heap.first()? as usize];
        if front.is_done() {
            *front = Run::default();
            self.heap.swap_remove(0);
        }
        self.sift_down(0, sort);
        self.runs[*self.heap.first()? as usize].take()
    }

    /// Moves the run at `at` in the heap up to where it belongs.
    fn sift_up(&mut self, mut at: usize, sort: Sort) {
        while at > 0 && self.compare_fronts(at, (at - 1) / 2, sort).is_lt() {
            self.heap.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    /// Moves the run at `at` in the heap down to where it belongs.
    fn sift_down(&mut self, mut at: usize, sort: Sort) {
        loop {
            let below = 2 * at + 1..self.heap.len().min(2 * at + 3);
            let Some(least) = below.min_by(|&a, &b| self.compare_fronts(a, b, sort)) else { return };
            if self.compare_fronts(at, least, sort).is_le() {
                return;
            }
            self.heap.swap(at, least);
            at = least;
        }
    }

    /// Compares the next entries of two runs in the heap.
    fn compare_fronts(&self, a: usize, b: usize, sort: Sort) -> Ordering {
        let front = |at: usize| self.runs[self.heap[at] as usize].front();
        match (front(a), front(b)) {
            (Some(a), Some(b)) => order::compare(&a, &b, sort),
            (a, b) => a.is_none().cmp(&b.is_none()),
        }
    }

    /// Bytes on the heap that they take.
    pub fn heap_bytes(&self) -> usize {
        let of_runs = self.runs.iter().map(Run::heap_bytes).sum::<usize>();
        self.runs.capacity() * size_of::<Run>() + self.heap.capacity() * size_of::<u32>() + of_runs
    }
}

impl Run {
    fn is_full(&self, entries_max: usize) -> bool {
        self.packed.len() >= entries_max || self.names.len() >= RUN_NAMES_BYTES
    }

    fn push(&mut self, entry: &Entry) {
        let &Entry { name, kind, len, modified_unix_secs } = entry;
        // A run is small, and a name shorter than the buffer that the kernel wrote it into.
        let (name_at, name_len) = (self.names.len() as u32, name.len() as u16);
        self.names.extend_from_slice(name);
        self.packed.push(Packed { len, modified_unix_secs, name_at, name_len, kind });
    }

    /// Gives back what it has room for and will not need.
    fn shrink(&mut self) {
        self.names.shrink_to_fit();
        self.packed.shrink_to_fit();
    }

    fn sort(&mut self, sort: Sort) {
        self.shrink();
        let Run { names, packed, .. } = self;
        // The order is total, so a stable sort would give the same and need more memory.
        packed.sort_unstable_by(|a, b| order::compare(&a.entry(names), &b.entry(names), sort));
    }

    fn is_done(&self) -> bool {
        self.taken >= self.packed.len()
    }

    fn front(&self) -> Option<Entry<'_>> {
        self.packed.get(self.taken).map(|packed| packed.entry(&self.names))
    }

    fn take(&mut self) -> Option<Entry<'_>> {
        self.taken += 1;
        self.packed.get(self.taken - 1).map(|packed| packed.entry(&self.names))
    }

    fn heap_bytes(&self) -> usize {
        self.names.capacity() + self.packed.capacity() * size_of::<Packed>()
    }
}

impl Packed {
    fn entry(self, names: &[u8]) -> Entry<'_> {
        let name_at = self.name_at as usize;
        let name = &names[name_at..name_at + usize::from(self.name_len)];
        Entry { name, kind: self.kind, len: self.len, modified_unix_secs: self.modified_unix_secs }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::listing::query::Column;

    type Told = (String, bool, u64, i64);

    fn entry((name, is_folder, len, modified_unix_secs): &Told) -> Entry<'_> {
        let kind = if *is_folder { EntryKind::Folder } else { EntryKind::File };
        Entry { name: name.as_bytes(), kind, len: *len, modified_unix_secs: *modified_unix_secs }
    }

    fn gathered(entries: &[Entry], run_entries_max: usize) -> Runs {
        let mut runs = Runs::with(run_entries_max);
        entries.iter().for_each(|entry| runs.push(entry));
        runs
    }

    /// The names that are handed out.
    fn names(runs: &mut Runs, sort: Option<Sort>) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| runs.next(sort).map(|entry| entry.name.to_vec())).collect()
    }

    fn sorts() -> impl Iterator<Item = Sort> {
        let columns = [Column::Name, Column::Size, Column::Time];
        let both = |column| [true, false].map(|descending| Sort { column, descending });
        columns.into_iter().flat_map(both)
    }

    #[test]
    fn a_run_of_long_names_is_short() {
        let long: Vec<String> = (0..500).map(|number| format!("{number:0255}")).collect();
        let mut runs = Runs::default();
        for name in &long {
            runs.push(&entry(&(name.clone(), false, 0, 0)));
        }
        let longest = runs.runs.iter().map(|run| run.packed.len()).max();
        assert_eq!(longest, Some(65), "16 KiB");
        let sort = Sort::default();
        let steps = 1 + std::iter::from_fn(|| (!runs.sort_one(sort)).then_some(())).count();
        assert_eq!((steps, runs.count()), (8, 500), "a run is sorted in a step");
        let sorted = names(&mut runs, Some(sort));
        assert!(sorted.iter().map(Vec::as_slice).eq(long.iter().map(String::as_bytes)));
    }

    #[test]
    fn what_was_handed_out_is_forgotten() {
        let told: Vec<Told> = (0..1000).map(|number| (number.to_string(), false, 0, 0)).collect();
        let entries: Vec<Entry> = told.iter().map(entry).collect();
        let mut runs = gathered(&entries, 100);
        let before = runs.heap_bytes();
        for _ in 0..901 {
            runs.next(None);
        }
        assert!(runs.heap_bytes() < before / 5, "{} of {before} bytes", runs.heap_bytes());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn runs_are_sorted_as_one_is(
            run_entries_max in 1..9_usize,
            told in prop::collection::btree_map(
                "[aAbB_.0129]{1,4}", (any::<bool>(), 0..3_u64, 0..3_i64), 0..40,
            ),
        ) {
            let told: Vec<Told> =
                told.into_iter().map(|(name, (is_folder, len, secs))| (name, is_folder, len, secs)).collect();
            let mut entries: Vec<Entry> = told.iter().map(entry).collect();
            let in_order = |entries: &[Entry]| -> Vec<Vec<u8>> {
                entries.iter().map(|entry| entry.name.to_vec()).collect()
            };
            prop_assert_eq!(names(&mut gathered(&entries, run_entries_max), None), in_order(&entries));
            for sort in sorts() {
                let mut runs = gathered(&entries, run_entries_max);
                while !runs.sort_one(sort) {}
                // What comes in is sorted by the sort before, the other way round.
                entries.sort_by(|a, b| order::compare(a, b, sort));
                prop_assert_eq!(names(&mut runs, Some(sort)), in_order(&entries));
            }
        }
    }
}
