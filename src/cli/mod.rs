//! The command line: what can be typed, and the [`Settings`] it stands for.
//!
//! [`options`] is the table, a [`row`] an option. [`words`] finds in it what was typed, [`variables`] says
//! which variable counts, and here is the loop that puts what was found where it goes; [`values`] reads it.
//! [`help`] tells of the table, and of what is wrong. [`preflight`] looks at the machine.

mod help;
mod options;
pub mod preflight;
#[cfg(test)]
mod readme;
mod row;
mod values;
mod variables;
mod words;

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use log::LevelFilter;
use pws::Config;
use pws::limits::Limits;
use pws::process::confine::Sandbox;
use pws::process::resources::{self, Granted};

use help::Ending;
use options::OPTIONS;
use row::{Put, Set};
use words::{Found, Given, Origin};

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
    /// Reads the command line and the variables. Where nothing is to be served by them, says why, and returns
    /// the exit code.
    pub fn read() -> Result<Settings, ExitCode> {
        read_from(env::args_os(), resources::memory_granted()).map_err(|ending| ending.tell())
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

fn read_from(words: impl IntoIterator<Item = OsString>, memory: Granted) -> Result<Settings, Ending> {
    let mut remarks = variables::remarks();
    let found = Found::of(words, &mut remarks)?;
    let mut settings = Settings::unread(memory);
    // A variable that a bare port stands for need not be one.
    let has_bare_port = found.bare.iter().any(is_number);
    let counts =
        |given: &&Given| !(has_bare_port && given.row.name == "port" && given.origin == Origin::Variable);
    for row in OPTIONS {
        for given in found.of_option(row.name).filter(counts) {
            put(given, &mut settings).map_err(|reason| {
                let value = given.value.to_string_lossy();
                let variable = row.variable().filter(|_| given.origin == Origin::Variable);
                let shown = variable.unwrap_or_else(|| row.to_string());
                Ending::Wrong(format!("invalid value '{value}' for '{shown}': {reason}"))
            })?;
        }
    }
    if found.origin("memory") == Some(Origin::Variable) {
        settings.memory.source = "PWS_MEMORY";
    }
    put_bare(&found, &mut settings).map_err(Ending::Wrong)?;
    put_guests(&found, &mut settings);
    settings.config.narrow_to_file();
    settings.remarks = remarks;
    Ok(settings)
}

/// Puts a value where it goes; returns why it will not do.
fn put(given: &Given, to: &mut Settings) -> Result<(), String> {
    let text = || given.value.to_str().ok_or_else(|| "UTF-8 is needed".to_owned());
    match given.row.put {
        Put::Flag(put) => put(to),
        Put::Choice(choices) => choice(choices, text()?)?(to),
        Put::Text(put) => put(to, text()?)?,
        Put::Path(_) if given.value.is_empty() => return Err("a path is needed".to_owned()),
        Put::Path(put) => put(to, Path::new(&given.value)),
        Put::Bare | Put::Help | Put::Version => (),
    }
    Ok(())
}

/// What is called for the choice that is meant by what was typed.
fn choice(choices: &[(&str, Set)], typed: &str) -> Result<Set, String> {
    let on_or_off = match typed.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" => "on",
        "0" | "false" | "no" => "off",
        _ => typed,
    };
    let is_meant = |name: &str| [typed, on_or_off].iter().any(|word| name.eq_ignore_ascii_case(word));
    let names = || choices.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let choice = choices.iter().find(|(name, _)| is_meant(name));
    choice.map(|(_, put)| *put).ok_or_else(|| format!("it may be {}", names()))
}

/// A folder and a port that are typed without a name, in either order.
fn put_bare(found: &Found, to: &mut Settings) -> Result<(), String> {
    let (mut has_port, mut has_folder) = (found.is_typed("port"), found.is_typed("directory"));
    for word in &found.bare {
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
fn put_guests(found: &Found, to: &mut Settings) {
    for given in found.all() {
        let network = given.value.to_str().and_then(|text| text.parse().ok());
        match (given.row.name, network) {
            ("allow", Some(network)) => to.config.guests.say(true, network),
            ("deny", Some(network)) => to.config.guests.say(false, network),
            _ => (),
        }
    }
}

/// Digits, with a colon in front or without.
fn is_number(word: &OsString) -> bool {
    let word = word.as_encoded_bytes();
    let word = word.strip_prefix(b":").unwrap_or(word);
    !word.is_empty() && word.iter().all(u8::is_ascii_digit)
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
        read_from(args, GRANTED).unwrap_or_else(|ending| panic!("{ending:?}"))
    }

    #[test]
    fn the_table_is_whole() {
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
            let error = read_from(all, GRANTED).expect_err("a wrong command line").text(80);
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
        let error = read_from(all, GRANTED).expect_err("no pattern").text(80);
        assert!(error.contains("a name that starts with a dot is needed"), "{error}");
    }

    #[test]
    fn a_folder_needs_no_utf8_and_a_choice_no_lower_case() {
        let folder = OsString::from_vec(b"/srv/\xff".to_vec());
        let args = ["pws".into(), "--directory".into(), folder.clone(), "--log-level=WARN".into()];
        let settings = read_from(args, GRANTED).unwrap_or_else(|ending| panic!("{ending:?}"));
        assert_eq!(settings.config.folder, folder);
        assert_eq!(settings.log_level, LevelFilter::Warn);
        for (word, is_on) in [("no", false), ("0", false), ("False", false), ("YES", true), ("1", true)] {
            assert_eq!(typed(&["--access-log", word]).config.access_log, is_on, "{word}");
        }
    }
}
