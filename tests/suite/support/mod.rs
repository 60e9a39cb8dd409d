//! What these tests share with each other; what they share with other programs is in the crate `pws_testing`.

pub mod binary;
pub mod listed;
pub mod on_end;
pub mod server;
pub mod strace;
pub mod tools;
pub mod visitor;
pub mod webdriver;
