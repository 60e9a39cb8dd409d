//! From a path to what is there: the file, the folder, or where else to look.
//!
//! Files come first, then `_redirects`, then the list of a folder, then the fallback. Only a rule that says
//! so comes before a file. What a rule or the fallback leads to is looked up once, so nothing goes in
//! circles.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::iter;
use std::sync::Arc;

use rustix::io::Errno;

use super::host::Host;
use super::nearby;
use crate::clock::Now;
use crate::config::SiteOptions;
use crate::files::file::File;
use crate::files::{Files, Found};
use crate::http::negotiate::{self, Coding};
use crate::http::request::Request;
use crate::http::status::Status;
use crate::http::target::Target;
use crate::rules::redirects::Action;

const HTML_EXTENSION: &[u8] = b".html";
/// A page for what is not there is looked for in so many folders of a path, the root not counted: a path of a
/// hundred costs no more.
const ERROR_FOLDERS_MAX: usize = 8;

/// What a request is answered with.
#[derive(Debug)]
pub enum Resolved<'a> {
    File(Found),
    /// A file that a rule or an option has in place of what is, or is not, at the path asked for.
    StandIn {
        found: Found,
        /// Its own path, as the rule or option has it: by that, its fields are told.
        path: Cow<'a, [u8]>,
    },
    /// A folder without an index, to be listed.
    Folder,
    Redirect {
        status: Status,
        location: String,
    },
    /// 404 with a page of the site's choice, if that is there.
    NotFound {
        page: Option<Found>,
    },
}

/// A look at one host's files.
#[derive(Debug)]
pub struct Search<'a> {
    pub files: &'a mut Files,
    pub host: &'a Host,
    pub options: &'a SiteOptions,
    pub now: &'a Now,
    /// Where what was found last is, relative to the root. Kept for its memory, too.
    pub path: &'a mut Vec<u8>,
    /// What was found rests on the `Accept` field.
    pub has_asked_accept: bool,
    /// The first that could not be read, though it is there.
    pub unreadable: Option<Unreadable>,
    /// A disk has to read something before this can be told. Whatever was found is not to be believed.
    pub awaits_disk: bool,
}

/// What could not be opened or read, for a reason that whoever runs the server should know.
#[derive(Debug)]
pub struct Unreadable {
    /// Relative to the root.
    pub path: Vec<u8>,
    pub errno: Errno,
}

impl Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unreadable { path, errno } = self;
        let hint = match *errno {
            Errno::MFILE => " (no descriptor is left: try a higher limit, 'ulimit -n')",
            Errno::NFILE => " (the system has no descriptor left: see /proc/sys/fs/file-max)",
            Errno::FBIG => " (it says that it is empty, and is too large to be loaded)",
            Errno::BUSY => " (it changes faster than it can be read)",
            _ => "",
        };
        write!(formatter, "cannot read /{}: {errno}{hint}", path.escape_ascii())
    }
}

