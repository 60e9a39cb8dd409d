//! The queue of what is to be sent: bytes, and between them slices of files and content made on the way.
//!
//! An answer is nothing but what was queued here. The code that sends does not know what a head or a range
//! is, and everything queued before the first file leaves in one call, a pipeline of answers included.

use std::collections::VecDeque;
use std::fmt;
use std::io;

use crate::files::file_slice::FileSlice;
use crate::net::socket::Socket;

/// Content that is made while it is sent, so that no more of it than a piece is in memory.
pub trait Source: fmt::Debug + Send {
    /// Appends the next piece to `out`, which may be empty; false if it was the last. An error cuts the
    /// answer short.
    fn pull(&mut self, out: &mut Vec<u8>) -> io::Result<bool>;
}

/// A source, and the piece of it that is being sent.
#[derive(Debug)]
struct Stream {
    source: Box<dyn Source>,
    piece: Vec<u8>,
    sent: usize,
    has_more: bool,
}

/// What stands between bytes.
#[derive(Debug)]
enum Segment {
    File(FileSlice),
    Stream(Stream),
}

/// Bytes in one buffer, and segments that stand at places between them.
///
/// ```text
/// bytes:     [head of answer 1][body 1][head 2]         [head 3][body 3]
/// segments:                                    ▲ file slice
/// ```
#[derive(Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    /// How many of `bytes` have been sent.
    sent: usize,
    /// Each with the index in `bytes` that it stands in front of, in order.
    segments: VecDeque<(usize, Segment)>,
}

impl Outbox {
    pub fn new() -> Outbox {
        Outbox::default()
    }

    /// Nothing left to send.
    pub fn is_empty(&self) -> bool {
        self.sent == self.bytes.len() && self.segments.is_empty()
    }

    /// Bytes of memory queued and not yet sent, segments not counted.
    pub fn buffered_bytes(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// Bytes of memory it owns.
    pub fn capacity(&self) -> usize {
        let pieces = self.segments.iter().map(|(_, segment)| segment.capacity()).sum::<usize>();
        self.bytes.capacity() + self.segments.capacity() * size_of::<(usize, Segment)>() + pieces
    }

    /// Whether it takes more than one call to send all of it.
    pub fn has_segments(&self) -> bool {
        !self.segments.is_empty()
    }

    /// Whether what is sent next is made only then.
    pub fn starts_with_source(&self) -> bool {
        matches!(self.segments.front(), Some((at, Segment::Stream(_))) if *at == self.sent)
    }

    /// Whether what was queued last is made only while it is sent.
    pub fn ends_in_source(&self) -> bool {
        matches!(self.segments.back(), Some((_, Segment::Stream(_))))
    }

    /// Where the next bytes go: append only.
    pub fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Queues a slice of a file behind everything queued so far.
    pub fn push_file(&mut self, slice: FileSlice) {
        if !slice.is_empty() {
            self.segments.push_back((self.bytes.len(), Segment::File(slice)));
        }
    }

    /// Queues what `source` makes behind everything queued so far.
    pub fn push_source(&mut self, source: Box<dyn Source>) {
        let stream = Stream { source, piece: Vec::new(), sent: 0, has_more: true };
        self.segments.push_back((self.bytes.len(), Segment::Stream(stream)));
    }

    /// Sends once, at most `count_max` bytes; returns how many left.
    ///
    /// `WouldBlock` is for the caller to wait on. `UnexpectedEof` means that a file is not what its answer
    /// promised: nothing more may be sent, so that the client sees an answer cut short and not a wrong one.
    /// `ResourceBusy` means that the disk is being waited for: to be tried again soon.
    pub fn write_some(&mut self, socket: &mut impl Socket, count_max: usize) -> io::Result<usize> {
        let bytes_end = self.segments.front().map_or(self.bytes.len(), |(at, _)| *at);
        let count = if self.sent < bytes_end {
            let end = bytes_end.min(self.sent.saturating_add(count_max));
            let more = end < bytes_end || !self.segments.is_empty();
            let count = socket.send(&self.bytes[self.sent..end], more)?;
            self.sent += count;
            count
        } else {
            self.write_segment(socket, count_max)?
        };
        if self.is_empty() {
            self.clear();
        }
        Ok(count)
    }

    fn write_segment(&mut self, socket: &mut impl Socket, count_max: usize) -> io::Result<usize> {
        let Some((_, segment)) = self.segments.front_mut() else { return Ok(0) };
        let (count, is_done) = match segment {
            Segment::File(slice) => (slice.write_some(socket, count_max)?, slice.is_empty()),
            Segment::Stream(stream) => (stream.write_some(socket, count_max)?, stream.is_done()),
        };
        if is_done {
            self.segments.pop_front();
        }
        Ok(count)
    }

    /// Takes what is unsent out into an outbox of its own, no larger than it must be, and leaves this one
    /// empty with its buffer ready for the next connection.
    pub fn take_rest(&mut self) -> Outbox {
        let sent = self.sent;
        let mut segments = std::mem::take(&mut self.segments);
        for (at, _) in &mut segments {
            *at -= sent.min(*at);
        }
        segments.shrink_to_fit();
        let rest = Outbox { bytes: self.bytes[sent..].to_vec(), sent: 0, segments };
        self.clear();
        rest
    }

    /// Drops everything and keeps the buffer.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.sent = 0;
        self.segments.clear();
    }
}

impl Segment {
    /// What the source itself keeps is not known.
    fn capacity(&self) -> usize {
        if let Segment::Stream(stream) = self { stream.piece.capacity() } else { 0 }
    }
}

impl Stream {
    /// The source is asked for more when all it gave has been sent, once: it may take its time.
    fn write_some(&mut self, socket: &mut impl Socket, count_max: usize) -> io::Result<usize> {
        if self.sent == self.piece.len() && self.has_more {
            self.piece.clear();
            self.sent = 0;
            // Whatever went wrong, it says nothing of the socket.
            self.has_more = self.source.pull(&mut self.piece).map_err(io::Error::other)?;
        }
        if self.sent == self.piece.len() {
            return Ok(0);
        }
        let end = self.piece.len().min(self.sent.saturating_add(count_max));
        let more = end < self.piece.len() || self.has_more;
        let count = socket.send(&self.piece[self.sent..end], more)?;
        self.sent += count;
        Ok(count)
    }

    fn is_done(&self) -> bool {
        self.sent == self.piece.len() && !self.has_more
    }
}
