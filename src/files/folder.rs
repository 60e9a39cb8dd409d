//! What is in a folder, entry by entry: of a folder of any size, nothing is in memory between two steps.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, RawDir};
use rustix::io::Errno;

use super::root::{Descriptor, Root};
use super::stamp::Stamp;
use crate::files::entry::{Entry, EntryKind};

/// What the kernel is asked to tell of names at once: of 42 at most, each takes 24 bytes or more.
const NAMES_BYTES: usize = 1024;
/// How often it is asked in one step. With the second answer, a small folder is known to be at its end.
const CALLS_PER_STEP: usize = 2;
/// Entries that are looked at in one step at most.
pub const STEP_ENTRIES_MAX: usize = CALLS_PER_STEP * NAMES_BYTES / 24;

/// A folder being read.
#[derive(Debug)]
pub struct Folder {
    root: Arc<Root>,
    path: Vec<u8>,
    descriptor: Descriptor,
    pub stamp: Stamp,
    /// It is the folder of a host itself, by whatever path.
    pub is_top: bool,
}

impl Folder {
    /// Opens the folder at `path`: empty, or with a slash at its end.
    pub fn open(root: &Arc<Root>, path: &[u8]) -> Result<Folder, Errno> {
        let (descriptor, stamp) = root.open_folder(path)?;
        let is_top = root.is_top(path, &stamp);
        Ok(Folder { root: Arc::clone(root), path: path.to_vec(), descriptor, stamp, is_top })
    }

    /// Where it is.
    pub fn path(&self) -> &[u8] {
        &self.path
    }

    /// Reads on for one step, which looks at [`STEP_ENTRIES_MAX`] entries at most: `tell` gets those whose
    /// names are `wanted`. False at the end of the folder.
    ///
    /// A symlink is what it leads to, or left out where it is not followed. Left out, too, is what is neither
    /// a file nor a folder, or went away while it was looked at.
    pub fn read(
        &mut self,
        wanted: impl Fn(&[u8]) -> bool,
        mut tell: impl FnMut(Entry),
    ) -> Result<bool, Errno> {
        self.step(|folder, name| {
            if wanted(name.to_bytes()) {
                folder.look_at(name).into_iter().for_each(&mut tell);
            }
        })
    }

    /// The same of names alone, of whatever they are.
    pub fn read_names(&mut self, mut tell: impl FnMut(&[u8])) -> Result<bool, Errno> {
        self.step(|_, name| tell(name.to_bytes()))
    }

    fn step(&mut self, mut tell: impl FnMut(&Folder, &CStr)) -> Result<bool, Errno> {
        let mut buffer = [MaybeUninit::uninit(); NAMES_BYTES];
        let mut names = RawDir::new(&self.descriptor, &mut buffer);
        for _ in 0..CALLS_PER_STEP {
            loop {
                let name = match names.next() {
                    Some(Ok(name)) => name,
                    Some(Err(Errno::INTR)) => break,
                    // The folder was removed.
                    None | Some(Err(Errno::NOENT)) => return Ok(false),
                    Some(Err(errno)) => return Err(errno),
                };
                let name = name.file_name();
                if !matches!(name.to_bytes(), b"." | b"..") {
                    tell(self, name);
                }
                // Whoever stops before has lost the rest of what the kernel told.
                if names.is_buffer_empty() {
                    break;
                }
            }
        }
        Ok(true)
    }

    /// Bytes on the heap that it takes.
    pub fn heap_bytes(&self) -> usize {
        self.path.capacity()
    }

    fn look_at<'a>(&self, name: &'a CStr) -> Option<Entry<'a>> {
        let stamp = self.stamp_of(name).ok()?;
        let kind = match stamp.file_type() {
            FileType::RegularFile => EntryKind::File,
            FileType::Directory => EntryKind::Folder,
            _ => return None,
        };
        let modified_unix_secs = stamp.modified.secs;
        Some(Entry { name: name.to_bytes(), kind, len: stamp.len, modified_unix_secs })
    }

    fn stamp_of(&self, name: &CStr) -> Result<Stamp, Errno> {
        let stat = rustix::fs::statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let stamp = Stamp::of(&stat);
        match stamp.file_type() {
            // From the root, which is what it must not leave.
            FileType::Symlink => self.root.stamp_beneath(&[&self.path, name.to_bytes()].concat()),
            _ => Ok(stamp),
        }
    }
}
