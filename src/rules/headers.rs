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
//! name; set again, by another block or the same, it is joined to what was set before. `! Name` takes back
//! what blocks above have set, and what pws would send; where it stands within its block makes no difference.
//!
//! Fields that tell how the response is framed, or what pws itself has made sure of, are its own: see
//! [`OWNED`].

use std::borrow::Cow;

use super::index::Index;
use super::pattern::{Captures, Pattern};
use super::template::{Place, Template};
use super::text::{Complaint, RULES_MAX, each_line, quoted};
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

/// Fields of one value, in lower case: two joined by a comma would be none. The last one counts.
const SINGLE: [&str; 5] =
    ["content-disposition", "content-location", "content-type", "expires", "strict-transport-security"];
/// The one field that stands several times, since its values have commas of their own (RFC 6265 §3).
const SET_COOKIE: &str = "set-cookie";
/// No field at all, but a host's way to ask for a password.
const BASIC_AUTH: &str = "basic-auth";

/// The blocks of a `_headers` file.
#[derive(Debug, Default)]
pub struct Headers {
    blocks: Vec<Block>,
    index: Index,
}

#[derive(Debug)]
struct Block {
    pattern: Pattern,
    removed: Vec<Box<str>>,
    set: Vec<(Box<str>, Template)>,
}

/// What the blocks that match a path make of the fields of its response.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Fields<'a> {
    /// Names and values to send, in order. A name stands once, but for `Set-Cookie`.
    pub set: Vec<(&'a str, Cow<'a, str>)>,
    /// Names that were removed; those set again afterwards are among [`set`](Fields::set), too.
    pub removed: Vec<&'a str>,
}

impl Fields<'_> {
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.removed.is_empty()
    }

    /// Whether a field of that name, in any case, is not to be sent on the server's own account.
    pub fn replaces(&self, name: &str) -> bool {
        let mut names = self.set.iter().map(|(name, _)| name).chain(&self.removed);
        names.any(|other| other.eq_ignore_ascii_case(name))
    }
}

/// What the lines that follow belong to.
enum State {
    /// No path yet.
    Start,
    Block,
    /// A path that was complained about.
    Skip,
    /// A path beyond the bound.
    Full,
}

fn is_path(line: &[u8]) -> bool {
    [&b"/"[..], b"http://", b"https://"].iter().any(|start| line.starts_with(start))
}

impl Headers {
    /// Parses a file. A line that would not be followed is left out and complained about.
    pub fn parse(text: &[u8]) -> (Headers, Vec<Complaint>) {
        let mut headers = Headers::default();
        let mut state = State::Start;
        // The line of a path behind which nothing came so far, and all those behind which nothing came.
        let mut open = None;
        let mut bare = Vec::new();
        let mut complaints = each_line(text, |number, line| {
            if is_path(line) {
                bare.extend(open.take());
                state = headers.start_block(line, &mut state)?;
                open = matches!(state, State::Block).then_some(number);
                return Ok(());
            }
            open = None;
            match (&state, headers.blocks.last_mut()) {
                (State::Block, Some(block)) => block.add(line),
                (State::Start, _) => {
                    Err(format!("{} belongs to no path: put one above it, `/*` for all", quoted(line)))
                }
                _ => Ok(()),
            }
        });
        for line in bare.into_iter().chain(open) {
            complaints.add(line, "nothing is set for this path: add `Name: value` below it");
        }
        (headers, complaints.into_sorted())
    }

    /// Starts the block of the path `line`; `state` is left at what holds if it cannot be started.
    fn start_block(&mut self, line: &[u8], state: &mut State) -> Result<State, String> {
        if self.blocks.len() == RULES_MAX {
            return match std::mem::replace(state, State::Full) {
                State::Full => Ok(State::Full),
                _ => Err(format!("there are more than {RULES_MAX} paths; from here on they are left out")),
            };
        }
        *state = State::Skip;
        self.add(Pattern::parse(line)?);
        Ok(State::Block)
    }

    fn add(&mut self, pattern: Pattern) {
        self.index.add(self.blocks.len() as u32, &pattern);
        self.blocks.push(Block { pattern, removed: Vec::new(), set: Vec::new() });
    }

    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// What is to be done for `path`, normalised. Where nothing matches nothing is allocated.
    pub fn find<'a>(&'a self, path: &[u8]) -> Fields<'a> {
        let mut captures = Captures::new();
        let candidates = self.index.lists(path).flatten().copied();
        let mut matching: Vec<u32> = candidates
            .filter(|number| self.blocks[*number as usize].pattern.matches(path, &mut captures))
            .collect();
        matching.sort_unstable();
        let mut fields = Fields::default();
        for number in matching {
            let block = &self.blocks[number as usize];
            // Once more, since the values are those of the last one asked.
            block.pattern.matches(path, &mut captures);
            block.apply(&captures, &mut fields);
        }
        fields
    }
}

impl Block {
    /// Takes a line: `Name: value` or `! Name`.
    fn add(&mut self, line: &[u8]) -> Result<(), String> {
        if let [b'!', name @ ..] = line {
            self.removed.push(checked_name(name.trim_ascii())?.into());
            return Ok(());
        }
        let (name, value) = parse_field(line)?;
        self.set.push((name.into(), Template::parse(value, self.pattern.names())));
        Ok(())
    }

    fn apply<'a>(&'a self, captures: &Captures, fields: &mut Fields<'a>) {
        for name in &self.removed {
            fields.set.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
            fields.removed.push(name);
        }
        for (name, template) in &self.set {
            let value = match template.text() {
                Some(text) => Cow::Borrowed(text),
                None => {
                    let mut text = String::new();
                    template.fill(captures, Place::Path, &mut text);
                    Cow::Owned(text)
                }
            };
            fields.add(name, value);
        }
    }
}

impl<'a> Fields<'a> {
    fn add(&mut self, name: &'a str, value: Cow<'a, str>) {
        let has_name = |other: &&str| other.eq_ignore_ascii_case(name);
        let before = self.set.iter_mut().find(|(other, _)| has_name(other));
        match before.filter(|_| !name.eq_ignore_ascii_case(SET_COOKIE)) {
            None => self.set.push((name, value)),
            Some((_, before)) if SINGLE.iter().any(has_name) => *before = value,
            Some((_, before)) => {
                let joined = before.to_mut();
                joined.push_str(", ");
                joined.push_str(&value);
            }
        }
    }
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
        Some("") => Err(format!("`{name}` has no value: add one, or remove the field by `! {name}`")),
        Some(value) => Ok(value),
        None => Err(format!("the value of `{name}` has bytes that no field can have, or is not UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
