//! One answer in the making: its head, and the segments behind it.
//!
//! What to answer is decided in [`site`](crate::site); here it is written down.

use std::fmt::{self, Display};
use std::ops::Range;
use std::sync::Arc;

use crate::clock::Now;
use crate::files::file::{Content, File};
use crate::files::mime;
use crate::files::root::Stamp;
use crate::http::conditional::Validators;
use crate::http::head::{HeadWriter, HttpDate, Persistence};
use crate::http::range::Selection;
use crate::http::status::Status;
use crate::http::target::{self, Target};
use crate::outbox::{FileSlice, Outbox};

/// What pws does with a file (RFC 9110 §10.2.1).
const ALLOW: &str = "GET, HEAD, OPTIONS";
/// Seconds until a client may hope for more after a 503.
const RETRY_AFTER_SECS: u32 = 1;

/// What was answered, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    pub status: Status,
    /// Bytes of content behind the head, as promised.
    pub body_bytes: u64,
}

/// Where an answer goes, and what its request settled about it. Each method queues one answer.
#[derive(Debug)]
pub struct Reply<'a> {
    pub persistence: Persistence,
    /// HEAD: everything but the content.
    pub head_only: bool,
    pub now: &'a Now,
    pub outbox: &'a mut Outbox,
}

impl Reply<'_> {
    /// 200, 206 or 416: a file, or what was selected of it.
    pub fn file(self, file: &File, selection: Selection) -> Answered {
        match selection {
            Selection::Whole => self.whole(file),
            Selection::One(range) => self.one_range(file, range),
            Selection::Many(ranges) => self.many_ranges(file, &ranges),
            Selection::Unsatisfiable => self.built_in_page(Status::RangeNotSatisfiable, |head| {
                head.field("Content-Range", format_args!("bytes */{}", file.content_len()))
            }),
        }
    }

    /// A file that stands in for one that is not there: no validators, which would be those of another.
    pub fn page(mut self, status: Status, page: &File) -> Answered {
        self.start(status).field("Content-Type", page.content_type).finish(page.content_len());
        if self.head_only {
            return Answered { status, body_bytes: 0 };
        }
        self.push_content(page, 0..page.content_len());
        Answered { status, body_bytes: page.content_len() }
    }

    /// 304: what the client has is good (RFC 9110 §15.4.5).
    pub fn not_modified(mut self, validators: &Validators) -> Answered {
        let status = Status::NotModified;
        self.start(status).field("ETag", validators.entity_tag).finish_without_content();
        Answered { status, body_bytes: 0 }
    }

    /// Any answer that needs no file: errors with a page of our own, and 204.
    pub fn without_file(mut self, status: Status) -> Answered {
        match status {
            Status::NoContent => {
                self.start(status).field("Allow", ALLOW).finish_without_content();
                Answered { status, body_bytes: 0 }
            }
            Status::MethodNotAllowed => self.built_in_page(status, |head| head.field("Allow", ALLOW)),
            Status::ServiceUnavailable => {
                self.built_in_page(status, |head| head.field("Retry-After", RETRY_AFTER_SECS))
            }
            _ => self.built_in_page(status, |head| head),
        }
    }

    /// Sends the client to the same path with a slash, so that relative links in the folder's index work.
    pub fn redirect_to_folder(self, path: &[u8], target: Target) -> Answered {
        let path = target::encode(path);
        self.built_in_page(Status::MovedPermanently, |head| match target {
            Target::Path { query: Some(query), .. } => {
                head.field("Location", format_args!("/{path}/?{}", target::encode_query(query)))
            }
            _ => head.field("Location", format_args!("/{path}/")),
        })
    }

    fn start(&mut self, status: Status) -> HeadWriter<'_> {
        HeadWriter::start(self.outbox.bytes_mut(), status, self.persistence, self.now)
    }

    /// The common case: nothing is written but the date; the rest is ready.
    fn whole(mut self, file: &File) -> Answered {
        let status = Status::Ok;
        if self.head_only {
            self.start(status).finish_with(file.head());
            return Answered { status, body_bytes: 0 };
        }
        self.start(status).finish_with(file.head_and_content());
        if let Content::Descriptor(descriptor) = file.content() {
            self.outbox.push_file(FileSlice {
                file: Arc::clone(descriptor),
                offset: 0,
                len: file.content_len(),
            });
        }
        Answered { status, body_bytes: file.content_len() }
    }

    /// The head of a 206, up to what one range and many differ in.
    fn start_partial(&mut self, validators: &Validators) -> HeadWriter<'_> {
        self.start(Status::PartialContent)
            .field("Last-Modified", HttpDate::of(validators.last_modified_unix_secs))
            .field("ETag", validators.entity_tag)
            .field("Accept-Ranges", "bytes")
    }

    fn one_range(mut self, file: &File, range: Range<u64>) -> Answered {
        let body_bytes = range.end - range.start;
        self.start_partial(&file.validators)
            .field("Content-Type", file.content_type)
            .field("Content-Range", ContentRange { range: &range, len: file.content_len() })
            .finish(body_bytes);
        self.push_content(file, range);
        Answered { status: Status::PartialContent, body_bytes }
    }

    /// `multipart/byteranges` (RFC 9110 §14.6): a head of its own before each part, and a line to end it.
    fn many_ranges(mut self, file: &File, ranges: &[Range<u64>]) -> Answered {
        let boundary = Boundary(&file.stamp);
        let heads: Vec<String> =
            ranges.iter().map(|range| PartHead { boundary: &boundary, file, range }.to_string()).collect();
        let end = format!("\r\n--{boundary}--\r\n");
        let heads_bytes = heads.iter().map(String::len).sum::<usize>() + end.len();
        let body_bytes = heads_bytes as u64 + ranges.iter().map(|range| range.end - range.start).sum::<u64>();
        self.start_partial(&file.validators)
            .field("Content-Type", format_args!("multipart/byteranges; boundary={boundary}"))
            .finish(body_bytes);
        for (range, head) in ranges.iter().zip(heads) {
            self.outbox.bytes_mut().extend_from_slice(head.as_bytes());
            self.push_content(file, range.clone());
        }
        self.outbox.bytes_mut().extend_from_slice(end.as_bytes());
        Answered { status: Status::PartialContent, body_bytes }
    }

    /// Queues a part of a file.
    fn push_content(&mut self, file: &File, range: Range<u64>) {
        match file.content() {
            // A loaded file's ranges fit its bytes, and so a usize.
            Content::Bytes(bytes) => {
                self.outbox.bytes_mut().extend_from_slice(&bytes[range.start as usize..range.end as usize]);
            }
            Content::Descriptor(descriptor) => {
                let (offset, len) = (range.start, range.end - range.start);
                self.outbox.push_file(FileSlice { file: Arc::clone(descriptor), offset, len });
            }
        }
    }

    /// A page that tells the status and nothing of the request: there is nothing to escape.
    fn built_in_page(mut self, status: Status, fields: impl FnOnce(HeadWriter) -> HeadWriter) -> Answered {
        let page = built_in_page(status);
        let body_bytes = page.len() as u64;
        fields(self.start(status)).field("Content-Type", mime::HTML).finish(body_bytes);
        if self.head_only {
            return Answered { status, body_bytes: 0 };
        }
        self.outbox.bytes_mut().extend_from_slice(page.as_bytes());
        Answered { status, body_bytes }
    }
}

fn built_in_page(status: Status) -> String {
    let title = status.code_and_reason();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<h1>{title}</h1>\n"
    )
}

/// `bytes first-last/length` (RFC 9110 §14.4).
struct ContentRange<'a> {
    range: &'a Range<u64>,
    len: u64,
}

impl Display for ContentRange<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "bytes {}-{}/{}", self.range.start, self.range.end - 1, self.len)
    }
}

/// What parts the parts. Made of the file's time and length, so that the same request gets the same answer;
/// content that holds it can only have been written to.
struct Boundary<'a>(&'a Stamp);

impl Display for Boundary<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stamp { len, modified, .. } = self.0;
        write!(formatter, "pws-{:08x}-{:x}-{len:x}", modified.nanos, modified.secs)
    }
}

/// What stands before each part.
struct PartHead<'a> {
    boundary: &'a Boundary<'a>,
    file: &'a File,
    range: &'a Range<u64>,
}

impl Display for PartHead<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PartHead { boundary, file, range } = self;
        let content_type = file.content_type;
        let content_range = ContentRange { range, len: file.content_len() };
        write!(
            formatter,
            "\r\n--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {content_range}\r\n\r\n"
        )
    }
}
