//! `http::request::parse`: the head of a request.
//!
//! Input: a byte that picks the limits, then what a client sends. What must hold:
//!
//! - it does not matter how the bytes arrive: the first verdict on a growing prefix, with `searched` from the
//!   one before, is the verdict on everything;
//! - a complete head lies within the limit, ends with its first empty line, and all its lines end alike: in
//!   CRLF, or in LF where it is the last on its connection.

use pws::http::request::{FieldSlots, Parsed, first_line, parse};
use pws::limits::Limits;

use super::take_header;

/// How many lengths behind the first verdict are tried too.
const LENGTHS_BEHIND: usize = 32;

pub fn check(data: &[u8]) {
    let Some(([size], input)) = take_header(data) else { return };
    let limits = limits(size);
    let (first, seen) = first_verdict(input, &limits);
    assert_eq!(verdict(input, 0, &limits), first, "all at once, not at {seen} bytes");
    for len in (seen..input.len()).take(LENGTHS_BEHIND) {
        assert_eq!(verdict(&input[..len], 0, &limits), first, "{len} bytes at once, not at {seen} bytes");
    }
    if let Verdict::Complete { head_len, .. } = first {
        check_head(&input[..head_len], &limits);
    }
    assert!(!first_line(input).contains(&b'\n'));
}

/// The defaults, or bounds that a short input reaches.
fn limits(size: u8) -> Limits {
    match size % 2 {
        0 => Limits::default(),
        _ => Limits { head_bytes_max: 64 + u16::from(size), target_bytes_max: 16, ..Limits::default() },
    }
}

/// [`Parsed`], free of what it borrows.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Complete { head_len: usize, request: String },
    Partial,
    Refused(u16),
}

fn verdict(input: &[u8], searched: usize, limits: &Limits) -> Verdict {
    match parse(input, searched, &mut FieldSlots::new(), limits) {
        Parsed::Complete { request, head_len } => {
            let (is_persistent, expectation) = (request.is_persistent(), request.expectation());
            let request = format!("{request:?} {is_persistent} {expectation:?}");
            Verdict::Complete { head_len, request }
        }
        Parsed::Partial => Verdict::Partial,
        Parsed::Refused(refusal) => Verdict::Refused(refusal.status().code()),
    }
}

/// Feeds `input` byte by byte, as a session does; returns the first verdict and how many bytes it took.
fn first_verdict(input: &[u8], limits: &Limits) -> (Verdict, usize) {
    let mut searched = 0;
    for len in 0..=input.len() {
        match verdict(&input[..len], searched, limits) {
            Verdict::Partial => searched = len,
            verdict => return (verdict, len),
        }
    }
    (Verdict::Partial, input.len())
}

fn check_head(head: &[u8], limits: &Limits) {
    assert!(head.len() <= usize::from(limits.head_bytes_max));
    if !head.ends_with(b"\r\n") {
        assert!(head.ends_with(b"\n\n"));
        let mut lines = head.split(|&byte| byte == b'\n').skip_while(|line| *line == b"\r");
        assert!(!lines.any(|line| line.contains(&b'\r')), "{}", head.escape_ascii());
        return;
    }
    let mut lines = head.split(|&byte| byte == b'\n').skip_while(|line| *line == b"\r").peekable();
    while let Some(line) = lines.next_if(|line| *line != b"\r") {
        let end = line.iter().position(|&byte| byte == b'\r');
        assert_eq!(end, Some(line.len() - 1), "{}", line.escape_ascii());
    }
    assert!(lines.eq([&b"\r"[..], b""]), "the empty line, and nothing behind it");
}
