//! The floor: what the kernel alone takes for an answer. A bare epoll loop that parses nothing and looks up
//! nothing: for every empty line it reads, it sends the same answer, prepared at the start.
//!
//! It does what costs least where pws has a choice as well: accepts and reads at once, registers a socket
//! only when it has to wait, answers a pipeline in one call, and sends large content from a file.

use std::fs::File;
use std::io::{ErrorKind, Seek, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use pws_benchmarks::Result;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketFlags};
use socket2::{Domain, Socket, Type};

const BACKLOG: i32 = 65_535;
const EVENTS_MAX: usize = 1024;
/// Up to here an answer is sent from memory, head and content by one copy. The content of a larger one is sent
/// from a file, behind a head from memory: a head tells the time, so no server can have both in one file.
const MEMORY_BYTES_MAX: usize = 8 * 1024;
/// Answers that lie one behind the other, so that a pipeline's leave at once.
const COPIES: usize = 16;
const HEAD_END: &[u8; 4] = b"\r\n\r\n";

/// The answer, and where it is sent from.
struct Answer {
    /// Of one answer, head included.
    len: usize,
    /// Many copies of a small one; the head of a large one.
    bytes: Vec<u8>,
    /// The content of a large one.
    file: Option<File>,
}

/// One for connections that go on, and one for those that do not.
struct Answers {
    open: Answer,
    closing: Answer,
}

struct Connection {
    socket: OwnedFd,
    /// Bytes of all answers still to be sent: as they are all alike, that tells the place, too.
    owed: usize,
    /// How much of [`HEAD_END`] the last byte read was.
    matched: usize,
    has_read: bool,
    /// To be closed when nothing is owed.
    closes: bool,
    is_registered: bool,
}

struct Floor {
    epoll: OwnedFd,
    listener: OwnedFd,
    answers: Answers,
    /// By descriptor.
    connections: Vec<Option<Connection>>,
    buffer: Vec<u8>,
}

/// Serves `file` on `port` until killed.
pub fn serve(port: u16, file: &Path) -> Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), None)?;
    listener.set_reuse_address(true)?;
    listener.set_tcp_nodelay(true)?;
    listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    listener.listen(BACKLOG)?;
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, key(&listener), EventFlags::IN | EventFlags::ET)?;
    let body = std::fs::read(file)?;
    let answers =
        Answers { open: Answer::new(&body, "")?, closing: Answer::new(&body, "Connection: close\r\n")? };
    let buffer = vec![0; 32 * 1024];
    let listener = listener.into();
    Floor { epoll, listener, answers, connections: Vec::new(), buffer }.run()
}

fn key(socket: &impl AsRawFd) -> EventData {
    EventData::new_u64(socket.as_raw_fd() as u64)
}

impl Answer {
    fn new(body: &[u8], field: &str) -> Result<Answer> {
        // As many fields as pws writes, so that both send the same number of bytes.
        let head = format!(
            "HTTP/1.1 200 OK\r\nServer: floor/0.0\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n{field}\
             Content-Type: text/html; charset=utf-8\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
             ETag: \"0123456789abcdef0123\"\r\nAccept-Ranges: bytes\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let len = head.len() + body.len();
        if len <= MEMORY_BYTES_MAX {
            return Ok(Answer { len, bytes: [head.as_bytes(), body].concat().repeat(COPIES), file: None });
        }
        let mut file = tempfile::tempfile()?;
        file.write_all(body)?;
        file.rewind()?;
        Ok(Answer { len, bytes: head.into_bytes(), file: Some(file) })
    }

    /// Sends once from the place that `owed` stands for.
    fn send(&self, socket: &OwnedFd, owed: usize) -> rustix::io::Result<usize> {
        let place = (self.len - owed % self.len) % self.len;
        match &self.file {
            Some(_) if place < self.bytes.len() => {
                rustix::net::send(socket, &self.bytes[place..], SendFlags::NOSIGNAL | SendFlags::MORE)
            }
            Some(file) => {
                let mut offset = (place - self.bytes.len()) as u64;
                rustix::fs::sendfile(socket, file, Some(&mut offset), owed.min(self.len - place))
            }
            None => {
                let count = owed.min(self.bytes.len() - place);
                rustix::net::send(socket, &self.bytes[place..place + count], SendFlags::NOSIGNAL)
            }
        }
    }
}

impl Floor {
    fn run(&mut self) -> Result<()> {
        let mut events: Vec<Event> = Vec::with_capacity(EVENTS_MAX);
        loop {
            match epoll::wait(&self.epoll, spare_capacity(&mut events), None) {
                Err(Errno::INTR) => continue,
                result => result?,
            };
            for event in events.drain(..) {
                let (flags, fd) = (event.flags, event.data.u64() as usize);
                if fd == self.listener.as_raw_fd() as usize {
                    self.accept()?;
                } else if let Some(connection) = self.connections.get_mut(fd).and_then(Option::take) {
                    self.turn(connection, flags)?;
                }
            }
        }
    }

