//! What the system grants this process: open files, the size of a file, copies of its memory.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::SIGXFSZ;

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

/// A crash writes no copy of the memory to the disk: it may hold what only some clients may see.
pub fn forbid_core_dumps() {
    // To lower a limit is always allowed.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}
