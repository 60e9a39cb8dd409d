//! A root that was named by a symlink, and is served anew when that leads to another folder: releases are put
//! in place by swapping a link.
//!
//! A folder that was named itself is served on wherever it is moved, and nothing that takes its place.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::links;
use super::opener::Opener;
use super::root::Root;
use super::stamp::Stamp;
use crate::clock::{Now, Tick};
use crate::config::Symlinks;

/// The link, and what it led to.
#[derive(Debug)]
pub struct RootLink {
    /// As it was named.
    path: PathBuf,
    /// The folder that the link is in.
    holder: OwnedFd,
    /// It holds what the link leads to as well: only what is in it is served.
    is_shared: bool,
    leads_anywhere: bool,
    opener: Opener,
    /// What it led to when it was last looked at, served or not.
    seen: Stamp,
    checked_tick: Tick,
    checked_micros: u64,
}

impl RootLink {
    /// The link that `path` is, which leads to the folder of `root`; `None` if it is a folder itself.
    pub fn at(path: &Path, root: &Root, symlinks: Symlinks) -> Option<RootLink> {
        path.file_name()?;
        // Without a slash at its end, behind which a link would be what it leads to.
        let path: PathBuf = path.components().collect();
        path.is_symlink().then_some(())?;
        let holder = path.parent().filter(|holder| !holder.as_os_str().is_empty());
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let holder = rustix::fs::open(holder.unwrap_or(Path::new(".")), flags, Mode::empty()).ok()?;
        let seen = Stamp::of_open(root.folder()).ok()?;
        let leads_anywhere = symlinks == Symlinks::Follow;
        let mut link = RootLink {
            path,
            holder,
            is_shared: true,
            leads_anywhere,
            opener: root.opener(),
            seen,
            checked_tick: 0,
            checked_micros: 0,
        };
        // All that the disk holds is no folder that anybody means.
        link.is_shared = link.open().is_ok() && !is_top(link.holder.as_fd());
        Some(link)
    }

    /// The folder that holds both the link and what it may lead to.
    pub fn holder(&self) -> Option<BorrowedFd<'_>> {
        self.is_shared.then(|| self.holder.as_fd())
    }

    /// The folder that the link leads to now, if that is another. Looked at once a second, or once a turn if
    /// something `is_missed`: the folder before may have been removed. What is not to be served is told.
    pub fn swapped(&mut self, is_missed: bool, now: &Now) -> Option<OwnedFd> {
        let is_known = match is_missed {
            true => self.checked_micros == now.elapsed_micros,
            false => self.checked_tick == now.tick,
        };
        if is_known {
            return None;
        }
        (self.checked_tick, self.checked_micros) = (now.tick, now.elapsed_micros);
        let found = rustix::fs::statat(&self.holder, self.name(), AtFlags::empty());
        // Where nothing is there may be something in a moment.
        let found = found.map(|stat| Stamp::of(&stat)).ok().filter(|found| !found.is_of_same(&self.seen))?;
        let path = self.path.display();
        match self.open() {
            Ok(folder) => {
                let place = self.path.canonicalize().unwrap_or_default();
                log::info!(
                    "{path} leads to another folder, which is served from now on: {}",
                    place.display()
                );
                self.seen = Stamp::of_open(folder.as_fd()).ok()?;
                Some(folder)
            }
            Err(Errno::NOENT | Errno::LOOP) => None,
            Err(errno) => {
                log::warn!(
                    "{path} leads to another folder, which cannot be served: {}; the one before is served on",
                    explain(errno)
                );
                self.seen = found;
                None
            }
        }
    }

    /// Opens what the link leads to, and makes sure that it may be entered.
    fn open(&self) -> Result<OwnedFd, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = match (self.leads_anywhere, self.is_shared) {
            (true, _) => self.opener.open_anywhere(self.holder.as_fd(), self.name(), flags),
            (false, true) => {
                links::open_linked(self.opener, self.holder.as_fd(), self.name(), flags, |_| true)
            }
            (false, false) => Err(Errno::XDEV),
        }?;
        self.opener.open_plain(folder.as_fd(), b".", flags)?;
        Ok(folder)
    }

    fn name(&self) -> &[u8] {
        self.path.file_name().map_or(b".", OsStr::as_bytes)
    }
}

fn is_top(folder: BorrowedFd<'_>) -> bool {
    let top = rustix::fs::stat(c"/").map(|stat| Stamp::of(&stat));
    top.is_ok_and(|top| Stamp::of_open(folder).is_ok_and(|stamp| stamp.is_of_same(&top)))
}

fn explain(errno: Errno) -> String {
    match errno {
        Errno::XDEV => "it is not in the folder that the link is in (start anew to serve it)".to_owned(),
        Errno::NOTDIR => "it is no folder".to_owned(),
        _ => io::Error::from(errno).to_string(),
    }
}
