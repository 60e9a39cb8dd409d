//! Attacks on pws and its peers, each beside an honest client: how long that one waits, what the server holds,
//! and whether it gives it back.
//!
//! `cargo bench --bench attacks`; `-- --help` tells the options. `PWS_ATTACKS=ranges,head` selects,
//! `PWS_PROGRAM=target/release/pws` attacks another binary than that of this build. The shapes of the attacks are
//! those of the tests: `tests/support/src/attacks/shapes.rs`. The server has a CPU of its own; attackers and
//! honest clients share the other one, where the honest come first.

#![allow(clippy::expect_used, clippy::disallowed_methods)]

mod memory;
mod report;

use std::collections::HashMap;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Parser;
use clap::builder::PossibleValuesParser;
use pws_benchmarks::configs::Conditions;
use pws_benchmarks::options::Options;
use pws_benchmarks::running::Running;
use pws_benchmarks::servers::Server;
use pws_benchmarks::{Result, interrupt, machine};
use pws_testing::attacks::loads::{self, Load};
use pws_testing::attacks::shapes::{self, Attack};
use pws_testing::attacks::sites::{PAGE, Site};
use pws_testing::attacks::{self, Seen, watch};
use pws_testing::client::Client;
use pws_testing::folder::Folder;

use memory::Borne;

/// For so long a file that has just been made may change unnoticed, and is not remembered.
const DOUBT: Duration = Duration::from_secs(5);
/// Those that are attacked if nobody says otherwise.
const USUAL: [Server; 3] = [Server::Pws, Server::Nginx, Server::Lighttpd];

/// Measure what attacks do to others.
#[derive(Parser)]
struct Arguments {
    /// Only this attack, or load within a bound on memory; may be repeated, or take several with commas
    #[arg(long, value_name = "NAME", env = "PWS_ATTACKS", value_delimiter = ',', value_parser = names())]
    attack: Vec<String>,

    /// Seconds that an attack lasts
    #[arg(long, default_value_t = 5.0)]
    secs: f64,

    #[command(flatten)]
    options: Options,
}

/// What there is to choose from.
fn names() -> PossibleValuesParser {
    let attacks = shapes::ALL.iter().map(|attack| attack.name);
    PossibleValuesParser::new(attacks.chain(loads::ALL.iter().map(|load| load.name)))
}

impl Arguments {
    fn is_asked(&self, name: &str) -> bool {
        self.attack.is_empty() || self.attack.iter().any(|asked| asked == name)
    }
}

/// One attack on one server.
struct Round {
    server: Server,
    attack: Attack,
    seen: Seen,
}

/// All that was measured.
struct Results {
    rounds: Vec<Round>,
    borne: Vec<Borne>,
    failures: Vec<String>,
    /// How long each attack lasted.
    secs: f64,
}

fn main() -> ExitCode {
    pws_benchmarks::end(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<()> {
    if !arguments.options.is_bench() {
        return Ok(());
    }
    pws_benchmarks::begin(env!("CARGO_BIN_EXE_pws"))?;
    let servers = arguments.options.servers_or(&USUAL)?;
    let attacks: Vec<&Attack> = shapes::ALL.iter().filter(|attack| arguments.is_asked(attack.name)).collect();
    let loads: Vec<&Load> = match servers.contains(&Server::Pws) {
        true => loads::ALL.iter().filter(|load| arguments.is_asked(load.name)).collect(),
        false => Vec::new(),
    };
    let facts = machine::facts(&servers);
    println!("{}", machine::describe(&facts));

    let sites = attacks.iter().map(|attack| attack.site).chain(loads.iter().map(|load| load.site()));
    let mut folders: HashMap<Site, Folder> = HashMap::new();
    for site in sites {
        folders.entry(site).or_insert_with(|| site.folder());
    }
    // The time of the last change to a file's name or owner cannot be set: it has to pass.
    thread::sleep(DOUBT);
    let (mut rounds, mut failures) = (Vec::new(), Vec::new());
    for attack in attacks {
        for &server in &servers {
            interrupt::check()?;
            match measure(server, attack, &folders[&attack.site], arguments.secs) {
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
    let mut borne = Vec::new();
    for load in loads {
        interrupt::check()?;
        match memory::bear(load, &folders[&load.site()], arguments.secs) {
            Ok(one) => {
                println!("{}", one.line());
                borne.push(one);
            }
            Err(error) => {
                println!("{:<16} FAILED: {error}", load.name);
                failures.push(format!("{}: {error}", load.name));
            }
        }
    }
    let results = Results { rounds, borne, failures, secs: arguments.secs };
    let json = report::json(&results, &facts);
    let report = report::markdown(&results, &machine::describe(&facts));
    println!("\n{report}");
    arguments.options.write("attacks.json", &format!("{json:#}\n"))?;
    arguments.options.write("attacks.md", &report)
}

/// A server that has answered: all its processes are there.
fn watched(running: &Running) -> Result<watch::Server> {
    Client::try_connect(running.address)?.try_get(PAGE, "")?;
    Ok(watch::Server { address: running.address, pids: running.processes().pids()? })
}

fn measure(server: Server, attack: &Attack, folder: &Folder, secs: f64) -> Result<Round> {
    let conditions =
        Conditions { open_files_max: attack.open_files_max, pws_options: attack.options, preparation: None };
    let mut running = Running::start_under(&conditions, server, folder, PAGE)?;
    let attacked = watched(&running)?;
    let seen = attacks::run(attack, &attacked, Duration::from_secs_f64(secs))?;
    running.check_alive()?;
    if server == Server::Pws && seen.status != attack.status {
        return Err(format!("a request was answered with {:?}, not {:?}", seen.status, attack.status).into());
    }
    Ok(Round { server, attack: attack.clone(), seen })
}
