//! What a site's owner decides: by files in the folder and by options.

mod errors;
mod fields;
mod finding;
mod generators;
mod pickup;
mod rules;
mod variants;
