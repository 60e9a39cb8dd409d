//! A slice of what is in memory, on its way to a socket: sent from where it is.

use std::ops::Range;
use std::sync::Arc;

/// Some of what is remembered. It stays in memory until this is dropped, remembered or not: not to be kept
/// for long.
#[derive(Clone, Debug)]
pub struct MemorySlice {
    bytes: Arc<[u8]>,
    /// What is still to be sent.
    unsent: Range<usize>,
}

impl MemorySlice {
    /// The bytes of `range`.
    pub fn new(bytes: &Arc<[u8]>, range: Range<usize>) -> MemorySlice {
        MemorySlice { bytes: Arc::clone(bytes), unsent: range }
    }

    /// What is to be sent next, all of it.
    pub fn unsent(&self) -> &[u8] {
        &self.bytes[self.unsent.clone()]
    }

    /// Says that so many bytes have left.
    pub fn sent(&mut self, count: usize) {
        self.unsent.start += count;
    }
}
