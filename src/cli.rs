//! The command line: what can be typed, and the [`Config`] it stands for. Nothing else knows clap.

use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser, ValueEnum};
use log::LevelFilter;
use pws::Config;
use pws::config::DEFAULT_PORT;
use pws::limits::Limits;

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

    /// Memory for files and what is known of them, such as 512K, 16M or 1G; 0 keeps nothing
    #[arg(long, value_name = "SIZE", env = "PWS_CACHE_SIZE", default_value = "16M")]
    #[arg(value_parser = parse_size)]
    cache_size: usize,

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
    /// Reads the command line. What is wrong with it is told together with the usage; exit code 2.
    pub fn read() -> Cli {
        Cli::try_parse().unwrap_or_else(|error| {
            let text = error.render().to_string();
            let is_told = !error.use_stderr() || text.contains("Usage:");
            // Nobody is left to be told if this fails.
            let _ = error.print();
            if !is_told {
                eprintln!("\n{}", Cli::command().render_usage());
            }
            std::process::exit(error.exit_code());
        })
    }

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
            // An empty variable is as good as none.
            binds: self.bind.into_iter().filter(|bind| !bind.is_empty()).collect(),
            port: self.port,
            access_log: self.access_log == Switch::On,
            limits: Limits { cache_bytes_max: self.cache_size, ..Limits::default() },
            ..Config::new(folder)
        }
    }
}

/// Bytes, with K, M or G behind the number for a power of 1,024.
fn parse_size(text: &str) -> Result<usize, String> {
    let digits = &text[..text.bytes().take_while(u8::is_ascii_digit).count()];
    let unit = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        unit => return Err(format!("'{unit}' is no unit: K, M or G is")),
    };
    let number: usize = digits.parse().map_err(|_| "a number is missing in front".to_owned())?;
    number.checked_mul(unit).ok_or_else(|| "more than this machine can address".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, expected) in
            [("0", Some(0)), ("1000", Some(1000)), ("512K", Some(524_288)), ("16m", Some(16_777_216))]
        {
            assert_eq!(parse_size(text).ok(), expected, "{text}");
        }
        for text in ["", "K", "1X", "1KB", "-1", "1.5M", "99999999999999999999", "99999999999G"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
