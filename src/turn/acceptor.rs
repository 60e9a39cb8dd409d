//! The door: which listener is asked next, and when asking pauses.

use std::io::{self, ErrorKind};

use crate::clock::Tick;
use crate::net::peer::Peer;
use crate::net::socket::Listener;

/// How many connections that broke before they were accepted are passed over at once.
const BROKEN_MAX: usize = 64;

/// The listeners of a server.
#[derive(Debug)]
pub struct Acceptor<L> {
    listeners: Vec<L>,
    /// Which of them is asked: not always the same first, or a flood on one would starve the others.
    current: usize,
    /// How many of them, up to the current one, have nobody waiting.
    empty_count: usize,
    /// Connections may be waiting: set by an edge, cleared when nobody is left.
    is_ready: bool,
    /// No descriptor or memory was left for another connection: asking waits for this tick, or until a
    /// connection closes.
    paused_until: Tick,
}

impl<L: Listener> Acceptor<L> {
    pub fn new(listeners: Vec<L>) -> Acceptor<L> {
        Acceptor { listeners, current: 0, empty_count: 0, is_ready: false, paused_until: 0 }
    }

    pub fn listeners(&self) -> &[L] {
        &self.listeners
    }

    /// Closes the listeners: who waits in their backlogs is refused.
    pub fn close(&mut self) {
        self.listeners.clear();
        self.is_ready = false;
    }

    /// The poll has told of somebody.
    pub fn mark_ready(&mut self) {
        self.is_ready = !self.listeners.is_empty();
        self.empty_count = 0;
    }

    /// When [`next`](Acceptor::next) is worth a call again; `None` if only an edge can tell.
    pub fn wake_tick(&self) -> Option<Tick> {
        self.is_ready.then_some(self.paused_until)
    }

    /// The next connection, if one can be had now.
    pub fn next(&mut self, tick: Tick) -> Option<(L::Socket, Peer)> {
        let mut broken = 0;
        while self.is_ready && tick >= self.paused_until && broken < BROKEN_MAX {
            match self.listeners.get_mut(self.current)?.accept() {
                Ok((socket, peer)) => {
                    // One that had a connection is not known to be empty any more.
                    self.empty_count = 0;
                    return Some((socket, peer));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.empty_count += 1;
                    self.is_ready = self.empty_count < self.listeners.len();
                    self.turn_to_next();
                }
                Err(error) if is_of_one_connection(&error) => {
                    log::debug!("not accepted: {error}");
                    broken += 1;
                }
                Err(error) => {
                    log::debug!("accepting pauses: {error}");
                    self.paused_until = tick + 1;
                }
            }
        }
        None
    }

    /// Another listener comes first from now on.
    pub fn turn_to_next(&mut self) {
        self.current = if self.current + 1 < self.listeners.len() { self.current + 1 } else { 0 };
    }

    /// A connection has closed: there is room again.
    pub fn resume(&mut self) {
        self.paused_until = 0;
    }
}

/// Errors of `accept` that are about the one connection and say nothing of the next (accept(2)).
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::Interrupted
            | ErrorKind::PermissionDenied
            | ErrorKind::TimedOut
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::socket::TcpSocket;

    /// Whoever comes breaks off before being accepted, without end. Counts how often it was asked.
    struct BrokenCrowd(usize);

    impl Listener for BrokenCrowd {
        type Socket = TcpSocket;

        fn accept(&mut self) -> io::Result<(TcpSocket, Peer)> {
            self.0 += 1;
            Err(ErrorKind::ConnectionAborted.into())
        }
    }

    #[test]
    fn a_crowd_that_breaks_off_does_not_hold_up_the_turn() {
        let mut acceptor = Acceptor::new(vec![BrokenCrowd(0), BrokenCrowd(0)]);
        acceptor.mark_ready();
        let mut asked_after_a_turn = || {
            assert!(acceptor.next(1).is_none());
            acceptor.turn_to_next();
            acceptor.listeners().iter().map(|crowd| crowd.0).collect::<Vec<_>>()
        };
        assert_eq!(asked_after_a_turn(), [BROKEN_MAX, 0]);
        assert_eq!(asked_after_a_turn(), [BROKEN_MAX, BROKEN_MAX], "it is the other's turn");
        assert_eq!(acceptor.wake_tick(), Some(0), "they still wait");
    }
}
