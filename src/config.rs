//! What was asked for: the one value a server is made from.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::limits::Limits;
use crate::net::guests::Guests;

/// The settings of a [`Server`](crate::Server).
#[derive(Clone, Debug)]
pub struct Config {
    /// Addresses or host names to listen on. None at all means every interface, IPv6 and IPv4.
    pub binds: Vec<String>,
    /// 0 takes a port that is free, the same for all of `binds`.
    pub port: u16,
    /// The folder to serve.
    pub folder: PathBuf,
    /// Who is served, by address; whoever else comes is told that it is not.
    pub guests: Guests,
    /// Where the server can be looked at.
    pub status: Option<Place>,
    /// Whether to write a line per response to standard output.
    pub access_log: bool,
    /// Where a timeline of what the loop does is kept.
    pub trace: Option<PathBuf>,
    pub site: SiteOptions,
    pub limits: Limits,
}

impl Config {
    /// Serves `folder` on port 9000 of every interface, with the access log on.
    pub fn new(folder: impl Into<PathBuf>) -> Config {
        Config {
            binds: Vec::new(),
            port: DEFAULT_PORT,
            folder: folder.into(),
            guests: Guests::default(),
            status: None,
            access_log: true,
            trace: None,
            site: SiteOptions::default(),
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// If `folder` is a file, has that alone served, from the folder that it is in.
    pub fn narrow_to_file(&mut self) {
        let path = &self.folder;
        let Some(name) = path.file_name().and_then(OsStr::to_str).filter(|_| path.is_file()) else { return };
        let (name, site) = (name.to_owned(), &mut self.site);
        (site.only, site.indexes, site.listing) = (Some(name.clone()), vec![name.clone()], false);
        (site.vhosts, site.fallback, site.clean_urls) = (false, None, false);
        // Whoever names it wants it to be seen.
        site.hidden.push(name);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        self.folder = folder.unwrap_or(Path::new(".")).to_owned();
    }
}

/// Where something listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Tcp(SocketAddr),
    /// A socket of the unix domain, which has a path.
    Unix(PathBuf),
}

/// The port where none was asked for.
pub const DEFAULT_PORT: u16 = 9000;

/// What of a folder is shown, under which names, and what is said with it.
#[derive(Clone, Debug)]
pub struct SiteOptions {
    /// The one file of the folder that is served, at `/` as well. Nothing else is there for anybody.
    pub only: Option<String>,
    /// Whether a folder without an index is shown as a list of what is in it.
    pub listing: bool,
    /// The names under which a folder's own page is looked for, in this order.
    pub indexes: Vec<String>,
    /// The file that answers navigations to paths where nothing is, for apps that find their way themselves.
    pub fallback: Option<String>,
    /// `/about` is `about.html`, and `/about.html` leads there.
    pub clean_urls: bool,
    /// Which names that start with a dot are served: those that fit one of these patterns, in which a `*`
    /// stands for any characters. `.*` means all.
    pub hidden: Vec<String>,
    pub symlinks: Symlinks,
    /// One folder per host name below the root.
    pub vhosts: bool,
    /// Names and values of fields that every response gets.
    pub fields: Vec<(String, String)>,
    /// The origin whose pages may read what is served; `*` is any.
    pub cors: Option<String>,
    /// Extensions and their media types, before those that pws knows.
    pub media_types: Vec<(String, String)>,
    /// Whether a line of `_headers` or `_redirects` that cannot be followed stops the start.
    pub strict: bool,
}

impl Default for SiteOptions {
    fn default() -> SiteOptions {
        SiteOptions {
            only: None,
            listing: true,
            indexes: vec!["index.html".to_owned(), "index.htm".to_owned()],
            fallback: None,
            clean_urls: false,
            hidden: Vec::new(),
            symlinks: Symlinks::Inside,
            vhosts: false,
            fields: Vec::new(),
            cors: None,
            media_types: Vec::new(),
            strict: false,
        }
    }
}

/// Which symbolic links are followed. The kernel sees to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Symlinks {
    /// Those that stay below the root.
    #[default]
    Inside,
    /// All, wherever they lead.
    Follow,
    /// None.
    Deny,
}
