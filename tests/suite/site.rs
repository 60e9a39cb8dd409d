//! A site as its owner sets it up: what is shown, under which names, and what is said with it.

mod hosts;
mod listings;
mod visibility;
