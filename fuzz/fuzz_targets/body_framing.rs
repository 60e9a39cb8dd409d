//! What must hold is in `tests/support/src/checks/body_framing.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pws_testing::checks::body_framing::check(data));
