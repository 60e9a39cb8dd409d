//! Faults on the real binary: attacks, shortages, a disk that changes, a machine that stands still.
//!
//! Each test has an honest client beside the fault where one can be, prints what it measured (`--nocapture`
//! shows it), and asserts that the process has given back afterwards what the fault had it take. Some faults
//! are tested elsewhere as well: descriptors that run out in `cli/cost.rs`, a log that nobody reads in
//! `cli/access_log.rs`, clients that stall in `serving/deadlines.rs`.

mod attacks;
mod changes;
mod clock_steps;
mod descriptors;
mod floods;
mod half_closes;
mod honest;
mod logs;
mod memory;
mod overwriting;
mod pauses;
mod refused;
mod resets;
mod root;
mod silence;
mod slow_attacks;
mod stderr;

use std::io::Write;
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pws_testing::folder::Folder;
use rustix::fs::{OFlags, fcntl_setfl};

/// Large files that the server keeps open once they are old enough to be kept.
const KEPT_FILES: usize = 1;

fn folder() -> Folder {
    Folder::new().file("page.html", "<p>page").sparse_file("large.bin", 64 << 20)
}

/// Waits for the machine: of the tests that measure under load only one runs at a time.
fn alone() -> MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::new(());

    // What has failed elsewhere is told there.
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Fills a pipe, so that whoever writes to it has to wait for its reader.
fn fill(pipe: &mut (impl Write + AsFd)) {
    fcntl_setfl(&*pipe, OFlags::NONBLOCK).expect("not to wait");
    while pipe.write(b"x").is_ok() {}
    fcntl_setfl(&*pipe, OFlags::empty()).expect("to wait again");
}
