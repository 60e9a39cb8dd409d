//! What blocks of `_headers` make of the fields of one response, within bounds.

use std::borrow::Cow;

use super::captures::Captures;
use super::store::{Run, Store};
use super::template::{Place, Template};
use crate::http::head::is_cache_control;

/// Lines that one response may follow.
pub const LINES_MAX: usize = 512;
/// Bytes of names and values that one response may get.
pub const BYTES_MAX: usize = 32 * 1024;

/// The bounds, in words.
pub fn told_bounds() -> String {
    format!("{LINES_MAX} lines or {} KiB", BYTES_MAX / 1024)
}

/// Fields of one value, in lower case: two joined by a comma would be none. The last one counts.
const SINGLE: [&str; 28] = [
    "access-control-allow-credentials",
    "access-control-allow-origin",
    "access-control-max-age",
    "content-disposition",
    "content-location",
    "content-type",
    "cross-origin-embedder-policy",
    "cross-origin-embedder-policy-report-only",
    "cross-origin-opener-policy",
    "cross-origin-opener-policy-report-only",
    "cross-origin-resource-policy",
    "deprecation",
    "expires",
    "origin-agent-cluster",
    "refresh",
    "retry-after",
    "service-worker-allowed",
    "sourcemap",
    "strict-transport-security",
    "sunset",
    "x-accel-expires",
    "x-content-type-options",
    "x-dns-prefetch-control",
    "x-download-options",
    "x-frame-options",
    "x-permitted-cross-domain-policies",
    "x-sourcemap",
    "x-xss-protection",
];
/// Lists that are one statement, as is `Cache-Control` with its like: what a block says is joined, and
/// replaces what blocks above say. Half of one statement and half of another is what nobody meant:
/// `max-age=31536000, immutable, no-store`.
const STATEMENTS: [&str; 9] = [
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-expose-headers",
    "content-encoding",
    "content-language",
    "edge-control",
    "pragma",
    "referrer-policy",
    "surrogate-control",
];
/// The one field that stands several times, since its values have commas of their own (RFC 6265 §3).
const SET_COOKIE: &str = "set-cookie";

/// `Name: value`, or `! Name` if there is no value.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub name: Run,
    pub value: Option<Template>,
}

/// What the blocks that match a path make of the fields of its response.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Fields<'a> {
    /// Names and values to send, in order. A name stands once, but for `Set-Cookie`.
    pub set: Vec<(&'a str, Cow<'a, str>)>,
    /// Names that were removed; those set again afterwards are among [`set`](Fields::set), too.
    pub removed: Vec<&'a str>,
    /// There was more than one response may get, which was left out.
    pub is_cut: bool,
}

impl Fields<'_> {
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.removed.is_empty()
    }

    /// Whether a field of that name, in any case, is not to be sent on the server's own account.
    pub fn replaces(&self, name: &str) -> bool {
        let mut names = self.set.iter().map(|(name, _)| name).chain(&self.removed);
        names.any(|other| other.eq_ignore_ascii_case(name))
    }
}

/// What lines come to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Amount {
    lines: usize,
    bytes: usize,
}

impl Amount {
    /// Adds a line of `bytes`; returns whether a response may still get all of this.
    pub fn add(&mut self, bytes: usize) -> bool {
        self.lines += 1;
        self.bytes += bytes;
        self.lines <= LINES_MAX && self.bytes <= BYTES_MAX
    }
}

/// The fields of a response in the making.
#[derive(Debug, Default)]
pub struct Response<'a> {
    pub fields: Fields<'a>,
    amount: Amount,
}

impl<'a> Response<'a> {
    /// Follows the lines of a block; `None` if that is too much, and not all was followed.
    pub fn apply(&mut self, lines: &[Line], store: &'a Store, captures: &Captures) -> Option<()> {
        for line in lines.iter().filter(|line| line.value.is_none()) {
            self.amount.add(0).then_some(())?;
            let name = store.text(line.name);
            self.fields.set.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
            self.fields.removed.push(name);
        }
        let stated = lines.iter().filter(|line| line.value.is_some()).map(|line| store.text(line.name));
        for name in stated.filter(|name| is_cache_control(name) || is_among(&STATEMENTS, name)) {
            self.fields.set.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        }
        for (line, value) in lines.iter().filter_map(|line| Some((line, line.value?))) {
            let name = store.text(line.name);
            let value = match value.text(store) {
                Some(text) => Cow::Borrowed(text),
                // Nothing is filled in that is too much as it is.
                None if self.amount.bytes + value.raw_bytes(store, captures) > BYTES_MAX => return None,
                None => {
                    let mut text = String::new();
                    value.fill(store, captures, Place::Path, &mut text);
                    Cow::Owned(text)
                }
            };
            self.amount.add(name.len() + value.len()).then_some(())?;
            self.fields.add(name, value);
        }
        Some(())
    }
}

impl<'a> Fields<'a> {
    fn add(&mut self, name: &'a str, value: Cow<'a, str>) {
        let has_name = |other: &&str| other.eq_ignore_ascii_case(name);
        let before = self.set.iter_mut().find(|(other, _)| has_name(other));
        match before.filter(|_| !name.eq_ignore_ascii_case(SET_COOKIE)) {
            None => self.set.push((name, value)),
            Some((_, before)) if is_among(&SINGLE, name) => *before = value,
            Some((_, before)) => {
                let joined = before.to_mut();
                joined.push_str(", ");
                joined.push_str(&value);
            }
        }
    }
}

/// Whether a field is among those `names`, in any case.
pub fn is_among(names: &[&str], name: &str) -> bool {
    names.iter().any(|other| other.eq_ignore_ascii_case(name))
}
