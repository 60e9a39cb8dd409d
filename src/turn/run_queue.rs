//! Which connections run without waiting for an event: those with news, those that yielded, and those that
//! wait for a disk.
//!
//! Those with news and those that yielded stand in lanes of their own, which take turns: a crowd that never
//! has enough holds up those who ask for little by half at most, and is not starved by them. Within a lane
//! who came first comes first. What a turn has no time for stays where it is.

use std::collections::VecDeque;

/// How many connections are let look each millisecond whether a disk has read what was asked of it: no event
/// tells. More look less often, so that looking never takes more than a part of the time.
const DISK_LOOKS_PER_MILLI: usize = 64;

/// How much memory is kept when nobody is left, in keys.
const KEYS_KEPT: usize = 256;

/// Which lane a connection stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// It has news, or was woken.
    Fresh,
    /// It had its share of a turn and wants more.
    Yielded,
    /// It runs when a disk may have read what it needs.
    AwaitingDisk,
}

/// Keys of connections.
///
/// Whoever is closed while it is queued leaves its key behind. Should that be given anew, the newcomer is run
/// once without need, which does no harm: to look for the key would cost a search for each.
#[derive(Debug, Default)]
pub struct RunQueue {
    fresh: VecDeque<usize>,
    yielded: VecDeque<usize>,
    awaiting_disk: Vec<usize>,
    /// When those last ran, milliseconds since the start.
    looked_millis: u64,
}

/// How many of each lane are still to run in a turn: those that stood there when it began.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    fresh: usize,
    yielded: usize,
    is_yielded_next: bool,
}

impl Due {
    pub fn count(&self) -> usize {
        self.fresh + self.yielded
    }
}

impl RunQueue {
    pub fn push(&mut self, key: usize, lane: Lane) {
        match lane {
            Lane::Fresh => self.fresh.push_back(key),
            Lane::Yielded => self.yielded.push_back(key),
            Lane::AwaitingDisk => self.awaiting_disk.push(key),
        }
    }

    /// Lets those who wait for the disk try again, if it is time for that however short the turns are.
    pub fn look_at_disk(&mut self, elapsed_millis: u64) {
        let is_due = elapsed_millis >= self.looked_millis + self.look_millis();
        if is_due && !self.awaiting_disk.is_empty() {
            self.looked_millis = elapsed_millis;
            self.yielded.extend(self.awaiting_disk.drain(..));
        }
    }

    /// Who is to run in this turn.
    pub fn due(&self) -> Due {
        Due { fresh: self.fresh.len(), yielded: self.yielded.len(), is_yielded_next: false }
    }

    /// Takes the next of those who are `due`.
    pub fn next(&mut self, due: &mut Due) -> Option<usize> {
        let is_yielded = due.yielded > 0 && (due.is_yielded_next || due.fresh == 0);
        due.is_yielded_next = !is_yielded;
        let (lane, left) = match is_yielded {
            true => (&mut self.yielded, &mut due.yielded),
            false => (&mut self.fresh, &mut due.fresh),
        };
        *left = left.checked_sub(1)?;
        lane.pop_front()
    }

    /// How long the loop may sleep, as far as these are concerned. Whatever was put off voluntarily forbids
    /// sleep: no edge will come for it.
    pub fn sleep_max_millis(&self) -> Option<u64> {
        match (self.due().count(), self.awaiting_disk.is_empty()) {
            (1.., _) => Some(0),
            (0, false) => Some(self.look_millis()),
            (0, true) => None,
        }
    }

    /// From one look at the disk to the next.
    fn look_millis(&self) -> u64 {
        1 + (self.awaiting_disk.len() / DISK_LOOKS_PER_MILLI) as u64
    }

    /// Gives memory back.
    pub fn shrink(&mut self) {
        self.fresh.shrink_to(KEYS_KEPT);
        self.yielded.shrink_to(KEYS_KEPT);
        self.awaiting_disk.shrink_to(KEYS_KEPT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(queue: &mut RunQueue, count: usize) -> Vec<usize> {
        let mut due = queue.due();
        std::iter::from_fn(|| queue.next(&mut due)).take(count).collect()
    }

    #[test]
    fn lanes_take_turns_and_keep_their_order() {
        let mut queue = RunQueue::default();
        for key in 0..4 {
            queue.push(key, Lane::Fresh);
            queue.push(10 + key, Lane::Yielded);
        }
        assert_eq!(run(&mut queue, 3), [0, 10, 1], "a turn that has no time for all");
        queue.push(4, Lane::Fresh);
        assert_eq!(run(&mut queue, 9), [2, 11, 3, 12, 4, 13]);
        assert_eq!(queue.sleep_max_millis(), None);
    }

    #[test]
    fn one_lane_runs_alone_where_the_other_is_empty() {
        let mut queue = RunQueue::default();
        for key in 0..3 {
            queue.push(key, Lane::Yielded);
        }
        queue.push(7, Lane::Fresh);
        assert_eq!(run(&mut queue, 9), [7, 0, 1, 2]);
    }

    #[test]
    fn who_is_queued_while_a_turn_runs_waits_for_the_next() {
        let mut queue = RunQueue::default();
        queue.push(1, Lane::Fresh);
        let mut due = queue.due();
        assert_eq!(queue.next(&mut due), Some(1));
        queue.push(1, Lane::Fresh);
        queue.push(1, Lane::Yielded);
        assert_eq!(queue.next(&mut due), None);
        assert_eq!(queue.sleep_max_millis(), Some(0));
    }

    #[test]
    fn the_disk_is_looked_at_once_a_millisecond_and_less_often_by_many() {
        let mut queue = RunQueue::default();
        assert_eq!(queue.sleep_max_millis(), None);
        queue.push(7, Lane::AwaitingDisk);
        assert_eq!(queue.sleep_max_millis(), Some(1));
        queue.look_at_disk(5);
        assert_eq!((queue.due().count(), queue.sleep_max_millis()), (1, Some(0)));
        assert_eq!(run(&mut queue, 9), [7]);
        queue.push(7, Lane::AwaitingDisk);
        queue.look_at_disk(5);
        assert_eq!(queue.due().count(), 0, "twice in a millisecond");
        queue.look_at_disk(6);
        assert_eq!(queue.due().count(), 1);
        (0..640).for_each(|key| queue.push(key, Lane::AwaitingDisk));
        queue.look_at_disk(16);
        assert_eq!((queue.due().count(), queue.sleep_max_millis()), (1, Some(0)));
        queue.look_at_disk(17);
        assert_eq!(queue.due().count(), 641);
    }
}
