//! The disk: opening beneath the root, remembering what was found, and sending from it without waiting.

pub mod cache;
pub mod entry;
pub mod file;
pub mod file_slice;
pub mod folder;
pub mod looks;
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

use self::cache::{Cache, Held, Known};
use self::file::File;
use self::folder::Folder;
use self::mime::MediaTypes;
use self::root::{Descriptor, Opened, Root, Stamp};
use crate::clock::{Now, Tick};
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
    /// The name of the variant that was last looked for. Kept for its memory only.
    variant_key: Vec<u8>,
}

/// A file, and the codings in which it is there as well.
#[derive(Debug)]
pub struct Found {
    /// Without content, if nobody has asked for that before: see [`Files::with_content`].
    pub file: Arc<File>,
    pub codings: Codings,
    /// It is there in those alone: the file is in one of them.
    pub is_only_coded: bool,
    /// It was opened to find it.
    opened: Option<Descriptor>,
}

impl Found {
    fn new(file: Arc<File>, codings: Codings, opened: Option<Descriptor>) -> Found {
        Found { file, codings, is_only_coded: false, opened }
    }
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

    /// How many files and folders are open.
    pub fn open_files(&self) -> usize {
        // Each folder that is being read shares the root.
        self.root.open_files() + Arc::strong_count(&self.root) - 1
    }

    /// What is remembered of files takes so much.
    pub fn held(&self) -> Held {
        self.cache.held()
    }

    /// Closes descriptors of files that nobody has asked for in some seconds, of deleted ones sooner. To be
    /// called once [`wake_tick`](Files::wake_tick) has come; in one call there is little to do.
    pub fn close_unused(&mut self, now: &Now) {
        self.cache.close_unused(&self.root, now);
    }

    /// When there is a descriptor to look at; `None` if none is kept.
    pub fn wake_tick(&self) -> Option<Tick> {
        self.cache.wake_tick()
    }

    /// The file at `path`; `None` if there is a folder. Of its content nothing is read, unless only that
    /// tells how long it is.
    ///
    /// Errors are those of the open and of reading; what is no regular file counts as not there.
    pub fn find(&mut self, path: &[u8], now: &Now) -> Result<Option<Found>, Errno> {
        match self.cache.get(path, &self.root, now) {
            Some(Known::File(file, codings)) => return Ok(Some(Found::new(file, codings, None))),
            Some(Known::Missing(_)) => return Err(Errno::NOENT),
            None => {}
        }
        match open_file(&self.root, path, &mut self.cache) {
            Ok(Opened::File(descriptor, stamp)) => {
                let coding = mime::stored_coding(path);
                let file = File::describe(stamp, &self.media_types.of_path(path), coding, now);
                let (file, opened) = self.described(file, descriptor, now)?;
                let codings = variant::codings(path, Some(&file), &self.root);
                self.cache.keep(path, &file, codings, now);
                Ok(Some(Found::new(file, codings, opened)))
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

    /// What is not found at `path`, in the first of the codings in which it is there all the same.
    pub fn find_only_coded(&mut self, path: &[u8], now: &Now) -> Option<Found> {
        let codings = self.cache.codings_of_missing(path, &self.root);
        let mut there = Coding::ALL.into_iter().filter(|coding| codings.contains(*coding));
        let first = there.find_map(|coding| self.find_variant(path, None, coding, now))?;
        Some(Found { codings, is_only_coded: true, ..first })
    }

    /// The variant of `file`, found at `path`, in `coding`; `None` if it is gone, or was made of what the
    /// file held before. Without a file, what is there in its place.
    pub fn find_variant(
        &mut self,
        path: &[u8],
        file: Option<&File>,
        coding: Coding,
        now: &Now,
    ) -> Option<Found> {
        variant::write_key(path, coding, &mut self.variant_key);
        let (variant, opened) = match self.cache.get(&self.variant_key, &self.root, now) {
            Some(Known::File(variant, _)) => (variant, None),
            _ => match open_file(&self.root, variant::disk_path(&self.variant_key), &mut self.cache) {
                Ok(Opened::File(descriptor, stamp)) => {
                    let content_type = match file {
                        Some(file) => file.content_type.clone(),
                        None => self.media_types.of_path(path),
                    };
                    let variant = File::describe(stamp, &content_type, Some(coding), now);
                    let (variant, opened) = self.described(variant, descriptor, now).ok()?;
                    self.cache.keep(&self.variant_key, &variant, Codings::default(), now);
                    (variant, opened)
                }
                _ => return None,
            },
        };
        let is_current = variant::is_current(&variant.stamp, file);
        is_current.then(|| Found::new(variant, Codings::default(), opened))
    }

    /// A file that was just opened; with its content, where only that tells how long it is.
    fn described(
        &self,
        file: File,
        descriptor: Descriptor,
        now: &Now,
    ) -> Result<(Arc<File>, Option<Descriptor>), Errno> {
        let max = self.loaded_file_bytes_max;
        if file.must_be_read(max) {
            let file = file.with_content((descriptor, file.stamp), max, now)?;
            return Ok((Arc::new(file), None));
        }
        Ok((Arc::new(file), Some(descriptor)))
    }

    /// The file that was `found` at `path`, or as a variant of what is there, with its content: to be asked
    /// for when that is to be sent, and only then. If it was replaced since, it is the other file.
    ///
    /// Errors are those of the open and of reading; one that changes faster than it can be read is `AGAIN`.
    pub fn with_content(&mut self, path: &[u8], found: Found, now: &Now) -> Result<Arc<File>, Errno> {
        let Found { file, codings, opened, .. } = found;
        if file.has_content() {
            return Ok(file);
        }
        // What is coded by its own name is no variant, and has none.
        let key = match file.coding.filter(|_| mime::stored_coding(path).is_none()) {
            None => path,
            Some(coding) => {
                variant::write_key(path, coding, &mut self.variant_key);
                &self.variant_key
            }
        };
        let opened = match opened {
            Some(descriptor) => (descriptor, file.stamp),
            None => match open_file(&self.root, variant::disk_path(key), &mut self.cache)? {
                Opened::File(descriptor, stamp) => (descriptor, stamp),
                Opened::Folder | Opened::Special => return Err(Errno::AGAIN),
            },
        };
        let file = Arc::new(file.with_content(opened, self.loaded_file_bytes_max, now)?);
        self.cache.keep(key, &file, codings, now);
        Ok(file)
    }

    /// Whether something that failed with `errno` is to be tried once more: it wanted a descriptor, and some
    /// that were only kept are closed now.
    pub fn makes_room(&mut self, errno: Errno) -> bool {
        matches!(errno, Errno::MFILE | Errno::NFILE) && self.cache.let_go()
    }

    /// Opens the folder at `path`, to read what is in it.
    pub fn open_folder(&self, path: &[u8]) -> Result<Folder, Errno> {
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
            match page_cache::read(&descriptor, &mut bytes[filled..], filled as u64)? {
                0 => break,
                count => filled += count,
            }
        }
        bytes.truncate(filled);
        Ok((bytes, stamp))
    }
}

/// Opens what is at `path`. If there is no descriptor left for it, what is only kept goes first.
fn open_file(root: &Root, path: &[u8], cache: &mut Cache) -> Result<Opened, Errno> {
    match root.open_file(path) {
        Err(Errno::MFILE | Errno::NFILE) if cache.let_go() => root.open_file(path),
        result => result,
    }
}
