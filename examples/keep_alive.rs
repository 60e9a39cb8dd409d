//! The ladder, 4 of 9: stay for the next request.
//!
//!     cargo run --example keep_alive
//!
//! **Shows**: a connection that lasts. After an answer the server reads again, and `Content-Length` tells
//! the client where the answer ends. Ten requests now cost one trip there and back less each.
//!
//! **What breaks it**: staying. Whoever is connected has the server for itself, asking or not: a browser
//! that keeps its connection for the next click keeps everybody else out.
//!
//!     curl http://127.0.0.1:9000/ http://127.0.0.1:9000/style.css    # one connection
//!     nc 127.0.0.1 9000 &  curl --max-time 2 http://127.0.0.1:9000/  # nobody's turn
//!
//! **Next**: `a_thread_each` has somebody for each client.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::{env, fs};

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

/// As one rung below, on fewer lines: what is no request is taken for one of nothing.
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
