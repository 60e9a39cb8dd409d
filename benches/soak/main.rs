//! Everything at once, for minutes or hours: whether each answer is right, and whether the server is
//! afterwards what it was before.
//!
//! `cargo bench --bench soak -- --secs 600`; `-- --help` tells the options. The server has a CPU of its own;
//! all clients share the other one.

#![allow(clippy::expect_used, clippy::disallowed_methods)]

#[path = "../support/descriptors.rs"]
mod descriptors;
#[path = "../support/narrow.rs"]
mod narrow;
#[path = "../../tests/simulation/rng.rs"]
#[allow(dead_code, reason = "the simulation uses all of it")]
mod rng;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "the program `peers` uses all of it")]
mod support;

mod checked;
mod files;
mod load;
mod rude;
mod tally;

use std::fmt::Display;
use std::io::{IsTerminal, Write, stdout};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::{Value, json};

use files::{CODINGS, Files, VARIED};
use load::Load;
use support::folder::{DOUBT, Folder, ONE_KB};
use support::http::Client;
use support::numbers::{show, show_count};
use support::options::Options;
use support::process_group::ProcessGroup;
use support::running::Running;
use support::servers::Server;
use support::table::Table;
use support::{Result, interrupt, machine};
use tally::{Kind, Tally};

/// What the server may have grown by at the end: twice what it ever has, most of that in the first minute.
const GROWTH_BYTES_MAX: f64 = 512.0 * 1024.0;
/// A client whose answer was wrong is not to fill a disk with complaints if the server has gone.
const PAUSE_AFTER_WRONG: Duration = Duration::from_millis(100);
/// A standstill of the clients that a server may notice: it closes what has been idle for too long.
const STANDSTILL: Duration = Duration::from_secs(5);
/// Without a terminal the progress is told so seldom.
const PROGRESS_SECS: u64 = 30;

/// Load a server with everything at once, and compare it afterwards with what it was before.
#[derive(Parser)]
struct Arguments {
    /// Seconds that the load lasts
    #[arg(long, default_value_t = 60)]
    secs: u64,

    /// Seconds of the same load before the server is first looked at
    #[arg(long, default_value_t = 10)]
    warm_up: u64,

    #[command(flatten)]
    options: Options,
}

/// What all clients share.
pub struct Shared {
    address: SocketAddr,
    files: Files,
    tally: Tally,
    is_over: AtomicBool,
    /// The longest time for which this program got no processor.
    standstill_ms: AtomicU64,
}

impl Shared {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    fn wrong(&self, kind: Kind, why: impl Display) {
        self.tally.wrong(kind, 1, why);
        thread::sleep(PAUSE_AFTER_WRONG);
    }
}

/// What the kernel tells of the server.
#[derive(Clone, Copy, Default)]
struct Sample {
    rss: f64,
    pss: f64,
    descriptors: usize,
    cpu_secs: f64,
}

impl Sample {
    fn take(processes: ProcessGroup) -> Result<Sample> {
        let memory = processes.memory()?;
        let (descriptors, cpu_secs) = (descriptors::count(processes)?, processes.cpu_secs()?);
        Ok(Sample { rss: memory.rss, pss: memory.pss, descriptors, cpu_secs })
    }

    fn max(self, other: Sample) -> Sample {
        Sample {
            rss: self.rss.max(other.rss),
            pss: self.pss.max(other.pss),
            descriptors: self.descriptors.max(other.descriptors),
            cpu_secs: self.cpu_secs.max(other.cpu_secs),
        }
    }

    fn json(&self) -> Value {
        json!({
            "rss_bytes": self.rss, "pss_bytes": self.pss, "descriptors": self.descriptors,
            "cpu_secs": self.cpu_secs,
        })
    }
}

/// The server before the load, at its most, and when all had left.
struct Samples {
    before: Sample,
    peak: Sample,
    after: Sample,
}

