//! Clients that are no good company: they break off, read slowly, talk nonsense or say nothing.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use pws_testing::answer::Answer;
use pws_testing::client::{Client, request};
use pws_testing::rng::Rng;
use socket2::SockRef;

use super::checked::differs_at;
use super::files::Fixed;
use super::tally::Kind;
use super::{Result, Shared};

/// Bounds on how fast connections are made: ports that were used are free again after a minute.
const PAUSE: Duration = Duration::from_millis(8);

const SLOW_BYTES: usize = 10 * 1024;
/// The kernel takes so little ahead for a slow reader: what is not read stays with the server.
const RECEIVE_BUFFER_BYTES: usize = 16 * 1024;
const SLOW_PERIOD: Duration = Duration::from_secs(1);
/// How long a read may take,
const PATIENCE: Duration = Duration::from_secs(10);
/// and how long an answer may stand still.
const STALL_MAX: Duration = Duration::from_secs(30);

/// The server's bounds, in seconds: how long a head may take, and how long nothing may be asked.
const HEAD_SECS: u64 = 10;
const IDLE_SECS: u64 = 75;
/// The server may be late, never early.
const LATE_SECS: u64 = 60;

/// Breaks off in the middle of answers, by a reset.
pub fn abort(shared: &Shared, seed: u64) {
    let mut rng = Rng::new(seed);
    while !shared.is_over() {
        thread::sleep(PAUSE);
        let file = if rng.one_in(2) { &shared.files.big } else { &shared.files.fixed[2 + rng.below(2)] };
        match abort_once(shared, file, &mut rng) {
            Ok(bytes) => shared.tally.right(Kind::Abort, 1, bytes),
            Err(error) => shared.wrong(Kind::Abort, &*error),
        }
        shared.tally.left(Kind::Abort);
    }
}

fn abort_once(shared: &Shared, file: &Fixed, rng: &mut Rng) -> Result<u64> {
    let mut reading = Reading::start(TcpStream::connect(shared.address)?, file)?;
    reading.stream.set_read_timeout(Some(PATIENCE))?;
    let enough = rng.below(200_000);
    while reading.received < enough && !reading.is_done() {
        reading.read(64 * 1024)?;
    }
    SockRef::from(&reading.stream).set_linger(Some(Duration::ZERO))?;
    Ok(reading.received as u64)
}

/// A file on its way, compared as it comes.
struct Reading<'a> {
    stream: TcpStream,
    file: &'a Fixed,
    /// Until it is whole; then empty.
    head: Vec<u8>,
    has_head: bool,
    received: usize,
    /// When something of the file came last.
    since: Instant,
}

impl Reading<'_> {
    fn start(mut stream: TcpStream, file: &Fixed) -> Result<Reading<'_>> {
        stream.write_all(request("GET", &file.target, "").as_bytes())?;
        Ok(Reading { stream, file, head: Vec::new(), has_head: false, received: 0, since: Instant::now() })
    }

    fn is_done(&self) -> bool {
        self.received == self.file.content.len()
    }

    /// Reads once; returns how much of the file came.
    fn read(&mut self, count_max: usize) -> Result<usize> {
        let mut buffer = [0; 64 * 1024];
        let count = match self.stream.read(&mut buffer[..count_max]) {
            Ok(0) => return Err(format!("{} was cut at {}", self.file.target, self.received).into()),
            Ok(count) => count,
            Err(error) if is_for_later(&error) && self.since.elapsed() < STALL_MAX => return Ok(0),
            Err(error) => return Err(format!("{} at {}: {error}", self.file.target, self.received).into()),
        };
        let mut piece = &buffer[..count];
        if !self.has_head {
            let before = self.head.len();
            self.head.extend_from_slice(piece);
            let Some((answer, len)) = Answer::parse(&self.head, true, false)? else { return Ok(0) };
            if answer.status != 200 {
                return Err(format!("{}: {answer:?}", self.file.target).into());
            }
            piece = &piece[len - before..];
            (self.has_head, self.head) = (true, Vec::new());
        }
        let rest = &self.file.content[self.received..];
        if let Some(at) = differs_at(piece, &rest[..piece.len().min(rest.len())]) {
            return Err(format!("{} is wrong from byte {} on", self.file.target, self.received + at).into());
        }
        self.received += piece.len();
        self.since = Instant::now();
        Ok(piece.len())
    }
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// Reads some files at once, all of them slowly; most to their end, some until it is over.
pub fn read_slowly(shared: &Shared, seed: u64, readers: usize) {
    let mut rng = Rng::new(seed);
    let pause = SLOW_PERIOD / u32::try_from(readers.max(1)).unwrap_or(u32::MAX);
    let mut readings: Vec<Option<Reading>> = (0..readers).map(|_| None).collect();
    for index in (0..readers).cycle() {
        thread::sleep(pause);
        if shared.is_over() {
            return;
        }
        let slot = &mut readings[index];
        match read_slowly_once(shared, slot, &mut rng) {
            Ok(bytes) => shared.tally.right(Kind::Slow, 0, bytes as u64),
            Err(error) => {
                *slot = None;
                shared.wrong(Kind::Slow, &*error);
            }
        }
    }
}

