//! The turn of the loop: poll → clock → mark → run → deadlines → accept.
//!
//! Knows mio and the slab of connections, and no HTTP. Events are hints: they set flags and put connections
//! into the run queue; the loop then runs each at its own pace, with a budget.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

use crate::access_log::AccessLog;
use crate::clock::{Clock, Tick};
use crate::config::Config;
use crate::connection::{Buffers, Connection, Readiness, Verdict};
use crate::limits::{self, Limits};
use crate::net::listener;
use crate::net::socket::{TcpSocket, client_address};
use crate::session::Turn;
use crate::site::Site;
use crate::slot::{Slot, readiness};
use crate::stop::{StopHandle, Stops};

/// Events taken from the kernel at once.
const EVENTS_MAX: usize = 1024;
/// Slots that are not given back when nobody is left.
const SLOTS_KEPT: usize = 256;
/// Connections have their slab key as token; these stand above all keys.
const WAKER: Token = Token(usize::MAX);
const SIGNALS: Token = Token(usize::MAX - 1);
const LOG: Token = Token(usize::MAX - 2);
/// The token of the first listener; the others count down from it.
const FIRST_LISTENER: usize = usize::MAX - 3;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Serving,
    /// No new connections; answers under way are finished until this tick.
    Draining(Tick),
    Stopped,
}

/// A static web server, bound and ready to [`run`](Server::run).
pub struct Server {
    poll: Poll,
    events: Events,
    listeners: Vec<TcpListener>,
    /// Which of them is asked first: not always the same, or a flood on one would starve the others.
    first_listener: usize,
    /// Connections may be waiting: set by an edge, cleared by `WouldBlock`.
    accept_ready: bool,
    /// No descriptor or memory was left for another connection: accepting waits for this tick, or until a
    /// connection closes.
    accept_paused_until: Tick,
    slots: Slab<Slot>,
    connections_max: usize,
    run_queue: Vec<usize>,
    /// No connection's time is up before this tick.
    next_deadline: Tick,
    buffers: Buffers,
    site: Site,
    access_log: AccessLog,
    clock: Clock,
    limits: Limits,
    state: State,
    stops: Stops,
}

impl Server {
    /// Opens the folder and the listening sockets. Errors say what failed, on what, and what to try.
    pub fn bind(config: Config) -> io::Result<Server> {
        let Config { binds, port, folder, access_log, site, limits } = config;
        limits.check()?;
        let site = Site::open(&folder, &site, &limits)?;
        let mut listeners = listener::listen(&binds, port)?;
        let poll = Poll::new()?;
        for (index, listener) in listeners.iter_mut().enumerate() {
            poll.registry().register(listener, Token(FIRST_LISTENER - index), Interest::READABLE)?;
        }
        let stops = Stops::new(poll.registry(), WAKER)?;
        let access_log = if access_log { AccessLog::to_stdout()? } else { AccessLog::off() };
        access_log.register(poll.registry(), LOG);
        Ok(Server {
            poll,
            events: Events::with_capacity(EVENTS_MAX),
            listeners,
            first_listener: 0,
            accept_ready: false,
            accept_paused_until: 0,
            slots: Slab::new(),
            connections_max: limits::connections_max(limits::open_files()),
            run_queue: Vec::new(),
            next_deadline: Tick::MAX,
            buffers: Buffers::new(&limits),
            site,
            access_log,
            clock: Clock::start(),
            limits,
            state: State::Serving,
            stops,
        })
    }

    /// The addresses listened on, with the port that was taken.
    pub fn local_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        self.listeners.iter().map(TcpListener::local_addr).collect()
    }

    /// Stops this server from elsewhere.
    pub fn stop_handle(&self) -> StopHandle {
        self.stops.handle()
    }

    /// Makes SIGINT and SIGTERM stop this server: the first finishes the answers under way, the second ends
    /// at once. For programs that are the server; a library leaves signals to its host.
    pub fn stop_on_signals(&mut self) -> io::Result<()> {
        self.stops.listen_to_signals(self.poll.registry(), SIGNALS)
    }

    /// Serves until stopped.
    pub fn run(mut self) -> io::Result<()> {
        while self.state != State::Stopped {
            self.turn()?;
        }
        self.access_log.finish();
        Ok(())
    }

    fn turn(&mut self) -> io::Result<()> {
        self.wait()?;
        self.clock.read();
        self.site.recheck();
        self.mark_events();
        self.run_queued();
        self.close_overdue();
        self.accept();
        self.finish_drain();
        Ok(())
    }

    /// Sleeps until there is something to do. All gathered log lines are written before.
    fn wait(&mut self) -> io::Result<()> {
        self.access_log.flush();
        let timeout = self.timeout();
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() != ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
        }
    }

    /// How long the loop may sleep. Whatever was put off voluntarily forbids sleep: no edge will come for it.
    fn timeout(&self) -> Option<Duration> {
        if !self.run_queue.is_empty() {
            return Some(Duration::ZERO);
        }
        let mut wake = self.next_deadline;
        if self.accept_ready {
            wake = wake.min(self.accept_paused_until);
        }
        if let State::Draining(end) = self.state {
            wake = wake.min(end);
        }
        if !self.access_log.is_empty() {
            wake = wake.min(self.clock.now().tick + 1);
        }
        (wake != Tick::MAX).then(|| self.clock.until(wake))
    }
}

