//! Instructions per request outside the kernel, counted by callgrind, each with a bound: a figure that no other
//! work on the machine disturbs.
//!
//! `cargo bench --bench instructions`; ends with an error if a bound is broken. Needs valgrind. The last two rows
//! count what plays the client as well.

#![allow(clippy::expect_used, clippy::disallowed_methods)]

use std::fs::File;
use std::hint::black_box;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, ExitCode};

use pws::clock::Now;
use pws::config::SiteOptions;
use pws::files::file;
use pws::files::mime::MediaTypes;
use pws::files::stamp::Stamp;
use pws::http::head::Persistence;
use pws::http::request::{self, FieldSlots, Parsed};
use pws::http::target;
use pws::limits::Limits;
use pws::outbox::Outbox;
use pws::site::fields::{OwnerFields, SiteFields};
use pws::site::representation::Representation;
use pws::site::response::Response;
use pws_testing::folder::Folder;
use pws_testing::memory::{MemoryServer, NOW_UNIX_SECS};
use pws_testing::repeater::{BARE, BROWSER, PIPELINE, Repeater};

/// What is counted: does its work so many times.
type Part = fn(usize) -> io::Result<()>;

/// Name, what to do, how many requests that answers, and the most instructions a request may take.
const PARTS: [(&str, Part, usize, u64); 6] = [
    ("parse, bare", |times| parse(BARE, times), 1, 1_400),
    ("parse, browser", |times| parse(BROWSER, times), 1, 4_300),
    ("normalise", normalise, 1, 350),
    ("answer of 1 KB", answer, 1, 550),
    ("connection, 1 KB", |times| connect(BARE, times), 1, 4_600),
    ("pipeline of 16", |times| connect(&BARE.repeat(PIPELINE), times), PIPELINE, 3_650),
];

fn main() -> ExitCode {
    if let (Ok(name), Ok(times)) = (std::env::var("PWS_PART"), std::env::var("PWS_TIMES")) {
        let part = PARTS.iter().find(|(known, ..)| *known == name).expect("a part");
        // An error tells the counting process that this part cannot be had here.
        return part.1(times.parse().expect("a number")).map_or(ExitCode::from(2), |()| ExitCode::SUCCESS);
    }
    let mut is_kept = true;
    println!("{:>8} {:>8}  instructions a request", "counted", "bound");
    for (name, _, requests, bound) in PARTS {
        let (few, many) = (count(name, 100), count(name, 1_100));
        let (Some(few), Some(many)) = (few, many) else {
            println!("{:>8} {bound:>8}  {name}: NOT COUNTED, this valgrind cannot run it", "-");
            continue;
        };
        let counted = (many - few) / (1_000 * requests as u64);
        let verdict = if counted <= bound { "" } else { ": TOO MANY" };
        is_kept &= counted <= bound;
        println!("{counted:>8} {bound:>8}  {name}{verdict}");
    }
    if is_kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// All instructions of a process that does `part` so often, start and end included.
fn count(part: &str, times: usize) -> Option<u64> {
    let own = std::env::current_exe().expect("this program");
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(own);
    command.env("PWS_PART", part).env("PWS_TIMES", times.to_string());
    let output = command.output().expect("valgrind (apt-get install valgrind)");
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text.lines().find_map(|line| line.split("Collected : ").nth(1));
    output.status.success().then(|| collected?.trim().parse().ok())?
}

fn parse(head: &[u8], times: usize) -> io::Result<()> {
    let limits = Limits::default();
    for _ in 0..times {
        let mut slots = FieldSlots::new();
        let parsed = request::parse(black_box(head), 0, &mut slots, &limits);
        assert!(matches!(parsed, Parsed::Complete { .. }));
    }
    Ok(())
}

fn normalise(times: usize) -> io::Result<()> {
    let mut out = Vec::new();
    for _ in 0..times {
        target::normalise(black_box(b"/assets/css/main.css"), &mut out).expect("a good path");
        black_box(&out);
    }
    Ok(())
}

fn folder() -> Folder {
    Folder::new().file("page.html", [b'x'; 1024])
}

fn answer(times: usize) -> io::Result<()> {
    let folder = folder();
    let now = Now::at(0, NOW_UNIX_SECS);
    let descriptor: OwnedFd = File::open(folder.root().join("page.html"))?.into();
    let stamp = Stamp::of_open(descriptor.as_fd())?;
    let content_type = MediaTypes::default().of_path(b"page.html");
    let terms = file::Terms { loaded_bytes_max: 4096, may_wait: true, now: &now };
    let file = file::File::look(&descriptor.into(), stamp, (&content_type, None), terms)?;
    let fields = SiteFields::new(&SiteOptions::default());
    let mut outbox = Outbox::new();
    let (limits, mut slots) = (Limits::default(), FieldSlots::new());
    let Parsed::Complete { request, .. } = request::parse(BARE, 0, &mut slots, &limits) else {
        panic!("the request is whole");
    };
    for _ in 0..times {
        let persistence = Persistence::Implied;
        let (now, owner, outbox) = (&now, OwnerFields::of(&fields), &mut outbox);
        let mut response = Response { persistence, head_only: false, now, owner, outbox };
        let representation = Representation::of_file(black_box(&file));
        response
            .show(&representation, &request, || unreachable!("a file need not be made"))
            .expect("a response");
        assert!(outbox.buffered_bytes() > 1024);
        outbox.clear();
    }
    Ok(())
}

/// From bytes received to bytes sent, on one connection; the disk is asked once for each `input`.
fn connect(input: &[u8], times: usize) -> io::Result<()> {
    let folder = folder();
    let mut repeater = Repeater::new(input.to_vec(), MemoryServer::of(&folder));
    for _ in 0..times {
        repeater.turn();
    }
    Ok(())
}
