//! Standard error for the log of a program, which nobody has to read.

use std::io;
use std::os::fd::AsFd;

use crate::sink::{self, Sink};

/// Standard error, written to a line at a time. What it does not take at once is lost and counted; the next
/// line that it takes says how many were.
///
/// For programs that are the server: a pipe or terminal is opened anew under the same number, so that nothing
/// this process writes to it waits.
#[derive(Debug)]
pub struct Stderr {
    /// `None`: there is none.
    sink: Option<Sink<io::Stderr>>,
    lost: u64,
}

impl Stderr {
    pub fn open() -> Stderr {
        if let Some(opened) = sink::open_anew(io::stderr().as_fd()) {
            // Otherwise it is asked for room before each write.
            let _ = rustix::stdio::dup2_stderr(opened);
        }
        Stderr { sink: Sink::of(io::stderr()).ok(), lost: 0 }
    }

    /// Writes a line, with its end; whatever becomes of it, nobody waits.
    pub fn tell(&mut self, line: &str) {
        if self.lost > 0 {
            // At the time of the line behind it.
            let behind_time =
                line.trim_start_matches(|char: char| char.is_ascii_digit() || " .".contains(char));
            let time = &line[..line.len() - behind_time.len()];
            let told = format!("{time}WARN  lines lost here since nobody read them: {}\n", self.lost);
            if self.put(&told, 0) {
                self.lost = 0;
            }
        }
        if self.lost > 0 || !self.put(line, 0) {
            self.lost += 1;
        }
    }

    /// Writes the last line, for which the reader gets a moment.
    pub fn tell_last(mut self, line: &str) {
        self.put(line, sink::MOMENT_WAITS);
    }

    /// Whether all of it was taken.
    fn put(&mut self, line: &str, waits: usize) -> bool {
        let Some(sink) = &mut self.sink else { return false };
        let (_, refused) = sink.write(line.as_bytes(), waits);
        sink.break_off();
        refused.is_none()
    }
}
