//! Requests, and what each of them asks for.

use super::disk::LISTED;
use super::rng::Rng;

/// What a target leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The file of that name, if it is there.
    File(&'static str),
    /// Nothing, ever.
    Nowhere,
    Redirect(u16, &'static str),
    Listing {
        is_json: bool,
    },
    /// So many bytes that come when they come.
    Feed(usize),
    /// An answer that has nothing to do with files.
    Fixed(u16),
}

impl Subject {
    /// The files that may be in an answer.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let (name, variant) = match self {
            Subject::File("app.js") => (Some("app.js"), Some("app.js.gz")),
            Subject::File(name) => (Some(name), None),
            _ => (None, None),
        };
        // Where nothing is there is a page that says so.
        let page = matches!(self, Subject::File(_) | Subject::Nowhere).then_some("404.html");
        [name, variant, page].into_iter().flatten()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    None,
    /// Tags without quotes; `*` is any. The flags: the tag is weak.
    IfNoneMatch(String),
    IfMatch(String, bool),
    IfRange(String, bool),
    IfModifiedSince(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeSpec {
    Closed(usize, usize),
    From(usize),
    Last(usize),
}

/// A validator that a client got.
#[derive(Clone, Debug)]
pub struct Seen {
    pub name: &'static str,
    pub opaque_tag: String,
    pub is_weak: bool,
    pub modified_unix_secs: u64,
}

/// A request that was planned, and what must be known to judge its answer.
#[derive(Clone, Debug)]
pub struct Asked {
    pub subject: Subject,
    pub is_head: bool,
    pub is_http10: bool,
    pub condition: Condition,
    pub ranges: Vec<RangeSpec>,
    pub accepts_gzip: bool,
    /// The connection ends behind the answer; the client asked for that, and says no more.
    pub is_last: bool,
    pub is_farewell: bool,
    /// A `100 Continue` may come first.
    pub may_continue: bool,
    /// The client sends no more than so many bytes of the request before it gets one.
    pub holds_at: Option<usize>,
    /// So many bytes of it and it may be answered; so many and it must be.
    pub answerable_len: usize,
    pub head_len: usize,
    pub len: usize,
}

const FILE_TARGETS: [(&str, &str); 14] = [
    ("/", "index.html"),
    ("/a.txt", "a.txt"),
    ("/./x/../%61.txt", "a.txt"),
    ("http://other/a.txt?q", "a.txt"),
    ("/alias", "a.txt"),
    ("/b.css", "b.css"),
    ("/b.css?v=1", "b.css"),
    ("/c.bin", "c.bin"),
    ("/c.bin", "c.bin"),
    ("/sub/", "sub/index.html"),
    ("/app.js", "app.js"),
    ("/app.js", "app.js"),
    ("/app.js.gz", "app.js.gz"),
    ("/gone.svg", "gone.svg"),
];

const OTHER_TARGETS: [(&str, Subject); 14] = [
    ("/nowhere", Subject::Nowhere),
    ("/a.txt/b", Subject::Nowhere),
    ("/.hidden", Subject::Nowhere),
    ("/_redirects", Subject::Nowhere),
    ("/sub?q", Subject::Redirect(301, "sub/?q")),
    ("/list", Subject::Redirect(301, "list/")),
    ("/old/page", Subject::Redirect(302, "/a.txt")),
    ("/%zz", Subject::Fixed(400)),
    ("/list/", Subject::Listing { is_json: false }),
    ("/list/", Subject::Listing { is_json: true }),
    ("/feed/1", Subject::Feed(1)),
    ("/feed/700", Subject::Feed(700)),
    ("/feed/9000", Subject::Feed(9000)),
    ("/feed/40000", Subject::Feed(40_000)),
];

/// What is no request: the connection ends behind the answer.
const MALFORMED: [(&str, u16); 15] = [
    ("GET / HTTP/1.1\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    ("GET / HTTP/1.1\nHost: a\r\n\n", 400),
    ("GET / HTTP/1.1\nHost: a\nContent-Length: 0\n\n", 400),
    ("GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 421),
    ("\x16\x03\x01\x02", 400),
    ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    ("GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a\r\n X: y\r\n\r\n", 400),
    ("GET a.txt HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnothing in hex\r\n", 400),
];

/// A request and its bytes.
pub fn generate(rng: &mut Rng, seen: Option<&Seen>, body_bytes_max: usize) -> (Asked, Vec<u8>) {
    if rng.one_in(40) {
        return malformed(rng);
    }
    let mut asked = Asked::to(Subject::Nowhere);
    let mut fields = String::new();
    let target = match seen {
        Some(seen) if rng.one_in(3) => {
            asked.subject = Subject::File(seen.name);
            fields += &condition(rng, seen, &mut asked);
            FILE_TARGETS.iter().find(|(_, name)| *name == seen.name).expect("its target").0
        }
        _ => plain_target(rng, &mut asked, &mut fields),
    };
    let is_file = matches!(asked.subject, Subject::File(_));
    if is_file && (rng.one_in(5) || matches!(asked.condition, Condition::IfRange(..))) {
        fields += &ranges(rng, &mut asked);
    }
    if is_file && rng.one_in(2) {
        asked.accepts_gzip = true;
        fields += "Accept-Encoding: gzip\r\n";
    }
    let method = method(rng, &mut asked);
    fields += &persistence(rng, &mut asked);
    let (body_fields, body) = body(rng, method, &mut asked, body_bytes_max);
    let version = if asked.is_http10 { "1.0" } else { "1.1" };
    let head = format!("{method} {target} HTTP/{version}\r\nHost: test\r\n{fields}{body_fields}\r\n");
    asked.head_len = head.len();
    asked.len = head.len() + body.len();
    // Before a body that is too long, the answer comes as soon as that is known.
    asked.answerable_len = if asked.is_last { head.len() } else { asked.len };
    asked.holds_at = asked.holds_at.map(|_| head.len());
    (asked, (head + &body).into_bytes())
}

impl Asked {
    fn to(subject: Subject) -> Asked {
        Asked {
            subject,
            is_head: false,
            is_http10: false,
            condition: Condition::None,
            ranges: Vec::new(),
            accepts_gzip: false,
            is_last: false,
            is_farewell: false,
            may_continue: false,
            holds_at: None,
            answerable_len: 0,
            head_len: 0,
            len: 0,
        }
    }
}

fn malformed(rng: &mut Rng) -> (Asked, Vec<u8>) {
    let long = "a".repeat(rng.below(300));
    let (text, status) = match rng.below(MALFORMED.len() + 2) {
        0 => (format!("GET /{}{long} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(200)), 414),
        1 => (format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}{long}\r\n\r\n", "a".repeat(1024)), 431),
        at => (MALFORMED[at - 2].0.to_owned(), MALFORMED[at - 2].1),
    };
    let asked = Asked {
        is_last: true,
        len: text.len(),
        head_len: text.len(),
        answerable_len: 1,
        ..Asked::to(Subject::Fixed(status))
    };
    (asked, text.into_bytes())
}

fn plain_target(rng: &mut Rng, asked: &mut Asked, fields: &mut String) -> &'static str {
    if !rng.one_in(4) {
        // One is everybody's favourite.
        let (target, name) = if rng.one_in(3) { FILE_TARGETS[1] } else { *rng.pick(&FILE_TARGETS) };
        asked.subject = Subject::File(name);
        return target;
    }
    let (target, subject) = *rng.pick(&OTHER_TARGETS);
    asked.subject = subject;
    if let Subject::Listing { is_json: true } = subject {
        debug_assert!(target.contains(LISTED));
        *fields += "Accept: application/json\r\n";
    }
    target
}

fn condition(rng: &mut Rng, seen: &Seen, asked: &mut Asked) -> String {
    let Seen { opaque_tag, is_weak, modified_unix_secs, .. } = seen.clone();
    let tag = format!("{}\"{opaque_tag}\"", if is_weak { "W/" } else { "" });
    let (condition, field) = match rng.below(8) {
        0 => (Condition::IfNoneMatch("*".to_owned()), "If-None-Match: *\r\n".to_owned()),
        1..=3 => (Condition::IfNoneMatch(opaque_tag), format!("If-None-Match: \"x\", {tag}\r\n")),
        4 => (Condition::IfMatch(opaque_tag, is_weak), format!("If-Match: {tag}\r\n")),
        5 => (Condition::IfRange(opaque_tag, is_weak), format!("If-Range: {tag}\r\n")),
        _ => {
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(modified_unix_secs);
            let field = format!("If-Modified-Since: {}\r\n", httpdate::fmt_http_date(time));
            (Condition::IfModifiedSince(modified_unix_secs), field)
        }
    };
    asked.condition = condition;
    field
}

fn ranges(rng: &mut Rng, asked: &mut Asked) -> String {
    let len = *rng.pick(&[1000, 4000, 20_000]);
    asked.ranges = (0..rng.up_to(2))
        .map(|_| match rng.below(3) {
            0 => {
                let first = rng.below(len);
                RangeSpec::Closed(first, first + rng.below(len))
            }
            1 => RangeSpec::From(rng.below(len)),
            _ => RangeSpec::Last(rng.below(len)),
        })
        .collect();
    let specs: Vec<String> = asked
        .ranges
        .iter()
        .map(|spec| match spec {
            RangeSpec::Closed(first, last) => format!("{first}-{last}"),
            RangeSpec::From(first) => format!("{first}-"),
            RangeSpec::Last(count) => format!("-{count}"),
        })
        .collect();
    format!("Range: bytes={}\r\n", specs.join(", "))
}

fn method(rng: &mut Rng, asked: &mut Asked) -> &'static str {
    match rng.below(40) {
        0..5 => {
            asked.is_head = true;
            // A feed is for GET only; the site has no such file.
            if let Subject::Feed(_) = asked.subject {
                asked.subject = Subject::Nowhere;
            }
            // Range is for GET only.
            asked.ranges.clear();
            "HEAD"
        }
        5 => asked.is_fixed(204, "OPTIONS"),
        6 => asked.is_fixed(405, "POST"),
        7 => asked.is_fixed(501, "BREW"),
        _ => "GET",
    }
}

impl Asked {
    fn is_fixed(&mut self, status: u16, method: &'static str) -> &'static str {
        self.subject = Subject::Fixed(status);
        method
    }
}

fn persistence(rng: &mut Rng, asked: &mut Asked) -> String {
    let field = match rng.below(40) {
        0 => {
            (asked.is_last, asked.is_farewell) = (true, true);
            "Connection: close\r\n"
        }
        1 => {
            (asked.is_http10, asked.is_last, asked.is_farewell) = (true, true, true);
            ""
        }
        2 | 3 => {
            asked.is_http10 = true;
            // How long a listing is cannot be told to HTTP/1.0.
            asked.is_last = matches!(asked.subject, Subject::Listing { .. });
            "Connection: keep-alive\r\n"
        }
        _ => "",
    };
    field.to_owned()
}

fn body(rng: &mut Rng, method: &str, asked: &mut Asked, bytes_max: usize) -> (String, String) {
    if !rng.one_in(8) {
        return (String::new(), String::new());
    }
    let len = if rng.one_in(5) { bytes_max + rng.up_to(1000) } else { rng.below(bytes_max) / 2 };
    let (fields, body) = if rng.one_in(2) || asked.is_http10 {
        (format!("Content-Length: {len}\r\n"), "b".repeat(len))
    } else {
        let chunk = rng.up_to(200).max(len / 8);
        let mut body = String::new();
        for start in (0..len).step_by(chunk) {
            let count = chunk.min(len - start);
            body += &format!("{count:x};a=b\r\n{}\r\n", "c".repeat(count));
        }
        ("Transfer-Encoding: chunked\r\n".to_owned(), body + "0\r\nT: u\r\n\r\n")
    };
    let has_content = !fields.ends_with(" 0\r\n");
    asked.is_last |= body.len() > bytes_max;
    if asked.is_http10 || !has_content || !rng.one_in(3) {
        return (fields, body);
    }
    // A client that is not welcome is told so at once, and the connection ends.
    let is_served = ["GET", "HEAD", "OPTIONS"].contains(&method);
    asked.is_last |= !is_served;
    asked.may_continue = is_served;
    asked.holds_at = (!asked.is_last && rng.one_in(2)).then_some(0);
    (fields + "Expect: 100-continue\r\n", body)
}
