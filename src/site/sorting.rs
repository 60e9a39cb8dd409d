//! Memory for sorting, which all listings under way share: who comes when it is gone is sent a folder as it
//! is read, and nobody is cut for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::limits::Limits;

/// The part that listings may have of what all connections may keep.
const KEPT_DIVISOR: usize = 2;

/// What is left of it, bytes.
#[derive(Clone, Debug)]
pub struct SortingMemory(Arc<AtomicUsize>);

/// What a listing has of it, given back when it is dropped.
#[derive(Debug)]
pub struct Share {
    left_bytes: Arc<AtomicUsize>,
    bytes: usize,
}

impl SortingMemory {
    /// As much as `limits` allow.
    pub fn within(limits: &Limits) -> SortingMemory {
        SortingMemory(Arc::new(AtomicUsize::new(limits.kept_bytes_max / KEPT_DIVISOR)))
    }

    /// A share of nothing, to begin with.
    pub fn share(&self) -> Share {
        Share { left_bytes: Arc::clone(&self.0), bytes: 0 }
    }
}

impl Share {
    /// Makes it `bytes` large. False, and nothing has changed, if there is not as much left.
    pub fn resize(&mut self, bytes: usize) -> bool {
        let change = |left: usize| (left + self.bytes).checked_sub(bytes);
        let is_granted = self.left_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change).is_ok();
        if is_granted {
            self.bytes = bytes;
        }
        is_granted
    }

    /// Gives back what it has beyond `bytes`.
    pub fn shrink(&mut self, bytes: usize) {
        self.resize(self.bytes.min(bytes));
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.resize(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_taken_and_given_back() {
        let memory = SortingMemory::within(&Limits { kept_bytes_max: 200, ..Limits::default() });
        let (mut one, mut other) = (memory.share(), memory.share());
        assert!(one.resize(60) && other.resize(40) && one.resize(60));
        assert!(!other.resize(41) && !one.resize(61), "all is taken");
        assert!(one.resize(50) && other.resize(50), "what one gives back the other may have");
        one.shrink(70);
        assert!(!other.resize(51), "it did not grow");
        one.shrink(20);
        assert!(other.resize(80));
        drop(one);
        assert!(!other.resize(101) && other.resize(100));
    }
}
