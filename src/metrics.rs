//! What the loop counts while it runs, and what whoever looks at it is told.

use std::fmt::Write;

use crate::limits::told_bytes;
use crate::notices::Counted;

/// Counts since the start. They say nothing of connections to the status page itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Somebody may look: the clock is read once more for each response and for each turn. Else those two
    /// are not told.
    pub is_timed: bool,
    /// By the first digit of their status, from 1 to 5.
    pub responses: [u64; 5],
    /// Handed to sockets, heads included.
    pub sent_bytes: u64,
    /// The most that there were at once.
    pub connections_peak: usize,
    pub turns: u64,
    pub events: u64,
    /// How long turns took, all and the longest.
    pub busy_nanos: u64,
    pub longest_turn_nanos: u64,
    /// What the longest turn was spent on, nanoseconds by [`Lap`].
    pub longest_turn_laps: [u64; Lap::ALL.len()],
    /// The same of the turn under way, and when its last lap ended.
    laps: [u64; Lap::ALL.len()],
    lap_end: u64,
    pub latency: Latency,
}

impl Metrics {
    /// Counts a response by its status code.
    pub fn count_response(&mut self, code: u16) {
        if let Some(count) = self.responses.get_mut(usize::from(code / 100).wrapping_sub(1)) {
            *count += 1;
        }
    }

    /// In a line, after so long: `responses` were served, and how.
    pub fn told(&self, responses: u64, uptime_micros: u64) -> String {
        let mut text = format!(
            "served {}, {}, {} at most",
            Counted(responses, ["response", "responses"]),
            told_bytes(self.sent_bytes),
            Counted(self.connections_peak as u64, ["connection", "connections"]),
        );
        if self.is_timed {
            let (busy, micros) =
                (self.busy_nanos / 10 / uptime_micros.max(1), self.latency.permille_micros(990));
            // Cannot fail: writing to memory.
            let _ = write!(text, ", busy for {busy} % of the time, 99 of 100 responses within {micros} µs");
        }
        text
    }

    /// Counts a lap that has ended at `nanos` of its turn.
    pub fn count_lap(&mut self, lap: Lap, nanos: u64) {
        self.laps[lap as usize] = nanos.saturating_sub(self.lap_end);
        self.lap_end = nanos;
    }

    /// Counts how long a turn took.
    pub fn count_turn(&mut self, nanos: u64) {
        self.busy_nanos += nanos;
        if nanos > self.longest_turn_nanos {
            (self.longest_turn_nanos, self.longest_turn_laps) = (nanos, self.laps);
        }
        self.lap_end = 0;
    }
}

/// A part of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lap {
    /// What is new is noted.
    Mark,
    /// Who is queued is run.
    Run,
    /// Whose time is up is closed.
    Deadlines,
    /// Who has come is let in, and run.
    Accept,
}

impl Lap {
    pub const ALL: [Lap; 4] = [Lap::Mark, Lap::Run, Lap::Deadlines, Lap::Accept];

    pub fn name(self) -> &'static str {
        match self {
            Lap::Mark => "mark",
            Lap::Run => "run",
            Lap::Deadlines => "deadlines",
            Lap::Accept => "accept",
        }
    }
}

/// How many buckets there are: the last begins at a minute and more.
const BUCKETS: usize = 104;

/// How long things took, in buckets that are a fifth of what they are for at most: a power of two is divided
/// by four.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latency {
    counts: [u64; BUCKETS],
    pub count: u64,
    pub total_micros: u64,
    pub max_micros: u64,
}

impl Default for Latency {
    fn default() -> Latency {
        Latency { counts: [0; BUCKETS], count: 0, total_micros: 0, max_micros: 0 }
    }
}

impl Latency {
    pub fn add(&mut self, micros: u64) {
        self.counts[bucket_of(micros)] += 1;
        self.count += 1;
        self.total_micros += micros;
        self.max_micros = self.max_micros.max(micros);
    }

    /// The microseconds within which so many of a thousand were; 0 if there were none.
    pub fn permille_micros(&self, permille: u64) -> u64 {
        let rank = (self.count * permille).div_ceil(1000);
        let mut so_far = 0;
        let bucket = self.counts.iter().position(|count| {
            so_far += count;
            so_far >= rank
        });
        bucket.map_or(0, last_of).min(self.max_micros)
    }

