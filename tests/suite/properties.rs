//! What holds for any input: generated cases, cut down to the smallest that fails.

use std::collections::BTreeSet;
use std::fmt::{self, Debug};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use proptest::test_runner::{Config, TestCaseError, TestCaseResult, TestRunner};
use pws::config::SiteOptions;
use pws::http::target;
use pws::limits::Limits;
use pws_testing::answer::Answer;
use pws_testing::folder::{Folder, noise};
use pws_testing::memory::{End, MemoryServer};
use pws_testing::multipart::{content_range, parts};

use crate::conformance::received;

const TARGETS: [&str; 10] = [
    "/",
    "/hello.txt",
    "/large.bin",
    "/empty.txt",
    "/docs",
    "/docs/?q",
    "/nowhere",
    "/%zz",
    "/../a%20b",
    "http://a/hello.txt",
];
const FIELDS: [&str; 12] = [
    "Range: bytes=0-4",
    "Range: bytes=-3,0-0,1000-2000,700-",
    "Range: bytes=9999999-",
    "If-Match: \"a\"",
    "If-None-Match: W/\"a\", *",
    "If-None-Match: *",
    "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
    "If-Range: \"a\"",
    "Expect: something",
    "Connection: keep-alive",
    "Connection: close",
    "X: y",
];

/// Bytes that are shown as text.
#[derive(Clone)]
struct Bytes(Vec<u8>);

impl Debug for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "b\"{}\"", self.0.escape_ascii())
    }
}

/// A request as it is sent.
#[derive(Clone, Debug)]
struct Sent {
    method: &'static str,
    bytes: Bytes,
}

fn body() -> impl Strategy<Value = String> {
    let content = "[a-z\r\n]{0,60}";
    let chunk = ("[a-z\r\n]{1,20}", "(;[a-z]=[a-z])?");
    let chunk =
        chunk.prop_map(|(content, extension)| format!("{:x}{extension}\r\n{content}\r\n", content.len()));
    let chunked = (vec(chunk, 0..4), "([A-Z]: [a-z]\r\n)?");
    prop_oneof![
        3 => Just("\r\n".to_owned()),
        1 => content.prop_map(|content| format!("Content-Length: {}\r\n\r\n{content}", content.len())),
        1 => chunked.prop_map(|(chunks, trailer)| {
            format!("Transfer-Encoding: chunked\r\n\r\n{}0\r\n{trailer}\r\n", chunks.concat())
        }),
    ]
}

fn request(methods: &'static [&'static str]) -> impl Strategy<Value = Sent> {
    let version = prop_oneof![6 => Just("1.1"), 1 => Just("1.0"), 1 => Just("1.2")];
    let fields = subsequence(FIELDS.to_vec(), 0..3);
    (select(methods), select(TARGETS.to_vec()), version, fields, body()).prop_map(
        |(method, target, version, fields, body)| {
            let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
            let bytes = format!("{method} {target} HTTP/{version}\r\nHost: a\r\n{fields}{body}").into_bytes();
            Sent { method, bytes: Bytes(bytes) }
        },
    )
}

/// The bounds of a server, and the same so tight that every one of them is met.
fn limits() -> impl Strategy<Value = Limits> {
    prop_oneof![
        Just(Limits::default()),
        Just(Limits {
            head_bytes_max: 300,
            target_bytes_max: 40,
            body_bytes_max: 100,
            outbox_bytes_max: 1000,
            pipeline_max: 3,
            run_bytes_max: 250,
            loaded_file_bytes_max: 500,
            ..Limits::default()
        }),
    ]
}

/// How bytes come and go: the lengths of pieces, again and again, and what one write takes.
type Ways = (Vec<usize>, usize);

fn ways() -> impl Strategy<Value = Ways> {
    (vec(1..80_usize, 1..8), prop_oneof![Just(usize::MAX), 1..2000_usize])
}

