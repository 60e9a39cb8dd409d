//! What the kernel tells of a server under attack: of whichever kind, in however many processes.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

/// A server to attack.
#[derive(Clone, Debug)]
pub struct Server {
    pub address: SocketAddr,
    /// All its processes.
    pub pids: Vec<u32>,
}

/// What it holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Held {
    pub descriptors: u64,
    /// Memory of its own and of the files it has mapped, in bytes.
    pub resident_bytes: u64,
    /// What all sockets of the machine hold of what was sent and not yet read, in bytes: those of the attackers
    /// too.
    pub socket_bytes: u64,
    /// Connections of the machine that nobody has open any more, and that the kernel still wants to bring to
    /// their end.
    pub orphans: u64,
}

impl Held {
    /// The most of each.
    pub fn max(self, other: Held) -> Held {
        Held {
            descriptors: self.descriptors.max(other.descriptors),
            resident_bytes: self.resident_bytes.max(other.resident_bytes),
            socket_bytes: self.socket_bytes.max(other.socket_bytes),
            orphans: self.orphans.max(other.orphans),
        }
    }
}

impl Server {
    pub fn held(&self) -> Held {
        let sockets = fs::read_to_string("/proc/net/sockstat").unwrap_or_default();
        let tcp = sockets.lines().find(|line| line.starts_with("TCP:")).unwrap_or_default();
        let of_tcp = |label: &str| number_behind(tcp, label);
        Held {
            descriptors: self.pids.iter().map(|&pid| descriptors(pid)).sum(),
            resident_bytes: self.pids.iter().map(|&pid| resident_bytes(pid)).sum(),
            socket_bytes: of_tcp(" mem ") * rustix::param::page_size() as u64,
            orphans: of_tcp(" orphan "),
        }
    }

    /// Of its connections, those that no process holds any more and whose last bytes nobody has taken: in
    /// FIN-WAIT-1, and without an inode.
    pub fn closing(&self) -> usize {
        // A number, local address and port, the remote ones and the state, all in hexadecimal (proc(5)).
        let port = format!(":{:04X}", self.address.port());
        let is_closing = |line: &&str| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let column = |index| columns.get(index).copied().unwrap_or_default();
            column(1).ends_with(&port) && column(3) == "04" && column(9) == "0"
        };
        let tables =
            ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
        tables.iter().map(|table| table.lines().filter(is_closing).count()).sum()
    }

    /// User and system time taken so far, in steps of a tick of the kernel's (1 to 10 ms).
    pub fn processor_time(&self) -> Duration {
        let nanos = |pid| -> Option<u64> {
            let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
            text.split(' ').next()?.parse().ok()
        };
        Duration::from_nanos(self.pids.iter().filter_map(|pid| nanos(*pid)).sum())
    }

    pub fn is_alive(&self) -> bool {
        self.pids.iter().all(|pid| resident_bytes(*pid) > 0)
    }
}

fn descriptors(pid: u32) -> u64 {
    let path = format!("/proc/{pid}/fd");
    // The size tells it since Linux 6.2: counting thousands takes the processor from those who are measured.
    match fs::metadata(&path).map_or(0, |metadata| metadata.len()) {
        0 => fs::read_dir(&path).map_or(0, |entries| entries.count() as u64),
        count => count,
    }
}

/// Nothing of a process that has ended.
fn resident_bytes(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    number_behind(line, "VmRSS:") * 1024
}

fn number_behind(line: &str, label: &str) -> u64 {
    let number = line.split_once(label).and_then(|(_, behind)| behind.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
