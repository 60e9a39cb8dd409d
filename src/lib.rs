//! A static web server: one process, one thread, one poll loop, written to be read.
//!
//! ```no_run
//! let server = pws::Server::bind(pws::Config::new("static"))?;
//! println!("{:?}", server.local_addrs()?);
//! server.run()?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! This page is a tour of the files. The rules they keep, which room may use which, the session's phases,
//! what edge-triggering demands and the roads not taken stand in `ARCHITECTURE.md`; where to start a
//! change, in `CONTRIBUTING.md`.
//!
//! # A request, from file to file
//!
//! ```text
//!  epoll ─► server ─News─► event_loop ─run─► connection ─advance─► session ─parse─► http::request
//!                                                │  ▲ Want            │ Request<'_>, borrows the input
//!                                           bytes│  │                 ▼
//!  socket ◄────────────────────────────────── outbox ◄─ segments ── site ──► rules, files, listing
//! ```
//!
//! 1. [`turn::server`] sleeps in the poll until sockets have news, then takes the time, once, for the
//!    whole turn.
//! 2. [`turn::event_loop`] is the turn. News only sets flags on connections and queues them; the queue is
//!    then run, each connection within a share of the turn's time and bytes, so that nobody waits for
//!    somebody else's download. Whose time is up is closed, who is new is accepted and run at once. If
//!    something runs short, [`turn::shortage`] says who has to go.
//! 3. [`client::connection`] is the pump. It asks the session what it wants: to read, to write, to close.
//!    It does that on the socket until the socket would block.
//! 4. [`client::session`] is one client's HTTP/1.1 life: bytes in, responses queued. It never touches a
//!    socket.
//! 5. [`responder`] is what it asks for a response, and [`site`] the one that has a folder: which host,
//!    which rules, which file, which bytes.
//! 6. [`outbox`] is what is to be sent: bytes, slices of files and content made on the way, in order. It
//!    sends without knowing what they mean, and tells of each response that has left.
//! 7. [`access_log`] has its line then.
//!
//! # Reading order
//!
//! `main.rs` (how it starts), then down the rooms: [`turn`], [`client`], [`responder`], [`site`],
//! [`access_log`], [`outbox`]. Below them are the rules that a site brings along in [`rules`], those of
//! the wire in [`http`], the disk in [`files`], the pages that show a folder in [`listing`] and the
//! sockets in [`net`]; at the bottom [`config`], [`clock`] and [`limits`]. [`ledger`] is what all clients
//! hold, [`process`] what the process is granted and gives up, [`notices`] what whoever operates it is told,
//! and [`sink`] how that is written without waiting. [`status`] shows what [`metrics`] counts, at a door of
//! its own, and [`timeline`] keeps what was done when. The front page of each says what its files are for.

#![forbid(unsafe_code)]
#![deny(clippy::allow_attributes)]

pub mod access_log;
pub mod client;
pub mod clock;
pub mod config;
pub mod date;
pub mod files;
pub mod http;
pub mod ledger;
pub mod limits;
pub mod listing;
pub mod metrics;
pub mod net;
pub mod notices;
pub mod outbox;
pub mod process;
pub mod responder;
pub mod rules;
pub mod sink;
pub mod site;
pub mod status;
pub mod timeline;
pub mod turn;

pub use config::Config;
pub use turn::server::Server;
pub use turn::stop::StopHandle;
