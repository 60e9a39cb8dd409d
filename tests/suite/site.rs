//! What a site's owner decides, by files in the folder and by options: what is shown, under which names, and what
//! is said with it.

mod errors;
mod fields;
mod finding;
mod folding;
mod generators;
mod hosts;
mod listings;
mod pickup;
mod rules;
mod rules_cost;
mod types;
mod validators;
mod variants;
mod visibility;
