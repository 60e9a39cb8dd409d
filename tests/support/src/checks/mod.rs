//! Fuzzing: what must hold for any bytes. One check for each target: a function that takes bytes and panics if a
//! promise is broken.
//!
//! `fuzz/run 600 session` has libFuzzer try what it can think of. `fuzz/corpus/` is small, and replayed by `cargo
//! test` (`tests/suite/corpus.rs`): an input that broke something goes there once it is mended.

pub mod body_framing;
pub mod conditional;
pub mod range;
pub mod request_head;
pub mod session;
pub mod target;

/// A target's check.
pub type Check = fn(&[u8]);

/// All targets, by the names of their binaries and corpora.
pub const ALL: [(&str, Check); 6] = [
    ("body_framing", body_framing::check),
    ("conditional", conditional::check),
    ("range", range::check),
    ("request_head", request_head::check),
    ("session", session::check),
    ("target", target::check),
];

/// Takes the first `N` bytes off `data`, which steer a check; the rest is what a client sends.
fn take_header<const N: usize>(data: &[u8]) -> Option<([u8; N], &[u8])> {
    let (header, rest) = data.split_first_chunk()?;
    Some((*header, rest))
}
