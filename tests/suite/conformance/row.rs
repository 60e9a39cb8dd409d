//! What a row of the table is made of. Everything is known at compile time, so that a table is a constant.

/// More than any row expects.
const ANSWERS_MAX: usize = 6;
const FIELDS_MAX: usize = 4;

/// The bytes of a request without content: its request line up to the version, its fields behind Host.
macro_rules! request {
    ($start:literal $(, $field:literal)*) => {
        concat!($start, " HTTP/1.1\r\nHost: a\r\n", $($field, "\r\n",)* "\r\n").as_bytes()
    };
}
pub(crate) use request;

/// One case.
#[derive(Clone, Copy)]
pub struct Row {
    /// Number and section of the RFC that settles it.
    pub section: &'static str,
    pub name: &'static str,
    /// The bytes in, where `{etag}` and `{last-modified}` stand for the validators of `/numbers.txt`, and
    /// `{text*99}` for 99 times `text`.
    pub sends: &'static [u8],
    /// Sent only after everything that is answered to the bytes before has come.
    pub then: &'static [u8],
    answers: [Option<Expected>; ANSWERS_MAX],
    pub afterwards: Afterwards,
    /// The body comes at once, and so needs no 100; but one may come if it is late.
    pub interim_may_come: bool,
    /// Bytes follow the last request. Whether they are ever received depends on how they arrive.
    pub has_unread_bytes: bool,
    /// Not asked of other servers: it is about a bound of pws, or about the time in memory.
    pub is_in_memory_only: bool,
}

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// Ready for the next request. Any server may close instead, if it says so.
    Open,
    Closed,
    /// pws closes, others need not.
    ClosedByPws,
}

/// One answer.
#[derive(Clone, Copy)]
pub struct Expected {
    /// It answers a HEAD: a length may be told, and no content comes.
    pub is_to_head: bool,
    pub status: u16,
    /// What the RFC allows as well. Other servers may choose it, pws must not.
    pub others: &'static [u16],
    pub fields: [Option<(&'static str, Value)>; FIELDS_MAX],
    pub content: Content,
}

/// What is expected of a field.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// Exactly this.
    Is(&'static str),
    /// Exactly this in pws, whatever others say.
    InPws(&'static str),
    Absent,
    AbsentInPws,
}

#[derive(Clone, Copy, Debug)]
pub enum Content {
    Any,
    Is(&'static [u8]),
    /// All of `/numbers.txt`.
    Numbers,
    /// The part of `/numbers.txt` that this Content-Range tells of.
    Part(&'static str),
    /// The parts of a `multipart/byteranges` answer, by their Content-Range.
    Parts(&'static [&'static str]),
}

pub const fn row(section: &'static str, name: &'static str, sends: &'static [u8]) -> Row {
    Row {
        section,
        name,
        sends,
        then: b"",
        answers: [None; ANSWERS_MAX],
        afterwards: Afterwards::Open,
        interim_may_come: false,
        has_unread_bytes: false,
        is_in_memory_only: false,
    }
}

/// What the next answer is to be.
impl Row {
    pub const fn status(mut self, status: u16) -> Row {
        let mut at = 0;
        while self.answers[at].is_some() {
            at += 1;
        }
        let (fields, content) = ([None; FIELDS_MAX], Content::Any);
        self.answers[at] = Some(Expected { is_to_head: false, status, others: &[], fields, content });
        self
    }

    /// The same for an answer to HEAD.
    pub const fn head(self, status: u16) -> Row {
        let mut row = self.status(status);
        row.last().is_to_head = true;
        row
    }

    /// 206 with one part of `/numbers.txt`. Any server may ignore a Range field (RFC 9110 §14.2).
    pub const fn part(self, content_range: &'static str) -> Row {
        let mut row = self.status(206).others(&[200]).field("Content-Range", content_range);
        row.last().content = Content::Part(content_range);
        row
    }

    /// 206 with one part for several ranges, which others need not join.
    pub const fn joined(self, content_range: &'static str) -> Row {
        let mut row = self.status(206).others(&[200, 416]).pws_field("Content-Range", content_range);
        row.last().content = Content::Part(content_range);
        row
    }

    /// 206 with several parts.
    pub const fn parts(self, content_ranges: &'static [&'static str]) -> Row {
        let mut row = self.status(206).others(&[200]).without("Content-Range");
        row.last().content = Content::Parts(content_ranges);
        row
    }

    /// 200 with all of `/numbers.txt`.
    pub const fn whole(self) -> Row {
        let mut row = self.status(200).without("Content-Range");
        row.last().content = Content::Numbers;
        row
    }
}

/// What else is expected of the last answer so far.
impl Row {
    const fn last(&mut self) -> &mut Expected {
        let mut at = 0;
        while at + 1 < ANSWERS_MAX && self.answers[at + 1].is_some() {
            at += 1;
        }
        match &mut self.answers[at] {
            Some(expected) => expected,
            None => panic!("no answer yet"),
        }
    }

    pub const fn others(mut self, statuses: &'static [u16]) -> Row {
        self.last().others = statuses;
        self
    }

    const fn with(mut self, name: &'static str, value: Value) -> Row {
        let fields = &mut self.last().fields;
        let mut at = 0;
        while fields[at].is_some() {
            at += 1;
        }
        fields[at] = Some((name, value));
        self
    }

    pub const fn field(self, name: &'static str, value: &'static str) -> Row {
        self.with(name, Value::Is(value))
    }

    pub const fn pws_field(self, name: &'static str, value: &'static str) -> Row {
        self.with(name, Value::InPws(value))
    }

    pub const fn without(self, name: &'static str) -> Row {
        self.with(name, Value::Absent)
    }

    pub const fn pws_without(self, name: &'static str) -> Row {
        self.with(name, Value::AbsentInPws)
    }

    pub const fn content(mut self, content: &'static str) -> Row {
        self.last().content = Content::Is(content.as_bytes());
        self
    }
}

/// What is to be known of the whole.
impl Row {
    pub const fn then(mut self, bytes: &'static [u8]) -> Row {
        self.then = bytes;
        self
    }

    pub const fn closes(mut self) -> Row {
        self.afterwards = Afterwards::Closed;
        self
    }

    pub const fn pws_closes(mut self) -> Row {
        self.afterwards = Afterwards::ClosedByPws;
        self
    }

    pub const fn interim_may_come(mut self) -> Row {
        self.interim_may_come = true;
        self
    }

    pub const fn has_unread_bytes(mut self) -> Row {
        self.has_unread_bytes = true;
        self
    }

    pub const fn in_memory_only(mut self) -> Row {
        self.is_in_memory_only = true;
        self
    }

    pub fn answers(&self) -> impl Iterator<Item = &Expected> {
        self.answers.iter().flatten()
    }

    pub fn closes_in_pws(&self) -> bool {
        self.afterwards != Afterwards::Open
    }
}
