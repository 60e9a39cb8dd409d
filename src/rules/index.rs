//! Which rules may match a path, without asking them all.
//!
//! Rules are numbered in the order of their file. Those for one path are found by that path, the others by
//! the literal segments they start with: for `docs/v1/a` that is one look for the path itself, and one each
//! for what starts with nothing, `docs`, `docs/v1` and so on, but no deeper than any rule goes. What is found
//! in one look is in order, so the first match of all is the first of the first matches.
//!
//! A look is by hash, and goes along with the path: what it starts with is hashed byte by byte, and has its
//! hash at each slash. The same hash is no proof, so now and then a rule is found that does not match.
//!
//! A path with a slash at its end is found by a rule without it, and the other way round, except where there
//! is a rule that has it as it was asked for: `/a /x` and `/a/ /y` are two rules, and each has its own path.

use super::pattern::Pattern;
use super::store::Store;

/// Rules by what they start with.
#[derive(Debug, Default)]
pub struct Index {
    entries: Vec<Entry>,
    /// Segments of the longest start.
    depth: usize,
}

/// A rule: its hash, then its number, so that those of one hash lie together and in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    hash: u32,
    pub number: u32,
}

/// What there is to find: rules for one path, as they were written, and all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Literal { with_slash: bool },
    Start,
}

/// Hashes bytes as they come (FNV-1a, 64 bits).
#[derive(Clone, Copy, Debug)]
struct Hasher(u64);

impl Hasher {
    fn new() -> Hasher {
        Hasher(0xcbf2_9ce4_8422_2325)
    }

    fn add(self, bytes: &[u8]) -> Hasher {
        let add = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        Hasher(bytes.iter().fold(self.0, add))
    }

    fn hash(self, kind: Kind) -> u32 {
        let end = match kind {
            Kind::Start => 0,
            Kind::Literal { with_slash: false } => 1,
            Kind::Literal { with_slash: true } => 2,
        };
        let Hasher(hash) = self.add(&[end]);
        (hash ^ hash >> 32) as u32
    }
}

impl Index {
    /// Adds a rule. It is found once [`finish`](Index::finish) was called.
    pub fn add(&mut self, number: u32, pattern: &Pattern, store: &Store) {
        let (text, kind) = match pattern.literal(store) {
            Some(literal) => (literal, Kind::Literal { with_slash: pattern.ends_in_slash() }),
            None => {
                let start = pattern.literal_start(store);
                self.depth = self.depth.max(ends_of_starts(start).count());
                (start, Kind::Start)
            }
        };
        self.entries.push(Entry { hash: Hasher::new().add(text).hash(kind), number });
    }

    /// Puts in order what was added.
    pub fn finish(&mut self) {
        self.entries.sort_unstable();
        self.entries.shrink_to_fit();
    }

