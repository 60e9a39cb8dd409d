//! Programs from outside that some tests compare against. `cargo test` needs none of them.

use std::process::{Command, ExitStatus, Stdio};

/// Whether `name` can be run; says so loudly if not.
///
/// # Panics
///
/// If it cannot, and `PWS_REQUIRE_TOOLS=1` says that every tool must be there.
pub fn has(name: &str) -> bool {
    is_there(name, "--version", |status| status.success())
}

/// [`has`] of a program that knows no `--version`: it is enough if it starts.
pub fn starts(name: &str) -> bool {
    is_there(name, "-h", |_| true)
}

#[track_caller]
fn is_there(name: &str, argument: &str, is_well: fn(ExitStatus) -> bool) -> bool {
    let status = Command::new(name).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let is_there = status.is_ok_and(is_well);
    if !is_there {
        let is_required = std::env::var_os("PWS_REQUIRE_TOOLS").is_some_and(|value| value == "1");
        assert!(!is_required, "PWS_REQUIRE_TOOLS=1, and {name} is missing");
        skip(&format!("{name} is missing"));
    }
    is_there
}

/// `command`, with a wall clock that its variables set (faketime(1)), and all other times as they are.
#[track_caller]
pub fn with_another_clock(mut command: Command) -> Command {
    let output = Command::new("faketime").args(["now", "printenv", "LD_PRELOAD"]).output().expect("faketime");
    let library = String::from_utf8(output.stdout).expect("a path");
    command.env("LD_PRELOAD", library.trim());
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("NO_FAKE_STAT", "1");
    command
}

/// Says on standard error, past the capture of the test harness, that a test checks nothing here.
pub fn skip(reason: &str) {
    use std::io::Write;

    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(std::io::stderr(), "\n*** SKIPPED {test}: {reason} ***");
}
