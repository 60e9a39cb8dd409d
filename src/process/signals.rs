//! Signals as this process found them, and the terminal that it was started on.

use std::fs::File;
use std::io::{IsTerminal, stderr, stdin, stdout};

/// Which signals were ignored when this was asked, before any handler was set: a bit each, the first for
/// signal 1.
///
/// Whoever starts a process says so by that: `nohup` of SIGHUP, a shell of SIGINT for what runs in the
/// background. Where /proc is not mounted, none.
#[derive(Clone, Copy, Debug)]
pub struct Ignored(u64);

impl Ignored {
    pub fn now() -> Ignored {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        Ignored(ignored_in(&status).unwrap_or_default())
    }

    pub fn contains(self, signal: i32) -> bool {
        self.0 >> (signal - 1) & 1 == 1
    }
}

/// `SigIgn` (proc_pid_status(5)), in hexadecimal digits.
fn ignored_in(status: &str) -> Option<u64> {
    let digits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(digits.trim(), 16).ok()
}

/// The terminal that this process was started on, if it was.
#[derive(Debug)]
pub struct Terminal {
    standard: [bool; 3],
    /// The controlling one, where no standard stream leads to a terminal.
    controlling: Option<File>,
}

impl Terminal {
    pub fn find() -> Terminal {
        let standard = standard_streams();
        let controlling = if standard.contains(&true) { None } else { File::open("/dev/tty").ok() };
        Terminal { standard, controlling }
    }

    /// Whether it was there and has been closed since: what leads to it is no terminal any more (EIO).
    pub fn is_gone(&self) -> bool {
        self.standard != standard_streams() || self.controlling.as_ref().is_some_and(|it| !it.is_terminal())
    }
}

/// Which of standard input, output and error lead to a terminal.
fn standard_streams() -> [bool; 3] {
    [stdin().is_terminal(), stdout().is_terminal(), stderr().is_terminal()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_told_by_bits() {
        let status = "Name:\tpws\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001003\nSigCgt:\t0\n";
        let ignored = Ignored(ignored_in(status).expect("a mask"));
        let signals: Vec<i32> = (1..=64).filter(|signal| ignored.contains(*signal)).collect();
        assert_eq!(signals, [1, 2, 13]);
        assert_eq!(ignored_in("SigIgn:\tmany\n"), None);
        assert_eq!(ignored_in(""), None);
    }
}
