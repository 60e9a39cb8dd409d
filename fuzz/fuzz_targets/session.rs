//! What must hold is in `tests/support/src/checks/session.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pws_testing::checks::session::check(data));
