//! Sockets only: how they are opened, what is asked of them, who is at the other end. Knows no HTTP.

pub mod guests;
pub mod listener;
pub mod peer;
pub mod socket;
pub mod stream_listener;
