//! What is in a folder, entry by entry: of a folder of any size, only what was asked for is in memory.

use std::sync::Arc;

use rustix::fs::{AtFlags, Dir, FileType};
use rustix::io::Errno;

use super::root::{Root, Stamp};
use crate::listing::entry::{Entry, Kind};

/// A folder being read.
#[derive(Debug)]
pub struct Folder {
    root: Arc<Root>,
    path: Vec<u8>,
    entries: Dir,
    pub stamp: Stamp,
}

impl Folder {
    /// Opens the folder at `path`: empty, or with a slash at its end.
    pub fn open(root: &Arc<Root>, path: &[u8]) -> Result<Folder, Errno> {
        let (descriptor, stamp) = root.open_folder(path)?;
        let entries = Dir::new(descriptor)?;
        Ok(Folder { root: Arc::clone(root), path: path.to_vec(), entries, stamp })
    }

    /// The next file or folder that could be served. Left out is what is neither, and what goes away while it
    /// is looked at; a symlink is what it leads to, or nothing where it is not followed.
    pub fn next_entry(&mut self) -> Option<Result<Entry, Errno>> {
        loop {
            let entry = match self.entries.read()? {
                Ok(entry) => entry,
                Err(errno) => return Some(Err(errno)),
            };
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let Ok(stamp) = self.stamp_of(name) else { continue };
            let kind = match stamp.file_type() {
                FileType::RegularFile => Kind::File,
                FileType::Directory => Kind::Folder,
                _ => continue,
            };
            let modified_unix_secs = stamp.modified.secs;
            return Some(Ok(Entry { name: name.into(), kind, len: stamp.len, modified_unix_secs }));
        }
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