    /// The buckets that have something: the most microseconds that are counted in each, and how many are.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> {
        let counted = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        counted.map(|(bucket, count)| (last_of(bucket), *count))
    }
}

fn bucket_of(micros: u64) -> usize {
    if micros < 4 {
        return micros as usize;
    }
    let log = micros.ilog2() as usize;
    let quarter = (micros >> (log - 2)) as usize & 3;
    (4 * (log - 1) + quarter).min(BUCKETS - 1)
}

/// The most that is counted in a bucket.
fn last_of(bucket: usize) -> u64 {
    if bucket < 4 {
        return bucket as u64;
    }
    let (shift, quarter) = (bucket / 4 - 1, (bucket % 4) as u64);
    ((5 + quarter) << shift) - 1
}

/// All that there is to tell at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// When it was taken, microseconds since the start.
    pub at_micros: u64,
    pub is_draining: bool,
    pub metrics: Metrics,
    pub connections: Bounded,
    /// What they wait for, and how many do.
    pub waiting: Vec<(&'static str, u64)>,
    /// Sockets, files and folders that are open.
    pub descriptors: Bounded,
    /// What connections keep in memory, and what the kernel is taken to keep for them.
    pub heap_bytes: Bounded,
    pub kernel_bytes: Bounded,
    pub cache: CacheCounts,
    /// Bounds that took effect: what happened, and how often.
    pub notices: Vec<(String, u64)>,
}

/// How much there is of something, and how much there may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounded {
    pub count: u64,
    pub max: u64,
}

/// Look-ups of files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// It was remembered, and still so.
    pub hits: u64,
    /// It was looked for on the disk.
    pub misses: u64,
    /// What was remembered was compared with the disk, because nothing else tells whether it has changed.
    pub comparisons: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_stand_side_by_side() {
        for micros in (0..5000).chain([1 << 20, (1 << 26) - 1]) {
            let bucket = bucket_of(micros);
            let first = if bucket == 0 { 0 } else { last_of(bucket - 1) + 1 };
            assert!((first..=last_of(bucket)).contains(&micros), "{micros} in {first}..={}", last_of(bucket));
            assert!(last_of(bucket) - first <= first / 4, "{micros}");
        }
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles_are_those_of_what_was_counted() {
        let mut latency = Latency::default();
        assert_eq!(latency.permille_micros(500), 0);
        (1..=1000).for_each(|micros| latency.add(micros));
        for (permille, exact) in [(1, 1), (500, 500), (990, 990), (1000, 1000)] {
            let told = latency.permille_micros(permille);
            assert!((exact..=exact + exact / 4).contains(&told), "{permille}: {told}");
        }
        assert_eq!((latency.permille_micros(1000), latency.max_micros, latency.count), (1000, 1000, 1000));
        assert_eq!(latency.buckets().map(|(_, count)| count).sum::<u64>(), 1000);
    }

    #[test]
    fn the_last_word_tells_how_it_went() {
        let mut metrics = Metrics { sent_bytes: 20 << 20, connections_peak: 9, ..Metrics::default() };
        assert_eq!(metrics.told(1, 5_000_000), "served 1 response, 20 MiB, 9 connections at most");
        (metrics.is_timed, metrics.busy_nanos) = (true, 2_500_000_000);
        metrics.latency.add(100);
        let expected = ", busy for 50 % of the time, 99 of 100 responses within 100 µs";
        assert!(metrics.told(1, 5_000_000).ends_with(expected), "{}", metrics.told(1, 5_000_000));
    }

    #[test]
    fn what_the_longest_turn_was_spent_on_is_kept() {
        let mut metrics = Metrics::default();
        for (ends, nanos) in [([10, 30, 31, 40], 45), ([1, 2, 90, 91], 100), ([5, 5, 5, 5], 6)] {
            Lap::ALL.into_iter().zip(ends).for_each(|(lap, end)| metrics.count_lap(lap, end));
            metrics.count_turn(nanos);
        }
        assert_eq!((metrics.busy_nanos, metrics.longest_turn_nanos), (151, 100));
        assert_eq!(metrics.longest_turn_laps, [1, 1, 88, 1]);
    }

    #[test]
    fn responses_are_counted_by_class() {
        let mut metrics = Metrics::default();
        [200, 206, 304, 404, 503, 100].into_iter().for_each(|code| metrics.count_response(code));
        assert_eq!(metrics.responses, [1, 2, 1, 1, 1]);
    }
}
