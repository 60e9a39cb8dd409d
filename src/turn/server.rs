//! The rim of the loop: the poll, the clock, the listeners of the real world, and what stops it.
//!
//! Knows mio; what a turn does to connections is the [`event_loop`](super::event_loop)'s.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use crate::access_log::AccessLog;
use crate::clock::Clock;
use crate::config::{Config, Place};
use crate::limits::Limits;
use crate::net::listener;
use crate::net::socket::Readiness;
use crate::net::stream_listener::{self, StreamListener};
use crate::process::resources;
use crate::site::Site;
use crate::status::StatusPage;
use crate::timeline::Timeline;
use crate::turn::answers::Answers;
use crate::turn::event_loop::{EventLoop, News, Turn};
use crate::turn::stop::{StopHandle, Stops};

/// Events taken from the kernel at once.
const EVENTS_MAX: usize = 1024;
/// Connections have their slab key as token; these stand above all keys.
const WAKER: Token = Token(usize::MAX);
const SIGNALS: Token = Token(usize::MAX - 1);
const LOG: Token = Token(usize::MAX - 2);
/// The token of all listeners.
const LISTENERS: Token = Token(usize::MAX - 3);
/// Of what tells that something has changed on the disk.
const DISK: Token = Token(usize::MAX - 4);

/// A static web server, bound and ready to [`run`](Server::run).
pub struct Server {
    poll: Poll,
    events: Events,
    event_loop: EventLoop<StreamListener, Answers>,
    clock: Clock,
    stops: Stops,
}

impl Server {
    /// Opens the folder and the listening sockets. Errors say what failed, on what, and what to try.
    pub fn bind(config: Config) -> io::Result<Server> {
        let Config { binds, port, folder, guests, status, access_log, trace, site, limits } = config;
        let limits = Limits { open_files_max: resources::open_files(), ..limits };
        limits.check()?;
        let site = Site::open(&folder, &site, &limits)?;
        let poll = Poll::new()?;
        let mut listeners: Vec<StreamListener> =
            listener::listen(&binds, port, &limits)?.into_iter().map(StreamListener::Tcp).collect();
        for listener in &mut listeners {
            listener.register(poll.registry(), LISTENERS)?;
        }
        if let Some(watch) = site.watch_descriptor() {
            poll.registry().register(&mut SourceFd(&watch.as_raw_fd()), DISK, Interest::READABLE)?;
        }
        let open_page = |_| StatusPage::open(limits.looking_max() / 2);
        let answers = Answers { site, status: status.as_ref().map(open_page) };
        let status = status.map(|place| listen_at(&place, &limits)).transpose()?;
        let stops = Stops::new(poll.registry(), WAKER)?;
        let access_log = if access_log { AccessLog::to_stdout()? } else { AccessLog::off() };
        access_log.register(poll.registry(), LOG);
        let mut event_loop = EventLoop::new(listeners, answers, access_log, limits);
        event_loop.serve_only(guests);
        if let Some(path) = trace {
            event_loop.record_on(Timeline::create(&path)?);
        }
        if let Some(mut listener) = status {
            listener.register(poll.registry(), LISTENERS)?;
            event_loop.add_status(listener);
        }
        Ok(Server {
            poll,
            events: Events::with_capacity(EVENTS_MAX),
            event_loop,
            clock: Clock::start(),
            stops,
        })
    }

    /// Reads the site's rules, and tells what is wrong with them; that is an error if the options are strict.
    /// To be called once the process is who it will be. Without, rules are read when they are needed.
    pub fn check_site(&mut self) -> io::Result<()> {
        self.event_loop.responder_mut().site.check(self.clock.now())
    }

