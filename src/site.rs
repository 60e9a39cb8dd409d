//! A request becomes an answer: method → path → file → head → segments.
//!
//! Knows the rules and the disk, not the connection: what it is told of that is whether the answer is the
//! last one.

use std::fmt::{self, Display};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use rustix::io::Errno;

use crate::clock::{self, Now};
use crate::files::mime::{self, ContentType};
use crate::files::root::{FileFacts, Opened, Root};
use crate::http::head::{HeadWriter, Persistence};
use crate::http::method::Method;
use crate::http::request::Request;
use crate::http::status::Status;
use crate::http::target::{self, PathError, Target};
use crate::outbox::{FileSlice, Outbox};

/// The file that stands for its folder.
const INDEX: &[u8] = b"index.html";
/// The pages of the root that are shown for a file that is not there; the first that exists is taken.
const NOT_FOUND_PAGES: [&[u8]; 2] = [b"404.html", b"error.html"];
/// What pws does with a file (RFC 9110 §10.2.1).
const ALLOW: &str = "GET, HEAD";
/// Seconds until a client may hope for more after a 503.
const RETRY_AFTER_SECS: u32 = 1;

/// What was answered, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    pub status: Status,
    /// Bytes of content behind the head, as promised.
    pub body_bytes: u64,
}

/// What a request target led to.
enum Found {
    File(File),
    /// A folder that was asked for without its slash.
    FolderWithoutSlash,
}

/// An open file and what its head tells.
struct File {
    descriptor: OwnedFd,
    facts: FileFacts,
    content_type: ContentType,
}

/// The served folder and the rules by which it is served.
#[derive(Debug)]
pub struct Site {
    root: Root,
    copied_file_bytes_max: u64,
    /// The normalised path of the request at hand. Kept for its memory only.
    path: Vec<u8>,
}

impl Site {
    /// Opens `folder`. Files of up to `copied_file_bytes_max` bytes are queued as bytes, larger ones as slices.
    pub fn open(folder: &Path, copied_file_bytes_max: u64) -> io::Result<Site> {
        Ok(Site { root: Root::open(folder)?, copied_file_bytes_max, path: Vec::new() })
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
        match self.find(request) {
            Ok(Found::File(file)) => reply.file(Status::Ok, file, self.copied_file_bytes_max),
            Ok(Found::FolderWithoutSlash) => reply.redirect_to_folder(&self.path, request.target),
            Err(Status::NotFound) => match self.not_found_page() {
                Some(page) => reply.file(Status::NotFound, page, self.copied_file_bytes_max),
                None => reply.built_in_page(Status::NotFound),
            },
            Err(status) => reply.built_in_page(status),
        }
    }

    /// Queues the answer to what was no request that could be served. It is the last on its connection.
    pub fn refuse(&self, status: Status, now: &Now, outbox: &mut Outbox) -> Answered {
        Reply { persistence: Persistence::Close, head_only: false, now, outbox }.built_in_page(status)
    }

    /// From the request to an open file, or to the status that says why not.
    fn find(&mut self, request: &Request) -> Result<Found, Status> {
        match request.method {
            Method::Get | Method::Head => {}
            Method::Unknown => return Err(Status::NotImplemented),
            _ => return Err(Status::MethodNotAllowed),
        }
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
        match self.open_file(&self.path)? {
            Some(file) => Ok(Found::File(file)),
            None if wants_index => Err(Status::NotFound),
            None => Ok(Found::FolderWithoutSlash),
        }
    }

    /// Opens a file beneath the root; `None` if it is a folder.
    fn open_file(&self, path: &[u8]) -> Result<Option<File>, Status> {
        match self.root.open_file(path) {
            Ok(Opened::File(descriptor, facts)) => {
                Ok(Some(File { descriptor, facts, content_type: mime::of_path(path) }))
            }
            Ok(Opened::Folder) => Ok(None),
            Ok(Opened::Special) => Err(Status::NotFound),
            Err(errno) => Err(status_of(errno)),
        }
    }

    fn not_found_page(&self) -> Option<File> {
        NOT_FOUND_PAGES.iter().find_map(|page| self.open_file(page).ok().flatten())
    }
}

/// Dotfiles are nobody's business, except below `/.well-known/` (RFC 8615).
fn is_hidden(path: &[u8]) -> bool {
    let mut segments = path.split(|&byte| byte == b'/').peekable();
    segments.peek() != Some(&&b".well-known"[..]) && segments.any(|segment| segment.starts_with(b"."))
}

