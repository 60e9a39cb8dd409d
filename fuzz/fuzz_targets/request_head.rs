//! What must hold is in `src/checks/request_head.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pws_fuzz::checks::request_head::check(data));
