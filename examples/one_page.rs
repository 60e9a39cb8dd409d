//! The ladder, 1 of 9: one page for everybody.
//!
//!     cargo run --example one_page
//!
//! **Shows**: what a web server is. A socket that listens, a client that is accepted, some bytes in, some
//! bytes out. HTTP is text: a line that says how it went, some fields, an empty line, the page.
//!
//! **What breaks it**: everybody gets the same, whatever they ask for, and nobody gets anything while
//! somebody is connected and silent:
//!
//!     nc 127.0.0.1 9000 &  curl --max-time 2 http://127.0.0.1:9000/
//!
//! **Next**: `files` looks at what was asked for.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::{env, fs};

fn main() -> io::Result<()> {
    let mut args = env::args().skip(1);
    let port = args.next().unwrap_or("9000".to_owned());
    let folder = args.next().unwrap_or("static".to_owned());
    let page = fs::read(format!("{folder}/index.html"))?;

    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    println!("http://{}/", listener.local_addr()?);
    loop {
        let (client, address) = listener.accept()?;
        // That one client has gone is no reason to leave the others.
        if let Err(error) = serve(client, &page) {
            eprintln!("{address}: {error}");
        }
    }
}

fn serve(mut client: TcpStream, page: &[u8]) -> io::Result<()> {
    // Waits until something comes. What it says is not looked at.
    let mut request = [0; 4096];
    let _count = client.read(&mut request)?;

    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        page.len()
    );
    client.write_all(head.as_bytes())?;
    client.write_all(page)
}
