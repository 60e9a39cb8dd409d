//! A wall clock that is set forward and back: `Date` goes with it, and nobody's time does.

use std::fs;
use std::path::Path;
use std::time::{Instant, SystemTime};

use pws_testing::client::Client;
use pws_testing::patience::wait_until;
use pws_testing::process::{Process, serving};
use pws_testing::vitals::assert_no_spinning;

use super::folder;
use crate::support::binary::command;
use crate::support::tools;

const DAYS: i64 = 1000;
const IDLE_SECS: u64 = 2;

/// Sets the wall clock of a server that heeds `file`, and no other clock.
#[track_caller]
fn set_clock(file: &Path, days: i64) {
    let next = file.with_extension("next");
    fs::write(&next, format!("{days:+}d\n")).expect("a file");
    fs::rename(next, file).expect("its rename");
}

/// How many days the server's clock is ahead.
#[track_caller]
fn days_ahead(client: &mut Client) -> i64 {
    let answer = client.get("/page.html");
    let date = httpdate::parse_http_date(answer.field("date").expect("a date")).expect("a date");
    let now = SystemTime::now();
    let secs = match date.duration_since(now) {
        Ok(ahead) => ahead.as_secs() as i64,
        Err(behind) => -(behind.duration().as_secs() as i64),
    };
    // Rounded: a second's difference is none.
    (secs + 43_200).div_euclid(86_400)
}

#[test]
fn a_clock_that_is_set_moves_the_date_and_cuts_nobody() {
    if !tools::has("faketime") {
        return;
    }
    let folder = folder();
    let file = folder.outside().join("clock");
    set_clock(&file, 0);
    let mut command = serving(command(), &folder);
    // The sandbox would keep it from reading that file.
    command.args(["--idle-timeout", &IDLE_SECS.to_string(), "--sandbox", "off"]);
    command.env("FAKETIME_TIMESTAMP_FILE", &file).env("FAKETIME_NO_CACHE", "1");
    let process = Process::start(tools::with_another_clock(command));
    let mut client = process.connect();
    assert_eq!(days_ahead(&mut client), 0);
    for days in [DAYS, -DAYS, 0] {
        let mut silent = process.connect();
        assert_eq!(silent.get("/page.html").status, 200);
        let started = Instant::now();
        set_clock(&file, days);
        wait_until("the date follows", || days_ahead(&mut client) == days);
        assert!(silent.is_closed());
        let secs = started.elapsed().as_secs_f64();
        assert!(secs >= IDLE_SECS as f64, "cut after {secs} seconds, set by {days} days");
        client = process.connect();
        assert_no_spinning(&process);
    }
}
