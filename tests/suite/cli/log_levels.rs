//! What standard error tells at its levels: the life of a request at `trace`, who was cut and why at `debug`.

use std::io::Write;
use std::thread::sleep;
use std::time::Duration;

use pws_testing::folder::{Folder, noise};

use crate::support::binary::serve;

/// What stands behind the time and the level in lines of `level`.
fn told(stderr: &str, level: &str) -> Vec<String> {
    let at_level = |line: &str| {
        let (time, rest) = line.trim_start().split_once(' ')?;
        time.parse::<f64>().ok()?;
        Some(rest.strip_prefix(level)?.to_owned())
    };
    stderr.lines().filter_map(at_level).collect()
}

/// Asserts that `parts` are told of in this order, whatever stands between them.
#[track_caller]
fn assert_story(lines: &[String], parts: &[&str]) {
    let mut rest = lines.iter();
    for part in parts {
        assert!(rest.any(|line| line.contains(part)), "{part:?} in\n{}", lines.join("\n"));
    }
}

#[test]
fn the_life_of_a_request_is_told_at_trace() {
    let folder = Folder::new().file("page.html", noise(500)).file("large.bin", noise(8 << 20)).aged();
    // What was changed just now is not remembered.
    sleep(Duration::from_secs(4));
    let process = serve(folder, &["--log-level", "trace"]);
    let mut client = process.connect();
    assert_eq!(client.get("/page.html").status, 200);
    assert_eq!(client.get("/page.html").status, 200);
    drop(client);
    process.wait_for(" over");
    let lines = told(&process.stderr(), "TRACE ");
    let of_one = [
        "turn at ",
        " #0 of 127.0.0.1 runs",
        "  receive: ",
        "  Idle → Head",
        "  /page.html: looked for on the disk",
        "  GET /page.html HTTP/1.1: 200 OK",
        "  Head → Send",
        "  send: ",
        "  response sent, 500 bytes of content",
        "  Send → Idle",
        " #0 parked until it is readable",
    ];
    let again = of_one.map(|part| part.replace("looked for on the disk", "remembered, and still so"));
    let again = again.iter().map(String::as_str);
    assert_story(&lines, &of_one.into_iter().chain(again).chain(["  receive: the end"]).collect::<Vec<_>>());
    // Nothing of the libraries.
    assert!(lines.iter().all(|line| !line.contains("event source")), "{lines:?}");
    // One that does not take what it is sent is waited for.
    let mut slow = process.connect();
    slow.stream.write_all(b"GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n").expect("a request");
    process.wait_for("parked until it is writable");
    assert_story(
        &told(&process.stderr(), "TRACE "),
        &["/large.bin", "  send: would block", "until it is writable"],
    );
}

#[test]
fn who_is_turned_away_or_cut_is_told_at_debug_with_the_reason() {
    let folder = Folder::new().file("page.html", noise(500));
    let args = ["--log-level", "debug", "--max-per-client", "1", "--idle-timeout", "1"];
    let process = serve(folder, &args);
    let mut client = process.connect();
    assert_eq!(client.get("/page.html").status, 200);
    let mut other = process.connect();
    assert_eq!(other.get("/page.html").status, 503);
    process.wait_for("no request has come");
    let lines = told(&process.stderr(), "DEBUG ");
    assert_story(
        &lines,
        &[
            "127.0.0.1: beyond what one client may have turned away with 503",
            "127.0.0.1: its time is up, no request has come",
        ],
    );
    assert!(told(&process.stderr(), "TRACE ").is_empty());
}
