//! What happens, one step after the other.

use std::cell::RefCell;
use std::rc::Rc;

use pws::clock::{Now, Tick};

use super::client::{Client, Tally, count};
use super::disk::Disk;
use super::pipe::Pipe;
use super::rng::Rng;
use super::turns::Turns;

const CLIENTS_MAX: usize = 120;
/// Long before the disk's own clock: only the simulated one is ever near a file's time.
const START_UNIX_SECS: u64 = 1_000_000_000;
/// From time to time all is looked over.
const CHECK_STEPS: u64 = 64;
const FORGET_STEPS: u64 = 1024;
/// Longer than any deadline.
const LONG_SECS: Tick = 10_000;

pub struct World {
    rng: Rng,
    disk: Rc<RefCell<Disk>>,
    turns: Turns,
    clients: Vec<Client>,
    tick: Tick,
    steps: u64,
    tally: Tally,
}

impl World {
    pub fn new(seed: u64) -> World {
        let mut rng = Rng::new(seed);
        let disk = Disk::new(&mut rng, START_UNIX_SECS);
        let turns = Turns::new(&disk);
        let disk = Rc::new(RefCell::new(disk));
        World { rng, disk, turns, clients: Vec::new(), tick: 0, steps: 0, tally: Tally::new() }
    }

    pub fn step(&mut self) {
        self.steps += 1;
        match self.rng.below(1000) {
            0..8 => self.disk.borrow_mut().change(&mut self.rng),
            8..12 => self.pass_time(),
            12..250 => drop(self.turns.turn()),
            250..300 => self.connect(),
            _ => self.act(),
        }
        if self.steps % CHECK_STEPS == 0 {
            self.turns.check();
        }
        if self.steps % FORGET_STEPS == 0 {
            self.look_over();
        }
    }

    /// Mostly seconds; at times hours, and at times the wall clock is set back.
    fn pass_time(&mut self) {
        let secs = match self.rng.below(1000) {
            0..3 => 3600 * self.rng.up_to(10),
            3..6 => self.rng.up_to(400),
            _ => 1,
        };
        let back = if self.rng.one_in(50) { self.rng.up_to(5000) } else { 0 };
        self.set_time(secs as Tick, back as u64);
    }

    fn set_time(&mut self, secs: Tick, back: u64) {
        self.tick += secs;
        let mut disk = self.disk.borrow_mut();
        let unix_secs = disk.unix_secs() + u64::from(secs) - back;
        disk.set_unix_secs(unix_secs);
        self.turns.now = Now::at(self.tick, unix_secs);
    }

    fn connect(&mut self) {
        if self.clients.len() < CLIENTS_MAX {
            let client = Client::new(Pipe::new(&self.disk, &mut self.rng, self.tick), &mut self.rng);
            self.turns.connect(Rc::clone(&client.pipe));
            self.clients.push(client);
            count(&mut self.tally, "clients");
        }
    }

    fn act(&mut self) {
        if self.clients.is_empty() {
            return;
        }
        let index = self.rng.below(self.clients.len());
        let World { rng, disk, turns, clients, tally, .. } = self;
        clients[index].act(rng, &disk.borrow(), &turns.limits, self.tick, tally);
        self.let_go(index);
    }

    /// Judges the end of a client whose connection is over.
    fn let_go(&mut self, index: usize) {
        if self.clients[index].is_over() {
            let client = self.clients.swap_remove(index);
            client.judge_end(&self.disk.borrow(), &self.turns.limits, &mut self.tally);
        }
    }

    fn look_over(&mut self) {
        let earliest = self.clients.iter().filter_map(Client::earliest).min();
        let mut disk = self.disk.borrow_mut();
        let moment = disk.moment;
        disk.forget_before(earliest.unwrap_or(moment));
    }

    /// Has everything finished, closes what can be closed, and waits for the rest to be overdue.
    pub fn end(mut self) -> Tally {
        self.settle();
        for client in &self.clients {
            assert!(client.is_served(), "left without an answer");
            let keeps = self.turns.keeps_something(&client.pipe);
            assert!(!keeps || !client.is_at_rest(), "an idle connection that owns something");
        }
        for client in self.clients.iter().step_by(2) {
            client.pipe.borrow_mut().end();
        }
        self.settle();
        self.turns.check();
        self.set_time(LONG_SECS, 0);
        self.settle();
        assert_eq!(self.turns.connections(), 0, "connections are left");
        assert!(self.clients.is_empty(), "clients are left");
        let changes = self.disk.borrow().changes;
        self.tally.insert("changes of files".to_owned(), changes);
        self.tally
    }

    /// Clients send and take all they can until nothing happens any more.
    fn settle(&mut self) {
        loop {
            let has_turned = self.turns.turn();
            for client in &mut self.clients {
                client.send(usize::MAX);
                client.receive(usize::MAX, &self.disk.borrow(), &mut self.tally);
            }
            for index in (0..self.clients.len()).rev() {
                self.let_go(index);
            }
            if !has_turned && !self.clients.iter().any(|client| client.pipe.borrow().has_news()) {
                return;
            }
        }
    }
}
