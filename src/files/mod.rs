//! The disk: opening beneath the root, and remembering what was found.

pub mod cache;
pub mod file;
pub mod mime;
pub mod root;

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustix::io::Errno;

use self::cache::{Cache, Known};
use self::file::File;
use self::root::{Opened, Root};
use crate::clock::Now;
use crate::limits::{self, Limits};

/// The files of the served folder: always as the disk has them, mostly without asking it for more than that.
#[derive(Debug)]
pub struct Files {
    root: Root,
    cache: Cache,
    loaded_file_bytes_max: u64,
}

impl Files {
    /// Opens `folder`. Errors say what failed, on what, and what to try.
    pub fn open(folder: &Path, limits: &Limits) -> io::Result<Files> {
        let open_files = usize::try_from(limits::open_files()).unwrap_or(usize::MAX);
        let descriptors_max = limits.cached_descriptors_max.min(open_files / 8);
        Ok(Files {
            root: Root::open(folder)?,
            cache: Cache::new(limits.cache_bytes_max, descriptors_max),
            loaded_file_bytes_max: limits.loaded_file_bytes_max,
        })
    }

    /// What the disk was asked before now does not count any more.
    pub fn recheck(&mut self) {
        self.cache.recheck();
    }

    /// The file at `path`, relative to the root; `None` if there is a folder.
    ///
    /// Errors are those of the open; what is no regular file counts as not there, and one that changes faster
    /// than it can be read is `EAGAIN`.
    pub fn find(&mut self, path: &[u8], now: &Now) -> Result<Option<Arc<File>>, Errno> {
        match self.cache.get(path, &self.root) {
            Some(Known::File(file)) => return Ok(Some(file)),
            Some(Known::Missing) => return Err(Errno::NOENT),
            None => {}
        }
        match self.root.open_file(path) {
            Ok(Opened::File(descriptor, stamp)) => {
                let file = Arc::new(File::new(path, descriptor, stamp, self.loaded_file_bytes_max, now)?);
                if !file.is_in_doubt {
                    self.cache.insert(path, Known::File(Arc::clone(&file)));
                }
                Ok(Some(file))
            }
            Ok(Opened::Folder) => Ok(None),
            Ok(Opened::Special) => Err(Errno::NXIO),
            Err(Errno::NOENT) => {
                self.cache.insert(path, Known::Missing);
                Err(Errno::NOENT)
            }
            Err(errno) => Err(errno),
        }
    }
}
