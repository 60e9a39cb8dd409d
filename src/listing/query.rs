//! What a client may ask of a listing: `?sort=name|size|time`, with a `-` in front or `order=desc` for the
//! other way round, and `format=html|json`.
//!
//! A name that stands twice counts once, the first time. Values are not percent-decoded, since none of them
//! needs it, and one that is not known is as good as none: a listing is no place to be strict.

use std::fmt::{self, Display};

/// What entries are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    #[default]
    Name,
    Size,
    Time,
}

/// The order of a listing; by name if nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sort {
    pub column: Column,
    pub descending: bool,
}

impl Column {
    /// As it stands in a query.
    pub fn as_str(self) -> &'static str {
        match self {
            Column::Name => "name",
            Column::Size => "size",
            Column::Time => "time",
        }
    }
}

impl Sort {
    /// What `query` asks for.
    pub fn from_query(query: Option<&[u8]>) -> Sort {
        let asked = value(query, b"sort").unwrap_or_default();
        let (asked, is_turned_round) = match asked.strip_prefix(b"-") {
            Some(asked) => (asked, true),
            None => (asked, false),
        };
        let columns = [Column::Name, Column::Size, Column::Time];
        let column = columns.into_iter().find(|column| column.as_str().as_bytes() == asked);
        let descending = is_turned_round && column.is_some() || value(query, b"order") == Some(b"desc");
        Sort { column: column.unwrap_or_default(), descending }
    }

    /// What a click on the head of `column` should lead to: the other way round if it is sorted by already,
    /// else what one looks for first: the start of the alphabet, the largest, the newest.
    pub fn after_click(self, column: Column) -> Sort {
        let descending = if column == self.column { !self.descending } else { column != Column::Name };
        Sort { column, descending }
    }
}

/// As the value of `sort` in a query.
impl Display for Sort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", if self.descending { "-" } else { "" }, self.column.as_str())
    }
}

/// How a listing is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Html,
    Json,
}

impl Format {
    /// What `query` asks for; if it does not say, what the client would rather have by its `Accept`.
    pub fn choose(query: Option<&[u8]>, prefers_json: bool) -> Format {
        match value(query, b"format") {
            Some(b"json") => Format::Json,
            Some(b"html") => Format::Html,
            _ if prefers_json => Format::Json,
            _ => Format::Html,
        }
    }
}

/// The value of the first `name=value` in `query`.
fn value<'a>(query: Option<&'a [u8]>, name: &[u8]) -> Option<&'a [u8]> {
    let mut pairs = query?.split(|&byte| byte == b'&');
    pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix(b"="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_tells_the_order() {
        for (query, column, descending) in [
            (None, Column::Name, false),
            (Some(""), Column::Name, false),
            (Some("sort=name"), Column::Name, false),
            (Some("sort=size"), Column::Size, false),
            (Some("sort=time&order=asc"), Column::Time, false),
            (Some("sort=time&order=desc"), Column::Time, true),
            (Some("order=desc&sort=size"), Column::Size, true),
            (Some("order=desc"), Column::Name, true),
            (Some("sort=-size"), Column::Size, true),
            (Some("sort=-name"), Column::Name, true),
            (Some("sort=-time&order=asc"), Column::Time, true),
            (Some("sort=--size"), Column::Name, false),
            (Some("sort=-"), Column::Name, false),
            (Some("a&b=c&&sort=size&=&"), Column::Size, false),
            (Some("sort=size&sort=time"), Column::Size, false),
            (Some("sort=colour&order=random"), Column::Name, false),
            (Some("sort=colour&sort=size"), Column::Name, false),
            (Some("sort=SIZE"), Column::Name, false),
            (Some("sort=sizes"), Column::Name, false),
            (Some("sort=siz%65"), Column::Name, false),
            (Some("sort"), Column::Name, false),
            (Some("resort=size"), Column::Name, false),
            (Some("\u{fffd}=sort=size"), Column::Name, false),
        ] {
            let sort = Sort::from_query(query.map(str::as_bytes));
            assert_eq!(sort, Sort { column, descending }, "{query:?}");
        }
    }

    #[test]
    fn a_click_turns_the_order_round_or_picks_what_is_looked_for() {
        for (column, descending, clicked, expected) in [
            (Column::Name, false, Column::Name, true),
            (Column::Name, true, Column::Name, false),
            (Column::Size, true, Column::Size, false),
            (Column::Size, true, Column::Name, false),
            (Column::Name, false, Column::Size, true),
            (Column::Name, false, Column::Time, true),
        ] {
            let after = Sort { column, descending }.after_click(clicked);
            assert_eq!(after, Sort { column: clicked, descending: expected });
            assert_eq!(Sort::from_query(Some(format!("sort={after}").as_bytes())), after);
        }
    }

    #[test]
    fn the_query_beats_the_field_on_the_format() {
        for (query, prefers_json, expected) in [
            (None, false, Format::Html),
            (None, true, Format::Json),
            (Some("format=json"), false, Format::Json),
            (Some("format=html"), true, Format::Html),
            (Some("sort=name&format=json"), false, Format::Json),
            (Some("format=xml"), false, Format::Html),
            (Some("format=xml"), true, Format::Json),
        ] {
            assert_eq!(Format::choose(query.map(str::as_bytes), prefers_json), expected, "{query:?}");
        }
    }
}
