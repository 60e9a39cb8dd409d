//! The ladder, 3 of 9: requests as they come.
//!
//!     cargo run --example whole_requests
//!
//! **Shows**: framing. A connection is a stream of bytes without seams: a request may come in ten pieces,
//! and three requests in one. What has come is kept until an empty line ends a head; whatever stands behind
//! it is the next.
//!
//! **What breaks it**: it answers what has come and hangs up, without a word. A browser opens one for each
//! picture, and each costs a trip there and back before anything is asked. The second request here comes to
//! nobody:
//!
//!     request='GET / HTTP/1.1\r\nHost: a\r\n\r\n'
//!     (printf "$request"; sleep 1; printf "$request") | nc 127.0.0.1 9000
//!
//! **Next**: `keep_alive` stays for more.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Who sends more than this without an empty line is not going to send one.
const HEAD_BYTES_MAX: usize = 8192;

fn main() -> io::Result<()> {
    let mut args = env::args().skip(1);
    let port = args.next().unwrap_or("9000".to_owned());
    let folder = PathBuf::from(args.next().unwrap_or("static".to_owned()));

    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    println!("http://{}/", listener.local_addr()?);
    loop {
        let (client, address) = listener.accept()?;
        if let Err(error) = serve(client, &folder) {
            eprintln!("{address}: {error}");
        }
    }
}

fn serve(mut client: TcpStream, folder: &Path) -> io::Result<()> {
    let mut received = Vec::new();
    while head_len(&received).is_none() {
        let mut piece = [0; 4096];
        let count = client.read(&mut piece)?;
        if count == 0 || received.len() > HEAD_BYTES_MAX {
            return Ok(());
        }
        received.extend_from_slice(&piece[..count]);
    }
    // All that are whole are answered, in their order.
    while let Some(len) = head_len(&received) {
        client.write_all(&respond(&received[..len], folder))?;
        received.drain(..len);
    }
    Ok(())
}

/// How long the head is that `received` begins with, with its empty line.
fn head_len(received: &[u8]) -> Option<usize> {
    received.windows(4).position(|bytes| bytes == b"\r\n\r\n").map(|at| at + 4)
}

fn respond(head: &[u8], folder: &Path) -> Vec<u8> {
    let head = String::from_utf8_lossy(head);
    match head.strip_prefix("GET ").and_then(|rest| rest.split_once(' ')) {
        None => response("400 Bad Request", b"what?\n"),
        Some((target, _)) => match file_at(target, folder) {
            Some(content) => response("200 OK", &content),
            None => response("404 Not Found", b"nothing is here\n"),
        },
    }
}

/// From here on, browsers have to guess the type: it was shown one rung below.
fn file_at(target: &str, folder: &Path) -> Option<Vec<u8>> {
    let path = target.split('?').next()?;
    if path.split('/').any(|name| name == "..") {
        return None;
    }
    let index = if path.ends_with('/') { "index.html" } else { "" };
    fs::read(folder.join(format!("{}{index}", path.trim_start_matches('/')))).ok()
}

fn response(status: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", content.len());
    [head.as_bytes(), content].concat()
}
