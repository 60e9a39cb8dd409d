//! Patterns of paths: literal text, `:placeholder` segments and one `*`.
//!
//! A pattern is written as a URL path and decoded here, once. It is held against the normalised path of a
//! request (see [`target::normalise`]), so that `/a%2Db`, `/a-b` and `//./a-b` are one path to it. An
//! operator that is escaped is none: `/%2A` is the file `*`.
//!
//! - `:name` is a whole segment, or its start before a dot: `/:year/:post.html`. The value is not empty. A
//!   colon anywhere else, or not followed by a letter, is a colon: `/wiki/Help:Contents`.
//! - `*` is anything, slashes included, and may be nothing. Before it there may be a slash (`/docs/*`, which
//!   is `/docs` too) or a part of a name (`/docs*`); behind it may come more (`/*.js`).
//! - A slash at the end of the path, or none, makes no difference otherwise. See [`index`](super::index) for
//!   the one exception.
//!
//! Between two operators there is always a literal that tells where one ends, and there is one `*` at most,
//! so nothing is ever tried twice: the cost of a match is linear in the path.

use super::text::quoted;
use crate::http::target::{self, PathError};

/// Values that one rule can capture.
pub const CAPTURES_MAX: usize = 16;
/// What the value of `*` is called.
const SPLAT: &str = "splat";

/// A pattern, ready to be held against paths.
#[derive(Debug)]
pub struct Pattern {
    /// What must start the path, or be it if there is no splat.
    head: Vec<Part>,
    splat: Option<Splat>,
    names: Vec<Box<str>>,
    ends_in_slash: bool,
}

#[derive(Debug)]
enum Part {
    Literal(Box<[u8]>),
    /// A segment but for its suffix, which is empty or starts with a dot.
    Placeholder {
        index: usize,
        suffix: Box<[u8]>,
    },
}

/// A `*`, and what must end the path behind it.
#[derive(Debug)]
struct Splat {
    index: usize,
    /// A slash stands between the head and the splat. It is part of neither.
    is_behind_slash: bool,
    tail: Vec<Part>,
}

/// What a request put in the place of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A part of the path, decoded.
    Path(&'a [u8]),
    /// The value of a query's parameter, as it was received.
    Parameter(&'a [u8]),
}

/// Values by the index of their names.
#[derive(Clone, Copy, Debug)]
pub struct Captures<'a>([Value<'a>; CAPTURES_MAX]);

impl<'a> Captures<'a> {
    pub fn new() -> Captures<'a> {
        Captures([Value::Path(b""); CAPTURES_MAX])
    }

    /// The value of the name at `index`. A pattern has no more names than there is room for.
    pub fn value(&self, index: usize) -> Value<'a> {
        debug_assert!(index < CAPTURES_MAX, "a name beyond all bounds");
        self.0.get(index).copied().unwrap_or(Value::Path(b""))
    }

    pub fn set(&mut self, index: usize, value: Value<'a>) {
        debug_assert!(index < CAPTURES_MAX, "a name beyond all bounds");
        if let Some(slot) = self.0.get_mut(index) {
            *slot = value;
        }
    }
}

impl Default for Captures<'_> {
    fn default() -> Self {
        Captures::new()
    }
}

/// The name of the placeholder that `text` starts with: a colon, a letter, then letters, digits and `_`.
pub fn name_at_start(text: &[u8]) -> Option<&str> {
    let rest = text.strip_prefix(b":").filter(|rest| rest.first().is_some_and(u8::is_ascii_alphabetic))?;
    let end = rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    std::str::from_utf8(&rest[..end.unwrap_or(rest.len())]).ok()
}

impl Pattern {
    /// Parses a pattern; the error says what is wrong and what to do.
    pub fn parse(text: &[u8]) -> Result<Pattern, String> {
        check_form(text)?;
        let mut parser = Parser::default();
        for segment in text.split(|&byte| byte == b'/').filter(|segment| !segment.is_empty()) {
            parser.segment(segment)?;
        }
        Ok(parser.finish(text.ends_with(b"/")))
    }

    /// What the values are called, by index.
    pub fn names(&self) -> &[Box<str>] {
        &self.names
    }

    /// The path that this is, without a slash at its end, if there is but one.
    pub fn literal(&self) -> Option<&[u8]> {
        match (&self.head[..], &self.splat) {
            ([], None) => Some(b""),
            ([Part::Literal(literal)], None) => Some(literal),
            _ => None,
        }
    }

