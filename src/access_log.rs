//! One line per response in the common log format, gathered in memory and written once a turn, or when much
//! has gathered.
//!
//! A line is made in two steps. What the request tells is written down when it is answered, since its head is
//! consumed then, and kept with the unsent rest; the line is added when the response has left or was cut,
//! with what was handed to the client. Whoever reads the log slowly costs lines, not the loop's time.

use std::env;
use std::fmt::{self, Display};
use std::io::{self, IsTerminal, Write as _};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::io::Errno;

use crate::clock::Now;
use crate::http::request;
use crate::http::status::Status;
use crate::net::peer::Peer;
use crate::outbox::Ended;
use crate::sink::{self, Sink};

/// Lines kept until they are written, in bytes. Further ones are counted and dropped.
const BUFFER_BYTES_MAX: usize = 256 * 1024;
/// What a line has beside what was told of its request, in bytes: an address, a count, and what is between.
const AROUND_BYTES_MAX: usize = 80;

/// The log of a server.
#[derive(Debug)]
pub struct AccessLog {
    /// `None`: lines are not even made.
    sink: Option<Sink<OwnedFd>>,
    /// People look at it while lines pass.
    has_colours: bool,
    lines: Vec<u8>,
    responses: u64,
    lost: Lost,
}

impl AccessLog {
    /// A log that keeps nothing.
    pub fn off() -> AccessLog {
        AccessLog::with_sink(None)
    }

    /// Logs to standard output. On a terminal that shows colours, statuses have some, unless `NO_COLOR` is
    /// set (<https://no-color.org>).
    pub fn to_stdout() -> io::Result<AccessLog> {
        let stdout = std::io::stdout();
        let variable = |name| env::var_os(name).filter(|value| !value.is_empty());
        let shows_colours = variable("TERM").is_some_and(|terminal| terminal != "dumb");
        let has_colours = stdout.is_terminal() && shows_colours && variable("NO_COLOR").is_none();
        Ok(AccessLog { has_colours, ..AccessLog::to(stdout.as_fd())? })
    }

    /// Logs to `target`, without waiting for its reader.
    pub fn to(target: BorrowedFd<'_>) -> io::Result<AccessLog> {
        Ok(AccessLog::with_sink(Some(sink::open(target)?)))
    }

    /// Has the poll wake with `token` when a reader that was slow takes lines again. What cannot be polled, a
    /// regular file for one, does not need it.
    pub fn register(&self, registry: &Registry, token: Token) {
        if let Some(sink) = &self.sink {
            let descriptor = sink.as_fd().as_raw_fd();
            let _ = registry.register(&mut SourceFd(&descriptor), token, Interest::WRITABLE);
        }
    }

    fn with_sink(sink: Option<Sink<OwnedFd>>) -> AccessLog {
        AccessLog { sink, has_colours: false, lines: Vec::new(), responses: 0, lost: Lost::default() }
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
        let code = &status.code_and_reason().as_bytes()[..3];
        match colour(status).filter(|_| self.has_colours) {
            Some(colour) => [colour, code, PLAIN].iter().for_each(|part| line.extend_from_slice(part)),
            None => line.extend_from_slice(code),
        }
    }

    /// Adds the line of a response that has left, or of which no more will leave: `client - - [time] "request
    /// line" status bytes`, these being those of its content that were handed to the client's socket.
    ///
    /// It is lost if there is no room for it and what has gathered cannot be written now.
    pub fn write(&mut self, peer: Peer, response: &Ended) {
        self.responses += 1;
        if self.sink.is_none() {
            return;
        }
        let len_max = response.line.len() + AROUND_BYTES_MAX;
        if self.lines.len() + len_max > BUFFER_BYTES_MAX {
            self.write_gathered(0);
        }
        if self.lines.len() + len_max > BUFFER_BYTES_MAX {
            self.lost.add(response.line);
            return;
        }
        // Neither can fail: writing to memory.
        let _ = write!(self.lines, "{peer} - - ");
        self.lines.extend_from_slice(response.line);
        let _ = writeln!(self.lines, " {}", response.content_bytes);
    }

    /// How many responses have left or were cut, logged or not.
    pub fn responses(&self) -> u64 {
        self.responses
    }

    /// Whether lines are waiting.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Writes what has gathered, as far as the reader takes it.
    pub fn flush(&mut self) {
        self.write_gathered(0);
    }

    /// Writes the rest at the end, for which the reader gets a moment; what it does not take is counted.
    pub fn finish(&mut self) {
        self.write_gathered(sink::MOMENT_WAITS);
        self.lose_gathered();
    }

    /// The lines that were lost since the last call, if any.
    pub fn take_lost(&mut self) -> Option<Lost> {
        (self.lost.count > 0).then(|| std::mem::take(&mut self.lost))
    }

    fn write_gathered(&mut self, waits: usize) {
        let Some(sink) = self.sink.as_mut().filter(|_| !self.lines.is_empty()) else { return };
        let (written, refused) = sink.write(&self.lines, waits);
        self.lines.drain(..written);
        // Where writing fails nobody can tell when it will work again: lines would be kept for nothing, and
        // those that come then be missed.
        if let Some(errno) = refused.filter(|errno| *errno != Errno::AGAIN) {
            self.lost.reason = Some(errno);
            self.lose_gathered();
        }
    }

