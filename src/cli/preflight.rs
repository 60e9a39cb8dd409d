//! `--preflight`: what will spoil a run with many connections on this machine, and the command that mends it.

use std::fmt::{self, Display};
use std::fs;
use std::io::{self, IsTerminal};

use pws::limits::Limits;
use pws::net::listener;
use pws::notices::Counted;
use pws::process::resources;

use super::Settings;

/// As many as people try: what holds less is told of.
const CONNECTIONS_WANTED: u64 = 10_000;
/// So many may come at once before any of them is accepted.
const BACKLOG_WANTED: u64 = 4096;
/// A server, and a client beside it.
const CORES_WANTED: u64 = 2;

/// What was found of the machine; `None` where it does not tell.
#[derive(Clone, Debug)]
struct Found {
    open_files_max: u64,
    backlog: u64,
    connections_max: u64,
    /// From which a client on this machine takes one for each connection.
    local_ports: Option<u64>,
    /// Connections that are over, and whose ports are not free yet.
    in_time_wait: Option<u64>,
    cores: Option<u64>,
    logs_to_terminal: bool,
}

/// Something that was looked at.
#[derive(Debug)]
struct Check {
    what: &'static str,
    found: String,
    /// What to do about it, if anything.
    mend: Option<String>,
}

impl Display for Check {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Check { what, found, mend } = self;
        let word = if mend.is_some() { "MEND" } else { "well" };
        write!(formatter, "{word}  {what:<13}  {found}")?;
        mend.iter().try_for_each(|mend| write!(formatter, "\n{:21}{mend}", ""))
    }
}

/// What is found, a line for each; and whether all is well.
pub fn report(settings: &Settings) -> (String, bool) {
    let checks = checks(&Found::here(settings));
    let is_well = checks.iter().all(|check| check.mend.is_none());
    let lines: Vec<String> = checks.iter().map(Check::to_string).collect();
    (lines.join("\n") + "\n", is_well)
}

impl Found {
    fn here(settings: &Settings) -> Found {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let limits = &settings.config.limits;
        let open_files_max = resources::raise_open_files();
        let limits = Limits { open_files_max, ..limits.clone() };
        Found {
            open_files_max,
            backlog: u64::try_from(listener::effective_backlog(&limits)).unwrap_or(0),
            connections_max: limits.connections() as u64,
            local_ports: count_of_ports(&text("/proc/sys/net/ipv4/ip_local_port_range")),
            in_time_wait: in_time_wait(&text("/proc/net/sockstat")),
            cores: std::thread::available_parallelism().map(|count| count.get() as u64).ok(),
            logs_to_terminal: settings.config.access_log && io::stdout().is_terminal(),
        }
    }
}

/// Of `ip_local_port_range` (ip(7)): the first and the last.
fn count_of_ports(range: &str) -> Option<u64> {
    let mut ends = range.split_whitespace().map(str::parse::<u64>);
    let (first, last) = (ends.next()?.ok()?, ends.next()?.ok()?);
    Some((last + 1).saturating_sub(first))
}

/// Of `sockstat` (proc(5)): `TCP: inuse 27 orphan 0 tw 12 alloc 30 mem 3`.
fn in_time_wait(sockstat: &str) -> Option<u64> {
    let tcp = sockstat.lines().find_map(|line| line.strip_prefix("TCP:"))?;
    let mut words = tcp.split_whitespace().skip_while(|word| *word != "tw");
    words.nth(1)?.parse().ok()
}

