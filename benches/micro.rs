//! The stations of a request, one by one and all together, in memory: where does the time go that is not the
//! kernel's?
//!
//! `cargo bench --bench micro`; a part of a name behind `--` picks some.

#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;
use std::time::{Duration, UNIX_EPOCH};

use criterion::{Criterion, criterion_group, criterion_main};
use pws::access_log::AccessLog;
use pws::clock::Now;
use pws::connection::{Buffers, Connection, Edge, Readiness, Verdict};
use pws::http::head::Persistence;
use pws::http::request::{self, FieldSlots, Parsed};
use pws::http::target;
use pws::limits::Limits;
use pws::net::socket::Socket;
use pws::outbox::Outbox;
use pws::rules::{Headers, Redirects};
use pws::session::Turn;
use pws::site::Site;
use tempfile::TempDir;

const BARE: &[u8] = b"GET /page.html HTTP/1.1\r\nHost: localhost\r\n\r\n";
/// What a browser sends.
const BROWSER: &[u8] = b"GET /page.html HTTP/1.1\r\nHost: localhost:9000\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nConnection: keep-alive\r\n\
    Cookie: session=0123456789abcdef0123456789abcdef; theme=light\r\nUpgrade-Insecure-Requests: 1\r\n\
    Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\nPriority: u=0, i\r\n\r\n";
const PIPELINE: usize = 16;
/// When the file was last changed,
const MODIFIED_UNIX_SECS: u64 = 784_111_777;
/// and a time long after that, so that it is remembered.
const NOW_UNIX_SECS: u64 = 1_000_000_000;

/// A client that sends the same bytes whenever it is read after [`rearm`](Client::rearm), and takes all.
struct Client {
    request: Vec<u8>,
    received: usize,
    sent: usize,
}

impl Client {
    fn rearm(&mut self) {
        self.received = 0;
        self.sent = 0;
    }
}

impl Socket for Client {
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.request[self.received..];
        if rest.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.received += count;
        Ok(count)
    }

    fn send(&mut self, bytes: &[u8], _more: bool) -> io::Result<usize> {
        self.sent += black_box(bytes).len();
        Ok(bytes.len())
    }

    fn send_file(&mut self, _file: BorrowedFd<'_>, _offset: u64, count: usize) -> io::Result<usize> {
        self.sent += count;
        Ok(count)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A folder with a page of 1 KB, and a site on it.
fn site() -> (TempDir, Site) {
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("page.html");
    fs::write(&path, [b'x'; 1024]).expect("a file");
    let file = File::options().write(true).open(&path).expect("the file again");
    file.set_modified(UNIX_EPOCH + Duration::from_secs(MODIFIED_UNIX_SECS)).expect("its time");
    let site = Site::open(folder.path(), &pws::config::SiteOptions::default(), &Limits::default())
        .expect("the folder");
    (folder, site)
}

fn parsing(criterion: &mut Criterion) {
    let limits = Limits::default();
    let mut group = criterion.benchmark_group("parse");
    for (name, head) in [("bare", BARE), ("browser", BROWSER)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut slots = FieldSlots::new();
                let parsed = request::parse(black_box(head), 0, &mut slots, &limits);
                assert!(matches!(parsed, Parsed::Complete { .. }));
            });
        });
    }
    group.finish();
}

fn normalising(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("normalise");
    let paths: [(&str, &[u8]); 2] =
        [("plain", b"/assets/css/main.css"), ("hard", b"/assets/./a%20b/../%C3%BC/index.html")];
    for (name, path) in paths {
        let mut out = Vec::new();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                target::normalise(black_box(path), &mut out).expect("a good path");
                black_box(&out);
            });
        });
    }
    group.finish();
}

