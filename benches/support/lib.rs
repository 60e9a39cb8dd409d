//! What the programs that measure whole servers share: the servers, the folder they serve, the load, and how
//! results are written down.

pub mod configs;
pub mod descriptors;
pub mod folder;
pub mod interrupt;
pub mod machine;
pub mod numbers;
pub mod options;
pub mod process_group;
pub mod programs;
pub mod running;
pub mod servers;
pub mod svg;
pub mod table;
pub mod wrk;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

/// A program that measures ends at the first error it cannot work around: a text for a person is enough.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What comes before servers are measured; returns how many files may be open. `pws`: the binary, unless
/// `PWS_PROGRAM` names another.
pub fn begin(pws: &str) -> Result<u64> {
    servers::PWS.get_or_init(|| env::var_os("PWS_PROGRAM").map_or_else(|| pws.into(), PathBuf::from));
    interrupt::watch()?;
    running::keep_off_the_servers_cpu()?;
    Ok(pws::process::resources::raise_open_files())
}

/// Ends a program, with a line that says why if it failed.
pub fn end(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The server alone has this one,
pub const SERVER_CPU: usize = 0;
/// and whatever loads it has that one.
pub const LOAD_CPU: usize = 1;
