//! The queue of what is to be sent: bytes, and slices of files between them.
//!
//! An answer is nothing but what was queued here. The code that sends does not know what a head or a range
//! is, and everything queued before the first file leaves in one call, a pipeline of answers included.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use crate::net::socket::Socket;

/// A part of an open file. Several answers may share the descriptor.
#[derive(Debug)]
pub struct FileSlice {
    pub file: Arc<OwnedFd>,
    /// Where to go on reading.
    pub offset: u64,
    /// How much is left to send. Never 0 in the queue.
    pub len: u64,
}

/// Bytes in one buffer, and file slices that stand at places between them.
///
/// ```text
/// bytes:  [head of answer 1][body 1][head 2]         [head 3][body 3]
/// files:                                    ▲ slice
/// ```
#[derive(Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    /// How many of `bytes` have been sent.
    sent: usize,
    /// Each with the index in `bytes` that it stands in front of, in order.
    files: VecDeque<(usize, FileSlice)>,
}

impl Outbox {
    pub fn new() -> Outbox {
        Outbox::default()
    }

    /// Nothing left to send.
    pub fn is_empty(&self) -> bool {
        self.sent == self.bytes.len() && self.files.is_empty()
    }

    /// Bytes of memory queued and not yet sent, files not counted.
    pub fn buffered_bytes(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// Whether there are files among it.
    pub fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// Where the next bytes go: append only.
    pub fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Queues a slice of a file behind everything queued so far.
    pub fn push_file(&mut self, slice: FileSlice) {
        if slice.len > 0 {
            self.files.push_back((self.bytes.len(), slice));
        }
    }

    /// Sends once, at most `count_max` bytes; returns how many left.
    ///
    /// `WouldBlock` is for the caller to wait on. `UnexpectedEof` means that a file is shorter than its
    /// answer promised: the connection must be closed, so that the client sees an answer cut short and not a
    /// wrong one.
    pub fn write_some(&mut self, socket: &mut impl Socket, count_max: usize) -> io::Result<usize> {
        let bytes_end = self.files.front().map_or(self.bytes.len(), |(at, _)| *at);
        let count = if self.sent < bytes_end {
            let end = bytes_end.min(self.sent.saturating_add(count_max));
            let more = end < bytes_end || !self.files.is_empty();
            let count = socket.send(&self.bytes[self.sent..end], more)?;
            self.sent += count;
            count
        } else {
            self.write_file(socket, count_max)?
        };
        if self.is_empty() {
            self.clear();
        }
        Ok(count)
    }

    fn write_file(&mut self, socket: &mut impl Socket, count_max: usize) -> io::Result<usize> {
        let Some((_, slice)) = self.files.front_mut() else { return Ok(0) };
        let want = usize::try_from(slice.len).unwrap_or(usize::MAX).min(count_max);
        let count = socket.send_file(slice.file.as_fd(), slice.offset, want)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        slice.offset += count as u64;
        slice.len -= count as u64;
        if slice.len == 0 {
            self.files.pop_front();
        }
        Ok(count)
    }

    /// Takes what is unsent out into an outbox of its own, no larger than it must be, and leaves this one
    /// empty with its buffer ready for the next connection.
    pub fn take_rest(&mut self) -> Outbox {
        let sent = self.sent;
        let mut files = std::mem::take(&mut self.files);
        for (at, _) in &mut files {
            *at -= sent.min(*at);
        }
        files.shrink_to_fit();
        let rest = Outbox { bytes: self.bytes[sent..].to_vec(), sent: 0, files };
        self.clear();
        rest
    }

    /// Drops everything and keeps the buffer.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.sent = 0;
        self.files.clear();
    }
}
