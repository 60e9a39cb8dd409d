//! A folder as the content of a response: sorted if there is the memory for that, else as the disk has it.
//!
//! Either way it is made in steps of well under a millisecond: so many entries are read, so many sorted, so
//! many written. Nothing is written before it is known whether all is sorted, which is said at the start.

use std::io;
use std::io::Write as _;

use rustix::io::Errno;

use super::sorting::Share;
use crate::files::entry::Entry;
use crate::files::folder::Folder;
use crate::files::visible::Visible;
use crate::listing::Listing;
use crate::listing::query::{Format, Sort};
use crate::listing::runs::Runs;
use crate::outbox::{Piece, Pulled, Source};

/// The most entries that are sorted. A folder that has more is sent as it is read.
const SORTED_MAX: usize = 100_000;
/// So many are sorted whatever others have taken of the memory for that: some 100 KB.
const SORTED_ALWAYS: usize = 2048;
/// Gathered entries that are written at once ...
const PIECE_ENTRIES: usize = 64;
/// ... if they do not take more than this: an entry takes 200 bytes, and one of a long name two thousand.
const PIECE_BYTES: usize = 32 * 1024;
/// What a piece has around it if it is a chunk.
const CHUNK_FRAME_BYTES: usize = 24;

/// In which form and order a listing is sent.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    pub format: Format,
    pub sort: Sort,
    /// In chunks (RFC 9112 §7.1), else as it is.
    pub is_chunked: bool,
}

/// A listing on its way.
#[derive(Debug)]
pub struct FolderListing {
    unread: Unread,
    /// Read, and not written yet.
    gathered: Runs,
    /// What `gathered` may take.
    share: Share,
    /// `None` until it has started.
    listing: Option<Listing>,
    format: Format,
    /// `None` once it is known that they are too many.
    sort: Option<Sort>,
    is_chunked: bool,
}

/// What is still to be read.
#[derive(Debug)]
struct Unread {
    /// `None` once it has been read to its end.
    folder: Option<Folder>,
    url_path: Vec<u8>,
    visible: Visible,
}

impl FolderListing {
    /// Reads the first step of `folder`, so that one that cannot be read is known before the head is written.
    /// A small one is read to its end by that, and shown as it is at this moment.
    pub fn start(
        folder: Folder,
        url_path: &[u8],
        visible: Visible,
        form: Form,
        share: Share,
    ) -> Result<FolderListing, Errno> {
        let Form { format, sort, is_chunked } = form;
        let unread = Unread { folder: Some(folder), url_path: url_path.to_vec(), visible };
        let (gathered, sort) = (Runs::default(), Some(sort));
        let mut listing = FolderListing { unread, gathered, share, listing: None, format, sort, is_chunked };
        listing.gather()?;
        Ok(listing)
    }

    /// Reads a step on, and gives up on sorting if that were too many.
    fn gather(&mut self) -> Result<(), Errno> {
        self.unread.read(|entry| self.gathered.push(&entry))?;
        let count = self.gathered.count();
        let may_be_sorted =
            count <= SORTED_ALWAYS || count <= SORTED_MAX && self.share.resize(self.gathered.heap_bytes());
        if !may_be_sorted {
            self.sort = None;
        }
        Ok(())
    }

    /// Reads or sorts a step on. True once the listing can start.
    fn prepare(&mut self) -> Result<bool, Errno> {
        match self.sort {
            None => Ok(true),
            Some(_) if self.unread.folder.is_some() => self.gather().map(|()| false),
            Some(sort) => Ok(self.gathered.sort_one(sort)),
        }
    }

    /// Writes a step on into `text`. False at the end.
    fn write(&mut self, text: &mut Vec<u8>) -> Result<bool, Errno> {
        let FolderListing { unread, gathered, listing, format, sort, .. } = self;
        let listing = listing.get_or_insert_with(|| Listing::start(*format, &unread.url_path, *sort, text));
        let mut written = 0;
        while let Some(entry) = gathered.next(*sort) {
            listing.entry(&entry, text);
            written += 1;
            if written == PIECE_ENTRIES || text.len() >= PIECE_BYTES {
                return Ok(true);
            }
        }
        if written == 0 {
            unread.read(|entry| listing.entry(&entry, text))?;
        }
        if unread.folder.is_none() {
            listing.end(text);
        }
        Ok(unread.folder.is_some())
    }
}

impl Unread {
    /// Reads a step on, and closes the folder at its end.
    fn read(&mut self, tell: impl FnMut(Entry)) -> Result<(), Errno> {
        if let Some(folder) = &mut self.folder {
            // By a link to the top, the rules are there as well.
            let path = if folder.is_top { &b""[..] } else { &self.url_path };
            let has_more = folder.read(|name| self.visible.entry(path, name), tell)?;
            self.folder.take_if(|_| !has_more);
        }
        Ok(())
    }

    fn heap_bytes(&self) -> usize {
        self.url_path.capacity() + self.folder.as_ref().map_or(0, Folder::heap_bytes)
    }
}

impl Source for FolderListing {
    fn pull(&mut self, piece: &mut Piece) -> io::Result<Pulled> {
        if self.listing.is_none() && !self.prepare()? {
            return Ok(Pulled::More);
        }
        let mut text = Vec::new();
        let has_more = self.write(&mut text)?;
        self.share.shrink(self.gathered.heap_bytes());
        let out = &mut piece.bytes;
        match self.is_chunked {
            // A chunk of no bytes would be the last.
            _ if text.is_empty() => {}
            false => out.append(&mut text),
            true => {
                out.reserve(text.len() + CHUNK_FRAME_BYTES);
                write!(out, "{:x}\r\n", text.len())?;
                out.append(&mut text);
                out.extend_from_slice(if has_more { b"\r\n" } else { b"\r\n0\r\n\r\n" });
            }
        }
        Ok(if has_more { Pulled::More } else { Pulled::Last })
    }

    fn kept_bytes(&self) -> usize {
        self.gathered.heap_bytes() + self.unread.heap_bytes()
    }
}
