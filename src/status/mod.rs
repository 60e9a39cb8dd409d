//! How the server is, for whoever runs it: a page, and the same for programs.
//!
//! It has a listener of its own, so that it is never public by accident. What it tells is a [`Snapshot`] that
//! the loop takes when it is asked for: nothing is gathered while nobody looks.

mod json;
mod page;
mod prometheus;

use crate::http::head::{BodyLength, HeadWriter};
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
    /// Since when somebody waits to be told, microseconds since the start.
    waiting_since: Option<u64>,
    wants_snapshot: bool,
}

/// A content, and its type.
struct Shown {
    content_type: &'static str,
    content: String,
}

impl StatusPage {
    /// To be opened before the process gives up the rest of the disk.
    pub fn open() -> StatusPage {
        StatusPage { files: FigureFiles::open(), told: None, waiting_since: None, wants_snapshot: false }
    }
}

impl StatusPage {
    /// Queues the response to `asked`; `None` if the loop has to tell how it is first.
    pub fn respond(&mut self, asked: &Asked, outbox: &mut Outbox) -> Option<Responded> {
        let plain =
            |text: &str| Shown { content_type: "text/plain; charset=utf-8", content: text.to_owned() };
        let (status, shown) = match (asked.request.method, asked.request.target) {
            (Method::Get | Method::Head, Target::Path { path, .. }) => {
                // What is told is never older than the request.
                let (now, since) = (asked.now.elapsed_micros, self.waiting_since.unwrap_or(u64::MAX));
                let is_new = |told: &&Told| told.loop_.at_micros >= now.min(since);
                let Some(told) = self.told.as_ref().filter(is_new) else {
                    self.waiting_since.get_or_insert(now);
                    self.wants_snapshot = true;
                    return None;
                };
                self.waiting_since = None;
                show(path, told).unwrap_or((Status::NotFound, plain("There is nothing here.\n")))
            }
            _ => (Status::MethodNotAllowed, plain("GET and HEAD are understood here.\n")),
        };
        let start = outbox.bytes_mut().len();
        HeadWriter::start(outbox.bytes_mut(), status, asked.persistence, asked.now)
            .field("Content-Type", shown.content_type)
            .field("Content-Security-Policy", page::CONTENT_SECURITY_POLICY)
            .field("X-Content-Type-Options", "nosniff")
            .field("Cache-Control", "no-store")
            .finish(BodyLength::Bytes(shown.content.len() as u64));
        let head_bytes = outbox.bytes_mut().len() - start;
        if asked.request.method != Method::Head {
            outbox.bytes_mut().extend_from_slice(shown.content.as_bytes());
        }
        Some(Responded { status, head_bytes, is_last: false })
    }

    /// Whether the loop is to tell how it is.
    pub fn wants_snapshot(&self) -> bool {
        self.wants_snapshot
    }

    /// Tells how it is.
    pub fn look_at(&mut self, snapshot: Snapshot) {
        self.wants_snapshot = false;
        self.told = Some(Told { loop_: snapshot, process: self.files.read() });
    }
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
