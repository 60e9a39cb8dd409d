//! Just enough of an HTTP client to see whether a server answers what it should.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::Result;

/// How long an answer may keep us waiting.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Answer {
    pub status: u16,
    /// Status line and fields.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of the first field called `name`.
    pub fn field(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(':'));
        let mut values = fields.filter(|(found, _)| found.eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value.trim())
    }
}

/// A connection that asks and listens.
pub struct Client {
    stream: TcpStream,
    /// Read, and not yet part of an answer.
    received: Vec<u8>,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Result<Client> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Client { stream, received: Vec::new() })
    }

    /// GET `target` with further `fields`, each with its line end.
    pub fn get(&mut self, target: &str, fields: &str) -> Result<Answer> {
        self.send(request(target, fields).as_bytes())?;
        self.answer().map_err(|error| format!("GET {target}: {error}").into())
    }

    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// Reads one answer; what comes behind it is kept for the next.
    pub fn answer(&mut self) -> Result<Answer> {
        let head_len = loop {
            if let Some(at) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.read_more()?;
        };
        let head: Vec<u8> = self.received.drain(..head_len).collect();
        let head = String::from_utf8_lossy(&head).into_owned();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| format!("no HTTP answer: {head:?}"))?;
        let mut answer = Answer { status, head, body: Vec::new() };
        let content_length: usize = match (answer.status, answer.field("content-length")) {
            (304, _) | (_, None) => 0,
            (_, Some(value)) => value.parse()?,
        };
        while self.received.len() < content_length {
            self.read_more()?;
        }
        answer.body = self.received.drain(..content_length).collect();
        Ok(answer)
    }

    fn read_more(&mut self) -> Result<()> {
        let mut buffer = [0; 64 * 1024];
        let count = self.stream.read(&mut buffer).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => format!("nothing comes any more for {} s", PATIENCE.as_secs()),
            _ => error.to_string(),
        })?;
        if count == 0 {
            return Err(format!("the connection ended behind {} bytes", self.received.len()).into());
        }
        self.received.extend_from_slice(&buffer[..count]);
        Ok(())
    }
}

/// The head that asks for `target`, with further `fields`, each with its line end.
pub fn request(target: &str, fields: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
}
