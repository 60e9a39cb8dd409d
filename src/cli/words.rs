//! From words and variables to what was found of each option: what is typed beats a variable, and that beats
//! the default. What a value means is not asked here.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use lexopt::{Arg, Parser};
use pws::process::resources::Granted;

use super::Settings;
use super::help::Ending;
use super::options::OPTIONS;
use super::row::{BARE, Otherwise, Put, Row};
use super::variables;

/// A folder and a port.
const BARE_MAX: usize = 2;
/// How alike two names are, of 1, if one may be meant by the other.
const ALIKE_MIN: f64 = 0.7;

/// What was found of all options, typed ones first and as they were typed.
#[derive(Default)]
pub struct Found {
    given: Vec<Given>,
    /// What was typed without a name.
    pub bare: Vec<OsString>,
}

/// A value of an option; an empty one of a flag that is on. Of several with commas, one.
pub struct Given {
    pub row: &'static Row,
    pub origin: Origin,
    pub value: OsString,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Typed,
    Variable,
    Default,
}

impl Found {
    /// Goes through `words`, the name of the program first. That one could mean something else as well is
    /// remarked on.
    pub fn of(words: impl IntoIterator<Item = OsString>, remarks: &mut Vec<String>) -> Result<Found, Ending> {
        let mut found = Found::default();
        let mut parser = Parser::from_iter(words);
        while let Some(arg) = parser.next().map_err(|error| Ending::Wrong(error.to_string()))? {
            let row = match arg {
                Arg::Short(short) => row_of(|row| row.short == Some(short), &format!("-{short}"))?,
                Arg::Long(name) => row_of(|row| row.name == name && name != BARE, &format!("--{name}"))?,
                Arg::Value(word) => {
                    found.add_bare(word)?;
                    continue;
                }
            };
            if row.separator.is_none() && found.is_typed(row.name) {
                return Err(Ending::Wrong(format!("the argument '{row}' cannot be used multiple times")));
            }
            let value = match row.put {
                Put::Help => return Err(Ending::Help),
                Put::Version => return Err(Ending::Version),
                Put::Flag(_) | Put::Bare => OsString::new(),
                Put::Choice(_) | Put::Text(_) | Put::Path(_) => value(row, &mut parser, remarks)?,
            };
            found.add(row, Origin::Typed, value);
        }
        found.add_untyped();
        Ok(found)
    }

    pub fn all(&self) -> impl Iterator<Item = &Given> {
        self.given.iter()
    }

    pub fn of_option(&self, name: &str) -> impl Iterator<Item = &Given> {
        self.all().filter(move |given| given.row.name == name)
    }

    pub fn origin(&self, name: &str) -> Option<Origin> {
        self.of_option(name).next().map(|given| given.origin)
    }

    pub fn is_typed(&self, name: &str) -> bool {
        self.origin(name) == Some(Origin::Typed)
    }

    fn add_bare(&mut self, word: OsString) -> Result<(), Ending> {
        if self.bare.len() == BARE_MAX {
            let word = word.to_string_lossy();
            return Err(Ending::Wrong(format!(
                "unexpected argument '{word}': a folder and a port are enough"
            )));
        }
        self.bare.push(word);
        Ok(())
    }

    fn add(&mut self, row: &'static Row, origin: Origin, value: OsString) {
        match row.separator.zip(value.to_str()) {
            Some((separator, text)) => {
                let values = text.split(separator).map(OsString::from);
                self.given.extend(values.map(|value| Given { row, origin, value }));
            }
            None => self.given.push(Given { row, origin, value }),
        }
    }

    /// What variables and defaults say of options that were not typed.
    fn add_untyped(&mut self) {
        for row in OPTIONS {
            let is_flag = matches!(row.put, Put::Flag(_));
            if self.is_typed(row.name) {
                continue;
            } else if let Some(value) = variables::value(row) {
                if !(is_flag && is_off(&value)) {
                    self.add(row, Origin::Variable, value);
                }
            } else if let Otherwise::Value(text) = row.otherwise {
                self.add(row, Origin::Default, text.into());
            }
        }
    }
}

/// The row that fits; `shown` is what was typed.
fn row_of(fits: impl Fn(&Row) -> bool, shown: &str) -> Result<&'static Row, Ending> {
    OPTIONS.iter().find(|row| fits(row)).ok_or_else(|| {
        let alike = |row: &'static Row| (strsim::jaro(shown.trim_start_matches('-'), row.name), row);
        let named = OPTIONS.iter().filter(|row| row.name != BARE && shown.starts_with("--"));
        let most_alike = named.map(alike).max_by(|(a, _), (b, _)| a.total_cmp(b));
        let tip = match most_alike.filter(|(alike, _)| *alike > ALIKE_MIN) {
            Some((_, row)) => format!("a similar option exists: '--{}'", row.name),
            None => format!("a folder of that name is './{shown}'"),
        };
        Ending::Wrong(format!("unexpected argument '{shown}' found\n\n  tip: {tip}"))
    })
}

/// The value behind an option, joined to it or not. Behind one that may stand alone, a word is its value if
/// it can be: `--hidden .z*` is `--hidden=.z*`, and `--hidden site` serves a folder.
fn value(row: &Row, parser: &mut Parser, remarks: &mut Vec<String>) -> Result<OsString, Ending> {
    let Some(alone) = row.alone else {
        let value = parser.values().ok().and_then(|mut values| values.next());
        let missing = || Ending::Wrong(format!("a value is required for '{row}' but none was supplied"));
        return value.ok_or_else(missing);
    };
    if let Some(joined) = parser.optional_value() {
        return Ok(joined);
    }
    let next = parser.raw_args().ok().and_then(|mut words| words.next_if(|word| takes(row, word)));
    if let Some(word) = next.as_ref().filter(|word| Path::new(word).is_dir()) {
        let (name, word) = (row.name, word.to_string_lossy());
        remarks.push(format!("{word} counts as the value of --{name} (try './{word}' for the folder)"));
    }
    Ok(next.unwrap_or_else(|| alone.into()))
}

