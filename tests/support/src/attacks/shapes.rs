//! The attacks, each a row.

use super::sites::{CROWD, EIGHT_KB, ONE_MB, PAGE, SIXTEEN_KB, Site, file};
use crate::client::request;

/// What clients do that mean no good.
#[derive(Clone, Debug)]
pub struct Attack {
    pub name: &'static str,
    /// For a person.
    pub told: &'static str,
    pub site: Site,
    /// Is asked for once before, for what the requests need to know.
    pub target: &'static str,
    /// How pws answers the requests, if they are whole. Other servers may answer otherwise.
    pub status: Option<u16>,
    pub connections: usize,
    /// The request of this number.
    pub ask: fn(&First, usize) -> String,
    /// So many requests are sent at once.
    pub pipeline: usize,
    pub manner: Manner,
    /// Honest downloads beside it, which must end whole.
    pub downloads: usize,
    /// The server may have so many files open.
    pub open_files_max: Option<u64>,
    /// What pws is told beyond that.
    pub options: &'static [&'static str],
}

/// What they do with their requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Send them over and over, take all answers, and come back when the server ends the connection.
    Repeat,
    /// Send them once, take nothing, and come back when they are cut.
    Stall,
    /// The same, but whoever is cut stays away; and an end that comes in order is not looked at.
    Abandon,
    /// Connect, send them, reset the connection at once and come anew.
    Flood,
}

/// What the first answer said.
#[derive(Clone, Debug, Default)]
pub struct First {
    pub entity_tag: Option<String>,
    pub date: Option<String>,
}

impl First {
    /// The field line that asks whether this has changed.
    fn condition(&self) -> String {
        match (&self.entity_tag, &self.date) {
            (Some(tag), _) => format!("If-None-Match: {tag}\r\n"),
            (None, date) => format!("If-Modified-Since: {}\r\n", date.as_deref().unwrap_or_default()),
        }
    }
}

/// Many who ask for what is cheap. The others are told by what they do otherwise.
const PIPELINES: Attack = Attack {
    name: "pages",
    told: "a file of 1 KB",
    site: Site::Files,
    target: PAGE,
    status: Some(200),
    connections: 32,
    ask: |_, _| request("GET", PAGE, ""),
    pipeline: 64,
    manner: Manner::Repeat,
    downloads: 0,
    open_files_max: None,
    options: &[],
};

const FOLDER: Attack = Attack { site: Site::Listed(2_040), target: CROWD, ..PIPELINES };

const STALLED: Attack = Attack { pipeline: 1, manner: Manner::Stall, ..PIPELINES };

/// All of them. A name selects one.
pub static ALL: [Attack; 15] = [
    PIPELINES,
    Attack {
        name: "ranges",
        told: "64 one-byte ranges of 1 MB",
        target: ONE_MB,
        status: Some(206),
        ask: |_, _| request("GET", ONE_MB, &ranges(64)),
        ..PIPELINES
    },
    Attack { name: "head", told: "HEAD of 2,040 entries", ask: |_, _| request("HEAD", CROWD, ""), ..FOLDER },
    Attack {
        name: "unchanged",
        told: "304 of 2,040 entries",
        status: Some(304),
        ask: |first, _| request("GET", CROWD, &first.condition()),
        ..FOLDER
    },
    Attack {
        name: "missing",
        told: "404",
        status: Some(404),
        ask: |_, number| request("GET", &format!("/missing/{number}"), ""),
        ..PIPELINES
    },
    Attack {
        name: "listings",
        told: "2,040 entries, 200 clients",
        connections: 200,
        ask: |_, _| request("GET", CROWD, ""),
        ..FOLDER
    },
    Attack { name: "fields", told: "300 blocks of `_headers`", site: Site::Fields(300), ..PIPELINES },
    Attack {
        name: "redirects",
        told: "2,000 lines of `_redirects`",
        site: Site::Redirects(2_000),
        ask: |_, _| request("GET", &format!("/?p={}", "%31".repeat(2_600)), ""),
        ..PIPELINES
    },
    Attack {
        name: "huge-listings",
        told: "100,000 entries, 50 clients",
        site: Site::Listed(100_000),
        target: CROWD,
        connections: 50,
        ask: |_, _| request("GET", CROWD, ""),
        pipeline: 1,
        ..PIPELINES
    },
    Attack {
        name: "descriptors",
        told: "64 files of 20 KB each, unread, of 1,024 descriptors",
        connections: 24,
        ask: |_, number| request("GET", &file(number), ""),
        pipeline: 64,
        open_files_max: Some(1024),
        ..STALLED
    },
    Attack {
        name: "half-heads",
        told: "70 half heads of 16 KB, 230 small ones, 20 downloads, `--memory 8M`",
        status: None,
        // Small ones take whatever room the large ones leave.
        connections: 300,
        ask: |_, number| half_head(if number < 70 { 16_300 } else { 300 }),
        downloads: 20,
        options: &["--memory", "8M"],
        ..STALLED
    },
    Attack {
        name: "stalled-listings",
        told: "500 listings of 2,040, unread",
        connections: 500,
        ask: |_, _| request("GET", CROWD, ""),
        pipeline: 1,
        manner: Manner::Stall,
        ..FOLDER
    },
    Attack {
        name: "unread",
        told: "1,170 clients, twice 8 KB, unread, `--memory 8M`",
        connections: 1_170,
        ask: |_, _| request("GET", EIGHT_KB, ""),
        pipeline: 2,
        options: &["--memory", "8M"],
        ..STALLED
    },
    Attack {
        name: "flood",
        told: "connections that are reset at once",
        connections: 64,
        status: None,
        ask: |_, _| "GET /1k".to_owned(),
        pipeline: 1,
        manner: Manner::Flood,
        ..PIPELINES
    },
    Attack {
        name: "orphans",
        told: "8,000 that ask for 16 KB and the end, unread",
        connections: 8_000,
        ask: |_, _| request("GET", SIXTEEN_KB, "Connection: close\r\n"),
        manner: Manner::Abandon,
        ..STALLED
    },
];

/// The attack called `name`.
///
/// # Errors
///
/// There is none; which there are.
pub fn by_name(name: &str) -> Result<Attack, String> {
    let found = ALL.iter().find(|attack| attack.name == name).cloned();
    found.ok_or_else(|| format!("try one of {}", ALL.each_ref().map(|attack| attack.name).join(", ")))
}

/// A field line that asks for `count` bytes, none next to another.
fn ranges(count: usize) -> String {
    let ranges: Vec<String> = (0..count).map(|number| format!("{0}-{0}", number * 1_000)).collect();
    format!("Range: bytes={}\r\n", ranges.join(","))
}

/// The first `len` bytes of a head that never ends.
fn half_head(len: usize) -> String {
    let mut head = "GET /1k.html HTTP/1.1\r\nHost: test\r\nX-Long: ".to_owned();
    head.extend(std::iter::repeat_n('x', len - head.len()));
    head
}
