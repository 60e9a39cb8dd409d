//! One line per response in the common log format, gathered in memory and written once a turn at most.
//!
//! A line is made in two steps. What the request tells is written down when it is answered, since its head is
//! consumed then, and kept with the unsent rest; the line is added when the response has left or was cut,
//! with what was handed to the client. Whoever reads the log slowly costs lines, not the loop's time.

use std::io::{self, Write as _};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::SendFlags;

use crate::clock::Now;
use crate::http::request;
use crate::http::status::Status;
use crate::net::peer::Peer;
use crate::outbox::Ended;

/// Lines kept while the reader is slow, in bytes. Further ones are counted and dropped.
const BUFFER_BYTES_MAX: usize = 256 * 1024;
/// How often, and how long each time, the reader is waited for at the end: a second in all.
const FINISH_WAITS: usize = 100;
const FINISH_WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };

/// The log of a server.
#[derive(Debug)]
pub struct AccessLog {
    /// `None`: lines are not even made.
    sink: Option<Sink>,
    lines: Vec<u8>,
    lost: u64,
    /// The last write failed, and it was told.
    is_failing: bool,
}

impl AccessLog {
    /// A log that keeps nothing.
    pub fn off() -> AccessLog {
        AccessLog::with_sink(None)
    }

    /// Logs to standard output.
    pub fn to_stdout() -> io::Result<AccessLog> {
        AccessLog::to(std::io::stdout().as_fd())
    }

    /// Logs to `target`, without waiting for its reader where that can be had.
    pub fn to(target: BorrowedFd<'_>) -> io::Result<AccessLog> {
        Ok(AccessLog::with_sink(Some(Sink::to(target)?)))
    }

    /// Has the poll wake with `token` when a reader that was slow takes lines again. What cannot be polled, a
    /// regular file for one, does not need it.
    pub fn register(&self, registry: &Registry, token: Token) {
        if let Some(sink) = &self.sink {
            let descriptor = sink.descriptor.as_raw_fd();
            let _ = registry.register(&mut SourceFd(&descriptor), token, Interest::WRITABLE);
        }
    }

    fn with_sink(sink: Option<Sink>) -> AccessLog {
        AccessLog { sink, lines: Vec::new(), lost: 0, is_failing: false }
    }

    /// Appends what is known of a response when it is queued to `line`: `[time] "request line" status`. Of
    /// `head`, or whatever stands for one, the first line is taken. Nothing where nothing is logged.
    pub fn describe(&self, now: &Now, head: &[u8], status: Status, line: &mut Vec<u8>) {
        if self.sink.is_none() {
            return;
        }
        line.push(b'[');
        line.extend_from_slice(now.log_time());
        line.extend_from_slice(b"] \"");
        escape(request::first_line(head), line);
        line.extend_from_slice(b"\" ");
        line.extend_from_slice(&status.code_and_reason().as_bytes()[..3]);
    }

    /// Adds the line of a response that has left, or of which no more will leave: `client - - [time] "request
    /// line" status bytes`, these being those of its content that were handed to the client's socket.
    pub fn write(&mut self, peer: Peer, response: &Ended) {
        if self.sink.is_none() {
            return;
        }
        if self.lines.len() >= BUFFER_BYTES_MAX {
            self.lost += 1;
            return;
        }
        // Neither can fail: writing to memory.
        let _ = write!(self.lines, "{peer} - - ");
        self.lines.extend_from_slice(response.line);
        let _ = writeln!(self.lines, " {}", response.content_bytes);
    }

