//! Which connections run without waiting for an event: those that yielded, and those that wait for a disk.

use std::time::Duration;

/// How often it is looked whether a disk has read what was asked of it: no event tells.
const DISK_LOOK: Duration = Duration::from_millis(1);

/// Keys of connections, each at one place at most.
#[derive(Debug, Default)]
pub struct RunQueue {
    /// To run in this turn.
    pub ready: Vec<usize>,
    /// To run when the disk may have read what they need.
    pub awaiting_disk: Vec<usize>,
    /// When those last ran, milliseconds since the start.
    looked_millis: u128,
}

impl RunQueue {
    /// Lets those who wait for the disk try again, once a millisecond however short the turns are.
    pub fn look_at_disk(&mut self, elapsed_millis: u128) {
        if elapsed_millis != self.looked_millis && !self.awaiting_disk.is_empty() {
            self.looked_millis = elapsed_millis;
            self.ready.append(&mut self.awaiting_disk);
        }
    }

    /// How long the loop may sleep, as far as these are concerned. Whatever was put off voluntarily forbids
    /// sleep: no edge will come for it.
    pub fn sleep_max(&self) -> Option<Duration> {
        match (self.ready.is_empty(), self.awaiting_disk.is_empty()) {
            (false, _) => Some(Duration::ZERO),
            (true, false) => Some(DISK_LOOK),
            (true, true) => None,
        }
    }

    /// Gives memory back.
    pub fn shrink_to(&mut self, count: usize) {
        self.ready.shrink_to(count);
        self.awaiting_disk.shrink_to(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_is_looked_at_once_a_millisecond() {
        let mut queue = RunQueue::default();
        assert_eq!(queue.sleep_max(), None);
        queue.awaiting_disk.push(7);
        assert_eq!(queue.sleep_max(), Some(DISK_LOOK));
        queue.look_at_disk(5);
        assert_eq!((queue.ready.as_slice(), queue.sleep_max()), (&[7][..], Some(Duration::ZERO)));
        queue.awaiting_disk.append(&mut queue.ready);
        queue.look_at_disk(5);
        assert!(queue.ready.is_empty(), "twice in a millisecond");
        queue.look_at_disk(6);
        assert_eq!(queue.ready, [7]);
    }
}
