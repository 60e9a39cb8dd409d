//! The fields that a site's owner wants on responses, by options on all and by `_headers` on some, and heads
//! that know of them.

use std::fmt::Display;

use crate::clock::Now;
use crate::config::SiteOptions;
use crate::http::head::{HeadWriter, Persistence, is_cache_control};
use crate::http::status::Status;
use crate::rules::headers::{self, is_among};

/// The fields of every response of a site.
#[derive(Debug)]
pub struct SiteFields {
    fields: Vec<(String, String)>,
    /// All of them as they are sent with what was asked for.
    lines: Vec<u8>,
    /// And with a file that may be anything.
    lines_of_bytes: Vec<u8>,
    /// And with what is sent in its place: without those that tell how long the file is good.
    lines_of_passing: Vec<u8>,
    /// There is a type among them.
    has_type: bool,
    /// [`NOSNIFF`] is added to what has a type: the owner has said nothing of it.
    adds_nosniff: bool,
}

/// Files are what their type says, and browsers do not look whether they are something else (Fetch Standard,
/// `X-Content-Type-Options`). Where only the name is unusual, as of `app.js.download`, they should.
const NOSNIFF: (&str, &str) = ("X-Content-Type-Options", "nosniff");

/// Fields that tell how long a response is good, in lower case, beside `Cache-Control` and its like. What the
/// owner says of a file is not true of an error in its place: a browser would keep the 404 after the file is
/// there.
const FRESHNESS: [&str; 5] = ["edge-control", "expires", "pragma", "surrogate-control", "x-accel-expires"];
/// Those by which browsers go. Where the owner has said nothing, they would guess from the date and show old
/// pages after an edit: they are to ask instead.
const HEEDED: [&str; 2] = ["cache-control", "expires"];
const CACHE_CONTROL: &str = "Cache-Control";
const ASK_AGAIN: &str = "no-cache";
/// Of what is over in a moment nothing is to be kept.
const KEEP_NOTHING: &str = "no-store";

/// Whether a response shows what was asked for, or what passes: an error, or the way to something else.
fn is_passing(status: Status) -> bool {
    !matches!(status, Status::Ok | Status::NoContent | Status::PartialContent | Status::NotModified)
}

fn tells_freshness(name: &str) -> bool {
    is_cache_control(name) || is_among(&FRESHNESS, name)
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
        if let Some(origin) = &options.cors {
            add("Access-Control-Allow-Origin", origin);
            add("Access-Control-Expose-Headers", "*");
        }
        let has = |wanted: &str| fields.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
        let (has_type, adds_nosniff) = (has(CONTENT_TYPE), !has(NOSNIFF.0));
        let no_lines = Vec::new;
        let mut site = SiteFields {
            fields,
            lines: no_lines(),
            lines_of_bytes: no_lines(),
            lines_of_passing: no_lines(),
            has_type,
            adds_nosniff,
        };
        site.lines = site.prepare(adds_nosniff, true);
        site.lines_of_bytes = site.prepare(false, true);
        site.lines_of_passing = site.prepare(adds_nosniff, false);
        site
    }

    /// The fields as they are sent with everything, or with what passes.
    fn prepare(&self, with_nosniff: bool, with_freshness: bool) -> Vec<u8> {
        let mut lines = Vec::new();
        let mut head = HeadWriter::behind_start(&mut lines);
        if with_nosniff {
            head = head.field(NOSNIFF.0, NOSNIFF.1);
        }
        head = self.write(head, |name| with_freshness || !tells_freshness(name));
        if with_freshness && !self.is_told() {
            let _ = head.field(CACHE_CONTROL, ASK_AGAIN);
        }
        lines
    }

    /// Whether the owner tells browsers by an option how long what is served is good.
    fn is_told(&self) -> bool {
        self.fields.iter().any(|(name, _)| is_among(&HEEDED, name))
    }

    fn write<'h>(&self, head: HeadWriter<'h>, is_meant: impl Fn(&str) -> bool) -> HeadWriter<'h> {
        let meant = self.fields.iter().filter(|(name, _)| is_meant(name));
        meant.fold(head, |head, (name, value)| head.field(name, value))
    }
}

/// What the owner wants on one response, and what of its request it rests on.
#[derive(Debug)]
pub struct OwnerFields<'a> {
    site: &'a SiteFields,
    /// What `_headers` says of the path: of its own, if something stands in for what was asked for.
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
    /// The same, and nobody knows what it is.
    Bytes,
    /// Parts of it in one body, which has a type of its own.
    PartsOfTheFile,
    /// A page of our own in its place: its type and coding are not those that the rules mean.
    SomethingElse,
}

