//! What the kernel tells of a server: all its processes and threads together.
//!
//! Each server is started as the leader of a process group of its own, so whatever it forks is found by that.

use std::fs;

use super::Result;

/// `/proc` counts processor time in these, on every Linux (USER_HZ).
const TICKS_PER_SEC: f64 = 100.0;

/// The processes of one group.
#[derive(Clone, Copy)]
pub struct ProcessGroup(pub u32);

/// User-space memory, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// All that is mapped and there.
    pub rss: f64,
    /// Pages that are shared count in part.
    pub pss: f64,
    /// What no other process has, and no file could bring back.
    pub private_dirty: f64,
}

impl ProcessGroup {
    /// Each process with its columns of `/proc/PID/stat` behind the name.
    fn processes(self) -> Result<Vec<(u32, Vec<String>)>> {
        let mut processes = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            // One that has just ended is none of ours, or about to be missed by somebody else.
            let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
            // The name, in parentheses, may contain anything.
            let Some((_, columns)) = stat.rsplit_once(") ") else { continue };
            let columns: Vec<String> = columns.split_whitespace().map(str::to_owned).collect();
            if columns.get(2).is_some_and(|group| *group == self.0.to_string()) {
                processes.push((pid, columns));
            }
        }
        Ok(processes)
    }

    pub fn pids(self) -> Result<Vec<u32>> {
        Ok(self.processes()?.into_iter().map(|(pid, _)| pid).collect())
    }

    /// User and system time taken so far, in seconds.
    pub fn cpu_secs(self) -> Result<f64> {
        let mut ticks = 0;
        for (_, columns) in self.processes()? {
            for column in &columns[11..13] {
                ticks += column.parse::<u64>()?;
            }
        }
        Ok(ticks as f64 / TICKS_PER_SEC)
    }

    pub fn memory(self) -> Result<Memory> {
        let mut memory = Memory::default();
        for pid in self.pids()? {
            let path = format!("/proc/{pid}/smaps_rollup");
            let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {path}: {error}"))?;
            memory.rss += bytes(&text, "Rss:");
            memory.pss += bytes(&text, "Pss:");
            memory.private_dirty += bytes(&text, "Private_Dirty:");
        }
        Ok(memory)
    }
}

fn bytes(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    kib.unwrap_or(0.0) * 1024.0
}
