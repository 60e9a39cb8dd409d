//! The command line: what can be typed, and the [`Settings`] it stands for. Nothing else knows clap.
//!
//! [`options`] is the table, a [`row`] an option; [`values`] reads what is typed behind one, [`variables`]
//! says which variable counts. Here is the one loop over the table that tells clap of it, and the one that
//! puts what clap found where it goes. [`preflight`] looks at the machine.

mod options;
pub mod preflight;
#[cfg(test)]
mod readme;
mod row;
mod values;
mod variables;

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::FalseyValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use log::LevelFilter;
use pws::Config;
use pws::limits::Limits;
use pws::process::confine::Sandbox;
use pws::process::resources::{self, Granted};

use options::OPTIONS;
use row::{BARE, Otherwise, Put, Row};

/// What was asked for: the server, and what the process does before it serves.
#[derive(Debug)]
pub struct Settings {
    pub config: Config,
    /// Who to become.
    pub user: Option<String>,
    pub sandbox: Sandbox,
    pub log_level: LevelFilter,
    /// Where the bound on memory comes from.
    pub memory: Granted,
    /// Where the number of the process is to be written.
    pub pid_file: Option<PathBuf>,
    /// Nothing is to be served, but the machine looked at.
    pub is_preflight: bool,
    /// What was passed over, and what is to be done about that.
    pub remarks: Vec<String>,
}

impl Settings {
    /// Reads the command line and the variables. What is wrong with them is told together with the usage;
    /// exit code 2.
    pub fn read() -> Settings {
        read_from(env::args_os(), resources::memory_granted()).unwrap_or_else(|error| error.exit())
    }

    /// What there is before the table is gone through, with as much memory as the system grants. Lists are
    /// empty: their defaults are put like what is typed.
    fn unread(memory: Granted) -> Settings {
        let mut config = Config::new(demo_folder().unwrap_or_else(|| PathBuf::from(".")));
        config.site.indexes.clear();
        config.limits = Limits::within(usize::try_from(memory.bytes).unwrap_or(usize::MAX));
        Settings {
            config,
            user: None,
            sandbox: Sandbox::default(),
            log_level: LevelFilter::Info,
            memory,
            pid_file: None,
            is_preflight: false,
            remarks: Vec::new(),
        }
    }
}

/// What `cargo run` serves in this repository, where it tells whose program it runs. Elsewhere a folder
/// called `static` is a part of something, and not what people mean.
fn demo_folder() -> Option<PathBuf> {
    let is_run_by_cargo = env::var_os("CARGO_PKG_NAME").is_some_and(|name| name == env!("CARGO_PKG_NAME"));
    let repository = env::var_os("CARGO_MANIFEST_DIR").filter(|_| is_run_by_cargo)?;
    Some(Path::new(&repository).join("static")).filter(|folder| folder.is_dir())
}

fn read_from(args: impl IntoIterator<Item = OsString>, memory: Granted) -> Result<Settings, clap::Error> {
    let mut command = command();
    let usage = command.render_usage();
    let mut remarks = variables::remarks();
    let args = with_values(args, &mut remarks);
    let matches = command.try_get_matches_from_mut(args).map_err(|mut error| {
        error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
        error
    })?;
    let mut settings = Settings::unread(memory);
    // A variable that a bare port stands for need not be one.
    let is_overruled = |row: &&Row| row.name == "port" && bare_words(&matches).any(is_number);
    for row in OPTIONS.iter().filter(|row| is_typed(&matches, row.name) || !is_overruled(row)) {
        put_found(row, &matches, &mut settings).map_err(|(value, reason)| {
            let arg = command.get_arguments().find(|arg| arg.get_id() == row.name);
            let shown = match row.variable() {
                Some(variable) if matches.value_source(row.name) == Some(ValueSource::EnvVariable) => {
                    variable
                }
                _ => arg.map(Arg::to_string).unwrap_or_default(),
            };
            let text = format!("invalid value '{value}' for '{shown}': {reason}");
            command.error(ErrorKind::ValueValidation, text)
        })?;
    }
    if matches.value_source("memory") == Some(ValueSource::EnvVariable) {
        settings.memory.source = "PWS_MEMORY";
    }
    put_bare(&matches, &mut settings).map_err(|text| command.error(ErrorKind::ArgumentConflict, text))?;
    put_guests(&matches, &mut settings);
    settings.config.narrow_to_file();
    settings.remarks = remarks;
    Ok(settings)
}