impl<'a> Search<'a> {
    /// A look that has not begun; `path` is a place to write in.
    pub fn new(
        files: &'a mut Files,
        host: &'a Host,
        options: &'a SiteOptions,
        now: &'a Now,
        path: &'a mut Vec<u8>,
    ) -> Search<'a> {
        let (has_asked_accept, unreadable, awaits_disk) = (false, None, false);
        Search { files, host, options, now, path, has_asked_accept, unreadable, awaits_disk }
    }

    /// What is at `url_path`, normalised, for this request.
    pub fn resolve(&mut self, url_path: &[u8], request: &Request) -> Result<Resolved<'a>, Status> {
        let query = query_of(request);
        let redirects = &self.host.redirects;
        // Looked for once: first if it may have to come before a file.
        let mut rule = if redirects.has_forced() { redirects.find(url_path, query) } else { None };
        if let Some(rule) = rule.take_if(|rule| rule.is_forced) {
            return self.follow(rule.action);
        }
        match self.look_up(url_path, request) {
            Err(Status::NotFound) => {}
            result => return result,
        }
        if !redirects.has_forced() {
            rule = redirects.find(url_path, query);
        }
        if let Some(rule) = rule {
            return self.follow(rule.action);
        }
        if self.options.listing && is_folder_path(url_path) {
            match self.find(url_path) {
                Ok(None) => return Ok(Resolved::Folder),
                Ok(Some(_)) | Err(Status::NotFound) => {}
                // It is there, and cannot be opened.
                Err(status) => return Err(status),
            }
        }
        let Some(fallback) = &self.options.fallback else { return Err(Status::NotFound) };
        self.has_asked_accept = true;
        match negotiate::accepts_html(request) {
            true => self.stand_in(fallback.as_bytes().into()),
            false => Err(Status::NotFound),
        }
    }

    /// Whether there is a file that a rule or an option can mean by `path`.
    pub fn check(&mut self, path: &[u8]) -> Result<(), Status> {
        match self.file(path) {
            // It only takes its time.
            Err(_) if self.awaits_disk => Ok(()),
            result => result.map(drop),
        }
    }

    /// What was found last, with its content if that is wanted.
    pub fn prepare(&mut self, found: Found, wants_content: bool) -> Result<Arc<File>, Status> {
        match wants_content {
            true => {
                let result = self.files.with_content(self.path, found, self.now);
                result.map_err(|errno| self.status_of(errno))
            }
            false => Ok(found.file),
        }
    }

    /// The variant of what was found last, `file`, in `coding`; or what there is in place of none.
    pub fn variant(&mut self, file: Option<&File>, coding: Coding) -> Result<Option<Found>, Status> {
        let variant = self.files.find_variant(self.path, file, coding, self.now);
        variant.map_err(|errno| self.status_of(errno))
    }

    /// Why what was looked for last cannot be had, in the client's terms; it is noted if the reason is the
    /// server's or its disk's.
    pub fn status_of(&mut self, errno: Errno) -> Status {
        self.awaits_disk |= errno == Errno::AGAIN;
        let status = status_of(errno);
        if status.code() >= 500 && self.unreadable.is_none() {
            self.unreadable = Some(Unreadable { path: self.path.clone(), errno });
        }
        status
    }

    /// The page that the site has for `status` at `url_path`, with its content if that is wanted: for what is
    /// not there the nearest upwards.
    pub fn error_page(&mut self, status: Status, url_path: &[u8], wants_content: bool) -> Option<Arc<File>> {
        let mut page = |folder: &[u8], name: &[u8]| {
            let found = self.find_at(folder, name).ok().flatten()?;
            self.prepare(found, wants_content).ok()
        };
        match status {
            Status::NotFound => folders_upwards(url_path)
                .find_map(|folder| page(folder, b"404.html"))
                .or_else(|| page(b"", b"error.html")),
            Status::Forbidden => page(b"", b"403.html"),
            Status::InternalServerError | Status::ServiceUnavailable => page(b"", b"50x.html"),
            _ => None,
        }
    }

    /// What is at the path that was asked for.
    fn look_up(&mut self, url_path: &[u8], request: &Request) -> Result<Resolved<'a>, Status> {
        if is_folder_path(url_path) {
            return match self.index_of(url_path) {
                Err(Status::NotFound) => self.page_beside(url_path, request),
                result => result.map(Resolved::File),
            };
        }
        match self.find(url_path) {
            Ok(Some(found)) => match self.superfluous_end(url_path) {
                Some(end) => moved(nearby::beside(request, end, "")),
                None => {
                    // The look for another form may have been elsewhere.
                    self.set_path(url_path, b"");
                    Ok(Resolved::File(found))
                }
            },
            Ok(None) => match self.long_form(url_path) {
                Err(Status::NotFound) => moved(nearby::beside(request, b"", "/")),
                result => result.map(Resolved::File),
            },
            Err(Status::NotFound) => self.other_form(url_path).map(Resolved::File),
            Err(status) => Err(status),
        }
    }

    fn follow(&mut self, action: Action<'a>) -> Result<Resolved<'a>, Status> {
        match action {
            Action::Redirect { status, location } => Ok(Resolved::Redirect { status, location }),
            Action::Rewrite { path } => self.stand_in(path),
            Action::Error { path } => {
                // What stands for an error goes to whoever it is.
                let page = self.file(&path).ok().filter(|found| !found.is_only_coded);
                Ok(Resolved::NotFound { page })
            }
        }
    }

    fn stand_in(&mut self, path: Cow<'a, [u8]>) -> Result<Resolved<'a>, Status> {
        Ok(Resolved::StandIn { found: self.file(&path)?, path })
    }

    /// The file that a rule or an option means by `path`: the index of a folder, if it is one.
    fn file(&mut self, path: &[u8]) -> Result<Found, Status> {
        if is_folder_path(path) {
            return match (self.index_of(path), path.strip_suffix(b"/")) {
                (Err(Status::NotFound), Some(page)) => self.long_form(page),
                (result, _) => result,
            };
        }
        match self.find(path) {
            Ok(Some(found)) => Ok(found),
            Ok(None) => self.index_of(&[path, b"/"].concat()),
            Err(Status::NotFound) => self.other_form(path),
            Err(status) => Err(status),
        }
    }

    fn index_of(&mut self, folder: &[u8]) -> Result<Found, Status> {
        let options = self.options;
        for index in &options.indexes {
            match self.file_at(folder, index.as_bytes()) {
                Err(Status::NotFound) => {}
                result => return result,
            }
        }
        Err(Status::NotFound)
    }

    /// What `path` means where no file of that name is: a page, or the file in codings only.
    fn other_form(&mut self, path: &[u8]) -> Result<Found, Status> {
        match self.long_form(path) {
            Err(Status::NotFound) => self.find_only_coded(path, b""),
            result => result,
        }
    }

    /// `about` is `about.html`, if it may be.
    fn long_form(&mut self, url_path: &[u8]) -> Result<Found, Status> {
        if !self.options.clean_urls {
            return Err(Status::NotFound);
        }
        self.file_at(url_path, HTML_EXTENSION)
    }

    /// The way from `about/`, where no index is, to `about`, if that is `about.html`. Shown below a slash the
    /// page would have two addresses, and its relative links would lead astray.
    fn page_beside(&mut self, url_path: &[u8], request: &Request) -> Result<Resolved<'a>, Status> {
        let Some(page) = url_path.strip_suffix(b"/") else { return Err(Status::NotFound) };
        self.long_form(page)?;
        // Another file of the short name is what that leads to.
        if matches!(self.find(page), Ok(Some(_))) {
            return Err(Status::NotFound);
        }
        moved(nearby::out_of(request, page))
    }

    /// What the page at `url_path` should be asked for without, if anything: `.html`, or an index.
    fn superfluous_end<'p>(&mut self, url_path: &'p [u8]) -> Option<&'p [u8]> {
        let clean = url_path.strip_suffix(HTML_EXTENSION).filter(|_| self.options.clean_urls)?;
        let name_start = clean.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
        let (folder, name) = url_path.split_at(name_start);
        let options = self.options;
        let mut indexes = options.indexes.iter().map(String::as_bytes);
        // Of several, the folder shows the first.
        let shown = indexes.find(|index| matches!(self.find_at(folder, index), Ok(Some(_))));
        if shown == Some(name) {
            return Some(name);
        }
        // Another file of the short name is what that leads to.
        let is_taken =
            matches!(&clean[name_start..], b"" | b"." | b"..") || matches!(self.find(clean), Ok(Some(_)));
        (!is_taken).then_some(HTML_EXTENSION)
    }

    /// The path of what was found last, below the host's folder.
    pub fn found_path(&self) -> &[u8] {
        &self.path[self.host.prefix.len()..]
    }

    /// The file at `path`, relative to the host's folder; `None` if there is a folder.
    fn find(&mut self, path: &[u8]) -> Result<Option<Found>, Status> {
        self.find_at(path, b"")
    }

    /// The file, as it is or in codings only.
    fn file_at(&mut self, path: &[u8], end: &[u8]) -> Result<Found, Status> {
        match self.find_at(path, end) {
            Ok(found) => found.ok_or(Status::NotFound),
            Err(Status::NotFound) => self.find_only_coded(path, end),
            Err(status) => Err(status),
        }
    }

    /// The file in codings, where it is not found as it is.
    fn find_only_coded(&mut self, path: &[u8], end: &[u8]) -> Result<Found, Status> {
        self.set_visible_path(path, end)?;
        let found = self.files.find_only_coded(self.path, self.now);
        found.map_err(|errno| self.status_of(errno))?.ok_or(Status::NotFound)
    }

    fn find_at(&mut self, path: &[u8], end: &[u8]) -> Result<Option<Found>, Status> {
        self.set_visible_path(path, end)?;
        let path = if self.path.is_empty() { b"." } else { &self.path[..] };
        let result = self.files.find(path, self.now);
        result.map_err(|errno| self.status_of(errno))
    }

    fn set_visible_path(&mut self, path: &[u8], end: &[u8]) -> Result<(), Status> {
        self.set_path(path, end);
        let (visible, path) = (self.files.visible(), self.found_path());
        if visible.path(path) {
            return Ok(());
        }
        log::debug!("/{} is not served: {}", self.path.escape_ascii(), visible.reason(path));
        Err(Status::NotFound)
    }

    fn set_path(&mut self, path: &[u8], end: &[u8]) {
        self.path.clear();
        for part in [&self.host.prefix, path, end] {
            self.path.extend_from_slice(part);
        }
    }
}

