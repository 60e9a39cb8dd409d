//! The time, taken once per turn of the loop and handed down as a value.
//!
//! Nothing else in the crate reads a clock: how long a turn has taken is told by a [`Stopwatch`], which is
//! handed down as well. Deadlines count in ticks of one second since the start, from the monotonic clock, so
//! a stepped wall clock neither cuts nor keeps a connection. `Date` and the access log show the wall clock,
//! which is read again whenever the tick changes: at most a second behind, never ahead.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::date::{self, HTTP_DATE_LEN};

/// Length of a common-log-format time such as `06/Nov/1994:08:49:37 +0000`.
const LOG_TIME_LEN: usize = 26;

/// Seconds since the server started, rounded down.
pub type Tick = u32;

/// Nanoseconds since the turn under way began, at the moment of the call. Not the time, of which there is one
/// in a turn, but how long things take.
pub type Stopwatch<'a> = &'a dyn Fn() -> u64;

/// One reading of the time, good for one turn.
#[derive(Clone, Debug)]
pub struct Now {
    pub tick: Tick,
    /// Milliseconds since the server started, rounded down.
    pub elapsed_millis: u64,
    /// The same in microseconds.
    pub elapsed_micros: u64,
    /// Seconds since 1970 by the wall clock.
    pub unix_secs: u64,
    /// With a line end behind it.
    http_date_line: [u8; HTTP_DATE_LEN + 2],
    log_time: [u8; LOG_TIME_LEN],
}

impl Now {
    /// The first moment of `tick`.
    pub fn at(tick: Tick, unix_secs: u64) -> Now {
        let http_date = date::format(i64::try_from(unix_secs).unwrap_or(i64::MAX));
        let log_time = log_time(&http_date);
        let mut http_date_line = *b"Sun, 06 Nov 1994 08:49:37 GMT\r\n";
        http_date_line[..HTTP_DATE_LEN].copy_from_slice(&http_date);
        let (elapsed_millis, elapsed_micros) = (u64::from(tick) * 1000, u64::from(tick) * 1_000_000);
        Now { tick, elapsed_millis, elapsed_micros, unix_secs, http_date_line, log_time }
    }

    /// The value of `Date`, and the end of its line.
    pub fn http_date_line(&self) -> &[u8] {
        &self.http_date_line
    }

    /// Milliseconds from now to the start of `tick`; none if that has come.
    pub fn millis_until(&self, tick: Tick) -> u64 {
        (u64::from(tick) * 1000).saturating_sub(self.elapsed_millis)
    }

    /// The time as the common log format has it, without brackets, in UTC.
    pub fn log_time(&self) -> &[u8] {
        &self.log_time
    }
}

/// Rearranges an IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT` → `06/Nov/1994:08:49:37 +0000`.
fn log_time(date: &[u8; HTTP_DATE_LEN]) -> [u8; LOG_TIME_LEN] {
    let mut time = *b"DD/Mon/YYYY:hh:mm:ss +0000";
    time[..2].copy_from_slice(&date[5..7]);
    time[3..6].copy_from_slice(&date[8..11]);
    time[7..11].copy_from_slice(&date[12..16]);
    time[12..20].copy_from_slice(&date[17..25]);
    time
}

/// The one clock of a server.
#[derive(Debug)]
pub struct Clock {
    started: Instant,
    /// When the time was last taken.
    read: Instant,
    now: Now,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn start() -> Clock {
        let started = Instant::now();
        Clock { started, read: started, now: Now::at(0, wall_clock_secs()) }
    }

    /// Takes the time of this turn.
    pub fn read(&mut self) -> &Now {
        let elapsed = self.started.elapsed();
        let tick = elapsed.as_secs() as Tick;
        if tick != self.now.tick {
            self.now = Now::at(tick, wall_clock_secs());
        }
        self.now.elapsed_micros = elapsed.as_micros() as u64;
        // The stopwatch goes on from just there: the two together never go back from turn to turn.
        self.read = self.started + Duration::from_micros(self.now.elapsed_micros);
        self.now.elapsed_millis = self.now.elapsed_micros / 1000;
        &self.now
    }

    /// The time last taken.
    pub fn now(&self) -> &Now {
        &self.now
    }

    /// Tells how long it is since the time was last taken.
    pub fn stopwatch(&self) -> impl Fn() -> u64 + use<> {
        let read = self.read;
        move || read.elapsed().as_nanos() as u64
    }
}

/// Tells how long it is since this was called: for lines of the log, which stand between two readings of the
/// time.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn uptime() -> impl Fn() -> Duration {
    let started = Instant::now();
    move || started.elapsed()
}

/// A clock set before 1970 counts as 1970.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn wall_clock_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_the_two_forms() {
        let now = Now::at(0, 784_111_777);
        assert_eq!(now.http_date_line(), b"Sun, 06 Nov 1994 08:49:37 GMT\r\n");
        assert_eq!(now.log_time(), b"06/Nov/1994:08:49:37 +0000");
    }

    #[test]
    fn a_clock_past_the_year_9999_shows_its_end() {
        assert_eq!(Now::at(0, u64::MAX).http_date_line(), b"Fri, 31 Dec 9999 23:59:59 GMT\r\n");
    }
}