/// The words that were typed, those joined to an option that may stand alone which can be its value:
/// `--hidden .z*` is `--hidden=.z*`, and `--hidden site` serves a folder. That it could mean the other is
/// remarked on.
fn with_values(args: impl IntoIterator<Item = OsString>, remarks: &mut Vec<String>) -> Vec<OsString> {
    let mut words: Vec<OsString> = Vec::new();
    for word in args {
        let takes = |option: &&mut OsString| takes(option.to_str()?, word.to_str()?).then_some(());
        match words.last_mut().filter(|option| takes(option).is_some()) {
            Some(option) => {
                if Path::new(&word).is_dir() {
                    let (option, word) = (option.to_string_lossy(), word.to_string_lossy());
                    remarks.push(format!(
                        "{word} counts as the value of {option} (try './{word}' for the folder)"
                    ));
                }
                option.push("=");
                option.push(word);
            }
            None => words.push(word),
        }
    }
    words
}

fn takes(option: &str, value: &str) -> bool {
    let named = |row: &&Row| row.alone.is_some() && option.strip_prefix("--") == Some(row.name);
    let Some(Row { put: Put::Text(put), .. }) = OPTIONS.iter().find(named) else { return false };
    let mut nowhere = Settings::unread(Granted { bytes: 0, source: "" });
    // A number is a port.
    value.parse::<u64>().is_err() && put(&mut nowhere, value).is_ok()
}

/// A folder and a port that are typed without a name, in either order.
fn put_bare(found: &ArgMatches, to: &mut Settings) -> Result<(), String> {
    let (mut has_port, mut has_folder) = (is_typed(found, "port"), is_typed(found, "directory"));
    for word in bare_words(found) {
        let shown = word.to_string_lossy();
        let before = if let Some(number) = word.to_str().filter(|_| is_number(word)) {
            let number = number.trim_start_matches(':');
            let port = values::number(number, 0, u16::MAX);
            let port = port.map_err(|reason| format!("'{shown}' is no port: {reason}"))?;
            let before = std::mem::replace(&mut to.config.port, port);
            std::mem::replace(&mut has_port, true).then(|| ("ports", before.to_string()))
        } else {
            let before = std::mem::replace(&mut to.config.folder, PathBuf::from(word));
            std::mem::replace(&mut has_folder, true).then(|| ("folders", before.display().to_string()))
        };
        if let Some((what, before)) = before {
            return Err(format!("two {what} were given, '{before}' and '{shown}': one is needed"));
        }
    }
    Ok(())
}

/// Whom to serve, in the order in which it was typed: the last word counts.
fn put_guests(found: &ArgMatches, to: &mut Settings) {
    let mut said = Vec::new();
    for (name, is_allowed) in [("allow", true), ("deny", false)] {
        let places = found.indices_of(name).into_iter().flatten();
        let networks = found.get_many::<String>(name).into_iter().flatten();
        said.extend(places.zip(networks.filter_map(|text| text.parse().ok())).map(|pair| (pair, is_allowed)));
    }
    said.sort_by_key(|((place, _), _)| *place);
    said.into_iter().for_each(|((_, network), is_allowed)| to.config.guests.say(is_allowed, network));
}

fn is_typed(found: &ArgMatches, name: &str) -> bool {
    found.value_source(name) == Some(ValueSource::CommandLine)
}

fn bare_words(found: &ArgMatches) -> impl Iterator<Item = &OsString> {
    found.get_many(BARE).into_iter().flatten()
}

/// Digits, with a colon in front or without.
fn is_number(word: &OsString) -> bool {
    let word = word.as_encoded_bytes();
    let word = word.strip_prefix(b":").unwrap_or(word);
    !word.is_empty() && word.iter().all(u8::is_ascii_digit)
}

/// The table, as clap needs it.
fn command() -> Command {
    Command::new("pws")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Serve a folder over HTTP")
        .override_usage("pws [OPTIONS] [PATH] [PORT]")
        .max_term_width(80)
        // Their rows stand in the table.
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(OPTIONS.iter().enumerate().map(|(place, row)| arg(row).display_order(place)))
}

