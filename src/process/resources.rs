//! What the system grants this process: memory, open files, the size of a file, copies of its memory.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::SIGXFSZ;

use super::{cgroup, figures};

/// The memory that this process may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    pub bytes: u64,
    /// Where that comes from, in words that go behind "by" or "from".
    pub source: &'static str,
}

/// The smallest of the bounds that are set on this process and its control groups, and of half of the
/// machine's memory: the rest of that is for others, and for the files that the kernel keeps.
pub fn memory_granted() -> Granted {
    // Where /proc is not mounted no group is found, and the kernel is asked. In containers it knows less:
    // some have a /proc/meminfo of their own.
    let text = |path| std::fs::read_to_string(path).unwrap_or_default();
    let machine_bytes = memory_total(&text("/proc/meminfo")).unwrap_or_else(|| {
        let machine = rustix::system::sysinfo();
        (machine.totalram as u64).saturating_mul(machine.mem_unit.into())
    });
    let half = Granted { bytes: machine_bytes / 2, source: "half of the machine's memory" };
    let of_limits = [(Resource::As, "RLIMIT_AS"), (Resource::Data, "RLIMIT_DATA")]
        .into_iter()
        .filter_map(|(resource, source)| getrlimit(resource).current.map(|bytes| Granted { bytes, source }));
    let files = cgroup::memory_bound_files(&text("/proc/self/cgroup"), &text("/proc/self/mountinfo"));
    let of_groups = files.iter().filter_map(|file| granted_in(file));
    of_limits
        .chain(of_groups)
        .fold(half, |least, other| if other.bytes < least.bytes { other } else { least })
}

/// The bytes of `MemTotal` (proc_meminfo(5)), whose unit is a KiB whatever it says.
fn memory_total(meminfo: &str) -> Option<u64> {
    let value = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    value.trim().trim_end_matches(" kB").parse::<u64>().ok()?.checked_mul(1024)
}

fn granted_in(file: &Path) -> Option<Granted> {
    let bytes = cgroup::bound_in(&std::fs::read_to_string(file).ok()?)?;
    let source = match file.ends_with(cgroup::UNIFIED_FILE) {
        true => "the control group's memory.max",
        false => "the control group's memory.limit_in_bytes",
    };
    Some(Granted { bytes, source })
}

/// Raises the soft limit on open files to the hard one; returns the limit in force afterwards.
///
/// Every connection is a descriptor, and the usual soft limit of 1,024 is kept for programs that use
/// `select`. Where raising it is refused, the old limit stays in force.
pub fn raise_open_files() -> u64 {
    let hard = getrlimit(Resource::Nofile).maximum;
    // Refused or not: what counts is what is in force.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: hard, maximum: hard });
    open_files()
}

/// Has a write that would make a file larger than this process may (RLIMIT_FSIZE) fail as on a full disk,
/// where the kernel's own way is to end the process. For programs that are the server.
pub fn survive_full_files() -> io::Result<()> {
    signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    Ok(())
}

/// The limit on open files in force.
pub fn open_files() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Refuses to go on if fewer than `count` descriptors can be opened, whatever the others are taken by.
pub fn check_spare_descriptors(count: usize) -> io::Result<()> {
    let stderr = io::stderr();
    let spare: Result<Vec<OwnedFd>, Errno> =
        (0..count).map(|_| rustix::io::fcntl_dupfd_cloexec(&stderr, 0)).collect();
    spare.map(drop).map_err(|errno| {
        let limit = open_files();
        let text =
            format!("cannot serve within a limit of {limit} open files: {errno} (try 'ulimit -n 1024')");
        io::Error::new(io::ErrorKind::OutOfMemory, text)
    })
}

/// Refuses to go on if the address space is bounded (`ulimit -v`) and fewer than `bytes` are left of it,
/// which may come to be kept: a program that gets no memory ends.
pub fn check_spare_memory(bytes: usize) -> io::Result<()> {
    let Some(limit) = getrlimit(Resource::As).current else { return Ok(()) };
    let taken = figures::address_space_bytes().unwrap_or(0);
    let needed = taken.saturating_add(bytes as u64);
    if limit >= needed {
        return Ok(());
    }
    let text = format!(
        "cannot serve within an address space of {} KiB: the program itself takes {}, and what it may keep \
         {} (try a smaller '--memory', or 'ulimit -v {}')",
        limit / 1024,
        taken / 1024,
        bytes / 1024,
        (needed + needed / 2) / 1024,
    );
    Err(io::Error::new(io::ErrorKind::OutOfMemory, text))
}

/// A crash writes no copy of the memory to the disk: it may hold what only some clients may see.
pub fn forbid_core_dumps() {
    // To lower a limit is always allowed.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_memory_is_granted_than_half_of_what_there_is() {
        let meminfo = std::fs::read_to_string("/proc/meminfo").expect("the machine's memory");
        let half = memory_total(&meminfo).expect("a number") / 2;
        let granted = memory_granted();
        assert!((1..=half).contains(&granted.bytes), "{granted:?}, half is {half}");
        assert_eq!(granted.bytes == half, granted.source.starts_with("half"), "{granted:?}");
    }

    #[test]
    fn the_memory_of_a_machine_is_told_in_kib() {
        let meminfo = "MemTotal:       24684092 kB\nMemFree:         1234 kB\n";
        assert_eq!(memory_total(meminfo), Some(24_684_092 * 1024));
        assert_eq!(memory_total("MemFree: 1234 kB\n"), None);
        assert_eq!(memory_total("MemTotal: many\n"), None);
    }

    #[test]
    fn a_group_without_a_bound_bounds_nothing() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let file = folder.path().join(cgroup::UNIFIED_FILE);
        assert_eq!(granted_in(&file), None, "not there, as in the root group");
        std::fs::write(&file, "max\n").expect("a file");
        assert_eq!(granted_in(&file), None);
        std::fs::write(&file, "2097152\n").expect("a file");
        let source = "the control group's memory.max";
        assert_eq!(granted_in(&file), Some(Granted { bytes: 2 << 20, source }));
    }
}
