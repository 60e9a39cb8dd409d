//! One response in the making: conditions, range, head, body, for every representation alike.
//!
//! What to answer is decided in [`site`](super); here it is written down.

use std::ops::Range;

use super::fields::{Head, OwnerFields, Shows};
use super::page;
use super::parts::Parts;
use super::representation::{Content, Representation, shows_of};
use crate::clock::Now;
use crate::files::file::{File, Stored};
use crate::files::file_slice::FileSlice;
use crate::http::byteranges::{Byteranges, ContentRange};
use crate::http::conditional::{self, Outcome};
use crate::http::head::{BodyLength, Persistence};
use crate::http::negotiate;
use crate::http::range::{self, Selection};
use crate::http::refusal::Refusal;
use crate::http::request::Request;
use crate::http::status::Status;
use crate::outbox::{Outbox, Source};
use crate::responder::Responded;

/// What pws does with a file (RFC 9110 §10.2.1).
const ALLOW: &str = "GET, HEAD, OPTIONS";
/// Seconds until a client may hope for more after a 503.
const RETRY_AFTER_SECS: u32 = 1;
/// Seconds for which a browser need not ask again whether it may ask: the longest that any of them heeds.
const PREFLIGHT_MAX_AGE_SECS: &str = "86400";

/// Where a response goes, and what its request settled about it. Each method queues one response.
#[derive(Debug)]
pub struct Response<'a> {
    pub persistence: Persistence,
    /// HEAD: everything but the body.
    pub head_only: bool,
    pub now: &'a Now,
    pub owner: OwnerFields<'a>,
    pub outbox: &'a mut Outbox,
}

/// What is sent behind a head.
enum Body<'a> {
    Empty,
    Stretch(Stored<'a>, Range<u64>),
    /// Of content that is in memory: so small that they are written at once.
    Parts(Stored<'a>, Vec<Range<u64>>, Byteranges),
    Made(Box<dyn Source>),
}

impl Response<'_> {
    /// 200, 206, 304, 412 or 416: what `request` is to get of `representation`. Preconditions come before
    /// ranges (RFC 9110 §13.2.2). Content that has to be made is had from `make` once it is certain that it
    /// is wanted; if there is an error, nothing was queued.
    pub fn show(
        &mut self,
        representation: &Representation,
        request: &Request,
        make: impl FnOnce() -> Result<Box<dyn Source>, Status>,
    ) -> Result<Responded, Status> {
        let outcome = representation
            .validators
            .map_or(Outcome::Proceed, |validators| conditional::evaluate(request, validators, self.now));
        match (outcome, representation.content) {
            (Outcome::NotModified, _) => Ok(self.not_modified(representation)),
            (Outcome::Failed, _) => Err(Status::PreconditionFailed),
            (Outcome::Proceed, Content::File(file)) => Ok(self.file(representation, file, request)),
            (Outcome::Proceed, Content::Made { .. }) if !self.head_only => {
                let body = Body::Made(make()?);
                Ok(self.whole(Status::Ok, representation, body, |head| head))
            }
            (Outcome::Proceed, _) => Ok(self.whole(Status::Ok, representation, Body::Empty, |head| head)),
        }
    }

    /// Whether the response to `request` has content of `file` in it. Only then is that to be read.
    pub fn sends_content(&self, file: &File, request: &Request) -> bool {
        !self.head_only && conditional::evaluate(request, &file.validators, self.now) == Outcome::Proceed
    }

    /// A file that stands in for one that is not there.
    pub fn stand_in(&mut self, status: Status, page: &File) -> Responded {
        let representation = Representation::of_stand_in(page);
        let body = Body::Stretch(page.content(), 0..page.content_len());
        self.whole(status, &representation, body, |head| retry_after(status, head))
    }

    /// Any response that needs no file: a page of our own.
    pub fn without_file(&mut self, status: Status) -> Responded {
        self.status_page(status, |head| match status {
            Status::MethodNotAllowed => head.field("Allow", ALLOW),
            _ => retry_after(status, head),
        })
    }

    /// Tells why what was received is no request that could be served.
    pub fn refuse(&mut self, refusal: Refusal) -> Responded {
        let status = refusal.status();
        self.page(status, refusal.sentence(), |head| retry_after(status, head))
    }

    /// Sends the client elsewhere.
    pub fn redirect(&mut self, status: Status, location: &str) -> Responded {
        self.status_page(status, |head| head.field("Location", location))
    }

    /// 204: what can be done. Where pages of other origins may read what is there, a preflight is told what
    /// they may do (Fetch Standard, CORS protocol).
    pub fn options(&mut self, request: &Request) -> Responded {
        let value = |name| request.field_values(name).next();
        let mut permissions = vec![("Allow", ALLOW)];
        if self.owner.lets_others_read() && value("access-control-request-method").is_some() {
            permissions.push(("Access-Control-Allow-Methods", ALLOW));
            let names = value("access-control-request-headers").and_then(negotiate::token_list);
            permissions.extend(names.map(|names| ("Access-Control-Allow-Headers", names)));
            if value("access-control-request-private-network") == Some(b"true") {
                permissions.push(("Access-Control-Allow-Private-Network", "true"));
            }
            permissions.push(("Access-Control-Max-Age", PREFLIGHT_MAX_AGE_SECS));
        }
        self.write(Status::NoContent, Shows::SomethingElse, BodyLength::None, Body::Empty, |head| {
            permissions.iter().fold(head, |head, (name, value)| head.field(name, value))
        })
    }
}

