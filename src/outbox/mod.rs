//! The queue of what is to be sent: bytes, and between them slices of memory and of files, and content made
//! on the way.
//!
//! A response is nothing but what was queued here. The code that sends does not know what a head or a range
//! is, and everything queued before the first file leaves in one call, a pipeline of responses included.
//! What it knows of a response is where it ends, so that it can be told when that has left: see
//! [`settle`](Outbox::settle).

mod endings;
mod queued_file;
mod source;

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};

pub use self::endings::Ended;
use self::endings::{Endings, Position};
use self::queued_file::QueuedFile;
use self::source::Stream;
pub use self::source::{Piece, Pulled, Source};

use crate::files::file_slice::FileSlice;
use crate::files::memory_slice::MemorySlice;
use crate::net::socket::Socket;

/// What came of trying to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// So many bytes left. None, if a source took its turn and had nothing to add.
    Bytes(usize),
    /// A writable edge tells when there is room again.
    SocketFull,
    /// A disk is being waited for. No event tells: to be tried again soon.
    DiskCold,
    /// There is nothing to send before whoever makes the content wakes the connection.
    NothingYet,
    /// The rest is not to be had: a file is not what its response promised, or content cannot be made to its
    /// end. Nothing more may be sent, so that the client sees a response cut short and not a wrong one.
    Cut,
}

/// What stands between bytes.
#[derive(Debug)]
enum Segment {
    Memory(MemorySlice),
    File(QueuedFile),
    Stream(Stream),
}

