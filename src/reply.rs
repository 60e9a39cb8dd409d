//! One answer in the making: its head, and the segments behind it.
//!
//! What to answer is decided in [`site`](crate::site); here it is written down.

use std::fmt::{self, Display};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::clock::{self, Now};
use crate::files::mime::{self, ContentType};
use crate::files::root::FileFacts;
use crate::http::conditional::Validators;
use crate::http::head::{HeadWriter, Persistence};
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

/// An open file and what its head tells.
#[derive(Debug)]
pub struct File {
    pub descriptor: OwnedFd,
    pub facts: FileFacts,
    pub content_type: ContentType,
}

/// Where an answer goes, and what its request settled about it. Each method queues one answer.
#[derive(Debug)]
pub struct Reply<'a> {
    pub persistence: Persistence,
    /// HEAD: everything but the content.
    pub head_only: bool,
    /// Files up to this size are queued as bytes, larger ones as slices.
    pub copied_file_bytes_max: u64,
    pub now: &'a Now,
    pub outbox: &'a mut Outbox,
}

impl Reply<'_> {
    /// 200, 206 or 416: a file, or what was selected of it.
    pub fn file(self, file: File, validators: &Validators, selection: Selection) -> Answered {
        match selection {
            Selection::Whole => self.whole(file, validators),
            Selection::One(range) => self.one_range(file, validators, range),
            Selection::Many(ranges) => self.many_ranges(file, validators, &ranges),
            Selection::Unsatisfiable => {
                let len = file.facts.len;
                self.built_in_page(Status::RangeNotSatisfiable, |head| {
                    head.field("Content-Range", format_args!("bytes */{len}"))
                })
            }
        }
    }

    /// A file that stands in for one that is not there: no validators, which would be those of another.
    pub fn page(mut self, status: Status, page: File) -> Answered {
        let len = page.facts.len;
        self.start(status).field("Content-Type", page.content_type).finish(len);
        self.content(status, page, 0..len)
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

    /// The head of a 200 or a 206, up to what they differ in.
    fn start_file(&mut self, status: Status, validators: &Validators) -> HeadWriter<'_> {
        self.start(status)
            .field("Last-Modified", HttpDate(clock::http_date(validators.last_modified_unix_secs)))
            .field("ETag", validators.entity_tag)
            .field("Accept-Ranges", "bytes")
    }

    fn whole(mut self, file: File, validators: &Validators) -> Answered {
        let len = file.facts.len;
        self.start_file(Status::Ok, validators).field("Content-Type", file.content_type).finish(len);
        self.content(Status::Ok, file, 0..len)
    }

    fn one_range(mut self, file: File, validators: &Validators, range: Range<u64>) -> Answered {
        self.start_file(Status::PartialContent, validators)
            .field("Content-Type", file.content_type)
            .field("Content-Range", ContentRange { range: &range, len: file.facts.len })
            .finish(range.end - range.start);
        self.content(Status::PartialContent, file, range)
    }

    /// `multipart/byteranges` (RFC 9110 §14.6): a head of its own before each part, and a line to end it.
    fn many_ranges(mut self, file: File, validators: &Validators, ranges: &[Range<u64>]) -> Answered {
        let status = Status::PartialContent;
        let boundary = Boundary::of(&file.facts);
        let part_head = |range| PartHead { boundary: &boundary, file: &file, range }.to_string();
        let end = format!("\r\n--{boundary}--\r\n");
        let parts_bytes: u64 =
            ranges.iter().map(|range| part_head(range).len() as u64 + range.end - range.start).sum();
        let body_bytes = parts_bytes + end.len() as u64;
        self.start_file(status, validators)
            .field("Content-Type", format_args!("multipart/byteranges; boundary={boundary}"))
            .finish(body_bytes);
        let heads: Vec<String> = ranges.iter().map(part_head).collect();
        let descriptor = Arc::new(file.descriptor);
        for (range, head) in ranges.iter().zip(heads) {
            self.outbox.bytes_mut().extend_from_slice(head.as_bytes());
            let (offset, len) = (range.start, range.end - range.start);
            self.outbox.push_file(FileSlice { file: Arc::clone(&descriptor), offset, len });
        }
        self.outbox.bytes_mut().extend_from_slice(end.as_bytes());
        Answered { status, body_bytes }
    }

    /// Queues a part of a file behind its head: as bytes if it is small, as a slice if it is not.
    fn content(self, status: Status, file: File, range: Range<u64>) -> Answered {
        if self.head_only {
            return Answered { status, body_bytes: 0 };
        }
        let body_bytes = range.end - range.start;
        let copied = match body_bytes <= self.copied_file_bytes_max {
            true => copy(&file.descriptor, &range, self.outbox.bytes_mut()),
            false => 0,
        };
        // What a small file lacks of its length, because it was cut meanwhile, is missed when it is to be sent.
        let (offset, len) = (range.start + copied, body_bytes - copied);
        self.outbox.push_file(FileSlice { file: Arc::new(file.descriptor), offset, len });
        Answered { status, body_bytes }
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

/// Appends a part of a file; returns how many bytes there were.
fn copy(file: &OwnedFd, range: &Range<u64>, out: &mut Vec<u8>) -> u64 {
    let start = out.len();
    let end = start + usize::try_from(range.end - range.start).unwrap_or(0);
    out.resize(end, 0);
    let mut filled = start;
    while filled < end {
        match rustix::io::pread(file, &mut out[filled..], range.start + (filled - start) as u64) {
            Ok(0) | Err(_) => break,
            Ok(count) => filled += count,
        }
    }
    out.truncate(filled);
    (filled - start) as u64
}

fn built_in_page(status: Status) -> String {
    let (code, reason) = (status.code(), status.reason());
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{code} {reason}</title>\n<h1>{code} {reason}</h1>\n"
    )
}

/// An IMF-fixdate as a field value.
struct HttpDate([u8; clock::HTTP_DATE_LEN]);

impl Display for HttpDate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(std::str::from_utf8(&self.0).map_err(|_| fmt::Error)?)
    }
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

/// What parts the parts. Made of the file's time and length: whoever writes the file's content cannot know it
/// beforehand, and the same request gets the same answer.
struct Boundary {
    nanos: u32,
    secs: i64,
    len: u64,
}

impl Boundary {
    fn of(facts: &FileFacts) -> Boundary {
        Boundary { nanos: facts.modified_nanos, secs: facts.modified_secs, len: facts.len }
    }
}

impl Display for Boundary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "pws-{:08x}-{:x}-{:x}", self.nanos, self.secs, self.len)
    }
}

/// What stands before each part.
struct PartHead<'a> {
    boundary: &'a Boundary,
    file: &'a File,
    range: &'a Range<u64>,
}

impl Display for PartHead<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PartHead { boundary, file, range } = self;
        let content_type = file.content_type;
        let content_range = ContentRange { range, len: file.facts.len };
        write!(
            formatter,
            "\r\n--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {content_range}\r\n\r\n"
        )
    }
}
