//! A part of a file that is to be sent: what of it can be sent now, without waiting for a disk.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use rustix::io::Errno;

use super::open_file::OpenFile;
use super::page_cache;
use super::root::Descriptor;

/// How much is looked at together, and how much is asked for ahead of that. At the 100 MB a second of a slow
/// disk, 10 ms.
const PART_BYTES: u64 = 1024 * 1024;
/// In what steps it is looked how far a disk has come.
const STEP_BYTES: u64 = 16 * 1024;
/// How often a step is looked for in vain, at most once a millisecond. A look does not wait, so a page that
/// cannot be read is never seen, nor one that was written in part while it was not in memory. After longer
/// than a disk takes to start turning, it is sent all the same: that waits, and tells of errors.
const VAIN_LOOKS_MAX: u16 = 10_000;
/// How much of a file's start is looked at when it is opened. A slice within that is not looked at again:
/// looking would take 100 KB a twentieth longer, and not looking costs a short wait if the kernel has dropped
/// it since.
const TRUSTED_BYTES_MAX: u64 = 256 * 1024;

/// A part of an open file. Several responses may share the descriptor.
#[derive(Debug)]
pub struct FileSlice {
    file: Arc<OpenFile>,
    /// Where to go on reading.
    offset: u64,
    /// How much is left to send. Never 0 in the queue.
    len: u64,
    /// Up to where the content was seen in memory.
    seen_end: u64,
    /// Something was found missing. From then on the kernel is asked ahead, and each step is looked at.
    is_cold: bool,
    /// Up to where the kernel was asked to read.
    asked_end: u64,
    /// How often it was looked in vain since something was found.
    vain_looks: u16,
}

/// What of a slice can be sent now.
#[derive(Debug)]
pub enum Next<'a> {
    /// So many bytes from `offset` on, which are in memory.
    Piece { file: BorrowedFd<'a>, offset: u64, count: usize },
    /// Nothing: the disk has been asked, and no event will tell when it is done.
    DiskCold,
    /// Nothing ever: the file was overwritten since it was opened. What has been sent may be of two versions,
    /// or not of the one that the head tells of.
    Changed,
}

/// Whether the start of `file`, `len` bytes long, is in memory. If not, the kernel is asked for it.
pub fn is_in_memory(file: &Descriptor, len: u64) -> bool {
    let len = len.min(TRUSTED_BYTES_MAX);
    let is_there = page_cache::holds(file, 0) && page_cache::holds(file, len.saturating_sub(1));
    if !is_there {
        page_cache::read_ahead(file, 0, len);
    }
    is_there
}

impl FileSlice {
    /// `len` bytes of `file` from `offset` on; `is_cold` if the file was not in memory when it was opened.
    pub fn new(file: &Arc<OpenFile>, offset: u64, len: u64, is_cold: bool) -> FileSlice {
        let is_trusted = !is_cold && offset.saturating_add(len) <= TRUSTED_BYTES_MAX;
        let seen_end = if is_trusted { u64::MAX } else { offset };
        FileSlice { file: Arc::clone(file), offset, len, seen_end, is_cold, asked_end: 0, vain_looks: 0 }
    }

    /// Whether all has been sent.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How much is left.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// What can be sent now, of at most `count_max` bytes.
    ///
    /// Before the last piece leaves, the file's state is compared with that of when it was opened.
    pub fn next(&mut self, count_max: usize) -> Next<'_> {
        if self.offset >= self.seen_end && !self.look() {
            return Next::DiskCold;
        }
        let seen = self.len.min(self.seen_end - self.offset);
        let count = usize::try_from(seen).unwrap_or(usize::MAX).min(count_max);
        if count as u64 == self.len && !self.file.has_its_content() {
            return Next::Changed;
        }
        Next::Piece { file: self.file.as_fd(), offset: self.offset, count }
    }

    /// Says that `count` bytes of the last piece have left.
    pub fn sent(&mut self, count: usize) {
        debug_assert!(count as u64 <= self.len, "more was sent than there was");
        self.offset += count as u64;
        self.len -= count as u64;
    }

    /// Reads from where the next piece starts, for who cannot send it otherwise; waits for the disk.
    pub fn read(&self, bytes: &mut [u8]) -> Result<usize, Errno> {
        page_cache::read(&self.file, bytes, self.offset)
    }

    /// Looks how far the next part is in memory.
    ///
    /// Of a file that seems to be there whole, at its ends: that is cheap, and the kernel seldom drops pieces
    /// from the middle. Of one that has to be read, step by step, and at each step's last byte: the kernel
    /// reads in order. False if the disk has to be waited for.
    fn look(&mut self) -> bool {
        let end = self.offset + self.len;
        let part_end = end.min(self.offset + PART_BYTES);
        let holds = |at| page_cache::holds(&self.file, at);
        if !self.is_cold && holds(self.offset) && holds(part_end - 1) {
            self.seen_end = part_end;
            return true;
        }
        self.is_cold = true;
        if self.asked_end < part_end {
            let ask_start = self.asked_end.max(self.offset);
            self.asked_end = end.min(part_end + PART_BYTES);
            page_cache::read_ahead(&self.file, ask_start, self.asked_end - ask_start);
        }
        let step_ends = (self.offset + STEP_BYTES..part_end).step_by(STEP_BYTES as usize);
        let seen_end = step_ends.chain([part_end]).take_while(|step_end| holds(step_end - 1)).last();
        (self.seen_end, self.vain_looks) = match seen_end {
            Some(seen_end) => (seen_end, 0),
            None if self.vain_looks == VAIN_LOOKS_MAX => {
                (part_end.min(self.offset + STEP_BYTES), VAIN_LOOKS_MAX)
            }
            None => {
                self.vain_looks += 1;
                return false;
            }
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{self, Write};
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::fs::Advice;

    use super::*;
    use crate::files::stamp::Stamp;

    #[test]
    fn what_is_never_there_is_sent_in_the_end() -> io::Result<()> {
        const LEN: u64 = 4096;

        let mut file: File = tempfile::tempfile()?;
        file.write_all(&[7; LEN as usize])?;
        file.sync_all()?;
        let stamp = Stamp::of_open(file.as_fd())?;
        let file = Arc::new(OpenFile::new(OwnedFd::from(file).into(), stamp));
        let look = |vain_looks| {
            let mut slice = FileSlice::new(&file, 0, LEN, true);
            slice.vain_looks = vain_looks;
            // What a look before made the kernel read has come, and is dropped again.
            std::thread::sleep(Duration::from_millis(20));
            rustix::fs::fadvise(&file, 0, None, Advice::DontNeed)?;
            io::Result::Ok((slice.look(), slice.seen_end))
        };
        if look(0)?.0 {
            eprintln!("SKIPPED: a disk in memory, or too fast to be waited for");
        }
        assert_eq!(look(VAIN_LOOKS_MAX)?, (true, LEN));
        Ok(())
    }
}
