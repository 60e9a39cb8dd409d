//! A turn of the loop: mark → run → deadlines → accept, on sockets of any kind.
//!
//! Knows neither the poll, which hands it what is new, nor HTTP. Events are hints: they set flags and put
//! connections into the run queue; the loop then runs each at its own pace, with a share of the turn's time
//! and bytes. The simulation runs this very loop in memory.

use crate::access_log::AccessLog;
use crate::client::buffers::Buffers;
use crate::client::context::{Context, Older};
use crate::client::slice::Slice;
use crate::client::verdict::Verdict;
use crate::client::wait::Wait;
use crate::clock::{Now, Stopwatch, Tick};
use crate::ledger::Ledger;
use crate::limits::Limits;
use crate::metrics::{Lap, Metrics};
use crate::net::guests::Guests;
use crate::net::socket::{Edge, Listener, Pollable, Readiness};
use crate::notices::{Counted, Notice, Notices};
use crate::responder::{Door, Responder};
use crate::timeline::{Name, Outcome, Timeline, Track};
use crate::turn::acceptor::Acceptor;
use crate::turn::connections::{Connections, End, Ending};
use crate::turn::run_queue::{Lane, RunQueue};

/// Something that the poll has told.
#[derive(Clone, Copy, Debug)]
pub enum News {
    /// Of the connection at this key.
    Connection(usize, Readiness),
    /// Somebody may be waiting at a listener.
    Listener,
    /// Something has changed on the disk, or may have.
    Disk,
    /// Something that the loop only had to be woken for.
    Other,
}

/// Connections closed in one turn because their time is up: about a millisecond's work.
const OVERDUE_MAX: usize = 512;

/// How long a turn tells those whose requests have not come in time.
const OVERDUE_NANOS: u64 = 1_000_000;

/// How long a turn runs those who are queued, and then those who have just come; what there is no time for
/// is the next turn's. A step under way ends first: it takes a millisecond at most. So a turn ends within
/// ten, and whoever asks for little waits for no more than a few of them, whatever others ask for.
const RUN_NANOS: u64 = 4_000_000;
pub(super) const ACCEPT_NANOS: u64 = 2_000_000;
/// What many share is not divided further than this: to begin a slice takes time, too.
const SLICE_NANOS_MIN: u64 = 100_000;

/// How far a server is with stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Serving,
    /// No new connections; responses under way are finished until this tick.
    Draining(Tick),
    Stopped,
}

/// What a turn is given beside its news.
pub struct Turn<'a, R> {
    pub now: &'a Now,
    /// Since the turn began.
    pub stopwatch: Stopwatch<'a>,
    pub registry: &'a R,
}

impl<R> Turn<'_, R> {
    /// Since the start, at the moment of the call.
    pub fn nanos(&self) -> u64 {
        self.now.elapsed_micros * 1000 + (self.stopwatch)()
    }
}

/// What each of many gets of a turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    nanos: u64,
    bytes: usize,
}

impl Share {
    /// Of `nanos` that `count` divide among them.
    pub(super) fn of(count: usize, nanos: u64, limits: &Limits) -> Share {
        let nanos = (nanos / count.max(1) as u64).max(SLICE_NANOS_MIN);
        Share { nanos, bytes: limits.run_bytes_max_of(count) }
    }
}

pub(super) type Registry<L> = <<L as Listener>::Socket as Pollable>::Registry;

/// The loop, with all that its connections share.
pub struct EventLoop<L: Listener, R> {
    pub(super) acceptor: Acceptor<L>,
    pub(super) connections: Connections<L::Socket>,
    pub(super) run_queue: RunQueue,
    pub(super) buffers: Buffers,
    pub(super) responder: R,
    pub(super) access_log: AccessLog,
    pub(super) ledger: Ledger,
    pub(super) notices: Notices,
    pub(super) metrics: Metrics,
    pub(super) timeline: Timeline,
    pub(super) guests: Guests,
    pub(super) limits: Limits,
    pub(super) stage: Stage,
    last_tick: Tick,
    /// Nobody is overdue before this tick.
    spared_until: Tick,
}

impl<L: Listener, R: Responder> EventLoop<L, R> {
    pub fn new(listeners: Vec<L>, responder: R, access_log: AccessLog, limits: Limits) -> EventLoop<L, R> {
        EventLoop {
            acceptor: Acceptor::new(listeners),
            connections: Connections::new(&limits),
            run_queue: RunQueue::default(),
            buffers: Buffers::new(&limits),
            responder,
            access_log,
            ledger: Ledger::new(&limits),
            notices: Notices::default(),
            metrics: Metrics::default(),
            timeline: Timeline::off(),
            guests: Guests::default(),
            limits,
            stage: Stage::Serving,
            last_tick: 0,
            spared_until: 0,
        }
    }

    /// Serves nobody else from now on.
    pub fn serve_only(&mut self, guests: Guests) {
        self.guests = guests;
    }

    /// What it accepts from; none once it stops.
    pub fn listeners(&self) -> &[L] {
        self.acceptor.listeners()
    }

