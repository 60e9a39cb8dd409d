//! What the kernel tells of changes on the disk, so that it need not be asked: watches (inotify(7)).
//!
//! Each folder is watched from the root down to that of a file. Whatever is changed in one is told before
//! whoever changed it can ask for the file. So what has been compared with the disk once its watches stood is
//! still so until they tell of something; then all is compared again. Which file it was is not looked for:
//! a comparison is what every request took without watches.
//!
//! Where they are blind, nothing rests on them. They see what goes through this kernel, so filesystems that
//! others change as well are left out, and those with layers. They see a file by the folder it is in, so it
//! must have no other name, and its path no symlinks. What comes by another way all the same, through a name
//! or a mapping made later or by a mount on top, is seen by a comparison once a second.

use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

use super::root::Root;
use super::stamp::Stamp;
use crate::clock::{Now, Tick};

/// What a watch takes of the kernel's memory, bytes: its mark, and the folder's inode that it keeps there.
pub const WATCH_BYTES: usize = 1024;
/// Folders that are watched at most, and for how many bytes that may be remembered there is one: watches take
/// a sixty-fourth of that.
const FOLDERS_MAX: usize = 256;
const BYTES_PER_FOLDER: usize = 64 * WATCH_BYTES;
/// Where so many more changes are told in a second than comparisons are spared, watches take more than they
/// give.
const EVENTS_PER_SEC_FREE: u32 = 1000;
/// The disk is asked for so many seconds then, and where a watch is refused.
const BLIND_SECS: Tick = 10;
/// Events taken in at once: all that the kernel's queue holds by default, within a millisecond or two.
const HEARD_MAX: u32 = 20_000;
/// Events read at once: some hundred of those with short names.
const READ_BYTES: usize = 4096;

/// Whatever may make a comparison say something else.
const SEEN: WatchFlags = WatchFlags::MODIFY
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);
/// Of a folder: another may be on a path from now on.
const OF_PATHS: ReadFlags =
    ReadFlags::CREATE.union(ReadFlags::DELETE).union(ReadFlags::MOVED_FROM).union(ReadFlags::MOVED_TO);
/// A watch has ended, or will see nothing more of its path; or something was told that nobody has heard.
const ENDS: ReadFlags = ReadFlags::DELETE_SELF
    .union(ReadFlags::MOVE_SELF)
    .union(ReadFlags::UNMOUNT)
    .union(ReadFlags::QUEUE_OVERFLOW);

/// Filesystems all of whose changes come through this kernel (statfs(2)): ext2 to ext4, XFS, Btrfs, F2FS,
/// tmpfs, SquashFS, EROFS.
const SEEN_FILESYSTEMS: [u64; 7] =
    [0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x0102_1994, 0x7371_7368, 0xe0f5_e1e2];

/// A folder that is watched, as are all above it, for as long as somebody holds this.
#[derive(Debug)]
pub struct Watched {
    watch: i32,
    /// Of the filesystem it is on.
    pub device: u64,
    _above: Option<Arc<Watched>>,
}

/// Watches on folders, by their paths; few.
#[derive(Debug)]
pub struct Watches {
    /// Without it, nothing is watched.
    inotify: Option<OwnedFd>,
    folders: HashMap<Box<[u8]>, Arc<Watched>>,
    folders_max: usize,
    /// How often something was told.
    changes: u64,
    /// They may have told something that was not listened to.
    is_due: bool,
    /// What was told in this second, and how many comparisons were spared.
    tick: Tick,
    events: u32,
    spared: u32,
    /// Nothing is watched before this tick.
    blind_until: Tick,
}