/// Why a file could not be opened, in the client's terms.
fn status_of(errno: Errno) -> Status {
    match errno {
        Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::LOOP | Errno::NXIO => Status::NotFound,
        // The path would have left the root.
        Errno::XDEV => Status::NotFound,
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

/// One answer in the making: where it goes and what its request settled about it.
struct Reply<'a> {
    persistence: Persistence,
    /// HEAD: everything but the content.
    head_only: bool,
    now: &'a Now,
    outbox: &'a mut Outbox,
}

impl Reply<'_> {
    fn start(&mut self, status: Status) -> HeadWriter<'_> {
        HeadWriter::start(self.outbox.bytes_mut(), status, self.persistence, self.now)
    }

    /// Answers with a file, copied if it is small and by reference if it is not.
    fn file(mut self, status: Status, file: File, copied_bytes_max: u64) -> Answered {
        let File { descriptor, facts, content_type } = file;
        let now = self.now;
        let mut head = self.start(status).field("Content-Type", content_type);
        if status == Status::Ok {
            head = head
                .field("Last-Modified", LastModified::of(facts, now))
                .field("ETag", EntityTag(facts))
                .field("Accept-Ranges", "bytes");
        }
        head.finish(facts.len);
        if self.head_only {
            return Answered { status, body_bytes: 0 };
        }
        let is_small = facts.len <= copied_bytes_max;
        let copied = if is_small { copy(&descriptor, facts.len, self.outbox.bytes_mut()) } else { 0 };
        // What a small file lacks of its length, because it was cut meanwhile, is missed when it is to be sent.
        let len = facts.len - copied;
        self.outbox.push_file(FileSlice { file: Arc::new(descriptor), offset: copied, len });
        Answered { status, body_bytes: facts.len }
    }

    /// Sends the client to the same path with a slash, so that relative links in the folder's index work.
    fn redirect_to_folder(mut self, path: &[u8], target: Target) -> Answered {
        let status = Status::MovedPermanently;
        let path = target::encode(path);
        let head = match target {
            Target::Path { query: Some(query), .. } => {
                self.start(status).field("Location", format_args!("/{path}/?{}", target::encode_query(query)))
            }
            _ => self.start(status).field("Location", format_args!("/{path}/")),
        };
        let page = BuiltInPage(status);
        head.field("Content-Type", mime::HTML).finish(page.len());
        self.page(page)
    }

    /// Answers with a page of our own. It tells nothing of the request: there is nothing to escape.
    fn built_in_page(mut self, status: Status) -> Answered {
        let mut head = self.start(status);
        match status {
            Status::MethodNotAllowed => head = head.field("Allow", ALLOW),
            Status::ServiceUnavailable => head = head.field("Retry-After", RETRY_AFTER_SECS),
            _ => {}
        }
        let page = BuiltInPage(status);
        head.field("Content-Type", mime::HTML).finish(page.len());
        self.page(page)
    }

    fn page(self, page: BuiltInPage) -> Answered {
        let body_bytes = if self.head_only { 0 } else { page.len() };
        if !self.head_only {
            // Cannot fail: writing to memory.
            let _ = write!(self.outbox.bytes_mut(), "{page}");
        }
        Answered { status: page.0, body_bytes }
    }
}

/// Appends the first `len` bytes of a file; returns how many there were.
fn copy(file: &OwnedFd, len: u64, out: &mut Vec<u8>) -> u64 {
    let start = out.len();
    let end = start + usize::try_from(len).unwrap_or(0);
    out.resize(end, 0);
    let mut filled = start;
    while filled < end {
        match rustix::io::pread(file, &mut out[filled..], (filled - start) as u64) {
            Ok(0) | Err(_) => break,
            Ok(count) => filled += count,
        }
    }
    out.truncate(filled);
    (filled - start) as u64
}

/// The page for a status of which the folder has none.
struct BuiltInPage(Status);

impl BuiltInPage {
    fn len(&self) -> u64 {
        self.to_string().len() as u64
    }
}

impl Display for BuiltInPage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, reason) = (self.0.code(), self.0.reason());
        write!(
            formatter,
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{code} {reason}</title>\n<h1>{code} {reason}</h1>\n"
        )
    }
}

/// A strong validator in constant time: when the content last changed, to the nanosecond, and its length
/// (RFC 9110 §8.8.3).
struct EntityTag(FileFacts);

impl Display for EntityTag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FileFacts { len, modified_secs, modified_nanos } = self.0;
        write!(formatter, "\"{modified_secs:x}.{modified_nanos:x}-{len:x}\"")
    }
}

/// The date a file was last changed, never later than the answer's own (RFC 9110 §8.8.2.1).
struct LastModified([u8; clock::HTTP_DATE_LEN]);

impl LastModified {
    fn of(facts: FileFacts, now: &Now) -> LastModified {
        let unix_secs = u64::try_from(facts.modified_secs).unwrap_or(0);
        LastModified(clock::http_date(unix_secs.min(now.unix_secs)))
    }
}

impl Display for LastModified {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&String::from_utf8_lossy(&self.0))
    }
}
