//! The disk: opening beneath the root, and what a name says about its content.

pub mod mime;
pub mod root;
