//! Where a rule leads: a path of this site, or a URL anywhere.
//!
//! A captured value decides what is in a destination, never where it leads. What stands for the host is
//! literal. A path of this site is filled in as a URL, then decoded and normalised like that of a request,
//! and written anew behind a single slash: whatever was captured, it is no `//host`, has no dot segments and
//! no line end.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::captures::{Captures, Names, Value, name_at_start};
use super::store::{Run, Store};
use super::template::{Place, Template};
use super::text::quoted;
use crate::http::target::{self, Malformed};

const SCHEMES: [&[u8]; 2] = [b"https://", b"http://"];
/// Bytes that a destination may have with what was captured in its holes, as that was received: room for
/// the longest target some times over. A line full of holes would make megabytes of it.
const RAW_BYTES_MAX: usize = 32 * 1024;

/// A path or URL with holes. What it is made of is in the [`Store`] it was parsed into.
#[derive(Clone, Copy, Debug)]
pub struct Destination {
    /// Scheme and host of another site; empty for this one.
    origin: Run,
    path: Template,
    /// The path as it is opened, if it is one of this site and has no holes.
    fixed_path: Option<Run>,
    query: Option<Template>,
    fragment: Option<Template>,
}

impl Destination {
    /// Whether a word of a rule is meant as its destination.
    pub fn is_meant(word: &[u8]) -> bool {
        word.starts_with(b"/") || SCHEMES.iter().any(|scheme| word.starts_with(scheme))
    }

    /// Parses a destination of a rule that captures `names` into `store`; the error says what is wrong and
    /// what to do, and leaves it to the caller to take back what is half stored.
    pub fn parse(text: &[u8], names: &Names, store: &mut Store) -> Result<Destination, String> {
        check_names(text, names)?;
        let (origin, rest) = split_origin(text)?;
        let (rest, fragment) = split(rest, b'#');
        let (path, query) = split(rest, b'?');
        let origin = store.add_text(origin);
        // In ASCII, whatever it was written in.
        let mut template =
            |text: &[u8]| Template::parse(&target::encode_received(text).to_string(), names, store);
        let mut destination = Destination {
            origin,
            path: template(path),
            fixed_path: None,
            query: query.map(&mut template),
            fragment: fragment.map(template),
        };
        if destination.is_local() {
            destination.check_path(text, names, store)?;
        }
        Ok(destination)
    }

    /// Whether this is a path of this site.
    pub fn is_local(&self) -> bool {
        self.origin.is_empty()
    }

    /// Whether this is `path`, normalised, whatever was captured, and has no query of its own.
    pub fn is_exactly(&self, store: &Store, path: &[u8]) -> bool {
        self.query.is_none() && self.fixed_path.is_some_and(|fixed| fixed.of(&store.bytes) == path)
    }

    /// Whether it is of a length that can be of use with `captures` in its holes.
    pub fn fits(&self, store: &Store, captures: &Captures) -> bool {
        let templates = [Some(&self.path), self.query.as_ref(), self.fragment.as_ref()];
        let raw_bytes = templates.iter().flatten().map(|template| template.raw_bytes(store, captures));
        raw_bytes.sum::<usize>() <= RAW_BYTES_MAX
    }

