//! A client in memory that says the same again and again, to the real connection on the real site: what a
//! request takes outside the kernel.

use std::hint::black_box;
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::BorrowedFd;

use super::memory::{Connection, Edge, MemoryServer, Readiness, Socket, Verdict};

/// A request as load generators send it.
pub const BARE: &[u8] = b"GET /page.html HTTP/1.1\r\nHost: localhost:9000\r\n\r\n";
/// One as browsers do.
pub const BROWSER: &[u8] = b"GET /page.html HTTP/1.1\r\nHost: localhost:9000\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nConnection: keep-alive\r\n\
    Cookie: session=0123456789abcdef0123456789abcdef; theme=light\r\nUpgrade-Insecure-Requests: 1\r\n\
    Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\nPriority: u=0, i\r\n\r\n";
/// Requests sent at once where there are several.
pub const PIPELINE: usize = 16;

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

/// One connection that stays open, and the server it is to.
pub struct Repeater {
    connection: Connection<Requests>,
    server: MemoryServer,
}

impl Repeater {
    /// Says `requests` each turn, at a time that is always the same.
    pub fn new(requests: Vec<u8>, server: MemoryServer) -> Repeater {
        let connection = server.connect(Requests { bytes: requests, received: 0, sent: 0 });
        Repeater { connection, server }
    }

    /// A turn of the loop: the disk is asked again, all requests are answered. Returns the bytes of all answers
    /// so far.
    #[track_caller]
    pub fn turn(&mut self) -> usize {
        self.server.next_turn();
        self.connection.socket.received = 0;
        self.connection.mark(Readiness { readable: true, ..Readiness::default() });
        let verdict = self.server.run(&mut self.connection);
        assert_eq!(
            verdict,
            Verdict::Park(Edge::Readable),
            "{}",
            String::from_utf8_lossy(&self.connection.socket.bytes)
        );
        self.server.flush_log();
        self.connection.socket.sent
    }
}
