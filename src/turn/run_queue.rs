//! Which connections run without waiting for an event: those with news, those that yielded, and those that
//! wait for a disk.
//!
//! Those with news and those that yielded stand in lanes of their own, which take turns: a crowd that never
//! has enough holds up those who ask for little by half at most, and is not starved by them. Within a lane
//! who came first comes first. What a turn has no time for stays where it is.

use std::collections::{HashMap, VecDeque};

/// How many connections are let look each millisecond whether a disk has read what was asked of it: no event
/// tells. More look less often, so that looking never takes more than a part of the time.
const DISK_LOOKS_PER_MILLI: usize = 64;

/// How much memory is kept when nobody is left, in keys.
const KEYS_KEPT: usize = 256;

/// Which lane a connection stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// It has news, or was woken.
    Fresh,
    /// It had its share of a turn and wants more.
    Yielded,
    /// It runs when a disk may have read what it needs.
    AwaitingDisk,
}

/// Keys of connections.
#[derive(Debug, Default)]
pub struct RunQueue {
    fresh: VecDeque<usize>,
    yielded: VecDeque<usize>,
    awaiting_disk: VecDeque<usize>,
    /// Those who were closed while they stood in a lane, and how often: the key, which may have been given
    /// anew, is passed over when its turn comes. To look for it at once would cost a search for each.
    gone: HashMap<(Lane, usize), usize>,
    /// When those who wait for the disk last ran, milliseconds since the start.
    looked_millis: u64,
}

/// How many of each lane are still to run in a turn: those that stood there when it began.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    fresh: usize,
    yielded: usize,
    awaiting_disk: usize,
    is_fresh_next: bool,
}

impl Due {
    pub fn count(&self) -> usize {
        self.fresh + self.yielded + self.awaiting_disk
    }

    /// The lane whose turn it is.
    fn lane(&self) -> Lane {
        match (self.fresh, self.yielded, self.awaiting_disk) {
            (1.., 0, 0) => Lane::Fresh,
            (1.., ..) if self.is_fresh_next => Lane::Fresh,
            (_, 1.., _) => Lane::Yielded,
            _ => Lane::AwaitingDisk,
        }
    }
}

impl RunQueue {
    pub fn push(&mut self, key: usize, lane: Lane) {
        self.lane(lane).push_back(key);
    }

    /// Says that whoever stands in `lane` under `key` was closed.
    pub fn forget(&mut self, key: usize, lane: Lane) {
        *self.gone.entry((lane, key)).or_default() += 1;
    }

    /// Who is to run in this turn. Those who wait for the disk are among them if it is time for that, however
    /// short the turns are.
    pub fn due(&mut self, elapsed_millis: u64) -> Due {
        let is_time_to_look = elapsed_millis >= self.looked_millis + self.look_millis();
        let awaiting_disk = if is_time_to_look { self.awaiting_disk.len() } else { 0 };
        if awaiting_disk > 0 {
            self.looked_millis = elapsed_millis;
        }
        Due { fresh: self.fresh.len(), yielded: self.yielded.len(), awaiting_disk, is_fresh_next: true }
    }

    /// Takes the next of those who are `due`.
    pub fn next(&mut self, due: &mut Due) -> Option<usize> {
        while due.count() > 0 {
            let lane = due.lane();
            due.is_fresh_next = lane != Lane::Fresh;
            let left = match lane {
                Lane::Fresh => &mut due.fresh,
                Lane::Yielded => &mut due.yielded,
                Lane::AwaitingDisk => &mut due.awaiting_disk,
            };
            *left -= 1;
            let key = self.lane(lane).pop_front()?;
            if !self.is_gone(key, lane) {
                return Some(key);
            }
        }
        None
    }

    /// How long the loop may sleep, as far as these are concerned. Whatever was put off voluntarily forbids
    /// sleep: no edge will come for it.
    pub fn sleep_max_millis(&self) -> Option<u64> {
        match (self.fresh.is_empty() && self.yielded.is_empty(), self.awaiting_disk.is_empty()) {
            (false, _) => Some(0),
            (true, false) => Some(self.look_millis()),
            (true, true) => None,
        }
    }

