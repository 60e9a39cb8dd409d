//! The log of a program: a line for each thing that is told, on standard error.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use log::{LevelFilter, Log, Metadata, Record};

use super::stderr::Stderr;

/// The crate whose lines are told as far as was asked for.
const OURS: &str = env!("CARGO_PKG_NAME");
/// What libraries tell beyond that is about themselves.
const LIBRARIES_MAX: LevelFilter = LevelFilter::Info;

/// Writes lines such as `  0.000521 INFO  limits: 20000 open files`.
struct Logger<T> {
    level: LevelFilter,
    /// How long the program has run.
    uptime: T,
    stderr: Mutex<Stderr>,
}

/// Tells from now on what is of `level` or graver. The first to ask in a program is the one who decides.
pub fn start(level: LevelFilter, uptime: impl Fn() -> Duration + Send + Sync + 'static) {
    let logger = Logger { level, uptime, stderr: Mutex::new(Stderr::open()) };
    if log::set_boxed_logger(Box::new(logger)).is_ok() {
        log::set_max_level(level);
    }
}

impl<T: Fn() -> Duration + Send + Sync> Log for Logger<T> {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.level() <= level_of(metadata.target(), self.level)
    }

    fn log(&self, record: &Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let (since, level) = ((self.uptime)(), record.level());
        let (secs, micros) = (since.as_secs(), since.subsec_micros());
        let line = format!("{secs:3}.{micros:06} {level:<5} {}\n", record.args());
        self.stderr.lock().unwrap_or_else(PoisonError::into_inner).tell(&line);
    }

    fn flush(&self) {}
}

/// Up to which level lines of `target`, the path of a module, are told.
fn level_of(target: &str, level: LevelFilter) -> LevelFilter {
    let is_ours = target.strip_prefix(OURS).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    if is_ours { level } else { level.min(LIBRARIES_MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_tell_no_more_than_what_concerns_others() {
        use LevelFilter::{Info, Trace, Warn};
        for (target, level, expected) in [
            ("pws", Trace, Trace),
            ("pws::process", Trace, Trace),
            ("pws::process", Warn, Warn),
            ("pwsx", Trace, Info),
            ("mio::poll", Trace, Info),
            ("mio::poll", Warn, Warn),
        ] {
            assert_eq!(level_of(target, level), expected, "{target}");
        }
    }
}
