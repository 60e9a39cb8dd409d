//! Opening files beneath the served folder, and nowhere else.
//!
//! The kernel guards the root: `openat2` with `RESOLVE_BENEATH` fails on any path, `..` or symlink that would
//! leave it. What is sent is described by `fstat` of the descriptor that was opened, so nothing can be
//! swapped between the check and the use.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use crate::clock::Now;
use crate::http::conditional::{EntityTag, Validators};

/// How often an open is tried again when the kernel saw a rename on the way and could not tell (`EAGAIN`).
const RACES_MAX: usize = 16;

/// The folder that is served.
#[derive(Debug)]
pub struct Root {
    folder: OwnedFd,
}

/// What a path led to.
#[derive(Debug)]
pub enum Opened {
    File(OwnedFd, FileFacts),
    Folder,
    /// A FIFO, a socket or a device: nothing that is served.
    Special,
}

/// What `fstat` tells of a regular file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileFacts {
    pub len: u64,
    /// Last change of the content: seconds since 1970, before it negative ...
    pub modified_secs: i64,
    /// ... and nanoseconds behind them.
    pub modified_nanos: u32,
}

impl FileFacts {
    fn of(stat: &Stat) -> FileFacts {
        FileFacts {
            len: u64::try_from(stat.st_size).unwrap_or(0),
            modified_secs: stat.st_mtime,
            modified_nanos: stat.st_mtime_nsec as u32,
        }
    }

    /// What tells this state of the file from others.
    ///
    /// The kernel stamps files with a clock that ticks every few milliseconds, so a file stamped about now may
    /// change again and keep its stamp: its tag is weak until the moment has passed (RFC 9110 §8.8.1).
    pub fn validators(&self, now: &Now) -> Validators {
        let modified_unix_secs = u64::try_from(self.modified_secs).unwrap_or(0);
        let is_about_now = modified_unix_secs.abs_diff(now.unix_secs) <= STAMP_DOUBT_SECS;
        Validators {
            entity_tag: EntityTag::of_file(self.modified_secs, self.modified_nanos, self.len, is_about_now),
            // A date in the future would promise what nobody knows (RFC 9110 §8.8.2.1).
            last_modified_unix_secs: modified_unix_secs.min(now.unix_secs),
            is_date_strong: modified_unix_secs + STAMP_DOUBT_SECS < now.unix_secs,
        }
    }
}

/// The date's grain, and as much again for a `now` that is up to a second old.
const STAMP_DOUBT_SECS: u64 = 2;

impl Root {
    /// Opens the folder and tries the guard once: on a kernel without it there is no serving.
    ///
    /// Errors say what failed, on what, and what to try.
    pub fn open(path: &Path) -> io::Result<Root> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| explain(errno, path))?;
        let root = Root { folder };
        match root.open_beneath(b".") {
            Err(errno) => Err(explain(errno, path)),
            Ok(_) => Ok(root),
        }
    }

    /// Opens what is at `path`, relative to the root. Never blocks, whatever is there.
    pub fn open_file(&self, path: &[u8]) -> Result<Opened, Errno> {
        let file = self.open_beneath(if path.is_empty() { b"." } else { path })?;
        let stat = rustix::fs::fstat(&file)?;
        Ok(match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Opened::File(file, FileFacts::of(&stat)),
            FileType::Directory => Opened::Folder,
            _ => Opened::Special,
        })
    }

    fn open_beneath(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        // NONBLOCK and NOCTTY: opening a FIFO must not wait, opening a terminal must not adopt it.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let mut races_left = RACES_MAX;
        loop {
            match rustix::fs::openat2(self.folder.as_fd(), path, flags, Mode::empty(), resolve) {
                Err(Errno::AGAIN | Errno::INTR) if races_left > 0 => races_left -= 1,
                result => return result,
            }
        }
    }
}

fn explain(errno: Errno, path: &Path) -> io::Error {
    let reason = match errno {
        Errno::NOENT => "no such folder (try '--directory DIR' with one that exists)".to_owned(),
        Errno::NOTDIR => "not a folder (try the folder it is in)".to_owned(),
        Errno::ACCESS => "permission denied (try a folder that you can read)".to_owned(),
        Errno::NOSYS | Errno::PERM => {
            "this system has no openat2, which keeps clients below the folder (Linux 5.6 or later is needed, and \
             a sandbox that allows the call)"
                .to_owned()
        }
        _ => errno.to_string(),
    };
    io::Error::new(io::Error::from(errno).kind(), format!("cannot serve {}: {reason}", path.display()))
}
