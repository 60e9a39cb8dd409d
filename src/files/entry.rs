//! One entry of a folder.

use std::borrow::Cow;
use std::fmt::{self, Display};

use crate::http::target;

/// What an entry is, in the order in which a listing shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    Folder,
    File,
}

/// What a listing tells of a file or a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// As the disk has it: any bytes but NUL and the slash.
    pub name: &'a [u8],
    pub kind: EntryKind,
    /// Bytes in a file; of a folder nobody asks.
    pub len: u64,
    pub modified_unix_secs: i64,
}

impl<'a> Entry<'a> {
    /// The size that is shown and sorted by: only a file has one.
    pub fn size(&self) -> Option<u64> {
        (self.kind == EntryKind::File).then_some(self.len)
    }

    /// The name as text. What is no UTF-8 is lost; the [link](Entry::link) is exact.
    pub fn text(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.name)
    }

    /// The entry as a URL, relative to its folder's. The name follows `./`, so that the `a:` of `a:b` is no
    /// scheme (RFC 3986 §4.2); a folder's link ends in a slash, to spare the client a redirect.
    pub fn link(&self) -> impl Display + use<'a> {
        Link { before: "./", name: target::encode(self.name), behind: self.slash() }
    }

    /// The same for readers of HTML, many of which know neither `./` nor `&amp;`, and end a link at either
    /// kind of quote: the bare name, in which all stands escaped that could mean something else.
    pub fn href(&self) -> impl Display + use<'a> {
        Link { before: "", name: target::encode_value(self.name), behind: self.slash() }
    }

    /// What stands behind a folder's name.
    pub fn slash(&self) -> &'static str {
        if self.kind == EntryKind::Folder { "/" } else { "" }
    }
}

struct Link<N> {
    before: &'static str,
    name: N,
    behind: &'static str,
}

impl<N: Display> Display for Link<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Link { before, name, behind } = self;
        write!(formatter, "{before}{name}{behind}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_exact_and_relative() {
        for (name, kind, link, href) in [
            (&b"a.txt"[..], EntryKind::File, "./a.txt", "a.txt"),
            (b"a b", EntryKind::Folder, "./a%20b/", "a%20b/"),
            (b"a:b", EntryKind::File, "./a:b", "a%3Ab"),
            (b"javascript:alert(1)", EntryKind::File, "./javascript:alert(1)", "javascript%3Aalert%281%29"),
            (b"#?%\\", EntryKind::File, "./%23%3F%25%5C", "%23%3F%25%5C"),
            (b"%41", EntryKind::File, "./%2541", "%2541"),
            (b"\"<>\n", EntryKind::File, "./%22%3C%3E%0A", "%22%3C%3E%0A"),
            (b"R&D's", EntryKind::File, "./R&D's", "R%26D%27s"),
            (b"-_.~", EntryKind::File, "./-_.~", "-_.~"),
            (b"\xff\xc3", EntryKind::Folder, "./%FF%C3/", "%FF%C3/"),
            ("é".as_bytes(), EntryKind::File, "./%C3%A9", "%C3%A9"),
        ] {
            let entry = Entry { name, kind, len: 0, modified_unix_secs: 0 };
            assert_eq!(entry.link().to_string(), link);
            assert_eq!(entry.href().to_string(), href);
        }
    }
}
