//! The command line: what can be typed, and the [`Config`] it stands for. Nothing else knows clap.

use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};
use log::LevelFilter;
use pws::Config;
use pws::config::DEFAULT_PORT;

/// The folder served where none was asked for, if it exists; else the current one.
const DEFAULT_FOLDER: &str = "static";

/// Serve a folder over HTTP.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    /// Port to listen on; 0 takes a free one and prints it
    #[arg(value_name = "PORT", env = "PWS_PORT", default_value_t = DEFAULT_PORT)]
    port: u16,

    /// Address or host name to listen on; may be repeated [default: all interfaces, IPv6 and IPv4]
    #[arg(short, long, value_name = "ADDR", env = "PWS_BIND", value_delimiter = ',')]
    bind: Vec<String>,

    /// Folder to serve [default: static, or the current folder if there is none]
    #[arg(short, long, value_name = "DIR", env = "PWS_DIRECTORY")]
    directory: Option<PathBuf>,

    /// Write a line per answer to standard output, in the common log format
    #[arg(long, value_name = "WHEN", env = "PWS_ACCESS_LOG", default_value = "on")]
    access_log: Switch,

    /// How much to tell on standard error: off, error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", env = "PWS_LOG_LEVEL", default_value = "info")]
    log_level: LevelFilter,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

impl Cli {
    pub fn log_level(&self) -> LevelFilter {
        self.log_level
    }

    /// What was typed, as the server needs it.
    pub fn into_config(self) -> Config {
        let folder = self.directory.unwrap_or_else(|| match Path::new(DEFAULT_FOLDER).is_dir() {
            true => DEFAULT_FOLDER.into(),
            false => ".".into(),
        });
        Config {
            binds: self.bind,
            port: self.port,
            access_log: self.access_log == Switch::On,
            ..Config::new(folder)
        }
    }
}
