//! An open file, and whether its content is still what a response promised.

use std::hash::{DefaultHasher, Hasher};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;

use super::page_cache;
use super::root::Descriptor;
use super::stamp::{FileTime, Stamp};

/// How much of the end tells whether a file has grown or was overwritten.
const TAIL_BYTES: usize = 64;

/// A file as it was when it was opened. While it is in doubt, each response has one of its own, so it is
/// small.
#[derive(Debug)]
pub struct OpenFile {
    file: Descriptor,
    len: u64,
    modified: FileTime,
    /// A hash of the content's end, if that was in memory.
    tail_hash: Option<u64>,
}

impl AsFd for OpenFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl OpenFile {
    /// `file` when its state was `stamp`.
    pub fn new(file: Descriptor, stamp: Stamp) -> OpenFile {
        let tail_hash = tail_hash(&file, stamp.len).ok();
        OpenFile { file, len: stamp.len, modified: stamp.modified, tail_hash }
    }

    /// Whether it still has the content it had, be there more behind it or not.
    ///
    /// A file that is longer than before and still has the same before its old end was appended to, as logs
    /// are: to download one while it is written to must be possible. Anything else that sets the time of its
    /// content counts as another content: what was written where, nobody can ask.
    pub fn has_its_content(&self) -> bool {
        let Ok(now) = Stamp::of_open(self.as_fd()) else { return false };
        let has_grown = || now.len > self.len && self.has_its_tail();
        (now.len, now.modified) == (self.len, self.modified) || has_grown()
    }

    fn has_its_tail(&self) -> bool {
        self.tail_hash.is_some() && self.tail_hash == tail_hash(&self.file, self.len).ok()
    }
}

/// A hash of the end of the first `len` bytes of `file`; `AGAIN` if that is not in memory.
fn tail_hash(file: &Descriptor, len: u64) -> Result<u64, Errno> {
    let mut tail = [0; TAIL_BYTES];
    let start = len.saturating_sub(TAIL_BYTES as u64);
    let tail = &mut tail[..(len - start) as usize];
    page_cache::read_now(file, tail, start)?;
    let mut hasher = DefaultHasher::new();
    hasher.write(tail);
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io;
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::FileExt;
    use std::time::{Duration, SystemTime};

    use super::*;

    /// A file of 1,000 bytes, to be written to, and as it was opened.
    fn opened() -> io::Result<(File, OpenFile)> {
        let file = tempfile::tempfile()?;
        file.write_all_at(&[b'a'; 1000], 0)?;
        // Long ago, so that each change shows.
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000))?;
        let stamp = Stamp::of_open(file.as_fd())?;
        let open = OpenFile::new(OwnedFd::from(file.try_clone()?).into(), stamp);
        Ok((file, open))
    }

    #[test]
    fn what_is_not_touched_and_what_is_appended_to_has_its_content() -> io::Result<()> {
        let (file, open) = opened()?;
        assert!(open.has_its_content());
        file.write_all_at(b"more", 1000)?;
        assert!(open.has_its_content(), "appended to");
        Ok(())
    }

    #[test]
    fn what_is_overwritten_has_another_content() -> io::Result<()> {
        for (len, offset, what) in [
            (1000, 0, "with as much"),
            (10, 500, "in part"),
            (2000, 0, "with more"),
            (2000, 999, "with more from its last byte on"),
        ] {
            let (file, open) = opened()?;
            file.write_all_at(&vec![b'b'; len], offset)?;
            assert!(!open.has_its_content(), "{what}");
        }
        let (file, open) = opened()?;
        file.set_len(999)?;
        assert!(!open.has_its_content(), "shortened");
        Ok(())
    }

    #[test]
    fn what_is_shorter_than_the_tail_is_told_too() -> io::Result<()> {
        let file = tempfile::tempfile()?;
        file.write_all_at(b"short", 0)?;
        let open = OpenFile::new(OwnedFd::from(file.try_clone()?).into(), Stamp::of_open(file.as_fd())?);
        file.write_all_at(b"other, and longer", 0)?;
        assert!(!open.has_its_content());
        Ok(())
    }
}
