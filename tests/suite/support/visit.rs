//! Requests to a site that is set up by options: each through every way its bytes can come and go.

use pws::config::SiteOptions;
use pws::limits::Limits;

use super::answer::Answer;
use super::folder::Folder;
use super::memory::{End, exchange_with};

/// A folder, and how it is served.
pub struct Visit<'a> {
    folder: &'a Folder,
    options: SiteOptions,
}

impl<'a> Visit<'a> {
    pub fn to(folder: &'a Folder) -> Visit<'a> {
        Visit::with(folder, SiteOptions::default())
    }

    pub fn with(folder: &'a Folder, options: SiteOptions) -> Visit<'a> {
        Visit { folder, options }
    }

    /// GET without further fields.
    pub fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, "")
    }

    /// The one answer to a request with the lines `fields`; the connection must stay open.
    pub fn ask(&self, method: &str, target: &str, fields: &str) -> Answer {
        self.say(method, &format!("{method} {target} HTTP/1.1\r\nHost: test\r\n{fields}\r\n"))
    }

    /// GET of a target from a host; empty if it has no name.
    pub fn get_of(&self, host: &str, target: &str) -> Answer {
        self.say("GET", &format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"))
    }

    fn say(&self, method: &str, request: &str) -> Answer {
        let (bytes, end) = exchange_with(self.folder, &self.options, &Limits::default(), request.as_bytes());
        assert_eq!(end, End::Open, "{request}");
        Answer::all(&bytes, &[method]).remove(0)
    }
}
