//! What was done and seen, by kind of client.

use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// More than these are counted only.
const COMPLAINTS_MAX: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Quick,
    Whole,
    Head,
    Range,
    Ranges,
    Condition,
    Variant,
    Pipeline,
    Listing,
    Changing,
    Vanishing,
    Malformed,
    Abort,
    Slow,
    Silent,
}

impl Kind {
    pub const ALL: [Kind; 15] = [
        Kind::Quick,
        Kind::Whole,
        Kind::Head,
        Kind::Range,
        Kind::Ranges,
        Kind::Condition,
        Kind::Variant,
        Kind::Pipeline,
        Kind::Listing,
        Kind::Changing,
        Kind::Vanishing,
        Kind::Malformed,
        Kind::Abort,
        Kind::Slow,
        Kind::Silent,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Quick => "1 KB, as fast as it goes",
            Kind::Whole => "whole files",
            Kind::Head => "HEAD",
            Kind::Range => "one range",
            Kind::Ranges => "several ranges",
            Kind::Condition => "conditional",
            Kind::Variant => "precompressed",
            Kind::Pipeline => "pipelines",
            Kind::Listing => "listings",
            Kind::Changing => "files that change",
            Kind::Vanishing => "files that come and go",
            Kind::Malformed => "malformed",
            Kind::Abort => "resets in mid-answer",
            Kind::Slow => "slow readers",
            Kind::Silent => "silent connections",
        }
    }
}

/// What clients of one kind have done.
#[derive(Default)]
struct Count {
    requests: AtomicU64,
    /// Of content, each compared with what it should be.
    bytes: AtomicU64,
    /// Connections that the client broke off,
    left: AtomicU64,
    /// and those that the server did, as it should.
    cut: AtomicU64,
    wrong: AtomicU64,
}

/// All of it, from all threads.
#[derive(Default)]
pub struct Tally {
    counts: [Count; Kind::ALL.len()],
    complaints: Mutex<Vec<String>>,
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

fn value(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Tally {
    fn of(&self, kind: Kind) -> &Count {
        &self.counts[kind as usize]
    }

    /// Requests that were answered as they should be, with so many bytes.
    pub fn right(&self, kind: Kind, requests: u64, bytes: u64) {
        add(&self.of(kind).requests, requests);
        add(&self.of(kind).bytes, bytes);
    }

    pub fn left(&self, kind: Kind) {
        add(&self.of(kind).left, 1);
    }

    pub fn cut(&self, kind: Kind) {
        add(&self.of(kind).cut, 1);
    }

    pub fn wrong(&self, kind: Kind, why: impl Display) {
        add(&self.of(kind).wrong, 1);
        let mut complaints = self.complaints.lock().unwrap_or_else(PoisonError::into_inner);
        if complaints.len() < COMPLAINTS_MAX {
            complaints.push(format!("{}: {why}", kind.name()));
        }
    }

    pub fn all_requests(&self) -> u64 {
        self.counts.iter().map(|count| value(&count.requests)).sum()
    }

    pub fn all_wrong(&self) -> u64 {
        self.counts.iter().map(|count| value(&count.wrong)).sum()
    }

    pub fn complaints(&self) -> Vec<String> {
        self.complaints.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What each kind of clients has done, a line each.
    pub fn table(&self) -> String {
        let line = |name: &str, cells: [&str; 5]| {
            let cells = cells.map(|cell| format!("{cell:>12}")).concat();
            format!(
                "{name:<25}{cells}
"
            )
        };
        let lines = Kind::ALL.iter().map(|kind| {
            let Count { requests, bytes, left, cut, wrong } = self.of(*kind);
            let cells = [requests, bytes, left, cut, wrong].map(|counter| value(counter).to_string());
            line(kind.name(), cells.each_ref().map(String::as_str))
        });
        line("clients", ["requests", "bytes", "left", "cut", "wrong"]) + &lines.collect::<String>()
    }
}
