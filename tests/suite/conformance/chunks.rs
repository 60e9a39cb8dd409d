//! Bodies in chunks (RFC 9112 §7.1), each behind the head that `chunks!` writes.

use super::row::{Row, row};

macro_rules! chunks {
    ($body:literal) => {
        concat!("GET /hello.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", $body).as_bytes()
    };
}

/// A body that ends where it must. No server need read the body of a GET, but must know its end.
const fn good(section: &'static str, name: &'static str, sends: &'static [u8]) -> Row {
    row(section, name, sends).status(200).others(&[400]).content("hello\n")
}

/// A body of which the end cannot be known.
const fn bad(section: &'static str, name: &'static str, sends: &'static [u8]) -> Row {
    row(section, name, sends).status(400).closes()
}

pub const CHUNKS: &[Row] = &[
    good("9112 §7.1", "none but the last", chunks!("0\r\n\r\n")),
    good("9112 §7.1", "one", chunks!("5\r\n12345\r\n0\r\n\r\n")),
    good("9112 §7.1", "some", chunks!("1\r\n1\r\n2\r\n12\r\n3\r\n123\r\n0\r\n\r\n")),
    good(
        "9112 §7.1",
        "sizes in capitals and small letters",
        chunks!("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"),
    ),
    good("9112 §7.1", "leading zeros", chunks!("0005\r\n12345\r\n0000\r\n\r\n")),
    good(
        "9112 §7.1",
        "more leading zeros than a number has digits",
        chunks!("{0*40}5\r\n12345\r\n0\r\n\r\n"),
    ),
    good("9112 §7.1", "line ends as content", chunks!("8\r\n\r\n0\r\n\r\n\r\r\n0\r\n\r\n")),
    good("9112 §7.1.1", "an extension without value", chunks!("5;name\r\n12345\r\n0\r\n\r\n")),
    good("9112 §7.1.1", "an extension", chunks!("5;name=value\r\n12345\r\n0;name=value\r\n\r\n")),
    good("9112 §7.1.1", "a quoted extension", chunks!("5;name=\"a;b, \\\"c\\\"\"\r\n12345\r\n0\r\n\r\n")),
    good("9112 §7.1.1", "two extensions", chunks!("5;a=b;c=d\r\n12345\r\n0\r\n\r\n")),
    good("9110 §5.6.3", "white space in an extension", chunks!("5; a = b\r\n12345\r\n0\r\n\r\n")),
    // "A recipient MUST parse for such bad whitespace and remove it."
    good("9110 §5.6.3", "white space before an extension", chunks!("5 ;a=b\r\n12345\r\n0\r\n\r\n")),
    good("9112 §7.1.2", "a trailer field", chunks!("5\r\n12345\r\n0\r\nTrailer: value\r\n\r\n")),
    good("9112 §7.1.2", "some trailer fields", chunks!("0\r\nA: b\r\nC:\r\nE: \t f \r\n\r\n")),
    good("9110 §6.5.1", "a trailer field that must not count", chunks!("0\r\nContent-Length: 5\r\n\r\n")),
    good(
        "9110 §6.5.1",
        "a second Host as a trailer field",
        chunks!("0\r\nHost: b\r\nConnection: close\r\n\r\n"),
    ),
    bad("9112 §7.1", "no size", chunks!("\r\n12345\r\n0\r\n\r\n")),
    bad("9112 §7.1", "an extension without size", chunks!(";a=b\r\n12345\r\n0\r\n\r\n")),
    bad("9112 §7.1", "a size that is no number", chunks!("x\r\n12345\r\n0\r\n\r\n")),
    bad("9112 §7.1", "a size with a plus", chunks!("+5\r\n12345\r\n0\r\n\r\n")),
    bad("9112 §7.1", "a size with a minus", chunks!("-5\r\n12345\r\n0\r\n\r\n")),
    bad("9112 §7.1", "a size with 0x", chunks!("0x5\r\n12345\r\n0\r\n\r\n")),
    bad("9112 §7.1", "a size with an underscore", chunks!("5_\r\n12345\r\n0\r\n\r\n")),
    bad("9112 §7.1", "white space before a size", chunks!(" 5\r\n12345\r\n0\r\n\r\n")),
    bad("9112 §7.1", "white space behind a size", chunks!("5 \r\n12345\r\n0\r\n\r\n")),
    bad("9112 §7.1", "a bare LF behind a size", chunks!("5\n12345\r\n0\r\n\r\n")),
    bad("9112 §7.1", "a bare CR behind a size", chunks!("5\r12345\r\n0\r\n\r\n")),
    bad("9112 §7.1", "a bare LF behind the last size", chunks!("0\n\r\n")),
    bad("9112 §7.1", "more content than the size says", chunks!("5\r\n123456\r\n0\r\n\r\n")),
    bad("9112 §7.1", "less content than the size says", chunks!("5\r\n1234\r\n0\r\n\r\n")),
    bad("9112 §7.1", "no line end behind a chunk", chunks!("5\r\n123450\r\n\r\n")),
    bad("9112 §7.1", "another byte in place of the CR behind a chunk", chunks!("5\r\n12345x\n0\r\n\r\n")),
    bad("9112 §7.1", "another byte in place of the LF behind a chunk", chunks!("5\r\n12345\rx0\r\n\r\n")),
    bad("9112 §7.1", "a bare LF behind a chunk", chunks!("5\r\n12345\n0\r\n\r\n")),
    bad("9112 §7.1", "a bare CR behind a chunk", chunks!("5\r\n12345\r0\r\n\r\n")),
    bad("9112 §7.1.1", "a bare LF in an extension", chunks!("5;a\n12345\r\n0\r\n\r\n")),
    bad("9112 §7.1.1", "a bare CR in an extension", chunks!("5;a\rb\r\n12345\r\n0\r\n\r\n")),
    bad("9112 §7.1.1", "a NUL in an extension", chunks!("5;a\0\r\n12345\r\n0\r\n\r\n")),
    bad("9112 §7.1.2", "a bare LF at the end", chunks!("0\r\n\n")),
    bad("9112 §7.1.2", "a bare LF behind a trailer field", chunks!("0\r\nA: b\n\r\n")),
    bad("9112 §5", "a trailer field without colon", chunks!("0\r\nnonsense\r\n\r\n")),
    bad("9112 §5", "a trailer field without name", chunks!("0\r\n: b\r\n\r\n")),
    bad("9112 §5.1", "a space before the colon of a trailer field", chunks!("0\r\nA : b\r\n\r\n")),
    bad("9112 §5.1", "a trailer field with a name that is no token", chunks!("0\r\nA(: b\r\n\r\n")),
    bad("9112 §5.2", "a trailer field that is folded", chunks!("0\r\nA: b\r\n c\r\n\r\n")),
    bad("9112 §5.2", "white space before the first trailer field", chunks!("0\r\n A: b\r\n\r\n")),
    bad("9110 §5.5", "a NUL in a trailer field", chunks!("0\r\nA: b\0\r\n\r\n")),
];
