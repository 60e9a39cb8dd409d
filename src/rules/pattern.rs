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
//! so nothing is ever tried twice. A [`Path`] tells where its segments end, so that of the path only as much
//! is gone through as the pattern has text: a match costs what it takes to read the pattern, however long the
//! path is.

use std::ops::Range;

use super::captures::{Captures, Names, Value, name_at_start};
use super::path::Path;
use super::store::{Part, Run, Store};
use super::text::quoted;
use crate::http::target::{self, Malformed};

/// What the value of `*` is called.
const SPLAT: &str = "splat";

/// A pattern, ready to be held against paths. What it is made of is in a [`Store`], the one it was parsed
/// into.
#[derive(Clone, Copy, Debug)]
pub struct Pattern {
    /// The text of all parts, in order.
    text: Run,
    parts: Run,
    /// How much of the text every match starts with: whole segments, without a slash at their end.
    start_len: u16,
    /// Parts that must start the path, or be it if there is no splat. The others must end it.
    head_len: u8,
    splat: Option<Splat>,
    ends_in_slash: bool,
}

#[derive(Clone, Copy, Debug)]
struct Splat {
    index: u8,
    /// A slash stands between the head and the splat. It is part of neither.
    is_behind_slash: bool,
}

impl Pattern {
    /// Parses a pattern into `store`; the error says what is wrong and what to do, and leaves it to the
    /// caller to take back what is half stored.
    pub fn parse(text: &[u8], store: &mut Store) -> Result<(Pattern, Names), String> {
        check_form(text)?;
        let mut parser = Parser::into(store);
        for segment in text.split(|&byte| byte == b'/').filter(|segment| !segment.is_empty()) {
            parser.segment(segment)?;
        }
        Ok(parser.finish(text.ends_with(b"/")))
    }

    /// The path that this is, without a slash at its end, if there is but one.
    pub fn literal<'s>(&self, store: &'s Store) -> Option<&'s [u8]> {
        let is_one = self.splat.is_none() && self.parts.of(&store.parts).iter().all(Part::is_literal);
        is_one.then(|| self.text.of(&store.bytes))
    }

    /// Whether every path is one of those meant.
    pub fn is_everything(&self) -> bool {
        self.splat.is_some() && self.parts.is_empty()
    }

    /// Whether the pattern was written with a slash at its end.
    pub fn ends_in_slash(&self) -> bool {
        self.ends_in_slash
    }

    /// The segments that every match starts with, without a slash at their end.
    pub fn literal_start<'s>(&self, store: &'s Store) -> &'s [u8] {
        &self.text.of(&store.bytes)[..usize::from(self.start_len)]
    }

    /// Whether `path` is one of those meant. If so the values are in `captures`; if not, some of them may be,
    /// too.
    pub fn matches<'a>(&self, store: &Store, path: &Path<'a>, captures: &mut Captures<'a>) -> bool {
        let text = self.text.of(&store.bytes);
        let (head, tail) = self.parts.of(&store.parts).split_at(self.head_len.into());
        let trimmed = path.trimmed();
        let Some(splat) = self.splat else {
            // What stands at the end is compared before anything is captured: thousands of patterns may start
            // alike.
            let end_len = head.last().map_or(0, |part| usize::from(part.text_len));
            if !ends_with(trimmed, &text[text.len() - end_len..]) {
                return false;
            }
            let mut held = Held { path, captures, text, rest: 0..trimmed.len() };
            return held.strip_from_start(head) && held.rest.is_empty();
        };
        // What the splat takes up to the end of the path it takes with its slash.
        let end = if tail.is_empty() { path.bytes.len() } else { trimmed.len() };
        let mut held = Held { path, captures, text, rest: 0..end };
        if !held.strip_from_start(head) {
            return false;
        }
        if splat.is_behind_slash && !(held.rest.is_empty() && tail.is_empty()) {
            if path.bytes[held.rest.clone()].first() != Some(&b'/') {
                return false;
            }
            held.rest.start += 1;
        }
        if !held.strip_from_end(tail) {
            return false;
        }
        let value = Value::Path(&path.bytes[held.rest]);
        captures.set(splat.index, value);
        true
    }
}

/// What of a path and of a pattern's text is not yet held against each other.
struct Held<'h, 'a> {
    path: &'h Path<'a>,
    captures: &'h mut Captures<'a>,
    text: &'h [u8],
    rest: Range<usize>,
}

