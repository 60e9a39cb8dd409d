//! What the tests share with the benchmarks and with fuzzing: folders to serve, a server in memory, the real
//! binary, a client that speaks raw bytes, and one parser of answers for all of them.
//!
//! What fails here panics where it was called, and says what was asked.

pub mod answer;
pub mod attacks;
pub mod cgroup;
pub mod checks;
pub mod client;
pub mod folder;
pub mod hard_rules;
pub mod memory;
pub mod multipart;
pub mod patience;
pub mod process;
pub mod repeater;
pub mod rng;
pub mod vitals;