impl Watches {
    /// None so far, and not many for a cache of `cache_bytes_max`.
    pub fn within(cache_bytes_max: usize) -> Watches {
        let folders_max = FOLDERS_MAX.min(cache_bytes_max / BYTES_PER_FOLDER);
        let open = || inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK);
        let inotify = (folders_max > 0).then(open).and_then(|result| {
            let tell =
                |errno: &Errno| log::debug!("nothing is watched, the disk is asked each time: {errno}");
            result.inspect_err(tell).ok()
        });
        Watches {
            inotify,
            folders: HashMap::new(),
            folders_max,
            changes: 0,
            is_due: false,
            tick: 0,
            events: 0,
            spared: 0,
            blind_until: 0,
        }
    }

    /// What the poll is to tell of: [`listen`](Watches::listen) then. Where none does, changes are to be
    /// [listened for](Watches::listen_later) each time.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.inotify.as_ref().map(OwnedFd::as_fd)
    }

    /// How many folders are watched.
    pub fn count(&self) -> usize {
        self.folders.len()
    }

    /// Before anything else is believed, they are listened to.
    pub fn listen_later(&mut self) {
        self.is_due = true;
    }

    /// Whether what was compared when they had told something `changes` times is still so, by all that they
    /// tell.
    pub fn vouch_for(&mut self, changes: u64, now: &Now) -> bool {
        if self.is_due {
            self.listen(now);
        }
        let is_so = changes == self.changes;
        self.spared = self.spared.saturating_add(is_so.into());
        is_so
    }

    /// How often they have told something, as far as they were listened to.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Takes in all that they tell.
    pub fn listen(&mut self, now: &Now) {
        self.is_due = false;
        if self.folders.is_empty() {
            return;
        }
        if self.tick != now.tick {
            // What nobody asks for need not wake anybody.
            if self.spared == 0 && self.events > 0 {
                self.forget_all();
            }
            (self.tick, self.events, self.spared) = (now.tick, 0, 0);
        }
        let mut heard = ReadFlags::empty();
        let mut events = 0;
        if let Some(inotify) = &self.inotify {
            let mut buffer = [MaybeUninit::uninit(); READ_BYTES];
            let mut reader = inotify::Reader::new(inotify, &mut buffer);
            while events < HEARD_MAX {
                match reader.next() {
                    Ok(event) => heard |= told(&event, &self.folders),
                    Err(Errno::INTR) => {}
                    Err(_) => break,
                }
                events += 1;
            }
        }
        self.events = self.events.saturating_add(events);
        if self.events > self.spared.saturating_add(EVENTS_PER_SEC_FREE) {
            self.go_blind(&"more changes than that spares comparisons", now);
        } else if heard.intersects(ENDS) {
            self.forget_all();
        } else if events > 0 {
            self.changes += 1;
        }
    }

    /// The folder that tells of all that happens to `path`: its own, or for what is missing the last one
    /// there is. It is watched from now on, if it is not yet and can be: `None` if the disk must be asked.
    pub fn over(&mut self, path: &[u8], is_missing: bool, root: &Root, now: &Now) -> Option<Arc<Watched>> {
        if now.tick < self.blind_until || self.inotify.is_none() {
            return None;
        }
        let parent = path.iter().rposition(|&byte| byte == b'/').map_or(&b""[..], |end| &path[..end]);
        if let Some(folder) = self.folders.get(parent) {
            return Some(Arc::clone(folder));
        }
        let mut folder = None;
        let ends = (0..parent.len()).filter(|&at| parent[at] == b'/').chain([parent.len()]);
        for end in [0].into_iter().chain(ends.filter(|&end| end > 0)) {
            match self.watch(&path[..end], folder.as_ref(), root, now) {
                Ok(below) => folder = Some(below),
                Err(Errno::NOENT) if is_missing => break,
                Err(_) => return None,
            }
        }
        folder
    }

    /// Watches the folder at `path`, in `above`; by its descriptor, so that it is the one that was opened.
    fn watch(
        &mut self,
        path: &[u8],
        above: Option<&Arc<Watched>>,
        root: &Root,
        now: &Now,
    ) -> Result<Arc<Watched>, Errno> {
        if let Some(folder) = self.folders.get(path) {
            return Ok(Arc::clone(folder));
        }
        if self.folders.len() >= self.folders_max {
            self.let_go();
        }
        let inotify = self.inotify.as_ref().filter(|_| self.folders.len() < self.folders_max);
        let inotify = inotify.ok_or(Errno::NOSPC)?;
        let opened = root.open_plain_folder(path)?;
        let filesystem = rustix::fs::fstatfs(&opened)?.f_type as u64;
        if !SEEN_FILESYSTEMS.contains(&filesystem) {
            return Err(Errno::OPNOTSUPP);
        }
        let device = Stamp::of_open(opened.as_fd())?.device;
        let place = format!("/proc/self/fd/{}", opened.as_raw_fd());
        match inotify::add_watch(inotify, place, SEEN) {
            Ok(watch) => {
                let folder = Arc::new(Watched { watch, device, _above: above.map(Arc::clone) });
                self.folders.insert(path.into(), Arc::clone(&folder));
                Ok(folder)
            }
            Err(errno) => {
                // Of that folder alone it says something if it may not be read.
                if errno != Errno::ACCESS {
                    self.go_blind(&errno, now);
                }
                Err(errno)
            }
        }
    }

    fn go_blind(&mut self, reason: &dyn std::fmt::Display, now: &Now) {
        log::debug!("nothing is watched for {BLIND_SECS} seconds, the disk is asked each time: {reason}");
        self.blind_until = now.tick + BLIND_SECS;
        self.forget_all();
    }

    /// Takes away all watches. What they vouched for is compared again.
    pub fn forget_all(&mut self) {
        self.changes += 1;
        for (_, folder) in self.folders.drain() {
            remove(self.inotify.as_ref(), &folder);
        }
    }

    /// Takes away the watches that nobody holds.
    pub fn let_go(&mut self) {
        loop {
            let is_held = |folder: &Arc<Watched>| Arc::strong_count(folder) > 1;
            let unheld: Vec<_> = self.folders.extract_if(|_, folder| !is_held(folder)).collect();
            if unheld.is_empty() {
                return;
            }
            for (_, folder) in &unheld {
                // The same folder may be at another path as well.
                if !self.folders.values().any(|other| other.watch == folder.watch) {
                    remove(self.inotify.as_ref(), folder);
                }
            }
        }
    }
}

fn remove(inotify: Option<&OwnedFd>, folder: &Watched) {
    // One that has ended by itself cannot be taken away.
    let _ = inotify.map(|inotify| inotify::remove_watch(inotify, folder.watch));
}

/// What an event means for all watches: nothing in [`ENDS`] but where they say something else from now on.
fn told(event: &inotify::Event, folders: &HashMap<Box<[u8]>, Arc<Watched>>) -> ReadFlags {
    let flags = event.events();
    if flags.contains(ReadFlags::ISDIR) && flags.intersects(OF_PATHS) {
        return ReadFlags::MOVE_SELF;
    }
    // Of those that were taken away it is only told that they have ended.
    if flags.contains(ReadFlags::IGNORED) && folders.values().any(|folder| folder.watch == event.wd()) {
        return ReadFlags::DELETE_SELF;
    }
    flags
}
