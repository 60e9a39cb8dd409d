//! The ladder, 2 of 9: the file that was asked for.
//!
//!     cargo run --example files
//!
//! **Shows**: the request line (`GET /style.css HTTP/1.1`), from a path to a file, the page of a folder,
//! 404, and that `..` must not lead out. A browser wants to know the type of what it gets.
//!
//! **What breaks it**: it takes what one read brings for a request. The network owes nobody that: a request
//! may come in pieces, and this one gets 400 though nothing is wrong with it.
//!
//!     (printf 'GET / HT'; sleep 1; printf 'TP/1.1\r\nHost: a\r\n\r\n') | nc 127.0.0.1 9000
//!
//! **Next**: `whole_requests` reads until a request is whole.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::{env, fs};

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
    let mut request = [0; 4096];
    let count = client.read(&mut request)?;
    client.write_all(&respond(&request[..count], folder))
}

fn respond(request: &[u8], folder: &Path) -> Vec<u8> {
    let request = String::from_utf8_lossy(request);
    let Some(target) = target(&request) else { return response("400 Bad Request", "text/plain", b"what?\n") };
    match file_at(target, folder) {
        Some((content_type, content)) => response("200 OK", content_type, &content),
        None => response("404 Not Found", "text/plain", b"nothing is here\n"),
    }
}

/// What a request asks for, if it is one: `GET`, a target, the version, and an empty line at the end.
fn target(request: &str) -> Option<&str> {
    let (line, _) = request.strip_suffix("\r\n\r\n")?.split_once("\r\n")?;
    let (target, version) = line.strip_prefix("GET ")?.split_once(' ')?;
    version.starts_with("HTTP/1.").then_some(target)
}

fn file_at(target: &str, folder: &Path) -> Option<(&'static str, Vec<u8>)> {
    let path = target.split('?').next()?;
    // Not the whole truth: a link leads out as well. pws has the kernel see to it.
    if path.split('/').any(|name| name == "..") {
        return None;
    }
    let mut file = folder.join(path.trim_start_matches('/'));
    if path.ends_with('/') {
        file.push("index.html");
    }
    let content_type = match file.extension()?.to_str()? {
        "html" => "text/html",
        "css" => "text/css",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    };
    Some((content_type, fs::read(file).ok()?))
}

fn response(status: &str, content_type: &str, content: &[u8]) -> Vec<u8> {
    let len = content.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n"
    );
    [head.as_bytes(), content].concat()
}
