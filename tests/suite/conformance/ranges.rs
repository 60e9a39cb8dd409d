//! Ranges of `/numbers.txt`, which has 1,000 bytes (RFC 9110 §14), and the condition on them (§13.1.5).

use super::row::{Row, request, row};

/// A range of which no byte is there.
const fn unsatisfiable(section: &'static str, name: &'static str, sends: &'static [u8]) -> Row {
    row(section, name, sends).status(416).others(&[200]).field("Content-Range", "bytes */1000")
}

pub const ONE_RANGE: &[Row] = &[
    row("9110 §14.1.2", "the first byte", request!("GET /numbers.txt", "Range: bytes=0-0"))
        .part("bytes 0-0/1000"),
    row("9110 §14.1.2", "some bytes", request!("GET /numbers.txt", "Range: bytes=500-509"))
        .part("bytes 500-509/1000")
        .field("Content-Length", "10")
        .field("ETag", "{etag}")
        .field("Last-Modified", "{last-modified}"),
    row("9110 §14.1.2", "all bytes", request!("GET /numbers.txt", "Range: bytes=0-999"))
        .part("bytes 0-999/1000"),
    row("9110 §14.1.2", "from a byte", request!("GET /numbers.txt", "Range: bytes=900-"))
        .part("bytes 900-999/1000"),
    row("9110 §14.1.2", "from the last byte", request!("GET /numbers.txt", "Range: bytes=999-"))
        .part("bytes 999-999/1000"),
    row("9110 §14.1.2", "the last byte", request!("GET /numbers.txt", "Range: bytes=-1"))
        .part("bytes 999-999/1000"),
    row("9110 §14.1.2", "the last bytes", request!("GET /numbers.txt", "Range: bytes=-10"))
        .part("bytes 990-999/1000"),
    row("9110 §14.1.2", "more last bytes than there are", request!("GET /numbers.txt", "Range: bytes=-2000"))
        .part("bytes 0-999/1000"),
    row("9110 §14.1.2", "past the end", request!("GET /numbers.txt", "Range: bytes=990-2000"))
        .part("bytes 990-999/1000"),
    row("9110 §14.1.2", "to 2^64 - 1", request!("GET /numbers.txt", "Range: bytes=990-18446744073709551615"))
        .part("bytes 990-999/1000"),
    row("9110 §14.1.2", "to 2^64", request!("GET /numbers.txt", "Range: bytes=990-18446744073709551616"))
        .part("bytes 990-999/1000"),
    row("9110 §14.1.2", "to 10^64", request!("GET /numbers.txt", "Range: bytes=990-1{0*64}"))
        .part("bytes 990-999/1000"),
    row("9110 §14.1.2", "the last 10^64 bytes", request!("GET /numbers.txt", "Range: bytes=-1{0*64}"))
        .part("bytes 0-999/1000"),
    row("9110 §14.1.1", "leading zeros", request!("GET /numbers.txt", "Range: bytes={0*40}5-{0*40}9"))
        .part("bytes 5-9/1000"),
    row("9110 §14.1", "the unit in capitals", request!("GET /numbers.txt", "Range: BYTES=0-0"))
        .part("bytes 0-0/1000"),
    row("9110 §14.2", "in HTTP/1.0", b"GET /numbers.txt HTTP/1.0\r\nRange: bytes=0-0\r\n\r\n")
        .part("bytes 0-0/1000")
        .closes(),
];

pub const UNSATISFIABLE: &[Row] = &[
    unsatisfiable("9110 §15.5.17", "from the end", request!("GET /numbers.txt", "Range: bytes=1000-")),
    unsatisfiable("9110 §15.5.17", "behind the end", request!("GET /numbers.txt", "Range: bytes=1000-2000")),
    unsatisfiable(
        "9110 §15.5.17",
        "from 2^64",
        request!("GET /numbers.txt", "Range: bytes=18446744073709551616-"),
    ),
    unsatisfiable(
        "9110 §15.5.17",
        "from 10^64",
        request!("GET /numbers.txt", "Range: bytes=1{0*64}-1{0*64}"),
    ),
    unsatisfiable("9110 §14.1.2", "the last 0 bytes", request!("GET /numbers.txt", "Range: bytes=-0")),
    unsatisfiable(
        "9110 §15.5.17",
        "several",
        request!("GET /numbers.txt", "Range: bytes=1000-,2000-3000,-0"),
    ),
    // Nothing is all there is: whoever follows an empty file has it.
    row("9110 §14.2", "of an empty file", request!("GET /empty.txt", "Range: bytes=0-"))
        .status(200)
        .others(&[416])
        .content(""),
    // The last bytes of nothing are satisfiable (§14.1.2), and no Content-Range can tell of them.
    row("9110 §14.1.2", "the last bytes of an empty file", request!("GET /empty.txt", "Range: bytes=-5"))
        .status(200)
        .others(&[416])
        .content(""),
];

