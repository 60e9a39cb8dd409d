//! The request line (RFC 9112 §3), what may stand in front of it, and versions (RFC 9112 §2.3, RFC 9110 §2.5).

use super::row::{Row, request, row};

pub const REQUEST_LINE: &[Row] = &[
    row("9112 §3", "a method, a target and a version", request!("GET /hello.txt"))
        .status(200)
        .content("hello\n"),
    row("9112 §2.2", "an empty line in front", b"\r\nGET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n")
        .status(200)
        .content("hello\n"),
    row("9112 §2.2", "some empty lines in front", b"\r\n\r\n\r\nGET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n")
        .status(200)
        .others(&[400])
        .content("hello\n"),
    row("9112 §2.2", "empty lines without end", b"{\r\n*50}").status(400).closes().in_memory_only(),
    row("9112 §2.2", "a bare LF in front", b"\nGET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n")
        .status(400)
        .others(&[200])
        .closes(),
    row("9112 §2.2", "a line that ends in a bare LF", b"GET /hello.txt HTTP/1.1\nHost: a\r\n\r\n")
        .status(400)
        .others(&[200])
        .closes(),
    row("9112 §2.2", "all lines typed with a bare LF", b"GET /hello.txt HTTP/1.1\nHost: a\n\n")
        .status(200)
        .others(&[400])
        .content("hello\n")
        .closes(),
    row("9112 §2.2", "the same of HTTP/1.0", b"GET /hello.txt HTTP/1.0\nConnection: keep-alive\n\n")
        .status(200)
        .others(&[400])
        .content("hello\n")
        .closes(),
    row(
        "9112 §2.2",
        "and another behind it, which nobody looks for",
        b"GET /hello.txt HTTP/1.1\nHost: a\n\nGET /empty.txt HTTP/1.1\r\nHost: a\r\n\r\n",
    )
    .status(200)
    .others(&[400])
    .content("hello\n")
    .closes(),
    row("9112 §2.2", "the same with a length", b"GET /a HTTP/1.1\nHost: a\nContent-Length: 0\n\n")
        .status(400)
        .others(&[404])
        .closes(),
    row(
        "9112 §2.2",
        "the same with chunks",
        b"GET /a HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\r\n\r\n",
    )
    .status(400)
    .others(&[404])
    .closes(),
    row("8446 §5.1", "TLS", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03").status(400).closes(),
    row("9112 §2.2", "a bare CR in the line", b"GET /hello.txt\r HTTP/1.1\r\nHost: a\r\n\r\n")
        .status(400)
        .closes(),
    row("9112 §3", "a CR twice at its end", b"GET /hello.txt HTTP/1.1\r\r\nHost: a\r\n\r\n")
        .status(400)
        .closes(),
    row("9112 §3", "two spaces behind the method", b"GET  /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n")
        .status(400)
        .others(&[200])
        .closes(),
    row("9112 §3", "two spaces behind the target", b"GET /hello.txt  HTTP/1.1\r\nHost: a\r\n\r\n")
        .status(400)
        .others(&[200])
        .closes(),
    row("9112 §3", "a space at the end", b"GET /hello.txt HTTP/1.1 \r\nHost: a\r\n\r\n")
        .status(400)
        .others(&[200])
        .closes(),
    row("9112 §3", "a space at the start", b" GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n")
        .status(400)
        .others(&[200])
        .closes(),
    row("9112 §3", "a tab between the parts", b"GET\t/hello.txt HTTP/1.1\r\nHost: a\r\n\r\n")
        .status(400)
        .others(&[200])
        .closes(),
    row("9112 §3.2", "a space in the target", b"GET /a b.txt HTTP/1.1\r\nHost: a\r\n\r\n")
        .status(400)
        .others(&[301])
        .closes(),
    row("9112 §3", "no target", b"GET HTTP/1.1\r\nHost: a\r\n\r\n").status(400).closes(),
    row("9112 §3", "an empty target", b"GET  HTTP/1.1\r\nHost: a\r\n\r\n").status(400).closes(),
    row("9112 §3", "a method alone", b"GET\r\nHost: a\r\n\r\n").status(400).closes(),
    row("9112 §3", "no version, as in HTTP/0.9", b"GET /hello.txt\r\n\r\n").status(400).closes(),
    row("9112 §3", "a method that is no token", b"GE(T /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n")
        .status(400)
        .closes(),
    row("9112 §3", "an empty method", b" /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n").status(400).closes(),
    row("9112 §3", "a NUL in the line", b"GET /hello.txt\0 HTTP/1.1\r\nHost: a\r\n\r\n").status(400).closes(),
    row("9112 §2.2", "no HTTP at all", b"nonsense\r\n\r\n").status(400).closes(),
    row("9112 §2.2", "the start of a TLS handshake", b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n")
        .status(400)
        .closes(),
];

pub const VERSIONS: &[Row] = &[
    row("9112 §9.3", "HTTP/1.0", b"GET /hello.txt HTTP/1.0\r\nHost: a\r\n\r\n")
        .status(200)
        .content("hello\n")
        .closes(),
    row("9110 §2.5", "HTTP/1.2, served as 1.1", b"GET /hello.txt HTTP/1.2\r\nHost: a\r\n\r\n")
        .status(200)
        .others(&[505])
        .content("hello\n"),
    row("9110 §2.5", "HTTP/1.9, served as 1.1", b"GET /hello.txt HTTP/1.9\r\nHost: a\r\n\r\n")
        .status(200)
        .others(&[505])
        .content("hello\n"),
    row("9110 §15.6.6", "HTTP/2.0", b"GET /hello.txt HTTP/2.0\r\nHost: a\r\n\r\n").status(505).closes(),
    row("9110 §15.6.6", "HTTP/3.0", b"GET /hello.txt HTTP/3.0\r\nHost: a\r\n\r\n").status(505).closes(),
    row("9110 §15.6.6", "HTTP/0.9", b"GET /hello.txt HTTP/0.9\r\nHost: a\r\n\r\n")
        .status(505)
        .others(&[400])
        .closes(),
    // Other servers may speak it.
    row("9113 §3.4", "the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .status(505)
        .closes()
        .in_memory_only(),
    row("9112 §2.3", "a version in lower case", b"GET /hello.txt http/1.1\r\nHost: a\r\n\r\n")
        .status(400)
        .others(&[505])
        .closes(),
    row("9112 §2.3", "a minor version of two digits", b"GET /hello.txt HTTP/1.10\r\nHost: a\r\n\r\n")
        .status(400)
        .others(&[505])
        .closes(),
    row("9112 §2.3", "a major version of two digits", b"GET /hello.txt HTTP/11.1\r\nHost: a\r\n\r\n")
        .status(400)
        .others(&[505])
        .closes(),
    row("9112 §2.3", "no minor version", b"GET /hello.txt HTTP/1.\r\nHost: a\r\n\r\n")
        .status(400)
        .others(&[505])
        .closes(),
    row("9112 §2.3", "a major version alone", b"GET /hello.txt HTTP/1\r\nHost: a\r\n\r\n")
        .status(400)
        .others(&[505])
        .closes(),
    row("9112 §2.3", "a version that is no number", b"GET /hello.txt HTTP/1.x\r\nHost: a\r\n\r\n")
        .status(400)
        .others(&[505])
        .closes(),
    row("9112 §2.3", "a comma in the version", b"GET /hello.txt HTTP/1,1\r\nHost: a\r\n\r\n")
        .status(400)
        .others(&[505])
        .closes(),
    row("9112 §2.3", "another protocol", b"GET /hello.txt HTTPS/1.1\r\nHost: a\r\n\r\n")
        .status(400)
        .others(&[505])
        .closes(),
    row("9112 §2.3", "a space in the version", b"GET /hello.txt HTTP/ 1.1\r\nHost: a\r\n\r\n")
        .status(400)
        .others(&[505])
        .closes(),
];
