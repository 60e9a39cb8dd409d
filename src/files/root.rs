//! Opening files beneath the served folder, and nowhere else.
//!
//! The kernel guards the root: `openat2` with `RESOLVE_BENEATH` fails on any path, `..` or symlink that would
//! leave it. What is sent is described by `fstat` of the descriptor that was opened, so nothing can be
//! swapped between the check and the use.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use crate::config::Symlinks;

/// How often an open is tried again when the kernel saw a rename on the way and could not tell (`EAGAIN`).
const RACES_MAX: usize = 16;

/// The folder that is served.
#[derive(Debug)]
pub struct Root {
    folder: OwnedFd,
    symlinks: Symlinks,
    /// Shared by every file that is open.
    open: Arc<()>,
}

/// An open file, which counts as long as it is.
#[derive(Debug)]
pub struct Descriptor {
    file: OwnedFd,
    _counted: Arc<()>,
}

impl From<OwnedFd> for Descriptor {
    /// Of a file that no root has opened, so that none counts it.
    fn from(file: OwnedFd) -> Descriptor {
        Descriptor { file, _counted: Arc::new(()) }
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// What a path led to.
#[derive(Debug)]
pub enum Opened {
    File(Descriptor, Stamp),
    Folder,
    /// A FIFO, a socket or a device: nothing that is served.
    Special,
}

/// What tells one state of one file from every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    pub inode: u64,
    mode: u32,
    pub len: u64,
    /// Whether it takes room on the disk. The length of what does not may be a mere claim, as in `/proc` and
    /// `/sys`.
    pub has_blocks: bool,
    /// Last change of the content, since 1970; before it negative.
    pub modified: FileTime,
    /// Last change of content, owner, permissions or name.
    pub changed: FileTime,
}

/// Seconds since 1970 and nanoseconds behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileTime {
    pub secs: i64,
    pub nanos: u32,
}

impl FileTime {
    /// Whether it is a moment at which something was written. Where a build or an image gives all files one
    /// time, it is in whole seconds, and says nothing of a file.
    pub fn is_its_own(self) -> bool {
        self.nanos != 0
    }

    /// Whether nobody can have meant it: 0, or 1 from those who found that 0 is taken for none.
    pub fn is_no_time(self) -> bool {
        self.nanos == 0 && matches!(self.secs, 0 | 1)
    }

    /// In nanoseconds, as far as there is room.
    pub fn total_nanos(self) -> u64 {
        (self.secs as u64).wrapping_mul(1_000_000_000).wrapping_add(self.nanos.into())
    }
}

impl Stamp {
    /// What `stat` says.
    pub fn of(stat: &Stat) -> Stamp {
        Stamp {
            device: stat.st_dev,
            inode: stat.st_ino,
            mode: stat.st_mode,
            len: u64::try_from(stat.st_size).unwrap_or(0),
            has_blocks: stat.st_blocks > 0,
            modified: FileTime { secs: stat.st_mtime, nanos: stat.st_mtime_nsec as u32 },
            changed: FileTime { secs: stat.st_ctime, nanos: stat.st_ctime_nsec as u32 },
        }
    }

    /// What it is the state of.
    pub fn file_type(&self) -> FileType {
        FileType::from_raw_mode(self.mode)
    }

    /// The state that `file` is in now.
    pub fn of_open(file: BorrowedFd<'_>) -> Result<Stamp, Errno> {
        rustix::fs::fstat(file).map(|stat| Stamp::of(&stat))
    }

    /// Whether a change made about now could go unseen. The kernel stamps files with a clock that ticks every
    /// few milliseconds, some filesystems every two seconds: what was stamped within the last moments may
    /// change again and keep its stamp.
    pub fn is_in_doubt(&self, now_unix_secs: u64) -> bool {
        let is_close = |time: FileTime| {
            u64::try_from(time.secs).is_ok_and(|secs| secs.abs_diff(now_unix_secs) <= STAMP_DOUBT_SECS)
        };
        is_close(self.modified) || is_close(self.changed)
    }
}

/// The coarsest stamp's grain, and a second for a `now` that is read once a second.
const STAMP_DOUBT_SECS: u64 = 3;