    /// Whether the pattern was written with a slash at its end.
    pub fn ends_in_slash(&self) -> bool {
        self.ends_in_slash
    }

    /// The segments that every match starts with, without a slash at their end.
    pub fn literal_start(&self) -> &[u8] {
        let Some(Part::Literal(literal)) = self.head.first() else { return b"" };
        let is_whole = match &self.splat {
            None => self.head.len() == 1,
            Some(splat) => self.head.len() == 1 && splat.is_behind_slash,
        };
        match literal.iter().rposition(|&byte| byte == b'/') {
            _ if is_whole => literal,
            Some(slash) => &literal[..slash],
            None => b"",
        }
    }

    /// Whether `path`, normalised, is one of those meant. If so the values are in `captures`; if not, some of
    /// them may be, too.
    pub fn matches<'a>(&self, path: &'a [u8], captures: &mut Captures<'a>) -> bool {
        let trimmed = path.strip_suffix(b"/").unwrap_or(path);
        let Some(splat) = &self.splat else {
            // What stands at the end is compared before anything is captured: thousands of patterns may start
            // alike.
            if !self.head.last().is_none_or(|part| trimmed.ends_with(part.end())) {
                return false;
            }
            let end = self.head.iter().try_fold(trimmed, |rest, part| part.strip_from_start(rest, captures));
            return end == Some(b"");
        };
        // What the splat takes up to the end of the path it takes with its slash.
        let path = if splat.tail.is_empty() { path } else { trimmed };
        let rest = self.head.iter().try_fold(path, |rest, part| part.strip_from_start(rest, captures));
        let rest = match rest {
            None => return false,
            Some(b"") if splat.is_behind_slash && splat.tail.is_empty() => b"",
            Some([b'/', rest @ ..]) if splat.is_behind_slash => rest,
            Some(_) if splat.is_behind_slash => return false,
            Some(rest) => rest,
        };
        let value = splat.tail.iter().rev().try_fold(rest, |rest, part| part.strip_from_end(rest, captures));
        captures.set(splat.index, Value::Path(value.unwrap_or_default()));
        value.is_some()
    }
}

impl Part {
    /// What stands at its end, whatever is captured.
    fn end(&self) -> &[u8] {
        match self {
            Part::Literal(end) | Part::Placeholder { suffix: end, .. } => end,
        }
    }

    fn strip_from_start<'a>(&self, path: &'a [u8], captures: &mut Captures<'a>) -> Option<&'a [u8]> {
        match self {
            Part::Literal(literal) => path.strip_prefix(&literal[..]),
            Part::Placeholder { .. } => {
                let end = path.iter().position(|&byte| byte == b'/').unwrap_or(path.len());
                self.capture(&path[..end], captures).then_some(&path[end..])
            }
        }
    }

    fn strip_from_end<'a>(&self, path: &'a [u8], captures: &mut Captures<'a>) -> Option<&'a [u8]> {
        match self {
            Part::Literal(literal) => path.strip_suffix(&literal[..]),
            Part::Placeholder { .. } => {
                let start = path.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
                self.capture(&path[start..], captures).then_some(&path[..start])
            }
        }
    }

    fn capture<'a>(&self, segment: &'a [u8], captures: &mut Captures<'a>) -> bool {
        let Part::Placeholder { index, suffix } = self else { return false };
        let value = segment.strip_suffix(&suffix[..]).filter(|value| !value.is_empty());
        captures.set(*index, Value::Path(value.unwrap_or_default()));
        value.is_some()
    }
}

/// What can be told without looking at the segments.
fn check_form(text: &[u8]) -> Result<(), String> {
    let is_url = text.starts_with(b"http://") || text.starts_with(b"https://");
    if is_url {
        return Err(format!(
            "{} names a host, but the folder is the same for all of them: write the path alone",
            quoted(text)
        ));
    }
    if !text.starts_with(b"/") {
        return Err(format!("{} is no path: start it with a slash", quoted(text)));
    }
    if text.contains(&b'#') {
        return Err(format!("{} has a `#`, but clients keep what is behind it: take it out", quoted(text)));
    }
    match text.iter().position(|&byte| byte == b'?') {
        Some(at) => Err(format!(
            "{} has a `?`: write what is behind it as words of its own, {} NAME=VALUE",
            quoted(text),
            quoted(&text[..at])
        )),
        None => Ok(()),
    }
}

