//! Clients that wait to hear whether a body is welcome (RFC 9110 §10.1.1).

use super::row::{Row, request, row};

pub const EXPECT: &[Row] = &[
    row("9110 §10.1.1", "GET", request!("GET /hello.txt", "Expect: 100-continue", "Content-Length: 5"))
        .status(100)
        .then(b"12345")
        .status(200)
        .others(&[400])
        .content("hello\n"),
    row("9110 §10.1.1", "HEAD", request!("HEAD /hello.txt", "Expect: 100-continue", "Content-Length: 5"))
        .status(100)
        .then(b"12345")
        .head(200)
        .others(&[400]),
    row("9110 §10.1.1", "OPTIONS", request!("OPTIONS *", "Expect: 100-continue", "Content-Length: 5"))
        .status(100)
        .then(b"12345")
        .status(204)
        .others(&[200, 400, 405]),
    row("9110 §10.1.1", "chunks", request!("GET /", "Expect: 100-continue", "Transfer-Encoding: chunked"))
        .status(100)
        .then(b"5\r\n12345\r\n0\r\n\r\n")
        .status(200)
        .others(&[400])
        .content("<p>home"),
    row(
        "9110 §10.1.1",
        "in any case",
        request!("GET /hello.txt", "expect: 100-CONTINUE", "Content-Length: 5"),
    )
    .status(100)
    .then(b"12345")
    .status(200)
    .others(&[400])
    .content("hello\n"),
    row(
        "9112 §7.1",
        "chunks that are malformed",
        request!("GET /", "Expect: 100-continue", "Transfer-Encoding: chunked"),
    )
    .status(100)
    .then(b"nonsense\r\n")
    .status(400)
    .others(&[200])
    .closes(),
    row(
        "9110 §10.1.1",
        "to a failing condition",
        request!("GET /numbers.txt", "If-Match: \"a\"", "Expect: 100-continue", "Content-Length: 5"),
    )
    .status(100)
    .then(b"12345")
    .status(412)
    .others(&[400]),
    row(
        "9110 §10.1.1",
        "a body that comes at once",
        b"GET /hello.txt HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\
        Content-Length: 5\r\n\r\n12345",
    )
    .status(200)
    .others(&[400])
    .content("hello\n")
    .interim_may_come(),
    row("9110 §10.1.1", "no body", request!("GET /hello.txt", "Expect: 100-continue"))
        .status(200)
        .content("hello\n"),
    row(
        "9110 §10.1.1",
        "an empty body",
        request!("GET /hello.txt", "Expect: 100-continue", "Content-Length: 0"),
    )
    .status(200)
    .content("hello\n"),
    row(
        "9110 §10.1.1",
        "in HTTP/1.0, which has no 100",
        b"GET /hello.txt HTTP/1.0\r\nExpect: 100-continue\r\n\
        Content-Length: 5\r\n\r\n",
    )
    .then(b"12345")
    .status(200)
    .others(&[400])
    .content("hello\n")
    .closes(),
    row(
        "9110 §10.1.1",
        "a method that is not allowed",
        request!("PUT /hello.txt", "Expect: 100-continue", "Content-Length: 5"),
    )
    .status(405)
    .others(&[403, 501])
    .pws_closes(),
    row(
        "9110 §10.1.1",
        "a method that is unknown",
        request!("BREW /", "Expect: 100-continue", "Content-Length: 5"),
    )
    .status(501)
    .others(&[400, 405])
    .pws_closes(),
    row(
        "9110 §10.1.1",
        "a body past the bound",
        request!("GET /hello.txt", "Expect: 100-continue", "Content-Length: 1048577"),
    )
    .status(200)
    .content("hello\n")
    .closes()
    .in_memory_only(),
    row(
        "9112 §6.3",
        "a length that is none",
        request!("GET /hello.txt", "Expect: 100-continue", "Content-Length: 5x"),
    )
    .status(400)
    .closes(),
    row("9110 §10.1.1", "another expectation", request!("GET /hello.txt", "Expect: a"))
        .status(417)
        .others(&[200]),
    row(
        "9110 §10.1.1",
        "another expectation behind the one",
        request!("GET /hello.txt", "Expect: 100-continue, a=b"),
    )
    .status(417)
    .others(&[200]),
    row("9110 §10.1.1", "another expectation in HTTP/1.0", b"GET /hello.txt HTTP/1.0\r\nExpect: a\r\n\r\n")
        .status(200)
        .others(&[417])
        .content("hello\n")
        .closes(),
    row(
        "9110 §10.1.1",
        "another expectation, and a body",
        request!("GET /hello.txt", "Expect: a", "Content-Length: 5"),
    )
    .status(417)
    .others(&[200, 400])
    .pws_closes(),
    row("9110 §5.6.1.2", "nothing", request!("GET /hello.txt", "Expect: ,"))
        .status(200)
        .others(&[417])
        .content("hello\n"),
];