const ALLOW_ORIGIN: &str = "access-control-allow-origin";
const CONTENT_TYPE: &str = "content-type";
const CONTENT_ENCODING: &str = "content-encoding";

impl<'a> OwnerFields<'a> {
    /// Those that every response of the site gets.
    pub fn of(site: &'a SiteFields) -> OwnerFields<'a> {
        OwnerFields { site, rules: headers::Fields::default(), varies: Varies::default() }
    }

    /// Starts the head of a response, with all that the owner wants on it. Inlined, so that of a file's usual
    /// 200 it is known beforehand what that is; the two that are not common are not.
    #[inline(always)]
    pub fn start_head<'h>(
        &'h self,
        out: &'h mut Vec<u8>,
        (status, persistence, now): (Status, Persistence, &Now),
        shows: Shows,
    ) -> Head<'h> {
        let writer = self.varies.write(HeadWriter::start(out, status, persistence, now));
        let writer = match is_passing(status) {
            true => self.write_passing(writer, status, shows),
            false if self.rules.is_empty() && shows == Shows::Bytes => {
                writer.prepared(&self.site.lines_of_bytes)
            }
            false if self.rules.is_empty() => writer.prepared(&self.site.lines),
            false => self.write_ruled(writer, shows),
        };
        Head { writer, owner: self, shows }
    }

    /// What goes with an error or a redirect: how long that is good, the owner has not said.
    #[inline(never)]
    fn write_passing<'h>(&self, writer: HeadWriter<'h>, status: Status, shows: Shows) -> HeadWriter<'h> {
        let writer = if self.rules.is_empty() {
            writer.prepared(&self.site.lines_of_passing)
        } else {
            let writer = self.write_nosniff(writer, shows);
            let writer = self.site.write(writer, |name| !tells_freshness(name) && !self.rules.replaces(name));
            self.write_rules(writer, |name| !tells_freshness(name) && is_meant(name, shows))
        };
        let is_over_soon = status == Status::ServiceUnavailable;
        writer.field(CACHE_CONTROL, if is_over_soon { KEEP_NOTHING } else { ASK_AGAIN })
    }

    /// What goes with what was asked for, where `_headers` has a say.
    #[inline(never)]
    fn write_ruled<'h>(&self, writer: HeadWriter<'h>, shows: Shows) -> HeadWriter<'h> {
        let writer = self.write_nosniff(writer, shows);
        let writer = self.site.write(writer, |name| !self.rules.replaces(name));
        let writer = self.write_rules(writer, |name| is_meant(name, shows));
        let is_told = self.site.is_told() || HEEDED.iter().any(|name| self.rules.replaces(name));
        if is_told { writer } else { writer.field(CACHE_CONTROL, ASK_AGAIN) }
    }

    fn write_nosniff<'h>(&self, writer: HeadWriter<'h>, shows: Shows) -> HeadWriter<'h> {
        let has_type = shows != Shows::Bytes || self.rules.replaces(CONTENT_TYPE);
        let is_added = self.site.adds_nosniff && has_type && !self.rules.replaces(NOSNIFF.0);
        if is_added { writer.field(NOSNIFF.0, NOSNIFF.1) } else { writer }
    }

    fn write_rules<'h>(&self, writer: HeadWriter<'h>, is_meant: impl Fn(&str) -> bool) -> HeadWriter<'h> {
        let meant = self.rules.set.iter().filter(|(name, _)| is_meant(name));
        meant.fold(writer, |writer, (name, value)| writer.field(name, value))
    }

    /// Whether the owner lets pages of some other origin read what is at the path.
    pub fn lets_others_read(&self) -> bool {
        let is_it = |name: &str| name.eq_ignore_ascii_case(ALLOW_ORIGIN);
        match self.rules.replaces(ALLOW_ORIGIN) {
            true => self.rules.set.iter().any(|(name, _)| is_it(name)),
            false => self.site.fields.iter().any(|(name, _)| is_it(name)),
        }
    }

    /// Whether the owner has set or removed the field `name` of what a response shows.
    pub fn decides(&self, name: &str, shows: Shows) -> bool {
        let by_rules = || !self.rules.is_empty() && self.rules.replaces(name) && is_meant(name, shows);
        self.site.fields.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) || by_rules()
    }

    /// Whether the owner has set or removed the type of the file: else it is sent as it is known.
    pub fn decides_type(&self) -> bool {
        self.site.has_type || !self.rules.is_empty() && self.rules.replaces(CONTENT_TYPE)
    }

    /// The type that a file of `content_type` is sent as: none, if rules say so.
    pub fn type_of_file<'t>(&'t self, content_type: &'t str) -> Option<&'t str> {
        if !self.decides_type() {
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
        Shows::TheFile | Shows::Bytes => true,
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
