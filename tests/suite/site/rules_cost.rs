//! What rules may cost, whatever their file and the request: a millisecond for a look-up, half of one for a
//! step of reading them. In a debug build on a busy machine a hundred times that; what it is in release tells
//! `cargo bench --bench micro -- "rules at worst"`.

use std::time::{Duration, Instant};

use pws::rules::text::{FILE_BYTES_MAX, Parser, Reader};
use pws::rules::{Headers, Redirects, headers, redirects};
use pws_testing::hard_rules;

const LOOK_UP: Duration = Duration::from_millis(100);
const STEP: Duration = Duration::from_millis(50);

/// Asserts that the fastest of some is within `bound`: whoever is interrupted is slow through no fault of
/// theirs.
#[track_caller]
fn assert_within(bound: Duration, what: &str, mut act: impl FnMut()) {
    let times = (0..3).map(|_| {
        let started = Instant::now();
        act();
        started.elapsed()
    });
    let fastest = times.min().expect("three");
    assert!(fastest < bound, "{what}: {fastest:?}");
}

/// The longest step of parsing `text`.
fn longest_step<P: Parser>(parser: P, text: &str) -> Duration {
    let mut reader = Reader::new(parser, FILE_BYTES_MAX);
    let mut longest = Duration::ZERO;
    loop {
        let started = Instant::now();
        let has_more = reader.step(text.as_bytes());
        longest = longest.max(started.elapsed());
        if !has_more {
            return longest;
        }
    }
}

#[test]
fn no_look_up_takes_long() {
    for case in hard_rules::redirects() {
        let (redirects, _) = Redirects::parse(case.file.as_bytes());
        assert_within(LOOK_UP, case.name, || {
            let _ = redirects.find(case.path.as_bytes(), Some(case.query.as_bytes()));
        });
    }
    for case in hard_rules::headers() {
        let (headers, _) = Headers::parse(case.file.as_bytes());
        assert_within(LOOK_UP, case.name, || {
            let _ = headers.find(case.path.as_bytes());
        });
    }
}

#[test]
fn no_step_of_reading_rules_takes_long() {
    for case in hard_rules::redirects() {
        let steps = (0..3).map(|_| longest_step(redirects::Parser::new(usize::MAX), &case.file));
        let longest = steps.min().expect("three");
        assert!(longest < STEP, "{}: {longest:?}", case.name);
    }
    for case in hard_rules::headers() {
        let steps = (0..3).map(|_| longest_step(headers::Parser::new(usize::MAX), &case.file));
        let longest = steps.min().expect("three");
        assert!(longest < STEP, "{}: {longest:?}", case.name);
    }
}
