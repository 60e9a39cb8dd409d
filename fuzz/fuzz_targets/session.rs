//! What must hold is in `src/checks/session.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pws_fuzz::checks::session::check(data));
