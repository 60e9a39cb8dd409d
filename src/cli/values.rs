//! Values as they are typed: what each must be, and what is said of one that is not.

use std::fmt::Display;
use std::str::FromStr;

use pws::http::bytes::TOKEN;
use pws::http::target;
use pws::rules::headers;

/// Anything but nothing.
pub fn text(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("a value is needed".to_owned()) } else { Ok(text.to_owned()) }
}

/// A name without a folder.
pub fn name(text: &str) -> Result<String, String> {
    match text {
        "" | "." | ".." => Err("a name is needed, such as index.html".to_owned()),
        _ if text.contains(['/', '\0']) => Err("a name without a folder is needed".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// A path below the folder; a slash in front makes no difference.
pub fn path(text: &str) -> Result<String, String> {
    let path = text.trim_start_matches('/');
    let is_plain = path.split('/').all(|segment| !matches!(segment, "" | "." | "..")) && !path.contains('\0');
    if is_plain { Ok(path.to_owned()) } else { Err("a file below the folder is needed".to_owned()) }
}

/// Fields that each file has of its own, in lower case: one for all would be wrong for most.
const OF_FILES: [&str; 2] = ["content-type", "content-encoding"];

pub fn field(text: &str) -> Result<(String, String), String> {
    let (name, value) = headers::parse_field(text.as_bytes())?;
    match OF_FILES.iter().any(|of_files| of_files.eq_ignore_ascii_case(name)) {
        true => Err(format!("`{name}` depends on the file: use '--mime', or a `_headers` file")),
        false => Ok((name.to_owned(), value.to_owned())),
    }
}

pub fn cache_control(text: &str) -> Result<(String, String), String> {
    field(&format!("Cache-Control: {text}"))
}

/// `*`, `null`, or a scheme and a host as a browser sends them (RFC 6454 §6.2).
pub fn origin(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let is_host = |host: &str| !host.is_empty() && target::is_authority(host.as_bytes(), false);
    match text {
        "*" | "null" => Ok(text.to_owned()),
        _ if host.is_some_and(is_host) => Ok(text.to_owned()),
        _ => Err("'*' or an origin such as https://example.com is needed".to_owned()),
    }
}

pub fn mime(text: &str) -> Result<(String, String), String> {
    let wrong = || "an extension and a type are needed, such as md=text/html".to_owned();
    let (extension, content_type) = text.split_once('=').ok_or_else(wrong)?;
    let extension = extension.strip_prefix('.').unwrap_or(extension);
    let essence = content_type.split(';').next().unwrap_or_default().trim_end();
    let (main, sub) = essence.split_once('/').ok_or_else(wrong)?;
    let are_tokens = [main, sub].iter().all(|part| !part.is_empty() && TOKEN.holds_all(part.as_bytes()));
    let is_fit =
        are_tokens && !extension.is_empty() && !content_type.bytes().any(|byte| byte.is_ascii_control());
    if is_fit { Ok((extension.to_owned(), content_type.to_owned())) } else { Err(wrong()) }
}

/// Less than that would hold no connection and no file.
const MEMORY_BYTES_MIN: usize = 1 << 20;

pub fn memory(text: &str) -> Result<usize, String> {
    match size(text)? {
        bytes if bytes < MEMORY_BYTES_MIN => Err("1M is the least that can be done with".to_owned()),
        bytes => Ok(bytes),
    }
}

/// A number of `least` to `most`.
pub fn number<N: FromStr + PartialOrd + Display>(text: &str, least: N, most: N) -> Result<N, String> {
    match text.parse() {
        Ok(number) if (&least..=&most).contains(&&number) => Ok(number),
        _ => Err(format!("a number from {least} to {most} is needed")),
    }
}

pub fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a number from 1 on is needed".to_owned()),
        Ok(count) => Ok(count),
    }
}

/// Bytes, with K, M or G behind the number for a power of 1,024.
pub fn size(text: &str) -> Result<usize, String> {
    let digits = &text[..text.bytes().take_while(u8::is_ascii_digit).count()];
    let unit = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        unit => return Err(format!("'{unit}' is no unit: K, M or G is")),
    };
    if digits.is_empty() {
        return Err("a number is missing in front".to_owned());
    }
    let bytes = digits.parse::<usize>().ok().and_then(|number| number.checked_mul(unit));
    bytes.ok_or_else(|| "more than this machine can address".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked_before_the_start() {
        let origins = ["*", "null", "https://example.com", "http://[::1]:8080"];
        assert!(origins.iter().all(|text| origin(text).is_ok()));
        for text in [
            "",
            "example.com",
            "https://",
            "https://a/b",
            "https://a b",
            "https://[",
            "https://a:b:c",
            "ftp://a",
            "https://a\r\nX:1",
        ] {
            assert!(origin(text).is_err(), "{text}");
        }
        for (text, expected) in [
            ("md=text/html", Some(("md", "text/html"))),
            (".foo=text/foo; charset=latin1", Some(("foo", "text/foo; charset=latin1"))),
            ("md", None),
            ("=text/html", None),
            ("md=html", None),
            ("md=text/", None),
            ("md=text/a b", None),
            ("md=text/a; b=\n", None),
        ] {
            let expected = expected.map(|(extension, essence)| (extension.to_owned(), essence.to_owned()));
            assert_eq!(mime(text).ok(), expected, "{text}");
        }
        assert_eq!(path("/app/index.html").as_deref(), Ok("app/index.html"));
        for text in ["", "/", "../a", "a/../b", "a//b", "./a", "a/"] {
            assert!(path(text).is_err(), "{text}");
        }
        assert!(name("a/b").is_err() && name("..").is_err() && name("home.htm").is_ok());
        assert!(field("Content-Length: 1").is_err() && field("X: a").is_ok());
    }

    #[test]
    fn sizes_have_units() {
        for (text, expected) in
            [("0", Some(0)), ("1000", Some(1000)), ("512K", Some(524_288)), ("16m", Some(16_777_216))]
        {
            assert_eq!(size(text).ok(), expected, "{text}");
        }
        for text in ["", "K", "1X", "1KB", "-1", "1.5M", "99999999999999999999", "99999999999G"] {
            assert!(size(text).is_err(), "{text}");
        }
        assert!(size("99999999999999999999G").is_err_and(|error| error.contains("can address")));
    }
}
