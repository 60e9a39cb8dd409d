//! What is said before pws serves: the list of options, and what is wrong with the words.

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use rustix::termios::tcgetwinsize;

use super::options::OPTIONS;
use super::row::{BARE, Otherwise, Row};
use super::variables;

const USAGE: &str = "Usage: pws [OPTIONS] [PATH] [PORT]";

/// Lines that are longer are hard to read.
const COLUMNS_MAX: usize = 80;
/// Where heads take more of a line than this, help stands below them.
const HEAD_PERCENT_MAX: usize = 40;
/// In front of a head, and behind the longest.
const GAP: &str = "  ";
/// In front of help below a head.
const BELOW_COLUMNS: usize = 10;

/// Why pws ends before it serves.
#[derive(Debug, PartialEq, Eq)]
pub enum Ending {
    /// The list of options was asked for.
    Help,
    Version,
    /// What cannot be made sense of, and why.
    Wrong(String),
}

impl Ending {
    /// Says it, and returns what to exit with. Whoever has stopped reading still gets the exit code.
    pub fn tell(&self) -> ExitCode {
        let text = self.text(columns());
        match self {
            Ending::Help | Ending::Version => {
                let _ = io::stdout().write_all(text.as_bytes());
                ExitCode::SUCCESS
            }
            Ending::Wrong(_) => {
                let _ = io::stderr().write_all(text.as_bytes());
                ExitCode::from(2)
            }
        }
    }

    pub fn text(&self, columns: usize) -> String {
        match self {
            Ending::Help => help(columns),
            Ending::Version => format!("pws {}\n", env!("CARGO_PKG_VERSION")),
            Ending::Wrong(what) => {
                format!("error: {what}\n\n{USAGE}\n\nFor more information, try '--help'.\n")
            }
        }
    }
}

/// How wide lines may be: as the terminal is, if there is one. What goes to a pager is read on one, too.
fn columns() -> usize {
    let by_terminal = tcgetwinsize(io::stdout()).or_else(|_| tcgetwinsize(io::stderr()));
    let by_terminal = by_terminal.ok().map(|size| usize::from(size.ws_col));
    let by_variable = || env::var("COLUMNS").ok()?.parse().ok();
    let columns = by_terminal.or_else(by_variable).filter(|columns| *columns > 0);
    columns.map_or(COLUMNS_MAX, |columns| columns.min(COLUMNS_MAX))
}

/// The list of options, group by group.
fn help(columns: usize) -> String {
    let mut text = format!("Serve a folder over HTTP\n\n{USAGE}\n");
    let mut heading = "";
    for group in OPTIONS.chunk_by(|row, next| row.group == next.group) {
        let heads = group.iter().map(head);
        let head_columns = heads.clone().map(|head| head.chars().count()).max().unwrap_or(0);
        let indent = GAP.len() + head_columns + GAP.len();
        let is_below = indent * 100 > columns * HEAD_PERCENT_MAX;
        for (row, head) in group.iter().zip(heads) {
            if row.group != heading {
                heading = row.group;
                text += &format!("\n{heading}:\n");
            }
            match is_below {
                true => text += &format!("{GAP}{head}\n{:BELOW_COLUMNS$}", ""),
                false => text += &format!("{GAP}{head:head_columns$}{GAP}"),
            }
            put_wrapped(&mut text, &told(row), if is_below { BELOW_COLUMNS } else { indent }, columns);
        }
    }
    text
}

/// How an option is typed; long names stand below each other.
fn head(row: &Row) -> String {
    match row.short {
        Some(short) => format!("-{short}, {row}"),
        None if row.name == BARE => row.to_string(),
        None => format!("    {row}"),
    }
}

/// What an option does, what holds without it, and its variable.
fn told(row: &Row) -> String {
    let mut text = row.help.to_owned();
    if let Otherwise::Value(default) | Otherwise::Words(default) = row.otherwise {
        text += &format!(" [default: {default}]");
    }
    if let Some(variable) = row.variable() {
        let value = variables::value(row).unwrap_or_default();
        text += &format!(" [env: {variable}={}]", value.to_string_lossy());
    }
    text
}

/// Puts the words of `told` behind `text`, which is at `indent`, and ends the line.
fn put_wrapped(text: &mut String, told: &str, indent: usize, columns: usize) {
    let mut column = indent;
    for word in told.split_whitespace() {
        let word_columns = word.chars().count();
        if column > indent && column + 1 + word_columns > columns {
            *text += &format!("\n{:indent$}", "");
            column = indent;
        } else if column > indent {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += word_columns;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_tells_of_every_option_with_its_default_and_its_variable_in_order() {
        let help = help(COLUMNS_MAX);
        assert!(
            help.starts_with(
                "Serve a folder over HTTP\n\nUsage: pws [OPTIONS] [PATH] [PORT]\n\nListening:\n"
            )
        );
        let mut rest = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for row in OPTIONS {
            let heading = rest.split_once(&format!("{}: ", row.group));
            rest = heading.map_or(rest.clone(), |(_, behind)| behind.to_owned());
            let (_, behind) = rest.split_once(head(row).trim_start()).expect("its head");
            let told = told(row).split_whitespace().collect::<Vec<_>>().join(" ");
            rest = behind.trim_start().strip_prefix(&told).expect("what is told of it").to_owned();
            let default = if let Otherwise::Value(default) = row.otherwise { default } else { "" };
            assert!(told.contains(default) && told.contains(&row.variable().unwrap_or_default()), "{told}");
        }
        assert_eq!(rest, "");
    }

    #[test]
    fn help_fits_the_terminal_down_to_a_narrow_one() {
        for columns in [60, 70, COLUMNS_MAX] {
            let help = help(columns);
            let long = help.lines().find(|line| line.chars().count() > columns);
            assert_eq!(long, None, "{columns}");
        }
        // A word that is longer than a line is not cut.
        assert!(help(1).contains("\n          https://ui.perfetto.dev\n"));
    }

    #[test]
    fn help_stands_behind_short_heads_and_below_long_ones() {
        let help = help(COLUMNS_MAX);
        for part in [
            "  -h, --help       Print this list\n  -V, --version    Print the version\n",
            "\n  [PATH] [PORT]      Folder to serve, or ",
            "\n      --symlinks <WHICH>    Symbolic links to follow: ",
            "\n                            inside the folder, ",
            "\n      --deny <CIDR>\n          Do not serve clients ",
        ] {
            assert!(help.contains(part), "{part:?} in\n{help}");
        }
    }
}
