//! Preconditions (RFC 9110 §13): `/numbers.txt` was last changed on Sun, 06 Nov 1994 08:49:37 GMT.
//!
//! No server must answer 304; but 412 is not a choice, and neither is 200 where nothing forbids it.

use super::row::{Row, request, row};

pub const IF_MATCH: &[Row] = &[
    row("9110 §13.1.1", "the tag", request!("GET /numbers.txt", "If-Match: {etag}")).whole(),
    row("9110 §13.1.1", "the tag in a list", request!("GET /numbers.txt", "If-Match: \"a\", {etag}, \"b\""))
        .whole(),
    row(
        "9110 §13.1.1",
        "the tag in a second field",
        request!("GET /numbers.txt", "If-Match: \"a\"", "If-Match: {etag}"),
    )
    .whole(),
    row("9110 §13.1.1", "any", request!("GET /numbers.txt", "If-Match: *")).whole(),
    row("9110 §13.1.1", "another tag", request!("GET /numbers.txt", "If-Match: \"a\"")).status(412),
    row("9110 §13.1.1", "other tags", request!("GET /numbers.txt", "If-Match: \"a\", \"b\"")).status(412),
    row("9110 §8.8.3.2", "the tag, but weak", request!("GET /numbers.txt", "If-Match: W/{etag}")).status(412),
    row("9110 §13.1.1", "the tag for HEAD", request!("HEAD /numbers.txt", "If-Match: {etag}")).head(200),
    row("9110 §13.1.1", "another tag for HEAD", request!("HEAD /numbers.txt", "If-Match: \"a\"")).head(412),
    row(
        "9110 §13.1.1",
        "the tag, and a range",
        request!("GET /numbers.txt", "If-Match: {etag}", "Range: bytes=0-3"),
    )
    .part("bytes 0-3/1000"),
    row(
        "9110 §13.1.1",
        "another tag, and a range",
        request!("GET /numbers.txt", "If-Match: \"a\"", "Range: bytes=0-3"),
    )
    .status(412),
];

