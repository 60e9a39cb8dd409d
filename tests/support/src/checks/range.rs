//! `http::range::select`: which parts of a file are sent.
//!
//! Input: two bytes that make the file's length, then the value of the Range field. What must hold:
//!
//! - no range is empty or reaches behind the end; several are apart, and together no longer than the file;
//! - they come in the order asked for: each where the first that is in it was;
//! - every byte asked for is sent, and every range that is sent begins and ends where one that was asked for
//!   does;
//! - 416 only if none of the ranges asked for has a byte in it.

use std::ops::Range;

use pws::http::range::{Selection, select};

use super::take_header;

/// What two ranges must have between them to be sent as two.
const GAP_BYTES_MIN: u64 = 128;

pub fn check(data: &[u8]) {
    let Some(([mantissa, exponent], field)) = take_header(data) else { return };
    let len = u64::from(mantissa) << (exponent % 57);
    match select(field, len) {
        Selection::Whole => {}
        Selection::Unsatisfiable => assert_eq!(asked_for(field, len), []),
        Selection::One(range) => check_ranges(&[range], field, len),
        Selection::Many(ranges) => {
            assert!(ranges.len() > 1);
            check_ranges(&ranges, field, len);
        }
    }
}

fn check_ranges(ranges: &[Range<u64>], field: &[u8], len: u64) {
    assert!(ranges.iter().all(|range| range.start < range.end && range.end <= len), "{ranges:?}");
    let mut sorted = ranges.to_vec();
    sorted.sort_by_key(|range| range.start);
    for pair in sorted.windows(2) {
        assert!(pair[0].end + GAP_BYTES_MIN <= pair[1].start, "{pair:?}");
    }
    assert!(ranges.iter().map(|range| range.end - range.start).sum::<u64>() <= len);
    let asked_for = asked_for(field, len);
    for asked in &asked_for {
        assert!(ranges.iter().any(|range| range.start <= asked.start && asked.end <= range.end), "{asked:?}");
    }
    let first_asked = |range: &Range<u64>| asked_for.iter().position(|asked| range.contains(&asked.start));
    assert!(ranges.iter().map(first_asked).is_sorted(), "{ranges:?}");
    for range in ranges {
        assert!(asked_for.iter().any(|asked| asked.start == range.start), "{range:?}");
        assert!(asked_for.iter().any(|asked| asked.end == range.end), "{range:?}");
    }
}

/// The ranges in a field that is well-formed, those without a byte left out.
fn asked_for(field: &[u8], len: u64) -> Vec<Range<u64>> {
    let field = std::str::from_utf8(field).expect("a field that is heeded is ASCII");
    assert!(field[..6].eq_ignore_ascii_case("bytes="));
    let number = |digits: &str| match digits.trim_start_matches('0') {
        "" => 0,
        digits if digits.len() > 20 => u128::MAX,
        digits => digits.parse::<u128>().expect("a number"),
    };
    let within = |at: u128| u64::try_from(at.min(len.into())).expect("no more than the length");
    let specs = field[6..].split(',').map(str::trim).filter(|spec| !spec.is_empty());
    let ranges = specs.map(|spec| match spec.split_once('-').expect("a dash") {
        ("", suffix) => len - within(number(suffix))..len,
        (first, "") => within(number(first))..len,
        (first, last) => within(number(first))..within(number(last).saturating_add(1)),
    });
    ranges.filter(|range| !range.is_empty()).collect()
}
