//! The rungs of the ladder beside python3 and nginx, at 1, 64, 1,000 and 10,000 connections.
//!
//! `cargo build --release --examples && cargo bench --bench ladder`; `-- --help` tells the options.

#![allow(clippy::expect_used, clippy::disallowed_methods)]

mod contestant;
mod report;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use pws_benchmarks::folder::{ONE_KB, folder};
use pws_benchmarks::options::Options;
use pws_benchmarks::wrk::{self, Ask, Load};
use pws_benchmarks::{Result, interrupt, machine};
use pws_testing::client::Client;
use pws_testing::folder::Folder;

use contestant::{Contestant, Started};

const CONNECTIONS: [usize; 4] = [1, 64, 1_000, 10_000];
/// Who is not answered within this time waits for ever.
const PATIENCE: Duration = Duration::from_secs(2);
/// For so many connections a measurement takes a second longer.
const CONNECTIONS_PER_EXTRA_SEC: usize = 2_500;

/// Measure the rungs of the ladder.
#[derive(Parser)]
struct Arguments {
    /// Seconds for each measurement
    #[arg(long, default_value_t = 2)]
    secs: u64,

    #[command(flatten)]
    options: Options,
}

/// What was seen of one at so many connections; `None` where nobody was answered.
#[derive(Clone, Copy)]
struct Seen {
    requests_per_sec: f64,
    cpu_us_per_request: f64,
    pss_mb: f64,
    errors: f64,
}

/// All that was seen of one.
struct Row {
    contestant: Contestant,
    by_connections: Vec<Option<Seen>>,
    /// How long others wait while somebody is connected and silent; `None` if for ever.
    wait_beside_silent: Option<Duration>,
}

fn main() -> ExitCode {
    pws_benchmarks::end(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<()> {
    if !arguments.options.is_bench() {
        return Ok(());
    }
    pws_benchmarks::begin(env!("CARGO_BIN_EXE_pws"))?;
    let contestants = contestant::all()?;
    let facts = machine::facts(&[]);
    println!("{}", machine::describe(&facts));
    let folder = folder();
    let mut rows = Vec::new();
    for contestant in contestants {
        let mut by_connections = Vec::new();
        for connections in CONNECTIONS {
            interrupt::check()?;
            let seen = match contestant.takes(connections) {
                true => measure(contestant, &folder, connections, arguments.secs).ok(),
                false => None,
            };
            let told = seen.map_or("–".to_owned(), |seen| format!("{:.0} a second", seen.requests_per_sec));
            println!("{:<16} {connections:>6} connections: {told}", contestant.name());
            by_connections.push(seen);
        }
        let wait_beside_silent = wait_beside_silent(contestant, &folder)?;
        rows.push(Row { contestant, by_connections, wait_beside_silent });
    }
    let text = report::markdown(&rows, &machine::describe(&facts));
    println!("\n{text}");
    arguments.options.write("ladder.md", &text)?;
    arguments.options.write("ladder.svg", &report::svg(&rows))
}

fn measure(contestant: Contestant, folder: &Folder, connections: usize, secs: u64) -> Result<Seen> {
    let started = contestant.start(folder)?;
    let secs = secs + (connections / CONNECTIONS_PER_EXTRA_SEC) as u64;
    let load = Load { ask: Ask::File(ONE_KB), connections, secs, field: None, work: started.work() };
    let cpu_secs_before = started.processes().cpu_secs()?;
    let wrk = load.start(started.address())?;
    thread::sleep(Duration::from_millis(secs * 750));
    let memory = started.processes().memory()?;
    let seen = wrk::finish(wrk)?;
    let cpu_secs = started.processes().cpu_secs()? - cpu_secs_before;
    Ok(Seen {
        requests_per_sec: seen.requests / seen.secs,
        cpu_us_per_request: cpu_secs * 1e6 / seen.requests,
        pss_mb: memory.pss / 1e6,
        errors: seen.socket_errors + seen.timeouts + seen.refusals,
    })
}

fn wait_beside_silent(contestant: Contestant, folder: &Folder) -> Result<Option<Duration>> {
    let started: Started = contestant.start(folder)?;
    let _silent = Client::try_connect(started.address())?;
    thread::sleep(Duration::from_millis(100));
    let start = Instant::now();
    let mut client = Client::try_connect(started.address())?;
    client.set_patience(PATIENCE);
    let is_answered = client.try_get(ONE_KB, "").is_ok();
    Ok(is_answered.then(|| start.elapsed()))
}
