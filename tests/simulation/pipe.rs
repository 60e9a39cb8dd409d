//! A connection as the kernel keeps it: bytes on their way in both directions, and what a poll is told.
//!
//! Edges are told as epoll does: something happens, and the next poll says once what is possible now. Nothing
//! is told twice, so a wake-up that is lost shows.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::BorrowedFd;
use std::rc::Rc;

use pws::clock::Tick;
use pws::net::socket::{Pollable, Readiness, Socket};
use pws::turn::event_loop::News;

use super::disk::{Disk, Moment};
use super::rim::SharedClock;
use super::rng::Rng;
use super::told::Reason;

/// Which edges the poll tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Registered {
    No,
    Readable,
    Both,
}

/// What both ends share.
pub struct Pipe {
    disk: Rc<RefCell<Disk>>,
    rng: Rng,
    /// What the client is going to send, and how much of all that it ever was has left.
    pub planned: VecDeque<u8>,
    pub sent: usize,
    /// The client waits for a word before it sends more than so much.
    pub holds_at: Option<usize>,
    /// When the first so many bytes had left: places in the stream, each with its moment and tick.
    pub departures: VecDeque<(usize, Moment, Tick)>,
    up: VecDeque<u8>,
    up_max: usize,
    down: VecDeque<u8>,
    down_max: usize,
    /// The client sends no more; it broke the connection.
    pub has_ended: bool,
    pub is_reset: bool,
    /// The server sends no more; it closed with input unread, which breaks the connection.
    pub is_down_shut: bool,
    /// The client sees that no more will come.
    pub has_end: bool,
    pub is_reset_by_server: bool,
    /// When the server let go of the connection, and why, if it said so.
    pub gone: Option<Tick>,
    pub reason: Option<Reason>,
    pub clock: SharedClock,
    /// By which the server knows the client.
    pub address: u32,
    /// When the server last read or wrote something, and when it last wrote.
    used_at: Tick,
    pub wrote_at: Tick,
    /// What it has read and written in this turn.
    pub moved_in_turn: usize,
    /// When it was accepted there was no place free.
    pub has_come_to_full: bool,
    /// What it was like when the server was told to stop.
    pub stop: Option<Stop>,
    /// The poll refused to watch it.
    pub is_unpollable: bool,
    /// This socket can send no files by itself.
    copies_files: bool,
    registered: Registered,
    has_news: bool,
    /// A write was refused, and the poll is to tell when there is room; since when.
    pub awaits_room: bool,
    stalled_at: Option<Tick>,
}

/// How a connection was when the server was told to stop.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    pub at: Tick,
    /// How much the client had sent.
    pub sent: usize,
    /// Responses were queued, and not sent.
    pub was_behind: bool,
    /// It was told twice.
    pub is_hurried: bool,
}

impl Pipe {
    pub fn new(disk: &Rc<RefCell<Disk>>, rng: &mut Rng, clock: &SharedClock, address: u32) -> Pipe {
        let tick = clock.tick();
        Pipe {
            disk: Rc::clone(disk),
            rng: Rng::new(rng.next()),
            planned: VecDeque::new(),
            sent: 0,
            holds_at: None,
            departures: VecDeque::new(),
            up: VecDeque::new(),
            up_max: *rng.pick(&[100, 1000, 10_000]),
            down: VecDeque::new(),
            down_max: *rng.pick(&[200, 2000, 20_000, 100_000]),
            has_ended: false,
            is_reset: false,
            is_down_shut: false,
            is_reset_by_server: false,
            gone: None,
            reason: None,
            clock: clock.clone(),
            address,
            used_at: tick,
            wrote_at: tick,
            moved_in_turn: 0,
            has_come_to_full: false,
            stop: None,
            is_unpollable: false,
            has_end: false,
            stalled_at: None,
            copies_files: rng.one_in(4),
            registered: Registered::No,
            has_news: false,
            awaits_room: false,
        }
    }
}

/// The client's end.
impl Pipe {
    /// Has at most `count` of the planned bytes leave.
    pub fn send(&mut self, count: usize) {
        let room = self.up_max.saturating_sub(self.up.len());
        let held = self.holds_at.map_or(usize::MAX, |at| at.saturating_sub(self.sent));
        let count = count.min(room).min(held).min(self.planned.len());
        if count == 0 || self.has_ended || self.is_reset || self.gone.is_some() {
            return;
        }
        self.up.extend(self.planned.drain(..count));
        self.sent += count;
        self.departures.push_back((self.sent, self.disk.borrow().moment, self.clock.tick()));
        self.has_news = true;
    }

