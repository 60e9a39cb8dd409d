//! From a request to its answer: which host, which file, which rules, which head, which bytes.
//!
//! The steps always come in this order, and nothing changes an answer once it was written:
//!
//! ```text
//! method ─► host ─► path ─► search (rules, files, fallback) ─► preconditions ─► variant ─► range ─► reply
//! ```
//!
//! [`names`] tells whose site it is, [`host`] keeps its rules, [`search`] finds what is at a path,
//! [`visible`] says what may be seen, [`fields`] what goes with every answer; [`folder_listing`] is a folder
//! as content, [`reply`] writes it all down.

pub mod fields;
pub mod folder_listing;
pub mod host;
pub mod names;
pub mod reply;
pub mod search;
pub mod visible;

use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;

use self::fields::{AnswerFields, SiteFields};
use self::folder_listing::{FolderListing, ListingFraming};
use self::names::Hosts;
use self::reply::{Answered, Reply};
use self::search::{Resolved, Search, status_of};
use self::visible::Visible;
use crate::clock::Now;
use crate::config::SiteOptions;
use crate::files::mime::MediaTypes;
use crate::files::{Files, Found};
use crate::http::conditional::{self, EntityTag, Outcome, Validators};
use crate::http::head::Persistence;
use crate::http::method::Method;
use crate::http::negotiate;
use crate::http::range::{self, Selection};
use crate::http::request::{Expectation, Request, Version};
use crate::http::status::Status;
use crate::http::target::{self, PathError, Target};
use crate::limits::Limits;
use crate::listing::query::{Format, Sort};
use crate::outbox::Outbox;

/// A folder, and how it is served.
#[derive(Debug)]
pub struct Site {
    files: Files,
    hosts: Hosts,
    fields: SiteFields,
    options: SiteOptions,
    /// The normalised path of the request at hand, and where it led. Kept for their memory only.
    url_path: Vec<u8>,
    path: Vec<u8>,
}

impl Site {
    /// Opens `folder`. Errors say what failed, on what, and what to try.
    pub fn open(folder: &Path, options: &SiteOptions, limits: &Limits) -> io::Result<Site> {
        let media_types = MediaTypes::with(options.media_types.clone());
        let files = Files::open(folder, options.symlinks, media_types, limits)?;
        let hosts = Hosts::open(&files, options.vhosts, options.strict)?;
        let (fields, options) = (SiteFields::new(options), options.clone());
        Ok(Site { files, hosts, fields, options, url_path: Vec::new(), path: Vec::new() })
    }

    /// The folder that is served.
    pub fn root_folder(&self) -> BorrowedFd<'_> {
        self.files.root_folder()
    }

    /// From now on no answer rests on what the disk said before. Called once the poll has told of new
    /// requests: what arrives while these are answered may be answered by the same check.
    pub fn recheck(&mut self) {
        self.files.recheck();
    }

    /// Queues the answer to `request`.
    pub fn respond(
        &mut self,
        request: &Request,
        persistence: Persistence,
        now: &Now,
        outbox: &mut Outbox,
    ) -> Answered {
        let Site { files, hosts, fields, options, url_path, path } = self;
        let head_only = request.method == Method::Head;
        let mut reply = Reply { persistence, head_only, now, fields: AnswerFields::of(fields), outbox };
        if let Err(status) = check_method(request) {
            return match status {
                Status::NoContent if options.cors.is_some() => reply.options(Some(request)),
                Status::NoContent => reply.options(None),
                _ => reply.without_file(status),
            };
        }
        let host = match hosts.find(request, files, now) {
            Ok(Some(host)) => host,
            Ok(None) => return reply.without_file(Status::NotFound),
            Err(errno) => return reply.without_file(status_of(errno)),
        };
        let mut search = Search { files, host: &host, options, now, path, has_asked_accept: false };
        let resolved = normalise(request, url_path).and_then(|()| {
            if !host.headers.is_empty() {
                reply.fields.rules = host.headers.find(url_path);
            }
            search.resolve(url_path, request)
        });
        reply.fields.varies.by_accept = search.has_asked_accept;
        match resolved {
            Ok(Resolved::File(found)) => respond_with_file(request, found, search, reply),
            Ok(Resolved::Folder) => match list(request, url_path, &search, &mut reply) {
                Ok(answered) => answered,
                Err(status) => respond_with_error(status, search, reply),
            },
            Ok(Resolved::Redirect { status, location }) => reply.redirect(status, &location),
            Ok(Resolved::NotFound { page: Some(page) }) => reply.page(Status::NotFound, &page),
            Ok(Resolved::NotFound { page: None }) => respond_with_error(Status::NotFound, search, reply),
            Err(status) => respond_with_error(status, search, reply),
        }
    }

    /// Queues the answer to what was no request that could be served. It is the last on its connection.
    pub fn refuse(&self, status: Status, head_only: bool, now: &Now, outbox: &mut Outbox) -> Answered {
        let fields = AnswerFields::of(&self.fields);
        Reply { persistence: Persistence::Close, head_only, now, fields, outbox }.without_file(status)
    }
}

