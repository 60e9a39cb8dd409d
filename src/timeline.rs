//! What the loop did, and when, as a timeline to look at: where it slept, whom it ran, what each connection
//! went through.
//!
//! The file is in the trace event format, as a JSON array, which Perfetto and the tracing page of Chromium
//! show (<https://perfetto.dev/docs/getting-started/other-formats>). The loop has a track, and so has each
//! place in the slab of connections: on it lie the connection, its phases, and in these what was done and
//! what was waited for. An array needs no end to be read, so a process that is killed leaves a timeline, too.
//!
//! It is written by the loop itself, so what is written is bounded: the first [`FILE_BYTES_MAX`] are kept.

use std::fmt::{self, Display, Write as _};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::limits::told_bytes;
use crate::sink::Sink;

/// What a file may have: some hundred thousand steps, and about what Perfetto shows at ease.
pub const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What is kept until it is written.
const BUFFER_BYTES_MAX: usize = 64 * 1024;
/// The last line, which needs none behind it.
const LAST_LINE: &str = "{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\",\"args\":{\"name\":\"pws\"}}\n]\n";

/// Nanoseconds since the start, of something that may be recorded; `None` where nothing is.
pub type Moment = Option<u64>;

/// Where something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Track {
    Loop,
    /// That of the connection with this key, and of those that had it before.
    Connection(usize),
}

