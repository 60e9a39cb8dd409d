//! The rules of the wire: bytes in, values out, and back. Touches no socket, no file and no clock.

pub mod body;
pub mod byteranges;
pub mod bytes;
pub mod conditional;
pub mod head;
pub mod method;
pub mod negotiate;
pub mod range;
pub mod refusal;
pub mod request;
pub mod status;
pub mod target;
