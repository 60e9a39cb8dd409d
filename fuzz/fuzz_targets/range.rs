//! What must hold is in `src/checks/range.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pws_fuzz::checks::range::check(data));
