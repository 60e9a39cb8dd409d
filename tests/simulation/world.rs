//! What happens, one step after the other.

use std::cell::RefCell;
use std::rc::Rc;

use super::client::{Client, Tally, UNTOLD, count};
use super::disk::Disk;
use super::pipe::Pipe;
use super::rim::Rim;
use super::rng::Rng;

/// Clients at once, most of the time and at most.
const CLIENTS_USUAL: usize = 93;
const CLIENTS_MAX: usize = 120;
/// Long before the disk's own clock: only the simulated one is ever near a file's time.
const START_UNIX_SECS: u64 = 1_000_000_000;
/// Turns in which all must come to rest.
const SETTLE_TURNS_MAX: usize = 100_000;
/// From time to time all is looked over.
const CHECK_STEPS: u64 = 64;
const FORGET_STEPS: u64 = 1024;
/// 10.0.0.0: more clients than live at once have addresses of their own.
const FIRST_ADDRESS: u32 = 0x0a00_0000;

/// What kind of life a server has.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    /// Memory is short.
    pub is_tight: bool,
    /// In the end it is told to stop, amid all that is going on.
    pub is_stopped: bool,
}

impl Life {
    pub const ALL: [Life; 4] = [
        Life { is_tight: false, is_stopped: false },
        Life { is_tight: false, is_stopped: true },
        Life { is_tight: true, is_stopped: false },
        Life { is_tight: true, is_stopped: true },
    ];
}

pub struct World {
    life: Life,
    rng: Rng,
    disk: Rc<RefCell<Disk>>,
    rim: Rim,
    clients: Vec<Client>,
    steps: u64,
    tally: Tally,
}

impl World {
    pub fn new(seed: u64, life: Life) -> World {
        let mut rng = Rng::new(seed);
        let disk = Rc::new(RefCell::new(Disk::new(&mut rng, START_UNIX_SECS)));
        let rim = Rim::new(&disk, &mut rng, life.is_tight);
        World { rng, disk, rim, life, clients: Vec::new(), steps: 0, tally: Tally::new() }
    }

    pub fn step(&mut self) {
        self.steps += 1;
        match self.rng.below(1000) {
            0..8 => self.disk.borrow_mut().change(&mut self.rng),
            8..12 => self.pass_time(),
            12..250 => self.turn(),
            250..299 => self.connect(),
            // More than are accepted in a turn.
            299 => (0..20).for_each(|_| self.connect()),
            300..302 => self.rim.run_short(),
            _ => self.act(),
        }
        if self.steps.is_multiple_of(CHECK_STEPS) {
            self.rim.check();
        }
        if self.steps.is_multiple_of(FORGET_STEPS) {
            self.look_over();
        }
    }

    fn turn(&mut self) {
        let millis = self.rng.below(2) as u64;
        self.pass(millis, 0);
        let unix_secs = self.disk.borrow().unix_secs();
        count(&mut self.tally, if self.rim.turn(unix_secs) { "turns" } else { "sleeps" });
    }

    /// Mostly seconds; at times this process stands still for minutes or hours, and at times the wall clock is
    /// set back.
    fn pass_time(&mut self) {
        let secs = match self.rng.below(1000) {
            0..10 => 3600 * self.rng.up_to(10),
            10..40 => self.rng.up_to(400),
            _ => 1,
        };
        let back = if self.rng.one_in(50) { self.rng.up_to(5000) } else { 0 };
        if secs > 1 {
            if !self.rim.has_caught_up() {
                return;
            }
            self.rim.stand_still();
        }
        self.pass(1000 * secs as u64, back as u64);
    }

    fn pass(&mut self, millis: u64, back: u64) {
        let tick = self.rim.clock.tick();
        self.rim.clock.pass(millis);
        let secs = self.rim.clock.tick() - tick;
        if secs > 0 || back > 0 {
            let mut disk = self.disk.borrow_mut();
            let unix_secs = disk.unix_secs() + u64::from(secs) - back;
            disk.set_unix_secs(unix_secs);
        }
    }

    fn connect(&mut self) {
        // At times there are more than find a place.
        let is_crowded = self.clients.len() >= CLIENTS_USUAL && !self.rng.one_in(20);
        if self.clients.len() < CLIENTS_MAX && !is_crowded {
            // Each has an address of its own, which the log tells it by.
            let address = FIRST_ADDRESS + self.tally.get("clients").map_or(0, |count| *count as u32);
            let pipe = Pipe::new(&self.disk, &mut self.rng, &self.rim.clock, address);
            let client = Client::new(pipe, &mut self.rng);
            self.rim.connect(Rc::clone(&client.pipe));
            self.clients.push(client);
            count(&mut self.tally, "clients");
        }
    }

    fn act(&mut self) {
        if self.clients.is_empty() {
            return;
        }
        let index = self.rng.below(self.clients.len());
        let World { rng, disk, rim, clients, tally, .. } = self;
        clients[index].act(rng, &disk.borrow(), &rim.limits, rim.clock.tick(), tally);
        self.let_go(index);
    }

