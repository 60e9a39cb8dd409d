//! What comes back for which bytes: a table, one row a case, with the section of the RFC that settles it.
//!
//! A row is read like this:
//!
//! ```text
//! row("9112 §5.1", "a space before the colon", request!("GET /hello.txt", "X : a")).status(400).closes()
//!     RFC, section  what is sent, in words     the bytes that are sent             what    what becomes
//!                                                                                  comes   of the
//!                                                                                  back    connection
//! ```
//!
//! - A row without `closes` leaves the connection ready for the next request.
//! - `others` are statuses that the RFC allows as well, and other servers may choose. pws must not.
//! - `pws_field`, `pws_without` and `pws_closes` are choices of pws that others need not make.
//! - Several answers in a row (`head`: one to HEAD) are those to requests sent in a row.
//!
//! The tests below put each row to pws in memory, in every way its bytes can come and go. To put the same rows
//! to any server, have it serve a folder that the test has filled:
//!
//! ```sh
//! export PWS_CONFORMANCE_SITE=/tmp/site PWS_CONFORMANCE_AT=127.0.0.1:9000
//! cargo test --test suite -- --ignored --nocapture conformance_of_a_server
//! ```

mod chunks;
mod expect;
mod fields;
mod framing;
mod in_memory;
mod judge;
mod limits;
mod methods;
mod over_tcp;
mod paths;
mod persistence;
mod preconditions;
mod ranges;
pub mod received;
mod request_line;
mod row;
mod site;
mod targets;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use pws::limits::Limits;
use pws_testing::memory::{End, exchange_within};

use over_tcp::Verdict;
use row::{Row, request};

const TABLE: &[(&str, &[Row])] = &[
    ("request line", request_line::REQUEST_LINE),
    ("versions", request_line::VERSIONS),
    ("origin form", targets::ORIGIN_FORM),
    ("absolute form", targets::ABSOLUTE_FORM),
    ("other forms", targets::OTHER_FORMS),
    ("escapes", paths::ESCAPES),
    ("paths", paths::PATHS),
    ("Location", paths::LOCATION),
    ("field lines", fields::FIELD_LINES),
    ("Host", fields::HOST),
    ("limits", limits::LIMITS),
    ("Content-Length", framing::CONTENT_LENGTH),
    ("Transfer-Encoding", framing::TRANSFER_ENCODING),
    ("chunks", chunks::CHUNKS),
    ("Expect", expect::EXPECT),
    ("methods", methods::METHODS),
    ("persistence", persistence::PERSISTENCE),
    ("pipelines", persistence::PIPELINES),
    ("If-Match", preconditions::IF_MATCH),
    ("If-Unmodified-Since", preconditions::IF_UNMODIFIED_SINCE),
    ("If-None-Match", preconditions::IF_NONE_MATCH),
    ("If-Modified-Since", preconditions::IF_MODIFIED_SINCE),
    ("order of preconditions", preconditions::ORDER),
    ("one range", ranges::ONE_RANGE),
    ("several ranges", ranges::SEVERAL_RANGES),
    ("unsatisfiable ranges", ranges::UNSATISFIABLE),
    ("ignored ranges", ranges::IGNORED),
    ("If-Range", ranges::IF_RANGE),
];

/// Fewer rows than this, and some have got lost.
const ROWS_MIN: usize = 300;

fn rows() -> impl Iterator<Item = (&'static str, &'static Row)> {
    TABLE.iter().flat_map(|(group, rows)| rows.iter().map(|row| (*group, row)))
}

/// Panics with everything that is wrong with any row.
#[track_caller]
fn assert_none(failures: Vec<String>) {
    assert!(failures.is_empty(), "{} rows failed:\n\n{}\n", failures.len(), failures.join("\n\n"));
}

fn failure(group: &str, row: &Row, sent: &[u8], complaints: &[String]) -> String {
    let shown = String::from_utf8_lossy(&sent[..sent.len().min(300)]).into_owned();
    let Row { section, name, .. } = row;
    format!("{group}: {name} (RFC {section})\n  sent {shown:?}\n  {}", complaints.join("\n  "))
}