impl Held<'_, '_> {
    fn strip_from_start(&mut self, parts: &[Part]) -> bool {
        parts.iter().all(|part| {
            let (text, behind) = self.text.split_at(part.text_len.into());
            self.text = behind;
            match part.index {
                None => {
                    let is_there = starts_with(&self.path.bytes[self.rest.clone()], text);
                    self.rest.start += if is_there { text.len() } else { 0 };
                    is_there
                }
                Some(index) => {
                    let segment = self.rest.start..self.path.segment_end(self.rest.start).min(self.rest.end);
                    self.rest.start = segment.end;
                    self.capture(index, segment, text)
                }
            }
        })
    }

    fn strip_from_end(&mut self, parts: &[Part]) -> bool {
        parts.iter().rev().all(|part| {
            let (before, text) = self.text.split_at(self.text.len() - usize::from(part.text_len));
            self.text = before;
            match part.index {
                None => {
                    let is_there = ends_with(&self.path.bytes[self.rest.clone()], text);
                    self.rest.end -= if is_there { text.len() } else { 0 };
                    is_there
                }
                Some(index) => {
                    let segment = self.path.segment_start(self.rest.end).max(self.rest.start)..self.rest.end;
                    self.rest.end = segment.start;
                    self.capture(index, segment, text)
                }
            }
        })
    }

    fn capture(&mut self, index: u8, segment: Range<usize>, suffix: &[u8]) -> bool {
        let segment = &self.path.bytes[segment];
        let is_there = segment.len() > suffix.len() && ends_with(segment, suffix);
        if is_there {
            self.captures.set(index, Value::Path(&segment[..segment.len() - suffix.len()]));
        }
        is_there
    }
}

/// Most texts between two operators are a slash or nothing: these are compared without a call.
fn starts_with(path: &[u8], text: &[u8]) -> bool {
    match text {
        [] => true,
        [byte] => path.first() == Some(byte),
        _ => path.starts_with(text),
    }
}

