//! Just enough of an HTTP client to see whether a server answers what it should.

use std::io::{Read, Write};
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

pub fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// GET `target` with further `fields`, each with its line end, on a connection that stays open.
pub fn get(stream: &mut TcpStream, target: &str, fields: &str) -> Result<Answer> {
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
    stream.write_all(request.as_bytes())?;
    let mut received = Vec::new();
    let head_len = loop {
        if let Some(at) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        read_more(stream, &mut received, target)?;
    };
    let head = String::from_utf8_lossy(&received[..head_len]).into_owned();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| format!("GET {target}: no HTTP answer: {head:?}"))?;
    let mut answer = Answer { status, head, body: received.split_off(head_len) };
    let content_length = match (answer.status, answer.field("content-length")) {
        (304, _) | (_, None) => 0,
        (_, Some(value)) => value.parse()?,
    };
    while answer.body.len() < content_length {
        read_more(stream, &mut answer.body, target)?;
    }
    Ok(answer)
}

fn read_more(stream: &mut TcpStream, received: &mut Vec<u8>, target: &str) -> Result<()> {
    let mut buffer = [0; 64 * 1024];
    let count = stream.read(&mut buffer).map_err(|error| format!("GET {target}: {error}"))?;
    if count == 0 {
        return Err(format!("GET {target}: the connection ended after {} bytes", received.len()).into());
    }
    received.extend_from_slice(&buffer[..count]);
    Ok(())
}