pub const IF_UNMODIFIED_SINCE: &[Row] = &[
    row("9110 §13.1.4", "the same", request!("GET /numbers.txt", "If-Unmodified-Since: {last-modified}"))
        .whole(),
    row(
        "9110 §13.1.4",
        "later",
        request!("GET /numbers.txt", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:38 GMT"),
    )
    .whole(),
    row(
        "9110 §13.1.4",
        "earlier",
        request!("GET /numbers.txt", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT"),
    )
    .status(412),
    row(
        "9110 §13.1.4",
        "earlier, for HEAD",
        request!("HEAD /numbers.txt", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT"),
    )
    .head(412),
    row(
        "9110 §5.6.7",
        "earlier, by RFC 850",
        request!("GET /numbers.txt", "If-Unmodified-Since: Sunday, 06-Nov-94 08:49:36 GMT"),
    )
    .status(412),
    row(
        "9110 §5.6.7",
        "earlier, by asctime",
        request!("GET /numbers.txt", "If-Unmodified-Since: Sun Nov  6 08:49:36 1994"),
    )
    .status(412),
    row(
        "9110 §5.6.7",
        "earlier, at a leap second",
        request!("GET /numbers.txt", "If-Unmodified-Since: Thu, 30 Jun 1994 23:59:60 GMT"),
    )
    .status(412),
    row(
        "9110 §5.6.7",
        "earlier than 1970",
        request!("GET /numbers.txt", "If-Unmodified-Since: Wed, 31 Dec 1969 23:59:59 GMT"),
    )
    .status(412),
    // In memory it is 2001: 2060 would be more than 50 years ahead, so this is 1960.
    row(
        "9110 §5.6.7",
        "earlier, in a year of two digits",
        request!("GET /numbers.txt", "If-Unmodified-Since: Sunday, 06-Nov-60 08:49:37 GMT"),
    )
    .status(412)
    .in_memory_only(),
    row("9110 §13.1.4", "no date", request!("GET /numbers.txt", "If-Unmodified-Since: yesterday")).whole(),
    row(
        "9110 §13.1.4",
        "a list of dates",
        request!(
            "GET /numbers.txt",
            "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT",
            "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT"
        ),
    )
    .whole(),
    row(
        "9110 §13.2.2",
        "earlier, and the tag",
        request!(
            "GET /numbers.txt",
            "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT",
            "If-Match: {etag}"
        ),
    )
    .whole(),
    row(
        "9110 §13.2.2",
        "later, and another tag",
        request!("GET /numbers.txt", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:38 GMT", "If-Match: \"a\""),
    )
    .status(412),
];

pub const IF_NONE_MATCH: &[Row] = &[
    row("9110 §15.4.5", "the tag", request!("GET /numbers.txt", "If-None-Match: {etag}"))
        .status(304)
        .field("ETag", "{etag}")
        .content(""),
    row("9110 §8.8.3.2", "the tag, but weak", request!("GET /numbers.txt", "If-None-Match: W/{etag}"))
        .status(304)
        .field("ETag", "{etag}"),
    row(
        "9110 §13.1.2",
        "the tag in a list",
        request!("GET /numbers.txt", "If-None-Match: \"a\",\"b\" , {etag}"),
    )
    .status(304)
    .field("ETag", "{etag}"),
    row(
        "9110 §13.1.2",
        "the tag behind one with a comma",
        request!("GET /numbers.txt", "If-None-Match: \"a, b\", {etag}"),
    )
    .status(304),
    row(
        "9110 §8.8.3",
        "the tag behind one with a backslash",
        request!("GET /numbers.txt", "If-None-Match: \"a\\\", {etag}"),
    )
    .status(304),
    row(
        "9110 §5.6.1.2",
        "the tag among empty elements",
        request!("GET /numbers.txt", "If-None-Match: ,, {etag},"),
    )
    .status(304),
    row(
        "9110 §5.3",
        "the tag in a second field",
        request!("GET /numbers.txt", "If-None-Match: \"a\"", "If-None-Match: {etag}"),
    )
    .status(304),
    row("9110 §13.1.2", "any", request!("GET /numbers.txt", "If-None-Match: *")).status(304),
    row("9110 §13.1.2", "the tag for HEAD", request!("HEAD /numbers.txt", "If-None-Match: {etag}"))
        .head(304)
        .field("ETag", "{etag}"),
    row("9110 §13.1.2", "another tag", request!("GET /numbers.txt", "If-None-Match: \"a\"")).whole(),
    row("9110 §13.1.2", "an empty tag", request!("GET /numbers.txt", "If-None-Match: \"\"")).whole(),
    row("9110 §8.8.3", "any, but quoted", request!("GET /numbers.txt", "If-None-Match: \"*\"")).whole(),
    row("9110 §8.8.3", "a tag without quotes", request!("GET /numbers.txt", "If-None-Match: a")).whole(),
    row(
        "9110 §13.2.2",
        "the tag, and an earlier date",
        request!(
            "GET /numbers.txt",
            "If-None-Match: {etag}",
            "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT"
        ),
    )
    .status(304),
    row(
        "9110 §13.2.2",
        "another tag, and the same date",
        request!("GET /numbers.txt", "If-None-Match: \"a\"", "If-Modified-Since: {last-modified}"),
    )
    .whole(),
];

pub const IF_MODIFIED_SINCE: &[Row] = &[
    row("9110 §13.1.3", "the same", request!("GET /numbers.txt", "If-Modified-Since: {last-modified}"))
        .status(304)
        .field("ETag", "{etag}")
        .content(""),
    row(
        "9110 §13.1.3",
        "the same, for HEAD",
        request!("HEAD /numbers.txt", "If-Modified-Since: {last-modified}"),
    )
    .head(304),
    row(
        "9110 §13.1.3",
        "later",
        request!("GET /numbers.txt", "If-Modified-Since: Sun, 06 Nov 1994 08:49:38 GMT"),
    )
    .status(304)
    .others(&[200]),
    row(
        "9110 §13.1.3",
        "in the future",
        request!("GET /numbers.txt", "If-Modified-Since: Thu, 31 Dec 2099 23:59:59 GMT"),
    )
    .status(304)
    .others(&[200]),
    row(
        "9110 §13.1.3",
        "earlier",
        request!("GET /numbers.txt", "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT"),
    )
    .whole(),
    row(
        "9110 §5.6.7",
        "the same, by RFC 850",
        request!("GET /numbers.txt", "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT"),
    )
    .status(304),
    row(
        "9110 §5.6.7",
        "the same, by asctime",
        request!("GET /numbers.txt", "If-Modified-Since: Sun Nov  6 08:49:37 1994"),
    )
    .status(304),
    row(
        "9110 §5.6.7",
        "later, by RFC 850",
        request!("GET /numbers.txt", "If-Modified-Since: Monday, 07-Nov-94 08:49:37 GMT"),
    )
    .status(304)
    .others(&[200]),
    row(
        "9110 §5.6.7",
        "earlier, by asctime",
        request!("GET /numbers.txt", "If-Modified-Since: Sat Nov  5 08:49:37 1994"),
    )
    .whole(),
    row("9110 §13.1.3", "no date", request!("GET /numbers.txt", "If-Modified-Since: tomorrow")).whole(),
    row(
        "9110 §5.6.7",
        "another zone",
        request!("GET /numbers.txt", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 +0000"),
    )
    .whole(),
    row(
        "9110 §5.6.7",
        "a day that is none",
        request!("GET /numbers.txt", "If-Modified-Since: Thu, 32 Dec 2099 23:59:59 GMT"),
    )
    .whole(),
    row(
        "9110 §13.1.3",
        "a list of dates",
        request!(
            "GET /numbers.txt",
            "If-Modified-Since: {last-modified}",
            "If-Modified-Since: {last-modified}"
        ),
    )
    .whole(),
];

pub const ORDER: &[Row] = &[
    row(
        "9110 §13.2.2",
        "If-Match before If-None-Match",
        request!("GET /numbers.txt", "If-None-Match: {etag}", "If-Match: \"a\""),
    )
    .status(412),
    row(
        "9110 §13.2.2",
        "If-Unmodified-Since before If-None-Match",
        request!(
            "GET /numbers.txt",
            "If-None-Match: {etag}",
            "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT"
        ),
    )
    .status(412),
    row(
        "9110 §13.2.2",
        "If-Match, then If-None-Match",
        request!("GET /numbers.txt", "If-None-Match: {etag}", "If-Match: {etag}"),
    )
    .status(304),
    row(
        "9110 §13.2.2",
        "If-None-Match before Range",
        request!("GET /numbers.txt", "If-None-Match: {etag}", "Range: bytes=0-3"),
    )
    .status(304),
    row(
        "9110 §13.2.2",
        "If-Modified-Since before Range",
        request!("GET /numbers.txt", "Range: bytes=0-3", "If-Modified-Since: {last-modified}"),
    )
    .status(304),
    row(
        "9110 §13.2.2",
        "If-None-Match before a range behind the end",
        request!("GET /numbers.txt", "Range: bytes=1000-", "If-None-Match: {etag}"),
    )
    .status(304),
    row(
        "9110 §13.2.2",
        "If-None-Match, then Range",
        request!("GET /numbers.txt", "If-None-Match: \"a\"", "Range: bytes=0-3"),
    )
    .part("bytes 0-3/1000"),
    row("9110 §13.2.1", "not before 404", request!("GET /nowhere", "If-None-Match: *")).status(404),
    row("9110 §13.2.1", "not before 404, though nothing matches", request!("GET /nowhere", "If-Match: *"))
        .status(404),
    row("9110 §13.2.1", "not before 301", request!("GET /docs", "If-None-Match: *")).status(301),
    row("9110 §13.2.1", "not before 301, though nothing matches", request!("GET /docs", "If-Match: \"a\""))
        .status(301),
    row("9110 §13.2.1", "not before 405", request!("DELETE /numbers.txt", "If-Match: \"a\""))
        .status(405)
        .others(&[403, 501]),
    row("9110 §13.2.1", "not for OPTIONS", request!("OPTIONS /numbers.txt", "If-Match: \"a\""))
        .status(204)
        .others(&[200, 405, 501]),
];
