//! `http::body`: where a body ends.
//!
//! Input: the version's digit, the largest body that is skipped, the size of a piece; then the fields of a
//! request, an empty line, a body. What must hold:
//!
//! - a framing is found only where the fields leave no doubt;
//! - whole, in pieces or split anywhere, the body ends at the same place, or is refused the same way;
//! - that place is where another decoder, written from RFC 9112 §7.1 and as plain as can be, finds it.

use pws::http::body::{Framing, Skip, Skipped};
use pws::http::request::{FieldSlots, Parsed, Request, parse};
use pws::limits::Limits;

use super::take_header;

/// A longer body is split at some places only.
const SPLITS_MAX: usize = 64;

pub fn check(data: &[u8]) {
    let Some(([minor, bytes_max, piece_len], rest)) = take_header(data) else { return };
    let start = format!("POST / HTTP/1.{}\r\nHost: a\r\n", minor % 2);
    let input = [start.as_bytes(), rest].concat();
    let mut slots = FieldSlots::new();
    let Parsed::Complete { request, head_len } = parse(&input, 0, &mut slots, &Limits::default()) else {
        return;
    };
    let Ok(framing) = Framing::of(&request) else { return };
    check_framing(&request, framing);
    let body = &input[head_len..];
    let Some(skip) = Skip::start(framing, bytes_max.into()) else { return };
    let whole = feed(skip, [body]);
    check_end(framing, body, bytes_max.into(), whole);
    assert_eq!(feed(skip, body.chunks(1)), whole, "byte by byte");
    assert_eq!(feed(skip, body.chunks(usize::from(piece_len).max(1))), whole, "pieces of {piece_len}");
    for at in (0..body.len()).step_by(body.len() / SPLITS_MAX + 1) {
        let (front, back) = body.split_at(at);
        assert_eq!(feed(skip, [front, back]), whole, "split at {at}");
    }
}

/// How a body is framed, told from the fields by rules that let through at least what is right.
fn check_framing(request: &Request, framing: Framing) {
    let lengths: Vec<_> = request.field_values("content-length").collect();
    let codings: Vec<_> = request.field_values("transfer-encoding").collect();
    assert!(lengths.is_empty() || codings.is_empty(), "both tell how long the body is");
    assert_eq!(framing == Framing::Chunked, !codings.is_empty());
    for coding in request.list_elements("transfer-encoding") {
        assert!(coding.eq_ignore_ascii_case(b"chunked"), "another coding");
    }
    let length = if let Framing::Length(length) = framing { length } else { 0 };
    for value in request.list_elements("content-length") {
        let value = std::str::from_utf8(value).expect("digits");
        assert_eq!(value.parse(), Ok(length), "{value}");
    }
}

fn check_end(framing: Framing, body: &[u8], bytes_max: usize, whole: Skipped) {
    match (framing, whole) {
        (_, Skipped::Malformed) => assert_eq!(framing, Framing::Chunked),
        (_, Skipped::More) => assert!(body.len() <= bytes_max),
        // A chunk may say so before it comes.
        (_, Skipped::TooLarge) => assert!(framing == Framing::Chunked || body.len() > bytes_max),
        (Framing::None, Skipped::Done { len }) => assert_eq!(len, 0),
        (Framing::Length(length), Skipped::Done { len }) => assert_eq!(len as u64, length),
        (Framing::Chunked, Skipped::Done { len }) => assert_eq!(chunked_len(body), Some(len)),
    }
    if let Skipped::Done { len } = whole {
        assert!(len <= body.len() && len <= bytes_max);
    }
}

/// Feeds pieces until the end, of which the length counts from the first piece on.
fn feed<'a>(mut skip: Skip, pieces: impl IntoIterator<Item = &'a [u8]>) -> Skipped {
    let mut fed = 0;
    // No byte may be needed to see that there is nothing to come: hence the empty piece.
    for piece in pieces.into_iter().chain([&b""[..]]) {
        match skip.feed(piece) {
            Skipped::More => fed += piece.len(),
            Skipped::Done { len } => {
                assert_eq!(skip.feed(piece), Skipped::Done { len: 0 }, "what has ended takes no more");
                return Skipped::Done { len: fed + len };
            }
            end => return end,
        }
    }
    Skipped::More
}

/// The length of a chunked body, all of which is at hand.
fn chunked_len(body: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let line = line(&body[at..])?;
        at += line.len() + 2;
        // White space may stand in front of an extension, and nowhere else.
        let digits = match line.iter().position(|&byte| byte == b';') {
            Some(extension) => line[..extension].trim_ascii_end(),
            None => line,
        };
        let size = usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        if size == 0 {
            break;
        }
        at += size;
        at += body.get(at..)?.starts_with(b"\r\n").then_some(2)?;
    }
    loop {
        let line = line(&body[at..])?;
        at += line.len() + 2;
        if line.is_empty() {
            return Some(at);
        }
    }
}

/// Up to the first CRLF.
fn line(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    Some(&bytes[..end])
}
