//! House rules that the compiler does not know: read from the source as text.
//!
//! Each rule is a function from source files to complaints, and has a sample here that it must complain
//! about: a rule that never does would go unnoticed.

mod source;

use std::path::Path;

use source::Source;

/// The house, from the roof down. A file uses files in lower rows only: those of one row do not know each
/// other. A new file goes into a row above everything it uses and below all that use it; add one if need be.
const FLOORS: &[(&str, &[&str])] = &[
    ("7c", &["main.rs"]),
    ("7b", &["cli.rs"]),
    ("7a", &["lib.rs"]),
    ("6", &["server.rs"]),
    ("5c", &["connections.rs"]),
    ("5b", &["slot.rs", "acceptor.rs", "crowd.rs", "run_queue.rs"]),
    ("5a", &["connection.rs"]),
    ("4", &["session.rs"]),
    ("3e", &["site/mod.rs"]),
    ("3d", &["site/reply.rs", "site/search.rs"]),
    ("3c", &["site/fields.rs", "site/folder.rs"]),
    ("3b", &["site/visible.rs"]),
    ("3a", &["site/host.rs"]),
    ("2e", &["files/mod.rs"]),
    ("2d", &["files/cache.rs", "listing/mod.rs"]),
    ("2c", &["files/variant.rs", "files/folder.rs"]),
    ("2b", &["files/file.rs", "listing/html.rs", "listing/json.rs", "listing/order.rs"]),
    ("2a", &["outbox.rs", "files/mime.rs", "listing/entry.rs", "listing/query.rs"]),
    ("1m", &["files/file_slice.rs"]),
    ("1l", &["files/open_file.rs"]),
    ("1k", &["files/root.rs"]),
    ("1j", &["rules/mod.rs"]),
    ("1i", &["rules/redirects.rs", "rules/headers.rs"]),
    ("1h", &["rules/destination.rs", "rules/parameters.rs"]),
    ("1g", &["rules/template.rs", "rules/index.rs"]),
    ("1f", &["rules/pattern.rs"]),
    ("1e", &["rules/text.rs"]),
    ("1d", &["http/mod.rs", "net/mod.rs"]),
    ("1c", &["http/body.rs", "http/conditional.rs", "http/negotiate.rs", "access_log.rs"]),
    ("1b", &["http/request.rs"]),
    ("1a", &["http/head.rs", "http/range.rs", "http/target.rs"]),
    (
        "1a",
        &[
            "net/listener.rs",
            "net/socket.rs",
            "stop.rs",
            "confine.rs",
            "input.rs",
            "config.rs",
            "files/page_cache.rs",
        ],
    ),
    ("0b", &["clock.rs"]),
    ("0a", &["http/bytes.rs", "http/date.rs", "http/method.rs", "http/status.rs", "limits.rs"]),
];

const FUNCTION_LINES_MAX: usize = 70;
const LINE_CHARS_MAX: usize = 110;
const FILE_LINES_MAX: usize = 400;

/// What has no place in code that must not panic, hides a warning, or is not finished.
const FORBIDDEN_CODE: [&str; 9] = [
    ".unwrap()",
    ".expect(",
    "todo!",
    "unimplemented!",
    "#[allow",
    "#![allow",
    "static mut",
    "unsafe ",
    "unsafe{",
];
const FORBIDDEN_ANYWHERE: [&str; 2] = ["TODO", "FIXME"];

/// The only file that reads a clock, and how it is read.
const CLOCK_FILE: &str = "clock.rs";
const CLOCK_READINGS: [&str; 2] = ["Instant::now", "SystemTime::now"];

type Rule = fn(&[Source]) -> Vec<String>;

/// Where `name` stands in [`FLOORS`], and what that floor is called.
fn floor_of(name: &str) -> Option<(usize, &'static str)> {
    let index = FLOORS.iter().position(|(_, files)| files.contains(&name))?;
    Some((index, FLOORS[index].0))
}

fn every_file_has_a_floor(sources: &[Source]) -> Vec<String> {
    let listed = FLOORS.iter().flat_map(|(_, files)| files.iter());
    let gone = listed.filter(|name| !sources.iter().any(|source| source.name == **name));
    let gone = gone.map(|name| format!("{name} is gone: take it out of FLOORS in tests/suite/tidy.rs"));
    let new = sources.iter().filter(|source| floor_of(&source.name).is_none());
    let new =
        new.map(|source| format!("{} has no floor: add it to FLOORS in tests/suite/tidy.rs", source.name));
    new.chain(gone).collect()
}

