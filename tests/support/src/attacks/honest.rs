//! Clients that do as they should while others do not, from an address of their own, and what becomes of them.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::sites::{DOWNLOAD, DOWNLOAD_BYTES, PAGE};
use super::watch::Server;
use crate::client::{Client, request};
use crate::folder::noise;

const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// Whoever waits longer is lost.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// Between two requests.
const PAUSE: Duration = Duration::from_millis(2);
/// A download takes a piece,
const PIECE_BYTES: usize = 64 << 10;
/// and pauses: it lasts a second and a half, so that most of it is still to come when others attack.
const PIECE_PAUSE: Duration = Duration::from_millis(10);

/// How the requests of one client fared that asks for a page on a new connection each time.
#[derive(Clone, Debug, Default)]
pub struct Waits {
    /// From shortest to longest, those of the lost included.
    pub waits: Vec<Duration>,
    /// The most processor time that the server took while one request waited: no turn was longer.
    pub server_max: Duration,
    /// What went wrong, once for each request that was not answered as it should be.
    pub lost: Vec<String>,
}

impl Waits {
    pub fn median(&self) -> Duration {
        self.waits.get(self.waits.len() / 2).copied().unwrap_or_default()
    }

    pub fn worst(&self) -> Duration {
        self.waits.last().copied().unwrap_or_default()
    }
}

/// Asks until `is_over`, and once at least.
pub fn ask(server: &Server, is_over: &AtomicBool) -> Waits {
    let page = noise(1 << 10);
    let mut seen = Waits::default();
    while !is_over.load(Ordering::Relaxed) || seen.waits.is_empty() {
        let (asked, server_before) = (Instant::now(), server.processor_time());
        if let Err(error) = ask_once(server.address, &page) {
            seen.lost.push(error.to_string());
        }
        seen.waits.push(asked.elapsed());
        seen.server_max = seen.server_max.max(server.processor_time() - server_before);
        thread::sleep(PAUSE);
    }
    seen.waits.sort();
    seen
}

fn ask_once(server: SocketAddr, page: &[u8]) -> io::Result<()> {
    let mut client = Client::try_connect_from(ADDRESS, server, PATIENCE)?;
    let answer = client.try_get(PAGE, "")?;
    match answer.status == 200 && answer.body == page {
        true => Ok(()),
        false => Err(io::Error::other(format!("answered with {}", answer.status))),
    }
}

/// What became of downloads.
#[derive(Clone, Debug, Default)]
pub struct Downloads {
    pub whole: usize,
    /// What went wrong with each of the others.
    pub cut: Vec<String>,
}

/// Downloads with `count` clients, again and again until `is_over`. Those under way go on to their end.
pub fn download(server: SocketAddr, count: usize, is_over: &AtomicBool) -> Downloads {
    let one = || {
        let mut seen = Downloads::default();
        while !is_over.load(Ordering::Relaxed) {
            match download_once(server) {
                Ok(()) => seen.whole += 1,
                Err(error) => {
                    seen.cut.push(error.to_string());
                    // Not a storm, if the server has gone.
                    thread::sleep(Duration::from_millis(100));
                }
            }
        }
        seen
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..count).map(|_| scope.spawn(one)).collect();
        clients.into_iter().fold(Downloads::default(), |mut all, client| {
            let seen = client.join().expect("a download does not panic");
            all.whole += seen.whole;
            all.cut.extend(seen.cut);
            all
        })
    })
}

fn download_once(server: SocketAddr) -> io::Result<()> {
    let mut client = Client::try_connect_from(ADDRESS, server, PATIENCE)?;
    client.try_send(request("GET", DOWNLOAD, "Connection: close\r\n"))?;
    let status = client.try_answer_to("HEAD")?.status;
    let (mut total, mut piece) = (0, vec![0; PIECE_BYTES]);
    loop {
        let count = client.read_some(&mut piece)?;
        total += count as u64;
        match count {
            0 if status == 200 && total == DOWNLOAD_BYTES => return Ok(()),
            0 => return Err(io::Error::other(format!("status {status}, {total} bytes"))),
            _ => thread::sleep(PIECE_PAUSE),
        }
    }
}
