//! Opening files beneath the served folder, and nowhere else.
//!
//! The kernel guards the root: it [opens](super::opener) no path that would leave it, and none that has
//! symlinks in it, which are followed [here](super::links). What is sent is described by `fstat` of the
//! descriptor that was opened, so nothing can be swapped between the check and the use.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::links;
use super::opener::Opener;
use super::stamp::Stamp;
use super::visible::Visible;
use crate::config::{SiteOptions, Symlinks};
use crate::http::negotiate::Coding;

/// The folder that is served.
#[derive(Debug)]
pub struct Root {
    folder: OwnedFd,
    /// The one file that there is, if not all are.
    only: Option<Vec<u8>>,
    opener: Opener,
    /// Each folder in it is a host's, which no link leaves either.
    has_hosts: bool,
    symlinks: Symlinks,
    visible: Visible,
    /// Shared by every file that is open.
    open: Arc<()>,
}

/// An open file, which counts as long as it is.
#[derive(Debug)]
pub struct Descriptor {
    file: OwnedFd,
    _counted: Arc<()>,
}

impl From<OwnedFd> for Descriptor {
    /// Of a file that no root has opened, so that none counts it.
    fn from(file: OwnedFd) -> Descriptor {
        Descriptor { file, _counted: Arc::new(()) }
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// What a path led to.
#[derive(Debug)]
pub enum Opened {
    File(Descriptor, Stamp),
    Folder,
    /// A FIFO, a socket or a device: nothing that is served.
    Special,
}

impl Root {
    /// Opens the folder and tries once how paths are opened here.
    ///
    /// Errors say what failed, on what, and what to try.
    pub fn open(path: &Path, options: &SiteOptions) -> io::Result<Root> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| explain(errno, path))?;
        let opener = Opener::here(folder.as_fd());
        if opener == Opener::ByName {
            log::info!("this system has no openat2 (Linux 5.6): paths are opened folder by folder");
        }
        let root = Root {
            folder,
            only: options.only.as_ref().map(|name| name.as_bytes().to_vec()),
            opener,
            has_hosts: options.vhosts,
            symlinks: options.symlinks,
            visible: Visible::with(&options.hidden),
            open: Arc::new(()),
        };
        // It need not be readable: what is in it may be served, and not be listed (mode 711).
        match root.open_beneath(b".", OFlags::PATH | OFlags::CLOEXEC) {
            Err(errno) => Err(explain(errno, path)),
            Ok(_) => Ok(root),
        }
    }

    /// The same of another folder. What is still open of this one counts on.
    pub fn moved_to(&self, folder: OwnedFd) -> Root {
        let Root { opener, has_hosts, symlinks, .. } = *self;
        let (only, visible, open) = (self.only.clone(), self.visible.clone(), Arc::clone(&self.open));
        Root { folder, only, opener, has_hosts, symlinks, visible, open }
    }

    /// How many files are open.
    pub fn open_files(&self) -> usize {
        Arc::strong_count(&self.open) - 1
    }

