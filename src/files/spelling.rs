//! Whether a path is spelled as the disk spells it.
//!
//! Some filesystems fold names: on a stick, `page.html` is found as `PAGE.HTML`, and `.env` as `ENV~1`. What
//! may be seen and which rules hold goes by the name that was asked for, so where names may be folded only
//! those are served that the folder itself lists. Elsewhere, whatever is found has that name.
//!
//! Folders are asked once a second: whether they fold, and if so, for all of their names. That takes a step
//! for each thousand of them.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::folder::{Folder, STEP_ENTRIES_MAX};
use super::root::Root;
use super::stamp::Stamp;
use crate::clock::{Now, Tick};

/// Folders that are known to take names as they are.
const EXACT_MAX: usize = 1024;
/// Folders whose names are known.
const LISTED_MAX: usize = 8;
/// Names that are read in one step.
const STEP_NAMES_MAX: usize = 1024;
/// So many names are remembered of a folder, however little memory there is.
const NAMES_ALWAYS: usize = 4096;
/// What is known of a folder holds so long: a second, and the one in which it was read.
const LASTS_TICKS: Tick = 1;

/// What is known of folders, by their paths.
#[derive(Debug)]
pub struct Spelling {
    exact: HashSet<Box<[u8]>>,
    listed: VecDeque<Listed>,
    /// Of one folder.
    names_max: usize,
    hashes: RandomState,
    tick: Tick,
}

/// The names in a folder.
#[derive(Debug)]
struct Listed {
    path: Box<[u8]>,
    /// `None` once it has been read.
    folder: Option<Folder>,
    hashes: HashSet<u64>,
    read_tick: Tick,
}

impl Spelling {
    /// Nothing is known yet. The names of a folder may take about `bytes_max`.
    pub fn within(bytes_max: usize) -> Spelling {
        Spelling {
            exact: HashSet::new(),
            listed: VecDeque::new(),
            names_max: (bytes_max / size_of::<[u64; 2]>()).max(NAMES_ALWAYS),
            hashes: RandomState::new(),
            tick: 0,
        }
    }

