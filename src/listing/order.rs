//! How entries stand: folders first, then by the column that was asked for, and names as people count.
//!
//! The order is total: two entries of different names are never equal, so a folder looks the same at every
//! visit, in whatever order the disk tells of it. Letters outside ASCII stand by their bytes, behind `z`: to
//! do better takes tables of what each language holds to be right.

use std::cmp::Ordering;

use super::query::{Column, Sort};
use crate::files::entry::Entry;

/// Compares entries as `sort` has them stand: folders first in any order, and by name, from the start of the
/// alphabet, what a column cannot tell apart.
pub fn compare(a: &Entry, b: &Entry, sort: Sort) -> Ordering {
    let by_name = || natural(a.name, b.name);
    let by_column = match sort.column {
        Column::Name => by_name(),
        Column::Size => a.size().cmp(&b.size()),
        Column::Time => a.modified_unix_secs.cmp(&b.modified_unix_secs),
    };
    let by_column = if sort.descending { by_column.reverse() } else { by_column };
    a.kind.cmp(&b.kind).then(by_column).then_with(by_name)
}

/// Compares names: digits in a row are one number, so that `file2` stands before `file10`, and ASCII letters
/// are the same in both cases. What is equal by that (`a1`, `A01`) is told apart by its bytes.
///
/// Takes time by the length of the names only, and little for what they start with alike. Numbers may have
/// any number of digits: they are compared as text, the longer one is the larger.
pub fn natural(a: &[u8], b: &[u8]) -> Ordering {
    let skipped = same_start(a, b);
    let (mut rest_of_a, mut rest_of_b) = (&a[skipped..], &b[skipped..]);
    loop {
        let order = match (rest_of_a, rest_of_b) {
            ([], []) => return a.cmp(b),
            ([b'0'..=b'9', ..], [b'0'..=b'9', ..]) => {
                take_number(&mut rest_of_a).cmp(&take_number(&mut rest_of_b))
            }
            ([first_of_a, tail_of_a @ ..], [first_of_b, tail_of_b @ ..]) => {
                (rest_of_a, rest_of_b) = (tail_of_a, tail_of_b);
                first_of_a.to_ascii_lowercase().cmp(&first_of_b.to_ascii_lowercase())
            }
            // One name is the start of the other.
            (rest_of_a, rest_of_b) => rest_of_a.len().cmp(&rest_of_b.len()),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// How many bytes at their starts are the same and need not be looked at again: all but those of a number
/// that may go on.
fn same_start(a: &[u8], b: &[u8]) -> usize {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    same - a[..same].iter().rev().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Takes the digits in front of `rest`. Returns what orders them as numbers: how many digits there are
/// without leading zeros, and these.
fn take_number<'a>(rest: &mut &'a [u8]) -> (usize, &'a [u8]) {
    let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let (number, behind) = rest.split_at(end);
    *rest = behind;
    let zeros = number.iter().take_while(|&&digit| digit == b'0').count();
    (number.len() - zeros, &number[zeros..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::files::entry::EntryKind;

    #[test]
    fn names_stand_as_people_count() {
        let long_nine = "9".repeat(250);
        let long_one = format!("1{}", "0".repeat(250));
        let same_but_last = format!("1{}1", "0".repeat(249));
        for names in [
            &["file1", "file2", "file10", "file20", "file100"][..],
            &["1", "2", "10", "a", "b"],
            &["a", "a0", "a00", "a01", "a1", "a1b", "a2"],
            &["A", "a", "B", "b", "C", "c"],
            &["README", "readme", "readme.txt", "Z"],
            &["1.9", "1.10", "1.10.1", "2.0"],
            &["0", "00", "000", "01", "1"],
            &["x18446744073709551615", "x18446744073709551616", "x99999999999999999999"],
            &[&long_nine, &long_one, &same_but_last],
            &["a-1", "a1", "a_1", "aa1"],
            &["", "-", "0", "a"],
            &["z", "ä", "é"],
        ] {
            for (index, before) in names.iter().enumerate() {
                for (other, behind) in names.iter().enumerate() {
                    let order = natural(before.as_bytes(), behind.as_bytes());
                    assert_eq!(order, index.cmp(&other), "{before} {behind}");
                }
            }
        }
        assert_eq!(natural(b"a\xff2", b"a\xff10"), Ordering::Less, "bytes that are no UTF-8");
        assert_eq!(natural(b"a\xfe", b"a\xff"), Ordering::Less);
    }

    fn entry(name: &str, kind: EntryKind, len: u64, modified_unix_secs: i64) -> Entry<'_> {
        Entry { name: name.as_bytes(), kind, len, modified_unix_secs }
    }

    #[test]
    fn folders_stand_first_in_any_order() {
        let mut entries = [
            entry("b2", EntryKind::File, 10, 3),
            entry("b10", EntryKind::File, 30, -1),
            entry("a", EntryKind::File, 10, 2),
            entry("y", EntryKind::Folder, 4096, 9),
            entry("z", EntryKind::Folder, 64, 5),
        ];
        for (column, descending, expected) in [
            (Column::Name, false, "y z a b2 b10"),
            (Column::Name, true, "z y b10 b2 a"),
            // A folder has no size, and what is of one size stays by name.
            (Column::Size, false, "y z a b2 b10"),
            (Column::Size, true, "y z b10 a b2"),
            (Column::Time, false, "z y b10 a b2"),
            (Column::Time, true, "y z b2 a b10"),
        ] {
            let sort = Sort { column, descending };
            entries.sort_by(|a, b| compare(a, b, sort));
            let names: Vec<_> = entries.iter().map(Entry::text).collect();
            assert_eq!(names.join(" "), expected, "{column:?} {descending}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_order_is_total(
            a in "[aAbB_.0129]{0,6}", b in "[aAbB_.0129]{0,6}", c in "[aAbB_.0129]{0,6}",
        ) {
            let order = |a: &str, b: &str| natural(a.as_bytes(), b.as_bytes());
            prop_assert_eq!(order(&a, &b), order(&b, &a).reverse());
            prop_assert_eq!(order(&a, &b).is_eq(), a == b);
            if order(&a, &b).is_le() && order(&b, &c).is_le() {
                prop_assert!(order(&a, &c).is_le());
            }
        }
    }
}
