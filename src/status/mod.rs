//! How the server is, for whoever runs it: a page, and the same for programs, asked for or pushed.
//!
//! It has a listener of its own, so that it is never public by accident. What it tells is a [`Snapshot`] that
//! the loop takes when it is asked for: nothing is gathered while nobody looks.

mod events;
mod json;
mod page;
mod prometheus;

use self::events::{Hub, Topics};
use crate::clock::{Now, Tick};
use crate::http::head::{BodyLength, HeadWriter, Persistence};
use crate::http::method::Method;
use crate::http::status::Status;
use crate::http::target::Target;
use crate::metrics::Snapshot;
use crate::outbox::Outbox;
use crate::process::figures::{FigureFiles, Figures};
use crate::responder::{Asked, Responded};

/// All that is told: of the loop, and of the process.
#[derive(Debug, Default)]
struct Told {
    loop_: Snapshot,
    process: Figures,
}

/// Answers at the status page's own door.
#[derive(Debug)]
pub struct StatusPage {
    files: FigureFiles,
    told: Option<Told>,
    hub: Hub,
    /// How many may stay to be told.
    readers_max: usize,
    /// When those who stay were told last.
    told_tick: Tick,
    /// Since when somebody waits to be told, microseconds since the start.
    waiting_since: Option<u64>,
    wants_snapshot: bool,
}

/// A content, and its type.
struct Shown {
    content_type: &'static str,
    content: String,
}

impl Shown {
    fn plain(text: &str) -> Shown {
        Shown { content_type: "text/plain; charset=utf-8", content: text.to_owned() }
    }
}

impl StatusPage {
    /// To be opened before the process gives up the rest of the disk.
    ///
    /// At most `readers_max` may stay to be told.
    pub fn open(readers_max: usize) -> StatusPage {
        StatusPage {
            files: FigureFiles::open(),
            told: None,
            hub: Hub::default(),
            readers_max,
            told_tick: 0,
            waiting_since: None,
            wants_snapshot: false,
        }
    }
}

impl StatusPage {
    /// Queues the response to `asked`; `None` if the loop has to tell how it is first.
    pub fn respond(&mut self, asked: &Asked, outbox: &mut Outbox) -> Option<Responded> {
        let (method, target) = (asked.request.method, asked.request.target);
        let (Method::Get | Method::Head, Target::Path { path, query, .. }) = (method, target) else {
            let status = Status::MethodNotAllowed;
            return Some(send(status, Shown::plain("GET and HEAD are understood here.\n"), asked, outbox));
        };
        // What is told is never older than the request.
        let (now, since) = (asked.now.elapsed_micros, self.waiting_since.unwrap_or(u64::MAX));
        let is_new = |told: &&Told| told.loop_.at_micros >= now.min(since);
        let Some(told) = self.told.as_ref().filter(is_new) else {
            self.waiting_since.get_or_insert(now);
            self.wants_snapshot = true;
            return None;
        };
        self.waiting_since = None;
        if path == b"/events" {
            return Some(match Topics::of(query) {
                Some(_) if self.hub.readers() >= self.readers_max => {
                    let shown = Shown::plain("As many are told as may be: please try again later.\n");
                    send(Status::ServiceUnavailable, shown, asked, outbox)
                }
                Some(topics) => stream(&mut self.hub, topics, told, asked, outbox),
                None => send(Status::BadRequest, Shown::plain(events::UNKNOWN_TOPIC), asked, outbox),
            });
        }
        let (status, shown) =
            show(path, told).unwrap_or((Status::NotFound, Shown::plain("There is nothing here.\n")));
        Some(send(status, shown, asked, outbox))
    }

    /// Once a second, whoever stays is told how it is.
    pub fn tend(&mut self, now: &Now) {
        self.wants_snapshot |= now.tick != self.told_tick && self.hub.has_readers();
    }

    /// When that is due.
    pub fn tend_tick(&self) -> Option<Tick> {
        self.hub.may_have_readers().then_some(self.told_tick + 1)
    }

    /// Whether the loop is to tell how it is.
    pub fn wants_snapshot(&self) -> bool {
        self.wants_snapshot
    }

    /// Tells how it is. Returns the keys of those who stay, for whom something has come.
    pub fn look_at(&mut self, snapshot: Snapshot) -> Vec<usize> {
        self.wants_snapshot = false;
        let told = self.told.insert(Told { loop_: snapshot, process: self.files.read() });
        let tick = (told.loop_.at_micros / 1_000_000) as Tick;
        if std::mem::replace(&mut self.told_tick, tick) == tick {
            return Vec::new();
        }
        self.hub.publish(told)
    }
}

/// Starts the head of a response.
fn head<'a>(
    status: Status,
    content_type: &str,
    persistence: Persistence,
    asked: &Asked,
    out: &'a mut Vec<u8>,
) -> HeadWriter<'a> {
    HeadWriter::start(out, status, persistence, asked.now)
        .field("Content-Type", content_type)
        .field("Content-Security-Policy", page::CONTENT_SECURITY_POLICY)
        .field("X-Content-Type-Options", "nosniff")
        .field("Cache-Control", "no-store")
}

fn send(status: Status, shown: Shown, asked: &Asked, outbox: &mut Outbox) -> Responded {
    let out = outbox.bytes_mut();
    let start = out.len();
    head(status, shown.content_type, asked.persistence, asked, out)
        .finish(BodyLength::Bytes(shown.content.len() as u64));
    let head_bytes = out.len() - start;
    if asked.request.method != Method::Head {
        out.extend_from_slice(shown.content.as_bytes());
    }
    Responded { status, head_bytes, is_last: false }
}

/// Answers with what goes on for as long as the client stays.
fn stream(hub: &mut Hub, topics: Topics, told: &Told, asked: &Asked, outbox: &mut Outbox) -> Responded {
    let (status, out) = (Status::Ok, outbox.bytes_mut());
    let start = out.len();
    head(status, "text/event-stream", Persistence::Close, asked, out).finish(BodyLength::UntilClose);
    let head_bytes = out.len() - start;
    if asked.request.method != Method::Head {
        outbox.push_source(Box::new(hub.subscribe(asked.key, topics, told)));
    }
    Responded { status, head_bytes, is_last: true }
}

/// What is at `path`.
fn show(path: &[u8], told: &Told) -> Option<(Status, Shown)> {
    let is_draining = told.loop_.is_draining;
    let (content_type, content) = match path {
        b"/" => ("text/html; charset=utf-8", page::html(told)),
        b"/style.css" => ("text/css; charset=utf-8", page::STYLE.to_owned()),
        b"/script.js" => ("text/javascript; charset=utf-8", page::SCRIPT.to_owned()),
        b"/status.json" => ("application/json", json::text(told)),
        b"/metrics" => ("text/plain; version=0.0.4; charset=utf-8", prometheus::text(told)),
        b"/health" if is_draining => ("text/plain; charset=utf-8", "stopping\n".to_owned()),
        b"/health" => ("text/plain; charset=utf-8", "serving\n".to_owned()),
        _ => return None,
    };
    let status = if is_draining && path == b"/health" { Status::ServiceUnavailable } else { Status::Ok };
    Some((status, Shown { content_type, content }))
}
