//! `_headers`: fields for responses.
//!
//! A file is made of blocks: a [`pattern`](super::pattern), then fields for the paths it matches. Fields are
//! indented for the eye; what tells a path is the slash it starts with.
//!
//! ```text
//! /assets/*
//!   Cache-Control: max-age=31536000, immutable
//! /assets/*.pdf
//!   ! X-Frame-Options
//! ```
//!
//! All blocks that match count, in the order of the file. A field replaces what pws would send under its
//! name; set again, by another block or the same, it is joined to what was set before, unless it may stand
//! only once: then the last one counts. `! Name` takes back
//! what blocks above have set, and what pws would send; where it stands within its block makes no difference.
//!
//! Fields that tell how the response is framed, or what pws itself has made sure of, are its own: see
//! [`OWNED`].
//!
//! What one response gets of this has a [bound](super::fields), since clients refuse heads beyond some ten
//! KiB. What is beyond is left out, and told: of lines that would be too much on every path of theirs when
//! they are parsed, of others when it happens.

use super::captures::{Captures, Names};
use super::fields::{Amount, Line, Response};
pub use super::fields::{Fields, is_among, told_bounds};
use super::index::{Entry, Index};
use super::path::Path;
use super::pattern::Pattern;
use super::store::{Run, Store};
use super::template::Template;
use super::text::{self, Complaint, Complaints, RULES_MAX, quoted, too_large};
use crate::http::bytes::TOKEN;

/// Fields that no file can set or remove, in lower case: the framing of the message and the connection
/// (RFC 9112), what is sent of the file and by what it is told from another state of it (RFC 9110 §8.8, §14),
/// what the server can do, who it is and what time it is there. A wrong one breaks caches, downloads or the
/// next response on the connection.
pub const OWNED: [&str; 15] = [
    "accept-ranges",
    "age",
    "allow",
    "connection",
    "content-length",
    "content-range",
    "date",
    "etag",
    "keep-alive",
    "last-modified",
    "location",
    "server",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// No field at all, but a host's way to ask for a password.
const BASIC_AUTH: &str = "basic-auth";

/// The blocks of a `_headers` file.
#[derive(Debug, Default)]
pub struct Headers {
    blocks: Vec<Block>,
    lines: Vec<Line>,
    store: Store,
    index: Index,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    pattern: Pattern,
    lines: Run,
}

impl Headers {
    /// Parses a file. A line that would not be followed is left out and complained about.
    pub fn parse(text: &[u8]) -> (Headers, Vec<Complaint>) {
        text::parse(Parser::new(usize::MAX), text)
    }

    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Bytes of memory on the heap. While a file is parsed there may be room for as much again.
    pub fn heap_bytes(&self) -> usize {
        size_of_val(&self.blocks[..])
            + size_of_val(&self.lines[..])
            + self.store.heap_bytes()
            + self.index.heap_bytes()
    }

    /// What is to be done for `path`, normalised. Where nothing matches nothing is allocated.
    pub fn find<'a>(&'a self, path: &[u8]) -> Fields<'a> {
        let path = Path::new(path);
        let mut captures = Captures::new();
        let block = |number: u32| &self.blocks[number as usize];
        let is_for = |number: u32, path: &[u8]| block(number).pattern.literal(&self.store) == Some(path);
        let candidates = self.index.lists(path.bytes, is_for).flatten().map(|entry| entry.number);
        let mut matching: Vec<u32> = candidates
            .filter(|number| block(*number).pattern.matches(&self.store, &path, &mut captures))
            .collect();
        matching.sort_unstable();
        let mut response = Response::default();
        for block in matching.into_iter().map(block).filter(|block| !block.lines.is_empty()) {
            // Once more, since the values are those of the last one asked.
            block.pattern.matches(&self.store, &path, &mut captures);
            let applied = response.apply(block.lines.of(&self.lines), &self.store, &captures);
            if applied.is_none() {
                response.fields.is_cut = true;
                break;
            }
        }
        response.fields
    }
}