fn checks(found: &Found) -> Vec<Check> {
    let count = |count: u64, words| Counted(count, words).to_string();
    let if_not = |is_well: bool, mend: &str| (!is_well).then(|| mend.to_owned());
    let mut checks = vec![
        Check {
            what: "open files",
            found: count(found.open_files_max, ["may be open at once", "may be open at once"]),
            mend: if_not(
                found.open_files_max > CONNECTIONS_WANTED + CONNECTIONS_WANTED / 10,
                "ulimit -Hn 1048576   (as root, before pws; in a unit of systemd LimitNOFILE=1048576)",
            ),
        },
        Check {
            what: "connections",
            found: count(found.connections_max, ["at once", "at once, by descriptors and memory"]),
            mend: if_not(
                found.connections_max >= CONNECTIONS_WANTED,
                "a larger '--max-connections', '--memory' or limit on open files",
            ),
        },
        Check {
            what: "accept queue",
            found: count(found.backlog, ["may wait to be accepted", "may wait to be accepted"]),
            mend: if_not(
                found.backlog >= BACKLOG_WANTED,
                "sysctl -w net.core.somaxconn=4096   (or a larger '--memory', whichever bounds it)",
            ),
        },
    ];
    checks.extend(found.local_ports.map(|ports| Check {
        what: "local ports",
        found: count(ports, ["for a client on this machine", "for a client on this machine"]),
        mend: if_not(
            ports >= 2 * CONNECTIONS_WANTED,
            "sysctl -w net.ipv4.ip_local_port_range='1024 65535'   (where the client runs)",
        ),
    }));
    checks.extend(found.in_time_wait.map(|waiting| Check {
        what: "TIME_WAIT",
        found: count(waiting, ["port is not free yet", "ports are not free yet"]),
        mend: if_not(
            waiting < found.local_ports.unwrap_or(u64::MAX) / 2,
            "wait a minute; have the client keep its connections (wrk does, ab with -k)",
        ),
    }));
    checks.extend(found.cores.map(|cores| Check {
        what: "cores",
        found: count(cores, ["for the server and the client", "for the server and the client"]),
        mend: if_not(
            cores >= CORES_WANTED,
            "run the client on another machine: here it takes the server's time",
        ),
    }));
    checks.push(Check {
        what: "access log",
        found: if found.logs_to_terminal { "goes to a terminal" } else { "goes to no terminal" }.to_owned(),
        mend: if_not(!found.logs_to_terminal, "--access-log off, or > access.log: a terminal is slow"),
    });
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: Found = Found {
        open_files_max: 20_000,
        backlog: 4096,
        connections_max: 18_000,
        local_ports: Some(28_232),
        in_time_wait: Some(12),
        cores: Some(2),
        logs_to_terminal: false,
    };

    fn mended(found: &Found) -> Vec<&'static str> {
        checks(found).into_iter().filter(|check| check.mend.is_some()).map(|check| check.what).collect()
    }

    #[test]
    fn each_thing_that_spoils_a_run_is_told_with_what_mends_it() {
        assert_eq!(mended(&WELL), [""; 0]);
        for (found, what) in [
            (Found { open_files_max: 1024, ..WELL }, "open files"),
            (Found { connections_max: 900, ..WELL }, "connections"),
            (Found { backlog: 128, ..WELL }, "accept queue"),
            (Found { local_ports: Some(10_000), ..WELL }, "local ports"),
            (Found { in_time_wait: Some(20_000), ..WELL }, "TIME_WAIT"),
            (Found { cores: Some(1), ..WELL }, "cores"),
            (Found { logs_to_terminal: true, ..WELL }, "access log"),
        ] {
            assert_eq!(mended(&found), [what]);
        }
        // Where the system does not tell, nothing is said.
        let untold = Found { local_ports: None, in_time_wait: None, cores: None, ..WELL };
        assert_eq!(checks(&untold).len(), checks(&WELL).len() - 3);
    }

    #[test]
    fn what_the_kernel_tells_is_understood() {
        assert_eq!(count_of_ports("32768\t60999\n"), Some(28_232));
        assert_eq!((count_of_ports(""), count_of_ports("a b")), (None, None));
        let sockstat = "sockets: used 62\nTCP: inuse 7 orphan 0 tw 123 alloc 9 mem 2\nUDP: inuse 1 mem 0\n";
        assert_eq!((in_time_wait(sockstat), in_time_wait("UDP: tw 5")), (Some(123), None));
    }

    #[test]
    fn lines_are_to_be_read() {
        let lines: Vec<String> =
            checks(&Found { backlog: 128, ..WELL }).iter().map(Check::to_string).collect();
        assert_eq!(lines[0], "well  open files     20,000 may be open at once");
        let mend = "sysctl -w net.core.somaxconn=4096   (or a larger '--memory', whichever bounds it)";
        assert_eq!(lines[2], format!("MEND  accept queue   128 may wait to be accepted\n{:21}{mend}", ""));
    }
}
