//! What an idle connection takes: user-space memory of the server, before, with and after thousands of
//! clients that have asked once and wait.
//!
//! `cargo bench --bench idle`; `-- --help` tells the options. What the kernel takes for a socket is the same
//! for every server, and not counted.

#![allow(clippy::expect_used, clippy::disallowed_methods)]

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Parser;
use pws_benchmarks::folder::{ONE_KB, folder};
use pws_benchmarks::numbers::{median, show, show_count, show_option};
use pws_benchmarks::options::Options;
use pws_benchmarks::process_group::Memory;
use pws_benchmarks::running::Running;
use pws_benchmarks::servers::Server;
use pws_benchmarks::table::Table;
use pws_benchmarks::{Result, descriptors, interrupt, machine};
use pws_testing::client::Client;
use pws_testing::folder::Folder;
use serde_json::{Value, json};

/// Descriptors that a server may open or close for itself meanwhile.
const OWN_DESCRIPTORS: usize = 16;

/// Measure the memory of idle connections.
#[derive(Parser)]
struct Arguments {
    /// How often each server is measured; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,

    /// Connections held open at once
    #[arg(long, default_value_t = 10_000)]
    connections: usize,

    #[command(flatten)]
    options: Options,
}

/// The memory of one server at three times.
struct Round {
    server: Server,
    before: Memory,
    holding: Memory,
    after: Memory,
}

fn main() -> ExitCode {
    pws_benchmarks::end(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<()> {
    if !arguments.options.is_bench() {
        return Ok(());
    }
    let open_files = pws_benchmarks::begin(env!("CARGO_BIN_EXE_pws"))?;
    if open_files < arguments.connections as u64 + 100 {
        return Err(format!("only {open_files} open files are allowed (try fewer --connections)").into());
    }
    let has_threads = |server: &Server| server.has_a_thread_per_connection();
    let is_candidate = |server: &Server| (server.is_peer() || *server == Server::Pws) && !has_threads(server);
    let candidates: Vec<Server> = Server::ALL.into_iter().filter(is_candidate).collect();
    let servers = arguments.options.servers(&candidates)?;
    let facts = machine::facts(&servers);
    println!("{}", machine::describe(&facts));

    let folder = folder();
    let (mut rounds, mut failures) = (Vec::new(), Vec::new());
    for number in 1..=arguments.rounds {
        for &server in &servers {
            interrupt::check()?;
            let start = format!("{number}/{} {:<18}", arguments.rounds, server.name());
            match measure(server, &folder, arguments.connections) {
                Ok(round) => {
                    let bytes = round.private_bytes_per_connection(arguments.connections);
                    println!("{start} {:>8} private bytes/connection", show(bytes));
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
        "machine": facts, "connections": arguments.connections, "rounds": rounds_json, "failed": failures,
    });
    let report = report(&servers, &rounds, &failures, arguments.connections, &machine::describe(&facts));
    println!("\n{report}");
    arguments.options.write("idle.json", &format!("{json:#}\n"))?;
    arguments.options.write("idle.md", &report)
}

fn measure(server: Server, folder: &Folder, connections: usize) -> Result<Round> {
    let mut running = Running::start(server, folder, ONE_KB)?;
    let processes = running.processes();
    // What the first request of all brings about is none of the connections' doing.
    ask(&mut Client::try_connect(running.address)?)?;
    thread::sleep(Duration::from_millis(300));
    let (before, descriptors_before) = (processes.memory()?, descriptors::count(processes)?);

    let mut clients: Vec<Client> = Vec::with_capacity(connections);
    for index in 0..connections {
        let mut client = Client::try_connect(running.address)?;
        ask(&mut client).map_err(|error| format!("connection {index}: {error}"))?;
        clients.push(client);
    }
    descriptors::wait(processes, "hold all connections", |count| count >= connections)?;
    thread::sleep(Duration::from_millis(300));
    let holding = processes.memory()?;

    drop(clients);
    let left = descriptors_before + OWN_DESCRIPTORS;
    descriptors::wait(processes, "let go of the connections", |count| count <= left)?;
    thread::sleep(Duration::from_millis(300));
    let after = processes.memory()?;
    running.check_alive()?;
    Ok(Round { server, before, holding, after })
}

fn ask(client: &mut Client) -> Result<()> {
    match client.try_get(ONE_KB, "")?.status {
        200 => Ok(()),
        status => Err(format!("GET {ONE_KB} was answered with {status}").into()),
    }
}

impl Round {
    fn private_bytes_per_connection(&self, connections: usize) -> f64 {
        (self.holding.private_dirty - self.before.private_dirty) / connections as f64
    }

    fn json(&self) -> Value {
        let memory =
            |memory: &Memory| json!({ "pss_bytes": memory.pss, "private_dirty_bytes": memory.private_dirty });
        json!({
            "server": self.server.name(),
            "before": memory(&self.before),
            "holding": memory(&self.holding),
            "after": memory(&self.after),
        })
    }
}

fn report(
    servers: &[Server],
    rounds: &[Round],
    failures: &[String],
    connections: usize,
    machine: &str,
) -> String {
    let mut table = Table::new([
        "server",
        "private bytes per connection",
        "PSS bytes per connection",
        "PSS before, MB",
        "PSS with all, MB",
        "PSS after, MB",
    ]);
    for &server in servers {
        let median_of = |figure: &dyn Fn(&Round) -> f64| {
            median(rounds.iter().filter(|round| round.server == server).map(figure))
        };
        let per_connection = |bytes: f64| bytes / connections as f64;
        let cells = [
            median_of(&|round| round.private_bytes_per_connection(connections)),
            median_of(&|round| per_connection(round.holding.pss - round.before.pss)),
            median_of(&|round| round.before.pss / 1e6),
            median_of(&|round| round.holding.pss / 1e6),
            median_of(&|round| round.after.pss / 1e6),
        ];
        table.row([server.name().to_owned()].into_iter().chain(cells.map(show_option)));
    }
    let mut text = format!(
        "# Idle connections\n\nUser-space memory of all processes of a server while {} clients wait, each \
         after one GET of 1 KB. Medians.\n\n{machine}\n{}",
        show_count(connections as f64),
        table.markdown()
    );
    for failure in failures {
        text += &format!("\nFailed: {failure}\n");
    }
    text
}
