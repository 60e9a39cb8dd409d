//! A static web server: one process, one thread, one poll loop, written to be read.
//!
//! ```no_run
//! let server = pws::Server::bind(pws::Config::new("static"))?;
//! println!("{:?}", server.local_addrs()?);
//! server.run()?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # A turn of the loop
//!
//! ```text
//!  epoll ─► server ─run─► connection ─advance─► session ─parse─► http::request
//!                             │  ▲ Want            │ Request<'_>, borrows the loop's buffer
//!                        bytes│  │                 ▼
//!  socket ◄──────────────── outbox ◄─ segments ── site ──► http::*, files::*
//! ```
//!
//! 1. [`turn::server`] sleeps in the poll until sockets have news, then takes the time, once, for the whole
//!    turn.
//! 2. Each event only sets flags on a connection and queues it. The queue is then run, each connection within
//!    a budget of bytes, so that nobody waits for somebody else's download.
//! 3. [`client::connection`] is the pump. It asks the session what it wants: to read, to write, to close. It
//!    does that on the socket until the socket would block.
//! 4. [`client::session`] is one client's HTTP/1.1 life: bytes in, answers queued. It never touches a socket.
//! 5. [`site`] turns a request into an answer: which host, which rules, which file, which bytes.
//! 6. [`outbox`] is the answer: bytes, slices of files and listings, in order. It sends without knowing what
//!    they mean.
//! 7. Back in [`turn`]: connections whose time is up are closed, new ones are accepted and run at once.
//!
//! # Reading order
//!
//! `main.rs` (how it starts), then down the rooms: [`turn`], [`client`], [`site`], [`access_log`],
//! [`outbox`]. Below them are the rules that a site brings along in [`rules`], those of the wire in [`http`],
//! the disk in [`files`], the pages that show a folder in [`listing`] and the sockets in [`net`]; at the
//! bottom [`config`], [`clock`] and [`limits`]. The front page of each says what its files are for.
//!
//! # Six rules that make the house
//!
//! 1. **Buffers belong to the loop.** One input and one [`outbox`] serve every connection in turn. What a
//!    connection could not finish it keeps on the heap until it can; a connection that waits idle owns
//!    nothing.
//! 2. **Bytes in, bytes out.** The protocol is handed bytes and the time and returns values, so that every
//!    rule of the wire can be tested in memory, whole or one byte at a time.
//! 3. **An answer is a queue of segments.** The code that sends does not know what a head or a range is.
//! 4. **Events are hints.** No callbacks, no futures: flags, a run queue and a loop that goes at its own
//!    pace.
//! 5. **The kernel guards the root.** Files are opened by `openat2` beneath the served folder, and described
//!    by `fstat` of what was opened. No string check stands between a client and the rest of the disk.
//! 6. **One way.** A file uses only rooms on lower floors; upper floors get small values back. A test holds
//!    the code to it.
//!
//! # What edge-triggering demands
//!
//! The poll reports an edge once. A wake-up that is lost is lost for good, so after every run of a connection
//! one of these holds: reading said "would block", or fell short of the buffer with the peer still there; an
//! answer is pending and writing said "would block"; or the connection is in the run queue, and the next poll
//! does not sleep, or for some milliseconds if all of them wait for a disk. The same goes for the listeners.
//! A socket is registered only when it first has to wait.

#![forbid(unsafe_code)]
#![deny(clippy::allow_attributes)]

pub mod access_log;
pub mod client;
pub mod clock;
pub mod config;
pub mod date;
pub mod files;
pub mod http;
pub mod limits;
pub mod listing;
pub mod net;
pub mod outbox;
pub mod process;
pub mod responder;
pub mod rules;
pub mod site;
pub mod turn;

pub use config::Config;
pub use turn::server::Server;
pub use turn::stop::StopHandle;