fn uses_lead_downwards(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        for used in source.used_files(sources) {
            // A file without a floor is another rule's business.
            let (Some((from, from_name)), Some((to, to_name))) = (floor_of(&source.name), floor_of(&used))
            else {
                continue;
            };
            if to <= from {
                let name = &source.name;
                complaints.push(format!("{name} (floor {from_name}) uses {used} (floor {to_name})"));
            }
        }
    }
    complaints
}

/// Complains about each line that `is_wrong`, as it is and as code: without comments, literals and tests.
fn wrong_lines(sources: &[Source], is_wrong: impl Fn(&Source, &str, &str) -> Option<String>) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        for (index, (line, code)) in source.text.lines().zip(source.code.lines()).enumerate() {
            if let Some(what) = is_wrong(source, line, code) {
                complaints.push(format!("{}:{}: {what}", source.name, index + 1));
            }
        }
    }
    complaints
}

fn nothing_forbidden(sources: &[Source]) -> Vec<String> {
    wrong_lines(sources, |_, line, code| {
        let in_code = FORBIDDEN_CODE.iter().find(|word| code.contains(**word));
        let found = in_code.or_else(|| FORBIDDEN_ANYWHERE.iter().find(|word| line.contains(**word)));
        found.map(|word| format!("{word} is forbidden"))
    })
}

fn lines_are_short(sources: &[Source]) -> Vec<String> {
    wrong_lines(sources, |_, line, _| {
        let chars = line.chars().count();
        (chars > LINE_CHARS_MAX).then(|| format!("{chars} characters, {LINE_CHARS_MAX} are allowed"))
    })
}

fn one_file_reads_the_clock(sources: &[Source]) -> Vec<String> {
    wrong_lines(sources, |source, _, code| {
        let found = CLOCK_READINGS.iter().find(|reading| code.contains(**reading));
        found.filter(|_| source.name != CLOCK_FILE).map(|reading| format!("{reading} outside {CLOCK_FILE}"))
    })
}

fn functions_fit_a_screen(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        for function in source.functions() {
            if function.line_count > FUNCTION_LINES_MAX {
                let source::Function { name, line, line_count } = function;
                complaints.push(format!("{}:{line}: {name} has {line_count} lines", source.name));
            }
        }
    }
    complaints
}

fn files_are_short(sources: &[Source]) -> Vec<String> {
    let long = sources.iter().filter(|source| source.line_count() > FILE_LINES_MAX);
    long.map(|source| format!("{} has {} lines without its tests", source.name, source.line_count()))
        .collect()
}

fn files_say_what_they_are_for(sources: &[Source]) -> Vec<String> {
    let silent = sources.iter().filter(|source| !source.text.starts_with("//! "));
    silent.map(|source| format!("{} does not start with `//! `", source.name)).collect()
}

