//! The disk: opening beneath the root, remembering what was found, and sending from it without waiting.

pub mod cache;
pub mod entry;
pub mod file;
pub mod file_slice;
pub mod folder;
pub mod mime;
pub mod open_file;
pub mod page_cache;
pub mod root;
pub mod variant;

use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;

use rustix::io::Errno;

use self::cache::{Cache, Known};
use self::file::File;
use self::folder::Folder;
use self::mime::MediaTypes;
use self::root::{Opened, Root, Stamp};
use crate::clock::Now;
use crate::config::Symlinks;
use crate::http::negotiate::{Coding, Codings};
use crate::limits::Limits;

/// The files of the served folder: always as the disk has them, mostly without asking it for more than that.
///
/// Paths are relative to the root: normalised, without a slash in front.
#[derive(Debug)]
pub struct Files {
    root: Arc<Root>,
    media_types: MediaTypes,
    cache: Cache,
    loaded_file_bytes_max: u64,
    /// Folders read at once. Each has a descriptor, as has the connection it is read for.
    folders_max: usize,
    /// The name of the variant that was last looked for. Kept for its memory only.
    variant_key: Vec<u8>,
}

/// A file, and the codings in which it is there as well.
#[derive(Clone, Debug)]
pub struct Found {
    pub file: Arc<File>,
    pub codings: Codings,
}

impl Files {
    /// Opens `folder`. Errors say what failed, on what, and what to try.
    pub fn open(
        folder: &Path,
        symlinks: Symlinks,
        media_types: MediaTypes,
        limits: &Limits,
    ) -> io::Result<Files> {
        let open_files = usize::try_from(limits.open_files_max).unwrap_or(usize::MAX);
        let descriptors_max = limits.cached_descriptors_max.min(open_files / 8);
        Ok(Files {
            root: Arc::new(Root::open(folder, symlinks)?),
            media_types,
            cache: Cache::new(limits.cache_bytes_max, descriptors_max),
            loaded_file_bytes_max: limits.loaded_file_bytes_max,
            folders_max: (open_files / 8).max(1),
            variant_key: Vec::new(),
        })
    }

    /// The folder that everything is below of.
    pub fn root_folder(&self) -> BorrowedFd<'_> {
        self.root.folder()
    }

    /// What the disk was asked before now does not count any more.
    pub fn recheck(&mut self) {
        self.cache.recheck();
    }

    /// The file at `path`; `None` if there is a folder.
    ///
    /// Errors are those of the open; what is no regular file counts as not there, and one that changes faster
    /// than it can be read is `EAGAIN`.
    pub fn find(&mut self, path: &[u8], now: &Now) -> Result<Option<Found>, Errno> {
        match self.cache.get(path, &self.root, now) {
            Some(Known::File(file, codings)) => return Ok(Some(Found { file, codings })),
            Some(Known::Missing) => return Err(Errno::NOENT),
            None => {}
        }
        match self.root.open_file(path) {
            Ok(Opened::File(descriptor, stamp)) => {
                let content_type = self.media_types.of_path(path);
                let max = self.loaded_file_bytes_max;
                let file = Arc::new(File::new((descriptor, stamp), &content_type, None, max, now)?);
                let codings = variant::codings(path, &file, &self.root);
                self.cache.keep(path, &file, codings, now);
                Ok(Some(Found { file, codings }))
            }
            Ok(Opened::Folder) => Ok(None),
            Ok(Opened::Special) => Err(Errno::NXIO),
            Err(Errno::NOENT) => {
                self.cache.keep_missing(path, now);
                Err(Errno::NOENT)
            }
            Err(errno) => Err(errno),
        }
    }

    /// The variant of `file`, found at `path`, in `coding`; `None` if it is gone, or was made of what the
    /// file held before.
    pub fn find_variant(&mut self, path: &[u8], file: &File, coding: Coding, now: &Now) -> Option<Arc<File>> {
        let key = &mut self.variant_key;
        variant::write_key(path, coding, key);
        if let Some(Known::File(variant, _)) = self.cache.get(key, &self.root, now) {
            return variant::is_current(&variant.stamp, file).then_some(variant);
        }
        let Ok(Opened::File(descriptor, stamp)) = self.root.open_file(variant::disk_path(key)) else {
            return None;
        };
        let max = self.loaded_file_bytes_max;
        let variant = File::new((descriptor, stamp), &file.content_type, Some(coding), max, now);
        let variant = Arc::new(variant.ok().filter(|variant| variant::is_current(&variant.stamp, file))?);
        self.cache.keep(key, &variant, Codings::default(), now);
        Some(variant)
    }

    /// Opens the folder at `path`, to read what is in it; `EMFILE` if too many are being read.
    pub fn open_folder(&self, path: &[u8]) -> Result<Folder, Errno> {
        // Each of them shares the root.
        if Arc::strong_count(&self.root) > self.folders_max {
            return Err(Errno::MFILE);
        }
        Folder::open(&self.root, path)
    }

    /// The state of the folder at `path`.
    pub fn stamp_of_folder(&self, path: &[u8]) -> Result<Stamp, Errno> {
        self.root.open_folder(path).map(|(_, stamp)| stamp)
    }

    /// The state of what is at `path`; only good for telling whether it has changed.
    pub fn stamp_at(&self, path: &[u8]) -> Result<Stamp, Errno> {
        self.root.stamp_at(path)
    }

    /// The content of the file at `path`, and the state it was read in; at most `bytes_max` bytes of it.
    pub fn read(&self, path: &[u8], bytes_max: usize) -> Result<(Vec<u8>, Stamp), Errno> {
        let Opened::File(descriptor, stamp) = self.root.open_file(path)? else { return Err(Errno::NOENT) };
        let mut bytes = vec![0; usize::try_from(stamp.len).unwrap_or(usize::MAX).min(bytes_max)];
        let mut filled = 0;
        while filled < bytes.len() {
            match rustix::io::pread(&descriptor, &mut bytes[filled..], filled as u64)? {
                0 => break,
                count => filled += count,
            }
        }
        bytes.truncate(filled);
        Ok((bytes, stamp))
    }
}