    fn accept(&mut self) -> Result<()> {
        loop {
            match rustix::net::accept_with(&self.listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
                Ok(socket) => self.turn(Connection::new(socket), EventFlags::IN)?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(Errno::CONNABORTED | Errno::INTR) => {}
                Err(error) => return Err(format!("the floor cannot accept: {error}").into()),
            }
        }
    }

    /// Runs `connection` until it has to wait, and keeps it if it has to.
    fn turn(&mut self, mut connection: Connection, flags: EventFlags) -> Result<()> {
        if !connection.run(flags, &self.answers, &mut self.buffer) {
            return Ok(());
        }
        if !connection.is_registered {
            let edges = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
            epoll::add(&self.epoll, &connection.socket, key(&connection.socket), edges)?;
            connection.is_registered = true;
        }
        let fd = connection.socket.as_raw_fd() as usize;
        if self.connections.len() <= fd {
            self.connections.resize_with(fd + 1, || None);
        }
        self.connections[fd] = Some(connection);
        Ok(())
    }
}

impl Connection {
    fn new(socket: OwnedFd) -> Connection {
        Connection { socket, owed: 0, matched: 0, has_read: false, closes: false, is_registered: false }
    }

    /// Whether it goes on.
    fn run(&mut self, flags: EventFlags, answers: &Answers, buffer: &mut [u8]) -> bool {
        let is_ending = flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR);
        let mut is_readable = is_ending || flags.contains(EventFlags::IN);
        loop {
            let answer = if self.closes { &answers.closing } else { &answers.open };
            while self.owed > 0 {
                match answer.send(&self.socket, self.owed) {
                    Ok(count) => self.owed -= count,
                    Err(Errno::AGAIN) => return true,
                    Err(_) => return false,
                }
            }
            if self.closes || !is_readable {
                return !self.closes;
            }
            match rustix::net::recv(&self.socket, &mut *buffer, RecvFlags::empty()) {
                Ok((_, 0)) => return false,
                Ok((_, count)) => {
                    self.read(&buffer[..count], answers);
                    // A short read emptied the socket; the end makes no edge of its own.
                    is_readable = is_ending || count == buffer.len();
                }
                Err(Errno::AGAIN) => return true,
                Err(_) => return false,
            }
        }
    }

    fn read(&mut self, bytes: &[u8], answers: &Answers) {
        if !self.has_read {
            self.has_read = true;
            self.closes = bytes.windows(5).any(|window| window == b"close");
        }
        let answer = if self.closes { &answers.closing } else { &answers.open };
        for &byte in bytes {
            if byte == HEAD_END[self.matched] {
                self.matched += 1;
            } else {
                self.matched = usize::from(byte == HEAD_END[0]);
            }
            if self.matched == HEAD_END.len() {
                self.matched = 0;
                self.owed += answer.len;
            }
        }
    }
}
