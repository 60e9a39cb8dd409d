//! What must hold is in `tests/support/src/checks/request_head.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pws_testing::checks::request_head::check(data));
