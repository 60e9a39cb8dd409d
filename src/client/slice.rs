//! What a connection may take of a turn before it is the others' turn: bytes, and time.
//!
//! Bytes alone do not tell what an answer takes: 64 of them may be made of a thousand look-ups. Time alone is
//! told too late: a call that moves megabytes ends when it ends. So both are bounded, and whichever ends
//! first ends the slice.

use crate::clock::Stopwatch;

/// Steps that are everybody's: to receive a request and to send its response. Only whoever wants more than
/// that is asked how long it has taken.
const FREE_STEPS: u32 = 2;

/// What is left of a connection's share of a turn.
pub struct Slice<'a> {
    stopwatch: Stopwatch<'a>,
    /// When its time is up, nanoseconds since the turn began.
    end_nanos: u64,
    bytes_left: usize,
    free_steps_left: u32,
}

impl<'a> Slice<'a> {
    /// Until `end_nanos` of the turn, and so many bytes.
    pub fn new(stopwatch: Stopwatch<'a>, end_nanos: u64, bytes: usize) -> Slice<'a> {
        Slice { stopwatch, end_nanos, bytes_left: bytes, free_steps_left: FREE_STEPS }
    }

    /// Bytes that may still be read or written.
    pub fn bytes_left(&self) -> usize {
        self.bytes_left
    }

    /// Accounts for a step that has moved so many bytes.
    pub fn take_step(&mut self, bytes: usize) {
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        self.free_steps_left = self.free_steps_left.saturating_sub(1);
    }

    /// Whether the next step has to wait for another turn.
    pub fn is_over(&self) -> bool {
        self.bytes_left == 0 || self.free_steps_left == 0 && self.is_time_up()
    }

    /// How long the turn has taken so far.
    pub fn elapsed_nanos(&self) -> u64 {
        (self.stopwatch)()
    }

    /// Whether its time is up.
    pub fn is_time_up(&self) -> bool {
        self.elapsed_nanos() >= self.end_nanos
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn ends_with_its_bytes_or_with_its_time() {
        let nanos = Cell::new(1000);
        let stopwatch = || nanos.get();
        let mut slice = Slice::new(&stopwatch, 1050, 10);
        slice.take_step(9);
        assert!(!slice.is_over());
        slice.take_step(1);
        assert!(slice.is_over() && !slice.is_time_up(), "all bytes are taken");
        let mut slice = Slice::new(&stopwatch, 1050, 10);
        nanos.set(1050);
        for _ in 0..FREE_STEPS {
            assert!(!slice.is_over(), "a request and its response are everybody's");
            slice.take_step(1);
        }
        assert!(slice.is_over());
    }
}
