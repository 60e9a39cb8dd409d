//! Parts of a representation: the Range field (RFC 9110 §14).

use std::ops::Range;

/// More ranges than this in one request are answered with the whole, as RFC 9110 §14.2 advises.
const RANGES_MAX: usize = 256;
/// Ranges closer than this are sent as one: a part of its own would cost more.
const GAP_BYTES_MIN: u64 = 128;

/// What to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of it, as if no range had been asked for.
    Whole,
    One(Range<u64>),
    /// Two or more, none of them empty, apart from each other and together not longer than the whole.
    Many(Vec<Range<u64>>),
    /// 416: none of the ranges has a byte in it.
    Unsatisfiable,
}

/// Resolves the value of a Range field against a representation of `len` bytes. A field that is not to the
/// letter, or is about another unit, counts as absent (RFC 9110 §14.2).
pub fn select(field: &[u8], len: u64) -> Selection {
    let Some(specs) = bytes_unit(field) else { return Selection::Whole };
    let mut ranges = Vec::new();
    let mut count = 0;
    for spec in specs.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).filter(|spec| !spec.is_empty()) {
        count += 1;
        match parse_spec(spec, len) {
            _ if count > RANGES_MAX => return Selection::Whole,
            None => return Selection::Whole,
            Some(range) if range.is_empty() => {}
            Some(range) => ranges.push(range),
        }
    }
    match (count, ranges.len()) {
        (0, _) => Selection::Whole,
        // Nothing is all there is of an empty file: to whoever follows it, there is no error in that.
        (_, 0) if len == 0 => Selection::Whole,
        (_, 0) => Selection::Unsatisfiable,
        (_, 1) => Selection::One(ranges.remove(0)),
        _ => merge(ranges),
    }
}

fn bytes_unit(field: &[u8]) -> Option<&[u8]> {
    let (unit, specs) = field.split_at_checked(b"bytes=".len())?;
    unit.eq_ignore_ascii_case(b"bytes=").then_some(specs)
}

/// `first-last`, `first-` or `-suffix` (RFC 9110 §14.1.2); the range is empty if it lies behind the end.
fn parse_spec(spec: &[u8], len: u64) -> Option<Range<u64>> {
    let dash = spec.iter().position(|&byte| byte == b'-')?;
    let (first, last) = (&spec[..dash], &spec[dash + 1..]);
    match (first.is_empty(), last.is_empty()) {
        (true, true) => None,
        (true, false) => Some(len.saturating_sub(position(last)?)..len),
        (false, true) => Some(position(first)?.min(len)..len),
        (false, false) => {
            let (first, last) = (position(first)?, position(last)?);
            (first <= last).then(|| first.min(len)..last.saturating_add(1).min(len))
        }
    }
}

/// Digits only. A number past 2^64 is as far behind every end as the largest that fits.
fn position(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        Some(number.saturating_mul(10).saturating_add(digit))
    })
}

/// Joins ranges that overlap or nearly touch, so that a response is never much larger than the file. Parts
/// come in the order in which the first range of each was asked for.
fn merge(ranges: Vec<Range<u64>>) -> Selection {
    let mut sorted: Vec<(usize, Range<u64>)> = ranges.into_iter().enumerate().collect();
    sorted.sort_unstable_by_key(|(_, range)| range.start);
    let mut merged: Vec<(usize, Range<u64>)> = Vec::with_capacity(sorted.len());
    for (place, range) in sorted {
        match merged.last_mut() {
            Some((first_place, last)) if range.start < last.end.saturating_add(GAP_BYTES_MIN) => {
                last.end = last.end.max(range.end);
                *first_place = place.min(*first_place);
            }
            _ => merged.push((place, range)),
        }
    }
    merged.sort_unstable_by_key(|(place, _)| *place);
    let mut parts: Vec<Range<u64>> = merged.into_iter().map(|(_, range)| range).collect();
    match parts.len() {
        1 => Selection::One(parts.remove(0)),
        _ => Selection::Many(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selects() {
        use Selection::{One, Unsatisfiable, Whole};
        for (field, expected) in [
            ("bytes=0-0", One(0..1)),
            ("bytes=0-99", One(0..100)),
            ("bytes=500-", One(500..1000)),
            ("bytes=-1", One(999..1000)),
            ("bytes=-1000", One(0..1000)),
            ("bytes=-2000", One(0..1000)),
            ("bytes=999-2000", One(999..1000)),
            ("bytes=0-18446744073709551615", One(0..1000)),
            ("bytes=0-99999999999999999999999", One(0..1000)),
            ("Bytes=0-0", One(0..1)),
            ("bytes= 0-0 ,", One(0..1)),
            ("bytes=0-0,2000-", One(0..1)),
            ("bytes=1000-", Unsatisfiable),
            ("bytes=1000-2000", Unsatisfiable),
            ("bytes=99999999999999999999999-", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=1000-,-0", Unsatisfiable),
            ("bytes=", Whole),
            ("bytes=,", Whole),
            ("bytes", Whole),
            ("bytes=-", Whole),
            ("bytes=5-4", Whole),
            ("bytes=a-b", Whole),
            ("bytes=0-0,x", Whole),
            ("bytes=+0-1", Whole),
            ("bytes=0 - 1", Whole),
            ("bytes=0--1", Whole),
            ("bytes:0-1", Whole),
            ("lines=0-1", Whole),
        ] {
            assert_eq!(select(field.as_bytes(), 1000), expected, "{field}");
        }
        for field in ["bytes=0-", "bytes=-0", "bytes=-5", "bytes=7-9", "bytes=0-0,5-"] {
            assert_eq!(select(field.as_bytes(), 0), Whole, "{field} of nothing");
        }
    }

    #[test]
    fn many_never_outgrow_the_whole() {
        use Selection::{Many, One, Whole};
        assert_eq!(select(b"bytes=0-0,500-500", 1000), Many(vec![0..1, 500..501]));
        assert_eq!(select(b"bytes=500-500,0-0", 1000), Many(vec![500..501, 0..1]), "in the order asked for");
        assert_eq!(select(b"bytes=0-10,5-20", 1000), One(0..21), "overlapping");
        assert_eq!(select(b"bytes=0-10,11-20", 1000), One(0..21), "touching");
        assert_eq!(select(b"bytes=0-10,100-110", 1000), One(0..111), "nearly touching");
        assert_eq!(select(b"bytes=900-,0-0,0-0,", 1000), Many(vec![900..1000, 0..1]), "merged");
        let asked = b"bytes=700-710,300-310,705-720,0-0,290-299";
        assert_eq!(select(asked, 1000), Many(vec![700..721, 290..311, 0..1]), "in order of their first");
        let all = format!("bytes={}", vec!["0-"; RANGES_MAX].join(","));
        assert_eq!(select(all.as_bytes(), 1000), One(0..1000));
        let too_many = format!("bytes={}", vec!["0-0"; RANGES_MAX + 1].join(","));
        assert_eq!(select(too_many.as_bytes(), 1000), Whole);
    }
}
