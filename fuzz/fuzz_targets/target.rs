//! What must hold is in `tests/support/src/checks/target.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pws_testing::checks::target::check(data));