impl Server {
    fn mark_events(&mut self) {
        let mut may_stop = false;
        for event in &self.events {
            match event.token() {
                WAKER | SIGNALS => may_stop = true,
                // Its reader has taken something. What waits is written before the next sleep, as always.
                LOG => {}
                Token(token) if token > FIRST_LISTENER - self.listeners.len() => self.accept_ready = true,
                // A key whose connection is gone belongs to nobody: keys are given anew only after this.
                Token(key) => {
                    if let Some(slot) = self.slots.get_mut(key) {
                        slot.connection.mark(readiness(event));
                        slot.queue(key, &mut self.run_queue);
                    }
                }
            }
        }
        if may_stop {
            for _ in 0..self.stops.take() {
                self.stop();
            }
        }
    }

    /// First stops accepting, then, if asked again, everything.
    fn stop(&mut self) {
        if self.state != State::Serving {
            self.state = State::Stopped;
            return;
        }
        log::debug!("stopping: {} connections open", self.slots.len());
        self.listeners.clear();
        // One more than asked for: the tick under way is a part of a second only.
        self.state = State::Draining(self.clock.now().tick + self.limits.drain_secs + 1);
        // What has arrived already is still answered.
        for (key, slot) in &mut self.slots {
            slot.connection.mark(Readiness { readable: true, ..Readiness::default() });
            slot.queue(key, &mut self.run_queue);
        }
    }

    /// Runs the connections queued so far. Those that yield are queued for the next turn.
    fn run_queued(&mut self) {
        let due = self.run_queue.len();
        for index in 0..due {
            self.run_one(self.run_queue[index]);
        }
        self.run_queue.drain(..due);
    }

    fn run_one(&mut self, key: usize) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        slot.is_queued = false;
        let mut turn = Turn {
            now: self.clock.now(),
            limits: &self.limits,
            site: &mut self.site,
            access_log: &mut self.access_log,
            is_draining: self.state != State::Serving,
        };
        match slot.connection.run(&mut self.buffers, &mut turn) {
            Verdict::Close => self.close(key),
            Verdict::Yield => slot.queue(key, &mut self.run_queue),
            Verdict::Park(_) if turn.is_draining && slot.connection.is_waiting() => self.close(key),
            Verdict::Park(edge) => {
                let deadline = slot.connection.deadline();
                self.next_deadline = self.next_deadline.min(deadline);
                if let Err(error) = slot.register(self.poll.registry(), Token(key), edge) {
                    log::debug!("connection closed: cannot poll it: {error}");
                    self.close(key);
                }
            }
        }
    }

    fn close(&mut self, key: usize) {
        self.slots.remove(key);
        self.room_was_made();
    }

    /// Connections have gone: others may come, and a crowd that has left leaves no memory behind.
    fn room_was_made(&mut self) {
        self.accept_paused_until = 0;
        if self.slots.is_empty() && self.slots.capacity() > SLOTS_KEPT {
            self.slots = Slab::new();
            self.run_queue.shrink_to(SLOTS_KEPT);
        }
    }

    /// Closes the connections whose time is up.
    ///
    /// A sweep over all slots, at most one a second and only when the earliest deadline has come. A wheel or
    /// a heap would have to be told at every request, and requests are many where expiries are few.
    fn close_overdue(&mut self) {
        let tick = self.clock.now().tick;
        if tick < self.next_deadline {
            return;
        }
        self.next_deadline = Tick::MAX;
        let count_before = self.slots.len();
        self.slots.retain(|_, slot| {
            let deadline = slot.connection.deadline();
            let is_due = deadline <= tick;
            if !is_due {
                self.next_deadline = self.next_deadline.min(deadline);
            }
            !is_due
        });
        let count_closed = count_before - self.slots.len();
        if count_closed > 0 {
            log::debug!("{count_closed} connections closed: their time was up");
            self.room_was_made();
        }
    }

    /// Accepts what is waiting, within a bound. Each connection runs at once: most have sent their request.
    fn accept(&mut self) {
        if !self.accept_ready || self.clock.now().tick < self.accept_paused_until {
            return;
        }
        let mut accepts_left = self.limits.accepts_per_turn_max;
        let (first, count) = (self.first_listener, self.listeners.len());
        for index in (first..first + count).map(|index| index % count) {
            self.first_listener = (index + 1) % count;
            loop {
                if accepts_left == 0 {
                    return;
                }
                accepts_left -= 1;
                if self.slots.len() >= self.connections_max {
                    return self.pause_accepting("as many connections as there are descriptors for");
                }
                match self.listeners[index].accept() {
                    Ok((stream, address)) => self.admit(stream.into(), address),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) if is_of_one_connection(&error) => log::debug!("not accepted: {error}"),
                    Err(error) => return self.pause_accepting(&error.to_string()),
                }
            }
        }
        self.accept_ready = false;
    }

    fn pause_accepting(&mut self, reason: &str) {
        log::debug!("accepting pauses: {reason}");
        self.accept_paused_until = self.clock.now().tick + 1;
    }

    fn admit(&mut self, socket: TcpSocket, address: SocketAddr) {
        // Its request may be younger than what was checked in this turn so far.
        self.site.recheck();
        let client = client_address(address);
        let connection = Connection::new(socket, client, self.clock.now(), &self.limits);
        let key = self.slots.insert(Slot::new(connection));
        self.run_one(key);
    }

    fn finish_drain(&mut self) {
        if let State::Draining(end) = self.state
            && (self.slots.is_empty() || self.clock.now().tick >= end)
        {
            self.state = State::Stopped;
        }
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
