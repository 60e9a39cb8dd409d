//! The options that all programs here have.

use std::path::PathBuf;

use super::Result;
use super::servers::Server;

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Only this server; may be repeated
    #[arg(long, value_name = "NAME", value_parser = Server::parse)]
    pub server: Vec<Server>,

    /// Where to write the results
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    pub out: PathBuf,

    /// What 'cargo bench' passes to every program
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    /// Whether this is `cargo bench`. `cargo test --benches` runs the program too, and means no measurement.
    pub fn is_bench(&self) -> bool {
        if !self.bench {
            println!("nothing measured: that takes 'cargo bench', or --bench");
        }
        self.bench
    }

    /// Those of `candidates` that were asked for, if any were, and that are installed. Tells which are not.
    pub fn servers(&self, candidates: &[Server]) -> Result<Vec<Server>> {
        let is_asked = |server: &Server| self.server.is_empty() || self.server.contains(server);
        let asked = candidates.iter().copied().filter(is_asked);
        let (here, missing): (Vec<Server>, Vec<Server>) =
            asked.partition(|server| server.program().is_some());
        if !missing.is_empty() {
            let names: Vec<&str> = missing.iter().map(|server| server.name()).collect();
            println!("left out, because not installed: {}", names.join(", "));
        }
        if here.is_empty() {
            return Err("no server to measure (try without --server, or install one)".into());
        }
        Ok(here)
    }

    /// Like [`servers`](Options::servers): of all but the floor; where none was asked for, of the `usual` ones.
    pub fn servers_or(&self, usual: &[Server]) -> Result<Vec<Server>> {
        let is_candidate = |server: &Server| match self.server.is_empty() {
            true => usual.contains(server),
            false => *server != Server::Floor,
        };
        let candidates: Vec<Server> = Server::ALL.into_iter().filter(is_candidate).collect();
        self.servers(&candidates)
    }

    /// Writes one result.
    pub fn write(&self, name: &str, content: &str) -> Result<()> {
        let path = self.out.join(name);
        let explain = |error| format!("cannot write {}: {error} (try another --out)", path.display());
        std::fs::create_dir_all(&self.out).map_err(explain)?;
        std::fs::write(&path, content).map_err(explain)?;
        println!("wrote {}", path.display());
        Ok(())
    }
}
