//! Several parts of a file on their way in one body, a few at a time: there may be hundreds, each with a head
//! of its own.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use crate::files::file_slice::{FileSlice, Next};
use crate::files::open_file::OpenFile;
use crate::http::byteranges::Byteranges;
use crate::outbox::{Piece, Pulled, Source};

/// Parts up to this size are read, so that many share a call; larger ones are sent from the file.
const READ_BYTES_MAX: u64 = 4 * 1024;
/// Parts that are made at once, and bytes after which no further one is: a twentieth of a millisecond's work.
const PIECE_PARTS_MAX: usize = 32;
const PIECE_BYTES_MAX: usize = 16 * 1024;

/// The parts of a file that are still to be sent.
#[derive(Debug)]
pub struct Parts {
    file: Arc<OpenFile>,
    is_cold: bool,
    ranges: Vec<Range<u64>>,
    /// Which of them comes next.
    at: usize,
    between: Byteranges,
    /// The part that could not be read so far, since its disk is awaited.
    awaited: Option<(Range<u64>, FileSlice)>,
}

impl Parts {
    /// The parts `ranges` of `file`, with what stands `between` them.
    pub fn new(file: &Arc<OpenFile>, is_cold: bool, ranges: Vec<Range<u64>>, between: Byteranges) -> Parts {
        Parts { file: Arc::clone(file), is_cold, ranges, at: 0, between, awaited: None }
    }

    fn next(&mut self) -> Option<(Range<u64>, FileSlice)> {
        let part = self.awaited.take();
        part.or_else(|| {
            let range = self.ranges.get(self.at)?.clone();
            self.at += 1;
            let len = range.end - range.start;
            let slice = FileSlice::new(&self.file, range.start, len, self.is_cold);
            Some((range, slice))
        })
    }
}

impl Source for Parts {
    fn pull(&mut self, piece: &mut Piece) -> io::Result<Pulled> {
        for _ in 0..PIECE_PARTS_MAX {
            let Some((range, mut slice)) = self.next() else {
                self.between.write_end(&mut piece.bytes);
                return Ok(Pulled::Last);
            };
            let before = piece.bytes.len();
            self.between.write_head(&range, &mut piece.bytes);
            if slice.len() > READ_BYTES_MAX {
                piece.file = Some(slice);
                return Ok(Pulled::More);
            }
            if !read_whole(&mut slice, &mut piece.bytes)? {
                piece.bytes.truncate(before);
                self.awaited = Some((range, slice));
                return Ok(if before == 0 { Pulled::DiskCold } else { Pulled::More });
            }
            if piece.bytes.len() >= PIECE_BYTES_MAX {
                break;
            }
        }
        Ok(Pulled::More)
    }

    fn kept_bytes(&self) -> usize {
        self.ranges.capacity() * size_of::<Range<u64>>() + self.between.heap_bytes()
    }
}

/// Appends all of a slice to `out`; false if its disk is to be awaited. An error means that the file is not
/// what it was.
fn read_whole(slice: &mut FileSlice, out: &mut Vec<u8>) -> io::Result<bool> {
    while !slice.is_empty() {
        let count = match slice.next(usize::MAX) {
            Next::Piece { count, .. } => count,
            Next::DiskCold => return Ok(false),
            Next::Changed => return Err(io::Error::other("the file has changed")),
        };
        let start = out.len();
        out.resize(start + count, 0);
        let read = slice.read(&mut out[start..])?;
        out.truncate(start + read);
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        slice.sent(read);
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write as _;
    use std::os::fd::{AsFd, OwnedFd};

    use super::*;
    use crate::files::stamp::Stamp;
    use crate::http::conditional::EntityTag;

    fn byte(at: u64) -> u8 {
        (at * 31 % 251) as u8
    }

    fn file(len: u64) -> io::Result<Arc<OpenFile>> {
        let mut file: File = tempfile::tempfile()?;
        file.write_all(&(0..len).map(byte).collect::<Vec<u8>>())?;
        let stamp = Stamp::of_open(file.as_fd())?;
        Ok(Arc::new(OpenFile::new(OwnedFd::from(file).into(), stamp)))
    }

    fn between(len: u64) -> Byteranges {
        Byteranges::new(&EntityTag::of_time(1, 2, 3, false), None, len)
    }

    #[test]
    fn hundreds_of_parts_come_a_few_at_a_time() -> io::Result<()> {
        const LEN: u64 = 300_000;

        let ranges: Vec<Range<u64>> = (0..256).map(|index| index * 1000..index * 1000 + 1 + index).collect();
        let mut expected = Vec::new();
        for range in &ranges {
            between(LEN).write_head(range, &mut expected);
            expected.extend(range.clone().map(byte));
        }
        between(LEN).write_end(&mut expected);
        let mut parts = Parts::new(&file(LEN)?, false, ranges, between(LEN));
        let mut got = Vec::new();
        loop {
            let mut piece = Piece::default();
            let pulled = parts.pull(&mut piece)?;
            let heads = piece.bytes.windows(14).filter(|text| *text == b"Content-Range:").count();
            assert!(heads <= PIECE_PARTS_MAX && piece.file.is_none(), "{heads} parts");
            assert!(piece.bytes.len() < PIECE_BYTES_MAX + READ_BYTES_MAX as usize);
            got.append(&mut piece.bytes);
            match pulled {
                Pulled::Last => break,
                Pulled::DiskCold => std::thread::yield_now(),
                _ => {}
            }
        }
        assert_eq!(got.len(), expected.len());
        assert!(got == expected, "other bytes");
        Ok(())
    }

    #[test]
    fn a_large_part_is_sent_from_the_file() -> io::Result<()> {
        let mut parts = Parts::new(&file(100_000)?, false, vec![0..10, 20_000..90_000], between(100_000));
        let mut piece = Piece::default();
        assert_eq!(parts.pull(&mut piece)?, Pulled::More);
        assert_eq!(piece.file.map(|slice| slice.len()), Some(70_000));
        let mut piece = Piece::default();
        assert_eq!(parts.pull(&mut piece)?, Pulled::Last);
        assert!(piece.bytes.starts_with(b"\r\n--pws-") && piece.bytes.ends_with(b"--\r\n"));
        Ok(())
    }
}
