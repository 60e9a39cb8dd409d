//! A file ready to be sent: opened or loaded, with the fields of its head written out.

use std::os::fd::AsFd;
use std::sync::Arc;

use rustix::io::Errno;

use super::charset::START_BYTES;
use super::memory_slice::MemorySlice;
use super::mime::ContentType;
use super::open_file::OpenFile;
use super::root::Descriptor;
use super::stamp::{FileTime, Stamp};
use super::{file_slice, page_cache};
use crate::clock::Now;
use crate::http::conditional::{EntityTag, Validators};
use crate::http::head::{BodyLength, HeadWriter, HttpDate};
use crate::http::negotiate::Coding;

/// How often a file that changes while it is loaded is loaded again.
const CHANGES_MAX: usize = 3;
/// What an `Arc` counts with, bytes.
pub const ARC_BYTES: usize = 2 * size_of::<usize>();
/// Shorter content is copied into the outbox with its head.
const SLICE_BYTES_MIN: usize = 4096;
/// A file that says it is empty, and is not, is read up to here, in pieces of a page, as the kernel makes it.
const UNTOLD_BYTES_MAX: usize = 64 * 1024;
const UNTOLD_PIECE_BYTES: usize = 4096;

/// One state of one file: what its head says, and its content once that was asked for.
#[derive(Clone, Debug)]
pub struct File {
    pub stamp: Stamp,
    pub content_type: ContentType,
    /// What was done to the content beforehand: it is that of a variant.
    pub coding: Option<Coding>,
    pub validators: Validators,
    /// The content may change and the stamp stay the same: not to be kept.
    pub is_in_doubt: bool,
    /// The fields of a 200 that speak of the file, the empty line included, then the content if the file is
    /// small. The date in there is good once it [is over](Validators::is_date_over).
    head_and_content: Arc<[u8]>,
    head_len: usize,
    content_len: u64,
    place: Place,
}

/// Where the content is, as a file has it.
#[derive(Clone, Debug)]
enum Place {
    Unread,
    /// Behind the head.
    Memory,
    Disk {
        file: Arc<OpenFile>,
        is_cold: bool,
    },
}

/// Where the content of a file is.
#[derive(Clone, Copy, Debug)]
pub enum Stored<'a> {
    /// It was not asked for, and cannot be sent.
    Unread,
    Memory(&'a [u8]),
    /// `is_cold` if a disk will have to be waited for.
    Disk {
        file: &'a Arc<OpenFile>,
        is_cold: bool,
    },
}

/// What it takes to tell of a file and to read it.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Content of at most so many bytes is loaded.
    pub loaded_bytes_max: u64,
    /// What is not in memory is waited for: everybody waits.
    pub may_wait: bool,
    pub now: &'a Now,
}

impl Terms<'_> {
    fn read(self, descriptor: &Descriptor, bytes: &mut [u8], offset: u64) -> Result<usize, Errno> {
        match self.may_wait {
            true => page_cache::read(descriptor, bytes, offset),
            false => page_cache::read_now(descriptor, bytes, offset),
        }
    }
}

