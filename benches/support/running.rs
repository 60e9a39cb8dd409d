//! A server at work: started on a free port, killed with all it has forked when dropped.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pws_testing::folder::Folder;
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use super::configs::{Conditions, Place};
use super::process_group::ProcessGroup;
use super::servers::Server;
use super::{LOAD_CPU, Result};

/// How long a server may take until it listens.
const START_PATIENCE: Duration = Duration::from_secs(20);

pub struct Running {
    pub server: Server,
    pub address: SocketAddr,
    child: Child,
    /// Configuration and logs.
    pub work: TempDir,
}

impl Running {
    /// Starts `server` on `folder` and waits until it listens. `file` is the one that will be asked for.
    pub fn start(server: Server, folder: &Folder, file: &str) -> Result<Running> {
        Running::start_under(&Conditions::default(), server, folder, file)
    }

    /// [`Running::start`] under other conditions than usual.
    pub fn start_under(
        conditions: &Conditions,
        server: Server,
        folder: &Folder,
        file: &str,
    ) -> Result<Running> {
        let work = TempDir::with_prefix("pws-bench-server-")?;
        let port = free_port()?;
        let root = folder.root();
        let place = Place { root: &root, work: work.path(), port, conditions };
        let mut command = server.command(&place, file)?;
        let child = command.process_group(0).spawn().map_err(|error| {
            format!("cannot start {} by taskset: {error} (try 'apt-get install util-linux')", server.name())
        })?;
        let mut running = Running { server, address: ([127, 0, 0, 1], port).into(), child, work };
        running.wait_until_it_listens()?;
        Ok(running)
    }

    fn wait_until_it_listens(&mut self) -> Result<()> {
        let start = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            let ended = self.child.try_wait()?;
            if ended.is_some() || start.elapsed() > START_PATIENCE {
                let how = ended.map_or("does not listen".to_owned(), |status| format!("ended: {status}"));
                return Err(format!("{} {how}; it said: {}", self.server.name(), self.complaints()).into());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// An error if it has ended meanwhile.
    pub fn check_alive(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => {
                Err(format!("{} ended: {status}; it said: {}", self.server.name(), self.complaints()).into())
            }
            None => Ok(()),
        }
    }

    pub fn processes(&self) -> ProcessGroup {
        ProcessGroup(self.child.id())
    }

    /// What it has written to its logs of errors, the end of it.
    fn complaints(&self) -> String {
        let logs = ["stderr.txt", "error.log"].map(|name| self.work.path().join(name));
        let text: String = logs.iter().filter_map(|log| fs::read_to_string(log).ok()).collect();
        let lines: Vec<&str> = text.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" / ")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The group is there until its leader has been waited for; it may have ended already.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}

/// A port that nobody has, below those that clients are given: none of them can take it meanwhile.
fn free_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(18_000);
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        if port > 32_000 {
            return Err("no free port between 18000 and 32000".into());
        }
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
}

/// Keeps this program, and the load it starts, off the CPU of the server.
pub fn keep_off_the_servers_cpu() -> Result<()> {
    if thread::available_parallelism()?.get() < 2 {
        return Err("two CPUs are needed, one for the server and one for its load".into());
    }
    let own_pid = std::process::id().to_string();
    let mut taskset = Command::new("taskset");
    taskset.args(["--all-tasks", "--cpu-list", "--pid", &LOAD_CPU.to_string(), &own_pid]);
    match taskset.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("taskset: {}", String::from_utf8_lossy(&output.stderr).trim()).into()),
        Err(error) => Err(format!("cannot run taskset: {error} (try 'apt-get install util-linux')").into()),
    }
}
