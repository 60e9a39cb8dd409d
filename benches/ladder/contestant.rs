//! Who is measured: the rungs, as cargo has built them, and two that everybody knows.

use std::env;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use pws_benchmarks::folder::ONE_KB;
use pws_benchmarks::process_group::ProcessGroup;
use pws_benchmarks::running::Running;
use pws_benchmarks::servers::Server;
use pws_benchmarks::{Result, SERVER_CPU};
use pws_testing::folder::Folder;
use pws_testing::process::first_line;
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

const RUNGS: [&str; 9] = [
    "one_page",
    "files",
    "whole_requests",
    "keep_alive",
    "a_thread_each",
    "event_loop",
    "backpressure",
    "sendfile",
    "pws",
];
/// Where each has a thread, more than this is no measurement but an accident.
const THREADS_MAX: usize = 1_000;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Contestant {
    Rung(&'static str),
    Other(Server),
}

/// One at work; it ends when this is dropped.
pub enum Started {
    Rung { child: Child, address: SocketAddr, work: TempDir },
    Other(Running),
}

/// Those that are here.
pub fn all() -> Result<Vec<Contestant>> {
    if let Some(missing) = RUNGS.iter().find(|rung| !program(rung).is_ok_and(|path| path.exists())) {
        return Err(format!("{missing} is not built (try 'cargo build --release --examples')").into());
    }
    let others = [Server::Python, Server::Nginx].into_iter().filter(|server| server.program().is_some());
    Ok(RUNGS.into_iter().map(Contestant::Rung).chain(others.map(Contestant::Other)).collect())
}

/// Where cargo puts examples: beside the folder of this program.
fn program(rung: &str) -> Result<PathBuf> {
    let own = env::current_exe()?;
    let folder = own.parent().and_then(Path::parent).ok_or("this program is in no folder")?;
    Ok(folder.join("examples").join(rung))
}

impl Contestant {
    pub fn name(self) -> &'static str {
        match self {
            Contestant::Rung(rung) => rung,
            Contestant::Other(server) => server.name(),
        }
    }

    /// Whether it is worth a try.
    pub fn takes(self, connections: usize) -> bool {
        let has_threads =
            self == Contestant::Rung("a_thread_each") || self == Contestant::Other(Server::Python);
        !has_threads || connections <= THREADS_MAX
    }

    pub fn start(self, folder: &Folder) -> Result<Started> {
        let rung = match self {
            Contestant::Rung(rung) => rung,
            Contestant::Other(server) => return Ok(Started::Other(Running::start(server, folder, ONE_KB)?)),
        };
        // The first rung shows one page only: that one.
        std::fs::copy(folder.path(ONE_KB), folder.path("index.html"))?;
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", &SERVER_CPU.to_string()]).arg(program(rung)?).arg("0").arg(folder.root());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let mut child = command.spawn()?;
        let (line, mut rest) = first_line(child.stdout.take().ok_or("no standard output")?);
        // What is logged is read, and thrown away.
        std::thread::spawn(move || std::io::copy(&mut rest, &mut std::io::sink()));
        let address = line.strip_prefix("http://").and_then(|line| line.trim_end().strip_suffix('/'));
        let address = address.ok_or_else(|| format!("{rung} said {line:?}"))?;
        // As the last rung writes it.
        Ok(Started::Rung { child, address: address.parse()?, work: TempDir::new()? })
    }
}

impl Started {
    pub fn address(&self) -> SocketAddr {
        match self {
            Started::Rung { address, .. } => *address,
            Started::Other(running) => running.address,
        }
    }

    pub fn processes(&self) -> ProcessGroup {
        match self {
            Started::Rung { child, .. } => ProcessGroup(child.id()),
            Started::Other(running) => running.processes(),
        }
    }

    /// A folder for whatever is to be written.
    pub fn work(&self) -> &Path {
        match self {
            Started::Rung { work, .. } => work.path(),
            Started::Other(running) => running.work.path(),
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Started::Rung { child, .. } = self {
            // It may have ended already.
            let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
            let _ = child.wait();
        }
    }
}
