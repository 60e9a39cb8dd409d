//! What a run of a connection came to, for the loop.

use std::fmt::{self, Display};

use crate::net::socket::Edge;

/// What is to become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing to do until an edge of this kind, or until it is woken.
    Park(Edge),
    /// There is more to do, and it is the others' turn.
    Yield,
    /// There is more to do when a disk has read it, or the site its rules. No event tells of that.
    AwaitDisk,
    /// It is over.
    Close,
}

impl Verdict {
    pub fn told(self) -> &'static str {
        match self {
            Verdict::Park(Edge::Readable) => "parked until it is readable",
            Verdict::Park(Edge::Writable) => "parked until it is writable",
            Verdict::Yield => "yields: it has had its share of the turn",
            Verdict::AwaitDisk => "waits for a disk",
            Verdict::Close => "over",
        }
    }
}

impl Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.told())
    }
}
