//! From a request to its response: which host, which file, which rules, which head, which bytes.
//!
//! The steps always come in this order, and nothing changes a response once it was written:
//!
//! ```text
//! method ─► host ─► path ─► search (rules, files, fallback) ─► variant ─► preconditions ─► range ─► head
//! ```
//!
//! [`names`] tells whose site it is, [`host`] keeps its rules, [`search`] finds what is at a path, as far as
//! it is [`visible`](crate::files::visible), [`fields`] says what goes with every response. What is found
//! becomes a [`representation`], a folder by its [`folder_listing`], several ranges by their [`parts`], and
//! [`response`] writes down what the request is to get of that.

pub mod fields;
pub mod folder_listing;
pub mod host;
pub mod host_folders;
pub mod names;
pub mod nearby;
pub mod page;
pub mod parts;
pub mod representation;
pub mod response;
pub mod search;
pub mod sorting;

use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;

use rustix::io::Errno;

use self::fields::{OwnerFields, SiteFields};
use self::folder_listing::{FolderListing, Form};
use self::names::{Hosts, Sought};
use self::representation::Representation;
use self::response::Response;
use self::search::{Resolved, Search, Unreadable, status_of};
use self::sorting::SortingMemory;
use crate::clock::{Now, Tick};
use crate::config::SiteOptions;
use crate::files::file::File;
use crate::files::stamp::Stamp;
use crate::files::{Files, Found};
use crate::http::conditional::{EntityTag, Validators};
use crate::http::head::Persistence;
use crate::http::method::Method;
use crate::http::negotiate;
use crate::http::refusal::Refusal;
use crate::http::request::{Expectation, Request, Version};
use crate::http::status::Status;
use crate::http::target::{self, Malformed, Target};
use crate::limits::Limits;
use crate::listing::query::{Format, Sort};
use crate::metrics::CacheCounts;
use crate::notices::{Notice, Notices};
use crate::outbox::Outbox;
use crate::responder::{Asked, Responded, Responder};

/// A folder, and how it is served.
#[derive(Debug)]
pub struct Site {
    files: Files,
    hosts: Hosts,
    fields: SiteFields,
    options: SiteOptions,
    sorting: SortingMemory,
    /// The normalised path of the request at hand, and where it led. Kept for their memory only.
    url_path: Vec<u8>,
    path: Vec<u8>,
}

impl Site {
    /// Opens `folder`. Errors say what failed, on what, and what to try.
    pub fn open(folder: &Path, options: &SiteOptions, limits: &Limits) -> io::Result<Site> {
        let files = Files::open(folder, options, limits)?;
        let hosts = Hosts::new(options.vhosts, limits);
        let (fields, options) = (SiteFields::new(options), options.clone());
        let sorting = SortingMemory::within(limits);
        Ok(Site { files, hosts, fields, options, sorting, url_path: Vec::new(), path: Vec::new() })
    }

    /// Reads the rules there are, and looks for the fallback: what is wrong is logged, or an error if the
    /// options are strict. Without this, all that is looked for when it is first needed.
    pub fn check(&mut self, now: &Now) -> io::Result<()> {
        let hosts = self.hosts.read_all(&self.files, self.options.strict)?;
        let Some(fallback) = &self.options.fallback else { return Ok(()) };
        let mut reason = Status::NotFound;
        for host in hosts {
            let mut search = Search::new(&mut self.files, &host, &self.options, now, &mut self.path);
            match search.check(fallback.as_bytes()) {
                Ok(()) => return Ok(()),
                Err(status) => reason = status,
            }
        }
        let text = format!("the fallback '{fallback}' leads nowhere: {}", told_lack(reason, &self.options));
        if self.options.strict {
            return Err(io::Error::new(io::ErrorKind::NotFound, text));
        }
        // It may come later.
        log::warn!("{text}");
        Ok(())
    }

    /// The folder that is served.
    pub fn root_folder(&self) -> BorrowedFd<'_> {
        self.files.root_folder()
    }

    /// What the poll is to tell of: something has changed on the disk.
    pub fn watch_descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.files.watch_descriptor()
    }

    /// The folder that holds both that and the link by which it was named, if it was.
    pub fn link_folder(&self) -> Option<BorrowedFd<'_>> {
        self.files.link_folder()
    }
}

