//! A folder shown to a client, as a page for people or as JSON for programs. Touches no disk: entries in,
//! bytes out.
//!
//! [`query`] is what the client asked for, [`order`] how entries stand, [`runs`] brings them into that order,
//! [`html`], with [`text`], and [`json`] are how they are written.
//!
//! Both forms are written in pieces, so that a folder of a million entries can be sent in slices and
//! what was sent need not be kept. That is why their number stands at the end, and why whoever has more than
//! they care to sort says so at the start.

pub mod html;
pub mod json;
pub mod order;
pub mod query;
pub mod runs;
pub mod text;

use self::html::Page;
use self::json::Document;
use self::query::{Format, Sort};
use crate::files::entry::Entry;

/// A listing in the making. What it keeps between two pieces is a few numbers.
#[derive(Clone, Copy, Debug)]
pub enum Listing {
    Html(Page),
    Json(Document),
}

impl Listing {
    /// Starts a listing of the folder at `path`: as [`normalise`](crate::http::target::normalise) gives it,
    /// with a slash at its end, or empty for the root. `sort` is the order of the entries that will follow;
    /// `None` if they are too many to sort and follow as they come.
    pub fn start(format: Format, path: &[u8], sort: Option<Sort>, out: &mut Vec<u8>) -> Listing {
        match format {
            Format::Html => Listing::Html(Page::start(path, sort, out)),
            Format::Json => Listing::Json(Document::start(path, sort, out)),
        }
    }

    /// Appends one entry.
    pub fn entry(&mut self, entry: &Entry, out: &mut Vec<u8>) {
        match self {
            Listing::Html(page) => page.entry(entry, out),
            Listing::Json(document) => document.entry(entry, out),
        }
    }

    /// Appends what stands behind the last entry.
    pub fn end(self, out: &mut Vec<u8>) {
        match self {
            Listing::Html(page) => page.end(out),
            Listing::Json(document) => document.end(out),
        }
    }
}
