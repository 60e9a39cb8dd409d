//! A connection's place in the loop: what the poll knows of it, and whether it waits to run.

use std::io;

use crate::client::connection::Connection;
use crate::net::socket::{Edge, Pollable};
use crate::turn::run_queue::{Lane, RunQueue};

/// A connection and what the loop notes of it.
#[derive(Debug)]
pub struct Slot<S> {
    pub connection: Connection<S>,
    registered: Registered,
    /// Where in the run queue it stands, if it does.
    pub lane: Option<Lane>,
}

/// The edges a socket was registered for. A connection that is over before it has to wait never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Registered {
    No,
    Readable,
    Both,
}

impl<S: Pollable> Slot<S> {
    pub fn new(connection: Connection<S>) -> Slot<S> {
        Slot { connection, registered: Registered::No, lane: None }
    }

    /// Puts the connection into the run queue, once.
    pub fn queue(&mut self, key: usize, lane: Lane, run_queue: &mut RunQueue) {
        if self.lane.is_none() {
            self.lane = Some(lane);
            run_queue.push(key, lane);
        }
    }

    /// Registers lazily: a connection that never has to wait never gets here.
    pub fn register(&mut self, registry: &S::Registry, key: usize, edge: Edge) -> io::Result<()> {
        let socket = &self.connection.socket;
        match (self.registered, edge) {
            (Registered::No, Edge::Readable) => {
                socket.register(registry, key, false)?;
                self.registered = Registered::Readable;
            }
            (Registered::No, Edge::Writable) => {
                socket.register(registry, key, true)?;
                self.registered = Registered::Both;
            }
            (Registered::Readable, Edge::Writable) => {
                socket.reregister(registry, key, true)?;
                self.registered = Registered::Both;
            }
            (Registered::Readable, Edge::Readable) | (Registered::Both, _) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::socket::StreamSocket;

    /// What the slab adds to a slot: the place of the next free one, in a slot that is not taken.
    #[expect(dead_code, reason = "only its size matters")]
    enum Entry {
        Vacant(usize),
        Occupied(Slot<StreamSocket>),
    }

    #[test]
    fn a_connection_takes_no_more_than_64_bytes() {
        assert!(size_of::<Entry>() <= 64, "{} bytes", size_of::<Entry>());
    }
}
