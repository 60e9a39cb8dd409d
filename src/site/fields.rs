//! The fields that a site's owner wants on responses, by options on all and by `_headers` on some, and heads
//! that know of them.

use std::fmt::Display;

use crate::clock::Now;
use crate::config::SiteOptions;
use crate::http::head::{HeadWriter, Persistence};
use crate::http::status::Status;
use crate::rules::headers;

/// The fields of every response of a site.
#[derive(Debug)]
pub struct SiteFields {
    fields: Vec<(String, String)>,
    /// All of them as they are sent.
    lines: Vec<u8>,
}

impl SiteFields {
    /// What `options` ask for, and what a browser should never be without: files are what their type says.
    pub fn new(options: &SiteOptions) -> SiteFields {
        let mut fields = options.fields.clone();
        let mut add = |name: &str, value: &str| {
            if !fields.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                fields.push((name.to_owned(), value.to_owned()));
            }
        };
        add("X-Content-Type-Options", "nosniff");
        if let Some(origin) = &options.cors {
            add("Access-Control-Allow-Origin", origin);
            add("Access-Control-Expose-Headers", "*");
        }
        let mut lines = Vec::new();
        let head = HeadWriter::behind_start(&mut lines);
        let _ = fields.iter().fold(head, |head, (name, value)| head.field(name, value));
        SiteFields { fields, lines }
    }
}

/// What the owner wants on one response, and what of its request it rests on.
#[derive(Debug)]
pub struct OwnerFields<'a> {
    site: &'a SiteFields,
    /// What `_headers` says of the path.
    pub rules: headers::Fields<'a>,
    pub varies: Varies,
}

/// What of the request, beside its target, the response rests on: caches are told (RFC 9110 §12.5.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Varies {
    pub by_accept: bool,
    pub by_accept_encoding: bool,
}

impl Varies {
    fn write(self, head: HeadWriter) -> HeadWriter {
        match (self.by_accept, self.by_accept_encoding) {
            (false, false) => head,
            (true, false) => head.field("Vary", "Accept"),
            (false, true) => head.field("Vary", "Accept-Encoding"),
            (true, true) => head.field("Vary", "Accept, Accept-Encoding"),
        }
    }
}

/// What a response shows, as far as rules are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// The file that the rules name.
    TheFile,
    /// Parts of it in one body, which has a type of its own.
    PartsOfTheFile,
    /// A page that is sent in its place: its type and coding are not those that the rules mean.
    SomethingElse,
}

const CONTENT_TYPE: &str = "content-type";
const CONTENT_ENCODING: &str = "content-encoding";

impl<'a> OwnerFields<'a> {
    /// Those that every response of the site gets.
    pub fn of(site: &'a SiteFields) -> OwnerFields<'a> {
        OwnerFields { site, rules: headers::Fields::default(), varies: Varies::default() }
    }

    /// Starts the head of a response, with all that the owner wants on it.
    pub fn start_head<'h>(
        &'h self,
        out: &'h mut Vec<u8>,
        (status, persistence, now): (Status, Persistence, &Now),
        shows: Shows,
    ) -> Head<'h> {
        let mut writer = self.varies.write(HeadWriter::start(out, status, persistence, now));
        if self.rules.is_empty() {
            writer = writer.prepared(&self.site.lines);
        } else {
            let of_site = self.site.fields.iter().filter(|(name, _)| !self.rules.replaces(name));
            writer = of_site.fold(writer, |writer, (name, value)| writer.field(name, value));
            let of_rules = self.rules.set.iter().filter(|(name, _)| is_meant(name, shows));
            writer = of_rules.fold(writer, |writer, (name, value)| writer.field(name, value));
        }
        Head { writer, owner: self, shows }
    }

    /// Whether the owner has set or removed the field `name` of what a response shows.
    pub fn decides(&self, name: &str, shows: Shows) -> bool {
        let by_rules = || !self.rules.is_empty() && self.rules.replaces(name) && is_meant(name, shows);
        self.site.fields.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) || by_rules()
    }

    /// The type that a file of `content_type` is sent as: none, if rules say so.
    pub fn type_of_file<'t>(&'t self, content_type: &'t str) -> Option<&'t str> {
        if !self.decides(CONTENT_TYPE, Shows::TheFile) {
            return Some(content_type);
        }
        let set = self.rules.set.iter().find(|(name, _)| name.eq_ignore_ascii_case(CONTENT_TYPE));
        set.map(|(_, value)| &**value)
    }
}

/// Whether rules that name the field `name` mean what a response shows.
fn is_meant(name: &str, shows: Shows) -> bool {
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    match shows {
        Shows::TheFile => true,
        Shows::PartsOfTheFile => !is(CONTENT_TYPE),
        Shows::SomethingElse => !is(CONTENT_TYPE) && !is(CONTENT_ENCODING),
    }
}

/// A head that has what the owner wants, and takes what pws says beside that.
#[must_use]
pub struct Head<'a> {
    pub writer: HeadWriter<'a>,
    owner: &'a OwnerFields<'a>,
    shows: Shows,
}

impl Head<'_> {
    /// Writes one field, unless the owner has decided on it.
    pub fn field(self, name: &str, value: impl Display) -> Self {
        match self.owner.decides(name, self.shows) {
            true => self,
            false => Head { writer: self.writer.field(name, value), ..self },
        }
    }
}
