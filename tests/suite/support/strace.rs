//! The real binary under strace: which calls it makes, and what it does if the kernel refuses them.

use std::process::Command;

use pws_testing::folder::Folder;
use pws_testing::patience::wait_until;
use pws_testing::process::{Process, serving};
use tempfile::NamedTempFile;

use super::tools;

/// A server whose calls are written down.
pub struct Traced {
    pub process: Process,
    log: NamedTempFile,
}

impl Traced {
    /// Serves `folder` with `args`, under strace with `options`; `None`, said loudly, if there is no strace.
    #[track_caller]
    pub fn serve(folder: &Folder, options: &[&str], args: &[&str]) -> Option<Traced> {
        if !tools::has("strace") {
            return None;
        }
        let log = NamedTempFile::new().expect("a temporary file");
        let mut command = Command::new("strace");
        // -D: the server is our child, and strace stands aside. -y: descriptors are told with their paths.
        command.args(["-D", "-f", "-y", "-o"]).arg(log.path()).args(options);
        command.arg(env!("CARGO_BIN_EXE_pws"));
        let mut command = serving(command, folder);
        command.args(["--access-log", "off"]).args(args);
        Some(Traced { process: Process::start(command), log })
    }

    /// Serves `folder` under a kernel that refuses `call` with `errno` once the server is up.
    #[track_caller]
    pub fn refusing(folder: &Folder, call: &str, errno: &str) -> Option<Traced> {
        let started = Traced::serve(folder, &["-e", &format!("trace={call}")], &[])?;
        let count = started.end().iter().filter(|line| line.contains(&format!(" {call}("))).count();
        let inject = format!("inject={call}:error={errno}:when={}+", count + 1);
        Traced::serve(folder, &["-e", &format!("trace={call}"), "-e", &inject], &[])
    }

    /// Stops the server, which must end well; returns its calls, one a line.
    #[track_caller]
    pub fn end(self) -> Vec<String> {
        self.process.stop();
        let read = || std::fs::read_to_string(self.log.path()).expect("a log");
        wait_until("strace ends", || read().contains("+++ exited with"));
        read().lines().map(str::to_owned).collect()
    }
}
