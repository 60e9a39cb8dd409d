//! pws beside other servers and beside a floor: requests per second, processor time, latency, memory.
//!
//! `cargo bench --bench peers`; `-- --help` tells the options. Servers take turns: every round of a case runs
//! each of them once, freshly started, checked, alone on its CPU, with wrk on the other.

#![allow(clippy::expect_used, clippy::disallowed_methods)]

mod bars;
mod cases;
mod floor;
mod lines;
mod measure;
mod report;
mod results;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use pws_benchmarks::folder::folder;
use pws_benchmarks::options::Options;
use pws_benchmarks::servers::Server;
use pws_benchmarks::{Result, interrupt, machine, numbers};

use cases::{CASES, Case};
use results::{Results, Round};

/// Measure pws beside other servers.
#[derive(Parser)]
struct Arguments {
    /// How often each server is measured in each case; the median counts
    #[arg(long, default_value_t = 5)]
    rounds: usize,

    /// Seconds that one measurement takes
    #[arg(long, default_value_t = 4)]
    secs: u64,

    /// Only this case; may be repeated
    #[arg(long, value_name = "NAME", value_parser = cases::parse)]
    case: Vec<&'static Case>,

    #[command(flatten)]
    options: Options,

    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    /// Be the floor instead: answer every request with FILE
    #[command(hide = true)]
    Floor { port: u16, file: PathBuf },
}

fn main() -> ExitCode {
    pws_benchmarks::end(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<()> {
    if let Some(Role::Floor { port, file }) = &arguments.role {
        return floor::serve(*port, file);
    }
    if arguments.options.is_bench() {
        pws_benchmarks::begin(env!("CARGO_BIN_EXE_pws"))?;
        measure_all(arguments)?;
    }
    Ok(())
}

fn measure_all(arguments: &Arguments) -> Result<()> {
    let servers = arguments.options.servers(&Server::ALL)?;
    let facts = machine::facts(&servers);
    println!("{}", machine::describe(&facts));
    let folder = folder();
    let mut results = Results::new(facts, arguments.secs);
    let is_asked = |case: &&Case| {
        arguments.case.is_empty() || arguments.case.iter().any(|asked| asked.name == case.name)
    };
    for case in CASES.iter().filter(is_asked) {
        let mut taking_part: Vec<Server> =
            servers.iter().copied().filter(|server| case.is_for(*server)).collect();
        if taking_part.is_empty() {
            continue;
        }
        for round in 1..=arguments.rounds {
            for &server in &taking_part {
                interrupt::check()?;
                let outcome = measure::measure(case, server, &folder, arguments.secs);
                let outcome = outcome.map_err(|error| error.to_string());
                interrupt::check()?;
                let round = Round { case, server, round, outcome };
                println!("{}", progress(&round, arguments.rounds));
                results.rounds.push(round);
            }
            // Whoever was first is last now: what a predecessor leaves behind hits all the same.
            taking_part.rotate_left(1);
        }
        // After each case, so that a long run that is cut short was not for nothing.
        write(&results, &arguments.options)?;
    }
    if results.rounds.is_empty() {
        return Err("none of these servers takes part in any of these cases (try without --case)".into());
    }
    println!("\n{}", report::markdown(&results));
    Ok(())
}

fn progress(round: &Round, rounds: usize) -> String {
    let Round { case, server, round, outcome } = round;
    let start = format!("{:<12} {round}/{rounds} {:<18}", case.name, server.name());
    match outcome {
        Ok(figures) => {
            let show = |name| numbers::show_option(figures.get(name));
            let count = figures.get("errors").unwrap_or(0.0);
            let errors = if count > 0.0 { format!("  ERRORS {count}") } else { String::new() };
            format!(
                "{start} {:>9} requests/s  {:>6} µs CPU/request  p99 {:>6} ms{errors}",
                show("requests_per_sec"),
                show("cpu_us_per_request"),
                show("p99_ms")
            )
        }
        Err(error) => format!("{start} FAILED: {error}"),
    }
}

fn write(results: &Results, options: &Options) -> Result<()> {
    options.write("peers.json", &format!("{:#}\n", results.json()))?;
    options.write("peers.md", &report::markdown(results))?;
    options.write("throughput.svg", &bars::throughput(results))?;
    options.write("cpu.svg", &bars::cpu(results))?;
    if lines::has_data(results) {
        options.write("connections.svg", &lines::by_connections(results))?;
    }
    Ok(())
}
