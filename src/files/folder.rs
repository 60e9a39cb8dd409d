//! What is in a folder, entry by entry: of a folder of any size, only what was asked for is in memory.

use std::sync::Arc;

use rustix::fs::{AtFlags, Dir, DirEntry, FileType};
use rustix::io::Errno;

use super::root::{Root, Stamp};
use crate::files::entry::{Entry, EntryKind};

/// A folder being read.
#[derive(Debug)]
pub struct Folder {
    root: Arc<Root>,
    path: Vec<u8>,
    entries: Dir,
    pub stamp: Stamp,
}

/// What comes next in a folder.
#[derive(Debug)]
pub enum Item {
    Entry(Entry),
    /// One to be left out: its name is not wanted, it is neither a file nor a folder, or it went away while
    /// it was looked at.
    LeftOut,
    End,
}

impl Folder {
    /// Opens the folder at `path`: empty, or with a slash at its end.
    pub fn open(root: &Arc<Root>, path: &[u8]) -> Result<Folder, Errno> {
        let (descriptor, stamp) = root.open_folder(path)?;
        let entries = Dir::new(descriptor)?;
        Ok(Folder { root: Arc::clone(root), path: path.to_vec(), entries, stamp })
    }

    /// Reads on. A symlink is what it leads to, or left out where it is not followed.
    pub fn read(&mut self, wanted: impl Fn(&[u8]) -> bool) -> Result<Item, Errno> {
        let is_itself = |entry: &DirEntry| matches!(entry.file_name().to_bytes(), b"." | b"..");
        let mut entries = std::iter::from_fn(|| self.entries.read());
        let entry = entries.find(|entry| !entry.as_ref().is_ok_and(is_itself));
        let Some(entry) = entry.transpose()? else { return Ok(Item::End) };
        let name = entry.file_name().to_bytes();
        if !wanted(name) {
            return Ok(Item::LeftOut);
        }
        let Ok(stamp) = self.stamp_of(name) else { return Ok(Item::LeftOut) };
        let kind = match stamp.file_type() {
            FileType::RegularFile => EntryKind::File,
            FileType::Directory => EntryKind::Folder,
            _ => return Ok(Item::LeftOut),
        };
        let modified_unix_secs = stamp.modified.secs;
        Ok(Item::Entry(Entry { name: name.into(), kind, len: stamp.len, modified_unix_secs }))
    }

    fn stamp_of(&self, name: &[u8]) -> Result<Stamp, Errno> {
        let stat = rustix::fs::statat(self.entries.fd()?, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let stamp = Stamp::of(&stat);
        match stamp.file_type() {
            // From the root, which is what it must not leave.
            FileType::Symlink => self.root.stamp_beneath(&[&self.path, name].concat()),
            _ => Ok(stamp),
        }
    }
}
