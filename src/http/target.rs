//! The request target: its forms, and from a raw path to the one path that is opened.
//!
//! A path is decoded once and normalised once, here. Everything behind this (rules, the disk, `Location`)
//! sees only the normalised path; what keeps a client below the root is not this code but the kernel.

use std::fmt::Display;
use std::net::Ipv6Addr;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_encode};

use super::bytes::REGISTERED_NAME;
use super::method::Method;
use super::refusal::Refusal;

/// A request target taken apart, nothing decoded (RFC 9112 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// Origin form, or absolute form with its authority set apart: what people ask for.
    Path { authority: Option<&'a [u8]>, path: &'a [u8], query: Option<&'a [u8]> },
    /// `*`: the server as a whole, for OPTIONS only.
    Asterisk,
    /// `host:port`, for CONNECT only.
    Authority,
}

/// A path has a `%` without two hex digits behind it, or an encoded NUL: no URL has these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl<'a> Target<'a> {
    /// Takes the target of a request line apart, if it fits a form that `method` may use.
    pub fn parse(target: &'a [u8], method: Method) -> Result<Target<'a>, Refusal> {
        let is_fit = |byte: u8| (byte > b' ') & (byte != 0x7f) & (byte != b'#');
        if !target.iter().fold(true, |are_fit, &byte| are_fit & is_fit(byte)) {
            return Err(Refusal::Target);
        }
        match (method, target) {
            (Method::Connect, _) if is_authority(target, true) => Ok(Target::Authority),
            (Method::Connect, _) => Err(Refusal::Target),
            (Method::Options, b"*") => Ok(Target::Asterisk),
            (_, [b'/', ..]) => Ok(split_query(None, target)),
            _ => absolute(target),
        }
    }
}

fn split_query<'a>(authority: Option<&'a [u8]>, target: &'a [u8]) -> Target<'a> {
    match target.iter().position(|&byte| byte == b'?') {
        Some(at) => Target::Path { authority, path: &target[..at], query: Some(&target[at + 1..]) },
        None => Target::Path { authority, path: target, query: None },
    }
}

/// `http://host/path?query`; scheme and host in any case, an empty path is `/`. What is to be had by TLS is
/// not to be had here (RFC 9110 §7.4).
fn absolute(target: &[u8]) -> Result<Target<'_>, Refusal> {
    let behind = |scheme: &[u8]| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    let (is_other, rest) = match (behind(b"http://"), behind(b"https://")) {
        (Some(rest), _) => (false, rest),
        (None, Some(rest)) => (true, rest),
        (None, None) => return Err(Refusal::Target),
    };
    let authority_end = rest.iter().position(|byte| b"/?".contains(byte)).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(authority_end);
    if matches!(authority, [] | [b':', ..]) || !is_authority(authority, false) {
        return Err(Refusal::Target);
    }
    match split_query(Some(authority), rest) {
        _ if is_other => Err(Refusal::OtherScheme),
        Target::Path { authority, path: b"", query } => Ok(Target::Path { authority, path: b"/", query }),
        target => Ok(target),
    }
}

