//! Whether a file's content is in memory, and asking the kernel to bring it there.
//!
//! One thread serves everybody: if it waits for a disk, all do. So content that may not be in memory is sent
//! once it is in the page cache, which `RWF_NOWAIT` tells without reading more than a byte. What cannot be
//! asked without waiting, on Linux, are names: opening a file whose folder is not in memory waits for the
//! disk.

use std::io::IoSliceMut;
use std::os::fd::AsFd;

use rustix::fs::Advice;
use rustix::io::{Errno, ReadWriteFlags};

/// What the kernel is asked for at once. Of more than a device's read-ahead or its largest request it reads
/// the beginning only, and does not say so. This is the usual read-ahead.
const READ_AHEAD_BYTES: u64 = 128 * 1024;

/// How often a read that a signal has interrupted is tried again.
const INTERRUPTS_MAX: usize = 16;

/// Reads at most `bytes.len()` bytes from `offset` on; `AGAIN` if a disk would have to be waited for. Where
/// nobody can tell, because the filesystem or a sandbox refuses to be asked in this way, it waits.
pub fn read_now(file: impl AsFd, bytes: &mut [u8], offset: u64) -> Result<usize, Errno> {
    match rustix::io::preadv2(&file, &mut [IoSliceMut::new(bytes)], offset, ReadWriteFlags::NOWAIT) {
        Err(Errno::AGAIN) => Err(Errno::AGAIN),
        // What is wrong with the file itself, if anything, is told again.
        Err(_) => read(file, bytes, offset),
        result => result,
    }
}

/// The same, waiting for a disk.
pub fn read(file: impl AsFd, bytes: &mut [u8], offset: u64) -> Result<usize, Errno> {
    let mut interrupts_left = INTERRUPTS_MAX;
    loop {
        match rustix::io::pread(&file, &mut *bytes, offset) {
            Err(Errno::INTR) if interrupts_left > 0 => interrupts_left -= 1,
            result => return result,
        }
    }
}

/// Whether the byte at `offset` can be had without waiting for a disk. True where nobody can tell, and where
/// there is no such byte.
pub fn holds(file: impl AsFd, offset: u64) -> bool {
    let mut byte = [0];
    let result = rustix::io::preadv2(file, &mut [IoSliceMut::new(&mut byte)], offset, ReadWriteFlags::NOWAIT);
    result != Err(Errno::AGAIN)
}

/// Asks the kernel to read `len` bytes from `offset` on, and does not wait for them.
pub fn read_ahead(file: impl AsFd, offset: u64, len: u64) {
    let end = offset.saturating_add(len);
    for start in (offset..end).step_by(READ_AHEAD_BYTES as usize) {
        let len = READ_AHEAD_BYTES.min(end - start);
        // Only a hint: where it is refused, reading is slower and nothing else.
        let _ = rustix::fs::fadvise(&file, start, len.try_into().ok(), Advice::WillNeed);
    }
}