    /// Judges the end of a client whose connection is over.
    fn let_go(&mut self, index: usize) {
        if self.clients[index].is_over() {
            let client = self.clients.swap_remove(index);
            client.judge_end(&self.disk.borrow(), &self.rim.limits, &mut self.tally);
        }
    }

    fn look_over(&mut self) {
        let earliest = self.clients.iter().filter_map(Client::earliest).min();
        let mut disk = self.disk.borrow_mut();
        let moment = disk.moment;
        disk.forget_before(earliest.unwrap_or(moment));
    }

    /// Ends in one of two ways, and lets nothing be left.
    pub fn end(mut self) -> Tally {
        if self.life.is_stopped {
            self.stop()
        } else {
            self.fade_out()
        }
        assert_eq!(self.rim.connections(), 0, "connections are left");
        assert!(self.clients.is_empty(), "clients are left");
        let [told, untold] = ["told that there is no room", UNTOLD].map(|what| self.tally.get(what).copied());
        let (told, untold) = (told.unwrap_or(0), untold.unwrap_or(0));
        // Where memory is short, few are told.
        assert!(self.life.is_tight || untold <= 5 + told / 4, "turned away: {told} told, {untold} not");
        let changes = self.disk.borrow().changes;
        self.tally.insert("changes of files".to_owned(), changes);
        self.tally
    }

    /// Has everything finished, closes what can be closed, and waits for the rest to be overdue.
    fn fade_out(&mut self) {
        self.settle();
        for client in &self.clients {
            assert!(client.is_served(), "left without an answer: {}", client.pipe.borrow().state());
            let keeps = self.rim.keeps_something(&client.pipe);
            assert!(!keeps || !client.is_at_rest(), "an idle connection that owns something");
        }
        for client in self.clients.iter().step_by(2) {
            client.pipe.borrow_mut().end();
        }
        self.settle();
        self.rim.check();
        // The loop wakes by itself, as often as it wants to.
        while !self.clients.is_empty() {
            let at = self.rim.wakes_at().expect("the loop sleeps for ever, and connections are left");
            self.pass(at.saturating_sub(self.rim.clock.millis()), 0);
            self.settle();
        }
        count(&mut self.tally, "lives that faded out");
    }

    /// Has the server stop amid all that is going on: what is under way is finished, in a bounded time.
    fn stop(&mut self) {
        let tick = self.rim.clock.tick();
        // Whoever waits at a door is refused.
        self.clients.retain(|client| !self.rim.is_at_a_door(&client.pipe));
        self.rim.stop();
        self.clients.iter().for_each(Client::note_stop);
        let is_hurried = self.rng.one_in(2);
        if is_hurried {
            self.rim.hurry();
            assert!(self.rim.is_stopped(), "told twice, and not stopped");
        }
        while !self.rim.is_stopped() {
            self.settle();
            for client in &self.clients {
                assert!(client.is_owed_something(), "kept while stopping: {}", client.pipe.borrow().state());
            }
            assert!(self.rim.connections() > 0 || self.rim.is_stopped(), "all have gone, and it goes on");
            if let Some(at) = self.rim.wakes_at().filter(|_| !self.rim.is_stopped()) {
                self.pass(at.saturating_sub(self.rim.clock.millis()), 0);
            }
            let secs = self.rim.clock.tick() - tick;
            assert!(secs <= self.rim.limits.drain_secs + 2, "stopping takes {secs} s");
        }
        self.rim.end();
        for index in (0..self.clients.len()).rev() {
            self.clients[index].receive(usize::MAX, &self.disk.borrow(), &mut self.tally);
            self.let_go(index);
        }
        count(&mut self.tally, "lives that were stopped");
    }

    /// Clients send and take all they can until nothing happens any more.
    fn settle(&mut self) {
        for _ in 0..SETTLE_TURNS_MAX {
            let unix_secs = self.disk.borrow().unix_secs();
            let has_turned = self.rim.turn(unix_secs);
            for client in &mut self.clients {
                client.send(usize::MAX);
                client.receive(usize::MAX, &self.disk.borrow(), &mut self.tally);
            }
            for index in (0..self.clients.len()).rev() {
                self.let_go(index);
            }
            if has_turned || self.clients.iter().any(|client| client.pipe.borrow().has_news()) {
                self.pass(u64::from(!has_turned), 0);
                continue;
            }
            // What comes by itself and soon: a look at a disk, an accept after a pause. Or what somebody was
            // promised, be it late.
            let now = self.rim.clock.millis();
            let soon = self.rim.wakes_at().filter(|at| *at <= now + 1001);
            let promised = self.rim.next_wake().filter(|_| !self.rim.is_stopping);
            match soon.or(promised) {
                Some(at) => self.pass(at.saturating_sub(now), 0),
                None => return,
            }
        }
        let state = |client: &Client| client.pipe.borrow().state();
        panic!("it never settles: {:#?}", self.clients.iter().map(state).collect::<Vec<_>>());
    }
}
