//! House rules that neither the compiler nor clippy knows, read from the source as text: which room uses
//! which, and how long things are. What clippy knows stands in `Cargo.toml` and `clippy.toml`.
//!
//! A rule is a function from a file to complaints, and has samples that it must complain about.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Each room with the rooms below it that it may use; `main`, `cli` and `lib` use all. A room is a folder of
/// `src`, or a file in it. Nothing calls upwards: a row names rooms of rows further down only.
const ROOMS: [(&str, &[&str]); 22] = [
    (
        "turn",
        &[
            "access_log",
            "client",
            "clock",
            "config",
            "http",
            "ledger",
            "limits",
            "metrics",
            "net",
            "notices",
            "outbox",
            "process",
            "responder",
            "site",
            "status",
            "timeline",
        ],
    ),
    (
        "client",
        &[
            "access_log",
            "clock",
            "http",
            "ledger",
            "limits",
            "metrics",
            "net",
            "notices",
            "outbox",
            "responder",
            "timeline",
        ],
    ),
    (
        "site",
        &[
            "clock",
            "config",
            "files",
            "http",
            "limits",
            "listing",
            "metrics",
            "notices",
            "outbox",
            "responder",
            "rules",
        ],
    ),
    ("status", &["clock", "http", "limits", "metrics", "notices", "outbox", "process", "responder"]),
    ("responder", &["clock", "http", "metrics", "notices", "outbox"]),
    ("access_log", &["clock", "http", "net", "outbox", "sink"]),
    ("outbox", &["files", "net"]),
    ("listing", &["date", "files", "http"]),
    ("rules", &["http"]),
    ("files", &["clock", "config", "http", "limits", "metrics"]),
    ("http", &["clock", "date", "limits"]),
    ("config", &["limits", "net"]),
    ("net", &["limits"]),
    ("process", &["sink"]),
    ("ledger", &["clock", "limits"]),
    ("metrics", &["limits", "notices"]),
    ("timeline", &["limits", "sink"]),
    ("notices", &["clock"]),
    ("clock", &["date"]),
    ("sink", &[]),
    ("limits", &[]),
    ("date", &[]),
];
/// What binds the rooms together.
const ROOFS: [&str; 3] = ["main", "cli", "lib"];

const LINE_CHARS_MAX: usize = 110;
const FILE_LINES_MAX: usize = 400;

/// A source file: its path below `src`, and its text.
struct Source<'a> {
    name: &'a str,
    text: &'a str,
}

impl Source<'_> {
    /// The folder below `src` that it lies in, or its own name.
    fn room(&self) -> &str {
        let first = self.name.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// Its lines without comments.
    fn code(&self) -> impl Iterator<Item = &str> {
        self.text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code))
    }

    /// The rooms that its code names: what stands behind `crate::`, or behind the crate's own name.
    fn used_rooms(&self) -> BTreeSet<&str> {
        let names = self.code().flat_map(|line| {
            let behind = line.match_indices("crate::").chain(line.match_indices("pws::"));
            behind.map(|(at, prefix)| &line[at + prefix.len()..])
        });
        let end = |rest: &str| rest.find(|char: char| !char.is_alphanumeric() && char != '_');
        names.map(|rest| &rest[..end(rest).unwrap_or(rest.len())]).collect()
    }
}

fn keeps_to_its_room(source: &Source) -> Vec<String> {
    let room = source.room();
    if ROOFS.contains(&room) {
        return Vec::new();
    }
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        return vec![format!("the room {room} has no row in ROOMS")];
    };
    let used = source.used_rooms().into_iter().filter(|used| *used != room);
    let wrong = used.filter(|used| !allowed.contains(used)).map(|used| format!("uses {used}"));
    // From a room's own file, `super` is the root; from any other, `super::super` is.
    let way_out = if source.name.ends_with("mod.rs") { "super::" } else { "super::super::" };
    let climbs = source.code().any(|line| line.contains(way_out) && !line.contains("use super::*"));
    wrong.chain(climbs.then(|| format!("leaves its room by {way_out}"))).collect()
}

fn says_what_it_is_for(source: &Source) -> Vec<String> {
    let is_silent = !source.text.starts_with("//! ");
    is_silent.then(|| "does not start with `//! `".to_owned()).into_iter().collect()
}

