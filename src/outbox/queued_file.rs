//! A slice of a file on its way to a socket: sent by the kernel, or read and sent where that cannot be.

use std::io::{self, ErrorKind, IoSlice};

use super::Sent;
use crate::files::file_slice::{FileSlice, Next};
use crate::net::socket::Socket;

/// What is read at once of a file that a socket cannot send by itself.
const COPY_BYTES: usize = 16 * 1024;

/// A slice, and in which way it is sent.
#[derive(Debug)]
pub struct QueuedFile {
    slice: FileSlice,
    way: Way,
}

/// How a file gets to the socket.
#[derive(Debug)]
enum Way {
    /// The socket takes it from the file.
    Direct,
    /// That came to nothing, with this error or none: it is read and sent, which shows whether it was the
    /// file, the socket, or only the way.
    Refused(Option<io::Error>),
    /// It was only the way.
    Copied,
}

impl QueuedFile {
    pub fn new(slice: FileSlice) -> QueuedFile {
        QueuedFile { slice, way: Way::Direct }
    }

    /// Whether all of it has been sent.
    pub fn is_done(&self) -> bool {
        self.slice.is_empty()
    }

    /// Sends once, at most `count_max` bytes; `more` says that something follows it. Errors are the socket's.
    pub fn send(&mut self, socket: &mut impl Socket, count_max: usize, more: bool) -> io::Result<Sent> {
        let is_direct = matches!(self.way, Way::Direct);
        let count_max = if is_direct { count_max } else { count_max.min(COPY_BYTES) };
        let (file, offset, count) = match self.slice.next(count_max) {
            Next::Piece { file, offset, count } => (file, offset, count),
            Next::DiskCold => return Ok(Sent::DiskCold),
            Next::Changed => return Ok(Sent::Cut),
        };
        let count = if is_direct {
            match socket.send_file(file, offset, count) {
                Ok(count @ 1..) => count,
                Err(error) if is_passing(&error) => return Err(error),
                result => {
                    self.way = Way::Refused(result.err());
                    return Ok(Sent::Bytes(0));
                }
            }
        } else {
            let mut bytes = [0; COPY_BYTES];
            // What the socket does not take is read again: nothing is kept while it is full.
            let read = match self.slice.read(&mut bytes[..count]) {
                Ok(read @ 1..) => read,
                // The file has become shorter, or cannot be read, whatever the reason: no socket is to be
                // waited for.
                result => {
                    log::debug!("a file cannot be sent to its end: {result:?}");
                    return Ok(Sent::Cut);
                }
            };
            socket.send(&[IoSlice::new(&bytes[..read])], more || (read as u64) < self.slice.len())?
        };
        self.slice.sent(count);
        Ok(Sent::Bytes(count))
    }

    /// Why the kernel does not send it by itself, once something has been sent nevertheless; told once.
    pub fn take_refusal(&mut self) -> Option<io::Error> {
        let Way::Refused(error) = &mut self.way else { return None };
        let error = error.take();
        self.way = Way::Copied;
        // A socket that can do nothing else has no number to tell.
        error.filter(|error| error.raw_os_error().is_some())
    }
}

/// Whether it is to be tried again, at once or when there is room.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
