//! A test per bug, named after it, with the bytes that broke it.

use std::fs::File;
use std::time::{Duration, UNIX_EPOCH};

use pws::limits::Limits;

use crate::support::answer::Answer;
use crate::support::folder::{Folder, MODIFIED_UNIX_SECS};
use crate::support::memory::{exchange, exchange_within};

/// The bound on the target was checked on an unfinished line before everything else, and on a whole line behind
/// the method and the line end: the same bytes were answered 414 or 400, depending on how they arrived.
#[test]
fn a_long_target_in_a_malformed_line_is_refused_the_same_however_it_arrives() {
    let folder = Folder::new();
    let limits = Limits { target_bytes_max: 40, ..Limits::default() };
    let target = format!("/{}", "a".repeat(40));
    for input in [
        format!("G(T {target} HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!(" {target} HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!("GET {target} HTTP/1.1\nHost: a\r\n\r\n"),
        format!("GET {target}\n"),
        format!("GET {}\r\nHost: a\r\n\r\n", &target[..40]),
    ] {
        let (bytes, _) = exchange_within(&folder, &limits, input.as_bytes());
        let status = Answer::all(&bytes, &["GET"])[0].status;
        assert!([400, 414].contains(&status), "{status} for {input:?}");
    }
}

/// Whether a refusal has a body was judged by a line behind any white space, of which more or less had arrived:
/// the same bytes were answered with a page or without, depending on how they came.
#[test]
fn a_head_behind_what_is_refused_does_not_decide_about_the_body() {
    for input in ["\nHEAD / HTTP/1.1\r\n", "\r\n\r\n\r\n\r\n\r\nHEAD / HTTP/1.1\r\n"] {
        let (bytes, _) = exchange_within(&Folder::new(), &Limits::default(), input.as_bytes());
        let answer = Answer::all(&bytes, &["GET"]).remove(0);
        assert_eq!((answer.status, answer.body.is_empty()), (400, false), "{input:?}");
    }
}

/// Behind empty lines, a long target was refused when it came whole and waited for when it came in pieces.
#[test]
fn a_long_target_behind_empty_lines_is_refused_before_its_line_has_ended() {
    let limits = Limits { target_bytes_max: 40, ..Limits::default() };
    let input = format!("\r\n\r\nGET /{}", "a".repeat(60));
    let (bytes, _) = exchange_within(&Folder::new(), &limits, input.as_bytes());
    assert_eq!(Answer::all(&bytes, &["GET"])[0].status, 414);
}

/// `brotli` 1.0 gives what it makes the time of what it was made of, less the fraction of a second: taken for
/// older, no such variant was ever sent.
#[test]
fn a_variant_whose_time_was_rounded_down_to_the_second_is_current() {
    let folder = Folder::new().file("app.js", "plain").file("app.js.br", "variant");
    let set_modified = |name: &str, millis| {
        let file = File::options().write(true).open(folder.root().join(name)).expect("the file");
        let modified = UNIX_EPOCH + Duration::from_secs(MODIFIED_UNIX_SECS) + Duration::from_millis(millis);
        file.set_modified(modified).expect("its time");
    };
    let request = b"GET /app.js HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br\r\n\r\n";
    for (file_millis, variant_millis, expected) in [
        (742, 0, "variant"),
        (742, 742, "variant"),
        (742, 743, "variant"),
        // Not rounded, but older.
        (742, 741, "plain"),
        (1000, 0, "plain"),
        (1742, 0, "plain"),
    ] {
        set_modified("app.js", file_millis);
        set_modified("app.js.br", variant_millis);
        let (bytes, _) = exchange(&folder, request);
        let text = Answer::all(&bytes, &["GET"])[0].text();
        assert_eq!(text, expected, "{file_millis} and {variant_millis} ms");
    }
}

/// A folder whose time lies in the future had a `Last-Modified` behind the `Date` of the answer.
#[test]
fn a_list_of_a_folder_is_never_from_the_future() {
    let folder = Folder::new().file("list/a", "");
    // It was made just now, long after the time at which it is asked for in memory.
    let request = b"GET /list/ HTTP/1.1\r\nHost: a\r\n\r\n";
    let (bytes, _) = exchange_within(&folder, &Limits::default(), request);
    let answer = Answer::all(&bytes, &["GET"]).remove(0);
    assert_eq!(answer.field("last-modified"), answer.field("date"));
}

/// A folder that was listed hid the rule for it, so that `/docs/ /docs/intro` led nobody anywhere.
#[test]
fn a_rule_comes_before_the_list_of_a_folder() {
    let folder = Folder::new().file("docs/intro", "").file("_redirects", "/docs/ /docs/intro 301\n");
    let request = b"GET /docs/ HTTP/1.1\r\nHost: a\r\n\r\n";
    let (bytes, _) = exchange_within(&folder, &Limits::default(), request);
    assert_eq!(Answer::all(&bytes, &["GET"])[0].field("location"), Some("/docs/intro"));
}
