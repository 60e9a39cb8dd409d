//! `multipart/byteranges`: several parts of a representation in one body (RFC 9110 §14.6).

use std::fmt::{self, Display};
use std::ops::Range;

use super::conditional::EntityTag;

/// `bytes first-last/length` (RFC 9110 §14.4).
#[derive(Clone, Copy, Debug)]
pub struct ContentRange<'a> {
    /// Not empty.
    pub range: &'a Range<u64>,
    /// Bytes of the whole representation.
    pub len: u64,
}

impl Display for ContentRange<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "bytes {}-{}/{}", self.range.start, self.range.end - 1, self.len)
    }
}

/// What stands between the parts of a body.
#[derive(Debug)]
pub struct Byteranges {
    boundary: String,
    /// In front of each part: a line that parts it from what came before, and a head of its own.
    pub heads: Vec<String>,
    /// Behind the last part.
    pub end: String,
}

impl Byteranges {
    /// For the parts `ranges` of a representation of `len` bytes. The boundary is made of its entity tag, so
    /// that the same request gets the same response; content that holds it can only have been written to.
    pub fn new(tag: &EntityTag, content_type: Option<&str>, len: u64, ranges: &[Range<u64>]) -> Byteranges {
        let boundary = format!("pws-{}", tag.opaque().escape_ascii());
        let of_type = content_type.map_or(String::new(), |value| format!("Content-Type: {value}\r\n"));
        let head = |range| {
            let content_range = ContentRange { range, len };
            format!("\r\n--{boundary}\r\n{of_type}Content-Range: {content_range}\r\n\r\n")
        };
        let heads = ranges.iter().map(head).collect();
        let end = format!("\r\n--{boundary}--\r\n");
        Byteranges { boundary, heads, end }
    }

    /// The value of the body's Content-Type.
    pub fn content_type(&self) -> String {
        format!("multipart/byteranges; boundary={}", self.boundary)
    }

    /// Bytes of the body, beside those of the parts.
    pub fn overhead_bytes(&self) -> u64 {
        (self.heads.iter().map(String::len).sum::<usize>() + self.end.len()) as u64
    }
}
