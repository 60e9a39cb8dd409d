//! The disk: opening beneath the root, remembering what was found, and sending from it without waiting.

pub mod awaited;
pub mod cache;
pub mod charset;
pub mod entry;
pub mod file;
pub mod file_slice;
pub mod folder;
pub mod links;
pub mod looks;
pub mod memory_slice;
pub mod mime;
pub mod open_file;
pub mod opener;
pub mod page_cache;
pub mod remembered;
pub mod root;
pub mod root_link;
pub mod spelling;
pub mod stamp;
pub mod variant;
pub mod visible;
pub mod watches;

use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;

use rustix::io::Errno;

use self::awaited::Awaited;
use self::cache::{Cache, Held};
use self::charset::START_BYTES;
use self::file::{File, Terms};
use self::folder::Folder;
use self::mime::{ContentType, MediaTypes};
use self::remembered::Known;
use self::root::{Descriptor, Opened, Root};
use self::root_link::RootLink;
use self::spelling::Spelling;
use self::stamp::Stamp;
use self::visible::Visible;
use crate::clock::{Now, Tick};
use crate::config::SiteOptions;
use crate::http::negotiate::{Coding, Codings};
use crate::limits::Limits;
use crate::metrics::CacheCounts;

/// The files of the served folder: always as the disk has them, mostly without asking it for more than that.
///
/// Paths are relative to the root: normalised, without a slash in front.
#[derive(Debug)]
pub struct Files {
    root: Arc<Root>,
    /// By which the root was named, if it was.
    link: Option<RootLink>,
    media_types: MediaTypes,
    cache: Cache,
    spelling: Spelling,
    counts: CacheCounts,
    awaited: Awaited,
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
    pub fn open(folder: &Path, options: &SiteOptions, limits: &Limits) -> io::Result<Files> {
        let open_files = usize::try_from(limits.open_files_max).unwrap_or(usize::MAX);
        let descriptors_max = limits.cached_descriptors_max.min(open_files / 8);
        let root = Root::open(folder, options)?;
        Ok(Files {
            link: RootLink::at(folder, &root, options.symlinks),
            root: Arc::new(root),
            media_types: MediaTypes::with(options.media_types.clone()),
            cache: Cache::new(limits.cache_bytes_max, descriptors_max),
            spelling: Spelling::within(limits.cache_bytes_max / 8),
            counts: CacheCounts::default(),
            awaited: Awaited::default(),
            loaded_file_bytes_max: limits.loaded_file_bytes_max,
            variant_key: Vec::new(),
        })
    }

