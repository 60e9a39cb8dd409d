//! tour to come
#![forbid(unsafe_code)]

pub mod access_log;
pub mod clock;
pub mod config;
pub mod connection;
pub mod files;
pub mod http;
pub mod input;
pub mod limits;
pub mod net;
pub mod outbox;
pub mod server;
pub mod session;
pub mod site;

pub use config::Config;
pub use server::{Server, StopHandle};
