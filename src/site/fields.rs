//! The fields that a site's owner wants on answers: by options on all, by `_headers` on some.

use crate::config::SiteOptions;
use crate::http::head::HeadWriter;
use crate::rules::headers;

/// The fields of every answer of a site.
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

/// The fields of one answer beside those that pws sets by itself.
#[derive(Debug)]
pub struct AnswerFields<'a> {
    pub site: &'a SiteFields,
    /// What `_headers` says of the path.
    pub rules: headers::Fields<'a>,
    pub varies: Varies,
}

/// What of the request, beside its target, the answer rests on: caches are told (RFC 9110 §12.5.5).
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

/// Which `Content-Type` an answer with a file gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeRule<'a> {
    OfFile,
    Is(&'a str),
    None,
}

const CONTENT_TYPE: &str = "content-type";
const CONTENT_ENCODING: &str = "content-encoding";

impl<'a> AnswerFields<'a> {
    /// Those that every answer of the site gets.
    pub fn of(site: &'a SiteFields) -> AnswerFields<'a> {
        AnswerFields { site, rules: headers::Fields::default(), varies: Varies::default() }
    }

    /// Writes all but `Content-Type` and `Content-Encoding`: rules mean those of the file they name, which
    /// are not those of a page that is sent in its place.
    pub fn write<'h>(&self, head: HeadWriter<'h>) -> HeadWriter<'h> {
        let head = self.varies.write(head);
        if self.rules.is_empty() {
            return head.prepared(&self.site.lines);
        }
        let of_site = self.site.fields.iter().filter(|(name, _)| !self.rules.replace(name));
        let head = of_site.fold(head, |head, (name, value)| head.field(name, value));
        let is_of_file = |name: &str| {
            [CONTENT_TYPE, CONTENT_ENCODING].iter().any(|other| name.eq_ignore_ascii_case(other))
        };
        let of_rules = self.rules.set.iter().filter(|(name, _)| !is_of_file(name));
        of_rules.fold(head, |head, (name, value)| head.field(name, value))
    }

    /// Whether a field called `name` is set or removed by somebody.
    pub fn settle(&self, name: &str) -> bool {
        let of_site = self.site.fields.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        of_site || self.rules.replace(name)
    }

    /// What the rules make of `Content-Type`.
    pub fn type_rule(&self) -> TypeRule<'_> {
        if self.rules.is_empty() || !self.rules.replace(CONTENT_TYPE) {
            return TypeRule::OfFile;
        }
        self.set_by_rules(CONTENT_TYPE).map_or(TypeRule::None, TypeRule::Is)
    }

    /// What the rules say was done to the content of a file before.
    pub fn coding_rule(&self) -> Option<&str> {
        self.set_by_rules(CONTENT_ENCODING)
    }

    fn set_by_rules(&self, name: &str) -> Option<&str> {
        let set = self.rules.set.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        set.map(|(_, value)| &**value)
    }
}
