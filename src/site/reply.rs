//! One answer in the making: its head, and the segments behind it.
//!
//! What to answer is decided in [`site`](super); here it is written down.

use std::fmt::{self, Display};
use std::ops::Range;

use super::fields::{AnswerFields, TypeRule};
use super::folder_listing::{FolderListing, ListingFraming};
use crate::clock::Now;
use crate::files::file::{Content, File};
use crate::files::file_slice::FileSlice;
use crate::files::mime;
use crate::files::root::Stamp;
use crate::http::conditional::Validators;
use crate::http::head::{HeadWriter, HttpDate, Persistence};
use crate::http::negotiate;
use crate::http::range::Selection;
use crate::http::request::Request;
use crate::http::status::Status;
use crate::listing::html::CONTENT_SECURITY_POLICY;
use crate::listing::query::Format;
use crate::outbox::Outbox;

/// What pws does with a file (RFC 9110 §10.2.1).
const ALLOW: &str = "GET, HEAD, OPTIONS";
/// Seconds until a client may hope for more after a 503.
const RETRY_AFTER_SECS: u32 = 1;
/// Seconds for which a browser need not ask again whether it may ask: the longest that any of them heeds.
const PREFLIGHT_MAX_AGE_SECS: &str = "86400";

const CONTENT_SECURITY_POLICY_NAME: &str = "Content-Security-Policy";

/// What was answered, for the log and the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    pub status: Status,
    /// Bytes of content behind the head, as promised; `None` where nobody knows yet.
    pub body_bytes: Option<u64>,
    /// The content ends with the connection.
    pub is_last: bool,
}

impl Answered {
    fn with(status: Status, body_bytes: u64) -> Answered {
        Answered { status, body_bytes: Some(body_bytes), is_last: false }
    }
}

/// Where an answer goes, and what its request settled about it. Each method queues one answer.
#[derive(Debug)]
pub struct Reply<'a> {
    pub persistence: Persistence,
    /// HEAD: everything but the content.
    pub head_only: bool,
    pub now: &'a Now,
    pub fields: AnswerFields<'a>,
    pub outbox: &'a mut Outbox,
}

