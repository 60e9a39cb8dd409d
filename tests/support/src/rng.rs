//! Chance, from a seed: the same seed makes the same choices (SplitMix64).

/// A row of numbers that is settled by its seed.
#[derive(Debug)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    #[expect(clippy::should_implement_trait, reason = "an iterator is for what may end")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// From 0 to `end`, which is left out and must not be 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// From 1 to `max`, which must not be 0.
    pub fn up_to(&mut self, max: usize) -> usize {
        1 + self.below(max)
    }

    /// True once in `count` times.
    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// From 1 to one of `maxima`: small ones as well as large.
    pub fn up_to_one_of(&mut self, maxima: &[usize]) -> usize {
        let max = *self.pick(maxima);
        self.up_to(max)
    }

    /// Some of `count`, or all: most of the time one or the other end of what is possible.
    pub fn part(&mut self, count: usize) -> usize {
        match self.below(4) {
            _ if count == 0 => 0,
            0 => 1,
            1 => self.up_to(count),
            _ => count,
        }
    }
}
