//! The command `pws`: reads the command line, starts the log, serves.

#![forbid(unsafe_code)]

mod cli;

use std::io::{self, Write};
use std::process::ExitCode;

use pws::net::listener;
use pws::{Server, limits};

fn main() -> ExitCode {
    let cli = cli::Cli::read();
    env_logger::Builder::new().filter_level(cli.log_level()).format_timestamp(None).init();
    match serve(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pws: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(cli: cli::Cli) -> io::Result<()> {
    let open_files = limits::raise_open_files();
    let config = cli.into_config();
    let folder = config.folder.clone();
    let mut server = Server::bind(config)?;
    server.stop_on_signals()?;
    let urls: Vec<String> = server.local_addrs()?.into_iter().map(listener::url).collect();
    let shown_folder = folder.canonicalize().unwrap_or(folder);
    writeln!(io::stdout(), "Serving {} at {}", shown_folder.display(), urls.join(" "))?;
    log::info!("limits: {open_files} open files, a backlog of {}", listener::effective_backlog());
    server.run()
}
