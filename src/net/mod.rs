//! Sockets only: how they are opened and what is asked of them. Knows no HTTP.

pub mod listener;
pub mod socket;
