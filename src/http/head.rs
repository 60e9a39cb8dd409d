//! The head of a response. This is the only place that writes one, so `Server`, `Date`, `Connection` and
//! `Content-Length` are right on every response, errors included.

use std::fmt::{self, Display, Write as _};
use std::io::Write as _;

use super::status::Status;
use crate::clock::Now;
use crate::date::{self, HTTP_DATE_LEN};

/// Tells a client that waits for it to send the body (RFC 9110 §15.2.1).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What becomes of the connection behind the response (RFC 9112 §9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// HTTP/1.1 goes on without a word.
    Implied,
    /// HTTP/1.0 goes on only if told.
    Announced,
    Close,
}

/// How the end of a response's body is told (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// There is none by the nature of the response: 204, 304 (RFC 9110 §8.6).
    None,
    Bytes(u64),
    Chunked,
    /// The body ends with the connection, for HTTP/1.0.
    UntilClose,
}

/// Writes a head field by field; [`finish`](HeadWriter::finish) must be called last.
#[must_use]
pub struct HeadWriter<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> HeadWriter<'a> {
    /// Writes the status line and the fields that every response has.
    pub fn start(out: &'a mut Vec<u8>, status: Status, persistence: Persistence, now: &Now) -> Self {
        out.extend_from_slice(status.head_start().as_bytes());
        out.extend_from_slice(now.http_date_line());
        match persistence {
            Persistence::Implied => {}
            Persistence::Announced => out.extend_from_slice(b"Connection: keep-alive\r\n"),
            Persistence::Close => out.extend_from_slice(b"Connection: close\r\n"),
        }
        HeadWriter { out }
    }

    /// Goes on with a head of which the start is written elsewhere, or later.
    pub fn behind_start(out: &'a mut Vec<u8>) -> Self {
        HeadWriter { out }
    }

    /// Writes one field. Control bytes in the value, which could end the line, become spaces.
    pub fn field(self, name: &str, value: impl Display) -> Self {
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b": ");
        // Cannot fail: writing to memory.
        let _ = write!(FieldValue(self.out), "{value}");
        self.out.extend_from_slice(b"\r\n");
        self
    }

    /// Goes on with whole fields that were written before.
    pub fn prepared(self, fields: &[u8]) -> Self {
        self.out.extend_from_slice(fields);
        self
    }

    /// Ends the head with what was written behind a start before, content included.
    pub fn finish_with(self, prepared: &[u8]) {
        self.out.extend_from_slice(prepared);
    }

    /// Ends the head.
    pub fn finish(self, length: BodyLength) {
        match length {
            BodyLength::None | BodyLength::UntilClose => {}
            // Cannot fail: writing to memory.
            BodyLength::Bytes(bytes) => drop(write!(self.out, "Content-Length: {bytes}\r\n")),
            BodyLength::Chunked => self.out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        }
        self.out.extend_from_slice(b"\r\n");
    }
}

/// Whether `name` is `Cache-Control`, in any case, or its like for some caches only, such as
/// `CDN-Cache-Control` (RFC 9213).
pub fn is_cache_control(name: &str) -> bool {
    const END: &str = "cache-control";
    let end = name.len().checked_sub(END.len()).and_then(|start| name.get(start..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(END))
}

/// An IMF-fixdate as a field value.
#[derive(Clone, Copy, Debug)]
pub struct HttpDate([u8; HTTP_DATE_LEN]);

impl HttpDate {
    /// The date of seconds since 1970.
    pub fn of(unix_secs: i64) -> HttpDate {
        HttpDate(date::format(unix_secs))
    }
}

impl Display for HttpDate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(std::str::from_utf8(&self.0).map_err(|_| fmt::Error)?)
    }
}

/// Lets through what may stand in a field value (RFC 9110 §5.5).
struct FieldValue<'a>(&'a mut Vec<u8>);

impl fmt::Write for FieldValue<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(text.bytes().map(|byte| if byte.is_ascii_control() { b' ' } else { byte }));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_speaks_to_caches() {
        for name in ["Cache-Control", "CACHE-CONTROL", "cdn-cache-control"] {
            assert!(is_cache_control(name), "{name}");
        }
        for name in ["", "Cache", "Cache-Controls", "Control", "\u{e4}che-control"] {
            assert!(!is_cache_control(name), "{name}");
        }
    }

    #[test]
    fn writes_a_head() {
        let mut out = Vec::new();
        let now = Now::at(0, 784_111_777);
        HeadWriter::start(&mut out, Status::NotFound, Persistence::Close, &now)
            .field("X", "a\r\nEvil: b\0")
            .finish(BodyLength::Bytes(7));
        let expected = format!(
            "{}Sun, 06 Nov 1994 08:49:37 GMT\r\n\
             Connection: close\r\nX: a  Evil: b \r\nContent-Length: 7\r\n\r\n",
            Status::NotFound.head_start()
        );
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }
}
