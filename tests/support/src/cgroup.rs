//! A control group that has so much memory and no more, for one process: what `--memory` promises is held to by
//! the kernel, which ends whoever takes more.
//!
//! Version 2 counts everything in one sum; version 1 has one for memory, the kernel's tables included, and one for
//! the buffers of TCP. A group lies right below the root of the hierarchy, and vanishes with its value.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;

use crate::patience::comes_true;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

pub struct Cgroup {
    folder: PathBuf,
    version: Version,
    bytes: u64,
}

/// Memory of a group, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    /// Of its own, and the kernel's tables.
    pub memory_bytes: u64,
    /// Buffers of sockets.
    pub socket_bytes: u64,
}

impl Used {
    pub fn sum(self) -> u64 {
        self.memory_bytes + self.socket_bytes
    }
}

impl Cgroup {
    /// A group of `bytes`, without swap.
    ///
    /// # Errors
    ///
    /// It takes root, and a hierarchy that hands out memory.
    pub fn of(bytes: u64) -> io::Result<Cgroup> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);

        let (root, version) = root()?;
        let name = format!("pws-test-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = Path::new(root).join(name);
        fs::create_dir(&folder)?;
        // From here on it is removed, whatever fails.
        let group = Cgroup { folder, version, bytes };
        let limit = bytes.to_string();
        match version {
            Version::One => {
                group.write("memory.limit_in_bytes", &limit)?;
                group.write("memory.swappiness", "0")?;
                // Counted from when it has a limit.
                group.write("memory.kmem.tcp.limit_in_bytes", &limit)?;
            }
            Version::Two => {
                group.write("memory.max", &limit)?;
                // There is none where the kernel knows no swap.
                let _ = group.write("memory.swap.max", "0");
            }
        }
        Ok(group)
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What has a shell enter the group or end, before it becomes the process to confine.
    pub fn preparation(&self) -> String {
        format!("echo $$ > '{}/cgroup.procs' || exit 1", self.folder.display())
    }

    /// What it uses and cannot give back: no pages of files that could be read anew.
    pub fn used(&self) -> Used {
        let stat = self.read("memory.stat");
        let line = |label: &str| -> u64 {
            let line = stat.lines().find_map(|line| line.strip_prefix(label)?.strip_prefix(' '));
            line.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
        };
        match self.version {
            Version::One => Used {
                memory_bytes: line("rss") + self.number("memory.kmem.usage_in_bytes"),
                socket_bytes: self.number("memory.kmem.tcp.usage_in_bytes"),
            },
            Version::Two => Used {
                memory_bytes: (line("anon") + line("kernel")).saturating_sub(line("slab_reclaimable")),
                socket_bytes: line("sock"),
            },
        }
    }

    /// The most that it had at any time: memory, pages of files included, and sockets where they are counted
    /// apart.
    pub fn peak(&self) -> Used {
        match self.version {
            Version::One => Used {
                memory_bytes: self.number("memory.max_usage_in_bytes"),
                socket_bytes: self.number("memory.kmem.tcp.max_usage_in_bytes"),
            },
            Version::Two => Used { memory_bytes: self.number("memory.peak"), socket_bytes: 0 },
        }
    }

    /// How many processes were ended because there was no memory.
    pub fn killed(&self) -> u64 {
        let events = self.read(match self.version {
            Version::One => "memory.oom_control",
            Version::Two => "memory.events",
        });
        let line = events.lines().find_map(|line| line.strip_prefix("oom_kill "));
        line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
    }

    /// Looks every now and then while `load` lasts; the most that was [`used`](Cgroup::used).
    pub fn most_used_during<T>(&self, load: impl FnOnce() -> T) -> (Used, T) {
        struct End<'a>(&'a AtomicBool);

        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }

        let is_over = AtomicBool::new(false);
        scope(|scope| {
            let looking = scope.spawn(|| {
                let mut most = self.used();
                while !is_over.load(Ordering::Relaxed) {
                    let used = self.used();
                    if used.sum() > most.sum() {
                        most = used;
                    }
                    sleep(LOOK);
                }
                most
            });
            let end = End(&is_over);
            let result = load();
            drop(end);
            (looking.join().expect("looking does not panic"), result)
        })
    }

    fn write(&self, name: &str, value: &str) -> io::Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, value).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
        })
    }

    /// What a file says; nothing if the kernel has none of that name.
    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    fn number(&self, name: &str) -> u64 {
        self.read(name).trim().parse().unwrap_or(0)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // A process that has just ended may still be in it.
        comes_true(|| fs::remove_dir(&self.folder).is_ok());
    }
}

/// Where groups can be made that have memory of their own.
fn root() -> io::Result<(&'static str, Version)> {
    const TWO: &str = "/sys/fs/cgroup";
    const ONE: &str = "/sys/fs/cgroup/memory";

    let has_memory = |name| {
        let text = fs::read_to_string(Path::new(TWO).join(name)).unwrap_or_default();
        text.split_whitespace().any(|controller| controller == "memory")
    };
    if has_memory("cgroup.controllers") {
        if !has_memory("cgroup.subtree_control") {
            fs::write(Path::new(TWO).join("cgroup.subtree_control"), "+memory")?;
        }
        return Ok((TWO, Version::Two));
    }
    match Path::new(ONE).join("memory.limit_in_bytes").exists() {
        true => Ok((ONE, Version::One)),
        false => Err(io::Error::other("no control group hands out memory")),
    }
}
