//! How many descriptors a server has open: a connection is one.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::Result;
use super::process_group::ProcessGroup;

/// How long a server may take to see that clients have come or gone.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many are open in all processes together.
pub fn count(processes: ProcessGroup) -> Result<usize> {
    let count = |pid: u32| fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    Ok(processes.pids()?.into_iter().map(count).sum())
}

/// Waits until there are as many as there should be.
pub fn wait(processes: ProcessGroup, what: &str, is_reached: impl Fn(usize) -> bool) -> Result<()> {
    let start = Instant::now();
    loop {
        let count = count(processes)?;
        if is_reached(count) {
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            return Err(format!("the server does not {what}: {count} descriptors are open").into());
        }
        thread::sleep(Duration::from_millis(50));
    }
}
