//! What the start of a text tells of its characters: whether it is UTF-8, and whether it says to be something
//! else.
//!
//! A charset in a head overrules what a document says of itself, so it must not be claimed against it. Where
//! a document says, or shows, that it is not UTF-8, nothing is claimed, and browsers go by the document.

/// How much of the start is looked at: as much as the HTML Standard has browsers look at for a declaration.
pub const START_BYTES: usize = 1024;

const MARKUP_DECLARATION: &[u8] = b"encoding";
const HTML_DECLARATION: &[u8] = b"charset";
const CSS_DECLARATION: &[u8] = b"@charset \"";

/// Whether a text of this media type that starts with `start` may be said to be UTF-8: nothing in there is
/// against it.
pub fn may_be_utf_8(essence: &str, start: &[u8]) -> bool {
    if !is_utf_8(start) {
        return false;
    }
    let declared = match essence {
        "text/html" => declared_in_html(start),
        "text/xml" => declared_in_xml(start),
        "text/css" => start.strip_prefix(CSS_DECLARATION).map(label),
        _ => None,
    };
    let declared = declared.filter(|label| !label.is_empty());
    declared.is_none_or(|label| [&b"utf-8"[..], b"utf8"].iter().any(|name| label.eq_ignore_ascii_case(name)))
}

/// Whether what starts with `start` is text that can be shown: UTF-8 without the bytes that the MIME Sniffing
/// Standard (§3) takes for a sign of something else.
pub fn is_utf_8_text(start: &[u8]) -> bool {
    let is_binary = |byte: &u8| matches!(byte, 0..=0x08 | 0x0B | 0x0E..=0x1A | 0x1C..=0x1F);
    is_utf_8(start) && !start.iter().any(is_binary)
}

/// Whether `start` is UTF-8, which no text with a byte order mark of UTF-16 is; a character may be cut off at
/// its end.
fn is_utf_8(start: &[u8]) -> bool {
    match std::str::from_utf8(start) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && start.len() == START_BYTES,
    }
}

/// The label in the first `meta` element that has one, as the HTML Standard's prescan finds it, more or less.
fn declared_in_html(start: &[u8]) -> Option<&[u8]> {
    let mut rest = start;
    while let Some(open) = find(rest, b"<") {
        rest = &rest[open..];
        if rest.starts_with(b"<!--") {
            rest = &rest[find(rest, b"-->")?..];
        } else if is_tag(rest, b"<meta") {
            let end = find(rest, b">").unwrap_or(rest.len());
            if let Some(value) = value_of(&rest[..end], HTML_DECLARATION) {
                return Some(value);
            }
        } else if is_tag(rest, b"<body") {
            return None;
        }
        rest = &rest[1..];
    }
    None
}

/// The label in an XML declaration, which stands at the very start.
fn declared_in_xml(start: &[u8]) -> Option<&[u8]> {
    if !is_tag(start, b"<?xml") {
        return None;
    }
    value_of(&start[..find(start, b"?>")?], MARKUP_DECLARATION)
}

fn is_tag(bytes: &[u8], tag: &[u8]) -> bool {
    let has_name = bytes.get(..tag.len()).is_some_and(|name| name.eq_ignore_ascii_case(tag));
    has_name && bytes.get(tag.len()).is_some_and(|byte| byte.is_ascii_whitespace() || b"/>".contains(byte))
}

/// What stands behind `name` and an equals sign, with quotes or without.
fn value_of<'a>(bytes: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut starts = bytes.windows(name.len()).enumerate();
    starts.find_map(|(start, window)| {
        let behind = window.eq_ignore_ascii_case(name).then(|| &bytes[start + name.len()..])?;
        let value = behind.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
        let quoted = value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'"));
        Some(label(quoted.unwrap_or(value)))
    })
}

/// The label at the start of `bytes`.
fn label(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.trim_ascii_start();
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"\"';/>".contains(byte);
    &bytes[..bytes.iter().position(is_end).unwrap_or(bytes.len())]
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charset_is_not_claimed_against_the_document() {
        for (essence, start, may_be) in [
            ("text/html", &b"<p>plain"[..], true),
            ("text/html", b"", true),
            ("text/html", "<p>é".as_bytes(), true),
            ("text/html", b"<p>\xE9", false),
            ("text/html", b"\xEF\xBB\xBF<p>", true),
            ("text/html", b"\xFF\xFE<\0p\0>\0", false),
            ("text/plain", b"\xFE\xFF\0a", false),
            ("text/plain", b"\xFF\xFE\0\0a\0\0\0", false),
            ("text/html", b"<!doctype html><meta charset=utf-8>", true),
            ("text/html", b"<META CHARSET = 'UTF-8' />", true),
            ("text/html", b"<meta charset=\"windows-1252\">", false),
            ("text/html", b"<meta charset=ISO-8859-1><meta charset=utf-8>", false),
            ("text/html", b"<meta http-equiv=Content-Type content=\"text/html; charset=Shift_JIS\">", false),
            ("text/html", b"<meta http-equiv=Content-Type content='text/html; charset=utf8'>", true),
            ("text/html", b"<!-- <meta charset=koi8-r> --><meta charset=utf-8>", true),
            ("text/html", b"<!-- <meta charset=koi8-r>", true),
            ("text/html", b"<meta name=charset-of content=x><meta charset=koi8-r>", false),
            ("text/html", b"<metadata charset=koi8-r>", true),
            ("text/html", b"<body><p>&lt;meta charset=koi8-r> <meta charset=koi8-r>", true),
            ("text/html", b"<meta charset=", true),
            ("text/plain", b"<meta charset=koi8-r>", true),
            ("text/xml", b"<?xml version='1.0' encoding='ISO-8859-1'?>", false),
            ("text/xml", b"<?xml version='1.0' encoding=\"UTF-8\"?>", true),
            ("text/xml", b"<a>encoding='koi8-r'</a>", true),
            ("text/css", b"@charset \"iso-8859-15\"; a{}", false),
            ("text/css", b"@charset \"utf-8\";", true),
            ("text/css", b"a{} @charset \"iso-8859-15\";", true),
            ("text/javascript", b"// \xFC", false),
        ] {
            let shown = String::from_utf8_lossy(start);
            assert_eq!(may_be_utf_8(essence, start), may_be, "{essence} {shown}");
        }
    }

    #[test]
    fn a_character_may_be_cut_off_where_the_look_ends() {
        let text = "é".repeat(START_BYTES);
        assert!(is_utf_8(&text.as_bytes()[..START_BYTES]));
        assert!(is_utf_8(&[b"a", text.as_bytes()].concat()[..START_BYTES]), "cut");
        assert!(!is_utf_8(&text.as_bytes()[..START_BYTES - 1]), "of a file that ends in the middle of one");
        assert!(!is_utf_8(&text.as_bytes()[1..][..START_BYTES]), "in the middle of one at the start");
    }

    #[test]
    fn text_is_told_from_other_bytes() {
        for (start, is_text) in [
            (&b"all: build\n\tcargo build\r\n"[..], true),
            (b"", true),
            ("Straße \x1B[1mbold\x1B[0m\x0C".as_bytes(), true),
            (b"\x7FELF\x02", false),
            (b"a\0b", false),
            (b"caf\xE9", false),
            (b"\x89PNG\r\n\x1A\n", false),
            (b"GIF89a", true),
        ] {
            assert_eq!(is_utf_8_text(start), is_text, "{}", start.escape_ascii());
        }
    }
}
