//! A connection's place in the loop: what the poll knows of it, and whether it waits to run.

use std::io;

use mio::event::Event;
use mio::{Registry, Token};

use crate::client::connection::{Connection, Edge, Readiness};
use crate::net::socket::TcpSocket;

/// A connection and what the loop notes of it.
#[derive(Debug)]
pub struct Slot {
    pub connection: Connection<TcpSocket>,
    registered: Registered,
    /// In the run queue, be it to run or to wait for the disk.
    pub is_queued: bool,
}

/// The edges a socket was registered for. A connection that is over before it has to wait never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Registered {
    No,
    Readable,
    Both,
}

impl Slot {
    pub fn new(connection: Connection<TcpSocket>) -> Slot {
        Slot { connection, registered: Registered::No, is_queued: false }
    }

    /// Puts the connection into the run queue, once.
    pub fn queue(&mut self, key: usize, run_queue: &mut Vec<usize>) {
        if !self.is_queued {
            self.is_queued = true;
            run_queue.push(key);
        }
    }

    /// What comes before the slot is dropped. An answer under way is cut by a reset: whoever gets it sees
    /// that, even where the end of the connection would be the end of the answer.
    pub fn end(&self) {
        if self.connection.has_unsent() {
            self.connection.socket.reset_when_closed();
        }
    }

    /// Registers lazily: a connection that never has to wait never gets here.
    pub fn register(&mut self, registry: &Registry, token: Token, edge: Edge) -> io::Result<()> {
        let socket = &self.connection.socket;
        match (self.registered, edge) {
            (Registered::No, Edge::Readable) => {
                socket.register(registry, token, false)?;
                self.registered = Registered::Readable;
            }
            (Registered::No, Edge::Writable) => {
                socket.register(registry, token, true)?;
                self.registered = Registered::Both;
            }
            (Registered::Readable, Edge::Writable) => {
                socket.reregister(registry, token, true)?;
                self.registered = Registered::Both;
            }
            (Registered::Readable, Edge::Readable) | (Registered::Both, _) => {}
        }
        Ok(())
    }
}

/// What an event says, in the connection's terms.
pub fn readiness(event: &Event) -> Readiness {
    let is_broken = event.is_error();
    Readiness {
        readable: event.is_readable() || is_broken,
        writable: event.is_writable() || event.is_write_closed() || is_broken,
        read_closed: event.is_read_closed() || is_broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the slab adds to a slot: the place of the next free one, in a slot that is not taken.
    #[expect(dead_code, reason = "only its size matters")]
    enum Entry {
        Vacant(usize),
        Occupied(Slot),
    }

    #[test]
    fn a_connection_takes_no_more_than_64_bytes() {
        assert!(size_of::<Entry>() <= 64, "{} bytes", size_of::<Entry>());
    }
}
