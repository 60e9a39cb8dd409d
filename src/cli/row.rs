//! What a row of the table of options is made of.

use std::fmt::{self, Display};
use std::path::Path;

use super::Settings;

/// An option.
pub struct Row {
    /// The heading that it stands under. Rows of one group stand together.
    pub group: &'static str,
    /// As in `--name`, and in capitals behind `PWS_` in its variable.
    pub name: &'static str,
    pub short: Option<char>,
    /// What its value is called.
    pub value: Option<&'static str>,
    /// It may be repeated, or take several values at once, with this between them.
    pub separator: Option<char>,
    /// The value that it has alone. Any other stands behind an `=`, or behind a space if it can be no folder.
    pub alone: Option<&'static str>,
    pub otherwise: Otherwise,
    /// For `--help` and the README alike, without a full stop. What can be typed stands in backticks.
    pub help: &'static str,
    pub put: Put,
}

/// What holds where an option is not typed.
pub enum Otherwise {
    Nothing,
    /// As if this was typed.
    Value(&'static str),
    /// What no value says, in words.
    Words(&'static str),
}

pub type Set = fn(&mut Settings);

/// Where it goes.
pub enum Put {
    /// On or off: called if it is on.
    Flag(Set),
    /// One of these, in letters of either case.
    Choice(&'static [(&'static str, Set)]),
    /// Called for each value; says what is wrong with it.
    Text(fn(&mut Settings, &str) -> Result<(), String>),
    /// A path may be no UTF-8.
    Path(fn(&mut Settings, &Path)),
    /// Typed without a name: a folder, or a port.
    Bare,
    /// It prints the help and ends.
    Help,
    /// It prints the version and ends.
    Version,
}

impl Row {
    /// Its variable; what has no name and what ends at once has none.
    pub fn variable(&self) -> Option<String> {
        let name = || format!("PWS_{}", self.name.replace('-', "_").to_ascii_uppercase());
        (!matches!(self.put, Put::Bare | Put::Help | Put::Version)).then(name)
    }
}

/// As help and errors show it, without its short name.
impl Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row { name, value, .. } = self;
        match (value, self.alone) {
            (Some(value), _) if *name == BARE => formatter.write_str(value),
            (Some(value), Some(_)) => write!(formatter, "--{name}[=<{value}>]"),
            (Some(value), None) => write!(formatter, "--{name} <{value}>"),
            (None, _) => write!(formatter, "--{name}"),
        }
    }
}

/// What is typed without a name.
pub const BARE: &str = "bare";

/// What most rows have none of.
pub const ROW: Row = Row {
    group: "",
    name: "",
    short: None,
    value: None,
    separator: None,
    alone: None,
    otherwise: Otherwise::Nothing,
    help: "",
    put: Put::Help,
};
