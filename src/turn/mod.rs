//! The loop: *when* each connection runs, and for how long. Knows no HTTP.
//!
//! [`server`] is the poll and whatever else only the real world has; [`event_loop`] is a turn of it, on
//! sockets of any kind. [`connections`] are all of them, each in a [`slot`]; [`run_queue`] says who is
//! next, [`waiting`] who has been waiting longest. [`acceptor`] is the door and [`admission`] who comes in
//! by it, [`per_client`] who has too many, [`shortage`] who has to go, [`stop`] when it ends and
//! `drain` how. `snapshot` and `recording` are for those who look: how it is, and what it did.

pub mod acceptor;
pub mod admission;
mod answers;
pub mod connections;
mod drain;
pub mod event_loop;
pub mod per_client;
mod recording;
pub mod run_queue;
pub mod server;
pub mod shortage;
pub mod slot;
mod snapshot;
pub mod stop;
pub mod waiting;
