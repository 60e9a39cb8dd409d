//! How long a request's body is, and skipping it without keeping it (RFC 9112 §6, §7).
//!
//! No method pws knows makes use of a body, but where it ends is where the next request starts: whoever gets
//! that wrong lets one client's bytes pass for another's request. So the rules are strict, and whatever
//! leaves room for doubt is refused and the connection closed.

use super::bytes::TOKEN;
use super::method::Method;
use super::refusal::Refusal;
use super::request::{Expectation, Request, Version};
use crate::limits::Limits;

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// No body, or one of no bytes.
    None,
    /// That many bytes.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

impl Framing {
    /// The framing of `request`'s body (RFC 9112 §6.3), or why it is refused.
    pub fn of(request: &Request) -> Result<Framing, Refusal> {
        let mut codings = request.field_values("transfer-encoding").peekable();
        let mut lengths = request.field_values("content-length").peekable();
        match (codings.peek().is_some(), lengths.peek().is_some()) {
            (false, false) => Ok(Framing::None),
            _ if request.is_typed => Err(Refusal::BareLf),
            (false, true) => match content_length(lengths)? {
                0 => Ok(Framing::None),
                length => Ok(Framing::Length(length)),
            },
            // Both at once is how requests are smuggled.
            (true, true) => Err(Refusal::BodyLength),
            (true, false) if request.version == Version::Http10 => Err(Refusal::BodyLength),
            (true, false) => transfer_codings(codings),
        }
    }
}

/// Several values count as one if all are the same (RFC 9112 §6.3, item 5).
fn content_length<'a>(values: impl Iterator<Item = &'a [u8]>) -> Result<u64, Refusal> {
    let mut length = None;
    for element in values.flat_map(|value| value.split(|&byte| byte == b',')) {
        let element = decimal(element.trim_ascii()).ok_or(Refusal::BodyLength)?;
        if *length.get_or_insert(element) != element {
            return Err(Refusal::BodyLength);
        }
    }
    length.ok_or(Refusal::BodyLength)
}

/// Digits only, and no more than fit.
fn decimal(digits: &[u8]) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

/// `chunked` once and last; anything else before it is a coding pws does not know.
fn transfer_codings<'a>(values: impl Iterator<Item = &'a [u8]>) -> Result<Framing, Refusal> {
    let codings = values.flat_map(|value| value.split(|&byte| byte == b',')).map(<[u8]>::trim_ascii);
    let mut chunked_at = None;
    let mut count = 0;
    for coding in codings.filter(|coding| !coding.is_empty()) {
        if coding.eq_ignore_ascii_case(b"chunked") && chunked_at.replace(count).is_some() {
            return Err(Refusal::BodyLength);
        }
        count += 1;
    }
    match (chunked_at, count) {
        (Some(0), 1) => Ok(Framing::Chunked),
        (Some(at), _) if at + 1 == count => Err(Refusal::TransferCoding),
        _ => Err(Refusal::BodyLength),
    }
}

/// What is done about a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyPlan {
    NoBody,
    /// Skip it, then answer. `is_awaited`: the client sends it only when told to go on.
    Skip {
        skip: Skip,
        is_awaited: bool,
    },
    /// Answer at once and close: it is too long, or the client waits to hear whether it is welcome and it is
    /// not; or there should be none, and nothing that follows is looked at.
    Leave,
}

impl BodyPlan {
    /// The plan for `request`, or why it is refused.
    pub fn of(request: &Request, limits: &Limits) -> Result<BodyPlan, Refusal> {
        let framing = Framing::of(request)?;
        if framing == Framing::None {
            return Ok(if request.is_typed { BodyPlan::Leave } else { BodyPlan::NoBody });
        }
        let is_served = matches!(request.method, Method::Get | Method::Head | Method::Options);
        Ok(match (Skip::start(framing, limits.body_bytes_max), request.expectation()) {
            (Some(skip), Expectation::None) => BodyPlan::Skip { skip, is_awaited: false },
            (Some(skip), Expectation::Continue) if is_served => BodyPlan::Skip { skip, is_awaited: true },
            _ => BodyPlan::Leave,
        })
    }
}

