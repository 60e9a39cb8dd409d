//! The other side of a connection: how it goes, and a socket in memory that goes that way.

use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::BorrowedFd;

use crate::memory::{Socket, gathered, read_file};

const TAKES_ALL: u8 = 254;
/// A write or a read that is interrupted.
const INTERRUPTED: u8 = 255;

/// How a case goes, besides what the client sends.
pub struct Script {
    /// Limits that a short input reaches, in place of the defaults.
    pub is_tight: bool,
    /// A site that has rules, variants and options, in place of a folder without.
    pub is_rich: bool,
    /// The server is stopping.
    pub is_draining: bool,
    /// The client sends without waiting for what comes back.
    pub is_eager: bool,
    /// The client closes behind its last byte.
    pub is_closed: bool,
    /// The connection breaks when so many calls were made,
    breaks_at: Option<usize>,
    /// to read, in place of those to write.
    breaks_in_read: bool,
    /// What becomes of each write, in turn: 0 blocks, [`INTERRUPTED`] and [`TAKES_ALL`] do that, others are
    /// how many bytes are taken.
    writes: [u8; 3],
    /// How many bytes arrive at a time, in turn: 0 is all the rest, [`INTERRUPTED`] too, and the first call
    /// that reads it is that.
    pieces: [u8; 3],
}

impl Script {
    pub fn new([flags, breaks_at, w0, w1, w2, p0, p1, p2]: [u8; 8]) -> Script {
        Script {
            is_tight: flags & 1 != 0,
            is_draining: flags & 2 != 0,
            is_eager: flags & 4 != 0,
            is_closed: flags & 8 != 0,
            breaks_at: (flags & 16 != 0).then_some(breaks_at.into()),
            breaks_in_read: flags & 32 != 0,
            is_rich: flags & 128 != 0,
            writes: match [w0, w1, w2] {
                // Nothing would ever get through.
                [0 | INTERRUPTED, 0 | INTERRUPTED, 0 | INTERRUPTED] => [TAKES_ALL; 3],
                writes => writes,
            },
            pieces: [p0, p1, p2],
        }
    }

    /// A client that takes whatever there is.
    pub fn plain() -> Script {
        Script::new([0; 8])
    }
}

/// A socket whose other side goes by a script.
pub struct MemorySocket<'a> {
    script: &'a Script,
    /// What is still to arrive, and what has arrived and was not yet received.
    pub coming: &'a [u8],
    arrived: Vec<u8>,
    /// Pieces that have arrived.
    pieces: usize,
    /// The next read is interrupted.
    interrupts: bool,
    /// The other side sends no more.
    pub is_closed: bool,
    reads: usize,
    writes: usize,
    pub sent: Vec<u8>,
    pub is_write_shut: bool,
    pub is_broken: bool,
}

impl<'a> MemorySocket<'a> {
    pub fn new(coming: &'a [u8], script: &'a Script) -> MemorySocket<'a> {
        MemorySocket {
            script,
            coming,
            arrived: Vec::new(),
            pieces: 0,
            interrupts: false,
            is_closed: false,
            reads: 0,
            writes: 0,
            sent: Vec::new(),
            is_write_shut: false,
            is_broken: false,
        }
    }

    /// Nothing more will ever arrive.
    pub fn is_over(&self) -> bool {
        self.coming.is_empty() && (!self.script.is_closed || self.is_closed)
    }

    /// The next piece arrives, and the end with the last if the script says so.
    pub fn arrive(&mut self) {
        let left = self.coming.len();
        let len = match self.script.pieces[self.pieces % self.script.pieces.len()] {
            0 => left,
            INTERRUPTED => {
                self.interrupts = true;
                left
            }
            len => left.min(len.into()),
        };
        self.pieces += 1;
        let (piece, coming) = self.coming.split_at(len);
        self.arrived.extend_from_slice(piece);
        self.coming = coming;
        self.is_closed = coming.is_empty() && self.script.is_closed;
    }

    /// How much of `count` bytes the next write takes.
    fn take(&mut self, count: usize) -> io::Result<usize> {
        assert!(!self.is_write_shut, "sent after the end");
        assert!(count > 0, "an empty write");
        let write = self.script.writes[self.writes % self.script.writes.len()];
        self.is_broken |= !self.script.breaks_in_read && self.script.breaks_at == Some(self.writes);
        self.writes += 1;
        match write {
            _ if self.is_broken => Err(ErrorKind::BrokenPipe.into()),
            0 => Err(ErrorKind::WouldBlock.into()),
            INTERRUPTED => Err(ErrorKind::Interrupted.into()),
            TAKES_ALL => Ok(count),
            write => Ok(count.min(write.into())),
        }
    }
}

impl Socket for MemorySocket<'_> {
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(!buffer.is_empty(), "no room to receive into");
        self.is_broken |= self.script.breaks_in_read && self.script.breaks_at == Some(self.reads);
        self.reads += 1;
        if self.is_broken {
            return Err(ErrorKind::ConnectionReset.into());
        }
        if std::mem::take(&mut self.interrupts) {
            return Err(ErrorKind::Interrupted.into());
        }
        if self.arrived.is_empty() && !self.is_closed {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = self.arrived.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.arrived[..count]);
        self.arrived.drain(..count);
        Ok(count)
    }

    fn send(&mut self, slices: &[IoSlice<'_>], _more: bool) -> io::Result<usize> {
        let bytes = gathered(slices);
        let count = self.take(bytes.len())?;
        self.sent.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn send_file(&mut self, file: BorrowedFd<'_>, offset: u64, count: usize) -> io::Result<usize> {
        let start = self.sent.len();
        let count = self.take(count)?;
        self.sent.resize(start + count, 0);
        let count = read_file(file, &mut self.sent[start..], offset)?;
        self.sent.truncate(start + count);
        Ok(count)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        assert!(!self.is_write_shut, "shut twice");
        self.is_write_shut = true;
        // The kernel knows by then.
        if self.is_broken { Err(ErrorKind::NotConnected.into()) } else { Ok(()) }
    }
}
