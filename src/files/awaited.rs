//! Files that cannot be told of before a disk has read their start, and since when they are waited for.
//!
//! A look does not wait, so whoever only looks never learns that a page cannot be read, nor gets what a
//! filesystem gives to those alone who wait. So patience ends.

use crate::clock::{Now, Tick};

/// After so many seconds a file is read all the same: that waits, and tells of errors. It is longer than a
/// disk takes to start turning.
const PATIENCE_SECS: Tick = 10;
/// Who has not been looked for in so many seconds is not waited for any more.
const FORGOTTEN_SECS: Tick = 2;
/// Files that are kept in mind. For more of them at once, patience may begin anew.
const FILES_MAX: usize = 64;

/// What is waited for, by path.
#[derive(Debug, Default)]
pub struct Awaited {
    files: Vec<File>,
}

#[derive(Debug)]
struct File {
    path: Box<[u8]>,
    since: Tick,
    looked_for: Tick,
}

impl Awaited {
    /// Whether `path` has been looked for in vain for too long.
    pub fn is_overdue(&self, path: &[u8], now: &Now) -> bool {
        let file = self.files.iter().find(|file| *file.path == *path && !file.is_forgotten(now));
        file.is_some_and(|file| now.tick.saturating_sub(file.since) > PATIENCE_SECS)
    }

    /// Says that `path` was looked for in vain.
    pub fn look_again(&mut self, path: &[u8], now: &Now) {
        self.files.retain(|file| !file.is_forgotten(now));
        if let Some(file) = self.files.iter_mut().find(|file| *file.path == *path) {
            file.looked_for = now.tick;
            return;
        }
        if self.files.len() == FILES_MAX {
            self.files.remove(0);
        }
        self.files.push(File { path: path.into(), since: now.tick, looked_for: now.tick });
    }

    /// Says that `path` was found, or will not be.
    pub fn forget(&mut self, path: &[u8]) {
        self.files.retain(|file| *file.path != *path);
        if self.files.is_empty() {
            self.files = Vec::new();
        }
    }
}

impl File {
    fn is_forgotten(&self, now: &Now) -> bool {
        now.tick.saturating_sub(self.looked_for) > FORGOTTEN_SECS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(tick: Tick) -> Now {
        Now::at(tick, 0)
    }

    #[test]
    fn patience_ends_with_what_is_looked_for_all_the_time() {
        let mut awaited = Awaited::default();
        for tick in 0..=PATIENCE_SECS {
            assert!(!awaited.is_overdue(b"a", &at(tick)), "{tick}");
            awaited.look_again(b"a", &at(tick));
        }
        let after = PATIENCE_SECS + 1;
        assert!(awaited.is_overdue(b"a", &at(after)) && !awaited.is_overdue(b"b", &at(after)));
        awaited.forget(b"a");
        assert!(!awaited.is_overdue(b"a", &at(after)));
    }

    #[test]
    fn who_comes_back_later_begins_anew() {
        let mut awaited = Awaited::default();
        awaited.look_again(b"a", &at(0));
        let later = at(PATIENCE_SECS + 5);
        assert!(!awaited.is_overdue(b"a", &later));
        awaited.look_again(b"a", &later);
        assert!(!awaited.is_overdue(b"a", &later));
    }

    #[test]
    fn memory_is_bounded() {
        let mut awaited = Awaited::default();
        for index in 0..10 * FILES_MAX {
            awaited.look_again(index.to_string().as_bytes(), &at(0));
        }
        assert_eq!(awaited.files.len(), FILES_MAX);
        awaited.look_again(b"a", &at(FORGOTTEN_SECS + 1));
        assert_eq!(awaited.files.len(), 1);
    }
}