    /// Whether lines are waiting.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Writes what has gathered, as far as the reader takes it.
    pub fn flush(&mut self) {
        let Some(sink) = self.sink.as_ref().filter(|_| !self.lines.is_empty()) else { return };
        match sink.write(&self.lines) {
            Ok(written) => {
                self.lines.drain(..written);
                self.is_failing = false;
                if self.lines.is_empty() {
                    self.tell_lost();
                }
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(errno) => {
                if !self.is_failing {
                    log::warn!("access log: cannot write: {errno}; lines are lost until that works again");
                }
                self.is_failing = true;
                self.lose_all();
            }
        }
    }

    /// Writes the rest at the end, for which the reader gets a moment; what it does not take is counted.
    pub fn finish(&mut self) {
        for _ in 0..FINISH_WAITS {
            self.flush();
            let Some(sink) = self.sink.as_ref().filter(|_| !self.lines.is_empty()) else { break };
            let _ = poll(&mut [PollFd::new(&sink.descriptor, PollFlags::OUT)], Some(&FINISH_WAIT));
        }
        self.lose_all();
        self.tell_lost();
    }

    fn lose_all(&mut self) {
        self.lost += self.lines.iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.lines.clear();
    }

    /// Standard error may be the same pipe, and writing to that waits: it is told when there is room, or
    /// later.
    fn tell_lost(&mut self) {
        let stderr = std::io::stderr();
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        if self.lost > 0 && poll(&mut [PollFd::new(&stderr, PollFlags::OUT)], Some(&now)) == Ok(1) {
            log::warn!("access log: its reader is slow or gone, {} lines were lost", self.lost);
            self.lost = 0;
        }
    }
}

/// Where lines go, without waiting for whoever reads them.
#[derive(Debug)]
struct Sink {
    descriptor: OwnedFd,
    is_socket: bool,
}

impl Sink {
    /// A pipe or terminal is opened anew, so that it can be non-blocking here without being so for others
    /// that share it, the shell for one. Regular files never block; a socket is told with each write.
    fn to(target: BorrowedFd<'_>) -> io::Result<Sink> {
        let kind = FileType::from_raw_mode(rustix::fs::fstat(target)?.st_mode);
        let reopened = match kind {
            FileType::Fifo | FileType::CharacterDevice => reopen_nonblocking(target),
            _ => None,
        };
        if kind == FileType::Fifo && reopened.is_none() {
            log::warn!("access log: its pipe is somebody else's, who can hold the server up by not reading");
        }
        let descriptor = match reopened {
            Some(descriptor) => descriptor,
            None => target.try_clone_to_owned()?,
        };
        Ok(Sink { descriptor, is_socket: kind == FileType::Socket })
    }

    fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
        match self.is_socket {
            true => rustix::net::send(&self.descriptor, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL),
            false => rustix::io::write(&self.descriptor, bytes),
        }
    }
}

/// `None` where it cannot be had: then a reader that sleeps holds the server up.
fn reopen_nonblocking(target: BorrowedFd<'_>) -> Option<OwnedFd> {
    let path = format!("/proc/self/fd/{}", target.as_raw_fd());
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).ok()
}

/// Writes `bytes` so that they can neither end the line nor the quotes, nor reach a terminal as commands.
fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b' '..=b'~' => out.push(byte),
            _ => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\x");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    /// Logs a response to `head` that has left.
    fn log_one(log: &mut AccessLog, now: &Now, head: &[u8], content_bytes: u64) {
        let mut line = Vec::new();
        log.describe(now, head, Status::Ok, &mut line);
        let peer = Peer::Ip("::1".parse().expect("an address"));
        log.write(peer, &Ended { line: &line, content_bytes, queued_millis: 0, is_whole: true });
    }

    #[test]
    fn a_line_in_the_common_log_format() -> io::Result<()> {
        let (mut reader, writer) = std::io::pipe()?;
        let mut log = AccessLog::to(writer.as_fd())?;
        let now = Now::at(0, 784_111_777);
        log_one(&mut log, &now, b"GET /\"\x1b[2J\\\xff HTTP/1.1\r\nHost: a\r\n\r\n", 12);
        log.flush();
        drop((log, writer));
        let mut text = String::new();
        reader.read_to_string(&mut text)?;
        let expected =
            "::1 - - [06/Nov/1994:08:49:37 +0000] \"GET /\\\"\\x1b[2J\\\\\\xff HTTP/1.1\" 200 12\n";
        assert_eq!(text, expected);
        Ok(())
    }

    #[test]
    fn a_reader_that_sleeps_holds_nobody_up_and_costs_whole_lines() -> io::Result<()> {
        let (mut reader, writer) = std::io::pipe()?;
        let mut log = AccessLog::to(writer.as_fd())?;
        let now = Now::at(0, 0);
        for _ in 0..20_000 {
            log_one(&mut log, &now, b"GET /some/path HTTP/1.1", 1);
            log.flush();
        }
        assert!(log.lost > 0);
        assert!(log.lines.len() <= BUFFER_BYTES_MAX + 128);
        let reading = std::thread::spawn(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).map(|_| text)
        });
        while !log.is_empty() {
            log.flush();
        }
        drop((log, writer));
        let text = reading.join().expect("the reader")?;
        assert!(text.lines().all(|line| line.ends_with("\"GET /some/path HTTP/1.1\" 200 1")));
        Ok(())
    }
}