fn arg(row: &Row) -> Arg {
    let arg = Arg::new(row.name)
        .help_heading(row.group)
        .help(help(row))
        .long((row.name != BARE).then_some(row.name))
        .short(row.short)
        .value_name(row.value)
        .action(if row.separator.is_some() { ArgAction::Append } else { ArgAction::Set })
        .value_delimiter(row.separator)
        .env(variables::of(row));
    let arg = match row.otherwise {
        Otherwise::Value(text) => arg.default_value(text),
        Otherwise::Nothing | Otherwise::Words(_) => arg,
    };
    let arg = match row.alone {
        Some(text) => arg.num_args(0..=1).require_equals(true).default_missing_value(text),
        None => arg,
    };
    match row.put {
        Put::Flag(_) => arg.action(ArgAction::SetTrue).value_parser(FalseyValueParser::new()),
        Put::Choice(_) | Put::Text(_) => arg,
        Put::Bare => arg.num_args(0..=2).value_names(["PATH", "PORT"]).value_parser(value_parser!(OsString)),
        Put::Path(_) => arg.value_parser(value_parser!(PathBuf)),
        Put::Help => arg.action(ArgAction::Help),
        Put::Version => arg.action(ArgAction::Version),
    }
}

fn help(row: &Row) -> String {
    match row.otherwise {
        Otherwise::Words(what) => format!("{} [default: {what}]", row.help),
        Otherwise::Nothing | Otherwise::Value(_) => row.help.to_owned(),
    }
}

