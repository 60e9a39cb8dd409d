//! The attackers: all in one thread, so that they take as little as can be from whoever is measured beside them.
//! Their requests are made before they begin, and nobody parses what they are answered.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use socket2::{Domain, Socket, Type};

use super::shapes::{Attack, First, Manner};

/// Attackers come from this address and those behind it: a bound on one client alone does not stop them.
const FIRST_ADDRESS: u32 = u32::from_be_bytes([127, 0, 0, 3]);
const ADDRESSES: usize = 250;
/// So many connections are opened before the events are looked at again: the server's backlog, in which the
/// honest wait as well, is not what is attacked, except by a flood.
const OPENED_AT_ONCE: usize = 16;
/// Events looked at in one go.
const EVENTS_MAX: usize = 1024;
/// Whoever was cut comes back after this time.
const RETURN: Duration = Duration::from_millis(50);
/// What the kernel takes for an attacker who reads nothing: little, so that the rest stays with the server.
const RECEIVE_BUFFER_BYTES: usize = 4 << 10;
/// What it keeps of requests that the server has no room for: some batches are to wait there, no megabytes.
const SEND_BUFFER_BYTES: usize = 16 << 10;
/// The kernel serves them after all others.
const NICE: i32 = 5;

/// What they have done so far.
#[derive(Debug, Default)]
pub struct Tally {
    pub opened: AtomicU64,
    pub sent_bytes: AtomicU64,
    pub received_bytes: AtomicU64,
    /// Connections that the server ended.
    pub cut: AtomicU64,
}

/// Attackers at work. They leave when this is dropped.
pub struct Crowd {
    is_over: Arc<AtomicBool>,
    pub tally: Arc<Tally>,
    thread: Option<JoinHandle<()>>,
}

impl Crowd {
    pub fn start(attack: &Attack, first: &First, address: SocketAddr) -> io::Result<Crowd> {
        let (is_over, tally) = (Arc::new(AtomicBool::new(false)), Arc::new(Tally::default()));
        let mut work = Work::new(attack, first, address, Arc::clone(&tally))?;
        let is_over_there = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            // If it must not, it takes its share.
            let _ = rustix::process::setpriority_process(None, NICE);
            let mut events = Vec::with_capacity(EVENTS_MAX);
            while !is_over_there.load(Ordering::Relaxed) {
                work.turn(&mut events).expect("a poll of sockets");
            }
        });
        Ok(Crowd { is_over, tally, thread: Some(thread) })
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // If it panicked, it has said so.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

struct Attacker {
    socket: Option<Socket>,
    requests: Vec<u8>,
    /// Of the requests.
    sent: usize,
}

struct Work {
    address: SocketAddr,
    manner: Manner,
    epoll: OwnedFd,
    attackers: Vec<Attacker>,
    /// Those to connect.
    absent: Vec<usize>,
    /// Those who come back later.
    cut: Vec<usize>,
    returned: Instant,
    tally: Arc<Tally>,
    buffer: Vec<u8>,
}

impl Work {
    fn new(attack: &Attack, first: &First, address: SocketAddr, tally: Arc<Tally>) -> io::Result<Work> {
        let requests = |index: usize| {
            let numbers = index * attack.pipeline..(index + 1) * attack.pipeline;
            numbers.map(|number| (attack.ask)(first, number)).collect::<String>().into_bytes()
        };
        let attackers = (0..attack.connections)
            .map(|index| Attacker { socket: None, requests: requests(index), sent: 0 })
            .collect();
        Ok(Work {
            address,
            manner: attack.manner,
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            attackers,
            absent: (0..attack.connections).rev().collect(),
            cut: Vec::new(),
            returned: Instant::now(),
            tally,
            buffer: vec![0; 1 << 20],
        })
    }