/// A body on its way past us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skip {
    /// Bytes that may still come, framing included.
    allowance: u32,
    state: Expects,
}

/// What the next byte is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expects {
    /// Content of which the length is known.
    Content {
        left: u32,
    },
    /// The digits of a chunk size; none so far unless `has_digits`.
    ChunkSize {
        size: u32,
        has_digits: bool,
    },
    /// White space behind a chunk size, which must lead to an extension (RFC 9112 §7.1.1).
    SizeSpace {
        size: u32,
    },
    /// A chunk extension, thrown away.
    Extension {
        size: u32,
    },
    /// The LF behind a chunk size.
    SizeLineEnd {
        size: u32,
    },
    /// What is left of a chunk.
    Chunk {
        left: u32,
    },
    /// The CR, then the LF behind a chunk.
    ChunkCr,
    ChunkLf,
    /// The trailer section: the start of a line, a field's name, its value, and the LF behind it
    /// (RFC 9112 §7.1.2).
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerLf,
    /// The LF of the empty line that ends it all.
    LastLf,
    Done,
}

/// What came of feeding a [`Skip`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// All bytes fed belong to the body, and more must come.
    More,
    /// The body ended with the first `len` bytes fed.
    Done { len: usize },
    /// The chunks are not framed as they must be.
    Malformed,
    /// The body is larger than will be skipped.
    TooLarge,
}

impl Skip {
    /// Starts with the first byte behind the head; `None` if the body is known to be longer than `bytes_max`.
    pub fn start(framing: Framing, bytes_max: u32) -> Option<Skip> {
        let state = match framing {
            Framing::None => Expects::Done,
            Framing::Length(length) => Expects::Content { left: u32::try_from(length).ok()? },
            Framing::Chunked => Expects::ChunkSize { size: 0, has_digits: false },
        };
        match state {
            Expects::Content { left } if left > bytes_max => None,
            state => Some(Skip { allowance: bytes_max, state }),
        }
    }

    /// Takes the bytes that came next.
    pub fn feed(&mut self, bytes: &[u8]) -> Skipped {
        let mut at = 0;
        while self.state != Expects::Done {
            let rest = &bytes[at..];
            let Some(&byte) = rest.first() else { return Skipped::More };
            let step = match self.state {
                Expects::Content { left } | Expects::Chunk { left } => rest.len().min(left as usize),
                _ => 1,
            };
            match self.allowance.checked_sub(step as u32) {
                Some(allowance) => self.allowance = allowance,
                None => return Skipped::TooLarge,
            }
            match self.state.after(byte, step as u32) {
                Some(state) => self.state = state,
                None => return Skipped::Malformed,
            }
            // A size that is too large is told before the chunk comes.
            if matches!(self.state, Expects::Chunk { left } if left > self.allowance) {
                return Skipped::TooLarge;
            }
            at += step;
        }
        Skipped::Done { len: at }
    }
}

