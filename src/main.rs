//! The command `pws`: reads the command line, starts the log, serves.

#![forbid(unsafe_code)]
#![deny(clippy::allow_attributes)]

mod cli;

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;

use pws::Server;
use pws::clock;
use pws::config::{Place, Symlinks};
use pws::limits::told_bytes;
use pws::net::listener;
use pws::process::confine::{self, Sandbox};
use pws::process::logger;
use pws::process::pid_file::PidFile;
use pws::process::resources;
use pws::process::stderr::Stderr;
use pws::sink::{self, Sink};

use cli::{Settings, preflight};

fn main() -> ExitCode {
    let settings = match Settings::read() {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    logger::start(settings.log_level, clock::uptime());
    for remark in &settings.remarks {
        log::warn!("{remark}");
    }
    if settings.is_preflight {
        let (report, is_well) = preflight::report(&settings);
        // Whoever has stopped reading still gets the exit code.
        let _ = io::stdout().write_all(report.as_bytes());
        return if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    match serve(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where nobody can be told, the exit code still tells.
            Stderr::open().tell_last(&format!("pws: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Descriptors that a start takes beside one for each further address: the folder, its link, the poll, its
/// waker, a listener, the log, two for signals, the watches. And those of a client and its file.
const START_DESCRIPTORS: usize = 9 + SERVING_DESCRIPTORS;
const SERVING_DESCRIPTORS: usize = 2;

fn serve(settings: Settings) -> io::Result<()> {
    let Settings { config, user, sandbox, memory, pid_file, .. } = settings;
    resources::forbid_core_dumps();
    resources::survive_full_files()?;
    let open_files = resources::raise_open_files();
    resources::check_spare_descriptors(START_DESCRIPTORS + config.binds.len().saturating_sub(1))?;
    let follows_all = config.site.symlinks == Symlinks::Follow;
    let folder = config.site.only.as_ref().map_or(config.folder.clone(), |only| config.folder.join(only));
    // What reads the access log from a pipe or a file is to get lines of that and nothing else.
    let tells_on_stderr = config.access_log && !io::stdout().is_terminal();
    let (told_memory, backlog) = (config.limits.told_memory(), listener::effective_backlog(&config.limits));
    let status = config.status.clone();
    let heap_bytes_max = config.limits.heap_bytes_max();
    let mut server = Server::bind(config)?;
    resources::check_spare_memory(heap_bytes_max)?;
    server.stop_on_signals()?;
    // Kept until the end.
    let _pid_file = pid_file.as_deref().map(PidFile::create).transpose()?;
    let urls = urls(&server)?;
    let connections = server.connections_max();
    let shown_folder = folder.canonicalize().unwrap_or(folder);
    if let Some(user) = user {
        confine::become_user(&user)?;
        confine::check_passable(server.root_folder()).map_err(|error| {
            let text =
                format!("cannot serve {}: {error} (try one that {user} can read)", shown_folder.display());
            io::Error::new(error.kind(), text)
        })?;
    }
    server.check_site()?;
    let told = match (follows_all, sandbox) {
        (true, Sandbox::Require) => {
            let text = "cannot enter the sandbox: symbolic links lead out of it (try '--symlinks inside')";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        (true, _) => "off, since symbolic links are followed wherever they lead".to_owned(),
        (false, _) => {
            let (granted, place) = match server.link_folder() {
                Some(holder) => (holder, "the folder that the link is in"),
                None => (server.root_folder(), "the folder"),
            };
            confine::enter_sandbox(granted, place, sandbox)?
        }
    };
    resources::check_spare_descriptors(SERVING_DESCRIPTORS)?;
    tell_status(&server, status.as_ref())?;
    let first_line = format!("Serving {} at {}\n", shown_folder.display(), urls.join(" "));
    let told_first = match tells_on_stderr {
        true => tell_first(io::stderr(), &first_line),
        false => tell_first(io::stdout(), &first_line),
    };
    // A full disk or a reader that is gone is no reason not to serve.
    if let Err(error) = told_first {
        log::warn!("cannot say that pws serves: {error}");
    }
    log::info!("limits: {open_files} open files, {connections} connections, a backlog of {backlog}");
    log::info!("memory: {} by {}: {told_memory}", told_bytes(memory.bytes), memory.source);
    log::info!("sandbox: {told}");
    if confine::is_root() {
        log::warn!("running as root: '--user NAME' gives that up");
    }
    server.run()
}

/// Where browsers find what is served: several addresses may stand for all there are.
fn urls(server: &Server) -> io::Result<Vec<String>> {
    let mut urls: Vec<String> = Vec::new();
    for url in server.local_addrs()?.into_iter().flat_map(listener::urls) {
        if !urls.contains(&url) {
            urls.push(url);
        }
    }
    Ok(urls)
}

/// Tells where the server can be looked at.
fn tell_status(server: &Server, place: Option<&Place>) -> io::Result<()> {
    if let Some(address) = server.status_addr()? {
        log::info!("status: http://{address}/");
    } else if let Some(Place::Unix(path)) = place {
        log::info!("status: 'curl --unix-socket {} http://pws/status.json'", path.display());
    }
    Ok(())
}

/// Writes the first line, for which the reader gets a moment.
fn tell_first(stream: impl AsFd, line: &str) -> io::Result<()> {
    let (_, refused) = Sink::of(stream)?.write(line.as_bytes(), sink::MOMENT_WAITS);
    refused.map_or(Ok(()), |errno| Err(errno.into()))
}
