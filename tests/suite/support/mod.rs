//! What tests share: folders, a connection in memory, a real server, the real binary, a client that speaks
//! raw bytes.

pub mod answer;
pub mod client;
pub mod folder;
pub mod listed;
pub mod memory;
pub mod patience;
pub mod process;
pub mod server;
pub mod tools;
pub mod visit;
pub mod visitor;
pub mod vitals;
pub mod webdriver;
