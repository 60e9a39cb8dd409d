//! The ladder, 5 of 9: a thread for each client.
//!
//!     cargo run --example a_thread_each
//!
//! **Shows**: the short way out. One thread accepts, and each client gets one of its own, which may wait as
//! long as it likes. Ten lines have changed, and nobody waits for anybody.
//!
//! **What breaks it**: their number. A thread has a stack, a place in the scheduler and a switch to it each
//! time that something comes: ten thousand who are idle take hundreds of megabytes for nothing, and the
//! next one is refused when the system has no more. See `Threads` and `VmRSS` in `/proc/PID/status` under
//!
//!     wrk -t1 -c2000 -d10 http://127.0.0.1:9000/   # both after ulimit -n 20000
//!
//! **Next**: `event_loop` waits for all of them at once, in one thread.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs, thread};

const HEAD_BYTES_MAX: usize = 8192;

fn main() -> io::Result<()> {
    let mut args = env::args().skip(1);
    let port = args.next().unwrap_or("9000".to_owned());
    let folder = PathBuf::from(args.next().unwrap_or("static".to_owned()));

    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    println!("http://{}/", listener.local_addr()?);
    loop {
        let (client, address) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(error) => {
                eprintln!("nobody is accepted: {error}");
                // No descriptor is left, for one: somebody has to go first.
                thread::sleep(Duration::from_millis(100));
                continue;
            }
        };
        let folder = folder.clone();
        // `thread::spawn` would panic where there is none left.
        let started = thread::Builder::new().spawn(move || {
            if let Err(error) = serve(client, &folder) {
                eprintln!("{address}: {error}");
            }
        });
        if let Err(error) = started {
            eprintln!("{address}: no thread for it: {error}");
        }
    }
}

fn serve(mut client: TcpStream, folder: &Path) -> io::Result<()> {
    let mut received = Vec::new();
    loop {
        while let Some(len) = head_len(&received) {
            client.write_all(&respond(&received[..len], folder))?;
            received.drain(..len);
        }
        let mut piece = [0; 4096];
        let count = client.read(&mut piece)?;
        if count == 0 || received.len() > HEAD_BYTES_MAX {
            return Ok(());
        }
        received.extend_from_slice(&piece[..count]);
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