impl Responder for Site {
    fn respond(&mut self, asked: &Asked, notices: &mut Notices, outbox: &mut Outbox) -> Option<Responded> {
        let Site { files, hosts, fields, options, sorting, url_path, path } = self;
        let &Asked { request, persistence, now, .. } = asked;
        let head_only = request.method == Method::Head;
        let owner = OwnerFields::of(fields);
        let mut response = Response { persistence, head_only, now, owner, outbox };
        if let Err(status) = check_method(request) {
            return Some(response.without_file(status));
        }
        if request.target == Target::Asterisk {
            return Some(response.options(request));
        }
        let host = match hosts.find(request, files, now) {
            Err(errno) if files.makes_room(errno) => hosts.find(request, files, now),
            result => result,
        };
        let host = match host {
            Ok(Sought::Host(host)) => host,
            Ok(Sought::Nobody) => return Some(response.without_file(Status::NotFound)),
            Ok(Sought::NotYet) => return None,
            Err(errno) => {
                count(&Unreadable { path: Vec::new(), errno }, notices, now);
                return Some(response.without_file(status_of(errno)));
            }
        };
        let mut search = Search::new(files, &host, options, now, path);
        let responded = show(request, url_path, sorting, &mut search, &mut response)?;
        if let Some(unreadable) = &search.unreadable {
            count(unreadable, notices, now);
        }
        Some(responded)
    }

    fn refuse(&mut self, refusal: Refusal, head_only: bool, now: &Now, outbox: &mut Outbox) -> Responded {
        let owner = OwnerFields::of(&self.fields);
        Response { persistence: Persistence::Close, head_only, now, owner, outbox }.refuse(refusal)
    }

    fn begin_turn(&mut self, is_disk_told: bool, now: &Now) {
        self.files.begin_turn(is_disk_told, now);
        self.hosts.step();
    }

    fn tend_tick(&self, now: &Now) -> Option<Tick> {
        let reading = self.hosts.is_reading().then_some(now.tick);
        [reading, self.files.wake_tick()].into_iter().flatten().min()
    }

    fn cache_counts(&self) -> CacheCounts {
        self.files.counts()
    }

    fn descriptors(&self) -> usize {
        self.files.open_files()
    }

    fn recheck(&mut self) {
        self.files.recheck();
    }
}

/// Why there is no fallback, in words.
fn told_lack(reason: Status, options: &SiteOptions) -> &'static str {
    match reason {
        Status::NotFound if options.vhosts => "it is in no host's folder",
        Status::NotFound => "there is no such file in the folder",
        Status::Forbidden => "it may not be read",
        _ => "it cannot be read",
    }
}

/// Counts what is wrong with a file for whoever runs the server. Clients can bring that about whenever they
/// ask.
fn count(unreadable: &Unreadable, notices: &mut Notices, now: &Now) {
    let notice = match unreadable.errno {
        Errno::MFILE | Errno::NFILE => Notice::NoDescriptor,
        _ => Notice::Unreadable,
    };
    notices.count(notice, unreadable, now);
}

/// Whether the method is one of those that are answered (RFC 9110 §9).
fn check_method(request: &Request) -> Result<(), Status> {
    match request.method {
        _ if request.expectation() == Expectation::Unknown => Err(Status::ExpectationFailed),
        Method::Get | Method::Head | Method::Options => Ok(()),
        Method::Connect | Method::OtherKnown => Err(Status::MethodNotAllowed),
        Method::Unknown => Err(Status::NotImplemented),
    }
}

/// Writes the one path that everything goes by into `url_path`.
fn normalise(request: &Request, url_path: &mut Vec<u8>) -> Result<(), Status> {
    url_path.clear();
    let Target::Path { path, .. } = request.target else { return Err(Status::BadRequest) };
    target::normalise(path, url_path).map_err(|Malformed| Status::BadRequest)
}

/// What is at the path asked for, or the page for why there is nothing. `None`, and nothing is queued, if a
/// disk has to read something first.
fn show<'a>(
    request: &Request,
    url_path: &mut Vec<u8>,
    sorting: &SortingMemory,
    search: &mut Search<'a>,
    response: &mut Response<'a>,
) -> Option<Responded> {
    let wants_content = !response.head_only;
    let resolved = normalise(request, url_path).and_then(|()| {
        let resolved = search.resolve(url_path, request);
        let path = if let Ok(Resolved::StandIn { path, .. }) = &resolved { path } else { &url_path[..] };
        response.owner.rules = search.host.fields(path);
        resolved
    });
    if search.awaits_disk {
        return None;
    }
    if request.method == Method::Options {
        // What may be done with what is not there is the same.
        return Some(response.options(request));
    }
    response.owner.varies.by_accept = search.has_asked_accept;
    let shown = match resolved {
        Ok(Resolved::File(found) | Resolved::StandIn { found, .. }) => {
            show_file(request, found, search, response)
        }
        Ok(Resolved::Folder) => show_folder(request, url_path, sorting, search, response),
        Ok(Resolved::Redirect { status, location }) => Ok(response.redirect(status, &location)),
        Ok(Resolved::NotFound { page: Some(page) }) => search
            .prepare(page, wants_content)
            .map(|page| show_in_its_place(Status::NotFound, &page, search, response))
            .map_err(|_| Status::NotFound),
        Ok(Resolved::NotFound { page: None }) => Err(Status::NotFound),
        Err(status) => Err(status),
    };
    let status = match shown {
        Ok(responded) => return Some(responded),
        Err(status) => status,
    };
    match search.error_page(status, url_path, wants_content) {
        _ if search.awaits_disk => None,
        Some(page) => Some(show_in_its_place(status, &page, search, response)),
        None => Some(response.without_file(status)),
    }
}