/// `uri-host [ ":" port ]` (RFC 9110 §7.2), also what a Host field must be. User information is refused.
pub fn is_authority(authority: &[u8], port_required: bool) -> bool {
    let host_end = match authority {
        [b'[', ..] => match authority.iter().position(|&byte| byte == b']') {
            Some(end) if is_ip_literal(&authority[1..end]) => end + 1,
            _ => return false,
        },
        _ => registered_name_len(authority),
    };
    match &authority[host_end..] {
        [] | [b':'] => !port_required,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// How far the bytes at the start of `text` are a `reg-name` (RFC 3986 §3.2.2).
fn registered_name_len(text: &[u8]) -> usize {
    let mut len = 0;
    loop {
        let rest = &text[len..];
        len += rest.iter().position(|&byte| !REGISTERED_NAME.holds(byte)).unwrap_or(rest.len());
        match &text[len..] {
            [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => len += 3,
            _ => return len,
        }
    }
}

/// An IPv6 address, or one of a version that is still to come (RFC 3986 §3.2.2).
fn is_ip_literal(text: &[u8]) -> bool {
    let is_of_future = || {
        let [b'v' | b'V', rest @ ..] = text else { return false };
        let Some(dot) = rest.iter().position(|&byte| byte == b'.') else { return false };
        let (version, address) = (&rest[..dot], &rest[dot + 1..]);
        let is_fit = |byte: &u8| *byte == b':' || REGISTERED_NAME.holds(*byte);
        !version.is_empty()
            && version.iter().all(u8::is_ascii_hexdigit)
            && !address.is_empty()
            && address.iter().all(is_fit)
    };
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok()) || is_of_future()
}

/// Decodes `path` and resolves its `.` and `..` segments (RFC 3986 §5.2.4) into `out`, which is cleared
/// first.
///
/// What comes out is relative to the root: no slash in front, none doubled, and one at the end exactly if a
/// folder was asked for. The root itself is empty. Names are bytes and need not be UTF-8. No name has a slash
/// in it, so an encoded one is a slash like any other, as on other servers: clients ask for `@scope%2Fname`.
pub fn normalise(path: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    out.clear();
    if let [b'/', rest @ ..] = path
        && is_plain(rest)
    {
        out.extend_from_slice(rest);
        return Ok(());
    }
    decode(path, out)?;
    let (mut written, mut read) = (0, 0);
    while read < out.len() {
        let slash = out[read..].iter().position(|&byte| byte == b'/').map(|at| read + at);
        let end = slash.unwrap_or(out.len());
        match &out[read..end] {
            b"" | b"." => {}
            b".." => written = folder_above(&out[..written]),
            _ => {
                // With its slash, if it has one.
                let behind = slash.map_or(end, |slash| slash + 1);
                out.copy_within(read..behind, written);
                written += behind - read;
            }
        }
        read = end + 1;
    }
    out.truncate(written);
    Ok(())
}

/// Whether nothing is to be decoded or resolved: nothing escaped, no segment empty or with a dot in front. So
/// are most paths, and taking them as they are saves a request a tenth of its time outside the kernel.
fn is_plain(path: &[u8]) -> bool {
    let mut before = b'/';
    path.iter().all(|&byte| {
        let is_special = byte == b'%' || before == b'/' && (byte == b'/' || byte == b'.');
        before = byte;
        !is_special
    })
}

/// Decodes a path, or a part of one, onto the end of `out`.
pub fn decode(raw: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    if !raw.contains(&b'%') {
        out.extend_from_slice(raw);
        return Ok(());
    }
    let mut bytes = raw.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        match bytes.next().zip(bytes.next()).and_then(|(high, low)| escaped(*high, *low)) {
            None | Some(0) => return Err(Malformed),
            Some(byte) => out.push(byte),
        }
    }
    Ok(())
}

/// The byte that stands escaped by two hex digits.
fn escaped(high: u8, low: u8) -> Option<u8> {
    let digit = |byte| char::from(byte).to_digit(16);
    digit(high).zip(digit(low)).map(|(high, low)| (high * 16 + low) as u8)
}

/// How much of `a/b/` is `a/`; above the root there is nothing.
fn folder_above(folder: &[u8]) -> usize {
    let name_end = folder.len().saturating_sub(1);
    folder[..name_end].iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1)
}

/// Everything that may stand in a path segment as it is (RFC 3986 §3.3), and the slash.
const PATH_CHARACTERS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// What must not stand in a part of a target as it is; escapes that are there already stay.
const NOT_IN_TARGET: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'\\');

/// What may stand in the value of a query's parameter, or in a fragment, and mean nothing but itself.
const VALUE_CHARACTERS: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The way back: a normalised path as it stands in a URL, in ASCII, without the slash in front.
pub fn encode(path: &[u8]) -> impl Display + '_ {
    percent_encode(path, PATH_CHARACTERS)
}

/// A part of a target as it was received, made ASCII where it was not.
pub fn encode_received(part: &[u8]) -> impl Display + '_ {
    percent_encode(part, NOT_IN_TARGET)
}

/// `part` of a path as it was received, without `end`, however that is encoded there.
pub fn without_end<'a>(part: &'a [u8], end: &[u8]) -> &'a [u8] {
    let without = end.iter().rev().try_fold(part, |part, &byte| match part {
        [rest @ .., last] if *last == byte => Some(rest),
        [rest @ .., b'%', high, low] if escaped(*high, *low) == Some(byte) => Some(rest),
        _ => None,
    });
    without.unwrap_or(part)
}

