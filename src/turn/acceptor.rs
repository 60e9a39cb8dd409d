//! The door: which listener is asked next, and when asking pauses.

use std::io::{self, ErrorKind};

use crate::clock::Tick;
use crate::net::peer::Peer;
use crate::net::socket::Listener;
use crate::responder::Door;

/// How many connections that broke before they were accepted are passed over at once.
const BROKEN_MAX: usize = 64;
/// After so many of them and nobody whole, it may be the call that fails, for ever: asking pauses.
const BROKEN_IN_A_ROW_MAX: usize = 1024;

/// The listeners of a server.
#[derive(Debug)]
pub struct Acceptor<L> {
    listeners: Vec<L>,
    /// How many of them are for everybody. Behind them stand those of the status page.
    public_count: usize,
    /// Which of them is asked: not always the same first, or a flood on one would starve the others.
    current: usize,
    /// How many of them, up to the current one, have nobody waiting.
    empty_count: usize,
    /// Connections may be waiting: set by an edge, cleared when nobody is left.
    is_ready: bool,
    /// No descriptor or memory was left for another connection: asking waits for this tick, or until a
    /// connection closes.
    paused_until: Tick,
    /// Why asking paused, if that has not been told.
    pause: Option<io::Error>,
    /// Connections that broke since the last one that was whole.
    broken_in_a_row: usize,
}

impl<L: Listener> Acceptor<L> {
    pub fn new(listeners: Vec<L>) -> Acceptor<L> {
        Acceptor {
            public_count: listeners.len(),
            listeners,
            current: 0,
            empty_count: 0,
            is_ready: false,
            paused_until: 0,
            pause: None,
            broken_in_a_row: 0,
        }
    }

    /// Those that are for everybody.
    pub fn listeners(&self) -> &[L] {
        &self.listeners[..self.public_count]
    }

    /// Those at which the server is looked at.
    pub fn status_listeners(&self) -> &[L] {
        &self.listeners[self.public_count..]
    }

    /// Adds one at which the server is looked at.
    pub fn add_status(&mut self, listener: L) {
        self.listeners.push(listener);
    }

    /// Closes the listeners that are for everybody: who waits in their backlogs is refused.
    pub fn close(&mut self) {
        self.listeners.drain(..self.public_count);
        (self.public_count, self.current) = (0, 0);
        self.mark_ready();
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
    pub fn next(&mut self, tick: Tick) -> Option<(L::Socket, Peer, Door)> {
        let mut broken = 0;
        while self.is_ready && tick >= self.paused_until && broken < BROKEN_MAX {
            match self.listeners.get_mut(self.current)?.accept() {
                Ok((socket, peer)) => {
                    // One that had a connection is not known to be empty any more.
                    self.empty_count = 0;
                    self.broken_in_a_row = 0;
                    let door = if self.current < self.public_count { Door::Public } else { Door::Status };
                    return Some((socket, peer, door));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.empty_count += 1;
                    self.broken_in_a_row = 0;
                    self.is_ready = self.empty_count < self.listeners.len();
                    self.turn_to_next();
                }
                Err(error) if is_of_one_connection(&error) => {
                    log::debug!("not accepted: {error}");
                    broken += 1;
                    self.broken_in_a_row += 1;
                    if self.broken_in_a_row >= BROKEN_IN_A_ROW_MAX {
                        self.pause(error, tick);
                    }
                }
                Err(error) => self.pause(error, tick),
            }
        }
        None
    }

    fn pause(&mut self, error: io::Error, tick: Tick) {
        self.paused_until = tick + 1;
        self.pause = Some(error);
    }

    /// Why asking has paused since the last call, if it has.
    pub fn take_pause(&mut self) -> Option<io::Error> {
        self.pause.take()
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
    use crate::net::socket::StreamSocket;

    /// Whoever comes breaks off before being accepted, without end. Counts how often it was asked.
    struct BrokenCrowd(usize);

    impl Listener for BrokenCrowd {
        type Socket = StreamSocket;

        fn accept(&mut self) -> io::Result<(StreamSocket, Peer)> {
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

    #[test]
    fn a_call_that_always_fails_is_not_made_for_ever() {
        let mut acceptor = Acceptor::new(vec![BrokenCrowd(0)]);
        acceptor.mark_ready();
        for _ in 0..10 * BROKEN_IN_A_ROW_MAX {
            assert!(acceptor.next(1).is_none());
        }
        assert_eq!(acceptor.listeners()[0].0, BROKEN_IN_A_ROW_MAX);
        assert_eq!(acceptor.wake_tick(), Some(2), "the loop may sleep");
        assert!(acceptor.take_pause().is_some() && acceptor.take_pause().is_none());
        // It is tried again, once a second.
        assert!(acceptor.next(2).is_none() && acceptor.next(2).is_none());
        assert_eq!(acceptor.listeners()[0].0, BROKEN_IN_A_ROW_MAX + 1);
    }
}
