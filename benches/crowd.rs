//! What a turn of the loop takes among ever more idle connections: the real loop on sockets that are made up, so
//! a million of them need no descriptors.
//!
//! `cargo bench --bench crowd`. What grows with the crowd shows as a row whose figures grow.

#![forbid(unsafe_code)]
#![allow(clippy::expect_used, clippy::disallowed_methods)]

use std::cell::Cell;
use std::io::{self, ErrorKind, IoSlice};
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::Instant;

use pws::access_log::AccessLog;
use pws::clock::{Now, Tick};
use pws::http::head::{BodyLength, HeadWriter};
use pws::http::refusal::Refusal;
use pws::http::status::Status;
use pws::limits::Limits;
use pws::net::peer::Peer;
use pws::net::socket::{Listener, Pollable, Readiness, Socket};
use pws::notices::Notices;
use pws::outbox::Outbox;
use pws::responder::{Asked, Responded, Responder};
use pws::turn::event_loop::{EventLoop, News, Turn};

const CROWDS: [usize; 4] = [1_000, 20_000, 100_000, 1_000_000];
/// Each figure is the median of so many.
const ROUNDS: usize = 201;
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n";

/// What happens next, as all sockets of a loop see it.
#[derive(Default)]
struct World {
    /// Clients that wait to be accepted.
    waiting: Cell<usize>,
    /// Whoever reads next finds a request.
    is_asked: Cell<bool>,
    accepted: Cell<u32>,
}

struct Client(Rc<World>);

impl Socket for Client {
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.0.is_asked.take() {
            return Err(ErrorKind::WouldBlock.into());
        }
        buffer[..REQUEST.len()].copy_from_slice(REQUEST);
        Ok(REQUEST.len())
    }

    fn send(&mut self, slices: &[IoSlice<'_>], _more: bool) -> io::Result<usize> {
        Ok(slices.iter().map(|slice| slice.len()).sum())
    }

    fn send_file(&mut self, _file: BorrowedFd<'_>, _offset: u64, count: usize) -> io::Result<usize> {
        Ok(count)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Pollable for Client {
    type Registry = ();

    fn register(&self, (): &(), _key: usize, _writable: bool) -> io::Result<()> {
        Ok(())
    }

    fn reregister(&self, (): &(), _key: usize, _writable: bool) -> io::Result<()> {
        Ok(())
    }

    fn reset_when_closed(&self) {}
}

struct Door(Rc<World>);

impl Listener for Door {
    type Socket = Client;

    fn accept(&mut self) -> io::Result<(Client, Peer)> {
        let left = self.0.waiting.get().checked_sub(1).ok_or(ErrorKind::WouldBlock)?;
        self.0.waiting.set(left);
        let number = self.0.accepted.get();
        self.0.accepted.set(number + 1);
        Ok((Client(Rc::clone(&self.0)), Peer::Ip(IpAddr::V4(Ipv4Addr::from_bits(number)))))
    }
}

/// Says 204 to everything.
struct Terse;

impl Responder for Terse {
    fn respond(&mut self, asked: &Asked, _notices: &mut Notices, outbox: &mut Outbox) -> Option<Responded> {
        HeadWriter::start(outbox.bytes_mut(), Status::NoContent, asked.persistence, asked.now)
            .finish(BodyLength::None);
        Some(Responded { status: Status::NoContent, head_bytes: outbox.buffered_bytes(), is_last: false })
    }

    fn refuse(&mut self, _refusal: Refusal, _head_only: bool, _now: &Now, _outbox: &mut Outbox) -> Responded {
        panic!("nothing is refused here")
    }

    fn recheck(&mut self) {}

    fn begin_turn(&mut self, _is_disk_told: bool, _now: &Now) {}

    fn tend_tick(&self, _now: &Now) -> Option<Tick> {
        None
    }

    fn descriptors(&self) -> usize {
        0
    }
}

/// A loop with a crowd that waits.
struct Crowd {
    world: Rc<World>,
    event_loop: EventLoop<Door, Terse>,
    now: Now,
    /// Each turn lets another one ask.
    next: usize,
}

impl Crowd {
    fn new(count: usize) -> Crowd {
        let world = Rc::new(World::default());
        let limits = Limits {
            open_files_max: u64::MAX,
            connections_max: Some(count),
            accepts_per_turn_max: 1000,
            connections_per_client_max: Some(1),
            ..Limits::default()
        };
        let listeners = vec![Door(Rc::clone(&world))];
        let event_loop = EventLoop::new(listeners, Terse, AccessLog::off(), limits);
        let mut crowd = Crowd { world, event_loop, now: Now::at(0, 1_000_000_000), next: 0 };
        // They come over some seconds, so that not all have been waiting equally long.
        for tick in 0..20 {
            crowd.pass_to(tick);
            crowd.let_in(count * (tick as usize + 1) / 20);
        }
        assert_eq!(crowd.event_loop.connections().len(), count);
        crowd
    }

    fn pass_to(&mut self, tick: u32) {
        self.now = Now::at(tick, 1_000_000_000);
        self.turn(None);
    }

    fn let_in(&mut self, count: usize) {
        while self.event_loop.connections().len() < count {
            self.world.waiting.set((count - self.event_loop.connections().len()).min(1000));
            self.turn(Some(News::Listener));
        }
    }

    fn turn(&mut self, news: Option<News>) {
        self.event_loop.turn(news, &Turn { now: &self.now, stopwatch: &|| 0, registry: &() });
    }

    /// One of them asks and is answered.
    fn ask(&mut self) {
        // Far from the last one, as the next to ask is.
        self.next = (self.next + 7_919) % self.event_loop.connections().count_max();
        self.world.is_asked.set(true);
        let readiness = Readiness { readable: true, ..Readiness::default() };
        self.turn(Some(News::Connection(self.next, readiness)));
        assert!(!self.world.is_asked.get(), "nobody read the request");
    }

    /// One more comes where there is no room: who has been waiting longest goes.
    fn come(&mut self) {
        self.world.waiting.set(1);
        self.turn(Some(News::Listener));
        assert_eq!(self.world.waiting.get(), 0);
    }
}

/// The median of what `work` takes, in nanoseconds.
fn median(mut work: impl FnMut()) -> u128 {
    let mut nanos: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_nanos()
        })
        .collect();
    nanos.sort_unstable();
    nanos[ROUNDS / 2]
}

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("nanoseconds, medians of {ROUNDS}");
    println!(
        "{:>12} {:>10} {:>10} {:>10} {:>12} {:>14} {:>16}",
        "connections", "idle turn", "a request", "one comes", "next wake", "512 overdue", "all told, ms"
    );
    for count in CROWDS {
        let start = Instant::now();
        let mut crowd = Crowd::new(count);
        let filled = start.elapsed().as_millis();
        let idle = median(|| crowd.turn(None));
        let asked = median(|| crowd.ask());
        // A new second, so that those who have just come are not the only ones.
        crowd.pass_to(30);
        let came = median(|| crowd.come());
        let wake = median(|| {
            std::hint::black_box(crowd.event_loop.sleep_max_millis(&crowd.now));
        });
        // Everybody's time is up: so many go in a turn.
        crowd.now = Now::at(10_000, 1_000_000_000);
        let before = crowd.event_loop.connections().len();
        let start = Instant::now();
        crowd.turn(None);
        let gone = (before - crowd.event_loop.connections().len()).max(1);
        let overdue = start.elapsed().as_nanos() * 512 / gone as u128;
        println!("{count:>12} {idle:>10} {asked:>10} {came:>10} {wake:>12} {overdue:>14} {filled:>16}");
    }
}