    /// The addresses listened on, with the port that was taken.
    pub fn local_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        let listeners = self.event_loop.listeners().iter();
        listeners.filter_map(|listener| listener.local_addr().transpose()).collect()
    }

    /// The address at which the server can be looked at, with the port that was taken, if it has one.
    pub fn status_addr(&self) -> io::Result<Option<SocketAddr>> {
        self.event_loop.status_listeners().first().map_or(Ok(None), StreamListener::local_addr)
    }

    /// The folder that is served.
    pub fn root_folder(&self) -> BorrowedFd<'_> {
        self.event_loop.responder().site.root_folder()
    }

    /// The folder that holds both that and the link by which it was named, if it was: another may be put in
    /// place by swapping the link.
    pub fn link_folder(&self) -> Option<BorrowedFd<'_>> {
        self.event_loop.responder().site.link_folder()
    }

    /// How many connections there may be at once.
    pub fn connections_max(&self) -> usize {
        self.event_loop.connections().count_max()
    }

    /// Stops this server from elsewhere.
    pub fn stop_handle(&self) -> StopHandle {
        self.stops.handle()
    }

    /// Makes SIGINT and SIGTERM stop this server: the first finishes the responses under way, the second ends
    /// at once. For programs that are the server; a library leaves signals to its host.
    pub fn stop_on_signals(&mut self) -> io::Result<()> {
        self.stops.listen_to_signals(self.poll.registry(), SIGNALS)
    }

    /// Serves until stopped.
    pub fn run(mut self) -> io::Result<()> {
        while !self.event_loop.is_stopped() {
            self.wait()?;
            self.clock.read();
            let (now, stopwatch) = (self.clock.now(), self.clock.stopwatch());
            if self.events.iter().any(|event| [WAKER, SIGNALS].contains(&event.token())) {
                let asked = self.stops.take();
                if asked.wants_summary {
                    self.event_loop.tell_summary(now);
                }
                for _ in 0..asked.stops {
                    self.event_loop.stop(now);
                }
            }
            let turn = Turn { now, stopwatch: &stopwatch, registry: self.poll.registry() };
            // A request may be among what the poll tells, and the change before it not: but only if it had
            // more to tell.
            let is_full = self.events.iter().nth(EVENTS_MAX - 1).is_some();
            let more = is_full.then_some(News::Disk);
            self.event_loop.turn(self.events.iter().map(news).chain(more), &turn);
            self.event_loop.count_turn(&stopwatch);
        }
        self.event_loop.end(self.clock.now());
        Ok(())
    }

    /// Sleeps until there is something to do. All gathered log lines are written before.
    fn wait(&mut self) -> io::Result<()> {
        let (now, stopwatch) = (self.clock.now(), self.clock.stopwatch());
        self.event_loop.flush_logs(&Turn { now, stopwatch: &stopwatch, registry: self.poll.registry() });
        loop {
            let timeout = self.event_loop.sleep_max_millis(self.clock.now()).map(Duration::from_millis);
            match self.poll.poll(&mut self.events, timeout) {
                // A process that was stopped and goes on has news to hear before anybody's time is up.
                Err(error) if error.kind() == ErrorKind::Interrupted => self.clock.read(),
                result => return result,
            };
        }
    }
}

fn listen_at(place: &Place, limits: &Limits) -> io::Result<StreamListener> {
    match place {
        Place::Tcp(address) => listener::listen_at(*address, limits).map(StreamListener::Tcp),
        Place::Unix(path) => stream_listener::listen_at_path(path).map(StreamListener::Unix),
    }
}

/// What an event says, in the loop's terms.
fn news(event: &Event) -> News {
    match event.token() {
        LISTENERS => News::Listener,
        DISK => News::Disk,
        // For stops, this has been asked already. A reader of the log has taken something: what waits is
        // written before the next sleep, as always.
        WAKER | SIGNALS | LOG => News::Other,
        Token(key) => News::Connection(key, readiness(event)),
    }
}

fn readiness(event: &Event) -> Readiness {
    let is_broken = event.is_error();
    Readiness {
        readable: event.is_readable() || is_broken,
        writable: event.is_writable() || event.is_write_closed() || is_broken,
        read_closed: event.is_read_closed() || is_broken,
        // Both ways are closed, or it was reset.
        broken: event.is_write_closed() || is_broken,
    }
}
