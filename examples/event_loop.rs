//! The ladder, 6 of 9: one thread for everybody.
//!
//!     cargo run --example event_loop
//!
//! **Shows**: readiness. The kernel is asked which sockets have something (epoll, here by mio), and only
//! those are read; no call waits, and what is not there yet is somebody else's turn. Edge-triggered: news
//! is told once, so each is read until it would block. A client that waits costs this struct, and no
//! thread.
//!
//! **What breaks it**: one who takes more slowly than answers are made. What the kernel does not take at
//! once is dropped here, and the connection with it:
//!
//!     truncate -s 100M static/large.bin; curl -o /dev/null http://127.0.0.1:9000/large.bin
//!
//! **Next**: `backpressure` keeps what is unsent until it can be sent.

use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::{env, fs};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

const HEAD_BYTES_MAX: usize = 8192;
const LISTENER: Token = Token(usize::MAX);

/// All there is of a client that waits.
struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

fn main() -> io::Result<()> {
    let mut args = env::args().skip(1);
    let address = format!("127.0.0.1:{}", args.next().unwrap_or("9000".to_owned()));
    let folder = PathBuf::from(args.next().unwrap_or("static".to_owned()));

    let mut listener = TcpListener::bind(address.parse().map_err(io::Error::other)?)?;
    println!("http://{}/", listener.local_addr()?);
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(1024));
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut clients: Slab<Client> = Slab::new();
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            match event.token() {
                LISTENER => accept(&listener, &poll, &mut clients)?,
                Token(key) => {
                    let is_open = clients.get_mut(key).is_some_and(|client| client.serve(&folder).is_ok());
                    if !is_open {
                        clients.try_remove(key);
                        // There is a descriptor for the next one.
                        accept(&listener, &poll, &mut clients)?;
                    }
                }
            }
        }
    }
}

fn accept(listener: &TcpListener, poll: &Poll, clients: &mut Slab<Client>) -> io::Result<()> {
    // It would block once nobody is left. What else fails is tried again when somebody leaves.
    while let Ok((mut stream, _)) = listener.accept() {
        let place = clients.vacant_entry();
        poll.registry().register(&mut stream, Token(place.key()), Interest::READABLE)?;
        place.insert(Client { stream, received: Vec::new() });
    }
    Ok(())
}

impl Client {
    /// Does what can be done now. An error is the end of it.
    fn serve(&mut self, folder: &Path) -> io::Result<()> {
        loop {
            while let Some(len) = head_len(&self.received) {
                let answer = respond(&self.received[..len], folder);
                if self.stream.write(&answer)? < answer.len() {
                    return Err(ErrorKind::WriteZero.into());
                }
                self.received.drain(..len);
            }
            let mut piece = [0; 4096];
            match self.stream.read(&mut piece) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) if self.received.len() > HEAD_BYTES_MAX => return Err(ErrorKind::InvalidData.into()),
                Ok(count) => self.received.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

/// How long the head is that `received` begins with, with its empty line.
fn head_len(received: &[u8]) -> Option<usize> {
    received.windows(4).position(|bytes| bytes == b"\r\n\r\n").map(|at| at + 4)
}

fn respond(head: &[u8], folder: &Path) -> Vec<u8> {
    let head = String::from_utf8_lossy(head);
    let target = head.strip_prefix("GET ").and_then(|rest| rest.split([' ', '?']).next()).unwrap_or("..");
    let index = if target.ends_with('/') { "index.html" } else { "" };
    let file = folder.join(format!("{}{index}", target.trim_start_matches('/')));
    let content = if target.contains("..") { None } else { fs::read(file).ok() };
    let (status, content) =
        content.map_or(("404 Not Found", b"nothing\n".to_vec()), |content| ("200 OK", content));
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", content.len());
    [head.as_bytes(), &content].concat()
}