    pub fn responder(&self) -> &R {
        &self.responder
    }

    pub fn responder_mut(&mut self) -> &mut R {
        &mut self.responder
    }

    pub fn connections(&self) -> &Connections<L::Socket> {
        &self.connections
    }

    /// What the connections hold, by its own account.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether there is nothing left to do: what is still open is to be [ended](EventLoop::end).
    pub fn is_stopped(&self) -> bool {
        self.stage == Stage::Stopped
    }

    /// One turn: what is `news` is noted, what can be done is done. No key in `news` is older than the last
    /// turn: keys are given anew only when all of it was noted.
    pub fn turn(&mut self, news: impl IntoIterator<Item = News>, turn: &Turn<Registry<L>>) {
        let now = turn.now;
        self.record_between(turn, "wait");
        let closed_before = self.connections.closed();
        let (events, is_disk_told) = self.mark(news);
        self.responder.begin_turn(is_disk_told, now);
        if self.responder.wants_snapshot() {
            let snapshot = self.snapshot(now);
            self.responder.look_at(snapshot).into_iter().for_each(|key| self.wake(key));
        }
        self.metrics.turns += 1;
        self.metrics.events += events;
        log::trace!("turn at {} ms: {}", now.elapsed_millis, Counted(events, ["event", "events"]));
        self.record_lap(turn, Lap::Mark, Outcome::Events(events));
        self.run_queued(turn);
        self.record_lap(turn, Lap::Run, Outcome::Nothing);
        self.close_overdue(events > 0, turn);
        self.record_lap(turn, Lap::Deadlines, Outcome::Nothing);
        if self.connections.closed() > closed_before {
            self.acceptor.resume();
        }
        self.accept(turn);
        self.record_lap(turn, Lap::Accept, Outcome::Nothing);
        if let Some(error) = self.acceptor.take_pause() {
            self.notices.count(Notice::AcceptingPaused, &error, now);
        }
        self.notices.tell_due(now);
        self.finish_drain(now);
        if self.connections.is_empty() {
            self.connections.shrink();
            self.run_queue.shrink();
        }
        self.last_tick = now.tick;
    }

    /// Writes what has gathered for the logs. To be called between a turn and the sleep behind it.
    pub fn flush_logs(&mut self, turn: &Turn<Registry<L>>) {
        self.access_log.flush();
        self.count_lost_lines(turn.now);
        self.timeline.flush();
        self.record_between(turn, "log");
    }

    pub(super) fn count_lost_lines(&mut self, now: &Now) {
        if let Some(lost) = self.access_log.take_lost() {
            self.notices.count_many(Notice::LogLinesLost, lost.count, &lost, now);
        }
    }

    /// How long the loop may sleep, in milliseconds; `None` if only an event can bring something to do.
    pub fn sleep_max_millis(&self, now: &Now) -> Option<u64> {
        let of_queue = self.run_queue.sleep_max_millis();
        if of_queue == Some(0) {
            return of_queue;
        }
        let drain_end = if let Stage::Draining(end) = self.stage { Some(end) } else { None };
        let log_tick = (!self.access_log.is_empty()).then_some(now.tick + 1);
        let (accept_tick, notice_tick) = (self.acceptor.wake_tick(), self.notices.wake_tick());
        let tend_tick = self.responder.tend_tick(now);
        let ticks = [self.next_deadline(), accept_tick, drain_end, log_tick, notice_tick, tend_tick];
        let of_ticks = ticks.into_iter().flatten().min().map(|tick| now.millis_until(tick));
        of_queue.into_iter().chain(of_ticks).min()
    }

    /// Has the connection at `key` run in the next turn, for one because content that it waits for has come.
    pub fn wake(&mut self, key: usize) {
        self.connections.queue(key, Lane::Fresh, &mut self.run_queue);
    }
}

impl<L: Listener, R: Responder> EventLoop<L, R> {
    /// Notes what is new; returns how much that was, and whether the disk was among it.
    fn mark(&mut self, news: impl IntoIterator<Item = News>) -> (u64, bool) {
        let (mut count, mut is_disk_told) = (0, false);
        for news in news {
            count += 1;
            match news {
                News::Connection(key, readiness) => {
                    self.connections.mark(key, readiness, &mut self.run_queue);
                }
                News::Listener => self.acceptor.mark_ready(),
                News::Disk => is_disk_told = true,
                News::Other => {}
            }
        }
        (count, is_disk_told)
    }

    /// Runs the connections queued so far, as long as there is time. Those that yield are queued for the next
    /// turn.
    fn run_queued(&mut self, turn: &Turn<Registry<L>>) {
        let mut at_nanos = 0;
        let mut due = self.run_queue.due(turn.now.elapsed_millis);
        let share = Share::of(due.count(), RUN_NANOS, &self.limits);
        while let Some(key) = self.run_queue.next(&mut due) {
            self.run(key, at_nanos, share, turn);
            // To read the clock takes time, too: not behind the last one.
            if due.count() == 0 {
                return;
            }
            at_nanos = (turn.stopwatch)();
            if at_nanos >= RUN_NANOS {
                return;
            }
        }
    }

