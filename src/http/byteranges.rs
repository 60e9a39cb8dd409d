//! `multipart/byteranges`: several parts of a representation in one body (RFC 9110 §14.6).

use std::fmt::{self, Display};
use std::io::Write as _;
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

/// What stands between the parts of a body. It is written part by part: there may be hundreds.
#[derive(Debug)]
pub struct Byteranges {
    boundary: String,
    /// The line that each part has about its type; empty if there is none.
    of_type: String,
    /// Bytes of the whole representation.
    len: u64,
}

impl Byteranges {
    /// For parts of a representation of `len` bytes. The boundary is made of its entity tag, so that the same
    /// request gets the same response; content that holds it can only have been written to.
    pub fn new(tag: &EntityTag, content_type: Option<&str>, len: u64) -> Byteranges {
        let boundary = format!("pws-{}", tag.opaque().escape_ascii());
        let of_type = content_type.map_or(String::new(), |value| format!("Content-Type: {value}\r\n"));
        Byteranges { boundary, of_type, len }
    }

    /// The value of the body's Content-Type.
    pub fn content_type(&self) -> String {
        format!("multipart/byteranges; boundary={}", self.boundary)
    }

    /// Writes what stands in front of a part: a line that parts it from what came before, and a head of its
    /// own.
    pub fn write_head(&self, range: &Range<u64>, out: &mut Vec<u8>) {
        let Byteranges { boundary, of_type, len } = self;
        let content_range = ContentRange { range, len: *len };
        // Cannot fail: writing to memory.
        let _ = write!(out, "\r\n--{boundary}\r\n{of_type}Content-Range: {content_range}\r\n\r\n");
    }

    /// Writes what stands behind the last part.
    pub fn write_end(&self, out: &mut Vec<u8>) {
        // Cannot fail: writing to memory.
        let _ = write!(out, "\r\n--{}--\r\n", self.boundary);
    }

    /// Bytes of a body with the parts `ranges`.
    pub fn body_bytes(&self, ranges: &[Range<u64>]) -> u64 {
        // One head tells how long all are, but for their numbers.
        let mut head = Vec::new();
        self.write_head(&(0..1), &mut head);
        let fixed_bytes = head.len() as u64 - 2;
        let mut end = Vec::new();
        self.write_end(&mut end);
        let part_bytes = |range: &Range<u64>| {
            fixed_bytes + digits(range.start) + digits(range.end - 1) + (range.end - range.start)
        };
        ranges.iter().map(part_bytes).sum::<u64>() + end.len() as u64
    }

    /// Bytes of memory on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.boundary.capacity() + self.of_type.capacity()
    }
}

/// How many digits a number has.
fn digits(number: u64) -> u64 {
    u64::from(number.checked_ilog10().unwrap_or(0)) + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_body_is_as_long_as_it_is_said_to_be(
            ranges in prop::collection::vec((0..24_u32, 1..5000_u64), 0..20), has_type in any::<bool>(),
        ) {
            let tag = EntityTag::of_time(1, 2, 3, false);
            let parts = Byteranges::new(&tag, has_type.then_some("text/plain"), u64::MAX);
            // Of any number of digits.
            let start = |power: u32, len: u64| 10_u64.saturating_pow(power).min(u64::MAX - len);
            let ranges: Vec<_> =
                ranges.iter().map(|(power, len)| start(*power, *len)..start(*power, *len) + len).collect();
            let mut text = Vec::new();
            ranges.iter().for_each(|range| parts.write_head(range, &mut text));
            parts.write_end(&mut text);
            let content = ranges.iter().map(|range| range.end - range.start).sum::<u64>();
            prop_assert_eq!(parts.body_bytes(&ranges), text.len() as u64 + content);
        }
    }
}