    /// Takes at most `count` bytes that have come.
    pub fn receive(&mut self, count: usize, into: &mut Vec<u8>) {
        into.extend(self.down.drain(..count.min(self.down.len())));
        if self.awaits_room && self.gone.is_none() && 2 * self.down.len() <= self.down_max {
            self.awaits_room = false;
            self.stalled_at = None;
            self.has_news = true;
        }
        self.has_news |= self.has_hung_up();
    }

    pub fn incoming(&self) -> usize {
        self.down.len()
    }

    /// For whoever looks for a mistake.
    pub fn state(&self) -> String {
        let Pipe { sent, is_down_shut, is_reset_by_server, gone, used_at, wrote_at, .. } = self;
        let (up, down, tick) = (self.up.len(), self.down.len(), self.clock.tick());
        format!(
            "{sent} sent, {up} up, {down} down, gone {gone:?} ({:?}), now {tick}, used at {used_at}, wrote at \
             {wrote_at}, shut: {is_down_shut}, reset: {is_reset_by_server}, registered: {:?}",
            self.reason, self.registered
        )
    }

    /// The server takes it in; returns the client's address.
    pub fn accept(&mut self, is_full: bool) -> u32 {
        self.has_come_to_full = is_full;
        self.used_at = self.clock.tick();
        // Its request may be younger than all that was looked at in this turn. One that is turned away gets no
        // more than that.
        if !is_full {
            self.react();
        }
        self.address
    }

    /// Since when the client takes nothing.
    pub fn stalled_at(&self) -> Option<Tick> {
        self.stalled_at
    }

    /// When the server last read or wrote something.
    pub fn used_at(&self) -> Tick {
        self.used_at
    }

    pub fn unread_by_server(&self) -> usize {
        self.up.len()
    }

    pub fn end(&mut self) {
        self.has_ended = true;
        self.has_news = true;
    }

    pub fn reset(&mut self) {
        self.is_reset = true;
        self.has_news = true;
        self.up.clear();
        self.down.clear();
    }
}

/// The poll.
impl Pipe {
    /// Both ways are shut, and the client has taken all there was.
    fn has_hung_up(&self) -> bool {
        self.has_ended && self.is_down_shut && self.down.is_empty()
    }

    /// What the poll has to tell, once.
    pub fn take_news(&mut self) -> Option<Readiness> {
        if self.registered == Registered::No || !std::mem::take(&mut self.has_news) {
            return None;
        }
        let has_room = !self.awaits_room && self.down.len() < self.down_max;
        let readiness = Readiness {
            // The end may be told by itself.
            readable: !self.up.is_empty() || self.is_reset,
            writable: has_room && self.registered == Registered::Both || self.is_reset,
            read_closed: self.has_ended || self.is_reset,
            broken: self.is_reset || self.has_hung_up(),
        };
        (readiness.readable || readiness.writable || readiness.read_closed).then_some(readiness)
    }

    pub fn has_news(&self) -> bool {
        self.has_news
    }
}

/// Whom the poll watches, by key.
#[derive(Default)]
pub struct Registry(RefCell<BTreeMap<usize, Rc<RefCell<Pipe>>>>);

impl Registry {
    /// What is new, from `count_max` of them at most; what is left is told by the next poll.
    pub fn take_news(&self, count_max: usize) -> Vec<News> {
        let mut watched = self.0.borrow_mut();
        watched.retain(|_, pipe| pipe.borrow().gone.is_none());
        let news = watched.iter().filter_map(|(key, pipe)| {
            let readiness = pipe.borrow_mut().take_news()?;
            Some(News::Connection(*key, readiness))
        });
        news.take(count_max).collect()
    }
}

/// The server's end.
pub struct ServerEnd(pub Rc<RefCell<Pipe>>);

impl std::fmt::Debug for ServerEnd {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ServerEnd")
    }
}

impl Pipe {
    /// How many of `count` bytes the next write takes.
    fn take(&mut self, count: usize) -> io::Result<usize> {
        assert!(!self.is_down_shut, "sent after the end");
        assert!(count > 0, "an empty write");
        if self.is_reset {
            return Err(ErrorKind::BrokenPipe.into());
        }
        if self.rng.one_in(200) {
            return Err(ErrorKind::Interrupted.into());
        }
        let room = self.down_max.saturating_sub(self.down.len());
        if room == 0 || self.awaits_room {
            self.awaits_room = true;
            self.stalled_at.get_or_insert(self.clock.tick());
            return Err(ErrorKind::WouldBlock.into());
        }
        (self.used_at, self.wrote_at) = (self.clock.tick(), self.clock.tick());
        let taken = count.min(room);
        // A short write does not say that there is no more room.
        let taken = if self.rng.one_in(8) { self.rng.up_to(taken) } else { taken };
        self.moved_in_turn += taken;
        Ok(taken)
    }

