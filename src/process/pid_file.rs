//! Which process this is, for scripts that stop it.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// A file that has the number of this process as long as that runs, and is empty then: the sandbox allows
/// nothing to be removed.
#[derive(Debug)]
pub struct PidFile(File);

impl PidFile {
    /// Errors say what failed, on what, and what to try.
    pub fn create(path: &Path) -> io::Result<PidFile> {
        let create = || {
            let mut file = File::create(path)?;
            writeln!(file, "{}", std::process::id())?;
            Ok(PidFile(file))
        };
        create().map_err(|error: io::Error| {
            let text = format!("cannot write the pid file {}: {error} (try another file)", path.display());
            io::Error::new(error.kind(), text)
        })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // What is left names a process that is gone: nobody can do better here.
        let _ = self.0.set_len(0);
    }
}
