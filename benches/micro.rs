//! The stations of a request, one by one and all together, in memory: where does the time go that is not the
//! kernel's?
//!
//! `cargo bench --bench micro`; a part of a name behind `--` picks some.

#![allow(clippy::expect_used, clippy::disallowed_methods)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use pws::http::head::Persistence;
use pws::http::request::{self, FieldSlots, Parsed};
use pws::http::target;
use pws::limits::Limits;
use pws::notices::Notices;
use pws::outbox::Outbox;
use pws::responder::{Asked, Door, Responder};
use pws::rules::text::{FILE_BYTES_MAX, Parser, Reader};
use pws::rules::{Headers, Redirects, headers, redirects};
use pws_testing::folder::Folder;
use pws_testing::hard_rules::{self, HardCase};
use pws_testing::memory::MemoryServer;
use pws_testing::repeater::{BARE, BROWSER, PIPELINE, Repeater};

/// A folder with a page of 1 KB, and a server of it.
fn server() -> (Folder, MemoryServer) {
    let folder = Folder::new().file("page.html", [b'x'; 1024]);
    let server = MemoryServer::of(&folder);
    (folder, server)
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
    let (_folder, MemoryServer { mut site, now, .. }) = server();
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
                let asked = Asked {
                    request: black_box(&request),
                    persistence: Persistence::Implied,
                    now: &now,
                    key: 0,
                    door: Door::Public,
                };
                site.respond(&asked, &mut Notices::default(), &mut outbox);
                assert!(outbox.buffered_bytes() > 1024);
                outbox.clear();
            });
        });
    }
    group.finish();
}

/// From bytes received to bytes sent, on a connection that stays open; the disk is asked once a turn.
fn connecting(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("connection");
    for (name, request) in
        [("bare", BARE.to_vec()), ("browser", BROWSER.to_vec()), ("pipeline of 16", BARE.repeat(PIPELINE))]
    {
        let (_folder, server) = server();
        let mut repeater = Repeater::new(request, server);
        group.bench_function(name, |bencher| bencher.iter(|| assert!(repeater.turn() > 1024)));
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

/// What a file of rules and a request can do at worst, as far as is known: a look-up should take a
/// millisecond at most, a step of reading half of one.
fn ruling_at_worst(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rules at worst");
    for HardCase { name, file, path, query } in hard_rules::redirects() {
        let (redirects, _) = Redirects::parse(file.as_bytes());
        group.bench_function(name, |bencher| {
            bencher.iter(|| redirects.find(black_box(path.as_bytes()), Some(query.as_bytes())));
        });
    }
    for HardCase { name, file, path, .. } in hard_rules::headers() {
        let (headers, _) = Headers::parse(file.as_bytes());
        group.bench_function(name, |bencher| bencher.iter(|| headers.find(black_box(path.as_bytes()))));
    }
    group.finish();
}

/// How long the steps are in which files of rules are read: the mean of each file, and the longest.
fn reading_rules(_: &mut Criterion) {
    fn told<P: Parser>(name: &str, parser: impl Fn() -> P, file: &str) {
        let rounds = (0..5).map(|_| {
            let mut reader = Reader::new(parser(), FILE_BYTES_MAX);
            let mut times = Vec::new();
            loop {
                let started = Instant::now();
                let has_more = reader.step(black_box(file.as_bytes()));
                times.push(started.elapsed());
                if !has_more {
                    let started = Instant::now();
                    black_box(reader.finish());
                    return (times, started.elapsed());
                }
            }
        });
        let (times, end) = rounds.min_by_key(|(times, _)| times.iter().max().copied()).expect("five");
        let (sum, max) = (times.iter().sum::<Duration>(), times.iter().max().expect("a step"));
        println!(
            "reading {name}: {} steps, {:?} each, {max:?} at most, {end:?} at the end",
            times.len(),
            sum / times.len() as u32
        );
    }
    for HardCase { name, file, .. } in hard_rules::redirects() {
        told(name, || redirects::Parser::new(usize::MAX), &file);
    }
    for HardCase { name, file, .. } in hard_rules::headers() {
        told(name, || headers::Parser::new(usize::MAX), &file);
    }
}

criterion_group!(
    benches,
    parsing,
    normalising,
    answering,
    ruling,
    ruling_at_worst,
    reading_rules,
    connecting
);
criterion_main!(benches);