#[test]
fn the_table_is_whole() {
    let names: BTreeSet<(&str, &str)> = rows().map(|(group, row)| (group, row.name)).collect();
    assert_eq!(names.len(), rows().count(), "two rows of a group have one name");
    assert!(names.len() >= ROWS_MIN, "{} rows", names.len());
    for (group, row) in rows() {
        let has_section = row.section.split_once(" §").is_some_and(|(rfc, _)| rfc.parse::<u16>().is_ok());
        assert!(has_section && row.answers().next().is_some(), "{group}: {}", row.name);
    }
}

#[test]
fn every_row_is_kept() {
    let folder = site::folder();
    let peer = in_memory::peer(&folder);
    let failures = rows().filter_map(|(group, row)| {
        let complaints = match in_memory::answers_to(row, &folder, &peer) {
            Ok((bytes, is_closed)) => judge::judge(row, &peer, &bytes, is_closed),
            Err(complaint) => vec![complaint],
        };
        (!complaints.is_empty()).then(|| failure(group, row, row.sends, &complaints))
    });
    assert_none(failures.collect());
}

/// An open connection answers the request behind a row; a closed one answers nothing that is behind it, whoever
/// may have meant it for a request.
#[test]
fn what_follows_a_row_is_answered_if_the_connection_is_open() {
    let folder = site::folder();
    let peer = in_memory::peer(&folder);
    let next = request!("GET /hello.txt");
    let (next_answer, _) = in_memory::say(&folder, &[next], usize::MAX);
    let failures = rows().filter_map(|(group, row)| {
        let [sends, then] = [row.sends, row.then].map(|bytes| peer.fill(bytes).expect("validators"));
        let (alone, is_closed) = in_memory::say(&folder, &[&sends, &then], usize::MAX);
        let expected = if is_closed { alone } else { [&alone[..], &next_answer].concat() };
        let at_once = match then.is_empty() {
            true => in_memory::say(&folder, &[&[&sends[..], next].concat()], usize::MAX),
            false => in_memory::say(&folder, &[&sends, &[&then[..], next].concat()], usize::MAX),
        };
        let later = in_memory::say(&folder, &[&sends, &then, next], usize::MAX);
        let wrong = [at_once, later].into_iter().find(|(got, _)| *got != expected)?;
        let complaint = format!("got {:?}", String::from_utf8_lossy(&wrong.0));
        Some(failure(group, row, &sends, &[complaint]))
    });
    assert_none(failures.collect());
}

/// Every row with a GET, put as a HEAD. Only ranges are for GET alone.
#[test]
fn head_gets_the_head_of_get() {
    let folder = site::folder();
    let peer = in_memory::peer(&folder);
    let mut count = 0;
    let mut failures = Vec::new();
    for (group, row) in rows().filter(|(_, row)| row.answers().count() == 1 && row.then.is_empty()) {
        let get = peer.fill(row.sends).expect("validators");
        let Some(behind_method) = get.strip_prefix(b"GET ") else { continue };
        // A head at its bound would be past it with the longer method.
        let is_at_bound = group == "limits";
        if get.windows(7).any(|window| window == b"Range: ") || row.interim_may_come || is_at_bound {
            continue;
        }
        count += 1;
        let head = [b"HEAD ", behind_method].concat();
        let [got, expected] = [(&head, true), (&get, false)].map(|(sends, is_to_head)| {
            let (bytes, is_closed) = in_memory::say(&folder, &[sends], usize::MAX);
            let answers = received::answers(&bytes, &[is_to_head], is_closed);
            answers.map(|answers| answers.into_iter().map(|answer| (answer.status, answer.fields)).collect())
        });
        let got: Result<Vec<_>, String> = got;
        if got != expected {
            failures.push(failure(group, row, &head, &[format!("got {got:?}"), format!("GET {expected:?}")]));
        }
    }
    assert!(count > 150, "{count} rows with a GET");
    assert_none(failures);
}

