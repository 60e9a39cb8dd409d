//! Threads that are to end when their test does.

use std::sync::atomic::{AtomicBool, Ordering};

/// Sets what it refers to when its scope ends, be it by a panic.
pub struct OnEnd<'a>(pub &'a AtomicBool);

impl Drop for OnEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
