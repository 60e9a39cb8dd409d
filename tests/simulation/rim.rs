//! The rim of the loop, in memory: what the server has from the kernel, a poll, a clock and listeners. The loop
//! itself is the real one.
//!
//! The poll keeps to its contract: it returns when there is news, or when the loop wanted to sleep no longer.
//! So a loop that sleeps where it must not never wakes, and that shows.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pws::access_log::AccessLog;
use pws::client::wait::Wait;
use pws::clock::{Now, Tick};
use pws::config::SiteOptions;
use pws::ledger::{Held, Resource};
use pws::limits::Limits;
use pws::net::peer::Peer;
use pws::net::socket::Listener;
use pws::site::Site;
use pws::turn::event_loop::{EventLoop, News, Turn};
use pws::turn::slot::Slot;

use super::disk::{Disk, LOADED_BYTES_MAX};
use super::feed::{FedSite, Wakes};
use super::pipe::{Pipe, Registry, ServerEnd, Stop};
use super::rng::Rng;
use super::told::{self, Reason};

const LISTENERS: usize = 2;
/// Connections at once; more make the longest idle go, or are turned away.
pub const CONNECTIONS_MAX: usize = 90;
/// What is let through of the news right after a standstill.
const NEWS_AFTER_STANDSTILL: usize = 1;
const ACCEPTS_MAX: usize = 8;
/// What some of the steps take by the stopwatch: so much that turns end before all have run.
const STEP_NANOS_MAX: u64 = 300_000;
/// What some connections may come to hold, or let go of, within a turn.
const KEPT_BYTES_DOUBT: usize = 30_000;
const KERNEL_BYTES_DOUBT: usize = 300_000;
/// Whoever has not got on for so long makes room.
const STALLED_SECS: Tick = 5;

/// Bounds so tight that all of them are met.
pub fn limits(is_tight: bool) -> Limits {
    Limits {
        head_bytes_max: 400,
        target_bytes_max: 200,
        body_bytes_max: 600,
        outbox_bytes_max: 3000,
        pipeline_max: 4,
        run_bytes_max: 4096,
        accepts_per_turn_max: ACCEPTS_MAX,
        connections_max: Some(CONNECTIONS_MAX),
        open_files_max: 4096,
        loaded_file_bytes_max: LOADED_BYTES_MAX as u64,
        cache_bytes_max: 24 * 1024,
        cached_descriptors_max: 3,
        kept_bytes_max: if is_tight { 60_000 } else { usize::MAX },
        kernel_bytes_max: if is_tight { 600_000 } else { usize::MAX },
        unsent_bytes_max: 1000,
        linger_bytes_max: 1000,
        // Any progress renews the deadline.
        send_bytes_min: 1,
        ..Limits::default()
    }
}

/// Somebody at the door.
type Waiting = Rc<RefCell<Pipe>>;

/// A listener in memory.
pub struct Door {
    waiting: Rc<RefCell<VecDeque<Waiting>>>,
    street: Rc<Street>,
    live: Live,
}

/// What is the same for all doors.
#[derive(Default)]
struct Street {
    /// There are no descriptors left, for so many calls; so many connections broke before they were accepted.
    shortage: Cell<usize>,
    broken: Cell<usize>,
    /// In this turn: calls that accepted or found nobody, calls in want of a descriptor, somebody came for whom
    /// there was no place.
    asked: Cell<usize>,
    short: Cell<usize>,
    was_full: Cell<bool>,
}

/// Takes one off, if there is any.
fn take_one(count: &Cell<usize>) -> bool {
    let left = count.get();
    count.set(left.saturating_sub(1));
    left > 0
}

/// Everybody who is connected, by address.
type Live = Rc<RefCell<BTreeMap<u32, Waiting>>>;

impl Listener for Door {
    type Socket = ServerEnd;