/// The bound is on everything: content, chunk extensions, trailer fields.
#[test]
fn a_body_past_the_bound_is_answered_and_the_connection_closed() {
    let folder = site::folder();
    let limits = Limits { body_bytes_max: 1000, ..Limits::default() };
    let chunked = |body: String| format!("Transfer-Encoding: chunked\r\n\r\n{body}");
    let length = |length: usize| format!("Content-Length: {length}\r\n\r\n{}", "a".repeat(length));
    for (fields_and_body, is_open) in [
        (length(1000), true),
        (length(1001), false),
        (chunked(format!("3DC\r\n{}\r\n0\r\n\r\n", "a".repeat(988))), true),
        (chunked(format!("3DD\r\n{}\r\n0\r\n\r\n", "a".repeat(989))), false),
        (chunked(format!("{}0\r\n\r\n", "1\r\na\r\n".repeat(165))), true),
        (chunked(format!("{}0\r\n\r\n", "1\r\na\r\n".repeat(166))), false),
        (chunked(format!("0;{}\r\n\r\n", "a".repeat(994))), true),
        (chunked(format!("0;{}\r\n\r\n", "a".repeat(995))), false),
        (chunked(format!("0\r\nA: {}\r\n\r\n", "a".repeat(990))), true),
        (chunked(format!("0\r\nA: {}\r\n\r\n", "a".repeat(991))), false),
        (chunked(format!("{}0\r\n\r\n", "0".repeat(995))), true),
        (chunked(format!("{}0\r\n\r\n", "0".repeat(996))), false),
        // 2^64 + 5 is not 5.
        (chunked(format!("10000000000000005\r\n12345\r\n0\r\n\r\n{}", "a".repeat(1000))), false),
    ] {
        let head = "GET /hello.txt HTTP/1.1\r\nHost: a\r\n";
        let input = format!("{head}{fields_and_body}{head}\r\n");
        let (bytes, end) = exchange_within(&folder, &limits, input.as_bytes());
        let answers = received::answers(&bytes, &[], end != End::Open).expect("answers");
        let last = answers.last().expect("an answer");
        let shown = &fields_and_body[..60];
        assert_eq!(
            (answers.len(), end),
            if is_open { (2, End::Open) } else { (1, End::Lingering) },
            "{shown:?}"
        );
        assert_eq!((last.status, last.has_element("connection", "close")), (200, !is_open), "{shown:?}");
    }
}

/// Judges the server at `PWS_CONFORMANCE_AT`, and tells; fails only if there is none.
#[test]
#[ignore = "needs a server: see the top of this file"]
fn conformance_of_a_server() {
    if let Some(folder) = std::env::var_os("PWS_CONFORMANCE_SITE") {
        site::write(Path::new(&folder));
        // A server may call the validators of a file weak that was written just now.
        std::thread::sleep(Duration::from_secs(5));
    }
    let address = std::env::var("PWS_CONFORMANCE_AT").expect("PWS_CONFORMANCE_AT=host:port");
    let peer = over_tcp::peer(&address);
    let (mut passed, mut tried) = (0, 0);
    // A row mostly waits to see whether the connection stays open: the groups wait side by side.
    let reports = std::thread::scope(|scope| {
        let (address, peer) = (&address, &peer);
        let threads: Vec<_> =
            TABLE.iter().map(|(_, rows)| scope.spawn(move || report(rows, address, peer))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a report")).collect::<Vec<_>>()
    });
    for ((group, _), verdicts) in TABLE.iter().zip(reports) {
        let of_group = verdicts.iter().filter(|(_, verdict)| !matches!(verdict, Verdict::Skipped)).count();
        let failed = verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Failed(_))).count();
        println!("{:>3} of {of_group:>3}  {group}", of_group - failed);
        for (row, verdict) in &verdicts {
            if let Verdict::Failed(complaints) = verdict {
                println!("            {} (RFC {}): {}", row.name, row.section, complaints.join("; "));
            }
        }
        passed += of_group - failed;
        tried += of_group;
    }
    println!("{passed:>3} of {tried:>3}  in all");
}

fn report(rows: &'static [Row], address: &str, peer: &judge::Peer) -> Vec<(&'static Row, Verdict)> {
    rows.iter().map(|row| (row, over_tcp::try_row(row, address, peer))).collect()
}