fn ends_with(path: &[u8], text: &[u8]) -> bool {
    match text {
        [] => true,
        [byte] => path.last() == Some(byte),
        _ => path.ends_with(text),
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

/// A pattern in the making. Its text and its parts go to the end of the store's.
struct Parser<'s> {
    store: &'s mut Store,
    text_start: usize,
    parts_start: usize,
    /// Where the literal starts that is to be the next part.
    literal_start: usize,
    /// The splat, once there is one, and the parts in front of it.
    splat: Option<(Splat, usize)>,
    names: Names,
    has_segments: bool,
}

impl Parser<'_> {
    fn into(store: &mut Store) -> Parser<'_> {
        let (text_start, parts_start) = (store.bytes.len(), store.parts.len());
        Parser {
            store,
            text_start,
            parts_start,
            literal_start: text_start,
            splat: None,
            names: Names::default(),
            has_segments: false,
        }
    }

    fn segment(&mut self, segment: &[u8]) -> Result<(), String> {
        if self.has_segments {
            self.store.bytes.push(b'/');
        }
        if let Some(at) = segment.iter().position(|&byte| byte == b'*') {
            self.splat(&segment[..at], &segment[at + 1..])?;
        } else if let Some(name) = name_at_start(segment) {
            self.placeholder(name, &segment[1 + name.len()..])?;
        } else {
            let start = self.store.bytes.len();
            self.decode(segment)?;
            if matches!(&self.store.bytes[start..], b"." | b"..") {
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
        let is_behind_slash = before.is_empty() && self.store.bytes.len() > self.literal_start;
        if is_behind_slash {
            self.store.bytes.pop();
        }
        self.decode(before)?;
        self.end_part(None);
        let index = self.names.add(SPLAT)?;
        self.splat = Some((Splat { index, is_behind_slash }, self.store.parts.len()));
        self.decode(behind)
    }

    fn placeholder(&mut self, name: &str, suffix: &[u8]) -> Result<(), String> {
        // Behind other characters the name ends for one host and goes on for the other.
        if !matches!(suffix, [] | [b'.', ..]) {
            return Err(format!(
                "{} cannot follow {}: a name has letters, digits and `_`, and a slash or a dot \
                 behind it",
                quoted(suffix),
                quoted(&[b":", name.as_bytes()].concat())
            ));
        }
        self.end_part(None);
        self.decode(suffix)?;
        let index = self.names.add(name)?;
        self.end_part(Some(index));
        Ok(())
    }

    fn decode(&mut self, raw: &[u8]) -> Result<(), String> {
        let start = self.store.bytes.len();
        target::decode(raw, &mut self.store.bytes)
            .map_err(|Malformed| format!("{} has a `%` that escapes nothing: write `%25`", quoted(raw)))?;
        match self.store.bytes[start..].contains(&b'/') {
            true => Err(format!("{} has a slash that is escaped: write `/`", quoted(raw))),
            false => Ok(()),
        }
    }

    /// Makes a part of the text that has come since the last one. A literal that is empty is none.
    fn end_part(&mut self, index: Option<u8>) {
        let text_len = (self.store.bytes.len() - self.literal_start) as u16;
        if text_len > 0 || index.is_some() {
            self.store.parts.push(Part { text_len, index });
        }
        self.literal_start = self.store.bytes.len();
    }

    fn finish(mut self, ends_in_slash: bool) -> (Pattern, Names) {
        self.end_part(None);
        let Parser { store, text_start, parts_start, splat, names, has_segments, .. } = self;
        let head_end = splat.map_or(store.parts.len(), |(_, parts_end)| parts_end);
        let splat = splat.map(|(splat, _)| splat);
        let head = &store.parts[parts_start..head_end];
        // A literal is whole segments if nothing else follows, or a slash.
        let is_whole = head.len() == 1 && splat.is_none_or(|splat| splat.is_behind_slash);
        let literal_len = head.first().filter(|part| part.is_literal()).map_or(0, |part| part.text_len);
        let literal = &store.bytes[text_start..][..literal_len.into()];
        let start_len = match literal.iter().rposition(|&byte| byte == b'/') {
            _ if is_whole => literal.len(),
            slash => slash.unwrap_or(0),
        };
        let pattern = Pattern {
            text: Run::between(text_start, store.bytes.len()),
            parts: Run::between(parts_start, store.parts.len()),
            start_len: start_len as u16,
            head_len: head.len() as u8,
            splat,
            ends_in_slash: ends_in_slash && has_segments,
        };
        (pattern, names)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::captures::CAPTURES_MAX;

    /// A pattern with all that it needs.
    struct Parsed {
        store: Store,
        pattern: Pattern,
        names: Names,
    }

    impl Parsed {
        fn parse(text: &[u8]) -> Result<Parsed, String> {
            // Behind others, as in a file.
            let mut store = Store::default();
            let _ = Pattern::parse(b"/other/:text/*", &mut store).expect("a good pattern");
            let (pattern, names) = Pattern::parse(text, &mut store)?;
            Ok(Parsed { store, pattern, names })
        }

        fn matches(&self, path: &[u8]) -> bool {
            self.pattern.matches(&self.store, &Path::new(path), &mut Captures::new())
        }
    }

    /// The values by name that `pattern` captures from `path`.
    fn captured(pattern: &str, path: &[u8]) -> Option<Vec<(String, String)>> {
        let Parsed { store, pattern, names } = Parsed::parse(pattern.as_bytes()).expect("a good pattern");
        let mut captures = Captures::new();
        if !pattern.matches(&store, &Path::new(path), &mut captures) {
            return None;
        }
        let value = |index| match captures.value(index) {
            Value::Path(value) => String::from_utf8_lossy(value).into_owned(),
            Value::Parameter(_) => panic!("a path has no parameters"),
        };
        let named = names.indexes().zip(names.iter()).map(|(index, name)| (name.to_owned(), value(index)));
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
            ("/a%2Fb", "slash that is escaped"),
            ("/*/*", "one `*`"),
            ("/a**", "one `*`"),
            ("/:a*", "share a segment"),
            ("/:a/:a", "called `:a`"),
            ("/:splat/*", "called `:splat`"),
            ("/:my-slug", "cannot follow `:my`"),
            (&many, "more than 16"),
        ] {
            let complaint = Parsed::parse(pattern.as_bytes()).map(|_| ()).expect_err(pattern);
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
            let Parsed { store, pattern: parsed, .. } = Parsed::parse(pattern.as_bytes()).expect(pattern);
            assert_eq!(parsed.literal(&store), literal.map(str::as_bytes), "{pattern}");
            assert_eq!(parsed.literal_start(&store), start.as_bytes(), "{pattern}");
            assert_eq!(parsed.is_everything(), pattern == "/*");
        }
        let ends_in_slash =
            |pattern: &str| Parsed::parse(pattern.as_bytes()).expect(pattern).pattern.ends_in_slash();
        assert!(ends_in_slash("/a/") && !ends_in_slash("/a") && !ends_in_slash("/"));
    }

    #[test]
    fn no_path_is_tried_twice() {
        let pattern = Parsed::parse(b"/a/:b/*/a/a/a/:c/a").expect("a good pattern");
        // Were anything tried twice, this would not end.
        let path = b"a/".repeat(1_000_000);
        assert!(pattern.matches(&path));
        assert!(!pattern.matches(&[&path[..], b"b"].concat()));
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
            if let Ok(pattern) = Parsed::parse(pattern.as_bytes()) {
                pattern.matches(path.as_bytes());
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
            let pattern = Parsed::parse(written.as_bytes()).expect("a good pattern");
            let found = pattern.matches(path.as_bytes());
            prop_assert_eq!(found, is_meant(&meant, &path), "{} {}", written, path);
        }
    }
}