/// What the lines that follow belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No path yet.
    Start,
    Block,
    /// A path that was complained about.
    Skip,
    /// Beyond a bound, as all that comes.
    Full,
}

/// A `_headers` file in the making.
#[derive(Debug)]
pub struct Parser {
    headers: Headers,
    heap_bytes_max: usize,
    state: State,
    /// The line of a path behind which nothing came so far, and all those behind which nothing came.
    open: Option<usize>,
    bare: Vec<usize>,
    /// What the path of the block captures.
    names: Names,
    /// What every response gets, and what those of the block's path get.
    everywhere: Amount,
    here: Amount,
    has_told_amount: bool,
}

impl Parser {
    /// For blocks that may take `heap_bytes_max` bytes of memory.
    pub fn new(heap_bytes_max: usize) -> Parser {
        Parser {
            headers: Headers::default(),
            heap_bytes_max,
            state: State::Start,
            open: None,
            bare: Vec::new(),
            names: Names::default(),
            everywhere: Amount::default(),
            here: Amount::default(),
            has_told_amount: false,
        }
    }

    fn start_block(&mut self, path: &[u8]) -> Result<(), String> {
        if self.state == State::Full {
            return Ok(());
        }
        let headers = &mut self.headers;
        if headers.blocks.len() == RULES_MAX {
            self.state = State::Full;
            return Err(format!("there are more than {RULES_MAX} paths; from here on they are left out"));
        }
        self.state = State::Skip;
        let mark = headers.store.mark();
        let parsed = Pattern::parse(path, &mut headers.store);
        let (pattern, names) = parsed.inspect_err(|_| headers.store.take_back(mark))?;
        if headers.heap_bytes() + size_of::<(Block, Entry)>() > self.heap_bytes_max {
            headers.store.take_back(mark);
            self.state = State::Full;
            return Err(too_large(self.heap_bytes_max));
        }
        headers.index.add(headers.blocks.len() as u32, &pattern, &headers.store);
        let start = headers.lines.len();
        headers.blocks.push(Block { pattern, lines: Run::between(start, start) });
        (self.names, self.here, self.state) = (names, self.everywhere, State::Block);
        Ok(())
    }

    /// Takes a line of a block: `Name: value` or `! Name`.
    fn add_line(&mut self, line: &[u8]) -> Result<(), String> {
        let (name, value) = match line {
            [b'!', name @ ..] => (checked_name(name.trim_ascii())?, None),
            _ => parse_field(line).map(|(name, value)| (name, Some(value)))?,
        };
        if !self.here.add(name.len() + value.map_or(0, str::len)) {
            return match std::mem::replace(&mut self.has_told_amount, true) {
                true => Ok(()),
                false => Err(format!(
                    "with this line a response would get more than {}; what is beyond is left out, for \
                     every path: set less",
                    told_bounds()
                )),
            };
        }
        let headers = &mut self.headers;
        let mark = headers.store.mark();
        let value = value.map(|value| Template::parse(value, &self.names, &mut headers.store));
        let line = Line { name: headers.store.add_text(name), value };
        if headers.heap_bytes() + size_of::<Line>() > self.heap_bytes_max {
            headers.store.take_back(mark);
            self.state = State::Full;
            return Err(too_large(self.heap_bytes_max));
        }
        headers.lines.push(line);
        if let Some(block) = headers.blocks.last_mut() {
            block.lines.grow();
            self.everywhere = if block.pattern.is_everything() { self.here } else { self.everywhere };
        }
        Ok(())
    }
}

impl text::Parser for Parser {
    type Rules = Headers;

    fn line(&mut self, number: usize, line: &[u8]) -> Result<(), String> {
        if is_path(line) {
            self.bare.extend(self.open.take());
            self.start_block(line)?;
            self.open = (self.state == State::Block).then_some(number);
            return Ok(());
        }
        self.open = None;
        match self.state {
            State::Block => self.add_line(line),
            State::Start => {
                Err(format!("{} belongs to no path: put one above it, `/*` for all", quoted(line)))
            }
            State::Skip | State::Full => Ok(()),
        }
    }

