//! From a path to what is there: the file, the folder, or where else to look.
//!
//! Files come first, then `_redirects`, then the list of a folder, then the fallback. Only a rule that says
//! so comes before a file. What a rule or the fallback leads to is looked up once, so nothing goes in
//! circles.

use std::fmt::{self, Display};
use std::sync::Arc;

use rustix::io::Errno;

use super::host::Host;
use super::visible::Visible;
use crate::clock::Now;
use crate::config::SiteOptions;
use crate::files::file::File;
use crate::files::{Files, Found};
use crate::http::negotiate;
use crate::http::request::Request;
use crate::http::status::Status;
use crate::http::target::{self, Target};
use crate::rules::redirects::Action;

const HTML_EXTENSION: &[u8] = b".html";

/// What a request is answered with.
#[derive(Debug)]
pub enum Resolved {
    File(Found),
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
            Errno::AGAIN => " (it changes faster than it can be read)",
            _ => "",
        };
        write!(formatter, "cannot read /{}: {errno}{hint}", path.escape_ascii())
    }
}

impl Search<'_> {
    /// What is at `url_path`, normalised, for this request.
    pub fn resolve(&mut self, url_path: &[u8], request: &Request) -> Result<Resolved, Status> {
        let query = query_of(request);
        let redirects = &self.host.redirects;
        // Looked for once: first if it may have to come before a file.
        let mut rule = if redirects.has_forced() { redirects.find(url_path, query) } else { None };
        if let Some(rule) = rule.take_if(|rule| rule.is_forced) {
            return self.follow(rule.action);
        }
        match self.look_up(url_path, query) {
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
            true => self.file(fallback.as_bytes()),
            false => Err(Status::NotFound),
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

    /// Why what was looked for last cannot be had, in the client's terms; it is noted if the reason is the
    /// server's or its disk's.
    pub fn status_of(&mut self, errno: Errno) -> Status {
        let status = status_of(errno);
        if status.code() >= 500 && self.unreadable.is_none() {
            self.unreadable = Some(Unreadable { path: self.path.clone(), errno });
        }
        status
    }

    /// The page that the site has for `status`, with its content if that is wanted.
    pub fn error_page(&mut self, status: Status, wants_content: bool) -> Option<Arc<File>> {
        let names: &[&[u8]] = match status {
            Status::NotFound => &[b"404.html", b"error.html"],
            Status::Forbidden => &[b"403.html"],
            Status::InternalServerError | Status::ServiceUnavailable => &[b"50x.html"],
            _ => &[],
        };
        names.iter().find_map(|name| {
            let found = self.find(name).ok().flatten()?;
            self.prepare(found, wants_content).ok()
        })
    }

    /// What is at the path that was asked for.
    fn look_up(&mut self, url_path: &[u8], query: Option<&[u8]>) -> Result<Resolved, Status> {
        if is_folder_path(url_path) {
            return self.index_of(url_path);
        }
        match self.find(url_path) {
            Ok(Some(found)) => match self.clean_form(url_path) {
                Some(clean) => Ok(redirect_to(clean, "", query)),
                None => {
                    // The look for another form may have been elsewhere.
                    self.set_path(url_path, b"");
                    Ok(Resolved::File(found))
                }
            },
            Ok(None) => match self.long_form(url_path) {
                Err(Status::NotFound) => Ok(redirect_to(url_path, "/", query)),
                result => result,
            },
            Err(Status::NotFound) => self.long_form(url_path),
            Err(status) => Err(status),
        }
    }

    fn follow(&mut self, action: Action) -> Result<Resolved, Status> {
        match action {
            Action::Redirect { status, location } => Ok(Resolved::Redirect { status, location }),
            Action::Rewrite { path } => self.file(&path),
            Action::Error { path } => {
                let page = self.file(&path).ok();
                let page =
                    page.and_then(|page| if let Resolved::File(page) = page { Some(page) } else { None });
                Ok(Resolved::NotFound { page })
            }
        }
    }

    /// The file that a rule or an option means by `path`: the index of a folder, if it is one.
    fn file(&mut self, path: &[u8]) -> Result<Resolved, Status> {
        if is_folder_path(path) {
            return self.index_of(path);
        }
        match self.find(path) {
            Ok(Some(found)) => Ok(Resolved::File(found)),
            Ok(None) => self.index_of(&[path, b"/"].concat()),
            Err(Status::NotFound) => self.long_form(path),
            Err(status) => Err(status),
        }
    }

    fn index_of(&mut self, folder: &[u8]) -> Result<Resolved, Status> {
        let options = self.options;
        for index in &options.indexes {
            match self.find_at(folder, index.as_bytes()) {
                Ok(Some(found)) => return Ok(Resolved::File(found)),
                Ok(None) | Err(Status::NotFound) => {}
                Err(status) => return Err(status),
            }
        }
        Err(Status::NotFound)
    }

    /// `about` is `about.html`, if it may be.
    fn long_form(&mut self, url_path: &[u8]) -> Result<Resolved, Status> {
        if !self.options.clean_urls {
            return Err(Status::NotFound);
        }
        self.find_at(url_path, HTML_EXTENSION)?.map(Resolved::File).ok_or(Status::NotFound)
    }

    /// The path under which the page at `url_path` should be asked for, if that is another one: without
    /// `.html`, or without the name of an index.
    fn clean_form<'p>(&mut self, url_path: &'p [u8]) -> Option<&'p [u8]> {
        let clean = url_path.strip_suffix(HTML_EXTENSION).filter(|_| self.options.clean_urls)?;
        let name_start = clean.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
        let (folder, name) = url_path.split_at(name_start);
        let options = self.options;
        let mut indexes = options.indexes.iter().map(String::as_bytes);
        // Of several, the folder shows the first.
        let shown = indexes.find(|index| matches!(self.find_at(folder, index), Ok(Some(_))));
        if shown == Some(name) {
            return Some(folder);
        }
        // Another file of the short name is what that leads to.
        let is_taken = clean.len() == name_start || matches!(self.find(clean), Ok(Some(_)));
        (!is_taken).then_some(clean)
    }

    /// The file at `path`, relative to the host's folder; `None` if there is a folder.
    fn find(&mut self, path: &[u8]) -> Result<Option<Found>, Status> {
        self.find_at(path, b"")
    }

    fn find_at(&mut self, path: &[u8], end: &[u8]) -> Result<Option<Found>, Status> {
        self.set_path(path, end);
        let visible = Visible { hidden: self.options.hidden };
        if !visible.path(&self.path[self.host.prefix.len()..]) {
            return Err(Status::NotFound);
        }
        let path = if self.path.is_empty() { b"." } else { &self.path[..] };
        let result = self.files.find(path, self.now);
        result.map_err(|errno| self.status_of(errno))
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

fn query_of<'a>(request: &Request<'a>) -> Option<&'a [u8]> {
    if let Target::Path { query, .. } = request.target { query } else { None }
}

/// The same page under another path: the query goes along.
fn redirect_to(path: &[u8], end: &str, query: Option<&[u8]>) -> Resolved {
    let path = target::encode(path);
    let location = match query {
        Some(query) => format!("/{path}{end}?{}", target::encode_query(query)),
        None => format!("/{path}{end}"),
    };
    Resolved::Redirect { status: Status::MovedPermanently, location }
}

/// Why a file could not be opened, in the client's terms.
pub fn status_of(errno: Errno) -> Status {
    match errno {
        Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::LOOP | Errno::NXIO => Status::NotFound,
        // The path would have left the root, or the filesystem can hold no such name.
        Errno::XDEV | Errno::INVAL | Errno::ILSEQ => Status::NotFound,
        Errno::ACCESS | Errno::PERM => Status::Forbidden,
        Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::AGAIN => Status::ServiceUnavailable,
        _ => Status::InternalServerError,
    }
}
