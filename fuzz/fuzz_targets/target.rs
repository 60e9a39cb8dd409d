//! What must hold is in `src/checks/target.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pws_fuzz::checks::target::check(data));
