//! A client in memory that says the same again and again, to the real connection on the real site: what a
//! request takes outside the kernel.

use std::hint::black_box;
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::BorrowedFd;

use pws::access_log::AccessLog;
use pws::client::connection::{Buffers, Connection, Verdict};
use pws::client::session::Context;
use pws::clock::Now;
use pws::limits::Limits;
use pws::net::peer::Peer;
use pws::net::socket::{Edge, Readiness, Socket};
use pws::responder::Responder;
use pws::site::Site;

/// The requests of one turn, and what has been taken of them.
struct Requests {
    bytes: Vec<u8>,
    received: usize,
    /// Bytes of answers, of all turns.
    sent: usize,
}

impl Socket for Requests {
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.bytes[self.received..];
        if rest.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.received += count;
        Ok(count)
    }

    fn send(&mut self, slices: &[IoSlice<'_>], _more: bool) -> io::Result<usize> {
        let count = slices.iter().map(|bytes| black_box(bytes).len()).sum();
        self.sent += count;
        Ok(count)
    }

    fn send_file(&mut self, _file: BorrowedFd<'_>, _offset: u64, count: usize) -> io::Result<usize> {
        self.sent += count;
        Ok(count)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One connection that stays open, and all that the loop lends it.
pub struct Repeater {
    connection: Connection<Requests>,
    site: Site,
    access_log: AccessLog,
    buffers: Buffers,
    limits: Limits,
    now: Now,
}

impl Repeater {
    /// Says `requests` each turn, at a time that is always the same.
    pub fn new(requests: Vec<u8>, site: Site, access_log: AccessLog, now_unix_secs: u64) -> Repeater {
        let limits = Limits::default();
        let now = Now::at(0, now_unix_secs);
        let peer = Peer::Ip("2001:db8::1".parse().expect("an address"));
        let socket = Requests { bytes: requests, received: 0, sent: 0 };
        let connection = Connection::new(socket, peer, &now, &limits);
        Repeater { connection, site, access_log, buffers: Buffers::new(&limits), limits, now }
    }

    /// A turn of the loop: the disk is asked again, all requests are answered. Returns the bytes of all answers
    /// so far.
    pub fn turn(&mut self) -> usize {
        self.site.recheck();
        self.connection.socket.received = 0;
        self.connection.mark(Readiness { readable: true, ..Readiness::default() });
        let mut context = Context {
            now: &self.now,
            limits: &self.limits,
            responder: &mut self.site,
            access_log: &mut self.access_log,
            key: 0,
            run_bytes_max: self.limits.run_bytes_max,
            is_draining: false,
        };
        let verdict = self.connection.run(&mut self.buffers, &mut context);
        assert_eq!(verdict, Verdict::Park(Edge::Readable));
        self.access_log.flush();
        self.connection.socket.sent
    }
}
