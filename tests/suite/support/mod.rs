//! What tests share: folders, a connection in memory, a real server, a client that speaks raw bytes.

pub mod answer;
pub mod client;
pub mod folder;
pub mod memory;
pub mod server;
