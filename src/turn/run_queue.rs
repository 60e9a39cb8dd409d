//! Which connections run without waiting for an event: those that yielded, and those that wait for a disk.

/// How many connections are let look each millisecond whether a disk has read what was asked of it: no event
/// tells. More look less often, so that looking never takes more than a part of the time.
const DISK_LOOKS_PER_MILLI: usize = 64;

/// How much memory is kept when nobody is left, in keys.
const KEYS_KEPT: usize = 256;

/// Keys of connections. Whoever is closed is [forgotten](RunQueue::forget): its key may be given anew.
#[derive(Debug, Default)]
pub struct RunQueue {
    /// To run in this turn.
    pub ready: Vec<usize>,
    /// To run when the disk may have read what they need.
    pub awaiting_disk: Vec<usize>,
    /// When those last ran, milliseconds since the start.
    looked_millis: u64,
}

impl RunQueue {
    /// Lets those who wait for the disk try again, if it is time for that however short the turns are.
    pub fn look_at_disk(&mut self, elapsed_millis: u64) {
        let is_due = elapsed_millis >= self.looked_millis + self.look_millis();
        if is_due && !self.awaiting_disk.is_empty() {
            self.looked_millis = elapsed_millis;
            self.ready.append(&mut self.awaiting_disk);
        }
    }

    /// How long the loop may sleep, as far as these are concerned. Whatever was put off voluntarily forbids
    /// sleep: no edge will come for it.
    pub fn sleep_max_millis(&self) -> Option<u64> {
        match (self.ready.is_empty(), self.awaiting_disk.is_empty()) {
            (false, _) => Some(0),
            (true, false) => Some(self.look_millis()),
            (true, true) => None,
        }
    }

    /// Takes a key out. A search through all of them, for the few that are closed while they are queued.
    pub fn forget(&mut self, key: usize) {
        self.ready.retain(|other| *other != key);
        self.awaiting_disk.retain(|other| *other != key);
    }

    /// From one look at the disk to the next.
    fn look_millis(&self) -> u64 {
        1 + (self.awaiting_disk.len() / DISK_LOOKS_PER_MILLI) as u64
    }

    /// Gives memory back.
    pub fn shrink(&mut self) {
        self.ready.shrink_to(KEYS_KEPT);
        self.awaiting_disk.shrink_to(KEYS_KEPT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_is_looked_at_once_a_millisecond_and_less_often_by_many() {
        let mut queue = RunQueue::default();
        assert_eq!(queue.sleep_max_millis(), None);
        queue.awaiting_disk.push(7);
        assert_eq!(queue.sleep_max_millis(), Some(1));
        queue.look_at_disk(5);
        assert_eq!((queue.ready.as_slice(), queue.sleep_max_millis()), (&[7][..], Some(0)));
        queue.awaiting_disk.append(&mut queue.ready);
        queue.look_at_disk(5);
        assert!(queue.ready.is_empty(), "twice in a millisecond");
        queue.look_at_disk(6);
        assert_eq!(queue.ready, [7]);
        queue.awaiting_disk.extend(0..640);
        queue.look_at_disk(16);
        assert_eq!((queue.ready.len(), queue.sleep_max_millis()), (1, Some(0)));
        queue.look_at_disk(17);
        assert_eq!(queue.ready.len(), 641);
    }
}
