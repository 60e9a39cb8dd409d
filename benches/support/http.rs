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
        self.answer_to("GET")
    }

    /// Reads one answer to a request by `method`.
    pub fn answer_to(&mut self, method: &str) -> Result<Answer> {
        let head_len = loop {
            if let Some(at) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.read_more()?;
        };
        let head = String::from_utf8_lossy(&self.take(head_len)?).into_owned();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| format!("no HTTP answer: {head:?}"))?;
        let mut answer = Answer { status, head, body: Vec::new() };
        answer.body = match (answer.field("content-length"), answer.field("transfer-encoding")) {
            _ if method == "HEAD" || status == 304 => Vec::new(),
            (Some(length), None) => self.take(length.parse()?)?,
            (None, Some("chunked")) => self.take_chunks()?,
            (None, None) => Vec::new(),
            _ => return Err(format!("no telling where it ends: {}", answer.head).into()),
        };
        Ok(answer)
    }

    fn take(&mut self, count: usize) -> Result<Vec<u8>> {
        while self.received.len() < count {
            self.read_more()?;
        }
        let rest = self.received.split_off(count);
        Ok(std::mem::replace(&mut self.received, rest))
    }

    fn take_chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line_len = loop {
                if let Some(at) = self.received.windows(2).position(|pair| pair == b"\r\n") {
                    break at;
                }
                self.read_more()?;
            };
            let line = self.take(line_len + 2)?;
            let size = usize::from_str_radix(String::from_utf8_lossy(&line).trim_end(), 16)?;
            let chunk = self.take(size + 2)?;
            let (content, end) = chunk.split_at(size);
            if end != b"\r\n" {
                return Err("a chunk has no end".into());
            }
            body.extend_from_slice(content);
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn read_more(&mut self) -> Result<()> {
        let mut buffer = [0; 64 * 1024];
        let count = loop {
            match self.stream.read(&mut buffer) {
                Ok(count) => break count,
                // Stopped and sent on: a read that has a bound in time is not taken up again by itself.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Err(format!("nothing comes any more for {} s", PATIENCE.as_secs()).into());
                }
                Err(error) => return Err(error.into()),
            }
        };
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
