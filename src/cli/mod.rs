//! The command line: what can be typed, and the [`Settings`] it stands for. Nothing else knows clap.
//!
//! [`options`] is the table, a row an option; [`values`] reads what is typed behind one. Here is the one loop
//! over the table that tells clap of it, and the one that puts what clap found where it goes.

mod options;
#[cfg(test)]
mod readme;
mod values;

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::{FalseyValueParser, PossibleValuesParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use log::LevelFilter;
use pws::Config;
use pws::limits::Limits;
use pws::process::confine::Sandbox;
use pws::process::resources::{self, Granted};

use options::{OPTIONS, Otherwise, Put, Row};

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
        let folder = if Path::new(DEFAULT_FOLDER).is_dir() { DEFAULT_FOLDER } else { "." };
        let mut config = Config::new(folder);
        config.site.indexes.clear();
        config.limits = Limits::within(usize::try_from(memory.bytes).unwrap_or(usize::MAX));
        Settings { config, user: None, sandbox: Sandbox::default(), log_level: LevelFilter::Info, memory }
    }
}

/// The folder served where none was asked for, if it exists; else the current one.
const DEFAULT_FOLDER: &str = "static";

fn read_from(args: impl IntoIterator<Item = OsString>, memory: Granted) -> Result<Settings, clap::Error> {
    let mut command = command();
    let usage = command.render_usage();
    let matches = command.try_get_matches_from_mut(args).map_err(|mut error| {
        error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
        error
    })?;
    let mut settings = Settings::unread(memory);
    for row in OPTIONS {
        put_found(row, &matches, &mut settings).map_err(|(value, reason)| {
            let arg = command.get_arguments().find(|arg| arg.get_id() == row.name);
            let shown = arg.map(Arg::to_string).unwrap_or_default();
            let text = format!("invalid value '{value}' for '{shown}': {reason}");
            command.error(ErrorKind::ValueValidation, text)
        })?;
    }
    Ok(settings)
}

/// The table, as clap needs it.
fn command() -> Command {
    Command::new("pws")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Serve a folder over HTTP")
        .max_term_width(100)
        // Their rows stand in the table.
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(OPTIONS.iter().enumerate().map(|(place, row)| arg(row).display_order(place)))
}

fn arg(row: &Row) -> Arg {
    let arg = Arg::new(row.name)
        .help_heading(row.group)
        .help(help(row))
        .long((!row.is_bare).then_some(row.name))
        .short(row.short)
        .value_name(row.value)
        .action(if row.separator.is_some() { ArgAction::Append } else { ArgAction::Set })
        .value_delimiter(row.separator)
        .env(variable(row));
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
        Put::Choice(choices) => {
            let names = PossibleValuesParser::new(choices.iter().map(|(name, _)| *name));
            arg.value_parser(names).ignore_case(true).hide_possible_values(true)
        }
        Put::Text(_) => arg,
        Put::Path(_) => arg.value_parser(value_parser!(PathBuf)),
        Put::Help => arg.action(ArgAction::Help),
        Put::Version => arg.action(ArgAction::Version),
    }
}

/// An empty variable is as good as none: that is how they are left out in files that list them all.
fn variable(row: &Row) -> Option<&'static str> {
    let name = row.variable()?;
    let is_empty = env::var_os(&name).is_some_and(|value| value.is_empty());
    // It lasts as long as the table does.
    (!is_empty).then(|| &*name.leak())
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
        Put::Flag(_) | Put::Help | Put::Version => (),
        Put::Choice(choices) => {
            let typed = found.get_one::<String>(row.name);
            let is_typed = |name: &str| typed.is_some_and(|typed| typed.eq_ignore_ascii_case(name));
            if let Some((_, put)) = choices.iter().find(|(name, _)| is_typed(name)) {
                put(to);
            }
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
    fn a_folder_needs_no_utf8_and_a_choice_no_lower_case() {
        let folder = OsString::from_vec(b"/srv/\xff".to_vec());
        let args = ["pws".into(), "--directory".into(), folder.clone(), "--log-level=WARN".into()];
        let settings = read_from(args, GRANTED).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(settings.config.folder, folder);
        assert_eq!(settings.log_level, LevelFilter::Warn);
    }
}
