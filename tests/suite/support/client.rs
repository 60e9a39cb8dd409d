//! A client that sends just the bytes it is told to.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use socket2::{Domain, SockRef, Socket, Type};

use super::answer::Answer;
use super::patience::PATIENCE;

pub struct Client {
    pub stream: TcpStream,
    received: Vec<u8>,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Client {
        Client::of(TcpStream::connect(address).expect("a connection"))
    }

    /// A client whose kernel takes little ahead of what is read: most of a large answer stays at the server.
    pub fn connect_with_receive_buffer(address: SocketAddr, bytes: usize) -> Client {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).expect("a socket");
        // Only before connecting does the size bound the window that is offered.
        socket.set_recv_buffer_size(bytes).expect("a receive buffer");
        socket.connect(&address.into()).expect("a connection");
        Client::of(socket.into())
    }

    fn of(stream: TcpStream) -> Client {
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_nodelay(true).expect("no delay");
        Client { stream, received: Vec::new() }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("the server reads");
    }

    /// Sends `bytes` and, in the same packet, the end of sending.
    pub fn send_last(&mut self, bytes: impl AsRef<[u8]>) {
        let count = send(&self.stream, bytes.as_ref(), SendFlags::MORE).expect("the server reads");
        assert_eq!(count, bytes.as_ref().len(), "a packet has room for it");
        self.shutdown_write();
    }

    pub fn shutdown_write(&mut self) {
        self.stream.shutdown(Shutdown::Write).expect("an open connection");
    }

    /// Reads one answer, to a request that was no HEAD.
    pub fn answer(&mut self) -> Answer {
        self.answer_to("GET")
    }

    pub fn answer_to(&mut self, method: &str) -> Answer {
        loop {
            let mut bytes = &self.received[..];
            if let Some(answer) = Answer::take(&mut bytes, method == "HEAD") {
                self.received = bytes.to_vec();
                return answer;
            }
            let mut buffer = [0; 65536];
            let count = self.stream.read(&mut buffer).expect("more of the answer");
            assert!(count > 0, "closed amid an answer: {:?}", String::from_utf8_lossy(&self.received));
            self.received.extend_from_slice(&buffer[..count]);
        }
    }

    /// Reads the head of an answer and leaves its content to [`read_some`](Client::read_some).
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
                Err(error) => panic!("neither bytes nor an end: {error}"),
            }
        }
        total
    }

    /// Has a read wait for `patience` only.
    pub fn set_patience(&mut self, patience: Duration) {
        self.stream.set_read_timeout(Some(patience)).expect("a timeout");
    }

    /// Ends the connection by a reset, with whatever is under way.
    pub fn reset(self) {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).expect("no lingering");
    }

    /// GET on this connection, kept open.
    pub fn get(&mut self, target: &str) -> Answer {
        self.ask(target);
        self.answer()
    }

    /// Sends a GET and reads nothing yet.
    pub fn ask(&mut self, target: &str) {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n"));
    }

    /// Whether the server ends the connection, cleanly or by reset, before patience does.
    pub fn is_closed(&mut self) -> bool {
        match self.stream.read(&mut [0]) {
            Ok(count) => count == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }

    /// All bytes until the end.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.received);
        self.stream.read_to_end(&mut bytes).expect("an end");
        bytes
    }
}
