//! A folder as the content of an answer: sorted if it is of a size that people read, else as the disk has it.

use std::io;
use std::io::Write as _;
use std::vec;

use rustix::io::Errno;

use super::visible::Visible;
use crate::files::entry::Entry;
use crate::files::folder::Folder;
use crate::listing::query::{Format, Sort};
use crate::listing::{Listing, order};
use crate::outbox::Source;

/// Entries that are read and sorted before the first is sent: some milliseconds. A folder that has more is
/// sent as it is read.
const SORTED_MAX: usize = 2048;
/// Entries that are read, looked at and written at once, while the other connections wait.
const PIECE_ENTRIES: usize = 256;

/// A listing on its way.
#[derive(Debug)]
pub struct FolderListing {
    /// Read, and not sent yet.
    gathered: vec::IntoIter<Entry>,
    /// What is still to be read; `None` if that is nothing.
    folder: Option<Folder>,
    url_path: Vec<u8>,
    visible: Visible,
    listing: Listing,
    /// What stands before the first entry.
    start: Vec<u8>,
    framing: ListingFraming,
}

/// How a client can tell the end of content whose length nobody knows yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListingFraming {
    /// RFC 9112 §7.1.
    Chunks,
    /// The connection ends with it, for HTTP/1.0.
    Close,
}

impl FolderListing {
    /// Reads as much of `folder` as is sorted.
    pub fn start(
        mut folder: Folder,
        url_path: &[u8],
        visible: Visible,
        (format, sort): (Format, Sort),
        framing: ListingFraming,
    ) -> Result<FolderListing, Errno> {
        let mut gathered = Vec::new();
        let mut is_whole = false;
        for _ in 0..=SORTED_MAX {
            match folder.read(|name| visible.entry(url_path, name))? {
                Some(entry) => gathered.extend(entry),
                None => {
                    is_whole = true;
                    break;
                }
            }
        }
        if is_whole {
            order::sort(&mut gathered, sort);
        }
        let mut start = Vec::new();
        let listing = Listing::start(format, url_path, is_whole.then_some(sort), &mut start);
        let folder = (!is_whole).then_some(folder);
        let (gathered, url_path) = (gathered.into_iter(), url_path.to_vec());
        Ok(FolderListing { gathered, folder, url_path, visible, listing, start, framing })
    }

    /// The next entry; `None` at the end, `Some(None)` for one to be left out.
    fn next_entry(&mut self) -> Result<Option<Option<Entry>>, Errno> {
        match (self.gathered.next(), &mut self.folder) {
            (None, Some(folder)) => folder.read(|name| self.visible.entry(&self.url_path, name)),
            (entry, _) => Ok(entry.map(Some)),
        }
    }
}

impl Source for FolderListing {
    fn pull(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        let mut text = std::mem::take(&mut self.start);
        let mut has_more = true;
        for _ in 0..PIECE_ENTRIES {
            match self.next_entry()? {
                Some(Some(entry)) => self.listing.entry(&entry, &mut text),
                Some(None) => {}
                None => {
                    self.listing.end(&mut text);
                    has_more = false;
                    break;
                }
            }
        }
        match self.framing {
            // A chunk of no bytes would be the last.
            _ if text.is_empty() => {}
            ListingFraming::Close => out.append(&mut text),
            ListingFraming::Chunks => {
                write!(out, "{:x}\r\n", text.len())?;
                out.append(&mut text);
                out.extend_from_slice(if has_more { b"\r\n" } else { b"\r\n0\r\n\r\n" });
            }
        }
        Ok(has_more)
    }
}
