//! What must hold is in `src/checks/body_framing.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pws_fuzz::checks::body_framing::check(data));
