//! A file ready to be sent: opened or loaded, with the fields of its head written out.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::io::Errno;

use super::mime::ContentType;
use super::open_file::OpenFile;
use super::root::Stamp;
use super::{file_slice, page_cache};
use crate::clock::Now;
use crate::http::conditional::{EntityTag, Validators};
use crate::http::head::{BodyLength, HeadWriter, HttpDate};
use crate::http::negotiate::Coding;

/// How often a file that changes while it is loaded is loaded again.
const CHANGES_MAX: usize = 3;

/// One state of one file.
#[derive(Debug)]
pub struct File {
    pub stamp: Stamp,
    pub content_type: ContentType,
    /// What was done to the content beforehand: it is that of a variant.
    pub coding: Option<Coding>,
    pub validators: Validators,
    /// The file may change and keep its stamp: not to be kept.
    pub is_in_doubt: bool,
    /// The content was not in memory. Not to be kept either: the next to ask may find it there.
    pub is_cold: bool,
    /// The fields of a 200 that speak of the file, the empty line included, then the content if the file is
    /// small.
    head_and_content: Box<[u8]>,
    head_len: usize,
    /// Where the content is if the file is large.
    on_disk: Option<Arc<OpenFile>>,
}

/// Where the content of a file is.
#[derive(Clone, Copy, Debug)]
pub enum Stored<'a> {
    Memory(&'a [u8]),
    /// `is_cold` if a disk will have to be waited for.
    Disk {
        file: &'a Arc<OpenFile>,
        is_cold: bool,
    },
}

impl File {
    /// Makes a file of what was opened: its content is loaded if it has at most `loaded_bytes_max`.
    pub fn new(
        (descriptor, mut stamp): (OwnedFd, Stamp),
        content_type: &ContentType,
        coding: Option<Coding>,
        loaded_bytes_max: u64,
        now: &Now,
    ) -> Result<File, Errno> {
        if stamp.len > loaded_bytes_max {
            let is_cold = !file_slice::is_in_memory(&descriptor, stamp.len);
            return Ok(File::describe(stamp, content_type, coding, now).unloaded(descriptor, is_cold));
        }
        for _ in 0..CHANGES_MAX {
            let mut file = File::describe(stamp, content_type, coding, now);
            let is_whole = match file.load(&descriptor) {
                // The disk has it: then it is sent like a large one, once it has come.
                Err(Errno::AGAIN) => {
                    return Ok(File::describe(stamp, content_type, coding, now).unloaded(descriptor, true));
                }
                result => result?,
            };
            let stamp_behind = Stamp::of_open(descriptor.as_fd())?;
            if is_whole && stamp_behind == stamp {
                return Ok(file);
            }
            stamp = stamp_behind;
            if stamp.len > loaded_bytes_max {
                break;
            }
        }
        Err(Errno::AGAIN)
    }

    fn describe(stamp: Stamp, content_type: &ContentType, coding: Option<Coding>, now: &Now) -> File {
        let is_in_doubt = stamp.is_in_doubt(now.unix_secs);
        let now_unix_secs = i64::try_from(now.unix_secs).unwrap_or(i64::MAX);
        // A tag must not stay the same when the content changes (RFC 9110 §8.8.1), nor be that of another
        // form of the content (RFC 9110 §8.8.3.3).
        let tag = EntityTag::of_file(stamp.modified.secs, stamp.modified.nanos, stamp.len, is_in_doubt);
        let validators = Validators {
            entity_tag: coding.map_or(tag, |coding| tag.of_variant(coding.token())),
            // A date in the future would promise what nobody knows (RFC 9110 §8.8.2.1).
            last_modified_unix_secs: stamp.modified.secs.min(now_unix_secs),
            is_date_strong: !is_in_doubt && stamp.modified.secs < now_unix_secs,
        };
        let mut head = Vec::with_capacity(192);
        let mut fields = HeadWriter::behind_start(&mut head).field("Content-Type", content_type.as_str());
        if let Some(coding) = coding {
            fields = fields.field("Content-Encoding", coding.token());
        }
        fields
            .field("Last-Modified", HttpDate::of(validators.last_modified_unix_secs))
            .field("ETag", validators.entity_tag)
            .field("Accept-Ranges", "bytes")
            .finish(BodyLength::Bytes(stamp.len));
        let head_len = head.len();
        File {
            stamp,
            content_type: content_type.clone(),
            coding,
            validators,
            is_in_doubt,
            is_cold: false,
            head_and_content: head.into_boxed_slice(),
            head_len,
            on_disk: None,
        }
    }

    /// The content stays where it is.
    fn unloaded(mut self, descriptor: OwnedFd, is_cold: bool) -> File {
        self.is_cold = is_cold;
        self.on_disk = Some(Arc::new(OpenFile::new(descriptor, self.stamp)));
        self
    }

    /// Reads the content; false if there is not as much of it as there should be, `AGAIN` if it is not in
    /// memory.
    fn load(&mut self, descriptor: &OwnedFd) -> Result<bool, Errno> {
        let mut bytes = std::mem::take(&mut self.head_and_content).into_vec();
        let len = usize::try_from(self.stamp.len).map_err(|_| Errno::FBIG)?;
        bytes.reserve_exact(len);
        bytes.resize(self.head_len + len, 0);
        let mut filled = self.head_len;
        while filled < bytes.len() {
            let offset = (filled - self.head_len) as u64;
            match page_cache::read_now(descriptor, &mut bytes[filled..], offset)? {
                0 => return Ok(false),
                count => filled += count,
            }
        }
        self.head_and_content = bytes.into_boxed_slice();
        Ok(true)
    }

    /// Bytes of content.
    pub fn content_len(&self) -> u64 {
        self.stamp.len
    }

    /// The end of a 200's head; with the content if that is asked for and the file is loaded.
    pub fn prepared(&self, with_content: bool) -> &[u8] {
        let end = if with_content { self.head_and_content.len() } else { self.head_len };
        &self.head_and_content[..end]
    }

    pub fn content(&self) -> Stored<'_> {
        match &self.on_disk {
            Some(file) => Stored::Disk { file, is_cold: self.is_cold },
            None => Stored::Memory(&self.head_and_content[self.head_len..]),
        }
    }

    /// Bytes of memory this value holds on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.head_and_content.len() + self.on_disk.as_ref().map_or(0, |_| size_of::<OpenFile>())
    }
}
