//! The command line: what can be typed, and the [`Config`] it stands for. Nothing else knows clap.

use std::path::{Path, PathBuf};

use clap::builder::{FalseyValueParser, NonEmptyStringValueParser};
use clap::{Arg, CommandFactory, FromArgMatches, Parser, ValueEnum, value_parser};
use log::LevelFilter;
use pws::Config;
use pws::config::{DEFAULT_PORT, SiteOptions, Symlinks};
use pws::http::bytes::TOKEN;
use pws::http::target;
use pws::limits::Limits;
use pws::process::confine::Sandbox;
use pws::rules::headers;

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

    /// Page of a folder; may be repeated, the first that is there is shown
    #[arg(long = "index", value_name = "NAME", env = "PWS_INDEX", value_delimiter = ',')]
    #[arg(default_value = "index.html", value_parser = parse_name)]
    indexes: Vec<String>,

    /// Do not list folders that have no index
    #[arg(long, env = "PWS_NO_LISTING", value_parser = FalseyValueParser::new())]
    no_listing: bool,

    /// File that answers navigations to paths where nothing is, for single-page apps
    #[arg(long, value_name = "FILE", env = "PWS_FALLBACK", value_parser = parse_path)]
    fallback: Option<String>,

    /// Serve about.html as /about, and lead from the one to the other
    #[arg(long, env = "PWS_CLEAN_URLS", value_parser = FalseyValueParser::new())]
    clean_urls: bool,

    /// Field for every answer, such as 'X-Frame-Options: DENY'; may be repeated
    #[arg(long = "header", value_name = "FIELD", env = "PWS_HEADER", value_delimiter = '\n')]
    #[arg(value_parser = parse_field)]
    headers: Vec<(String, String)>,

    /// Cache-Control of every answer, such as 'max-age=3600'
    #[arg(long, value_name = "VALUE", env = "PWS_CACHE_CONTROL", value_parser = parse_cache_control)]
    cache_control: Option<(String, String)>,

    /// Let pages of ORIGIN, or of any, read what is served [ORIGIN if none is given: *]
    #[arg(long, value_name = "ORIGIN", env = "PWS_CORS", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "*", value_parser = parse_origin)]
    cors: Option<String>,

    /// Media type of an extension, such as md=text/html; may be repeated
    #[arg(long, value_name = "EXT=TYPE", env = "PWS_MIME", value_delimiter = ',', value_parser = parse_mime)]
    mime: Vec<(String, String)>,

    /// Serve names that start with a dot, too
    #[arg(long, env = "PWS_HIDDEN", value_parser = FalseyValueParser::new())]
    hidden: bool,

    /// Symbolic links to follow: those that stay inside the folder, all, or none
    #[arg(long, value_name = "WHICH", env = "PWS_SYMLINKS", default_value = "inside")]
    symlinks: SymlinkChoice,

    /// Serve a folder per host name, such as DIR/example.com; DIR/default for all others
    #[arg(long, env = "PWS_VHOSTS", value_parser = FalseyValueParser::new())]
    vhosts: bool,

    /// Do not start if a line of _headers or _redirects cannot be followed
    #[arg(long, env = "PWS_STRICT", value_parser = FalseyValueParser::new())]
    strict: bool,

    /// User to become once the port is open, and its group; only root can
    #[arg(long, value_name = "NAME[:GROUP]", env = "PWS_USER")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    user: Option<String>,

    /// Have the kernel keep pws below the folder: as far as it can, or not without, or not
    #[arg(long, value_name = "WHEN", env = "PWS_SANDBOX", default_value = "auto")]
    sandbox: SandboxChoice,

    /// Memory for everything, such as 8M: connections, buffers and files are held to it, the kernel's part
    /// too
    #[arg(long, value_name = "SIZE", env = "PWS_MEMORY", value_parser = parse_memory)]
    memory: Option<usize>,

    /// Connections at once [default: as many as there are descriptors for]
    #[arg(long, value_name = "COUNT", env = "PWS_MAX_CONNECTIONS", value_parser = parse_count)]
    max_connections: Option<usize>,

    /// Connections of one client (an IPv4 address or an IPv6 /64) at once [default: no bound]
    #[arg(long, value_name = "COUNT", env = "PWS_MAX_PER_CLIENT", value_parser = parse_count)]
    max_per_client: Option<usize>,

    /// Seconds until a connection without a request is closed
    #[arg(long, value_name = "SECS", env = "PWS_IDLE_TIMEOUT", default_value_t = Limits::default().idle_secs)]
    #[arg(value_parser = value_parser!(u32).range(1..=86_400))]
    idle_timeout: u32,

    /// Memory for files and what is known of them, such as 512K, 16M or 1G; 0 keeps nothing [default: 16M]
    #[arg(long, value_name = "SIZE", env = "PWS_CACHE_SIZE", value_parser = parse_size)]
    cache_size: Option<usize>,

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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SymlinkChoice {
    Inside,
    Follow,
    Deny,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SandboxChoice {
    Auto,
    Require,
    Off,
}

impl Cli {
    /// Reads the command line. What is wrong with it is told together with the usage; exit code 2.
    pub fn read() -> Cli {
        Cli::parse_with_variables().unwrap_or_else(|error| {
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

    /// An empty variable is as good as none: that is how they are left out in files that list them all.
    fn parse_with_variables() -> Result<Cli, clap::Error> {
        let is_empty = |arg: &Arg| {
            arg.get_env().is_some_and(|name| std::env::var_os(name).is_some_and(|value| value.is_empty()))
        };
        let command = Cli::command().mut_args(|arg| if is_empty(&arg) { arg.env(None::<&str>) } else { arg });
        Cli::from_arg_matches(&command.try_get_matches()?)
    }

    /// Who to become.
    pub fn user(&self) -> Option<String> {
        self.user.clone()
    }

    pub fn sandbox(&self) -> Sandbox {
        match self.sandbox {
            SandboxChoice::Auto => Sandbox::Auto,
            SandboxChoice::Require => Sandbox::Require,
            SandboxChoice::Off => Sandbox::Off,
        }
    }

    /// What was typed, as the server needs it.
    pub fn into_config(self) -> Config {
        let folder = self.directory.unwrap_or_else(|| match Path::new(DEFAULT_FOLDER).is_dir() {
            true => DEFAULT_FOLDER.into(),
            false => ".".into(),
        });
        let limits = self.memory.map_or_else(Limits::default, Limits::within);
        let site = SiteOptions {
            listing: !self.no_listing,
            indexes: self.indexes,
            fallback: self.fallback,
            clean_urls: self.clean_urls,
            hidden: self.hidden,
            symlinks: match self.symlinks {
                SymlinkChoice::Inside => Symlinks::Inside,
                SymlinkChoice::Follow => Symlinks::Follow,
                SymlinkChoice::Deny => Symlinks::Deny,
            },
            vhosts: self.vhosts,
            fields: self.headers.into_iter().chain(self.cache_control).collect(),
            cors: self.cors,
            media_types: self.mime,
            strict: self.strict,
        };
        Config {
            binds: self.bind,
            port: self.port,
            access_log: self.access_log == Switch::On,
            site,
            limits: Limits {
                cache_bytes_max: self.cache_size.unwrap_or(limits.cache_bytes_max),
                connections_max: self.max_connections.or(limits.connections_max),
                connections_per_client_max: self.max_per_client,
                idle_secs: self.idle_timeout,
                ..limits
            },
            ..Config::new(folder)
        }
    }
}

/// A name without a folder.
fn parse_name(text: &str) -> Result<String, String> {
    match text {
        "" | "." | ".." => Err("a name is needed, such as index.html".to_owned()),
        _ if text.contains(['/', '\0']) => Err("a name without a folder is needed".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// A path below the folder; a slash in front makes no difference.
fn parse_path(text: &str) -> Result<String, String> {
    let path = text.trim_start_matches('/');
    let is_plain = path.split('/').all(|segment| !matches!(segment, "" | "." | "..")) && !path.contains('\0');
    if is_plain { Ok(path.to_owned()) } else { Err("a file below the folder is needed".to_owned()) }
}

/// Fields that each file has of its own, in lower case: one for all would be wrong for most.
const OF_FILES: [&str; 2] = ["content-type", "content-encoding"];

fn parse_field(text: &str) -> Result<(String, String), String> {
    let (name, value) = headers::parse_field(text.as_bytes())?;
    match OF_FILES.iter().any(|of_files| of_files.eq_ignore_ascii_case(name)) {
        true => Err(format!("`{name}` depends on the file: use '--mime', or a `_headers` file")),
        false => Ok((name.to_owned(), value.to_owned())),
    }
}

fn parse_cache_control(text: &str) -> Result<(String, String), String> {
    parse_field(&format!("Cache-Control: {text}"))
}

/// `*`, `null`, or a scheme and a host as a browser sends them (RFC 6454 §6.2).
fn parse_origin(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let is_host = |host: &str| !host.is_empty() && target::is_authority(host.as_bytes(), false);
    match text {
        "*" | "null" => Ok(text.to_owned()),
        _ if host.is_some_and(is_host) => Ok(text.to_owned()),
        _ => Err("'*' or an origin such as https://example.com is needed".to_owned()),
    }
}

fn parse_mime(text: &str) -> Result<(String, String), String> {
    let wrong = || "an extension and a type are needed, such as md=text/html".to_owned();
    let (extension, content_type) = text.split_once('=').ok_or_else(wrong)?;
    let extension = extension.strip_prefix('.').unwrap_or(extension);
    let essence = content_type.split(';').next().unwrap_or_default().trim_end();
    let (main, sub) = essence.split_once('/').ok_or_else(wrong)?;
    let are_tokens = [main, sub].iter().all(|part| !part.is_empty() && TOKEN.holds_all(part.as_bytes()));
    let is_fit =
        are_tokens && !extension.is_empty() && !content_type.bytes().any(|byte| byte.is_ascii_control());
    if is_fit { Ok((extension.to_owned(), content_type.to_owned())) } else { Err(wrong()) }
}

/// Less than that would hold no connection and no file.
const MEMORY_BYTES_MIN: usize = 1 << 20;

fn parse_memory(text: &str) -> Result<usize, String> {
    match parse_size(text)? {
        bytes if bytes < MEMORY_BYTES_MIN => Err("1M is the least that can be done with".to_owned()),
        bytes => Ok(bytes),
    }
}

fn parse_count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a number from 1 on is needed".to_owned()),
        Ok(count) => Ok(count),
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
    fn values_are_checked_before_the_start() {
        let origins = ["*", "null", "https://example.com", "http://[::1]:8080"];
        assert!(origins.iter().all(|text| parse_origin(text).is_ok()));
        for text in [
            "",
            "example.com",
            "https://",
            "https://a/b",
            "https://a b",
            "https://[",
            "https://a:b:c",
            "ftp://a",
            "https://a\r\nX:1",
        ] {
            assert!(parse_origin(text).is_err(), "{text}");
        }
        for (text, expected) in [
            ("md=text/html", Some(("md", "text/html"))),
            (".foo=text/foo; charset=latin1", Some(("foo", "text/foo; charset=latin1"))),
            ("md", None),
            ("=text/html", None),
            ("md=html", None),
            ("md=text/", None),
            ("md=text/a b", None),
            ("md=text/a; b=\n", None),
        ] {
            let expected = expected.map(|(extension, essence)| (extension.to_owned(), essence.to_owned()));
            assert_eq!(parse_mime(text).ok(), expected, "{text}");
        }
        assert_eq!(parse_path("/app/index.html").as_deref(), Ok("app/index.html"));
        for text in ["", "/", "../a", "a/../b", "a//b", "./a", "a/"] {
            assert!(parse_path(text).is_err(), "{text}");
        }
        assert!(parse_name("a/b").is_err() && parse_name("..").is_err() && parse_name("home.htm").is_ok());
        assert!(parse_field("Content-Length: 1").is_err() && parse_field("X: a").is_ok());
    }

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
