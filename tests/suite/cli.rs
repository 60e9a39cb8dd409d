//! The real binary: what can be typed, what it says, how it ends, and what it costs.

mod access_log;
mod confinement;
mod cost;
mod ending;
mod log_levels;
mod options;
mod site_options;
mod starting;

use pws_testing::folder::Folder;

fn folder() -> Folder {
    Folder::new().file("index.html", "<p>home").file("page.html", "<p>page")
}