    fn accept(&mut self) -> io::Result<(ServerEnd, Peer)> {
        let street = &self.street;
        let mut waiting = self.waiting.borrow_mut();
        if !waiting.is_empty() && take_one(&street.broken) {
            return Err(ErrorKind::ConnectionAborted.into());
        }
        if !waiting.is_empty() && take_one(&street.shortage) {
            street.short.set(street.short.get() + 1);
            // What EMFILE is.
            return Err(io::Error::from_raw_os_error(24));
        }
        street.asked.set(street.asked.get() + 1);
        let pipe = waiting.pop_front().ok_or(ErrorKind::WouldBlock)?;
        let mut live = self.live.borrow_mut();
        let count = live.values().filter(|pipe| pipe.borrow().gone.is_none()).count();
        let is_full = count >= CONNECTIONS_MAX;
        street.was_full.set(street.was_full.get() || is_full);
        let address = pipe.borrow_mut().accept(is_full);
        live.insert(address, Rc::clone(&pipe));
        Ok((ServerEnd(pipe), Peer::Ip(IpAddr::V4(Ipv4Addr::from_bits(address)))))
    }
}

/// The time, as everybody here sees it.
#[derive(Clone, Default)]
pub struct SharedClock(Arc<AtomicU64>);

impl SharedClock {
    pub fn millis(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub fn tick(&self) -> Tick {
        (self.millis() / 1000) as Tick
    }

    pub fn pass(&self, millis: u64) {
        self.0.fetch_add(millis, Ordering::Relaxed);
    }
}

pub struct Rim {
    pub limits: Limits,
    pub clock: SharedClock,
    event_loop: EventLoop<Door, FedSite>,
    registry: Registry,
    doors: Vec<Rc<RefCell<VecDeque<Waiting>>>>,
    /// Somebody came to a door since the last poll.
    has_knocked: bool,
    /// It was told to stop since the last poll.
    was_told: bool,
    /// How many changes on the disk were told.
    changes_told: u64,
    street: Rc<Street>,
    live: Live,
    wakes: Wakes,
    rng: Rng,
    /// The time of the last turn.
    now: Now,
    stood_still: bool,
    turns_since_standstill: usize,
    /// What it was like before this turn.
    held_before: Held,
    idle_before: BTreeMap<u32, Tick>,
    stalled_before: BTreeSet<u32>,
    /// After a standstill, those who asked meanwhile are given so much time.
    spared_until: Tick,
    pub is_stopping: bool,
}

impl Rim {
    pub fn new(disk: &Rc<RefCell<Disk>>, rng: &mut Rng, is_tight: bool) -> Rim {
        told::listen();
        let (limits, clock) = (limits(is_tight), SharedClock::default());
        let site = Site::open(&disk.borrow().root(), &SiteOptions::default(), &limits).expect("the folder");
        let (wakes, live, street) = <(Wakes, Live, Rc<Street>)>::default();
        let responder = FedSite {
            site,
            disk: Rc::clone(disk),
            wakes: wakes.clone(),
            millis: Arc::clone(&clock.0),
            rng: Rng::new(rng.next()),
        };
        let doors: Vec<Rc<RefCell<VecDeque<Waiting>>>> = (0..LISTENERS).map(|_| Rc::default()).collect();
        let listeners = doors.iter().map(|waiting| Door {
            waiting: Rc::clone(waiting),
            street: Rc::clone(&street),
            live: Rc::clone(&live),
        });
        Rim {
            event_loop: EventLoop::new(listeners.collect(), responder, AccessLog::off(), limits.clone()),
            limits,
            clock,
            registry: Registry::default(),
            doors,
            has_knocked: false,
            was_told: false,
            changes_told: 0,
            street,
            live,
            wakes,
            rng: Rng::new(rng.next()),
            now: Now::at(0, disk.borrow().unix_secs()),
            stood_still: false,
            turns_since_standstill: 0,
            held_before: Held::default(),
            idle_before: BTreeMap::new(),
            stalled_before: BTreeSet::new(),
            spared_until: 0,
            is_stopping: false,
        }
    }

    pub fn connect(&mut self, pipe: Waiting) {
        if self.is_stopping {
            return;
        }
        let door = self.rng.below(LISTENERS);
        self.doors[door].borrow_mut().push_back(pipe);
        self.has_knocked = true;
    }

    /// The next accepts fail, for want of descriptors or because clients are gone.
    pub fn run_short(&mut self) {
        let count = self.rng.up_to_one_of(&[2, 20]);
        if self.rng.one_in(2) { self.street.shortage.set(count) } else { self.street.broken.set(10 * count) }
    }

