//! The path of a request, with its slashes at hand: thousands of rules may ask where its segments end.

use std::cell::OnceCell;

/// Bytes of a path whose slashes are marked. A target has no more; what is behind is searched through.
const MARKED_BYTES: usize = 8 * 1024;
const WORD_BITS: usize = u64::BITS as usize;
const WORDS: usize = MARKED_BYTES / WORD_BITS;

/// A normalised path. Where a segment ends is told in the same time, however long the path is.
#[derive(Debug)]
pub struct Path<'a> {
    pub bytes: &'a [u8],
    slashes: OnceCell<Slashes>,
}

/// A bit for each byte, set for a slash; and a bit for each word of these that has one set.
#[derive(Debug)]
struct Slashes {
    words: [u64; WORDS],
    occupied: u128,
}

impl<'a> Path<'a> {
    pub fn new(bytes: &'a [u8]) -> Path<'a> {
        Path { bytes, slashes: OnceCell::new() }
    }

    /// The path without a slash at its end.
    pub fn trimmed(&self) -> &'a [u8] {
        self.bytes.strip_suffix(b"/").unwrap_or(self.bytes)
    }

    /// Where the segment that `at` is in ends: at the first slash from there on, or with the path.
    pub fn segment_end(&self, at: usize) -> usize {
        if let Some(slash) = self.slashes().next(at) {
            return slash;
        }
        let from = at.max(MARKED_BYTES).min(self.bytes.len());
        let slash = self.bytes[from..].iter().position(|&byte| byte == b'/');
        slash.map_or(self.bytes.len(), |slash| from + slash)
    }

    /// Where the segment that ends at `end` starts: behind the last slash before that, or with the path.
    pub fn segment_start(&self, end: usize) -> usize {
        let from = end.min(MARKED_BYTES);
        let slash = self.bytes[from..end].iter().rposition(|&byte| byte == b'/').map(|slash| from + slash);
        slash.or_else(|| self.slashes().last_before(from)).map_or(0, |slash| slash + 1)
    }

    fn slashes(&self) -> &Slashes {
        self.slashes.get_or_init(|| Slashes::of(self.bytes))
    }
}

impl Slashes {
    fn of(path: &[u8]) -> Slashes {
        let mut slashes = Slashes { words: [0; WORDS], occupied: 0 };
        for (index, chunk) in path.chunks(WORD_BITS).take(WORDS).enumerate() {
            let word = chunk.iter().rev().fold(0, |word, &byte| word << 1 | u64::from(byte == b'/'));
            slashes.words[index] = word;
            slashes.occupied |= u128::from(word != 0) << index;
        }
        slashes
    }

    /// The first marked slash that is not before `at`.
    fn next(&self, at: usize) -> Option<usize> {
        let index = at / WORD_BITS;
        let here = self.words.get(index)? >> (at % WORD_BITS);
        if here != 0 {
            return Some(at + here.trailing_zeros() as usize);
        }
        let behind = self.occupied.checked_shr(index as u32 + 1).filter(|occupied| *occupied != 0)?;
        let index = index + 1 + behind.trailing_zeros() as usize;
        Some(index * WORD_BITS + self.words[index].trailing_zeros() as usize)
    }

    /// The last marked slash before `end`.
    fn last_before(&self, end: usize) -> Option<usize> {
        let last_bit = |word: u64| WORD_BITS - 1 - word.leading_zeros() as usize;
        let index = end / WORD_BITS;
        let here = self.words.get(index).map_or(0, |word| word & !(u64::MAX << (end % WORD_BITS)));
        if here != 0 {
            return Some(index * WORD_BITS + last_bit(here));
        }
        let before = match index {
            WORDS.. => self.occupied,
            _ => self.occupied & !(u128::MAX << index),
        };
        let index = before.checked_ilog2()? as usize;
        Some(index * WORD_BITS + last_bit(self.words[index]))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn assert_told(bytes: &[u8], places: impl Iterator<Item = usize>) {
        let path = Path::new(bytes);
        for at in places {
            let behind = bytes[at..].iter().position(|&byte| byte == b'/');
            assert_eq!(path.segment_end(at), behind.map_or(bytes.len(), |slash| at + slash), "{at}");
            let before = bytes[..at].iter().rposition(|&byte| byte == b'/');
            assert_eq!(path.segment_start(at), before.map_or(0, |slash| slash + 1), "{at}");
        }
    }

    #[test]
    fn segments_end_where_a_search_says() {
        for bytes in [&b""[..], b"/", b"a", b"a/b/c", &b"a".repeat(64), &b"/".repeat(200)] {
            assert_told(bytes, 0..=bytes.len());
        }
        // On both sides of what is marked.
        for slashes in [&[0][..], &[63, 64, 65], &[8191], &[8192], &[8191, 8192, 8193], &[8999], &[]] {
            let mut bytes = b"a".repeat(9000);
            slashes.iter().for_each(|slash| bytes[*slash] = b'/');
            assert_told(&bytes, (0..=9000).step_by(61).chain(slashes.iter().flat_map(|&at| [at, at + 1])));
            assert_told(&bytes[..8192], (0..=8192).step_by(61));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn of_any_path(path in "(a{0,90}/){0,9}a{0,90}") {
            assert_told(path.as_bytes(), 0..=path.len());
        }
    }
}
