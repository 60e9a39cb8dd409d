//! From a file's name, and the start of its content, to its `Content-Type`.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::charset;
use crate::http::negotiate::Coding;

/// A media type, with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    text: Cow<'static, str>,
    by: By,
}

/// What tells the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// The name alone, or whoever runs the server.
    Name,
    /// The name, of a text; in which characters it is written, its content tells.
    NameAndContent,
    /// The name, unless the content is text: `.ts` is a video to the registry and TypeScript to most.
    NameUnlessText,
    /// The content alone.
    Content,
}

/// The type of the pages pws makes itself.
pub const HTML: &str = "text/html; charset=utf-8";
/// The type of listings for programs.
pub const JSON: &str = "application/json";
/// The type of what says nothing of itself ...
const BYTES: &str = "application/octet-stream";
/// ... and of such that can be read.
const TEXT: &str = "text/plain; charset=utf-8";
/// What is said of text, since everything else is rare today, unless its content is against it.
const UTF_8: &str = "; charset=utf-8";

impl ContentType {
    fn of_known(essence: &'static str) -> ContentType {
        match essence {
            "video/mp2t" => ContentType { text: essence.into(), by: By::NameUnlessText },
            _ if essence.starts_with("text/") => {
                ContentType { text: format!("{essence}{UTF_8}").into(), by: By::NameAndContent }
            }
            _ => ContentType { text: essence.into(), by: By::Name },
        }
    }

    fn untold() -> ContentType {
        ContentType { text: BYTES.into(), by: By::Content }
    }

    /// Whether the name of the file tells it, but for the characters.
    pub fn is_told(&self) -> bool {
        self.by != By::Content
    }

    /// Whether the start of the content has a say in it.
    pub fn rests_on_content(&self) -> bool {
        self.by != By::Name
    }

    /// The type of what has such a name and starts with `start`: the whole, or
    /// [`START_BYTES`](charset::START_BYTES) of it.
    pub fn in_light_of(&self, start: &[u8]) -> ContentType {
        let essence = self.text.split(';').next().unwrap_or_default();
        let text = match self.by {
            By::Name => return self.clone(),
            By::NameAndContent if charset::may_be_utf_8(essence, start) => format!("{essence}{UTF_8}").into(),
            By::NameAndContent => essence.to_owned().into(),
            By::Content | By::NameUnlessText if charset::is_utf_8_text(start) => TEXT.into(),
            By::NameUnlessText => return self.clone(),
            By::Content => BYTES.into(),
        };
        ContentType { text, by: self.by }
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
            Some((_, content_type)) => ContentType { text: content_type.clone().into(), by: By::Name },
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
    fn content_has_a_say_where_the_name_leaves_something_open() {
        let added = vec![("foo".to_owned(), "text/foo".to_owned())];
        let types = MediaTypes::with(added);
        for (path, start, expected) in [
            ("a.html", &b"<p>"[..], "text/html; charset=utf-8"),
            ("a.html", b"<p>\xE9", "text/html"),
            ("a.css", b"@charset \"koi8-r\";", "text/css"),
            ("LICENSE", b"free", "text/plain; charset=utf-8"),
            ("LICENSE", b"\x00", "application/octet-stream"),
            ("a.lock", b"[[package]]", "text/plain; charset=utf-8"),
            ("a.png", b"text", "image/png"),
            ("a.ts", b"let a: number", "text/plain; charset=utf-8"),
            ("a.ts", b"G\x40\x00\x10", "video/mp2t"),
            ("a.foo", b"\xE9", "text/foo"),
        ] {
            let named = types.of_path(path.as_bytes());
            let seen = named.in_light_of(start);
            assert_eq!(seen.as_str(), expected, "{path}");
            // Looked at again, the name still counts.
            assert_eq!(seen.in_light_of(b"a"), named.in_light_of(b"a"), "{path}");
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