/// The file that was found, or the variant of it that the client would rather have.
fn show_file(
    request: &Request,
    found: Found,
    search: &mut Search,
    response: &mut Response,
) -> Result<Responded, Status> {
    if found.is_only_coded {
        return show_only_coded(request, found, search, response);
    }
    let codings = found.codings;
    let may_choose = !codings.is_empty() && !response.owner.rules.replaces("content-encoding");
    let codings = codings.for_ranges_of(request);
    let coding = if may_choose { negotiate::choose_coding(request, codings) } else { None };
    response.owner.varies.by_accept_encoding = may_choose;
    // What has its content already need not be asked twice.
    let wants_content = |file: &File| !file.has_content() && response.sends_content(file, request);
    let variant = match coding {
        Some(coding) => search.variant(Some(&found.file), coding)?,
        None => None,
    };
    let variant = variant.and_then(|variant| {
        let wants_content = wants_content(&variant.file);
        search.prepare(variant, wants_content).ok()
    });
    let file = match variant {
        Some(variant) => variant,
        None => {
            let wants_content = wants_content(&found.file);
            search.prepare(found, wants_content)?
        }
    };
    // What could not be told yet is no reason to send something else.
    if search.awaits_disk {
        return Err(Status::ServiceUnavailable);
    }
    response.show(&Representation::of_file(&file), request, || Err(Status::InternalServerError))
}

/// The file that is there in compressed form only, in the one that the client would rather have. One that
/// takes none is told so: bytes that it cannot read are no answer.
fn show_only_coded(
    request: &Request,
    found: Found,
    search: &mut Search,
    response: &mut Response,
) -> Result<Responded, Status> {
    if response.owner.rules.replaces("content-encoding") {
        return Err(Status::NotFound);
    }
    response.owner.varies.by_accept_encoding = true;
    let coding = negotiate::accepted_coding(request, found.codings).ok_or(Status::NotAcceptable)?;
    let found = match found.file.coding == Some(coding) {
        true => found,
        false => search.variant(None, coding)?.ok_or(Status::NotFound)?,
    };
    let wants_content = !found.file.has_content() && response.sends_content(&found.file, request);
    let file = search.prepare(found, wants_content)?;
    let mut representation = Representation::of_file(&file);
    representation.has_parts = negotiate::ranges_are_of(coding, request);
    response.show(&representation, request, || Err(Status::InternalServerError))
}

/// The page that was found last, in place of what was asked for: with the fields of its own path.
fn show_in_its_place<'a>(
    status: Status,
    page: &File,
    search: &Search<'a>,
    response: &mut Response<'a>,
) -> Responded {
    response.owner.rules = search.host.fields(search.found_path());
    response.stand_in(status, page)
}

/// The folder that was found, as a list.
fn show_folder(
    request: &Request,
    url_path: &[u8],
    sorting: &SortingMemory,
    search: &mut Search,
    response: &mut Response,
) -> Result<Responded, Status> {
    let Target::Path { query, .. } = request.target else { return Err(Status::BadRequest) };
    response.owner.varies.by_accept = true;
    let format = Format::choose(query, negotiate::prefers_json(request));
    let folder = match search.files.open_folder(search.path) {
        Err(errno) if search.files.makes_room(errno) => search.files.open_folder(search.path),
        result => result,
    };
    let folder = folder.map_err(|errno| search.status_of(errno))?;
    let is_chunked = request.version == Version::Http11;
    let validators = folder_validators(&folder.stamp, format, response.now);
    let visible = search.files.visible().clone();
    let representation = Representation::of_folder(format, validators.as_ref(), is_chunked);
    response.show(&representation, request, || {
        let form = Form { format, sort: Sort::from_query(query), is_chunked };
        let listing = FolderListing::start(folder, url_path, visible, form, sorting.share());
        Ok(Box::new(listing.map_err(|errno| search.status_of(errno))?))
    })
}

/// What says whether a folder has changed is its own time: it tells of names that came and went. One that was
/// changed just now may change again and keep its time.
fn folder_validators(stamp: &Stamp, format: Format, now: &Now) -> Option<Validators> {
    // Anybody can set the time of a change back, but not that of setting it.
    let changed_nanos = stamp.changed.total_nanos();
    let tag = EntityTag::of_time(stamp.modified.secs, stamp.modified.nanos, changed_nanos, true);
    let validators = Validators {
        entity_tag: tag.of_variant(if format == Format::Json { "json" } else { "html" }),
        last_modified_unix_secs: (!stamp.modified.is_no_time()).then_some(stamp.modified.secs),
    };
    (!stamp.is_in_doubt(now.unix_secs)).then_some(validators)
}