    /// This process got no processor for a while.
    pub fn stand_still(&mut self) {
        self.stood_still = true;
        self.turns_since_standstill = 0;
    }

    /// Whether all that was new before the last standstill has been heard.
    pub fn has_caught_up(&self) -> bool {
        self.turns_since_standstill > CONNECTIONS_MAX / NEWS_AFTER_STANDSTILL + 1
    }

    /// Tells the server again to stop.
    pub fn hurry(&mut self) {
        for pipe in self.live.borrow().values() {
            if let Some(stop) = &mut pipe.borrow_mut().stop {
                stop.is_hurried = true;
            }
        }
        let now = self.read_clock();
        self.event_loop.stop(&now);
    }

    /// Tells the server to stop.
    pub fn stop(&mut self) {
        (self.is_stopping, self.was_told) = (true, true);
        for (_, slot) in self.event_loop.connections().iter() {
            let mut pipe = slot.connection.socket.0.borrow_mut();
            let (sent, at) = (pipe.sent, self.clock.tick());
            pipe.stop =
                Some(Stop { sent, at, was_behind: slot.connection.kept_bytes() > 0, is_hurried: false });
        }
        let now = self.read_clock();
        self.event_loop.stop(&now);
        assert!(self.event_loop.listeners().is_empty(), "who comes now waits for nothing");
        self.doors.clear();
    }

    /// Whether a client waits to be accepted.
    pub fn is_at_a_door(&self, pipe: &Waiting) -> bool {
        self.doors.iter().any(|door| door.borrow().iter().any(|other| Rc::ptr_eq(other, pipe)))
    }

    /// The end of the server: what is still open is cut.
    pub fn end(&mut self) {
        let now = self.now.clone();
        self.event_loop.end(&now);
    }

    pub fn is_stopped(&self) -> bool {
        self.event_loop.is_stopped()
    }

    pub fn connections(&self) -> usize {
        self.event_loop.connections().len() + self.doors.iter().map(|door| door.borrow().len()).sum::<usize>()
    }

    fn read_clock(&self) -> Now {
        let mut now = self.now.clone();
        if now.tick != self.clock.tick() {
            now = Now::at(self.clock.tick(), self.now.unix_secs);
        }
        now.elapsed_millis = self.clock.millis();
        now
    }

    /// When the loop wanted to be woken at the latest, milliseconds since the start.
    pub fn wakes_at(&self) -> Option<u64> {
        let sleep = self.event_loop.sleep_max_millis(&self.now);
        sleep.map(|millis| self.now.elapsed_millis + millis)
    }

    /// One turn, at a wall clock of `unix_secs`; false if the poll sleeps on.
    pub fn turn(&mut self, unix_secs: u64) -> bool {
        for key in self.wakes.take_due(self.clock.millis()) {
            self.event_loop.wake(key);
        }
        let news_max = if std::mem::take(&mut self.stood_still) { NEWS_AFTER_STANDSTILL } else { usize::MAX };
        let mut news = self.registry.take_news(news_max);
        if std::mem::take(&mut self.has_knocked) {
            news.push(News::Listener);
        }
        if std::mem::take(&mut self.was_told) {
            news.push(News::Other);
        }
        let changes = self.event_loop.responder().disk.borrow().changes;
        if std::mem::replace(&mut self.changes_told, changes) != changes {
            news.push(News::Disk);
        }
        let is_time = self.wakes_at().is_some_and(|at| at <= self.clock.millis());
        if news.is_empty() && !is_time {
            return false;
        }
        if self.clock.tick() > self.now.tick + 1 {
            self.spared_until = self.clock.tick() + 2;
        }
        self.now = Now::at(self.clock.tick(), unix_secs);
        self.now.elapsed_millis = self.clock.millis();
        self.street.asked.set(0);
        self.street.short.set(0);
        self.street.was_full.set(false);
        self.held_before = self.held();
        self.idle_before = self.idle(|_| true).collect();
        self.stalled_before = self.stalled().collect();
        self.live.borrow().values().for_each(|pipe| pipe.borrow_mut().moved_in_turn = 0);
        let spent_nanos = Cell::new(0);
        let rng = RefCell::new(&mut self.rng);
        let stopwatch = || {
            let step_nanos = if rng.borrow_mut().one_in(3) { STEP_NANOS_MAX } else { 0 };
            spent_nanos.replace(spent_nanos.get() + step_nanos)
        };
        let turn = Turn { now: &self.now, stopwatch: &stopwatch, registry: &self.registry };
        self.event_loop.turn(news, &turn);
        self.turns_since_standstill += 1;
        self.judge_turn();
        true
    }