/// Bytes in one buffer, and segments that stand at places between them.
///
/// ```text
/// bytes:     [head of response 1][content 1][head 2]         [head 3][content 3]
/// segments:                                         ▲ file slice
/// endings:                                 ▲        ▲                          ▲
/// ```
#[derive(Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    /// How many of `bytes` have been sent.
    sent: usize,
    /// Each with the index in `bytes` that it stands in front of, in order.
    segments: VecDeque<(usize, Segment)>,
    /// How many segments have been sent.
    segments_sent: usize,
    endings: Endings,
    /// Why a file had to be copied, if nobody was told yet.
    refusal: Option<io::Error>,
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
        let pieces = self.segments.iter().map(|(_, segment)| segment.kept_bytes()).sum::<usize>();
        let segments = self.segments.capacity() * size_of::<(usize, Segment)>() + pieces;
        self.bytes.capacity() + segments + self.endings.capacity()
    }

    /// Whether it is short: nothing but bytes of its own.
    pub fn is_short(&self) -> bool {
        self.segments.is_empty()
    }

    /// Whether anything in it is not in memory yet.
    pub fn has_segments(&self) -> bool {
        self.segments() > 0
    }

    /// Whether a file comes next, which the kernel sends by itself.
    pub fn sends_file(&self) -> bool {
        matches!(self.segments.front(), Some((at, Segment::File(_))) if *at == self.sent)
    }

    /// How many files and sources are to be sent, each with a descriptor.
    pub fn segments(&self) -> usize {
        self.segments.iter().filter(|(_, segment)| !matches!(segment, Segment::Memory(_))).count()
    }

    /// Where the next bytes go: append only.
    pub fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Queues a slice of memory behind everything queued so far. Behind another segment it is copied: then
    /// it leaves in one call with what follows.
    pub fn push_memory(&mut self, slice: MemorySlice) {
        match self.segments.is_empty() {
            true => self.segments.push_back((self.bytes.len(), Segment::Memory(slice))),
            false => self.bytes.extend_from_slice(slice.unsent()),
        }
    }

    /// Queues a slice of a file behind everything queued so far.
    pub fn push_file(&mut self, slice: FileSlice) {
        if !slice.is_empty() {
            self.segments.push_back((self.bytes.len(), Segment::File(QueuedFile::new(slice))));
        }
    }

    /// Queues what `source` makes behind everything queued so far.
    pub fn push_source(&mut self, source: Box<dyn Source>) {
        self.segments.push_back((self.bytes.len(), Segment::Stream(Stream::new(source))));
    }

    /// Says that a response ends behind everything queued so far. Its content started at `content_at`, an
    /// index in [`bytes_mut`](Outbox::bytes_mut); `write_line` appends what is to be told when it has left.
    pub fn end_response(
        &mut self,
        content_at: usize,
        queued_micros: u64,
        write_line: impl FnOnce(&mut Vec<u8>),
    ) {
        let end = Position { at: self.bytes.len(), segments: self.segments_sent + self.segments.len() };
        self.endings.push(content_at, end, queued_micros, write_line);
    }

    /// Sends once, at most `count_max` bytes. An error is the socket's, or a source's: nothing more will
    /// leave, but for `Interrupted`, after which it is to be tried again.
    pub fn send(&mut self, socket: &mut impl Socket, count_max: usize) -> io::Result<Sent> {
        debug_assert!(count_max > 0, "no budget to send with");
        let result = match self.segments.front() {
            _ if self.is_empty() => Ok(Sent::Bytes(0)),
            Some(_) if self.sends_file() => self.send_file(socket, count_max),
            Some((_, Segment::Stream(_))) => self.send_stream(socket, count_max),
            Some((_, Segment::Memory(_))) => self.send_memory(socket, count_max),
            _ => self.send_bytes(socket, count_max),
        };
        match result {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Sent::SocketFull),
            result => result,
        }
    }

    /// The bytes up to the first segment.
    fn send_bytes(&mut self, socket: &mut impl Socket, count_max: usize) -> io::Result<Sent> {
        let bytes_end = self.segments.front().map_or(self.bytes.len(), |(at, _)| *at);
        let end = bytes_end.min(self.sent.saturating_add(count_max));
        let more = end < bytes_end || !self.segments.is_empty();
        let count = socket.send(&[IoSlice::new(&self.bytes[self.sent..end])], more)?;
        self.sent += count;
        Ok(Sent::Bytes(count))
    }

    /// The bytes up to what is remembered, and that, in one call.
    fn send_memory(&mut self, socket: &mut impl Socket, count_max: usize) -> io::Result<Sent> {
        let is_last = self.segments.len() == 1;
        let Some((at, Segment::Memory(slice))) = self.segments.front_mut() else {
            return Ok(Sent::Bytes(0));
        };
        let bytes = &self.bytes[self.sent..*at];
        let has_more = !is_last || *at < self.bytes.len();
        let count = send_both(bytes, slice.unsent(), has_more, socket, count_max)?;
        let of_bytes = count.min(bytes.len());
        slice.sent(count - of_bytes);
        let is_done = slice.unsent().is_empty();
        self.sent += of_bytes;
        self.endings.count_content(self.segments_sent, count - of_bytes);
        if is_done {
            self.pop_segment();
        }
        Ok(Sent::Bytes(count))
    }

    fn send_file(&mut self, socket: &mut impl Socket, count_max: usize) -> io::Result<Sent> {
        let is_last = self.segments.len() == 1 && self.sent == self.bytes.len();
        let Some((_, Segment::File(file))) = self.segments.front_mut() else { return Ok(Sent::Bytes(0)) };
        let sent = file.send(socket, count_max, !is_last)?;
        if let Sent::Bytes(count @ 1..) = sent {
            self.refusal = self.refusal.take().or(file.take_refusal());
            let is_done = file.is_done();
            self.endings.count_content(self.segments_sent, count);
            if is_done {
                self.pop_segment();
            }
        }
        Ok(sent)
    }

    /// The bytes up to a stream and those of the piece that it has, in one call; or then the piece's file.
    fn send_stream(&mut self, socket: &mut impl Socket, count_max: usize) -> io::Result<Sent> {
        let Some((at, Segment::Stream(stream))) = self.segments.front_mut() else {
            return Ok(Sent::Bytes(0));
        };
        let bytes = &self.bytes[self.sent..*at];
        let pulled = stream.fill();
        if bytes.is_empty() {
            match pulled {
                // What stands in front is not to be lost with it.
                _ if stream.is_broken() => return Ok(Sent::Cut),
                Pulled::NothingYet => return Ok(Sent::NothingYet),
                Pulled::DiskCold => return Ok(Sent::DiskCold),
                Pulled::More | Pulled::Last => {}
            }
        }
        let (of_bytes, of_stream) = match stream.next_file() {
            Some(file) if bytes.is_empty() => match file.send(socket, count_max, true)? {
                Sent::Bytes(0) => (0, 0),
                Sent::Bytes(count) => {
                    self.refusal = self.refusal.take().or(file.take_refusal());
                    (0, count)
                }
                sent => return Ok(sent),
            },
            _ => {
                let piece = stream.unsent_bytes();
                let count = send_both(bytes, piece, stream.has_file(), socket, count_max)?;
                let of_bytes = count.min(bytes.len());
                stream.sent(count - of_bytes);
                (of_bytes, count - of_bytes)
            }
        };
        self.sent += of_bytes;
        self.endings.count_content(self.segments_sent, of_stream);
        if stream.is_done() && self.sent == *at {
            self.pop_segment();
        }
        Ok(Sent::Bytes(of_bytes + of_stream))
    }

    fn pop_segment(&mut self) {
        self.segments.pop_front();
        self.segments_sent += 1;
    }
}