    /// The folder that everything is below of.
    pub fn root_folder(&self) -> BorrowedFd<'_> {
        self.root.folder()
    }

    /// The folder that holds both the root and the link by which that was named, if it was: what is read lies
    /// in that.
    pub fn link_folder(&self) -> Option<BorrowedFd<'_>> {
        self.link.as_ref().and_then(RootLink::holder)
    }

    /// A turn begins. If it is named by a link, and that leads to another, it goes on with another root. What
    /// is remembered of files is compared with the disk before it is used, so it need not be forgotten.
    pub fn begin_turn(&mut self, is_told: bool, now: &Now) {
        self.cache.begin_turn(is_told, now);
        self.follow_link_if(false, now);
        self.cache.close_unused(&self.root, now);
    }

    /// What tells a poll of changes. Without one, [`recheck`](Files::recheck) before each turn does it.
    pub fn watch_descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.cache.watch_descriptor()
    }

    fn follow_link_if(&mut self, is_missed: bool, now: &Now) -> bool {
        let folder = self.link.as_mut().and_then(|link| link.swapped(is_missed, now));
        let Some(folder) = folder else { return false };
        self.root = Arc::new(self.root.moved_to(folder));
        self.cache.forget_watches();
        self.spelling.forget_all();
        true
    }

    /// Which names may be served of it.
    pub fn visible(&self) -> &Visible {
        self.root.visible()
    }

    /// What the disk was asked before now does not count any more.
    pub fn recheck(&mut self) {
        self.cache.recheck();
    }

    /// How many files and folders are open.
    pub fn open_files(&self) -> usize {
        self.root.open_files()
    }

    /// Look-ups so far.
    pub fn counts(&self) -> CacheCounts {
        CacheCounts { comparisons: self.cache.comparisons(), ..self.counts }
    }

    /// What is remembered of files takes so much.
    pub fn held(&self) -> Held {
        self.cache.held()
    }

    /// When a turn is to begin at the latest, to close descriptors of files that nobody asks for; `None` if
    /// none is kept.
    pub fn wake_tick(&self) -> Option<Tick> {
        self.cache.wake_tick()
    }

    /// The file at `path`; `None` if there is a folder. Of its content is read what it takes to tell of it:
    /// its type, its length or its tag.
    ///
    /// Errors are those of the open and of reading; what is no regular file counts as not there. `AGAIN`: a
    /// disk was asked for its start, and it is to be looked for again in a moment.
    pub fn find(&mut self, path: &[u8], now: &Now) -> Result<Option<Found>, Errno> {
        match self.cache.get(path, &self.root, now) {
            Some(Known::File(file, codings)) => {
                self.counts.hits += 1;
                log::trace!("  /{}: remembered, and still so", path.escape_ascii());
                return Ok(Some(Found::new(file, codings, None)));
            }
            Some(Known::Missing(_)) => return Err(Errno::NOENT),
            None => {
                self.counts.misses += 1;
                log::trace!("  /{}: looked for on the disk", path.escape_ascii());
            }
        }
        match self.open_file(path, now) {
            Ok(Opened::File(descriptor, stamp)) => {
                let named = (&self.media_types.of_path(path), mime::stored_coding(path));
                let (file, opened) = self.look(path, descriptor, stamp, named, now)?;
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
    pub fn find_only_coded(&mut self, path: &[u8], now: &Now) -> Result<Option<Found>, Errno> {
        let codings = self.cache.codings_of_missing(path, &self.root);
        for coding in Coding::ALL.into_iter().filter(|coding| codings.contains(*coding)) {
            if let Some(first) = self.find_variant(path, None, coding, now)? {
                return Ok(Some(Found { codings, is_only_coded: true, ..first }));
            }
        }
        Ok(None)
    }

    /// The variant of `file`, found at `path`, in `coding`; `None` if it is gone, cannot be read, or was made
    /// of what the file held before. Without a file, what is there in its place. The only error is `AGAIN`,
    /// as from [`find`](Files::find).
    pub fn find_variant(
        &mut self,
        path: &[u8],
        file: Option<&File>,
        coding: Coding,
        now: &Now,
    ) -> Result<Option<Found>, Errno> {
        let mut key = std::mem::take(&mut self.variant_key);
        variant::write_key(path, coding, &mut key);
        let variant = match file {
            Some(file) => self.find_by_key(&key, (&file.content_type, Some(coding)), now),
            None => {
                let content_type = self.media_types.of_path(path);
                self.find_by_key(&key, (&content_type, Some(coding)), now)
            }
        };
        self.variant_key = key;
        match variant {
            Ok((variant, opened)) if variant::is_current(&variant.stamp, file) => {
                Ok(Some(Found::new(variant, Codings::default(), opened)))
            }
            Err(Errno::AGAIN) => Err(Errno::AGAIN),
            Ok(_) | Err(_) => Ok(None),
        }
    }

    /// The variant that is remembered under `key`, or found where that says.
    fn find_by_key(
        &mut self,
        key: &[u8],
        named: (&ContentType, Option<Coding>),
        now: &Now,
    ) -> Result<(Arc<File>, Option<Descriptor>), Errno> {
        match self.cache.get(key, &self.root, now) {
            Some(Known::File(variant, _)) if variant.content_type == *named.0 => return Ok((variant, None)),
            _ => {}
        }
        match self.open_file(variant::disk_path(key), now)? {
            Opened::File(descriptor, stamp) => {
                let (variant, opened) = self.look(key, descriptor, stamp, named, now)?;
                self.cache.keep(key, &variant, Codings::default(), now);
                Ok((variant, opened))
            }
            Opened::Folder | Opened::Special => Err(Errno::NOENT),
        }
    }

    /// Opens what is at `path`, if the disk spells it so. If there is no descriptor left for it, what is only
    /// kept goes first.
    fn open_file(&mut self, path: &[u8], now: &Now) -> Result<Opened, Errno> {
        match self.open_in_root(path, now) {
            Err(Errno::NOENT) if self.follow_link_if(true, now) => self.open_in_root(path, now),
            result => result,
        }
    }

    fn open_in_root(&mut self, path: &[u8], now: &Now) -> Result<Opened, Errno> {
        let mut open = || {
            let opened = self.root.open_file(path)?;
            Ok((opened, self.spelling.is_of_disk(path, &self.root, now)?))
        };
        let (opened, is_of_disk) = match open() {
            Err(Errno::MFILE | Errno::NFILE) if self.cache.let_go() => open(),
            result => result,
        }?;
        if is_of_disk {
            return Ok(opened);
        }
        log::debug!("/{} is not served: its folder lists another name for it", path.escape_ascii());
        Err(Errno::NOENT)
    }

    /// Tells of what was just opened; the descriptor comes back unless the content has been loaded.
    fn look(
        &mut self,
        key: &[u8],
        descriptor: Descriptor,
        stamp: Stamp,
        named: (&ContentType, Option<Coding>),
        now: &Now,
    ) -> Result<(Arc<File>, Option<Descriptor>), Errno> {
        let result = File::look(&descriptor, stamp, named, self.terms(key, now));
        self.note(key, &descriptor, result.as_ref().err(), now);
        let file = Arc::new(result?);
        let opened = (!file.has_content()).then_some(descriptor);
        Ok((file, opened))
    }

    fn terms<'n>(&self, key: &[u8], now: &'n Now) -> Terms<'n> {
        let may_wait = self.awaited.is_overdue(key, now);
        Terms { loaded_bytes_max: self.loaded_file_bytes_max, may_wait, now }
    }

    /// Notes whether what was opened for `key` has to be waited for, and asks the disk for it if so.
    fn note(&mut self, key: &[u8], descriptor: &Descriptor, error: Option<&Errno>, now: &Now) {
        if error == Some(&Errno::AGAIN) {
            page_cache::read_ahead(descriptor, 0, self.loaded_file_bytes_max.max(START_BYTES as u64));
            self.awaited.look_again(key, now);
        } else {
            self.awaited.forget(key);
        }
    }

    /// The file that was `found` at `path`, or as a variant of what is there, with its content: to be asked
    /// for when that is to be sent, and only then. If it was replaced since, it is the other file.
    ///
    /// Errors are those of the open and of reading; one that changes faster than it can be read is `BUSY`. If
    /// it is another file, `AGAIN` as for [`find`](Files::find).
    pub fn with_content(&mut self, path: &[u8], found: Found, now: &Now) -> Result<Arc<File>, Errno> {
        let Found { file, codings, opened, .. } = found;
        if file.has_content() {
            return Ok(file);
        }
        // What is coded by its own name is no variant, and has none.
        let mut key = std::mem::take(&mut self.variant_key);
        match file.coding.filter(|_| mime::stored_coding(path).is_none()) {
            None => path.clone_into(&mut key),
            Some(coding) => variant::write_key(path, coding, &mut key),
        }
        let file = self.open_content(&key, &file, opened, now);
        if let Ok(file) = &file {
            self.cache.keep(&key, file, codings, now);
        }
        self.variant_key = key;
        file
    }

    fn open_content(
        &mut self,
        key: &[u8],
        file: &File,
        opened: Option<Descriptor>,
        now: &Now,
    ) -> Result<Arc<File>, Errno> {
        let (descriptor, stamp) = match opened {
            Some(descriptor) => (descriptor, file.stamp),
            None => match self.open_file(variant::disk_path(key), now)? {
                Opened::File(descriptor, stamp) => (descriptor, stamp),
                Opened::Folder | Opened::Special => return Err(Errno::BUSY),
            },
        };
        let file = file.with_content((descriptor, stamp), self.terms(key, now))?;
        Ok(Arc::new(file))
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