/// What the above are made of.
impl Response<'_> {
    fn status_page(&mut self, status: Status, fields: impl FnOnce(Head) -> Head) -> Responded {
        self.page(status, page::sentence(status), fields)
    }

    fn page(&mut self, status: Status, sentence: &str, fields: impl FnOnce(Head) -> Head) -> Responded {
        let html = page::html(status, sentence);
        let body = Body::Stretch(Stored::Memory(html.as_bytes()), 0..html.len() as u64);
        self.whole(status, &Representation::of_page(html.len()), body, fields)
    }

    /// 304: what the client has is good (RFC 9110 §15.4.5).
    fn not_modified(&mut self, representation: &Representation) -> Responded {
        // What is said of the file now is said of what the client has (RFC 9111 §3.2).
        let shows = match representation.shows() {
            Shows::Bytes if !self.owner.decides_type() => Shows::Bytes,
            _ => Shows::SomethingElse,
        };
        self.write(Status::NotModified, shows, BodyLength::None, Body::Empty, |head| {
            let validators = representation.validators.iter();
            validators.fold(head, |head, validators| head.field("ETag", validators.entity_tag))
        })
    }

    /// 200, 206 or 416: a file, or what is asked for of it.
    fn file(&mut self, representation: &Representation, file: &File, request: &Request) -> Responded {
        let len = file.content_len();
        let mut fields = request.field_values("range");
        let selection = match (fields.next(), fields.next()) {
            (Some(field), None)
                if representation.has_parts
                    && conditional::range_applies(request, &file.validators, self.now) =>
            {
                range::select(field, len)
            }
            _ => Selection::Whole,
        };
        match selection {
            Selection::Whole => self.whole_of(representation, file),
            Selection::One(range) => self.one_range(representation, file, range),
            Selection::Many(ranges) => self.many_ranges(representation, file, ranges),
            Selection::Unsatisfiable => self.status_page(Status::RangeNotSatisfiable, |head| {
                head.field("Content-Range", format_args!("bytes */{len}"))
            }),
        }
    }

    /// A file, whatever the owner says of its type and coding, and however new it is.
    fn whole_of(&mut self, representation: &Representation, file: &File) -> Responded {
        let decides_coding =
            || file.coding.is_some() && self.owner.decides("content-encoding", Shows::TheFile);
        let is_ready = !self.owner.decides_type() && !decides_coding();
        match is_ready && file.validators.is_date_over(self.now) {
            false => {
                let body = Body::Stretch(file.content(), 0..file.content_len());
                self.whole(Status::Ok, representation, body, |head| head)
            }
            true => self.whole_file(file),
        }
    }

    /// The common case: nothing is written but the date of the response; the rest is ready.
    fn whole_file(&mut self, file: &File) -> Responded {
        let start = self.outbox.bytes_mut().len();
        let slice = if self.head_only { None } else { file.memory_slice() };
        let prepared = file.prepared(!self.head_only && slice.is_none());
        self.start_head(Status::Ok, shows_of(file)).writer.finish_with(prepared);
        let mut head_bytes = self.outbox.bytes_mut().len() - start;
        match (slice, file.content()) {
            _ if self.head_only => {}
            (Some(slice), _) => self.outbox.push_memory(slice),
            (None, Stored::Unread) => debug_assert!(false, "content was promised and not read"),
            (None, Stored::Memory(bytes)) => head_bytes -= bytes.len(),
            (None, Stored::Disk { file: open_file, is_cold }) => {
                self.outbox.push_file(FileSlice::new(open_file, 0, file.content_len(), is_cold));
            }
        }
        Responded { status: Status::Ok, head_bytes, is_last: false }
    }

    fn one_range(&mut self, representation: &Representation, file: &File, range: Range<u64>) -> Responded {
        let content_range = ContentRange { range: &range, len: file.content_len() }.to_string();
        let length = BodyLength::Bytes(range.end - range.start);
        let (body, now) = (Body::Stretch(file.content(), range), self.now);
        self.write(Status::PartialContent, representation.shows(), length, body, |head| {
            let head = head.field("Content-Type", representation.content_type);
            representation.describe(head, now).field("Content-Range", content_range)
        })
    }

    /// Parts in one body, unless that would be more than all there is: each has a head of its own.
    fn many_ranges(
        &mut self,
        representation: &Representation,
        file: &File,
        ranges: Vec<Range<u64>>,
    ) -> Responded {
        let content_type = self.owner.type_of_file(representation.content_type);
        let between = Byteranges::new(&file.validators.entity_tag, content_type, file.content_len());
        let body_bytes = between.body_bytes(&ranges);
        if body_bytes >= file.content_len() {
            return self.whole_of(representation, file);
        }
        let length = BodyLength::Bytes(body_bytes);
        let (content_type, now) = (between.content_type(), self.now);
        let body = match file.content() {
            Stored::Disk { file, is_cold } => {
                Body::Made(Box::new(Parts::new(file, is_cold, ranges, between)))
            }
            content => Body::Parts(content, ranges, between),
        };
        self.write(Status::PartialContent, Shows::PartsOfTheFile, length, body, |head| {
            representation.describe(head.field("Content-Type", content_type), now)
        })
    }

    /// A whole representation; `fields` stand in front of those that speak of it.
    fn whole(
        &mut self,
        status: Status,
        representation: &Representation,
        body: Body,
        fields: impl FnOnce(Head) -> Head,
    ) -> Responded {
        let (length, now) = (representation.length(), self.now);
        self.write(status, representation.shows(), length, body, |head| {
            representation.describe(fields(head).field("Content-Type", representation.content_type), now)
        })
    }

    /// The one way in which a response is queued: a head, then its body unless it answers a HEAD.
    fn write(
        &mut self,
        status: Status,
        shows: Shows,
        length: BodyLength,
        body: Body,
        fields: impl FnOnce(Head) -> Head,
    ) -> Responded {
        let is_last = length == BodyLength::UntilClose;
        if is_last {
            self.persistence = Persistence::Close;
        }
        let start = self.outbox.bytes_mut().len();
        fields(self.start_head(status, shows)).writer.finish(length);
        let head_bytes = self.outbox.bytes_mut().len() - start;
        if !self.head_only {
            self.push(body);
        }
        Responded { status, head_bytes, is_last }
    }

    #[inline(always)]
    fn start_head(&mut self, status: Status, shows: Shows) -> Head<'_> {
        self.owner.start_head(self.outbox.bytes_mut(), (status, self.persistence, self.now), shows)
    }

    fn push(&mut self, body: Body) {
        match body {
            Body::Empty => {}
            Body::Stretch(content, range) => self.push_stretch(&content, range),
            Body::Parts(content, ranges, between) => {
                for range in ranges {
                    between.write_head(&range, self.outbox.bytes_mut());
                    self.push_stretch(&content, range);
                }
                between.write_end(self.outbox.bytes_mut());
            }
            Body::Made(source) => self.outbox.push_source(source),
        }
    }

    fn push_stretch(&mut self, content: &Stored, range: Range<u64>) {
        match *content {
            Stored::Unread => debug_assert!(false, "content was promised and not read"),
            // What is in memory has a length that fits a usize, and so have its parts.
            Stored::Memory(bytes) => {
                let stretch = &bytes[range.start as usize..range.end as usize];
                self.outbox.bytes_mut().extend_from_slice(stretch);
            }
            Stored::Disk { file, is_cold } => {
                let len = range.end - range.start;
                self.outbox.push_file(FileSlice::new(file, range.start, len, is_cold));
            }
        }
    }
}

fn retry_after(status: Status, head: Head) -> Head {
    match status {
        Status::ServiceUnavailable => head.field("Retry-After", RETRY_AFTER_SECS),
        _ => head,
    }
}
