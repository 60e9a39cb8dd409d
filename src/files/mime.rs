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

/// The type for the name at the end of `path`, by its extension; bytes where that says nothing.
pub fn of_path(path: &[u8]) -> ContentType {
    let extension = Path::new(OsStr::from_bytes(path)).extension().and_then(OsStr::to_str);
    let essence = extension.and_then(|extension| mime_guess::from_ext(extension).first_raw());
    ContentType { essence: essence.unwrap_or("application/octet-stream") }
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
}
