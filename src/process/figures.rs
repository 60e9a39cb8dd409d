//! What the kernel counts of this process and of the sockets that it listens on.
//!
//! The files are opened at the start, before the sandbox closes around the process, and read again each time.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// Hundredths of a second: what `/proc` counts times in, on all machines that pws runs on (proc(5), USER_HZ).
const MILLIS_PER_CLOCK_TICK: u64 = 10;
const PAGE_BYTES: u64 = 4096;

/// The files that tell.
#[derive(Debug, Default)]
pub struct FigureFiles {
    stat: Option<File>,
    statm: Option<File>,
    netstat: Option<File>,
}

/// What was told; 0 where nothing was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Time that the processor spent on this process, in its own code and in the kernel.
    pub user_millis: u64,
    pub kernel_millis: u64,
    pub resident_bytes: u64,
    /// Connections that came when a queue of those to be accepted was full, of all processes.
    pub listen_overflows: u64,
}

impl FigureFiles {
    /// Those that are there: without `/proc`, nothing is told.
    pub fn open() -> FigureFiles {
        let open = |path| File::open(path).ok();
        FigureFiles {
            stat: open("/proc/self/stat"),
            statm: open("/proc/self/statm"),
            netstat: open("/proc/self/net/netstat"),
        }
    }

    pub fn read(&self) -> Figures {
        let [stat, statm, netstat] = [&self.stat, &self.statm, &self.netstat].map(text_of);
        let [user, kernel] = times_in(&stat).unwrap_or_default();
        Figures {
            user_millis: user * MILLIS_PER_CLOCK_TICK,
            kernel_millis: kernel * MILLIS_PER_CLOCK_TICK,
            resident_bytes: number(statm.split_whitespace().nth(1)).unwrap_or(0) * PAGE_BYTES,
            listen_overflows: overflows_in(&netstat).unwrap_or(0),
        }
    }
}

/// How much of its address space this process takes, if that can be told.
pub fn address_space_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    number(statm.split_whitespace().next()).map(|pages| pages * PAGE_BYTES)
}

fn text_of(file: &Option<File>) -> String {
    let mut text = [0; 8192];
    let count = file.as_ref().and_then(|file| file.read_at(&mut text, 0).ok()).unwrap_or(0);
    String::from_utf8_lossy(&text[..count]).into_owned()
}

fn number(word: Option<&str>) -> Option<u64> {
    word?.parse().ok()
}

/// Of `stat`: the name of the program may have anything in it, up to the last parenthesis.
fn times_in(stat: &str) -> Option<[u64; 2]> {
    let mut words = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some([number(words.next())?, number(words.next())?])
}

/// Of `netstat`: a line with names, and one with their values below it.
fn overflows_in(netstat: &str) -> Option<u64> {
    let mut lines = netstat.lines().filter_map(|line| line.strip_prefix("TcpExt:"));
    let (names, values) = (lines.next()?, lines.next()?);
    let place = names.split_whitespace().position(|name| name == "ListenOverflows")?;
    number(values.split_whitespace().nth(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_tells_is_understood() {
        let stat = "7 (p) w) s) S 1 7 7 0 -1 4194560 100 0 0 0 123 45 0 0 20 0 1 0 5 6 7";
        assert_eq!(times_in(stat), Some([123, 45]));
        let netstat =
            "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 1 22 3\nIpExt: A\nIpExt: 5\n";
        assert_eq!(overflows_in(netstat), Some(22));
        assert_eq!((times_in(""), overflows_in("TcpExt: A\nTcpExt: 1\n")), (None, None));
        let figures = FigureFiles::open().read();
        assert!(figures.resident_bytes > 100_000, "{figures:?}");
        assert_eq!(FigureFiles::default().read(), Figures::default(), "where nothing is told");
    }
}