    fn turn(&mut self, events: &mut Vec<epoll::Event>) -> io::Result<()> {
        if self.returned.elapsed() > RETURN {
            self.absent.append(&mut self.cut);
            self.returned = Instant::now();
        }
        let opening = self.absent.split_off(self.absent.len().saturating_sub(OPENED_AT_ONCE));
        for index in opening {
            match self.open(index) {
                Ok(socket) => self.attackers[index].socket = Some(socket),
                // No port, or nobody there.
                Err(_) => self.cut.push(index),
            }
        }
        let wait_ms = if self.absent.is_empty() { 20 } else { 1 };
        let wait = Timespec { tv_sec: 0, tv_nsec: wait_ms * 1_000_000 };
        events.clear();
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(events), Some(&wait)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in events.iter() {
            // A copy: the struct is packed.
            let (flags, index) = (event.flags, event.data.u64() as usize);
            self.serve(index, flags);
        }
        Ok(())
    }

    fn open(&mut self, index: usize) -> io::Result<Socket> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), None)?;
        socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
        if self.manner != Manner::Repeat {
            // Only before connecting does the size bound the window that is offered.
            socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
        }
        if self.manner == Manner::Flood {
            socket.set_linger(Some(Duration::ZERO))?;
        }
        let source = Ipv4Addr::from(FIRST_ADDRESS + (index % ADDRESSES) as u32);
        socket.bind(&SocketAddr::from((source, 0)).into())?;
        match socket.connect(&self.address.into()) {
            Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => {
                return Err(error);
            }
            _ => {}
        }
        let wanted = match self.manner {
            Manner::Repeat => EventFlags::IN | EventFlags::OUT,
            Manner::Stall => EventFlags::RDHUP | EventFlags::OUT,
            Manner::Abandon | Manner::Flood => EventFlags::OUT,
        };
        epoll::add(&self.epoll, &socket, EventData::new_u64(index as u64), wanted)?;
        self.attackers[index].sent = 0;
        self.tally.opened.fetch_add(1, Ordering::Relaxed);
        Ok(socket)
    }

    fn serve(&mut self, index: usize, flags: EventFlags) {
        let has_ended = flags.intersects(EventFlags::HUP | EventFlags::ERR | EventFlags::RDHUP);
        let result = match has_ended && self.manner != Manner::Repeat {
            true => Err(ErrorKind::ConnectionReset.into()),
            false => self.exchange(index, flags),
        };
        match (result, self.manner) {
            (Ok(true), _) => {}
            (Ok(false), Manner::Flood) => {
                self.attackers[index].socket = None;
                self.absent.push(index);
            }
            (Ok(false), _) => self.rest(index),
            (Err(_), manner) => {
                self.attackers[index].socket = None;
                self.tally.cut.fetch_add(1, Ordering::Relaxed);
                if manner != Manner::Abandon {
                    self.cut.push(index);
                }
            }
        }
    }

    /// Sends and takes once; whether there is more to do.
    fn exchange(&mut self, index: usize, flags: EventFlags) -> io::Result<bool> {
        let attacker = &mut self.attackers[index];
        let Some(socket) = &attacker.socket else { return Ok(true) };
        if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            // TRUNC has TCP throw the bytes away, which saves the copying.
            match rustix::net::recv(socket, &mut self.buffer[..], RecvFlags::TRUNC) {
                Ok((_, 0)) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok((_, count)) => self.tally.received_bytes.fetch_add(count as u64, Ordering::Relaxed),
                Err(Errno::AGAIN) => 0,
                Err(error) => return Err(error.into()),
            };
        }
        if flags.contains(EventFlags::OUT) {
            match rustix::net::send(socket, &attacker.requests[attacker.sent..], SendFlags::NOSIGNAL) {
                Ok(count) => {
                    attacker.sent += count;
                    self.tally.sent_bytes.fetch_add(count as u64, Ordering::Relaxed);
                }
                Err(Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if attacker.sent == attacker.requests.len() {
            attacker.sent = 0;
            return Ok(self.manner == Manner::Repeat);
        }
        Ok(true)
    }

    /// Nothing more is sent: only an end is waited for, if any.
    fn rest(&mut self, index: usize) {
        let Some(socket) = &self.attackers[index].socket else { return };
        let wanted = match self.manner {
            Manner::Stall => EventFlags::RDHUP,
            _ => EventFlags::empty(),
        };
        epoll::modify(&self.epoll, socket, EventData::new_u64(index as u64), wanted).expect("a socket");
    }
}
