//! What is asked of a socket, and the real thing.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown, sockopt};

use super::peer::Peer;

/// What a connection that cannot go on waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    Readable,
    Writable,
}

/// What one event says of a socket: hints, to be tried.
#[derive(Clone, Copy, Debug, Default)]
pub struct Readiness {
    pub readable: bool,
    pub writable: bool,
    /// The peer sends no more, or the connection is broken: a short read is not the last word.
    pub read_closed: bool,
    /// The connection is broken: nobody is at the other end.
    pub broken: bool,
}

/// A stream that never blocks: where it is received from and sent to, `WouldBlock` says "not now" and
/// `Interrupted` "try again".
pub trait Socket {
    /// Reads into `buffer`; 0 means the peer sends no more.
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes a part of `slices`, in order and in one call; returns how many bytes, never 0. `more` announces
    /// that something follows at once, so that it shares packets.
    fn send(&mut self, slices: &[IoSlice<'_>], more: bool) -> io::Result<usize>;

    /// Writes at most `count` bytes of `file` from `offset` on. 0, or any other error, means that this socket
    /// or this file cannot do that: then the bytes are read and sent, which tells what is wrong if that is
    /// more. A socket that cannot do it at all says `Unsupported`.
    fn send_file(&mut self, file: BorrowedFd<'_>, offset: u64, count: usize) -> io::Result<usize>;

    /// Tells the peer that no more will come, and leaves reading open.
    fn shutdown_write(&mut self) -> io::Result<()>;

    /// Whether there is room for more, by the bounds that the listener has set: a writable edge tells when
    /// there is. A send alone does not tell that: it adds to the last packet that waits, be there room or
    /// not.
    fn has_room(&self) -> bool {
        true
    }

    /// Whether a read that did not fill the buffer has emptied the socket, so that another would only say
    /// "not now". True of TCP.
    fn short_read_drains(&self) -> bool {
        true
    }

    /// The edge that whoever wants to read waits for. A socket that negotiates may have to write first.
    fn read_edge(&self) -> Edge {
        Edge::Readable
    }
}

/// What the loop asks of a socket beside that: to be told of edges, and to end it.
pub trait Pollable: Socket {
    /// What sockets are registered with.
    type Registry;

    /// Asks for the edges of `key`: readable ones, and writable ones too if `writable`.
    fn register(&self, registry: &Self::Registry, key: usize, writable: bool) -> io::Result<()>;

    /// Changes what was asked for. Edges that are already there are reported anew.
    fn reregister(&self, registry: &Self::Registry, key: usize, writable: bool) -> io::Result<()>;

    /// Makes of the close that is to come a reset: what is unsent does not stay in the kernel's memory, to
    /// wait for somebody who does not take it.
    fn reset_when_closed(&self);
}

/// What new connections come from. Never blocks.
pub trait Listener {
    type Socket: Pollable;

    /// The next connection and who is at its other end; `WouldBlock` if nobody waits.
    fn accept(&mut self) -> io::Result<(Self::Socket, Peer)>;
}

/// A non-blocking connection, by TCP or within this machine. Dropping it closes it, which also takes it out
/// of the poll.
///
/// Four bytes, where mio's own streams carry bookkeeping in debug builds: the slot's size is a promise.
#[derive(Debug)]
pub struct StreamSocket(OwnedFd);

impl From<OwnedFd> for StreamSocket {
    fn from(descriptor: OwnedFd) -> StreamSocket {
        StreamSocket(descriptor)
    }
}

impl Socket for StreamSocket {
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (received, _) = rustix::net::recv(&self.0, buffer, RecvFlags::empty())?;
        Ok(received)
    }

    fn send(&mut self, slices: &[IoSlice<'_>], more: bool) -> io::Result<usize> {
        let flags = if more { SendFlags::NOSIGNAL | SendFlags::MORE } else { SendFlags::NOSIGNAL };
        // `sendmsg` has the kernel fetch a list first.
        Ok(match slices {
            [slice] => rustix::net::send(&self.0, slice, flags)?,
            _ => rustix::net::sendmsg(&self.0, slices, &mut SendAncillaryBuffer::default(), flags)?,
        })
    }

    fn send_file(&mut self, file: BorrowedFd<'_>, offset: u64, count: usize) -> io::Result<usize> {
        let mut position = offset;
        Ok(rustix::fs::sendfile(&self.0, file, Some(&mut position), count)?)
    }

    fn has_room(&self) -> bool {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        // If it cannot be asked, sending tells.
        poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], Some(&now)) != Ok(0)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(rustix::net::shutdown(self.0.as_fd(), Shutdown::Write)?)
    }
}

impl Pollable for StreamSocket {
    type Registry = Registry;

    fn register(&self, registry: &Registry, key: usize, writable: bool) -> io::Result<()> {
        registry.register(&mut SourceFd(&self.0.as_raw_fd()), Token(key), interest(writable))
    }

    fn reregister(&self, registry: &Registry, key: usize, writable: bool) -> io::Result<()> {
        registry.reregister(&mut SourceFd(&self.0.as_raw_fd()), Token(key), interest(writable))
    }

    fn reset_when_closed(&self) {
        // Refused or not, it is going to be closed.
        let _ = sockopt::set_socket_linger(&self.0, Some(Duration::ZERO));
    }
}

fn interest(writable: bool) -> Interest {
    if writable { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn several_slices_leave_in_order() -> io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let client = TcpStream::connect(listener.local_addr()?)?;
        let (mut server, _) = listener.accept()?;
        let mut socket = StreamSocket(client.into());
        assert_eq!(
            socket.send(&["head", "", " and content"].map(|slice| IoSlice::new(slice.as_bytes())), false)?,
            16
        );
        assert_eq!(socket.send(&[IoSlice::new(b"; end")], false)?, 5);
        drop(socket);
        let mut text = String::new();
        server.read_to_string(&mut text)?;
        assert_eq!(text, "head and content; end");
        Ok(())
    }
}