/// What is shown.
#[derive(Clone, Copy)]
pub enum Name<'a> {
    /// Words of ours, without quotes.
    Is(&'static str),
    /// The connection with this key.
    Key(usize),
    /// Something that a client may have had a say in.
    Told(&'a dyn Display),
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Nothing,
    Events(u64),
    Bytes(usize),
    Words(&'static str),
}

/// The timeline of a server, kept or not.
#[derive(Debug, Default)]
pub struct Timeline(Option<Box<Recorder>>);

impl Timeline {
    /// One that keeps nothing.
    pub fn off() -> Timeline {
        Timeline(None)
    }

    /// One that is kept in the file at `path`, in place of what that held.
    pub fn create(path: &Path) -> io::Result<Timeline> {
        let mut options = File::options();
        // It tells who asked for what.
        options.write(true).create(true).truncate(true).mode(0o600);
        // What is no regular file must not wait for a reader.
        options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32);
        let file = options.open(path).and_then(Sink::of).map_err(|error| {
            let text = format!("cannot write the trace {}: {error} (try another file)", path.display());
            io::Error::new(error.kind(), text)
        })?;
        Ok(Timeline(Some(Box::new(Recorder::new(file)))))
    }

    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Something begins on `track`, and lasts until its [`end`](Timeline::end): within what began before.
    pub fn begin(&mut self, track: Track, at: Moment, name: Name) {
        if let (Some(recorder), Some(at)) = (&mut self.0, at) {
            recorder.event("B", (track, at), name, |_| {});
        }
    }

    /// What began last on `track` ends.
    pub fn end(&mut self, track: Track, at: Moment) {
        if let (Some(recorder), Some(at)) = (&mut self.0, at) {
            recorder.event("E", (track, at), Name::Is(""), |_| {});
        }
    }

    /// Something has happened on `track` that took no time.
    pub fn point(&mut self, track: Track, at: Moment, name: Name) {
        if let (Some(recorder), Some(at)) = (&mut self.0, at) {
            recorder.event("i", (track, at), name, |text| text.extend_from_slice(b",\"s\":\"t\""));
        }
    }

    /// A step that began and has ended on `track`, and what came of it.
    pub fn step(&mut self, track: Track, (from, to): (Moment, Moment), name: Name, outcome: Outcome) {
        if let (Some(recorder), Some(from), Some(to)) = (&mut self.0, from, to) {
            recorder.event("X", (track, from), name, |text| {
                text.extend_from_slice(b",\"dur\":");
                push_micros(text, to.saturating_sub(from));
                push_outcome(text, outcome);
            });
            recorder.latest = recorder.latest.max(to);
        }
    }

    /// A part of the loop's round, which began where the one before it ended.
    pub fn lap(&mut self, to: u64, name: &'static str, outcome: Outcome) {
        let from = self.0.as_mut().map(|recorder| std::mem::replace(&mut recorder.lap_end, to));
        self.step(Track::Loop, (from, Some(to)), Name::Is(name), outcome);
    }

    /// The latest moment that was recorded.
    pub fn latest(&self) -> Moment {
        self.0.as_ref().map(|recorder| recorder.latest)
    }

    /// Writes what has gathered. If that cannot be, or no more is to be kept, it ends.
    pub fn flush(&mut self) {
        let Some(recorder) = &mut self.0 else { return };
        recorder.write();
        match recorder.refused {
            Some(errno) => log::warn!("the trace ends here, it cannot be written: {errno}"),
            None if recorder.bytes_left == 0 => {
                recorder.file.write(LAST_LINE.as_bytes(), 0);
                log::warn!("the trace ends here: it has {} of steps", told_bytes(FILE_BYTES_MAX as u64));
            }
            None => return,
        }
        self.0 = None;
    }

    /// Completes the file.
    pub fn finish(&mut self) {
        if let Some(recorder) = &mut self.0 {
            recorder.text.extend_from_slice(LAST_LINE.as_bytes());
        }
        self.flush();
        self.0 = None;
    }
}

#[derive(Debug)]
struct Recorder {
    file: Sink<File>,
    text: Vec<u8>,
    bytes_left: usize,
    /// How many tracks of connections have been given a name.
    named: usize,
    latest: u64,
    lap_end: u64,
    /// Why no more is written.
    refused: Option<Errno>,
}

impl Recorder {
    fn new(file: Sink<File>) -> Recorder {
        let text = Vec::with_capacity(2 * BUFFER_BYTES_MAX);
        let mut recorder = Recorder {
            file,
            text,
            bytes_left: FILE_BYTES_MAX,
            named: 0,
            latest: 0,
            lap_end: 0,
            refused: None,
        };
        recorder.text.extend_from_slice(b"[\n");
        recorder.name(0, "the loop");
        recorder
    }

    /// Adds an event; `put_more` appends further members, each with a comma in front.
    fn event(
        &mut self,
        kind: &str,
        (track, at): (Track, u64),
        name: Name,
        put_more: impl FnOnce(&mut Vec<u8>),
    ) {
        if self.is_over() {
            return;
        }
        self.latest = self.latest.max(at);
        let id = match track {
            Track::Loop => 0,
            Track::Connection(key) => key + 1,
        };
        while self.named < id {
            self.named += 1;
            self.name(self.named, &format!("connection #{}", self.named - 1));
        }
        let text = &mut self.text;
        ["{\"ph\":\"", kind, "\",\"pid\":1,\"tid\":"]
            .iter()
            .for_each(|part| text.extend_from_slice(part.as_bytes()));
        push_decimal(text, id as u64, 1);
        text.extend_from_slice(b",\"ts\":");
        push_micros(text, at);
        text.extend_from_slice(b",\"name\":\"");
        match name {
            Name::Is(name) => text.extend_from_slice(name.as_bytes()),
            Name::Key(key) => {
                text.push(b'#');
                push_decimal(text, key as u64, 1);
            }
            // Cannot fail: writing to memory.
            Name::Told(told) => drop(write!(Escaping(text), "{told}")),
        }
        text.push(b'"');
        put_more(text);
        text.extend_from_slice(b"},\n");
        if self.text.len() >= BUFFER_BYTES_MAX {
            self.write();
        }
    }

    /// Nothing more will be written.
    fn is_over(&self) -> bool {
        self.bytes_left == 0 || self.refused.is_some()
    }

    fn name(&mut self, id: usize, name: &str) {
        let head = format!("\"ph\":\"M\",\"pid\":1,\"tid\":{id}");
        let _ = writeln!(self.text, "{{{head},\"name\":\"thread_name\",\"args\":{{\"name\":\"{name}\"}}}},");
    }

    fn write(&mut self) {
        if self.is_over() {
            return;
        }
        let mut text = &self.text[..];
        if text.len() > self.bytes_left {
            // Whole lines, so that all of it can be read.
            let end = text[..self.bytes_left].iter().rposition(|byte| *byte == b'\n');
            text = &text[..end.map_or(0, |at| at + 1)];
            self.bytes_left = text.len();
        }
        let (written, refused) = self.file.write(text, 0);
        self.bytes_left -= written;
        self.refused = refused;
        self.text.clear();
    }
}

/// Appends nanoseconds as microseconds, as the format has them.
fn push_micros(text: &mut Vec<u8>, nanos: u64) {
    push_decimal(text, nanos / 1000, 1);
    text.push(b'.');
    push_decimal(text, nanos % 1000, 3);
}

/// Appends a number of at least so many digits: a third of what all of this costs if a formatter did it.
fn push_decimal(text: &mut Vec<u8>, number: u64, digits_min: usize) {
    let (mut digits, mut at, mut rest) = ([b'0'; 20], 20, number);
    while rest > 0 {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    text.extend_from_slice(&digits[at.min(20 - digits_min)..]);
}

fn push_outcome(text: &mut Vec<u8>, outcome: Outcome) {
    let mut push_count = |name: &str, count: u64| {
        [",\"args\":{\"", name, "\":"].iter().for_each(|part| text.extend_from_slice(part.as_bytes()));
        push_decimal(text, count, 1);
        text.push(b'}');
    };
    match outcome {
        Outcome::Nothing => {}
        Outcome::Events(count) => push_count("events", count),
        Outcome::Bytes(count) => push_count("bytes", count as u64),
        Outcome::Words(words) => {
            [",\"args\":{\"outcome\":\"", words, "\"}"]
                .iter()
                .for_each(|part| text.extend_from_slice(part.as_bytes()));
        }
    }
}

/// A text as it stands in a JSON string (RFC 8259 §7).
struct Escaping<'a>(&'a mut Vec<u8>);

impl fmt::Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            match byte {
                b'"' | b'\\' => self.0.extend_from_slice(&[b'\\', byte]),
                // Cannot fail: writing to memory.
                0..b' ' => drop(write!(self.0, "\\u{byte:04x}")),
                _ => self.0.push(byte),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_whole() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let mut timeline = Timeline::create(file.path()).expect("a timeline");
        for at in 0.. {
            timeline.point(Track::Connection(7), Some(at), Name::Told(&"\"\\\n\u{e9}"));
            timeline.flush();
            if let Some(recorder) = &mut timeline.0 {
                recorder.bytes_left = recorder.bytes_left.min(10_000);
            } else {
                break;
            }
        }
        timeline.point(Track::Loop, Some(0), Name::Is("too late"));
        let text = std::fs::read_to_string(file.path()).expect("UTF-8");
        assert!((9_000..11_000).contains(&text.len()), "{}", text.len());
        let events: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
        let last = &events[events.len() - 2];
        assert_eq!((&last["tid"], &last["name"]), (&8.into(), &"\"\\\n\u{e9}".into()));
        assert_eq!(events[1]["args"]["name"], "connection #0", "each track has its name");
    }

    #[test]
    fn numbers_have_their_digits() {
        for (nanos, told) in
            [(0, "0.000"), (7, "0.007"), (1_234_560, "1234.560"), (u64::MAX, "18446744073709551.615")]
        {
            let mut text = Vec::new();
            push_micros(&mut text, nanos);
            assert_eq!(String::from_utf8_lossy(&text), told);
        }
    }
}