fn main() -> ExitCode {
    support::end(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<()> {
    if !arguments.options.is_bench() {
        return Ok(());
    }
    support::begin()?;
    let candidates = match arguments.options.server.is_empty() {
        true => &[Server::Pws][..],
        false => &[Server::Pws, Server::PwsLogNull, Server::PwsLogFile],
    };
    let servers = arguments.options.servers(candidates)?;
    let facts = machine::facts(&servers);
    println!("{}", machine::describe(&facts));
    let mut faults = Vec::new();
    for server in servers {
        let name = server.name();
        let (shared, samples) = soak(server, arguments)?;
        let found = faults_of(&shared, &samples);
        let report =
            report(name, &shared.tally, &samples, &found, arguments.secs, &machine::describe(&facts));
        println!("\n{report}");
        let json = json!({
            "machine": facts, "server": name, "secs": arguments.secs, "clients": shared.tally.json(),
            "before": samples.before.json(), "peak": samples.peak.json(), "after": samples.after.json(),
            "faults": found,
        });
        arguments.options.write(&format!("soak-{name}.json"), &format!("{json:#}\n"))?;
        arguments.options.write(&format!("soak-{name}.md"), &report)?;
        faults.extend(found);
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ").into()) }
}

fn soak(server: Server, arguments: &Arguments) -> Result<(Arc<Shared>, Samples)> {
    let folder = Folder::new()?;
    let files = Files::new(&folder)?;
    // As of all files that stay, it is to be certain that they do.
    thread::sleep(DOUBT);
    let mut running = Running::start(server, &folder, ONE_KB)?;
    let shared = Arc::new(Shared {
        address: running.address,
        files,
        tally: Tally::default(),
        is_over: AtomicBool::new(false),
        standstill_ms: AtomicU64::new(0),
    });
    let processes = running.processes();
    let work = running.work.path().to_owned();
    println!("warming up: {} s", arguments.warm_up);
    under_load(&shared, processes, arguments.warm_up, &work, &mut |_, _| {})?;
    settle(&shared)?;
    let before = Sample::take(processes)?;
    let mut show_progress = |secs: u64, sample: &Sample| progress(&shared, arguments.secs, secs, sample);
    let peak = under_load(&shared, processes, arguments.secs, &work, &mut show_progress)?;
    settle(&shared)?;
    // Whether it gets there is judged by the last sample.
    let _ = descriptors::wait(processes, "let go of all", |count| count <= before.descriptors);
    let after = Sample::take(processes)?;
    running.check_alive()?;
    Ok((shared, Samples { before, peak, after }))
}

/// Has all clients work for `secs`; returns the most that was seen of everything.
fn under_load(
    shared: &Arc<Shared>,
    processes: ProcessGroup,
    secs: u64,
    work: &Path,
    tell: &mut dyn FnMut(u64, &Sample),
) -> Result<Sample> {
    let start = Instant::now();
    let load = Load::start(shared, secs, work)?;
    let mut peak = Sample::default();
    for second in 1..=secs {
        let due = Duration::from_secs(second);
        thread::sleep(due.saturating_sub(start.elapsed()));
        let late_ms = start.elapsed().saturating_sub(due).as_millis() as u64;
        shared.standstill_ms.fetch_max(late_ms, Ordering::Relaxed);
        interrupt::check()?;
        let sample = Sample::take(processes)?;
        peak = peak.max(sample);
        tell(second, &sample);
    }
    load.end()?;
    Ok(peak)
}

/// One line, written again and again.
fn progress(shared: &Shared, secs: u64, second: u64, sample: &Sample) {
    let is_terminal = stdout().is_terminal();
    if !is_terminal && second % PROGRESS_SECS != 0 && second != secs {
        return;
    }
    let (requests, wrong) = (shared.tally.all_requests(), shared.tally.all_wrong());
    let line = format!(
        "{second}/{secs} s: {} checked, {wrong} wrong; RSS {} MB, {} descriptors, {} s of CPU",
        show_count(requests as f64),
        show(sample.rss / 1e6),
        sample.descriptors,
        show(sample.cpu_secs),
    );
    match is_terminal {
        true => print!("\r{line}\x1b[K"),
        false => println!("{line}"),
    }
    // Nobody is left to be told if this fails.
    let _ = stdout().flush();
}

/// Waits until no file is so young that the server would not keep it, then asks for all of them: what the
/// server remembers is the same each time.
fn settle(shared: &Shared) -> Result<()> {
    thread::sleep(DOUBT);
    let mut client = Client::connect(shared.address)?;
    let mut look = |target: &str, fields: &str| -> Result<()> {
        match client.get(target, fields)?.status {
            200 => Ok(()),
            status => Err(format!("GET {target} was answered with {status}").into()),
        }
    };
    for target in shared.files.targets() {
        look(target, "")?;
    }
    for (coding, _) in CODINGS {
        look(VARIED, &format!("Accept-Encoding: {coding}\r\n"))?;
    }
    drop(client);
    thread::sleep(Duration::from_secs(1));
    Ok(())
}

/// What is not as it should be.
fn faults_of(shared: &Shared, samples: &Samples) -> Vec<String> {
    let mut faults = shared.tally.complaints();
    let wrong = shared.tally.all_wrong();
    if wrong > 0 {
        faults.push(format!("{wrong} answers or ends of connections were wrong"));
    }
    let Samples { before, after, .. } = samples;
    if after.descriptors != before.descriptors {
        faults.push(format!("{} descriptors are open, {} were", after.descriptors, before.descriptors));
    }
    let growth = after.rss - before.rss;
    if growth > GROWTH_BYTES_MAX {
        faults.push(format!("RSS has grown by {} MB", show(growth / 1e6)));
    }
    let standstill = Duration::from_millis(shared.standstill_ms.load(Ordering::Relaxed));
    if standstill > STANDSTILL && !faults.is_empty() {
        let secs = standstill.as_secs();
        faults
            .push(format!("the clients stood still for {secs} s, which may explain the rest: run it again"));
    }
    faults
}

fn report(
    server: &str,
    tally: &Tally,
    samples: &Samples,
    faults: &[String],
    secs: u64,
    machine: &str,
) -> String {
    let mut table = Table::new(["server", "before", "peak", "after"]);
    let Samples { before, peak, after } = samples;
    let mut row = |name: &str, figure: &dyn Fn(&Sample) -> String| {
        table.row([name.to_owned(), figure(before), figure(peak), figure(after)]);
    };
    row("RSS, MB", &|sample| show(sample.rss / 1e6));
    row("PSS, MB", &|sample| show(sample.pss / 1e6));
    row("descriptors", &|sample| sample.descriptors.to_string());
    row("CPU, s", &|sample| show(sample.cpu_secs));
    let mut text = format!(
        "# Soak\n\n{secs} s of everything at once on {server}, after a warm-up by the same, which is counted \
         too. Connections were left by the client or cut by the server where they should be. Afterwards as \
         many descriptors must be open as before, and RSS may be {} MB more.\n\n{machine}\n{}\n{}",
        show(GROWTH_BYTES_MAX / 1e6),
        tally.markdown(),
        table.markdown()
    );
    for fault in faults {
        text += &format!("\nFault: {fault}\n");
    }
    text
}
