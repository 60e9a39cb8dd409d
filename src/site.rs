//! A request becomes an answer: method → path → file → preconditions → ranges → head → segments.
//!
//! Knows the rules and the disk, not the connection: what it is told of that is whether the answer is the
//! last one.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustix::io::Errno;

use crate::clock::Now;
use crate::files::Files;
use crate::files::file::File;
use crate::http::conditional::{self, Outcome};
use crate::http::head::Persistence;
use crate::http::method::Method;
use crate::http::range::{self, Selection};
use crate::http::request::{Expectation, Request};
use crate::http::status::Status;
use crate::http::target::{self, PathError, Target};
use crate::limits::Limits;
use crate::outbox::Outbox;
use crate::reply::{Answered, Reply};

/// The file that stands for its folder.
const INDEX: &[u8] = b"index.html";
/// The pages of the root that are shown for a file that is not there; the first that exists is taken.
const NOT_FOUND_PAGES: [&[u8]; 2] = [b"404.html", b"error.html"];

/// What a request target led to.
enum Found {
    File(Arc<File>),
    /// A folder that was asked for without its slash.
    FolderWithoutSlash,
}

/// The served folder and the rules by which it is served.
#[derive(Debug)]
pub struct Site {
    files: Files,
    /// The normalised path of the request at hand. Kept for its memory only.
    path: Vec<u8>,
}

impl Site {
    /// Opens `folder`. Errors say what failed, on what, and what to try.
    pub fn open(folder: &Path, limits: &Limits) -> io::Result<Site> {
        Ok(Site { files: Files::open(folder, limits)?, path: Vec::new() })
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
        let reply = Reply { persistence, head_only: request.method == Method::Head, now, outbox };
        if let Err(status) = check_method(request) {
            return reply.without_file(status);
        }
        match self.find(request, now) {
            Ok(Found::File(file)) => respond_with_file(request, &file, reply),
            Ok(Found::FolderWithoutSlash) => reply.redirect_to_folder(&self.path, request.target),
            Err(Status::NotFound) => match self.not_found_page(now) {
                Some(page) => reply.page(Status::NotFound, &page),
                None => reply.without_file(Status::NotFound),
            },
            Err(status) => reply.without_file(status),
        }
    }

    /// Queues the answer to what was no request that could be served. It is the last on its connection.
    pub fn refuse(&self, status: Status, head_only: bool, now: &Now, outbox: &mut Outbox) -> Answered {
        Reply { persistence: Persistence::Close, head_only, now, outbox }.without_file(status)
    }

    /// From the request to an open file, or to the status that says why not.
    fn find(&mut self, request: &Request, now: &Now) -> Result<Found, Status> {
        let Target::Path { path, .. } = request.target else { return Err(Status::BadRequest) };
        target::normalise(path, &mut self.path).map_err(|error| match error {
            PathError::Malformed => Status::BadRequest,
            PathError::NoSuchName => Status::NotFound,
        })?;
        if is_hidden(&self.path) {
            return Err(Status::NotFound);
        }
        let wants_index = self.path.is_empty() || self.path.ends_with(b"/");
        if wants_index {
            self.path.extend_from_slice(INDEX);
        }
        match self.files.find(&self.path, now).map_err(status_of)? {
            Some(file) => Ok(Found::File(file)),
            None if wants_index => Err(Status::NotFound),
            None => Ok(Found::FolderWithoutSlash),
        }
    }

    fn not_found_page(&mut self, now: &Now) -> Option<Arc<File>> {
        NOT_FOUND_PAGES.iter().find_map(|page| self.files.find(page, now).ok().flatten())
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

/// Preconditions, then ranges: the order of RFC 9110 §13.2.2.
fn respond_with_file(request: &Request, file: &File, reply: Reply) -> Answered {
    let validators = &file.validators;
    match conditional::evaluate(request, validators, reply.now) {
        Outcome::Proceed => {}
        Outcome::NotModified => return reply.not_modified(validators),
        Outcome::Failed => return reply.without_file(Status::PreconditionFailed),
    }
    let mut range_fields = request.field_values("range");
    let selection = match (range_fields.next(), range_fields.next()) {
        (Some(field), None) if conditional::range_applies(request, validators, reply.now) => {
            range::select(field, file.content_len())
        }
        _ => Selection::Whole,
    };
    reply.file(file, selection)
}

/// Dotfiles are nobody's business, except below `/.well-known/` (RFC 8615).
fn is_hidden(path: &[u8]) -> bool {
    let is_exempt = path.starts_with(b".well-known") && matches!(path.get(11), None | Some(b'/'));
    !is_exempt && (path.starts_with(b".") || path.windows(2).any(|pair| pair == b"/."))
}

/// Why a file could not be opened, in the client's terms.
fn status_of(errno: Errno) -> Status {
    match errno {
        Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::LOOP | Errno::NXIO => Status::NotFound,
        // The path would have left the root, or the filesystem can hold no such name.
        Errno::XDEV | Errno::INVAL | Errno::ILSEQ => Status::NotFound,
        Errno::ACCESS | Errno::PERM => Status::Forbidden,
        Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::AGAIN => {
            log::debug!("cannot open a file: {errno}");
            Status::ServiceUnavailable
        }
        _ => {
            log::warn!("cannot open a file: {errno}");
            Status::InternalServerError
        }
    }
}
