//! What this process is and may do: the user it runs as, the files it may reach, the limits it was given.
//!
//! For programs that are the server; a library leaves its host as it is.

mod cgroup;
pub mod confine;
pub mod resources;
