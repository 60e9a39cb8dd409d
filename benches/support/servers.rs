//! The servers that are measured: what they are called, where they are, how they are run.

use std::env;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::configs::{self, Place};
use super::programs::{find, first_line};
use super::{Result, SERVER_CPU};

/// Where cargo has built pws, which it tells to benches only; or another one, if `PWS_PROGRAM` names it.
pub static PWS: OnceLock<PathBuf> = OnceLock::new();

/// A server, in one way of running it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Server {
    Pws,
    /// With its access log, thrown away.
    PwsLogNull,
    /// With its access log, kept.
    PwsLogFile,
    Nginx,
    /// With `open_file_cache`.
    NginxOfc,
    /// With that and what else makes it faster.
    NginxTuned,
    Lighttpd,
    H2o,
    Darkhttpd,
    /// static-web-server.
    Sws,
    Caddy,
    Python,
    /// What nobody can go below: see `benches/peers/floor.rs`.
    Floor,
}

impl Server {
    pub const ALL: [Server; 13] = [
        Server::Pws,
        Server::PwsLogNull,
        Server::PwsLogFile,
        Server::Nginx,
        Server::NginxOfc,
        Server::NginxTuned,
        Server::Lighttpd,
        Server::H2o,
        Server::Darkhttpd,
        Server::Sws,
        Server::Caddy,
        Server::Python,
        Server::Floor,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Server::Pws => "pws",
            Server::PwsLogNull => "pws-log-null",
            Server::PwsLogFile => "pws-log-file",
            Server::Nginx => "nginx",
            Server::NginxOfc => "nginx-ofc",
            Server::NginxTuned => "nginx-tuned",
            Server::Lighttpd => "lighttpd",
            Server::H2o => "h2o",
            Server::Darkhttpd => "darkhttpd",
            Server::Sws => "static-web-server",
            Server::Caddy => "caddy",
            Server::Python => "python3",
            Server::Floor => "floor",
        }
    }

    pub fn parse(name: &str) -> std::result::Result<Server, String> {
        let found = Server::ALL.into_iter().find(|server| server.name() == name);
        found.ok_or_else(|| format!("try one of {}", Server::ALL.map(Server::name).join(", ")))
    }

    /// Whether it is somebody else's work.
    pub fn is_peer(self) -> bool {
        !matches!(self, Server::Pws | Server::PwsLogNull | Server::PwsLogFile | Server::Floor)
    }

    /// Whether each connection has a thread: thousands of those are no measurement but an accident.
    pub fn has_a_thread_per_connection(self) -> bool {
        self == Server::Python
    }

    /// The program, if it is installed.
    pub fn program(self) -> Option<PathBuf> {
        match self {
            Server::Pws | Server::PwsLogNull | Server::PwsLogFile => PWS.get().cloned(),
            Server::Nginx | Server::NginxOfc | Server::NginxTuned => find("nginx"),
            Server::Floor => env::current_exe().ok(),
            other => find(other.name()),
        }
    }

    pub fn version(self) -> String {
        let (Some(program), argument) = (self.program(), self.version_argument()) else {
            return "not installed".to_owned();
        };
        match argument {
            Some(argument) => first_line(Command::new(program).arg(argument)),
            None => "a bare epoll loop of these benchmarks".to_owned(),
        }
    }

    fn version_argument(self) -> Option<&'static str> {
        match self {
            Server::Floor => None,
            Server::Nginx | Server::NginxOfc | Server::NginxTuned => Some("-v"),
            Server::Lighttpd | Server::H2o => Some("-v"),
            Server::Caddy => Some("version"),
            // It would serve a folder called --version.
            Server::Darkhttpd => Some("--help"),
            _ => Some("--version"),
        }
    }

    /// The command that runs it, alone on its CPU. Of the folder, [`Server::Floor`] serves `file` only.
    pub fn command(self, place: &Place, file: &str) -> Result<Command> {
        let program = self.program().ok_or_else(|| format!("{} is not installed", self.name()))?;
        let mut command = match self.preparation(place) {
            Some(preparation) => {
                let mut command = Command::new("sh");
                command.args(["-c", &format!("{preparation}; exec \"$0\" \"$@\""), "taskset"]);
                command
            }
            None => Command::new("taskset"),
        };
        command.args(["--cpu-list", &SERVER_CPU.to_string()]).arg(program).args(self.arguments(place, file)?);
        // One worker for those that would take as many as there are CPUs.
        command.env("GOMAXPROCS", "1").env("HOME", place.work).current_dir(place.work);
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("PWS_") || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::null());
        // The log of this one cannot be switched off.
        let stderr = if self == Server::Python { "/dev/null".into() } else { place.work.join("stderr.txt") };
        command.stderr(File::options().create(true).append(true).open(stderr)?);
        if self == Server::PwsLogFile {
            command.stdout(File::create(place.work.join("access.log"))?);
        }
        Ok(command)
    }

    /// What a shell does before it becomes the server, if there is anything to do.
    fn preparation(self, place: &Place) -> Option<String> {
        let limit = place.conditions.open_files_max.map(|count| format!("ulimit -n {count}"));
        let steps = [limit, place.conditions.preparation.clone()];
        steps.into_iter().flatten().reduce(|steps, step| format!("{steps} && {step}"))
    }

    fn arguments(self, place: &Place, file: &str) -> Result<Vec<String>> {
        let port = place.port.to_string();
        let root = place.root.display().to_string();
        let write = |name: &str, config: String| -> Result<String> {
            let path = place.work.join(name);
            fs::write(&path, config)?;
            Ok(path.display().to_string())
        };
        let pws = |log: &str| {
            let options = ["--bind", "127.0.0.1", "--log-level", "error", "--access-log", log];
            words(&[&[&port, "--directory", &root], &options[..], place.conditions.pws_options].concat())
        };
        let nginx = |way| -> Result<Vec<String>> {
            let config = write("nginx.conf", configs::nginx(place, way))?;
            // Errors before the configuration is read go to standard error.
            Ok(words(&["-p", &place.work.display().to_string(), "-e", "stderr", "-c", &config]))
        };
        Ok(match self {
            Server::Pws => pws("off"),
            Server::PwsLogNull | Server::PwsLogFile => pws("on"),
            Server::Nginx => nginx(configs::Nginx::Plain)?,
            Server::NginxOfc => nginx(configs::Nginx::FileCache)?,
            Server::NginxTuned => nginx(configs::Nginx::Tuned)?,
            Server::Lighttpd => words(&["-D", "-f", &write("lighttpd.conf", configs::lighttpd(place))?]),
            Server::H2o => words(&["-c", &write("h2o.conf", configs::h2o(place))?]),
            Server::Caddy => {
                let config = write("Caddyfile", configs::caddy(place))?;
                words(&["run", "--adapter", "caddyfile", "--config", &config])
            }
            Server::Darkhttpd => configs::darkhttpd(place),
            Server::Sws => configs::static_web_server(place),
            Server::Python => {
                let options = ["--bind", "127.0.0.1", "--protocol", "HTTP/1.1", "--directory", &root, &port];
                words(&[&["-m", "http.server"], &options[..]].concat())
            }
            Server::Floor => {
                words(&["floor", &port, &place.root.join(file.trim_start_matches('/')).display().to_string()])
            }
        })
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