impl Expects {
    /// The state behind `byte`, or behind `step` bytes of content; `None` if it must not stand here.
    fn after(self, byte: u8, step: u32) -> Option<Expects> {
        Some(match (self, byte) {
            (Expects::Content { left }, _) if left == step => Expects::Done,
            (Expects::Content { left }, _) => Expects::Content { left: left - step },
            (Expects::ChunkSize { size, .. }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16)?;
                // A size that does not fit is far beyond any allowance.
                let size = size.checked_mul(16).map_or(u32::MAX, |size| size | digit);
                Expects::ChunkSize { size, has_digits: true }
            }
            (Expects::ChunkSize { size, has_digits: true } | Expects::SizeSpace { size }, b' ' | b'\t') => {
                Expects::SizeSpace { size }
            }
            (Expects::ChunkSize { size, has_digits: true } | Expects::SizeSpace { size }, b';') => {
                Expects::Extension { size }
            }
            (Expects::ChunkSize { size, has_digits: true } | Expects::Extension { size }, b'\r') => {
                Expects::SizeLineEnd { size }
            }
            (Expects::Extension { size }, b'\t' | b' '..=b'~' | 0x80..) => Expects::Extension { size },
            (Expects::SizeLineEnd { size: 0 }, b'\n') => Expects::TrailerStart,
            (Expects::SizeLineEnd { size }, b'\n') => Expects::Chunk { left: size },
            (Expects::Chunk { left }, _) if left == step => Expects::ChunkCr,
            (Expects::Chunk { left }, _) => Expects::Chunk { left: left - step },
            (Expects::ChunkCr, b'\r') => Expects::ChunkLf,
            (Expects::ChunkLf, b'\n') => Expects::ChunkSize { size: 0, has_digits: false },
            (Expects::TrailerStart, b'\r') => Expects::LastLf,
            (Expects::TrailerName, b':') => Expects::TrailerValue,
            (Expects::TrailerStart | Expects::TrailerName, byte) if TOKEN.holds(byte) => Expects::TrailerName,
            (Expects::TrailerValue, b'\r') => Expects::TrailerLf,
            (Expects::TrailerValue, b'\t' | b' '..=b'~' | 0x80..) => Expects::TrailerValue,
            (Expects::TrailerLf, b'\n') => Expects::TrailerStart,
            (Expects::LastLf, b'\n') => Expects::Done,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request::{FieldSlots, Parsed, parse};

    fn framing(version: &str, fields: &str) -> Result<Framing, u16> {
        let head = format!("POST / HTTP/{version}\r\nHost: a\r\n{fields}\r\n");
        match parse(head.as_bytes(), 0, &mut FieldSlots::new(), &Limits::default()) {
            Parsed::Complete { request, .. } => {
                Framing::of(&request).map_err(|refusal| refusal.status().code())
            }
            other => panic!("{head}: {other:?}"),
        }
    }

    #[test]
    fn framing_leaves_no_doubt() {
        for (fields, expected) in [
            ("", Ok(Framing::None)),
            ("Content-Length: 0\r\n", Ok(Framing::None)),
            ("Content-Length: 5\r\n", Ok(Framing::Length(5))),
            ("Content-Length: 005\r\n", Ok(Framing::Length(5))),
            ("Content-Length: 5\r\nContent-Length: 5\r\n", Ok(Framing::Length(5))),
            ("Content-Length: 5, 5\r\n", Ok(Framing::Length(5))),
            ("Content-Length: 5\r\nContent-Length: 6\r\n", Err(400)),
            ("Content-Length: 5, 6\r\n", Err(400)),
            ("Content-Length: 5,\r\n", Err(400)),
            ("Content-Length:\r\n", Err(400)),
            ("Content-Length: +5\r\n", Err(400)),
            ("Content-Length: -5\r\n", Err(400)),
            ("Content-Length: 0x5\r\n", Err(400)),
            ("Content-Length: 5 5\r\n", Err(400)),
            ("Content-Length: 18446744073709551615\r\n", Ok(Framing::Length(u64::MAX))),
            ("Content-Length: 18446744073709551616\r\n", Err(400)),
            ("Transfer-Encoding: chunked\r\n", Ok(Framing::Chunked)),
            ("Transfer-Encoding: , CHUNKED ,\r\n", Ok(Framing::Chunked)),
            ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", Err(400)),
            ("Transfer-Encoding: chunked, chunked\r\n", Err(400)),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", Err(400)),
            ("Transfer-Encoding: gzip, chunked\r\n", Err(501)),
            ("Transfer-Encoding: chunked, gzip\r\n", Err(400)),
            ("Transfer-Encoding: gzip\r\n", Err(400)),
            ("Transfer-Encoding:\r\n", Err(400)),
            ("Transfer-Encoding: xchunked\r\n", Err(400)),
            ("Transfer-Encoding: \"chunked\"\r\n", Err(400)),
        ] {
            assert_eq!(framing("1.1", fields), expected, "{fields:?}");
        }
        assert_eq!(framing("1.0", "Transfer-Encoding: chunked\r\n"), Err(400));
        assert_eq!(framing("1.0", "Content-Length: 5\r\n"), Ok(Framing::Length(5)));
    }

    /// Feeds `body` whole and byte by byte.
    fn skipped(framing: Framing, body: &[u8], bytes_max: u32) -> Skipped {
        let start = || Skip::start(framing, bytes_max).expect("a body within the bound");
        let whole = start().feed(body);
        let mut skip = start();
        let mut dribbled = Skipped::More;
        for (index, byte) in body.iter().enumerate() {
            dribbled = match skip.feed(&[*byte]) {
                Skipped::More => continue,
                Skipped::Done { len } => Skipped::Done { len: index + len },
                end => end,
            };
            break;
        }
        assert_eq!(dribbled, whole, "{:?}", String::from_utf8_lossy(body));
        whole
    }

    #[test]
    fn skips_chunks_to_their_end() {
        let done = |body: &str| Skipped::Done { len: body.len() };
        for body in [
            "0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "5;name=value;q=\"x\"\r\nhello\r\n00\r\n\r\n",
            "5 \t;a\r\nhello\r\n0 ;b\r\n\r\n",
            "A\r\n0123456789\r\n1\r\n\r\r\n0\r\nTrailer: value\r\nOther:\r\n\r\n",
        ] {
            assert_eq!(skipped(Framing::Chunked, body.as_bytes(), 1000), done(body), "{body:?}");
            let with_next = format!("{body}GET / HTTP/1.1\r\n");
            assert_eq!(skipped(Framing::Chunked, with_next.as_bytes(), 1000), done(body), "{body:?}");
        }
        assert_eq!(skipped(Framing::Length(5), b"helloGET", 5), Skipped::Done { len: 5 });
        assert_eq!(skipped(Framing::Length(5), b"hell", 5), Skipped::More);
    }

    #[test]
    fn refuses_chunks_that_are_not_to_the_letter() {
        for body in [
            "\r\n",
            ";\r\n",
            "x\r\n",
            "0x5\r\n",
            "-5\r\n",
            " 5\r\n",
            "5 \r\nhello",
            "5\nhello",
            "5\r\nhello0\r\n",
            "5\r\nhello\n0",
            "5\r\nhello\r0",
            "5;a\nb\r\n",
            "5;\0\r\n",
            "0\r\n\n",
            "0\r\nA: b\n\r\n",
            "0\r\n: b\r\n\r\n",
            "0\r\nA : b\r\n\r\n",
            "0\r\nA\r\n\r\n",
            "0\r\nA: \0",
        ] {
            assert_eq!(skipped(Framing::Chunked, body.as_bytes(), 1000), Skipped::Malformed, "{body:?}");
        }
    }

    #[test]
    fn everything_counts_towards_the_bound() {
        assert_eq!(Skip::start(Framing::Length(6), 5), None);
        assert_eq!(Skip::start(Framing::Length(u64::MAX), u32::MAX), None);
        for body in
            ["FFFFFFFFFFFFFFFFF\r\n0123456789", "1\r\na\r\n1\r\na\r\n", "1;eeeeeeeeeee", "0\r\nTrailer: v"]
        {
            assert_eq!(skipped(Framing::Chunked, body.as_bytes(), 10), Skipped::TooLarge, "{body:?}");
        }
        // Of a chunk that is too long, nothing is waited for.
        let mut skip = Skip::start(Framing::Chunked, 10).unwrap();
        assert_eq!(skip.feed(b"5\r\n12"), Skipped::More);
        assert_eq!(Skip::start(Framing::Chunked, 10).unwrap().feed(b"8\r\n"), Skipped::TooLarge);
        assert_eq!(Skip::start(Framing::Chunked, 10).unwrap().feed(b"ffffffffff\r\n"), Skipped::TooLarge);
    }
}
