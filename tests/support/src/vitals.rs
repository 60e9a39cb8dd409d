//! Whether a process is well: it rests when there is nothing to do, and gives back what it took.

use std::thread::sleep;
use std::time::Duration;

use super::patience::{comes_true, wait_until};
use super::process::Process;

const SECOND: Duration = Duration::from_secs(1);

/// Waits until the process has no more descriptors open than `base`.
#[track_caller]
pub fn assert_nothing_leaks(process: &Process, base: usize) {
    let is_back = comes_true(|| process.open_files() <= base);
    assert!(is_back, "{} descriptors instead of {base}", process.open_files());
}

/// Waits until the process has no more memory than `base_kib` and what the allocator may keep of it: what lies
/// below something that is still used. The simulation shows that nothing is left allocated.
#[track_caller]
pub fn assert_memory_is_back(process: &Process, base_kib: u64) {
    const KEPT_KIB: u64 = 2048;

    let is_back = comes_true(|| process.memory_kib() <= base_kib + KEPT_KIB);
    assert!(is_back, "{} KiB, from {base_kib} KiB at the start", process.memory_kib());
}

/// Looks now and then until `look` has told the same twice.
#[track_caller]
pub fn settled<T: PartialEq + Copy>(look: impl Fn() -> T) -> T {
    let mut last = look();
    wait_until("it settles", || {
        sleep(SECOND / 10);
        let now = look();
        std::mem::replace(&mut last, now) == now
    });
    last
}

/// Asserts that the process takes next to no time while it can do nothing.
#[track_caller]
pub fn assert_no_spinning(process: &Process) {
    let ticks = process.cpu_ticks();
    sleep(SECOND);
    let spent = process.cpu_ticks() - ticks;
    assert!(spent < 20, "{spent} hundredths of a second of doing nothing");
}