    /// The normalised path, if it is one of this site.
    pub fn path<'s>(&self, store: &'s Store, captures: &Captures) -> Option<Cow<'s, [u8]>> {
        match self.fixed_path {
            Some(path) => Some(Cow::Borrowed(path.of(&store.bytes))),
            None if self.is_local() => Some(Cow::Owned(self.filled_path(store, captures).ok()?)),
            None => None,
        }
    }

    /// The value of a Location field for a client that asked for `path`, normalised, with `query`; `None` if
    /// the client would be led to where it is. The query is passed on unless the destination has its own.
    pub fn location(
        &self,
        store: &Store,
        captures: &Captures,
        path: &[u8],
        query: Option<&[u8]>,
    ) -> Option<String> {
        let own_query = self.query.as_ref().map(|template| {
            let mut text = String::new();
            template.fill(store, captures, Place::Query, &mut text);
            text
        });
        let mut location = String::new();
        if self.is_local() {
            let leads_to = self.path(store, captures)?;
            let keeps_query =
                own_query.as_ref().is_none_or(|own| own.as_bytes() == query.unwrap_or_default());
            if *leads_to == *path && keeps_query {
                return None;
            }
            // Cannot fail: writing to memory.
            let _ = write!(location, "/{}", target::encode(&leads_to));
        } else {
            location.push_str(store.text(self.origin));
            self.path.fill(store, captures, Place::Path, &mut location);
        }
        let passed_query = || query.map(|query| target::encode_received(query).to_string());
        let query = own_query.or_else(passed_query).filter(|query| !query.is_empty());
        if let Some(query) = query {
            location.push('?');
            location.push_str(&query);
        }
        if let Some(fragment) = &self.fragment {
            location.push('#');
            fragment.fill(store, captures, Place::Query, &mut location);
        }
        Some(location)
    }

    fn filled_path(&self, store: &Store, captures: &Captures) -> Result<Vec<u8>, Malformed> {
        let mut text = String::new();
        self.path.fill(store, captures, Place::Path, &mut text);
        let mut path = Vec::with_capacity(text.len());
        target::normalise(text.as_bytes(), &mut path)?;
        Ok(path)
    }

    /// Tries the path out with something in its holes that completes no escape.
    fn check_path(&mut self, text: &[u8], names: &Names, store: &mut Store) -> Result<(), String> {
        let mut captures = Captures::new();
        names.indexes().for_each(|index| captures.set(index, Value::Path(b"x")));
        let path = self
            .filled_path(store, &captures)
            .map_err(|Malformed| format!("{} has a `%` that escapes nothing: write `%25`", quoted(text)))?;
        if self.path.text(store).is_some() {
            self.fixed_path = Some(store.add_bytes(&path));
        }
        Ok(())
    }
}

/// Sets scheme and host apart; empty if there are none.
fn split_origin(text: &[u8]) -> Result<(&str, &[u8]), String> {
    let Some(scheme) = SCHEMES.iter().find(|scheme| text.starts_with(scheme)) else {
        return match text {
            [b'/', b'/', ..] => Err(format!(
                "{} could be a path or a host: write one slash, or `https:` in front",
                quoted(text)
            )),
            _ => Ok(("", text)),
        };
    };
    let rest = &text[scheme.len()..];
    let authority_len = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
    let (authority, _) = rest.split_at(authority_len);
    let (origin, rest) = text.split_at(scheme.len() + authority_len);
    let is_good = !matches!(authority, [] | [b':', ..]) && target::is_authority(authority, false);
    match std::str::from_utf8(origin) {
        Ok(origin) if is_good => Ok((origin, rest)),
        _ => Err(format!(
            "{} is no host: write its name as it is, in ASCII, without placeholders",
            quoted(authority)
        )),
    }
}

/// Complains about what looks like a value but is none.
fn check_names(text: &[u8], names: &Names) -> Result<(), String> {
    let is_known = |name: &str| names.index_of(name).is_some();
    if text.contains(&b'*') && is_known("splat") {
        return Err(format!("the `*` in {} would stand for itself: write `:splat`", quoted(text)));
    }
    for (at, _) in text.windows(2).enumerate().filter(|(_, pair)| b"/=".contains(&pair[0])) {
        match name_at_start(&text[at + 1..]).filter(|name| !is_known(name)) {
            Some("splat") => {
                return Err("there is no `*` for `:splat` to stand for: put one into the path".into());
            }
            Some(name) => {
                let in_quotes = |colon: &[u8]| quoted(&[colon, name.as_bytes()].concat()).to_string();
                let (meant, escaped) = (in_quotes(b":"), in_quotes(b"%3A"));
                return Err(format!(
                    "nothing in front is called {meant}: name it there too, or write {escaped} if it stands \
                     for itself"
                ));
            }
            None => {}
        }
    }
    Ok(())
}

