//! Signals: the first finishes what is under way, the second does not; others, and those that whoever started
//! the process had it ignore, end nothing.

use std::io::Read;
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use pws::process::signals::Ignored;
use pws_testing::client::Client;
use pws_testing::patience::wait_until;
use pws_testing::process::{KilledOnDrop, Process, address_in, command_of, first_line};
use rustix::process::{Pid, Signal, kill_process};

use super::folder;
use crate::support::binary::{PWS, command_after, serve};
use crate::support::tools;

const LARGE: u64 = 64 << 20;

/// What these tests were started with ignored, pws is, too.
fn is_heeded(signal: Signal) -> bool {
    let is_ignored = Ignored::now().contains(signal.as_raw());
    if is_ignored {
        tools::skip(&format!("{signal:?} is ignored here"));
    }
    !is_ignored
}

#[track_caller]
fn assert_goes_on(process: &mut Process, signal: Signal) {
    process.signal(signal);
    // Signals are handled before sockets are.
    assert_eq!(process.connect().get("/page.html").text(), "<p>page", "{signal:?}");
    assert!(process.is_running(), "{signal:?}");
}

#[test]
fn sigterm_and_sigint_end_with_0_and_the_whole_log() {
    for signal in [Signal::TERM, Signal::INT].into_iter().filter(|signal| is_heeded(*signal)) {
        let mut process = serve(folder(), &[]);
        let mut client = process.connect();
        client.send("GET /page.html HTTP/1.1\r\nHost: test\r\n\r\n".repeat(200));
        for _ in 0..200 {
            assert_eq!(client.answer().status, 200);
        }
        process.signal(signal);
        assert_eq!(process.wait().code(), Some(0), "{signal:?}");
        assert!(client.is_closed());
        let mut text = String::new();
        let mut stdout = process.stdout.take().expect("standard output");
        stdout.read_to_string(&mut text).expect("UTF-8");
        assert_eq!(text.lines().count(), 200, "{signal:?}");
    }
}

/// Whoever takes no byte, and whoever does not read the log: nine seconds for both.
#[test]
fn a_stop_says_what_it_waits_for_and_how_long() {
    let mut process = serve(folder().sparse_file("large.bin", LARGE), &[]);
    let mut client = process.connect();
    // More lines than a pipe takes.
    client.send("GET /nowhere HTTP/1.1\r\nHost: test\r\n\r\n".repeat(2000));
    for _ in 0..2000 {
        assert_eq!(client.answer().status, 404);
    }
    client.send("GET /large.bin HTTP/1.1\r\nHost: test\r\n\r\n");
    client.stream.peek(&mut [0]).expect("its first byte");
    let asked = Instant::now();
    process.signal(Signal::TERM);
    process.wait_for("stopping: 1 response under way, 8 s more at most (again: at once)");
    assert_eq!(process.wait().code(), Some(0));
    let secs = asked.elapsed().as_secs_f64();
    assert!((6.5..9.5).contains(&secs), "{secs} s");
}

#[test]
fn a_signal_finishes_the_download_and_a_second_one_does_not() {
    for second in [None, Some(Signal::TERM), Some(Signal::INT)] {
        if !second.is_none_or(is_heeded) {
            continue;
        }
        let mut process = serve(folder().sparse_file("large.bin", LARGE), &[]);
        let address = process.address();
        let mut client = Client::connect_with_receive_buffer(address, 32 * 1024);
        client.ask("/large.bin");
        assert_eq!(client.head().status, 200);
        let stopped = Instant::now();
        process.signal(Signal::TERM);
        wait_until("no new connections are accepted", || TcpStream::connect(address).is_err());
        assert!(process.is_running(), "the download is under way");
        if let Some(signal) = second {
            process.signal(signal);
            assert_eq!(process.wait().code(), Some(0));
            assert!(stopped.elapsed() < Duration::from_secs(8), "at once: {:?}", stopped.elapsed());
        }
        let total = client.count_rest(LARGE);
        assert_eq!(total == LARGE, second.is_none(), "{total} bytes, {second:?}");
        assert_eq!(process.stderr().contains("1 response cut by the stop"), second.is_some(), "{second:?}");
        assert_eq!(process.wait().code(), Some(0));
    }
}

#[test]
fn signals_that_ask_for_nothing_end_nothing() {
    let mut process = serve(folder(), &[]);
    for signal in [Signal::USR1, Signal::USR2, Signal::HUP, Signal::PIPE] {
        assert_goes_on(&mut process, signal);
    }
    process.signal(Signal::TERM);
    assert_eq!(process.wait().code(), Some(0));
}

#[test]
fn what_was_ignored_or_blocked_at_the_start_stays_so() {
    let mut process = Process::serve(command_after("trap '' INT HUP USR1"), folder(), &[]);
    for signal in [Signal::INT, Signal::HUP, Signal::USR1] {
        assert_goes_on(&mut process, signal);
    }
    process.signal(Signal::TERM);
    assert_eq!(process.wait().code(), Some(0));
    let mut command = command_of("env");
    command.args(["--block-signal=TERM", "true"]);
    if !command.stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
        return tools::skip("env cannot block signals here");
    }
    let mut command = command_of("env");
    command.args(["--block-signal=TERM", PWS]);
    let mut process = Process::serve(command, folder(), &[]);
    assert_goes_on(&mut process, Signal::TERM);
}

#[test]
fn sighup_ends_who_was_started_on_a_terminal_that_is_gone() {
    if !tools::has("script") || !is_heeded(Signal::HUP) {
        return;
    }
    let folder = folder();
    let log = folder.outside().join("log");
    for others in ["", "</dev/null 2>/dev/null"] {
        // In a session of its own, on a terminal of its own, whose other end `script` has.
        let (root, shown_log) = (folder.root(), log.display());
        let serving = format!("--access-log off --bind 127.0.0.1 --directory '{}' 0", root.display());
        let inner = format!("echo $$; exec {PWS} {serving} >'{shown_log}' {others}");
        let mut command = command_of("script");
        command.args(["--quiet", "--command", &inner, "/dev/null"]);
        command.env("SHELL", "/bin/sh").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut script = KilledOnDrop(command.spawn().expect("script"));
        let (pid, _reader) = first_line(script.0.stdout.take().expect("a pipe"));
        let pid = pid.trim().parse().ok().and_then(Pid::from_raw).expect("a process");
        let told = || std::fs::read_to_string(&log).unwrap_or_default();
        wait_until("it serves", || told().ends_with('\n'));
        let address = address_in(told().trim_end());
        kill_process(pid, Signal::HUP).expect("a process to signal");
        assert_eq!(Client::connect(address).get("/page.html").text(), "<p>page", "the terminal is there");
        drop(script);
        wait_until("it ends", || TcpStream::connect(address).is_err());
        std::fs::remove_file(&log).expect("its log");
    }
}
