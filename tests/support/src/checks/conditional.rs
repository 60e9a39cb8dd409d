//! `http::conditional`: preconditions.
//!
//! Input: flags, a file's time in seconds and nanoseconds and its length; then fields of a request. What must
//! hold:
//!
//! - any fields are evaluated without a panic, and none of them does anything that it is not there for;
//! - a file's own tag, as it stands in an answer, is a match; a strong one if it is strong;
//! - so is its own date, once it is over; before, the one that is told matches nothing.

use pws::clock::Now;
use pws::date;
use pws::http::conditional::{EntityTag, Outcome, Validators, evaluate, range_applies};
use pws::http::request::{FieldSlots, Parsed, Request, parse};
use pws::limits::Limits;

use super::take_header;

pub fn check(data: &[u8]) {
    let Some(([flags], rest)) = take_header(data) else { return };
    let Some((secs, rest)) = take_header(rest) else { return };
    let Some((nanos, rest)) = take_header(rest) else { return };
    let Some((len, fields)) = take_header(rest) else { return };
    let secs = i64::from_le_bytes(secs);
    let is_weak = flags & 1 != 0;
    let validators = Validators {
        entity_tag: EntityTag::of_time(secs, u32::from_le_bytes(nanos), u64::from_le_bytes(len), is_weak),
        last_modified_unix_secs: (flags & 2 != 0).then_some(secs),
    };
    check_own_tag(&validators, is_weak);
    check_own_date(&validators);
    let method = if flags & 4 != 0 { "HEAD" } else { "GET" };
    with_request(method, fields, |request| check_fields(request, &validators));
}

/// Runs `check` on a request with these fields, if it is one.
fn with_request(method: &str, fields: &[u8], check: impl FnOnce(&Request)) {
    let start = format!("{method} / HTTP/1.1\r\nHost: a\r\n");
    let head = [start.as_bytes(), fields, b"\r\n\r\n"].concat();
    if let Parsed::Complete { request, .. } = parse(&head, 0, &mut FieldSlots::new(), &Limits::default()) {
        check(&request);
    }
}

fn check_fields(request: &Request, validators: &Validators) {
    let has = |name: &str| request.field_values(name).next().is_some();
    match evaluate(request, validators, &now()) {
        Outcome::Failed => assert!(has("if-match") || has("if-unmodified-since")),
        Outcome::NotModified => assert!(has("if-none-match") || has("if-modified-since")),
        Outcome::Proceed => {}
    }
    let applies = range_applies(request, validators, &now());
    match request.field_values("if-range").count() {
        0 => {}
        1 => assert!(!applies || request.method == pws::http::method::Method::Get),
        _ => assert!(!applies),
    }
}

fn check_own_tag(validators: &Validators, is_weak: bool) {
    let tag = validators.entity_tag;
    for fields in [
        format!("If-None-Match: {tag}"),
        format!("If-None-Match: \"other\", {tag}"),
        format!("If-None-Match: W/\"a, b\",,{tag} , \"other\""),
        format!("If-None-Match: \"other\"\r\nIf-None-Match: {tag}"),
    ] {
        let outcome = outcome(&fields, validators);
        assert_eq!(outcome, Outcome::NotModified, "{fields}");
    }
    let strong_only = if is_weak { Outcome::Failed } else { Outcome::Proceed };
    assert_eq!(outcome(&format!("If-Match: {tag}"), validators), strong_only);
    let if_range = format!("If-Range: {tag}");
    with_request("GET", if_range.as_bytes(), |request| {
        assert_eq!(range_applies(request, validators, &now()), !is_weak);
    });
    with_request("HEAD", if_range.as_bytes(), |request| assert!(!range_applies(request, validators, &now())));
}

fn check_own_date(validators: &Validators) {
    let Some(told) = validators.told_date(&now()) else { return };
    let written = date::format(told);
    // A year that four digits cannot write is clamped, and no match.
    if date::parse(&written, now().unix_secs) != Some(told) {
        return;
    }
    let date = String::from_utf8_lossy(&written);
    let is_true = validators.is_date_over(&now());
    let (modified, unmodified) = match is_true {
        true => (Outcome::NotModified, Outcome::Proceed),
        false => (Outcome::Proceed, Outcome::Failed),
    };
    assert_eq!(outcome(&format!("If-Modified-Since: {date}"), validators), modified, "{date}");
    assert_eq!(outcome(&format!("If-Unmodified-Since: {date}"), validators), unmodified, "{date}");
    with_request("GET", format!("If-Range: {date}").as_bytes(), |request| {
        assert_eq!(range_applies(request, validators, &now()), is_true, "{date}");
    });
}

fn outcome(fields: &str, validators: &Validators) -> Outcome {
    let mut outcome = None;
    with_request("GET", fields.as_bytes(), |request| outcome = Some(evaluate(request, validators, &now())));
    outcome.expect("a request")
}

fn now() -> Now {
    Now::at(0, 1_000_000_000)
}