fn is_folder_path(path: &[u8]) -> bool {
    path.is_empty() || path.ends_with(b"/")
}

/// The folders that `path` leads through, each with its slash, from the deepest that is looked at up to the
/// root.
fn folders_upwards(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = (1..=path.len()).filter(|&end| path[end - 1] == b'/');
    let deepest = ends.take(ERROR_FOLDERS_MAX).last().unwrap_or(0);
    iter::successors(Some(&path[..deepest]), |folder| {
        let folder = folder.strip_suffix(b"/")?;
        let end = folder.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
        Some(&folder[..end])
    })
}

fn query_of<'a>(request: &Request<'a>) -> Option<&'a [u8]> {
    if let Target::Path { query, .. } = request.target { query } else { None }
}

/// 301 is what every client follows, and by what searchers take the better name. No redirect is kept (see
/// [`fields`](super::fields)): what is a folder today may be a file tomorrow.
fn moved(location: Option<String>) -> Result<Resolved<'static>, Status> {
    let location = location.ok_or(Status::NotFound)?;
    Ok(Resolved::Redirect { status: Status::MovedPermanently, location })
}

/// Why a file could not be opened, in the client's terms.
pub fn status_of(errno: Errno) -> Status {
    match errno {
        Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::LOOP | Errno::NXIO => Status::NotFound,
        // The path would have left the root, or the filesystem can hold no such name.
        Errno::XDEV | Errno::INVAL | Errno::ILSEQ => Status::NotFound,
        Errno::ACCESS | Errno::PERM => Status::Forbidden,
        Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::AGAIN | Errno::BUSY => Status::ServiceUnavailable,
        _ => Status::InternalServerError,
    }
}
