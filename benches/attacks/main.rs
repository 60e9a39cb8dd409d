//! Attacks on pws and its peers, each beside an honest client: how long that one waits, what the server holds,
//! and whether it gives it back.
//!
//! `cargo bench --bench attacks`; `-- --help` tells the options. `PWS_ATTACKS=ranges,head` selects,
//! `PWS_PROGRAM=target/release/pws` attacks another binary than that of this build. The shapes of the attacks are
//! those of the tests: `tests/support/src/attacks/shapes.rs`. The server has a CPU of its own; attackers and
//! honest clients share the other one, where the honest come first.

#![allow(clippy::expect_used, clippy::disallowed_methods)]

mod report;

use std::collections::HashMap;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Parser;
use pws_benchmarks::options::Options;
use pws_benchmarks::running::{Conditions, Running};
use pws_benchmarks::servers::Server;
use pws_benchmarks::{Result, interrupt, machine};
use pws_testing::attacks::shapes::{self, Attack};
use pws_testing::attacks::sites::{PAGE, Site};
use pws_testing::attacks::{self, Seen, watch};
use pws_testing::folder::Folder;

/// For so long a file that has just been made may change unnoticed, and is not remembered.
const DOUBT: Duration = Duration::from_secs(5);
/// Those that are attacked if nobody says otherwise.
const USUAL: [Server; 3] = [Server::Pws, Server::Nginx, Server::Lighttpd];

/// Measure what attacks do to others.
#[derive(Parser)]
struct Arguments {
    /// Only this attack; may be repeated, or take several with commas
    #[arg(long, value_name = "NAME", env = "PWS_ATTACKS", value_delimiter = ',', value_parser = shapes::by_name)]
    attack: Vec<Attack>,

    /// Seconds that an attack lasts
    #[arg(long, default_value_t = 5.0)]
    secs: f64,

    #[command(flatten)]
    options: Options,
}

/// One attack on one server.
struct Round {
    server: Server,
    attack: Attack,
    seen: Seen,
}

fn main() -> ExitCode {
    pws_benchmarks::end(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<()> {
    if !arguments.options.is_bench() {
        return Ok(());
    }
    pws_benchmarks::begin(env!("CARGO_BIN_EXE_pws"))?;
    let is_usual = |server: &Server| match arguments.options.server.is_empty() {
        true => USUAL.contains(server),
        false => *server != Server::Floor,
    };
    let candidates: Vec<Server> = Server::ALL.into_iter().filter(is_usual).collect();
    let servers = arguments.options.servers(&candidates)?;
    let attacks = match arguments.attack.is_empty() {
        true => shapes::ALL.to_vec(),
        false => arguments.attack.clone(),
    };
    let facts = machine::facts(&servers);
    println!("{}", machine::describe(&facts));

    let folders: HashMap<Site, Folder> =
        attacks.iter().map(|attack| (attack.site, attack.site.folder())).collect();
    // The time of the last change to a file's name or owner cannot be set: it has to pass.
    thread::sleep(DOUBT);
    let (mut rounds, mut failures) = (Vec::new(), Vec::new());
    for attack in attacks {
        for &server in &servers {
            interrupt::check()?;
            match measure(server, &attack, &folders[&attack.site], arguments.secs) {
                Ok(round) => {
                    println!("{}", round.line());
                    rounds.push(round);
                }
                Err(error) => {
                    println!("{:<16} {:<10} FAILED: {error}", attack.name, server.name());
                    failures.push(format!("{}, {}: {error}", attack.name, server.name()));
                }
            }
        }
    }
    let json = report::json(&rounds, &failures, &facts, arguments.secs);
    let report = report::markdown(&rounds, &failures, &machine::describe(&facts), arguments.secs);
    println!("\n{report}");
    arguments.options.write("attacks.json", &format!("{json:#}\n"))?;
    arguments.options.write("attacks.md", &report)
}

fn measure(server: Server, attack: &Attack, folder: &Folder, secs: f64) -> Result<Round> {
    let conditions =
        Conditions { open_files_max: attack.open_files_max, pws_options: attack.options, preparation: None };
    let mut running = Running::start_under(&conditions, server, folder, PAGE)?;
    let attacked = watch::Server { address: running.address, pids: running.processes().pids()? };
    let seen = attacks::run(attack, &attacked, Duration::from_secs_f64(secs))?;
    running.check_alive()?;
    if server == Server::Pws && seen.status != attack.status {
        return Err(format!("{} was answered with {}", attack.target, seen.status).into());
    }
    Ok(Round { server, attack: attack.clone(), seen })
}