/// Whether `word` can be a value of this option. A number is a port.
fn takes(row: &Row, word: &OsStr) -> bool {
    let (Put::Text(put), Some(word)) = (&row.put, word.to_str()) else { return false };
    let mut nowhere = Settings::unread(Granted { bytes: 0, source: "" });
    word.parse::<u64>().is_err() && put(&mut nowhere, word).is_ok()
}

/// What a variable says of a flag that is not on.
fn is_off(value: &OsStr) -> bool {
    ["0", "f", "false", "n", "no", "off"].iter().any(|off| value.eq_ignore_ascii_case(off))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(words: &[&str]) -> Result<Found, Ending> {
        Found::of(["pws"].iter().chain(words).map(OsString::from), &mut Vec::new())
    }

    /// What was typed: each option's name with its value, then what has no name.
    fn typed(words: &[&str]) -> Vec<String> {
        let found = find(words).unwrap_or_else(|ending| panic!("{words:?}: {ending:?}"));
        let typed = found.all().filter(|given| given.origin == Origin::Typed);
        let named = typed.map(|given| format!("{}={}", given.row.name, given.value.display()));
        named.chain(found.bare.iter().map(|word| word.display().to_string())).collect()
    }

    #[test]
    fn an_option_and_its_value_are_found_however_they_are_typed() {
        for (words, expected) in [
            (&["-p80"][..], &["port=80"][..]),
            (&["-p", "80"], &["port=80"]),
            (&["-p=80"], &["port=80"]),
            (&["--port=80"], &["port=80"]),
            (&["--port", "80"], &["port=80"]),
            (&["--port="], &["port="]),
            (&["--directory=-x", "--fallback", "-"], &["directory=-x", "fallback=-"]),
            (&["--no-listing", "a"], &["no-listing=", "a"]),
            (&["--bind", "a,b", "-bc", "-b=d"], &["bind=a", "bind=b", "bind=c", "bind=d"]),
            (&["--index=a,,b"], &["index=a", "index=", "index=b"]),
            (&["--fallback=a,b"], &["fallback=a,b"]),
            (&["--header", "A: b, c\nD: e"], &["header=A: b, c", "header=D: e"]),
            (&["--hidden", ".a", "--cors", "b"], &["hidden=.a", "cors=*", "b"]),
            (&["--", "--port", "-p"], &["--port", "-p"]),
            (&["a", "--", "-"], &["a", "-"]),
            (&["--", "--hidden", ".a"], &["--hidden", ".a"]),
        ] {
            assert_eq!(typed(words), expected, "{words:?}");
        }
    }

    #[test]
    fn what_ends_at_once_ends_at_once() {
        for (words, expected) in [
            (&["-h"][..], Ending::Help),
            (&["--help", "--nonsense"], Ending::Help),
            (&["-hV"], Ending::Help),
            (&["-Vh"], Ending::Version),
            (&["a", "b", "--version"], Ending::Version),
        ] {
            assert_eq!(find(words).err(), Some(expected), "{words:?}");
        }
    }

    #[test]
    fn what_cannot_be_made_sense_of_is_told_with_what_may_be_meant() {
        for (words, expected) in [
            (
                &["--directry=a"][..],
                "unexpected argument '--directry' found\n\n  tip: a similar option exists: '--directory'",
            ),
            (&["--no-listings"], "'--no-listing'"),
            (&["--log", "info"], "'--log-level'"),
            (&["--bare"], "unexpected argument '--bare' found"),
            (&["--zzz=1"], "unexpected argument '--zzz' found\n\n  tip: a folder of that name is './--zzz'"),
            (&["-x"], "unexpected argument '-x' found\n\n  tip: a folder of that name is './-x'"),
            (&["-1"], "'-1'"),
            (&["-p"], "a value is required for '--port <PORT>' but none was supplied"),
            (&["--port", "--bind", "a"], "'--port <PORT>'"),
            (&["--directory", "--", "a"], "'--directory <DIR>'"),
            (&["--no-listing=x"], "unexpected argument for option '--no-listing': \"x\""),
            (&["-p1", "--port=1"], "the argument '--port <PORT>' cannot be used multiple times"),
            (&["--vhosts", "--vhosts"], "the argument '--vhosts' cannot be used multiple times"),
            (&["--cors", "--cors=*"], "the argument '--cors[=<ORIGIN>]' cannot be used multiple times"),
            (&["a", "1", "b"], "unexpected argument 'b': a folder and a port are enough"),
        ] {
            let Err(Ending::Wrong(told)) = find(words) else { panic!("{words:?} make sense") };
            assert!(told.contains(expected), "{words:?}: {told}");
        }
    }

    #[test]
    fn a_variable_says_no_to_a_flag_in_words_of_either_case() {
        assert!(["0", "f", "FALSE", "n", "No", "off"].iter().all(|word| is_off(OsStr::new(word))));
        assert!(["1", "t", "true", "y", "yes", "on", "2", " "].iter().all(|word| !is_off(OsStr::new(word))));
    }
}