/// Splits at the first `separator`, which is left out.
fn split(text: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&byte| byte == separator) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A destination of a rule that captures some, with all that it needs.
    fn parse(text: &str) -> Result<(Destination, Store), String> {
        let mut store = Store::default();
        store.add_text("of other rules");
        let names = Names::of(&["splat", "x", "q"]);
        Ok((Destination::parse(text.as_bytes(), &names, &mut store)?, store))
    }

    /// The location for a client that asked for `asked?query`.
    fn location(text: &str, splat: &[u8], query: Option<&str>) -> Option<String> {
        let mut captures = Captures::new();
        captures.set(0, Value::Path(splat));
        captures.set(1, Value::Path(b"b c"));
        captures.set(2, Value::Parameter(b"d%2F..%2f+e"));
        let (destination, store) = parse(text).expect(text);
        destination.location(&store, &captures, b"asked", query.map(str::as_bytes))
    }

    #[test]
    fn writes_locations() {
        for (text, splat, query, expected) in [
            ("/", "", None, "/"),
            ("/a/", "", None, "/a/"),
            ("/a/:splat", "s/t/", None, "/a/s/t/"),
            ("/a/:splat", "", None, "/a/"),
            ("/:x/:splat.html", "s", None, "/b%20c/s.html"),
            ("/ü%20\\", "", None, "/%C3%BC%20%5C"),
            ("/a:80/b:c", "", None, "/a:80/b:c"),
            ("/a/../b/./c", "", None, "/b/c"),
            ("/a/:q", "", None, "/a/%20e"),
            ("/a?x=:x&s=:splat#:x", "s&t/u", None, "/a?x=b%20c&s=s%26t/u#b%20c"),
            ("/a?", "", Some("q=1"), "/a"),
            ("/a", "", Some("q=1&ü"), "/a?q=1&%C3%BC"),
            ("/a", "", Some(""), "/a"),
            ("/a#f", "", Some("q=1"), "/a?q=1#f"),
            ("/a?b=c", "", Some("q=1"), "/a?b=c"),
            ("/asked/", "", None, "/asked/"),
            ("https://example.com", "", Some("q=1"), "https://example.com?q=1"),
            ("https://example.com:8080/a/:splat", "s/t", None, "https://example.com:8080/a/s/t"),
            ("http://[::1]/ü?a=:x#ü", "", None, "http://[::1]/%C3%BC?a=b%20c#%C3%BC"),
            ("https://example.com/wiki/Help:Contents", "", None, "https://example.com/wiki/Help:Contents"),
        ] {
            assert_eq!(location(text, splat.as_bytes(), query).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn nobody_is_led_to_where_they_are() {
        for (text, splat, query, is_same) in [
            ("/asked", "", None, true),
            ("/asked", "", Some("q=1"), true),
            ("/asked#f", "", None, true),
            ("/:splat", "asked", None, true),
            ("/./asked", "", None, true),
            ("/asked?q=1", "", None, false),
            ("/asked?q=1", "", Some("q=2"), false),
            ("/asked?q=1", "", Some("q=1"), true),
            ("/asked/", "", None, false),
            ("https://example.com/asked", "", None, false),
        ] {
            assert_eq!(location(text, splat.as_bytes(), query).is_none(), is_same, "{text} {query:?}");
        }
    }

    #[test]
    fn a_value_leads_nowhere_else() {
        for (text, splat, expected) in [
            ("/:splat", "/evil.example", "/evil.example"),
            ("/:splat", "//evil.example/", "/evil.example/"),
            ("/:splat", "\\evil.example", "/%5Cevil.example"),
            ("/:splat", "a\r\nSet-Cookie: b=c", "/a%0D%0ASet-Cookie:%20b=c"),
            ("/:splat", "https://evil.example", "/https:/evil.example"),
            ("/a/:splat", "../../b", "/b"),
            ("/:splat/:x", "", "/b%20c"),
            ("/?q=:splat", "a\r\nb&c#d", "/?q=a%0D%0Ab%26c%23d"),
            ("https://example.com/:splat", "/evil.example", "https://example.com//evil.example"),
            ("https://example.com/:splat", "@evil.example?a#b", "https://example.com/@evil.example%3Fa%23b"),
        ] {
            assert_eq!(location(text, splat.as_bytes(), None).as_deref(), Some(expected), "{text} {splat}");
        }
    }

    #[test]
    fn refuses_what_is_not_clear() {
        for (text, hint) in [
            ("//example.com/a", "a path or a host"),
            ("https://", "no host"),
            ("https:///a", "no host"),
            ("https://:x.example.com/", "no host"),
            ("https://:x/", "no host"),
            ("https://example.com:x", "no host"),
            ("https://example.com:splat/", "no host"),
            ("https://user@example.com/", "no host"),
            ("https://exämple.com/", "no host"),
            ("/a/*", "write `:splat`"),
            ("/a/:y", "called `:y`"),
            ("/a?b=:y", "called `:y`"),
            ("/a%", "escapes nothing"),
            ("/a%:x", "escapes nothing"),
            ("/a%2:x", "escapes nothing"),
        ] {
            let complaint = parse(text).map(|_| ()).expect_err(text);
            assert!(complaint.contains(hint), "{text}: {complaint}");
        }
        let mut store = Store::default();
        let complaint =
            Destination::parse(b"/a/:splat", &Names::default(), &mut store).expect_err("no splat");
        assert!(complaint.contains("no `*`"), "{complaint}");
    }

    #[test]
    fn what_is_filled_in_has_a_bound() {
        let mut captures = Captures::new();
        let value = b"v".repeat(8 * 1024);
        captures.set(0, Value::Path(&value));
        for (text, expected) in [
            ("/:splat".to_owned(), true),
            ("/a/:splat?b=:splat#:splat".to_owned(), true),
            ("/:splat:splat?b=:splat#:splat".to_owned(), false),
            ("https://example.com/:splat:splat:splat:splat:splat".to_owned(), false),
            (format!("/{}", ":splat".repeat(1000)), false),
            (format!("/{}", ":x".repeat(4000)), true),
        ] {
            let (destination, store) = parse(&text).expect("a destination");
            assert_eq!(destination.fits(&store, &captures), expected, "{text}");
            let len = destination.location(&store, &captures, b"", None).map_or(0, |location| location.len());
            assert!(!expected || len <= 3 * RAW_BYTES_MAX, "{len}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever is captured: the location is ASCII without white space, on this site, and leads there.
        #[test]
        fn any_value_makes_a_good_location(
            text in "/[a.%]{0,2}/?:splat[./\\\\]{0,2}",
            splat in prop::collection::vec(prop::sample::select(b"a./\\:?#%&@ \r\n\t\xff".to_vec()), 0..12),
        ) {
            let Ok((destination, store)) = parse(&text) else { return Ok(()) };
            let mut captures = Captures::new();
            captures.set(0, Value::Path(&splat));
            let location = destination.location(&store, &captures, b"asked", None).expect("a location");
            prop_assert!(location.starts_with('/') && !location.starts_with("//"), "{}", location);
            let is_fit = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
            prop_assert!(location.bytes().all(is_fit), "{}", location);
            let mut path = Vec::new();
            prop_assert_eq!(target::normalise(location.as_bytes(), &mut path), Ok(()));
            prop_assert_eq!(&path[..], &*destination.path(&store, &captures).expect("a path"));
        }
    }
}
