//! Content negotiation: which of several representations a client would rather have (RFC 9110 §12).

use super::bytes::TOKEN;
use super::conditional;
use super::request::Request;

/// A content coding (RFC 9110 §8.4.1), as files that were compressed beforehand have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Brotli,
    Zstd,
    Gzip,
}

impl Coding {
    /// Where a client likes several alike, the first one there is: usually the smallest.
    pub const ALL: [Coding; 3] = [Coding::Brotli, Coding::Zstd, Coding::Gzip];

    /// The name in `Accept-Encoding` and `Content-Encoding`.
    pub fn token(self) -> &'static str {
        match self {
            Coding::Brotli => "br",
            Coding::Zstd => "zstd",
            Coding::Gzip => "gzip",
        }
    }

    /// What the name of a file compressed in this way has at its end.
    pub fn extension(self) -> &'static str {
        match self {
            Coding::Brotli => ".br",
            Coding::Zstd => ".zst",
            Coding::Gzip => ".gz",
        }
    }
}

/// A set of codings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Codings(u8);

impl Codings {
    pub fn insert(&mut self, coding: Coding) {
        self.0 |= 1 << coding as u8;
    }

    pub fn contains(self, coding: Coding) -> bool {
        self.0 & 1 << coding as u8 != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in which `request` may be answered: all, unless it asks for parts. Who asks for the rest of what
    /// it has tells by If-Range which form that is (RFC 9110 §13.1.5); whoever asks without means the content
    /// as it is, and would take parts of another form for parts of that.
    pub fn for_ranges_of(self, request: &Request) -> Codings {
        if request.field_values("range").next().is_none() {
            return self;
        }
        let mut named = Codings::default();
        for coding in Coding::ALL.into_iter().filter(|coding| self.contains(*coding)) {
            if ranges_are_of(coding, request) {
                named.insert(coding);
            }
        }
        named
    }
}

/// Whether the ranges that `request` asks for are those of the content in `coding`: see
/// [`for_ranges_of`](Codings::for_ranges_of).
pub fn ranges_are_of(coding: Coding, request: &Request) -> bool {
    let condition = request.field_values("if-range").next().unwrap_or_default();
    conditional::names_variant(condition, coding.token())
}

/// The coding of those `available` that the client likes best; `None` is the content as it is, the last
/// resort even of a client that would not have it (RFC 9110 §12.5.3).
pub fn choose_coding(request: &Request, available: Codings) -> Option<Coding> {
    // What is not mentioned is good enough, but no coding that is mentioned is worse.
    let plain_weight = coding_weight(request, "identity").filter(|_| mentions(request, b"identity"));
    best_coding(request, available, plain_weight.unwrap_or(0))
}

/// The same where the content is not there as it is; `None` if the client names none of those `available`.
/// Who names no coding at all may be sent any, but would seldom know what to do with it.
pub fn accepted_coding(request: &Request, available: Codings) -> Option<Coding> {
    best_coding(request, available, 0)
}

/// The one of most weight, if that is `weight_min` or more, and more than 0.
fn best_coding(request: &Request, available: Codings, weight_min: u16) -> Option<Coding> {
    let (mut best, mut best_weight) = (None, weight_min);
    for coding in Coding::ALL.into_iter().filter(|coding| available.contains(*coding)) {
        let weight = coding_weight(request, coding.token()).unwrap_or(0);
        if weight > best_weight || weight == best_weight && weight > 0 && best.is_none() {
            (best, best_weight) = (Some(coding), weight);
        }
    }
    best
}

/// The weight of the coding `name`, its own or that of `*`.
fn coding_weight(request: &Request, name: &str) -> Option<u16> {
    let weight_of = |name: &[u8]| {
        request.list_elements("accept-encoding").map(split_weight).find_map(|(token, weight)| {
            let is_alias = name == b"gzip" && token.eq_ignore_ascii_case(b"x-gzip");
            (is_alias || token.eq_ignore_ascii_case(name)).then_some(weight)
        })
    };
    weight_of(name.as_bytes()).or_else(|| weight_of(b"*"))
}

fn mentions(request: &Request, name: &[u8]) -> bool {
    request.list_elements("accept-encoding").any(|element| split_weight(element).0.eq_ignore_ascii_case(name))
}

/// Whether the client names HTML among what it accepts, as browsers do when they go to a page, and not when
/// they load what belongs to one.
pub fn accepts_html(request: &Request) -> bool {
    media_range_weight(request, b"text/html") > 0
}

/// Whether the client names JSON among what it accepts, and likes it better than HTML; or as well, where it
/// does not name that.
pub fn prefers_json(request: &Request) -> bool {
    let json = media_range_weight(request, b"application/json");
    let is_named = |range: &[u8]| media_range_weights(request, range).next().is_some();
    let html_ranges: [&[u8]; 3] = [b"text/html", b"text/*", b"*/*"];
    match html_ranges.into_iter().find(|range| is_named(range)) {
        Some(b"text/html") => json > media_range_weight(request, b"text/html"),
        Some(range) => json > 0 && json >= media_range_weight(request, range),
        None => json > 0,
    }
}

/// The weight of a media range that is named as such; 0 if it is not.
fn media_range_weight(request: &Request, media_range: &[u8]) -> u16 {
    media_range_weights(request, media_range).max().unwrap_or(0)
}

fn media_range_weights(request: &Request, media_range: &[u8]) -> impl Iterator<Item = u16> {
    let elements = request.list_elements("accept").map(split_weight);
    let named = elements.filter(move |(range, _)| range.eq_ignore_ascii_case(media_range));
    named.map(|(_, weight)| weight)
}

/// `value`, if it is a list of names and nothing else: fit to be sent back.
pub fn token_list(value: &[u8]) -> Option<&str> {
    let mut names = value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
    let is_list = names.all(|name| !name.is_empty() && TOKEN.holds_all(name));
    std::str::from_utf8(value).ok().filter(|_| is_list)
}

/// An element of a list and its weight in thousandths, 1,000 where none is given (RFC 9110 §12.4.2); 0, not
/// acceptable, where it is none.
fn split_weight(element: &[u8]) -> (&[u8], u16) {
    let mut parts = element.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|parameter| match parameter {
        [b'q' | b'Q', b'=', weight @ ..] => Some(parse_weight(weight).unwrap_or(0)),
        _ => None,
    });
    (name, weight.unwrap_or(1000))
}

