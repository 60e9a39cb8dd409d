//! Logs that cannot be written: the server serves on, and takes no time to fail.
//!
//! That a log which nobody reads, or whose reader is gone, holds nobody up is tested in `cli/access_log.rs`.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

use pws_testing::client::Client;
use pws_testing::folder::Folder;
use pws_testing::process::{Process, run};
use pws_testing::vitals::assert_no_spinning;

use rustix::process::Signal;

use super::{fill, folder};
use crate::support::binary::{command, command_after, serve};

/// What a pipe and the server's own buffer hold is filled.
const REQUESTS: usize = 6000;

#[track_caller]
fn ask_often(client: &mut Client) {
    for _ in 0..REQUESTS / 100 {
        client.send("GET /page.html HTTP/1.1\r\nHost: test\r\n\r\n".repeat(100));
        for _ in 0..100 {
            assert_eq!(client.answer().text(), "<p>page");
        }
    }
}

#[test]
fn a_log_that_nobody_reads_costs_no_time() {
    for is_read in [true, false] {
        let mut process = serve(folder(), &[]);
        if !is_read {
            drop(process.stdout.take());
        }
        ask_often(&mut process.connect());
        assert_no_spinning(&process);
        assert!(process.is_running());
    }
}

/// A loopback address of these tests' own: no other test's connection takes a port of it.
const OWN_ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 10);

/// Starts a server whose first line nobody can read.
#[track_caller]
fn start_unheard(folder: &Folder, mut command: Command) -> Process {
    let listener = TcpListener::bind((OWN_ADDRESS, 0)).expect("a free port");
    let address = listener.local_addr().expect("its address");
    drop(listener);
    command.args(["--bind", &address.ip().to_string(), "--directory"]).arg(folder.root());
    command.arg(address.port().to_string());
    Process::start_unheard(command, address)
}

#[test]
fn a_disk_that_is_full_from_the_start_ends_nothing() {
    let folder = folder();
    let mut command = command();
    command.stdout(File::options().write(true).open("/dev/full").expect("a full disk"));
    let mut process = start_unheard(&folder, command);
    ask_often(&mut process.connect());
    assert_no_spinning(&process);
    assert!(process.is_running());
    let stderr = process.stderr();
    assert!(stderr.contains("No space left"), "it is told: {stderr}");
    assert!(stderr.lines().count() < 10, "{stderr}");
}

/// Not even the first line gets through.
#[test]
fn a_first_line_that_nobody_reads_keeps_nobody_waiting() {
    let folder = folder();
    let (_reader, mut writer) = std::io::pipe().expect("a pipe");
    fill(&mut writer);
    let mut command = command();
    command.args(["--access-log", "off"]).stdout(writer);
    let mut process = start_unheard(&folder, command);
    assert_eq!(process.connect().get("/page.html").status, 200);
    process.signal(Signal::TERM);
    assert_eq!(process.wait().code(), Some(0));
}

#[test]
fn outputs_that_are_closed_or_full_end_nothing() {
    for redirection in [">&- 2>&-", ">/dev/full 2>&1"] {
        let folder = folder();
        let mut process = start_unheard(&folder, command_after(&format!("exec {redirection}")));
        ask_often(&mut process.connect());
        assert_no_spinning(&process);
        assert!(process.is_running(), "{redirection}");
    }
}

/// As a quota ends it: the kernel's way to say so is a signal, which ends who is not prepared for it.
#[test]
fn a_log_file_that_may_not_grow_ends_nothing() {
    let folder = folder();
    let log = folder.outside().join("log");
    // In blocks of 512 bytes or a KiB.
    let mut command = command_after("ulimit -f 16");
    command.stdout(File::create(&log).expect("a file"));
    let mut process = start_unheard(&folder, command);
    ask_often(&mut process.connect());
    assert_no_spinning(&process);
    assert!(process.is_running());
    assert!(log.metadata().expect("the log").len() >= 8192, "it was filled");
}

#[test]
fn who_cannot_say_why_it_does_not_start_still_ends_with_1() {
    let output = run({
        let mut command = command_after("exec 2>/dev/full");
        command.args(["--directory", "/nowhere/at/all", "0"]);
        command
    });
    assert_eq!(output.status.code(), Some(1));
}
