//! What this process is and may do: the user it runs as, the files it may reach, what it is granted, how it
//! was started, and where it tells of itself.
//!
//! For programs that are the server; a library leaves its host as it is.

mod cgroup;
pub mod confine;
pub mod figures;
pub mod logger;
pub mod pid_file;
pub mod resources;
pub mod signals;
pub mod stderr;
