//! What a response shows of a target (RFC 9110 §3.2): a file, a listing or a page of our own, all alike.

use super::fields::{Head, Shows};
use super::page;
use crate::clock::Now;
use crate::files::file::File;
use crate::files::mime;
use crate::http::conditional::Validators;
use crate::http::head::{BodyLength, HttpDate};
use crate::http::negotiate::Coding;
use crate::listing::html::CONTENT_SECURITY_POLICY;
use crate::listing::query::Format;

/// Names and values of fields.
type Fields = &'static [(&'static str, &'static str)];

/// What pages of our own say of themselves.
const LISTING_POLICY: Fields = &[("Content-Security-Policy", CONTENT_SECURITY_POLICY)];
const PAGE_POLICY: Fields = &[("Content-Security-Policy", page::CONTENT_SECURITY_POLICY)];

/// What is said of a representation, and where its content comes from.
#[derive(Clone, Copy, Debug)]
pub struct Representation<'a> {
    pub content_type: &'a str,
    pub coding: Option<Coding>,
    /// `None` where nothing tells one state from another.
    pub validators: Option<&'a Validators>,
    /// Parts of it may be had, too, if it is a file.
    pub has_parts: bool,
    /// What a page of our own may load.
    policy: Fields,
    pub content: Content<'a>,
}

/// What a representation consists of.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// A file that was asked for, of which parts may be, too.
    File(&'a File),
    /// So many bytes of a file that is sent in place of what was asked for, whole.
    StandIn { len: u64 },
    /// So many bytes of a page of our own.
    Page { len: u64 },
    /// Made on the way; of what length, nobody knows yet.
    Made { is_chunked: bool },
}

impl<'a> Representation<'a> {
    fn new(content_type: &'a str, content: Content<'a>) -> Representation<'a> {
        Representation { content_type, coding: None, validators: None, has_parts: true, policy: &[], content }
    }

    /// The file that was asked for.
    pub fn of_file(file: &'a File) -> Representation<'a> {
        Representation {
            coding: file.coding,
            validators: Some(&file.validators),
            ..Representation::new(file.content_type.as_str(), Content::File(file))
        }
    }

    /// A file that stands in for what is not there: no validators, which would be those of another.
    pub fn of_stand_in(page: &'a File) -> Representation<'a> {
        Representation::new(page.content_type.as_str(), Content::StandIn { len: page.content_len() })
    }

    /// A page of our own, of `len` bytes.
    pub fn of_page(len: usize) -> Representation<'static> {
        let page = Representation::new(mime::HTML, Content::Page { len: len as u64 });
        Representation { policy: PAGE_POLICY, ..page }
    }

    /// A folder.
    pub fn of_folder(
        format: Format,
        validators: Option<&'a Validators>,
        is_chunked: bool,
    ) -> Representation<'a> {
        let (content_type, policy) = match format {
            Format::Html => (mime::HTML, LISTING_POLICY),
            Format::Json => (mime::JSON, &[][..]),
        };
        let listing = Representation::new(content_type, Content::Made { is_chunked });
        Representation { validators, policy, ..listing }
    }

    pub fn shows(&self) -> Shows {
        match self.content {
            Content::File(file) => shows_of(file),
            Content::StandIn { .. } => Shows::TheFile,
            Content::Page { .. } | Content::Made { .. } => Shows::SomethingElse,
        }
    }

    /// How long a body is that holds all of it.
    pub fn length(&self) -> BodyLength {
        match self.content {
            Content::File(file) => BodyLength::Bytes(file.content_len()),
            Content::StandIn { len } | Content::Page { len } => BodyLength::Bytes(len),
            Content::Made { is_chunked: true } => BodyLength::Chunked,
            Content::Made { is_chunked: false } => BodyLength::UntilClose,
        }
    }

    /// Writes the fields that are the same for all of it and for a part, but for the type.
    pub fn describe<'h>(&self, mut head: Head<'h>, now: &Now) -> Head<'h> {
        if let Some(coding) = self.coding {
            head = head.field("Content-Encoding", coding.token());
        }
        for (name, value) in self.policy {
            head = head.field(name, value);
        }
        if let Some(validators) = self.validators {
            if let Some(unix_secs) = validators.told_date(now) {
                head = head.field("Last-Modified", HttpDate::of(unix_secs));
            }
            head = head.field("ETag", validators.entity_tag);
        }
        match self.content {
            Content::File(_) => head.field("Accept-Ranges", "bytes"),
            Content::StandIn { .. } | Content::Page { .. } | Content::Made { .. } => head,
        }
    }
}

/// What a response shows with `file` in it.
pub fn shows_of(file: &File) -> Shows {
    if file.content_type.is_told() { Shows::TheFile } else { Shows::Bytes }
}
