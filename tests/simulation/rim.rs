//! The rim of the loop, in memory: what the server has from the kernel, a poll, a clock and listeners. The loop
//! itself is the real one.
//!
//! The poll keeps to its contract: it returns when there is news, or when the loop wanted to sleep no longer.
//! So a loop that sleeps where it must not never wakes, and that shows.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pws::access_log::AccessLog;
use pws::client::wait::Wait;
use pws::clock::{Now, Tick};
use pws::config::SiteOptions;
use pws::limits::Limits;
use pws::net::peer::Peer;
use pws::net::socket::Listener;
use pws::site::Site;
use pws::turn::event_loop::{EventLoop, News};
use pws::turn::slot::Slot;

use super::disk::{Disk, LOADED_BYTES_MAX};
use super::feed::{FedSite, Wakes};
use super::pipe::{Pipe, Registry, ServerEnd};
use super::rng::Rng;
use super::told::{self, Reason};

const LISTENERS: usize = 2;
/// Connections at once; more make the longest idle go, or are turned away.
pub const CONNECTIONS_MAX: usize = 90;
/// What is let through of the news right after a standstill.
const NEWS_AFTER_STANDSTILL: usize = 40;
const ACCEPTS_MAX: usize = 8;

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
    /// How often it was asked in this turn.
    asked: Rc<Cell<usize>>,
    /// There are no descriptors left, for so many calls.
    shortage: Rc<Cell<usize>>,
    live: Live,
}

/// Everybody who is connected, by address.
type Live = Rc<RefCell<BTreeMap<u32, Waiting>>>;

impl Listener for Door {
    type Socket = ServerEnd;

