//! The ladder, 8 of 9: files stay with the kernel.
//!
//!     cargo run --example sendfile
//!
//! **Shows**: `sendfile`. A file on its way is a descriptor and a place in it; its bytes go from the page
//! cache to the socket and never come here. A hundred megabytes take as little memory as one page.
//!
//! **What breaks it**: patience. Who says nothing stays for ever; without a descriptor left, nobody comes:
//!
//!     sh -c 'ulimit -n 64; cargo run --example sendfile' &
//!     for i in $(seq 80); do nc 127.0.0.1 9000 & done; curl --max-time 2 http://127.0.0.1:9000/
//!
//! **Next**: `pws` has deadlines, and has those idle longest make room; and all that no rung here has.

use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::{collections::VecDeque, env, fs::File, ops::Range, time::Duration};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

const RUN_BYTES_MAX: usize = 64 * 1024;
const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);
const LISTENER: Token = Token(usize::MAX);

struct Client {
    stream: TcpStream,
    received: Vec<u8>,
    unsent: Vec<u8>,
    /// What follows that: so much of a file.
    file: Option<(File, Range<u64>)>,
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
                        stream.set_nodelay(true)?; // Else the file waits for the head's ACK: 40 ms.
                        let place = clients.vacant_entry();
                        poll.registry().register(&mut stream, Token(place.key()), BOTH)?;
                        place.insert(Client { stream, received: vec![], unsent: vec![], file: None });
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
            if !self.unsent.is_empty() {
                let count = self.stream.write(&self.unsent)?;
                self.unsent.drain(..count);
                left = left.saturating_sub(count);
            } else if let Some((file, rest)) = self.file.as_mut().filter(|(_, rest)| !rest.is_empty()) {
                let count_max = left.min((rest.end - rest.start) as usize);
                match rustix::fs::sendfile(&self.stream, &*file, Some(&mut rest.start), count_max)? {
                    0 => return Err(ErrorKind::UnexpectedEof.into()),
                    count => left -= count,
                }
            } else if let Some(len) = head_len(&self.received) {
                self.respond(len, folder);
                self.received.drain(..len);
            } else {
                let mut piece = [0; 4096];
                let count = self.stream.read(&mut piece)?;
                if count == 0 || self.received.len() > 8192 {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                self.received.extend_from_slice(&piece[..count]);
            }
        }
        Ok(())
    }

    fn respond(&mut self, head_len: usize, folder: &Path) {
        let head = String::from_utf8_lossy(&self.received[..head_len]);
        let target = head.strip_prefix("GET ").and_then(|rest| rest.split([' ', '?']).next()).unwrap_or("..");
        let path = folder.join(target.trim_start_matches('/'));
        let path = if target.ends_with('/') { path.join("index.html") } else { path };
        let file = File::open(path).and_then(|file| Ok((file.metadata()?, file))).ok();
        let file = file.filter(|(found, _)| found.is_file() && !target.contains(".."));
        let (status, len) = file.as_ref().map_or(("404 Not Found", 0), |(found, _)| ("200 OK", found.len()));
        self.file = file.map(|(_, file)| (file, 0..len));
        self.unsent = format!("HTTP/1.1 {status}\r\nContent-Length: {len}\r\n\r\n").into_bytes();
    }
}

fn head_len(received: &[u8]) -> Option<usize> {
    received.windows(4).position(|bytes| bytes == b"\r\n\r\n").map(|at| at + 4)
}