/// What was read of a file's content.
#[derive(Clone, Copy, Debug)]
enum Seen<'a> {
    Nothing,
    Start(&'a [u8]),
    All(&'a [u8]),
}

impl File {
    /// What is open as `descriptor`, in the state `stamp` or one that comes meanwhile. Of its content is read
    /// what it takes to tell of it; a small file is loaded then.
    ///
    /// `AGAIN` if a disk would have to be waited for, `BUSY` if it changes faster than it can be read, `FBIG`
    /// if it is large and says that it is empty.
    pub fn look(
        descriptor: &Descriptor,
        mut stamp: Stamp,
        (content_type, coding): (&ContentType, Option<Coding>),
        terms: Terms,
    ) -> Result<File, Errno> {
        for _ in 0..CHANGES_MAX {
            let rests_on_content = content_type.rests_on_content() && coding.is_none();
            let describe = |seen: Seen| File::describe(stamp, content_type, coding, seen, terms.now);
            let file = if stamp.len <= terms.loaded_bytes_max {
                // Whether its length can be believed, and whether anybody may have its time.
                let is_to_be_read = rests_on_content || !stamp.has_blocks || !stamp.modified.is_its_own();
                if !is_to_be_read {
                    return Ok(describe(Seen::Nothing));
                }
                let content = read_all(descriptor, stamp.len, terms)?;
                describe(Seen::All(&content)).holding(&content)
            } else {
                if !rests_on_content {
                    return Ok(describe(Seen::Nothing));
                }
                let mut start = [0; START_BYTES];
                let count = terms.read(descriptor, &mut start, 0)?;
                describe(Seen::Start(&start[..count]))
            };
            let stamp_behind = Stamp::of_open(descriptor.as_fd())?;
            if stamp_behind == stamp {
                return Ok(file);
            }
            stamp = stamp_behind;
        }
        Err(Errno::BUSY)
    }

    /// A file in the state `stamp`, without its content.
    fn describe(
        stamp: Stamp,
        content_type: &ContentType,
        coding: Option<Coding>,
        seen: Seen,
        now: &Now,
    ) -> File {
        let content_type = match seen {
            Seen::Start(start) | Seen::All(start) if coding.is_none() => {
                content_type.in_light_of(&start[..start.len().min(START_BYTES)])
            }
            _ => content_type.clone(),
        };
        // What is not as long as its stamp tells is made when it is read, and may be another each time. What
        // says that it is empty, and is, may be of that kind.
        let is_made = matches!(seen, Seen::All(content) if content.len() as u64 != stamp.len);
        let FileTime { secs, nanos } = stamp.modified;
        // A tag must not stay the same when the content changes (RFC 9110 §8.8.1).
        let is_weak = stamp.is_in_doubt(now.unix_secs);
        let entity_tag = match seen {
            Seen::All(content) if is_made || !stamp.modified.is_its_own() => EntityTag::of_content(content),
            _ if stamp.modified.is_no_time() => {
                EntityTag::of_inode(stamp.inode, stamp.changed.total_nanos(), stamp.len, is_weak)
            }
            _ => EntityTag::of_time(secs, nanos, stamp.len, is_weak),
        };
        let has_date = !is_made && !stamp.modified.is_no_time();
        let mut file = File {
            stamp,
            content_type,
            coding,
            // Not that of another form of the content (RFC 9110 §8.8.3.3).
            validators: Validators {
                entity_tag: coding.map_or(entity_tag, |coding| entity_tag.of_variant(coding.token())),
                last_modified_unix_secs: has_date.then_some(secs),
            },
            is_in_doubt: is_weak || is_made || stamp.len == 0,
            head_and_content: Arc::default(),
            head_len: 0,
            content_len: if let Seen::All(content) = seen { content.len() as u64 } else { stamp.len },
            place: Place::Unread,
        };
        file.head_and_content = file.head().into();
        file.head_len = file.head_and_content.len();
        file
    }

    /// The end of a 200's head, with its date as it is.
    fn head(&self) -> Vec<u8> {
        let mut head = Vec::with_capacity(192);
        let mut fields =
            HeadWriter::behind_start(&mut head).field("Content-Type", self.content_type.as_str());
        if let Some(coding) = self.coding {
            fields = fields.field("Content-Encoding", coding.token());
        }
        if let Some(unix_secs) = self.validators.last_modified_unix_secs {
            fields = fields.field("Last-Modified", HttpDate::of(unix_secs));
        }
        fields
            .field("ETag", self.validators.entity_tag)
            .field("Accept-Ranges", "bytes")
            .finish(BodyLength::Bytes(self.content_len));
        head
    }
}

/// Reads what is no longer than `told_len`, if that can be believed. 0 cannot: to see that there is nothing
/// takes a read.
fn read_all(descriptor: &Descriptor, told_len: u64, terms: Terms) -> Result<Vec<u8>, Errno> {
    let told_len = usize::try_from(told_len).map_err(|_| Errno::FBIG)?;
    let mut bytes = Vec::with_capacity(told_len);
    while told_len == 0 || bytes.len() < told_len {
        let len = bytes.len();
        let room = if told_len == 0 { UNTOLD_PIECE_BYTES } else { told_len - len };
        bytes.resize(len + room, 0);
        let count = terms.read(descriptor, &mut bytes[len..], len as u64)?;
        bytes.truncate(len + count);
        if count == 0 {
            break;
        }
        if told_len == 0 && bytes.len() > UNTOLD_BYTES_MAX {
            return Err(Errno::FBIG);
        }
    }
    Ok(bytes)
}

/// Content.
impl File {
    /// The same file with its content, which is loaded if it is small. `opened` is the file and the state it
    /// was opened in: if that is another by now, so is the file that is returned. Errors are those of
    /// [`look`](File::look).
    pub fn with_content(
        &self,
        (descriptor, stamp): (Descriptor, Stamp),
        terms: Terms,
    ) -> Result<File, Errno> {
        let mut file = match self.stamp == stamp {
            true => self.clone(),
            false => File::look(&descriptor, stamp, (&self.content_type, self.coding), terms)?,
        };
        for _ in 0..CHANGES_MAX {
            if file.has_content() {
                return Ok(file);
            }
            if file.stamp.len > terms.loaded_bytes_max {
                let is_cold = !file_slice::is_in_memory(&descriptor, file.stamp.len);
                return Ok(file.on_disk(descriptor, is_cold));
            }
            let content = match read_all(&descriptor, file.stamp.len, terms) {
                // The disk has it: then it is sent like a large one, once it has come.
                Err(Errno::AGAIN) => return Ok(file.on_disk(descriptor, true)),
                result => result?,
            };
            let stamp_behind = Stamp::of_open(descriptor.as_fd())?;
            if stamp_behind == file.stamp {
                let is_as_told = content.len() as u64 == file.content_len;
                return Ok(if is_as_told { file } else { file.made(&content, terms.now) }.holding(&content));
            }
            file = File::look(&descriptor, stamp_behind, (&file.content_type, file.coding), terms)?;
        }
        Err(Errno::BUSY)
    }

    /// The content stays where it is.
    fn on_disk(mut self, descriptor: Descriptor, is_cold: bool) -> File {
        self.place = Place::Disk { file: Arc::new(OpenFile::new(descriptor, self.stamp)), is_cold };
        self
    }

    /// Its content is not as long as it told.
    fn made(&self, content: &[u8], now: &Now) -> File {
        File::describe(self.stamp, &self.content_type, self.coding, Seen::All(content), now)
    }

    /// The content is in memory.
    fn holding(self, content: &[u8]) -> File {
        let head_and_content = [self.prepared(false), content].concat().into();
        File { head_and_content, place: Place::Memory, ..self }
    }

    /// Bytes of content.
    pub fn content_len(&self) -> u64 {
        self.content_len
    }

    /// The end of a 200's head; with the content if that is asked for and the file is loaded.
    pub fn prepared(&self, with_content: bool) -> &[u8] {
        let end = if with_content { self.head_and_content.len() } else { self.head_len };
        &self.head_and_content[..end]
    }

    /// The content, if it is in memory and so long that to copy it takes more than to refer to it.
    pub fn memory_slice(&self) -> Option<MemorySlice> {
        let content = self.head_len..self.head_and_content.len();
        let is_worth_it = matches!(self.place, Place::Memory) && content.len() >= SLICE_BYTES_MIN;
        is_worth_it.then(|| MemorySlice::new(&self.head_and_content, content))
    }

    pub fn content(&self) -> Stored<'_> {
        match &self.place {
            Place::Unread => Stored::Unread,
            Place::Memory => Stored::Memory(&self.head_and_content[self.head_len..]),
            Place::Disk { file, is_cold } => Stored::Disk { file, is_cold: *is_cold },
        }
    }

    /// Whether the content can be sent.
    pub fn has_content(&self) -> bool {
        !matches!(self.place, Place::Unread)
    }

    /// Bytes of memory this value holds on the heap. A descriptor that others hold as well counts in full.
    pub fn heap_bytes(&self) -> usize {
        let open_file = match self.place {
            Place::Disk { .. } => ARC_BYTES + size_of::<OpenFile>(),
            Place::Unread | Place::Memory => 0,
        };
        // An `Arc` ends where another may begin.
        let prepared = ARC_BYTES + self.head_and_content.len().next_multiple_of(align_of::<usize>());
        prepared + self.content_type.heap_bytes() + open_file
    }
}