    /// What must hold behind every turn.
    fn judge_turn(&mut self) {
        let (asked, short) = (self.street.asked.get(), self.street.short.get());
        assert!(asked <= ACCEPTS_MAX + LISTENERS, "{asked} accepts in a turn");
        assert!(short <= 1, "{short} accepts in a turn without a descriptor");
        let connections = self.event_loop.connections();
        assert!(connections.len() <= CONNECTIONS_MAX, "{} connections", connections.len());
        let held = self.held();
        assert_eq!(*self.event_loop.ledger().held(), held, "the ledger says something else");
        assert!(held.heap_bytes <= self.limits.kept_bytes_max, "{} bytes are kept", held.heap_bytes);
        assert!(held.kernel_bytes <= self.limits.kernel_bytes_max, "{} bytes", held.kernel_bytes);
        for (address, reason) in told::take() {
            let live = self.live.borrow();
            let pipe = live.get(&address).expect("somebody who was accepted");
            self.judge_reason(reason, &pipe.borrow());
            pipe.borrow_mut().reason = Some(reason);
        }
        self.live.borrow_mut().retain(|_, pipe| pipe.borrow().gone.is_none());
        // A budget may be overdrawn by a buffer of input.
        let moved_max = self.limits.run_bytes_max + 2 * usize::from(self.limits.head_bytes_max);
        for pipe in self.live.borrow().values() {
            let moved = pipe.borrow().moved_in_turn;
            assert!(moved <= moved_max, "{moved} bytes in a turn");
        }
    }

    /// Who is between two requests, and until when: addresses and deadlines.
    fn idle(&self, is_meant: fn(&Slot<ServerEnd>) -> bool) -> impl Iterator<Item = (u32, Tick)> {
        let slots = self.event_loop.connections().iter().map(|(_, slot)| slot);
        let idle = slots.filter(move |slot| slot.connection.wait() == Some(Wait::Request) && is_meant(slot));
        idle.map(|slot| (slot.connection.socket.0.borrow().address, slot.connection.deadline()))
    }

    /// What all connections hold, as they say themselves.
    fn held(&self) -> Held {
        let all = self.event_loop.connections().iter().map(|(_, slot)| slot.connection.held(&self.limits));
        all.fold(Held::default(), |sum, held| Held {
            heap_bytes: sum.heap_bytes + held.heap_bytes,
            kernel_bytes: sum.kernel_bytes + held.kernel_bytes,
            descriptors: sum.descriptors + held.descriptors,
        })
    }

    /// Whether so much was held, before this turn or behind it, that there may have been too little within.
    fn was_short(&self) -> bool {
        let behind = self.held();
        [(Resource::Heap, KEPT_BYTES_DOUBT), (Resource::Kernel, KERNEL_BYTES_DOUBT)].iter().any(
            |&(resource, doubt)| {
                let held = self.held_before.of(resource).max(behind.of(resource));
                held.saturating_add(doubt) > self.event_loop.ledger().usual_max(resource)
            },
        )
    }

    /// Who has not got on for so long that it makes room: addresses.
    fn stalled(&self) -> impl Iterator<Item = u32> {
        let slots = self.event_loop.connections().iter().map(|(_, slot)| &slot.connection);
        let waiting = slots.filter(|connection| {
            let is_waiting = connection.wait().is_some_and(|wait| wait != Wait::Request);
            is_waiting && connection.stalled_secs(self.now.tick, &self.limits) >= STALLED_SECS
        });
        waiting.map(|connection| connection.socket.0.borrow().address)
    }

