//! The rules of the wire: bytes in, values out, and back. Touches no socket, no file and no clock.

pub mod head;
pub mod method;
pub mod request;
pub mod status;
pub mod target;