    fn lose_gathered(&mut self) {
        self.lines.split_inclusive(|&byte| byte == b'\n').for_each(|line| self.lost.add(line));
        self.lines.clear();
        if let Some(sink) = &mut self.sink {
            sink.break_off();
        }
    }
}

/// Ends a colour (ECMA-48, Select Graphic Rendition).
const PLAIN: &[u8] = b"\x1b[0m";

/// What catches the eye: red is the server's fault, yellow the client's, cyan what leads elsewhere.
fn colour(status: Status) -> Option<&'static [u8]> {
    match status.code() {
        500.. => Some(b"\x1b[31m"),
        400..500 => Some(b"\x1b[33m"),
        300..400 => Some(b"\x1b[36m"),
        _ => None,
    }
}

/// Lines that were lost, as a text: from when to when, and why.
#[derive(Debug, Default)]
pub struct Lost {
    pub count: u64,
    /// When the responses of the first and the last of them were queued, as the log has it.
    times: Option<[Time; 2]>,
    /// `None`: the reader is too slow.
    reason: Option<Errno>,
}

/// Such as `06/Nov/1994:08:49:37`.
type Time = [u8; 20];

impl Lost {
    fn add(&mut self, line: &[u8]) {
        self.count += 1;
        let time = line.split(|&byte| byte == b'[').nth(1).and_then(|rest| rest.first_chunk::<20>().copied());
        if let Some(time) = time {
            let [first, _] = self.times.unwrap_or([time; 2]);
            self.times = Some([first, time]);
        }
    }
}

impl Display for Lost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some([first, last]) = &self.times {
            let [first, last] = [first, last].map(|time| String::from_utf8_lossy(time));
            write!(formatter, "from {first} to {last}, ")?;
        }
        match self.reason {
            Some(errno) => errno.fmt(formatter),
            None => formatter.write_str("its reader is slow"),
        }
    }
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
        log.write(peer, &Ended { line: &line, content_bytes, queued_micros: 0, is_whole: true });
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
        for second in 0..20_000 {
            log_one(&mut log, &Now::at(0, second), b"GET /some/path HTTP/1.1", 1);
            log.write_gathered(0);
            assert!(log.lines.len() <= BUFFER_BYTES_MAX);
        }
        let lost = log.take_lost().expect("lines that were lost");
        assert_eq!(log.responses(), 20_000);
        let first_lost = Now::at(0, 20_000 - lost.count);
        let first_lost = String::from_utf8_lossy(&first_lost.log_time()[..20]).into_owned();
        let expected = format!("from {first_lost} to 01/Jan/1970:05:33:19, its reader is slow");
        assert_eq!(lost.to_string(), expected);
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
        assert_eq!(text.lines().count() as u64, 20_000 - lost.count);
        Ok(())
    }

    #[test]
    fn a_file_gets_every_line_of_a_turn_however_many_there_are() -> io::Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        let mut log = AccessLog::to(file.as_file().as_fd())?;
        let now = Now::at(0, 0);
        let long = [b"GET /".as_slice(), &[0xff; 8000], b" HTTP/1.1"].concat();
        for _ in 0..100 {
            log_one(&mut log, &now, &long, 0);
            log_one(&mut log, &now, b"GET /short HTTP/1.1", 1);
            assert!(log.lines.len() <= BUFFER_BYTES_MAX);
        }
        log.flush();
        assert!(log.take_lost().is_none());
        let text = std::fs::read_to_string(file.path())?;
        assert_eq!(text.lines().count(), 200);
        assert_eq!(text.lines().filter(|line| line.ends_with("\"GET /short HTTP/1.1\" 200 1")).count(), 100);
        Ok(())
    }

    #[test]
    fn a_line_that_was_lost_amid_leaves_the_next_one_whole() -> io::Result<()> {
        let (mut reader, writer) = std::io::pipe()?;
        let mut log = AccessLog::to(writer.as_fd())?;
        let now = Now::at(0, 0);
        let long = [b"GET /".as_slice(), &[b'x'; 16_000], b" HTTP/1.1"].concat();
        for _ in 0..10 {
            log_one(&mut log, &now, &long, 0);
        }
        let gathered = log.lines.len();
        log.write_gathered(0);
        let written = gathered - log.lines.len();
        assert!(!log.is_empty(), "a pipe has less room");
        log.lose_gathered();
        reader.read_exact(&mut vec![0; written])?;
        log_one(&mut log, &now, b"GET /next HTTP/1.1", 2);
        log.flush();
        drop((log, writer));
        let mut text = String::new();
        reader.read_to_string(&mut text)?;
        assert_eq!(text, "\n::1 - - [01/Jan/1970:00:00:00 +0000] \"GET /next HTTP/1.1\" 200 2\n");
        Ok(())
    }

    #[test]
    fn a_disk_that_is_full_loses_lines_and_says_which() -> io::Result<()> {
        let full = std::fs::File::options().write(true).open("/dev/full")?;
        let mut log = AccessLog::to(full.as_fd())?;
        for second in 0..3 {
            log_one(&mut log, &Now::at(0, second), b"GET / HTTP/1.1", 1);
        }
        log.write_gathered(0);
        assert!(log.is_empty(), "nothing to wake up for");
        let told = "from 01/Jan/1970:00:00:00 to 01/Jan/1970:00:00:02, No space left on device (os error 28)";
        assert_eq!(log.take_lost().map(|lost| (lost.count, lost.to_string())), Some((3, told.to_owned())));
        Ok(())
    }
}