    /// Some clients are quick: while the server is still at it, a file changes, and they ask for more.
    fn react(&mut self) {
        if !self.planned.is_empty() && self.rng.one_in(4) {
            self.disk.borrow_mut().change_the_favourite(&mut self.rng);
            self.send(usize::MAX);
        }
    }
}

impl Socket for ServerEnd {
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut pipe = self.0.borrow_mut();
        assert!(!buffer.is_empty(), "no room to receive into");
        if pipe.is_reset {
            return Err(ErrorKind::ConnectionReset.into());
        }
        if pipe.rng.one_in(200) {
            return Err(ErrorKind::Interrupted.into());
        }
        if pipe.up.is_empty() {
            return if pipe.has_ended { Ok(0) } else { Err(ErrorKind::WouldBlock.into()) };
        }
        pipe.used_at = pipe.clock.tick();
        // What comes now is younger than all that the poll has told of.
        pipe.react();
        let count = pipe.up.len().min(buffer.len());
        pipe.moved_in_turn += count;
        for (place, byte) in buffer.iter_mut().zip(pipe.up.drain(..count)) {
            *place = byte;
        }
        Ok(count)
    }

    fn send(&mut self, slices: &[IoSlice<'_>], more: bool) -> io::Result<usize> {
        let mut pipe = self.0.borrow_mut();
        assert!(slices.iter().all(|slice| !slice.is_empty()), "an empty slice");
        let count = pipe.take(slices.iter().map(|slice| slice.len()).sum())?;
        pipe.down.extend(slices.iter().flat_map(|slice| slice.iter()).take(count));
        // What is to share its packet with more has not left yet.
        if !more {
            pipe.react();
        }
        Ok(count)
    }

    fn send_file(&mut self, file: BorrowedFd<'_>, offset: u64, count: usize) -> io::Result<usize> {
        let mut pipe = self.0.borrow_mut();
        if pipe.copies_files {
            return Err(ErrorKind::Unsupported.into());
        }
        let mut piece = vec![0; pipe.take(count)?];
        let count = rustix::io::pread(file, &mut piece, offset)?;
        // The file may be shorter by now.
        pipe.moved_in_turn -= piece.len() - count;
        pipe.down.extend(&piece[..count]);
        pipe.react();
        Ok(count)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        let mut pipe = self.0.borrow_mut();
        assert!(!pipe.is_down_shut, "shut twice");
        pipe.is_down_shut = true;
        pipe.has_end = true;
        pipe.has_news |= pipe.has_hung_up();
        if pipe.is_reset { Err(ErrorKind::NotConnected.into()) } else { Ok(()) }
    }
}

impl Pollable for ServerEnd {
    type Registry = Registry;

    fn register(&self, registry: &Registry, key: usize, writable: bool) -> io::Result<()> {
        let mut pipe = self.0.borrow_mut();
        assert_eq!(pipe.registered, Registered::No, "registered twice");
        if pipe.rng.one_in(500) {
            pipe.is_unpollable = true;
            return Err(ErrorKind::OutOfMemory.into());
        }
        pipe.registered = if writable { Registered::Both } else { Registered::Readable };
        // What is there already is told by the next poll.
        pipe.has_news = true;
        registry.0.borrow_mut().insert(key, Rc::clone(&self.0));
        Ok(())
    }

    fn reregister(&self, registry: &Registry, key: usize, writable: bool) -> io::Result<()> {
        self.0.borrow_mut().registered = Registered::No;
        self.register(registry, key, writable)
    }

    fn reset_when_closed(&self) {
        self.0.borrow_mut().is_reset_by_server = true;
    }
}

impl Drop for ServerEnd {
    fn drop(&mut self) {
        let mut pipe = self.0.borrow_mut();
        pipe.gone = Some(pipe.clock.tick());
        // Closing on unread input sends a reset, which destroys what has not been read at the other end.
        if !pipe.up.is_empty() || pipe.is_reset_by_server {
            pipe.is_reset_by_server = true;
            pipe.down.clear();
        } else {
            pipe.has_end = true;
        }
    }
}