fn is_short(source: &Source) -> Vec<String> {
    let long = source.text.lines().filter(|line| line.chars().count() > LINE_CHARS_MAX);
    let mut wrong: Vec<String> = long.map(|line| format!("a line is too long: {line}")).collect();
    let count = source.text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
    if count > FILE_LINES_MAX {
        wrong.push(format!("has {count} lines without its tests, {FILE_LINES_MAX} are allowed"));
    }
    wrong
}

/// Asserts that all of `src` keeps to `rule`.
#[track_caller]
fn assert_kept(rule: fn(&Source) -> Vec<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut wrong = Vec::new();
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("UTF-8");
                let name = path.strip_prefix(&root).expect("a path below").to_str().expect("UTF-8");
                wrong.extend(rule(&Source { name, text: &text }).iter().map(|what| format!("{name} {what}")));
                count += 1;
            }
        }
    }
    assert!(count > 50, "the source was not found");
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// Asserts that `rule` complains about `text` in the file `name`, if and only if `is_wrong`.
#[track_caller]
fn assert_judged(rule: fn(&Source) -> Vec<String>, name: &str, text: &str, is_wrong: bool) {
    let complaints = rule(&Source { name, text });
    assert_eq!(!complaints.is_empty(), is_wrong, "{name}: {text}\n{complaints:?}");
}

#[test]
fn every_file_keeps_to_its_room() {
    assert_kept(keeps_to_its_room);
    for (name, text, is_wrong) in [
        ("http/head.rs", "use crate::clock::Now;\nuse super::status::Status;", false),
        ("http/head.rs", "use crate::net::socket::Socket;", true),
        ("http/head.rs", "// use crate::net::socket::Socket;", false),
        ("http/head.rs", "fn a() { crate::site::b() }", true),
        ("http/head.rs", "use super::super::net;", true),
        ("http/mod.rs", "use super::net;", true),
        ("http/mod.rs", "mod tests { use super::*; }", false),
        ("rules/mod.rs", "use crate::access_log::AccessLog;", true),
        ("cellar/mod.rs", "", true),
        ("main.rs", "use pws::turn::server::Server;", false),
    ] {
        assert_judged(keeps_to_its_room, name, text, is_wrong);
    }
}

#[test]
fn no_room_uses_one_above_it() {
    for (index, (room, used)) in ROOMS.iter().enumerate() {
        for used in *used {
            assert!(ROOMS[index + 1..].iter().any(|(below, _)| below == used), "{room} is not above {used}");
        }
    }
}

/// Whoever reads about the rooms reads what holds.
#[test]
fn the_architecture_tells_the_same_of_rooms() {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/ARCHITECTURE.md")).expect("the page");
    for (room, used) in ROOMS.iter().filter(|(room, _)| text.contains(&format!("\n| `{room}"))) {
        let row = text.lines().find(|line| line.starts_with(&format!("| `{room}"))).expect("a row");
        let cell = row.trim_end_matches('|').rsplit('|').next().expect("a cell");
        let told: BTreeSet<&str> = cell.split(['`', ' ']).filter(|word| !word.is_empty()).collect();
        // One row tells of several values.
        let is_shared = told.contains("nothing;");
        assert!(is_shared || told == used.iter().copied().collect(), "{room}: {told:?}, not {used:?}");
    }
    assert_eq!(text.matches("\n| `turn/`").count(), 1, "the table is there");
}

#[test]
fn every_file_says_what_it_is_for() {
    assert_kept(says_what_it_is_for);
    assert_judged(says_what_it_is_for, "http/head.rs", "use std::io;\n//! Late.", true);
}

#[test]
fn files_and_lines_are_short() {
    assert_kept(is_short);
    for (text, is_wrong) in [
        ("ü".repeat(LINE_CHARS_MAX), false),
        ("ü".repeat(LINE_CHARS_MAX + 1), true),
        ("\n".repeat(FILE_LINES_MAX + 1), true),
        (format!("{}#[cfg(test)]\n{}", "\n".repeat(FILE_LINES_MAX), "\n".repeat(1000)), false),
    ] {
        assert_judged(is_short, "http/head.rs", &text, is_wrong);
    }
}
