//! The ladder, 9 of 9: the library.
//!
//!     cargo run --example pws
//!
//! **Shows**: all of it, in a few lines: any method, ranges, conditions, codings, rules, listings, links
//! that the kernel keeps inside, deadlines, a bound on everything that a client can hold, a log that nobody
//! waits for, a stop that finishes what is under way. The loop is the one of the rungs below; where to read
//! on is told by `src/lib.rs`.
//!
//! **What breaks it**: tell us. `tests/suite/faults/` is what we have tried.

use std::{env, io};

use pws::{Config, Server};

fn main() -> io::Result<()> {
    let mut args = env::args().skip(1);
    let port = args.next().map_or(Ok(9000), |port| port.parse()).map_err(io::Error::other)?;
    let folder = args.next().unwrap_or("static".to_owned());
    let server = Server::bind(Config { port, binds: vec!["127.0.0.1".to_owned()], ..Config::new(folder) })?;
    println!("http://{}/", server.local_addrs()?[0]);
    server.run()
}