#[derive(Default)]
struct Parser {
    /// The parts in front of the splat, once there is one.
    head: Vec<Part>,
    splat: Option<(usize, bool)>,
    /// The parts since the start or the splat, and the literal that is to be the next.
    parts: Vec<Part>,
    literal: Vec<u8>,
    names: Vec<Box<str>>,
    has_segments: bool,
}

impl Parser {
    fn segment(&mut self, segment: &[u8]) -> Result<(), String> {
        if self.has_segments {
            self.literal.push(b'/');
        }
        if let Some(at) = segment.iter().position(|&byte| byte == b'*') {
            self.splat(&segment[..at], &segment[at + 1..])?;
        } else if let Some(name) = name_at_start(segment) {
            self.placeholder(name, &segment[1 + name.len()..])?;
        } else {
            let start = self.literal.len();
            self.decode(segment)?;
            if matches!(&self.literal[start..], b"." | b"..") {
                return Err(format!(
                    "{} is resolved in every path: write the path without it",
                    quoted(segment)
                ));
            }
        }
        self.has_segments = true;
        Ok(())
    }

    fn splat(&mut self, before: &[u8], behind: &[u8]) -> Result<(), String> {
        if self.splat.is_some() || behind.contains(&b'*') {
            return Err("a path can have one `*` only: leave out the others, or use `:name` for them".into());
        }
        if before.starts_with(b":") && name_at_start(before).is_some() {
            return Err("`*` and `:name` cannot share a segment: put a slash between them".into());
        }
        let is_behind_slash = before.is_empty() && self.literal.pop().is_some();
        self.decode(before)?;
        self.end_literal();
        self.head = std::mem::take(&mut self.parts);
        self.splat = Some((self.name(SPLAT)?, is_behind_slash));
        self.decode(behind)
    }

    fn placeholder(&mut self, name: &str, suffix: &[u8]) -> Result<(), String> {
        // Behind other characters the name ends for one host and goes on for the other.
        if !matches!(suffix, [] | [b'.', ..]) {
            return Err(format!(
                "{} cannot follow `:{name}`: a name has letters, digits and `_`, and a slash or a dot \
                 behind it",
                quoted(suffix)
            ));
        }
        self.end_literal();
        self.decode(suffix)?;
        let suffix = std::mem::take(&mut self.literal).into();
        let index = self.name(name)?;
        self.parts.push(Part::Placeholder { index, suffix });
        Ok(())
    }

    fn name(&mut self, name: &str) -> Result<usize, String> {
        if self.names.iter().any(|other| **other == *name) {
            return Err(format!("there are two values called `:{name}`: give one another name"));
        }
        if self.names.len() == CAPTURES_MAX {
            return Err(format!("more than {CAPTURES_MAX} values are captured: use fewer names"));
        }
        self.names.push(name.into());
        Ok(self.names.len() - 1)
    }

    fn decode(&mut self, raw: &[u8]) -> Result<(), String> {
        target::decode(raw, &mut self.literal).map_err(|error| match error {
            PathError::Malformed => format!("{} has a `%` that escapes nothing: write `%25`", quoted(raw)),
            PathError::NoSuchName => format!("{} has a slash in a name, and no file has", quoted(raw)),
        })
    }

    fn end_literal(&mut self) {
        if !self.literal.is_empty() {
            self.parts.push(Part::Literal(std::mem::take(&mut self.literal).into()));
        }
    }

