//! Who has been waiting longest: connections in lists, one for each kind of wait.
//!
//! Every kind of wait has one timeout for all, so whoever joins its list last is due last, and the first is
//! always the one to look at. To join, to leave and to find who is due takes the same few steps among ten
//! connections and among a million.
//!
//! Roads not taken: a sweep over all connections once a second, which at a million takes longer than a turn
//! may; a wheel or a heap, which would have to be told of every request.

use crate::client::wait::Wait;

/// The neighbours in a ring, by index. Who is in none is alone in one of its own.
#[derive(Clone, Copy, Debug)]
struct Links {
    previous: u32,
    next: u32,
}

/// The lists. Each connection is in one at most.
///
/// A list is a ring through a place of its own. Those come first, then one for each key.
#[derive(Debug)]
pub struct Waiting(Vec<Links>);

const LISTS: usize = Wait::ALL.len();
/// So many keys can be told apart.
pub const KEYS_MAX: usize = u32::MAX as usize - LISTS;

impl Default for Waiting {
    /// Nobody waits.
    fn default() -> Waiting {
        let mut waiting = Waiting(Vec::new());
        waiting.make_place(LISTS - 1);
        waiting
    }
}

impl Waiting {
    /// Who has been waiting for `wait` longest.
    pub fn first(&self, wait: Wait) -> Option<usize> {
        self.iter(wait).next()
    }

    /// Everybody who waits for `wait`, from whoever has been waiting longest on.
    pub fn iter(&self, wait: Wait) -> impl Iterator<Item = usize> {
        let next = move |place: u32| (self.0[place as usize].next as usize).checked_sub(LISTS);
        std::iter::successors(next(wait as u32), move |key| next((key + LISTS) as u32))
    }

    /// Puts `key` at the end of a list, out of whichever it was in.
    pub fn join(&mut self, key: usize, wait: Wait) {
        debug_assert!(key < KEYS_MAX, "a key too large");
        self.make_place(key + LISTS);
        self.leave(key);
        let (place, list) = ((key + LISTS) as u32, wait as u32);
        let last = self.0[list as usize].previous;
        self.0[place as usize] = Links { previous: last, next: list };
        self.0[last as usize].next = place;
        self.0[list as usize].previous = place;
    }

    /// Takes `key` out of its list, if it is in one.
    pub fn leave(&mut self, key: usize) {
        let place = key + LISTS;
        if let Some(&Links { previous, next }) = self.0.get(place) {
            self.0[previous as usize].next = next;
            self.0[next as usize].previous = previous;
            self.0[place] = Links { previous: place as u32, next: place as u32 };
        }
    }

    /// Gives back the memory for keys when nobody waits.
    pub fn shrink(&mut self, keys: usize) {
        self.0.truncate(LISTS + keys);
        self.0.shrink_to(LISTS + keys);
    }

    fn make_place(&mut self, place: usize) {
        for index in self.0.len()..=place {
            self.0.push(Links { previous: index as u32, next: index as u32 });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    fn keys(waiting: &mut Waiting, wait: Wait) -> Vec<usize> {
        let next = || {
            let key = waiting.first(wait)?;
            waiting.leave(key);
            Some(key)
        };
        std::iter::from_fn(next).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// The lists hold what queues would: who joined first comes first, who left is gone.
        #[test]
        fn lists_are_queues_that_can_be_left(
            steps in prop::collection::vec((0..8_usize, 0..3_usize), 0..60),
        ) {
            let mut waiting = Waiting::default();
            let mut queues = [VecDeque::new(), VecDeque::new()];
            for (key, list) in steps {
                queues.iter_mut().for_each(|queue| queue.retain(|other| *other != key));
                match list {
                    2 => waiting.leave(key),
                    list => {
                        queues[list].push_back(key);
                        waiting.join(key, Wait::ALL[list]);
                    }
                }
            }
            for (list, queue) in queues.into_iter().enumerate() {
                prop_assert!(waiting.iter(Wait::ALL[list]).eq(queue.iter().copied()));
                prop_assert_eq!(keys(&mut waiting, Wait::ALL[list]), Vec::from(queue));
            }
        }
    }
}