/// Bytes as the value of a query's parameter, or as a part of a fragment: nothing in them ends either.
pub fn encode_value(value: &[u8]) -> impl Display + '_ {
    percent_encode(value, VALUE_CHARACTERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(path: &str) -> Result<String, Malformed> {
        let mut out = b"left over".to_vec();
        normalise(path.as_bytes(), &mut out)?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    #[test]
    fn normalises() {
        for (path, expected) in [
            ("/", ""),
            ("/index.html", "index.html"),
            ("/docs", "docs"),
            ("/docs/", "docs/"),
            ("//docs///a", "docs/a"),
            ("/docs/.", "docs/"),
            ("/docs/./a", "docs/a"),
            ("/docs/..", ""),
            ("/docs/../a", "a"),
            ("/a/b/../c", "a/c"),
            ("/a/b/..", "a/"),
            ("/../../etc/passwd", "etc/passwd"),
            ("/%2e%2e/%2E%2e/etc/passwd", "etc/passwd"),
            ("/.%2e/x", "x"),
            ("/...", "..."),
            ("/a%20b", "a b"),
            ("/%C3%A9t%c3%a9", "été"),
            ("/%252e", "%2e"),
            ("/\\..\\a", "\\..\\a"),
            // Decoded before anything else, and once.
            ("/@scope%2fname", "@scope/name"),
            ("/a%2F", "a/"),
            ("/%2f%2Fa%2f.", "a/"),
            ("/..%2f..%2Fetc", "etc"),
            ("/a%2f..%2fb", "b"),
            ("/a/b%2f..%2f..%2fc", "c"),
            ("/a/.%2fb", "a/b"),
            ("/a%252fb", "a%2fb"),
        ] {
            assert_eq!(normalised(path).as_deref(), Ok(expected), "{path}");
        }
    }

    #[test]
    fn refuses_what_no_path_can_be() {
        for path in ["/%", "/%1", "/%zz", "/%+1", "/a%00b", "/a%2", "/a%2f%"] {
            assert_eq!(normalised(path), Err(Malformed), "{path}");
        }
    }

    #[test]
    fn encodes_back() {
        assert_eq!(encode("a b/ü?#%\\\r\n".as_bytes()).to_string(), "a%20b/%C3%BC%3F%23%25%5C%0D%0A");
        assert_eq!(encode_received("q=%20&ü=\\".as_bytes()).to_string(), "q=%20&%C3%BC=%5C");
    }

    #[test]
    fn an_end_is_taken_off_however_it_is_encoded() {
        for (part, end, expected) in [
            ("about.html", ".html", "about"),
            ("about%2Eh%74ml", ".html", "about"),
            ("%2F.html", ".html", "%2F"),
            ("a%2findex.html", "index.html", "a%2f"),
            (".html", ".html", ""),
            ("about.htm", ".html", "about.htm"),
            ("html", ".html", "html"),
            ("%2", "2", "%"),
            ("a", "", "a"),
        ] {
            let without = without_end(part.as_bytes(), end.as_bytes());
            assert_eq!(String::from_utf8_lossy(without), expected, "{part}");
        }
        assert_eq!(encode_value(b"a/b &c=d+%\r\n#").to_string(), "a/b%20%26c%3Dd%2B%25%0D%0A%23");
    }

    #[test]
    fn a_host_may_be_an_address_of_any_version() {
        for (authority, is_valid) in [
            ("[::1]", true),
            ("[v1.fe80::a]:80", true),
            ("[vF.a!b$c]", true),
            ("[V1f.~]", true),
            ("[v.a]", false),
            ("[v1.]", false),
            ("[v1a]", false),
            ("[vg.a]", false),
            ("[v1.a/b]", false),
            ("[v1.a%20]", false),
            ("[v1.a@b]", false),
            ("[1.a]", false),
        ] {
            assert_eq!(is_authority(authority.as_bytes(), false), is_valid, "{authority}");
        }
    }

    #[test]
    fn knows_the_forms() {
        let path = |path: &'static str, query: Option<&'static str>| {
            Ok(Target::Path { authority: None, path: path.as_bytes(), query: query.map(str::as_bytes) })
        };
        let absolute = |authority: &'static str, path: &'static str, query: Option<&'static str>| {
            let (authority, query) = (Some(authority.as_bytes()), query.map(str::as_bytes));
            Ok(Target::Path { authority, path: path.as_bytes(), query })
        };
        for (method, target, expected) in [
            (Method::Get, "/a?b?c", path("/a", Some("b?c"))),
            (Method::Get, "/a?", path("/a", Some(""))),
            (Method::Get, "http://host/a", absolute("host", "/a", None)),
            (Method::Get, "HTTP://Host:8080?q", absolute("Host:8080", "/", Some("q"))),
            (Method::Get, "http://[::1]:80/a", absolute("[::1]:80", "/a", None)),
            (Method::Get, "http:///a", Err(Refusal::Target)),
            (Method::Get, "http://user@host/", Err(Refusal::Target)),
            (Method::Get, "https://host/a", Err(Refusal::OtherScheme)),
            (Method::Get, "HTTPS://Host", Err(Refusal::OtherScheme)),
            (Method::Get, "https://user@host/", Err(Refusal::Target)),
            (Method::Get, "ftp://host/", Err(Refusal::Target)),
            (Method::Get, "a/b", Err(Refusal::Target)),
            (Method::Get, "/a#b", Err(Refusal::Target)),
            (Method::Get, "/a\tb", Err(Refusal::Target)),
            (Method::Get, "*", Err(Refusal::Target)),
            (Method::Options, "*", Ok(Target::Asterisk)),
            (Method::Connect, "host:443", Ok(Target::Authority)),
            (Method::Connect, "host", Err(Refusal::Target)),
            (Method::Connect, "/", Err(Refusal::Target)),
        ] {
            assert_eq!(Target::parse(target.as_bytes(), method), expected, "{target}");
        }
    }
}
