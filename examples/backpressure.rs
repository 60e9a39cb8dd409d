//! The ladder, 7 of 9: as fast as each can take it.
//!
//!     cargo run --example backpressure
//!
//! **Shows**: what the kernel does not take is kept, and sent when it has room; until then nothing more is
//! read of that client. And turns: who has had its share goes to the end of a queue, so that a download of
//! a gigabyte and a page of a kilobyte get on side by side. News only puts a client into the queue; the
//! loop goes on at its own pace.
//!
//! **What breaks it**: files are read into memory, one copy for each who asks. Ten slow clients of a
//! hundred megabytes are a gigabyte; see `VmRSS` in `/proc/PID/status`:
//!
//!     truncate -s 100M static/large.bin
//!     for i in $(seq 10); do curl -s --limit-rate 10k -o /dev/null http://127.0.0.1:9000/large.bin & done
//!
//! **Next**: `sendfile` leaves files with the kernel.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

const HEAD_BYTES_MAX: usize = 8192;
const RUN_BYTES_MAX: usize = 64 * 1024;
const LISTENER: Token = Token(usize::MAX);

struct Client {
    stream: TcpStream,
    received: Vec<u8>,
    unsent: VecDeque<u8>,
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
    let mut queue: VecDeque<usize> = VecDeque::new();
    loop {
        // Who yielded does not wait for news.
        poll.poll(&mut events, (!queue.is_empty()).then_some(Duration::ZERO))?;
        for event in &events {
            match event.token() {
                // What cannot be accepted now is tried again when the next one knocks: never, if the queue is full.
                LISTENER => {
                    while let Ok((mut stream, _)) = listener.accept() {
                        let place = clients.vacant_entry();
                        let interest = Interest::READABLE | Interest::WRITABLE;
                        poll.registry().register(&mut stream, Token(place.key()), interest)?;
                        place.insert(Client { stream, received: Vec::new(), unsent: VecDeque::new() });
                    }
                }
                Token(key) if !queue.contains(&key) => queue.push_back(key),
                _ => {}
            }
        }
        for key in std::mem::take(&mut queue) {
            match clients.get_mut(key).map(|client| client.run(&folder)) {
                Some(Ok(())) => queue.push_back(key),
                Some(Err(error)) if error.kind() == ErrorKind::WouldBlock => {}
                Some(Err(_)) | None => drop(clients.try_remove(key)),
            }
        }
    }
}

impl Client {
    /// Goes on for one share. An error that is not `WouldBlock` is the end.
    fn run(&mut self, folder: &Path) -> io::Result<()> {
        let mut left = RUN_BYTES_MAX;
        while left > 0 {
            let (unsent, _) = self.unsent.as_slices();
            if !unsent.is_empty() {
                let count = self.stream.write(&unsent[..unsent.len().min(left)])?;
                self.unsent.drain(..count);
                left -= count;
            } else if let Some(len) = head_len(&self.received) {
                self.unsent = respond(&self.received[..len], folder).into();
                self.received.drain(..len);
            } else {
                let mut piece = [0; 4096];
                let count = self.stream.read(&mut piece)?;
                if count == 0 || self.received.len() > HEAD_BYTES_MAX {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                self.received.extend_from_slice(&piece[..count]);
            }
        }
        Ok(())
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
