//! The door: which listener is asked next, and when asking pauses.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use mio::net::TcpListener;
use mio::{Interest, Registry, Token};

use crate::clock::Tick;
use crate::limits::Limits;
use crate::net::listener;
use crate::net::socket::TcpSocket;

/// The listeners of a server.
#[derive(Debug)]
pub struct Acceptor {
    listeners: Vec<TcpListener>,
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

impl Acceptor {
    /// Listens on `port` of `binds`, and polls with tokens that count down from `first_token`.
    pub fn open(
        binds: &[String],
        port: u16,
        limits: &Limits,
        registry: &Registry,
        first_token: usize,
    ) -> io::Result<Acceptor> {
        let mut listeners = listener::listen(binds, port, limits)?;
        for (index, listener) in listeners.iter_mut().enumerate() {
            registry.register(listener, Token(first_token - index), Interest::READABLE)?;
        }
        Ok(Acceptor { listeners, current: 0, empty_count: 0, is_ready: false, paused_until: 0 })
    }

    pub fn local_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        self.listeners.iter().map(TcpListener::local_addr).collect()
    }

    /// How many listeners there are.
    pub fn listeners(&self) -> usize {
        self.listeners.len()
    }

    /// Closes the listeners: who waits in their backlogs is refused.
    pub fn close(&mut self) {
        self.listeners.clear();
        self.is_ready = false;
    }

    /// The poll has told of somebody.
    pub fn mark_ready(&mut self) {
        self.is_ready = true;
        self.empty_count = 0;
    }

    /// When [`next`](Acceptor::next) is worth a call again; `None` if only an edge can tell.
    pub fn wake_tick(&self) -> Option<Tick> {
        self.is_ready.then_some(self.paused_until)
    }

    /// The next connection, if one can be had now.
    pub fn next(&mut self, tick: Tick) -> Option<(TcpSocket, SocketAddr)> {
        while self.is_ready && tick >= self.paused_until {
            let listener = self.listeners.get(self.current)?;
            match listener.accept() {
                Ok((stream, address)) => return Some((stream.into(), address)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.empty_count += 1;
                    self.is_ready = self.empty_count < self.listeners.len();
                    self.turn_to_next();
                }
                Err(error) if is_of_one_connection(&error) => log::debug!("not accepted: {error}"),
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