/// Whether the method leads to a file at all (RFC 9110 §9).
fn check_method(request: &Request) -> Result<(), Status> {
    match request.method {
        _ if request.expectation() == Expectation::Unknown => Err(Status::ExpectationFailed),
        Method::Get | Method::Head => Ok(()),
        Method::Options => Err(Status::NoContent),
        Method::Connect | Method::OtherKnown => Err(Status::MethodNotAllowed),
        Method::Unknown => Err(Status::NotImplemented),
    }
}

/// Writes the one path that everything goes by into `url_path`.
fn normalise(request: &Request, url_path: &mut Vec<u8>) -> Result<(), Status> {
    url_path.clear();
    let Target::Path { path, .. } = request.target else { return Err(Status::BadRequest) };
    target::normalise(path, url_path).map_err(|error| match error {
        PathError::Malformed => Status::BadRequest,
        PathError::NoSuchName => Status::NotFound,
    })
}

/// The variant, then preconditions, which are about what is sent, then ranges: the order of RFC 9110 §13.2.2.
fn respond_with_file(request: &Request, found: Found, search: Search, mut reply: Reply) -> Answered {
    let Found { file, codings } = found;
    let may_choose = !codings.is_empty() && !reply.fields.rules.replace("content-encoding");
    let coding = if may_choose { negotiate::choose_coding(request, codings) } else { None };
    let variant = coding.and_then(|coding| search.files.find_variant(search.path, &file, coding, reply.now));
    let file = variant.unwrap_or(file);
    reply.fields.varies.by_accept_encoding = may_choose;
    match conditional::evaluate(request, &file.validators, reply.now) {
        Outcome::Proceed => {}
        Outcome::NotModified => return reply.not_modified(&file),
        Outcome::Failed => return reply.without_file(Status::PreconditionFailed),
    }
    let mut range_fields = request.field_values("range");
    let selection = match (range_fields.next(), range_fields.next()) {
        (Some(field), None) if conditional::range_applies(request, &file.validators, reply.now) => {
            range::select(field, file.content_len())
        }
        _ => Selection::Whole,
    };
    reply.file(&file, selection)
}

fn respond_with_error(status: Status, mut search: Search, mut reply: Reply) -> Answered {
    match search.error_page(status) {
        Some(page) => reply.page(status, &page),
        None => reply.without_file(status),
    }
}

/// Lists the folder that was found. What says whether it has changed is the folder's own time: it tells of
/// names that came and went.
fn list(request: &Request, url_path: &[u8], search: &Search, reply: &mut Reply) -> Result<Answered, Status> {
    let Target::Path { query, .. } = request.target else { return Err(Status::BadRequest) };
    reply.fields.varies.by_accept = true;
    let format = Format::choose(query, negotiate::prefers_json(request));
    let folder = search.files.open_folder(search.path).map_err(status_of)?;
    let stamp = folder.stamp;
    let now_unix_secs = i64::try_from(reply.now.unix_secs).unwrap_or(i64::MAX);
    // Anybody can set the time of a change back, but not that of setting it.
    let changed_nanos = (stamp.changed.secs as u64).wrapping_mul(1_000_000_000);
    let changed_nanos = changed_nanos.wrapping_add(stamp.changed.nanos.into());
    let tag = EntityTag::of_file(stamp.modified.secs, stamp.modified.nanos, changed_nanos, true);
    let validators = Validators {
        entity_tag: tag.of_variant(if format == Format::Json { "json" } else { "html" }),
        // A date in the future would promise what nobody knows (RFC 9110 §8.8.2.1).
        last_modified_unix_secs: stamp.modified.secs.min(now_unix_secs),
        is_date_strong: false,
    };
    // A folder that was changed just now may change again and keep its time.
    let validators = (!stamp.is_in_doubt(reply.now.unix_secs)).then_some(validators);
    match validators
        .map_or(Outcome::Proceed, |validators| conditional::evaluate(request, &validators, reply.now))
    {
        Outcome::Proceed => {}
        Outcome::NotModified => return Ok(reply.listing_not_modified(validators)),
        Outcome::Failed => return Err(Status::PreconditionFailed),
    }
    let framing = match request.version {
        Version::Http11 => ListingFraming::Chunks,
        Version::Http10 => ListingFraming::Close,
    };
    if reply.head_only {
        return Ok(reply.listing(format, validators, framing, None));
    }
    let visible = Visible { hidden: search.options.hidden };
    let sort = Sort::from_query(query);
    let source =
        FolderListing::start(folder, url_path, visible, (format, sort), framing).map_err(status_of)?;
    Ok(reply.listing(format, validators, framing, Some(source)))
}
