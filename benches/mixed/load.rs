//! Clients that are no friends of latency: some download as fast as they can, many read very slowly.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use pws_benchmarks::Result;
use pws_testing::client::{self, Client};
use rustix::net::RecvFlags;

/// What a slow reader takes at once,
const SLOW_BYTES: usize = 10 * 1024;
/// and how often.
const SLOW_PERIOD: Duration = Duration::from_secs(1);

/// The kernel takes so little ahead for it: what is not read stays with the server.
const RECEIVE_BUFFER_BYTES: usize = 16 * 1024;

/// How long a download may stand still.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the threads have in common.
#[derive(Default)]
struct Shared {
    is_over: AtomicBool,
    downloaded_bytes: AtomicU64,
    slow_lost: AtomicU64,
    failed_downloads: AtomicU64,
}

/// All these clients at work; they end when this is dropped.
pub struct Load {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts `downloads` fast clients and `slow` slow ones, all after the file `target`.
    pub fn start(address: SocketAddr, target: &str, downloads: usize, slow: usize) -> Result<Load> {
        let shared = Arc::new(Shared::default());
        let mut load = Load { shared: Arc::clone(&shared), threads: Vec::new() };
        let request = client::request("GET", target, "Connection: close\r\n");
        let readers = (0..slow).map(|_| slow_reader(address, &request)).collect::<Result<Vec<_>>>()?;
        let slow_shared = Arc::clone(&shared);
        load.threads.push(thread::spawn(move || read_slowly(readers, &slow_shared)));
        for _ in 0..downloads {
            let (shared, request) = (Arc::clone(&shared), request.clone());
            load.threads.push(thread::spawn(move || {
                while !shared.is_over.load(Ordering::Relaxed) {
                    if download(address, &request, &shared).is_err() {
                        shared.failed_downloads.fetch_add(1, Ordering::Relaxed);
                        // Not a storm, if the server has gone.
                        thread::sleep(Duration::from_millis(100));
                    }
                }
            }));
        }
        Ok(load)
    }

    pub fn downloaded_bytes(&self) -> u64 {
        self.shared.downloaded_bytes.load(Ordering::Relaxed)
    }

    /// Slow readers that were cut off before their time.
    pub fn slow_lost(&self) -> u64 {
        self.shared.slow_lost.load(Ordering::Relaxed)
    }

    pub fn failed_downloads(&self) -> u64 {
        self.shared.failed_downloads.load(Ordering::Relaxed)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// Downloads once, or until it is over.
fn download(address: SocketAddr, request: &str, shared: &Shared) -> Result<()> {
    let mut stream = TcpStream::connect(address)?;
    // So that a server that stands still is noticed.
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut buffer = vec![0; 1 << 20];
    while !shared.is_over.load(Ordering::Relaxed) {
        // The kernel throws the bytes away without copying them: the client is to take no time from wrk.
        let (_, count) = rustix::net::recv(&stream, &mut buffer[..], RecvFlags::TRUNC)?;
        if count == 0 {
            break;
        }
        shared.downloaded_bytes.fetch_add(count as u64, Ordering::Relaxed);
    }
    Ok(())
}

fn slow_reader(address: SocketAddr, request: &str) -> Result<TcpStream> {
    let mut client = Client::try_connect_with_receive_buffer(address, RECEIVE_BUFFER_BYTES)?;
    client.try_send(request)?;
    client.stream.set_nonblocking(true)?;
    Ok(client.stream)
}

/// Each of `readers` in turn, spread over the period.
fn read_slowly(readers: Vec<TcpStream>, shared: &Shared) {
    let pause = SLOW_PERIOD / u32::try_from(readers.len().max(1)).unwrap_or(u32::MAX);
    let mut readers: Vec<Option<TcpStream>> = readers.into_iter().map(Some).collect();
    let mut buffer = [0; SLOW_BYTES];
    while !shared.is_over.load(Ordering::Relaxed) {
        for reader in &mut readers {
            thread::sleep(pause);
            if shared.is_over.load(Ordering::Relaxed) {
                return;
            }
            let Some(stream) = reader else { continue };
            match stream.read(&mut buffer) {
                Ok(count) if count > 0 => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                _ => {
                    shared.slow_lost.fetch_add(1, Ordering::Relaxed);
                    *reader = None;
                }
            }
        }
        if readers.is_empty() {
            thread::sleep(SLOW_PERIOD);
        }
    }
}