/// Responses that have left.
impl Outbox {
    /// Why the kernel did not send a file by itself, so that it was read and sent, which is slower; told
    /// once.
    pub fn take_refusal(&mut self) -> Option<io::Error> {
        self.refusal.take()
    }

    /// Hands each response that has left to `tell`. To be called after every send: what was sent is forgotten
    /// once all of it is.
    pub fn settle(&mut self, tell: impl FnMut(Ended)) {
        self.endings.settle(Position { at: self.sent, segments: self.segments_sent }, tell);
        if self.is_empty() {
            self.clear();
        }
    }

    /// Gives up what is unsent, and hands each response that has not left to `tell`.
    pub fn cut(&mut self, tell: impl FnMut(Ended)) {
        self.endings.cut(self.sent, tell);
        self.clear();
    }

    /// Takes what is unsent out into an outbox of its own, no larger than it must be, and leaves this one
    /// empty with its buffers ready for the next connection. What has left must have been settled.
    pub fn take_rest(&mut self) -> Outbox {
        self.keep_alone();
        let (sent, segments_sent) = (self.sent, self.segments_sent);
        let mut segments = std::mem::take(&mut self.segments);
        for (at, _) in &mut segments {
            debug_assert!(*at >= sent, "a segment was passed over");
            *at -= sent;
        }
        segments.shrink_to_fit();
        let endings = self.endings.take_rest(Position { at: sent, segments: segments_sent });
        let rest = Outbox { bytes: self.bytes[sent..].to_vec(), segments, endings, ..Outbox::default() };
        self.clear();
        rest
    }

    /// Copies what is unsent of a slice of memory. Whoever waits keeps nothing that others remember, so that
    /// it is known what is kept for it.
    pub fn keep_alone(&mut self) {
        let Some((at, Segment::Memory(slice))) = self.segments.front() else { return };
        let (at, len) = (*at, slice.unsent().len());
        self.bytes.splice(at..at, slice.unsent().iter().copied());
        self.endings.count_as_bytes(Position { at, segments: self.segments_sent }, len);
        self.segments.pop_front();
        self.segments.iter_mut().for_each(|(at, _)| *at += len);
    }

    /// Drops everything and keeps the buffers.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.sent = 0;
        self.segments.clear();
        self.segments_sent = 0;
        self.endings.clear();
    }
}

impl Segment {
    /// Bytes of memory it owns.
    fn kept_bytes(&self) -> usize {
        if let Segment::Stream(stream) = self { stream.kept_bytes() } else { 0 }
    }
}

/// Sends `bytes` and a `piece` behind them in one call; 0 if there are none.
fn send_both(
    bytes: &[u8],
    piece: &[u8],
    has_more: bool,
    socket: &mut impl Socket,
    count_max: usize,
) -> io::Result<usize> {
    let bytes_count = bytes.len().min(count_max);
    let piece_count = piece.len().min(count_max - bytes_count);
    let slices = [IoSlice::new(&bytes[..bytes_count]), IoSlice::new(&piece[..piece_count])];
    let more = bytes_count < bytes.len() || piece_count < piece.len() || has_more;
    match (bytes_count, piece_count) {
        (0, 0) => Ok(0),
        (0, _) => socket.send(&slices[1..], more),
        (_, 0) => socket.send(&slices[..1], more),
        _ => socket.send(&slices, more),
    }
}
