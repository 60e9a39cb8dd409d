//! What is remembered of a path, and when that is believed.

use std::sync::Arc;

use rustix::io::Errno;

use super::file::{ARC_BYTES, File, Stored};
use super::root::Root;
use super::variant;
use super::watches::{Watched, Watches};
use crate::clock::{Now, Tick};
use crate::http::negotiate::Codings;

/// Where watches cannot vouch for an entry, they are not tried for so many seconds.
const UNVOUCHED_SECS: Tick = 10;

/// What is at a path.
#[derive(Clone, Debug)]
pub enum Known {
    /// And the codings in which it is there as well.
    File(Arc<File>, Codings),
    /// Nothing is there; but for what it is there in codings, if that was asked.
    Missing(Option<Codings>),
}

/// What is known of a path.
#[derive(Debug)]
pub struct Entry {
    pub path: Arc<[u8]>,
    pub known: Known,
    /// The check in which the disk last agreed.
    pub checked_in: u64,
    vouched: Option<Vouched>,
    /// Watches are not tried before.
    unvouched_until: Tick,
    /// When it was last asked for. Its variants were looked for then.
    pub used_tick: Tick,
    /// Asked for since its turn to be evicted last came: not evicted this time round.
    pub is_used: bool,
    /// Its place among the [`Looks`](super::looks::Looks), if it holds a descriptor.
    pub look: Option<u64>,
}

/// What was compared with the disk is still so: in this second, as long as its watches have told of nothing.
/// They stood before it was compared, and see whatever happens to it.
#[derive(Debug)]
struct Vouched {
    changes: u64,
    tick: Tick,
    _folder: Arc<Watched>,
}

impl Known {
    /// Whether it holds a file open.
    pub fn holds_descriptor(&self) -> bool {
        matches!(self, Known::File(file, _) if matches!(file.content(), Stored::Disk { .. }))
    }

    /// Whether no response holds the file, so that forgetting it closes it.
    pub fn is_used_by_nobody(&self) -> bool {
        let Known::File(file, _) = self else { return true };
        let is_sent = matches!(file.content(), Stored::Disk { file, .. } if Arc::strong_count(file) > 1);
        !is_sent && Arc::strong_count(file) == 1
    }
}

impl Entry {
    /// Of what has just been found, in a check.
    pub fn new(path: Arc<[u8]>, known: Known, checked_in: u64, now: &Now) -> Entry {
        Entry {
            path,
            known,
            checked_in,
            vouched: None,
            unvouched_until: 0,
            used_tick: now.tick,
            is_used: false,
            look: None,
        }
    }

    /// Whether watches say that it is still so.
    pub fn is_vouched(&self, watches: &mut Watches, now: &Now) -> bool {
        let vouched = self.vouched.as_ref().filter(|vouched| vouched.tick == now.tick);
        vouched.is_some_and(|vouched| watches.vouch_for(vouched.changes, now))
    }

    /// Whether the disk says that it is still so. If watches see it, it is theirs to say from now on.
    pub fn compare(&mut self, watches: &mut Watches, root: &Root, now: &Now) -> bool {
        // First the watches: what happens behind the comparison is told by them.
        let (path, is_missing) = (variant::disk_path(&self.path), matches!(self.known, Known::Missing(_)));
        let may_be_vouched = now.tick >= self.unvouched_until;
        let folder = may_be_vouched.then(|| watches.over(path, is_missing, root, now)).flatten();
        if !self.is_still_so(root) {
            return false;
        }
        let folder = folder.filter(|folder| self.is_seen_from(folder, root));
        if may_be_vouched && folder.is_none() {
            self.unvouched_until = now.tick.saturating_add(UNVOUCHED_SECS);
        }
        self.vouched =
            folder.map(|folder| Vouched { changes: watches.changes(), tick: now.tick, _folder: folder });
        true
    }

    /// Whether it is still so, as the disk says.
    pub fn is_still_so(&self, root: &Root) -> bool {
        match (&self.known, root.stamp_at(variant::disk_path(&self.path))) {
            (Known::File(file, _), Ok(stamp)) => file.stamp == stamp,
            (Known::Missing(_), Err(errno)) => errno == Errno::NOENT,
            _ => false,
        }
    }

    /// Whether all that happens to it is told in `folder`, once it was found to be still so: its path has no
    /// symlinks, and there is no other.
    fn is_seen_from(&self, folder: &Watched, root: &Root) -> bool {
        match (&self.known, root.stamp_of_name(variant::disk_path(&self.path))) {
            (Known::File(file, _), Ok(stamp)) => {
                file.stamp == stamp && !stamp.has_other_names && stamp.device == folder.device
            }
            (Known::Missing(_), Err(errno)) => errno == Errno::NOENT,
            _ => false,
        }
    }

    /// What it owns on the heap.
    pub fn bytes(&self) -> usize {
        let file = match &self.known {
            Known::File(file, _) => ARC_BYTES + size_of::<File>() + file.heap_bytes(),
            Known::Missing(_) => 0,
        };
        ARC_BYTES + self.path.len() + file
    }
}