/// `qvalue`: 0 to 1 with three digits at most behind the point.
fn parse_weight(weight: &[u8]) -> Option<u16> {
    let (whole, decimals) = match weight {
        [whole] => (whole, &[][..]),
        [whole, b'.', decimals @ ..] if decimals.len() <= 3 => (whole, decimals),
        _ => return None,
    };
    if !decimals.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |index: usize| decimals.get(index).map_or(0, |digit| u16::from(digit - b'0'));
    let thousandths = digit(0) * 100 + digit(1) * 10 + digit(2);
    match whole {
        b'0' => Some(thousandths),
        b'1' if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request::{FieldSlots, Parsed, parse};
    use crate::limits::Limits;

    fn with_field<T>(field: &str, judge: impl FnOnce(&Request) -> T) -> T {
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{field}\r\n");
        let mut slots = FieldSlots::new();
        match parse(head.as_bytes(), 0, &mut slots, &Limits::default()) {
            Parsed::Complete { request, .. } => judge(&request),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_best_coding_there_is() {
        let all = Codings(7);
        let mut only_gzip = Codings::default();
        only_gzip.insert(Coding::Gzip);
        let (br, zstd, gzip) = (Some(Coding::Brotli), Some(Coding::Zstd), Some(Coding::Gzip));
        for (field, of_all, of_gzip) in [
            ("", None, None),
            ("Accept-Encoding: \r\n", None, None),
            ("Accept-Encoding: identity\r\n", None, None),
            ("Accept-Encoding: gzip, deflate, br, zstd\r\n", br, gzip),
            ("Accept-Encoding: gzip\r\nAccept-Encoding: zstd\r\n", zstd, gzip),
            ("Accept-Encoding: GZip\r\n", gzip, gzip),
            ("Accept-Encoding: x-gzip\r\n", gzip, gzip),
            ("Accept-Encoding: deflate\r\n", None, None),
            ("Accept-Encoding: *\r\n", br, gzip),
            ("Accept-Encoding: br;q=0, *\r\n", zstd, gzip),
            ("Accept-Encoding: br;q=0.5, gzip;q=0.8\r\n", gzip, gzip),
            ("Accept-Encoding: gzip;q=0\r\n", None, None),
            ("Accept-Encoding: *;q=0\r\n", None, None),
            ("Accept-Encoding: *;q=0, gzip;q=0.001\r\n", gzip, gzip),
            ("Accept-Encoding: gzip;q=1.0, identity; q=0.5, *;q=0\r\n", gzip, gzip),
            ("Accept-Encoding: identity, gzip;q=0.5\r\n", None, None),
            ("Accept-Encoding: identity, gzip\r\n", gzip, gzip),
            ("Accept-Encoding: identity;q=0\r\n", None, None),
            ("Accept-Encoding: identity;q=0, gzip;q=0.1\r\n", gzip, gzip),
            ("Accept-Encoding: gzip;q=1.5\r\n", None, None),
            ("Accept-Encoding: gzip;q=0.1234\r\n", None, None),
            ("Accept-Encoding: gzip;q=\r\n", None, None),
            ("Accept-Encoding: gzip ; Q=1.000, br ; q=0.999\r\n", gzip, gzip),
            ("Accept-Encoding: , ,gzip,\r\n", gzip, gzip),
        ] {
            assert_eq!(with_field(field, |request| choose_coding(request, all)), of_all, "{field}");
            assert_eq!(with_field(field, |request| choose_coding(request, only_gzip)), of_gzip, "{field}");
            assert_eq!(with_field(field, |request| choose_coding(request, Codings::default())), None);
        }
    }

    #[test]
    fn where_nothing_is_plain_any_coding_that_is_named_is_good() {
        for (field, chosen) in [
            ("", None),
            ("Accept-Encoding: identity\r\n", None),
            ("Accept-Encoding: gzip;q=0, deflate\r\n", None),
            ("Accept-Encoding: identity, gzip;q=0.1\r\n", Some(Coding::Gzip)),
            ("Accept-Encoding: gzip, zstd;q=0.9\r\n", Some(Coding::Gzip)),
            ("Accept-Encoding: *\r\n", Some(Coding::Brotli)),
        ] {
            let choice = with_field(field, |request| accepted_coding(request, Codings(7)));
            assert_eq!(choice, chosen, "{field}");
        }
    }

    #[test]
    fn what_is_named_is_accepted() {
        for (field, html, json) in [
            ("", false, false),
            ("Accept: */*\r\n", false, false),
            ("Accept: text/*\r\n", false, false),
            ("Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n", true, false),
            ("Accept: TEXT/HTML;level=1\r\n", true, false),
            ("Accept: text/html;q=0\r\n", false, false),
            ("Accept: application/json\r\n", false, true),
            ("Accept: application/json, text/plain, */*\r\n", false, true),
            ("Accept: text/html, application/json\r\n", true, false),
            ("Accept: text/html;q=0.5, application/json\r\n", true, true),
            ("Accept: application/json;q=0.1, */*\r\n", false, false),
            ("Accept: application/json, */*;q=0.1\r\n", false, true),
            ("Accept: application/json;q=0.5, text/*;q=0.6\r\n", false, false),
            ("Accept: application/json;q=0, */*;q=0\r\n", false, false),
        ] {
            assert_eq!(with_field(field, accepts_html), html, "{field}");
            assert_eq!(with_field(field, prefers_json), json, "{field}");
        }
    }
}
