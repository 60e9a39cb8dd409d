//! The four attacks of slowhttptest, each while an honest client asks on.

use std::process::{Command, Stdio};
use std::time::Duration;

use pws_testing::vitals::{assert_memory_is_back, assert_nothing_leaks, settled};

use super::honest::asking_during;
use super::{KEPT_FILES, alone, folder};
use crate::support::binary::serve;
use crate::support::tools;

/// The tool stops a second later.
const SECS: &str = "2";

struct Attack {
    /// Of the server.
    options: &'static [&'static str],
    target: &'static str,
    connections: &'static str,
    arguments: &'static [&'static str],
    p99_max: Duration,
}

/// Measured: 1 to 5 ms for each of those below, on two processors of which the attacker takes one; 140 ms where
/// other tests took both.
const MODEST: Attack = Attack {
    options: &[],
    target: "/page.html",
    connections: "800",
    arguments: &[],
    p99_max: Duration::from_millis(500),
};

/// Asserts that nobody else notices `attack`, and that nothing is left of it.
#[track_caller]
fn endure(attack: Attack) {
    if !tools::starts("slowhttptest") {
        return;
    }
    let _alone = alone();
    let Attack { options, target, connections, arguments, p99_max } = attack;
    let process = serve(folder(), &[&["--access-log", "off"], options].concat());
    assert_eq!(process.connect().get("/page.html").status, 200);
    let (files, memory_kib) = (settled(|| process.open_files()), process.memory_kib());
    let (latencies, output) = asking_during(process.address(), || {
        let mut command = Command::new("slowhttptest");
        command.args(arguments).args(["-c", connections, "-r", connections, "-l", SECS, "-p", "3"]);
        command.args(["-u", &format!("http://{}{target}", process.address())]).stdin(Stdio::null());
        command.output().expect("slowhttptest")
    });
    let told = plain(&String::from_utf8_lossy(&output.stdout));
    let rows = told.lines().rev().filter(|line| line.contains("available:") || line.contains("Exit status"));
    let end: Vec<&str> = rows.take(2).map(str::trim).collect();
    let (name, peak_kib) = (arguments[0], process.peak_memory_kib());
    eprintln!("slowhttptest {name} {options:?}: {latencies}; at most {peak_kib} KiB; {end:?}");
    assert!(told.contains("available:") && !told.contains("NO"), "{told}");
    assert!(latencies.p99() <= p99_max, "{latencies}");
    assert_nothing_leaks(&process, files + KEPT_FILES);
    assert_memory_is_back(&process, memory_kib);
}

/// Without the commands that colour it.
fn plain(text: &str) -> String {
    let mut pieces = text.split('\x1b');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |plain, piece| plain + piece.split_once('m').map_or("", |(_, behind)| behind))
}

#[test]
fn heads_that_drip_in_delay_nobody() {
    endure(Attack { arguments: &["-H", "-i", "1", "-x", "24"], ..MODEST });
}

#[test]
fn bodies_that_drip_in_delay_nobody() {
    // One is refused at once, the other waited for.
    for arguments in [
        &["-B", "-i", "1", "-x", "24", "-s", "8192", "-t", "POST"],
        &["-B", "-i", "1", "-x", "24", "-s", "8192", "-t", "GET"],
    ] {
        endure(Attack { arguments, ..MODEST });
    }
}

#[test]
fn heaps_of_ranges_delay_nobody() {
    let arguments = &["-R", "-a", "5", "-b", "3000", "-t", "GET"];
    endure(Attack { target: "/large.bin", arguments, ..MODEST });
}

const DROPS: Attack = Attack {
    target: "/large.bin",
    arguments: &["-X", "-w", "512", "-y", "1024", "-n", "1", "-z", "32", "-k", "3"],
    ..MODEST
};

#[test]
fn answers_that_are_read_by_drops_delay_nobody_where_memory_is_bounded() {
    endure(Attack { options: &["--memory", "64M"], ..DROPS });
}

/// Where it is not, the kernel takes megabytes for each: filling them takes its time in the first second, and
/// as many connections as in the other attacks would take all that the kernel has for TCP. Measured: 4 to
/// 215 ms.
#[test]
fn answers_that_are_read_by_drops_delay_others_by_a_moment_at_most() {
    endure(Attack { connections: "250", p99_max: Duration::from_secs(1), ..DROPS });
}
