//! Waiting for what must come, on machines that may be slow: never by a fixed sleep, and never for ever.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longer than anything here takes; a test that waits for this long has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(5);

/// Looks until `is_so`; whether it came to that before patience ended.
pub fn comes_true(mut is_so: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while !is_so() {
        if started.elapsed() > PATIENCE {
            return false;
        }
        sleep(INTERVAL);
    }
    true
}

/// Looks until `is_so`, and panics with `what` if it never comes to that.
#[track_caller]
pub fn wait_until(what: &str, is_so: impl FnMut() -> bool) {
    assert!(comes_true(is_so), "waited in vain: {what}");
}