/// What is not to the letter may be ignored (RFC 9110 §14.2), and is.
pub const IGNORED: &[Row] = &[
    row("9110 §14.2", "another unit", request!("GET /numbers.txt", "Range: lines=0-9")).whole(),
    row("9110 §14.2", "no unit", request!("GET /numbers.txt", "Range: 0-9")).whole().others(&[400, 416]),
    row("9110 §14.2", "no ranges", request!("GET /numbers.txt", "Range: bytes=")).whole().others(&[400, 416]),
    row("9110 §14.2", "no range but a comma", request!("GET /numbers.txt", "Range: bytes=,"))
        .whole()
        .others(&[400, 416]),
    row("9110 §14.2", "a dash alone", request!("GET /numbers.txt", "Range: bytes=-"))
        .whole()
        .others(&[400, 416]),
    row("9110 §14.1.1", "the last before the first", request!("GET /numbers.txt", "Range: bytes=9-0"))
        .whole()
        .others(&[400, 416]),
    row("9110 §14.2", "letters", request!("GET /numbers.txt", "Range: bytes=a-b"))
        .whole()
        .others(&[400, 416]),
    row("9110 §14.2", "a sign", request!("GET /numbers.txt", "Range: bytes=+0-9"))
        .whole()
        .others(&[400, 416]),
    row("9110 §14.2", "two dashes", request!("GET /numbers.txt", "Range: bytes=0--9"))
        .whole()
        .others(&[400, 416]),
    row("9110 §14.2", "white space in a range", request!("GET /numbers.txt", "Range: bytes=0 - 9"))
        .whole()
        .others(&[206, 400, 416]),
    row("9110 §14.2", "white space before =", request!("GET /numbers.txt", "Range: bytes =0-9"))
        .whole()
        .others(&[206, 400, 416]),
    row("9110 §14.2", "one good range and one bad", request!("GET /numbers.txt", "Range: bytes=0-9,a"))
        .whole()
        .others(&[206, 400, 416]),
    row("9110 §14.2", "two fields", request!("GET /numbers.txt", "Range: bytes=0-0", "Range: bytes=5-5"))
        .whole()
        .others(&[206, 400, 416]),
    row(
        "9110 §14.2",
        "257 ranges, which smell of an attack",
        request!("GET /numbers.txt", "Range: bytes={0-0,*256}0-0"),
    )
    .whole()
    .others(&[206, 416]),
    row("9110 §14.2", "HEAD", request!("HEAD /numbers.txt", "Range: bytes=0-9"))
        .head(200)
        .field("Content-Length", "1000")
        .without("Content-Range"),
    row("9110 §14.2", "HEAD behind the end", request!("HEAD /numbers.txt", "Range: bytes=1000-"))
        .head(200)
        .field("Content-Length", "1000"),
    row("9110 §14.2", "OPTIONS", request!("OPTIONS /numbers.txt", "Range: bytes=0-9"))
        .status(204)
        .others(&[200, 405, 501]),
    row("9110 §14.2", "what is not there", request!("GET /nowhere", "Range: bytes=0-9"))
        .status(404)
        .without("Content-Range"),
    row("9110 §14.2", "a folder", request!("GET /docs", "Range: bytes=0-9"))
        .status(301)
        .without("Content-Range"),
];

