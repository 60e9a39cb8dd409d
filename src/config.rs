//! What was asked for: the one value a server is made from.

use std::path::PathBuf;

use crate::limits::Limits;

/// The settings of a [`Server`](crate::Server).
#[derive(Clone, Debug)]
pub struct Config {
    /// Addresses or host names to listen on. None at all means every interface, IPv6 and IPv4.
    pub binds: Vec<String>,
    /// 0 takes a port that is free, the same for all of `binds`.
    pub port: u16,
    /// The folder to serve.
    pub folder: PathBuf,
    /// Whether to write a line per answer to standard output.
    pub access_log: bool,
    pub limits: Limits,
}

impl Config {
    /// Serves `folder` on port 9000 of every interface, with the access log on.
    pub fn new(folder: impl Into<PathBuf>) -> Config {
        Config {
            binds: Vec::new(),
            port: DEFAULT_PORT,
            folder: folder.into(),
            access_log: true,
            limits: Limits::default(),
        }
    }
}

/// The port where none was asked for.
pub const DEFAULT_PORT: u16 = 9000;