fn cut<'a>(mut bytes: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle() {
        if bytes.is_empty() {
            break;
        }
        let (piece, rest) = bytes.split_at((*length).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

fn folder() -> Folder {
    Folder::new()
        .file("index.html", "<p>home")
        .file("hello.txt", "hello\n")
        .file("large.bin", noise(3000))
        .file("empty.txt", "")
        .file("docs/index.html", "<p>docs")
}

/// What comes back for `bytes`, and whether the connection is closed: the same in both ways.
fn answers_in_both_ways(
    folder: &Folder,
    limits: &Limits,
    bytes: &[u8],
    (lengths, write_max): &Ways,
) -> Result<(Vec<u8>, bool), TestCaseError> {
    let mut server = MemoryServer::with(folder, &SiteOptions::default(), limits.clone());
    let (whole, whole_end) = server.converse(&[bytes], usize::MAX);
    let (got, end) = server.converse(&cut(bytes, lengths), *write_max);
    prop_assert_eq!(String::from_utf8_lossy(&got), String::from_utf8_lossy(&whole));
    // Whether a connection lingers depends on whether anything was left to be read.
    let is_closed = end != End::Open;
    prop_assert_eq!(is_closed, whole_end != End::Open);
    Ok((whole, is_closed))
}

/// What every answer must keep to.
fn check_answers(answers: &[Answer], is_closed: bool) -> TestCaseResult {
    for (index, answer) in answers.iter().enumerate() {
        let is_last = index + 1 == answers.len();
        prop_assert_eq!(answer.has_element("connection", "close"), is_closed && is_last, "{:?}", answer);
        prop_assert!(answer.values("date").len() == 1 && answer.values("server").len() == 1, "{:?}", answer);
    }
    prop_assert!(!is_closed || !answers.is_empty(), "closed without an answer");
    Ok(())
}

/// Runs `check` on `count` generated cases.
#[track_caller]
fn check_all<S: Strategy>(count: u32, cases: &S, check: impl Fn(S::Value) -> TestCaseResult)
where
    S::Value: Debug,
{
    // A case that failed is told, not kept in a file: it goes into a test of its own.
    let config = Config { cases: count, failure_persistence: None, ..Config::default() };
    if let Err(error) = TestRunner::new(config).run(cases, check) {
        panic!("{error}");
    }
}

#[test]
fn requests_are_answered_the_same_however_they_come_and_go() {
    let folder = folder();
    let requests = vec(request(&["GET", "GET", "GET", "HEAD", "OPTIONS", "POST", "BREW"]), 1..8);
    check_all(200, &(requests, limits(), ways()), |(requests, limits, ways)| {
        let bytes = requests.iter().map(|request| &request.bytes.0[..]).collect::<Vec<_>>().concat();
        let (received, is_closed) = answers_in_both_ways(&folder, &limits, &bytes, &ways)?;
        let are_to_head: Vec<bool> = requests.iter().map(|request| request.method == "HEAD").collect();
        let answers = received::answers(&received, &are_to_head, is_closed).map_err(TestCaseError::fail)?;
        check_answers(&answers, is_closed)?;
        prop_assert!(answers.len() == requests.len() || is_closed && answers.len() < requests.len());
        Ok(())
    });
}

/// A change to bytes: where, how many are taken out, what is put in their place.
type Change = (Index, usize, Bytes);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    const WORDS: [&str; 22] = [
        " ",
        "\t",
        "\r",
        "\n",
        "\r\n",
        "\r\n\r\n",
        "\0",
        "\x7f",
        ":",
        ",",
        ";",
        "0",
        "5",
        "fff",
        "GET",
        "/",
        "%",
        "*",
        "HTTP/1.1",
        "Host: a\r\n",
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
    ];
    let word = select(WORDS.to_vec()).prop_map(|word| word.as_bytes().to_vec());
    let put = prop_oneof![3 => word, 1 => vec(any::<u8>(), 0..10), 1 => Just(vec![b'a'; 50])];
    vec((any::<Index>(), 0..5_usize, put.prop_map(Bytes)), 1..6)
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for (at, taken, put) in changes {
        let start = at.index(bytes.len() + 1);
        let end = (start + taken).min(bytes.len());
        bytes.splice(start..end, put.0.iter().copied());
    }
    bytes
}

#[test]
fn whatever_comes_gets_well_formed_answers_or_none() {
    let folder = folder();
    let requests = vec(request(&["GET", "OPTIONS", "POST"]), 0..4)
        .prop_map(|requests| requests.into_iter().flat_map(|request| request.bytes.0).collect::<Vec<u8>>());
    let garbage = prop_oneof![4 => requests, 1 => vec(any::<u8>(), 0..400)];
    let cases = (garbage.prop_map(Bytes), changes(), limits(), ways());
    check_all(600, &cases, |(bytes, changes, limits, ways)| {
        let bytes = changed(bytes.0, &changes);
        // Whose answer has no content is not to be told from garbage.
        prop_assume!(!bytes.windows(4).any(|window| window == b"HEAD"));
        let (received, is_closed) = answers_in_both_ways(&folder, &limits, &bytes, &ways)?;
        let answers = received::answers(&received, &[], is_closed).map_err(TestCaseError::fail)?;
        check_answers(&answers, is_closed)
    });
}

/// `first-last`, `first-` or `-count`, any of which may be wrong.
#[derive(Clone, Debug)]
enum Spec {
    Closed(u64, u64),
    Open(u64),
    Suffix(u64),
}

impl Spec {
    fn text(&self) -> String {
        match self {
            Spec::Closed(first, last) => format!("{first}-{last}"),
            Spec::Open(first) => format!("{first}-"),
            Spec::Suffix(count) => format!("-{count}"),
        }
    }

    /// The bytes it asks for of a file of `len`; `None` if it is no range.
    fn bytes(&self, len: u64) -> Option<std::ops::Range<u64>> {
        match *self {
            Spec::Closed(first, last) if first > last => None,
            Spec::Closed(first, last) => Some(first.min(len)..(last + 1).min(len)),
            Spec::Open(first) => Some(first.min(len)..len),
            Spec::Suffix(count) => Some(len - count.min(len)..len),
        }
    }
}