    fn finish(self, complaints: &mut Complaints) -> Headers {
        for line in self.bare.into_iter().chain(self.open) {
            complaints.add(line, "nothing is set for this path: add `Name: value` below it");
        }
        let mut headers = self.headers;
        headers.blocks.shrink_to_fit();
        headers.lines.shrink_to_fit();
        headers.store.shrink();
        headers.index.finish();
        headers
    }
}

fn is_path(line: &[u8]) -> bool {
    [&b"/"[..], b"http://", b"https://"].iter().any(|start| line.starts_with(start))
}

/// Takes `Name: value` apart, if a response may have such a field and pws leaves it to others to say.
pub fn parse_field(line: &[u8]) -> Result<(&str, &str), String> {
    let Some(colon) = line.iter().position(|&byte| byte == b':') else {
        return Err(format!("{} is no field: write `Name: value`", quoted(line)));
    };
    let name = checked_name(line[..colon].trim_ascii())?;
    let value = checked_value(name, line[colon + 1..].trim_ascii())?;
    Ok((name, value))
}

fn checked_name(name: &[u8]) -> Result<&str, String> {
    let is_token = !name.is_empty() && TOKEN.holds_all(name);
    let Some(name) = std::str::from_utf8(name).ok().filter(|_| is_token) else {
        return Err(format!("{} is no name of a field: letters, digits and `-` make one", quoted(name)));
    };
    if name.eq_ignore_ascii_case(BASIC_AUTH) {
        return Err(
            "`Basic-Auth` would protect nothing, passwords are not asked for: leave it to a proxy in \
                    front, or keep the files out of the folder"
                .into(),
        );
    }
    match OWNED.iter().any(|owned| owned.eq_ignore_ascii_case(name)) {
        true => Err(format!("`{name}` is set by the server itself, which knows what is true: take it out")),
        false => Ok(name),
    }
}

