//! What tells one state of a file from another: its stamp.

use std::os::fd::BorrowedFd;

use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

/// What tells one state of one file from every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub device: u64,
    pub inode: u64,
    mode: u32,
    /// It is elsewhere as well, under another name.
    pub has_other_names: bool,
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
            has_other_names: stat.st_nlink > 1,
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

    /// Whether it is a state of the same thing.
    pub fn is_of_same(&self, other: &Stamp) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
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
