//! From a file's name to its `Content-Type`.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A media type; text is said to be UTF-8, since a file does not tell and everything else is rare today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentType {
    essence: &'static str,
}

/// The type of the pages pws makes itself.
pub const HTML: ContentType = ContentType { essence: "text/html" };

impl fmt::Display for ContentType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.essence)?;
        if self.essence.starts_with("text/") { formatter.write_str("; charset=utf-8") } else { Ok(()) }
    }
}

/// What pws knows, as people keep it. One text, searched when a file is opened: as a table of pointers it
/// would be a tenth of the memory that an idle server takes.
const TYPES: &str = include_str!("mime.types");

/// The type for the name at the end of `path`, by its extension; bytes where that says nothing.
pub fn of_path(path: &[u8]) -> ContentType {
    let extension = Path::new(OsStr::from_bytes(path)).extension().and_then(OsStr::to_str);
    ContentType { essence: extension.and_then(of_extension).unwrap_or("application/octet-stream") }
}

fn of_extension(extension: &str) -> Option<&'static str> {
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
            assert_eq!(of_path(path.as_bytes()).to_string(), expected, "{path}");
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
