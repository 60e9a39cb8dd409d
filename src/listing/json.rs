//! A listing as JSON (RFC 8259), for programs.
//!
//! ```json
//! {"path":"/docs/","sorted":true,"entries":[
//! {"name":"guide","type":"folder","modified":"1994-11-06T08:49:37Z","url":"./guide/"},
//! {"name":"a b.txt","type":"file","size":7,"modified":"1994-11-06T08:49:37Z","url":"./a%20b.txt"}
//! ]}
//! ```
//!
//! `path` and `name` are text: what is no UTF-8 stands as U+FFFD. `url` is exact, and relative to the folder.
//! Only a file has a `size`, in bytes. One entry stands on one line, for tools that know lines.

use std::fmt::{self, Display, Write as _};
use std::io::Write as _;

use super::query::Sort;
use crate::date;
use crate::files::entry::{Entry, EntryKind};

/// A document in the making.
#[derive(Clone, Copy, Debug)]
pub struct Document {
    is_empty: bool,
}

impl Document {
    /// Starts the document of the folder at `path`; see [`Listing::start`](super::Listing::start).
    pub fn start(path: &[u8], sort: Option<Sort>, out: &mut Vec<u8>) -> Document {
        push(out, "{\"path\":");
        push_string(out, format_args!("/{}", String::from_utf8_lossy(path)));
        push(out, if sort.is_some() { ",\"sorted\":true" } else { ",\"sorted\":false" });
        push(out, ",\"entries\":[");
        Document { is_empty: true }
    }

    /// Appends an entry.
    pub fn entry(&mut self, entry: &Entry, out: &mut Vec<u8>) {
        push(out, if self.is_empty { "\n{\"name\":" } else { ",\n{\"name\":" });
        self.is_empty = false;
        push_string(out, entry.text());
        push(
            out,
            match entry.kind {
                EntryKind::Folder => ",\"type\":\"folder\"",
                EntryKind::File => ",\"type\":\"file\"",
            },
        );
        if let Some(size) = entry.size() {
            // Cannot fail: writing to memory.
            let _ = write!(out, ",\"size\":{size}");
        }
        push(out, ",\"modified\":");
        push_string(out, String::from_utf8_lossy(&date::format_rfc3339(entry.modified_unix_secs)));
        push(out, ",\"url\":");
        push_string(out, entry.link());
        push(out, "}");
    }

    /// Ends the document.
    pub fn end(self, out: &mut Vec<u8>) {
        push(out, "\n]}\n");
    }
}

fn push(out: &mut Vec<u8>, json: &str) {
    out.extend_from_slice(json.as_bytes());
}

fn push_string(out: &mut Vec<u8>, text: impl Display) {
    push(out, "\"");
    // Cannot fail: writing to memory.
    let _ = write!(Escaped(out), "{text}");
    push(out, "\"");
}

/// Makes what is written the inside of a string (RFC 8259 §7).
struct Escaped<'a>(&'a mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            match byte {
                b'"' => push(self.0, "\\\""),
                b'\\' => push(self.0, "\\\\"),
                // Cannot fail: writing to memory.
                ..b' ' => drop(write!(self.0, "\\u{byte:04x}")),
                // Letters of many bytes have none of the above among them.
                _ => self.0.push(byte),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn document(path: &[u8], sort: Option<Sort>, entries: &[Entry]) -> Value {
        let mut out = Vec::new();
        let mut document = Document::start(path, sort, &mut out);
        entries.iter().for_each(|entry| document.entry(entry, &mut out));
        document.end(&mut out);
        serde_json::from_slice(&out).expect("JSON")
    }

    fn entry(name: &[u8], kind: EntryKind, len: u64) -> Entry<'_> {
        Entry { name, kind, len, modified_unix_secs: 784_111_777 }
    }

    #[test]
    fn tells_of_each_entry() {
        let entries = [
            entry(b"guide", EntryKind::Folder, 4096),
            entry(b"a \"b\".txt", EntryKind::File, u64::MAX),
            entry(b"caf\xe9", EntryKind::File, 0),
        ];
        let modified = "1994-11-06T08:49:37Z";
        let expected = json!({"path": "/docs/", "sorted": true, "entries": [
            {"name": "guide", "type": "folder", "modified": modified, "url": "./guide/"},
            {"name": "a \"b\".txt", "type": "file", "size": u64::MAX, "modified": modified,
             "url": "./a%20%22b%22.txt"},
            {"name": "caf\u{fffd}", "type": "file", "size": 0, "modified": modified, "url": "./caf%E9"},
        ]});
        assert_eq!(document(b"docs/", Some(Sort::default()), &entries), expected);
    }

    #[test]
    fn an_empty_folder_and_an_unsorted_one_are_documents_too() {
        let expected = json!({"path": "/", "sorted": true, "entries": []});
        assert_eq!(document(b"", Some(Sort::default()), &[]), expected);
        let expected = json!({"path": "/\u{fffd}\"\n/", "sorted": false, "entries": []});
        assert_eq!(document(b"\xff\"\n/", None, &[]), expected);
    }

    #[test]
    fn one_entry_stands_on_one_line() {
        let mut out = Vec::new();
        Document { is_empty: true }.entry(&entry(b"a\n\r\x1f\x7fb\\", EntryKind::File, 7), &mut out);
        let expected = "\n{\"name\":\"a\\u000a\\u000d\\u001f\x7fb\\\\\",\"type\":\"file\",\"size\":7,\
            \"modified\":\"1994-11-06T08:49:37Z\",\"url\":\"./a%0A%0D%1F%7Fb%5C\"}";
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_name_reads_back(name in prop::collection::vec(any::<u8>(), 1..=255)) {
            let name: Vec<u8> = name.into_iter().filter(|byte| ![0, b'/'].contains(byte)).collect();
            let document = document(&name, None, &[entry(&name, EntryKind::File, 1)]);
            let read = &document["entries"][0];
            prop_assert_eq!(&read["name"], &json!(String::from_utf8_lossy(&name)));
            let link = read["url"].as_str().and_then(|url| url.strip_prefix("./")).expect("a relative link");
            prop_assert_eq!(percent_decode_str(link).collect::<Vec<u8>>(), name);
        }
    }
}
