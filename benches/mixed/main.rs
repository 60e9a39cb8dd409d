//! What big downloads and slow readers do to everybody else: the latency of small requests, alone and beside
//! them.
//!
//! `cargo bench --bench mixed`; `-- --help` tells the options. The server has a CPU of its own; wrk and all
//! other clients share the other one.

#![allow(clippy::expect_used, clippy::disallowed_methods)]

mod load;

use std::fs::File;
use std::io;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use pws_benchmarks::folder::{ONE_KB, folder};
use pws_benchmarks::numbers::{median, show, show_count, show_option};
use pws_benchmarks::options::Options;
use pws_benchmarks::running::Running;
use pws_benchmarks::servers::Server;
use pws_benchmarks::table::Table;
use pws_benchmarks::wrk::{self, Ask, Seen};
use pws_benchmarks::{Result, interrupt, machine};
use pws_testing::folder::Folder;
use serde_json::{Value, json};

use load::Load;

const BIG: &str = "/large/big.bin";
const BIG_BYTES: u64 = 1 << 30;
/// Connections of wrk, which asks for 1 KB each time.
const CONNECTIONS: usize = 16;
/// Between the start of the other clients and that of wrk.
const SETTLING: Duration = Duration::from_secs(1);

/// Measure small requests beside big downloads and slow readers.
#[derive(Parser)]
struct Arguments {
    /// How often each server is measured; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,

    /// Seconds that a measurement beside the others takes; that without them takes a third
    #[arg(long, default_value_t = 15)]
    secs: u64,

    /// Clients that download 1 GB again and again
    #[arg(long, default_value_t = 16)]
    downloads: usize,

    /// Clients that read 10 KB a second
    #[arg(long, default_value_t = 1000)]
    slow: usize,

    #[command(flatten)]
    options: Options,
}

/// One server in one round.
struct Round {
    server: Server,
    alone: Seen,
    beside: Seen,
    download_mb_per_sec: f64,
    slow_lost: u64,
    failed_downloads: u64,
}

