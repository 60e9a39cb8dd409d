//! What rules may cost, whatever their file and the request: a millisecond for a look-up, half of one for a
//! step of reading them. In a debug build on a busy machine two hundred times that; what it is in release tells
//! `cargo bench --bench micro -- "rules at worst"`.

use std::time::{Duration, Instant};

use pws::rules::text::{FILE_BYTES_MAX, Parser, Reader};
use pws::rules::{headers, redirects};
use pws_testing::hard_rules::{self, HardCase};

const LOOK_UP: Duration = Duration::from_millis(200);
const STEP: Duration = Duration::from_millis(100);

fn time(act: impl FnOnce()) -> Duration {
    let started = Instant::now();
    act();
    started.elapsed()
}

/// Reads the file of `case` in steps, then looks up its request in the rules by `find`.
#[track_caller]
fn assert_cheap<P: Parser>(parser: P, case: &HardCase, find: impl Fn(&P::Rules, &[u8], &[u8])) {
    let mut reader = Reader::new(parser, FILE_BYTES_MAX);
    let mut steps = Vec::new();
    let mut has_more = true;
    while has_more {
        steps.push(time(|| has_more = reader.step(case.file.as_bytes())));
    }
    let (rules, _) = reader.finish();
    let look_ups = (0..3).map(|_| time(|| find(&rules, case.path.as_bytes(), case.query.as_bytes())));
    // Some are interrupted, and slow through no fault of theirs.
    steps.sort();
    let (step, look_up) = (steps[steps.len() - 3], look_ups.min().expect("three"));
    assert!(step < STEP && look_up < LOOK_UP, "{}: {step:?} a step, {look_up:?} a look-up", case.name);
}

#[test]
fn no_redirect_takes_long() {
    for case in hard_rules::redirects() {
        assert_cheap(redirects::Parser::new(usize::MAX), &case, |redirects, path, query| {
            let _ = redirects.find(path, Some(query));
        });
    }
}

#[test]
fn no_headers_take_long() {
    for case in hard_rules::headers() {
        assert_cheap(headers::Parser::new(usize::MAX), &case, |headers, path, _| {
            let _ = headers.find(path);
        });
    }
}