/// Puts what was found of an option where it goes; returns a value that will not do, and why not.
fn put_found<'a>(row: &Row, found: &'a ArgMatches, to: &mut Settings) -> Result<(), (&'a str, String)> {
    match row.put {
        Put::Flag(put) if found.get_flag(row.name) => put(to),
        Put::Flag(_) | Put::Bare | Put::Help | Put::Version => (),
        Put::Choice(choices) => {
            let Some(typed) = found.get_one::<String>(row.name) else { return Ok(()) };
            let on_or_off = match typed.to_ascii_lowercase().as_str() {
                "1" | "true" | "yes" => "on",
                "0" | "false" | "no" => "off",
                _ => typed,
            };
            let is_meant = |name: &str| [typed, on_or_off].iter().any(|word| name.eq_ignore_ascii_case(word));
            let choice = choices.iter().find(|(name, _)| is_meant(name));
            let names = || choices.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
            let (_, put) = choice.ok_or_else(|| (typed.as_str(), format!("it may be {}", names())))?;
            put(to);
        }
        Put::Text(put) => {
            for text in found.get_many::<String>(row.name).into_iter().flatten() {
                put(to, text).map_err(|reason| (text.as_str(), reason))?;
            }
        }
        Put::Path(put) => {
            if let Some(path) = found.get_one::<PathBuf>(row.name) {
                put(to, path);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::os::unix::ffi::OsStringExt;

    use pws::net::guests::Guests;

    use super::*;

    /// What this test's machine grants.
    const GRANTED: Granted = Granted { bytes: 1 << 40, source: "a test" };

    fn typed(args: &[&str]) -> Settings {
        let args = ["pws"].iter().chain(args).map(OsString::from);
        read_from(args, GRANTED).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn the_table_is_whole() {
        command().debug_assert();
        let mut groups: Vec<&str> = OPTIONS.iter().map(|row| row.group).collect();
        groups.dedup();
        assert_eq!(groups.len(), groups.iter().collect::<BTreeSet<_>>().len(), "groups stand together");
        for row in OPTIONS {
            assert_eq!(matches!(row.put, Put::Help), row.name == "help", "{} goes nowhere", row.name);
            // Help does not list them.
            let choices = if let Put::Choice(choices) = row.put { choices } else { &[] };
            let is_told = |name: &str| row.help.contains(&format!("`{name}`"));
            assert!(choices.iter().all(|(name, _)| is_told(name)), "what {} can be", row.name);
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_library() {
        let settings = typed(&[]);
        let expected = Config {
            limits: Limits::within(GRANTED.bytes as usize),
            ..Config::new(settings.config.folder.clone())
        };
        assert_eq!(format!("{:?}", settings.config), format!("{expected:?}"));
        assert_eq!((settings.user, settings.sandbox), (None, Sandbox::default()));
        // This one is told in words.
        assert_eq!(Ok(settings.config.limits.cache_bytes_max), values::size("16M"));
    }

    #[test]
    fn one_limit_beats_what_follows_from_the_memory_in_any_order() {
        for args in [["--cache-size=1M", "--memory=8M"], ["--memory=8M", "--cache-size=1M"]] {
            let limits = typed(&args).config.limits;
            assert_eq!(limits.cache_bytes_max, 1 << 20);
            assert_eq!(limits.connections_max, Limits::within(8 << 20).connections_max);
        }
    }

    #[test]
    fn folder_and_port_stand_by_themselves_in_either_order() {
        for (args, folder, port) in [
            (&["site"][..], "site", 9000),
            (&["8080"], ".", 8080),
            (&["site", "8080"], "site", 8080),
            (&["8080", "site"], "site", 8080),
            (&["site", ":8080"], "site", 8080),
            (&["./8080"], "./8080", 9000),
            (&["-p", "80", "site"], "site", 80),
            (&["--port=80", "-d", "site"], "site", 80),
            (&["-d", "site", "8080"], "site", 8080),
            (&["--hidden", "site"], "site", 9000),
            (&["--hidden", "./site"], "./site", 9000),
            (&["--hidden", "1"], ".", 1),
            (&["--hidden", ".z*", "site"], "site", 9000),
            (&["--cors", "site"], "site", 9000),
            (&["--cors", "https://a.example", "site"], "site", 9000),
        ] {
            let config = typed(args).config;
            let folder = if folder == "." { typed(&[]).config.folder } else { folder.into() };
            assert_eq!((config.folder, config.port), (folder, port), "{args:?}");
        }
        for (args, named) in [
            (&["80", "81"][..], "two ports were given, '80' and '81'"),
            (&["-p", "80", "81"], "two ports were given, '80' and '81'"),
            (&["a", "b"], "two folders were given, 'a' and 'b'"),
            (&["-d", "a", "b"], "two folders were given, 'a' and 'b'"),
            (&["65536"], "'65536' is no port: a number from 0 to 65535 is needed"),
            (&["--log-level", "verbose"], "it may be off, error, warn, info, debug, trace"),
            (&["--directry=a"], "--directory"),
        ] {
            let all = ["pws"].iter().chain(args).map(OsString::from);
            let error = read_from(all, GRANTED).expect_err("a wrong command line").to_string();
            assert!(error.contains(named), "{args:?}: {error}");
        }
    }

    #[test]
    fn whom_to_serve_is_said_in_the_order_of_the_words() {
        let expected = |said: &[(bool, &str)]| {
            let mut guests = Guests::default();
            said.iter().for_each(|(is_allowed, text)| guests.say(*is_allowed, text.parse().expect("CIDR")));
            guests
        };
        for (args, said) in [
            (&[][..], &[][..]),
            (&["--allow", "10.0.0.0/8"], &[(true, "10.0.0.0/8")]),
            (
                &["--deny=::1", "--allow=10.0.0.0/8,::1"],
                &[(false, "::1"), (true, "10.0.0.0/8"), (true, "::1")],
            ),
            (&["--allow=::1", "--deny=::2", "--allow=::3"], &[(true, "::1"), (false, "::2"), (true, "::3")]),
        ] {
            assert_eq!(typed(args).config.guests, expected(said), "{args:?}");
        }
    }

    #[test]
    fn an_option_that_may_stand_alone_takes_what_can_only_be_its_value() {
        let hidden = |args: &[&str]| typed(args).config.site.hidden;
        assert!(hidden(&[]).is_empty());
        assert_eq!(hidden(&["--hidden"]), [".*"]);
        assert_eq!(hidden(&["--hidden", "--no-listing"]), [".*"]);
        assert_eq!(hidden(&["--hidden", ".z*", "--hidden=.y,.x", "site"]), [".z*", ".y", ".x"]);
        assert_eq!(hidden(&["--hidden", "./site"]), [".*"]);
        assert_eq!(
            typed(&["--cors", "https://a.example"]).config.site.cors.as_deref(),
            Some("https://a.example")
        );
        assert_eq!(typed(&["--cors"]).config.site.cors.as_deref(), Some("*"));
        let all = ["pws", "--hidden=site"].map(OsString::from);
        let error = read_from(all, GRANTED).expect_err("no pattern").to_string();
        assert!(error.contains("a name that starts with a dot is needed"), "{error}");
    }

    #[test]
    fn a_folder_needs_no_utf8_and_a_choice_no_lower_case() {
        let folder = OsString::from_vec(b"/srv/\xff".to_vec());
        let args = ["pws".into(), "--directory".into(), folder.clone(), "--log-level=WARN".into()];
        let settings = read_from(args, GRANTED).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(settings.config.folder, folder);
        assert_eq!(settings.log_level, LevelFilter::Warn);
        for (word, is_on) in [("no", false), ("0", false), ("False", false), ("YES", true), ("1", true)] {
            assert_eq!(typed(&["--access-log", word]).config.access_log, is_on, "{word}");
        }
    }
}