fn main() -> ExitCode {
    pws_benchmarks::end(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<()> {
    if !arguments.options.is_bench() {
        return Ok(());
    }
    pws_benchmarks::begin(env!("CARGO_BIN_EXE_pws"))?;
    let servers = arguments.options.servers_or(&[Server::Pws, Server::Nginx])?;
    let facts = machine::facts(&servers);
    println!("{}", machine::describe(&facts));

    let folder = folder().sparse_file(BIG, BIG_BYTES);
    // Into the page cache: the disk is not what is measured.
    io::copy(&mut File::open(folder.path(BIG))?, &mut io::sink())?;
    let (mut rounds, mut failures) = (Vec::new(), Vec::new());
    for number in 1..=arguments.rounds {
        for &server in &servers {
            interrupt::check()?;
            let start = format!("{number}/{} {:<10}", arguments.rounds, server.name());
            match measure(server, &folder, arguments) {
                Ok(round) => {
                    let (alone, beside) = (show(round.alone.p99_ms), show(round.beside.p99_ms));
                    let speed = show(round.download_mb_per_sec);
                    println!("{start} p99 alone {alone} ms, beside downloads of {speed} MB/s {beside} ms");
                    rounds.push(round);
                }
                Err(error) => {
                    println!("{start} FAILED: {error}");
                    failures.push(format!("{}, round {number}: {error}", server.name()));
                }
            }
        }
    }
    let rounds_json: Vec<Value> = rounds.iter().map(Round::json).collect();
    let json = json!({
        "machine": facts, "secs": arguments.secs, "downloads": arguments.downloads, "slow": arguments.slow,
        "rounds": rounds_json, "failed": failures,
    });
    let report = report(&servers, &rounds, &failures, arguments, &machine::describe(&facts));
    println!("\n{report}");
    arguments.options.write("mixed.json", &format!("{json:#}\n"))?;
    arguments.options.write("mixed.md", &report)
}

fn measure(server: Server, folder: &Folder, arguments: &Arguments) -> Result<Round> {
    let mut running = Running::start(server, folder, ONE_KB)?;
    let small_requests = |secs| -> Result<Seen> {
        let work = running.work.path();
        let load = wrk::Load { ask: Ask::File(ONE_KB), connections: CONNECTIONS, secs, field: None, work };
        wrk::finish(load.start(running.address)?)
    };
    let alone = small_requests((arguments.secs / 3).max(1))?;
    let load = Load::start(running.address, BIG, arguments.downloads, arguments.slow)?;
    thread::sleep(SETTLING);
    interrupt::check()?;
    let (start, bytes_before) = (Instant::now(), load.downloaded_bytes());
    let beside = small_requests(arguments.secs)?;
    let downloaded_bytes = load.downloaded_bytes() - bytes_before;
    let download_mb_per_sec = downloaded_bytes as f64 / 1e6 / start.elapsed().as_secs_f64();
    let (slow_lost, failed_downloads) = (load.slow_lost(), load.failed_downloads());
    running.check_alive()?;
    Ok(Round { server, alone, beside, download_mb_per_sec, slow_lost, failed_downloads })
}

impl Round {
    fn json(&self) -> Value {
        let seen = |seen: &Seen| {
            json!({
                "requests_per_sec": seen.requests / seen.secs, "p50_ms": seen.p50_ms, "p99_ms": seen.p99_ms,
                "max_ms": seen.max_ms, "errors": errors(seen),
            })
        };
        json!({
            "server": self.server.name(),
            "alone": seen(&self.alone),
            "beside": seen(&self.beside),
            "download_mb_per_sec": self.download_mb_per_sec,
            "slow_lost": self.slow_lost,
            "failed_downloads": self.failed_downloads,
        })
    }
}

fn errors(seen: &Seen) -> f64 {
    seen.socket_errors + seen.timeouts + seen.refusals
}

fn report(
    servers: &[Server],
    rounds: &[Round],
    failures: &[String],
    arguments: &Arguments,
    machine: &str,
) -> String {
    let mut table = Table::new([
        "server",
        "alone: p50, ms",
        "p99, ms",
        "requests/s",
        "beside: p50, ms",
        "p99, ms",
        "max, ms",
        "requests/s",
        "downloads, MB/s",
        "errors",
    ]);
    for &server in servers {
        let rounds: Vec<&Round> = rounds.iter().filter(|round| round.server == server).collect();
        let median_of = |figure: &dyn Fn(&Round) -> f64| median(rounds.iter().map(|round| figure(round)));
        let cells = [
            median_of(&|round| round.alone.p50_ms),
            median_of(&|round| round.alone.p99_ms),
            median_of(&|round| round.alone.requests / round.alone.secs),
            median_of(&|round| round.beside.p50_ms),
            median_of(&|round| round.beside.p99_ms),
            median_of(&|round| round.beside.max_ms),
            median_of(&|round| round.beside.requests / round.beside.secs),
            median_of(&|round| round.download_mb_per_sec),
        ];
        let mishaps = |round: &&Round| {
            let clients = round.slow_lost + round.failed_downloads;
            clients as f64 + errors(&round.alone) + errors(&round.beside)
        };
        let mishaps: f64 = rounds.iter().map(mishaps).sum();
        let cells = cells.map(show_option).into_iter().chain([show_count(mishaps)]);
        table.row([server.name().to_owned()].into_iter().chain(cells));
    }
    let mut text = format!(
        "# Small requests beside big ones\n\n{CONNECTIONS} connections ask for 1 KB each, first alone, then \
         beside {} clients that download 1 GB each and {} that read 10 KB a second. Medians of {} rounds. \
         Errors are those of wrk, slow readers cut off and downloads failed, over all rounds.\n\n\
         {machine}\n{}",
        arguments.downloads,
        show_count(arguments.slow as f64),
        arguments.rounds,
        table.markdown()
    );
    for failure in failures {
        text += &format!("\nFailed: {failure}\n");
    }
    text
}
