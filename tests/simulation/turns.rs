//! The loop, as the server has it, on connections in memory: poll → mark → run → deadlines → accept.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use pws::access_log::AccessLog;
use pws::client::connection::{Buffers, Connection, Verdict};
use pws::client::session::Turn;
use pws::clock::{Now, Tick};
use pws::config::SiteOptions;
use pws::limits::Limits;
use pws::site::Site;
use slab::Slab;

use super::disk::{Disk, LOADED_BYTES_MAX};
use super::pipe::{Gone, Pipe, ServerEnd};

/// Connections at once; more wait to be accepted.
const CONNECTIONS_MAX: usize = 100;

/// Bounds so tight that all of them are met.
pub fn limits() -> Limits {
    Limits {
        head_bytes_max: 400,
        target_bytes_max: 200,
        body_bytes_max: 600,
        outbox_bytes_max: 3000,
        pipeline_max: 4,
        run_bytes_max: 4096,
        accepts_per_turn_max: 8,
        loaded_file_bytes_max: LOADED_BYTES_MAX as u64,
        cache_bytes_max: 24 * 1024,
        cached_descriptors_max: 3,
        linger_bytes_max: 1000,
        // Any progress renews the deadline.
        send_bytes_min: 1,
        ..Limits::default()
    }
}

struct Slot {
    connection: Connection<ServerEnd>,
    pipe: Rc<RefCell<Pipe>>,
    is_queued: bool,
}

impl Slot {
    fn queue(&mut self, key: usize, run_queue: &mut Vec<usize>) {
        if !self.is_queued {
            self.is_queued = true;
            run_queue.push(key);
        }
    }
}

pub struct Turns {
    pub limits: Limits,
    site: Site,
    buffers: Buffers,
    access_log: AccessLog,
    pub now: Now,
    slots: Slab<Slot>,
    run_queue: Vec<usize>,
    next_deadline: Tick,
    backlog: VecDeque<Rc<RefCell<Pipe>>>,
}

impl Turns {
    pub fn new(disk: &Disk) -> Turns {
        let limits = limits();
        let site = Site::open(&disk.root(), &SiteOptions::default(), &limits).expect("the folder");
        Turns {
            buffers: Buffers::new(&limits),
            limits,
            site,
            access_log: AccessLog::off(),
            now: Now::at(0, disk.unix_secs()),
            slots: Slab::new(),
            run_queue: Vec::new(),
            next_deadline: Tick::MAX,
            backlog: VecDeque::new(),
        }
    }

    pub fn connect(&mut self, pipe: Rc<RefCell<Pipe>>) {
        self.backlog.push_back(pipe);
    }

    pub fn connections(&self) -> usize {
        self.slots.len() + self.backlog.len()
    }

    /// One turn; false if there was nothing to do.
    pub fn turn(&mut self) -> bool {
        self.site.recheck();
        for (key, slot) in &mut self.slots {
            let mut pipe = slot.pipe.borrow_mut();
            pipe.tick = self.now.tick;
            if let Some(readiness) = pipe.take_news() {
                drop(pipe);
                slot.connection.mark(readiness);
                slot.queue(key, &mut self.run_queue);
            }
        }
        let due = self.run_queue.len();
        for index in 0..due {
            self.run_one(self.run_queue[index]);
        }
        self.run_queue.drain(..due);
        self.close_overdue();
        let accepted = self.accept();
        due + accepted > 0
    }

    fn run_one(&mut self, key: usize) {
        // One whose time was up may still be queued.
        let Some(slot) = self.slots.get_mut(key) else { return };
        slot.is_queued = false;
        let mut turn = Turn {
            now: &self.now,
            limits: &self.limits,
            site: &mut self.site,
            access_log: &mut self.access_log,
            run_bytes_max: self.limits.run_bytes_max,
            is_draining: false,
        };
        match slot.connection.run(&mut self.buffers, &mut turn) {
            Verdict::Close => drop(self.slots.remove(key)),
            Verdict::Yield | Verdict::AwaitDisk => slot.queue(key, &mut self.run_queue),
            Verdict::Park(edge) => {
                self.next_deadline = self.next_deadline.min(slot.connection.deadline());
                slot.pipe.borrow_mut().register(edge);
            }
        }
    }

    fn close_overdue(&mut self) {
        let tick = self.now.tick;
        if tick < self.next_deadline {
            return;
        }
        self.next_deadline = Tick::MAX;
        self.slots.retain(|_, slot| {
            let deadline = slot.connection.deadline();
            if deadline <= tick {
                slot.pipe.borrow_mut().gone = Some(Gone::Overdue);
                return false;
            }
            self.next_deadline = self.next_deadline.min(deadline);
            true
        });
    }

    fn accept(&mut self) -> usize {
        let mut count = 0;
        while count < self.limits.accepts_per_turn_max && self.slots.len() < CONNECTIONS_MAX {
            let Some(pipe) = self.backlog.pop_front() else { break };
            count += 1;
            self.site.recheck();
            let client = "192.0.2.1".parse().expect("an address");
            pipe.borrow_mut().tick = self.now.tick;
            let socket = ServerEnd(Rc::clone(&pipe));
            let connection = Connection::new(socket, client, &self.now, &self.limits);
            let key = self.slots.insert(Slot { connection, pipe, is_queued: false });
            self.run_one(key);
        }
        count
    }

    /// What must hold between turns: whoever waits waits for something that will be told.
    pub fn check(&self) {
        for (_, slot) in &self.slots {
            let pipe = slot.pipe.borrow();
            if slot.is_queued || pipe.has_news() || pipe.awaits_room {
                continue;
            }
            assert!(!pipe.is_reset, "a broken connection is kept");
            assert_eq!(pipe.unread_by_server(), 0, "input that nobody will read");
            assert!(!pipe.has_ended, "the client has gone and the connection is kept");
        }
    }

    /// Whether the connection at the other end of `pipe` keeps something unread or unsent.
    pub fn keeps_something(&self, pipe: &Rc<RefCell<Pipe>>) -> bool {
        let slot = self.slots.iter().find(|(_, slot)| Rc::ptr_eq(&slot.pipe, pipe));
        slot.is_some_and(|(_, slot)| !format!("{:?}", slot.connection).contains("rest: None"))
    }
}
