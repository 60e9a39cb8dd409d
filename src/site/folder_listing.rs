//! A folder as the content of a response: sorted if it is of a size that people read, else as the disk has
//! it.

use std::io;
use std::io::Write as _;
use std::vec;

use rustix::io::Errno;

use super::visible::Visible;
use crate::files::entry::Entry;
use crate::files::folder::{Folder, Item};
use crate::listing::query::{Format, Sort};
use crate::listing::{Listing, order};
use crate::outbox::{Piece, Pulled, Source};

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
    /// It is sent in chunks (RFC 9112 §7.1), else as it is.
    is_chunked: bool,
}

impl FolderListing {
    /// Reads as much of `folder` as is sorted.
    pub fn start(
        mut folder: Folder,
        url_path: &[u8],
        visible: Visible,
        (format, sort): (Format, Sort),
        is_chunked: bool,
    ) -> Result<FolderListing, Errno> {
        let mut gathered = Vec::new();
        let mut is_whole = false;
        for _ in 0..=SORTED_MAX {
            match folder.read(|name| visible.entry(url_path, name))? {
                Item::Entry(entry) => gathered.push(entry),
                Item::LeftOut => {}
                Item::End => {
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
        Ok(FolderListing { gathered, folder, url_path, visible, listing, start, is_chunked })
    }

    fn next(&mut self) -> Result<Item, Errno> {
        match (self.gathered.next(), &mut self.folder) {
            (Some(entry), _) => Ok(Item::Entry(entry)),
            (None, Some(folder)) => folder.read(|name| self.visible.entry(&self.url_path, name)),
            (None, None) => Ok(Item::End),
        }
    }
}

impl Source for FolderListing {
    fn pull(&mut self, piece: &mut Piece) -> io::Result<Pulled> {
        let out = &mut piece.bytes;
        let mut text = std::mem::take(&mut self.start);
        let mut has_more = true;
        for _ in 0..PIECE_ENTRIES {
            match self.next()? {
                Item::Entry(entry) => self.listing.entry(&entry, &mut text),
                Item::LeftOut => {}
                Item::End => {
                    self.listing.end(&mut text);
                    has_more = false;
                    break;
                }
            }
        }
        match self.is_chunked {
            // A chunk of no bytes would be the last.
            _ if text.is_empty() => {}
            false => out.append(&mut text),
            true => {
                write!(out, "{:x}\r\n", text.len())?;
                out.append(&mut text);
                out.extend_from_slice(if has_more { b"\r\n" } else { b"\r\n0\r\n\r\n" });
            }
        }
        Ok(if has_more { Pulled::More } else { Pulled::Last })
    }

    fn kept_bytes(&self) -> usize {
        0
    }
}