    /// The folder itself.
    pub fn folder(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    /// How paths are opened on this system.
    pub fn opener(&self) -> Opener {
        self.opener
    }

    /// Which names may be served of it.
    pub fn visible(&self) -> &Visible {
        &self.visible
    }

    /// Opens what is at `path`, relative to the root. Never blocks, whatever is there.
    ///
    /// What is nothing to be served is known by its type before and not opened: to open a FIFO tells whoever
    /// waits to write to it that somebody reads, and when it is closed again, they die; a device may do
    /// anything. That look guards nothing: what takes the name's place meanwhile is opened, and told then.
    pub fn open_file(&self, path: &[u8]) -> Result<Opened, Errno> {
        match self.stamp_at(path).map(|stamp| stamp.file_type()) {
            Ok(FileType::Fifo | FileType::Socket | FileType::CharacterDevice | FileType::BlockDevice) => {
                return Ok(Opened::Special);
            }
            // Beneath the root or elsewhere, there is nothing.
            Err(Errno::NOENT) => return Err(Errno::NOENT),
            // Whatever else is wrong is told by the open.
            _ => {}
        }
        let file = self.open_beneath(path, READ)?;
        let stamp = Stamp::of_open(file.as_fd())?;
        Ok(match stamp.file_type() {
            FileType::RegularFile => {
                Opened::File(Descriptor { file, _counted: Arc::clone(&self.open) }, stamp)
            }
            FileType::Directory => Opened::Folder,
            _ => Opened::Special,
        })
    }

    /// Opens the folder at `path`, relative to the root and empty for the root itself, to read what is in it.
    pub fn open_folder(&self, path: &[u8]) -> Result<(Descriptor, Stamp), Errno> {
        let path = if path.is_empty() { b"." } else { path };
        let file = self.open_beneath(path, READ | OFlags::DIRECTORY)?;
        let stamp = Stamp::of_open(file.as_fd())?;
        Ok((Descriptor { file, _counted: Arc::clone(&self.open) }, stamp))
    }

    /// Whether what was opened at `path`, and is `stamp`, is the folder of a host: links lead there, too.
    pub fn is_top(&self, path: &[u8], stamp: &Stamp) -> bool {
        let name_end = path.iter().position(|&byte| byte == b'/').filter(|_| self.has_hosts);
        let top = name_end.map_or(&b"."[..], |end| &path[..end]);
        self.stamp_at(top).is_ok_and(|top| top.is_of_same(stamp))
    }

    /// Opens the folder at `path`, on which there must be no symlink, for it to be watched.
    pub fn open_plain_folder(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        let path = if path.is_empty() { b"." } else { path };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        self.opener.open_plain(self.folder(), path, flags)
    }

    /// Opens the folder at `path` for names in it to be looked for; nothing can be read by that.
    pub fn look_at_folder(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        let path = if path.is_empty() { b"." } else { path };
        self.open_beneath(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC)
    }

    /// The state of what is at `path`, wherever symlinks on the way may lead that are followed at all.
    pub fn stamp_beneath(&self, path: &[u8]) -> Result<Stamp, Errno> {
        Stamp::of_open(self.open_beneath(path, OFlags::PATH | OFlags::CLOEXEC)?.as_fd())
    }

    /// The state of what is at `path`, to be compared with that of a file which was opened there before.
    /// Opens nothing: the answer is good for recognising a file and for nothing else.
    pub fn stamp_at(&self, path: &[u8]) -> Result<Stamp, Errno> {
        self.check_holds(path)?;
        match self.symlinks {
            Symlinks::Deny => self.stamp_of_name(path),
            Symlinks::Inside | Symlinks::Follow => {
                rustix::fs::statat(&self.folder, path, AtFlags::empty()).map(|stat| Stamp::of(&stat))
            }
        }
    }

    /// The same of the very name at `path`: if that is a symlink, it is told of that.
    pub fn stamp_of_name(&self, path: &[u8]) -> Result<Stamp, Errno> {
        rustix::fs::statat(&self.folder, path, AtFlags::SYMLINK_NOFOLLOW).map(|stat| Stamp::of(&stat))
    }

    /// Where one file is all there is, nothing else is: but the folder it is in, and its coded forms.
    fn check_holds(&self, path: &[u8]) -> Result<(), Errno> {
        let Some(only) = &self.only else { return Ok(()) };
        let is_form = |end: &[u8]| Coding::ALL.iter().any(|coding| coding.extension().as_bytes() == end);
        match path.strip_prefix(&only[..]) {
            Some(end) if end.is_empty() || is_form(end) => Ok(()),
            _ if matches!(path, b"" | b".") => Ok(()),
            _ => Err(Errno::NOENT),
        }
    }

    fn open_beneath(&self, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        self.check_holds(path)?;
        match self.symlinks {
            // A path has no `..` left in it, and no slash in front.
            Symlinks::Follow => self.opener.open_anywhere(self.folder(), path, flags),
            Symlinks::Deny => self.opener.open_plain(self.folder(), path, flags),
            Symlinks::Inside => match self.opener.open_plain(self.folder(), path, flags) {
                Err(Errno::LOOP) => self.open_linked(path, flags),
                result => result,
            },
        }
    }

    /// Follows the links in `path`, as far as they stay in the folder of the site.
    fn open_linked(&self, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        let name_end = path.iter().position(|&byte| byte == b'/').filter(|_| self.has_hosts);
        let Some(name_end) = name_end else { return self.open_allowed(self.folder(), path, path, flags) };
        // How a host's folder is called, and what stands for it, is the business of whoever made it.
        let whole = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let host = links::open_linked(self.opener, self.folder(), &path[..name_end], whole, |_| true)?;
        self.open_allowed(host.as_fd(), &path[name_end + 1..], path, flags)
    }

    /// The same beneath `base`. What may be seen itself leads to nothing that may not; what may not is asked
    /// for by the server alone, such as its rules.
    fn open_allowed(
        &self,
        base: BorrowedFd<'_>,
        path: &[u8],
        shown: &[u8],
        flags: OFlags,
    ) -> Result<OwnedFd, Errno> {
        let is_for_all = self.visible.path(path);
        let mut hidden = None;
        let opened = links::open_linked(self.opener, base, path, flags, |target| {
            let is_allowed = !is_for_all || self.visible.target(target);
            hidden = (!is_allowed).then(|| self.visible.reason(target));
            is_allowed
        });
        let link = shown.escape_ascii();
        match (&opened, hidden) {
            (_, Some(reason)) => log::debug!("/{link} is not served, for what it leads to: {reason}"),
            (Err(errno @ (Errno::XDEV | Errno::LOOP)), _) => {
                log::debug!("/{link} is not served: it leads out of the folder, or nowhere ({errno})");
            }
            _ => {}
        }
        opened
    }
}

/// NONBLOCK and NOCTTY: should it be one after all, opening a FIFO must not wait, nor a terminal be adopted.
const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

fn explain(errno: Errno, path: &Path) -> io::Error {
    let reason = match errno {
        Errno::NOENT => "no such folder (try '--directory DIR' with one that exists)".to_owned(),
        Errno::NOTDIR => "not a folder (try the folder it is in)".to_owned(),
        Errno::ACCESS => "permission denied (try a folder that you can read)".to_owned(),
        _ => errno.to_string(),
    };
    io::Error::new(io::Error::from(errno).kind(), format!("cannot serve {}: {reason}", path.display()))
}