    fn lane(&mut self, lane: Lane) -> &mut VecDeque<usize> {
        match lane {
            Lane::Fresh => &mut self.fresh,
            Lane::Yielded => &mut self.yielded,
            Lane::AwaitingDisk => &mut self.awaiting_disk,
        }
    }

    /// Whether a key that was just taken out of `lane` is that of somebody who has gone.
    fn is_gone(&mut self, key: usize, lane: Lane) -> bool {
        if self.gone.is_empty() {
            return false;
        }
        let Some(count) = self.gone.get_mut(&(lane, key)) else { return false };
        *count -= 1;
        if *count == 0 {
            self.gone.remove(&(lane, key));
        }
        true
    }

    /// From one look at the disk to the next.
    fn look_millis(&self) -> u64 {
        1 + (self.awaiting_disk.len() / DISK_LOOKS_PER_MILLI) as u64
    }

    /// Gives memory back.
    pub fn shrink(&mut self) {
        for lane in [&mut self.fresh, &mut self.yielded, &mut self.awaiting_disk] {
            lane.shrink_to(KEYS_KEPT);
        }
        self.gone.shrink_to(KEYS_KEPT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(queue: &mut RunQueue, millis: u64, count: usize) -> Vec<usize> {
        let mut due = queue.due(millis);
        std::iter::from_fn(|| queue.next(&mut due)).take(count).collect()
    }

    #[test]
    fn lanes_take_turns_and_keep_their_order() {
        let mut queue = RunQueue::default();
        for key in 0..4 {
            queue.push(key, Lane::Fresh);
            queue.push(10 + key, Lane::Yielded);
        }
        queue.push(20, Lane::AwaitingDisk);
        assert_eq!(run(&mut queue, 1, 3), [0, 10, 1], "a turn that has no time for all");
        queue.push(4, Lane::Fresh);
        queue.push(5, Lane::Fresh);
        assert_eq!(run(&mut queue, 9, 9), [2, 11, 3, 12, 4, 13, 5, 20]);
        assert_eq!(queue.sleep_max_millis(), None);
    }

    #[test]
    fn one_lane_runs_alone_where_the_others_are_empty() {
        let mut queue = RunQueue::default();
        (0..3).for_each(|key| queue.push(key, Lane::Yielded));
        queue.push(7, Lane::Fresh);
        assert_eq!(run(&mut queue, 0, 9), [7, 0, 1, 2]);
    }

    #[test]
    fn who_is_queued_while_a_turn_runs_waits_for_the_next() {
        let mut queue = RunQueue::default();
        queue.push(1, Lane::Fresh);
        let mut due = queue.due(0);
        assert_eq!(queue.next(&mut due), Some(1));
        queue.push(1, Lane::Fresh);
        queue.push(2, Lane::Yielded);
        assert_eq!(queue.next(&mut due), None);
        assert_eq!(queue.sleep_max_millis(), Some(0));
    }

    #[test]
    fn who_was_closed_is_passed_over_and_its_key_given_anew() {
        let mut queue = RunQueue::default();
        for lane in [Lane::Fresh, Lane::Yielded, Lane::AwaitingDisk] {
            queue.push(1, lane);
            queue.forget(1, lane);
            queue.push(1, lane);
            queue.push(2, lane);
        }
        assert_eq!(run(&mut queue, 1, 9), [1, 1, 2, 2, 1, 2]);
        assert!(queue.gone.is_empty());
    }

    #[test]
    fn the_disk_is_looked_at_once_a_millisecond_and_less_often_by_many() {
        let mut queue = RunQueue::default();
        assert_eq!(queue.sleep_max_millis(), None);
        queue.push(7, Lane::AwaitingDisk);
        assert_eq!(queue.sleep_max_millis(), Some(1));
        assert_eq!(run(&mut queue, 5, 9), [7]);
        queue.push(7, Lane::AwaitingDisk);
        assert_eq!(queue.due(5).count(), 0, "twice in a millisecond");
        assert_eq!(run(&mut queue, 6, 9), [7]);
        (0..640).for_each(|key| queue.push(key, Lane::AwaitingDisk));
        assert_eq!((queue.due(16).count(), queue.sleep_max_millis()), (0, Some(11)));
        assert_eq!(queue.due(17).count(), 640);
    }
}