/// A warm file: as if it were asked for again in the same turn of the loop, and in another one, for which the
/// disk is asked whether it has changed.
fn answering(criterion: &mut Criterion) {
    let limits = Limits::default();
    let now = Now::at(0, NOW_UNIX_SECS);
    let (_folder, mut site) = site();
    let mut slots = FieldSlots::new();
    let Parsed::Complete { request, .. } = request::parse(BARE, 0, &mut slots, &limits) else {
        panic!("the request is whole");
    };
    let mut outbox = Outbox::new();
    let mut group = criterion.benchmark_group("answer");
    for (name, is_rechecked) in [("same turn", false), ("next turn", true)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                if is_rechecked {
                    site.recheck();
                }
                site.respond(black_box(&request), Persistence::Implied, &now, &mut outbox);
                assert!(outbox.buffered_bytes() > 1024);
                outbox.clear();
            });
        });
    }
    group.finish();
}

/// From bytes received to bytes sent, on a connection that stays open.
fn connecting(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("connection");
    for (name, request) in
        [("bare", BARE.to_vec()), ("browser", BROWSER.to_vec()), ("pipeline of 16", BARE.repeat(PIPELINE))]
    {
        let limits = Limits::default();
        let now = Now::at(0, NOW_UNIX_SECS);
        let (_folder, mut site) = site();
        let mut access_log = AccessLog::off();
        let mut buffers = Buffers::new(&limits);
        let client = Client { request, received: 0, sent: 0 };
        let address = "192.0.2.1".parse().expect("an address");
        let mut connection = Connection::new(client, address, &now, &limits);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                connection.socket.rearm();
                connection.mark(Readiness { readable: true, ..Readiness::default() });
                let mut turn = Turn {
                    now: &now,
                    limits: &limits,
                    site: &mut site,
                    access_log: &mut access_log,
                    run_bytes_max: limits.run_bytes_max,
                    is_draining: false,
                };
                let verdict = connection.run(&mut buffers, &mut turn);
                assert_eq!(verdict, Verdict::Park(Edge::Readable));
                assert!(connection.socket.sent > 1024);
            });
        });
    }
    group.finish();
}

/// Rules of all kinds, far more than a site has.
fn ruling(criterion: &mut Criterion) {
    let redirects: String = (0..500)
        .map(|number| {
            format!(
                "/old/{number} /new/{number} 301\n/blog/:year/{number} /posts/:year/{number}\n\
                 /docs/v{number}/* /docs/:splat\n/shop id={number} /item/{number}\n"
            )
        })
        .collect();
    let (redirects, complaints) = Redirects::parse(redirects.as_bytes());
    assert!(complaints.is_empty());
    let headers: String = (0..249)
        .map(|number| {
            format!("/page{number}\n A: {number}\n/assets/v{number}/*\n Cache-Control: immutable\n")
        })
        .chain(["/assets/*\n X-Robots-Tag: none\n/*.pdf\n Link: <:splat>\n".to_owned()])
        .collect();
    let (headers, complaints) = Headers::parse(headers.as_bytes());
    assert!(complaints.is_empty());

    let mut group = criterion.benchmark_group("rules");
    let cases: [(&str, &[u8], bool); 5] = [
        ("2,000 redirects, literal", b"old/499", true),
        ("2,000 redirects, splat", b"docs/v499/a/b.html", true),
        ("2,000 redirects, last of 500 alike", b"blog/2026/499", true),
        ("2,000 redirects, miss", b"assets/css/main.css", false),
        ("2,000 redirects, miss among 500 alike", b"blog/2026/none", false),
    ];
    for (name, path, is_hit) in cases {
        group.bench_function(name, |bencher| {
            bencher.iter(|| assert_eq!(redirects.find(black_box(path), None).is_some(), is_hit));
        });
    }
    let cases: [(&str, &[u8], usize); 3] = [
        ("500 blocks, two match", b"assets/v248/main.css", 2),
        ("500 blocks, one value filled in", b"docs/manual.pdf", 1),
        ("500 blocks, miss", b"blog/2026/none", 0),
    ];
    for (name, path, set) in cases {
        group.bench_function(name, |bencher| {
            bencher.iter(|| assert_eq!(headers.find(black_box(path)).set.len(), set));
        });
    }
    group.finish();
}

criterion_group!(benches, parsing, normalising, answering, ruling, connecting);
criterion_main!(benches);
