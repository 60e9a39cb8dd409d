//! Values as they are typed: what each must be, and what is said of one that is not.

use std::fmt::Display;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use pws::config::Place;
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

/// A pattern of names that start with a dot; as a variable, it may be on or off as well.
pub fn hidden(text: &str) -> Result<Option<String>, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "t" | "true" | "y" | "yes" | "on" => Ok(Some(".*".to_owned())),
        "0" | "f" | "false" | "n" | "no" | "off" => Ok(None),
        "." | ".." => Err("a name is needed, not a folder".to_owned()),
        _ if !text.starts_with('.') || text.contains('/') => {
            Err("a name that starts with a dot is needed, in which '*' stands for any characters".to_owned())
        }
        _ => Ok(Some(text.to_owned())),
    }
}

/// An address or the name of a host. A port behind it would be another for each.
pub fn address(text: &str) -> Result<String, String> {
    let is_plain = text.parse::<Ipv6Addr>().is_ok();
    match text.rsplit_once(':') {
        Some((host, port))
            if !is_plain && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            let bind = if host.is_empty() { String::new() } else { format!("--bind {host} ") };
            Err(format!("the port stands by itself: '{bind}--port {port}'"))
        }
        _ => self::text(text),
    }
}

/// A port, of this machine alone, or of the address in front of it; or a path, behind `unix:`.
pub fn place(text: &str) -> Result<Place, String> {
    if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
        return Ok(Place::Unix(PathBuf::from(path)));
    }
    let of_port = || text.parse().map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let wrong = |_| {
        "a port such as 9001, an address with one such as 127.0.0.1:9001, or unix:PATH is needed".to_owned()
    };
    text.parse().or_else(|_| of_port()).map(Place::Tcp).map_err(wrong)
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
    if let Some((_, last)) = extension.rsplit_once('.') {
        return Err(format!("only what is behind the last dot of a name counts: '{last}={content_type}'"));
    }
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

/// Digits behind a point: a billionth of a gigabyte is a byte.
const DECIMALS_MAX: usize = 9;

/// Bytes: a number, such as `1.5`, and K, M or G for a power of 1,024, as in `8M`, `8MB` and `8MiB`.
pub fn size(text: &str) -> Result<usize, String> {
    let number_len = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (number, unit) = text.split_at(number_len);
    let unit = unit.trim().to_ascii_uppercase();
    let unit_bytes: u128 = match unit.as_str() {
        "" | "B" => 1,
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        _ => return Err(format!("'{unit}' is no unit: K, M or G is, as in 8M")),
    };
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() {
        return Err("a number is missing in front".to_owned());
    }
    let too_large = || "more than this machine can address".to_owned();
    let digits = |text: &str| if text.is_empty() { Ok(0) } else { text.parse::<u64>().map(u128::from) };
    let whole = digits(whole).map_err(|_| too_large())?;
    if decimals.len() > DECIMALS_MAX {
        return Err("fewer digits behind the point are needed".to_owned());
    }
    let part = digits(decimals).map_err(|_| "a number has one point at most".to_owned())?;
    let part_bytes = part * unit_bytes / 10_u128.pow(decimals.len() as u32);
    usize::try_from(whole * unit_bytes + part_bytes).map_err(|_| too_large())
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
        assert!(mime("tar.gz=a/b").is_err_and(|error| error.ends_with(": 'gz=a/b'")));
        for (text, hint) in [
            ("127.0.0.1:8080", "'--bind 127.0.0.1 --port 8080'"),
            ("[::1]:80", "'--bind [::1] --port 80'"),
            ("localhost:0", "'--bind localhost --port 0'"),
            (":80", ": '--port 80'"),
        ] {
            assert!(address(text).is_err_and(|error| error.ends_with(hint)), "{text}");
        }
        assert!(["::1", "[::1]", "fe80::1:80", "localhost", "::"].iter().all(|text| address(text).is_ok()));
        assert_eq!(path("/app/index.html").as_deref(), Ok("app/index.html"));
        for text in ["", "/", "../a", "a/../b", "a//b", "./a", "a/"] {
            assert!(path(text).is_err(), "{text}");
        }
        assert!(name("a/b").is_err() && name("..").is_err() && name("home.htm").is_ok());
        assert!(field("Content-Length: 1").is_err() && field("X: a").is_ok());
    }

    #[test]
    fn sizes_have_units() {
        for (text, expected) in [
            ("0", 0),
            ("1000", 1000),
            ("512K", 524_288),
            ("16m", 16 << 20),
            ("8MB", 8 << 20),
            ("8MiB", 8 << 20),
        ] {
            assert_eq!(size(text), Ok(expected), "{text}");
        }
        for (text, expected) in
            [("1.5M", 3 << 19), ("0.25G", 1 << 28), ("1 GB", 1 << 30), ("7B", 7), ("2.K", 2048)]
        {
            assert_eq!(size(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            "K",
            ".5M",
            "1X",
            "1iB",
            "1.2.3M",
            "1.0000000000M",
            "-1",
            "99999999999999999999",
            "99999999999G",
        ] {
            assert!(size(text).is_err(), "{text}");
        }
        assert!(size("99999999999999999999G").is_err_and(|error| error.contains("can address")));
    }
}
