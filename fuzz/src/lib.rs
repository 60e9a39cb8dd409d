//! Fuzzing: what must hold for any bytes, and the bytes that have been tried.
//!
//! ```sh
//! cargo install cargo-fuzz
//! cargo +nightly fuzz run session /tmp/new fuzz/corpus/session -- -dict=fuzz/http.dict -max_total_time=600
//! ```
//!
//! New inputs gather in the first folder named, here `/tmp/new`. The second is the committed corpus: small,
//! and replayed by `cargo test` (`tests/suite/corpus.rs`). An input that broke something goes there once it
//! is mended. `checks` and `support` are shared with that test: both crates name them the same way.

pub mod checks;

#[path = "../../tests/suite/support"]
pub mod support {
    pub mod answer;
    pub mod folder;
}
