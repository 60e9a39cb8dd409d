//! One client's life: *what* is done with what it sends. Knows no poll and no other client.
//!
//! [`connection`] is the pump between a socket and the [`session`], which has requests [answered](answer);
//! [`input`] is what was received and [`buffers`] what is kept of it, [`context`] what the loop lends,
//! [`slice`](mod@slice) what one may take of a turn, [`verdict`] what a run came to, [`wait`] what may be
//! waited for.

pub mod answer;
pub mod buffers;
pub mod connection;
pub mod context;
pub mod input;
pub mod session;
pub mod slice;
pub mod verdict;
pub mod wait;