    fn accept(&mut self) -> io::Result<(ServerEnd, Peer)> {
        self.asked.set(self.asked.get() + 1);
        let mut waiting = self.waiting.borrow_mut();
        if waiting.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        if let Some(left) = self.shortage.get().checked_sub(1) {
            self.shortage.set(left);
            // What EMFILE is.
            return Err(io::Error::from_raw_os_error(24));
        }
        let pipe = waiting.pop_front().expect("somebody");
        let mut live = self.live.borrow_mut();
        let count = live.values().filter(|pipe| pipe.borrow().gone.is_none()).count();
        let address = pipe.borrow_mut().accept(count >= CONNECTIONS_MAX);
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
    shortage: Rc<Cell<usize>>,
    asked: Rc<Cell<usize>>,
    live: Live,
    wakes: Wakes,
    rng: Rng,
    /// The time of the last turn.
    now: Now,
    stood_still: bool,
    turns_since_standstill: usize,
    /// After a standstill, those who asked meanwhile are given so much time.
    spared_until: Tick,
    pub is_stopping: bool,
}

impl Rim {
    pub fn new(disk: &Disk, rng: &mut Rng, is_tight: bool) -> Rim {
        told::listen();
        let (limits, clock) = (limits(is_tight), SharedClock::default());
        let site = Site::open(&disk.root(), &SiteOptions::default(), &limits).expect("the folder");
        let (wakes, live, shortage, asked) = <(Wakes, Live, Rc<Cell<usize>>, Rc<Cell<usize>>)>::default();
        let responder =
            FedSite { site, wakes: wakes.clone(), millis: Arc::clone(&clock.0), rng: Rng::new(rng.next()) };
        let doors: Vec<Rc<RefCell<VecDeque<Waiting>>>> = (0..LISTENERS).map(|_| Rc::default()).collect();
        let listeners = doors.iter().map(|waiting| Door {
            waiting: Rc::clone(waiting),
            asked: Rc::clone(&asked),
            shortage: Rc::clone(&shortage),
            live: Rc::clone(&live),
        });
        Rim {
            event_loop: EventLoop::new(listeners.collect(), responder, AccessLog::off(), limits.clone()),
            limits,
            clock,
            registry: Registry::default(),
            doors,
            has_knocked: false,
            shortage,
            asked,
            live,
            wakes,
            rng: Rng::new(rng.next()),
            now: Now::at(0, disk.unix_secs()),
            stood_still: false,
            turns_since_standstill: 0,
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

    /// There is a shortage of descriptors for the next accepts.
    pub fn run_short(&mut self) {
        self.shortage.set(self.rng.up_to(4));
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

    /// Tells the server to stop.
    pub fn stop(&mut self) {
        self.is_stopping = true;
        for pipe in self.live.borrow().values() {
            let mut pipe = pipe.borrow_mut();
            pipe.sent_before_stop = Some(pipe.sent);
        }
        let now = self.read_clock();
        self.event_loop.stop(&now);
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
        let is_time = self.wakes_at().is_some_and(|at| at <= self.clock.millis());
        if news.is_empty() && !is_time {
            return false;
        }
        if self.clock.tick() > self.now.tick + 1 {
            self.spared_until = self.clock.tick() + 2;
        }
        self.now = Now::at(self.clock.tick(), unix_secs);
        self.now.elapsed_millis = self.clock.millis();
        self.asked.set(0);
        self.live.borrow().values().for_each(|pipe| pipe.borrow_mut().moved_in_turn = 0);
        self.event_loop.turn(news, &self.now, &self.registry);
        self.turns_since_standstill += 1;
        self.judge_turn();
        true
    }

    /// What must hold behind every turn.
    fn judge_turn(&mut self) {
        let asked_max = ACCEPTS_MAX + LISTENERS + 1;
        assert!(self.asked.get() <= asked_max, "{} accepts in a turn", self.asked.get());
        let connections = self.event_loop.connections();
        assert!(connections.len() <= CONNECTIONS_MAX, "{} connections", connections.len());
        let kept_bytes: usize = connections.iter().map(|(_, slot)| slot.connection.kept_bytes()).sum();
        assert!(kept_bytes <= self.limits.kept_bytes_max, "{kept_bytes} bytes are kept");
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

    fn judge_reason(&self, reason: Reason, pipe: &Pipe) {
        match reason {
            Reason::Evicted => {
                let since = pipe.used_at();
                let others = self.live.borrow();
                let others = others.values().filter_map(|other| other.borrow().idle_since());
                let longest = others.min().unwrap_or(since);
                assert!(since <= longest, "idle since {since}, another since {longest}");
            }
            Reason::TurnedAway => {
                assert!(pipe.has_come_to_full, "turned away, and there was room");
                // Who was idle before this very second still is: nobody else ran behind the accepts.
                let newest = self.now.tick + self.limits.idle_secs;
                let mut others = self.event_loop.connections().iter().map(|(_, slot)| slot);
                let is_idle = |slot: &Slot<ServerEnd>| {
                    let connection = &slot.connection;
                    let wait = connection.wait().filter(|_| !slot.is_queued);
                    wait == Some(Wait::Request) && connection.deadline() <= newest
                };
                assert!(!others.any(is_idle), "turned away, and another was idle");
            }
            Reason::NoMemory => assert!(self.limits.kept_bytes_max < usize::MAX, "no bound on memory"),
            // Whoever looks at the end of a client knows how much time it had.
            Reason::Overdue => {}
        }
    }

    /// What must hold between turns: whoever waits waits for something that will be told, and not for ever.
    pub fn check(&self) {
        for (_, slot) in self.event_loop.connections().iter() {
            let (connection, pipe) = (&slot.connection, slot.connection.socket.0.borrow());
            let is_due = connection.deadline() < self.now.tick && self.now.tick > self.spared_until;
            assert!(!is_due, "kept for too long: {}", pipe.state());
            let awaits_content = connection.wait().is_none();
            if slot.is_queued || pipe.has_news() || pipe.awaits_room || awaits_content {
                continue;
            }
            assert!(!pipe.is_reset, "a broken connection is kept");
            assert_eq!(pipe.unread_by_server(), 0, "input that nobody will read");
            assert!(!pipe.has_ended, "the client has gone and the connection is kept");
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
