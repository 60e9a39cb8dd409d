//! The turn of the loop: poll → clock → mark → run → deadlines → accept.
//!
//! Knows mio and the connections, and no HTTP. Events are hints: they set flags and put connections
//! into the run queue; the loop then runs each at its own pace, with a budget.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::BorrowedFd;
use std::time::Duration;

use mio::{Events, Poll, Token};

use crate::access_log::AccessLog;
use crate::client::connection::{Buffers, Connection, Readiness, Verdict};
use crate::client::session::Turn;
use crate::clock::{Clock, Tick};
use crate::config::Config;
use crate::http::status::Status;
use crate::limits::Limits;
use crate::net::socket::{Socket, TcpSocket, client_address};
use crate::process::resources;
use crate::site::Site;
use crate::turn::acceptor::Acceptor;
use crate::turn::connections::{Connections, SLOTS_KEPT};
use crate::turn::run_queue::RunQueue;
use crate::turn::slot::readiness;
use crate::turn::stop::{StopHandle, Stops};

/// Events taken from the kernel at once.
const EVENTS_MAX: usize = 1024;
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
    acceptor: Acceptor,
    connections: Connections,
    run_queue: RunQueue,
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
        let limits = Limits { open_files_max: resources::open_files(), ..limits };
        limits.check()?;
        let site = Site::open(&folder, &site, &limits)?;
        let poll = Poll::new()?;
        let acceptor = Acceptor::open(&binds, port, &limits, poll.registry(), FIRST_LISTENER)?;
        let stops = Stops::new(poll.registry(), WAKER)?;
        let access_log = if access_log { AccessLog::to_stdout()? } else { AccessLog::off() };
        access_log.register(poll.registry(), LOG);
        Ok(Server {
            poll,
            events: Events::with_capacity(EVENTS_MAX),
            acceptor,
            connections: Connections::new(limits.connections(), &limits),
            run_queue: RunQueue::default(),
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
        self.acceptor.local_addrs()
    }

    /// The folder that is served.
    pub fn root_folder(&self) -> BorrowedFd<'_> {
        self.site.root_folder()
    }

    /// How many connections there may be at once.
    pub fn connections_max(&self) -> usize {
        self.connections.count_max()
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
        self.connections.slots.iter().for_each(|(_, slot)| slot.end());
        self.access_log.finish();
        Ok(())
    }

    fn turn(&mut self) -> io::Result<()> {
        let last_tick = self.clock.now().tick;
        self.wait()?;
        self.clock.read();
        self.site.recheck();
        self.mark_events();
        self.run_queue.look_at_disk(self.clock.elapsed_millis());
        self.run_queued();
        self.close_overdue(last_tick);
        self.accept();
        self.finish_drain();
        Ok(())
    }

    /// Sleeps until there is something to do. All gathered log lines are written before.
    fn wait(&mut self) -> io::Result<()> {
        self.access_log.flush();
        loop {
            let timeout = self.timeout();
            match self.poll.poll(&mut self.events, timeout) {
                // A process that was stopped and goes on has news to hear before anybody's time is up.
                Err(error) if error.kind() == ErrorKind::Interrupted => self.clock.read(),
                result => return result,
            };
        }
    }

    /// How long the loop may sleep.
    fn timeout(&self) -> Option<Duration> {
        if let Some(sleep_max) = self.run_queue.sleep_max() {
            return Some(sleep_max);
        }
        let mut wake = self.connections.next_deadline;
        if let Some(tick) = self.acceptor.wake_tick() {
            wake = wake.min(tick);
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
                Token(token) if token > FIRST_LISTENER - self.acceptor.listeners() => {
                    self.acceptor.mark_ready()
                }
                // A key whose connection is gone belongs to nobody: keys are given anew only after this.
                Token(key) => {
                    if let Some(slot) = self.connections.slots.get_mut(key) {
                        slot.connection.mark(readiness(event));
                        slot.queue(key, &mut self.run_queue.ready);
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
        log::debug!("stopping: {} connections open", self.connections.slots.len());
        self.acceptor.close();
        // One more than asked for: the tick under way is a part of a second only.
        self.state = State::Draining(self.clock.now().tick + self.limits.drain_secs + 1);
        // What has arrived already is still answered.
        for (key, slot) in &mut self.connections.slots {
            slot.connection.mark(Readiness { readable: true, ..Readiness::default() });
            slot.queue(key, &mut self.run_queue.ready);
        }
    }

    /// Runs the connections queued so far. Those that yield are queued for the next turn.
    fn run_queued(&mut self) {
        let due = self.run_queue.ready.len();
        let run_bytes_max = self.limits.run_bytes_max_of(due);
        for index in 0..due {
            self.run_one(self.run_queue.ready[index], run_bytes_max);
        }
        self.run_queue.ready.drain(..due);
    }

    fn run_one(&mut self, key: usize, run_bytes_max: usize) {
        let Some(slot) = self.connections.slots.get_mut(key) else { return };
        slot.is_queued = false;
        let mut turn = Turn {
            now: self.clock.now(),
            limits: &self.limits,
            site: &mut self.site,
            access_log: &mut self.access_log,
            run_bytes_max,
            is_draining: self.state != State::Serving,
        };
        self.connections.kept_bytes -= slot.connection.kept_bytes();
        let verdict = slot.connection.run(&mut self.buffers, &mut turn);
        let kept_bytes = slot.connection.kept_bytes();
        self.connections.kept_bytes += kept_bytes;
        match verdict {
            Verdict::Close => self.close(key),
            _ if kept_bytes > 0 && self.connections.kept_bytes > self.limits.kept_bytes_max => {
                log::debug!("connection closed: there is no memory for what it leaves undone");
                self.close(key);
            }
            Verdict::Yield => slot.queue(key, &mut self.run_queue.ready),
            Verdict::AwaitDisk => {
                self.connections.next_deadline =
                    self.connections.next_deadline.min(slot.connection.deadline());
                slot.queue(key, &mut self.run_queue.awaiting_disk);
            }
            Verdict::Park(_) if turn.is_draining && slot.connection.is_waiting() => self.close(key),
            Verdict::Park(edge) => {
                let deadline = slot.connection.deadline();
                self.connections.next_deadline = self.connections.next_deadline.min(deadline);
                if let Err(error) = slot.register(self.poll.registry(), Token(key), edge) {
                    log::debug!("connection closed: cannot poll it: {error}");
                    self.close(key);
                }
            }
        }
    }

    fn close(&mut self, key: usize) {
        self.connections.close(key);
        self.room_was_made();
    }

    /// Connections have gone: others may come.
    fn room_was_made(&mut self) {
        self.acceptor.resume();
        if self.connections.is_empty() {
            self.connections.shrink();
            self.run_queue.shrink_to(SLOTS_KEPT);
        }
    }

    fn close_overdue(&mut self, last_tick: Tick) {
        let tick = self.clock.now().tick;
        // This process stood still for a while, and there may be more news than one look takes: what came in
        // time is heard first.
        let is_due = tick >= self.connections.next_deadline;
        if is_due && tick > last_tick + 1 && !self.events.is_empty() {
            self.connections.next_deadline = tick + 2;
        } else if self.connections.close_overdue(tick) > 0 {
            self.room_was_made();
        }
    }

    /// Accepts what is waiting, within a bound. Each connection runs at once: most have sent their request.
    fn accept(&mut self) {
        // Looked for once a turn if there are none: a crowd outside must not cost those inside a search each.
        let mut may_be_idle = true;
        for _ in 0..self.limits.accepts_per_turn_max {
            let Some((socket, address)) = self.acceptor.next(self.clock.now().tick) else { return };
            let client = client_address(address);
            if self.connections.is_full() && may_be_idle {
                // Nobody is idle who was busy this very second.
                let newest = self.clock.now().tick + self.limits.idle_secs;
                may_be_idle = self.connections.close_longest_idle(newest) > 0;
            }
            match !self.connections.is_full() && self.connections.enter(client) {
                true => self.admit(socket, client),
                false => self.turn_away(socket, client),
            }
        }
        self.acceptor.turn_to_next();
    }

    fn admit(&mut self, socket: TcpSocket, client: IpAddr) {
        // Its request may be younger than what was checked in this turn so far.
        self.site.recheck();
        let connection = Connection::new(socket, client, self.clock.now(), &self.limits);
        let key = self.connections.insert(connection);
        self.run_one(key, self.limits.run_bytes_max_of(self.limits.accepts_per_turn_max));
    }

    /// 503, as far as it fits what the kernel takes at once, and the end: there is no room to wait in.
    fn turn_away(&mut self, mut socket: TcpSocket, client: IpAddr) {
        let Buffers { input, outbox } = &mut self.buffers;
        // To close on what was not read would be a reset, which may overtake the answer.
        let received = socket.receive(input.space()).unwrap_or(0);
        input.filled(received);
        let answered = self.site.refuse(Status::ServiceUnavailable, false, self.clock.now(), outbox);
        // Whoever cannot take it sees the end of the connection.
        let _ = outbox.write_some(&mut socket, usize::MAX).and_then(|_| socket.shutdown_write());
        self.access_log.line(self.clock.now(), client, input.bytes(), answered.status, answered.body_bytes);
        self.buffers.clear();
    }

    fn finish_drain(&mut self) {
        if let State::Draining(end) = self.state
            && (self.connections.is_empty() || self.clock.now().tick >= end)
        {
            self.state = State::Stopped;
        }
    }
}