    /// All rules that may match `path`, in lists that are in order. Whether one is for the one path
    /// `literal` is asked of `is_for(number, literal)`.
    pub fn lists<'a>(
        &'a self,
        path: &'a [u8],
        is_for: impl Fn(u32, &[u8]) -> bool,
    ) -> impl Iterator<Item = &'a [Entry]> {
        let trimmed = path.strip_suffix(b"/").unwrap_or(path);
        let with_slash = trimmed.len() < path.len();
        let whole = Hasher::new().add(trimmed);
        let spelled = |with_slash| self.list(whole.hash(Kind::Literal { with_slash }));
        let asked = spelled(with_slash);
        let is_spelled = asked.iter().any(|entry| is_for(entry.number, trimmed));
        let literals = if is_spelled { asked } else { spelled(!with_slash) };
        std::iter::once(literals).chain(self.starts(trimmed))
    }

    /// The rules that start with what `path`, without a slash at its end, starts with, as far as there may be
    /// a rule for that.
    fn starts<'a>(&'a self, path: &'a [u8]) -> impl Iterator<Item = &'a [Entry]> {
        let ends = std::iter::once(0).chain(ends_of_starts(path).take(self.depth));
        ends.scan((Hasher::new(), 0), |(hasher, hashed), end| {
            *hasher = hasher.add(&path[*hashed..end]);
            *hashed = end;
            Some(self.list(hasher.hash(Kind::Start)))
        })
    }

    /// The rules of one hash.
    fn list(&self, hash: u32) -> &[Entry] {
        let start = self.entries.partition_point(|entry| entry.hash < hash);
        let found = &self.entries[start..];
        let len = match found.first() {
            Some(entry) if entry.hash == hash => found.partition_point(|entry| entry.hash == hash),
            _ => 0,
        };
        &found[..len]
    }

    /// Bytes of memory on the heap.
    pub fn heap_bytes(&self) -> usize {
        size_of_val(&self.entries[..])
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

    /// An index with the patterns it is of.
    struct Indexed {
        index: Index,
        patterns: Vec<Pattern>,
        store: Store,
    }

    impl Indexed {
        fn of(patterns: &[&str]) -> Indexed {
            let mut indexed =
                Indexed { index: Index::default(), patterns: Vec::new(), store: Store::default() };
            for (number, pattern) in (0..).zip(patterns) {
                let (pattern, _) =
                    Pattern::parse(pattern.as_bytes(), &mut indexed.store).expect("a good pattern");
                indexed.index.add(number, &pattern, &indexed.store);
                indexed.patterns.push(pattern);
            }
            indexed.index.finish();
            indexed
        }

        fn lists(&self, path: &str) -> Vec<Vec<u32>> {
            let is_for = |number: u32, literal: &[u8]| {
                self.patterns[number as usize].literal(&self.store) == Some(literal)
            };
            let lists = self.index.lists(path.as_bytes(), is_for);
            lists.map(|list| list.iter().map(|entry| entry.number).collect()).collect()
        }
    }

    #[test]
    fn finds_all_that_may_match() {
        let index =
            Indexed::of(&["/a/b", "/a/*", "/*", "/a/b/:c", "/:x/b", "/a/b/*", "/b/*", "/a/b", "/", "/a/b*"]);
        for (path, expected) in [
            ("", vec![8, 2, 4]),
            ("a/b", vec![0, 7, 2, 4, 1, 9, 3, 5]),
            ("a/b/", vec![0, 7, 2, 4, 1, 9, 3, 5]),
            ("a/b/c/d", vec![2, 4, 1, 9, 3, 5]),
            ("a", vec![2, 4, 1, 9]),
            ("ab", vec![2, 4]),
            ("b/", vec![2, 4, 6]),
        ] {
            let lists = index.lists(path);
            assert_eq!(lists.concat(), expected, "{path}");
            assert!(lists.iter().all(|list| list.is_sorted()), "{path}");
        }
    }

    #[test]
    fn a_slash_counts_only_where_there_is_a_choice() {
        let index = Indexed::of(&["/a", "/a/", "/b", "/c/"]);
        for (path, expected) in [("a", [0]), ("a/", [1]), ("b", [2]), ("b/", [2]), ("c", [3]), ("c/", [3])] {
            assert_eq!(index.lists(path).concat(), expected, "{path}");
        }
    }

    #[test]
    fn a_hash_is_no_proof() {
        let mut index = Indexed::of(&["/a", "/b/"]);
        // As if `/b/` had the hash that `/a/` would have.
        let slashed = Hasher::new().add(b"a").hash(Kind::Literal { with_slash: true });
        let entry = index.index.entries.iter_mut().find(|entry| entry.number == 1).expect("an entry");
        entry.hash = slashed;
        index.index.finish();
        assert_eq!(index.lists("a/").concat(), [0]);
    }

    #[test]
    fn looks_no_deeper_than_the_rules_go() {
        let index = Indexed::of(&["/a/b/*", "/c/d/e/f/g"]);
        assert_eq!(index.index.depth, 2);
        let path = "a/b/".repeat(1000);
        assert_eq!(index.index.starts(path.as_bytes()).count(), 3);
        assert_eq!(index.lists(&path).concat().len(), 1);
    }
}
