//! Text with holes for what was captured: `/posts/:slug` behind `/blog/:slug`.

use std::borrow::Cow;
use std::fmt::Write as _;

use percent_encoding::percent_decode;

use super::pattern::{Captures, Value, name_at_start};
use crate::http::target;

/// Text with holes.
#[derive(Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    /// The value at this index of the captures.
    Hole(usize),
}

/// Where a value goes. Nothing in it can end the place it is put in: it is escaped as far as that takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A path, of which it may be several segments.
    Path,
    /// A query's value, or a fragment.
    Query,
}

impl Template {
    /// A colon and one of `names` make a hole; any other colon is a colon.
    pub fn parse(text: &str, names: &[Box<str>]) -> Template {
        let mut pieces = Vec::new();
        let mut rest = text;
        let mut text_len = 0;
        while let Some(at) = rest[text_len..].find(':').map(|colon| text_len + colon) {
            let name = name_at_start(&rest.as_bytes()[at..]);
            let hole = name.and_then(|name| Some((name, names.iter().position(|other| **other == *name)?)));
            let Some((name, index)) = hole else {
                text_len = at + 1;
                continue;
            };
            if at > 0 {
                pieces.push(Piece::Text(rest[..at].into()));
            }
            pieces.push(Piece::Hole(index));
            rest = &rest[at + 1 + name.len()..];
            text_len = 0;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.into()));
        }
        Template(pieces)
    }

    /// The whole text, if there are no holes in it.
    pub fn text(&self) -> Option<&str> {
        match &self.0[..] {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Writes the text with `captures` in its holes onto the end of `out`.
    pub fn fill(&self, captures: &Captures, place: Place, out: &mut String) {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Hole(index) => escape(captures.value(*index), place, out),
            }
        }
    }
}

fn escape(value: Value, place: Place, out: &mut String) {
    let value = match value {
        Value::Path(value) => Cow::Borrowed(value),
        Value::Parameter(value) => decode_parameter(value),
    };
    // Cannot fail: writing to memory.
    let _ = match place {
        Place::Path => write!(out, "{}", target::encode(&value)),
        Place::Query => write!(out, "{}", target::encode_value(&value)),
    };
}

/// A name or a value of a query, as forms send them: `+` is a space. An escape that is none stays as it is.
pub fn decode_parameter(raw: &[u8]) -> Cow<'_, [u8]> {
    if !raw.iter().any(|byte| b"%+".contains(byte)) {
        return Cow::Borrowed(raw);
    }
    let spaced: Vec<u8> = raw.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
    Cow::Owned(percent_decode(&spaced).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str, place: Place) -> String {
        let names = ["id", "idx", "q"].map(Box::from);
        let mut captures = Captures::new();
        captures.set(0, Value::Path(b"a/b ?&=#\r\n\\\xff"));
        captures.set(1, Value::Path(b"x"));
        captures.set(2, Value::Parameter(b"a%2Fb+c%26%"));
        let mut out = "> ".to_owned();
        Template::parse(text, &names).fill(&captures, place, &mut out);
        out
    }

    #[test]
    fn fills_the_holes_and_nothing_else() {
        for (text, expected) in [
            ("", "> "),
            ("/a:b/Help:Contents", "> /a:b/Help:Contents"),
            (":idx", "> x"),
            ("/:idx/:idx:idx.html", "> /x/xx.html"),
            ("/:idx-y::idx:", "> /x-y:x:"),
            ("/:i/:idxy/:IDX/%3Aidx", "> /:i/:idxy/:IDX/%3Aidx"),
            ("ü:idxü", "> üxü"),
        ] {
            assert_eq!(filled(text, Place::Path), expected, "{text}");
        }
    }

    #[test]
    fn a_value_stays_in_its_place() {
        assert_eq!(filled(":id", Place::Path), "> a/b%20%3F&=%23%0D%0A%5C%FF");
        assert_eq!(filled(":id", Place::Query), "> a/b%20%3F%26%3D%23%0D%0A%5C%FF");
        assert_eq!(filled(":q", Place::Path), "> a/b%20c&%25");
        assert_eq!(filled(":q", Place::Query), "> a/b%20c%26%25");
    }

    #[test]
    fn knows_whether_there_are_holes() {
        let names = ["a"].map(Box::from);
        for (text, expected) in [("", Some("")), ("/b:c", Some("/b:c")), ("/:a", None), (":a", None)] {
            assert_eq!(Template::parse(text, &names).text(), expected, "{text}");
        }
    }
}