pub const SEVERAL_RANGES: &[Row] = &[
    row("9110 §14.6", "two", request!("GET /numbers.txt", "Range: bytes=0-9,500-509"))
        .parts(&["bytes 0-9/1000", "bytes 500-509/1000"]),
    row(
        "9110 §15.3.7.2",
        "two, in the order asked for",
        request!("GET /numbers.txt", "Range: bytes=500-509,0-9"),
    )
    .parts(&["bytes 500-509/1000", "bytes 0-9/1000"]),
    row("9110 §14.6", "of every kind", request!("GET /numbers.txt", "Range: bytes=0-0,400-404,980-"))
        .parts(&["bytes 0-0/1000", "bytes 400-404/1000", "bytes 980-999/1000"]),
    row("9110 §14.6", "the first and the last byte", request!("GET /numbers.txt", "Range: bytes=0-0,-1"))
        .parts(&["bytes 0-0/1000", "bytes 999-999/1000"]),
    row(
        "9110 §5.6.1.2",
        "white space and empty elements",
        request!("GET /numbers.txt", "Range: bytes=0-0 ,, \t500-500,"),
    )
    .parts(&["bytes 0-0/1000", "bytes 500-500/1000"]),
    row(
        "9110 §15.3.7.2",
        "one that is not there",
        request!("GET /numbers.txt", "Range: bytes=0-9,2000-,500-509"),
    )
    .parts(&["bytes 0-9/1000", "bytes 500-509/1000"]),
    row("9110 §15.3.7.2", "one that is there", request!("GET /numbers.txt", "Range: bytes=2000-,500-509"))
        .part("bytes 500-509/1000"),
    row("9110 §15.3.7.2", "two that overlap", request!("GET /numbers.txt", "Range: bytes=0-9,5-14"))
        .joined("bytes 0-14/1000"),
    row("9110 §15.3.7.2", "two that touch", request!("GET /numbers.txt", "Range: bytes=0-9,10-19"))
        .joined("bytes 0-19/1000"),
    row("9110 §15.3.7.2", "one in another", request!("GET /numbers.txt", "Range: bytes=0-99,40-49"))
        .joined("bytes 0-99/1000"),
    row(
        "9110 §15.3.7.2",
        "two that a part's head would be longer than",
        request!("GET /numbers.txt", "Range: bytes=0-9,50-59"),
    )
    .joined("bytes 0-59/1000"),
    row(
        "9110 §15.3.7.2",
        "two of three that overlap",
        request!("GET /numbers.txt", "Range: bytes=500-509,0-9,505-514"),
    )
    .parts(&["bytes 500-514/1000", "bytes 0-9/1000"]),
    row("9110 §17.15", "64 times everything", request!("GET /numbers.txt", "Range: bytes={0-,*64}"))
        .joined("bytes 0-999/1000"),
];

pub const IF_RANGE: &[Row] = &[
    row("9110 §13.1.5", "the tag", request!("GET /numbers.txt", "Range: bytes=0-3", "If-Range: {etag}"))
        .part("bytes 0-3/1000"),
    row("9110 §13.1.5", "another tag", request!("GET /numbers.txt", "Range: bytes=0-3", "If-Range: \"a\""))
        .whole(),
    row(
        "9110 §13.1.5",
        "the tag, but weak",
        request!("GET /numbers.txt", "Range: bytes=0-3", "If-Range: W/{etag}"),
    )
    .whole(),
    row(
        "9110 §13.1.5",
        "the date",
        request!("GET /numbers.txt", "Range: bytes=0-3", "If-Range: {last-modified}"),
    )
    .part("bytes 0-3/1000"),
    row(
        "9110 §13.1.5",
        "an earlier date",
        request!("GET /numbers.txt", "Range: bytes=0-3", "If-Range: Sun, 06 Nov 1994 08:49:36 GMT"),
    )
    .whole(),
    row(
        "9110 §13.1.5",
        "a later date",
        request!("GET /numbers.txt", "Range: bytes=0-3", "If-Range: Sun, 06 Nov 1994 08:49:38 GMT"),
    )
    .whole(),
    row(
        "9110 §13.1.5",
        "no validator",
        request!("GET /numbers.txt", "Range: bytes=0-3", "If-Range: nonsense"),
    )
    .whole(),
    row(
        "9110 §13.1.5",
        "any, which is none",
        request!("GET /numbers.txt", "Range: bytes=0-3", "If-Range: *"),
    )
    .whole(),
    row(
        "9110 §14.2",
        "another tag, behind the end",
        request!("GET /numbers.txt", "Range: bytes=1000-", "If-Range: \"a\""),
    )
    .whole(),
    row(
        "9110 §15.5.17",
        "the tag, behind the end",
        request!("GET /numbers.txt", "Range: bytes=1000-", "If-Range: {etag}"),
    )
    .status(416)
    .others(&[200])
    .field("Content-Range", "bytes */1000"),
    row("9110 §13.1.5", "no Range", request!("GET /numbers.txt", "If-Range: \"a\"")).whole(),
    row(
        "9110 §13.2.2",
        "a failing If-Match first",
        request!("GET /numbers.txt", "Range: bytes=0-3", "If-Range: {etag}", "If-Match: \"a\""),
    )
    .status(412),
];