    fn finish(mut self, ends_in_slash: bool) -> Pattern {
        self.end_literal();
        let (head, splat) = match self.splat {
            None => (self.parts, None),
            Some((index, is_behind_slash)) => {
                (self.head, Some(Splat { index, is_behind_slash, tail: self.parts }))
            }
        };
        Pattern { head, splat, names: self.names, ends_in_slash: ends_in_slash && self.has_segments }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The values by name that `pattern` captures from `path`.
    fn captured(pattern: &str, path: &[u8]) -> Option<Vec<(String, String)>> {
        let pattern = Pattern::parse(pattern.as_bytes()).expect("a good pattern");
        let mut captures = Captures::new();
        if !pattern.matches(path, &mut captures) {
            return None;
        }
        let value = |index| match captures.value(index) {
            Value::Path(value) => String::from_utf8_lossy(value).into_owned(),
            Value::Parameter(_) => panic!("a path has no parameters"),
        };
        let named = pattern.names().iter().enumerate().map(|(index, name)| (name.to_string(), value(index)));
        Some(named.collect())
    }

    #[test]
    fn matches_what_is_meant() {
        let none: &[(&str, &str)] = &[];
        for (pattern, path, expected) in [
            ("/", "", Some(none)),
            ("/", "a", None),
            ("/a", "a", Some(none)),
            ("/a", "a/", Some(none)),
            ("/a", "a/b", None),
            ("/a", "ab", None),
            ("/a", "", None),
            ("/a", "A", None),
            ("/a/", "a", Some(none)),
            ("//a///b", "a/b", Some(none)),
            ("/a%20b/%C3%BC", "a b/ü", Some(none)),
            ("/%2A", "*", Some(none)),
            ("/%2A", "a", None),
            ("/%3Aa", ":a", Some(none)),
            ("/%3Aa", "b", None),
            ("/wiki/Help:Contents", "wiki/Help:Contents", Some(none)),
            ("/wiki/Help:Contents", "wiki/Help:Other", None),
            ("/a/:80", "a/:80", Some(none)),
            ("/...", "...", Some(none)),
            ("/*", "", Some(&[("splat", "")])),
            ("/*", "a/b/", Some(&[("splat", "a/b/")])),
            ("/a/*", "a", Some(&[("splat", "")])),
            ("/a/*", "a/", Some(&[("splat", "")])),
            ("/a/*", "a/b/c", Some(&[("splat", "b/c")])),
            ("/a/*/", "a/b/c", Some(&[("splat", "b/c")])),
            ("/a/*", "ab", None),
            ("/a*", "ab/c", Some(&[("splat", "b/c")])),
            ("/a*", "a", Some(&[("splat", "")])),
            ("/a*", "b", None),
            ("/*.js", "a/b.js", Some(&[("splat", "a/b")])),
            ("/*.js", "b.jsx", None),
            ("/a/*.js", "a/b.js", Some(&[("splat", "b")])),
            ("/a/*.js", "a.js", None),
            ("/a/*/z", "a/b/c/z", Some(&[("splat", "b/c")])),
            ("/a/*/z", "a/b/z/", Some(&[("splat", "b")])),
            ("/a/*/z", "a/z", None),
            ("/a*a", "a", None),
            ("/a*a", "aa", Some(&[("splat", "")])),
            ("/:x", "a", Some(&[("x", "a")])),
            ("/:x", "a/", Some(&[("x", "a")])),
            ("/:x", "", None),
            ("/:x", "a/b", None),
            ("/n/:y/:m_2/s", "n/2004/02/s", Some(&[("y", "2004"), ("m_2", "02")])),
            ("/n/:y/:m_2/s", "n/2004/s", None),
            ("/:y/:post.html", "a/b.html", Some(&[("y", "a"), ("post", "b")])),
            ("/:post.html", "b.htm", None),
            ("/:post.html", ".html", None),
            ("/:lang/*", "de", Some(&[("lang", "de"), ("splat", "")])),
            ("/:lang/*", "de/a/b", Some(&[("lang", "de"), ("splat", "a/b")])),
            ("/:lang/*", "", None),
            ("/*/by/:name", "a/b/by/c", Some(&[("splat", "a/b"), ("name", "c")])),
            ("/*/:last", "a/b/c", Some(&[("splat", "a/b"), ("last", "c")])),
            ("/*/:last", "c", None),
            ("/*/:last.md", "a/c.md", Some(&[("splat", "a"), ("last", "c")])),
        ] {
            let expected: Option<Vec<_>> = expected.map(|pairs| {
                pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
            });
            assert_eq!(captured(pattern, path.as_bytes()), expected, "{pattern} {path}");
        }
        assert_eq!(captured("/%FF", b"\xff"), Some(vec![]));
        assert_eq!(captured("/:x", b"\xff"), Some(vec![("x".to_owned(), "\u{fffd}".to_owned())]));
    }

    #[test]
    fn refuses_what_could_never_match_or_is_not_clear() {
        let many: String = (0..=CAPTURES_MAX).map(|index| format!("/:a{index}")).collect();
        for (pattern, hint) in [
            ("", "start it with a slash"),
            ("a", "start it with a slash"),
            ("https://example.com/a", "names a host"),
            ("http://example.com/a", "names a host"),
            ("/a?b=c", "`/a` NAME=VALUE"),
            ("/a#b", "take it out"),
            ("/a/../b", "resolved"),
            ("/a/%2e", "resolved"),
            ("/a%", "escapes nothing"),
            ("/a%00", "escapes nothing"),
            ("/a%2Fb", "slash in a name"),
            ("/*/*", "one `*`"),
            ("/a**", "one `*`"),
            ("/:a*", "share a segment"),
            ("/:a/:a", "called `:a`"),
            ("/:splat/*", "called `:splat`"),
            ("/:my-slug", "cannot follow `:my`"),
            (&many, "more than 16"),
        ] {
            let complaint = Pattern::parse(pattern.as_bytes()).expect_err(pattern);
            assert!(complaint.contains(hint), "{pattern}: {complaint}");
        }
    }

    #[test]
    fn tells_what_is_literal() {
        for (pattern, literal, start) in [
            ("/", Some(""), ""),
            ("/a/b/", Some("a/b"), "a/b"),
            ("/*", None, ""),
            ("/a/b/*", None, "a/b"),
            ("/a/b*", None, "a"),
            ("/ab*", None, ""),
            ("/a/:b/c", None, "a"),
            ("/a/:b/*", None, "a"),
            ("/:b/c", None, ""),
            ("/*.js", None, ""),
        ] {
            let parsed = Pattern::parse(pattern.as_bytes()).expect(pattern);
            assert_eq!(parsed.literal(), literal.map(str::as_bytes), "{pattern}");
            assert_eq!(parsed.literal_start(), start.as_bytes(), "{pattern}");
        }
        let ends_in_slash =
            |pattern: &str| Pattern::parse(pattern.as_bytes()).expect(pattern).ends_in_slash();
        assert!(ends_in_slash("/a/") && !ends_in_slash("/a") && !ends_in_slash("/"));
    }

    #[test]
    fn no_path_is_tried_twice() {
        let pattern = Pattern::parse(b"/a/:b/*/a/a/a/:c/a").expect("a good pattern");
        // Were anything tried twice, this would not end.
        let path = b"a/".repeat(1_000_000);
        assert!(pattern.matches(&path, &mut Captures::new()));
        assert!(!pattern.matches(&[&path[..], b"b"].concat(), &mut Captures::new()));
    }

    /// What a pattern means, by trying everything: the parts as text, each with the values that follow.
    fn is_meant(pattern: &[&str], path: &str) -> bool {
        let Some((part, rest)) = pattern.split_first() else { return path.is_empty() };
        match *part {
            "*" => (0..=path.len()).any(|end| is_meant(rest, &path[end..])),
            ":" => {
                let end = path.find('/').unwrap_or(path.len());
                (1..=end).any(|end| is_meant(rest, &path[end..]))
            }
            literal => path.strip_prefix(literal).is_some_and(|path| is_meant(rest, path)),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_pattern_is_parsed_or_refused_and_held_against_any_path(
            pattern in "/[a*:/.%2]{0,12}",
            path in "([a2*:.]{1,2}/?){0,6}",
        ) {
            if let Ok(pattern) = Pattern::parse(pattern.as_bytes()) {
                pattern.matches(path.as_bytes(), &mut Captures::new());
            }
        }

        /// Without trying anything twice the verdict is that of trying everything.
        #[test]
        fn the_verdict_is_that_of_a_search(
            head in prop::collection::vec(prop::sample::select(vec!["a", "b", ":"]), 0..3),
            tail in prop::collection::vec(prop::sample::select(vec!["a", "b", ":"]), 1..3),
            path in "[ab](/[ab]){0,5}",
        ) {
            let mut names = 0..;
            let mut written = String::new();
            let mut meant = Vec::new();
            let segments = head.into_iter().chain(["*"]).chain(tail);
            for (index, segment) in segments.enumerate() {
                written.push('/');
                written.push_str(segment);
                if segment == ":" {
                    written.push_str(&format!("n{}", names.next().expect("endless")));
                }
                meant.extend((index > 0).then_some("/"));
                meant.push(segment);
            }
            let pattern = Pattern::parse(written.as_bytes()).expect("a good pattern");
            let found = pattern.matches(path.as_bytes(), &mut Captures::new());
            prop_assert_eq!(found, is_meant(&meant, &path), "{} {}", written, path);
        }
    }
}