    /// Runs a connection from `at_nanos` of the turn on.
    pub(super) fn run(&mut self, key: usize, at_nanos: u64, share: Share, turn: &Turn<Registry<L>>) {
        let now = turn.now;
        let Some(connection) = self.connections.get(key).map(|slot| &slot.connection) else { return };
        let (peer, door) = (connection.peer(), connection.door());
        let is_draining = self.stage != Stage::Serving;
        let began = self.moment(turn);
        let mut context = Context {
            now,
            limits: &self.limits,
            responder: &mut self.responder,
            access_log: &mut self.access_log,
            key,
            peer,
            door,
            older: Older::All,
            slice: Slice::new(turn.stopwatch, at_nanos + share.nanos, share.bytes),
            ledger: &mut self.ledger,
            notices: &mut self.notices,
            metrics: &mut self.metrics,
            timeline: &mut self.timeline,
            is_draining,
        };
        let verdict = self.connections.run(&mut self.buffers, &mut context);
        let ended = self.moment(turn);
        let outcome = Outcome::Words(verdict.told());
        self.timeline.step(Track::Loop, (began, ended), Name::Key(key), outcome);
        match verdict {
            Verdict::Yield => {
                self.connections.queue(key, Lane::Yielded, &mut self.run_queue);
                // That its client has gone while much is made for it is told by an event alone.
                if self.connections.get(key).is_some_and(|slot| slot.connection.has_unsent()) {
                    self.poll_for(key, Edge::Readable, turn);
                }
            }
            Verdict::AwaitDisk => self.connections.queue(key, Lane::AwaitingDisk, &mut self.run_queue),
            Verdict::Park(edge) if !(is_draining && door == Door::Public && self.awaits_request(key)) => {
                self.poll_for(key, edge, turn);
            }
            Verdict::Close | Verdict::Park(_) => self.close(key, Ending::Over, now),
        }
        self.relieve(now);
    }

    /// Has the poll tell of the connection at `key`, which is closed if that cannot be.
    fn poll_for(&mut self, key: usize, edge: Edge, turn: &Turn<Registry<L>>) {
        if let Err(error) = self.connections.register(key, edge, turn.registry) {
            log::debug!("connection closed, it cannot be polled: {error}");
            self.close(key, Ending::Cut, turn.now);
        }
    }

    /// Whether the connection at `key` waits for a request.
    fn awaits_request(&self, key: usize) -> bool {
        self.connections.get(key).is_some_and(|slot| slot.connection.awaits_request())
    }

    pub(super) fn close(&mut self, key: usize, ending: Ending, now: &Now) {
        if let Some(lane) = self.connections.get(key).and_then(|slot| slot.lane) {
            self.run_queue.forget(key, lane);
        }
        self.record_end(key);
        let (access_log, ledger) = (&mut self.access_log, &mut self.ledger);
        self.connections.close(key, ending, &mut End { access_log, ledger, limits: &self.limits, now });
    }

    /// Ends whose time is up, as long as there is time. If this process stood still for a while, there may be
    /// more news than one look takes: what came in time is heard first.
    fn close_overdue(&mut self, has_news: bool, turn: &Turn<Registry<L>>) {
        let now = turn.now;
        let stood_still = now.tick > self.last_tick + 1 && has_news;
        if stood_still && now.tick > self.spared_until {
            self.spared_until = now.tick + 2;
        }
        if now.tick < self.spared_until {
            return;
        }
        let share = Share::of(OVERDUE_MAX, OVERDUE_NANOS, &self.limits);
        let mut end_nanos = None;
        for _ in 0..OVERDUE_MAX {
            let Some(key) = self.connections.overdue(now.tick) else { return };
            self.tell_overdue(key, now);
            if !self.connections.is_late(key, now, &self.limits) {
                self.close(key, Ending::Cut, now);
                continue;
            }
            let at_nanos = (turn.stopwatch)();
            self.run(key, at_nanos, share, turn);
            if at_nanos >= *end_nanos.get_or_insert(at_nanos + OVERDUE_NANOS) {
                return;
            }
        }
    }

    fn tell_overdue(&mut self, key: usize, now: &Now) {
        let Some(slot) = self.connections.get(key) else { return };
        let (peer, wait) = (slot.connection.peer(), slot.connection.wait());
        log::debug!("{peer}: its time is up, {}", wait.map_or("it is over", Wait::told));
        let notice = match wait {
            Some(Wait::Head) => Notice::LateHead,
            Some(Wait::Body) => Notice::LateBody,
            Some(Wait::Send) => Notice::LateSend,
            Some(Wait::Request | Wait::Linger) | None => return,
        };
        self.notices.count(notice, &peer, now);
    }

    fn next_deadline(&self) -> Option<Tick> {
        self.connections.next_deadline().map(|tick| tick.max(self.spared_until))
    }
}