    fn judge_reason(&self, reason: Reason, pipe: &Pipe) {
        match reason {
            Reason::Evicted => {
                let deadline = self.idle_before.get(&pipe.address);
                // Where memory is short, those go, too, who have become idle in this turn.
                if self.was_short() {
                    return;
                }
                let deadline = deadline.unwrap_or_else(|| panic!("busy: {}", pipe.state()));
                let others = self.idle(|slot| slot.lane.is_none()).map(|(_, deadline)| deadline).min();
                assert!(others.is_none_or(|other| *deadline <= other), "another was idle for longer");
                assert!(pipe.used_at() < self.now.tick, "made to go, and was busy this very second");
                assert!(self.street.was_full.get() || self.was_short(), "made to go, and there was room");
            }
            Reason::TurnedAway => {
                assert!(pipe.has_come_to_full || self.was_short(), "turned away, and there was room");
                assert_eq!(self.stalled().next(), None, "turned away, and another did not get on");
                // Who was idle before this very second still is: nobody else ran behind the accepts.
                let newest = self.now.tick + self.limits.idle_secs;
                let is_idle = self.idle(|slot| slot.lane.is_none()).any(|(_, deadline)| deadline <= newest);
                assert!(!is_idle, "turned away, and another was idle");
            }
            Reason::Greediest => assert!(self.was_short(), "made to go, and nothing was short"),
            Reason::Stalled => {
                assert!(self.street.was_full.get() || self.was_short(), "made to go, and there was room");
                let was_stalled = self.stalled_before.contains(&pipe.address);
                assert!(was_stalled, "cut, and got on: {}", pipe.state());
            }
            // Whoever looks at the end of a client knows how much time it had.
            Reason::Overdue => {}
        }
    }

    /// What must hold between turns: whoever waits waits for something that will be told, and not for ever.
    pub fn check(&self) {
        let wakes_at = self.wakes_at().unwrap_or(u64::MAX);
        let is_awaited = self.doors.iter().any(|door| !door.borrow().is_empty()) && !self.has_knocked;
        let next_tick = u64::from(self.now.tick + 1) * 1000;
        assert!(!is_awaited || wakes_at <= next_tick, "somebody waits at a door, and the loop sleeps");
        let waiting =
            self.event_loop.connections().iter().filter(|(_, slot)| slot.connection.wait().is_some());
        let deadline = waiting.map(|(_, slot)| slot.connection.deadline().max(self.spared_until)).min();
        let is_in_time = deadline.is_none_or(|tick| wakes_at <= u64::from(tick) * 1000);
        assert!(is_in_time, "a deadline at {deadline:?} s, and the loop sleeps until {wakes_at} ms");
        for (_, slot) in self.event_loop.connections().iter() {
            let (connection, pipe) = (&slot.connection, slot.connection.socket.0.borrow());
            let is_late = connection.deadline() < self.now.tick && slot.lane.is_none();
            let is_due = is_late && self.now.tick > self.spared_until;
            assert!(!is_due, "kept for too long: {}", pipe.state());
            let stalled_until = pipe.stalled_at().map_or(Tick::MAX, |tick| tick + self.limits.send_secs + 2);
            let is_stalled = stalled_until < self.now.tick && self.now.tick > self.spared_until;
            assert!(slot.lane.is_some() || !is_stalled, "stalled for too long: {}", pipe.state());
            assert!(!pipe.is_unpollable, "kept, and the poll does not know it");
            let awaits_content = connection.wait().is_none();
            if slot.lane.is_some() || pipe.has_news() || pipe.awaits_room || awaits_content {
                continue;
            }
            assert!(!pipe.is_reset, "a broken connection is kept");
            assert_eq!(pipe.unread_by_server(), 0, "input that nobody will read");
            // Too much may be left with the kernel to leave that there, too.
            let is_taking = connection.wait() == Some(Wait::Linger) && pipe.incoming() > 0;
            assert!(!pipe.has_ended || is_taking, "the client has gone and the connection is kept");
        }
    }

    /// Whether the connection at the other end of `pipe` keeps something unread or unsent.
    pub fn keeps_something(&self, pipe: &Waiting) -> bool {
        let mut connections = self.event_loop.connections().iter();
        connections
            .any(|(_, slot)| Rc::ptr_eq(&slot.connection.socket.0, pipe) && slot.connection.kept_bytes() > 0)
    }

    /// When somebody who waits for content is woken next.
    pub fn next_wake(&self) -> Option<u64> {
        self.wakes.next()
    }
}