impl Reply<'_> {
    /// 200, 206 or 416: a file, or what was selected of it.
    pub fn file(&mut self, file: &File, selection: Selection) -> Answered {
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
    pub fn page(&mut self, status: Status, page: &File) -> Answered {
        let mut head = self.start(status).field("Content-Type", page.content_type.as_str());
        if status == Status::ServiceUnavailable {
            head = head.field("Retry-After", RETRY_AFTER_SECS);
        }
        head.finish(page.content_len());
        if self.head_only {
            return Answered::with(status, 0);
        }
        self.push_content(page, 0..page.content_len());
        Answered::with(status, page.content_len())
    }

    /// 304: what the client has is good (RFC 9110 §15.4.5).
    pub fn not_modified(&mut self, file: &File) -> Answered {
        let status = Status::NotModified;
        self.start(status).field("ETag", file.validators.entity_tag).finish_without_content();
        Answered::with(status, 0)
    }

    /// Any answer that needs no file: errors with a page of our own.
    pub fn without_file(&mut self, status: Status) -> Answered {
        match status {
            Status::MethodNotAllowed => self.built_in_page(status, |head| head.field("Allow", ALLOW)),
            Status::ServiceUnavailable => {
                self.built_in_page(status, |head| head.field("Retry-After", RETRY_AFTER_SECS))
            }
            _ => self.built_in_page(status, |head| head),
        }
    }

    /// 204: what can be done. To a `preflight`, if the request is one, also what pages of other origins may
    /// do (Fetch Standard, CORS protocol).
    pub fn options(&mut self, preflight: Option<&Request>) -> Answered {
        let has = |name| preflight.and_then(|request| request.field_values(name).next());
        let mut permissions = Vec::new();
        if has("access-control-request-method").is_some() {
            permissions.push(("Access-Control-Allow-Methods", ALLOW));
            let names = has("access-control-request-headers").and_then(negotiate::token_list);
            permissions.extend(names.map(|names| ("Access-Control-Allow-Headers", names)));
            if has("access-control-request-private-network") == Some(b"true") {
                permissions.push(("Access-Control-Allow-Private-Network", "true"));
            }
            permissions.push(("Access-Control-Max-Age", PREFLIGHT_MAX_AGE_SECS));
        }
        // The owner may have said otherwise.
        permissions.retain(|(name, _)| !self.fields.settle(name));
        let head = self.start(Status::NoContent).field("Allow", ALLOW);
        let head = permissions.iter().fold(head, |head, (name, value)| head.field(name, value));
        head.finish_without_content();
        Answered::with(Status::NoContent, 0)
    }

    /// Sends the client elsewhere.
    pub fn redirect(&mut self, status: Status, location: &str) -> Answered {
        self.built_in_page(status, |head| head.field("Location", location))
    }

    /// 200: a folder. Without a `source` only the head.
    pub fn listing(
        &mut self,
        format: Format,
        validators: Option<Validators>,
        framing: ListingFraming,
        source: Option<FolderListing>,
    ) -> Answered {
        let is_last = framing == ListingFraming::Close;
        if is_last {
            self.persistence = Persistence::Close;
        }
        let has_policy = self.fields.settle(CONTENT_SECURITY_POLICY_NAME);
        let mut head = self.start_listing(Status::Ok, validators);
        head = match format {
            Format::Html => generated_page(head, has_policy),
            Format::Json => head.field("Content-Type", mime::JSON),
        };
        match framing {
            ListingFraming::Chunks => head.finish_chunked(),
            ListingFraming::Close => head.finish_without_content(),
        }
        if let Some(source) = source {
            self.outbox.push_source(Box::new(source));
        }
        Answered { status: Status::Ok, body_bytes: None, is_last }
    }

    /// 304 for a folder.
    pub fn listing_not_modified(&mut self, validators: Option<Validators>) -> Answered {
        self.start_listing(Status::NotModified, validators).finish_without_content();
        Answered::with(Status::NotModified, 0)
    }

    /// A browser would guess from the date how long a listing is good: it is to ask instead.
    fn start_listing(&mut self, status: Status, validators: Option<Validators>) -> HeadWriter<'_> {
        let must_ask = !self.fields.settle("cache-control");
        let mut head = self.start(status);
        if must_ask {
            head = head.field("Cache-Control", "no-cache");
        }
        if let Some(validators) = validators {
            head = head
                .field("Last-Modified", HttpDate::of(validators.last_modified_unix_secs))
                .field("ETag", validators.entity_tag);
        }
        head
    }

    fn start(&mut self, status: Status) -> HeadWriter<'_> {
        let head = HeadWriter::start(self.outbox.bytes_mut(), status, self.persistence, self.now);
        self.fields.write(head)
    }

    /// The common case: nothing is written but the date; the rest is ready.
    fn whole(&mut self, file: &File) -> Answered {
        let status = Status::Ok;
        let type_rule = self.fields.type_rule();
        let head = HeadWriter::start(self.outbox.bytes_mut(), status, self.persistence, self.now);
        let head = self.fields.write(head);
        let head = if let TypeRule::Is(value) = type_rule { head.field("Content-Type", value) } else { head };
        let coding = self.fields.coding_rule();
        let head = if let Some(coding) = coding { head.field("Content-Encoding", coding) } else { head };
        head.finish_with(file.prepared(type_rule == TypeRule::OfFile, !self.head_only));
        if self.head_only {
            return Answered::with(status, 0);
        }
        if let Content::OnDisk(open_file) = file.content() {
            self.outbox.push_file(FileSlice::new(open_file, 0, file.content_len(), file.is_cold));
        }
        Answered::with(status, file.content_len())
    }

    /// The head of a 206, up to what one range and many differ in.
    fn start_partial(&mut self, file: &File) -> HeadWriter<'_> {
        let coding = file.coding.map(|coding| coding.token().to_owned());
        let coding = coding.or_else(|| self.fields.coding_rule().map(str::to_owned));
        let mut head = self.start(Status::PartialContent);
        if let Some(coding) = coding {
            head = head.field("Content-Encoding", coding);
        }
        head.field("Last-Modified", HttpDate::of(file.validators.last_modified_unix_secs))
            .field("ETag", file.validators.entity_tag)
            .field("Accept-Ranges", "bytes")
    }

    /// What a file is sent as, piece by piece.
    fn content_type<'f>(&'f self, file: &'f File) -> Option<&'f str> {
        match self.fields.type_rule() {
            TypeRule::OfFile => Some(file.content_type.as_str()),
            TypeRule::Is(value) => Some(value),
            TypeRule::None => None,
        }
    }

    fn one_range(&mut self, file: &File, range: Range<u64>) -> Answered {
        let body_bytes = range.end - range.start;
        let content_type = self.content_type(file).map(str::to_owned);
        let mut head = self.start_partial(file);
        if let Some(content_type) = content_type {
            head = head.field("Content-Type", content_type);
        }
        head.field("Content-Range", ContentRange { range: &range, len: file.content_len() })
            .finish(body_bytes);
        self.push_content(file, range);
        Answered::with(Status::PartialContent, body_bytes)
    }

    /// `multipart/byteranges` (RFC 9110 §14.6): a head of its own before each part, and a line to end it.
    fn many_ranges(&mut self, file: &File, ranges: &[Range<u64>]) -> Answered {
        let boundary = Boundary(&file.stamp);
        let (boundary_of, content_type) = (&boundary, self.content_type(file));
        let head_of =
            |range| PartHead { boundary: boundary_of, content_type, len: file.content_len(), range };
        let heads: Vec<String> = ranges.iter().map(|range| head_of(range).to_string()).collect();
        let end = format!("\r\n--{boundary}--\r\n");
        let heads_bytes = heads.iter().map(String::len).sum::<usize>() + end.len();
        let body_bytes = heads_bytes as u64 + ranges.iter().map(|range| range.end - range.start).sum::<u64>();
        self.start_partial(file)
            .field("Content-Type", format_args!("multipart/byteranges; boundary={boundary}"))
            .finish(body_bytes);
        for (range, head) in ranges.iter().zip(heads) {
            self.outbox.bytes_mut().extend_from_slice(head.as_bytes());
            self.push_content(file, range.clone());
        }
        self.outbox.bytes_mut().extend_from_slice(end.as_bytes());
        Answered::with(Status::PartialContent, body_bytes)
    }

    /// Queues a part of a file.
    fn push_content(&mut self, file: &File, range: Range<u64>) {
        match file.content() {
            // A loaded file's ranges fit its bytes, and so a usize.
            Content::Bytes(bytes) => {
                self.outbox.bytes_mut().extend_from_slice(&bytes[range.start as usize..range.end as usize]);
            }
            Content::OnDisk(open_file) => {
                let len = range.end - range.start;
                self.outbox.push_file(FileSlice::new(open_file, range.start, len, file.is_cold));
            }
        }
    }

    /// A page that tells the status and nothing of the request: there is nothing to escape.
    fn built_in_page(&mut self, status: Status, fields: impl FnOnce(HeadWriter) -> HeadWriter) -> Answered {
        let page = built_in_page(status);
        let body_bytes = page.len() as u64;
        let has_policy = self.fields.settle(CONTENT_SECURITY_POLICY_NAME);
        generated_page(fields(self.start(status)), has_policy).finish(body_bytes);
        if self.head_only {
            return Answered::with(status, 0);
        }
        self.outbox.bytes_mut().extend_from_slice(page.as_bytes());
        Answered::with(status, body_bytes)
    }
}

/// What every page of our own says of itself; `has_policy`: the owner has said what it may load.
fn generated_page(head: HeadWriter, has_policy: bool) -> HeadWriter {
    let head = head.field("Content-Type", mime::HTML);
    if has_policy { head } else { head.field(CONTENT_SECURITY_POLICY_NAME, CONTENT_SECURITY_POLICY) }
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
    content_type: Option<&'a str>,
    len: u64,
    range: &'a Range<u64>,
}

impl Display for PartHead<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PartHead { boundary, content_type, len, range } = *self;
        write!(formatter, "\r\n--{boundary}\r\n")?;
        if let Some(content_type) = content_type {
            write!(formatter, "Content-Type: {content_type}\r\n")?;
        }
        write!(formatter, "Content-Range: {}\r\n\r\n", ContentRange { range, len })
    }
}
