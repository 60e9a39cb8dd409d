//! What the pump needs of a socket, and the real thing.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::net::{RecvFlags, SendFlags, Shutdown, sockopt};

/// A stream that never blocks: `WouldBlock` says "not now".
pub trait Socket {
    /// Reads into `buffer`; 0 means the peer sends no more.
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes a part of `bytes`. `more` announces that something follows at once, so that it shares packets.
    fn send(&mut self, bytes: &[u8], more: bool) -> io::Result<usize>;

    /// Writes at most `count` bytes of `file` from `offset` on; 0 means the file ends there.
    fn send_file(&mut self, file: BorrowedFd<'_>, offset: u64, count: usize) -> io::Result<usize>;

    /// Tells the peer that no more will come, and leaves reading open.
    fn shutdown_write(&mut self) -> io::Result<()>;
}

/// A non-blocking TCP connection. Dropping it closes it, which also takes it out of the poll.
///
/// Four bytes, where mio's own stream carries bookkeeping in debug builds: the slot's size is a promise.
#[derive(Debug)]
pub struct TcpSocket(OwnedFd);

impl TcpSocket {
    /// Asks for readable edges, and for writable ones too when `writable` is set.
    pub fn register(&self, registry: &Registry, token: Token, writable: bool) -> io::Result<()> {
        registry.register(&mut SourceFd(&self.0.as_raw_fd()), token, interest(writable))
    }

    /// Makes of the close that is to come a reset: what is unsent does not stay in the kernel's memory, to
    /// wait for somebody who does not take it.
    pub fn reset_when_closed(&self) {
        // Refused or not, it is going to be closed.
        let _ = sockopt::set_socket_linger(&self.0, Some(Duration::ZERO));
    }

    /// Changes what was asked for. Edges that are already there are reported anew.
    pub fn reregister(&self, registry: &Registry, token: Token, writable: bool) -> io::Result<()> {
        registry.reregister(&mut SourceFd(&self.0.as_raw_fd()), token, interest(writable))
    }
}

fn interest(writable: bool) -> Interest {
    if writable { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE }
}

impl From<mio::net::TcpStream> for TcpSocket {
    fn from(stream: mio::net::TcpStream) -> TcpSocket {
        TcpSocket(std::net::TcpStream::from(stream).into())
    }
}

impl Socket for TcpSocket {
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (received, _) = rustix::net::recv(&self.0, buffer, RecvFlags::empty())?;
        Ok(received)
    }

    fn send(&mut self, bytes: &[u8], more: bool) -> io::Result<usize> {
        let flags = if more { SendFlags::NOSIGNAL | SendFlags::MORE } else { SendFlags::NOSIGNAL };
        Ok(rustix::net::send(&self.0, bytes, flags)?)
    }

    fn send_file(&mut self, file: BorrowedFd<'_>, offset: u64, count: usize) -> io::Result<usize> {
        let mut position = offset;
        Ok(rustix::fs::sendfile(&self.0, file, Some(&mut position), count)?)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(rustix::net::shutdown(self.0.as_fd(), Shutdown::Write)?)
    }
}

/// The address as people write it: an IPv4 client of an IPv6 listener is shown as IPv4.
pub fn client_address(address: std::net::SocketAddr) -> IpAddr {
    address.ip().to_canonical()
}