/// Asserts that the source keeps to `rule`.
fn assert_kept(rule: Rule) {
    let sources = Source::all_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(sources.len() > 10, "the source was not found");
    let complaints = rule(&sources);
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// Asserts that `rule` complains about `text` in a file called `name`, if and only if `is_wrong`.
fn assert_judged(rule: Rule, name: &str, text: &str, is_wrong: bool) {
    // The house as it is listed, every other file empty.
    let files = FLOORS.iter().flat_map(|(_, files)| files.iter()).filter(|file| **file != name);
    let mut sources: Vec<Source> = files.map(|file| Source::new(file, "//! Empty.")).collect();
    sources.push(Source::new(name, text));
    let complaints = rule(&sources);
    assert_eq!(!complaints.is_empty(), is_wrong, "{name}: {text}\n{complaints:?}");
}

#[test]
fn every_file_of_the_source_has_a_floor() {
    assert_kept(every_file_has_a_floor);
    assert_judged(every_file_has_a_floor, "new.rs", "", true);
    let complaints = every_file_has_a_floor(&[Source::new("main.rs", "")]);
    assert!(complaints.iter().any(|complaint| complaint.contains("cli.rs is gone")));
}

#[test]
fn every_use_leads_to_a_lower_floor() {
    assert_kept(uses_lead_downwards);
    for (name, text, is_wrong) in [
        ("site/mod.rs", "use crate::outbox::Outbox;", false),
        ("site/mod.rs", "use crate::session::Session;", true),
        ("site/mod.rs", "use crate::{clock::{self, Now}, files::{mime, root::Root}};", false),
        ("site/mod.rs", "use crate::{clock::{self, Now}, session::{Turn, Want}};", true),
        ("site/mod.rs", "use crate::{clock as server, files as session};", false),
        ("site/mod.rs", "fn a() { crate::server::b() }", true),
        ("site/mod.rs", "use crate::Config;", true),
        ("site/mod.rs", "// use crate::session::Session;\n\"crate::server::b\"", false),
        ("site/mod.rs", "#[cfg(test)]\nmod tests { use crate::session::Session; }", false),
        ("site/mod.rs", "use crate::session::Session;", true),
        ("site/mod.rs", "use crate::http::request::Request as R;\nuse self::search::X;", false),
        ("files/root.rs", "use super::mime::X;", true),
        ("http/request.rs", "use super::target::{self, Target};", false),
        ("http/request.rs", "use super::super::session::Session;", true),
        ("http/target.rs", "use super::request::Method;", true),
        ("http/target.rs", "use super::Thing;", true),
        ("http/target.rs", "pub(super) fn a() {}\npub(crate) fn b<T: std::fmt::Debug>() {}", false),
        ("lib.rs", "pub mod server;\npub use server::Server;", false),
        ("main.rs", "mod cli;\nuse pws::Server;\nfn main() { cli::Cli::parse() }", false),
        ("cli.rs", "use pws::{Config, limits};", false),
        ("cli.rs", "use crate::run;", true),
    ] {
        assert_judged(uses_lead_downwards, name, text, is_wrong);
    }
}

#[test]
fn nothing_forbidden_is_in_the_source() {
    assert_kept(nothing_forbidden);
    for (text, is_wrong) in [
        ("fn a() { b().unwrap() }", true),
        ("fn a() { b().expect(\"c\") }", true),
        ("fn a() { todo!() }", true),
        ("fn a() { unimplemented!() }", true),
        ("#[allow(dead_code)]", true),
        ("#![allow(dead_code)]", true),
        ("static mut A: u8 = 0;", true),
        ("fn a() { unsafe { b() } }", true),
        ("unsafe fn a() {}", true),
        ("// TODO", true),
        ("// FIXME", true),
        ("#![forbid(unsafe_code)]", false),
        ("fn a() { b().unwrap_or(1) } // no .unwrap() here", false),
        ("const A: &str = r#\" \"unsafe { \"#;", false),
        ("#[cfg(test)]\nmod tests {\n    fn a() { b('}', \"}\").unwrap() }\n}", false),
        ("#[cfg(test)]\nmod tests {\n    fn a() {}\n}\nfn b() { c().unwrap() }", true),
    ] {
        assert_judged(nothing_forbidden, "site.rs", text, is_wrong);
    }
}

#[test]
fn every_line_of_the_source_is_short() {
    assert_kept(lines_are_short);
    assert_judged(lines_are_short, "site.rs", &"ü".repeat(LINE_CHARS_MAX), false);
    assert_judged(lines_are_short, "site.rs", &"ü".repeat(LINE_CHARS_MAX + 1), true);
}

#[test]
fn every_function_of_the_source_fits_a_screen() {
    assert_kept(functions_fit_a_screen);
    let function =
        |body_lines| format!("fn a<'a>(b: [u8; 2]) -> u8 {{\n{}}}\n", "    '{';\n".repeat(body_lines));
    for (body_lines, is_wrong) in [(FUNCTION_LINES_MAX - 2, false), (FUNCTION_LINES_MAX - 1, true)] {
        let text = format!("fn first() {{}}\n{}fn last() {{}}", function(body_lines));
        assert_judged(functions_fit_a_screen, "site.rs", &text, is_wrong);
    }
    let declaration = format!("trait A {{\n    fn a();\n{}\n}}", "\n".repeat(FUNCTION_LINES_MAX));
    assert_judged(functions_fit_a_screen, "site.rs", &declaration, false);
}

#[test]
fn every_file_of_the_source_is_short() {
    assert_kept(files_are_short);
    assert_judged(files_are_short, "site.rs", &"\n".repeat(FILE_LINES_MAX + 1), true);
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(1000));
    assert_judged(files_are_short, "site.rs", &format!("{}{tests}", "\n".repeat(FILE_LINES_MAX)), false);
}

#[test]
fn every_file_of_the_source_says_what_it_is_for() {
    assert_kept(files_say_what_they_are_for);
    assert_judged(files_say_what_they_are_for, "site.rs", "use std::io;\n//! Late.", true);
}

#[test]
fn one_file_of_the_source_reads_the_clock() {
    assert_kept(one_file_reads_the_clock);
    for reading in ["std::time::Instant::now()", "SystemTime::now()"] {
        assert_judged(one_file_reads_the_clock, "site.rs", reading, true);
        assert_judged(one_file_reads_the_clock, "clock.rs", reading, false);
    }
}