fn specs() -> impl Strategy<Value = Vec<Spec>> {
    let spec = prop_oneof![
        4 => (0..6000_u64, 0..300_u64).prop_map(|(first, more)| Spec::Closed(first, first + more)),
        1 => (0..6000_u64).prop_map(Spec::Open),
        1 => (0..6000_u64).prop_map(Spec::Suffix),
    ];
    // Wrong ones make the whole field void: few of them, or nothing else would be tried.
    let wrong = (1..6000_u64).prop_map(|first| vec![Spec::Closed(first, first - 1)]);
    prop_oneof![9 => vec(spec, 1..=64), 1 => wrong]
}

#[test]
fn ranges_are_the_bytes_of_the_file_and_never_more() {
    let len = prop_oneof![1 => Just(0_usize), 9 => 1..=5000_usize];
    check_all(150, &(len, specs()), |(len, specs)| {
        let content = noise(len);
        let folder = Folder::new().file("file.bin", &content);
        let text = specs.iter().map(Spec::text).collect::<Vec<_>>().join(", ");
        let request = format!("GET /file.bin HTTP/1.1\r\nHost: a\r\nRange: bytes={text}\r\n\r\n");
        let (received, end) = MemoryServer::of(&folder).converse(&[request.as_bytes()], usize::MAX);
        let answers = received::answers(&received, &[], end != End::Open).map_err(TestCaseError::fail)?;
        prop_assert_eq!(answers.len(), 1);
        let body_len = answers[0].body.len();
        prop_assert!(body_len <= len || answers[0].status == 416, "{} bytes", body_len);
        check_ranges(&answers[0], &content, &specs)
    });
}

fn check_ranges(answer: &Answer, content: &[u8], specs: &[Spec]) -> TestCaseResult {
    let len = content.len() as u64;
    let asked: Option<Vec<_>> = specs.iter().map(|spec| spec.bytes(len)).collect();
    let asked: Option<BTreeSet<u64>> = asked.map(|ranges| ranges.into_iter().flatten().collect());
    let is_whole = len == 0 || specs.len() > 1 && answer.status == 200;
    let Some(asked) = asked.filter(|_| !is_whole) else {
        prop_assert!(answer.status == 200 && answer.body == content, "{}", answer.status);
        return Ok(());
    };
    if asked.is_empty() {
        prop_assert_eq!(answer.status, 416);
        prop_assert_eq!(answer.values("content-range"), [format!("bytes */{len}")]);
        return Ok(());
    }
    prop_assert_eq!(answer.status, 206);
    let parts = match answer.values("content-range")[..] {
        [range] => vec![(range.to_owned(), answer.body.clone())],
        _ => parts(answer).map_err(TestCaseError::fail)?,
    };
    let mut got = BTreeSet::new();
    for (range, bytes) in parts {
        let (first, last, of) = content_range(&range).ok_or_else(|| TestCaseError::fail(range))?;
        prop_assert!(of == content.len() && bytes == content[first..=last]);
        for at in first..=last {
            prop_assert!(got.insert(at as u64), "byte {} comes twice", at);
        }
    }
    prop_assert!(asked.is_subset(&got), "{:?} are missing", asked.difference(&got));
    Ok(())
}

/// Of bytes that may stand in a target.
fn path() -> impl Strategy<Value = Bytes> {
    const WORDS: [&str; 18] = [
        "/", "/", "//", "a", "b c", ".", "..", "%2e", "%2E", "%2e%2e", "%252e", "\\", "%5c", "%2f", "%00",
        "%", "%0d%0a", "\u{fc}",
    ];
    let word = select(WORDS.to_vec()).prop_map(|word| word.as_bytes().to_vec());
    vec(prop_oneof![8 => word, 1 => vec(0x21..=0xff_u8, 0..4)], 0..14).prop_map(|words| Bytes(words.concat()))
}

fn normalised(path: &[u8]) -> Option<Vec<u8>> {
    let mut out = b"left over".to_vec();
    target::normalise(path, &mut out).is_ok().then_some(out)
}

#[test]
fn a_normalised_path_stays_below_the_root_and_is_its_own() {
    check_all(5000, &path(), |path| {
        let Some(path) = normalised(&[b"/", &path.0[..]].concat()) else { return Ok(()) };
        let shown = String::from_utf8_lossy(&path).into_owned();
        let segments = path.split(|&byte| byte == b'/').collect::<Vec<_>>();
        prop_assert!(!segments.iter().any(|segment| [&b"."[..], b".."].contains(segment)), "{}", shown);
        // Only the last may be empty: no slash in front, none doubled.
        prop_assert!(!segments[..segments.len() - 1].contains(&&b""[..]), "{}", shown);
        prop_assert!(!path.contains(&0), "{}", shown);
        let encoded = format!("/{}", target::encode(&path));
        prop_assert!(encoded.bytes().all(|byte| byte.is_ascii_graphic()), "{}", encoded);
        prop_assert_eq!(normalised(encoded.as_bytes()), Some(path), "{}", encoded);
        Ok(())
    });
}