impl Root {
    /// Opens the folder and tries the guard once: on a kernel without it there is no serving.
    ///
    /// Errors say what failed, on what, and what to try.
    pub fn open(path: &Path, symlinks: Symlinks) -> io::Result<Root> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| explain(errno, path))?;
        let root = Root { folder, symlinks, open: Arc::new(()) };
        // It need not be readable: what is in it may be served, and not be listed (mode 711).
        match root.open_beneath(b".", OFlags::PATH | OFlags::CLOEXEC) {
            Err(errno) => Err(explain(errno, path)),
            Ok(_) => Ok(root),
        }
    }

    /// How many files are open.
    pub fn open_files(&self) -> usize {
        Arc::strong_count(&self.open) - 1
    }

    /// The folder itself.
    pub fn folder(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    /// Opens what is at `path`, relative to the root. Never blocks, whatever is there.
    ///
    /// What is nothing to be served is known by its type before and not opened: to open a FIFO tells whoever
    /// waits to write to it that somebody reads, and when it is closed again, they die; a device may do
    /// anything. That look guards nothing: what takes the name's place meanwhile is opened, and told then.
    pub fn open_file(&self, path: &[u8]) -> Result<Opened, Errno> {
        match self.stamp_at(path).map(|stamp| stamp.file_type()) {
            Ok(FileType::Fifo | FileType::Socket | FileType::CharacterDevice | FileType::BlockDevice) => {
                return Ok(Opened::Special);
            }
            // Beneath the root or elsewhere, there is nothing.
            Err(Errno::NOENT) => return Err(Errno::NOENT),
            // Whatever else is wrong is told by the open.
            _ => {}
        }
        let file = self.open_beneath(path, READ)?;
        let stamp = Stamp::of_open(file.as_fd())?;
        Ok(match stamp.file_type() {
            FileType::RegularFile => {
                Opened::File(Descriptor { file, _counted: Arc::clone(&self.open) }, stamp)
            }
            FileType::Directory => Opened::Folder,
            _ => Opened::Special,
        })
    }

    /// Opens the folder at `path`, relative to the root and empty for the root itself, to read what is in it.
    pub fn open_folder(&self, path: &[u8]) -> Result<(OwnedFd, Stamp), Errno> {
        let path = if path.is_empty() { b"." } else { path };
        let folder = self.open_beneath(path, READ | OFlags::DIRECTORY)?;
        let stamp = Stamp::of_open(folder.as_fd())?;
        Ok((folder, stamp))
    }

    /// The state of what is at `path`, wherever symlinks on the way may lead that are followed at all.
    pub fn stamp_beneath(&self, path: &[u8]) -> Result<Stamp, Errno> {
        Stamp::of_open(self.open_beneath(path, OFlags::PATH | OFlags::CLOEXEC)?.as_fd())
    }

    /// The state of what is at `path`, to be compared with that of a file which was opened there before.
    /// Opens nothing: the answer is good for recognising a file and for nothing else.
    pub fn stamp_at(&self, path: &[u8]) -> Result<Stamp, Errno> {
        let flags = match self.symlinks {
            Symlinks::Deny => AtFlags::SYMLINK_NOFOLLOW,
            Symlinks::Inside | Symlinks::Follow => AtFlags::empty(),
        };
        rustix::fs::statat(&self.folder, path, flags).map(|stat| Stamp::of(&stat))
    }

    fn open_beneath(&self, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        let resolve = match self.symlinks {
            Symlinks::Inside => ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS,
            // A path has no `..` left in it, and no slash in front.
            Symlinks::Follow => ResolveFlags::NO_MAGICLINKS,
            Symlinks::Deny => ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS,
        };
        let mut races_left = RACES_MAX;
        loop {
            match rustix::fs::openat2(self.folder.as_fd(), path, flags, Mode::empty(), resolve) {
                Err(Errno::AGAIN | Errno::INTR) if races_left > 0 => races_left -= 1,
                // What is not in memory is told by the other name.
                Err(Errno::AGAIN) => return Err(Errno::BUSY),
                result => return result,
            }
        }
    }
}

/// NONBLOCK and NOCTTY: should it be one after all, opening a FIFO must not wait, nor a terminal be adopted.
const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

fn explain(errno: Errno, path: &Path) -> io::Error {
    let reason = match errno {
        Errno::NOENT => "no such folder (try '--directory DIR' with one that exists)".to_owned(),
        Errno::NOTDIR => "not a folder (try the folder it is in)".to_owned(),
        Errno::ACCESS => "permission denied (try a folder that you can read)".to_owned(),
        Errno::NOSYS | Errno::PERM => "this system has no openat2, which keeps clients below the folder \
             (Linux 5.6 or later is needed, and a sandbox that allows the call)"
            .to_owned(),
        _ => errno.to_string(),
    };
    io::Error::new(io::Error::from(errno).kind(), format!("cannot serve {}: {reason}", path.display()))
}
