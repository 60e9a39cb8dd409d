//! Pictures of real turns, drawn from timelines: of three clients at once, and of how the demo page is delivered.
//!
//! `cargo bench --bench timeline -- --out docs`; `-- --help` tells the options.

#![allow(clippy::expect_used, clippy::disallowed_methods)]

mod picture;
mod trace;

use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Parser;
use pws_benchmarks::Result;
use pws_benchmarks::options::Options;
use pws_testing::client::request;
use pws_testing::folder::{Folder, noise};
use pws_testing::process::{Process, command_of};
use rustix::process::Signal;

use picture::Row;
use trace::{Span, Trace};

/// How long clients wait for each other, so that the server sleeps meanwhile.
const PAUSE: Duration = Duration::from_millis(30);
const PIPELINED: usize = 4;
const ATTEMPTS: usize = 10;

/// Draw real turns of the loop.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    pws_benchmarks::end(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<()> {
    if !arguments.options.is_bench() {
        return Ok(());
    }
    let draw = || draw_turn(&record(None, three_at_once)?);
    // The server may wake up before all three have been told.
    let drawn = (1..ATTEMPTS).find_map(|_| draw().ok()).map_or_else(draw, Ok)?;
    arguments.options.write("turn.svg", &drawn)?;
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("static");
    let trace = record(Some(&demo), visit_twice)?;
    arguments.options.write("delivered.svg", &draw_visits(&trace)?)
}

/// Has a server record what it does while `clients` are at work.
fn record(folder: Option<&Path>, clients: impl FnOnce(&Process)) -> Result<Trace> {
    let work = tempfile::TempDir::new()?;
    let file = work.path().join("trace.json");
    let mut command = command_of(env!("CARGO_BIN_EXE_pws"));
    command.args(["--access-log", "off", "--trace"]).arg(&file);
    let process = match folder {
        Some(folder) => {
            command.args(["--bind", "127.0.0.1", "--port", "0"]).arg(folder);
            Process::start(command)
        }
        None => {
            let folder = Folder::new().file("page.html", noise(1000)).file("large.bin", noise(4 << 20));
            Process::serve(command, folder, &[])
        }
    };
    clients(&process);
    process.stop();
    Trace::parse(&std::fs::read_to_string(&file)?)
}

/// While the server stands still, three ask: a pipeline, the second half of a head, and a large file.
fn three_at_once(process: &Process) {
    let mut pipelining = process.connect();
    let mut slow = process.connect();
    let mut download = process.connect();
    assert_eq!(pipelining.get("/page.html").status, 200);
    let head = request("GET", "/page.html", "");
    let (first, second) = head.split_at(head.len() / 2);
    slow.send(first);
    thread::sleep(PAUSE);
    process.signal(Signal::STOP);
    pipelining.send(request("GET", "/page.html", "").repeat(PIPELINED));
    slow.send(second);
    download.ask("/large.bin");
    thread::sleep(PAUSE);
    process.signal(Signal::CONT);
    (0..PIPELINED).for_each(|_| assert_eq!(pipelining.answer().status, 200));
    assert_eq!(slow.answer().status, 200);
    assert_eq!(download.answer().status, 200);
}

/// As a browser does: a page and what it needs, and all of it again with what it remembers.
fn visit_twice(process: &Process) {
    let mut visitor = process.connect();
    let mut tags = Vec::new();
    for target in PARTS {
        let answer = visitor.get(target);
        assert_eq!(answer.status, 200, "{target}");
        tags.push(answer.field("etag").expect("a tag").to_owned());
        thread::sleep(PAUSE);
    }
    for (target, tag) in PARTS.iter().zip(tags) {
        visitor.send(request("GET", target, &format!("If-None-Match: {tag}\r\n")));
        assert_eq!(visitor.answer().status, 304, "{target}");
        thread::sleep(PAUSE);
    }
}

/// What the demo page is made of.
const PARTS: [&str; 5] = ["/", "/style.css", "/favicon.svg", "/delivered.svg", "/loop.svg"];

fn draw_turn(trace: &Trace) -> Result<String> {
    let mark = trace.track(0).iter().find(|span| span.name == "mark" && span.events >= 3);
    let from = mark.ok_or("no turn had three events (try again)")?.from;
    let is_end = |span: &&Span| span.name == "log" && span.from > from;
    let to = trace.track(0).iter().find(is_end).ok_or("the turn has no end")?.to;
    let names =
        ["the loop", "#0: four requests in one packet", "#1: the second half of a head", "#2: a download"];
    let rows: Vec<Row> =
        names.into_iter().zip(0..).map(|(name, id)| Row { name, spans: trace.track(id), from }).collect();
    Ok(picture::draw(&rows, to - from, "A turn of the loop, with three clients that asked at once"))
}

/// The runs that answered the page, the first time and the second.
fn draw_visits(trace: &Trace) -> Result<String> {
    let visitor = trace.track(1);
    let is_within = |run: &Span, span: &Span| run.from <= span.from && span.to <= run.to;
    let answers = |run: &&Span| {
        run.name == "#0" && visitor.iter().any(|span| span.name == "send" && is_within(run, span))
    };
    let runs: Vec<&Span> = trace.track(0).iter().filter(answers).collect();
    let [first, second] = [0, PARTS.len()].map(|index| runs.get(index).copied());
    let (first, second) = first.zip(second).ok_or("a visit is missing (try again)")?;
    let rows = [
        Row { name: "first visit: 200", spans: visitor, from: first.from },
        Row { name: "second visit: 304", spans: visitor, from: second.from },
    ];
    let nanos = (first.to - first.from).max(second.to - second.from);
    Ok(picture::draw(&rows, nanos, "How this page was delivered, the first time and when it was known"))
}
