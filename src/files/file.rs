//! A file ready to be sent: opened or loaded, with the fields of its head written out.

use std::hash::{DefaultHasher, Hasher};
use std::os::fd::AsFd;
use std::sync::Arc;

use rustix::io::Errno;

use super::mime::ContentType;
use super::open_file::OpenFile;
use super::root::{Descriptor, FileTime, Stamp};
use super::{file_slice, page_cache};
use crate::clock::Now;
use crate::http::conditional::{EntityTag, Validators};
use crate::http::head::{BodyLength, HeadWriter, HttpDate};
use crate::http::negotiate::Coding;

/// How often a file that changes while it is loaded is loaded again.
const CHANGES_MAX: usize = 3;
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
    /// small.
    head_and_content: Box<[u8]>,
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

impl File {
    /// A file in the state `stamp`, for who only wants to know of it: nothing of its content is read.
    pub fn describe(stamp: Stamp, content_type: &ContentType, coding: Option<Coding>, now: &Now) -> File {
        let is_in_doubt = stamp.is_in_doubt(now.unix_secs);
        let now_unix_secs = i64::try_from(now.unix_secs).unwrap_or(i64::MAX);
        let FileTime { secs, nanos } = stamp.modified;
        let validators = Validators {
            // A tag must not stay the same when the content changes (RFC 9110 §8.8.1).
            entity_tag: EntityTag::of_file(secs, nanos, stamp.len, is_in_doubt),
            // A date in the future would promise what nobody knows (RFC 9110 §8.8.2.1).
            last_modified_unix_secs: secs.min(now_unix_secs),
            is_date_strong: !is_in_doubt && secs < now_unix_secs,
        };
        let file = File::with_head(stamp, content_type, coding, stamp.len, validators);
        File { is_in_doubt, ..file }
    }

    /// The same file for content that is not as long as its stamp tells: it is made when it is read, and may
    /// be another each time. So what tells one content from another is the content.
    fn describe_made(&self, content: &[u8], now: &Now) -> File {
        let mut hasher = DefaultHasher::new();
        hasher.write(content);
        let FileTime { secs, nanos } = self.stamp.modified;
        let validators = Validators {
            entity_tag: EntityTag::of_file(secs, nanos, hasher.finish(), false),
            last_modified_unix_secs: i64::try_from(now.unix_secs).unwrap_or(i64::MAX),
            is_date_strong: false,
        };
        File::with_head(self.stamp, &self.content_type, self.coding, content.len() as u64, validators)
    }

    /// Writes the head for `content_len` bytes of content.
    fn with_head(
        stamp: Stamp,
        content_type: &ContentType,
        coding: Option<Coding>,
        content_len: u64,
        mut validators: Validators,
    ) -> File {
        let mut head = Vec::with_capacity(192);
        let mut fields = HeadWriter::behind_start(&mut head).field("Content-Type", content_type.as_str());
        if let Some(coding) = coding {
            fields = fields.field("Content-Encoding", coding.token());
            // Not that of another form of the content (RFC 9110 §8.8.3.3).
            validators.entity_tag = validators.entity_tag.of_variant(coding.token());
        }
        fields
            .field("Last-Modified", HttpDate::of(validators.last_modified_unix_secs))
            .field("ETag", validators.entity_tag)
            .field("Accept-Ranges", "bytes")
            .finish(BodyLength::Bytes(content_len));
        let head_len = head.len();
        File {
            stamp,
            content_type: content_type.clone(),
            coding,
            validators,
            is_in_doubt: true,
            head_and_content: head.into_boxed_slice(),
            head_len,
            content_len,
            place: Place::Unread,
        }
    }
}

/// Content.
impl File {
    /// Whether only reading tells how long the content is.
    pub fn must_be_read(&self, loaded_bytes_max: u64) -> bool {
        !self.stamp.has_blocks && self.stamp.len <= loaded_bytes_max
    }

    /// The same file with its content, which is loaded if it has at most `loaded_bytes_max`. `opened` is the
    /// file and the state it was opened in: if that is another by now, so is the file that is returned.
    /// `AGAIN` if it changes faster than it can be read, `FBIG` if it is large and says that it is empty.
    pub fn with_content(
        &self,
        (descriptor, mut stamp): (Descriptor, Stamp),
        loaded_bytes_max: u64,
        now: &Now,
    ) -> Result<File, Errno> {
        for _ in 0..CHANGES_MAX {
            let file = self.in_state(stamp, now);
            if stamp.len > loaded_bytes_max {
                let is_cold = !file_slice::is_in_memory(&descriptor, stamp.len);
                return Ok(file.on_disk(descriptor, is_cold));
            }
            let loaded = match file.load(&descriptor, now) {
                // The disk has it: then it is sent like a large one, once it has come.
                Err(Errno::AGAIN) => return Ok(file.on_disk(descriptor, true)),
                result => result?,
            };
            let stamp_behind = Stamp::of_open(descriptor.as_fd())?;
            if stamp_behind == stamp {
                return Ok(loaded);
            }
            stamp = stamp_behind;
        }
        Err(Errno::AGAIN)
    }

    fn in_state(&self, stamp: Stamp, now: &Now) -> File {
        match self.stamp == stamp {
            true => self.clone(),
            false => File::describe(stamp, &self.content_type, self.coding, now),
        }
    }

    /// The content stays where it is.
    fn on_disk(mut self, descriptor: Descriptor, is_cold: bool) -> File {
        self.place = Place::Disk { file: Arc::new(OpenFile::new(descriptor, self.stamp)), is_cold };
        self
    }

    /// Reads the content; `AGAIN` if it is not in memory. A length of 0 is not believed: to see that there is
    /// nothing takes a read.
    fn load(&self, descriptor: &Descriptor, now: &Now) -> Result<File, Errno> {
        let told_len = usize::try_from(self.stamp.len).map_err(|_| Errno::FBIG)?;
        let mut bytes = Vec::with_capacity(self.head_len + told_len);
        bytes.extend_from_slice(self.prepared(false));
        let mut len = 0;
        while told_len == 0 || len < told_len {
            let room = if told_len == 0 { UNTOLD_PIECE_BYTES } else { told_len - len };
            bytes.resize(self.head_len + len + room, 0);
            let count = page_cache::read_now(descriptor, &mut bytes[self.head_len + len..], len as u64)?;
            len += count;
            bytes.truncate(self.head_len + len);
            if count == 0 {
                break;
            }
            if told_len == 0 && len > UNTOLD_BYTES_MAX {
                return Err(Errno::FBIG);
            }
        }
        let file = match len == told_len {
            true => File { is_in_doubt: self.is_in_doubt || len == 0, ..self.clone() },
            false => {
                let content = bytes.split_off(self.head_len);
                let made = self.describe_made(&content, now);
                bytes = [made.prepared(false), &content].concat();
                made
            }
        };
        Ok(File { head_and_content: bytes.into_boxed_slice(), place: Place::Memory, ..file })
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
            Place::Disk { .. } => 2 * size_of::<usize>() + size_of::<OpenFile>(),
            Place::Unread | Place::Memory => 0,
        };
        self.head_and_content.len() + self.content_type.heap_bytes() + open_file
    }
}
