//! From a file's name to its `Content-Type`.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::http::negotiate::Coding;

/// A media type, with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    text: Cow<'static, str>,
    /// The name of the file tells it; else it is that of all bytes.
    pub is_told: bool,
}

/// The type of the pages pws makes itself.
pub const HTML: &str = "text/html; charset=utf-8";
/// The type of listings for programs.
pub const JSON: &str = "application/json";
/// The type of what says nothing of itself.
const BYTES: &str = "application/octet-stream";

impl ContentType {
    /// Text is said to be UTF-8, since a file does not tell and everything else is rare today.
    fn of_known(essence: &'static str) -> ContentType {
        let text = match essence.starts_with("text/") {
            true => format!("{essence}; charset=utf-8").into(),
            false => essence.into(),
        };
        ContentType { text, is_told: true }
    }

    fn untold() -> ContentType {
        ContentType { text: BYTES.into(), is_told: false }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Bytes of memory it holds on the heap.
    pub fn heap_bytes(&self) -> usize {
        if let Cow::Owned(text) = &self.text { text.capacity() } else { 0 }
    }
}

/// What pws knows, as people keep it. One text, searched when a file is opened: as a table of pointers it
/// would be a tenth of the memory that an idle server takes.
const TYPES: &str = include_str!("mime.types");

/// From extensions to types.
#[derive(Debug, Default)]
pub struct MediaTypes {
    /// Extensions and types that come before those that pws knows.
    added: Vec<(String, String)>,
}

impl MediaTypes {
    /// The types pws knows, and before them those `added`, each an extension without its dot and a type that
    /// is sent as it stands.
    pub fn with(added: Vec<(String, String)>) -> MediaTypes {
        MediaTypes { added }
    }

    /// The type for the name at the end of `path`, by its extension; bytes where that says nothing.
    pub fn of_path(&self, path: &[u8]) -> ContentType {
        let extension = Path::new(OsStr::from_bytes(path)).extension().and_then(OsStr::to_str);
        let Some(extension) = extension else { return ContentType::untold() };
        // The last one counts, as with every option.
        let added = self.added.iter().rev().find(|(known, _)| known.eq_ignore_ascii_case(extension));
        match added {
            Some((_, content_type)) => ContentType { text: content_type.clone().into(), is_told: true },
            None => known(extension).map_or_else(ContentType::untold, ContentType::of_known),
        }
    }
}

/// How a file is coded as it lies there, where the name says so and its type is that of what is coded:
/// browsers show no `.svgz` otherwise.
pub fn stored_coding(path: &[u8]) -> Option<Coding> {
    let extension = Path::new(OsStr::from_bytes(path)).extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("svgz")).then_some(Coding::Gzip)
}

fn known(extension: &str) -> Option<&'static str> {
    TYPES.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let essence = words.next()?;
        words.any(|known| known.eq_ignore_ascii_case(extension)).then_some(essence)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_by_the_extension() {
        for (path, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("a/STYLE.CSS", "text/css; charset=utf-8"),
            ("app.js", "text/javascript; charset=utf-8"),
            ("loop.svg", "image/svg+xml"),
            ("data.json", "application/json"),
            ("module.wasm", "application/wasm"),
            ("font.woff2", "font/woff2"),
            ("photo.avif", "image/avif"),
            ("archive.tar.gz", "application/gzip"),
            ("LICENSE", "application/octet-stream"),
            ("v1.2/LICENSE", "application/octet-stream"),
            ("odd.nosuchthing", "application/octet-stream"),
        ] {
            assert_eq!(MediaTypes::default().of_path(path.as_bytes()).as_str(), expected, "{path}");
        }
    }

    #[test]
    fn what_was_added_comes_first() {
        let added = [("md", "text/html"), ("foo", "text/foo; charset=latin1"), ("MD", "text/x-md")];
        let types = MediaTypes::with(added.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec());
        for (path, expected) in [
            ("a.Md", "text/x-md"),
            ("b.foo", "text/foo; charset=latin1"),
            ("c.css", "text/css; charset=utf-8"),
        ] {
            assert_eq!(types.of_path(path.as_bytes()).as_str(), expected, "{path}");
        }
    }

    #[test]
    fn every_extension_has_one_type() {
        let mut extensions = Vec::new();
        for line in TYPES.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let mut words = line.split_ascii_whitespace();
            let essence = words.next().expect("a type");
            assert!(essence.split('/').count() == 2 && essence.is_ascii(), "{line}");
            let count = extensions.len();
            extensions.extend(words.map(str::to_ascii_lowercase));
            assert!(extensions.len() > count, "{line}");
        }
        let count = extensions.len();
        extensions.sort();
        extensions.dedup();
        assert_eq!(extensions.len(), count);
    }
}