    /// Whether each name of `path`, at which something is, is one that its folder lists. `AGAIN` while those
    /// are being read.
    pub fn is_of_disk(&mut self, path: &[u8], root: &Arc<Root>, now: &Now) -> Result<bool, Errno> {
        self.forget(now);
        let mut start = 0;
        for name in path.split(|&byte| byte == b'/') {
            let folder = &path[..start];
            start += name.len() + 1;
            if !matches!(name, b"" | b".") && !self.is_listed(folder, name, root, now)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// From now on another root is meant.
    pub fn forget_all(&mut self) {
        self.exact.clear();
        self.listed.clear();
    }

    fn is_listed(&mut self, folder: &[u8], name: &[u8], root: &Arc<Root>, now: &Now) -> Result<bool, Errno> {
        if self.exact.contains(folder) {
            return Ok(true);
        }
        let place = self.listed.iter().position(|listed| *listed.path == *folder);
        let mut listed = match place.and_then(|place| self.listed.remove(place)) {
            Some(listed) => listed,
            None => match folds(folder, name, root)? {
                Some(false) => {
                    self.keep_exact(folder);
                    return Ok(true);
                }
                None => return Ok(true),
                Some(true) => Listed::start(folder, root)?,
            },
        };
        let hash = self.hashes.hash_one(name);
        let was_read = listed.folder.is_none();
        listed.step(self, now)?;
        if was_read && !listed.hashes.contains(&hash) && listed.hashes.len() < STEP_NAMES_MAX {
            // It may be new. To ask again takes no longer than a step.
            listed = Listed::start(folder, root)?;
            listed.step(self, now)?;
        }
        let is_read = listed.folder.is_none();
        let is_listed = listed.hashes.contains(&hash);
        if self.listed.len() == LISTED_MAX {
            self.listed.pop_front();
        }
        self.listed.push_back(listed);
        if is_read { Ok(is_listed) } else { Err(Errno::AGAIN) }
    }

    fn keep_exact(&mut self, folder: &[u8]) {
        if self.exact.len() == EXACT_MAX {
            self.exact.clear();
        }
        self.exact.insert(folder.into());
    }

    fn forget(&mut self, now: &Now) {
        if std::mem::replace(&mut self.tick, now.tick) == now.tick {
            return;
        }
        self.exact.clear();
        self.listed.retain(|listed| {
            listed.folder.is_some() || now.tick.saturating_sub(listed.read_tick) <= LASTS_TICKS
        });
    }
}

impl Listed {
    fn start(folder: &[u8], root: &Arc<Root>) -> Result<Listed, Errno> {
        let folder = Folder::open(root, folder)?;
        let (path, hashes) = (folder.path().into(), HashSet::new());
        Ok(Listed { path, folder: Some(folder), hashes, read_tick: 0 })
    }

    /// Reads on, if there is more.
    fn step(&mut self, spelling: &Spelling, now: &Now) -> Result<(), Errno> {
        for _ in 0..STEP_NAMES_MAX.div_ceil(STEP_ENTRIES_MAX) {
            let Some(folder) = &mut self.folder else { return Ok(()) };
            let hashes = &mut self.hashes;
            let has_more = folder.read_names(|name| {
                hashes.insert(spelling.hashes.hash_one(name));
            })?;
            let is_full = self.hashes.len() >= spelling.names_max;
            if is_full && has_more {
                log::warn!(
                    "/{} has more than {} names, which its filesystem folds: only those are served (try a \
                     larger --cache-size)",
                    self.path.escape_ascii(),
                    self.hashes.len()
                );
            }
            if is_full || !has_more {
                (self.folder, self.read_tick) = (None, now.tick);
            }
        }
        Ok(())
    }
}

/// Whether names are folded in `folder`, where `name` is; `None` if that name cannot tell.
fn folds(folder: &[u8], name: &[u8], root: &Root) -> Result<Option<bool>, Errno> {
    let folder = root.look_at_folder(folder)?;
    if has_short_names(folder.as_fd())? {
        return Ok(Some(true));
    }
    let Some(other) = in_other_letters(name) else { return Ok(None) };
    let look = |name: &[u8]| rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW);
    let Ok(found) = look(&other) else { return Ok(Some(false)) };
    // It may be another of that name. A program that makes a filesystem may number one file as two.
    let is_same = || look(name).is_ok_and(|named| Stamp::of(&named).is_of_same(&Stamp::of(&found)));
    Ok(Some(kind_of(folder.as_fd())? == FUSE || is_same()))
}

/// As in Linux' magic.h.
const FUSE: u32 = 0x6573_5546;

/// As wide as the machine's numbers are; magic numbers are never wider than this.
fn kind_of(folder: BorrowedFd<'_>) -> Result<u32, Errno> {
    rustix::fs::fstatfs(folder).map(|found| found.f_type as u32)
}

/// Whether it is of a kind that finds files by names which no letters tell, such as `ENV~1` and `name.`.
fn has_short_names(folder: BorrowedFd<'_>) -> Result<bool, Errno> {
    // As in Linux' magic.h and the sources of its filesystems: MS-DOS, VFAT; exFAT; NTFS by either driver;
    // SMB by either, and by the third.
    const MAGICS: [u32; 7] =
        [0x4d44, 0x2011_bab0, 0x5346_544e, 0x7366_746e, 0x517b, 0xff53_4d42, 0xfe53_4d42];
    Ok(MAGICS.contains(&kind_of(folder)?))
}

/// `name` with its letters in the other case; `None` if it has none that have two.
fn in_other_letters(name: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(name).ok()?;
    let lower = text.to_lowercase();
    let other = if lower == text { text.to_uppercase() } else { lower };
    (other != text).then(|| other.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_another_case_or_none() {
        for (name, other) in [
            ("index.html", Some("INDEX.HTML")),
            ("INDEX.HTML", Some("index.html")),
            ("Page", Some("page")),
            ("é", Some("É")),
            ("2026", None),
            ("~1.", None),
        ] {
            assert_eq!(
                in_other_letters(name.as_bytes()),
                other.map(|other| other.as_bytes().to_vec()),
                "{name}"
            );
        }
        assert_eq!(in_other_letters(b"\xffa"), None);
    }
}