fn read_slowly_once<'a>(shared: &'a Shared, slot: &mut Option<Reading<'a>>, rng: &mut Rng) -> Result<usize> {
    let reading = match slot {
        Some(reading) => reading,
        None => {
            let file = if rng.one_in(2) { &shared.files.big } else { &shared.files.fixed[2] };
            let client = Client::try_connect_with_receive_buffer(shared.address, RECEIVE_BUFFER_BYTES)?;
            let reading = slot.insert(Reading::start(client.stream, file)?);
            reading.stream.set_nonblocking(true)?;
            reading
        }
    };
    let bytes = reading.read(SLOW_BYTES)?;
    if reading.is_done() {
        shared.tally.right(Kind::Slow, 1, 0);
        *slot = None;
    } else if rng.one_in(500) {
        shared.tally.left(Kind::Slow);
        *slot = None;
    }
    Ok(bytes)
}

/// What is no request, or none that can be served, and the status that says so. The connection ends with it.
fn nonsense() -> [(Vec<u8>, u16); 12] {
    let line = |line: &str| format!("{line}\r\nHost: a\r\n\r\n").into_bytes();
    let fields = |fields: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n").into_bytes();
    [
        (b"nonsense\r\n\r\n".to_vec(), 400),
        (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n".to_vec(), 400),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), 400),
        (line("GET  / HTTP/1.1"), 400),
        (line("GET / HTTP/2.0"), 505),
        (line("GE(T / HTTP/1.1"), 400),
        (line(&format!("GET /{} HTTP/1.1", "a".repeat(9000))), 414),
        (line(&format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(17_000))), 431),
        (fields("Content-Length: 5\r\nContent-Length: 6"), 400),
        (fields("Content-Length: 5\r\nTransfer-Encoding: chunked"), 400),
        (fields("Transfer-Encoding: gzip, chunked"), 501),
        ([fields("Transfer-Encoding: chunked"), b"x\r\n".to_vec()].concat(), 400),
    ]
}

pub fn talk_nonsense(shared: &Shared, seed: u64) {
    let mut rng = Rng::new(seed);
    let nonsense = nonsense();
    while !shared.is_over() {
        thread::sleep(PAUSE);
        let (bytes, status) = rng.pick(&nonsense);
        match talk_nonsense_once(shared, bytes, *status) {
            Ok(bytes) => {
                shared.tally.right(Kind::Malformed, 1, bytes);
                shared.tally.cut(Kind::Malformed);
            }
            Err(error) => {
                let said = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]);
                shared.wrong(Kind::Malformed, format!("{said:?}: {error}"));
            }
        }
    }
}

fn talk_nonsense_once(shared: &Shared, bytes: &[u8], status: u16) -> Result<u64> {
    let mut stream = TcpStream::connect(shared.address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(bytes)?;
    let mut said = Vec::new();
    // Returns once the server has closed its side.
    stream.read_to_end(&mut said)?;
    match Answer::parse(&said, false, true)? {
        Some((answer, len)) if len == said.len() && answer.status == status => {
            let is_farewell = answer.field("connection") == Some("close");
            let is_right = is_farewell && answer.field("content-length").is_some();
            is_right.then_some(answer.body.len() as u64).ok_or_else(|| format!("{answer:?}").into())
        }
        _ => {
            Err(format!("{status} was to come and the end, not {:?}", String::from_utf8_lossy(&said)).into())
        }
    }
}

/// How the answer to a request starts that has not come in time.
const TOO_LATE: &[u8] = b"HTTP/1.1 408 ";

/// A connection on which nothing is said, or half a head.
struct Silence {
    stream: TcpStream,
    since: Instant,
    is_half: bool,
    leaves_after_secs: u64,
}

/// Keeps some connections open, and looks which of them the server still has.
pub fn keep_silent(shared: &Shared, seed: u64, count: usize) {
    let mut rng = Rng::new(seed);
    let mut silences: Vec<Option<Silence>> = (0..count).map(|_| None).collect();
    while !shared.is_over() {
        for slot in &mut silences {
            if let Err(error) = keep_silent_once(shared, slot, &mut rng) {
                *slot = None;
                shared.wrong(Kind::Silent, &*error);
            }
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn keep_silent_once(shared: &Shared, slot: &mut Option<Silence>, rng: &mut Rng) -> Result<()> {
    let Some(silence) = slot else {
        let mut stream = TcpStream::connect(shared.address)?;
        stream.set_nonblocking(true)?;
        let is_half = rng.one_in(2);
        if is_half {
            stream.write_all(b"GET / HTTP/1.1\r\nHo")?;
        }
        let leaves_after_secs = rng.below(20) as u64;
        *slot = Some(Silence { stream, since: Instant::now(), is_half, leaves_after_secs });
        shared.tally.right(Kind::Silent, 1, 0);
        return Ok(());
    };
    let bound = if silence.is_half { HEAD_SECS } else { IDLE_SECS };
    let secs = silence.since.elapsed().as_secs();
    let farewell = if silence.is_half { TOO_LATE } else { b"" };
    let mut said = [0; 64];
    match silence.stream.read(&mut said) {
        // Half a head is told that it is too late, and nothing at all is told nothing.
        Ok(len) if secs >= bound && said[..len].starts_with(farewell) && (len > 0) == silence.is_half => {
            shared.tally.cut(Kind::Silent);
            *slot = None;
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            if secs > bound + LATE_SECS {
                return Err(format!("still open after {secs} s").into());
            }
            if secs >= silence.leaves_after_secs {
                shared.tally.left(Kind::Silent);
                *slot = None;
            }
        }
        end => return Err(format!("after {secs} s: {end:?}").into()),
    }
    Ok(())
}
