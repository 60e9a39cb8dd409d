//! Content that is made while it is sent, piece by piece.

use std::fmt;
use std::io;

use super::queued_file::QueuedFile;
use crate::files::file_slice::FileSlice;

/// Content that is made while it is sent, so that no more of it than a piece is in memory.
pub trait Source: Send {
    /// Makes the next piece in `piece`, which is empty. Everybody waits meanwhile: it takes well below a
    /// millisecond, and what takes longer is done over several pulls. An error cuts the response short.
    fn pull(&mut self, piece: &mut Piece) -> io::Result<Pulled>;

    /// Bytes on the heap that it keeps between two pulls, its own size not counted. Asked for whenever the
    /// connection waits.
    fn kept_bytes(&self) -> usize;
}

/// What holds one can be shown; what is in it is its own, and need not be.
impl fmt::Debug for dyn Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a source")
    }
}

/// What a source makes at once.
#[derive(Debug, Default)]
pub struct Piece {
    pub bytes: Vec<u8>,
    /// What is sent of a file behind the bytes, not through memory.
    pub file: Option<FileSlice>,
}

/// What a source says of its next piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulled {
    /// There it is, empty perhaps, and it is not the last.
    More,
    /// It is the last.
    Last,
    /// There is none yet. Whoever has more wakes the connection, by the key that was told when it asked.
    NothingYet,
    /// There is none yet, and nobody will tell: to be asked again soon.
    DiskCold,
}

/// A source, and the piece of it that is being sent.
#[derive(Debug)]
pub struct Stream {
    source: Box<dyn Source>,
    bytes: Vec<u8>,
    /// How many of the bytes have been sent.
    sent: usize,
    /// What follows them, until it has been sent.
    file: Option<QueuedFile>,
    has_more: bool,
    /// There will be no more, and it is not the end.
    is_broken: bool,
}

impl Stream {
    pub fn new(source: Box<dyn Source>) -> Stream {
        Stream { source, bytes: Vec::new(), sent: 0, file: None, has_more: true, is_broken: false }
    }

    /// Has the source make a piece if all it gave has been sent, once: it may take its time.
    pub fn fill(&mut self) -> Pulled {
        if !self.wants_piece() || self.is_broken {
            return Pulled::More;
        }
        let mut piece = Piece { bytes: std::mem::take(&mut self.bytes), file: None };
        piece.bytes.clear();
        let result = self.source.pull(&mut piece);
        (self.bytes, self.sent) = (piece.bytes, 0);
        self.file = piece.file.filter(|slice| !slice.is_empty()).map(QueuedFile::new);
        match result {
            Ok(pulled) => {
                let is_nothing = matches!(pulled, Pulled::NothingYet | Pulled::DiskCold);
                debug_assert!(!is_nothing || self.is_sent(), "a piece that is not there");
                self.has_more = pulled != Pulled::Last;
                pulled
            }
            Err(error) => {
                // Whatever went wrong, it says nothing of the socket.
                log::debug!("content cannot be made to its end: {error}");
                self.bytes.clear();
                self.file = None;
                self.is_broken = true;
                Pulled::More
            }
        }
    }

    /// The bytes to be sent next.
    pub fn unsent_bytes(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// Says that so many of these have left.
    pub fn sent(&mut self, count: usize) {
        self.sent += count;
    }

    /// Whether a file follows the bytes.
    pub fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// The file that is to be sent next, if all bytes in front of it have been.
    pub fn next_file(&mut self) -> Option<&mut QueuedFile> {
        self.file.take_if(|file| file.is_done());
        if self.unsent_bytes().is_empty() { self.file.as_mut() } else { None }
    }

    /// Whether there will be no more, though it is not the end.
    pub fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Whether all it gave has been sent, and there is more.
    pub fn wants_piece(&self) -> bool {
        self.has_more && self.is_sent()
    }

    /// Whether all that will ever be has been sent.
    pub fn is_done(&self) -> bool {
        !self.has_more && self.is_sent()
    }

    /// Bytes of memory it owns.
    pub fn kept_bytes(&self) -> usize {
        size_of_val(&*self.source) + self.source.kept_bytes() + self.bytes.capacity()
    }

    fn is_sent(&self) -> bool {
        self.sent == self.bytes.len() && self.file.as_ref().is_none_or(QueuedFile::is_done)
    }
}