fn checked_value<'a>(name: &str, value: &'a [u8]) -> Result<&'a str, String> {
    let is_fit = |value: &&str| !value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t');
    match std::str::from_utf8(value).ok().filter(is_fit) {
        Some("") => {
            let removal = ["! ", name].concat();
            Err(format!(
                "{} has no value: add one, or remove the field by {}",
                quoted(name.as_bytes()),
                quoted(removal.as_bytes())
            ))
        }
        Some(value) => Ok(value),
        None => Err(format!(
            "the value of {} has bytes that no field can have, or is not UTF-8",
            quoted(name.as_bytes())
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::{BYTES_MAX, LINES_MAX};
    use crate::rules::text::{FILE_BYTES_MAX, Reader};

    /// Parses a file in which nothing is wrong.
    fn good(text: &str) -> Headers {
        let (headers, complaints) = Headers::parse(text.as_bytes());
        assert_eq!(complaints, [], "{text}");
        headers
    }

    /// `Name: value` for each field that is set for `path`, `! Name` for each that was removed.
    fn told(headers: &Headers, path: &str) -> Vec<String> {
        let fields = headers.find(path.as_bytes());
        let set = fields.set.iter().map(|(name, value)| format!("{name}: {value}"));
        set.chain(fields.removed.iter().map(|name| format!("! {name}"))).collect()
    }

    #[test]
    fn of_what_stands_once_the_last_block_counts() {
        let headers = good(
            "/*\n Cache-Control: max-age=1\n X-Frame-Options: DENY\n Link: </a>\n\
             /a/*\n cache-control: public\n Cache-Control: immutable\n x-frame-options: SAMEORIGIN\n\
             Access-Control-Allow-Origin: *\n Link: </b>\n\
             /a/b\n Access-Control-Allow-Origin: https://a.example\n",
        );
        assert_eq!(
            told(&headers, "a/b"),
            [
                "X-Frame-Options: SAMEORIGIN",
                "Link: </a>, </b>",
                "cache-control: public, immutable",
                "Access-Control-Allow-Origin: https://a.example",
            ]
        );
        assert_eq!(told(&headers, "c")[0], "Cache-Control: max-age=1");
    }

    #[test]
    fn blocks_add_up_in_order() {
        let headers = good(
            "/*\n X-Robots-Tag: noindex\n A: 1\n\n/a/b\n  B: 2\n  a: 3\n/a/*\n\tx-robots-tag:nosnippet\nA:4",
        );
        for (path, expected) in [
            ("", vec!["X-Robots-Tag: noindex", "A: 1"]),
            ("a", vec!["X-Robots-Tag: noindex, nosnippet", "A: 1, 4"]),
            ("a/b", vec!["X-Robots-Tag: noindex, nosnippet", "A: 1, 3, 4", "B: 2"]),
        ] {
            assert_eq!(told(&headers, path), expected, "{path}");
        }
    }

    #[test]
    fn a_field_is_joined_where_that_makes_sense() {
        for (name, expected) in [
            ("Link", vec!["Link: a, b"]),
            ("Set-Cookie", vec!["Set-Cookie: a", "Set-Cookie: b"]),
            ("set-cookie", vec!["set-cookie: a", "set-cookie: b"]),
            ("Content-Type", vec!["Content-Type: b"]),
            ("STRICT-Transport-Security", vec!["STRICT-Transport-Security: b"]),
        ] {
            let in_one = good(&format!("/*\n {name}: a\n {name}: b"));
            let in_two = good(&format!("/*\n {name}: a\n/*\n {name}: b"));
            assert_eq!(told(&in_one, "x"), expected);
            assert_eq!(told(&in_two, "x"), expected);
        }
    }

    #[test]
    fn what_is_removed_can_be_set_again() {
        for (file, expected) in [
            ("/*\n A: 1\n B: 2\n/x\n ! a", vec!["B: 2", "! a"]),
            ("/x\n ! A\n/*\n A: 1", vec!["A: 1", "! A"]),
            ("/*\n A: 1\n/x\n A: 2\n !A", vec!["A: 2", "! A"]),
            ("/*\n Set-Cookie: a\n Set-Cookie: b\n/x\n ! Set-Cookie", vec!["! Set-Cookie"]),
            ("/*\n A: 1\n/y\n ! A", vec!["A: 1"]),
        ] {
            assert_eq!(told(&good(file), "x"), expected, "{file}");
        }
    }

    #[test]
    fn tells_what_is_replaced() {
        let headers = good("/x\n Content-Type: text/plain\n ! Cache-Control");
        let fields = headers.find(b"x");
        assert!(fields.replaces("content-type") && fields.replaces("Cache-CONTROL"));
        assert!(!fields.replaces("Content"));
        assert!(!fields.is_empty() && headers.find(b"y").is_empty());
    }

    #[test]
    fn values_take_what_the_path_has() {
        let file =
            "/movies/:title\n x-name: You watch \":title\", :other\n/d/*\n Link: </:splat>; rel=canonical";
        let headers = good(file);
        assert_eq!(told(&headers, "movies/a b"), ["x-name: You watch \"a%20b\", :other"]);
        let two = good("/:first/*\n A: :first, :splat\n/*/:last\n B: :splat, :last");
        assert_eq!(told(&two, "a/b/c"), ["A: a, b/c", "B: a/b, c"]);
        assert_eq!(told(&headers, "d/a\r\nb: c"), ["Link: </a%0D%0Ab:%20c>; rel=canonical"]);
    }

    #[test]
    fn complains_about_what_is_not_followed() {
        for (file, line, hint) in [
            ("B: c\n/*\n A: b", 1, "belongs to no path"),
            ("/*\n A: b\n\n nonsense", 4, "is no field"),
            ("/*\n A: b\n A b: c", 3, "no name"),
            ("/*\n A: b\n : c", 3, "no name"),
            ("/*\n A: b\n ! ", 3, "no name"),
            ("/*\n A: b\n B:", 3, "no value"),
            ("/*\n A: b\n B: c\0d", 3, "bytes that no field"),
            ("/*\n A: b\n B: c\rd", 3, "bytes that no field"),
            ("/*\n A: b\n content-LENGTH: 5", 3, "set by the server"),
            ("/*\n A: b\n Transfer-Encoding: chunked", 3, "set by the server"),
            ("/*\n A: b\n ! ETag", 3, "set by the server"),
            ("/*\n A: b\n Location: /x", 3, "set by the server"),
            ("/*\n A: b\n Basic-Auth: a:b", 3, "protect nothing"),
            ("/a\n/*\n A: b", 1, "nothing is set"),
            ("/*\n A: b\n/b", 3, "nothing is set"),
            ("/*\n A: b\nhttps://:p.example.com/*\n C: d", 3, "names a host"),
            ("/*\n A: b\n/*/*\n C: d", 3, "one `*`"),
        ] {
            let (headers, complaints) = Headers::parse(file.as_bytes());
            assert_eq!(complaints.len(), 1, "{file}: {complaints:?}");
            assert_eq!(complaints[0].line, line, "{file}: {complaints:?}");
            assert!(complaints[0].text.contains(hint), "{file}: {complaints:?}");
            // All else holds, and nothing of what was left out.
            assert_eq!(told(&headers, "x"), ["A: b"], "{file}");
        }
        assert_eq!(
            Headers::parse(b"/*\n A: \xff").1.iter().map(|complaint| complaint.line).collect::<Vec<_>>(),
            [2]
        );
        for name in OWNED {
            assert_eq!(Headers::parse(format!("/*\n {name}: x").as_bytes()).1.len(), 1, "{name}");
        }
    }

    #[test]
    fn there_is_a_bound() {
        let file: String = (0..RULES_MAX + 5).map(|number| format!("/p{number}\n A: b\n")).collect();
        let (headers, complaints) = Headers::parse(file.as_bytes());
        assert_eq!(complaints.len(), 1, "{complaints:?}");
        assert_eq!(complaints[0].line, 2 * RULES_MAX + 1);
        assert_eq!(told(&headers, &format!("p{}", RULES_MAX - 1)), ["A: b"]);
        assert!(headers.find(format!("p{RULES_MAX}").as_bytes()).is_empty());
    }

    /// What one response gets is bounded, however many blocks match: told where it is certain.
    #[test]
    fn a_response_has_a_bound() {
        let lines = |count: usize| (0..count).map(|number| format!(" A{number}: b\n")).collect::<String>();
        let long = |count: usize| format!(" A: {}\n", "b".repeat(8000)).repeat(count);
        for (file, line) in [
            (format!("/*\n{}", lines(LINES_MAX + 5)), LINES_MAX + 2),
            (lines(LINES_MAX + 5).replace(" A", "/*\n A"), 2 * LINES_MAX + 2),
            (format!("/*\n{}/x\n{}", lines(LINES_MAX - 5), lines(10)), LINES_MAX + 3),
            (format!("/*\n{}", long(6)), 6),
            (format!("/*\n{}", " ! A\n".repeat(600)), LINES_MAX + 2),
        ] {
            let (headers, complaints) = Headers::parse(file.as_bytes());
            let told: Vec<_> = complaints.iter().map(|complaint| complaint.line).collect();
            assert_eq!(told, [line], "{complaints:?}");
            assert!(complaints[0].text.contains("512 lines or 32 KiB"), "{complaints:?}");
            assert!(!headers.find(b"x").is_cut);
        }
        // Otherwise it shows in the end.
        for (file, count, is_cut) in [
            (format!("/a/*\n{}/*/b\n{}", lines(300), lines(212).replace('A', "B")), 512, false),
            (format!("/a/*\n{}/*/b\n{}", lines(300), lines(213).replace('A', "B")), 512, true),
            (lines(LINES_MAX + 5).replace(" A", "/a*\n A"), 512, true),
            (long(3).replace(" A", "/a*\n A") + "/*\n B: c\n/a*\n C: d\n", 3, false),
            (long(5).replace(" A", "/a*\n A") + "/*\n B: c\n", 1, true),
            ("/*\n A: :splat\n".repeat(9), 1, true),
        ] {
            let headers = good(&file);
            let path = [&b"a/"[..], &b"x".repeat(4000), b"/b"].concat();
            let fields = headers.find(&path);
            assert_eq!((fields.set.len(), fields.is_cut), (count, is_cut));
            let bytes: usize = fields.set.iter().map(|(name, value)| name.len() + value.len()).sum();
            assert!(bytes <= BYTES_MAX + 2 * LINES_MAX, "{bytes}");
        }
    }

    #[test]
    fn memory_has_a_bound() {
        let file = "/a*\n A: b\n! C\n".repeat(100);
        let all = good(&file).heap_bytes();
        let parse = |heap_bytes_max| text::parse(Parser::new(heap_bytes_max), file.as_bytes());
        assert_eq!(parse(all).1, []);
        for bound in (all / 2 - 50)..(all / 2 + 50) {
            let (half, complaints) = parse(bound);
            assert!(complaints[0].text.contains("of memory"), "{complaints:?}");
            assert!((140..160).contains(&complaints[0].line) && half.heap_bytes() <= bound, "{complaints:?}");
            assert!(told(&half, "a").len() > 40);
        }
    }

    #[test]
    fn steps_make_no_difference() {
        let block = "/a/:b\n A: :b\n! C\n\n# d\n/bare\n/b**\n D: e\nnonsense\n/*.js\n A: b\n";
        for text in
            [block.repeat(20), "nonsense\n".repeat(10) + &block.repeat(100), block.repeat(RULES_MAX / 2)]
        {
            let mut reader = Reader::new(Parser::new(usize::MAX), FILE_BYTES_MAX);
            let mut steps = 1;
            while reader.step(text.as_bytes()) {
                steps += 1;
            }
            assert!(steps > 1);
            assert!(format!("{:?}", reader.finish()) == format!("{:?}", Headers::parse(text.as_bytes())));
        }
    }

    /// What a generator of sites writes for hashed assets, and what people add to it.
    #[test]
    fn a_file_of_a_real_site() {
        let file = "\u{feff}# Security\r\n\
            /*\r\n  X-Frame-Options: DENY\r\n  X-Content-Type-Options: nosniff\r\n  \
            Content-Security-Policy: default-src 'self'; img-src data: https://img.example.com\r\n  \
            Permissions-Policy: geolocation=(), camera=()\r\n\r\n# Hashed names\r\n\
            /assets/*\r\n  cache-control: public\r\n  \
            cache-control: max-age=31536000\r\n  cache-control: immutable\r\n\r\n\
            /*.webmanifest\r\n  Content-Type: application/manifest+json\r\n\r\n\
            /embed/*\r\n  ! X-Frame-Options\r\n\
            /\r\n  Link: </assets/main.css>; rel=preload; as=style\r\n  \
            Link: <https://fonts.example.com>; rel=preconnect\r\n";
        let headers = good(file);
        let values = |path: &str, name: &str| -> Vec<String> {
            let fields = headers.find(path.as_bytes());
            let named = fields.set.iter().filter(|(other, _)| *other == name);
            named.map(|(_, value)| value.to_string()).collect()
        };
        assert_eq!(values("assets/a.js", "cache-control"), ["public, max-age=31536000, immutable"]);
        assert_eq!(values("a/site.webmanifest", "Content-Type"), ["application/manifest+json"]);
        assert_eq!(values("embed/a", "X-Frame-Options"), [""; 0]);
        assert_eq!(values("a", "X-Frame-Options"), ["DENY"]);
        assert_eq!(
            values("", "Link"),
            ["</assets/main.css>; rel=preload; as=style, <https://fonts.example.com>; rel=preconnect"]
        );
        assert_eq!(
            values("", "Content-Security-Policy"),
            ["default-src 'self'; img-src data: https://img.example.com"]
        );
        assert_eq!(told(&headers, "x").len(), 4);
    }
}
