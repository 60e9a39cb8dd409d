//! A client that sends just the bytes it is told to.
//!
//! A method whose name begins with `try` returns what went wrong, for whoever goes on all the same; the others
//! panic. Both say what was asked.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use socket2::{Domain, SockRef, Socket, Type};

use super::answer::Answer;
use super::patience::PATIENCE;

/// So much of a request is told when its answer does not come.
const TOLD_BYTES: usize = 80;

pub struct Client {
    pub stream: TcpStream,
    /// Read, and not yet part of an answer.
    received: Vec<u8>,
    /// The start of what was sent last.
    asked: Vec<u8>,
}

/// The head that asks for `target`, with further `fields`, each with its line end.
pub fn request(method: &str, target: &str, fields: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: test\r\n{fields}\r\n")
}

impl Client {
    #[track_caller]
    pub fn connect(address: SocketAddr) -> Client {
        Client::try_connect(address).expect("a connection")
    }

    pub fn try_connect(address: SocketAddr) -> io::Result<Client> {
        Client::of(TcpStream::connect(address)?)
    }

    /// A client at the loopback's address `source`; neither connecting nor anything after it takes longer than
    /// `patience`.
    pub fn try_connect_from(source: Ipv4Addr, address: SocketAddr, patience: Duration) -> io::Result<Client> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        // Of many that come and go, the ports of those gone are free at once.
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddr::from((source, 0)).into())?;
        socket.connect_timeout(&address.into(), patience)?;
        let mut client = Client::of(socket.into())?;
        client.set_patience(patience);
        Ok(client)
    }

    #[track_caller]
    pub fn connect_with_receive_buffer(address: SocketAddr, bytes: usize) -> Client {
        Client::try_connect_with_receive_buffer(address, bytes).expect("a connection")
    }

    /// A client whose kernel takes little ahead of what is read: most of a large answer stays at the server.
    pub fn try_connect_with_receive_buffer(address: SocketAddr, bytes: usize) -> io::Result<Client> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        // Only before connecting does the size bound the window that is offered.
        socket.set_recv_buffer_size(bytes)?;
        socket.connect(&address.into())?;
        Client::of(socket.into())
    }

    fn of(stream: TcpStream) -> io::Result<Client> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Client { stream, received: Vec::new(), asked: Vec::new() })
    }

    #[track_caller]
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        told(self.try_send(bytes));
    }

    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.note(bytes.as_ref());
        let sent = self.stream.write_all(bytes.as_ref());
        sent.map_err(|error| self.failure(error.kind(), &format!("cannot be sent: {error}")))
    }

    /// Sends `bytes` and, in the same packet, the end of sending.
    #[track_caller]
    pub fn send_last(&mut self, bytes: impl AsRef<[u8]>) {
        self.note(bytes.as_ref());
        let count = send(&self.stream, bytes.as_ref(), SendFlags::MORE).expect("the server reads");
        assert_eq!(count, bytes.as_ref().len(), "a packet has room for it");
        self.shutdown_write();
    }

    #[track_caller]
    pub fn shutdown_write(&mut self) {
        self.stream.shutdown(Shutdown::Write).expect("an open connection");
    }

    fn note(&mut self, bytes: &[u8]) {
        self.asked.clear();
        self.asked.extend_from_slice(&bytes[..bytes.len().min(TOLD_BYTES)]);
    }

    fn failure(&self, kind: ErrorKind, what: &str) -> io::Error {
        let (asked, count) = (String::from_utf8_lossy(&self.asked), self.received.len());
        io::Error::new(kind, format!("{asked:?}: {what} ({count} bytes of an answer came)"))
    }

    /// Reads one answer, to a request that was no HEAD.
    #[track_caller]
    pub fn answer(&mut self) -> Answer {
        self.answer_to("GET")
    }

    #[track_caller]
    pub fn answer_to(&mut self, method: &str) -> Answer {
        told(self.try_answer_to(method))
    }

    /// Reads one answer to a request by `method`; what comes behind it is kept for the next.
    pub fn try_answer_to(&mut self, method: &str) -> io::Result<Answer> {
        let mut is_closed = false;
        loop {
            let parsed = Answer::parse(&self.received, method == "HEAD", is_closed);
            match parsed.map_err(|what| self.failure(ErrorKind::InvalidData, &what))? {
                Some((answer, len)) => {
                    self.received.drain(..len);
                    return Ok(answer);
                }
                None if is_closed => {
                    return Err(self.failure(ErrorKind::UnexpectedEof, "closed amid the answer"));
                }
                None => is_closed = self.read_more()? == 0,
            }
        }
    }

    fn read_more(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 64 * 1024];
        let count = loop {
            match self.stream.read(&mut buffer) {
                Ok(count) => break count,
                // Stopped and sent on: a read that has a bound in time is not taken up again by itself.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failure(error.kind(), &format!("nothing comes: {error}"))),
            }
        };
        self.received.extend_from_slice(&buffer[..count]);
        Ok(count)
    }

    /// Reads the head of an answer and leaves its content to [`read_some`](Client::read_some).
    #[track_caller]
    pub fn head(&mut self) -> Answer {
        self.answer_to("HEAD")
    }

    /// Reads what there is, at least a byte; 0 means that the server sends no more.
    pub fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.received.is_empty() {
            return self.stream.read(buffer);
        }
        let count = self.received.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.received[..count]);
        self.received.drain(..count);
        Ok(count)
    }

    /// Reads and counts to the end, be it clean or a reset, but never past `count_max` bytes.
    #[track_caller]
    pub fn count_rest(&mut self, count_max: u64) -> u64 {
        let room =
            |total: u64, len: usize| usize::try_from(count_max - total).map_or(len, |left| left.min(len));
        let count = room(0, self.received.len());
        self.received.drain(..count);
        let mut total = count as u64;
        let mut buffer = vec![0; 1 << 20];
        while total < count_max {
            let room = room(total, buffer.len());
            // TRUNC has TCP throw the bytes away, which saves the copying.
            match recv(&self.stream, &mut buffer[..room], RecvFlags::TRUNC) {
                Ok((_, 0)) | Err(Errno::CONNRESET) => break,
                Ok((_, count)) => total += count as u64,
                Err(error) => panic!("{}", self.failure(error.kind(), &format!("no end comes: {error}"))),
            }
        }
        total
    }

    /// Has a read wait for `patience` only.
    #[track_caller]
    pub fn set_patience(&mut self, patience: Duration) {
        self.stream.set_read_timeout(Some(patience)).expect("a timeout");
    }

    /// Ends the connection by a reset, with whatever is under way.
    #[track_caller]
    pub fn reset(self) {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).expect("no lingering");
    }

    /// GET on this connection, kept open.
    #[track_caller]
    pub fn get(&mut self, target: &str) -> Answer {
        told(self.try_get(target, ""))
    }

    /// GET with further `fields`, each with its line end.
    pub fn try_get(&mut self, target: &str, fields: &str) -> io::Result<Answer> {
        self.try_send(request("GET", target, fields))?;
        self.try_answer_to("GET")
    }

    /// Sends a GET and reads nothing yet.
    #[track_caller]
    pub fn ask(&mut self, target: &str) {
        self.send(request("GET", target, ""));
    }

    /// Whether the server ends the connection, cleanly or by reset, before patience does.
    pub fn is_closed(&mut self) -> bool {
        match self.stream.read(&mut [0]) {
            Ok(count) => count == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }

    /// All bytes until the end.
    #[track_caller]
    pub fn rest(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.received);
        if let Err(error) = self.stream.read_to_end(&mut bytes) {
            panic!("{}", self.failure(error.kind(), &format!("no end comes: {error}")));
        }
        bytes
    }
}

#[track_caller]
fn told<T>(result: io::Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}
