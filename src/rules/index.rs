//! Which rules may match a path, without asking them all.
//!
//! Rules are numbered in the order of their file. Those for one path are found by that path, the others by
//! the literal segments they start with: for `docs/v1/a` that is one look for the path itself, and one each
//! for what starts with nothing, `docs`, `docs/v1` and so on, but no deeper than any rule goes. What is found
//! in one look is in order, so the first match of all is the first of the first matches.
//!
//! A path with a slash at its end is found by a rule without it, and the other way round, except where there
//! is a rule that has it as it was asked for: `/a /x` and `/a/ /y` are two rules, and each has its own path.

use std::collections::HashMap;

use super::pattern::Pattern;

/// Rules by what they start with.
#[derive(Debug, Default)]
pub struct Index {
    /// Rules for one path, by that path without a slash at its end.
    literals: HashMap<Box<[u8]>, Spellings>,
    /// All others, by the whole segments they start with.
    starts: HashMap<Box<[u8]>, Vec<u32>>,
    /// Segments of the longest start.
    depth: usize,
}

/// The rules for one path, each list in order.
#[derive(Debug, Default)]
struct Spellings {
    without_slash: Vec<u32>,
    with_slash: Vec<u32>,
}

impl Index {
    /// Adds a rule. Numbers must come in order.
    pub fn add(&mut self, number: u32, pattern: &Pattern) {
        if let Some(literal) = pattern.literal() {
            let spellings = self.literals.entry(literal.into()).or_default();
            match pattern.ends_in_slash() {
                true => spellings.with_slash.push(number),
                false => spellings.without_slash.push(number),
            }
            return;
        }
        let start = pattern.literal_start();
        self.starts.entry(start.into()).or_default().push(number);
        self.depth = self.depth.max(ends_of_starts(start).count());
    }

    /// The numbers of all rules that may match `path`, in lists that are in order.
    pub fn lists<'a>(&'a self, path: &'a [u8]) -> impl Iterator<Item = &'a [u32]> {
        let trimmed = path.strip_suffix(b"/").unwrap_or(path);
        let has_slash = trimmed.len() < path.len();
        let literals = self.literals.get(trimmed).map(|spellings| {
            let (asked, other) = match has_slash {
                true => (&spellings.with_slash, &spellings.without_slash),
                false => (&spellings.without_slash, &spellings.with_slash),
            };
            if asked.is_empty() { &other[..] } else { &asked[..] }
        });
        let starts = self.starts(trimmed).filter_map(|start| Some(&self.starts.get(start)?[..]));
        literals.into_iter().chain(starts)
    }

    /// What `path`, without a slash at its end, starts with, as far as there may be a rule for that.
    fn starts<'a>(&self, path: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let starts = ends_of_starts(path).take(self.depth).map(|end| &path[..end]);
        std::iter::once(&b""[..]).chain(starts)
    }
}

/// Where the first segment of `path` ends, the second, and so on; the path has no slash at its end.
fn ends_of_starts(path: &[u8]) -> impl Iterator<Item = usize> {
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    slashes.chain((!path.is_empty()).then_some(path.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(patterns: &[&str]) -> Index {
        let mut index = Index::default();
        for (number, pattern) in (0..).zip(patterns) {
            index.add(number, &Pattern::parse(pattern.as_bytes()).expect(pattern));
        }
        index
    }

    #[test]
    fn finds_all_that_may_match() {
        let index =
            index(&["/a/b", "/a/*", "/*", "/a/b/:c", "/:x/b", "/a/b/*", "/b/*", "/a/b", "/", "/a/b*"]);
        for (path, expected) in [
            ("", vec![8, 2, 4]),
            ("a/b", vec![0, 7, 2, 4, 1, 9, 3, 5]),
            ("a/b/", vec![0, 7, 2, 4, 1, 9, 3, 5]),
            ("a/b/c/d", vec![2, 4, 1, 9, 3, 5]),
            ("a", vec![2, 4, 1, 9]),
            ("ab", vec![2, 4]),
            ("b/", vec![2, 4, 6]),
        ] {
            let found: Vec<u32> = index.lists(path.as_bytes()).flatten().copied().collect();
            assert_eq!(found, expected, "{path}");
            assert!(index.lists(path.as_bytes()).all(<[u32]>::is_sorted), "{path}");
        }
    }

    #[test]
    fn a_slash_counts_only_where_there_is_a_choice() {
        let index = index(&["/a", "/a/", "/b", "/c/"]);
        for (path, expected) in [("a", [0]), ("a/", [1]), ("b", [2]), ("b/", [2]), ("c", [3]), ("c/", [3])] {
            let found: Vec<u32> = index.lists(path.as_bytes()).flatten().copied().collect();
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn looks_no_deeper_than_the_rules_go() {
        let index = index(&["/a/b/*", "/c/d/e/f/g"]);
        assert_eq!(index.depth, 2);
        let path = b"a/b/".repeat(1000);
        assert_eq!(index.starts(&path).count(), 3);
        assert_eq!(index.lists(&path).flatten().count(), 1);
    }
}
