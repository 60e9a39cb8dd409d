//! Standard error for the log of a program, which nobody has to read.

use std::io::{self, Write};
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

    /// Writes the last line, for which the reader gets a moment.
    pub fn tell_last(mut self, line: &str) {
        self.put(line.as_bytes(), sink::MOMENT_WAITS);
    }

    /// Whether all of it was taken.
    fn put(&mut self, line: &[u8], waits: usize) -> bool {
        let Some(sink) = &mut self.sink else { return false };
        let (_, refused) = sink.write(line, waits);
        sink.break_off();
        refused.is_none()
    }
}

impl Write for Stderr {
    /// Takes all of `line`, whatever becomes of it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.lost > 0 {
            // At the time of the line behind it.
            let is_of_time = |byte: &&u8| matches!(byte, b' ' | b'.' | b'0'..=b'9');
            let time = &line[..line.iter().take_while(is_of_time).count()];
            let time = String::from_utf8_lossy(time);
            let told = format!("{time}WARN  lines lost here since nobody read them: {}\n", self.lost);
            if self.put(told.as_bytes(), 0) {
                self.lost = 0;
            }
        }
        if self.lost > 0 || !self.put(line, 0) {
            self.lost += 1;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
