//! Where a request's body ends (RFC 9112 §6): whoever gets that wrong takes content for the next request.

use super::row::{Row, request, row};

pub const CONTENT_LENGTH: &[Row] = &[
    row("9112 §6.2", "a body", b"GET /hello.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345")
        .status(200)
        .others(&[400])
        .content("hello\n"),
    row("9112 §6.2", "an empty body", request!("GET /hello.txt", "Content-Length: 0"))
        .status(200)
        .content("hello\n"),
    row(
        "9112 §6.3",
        "a body that looks like a request",
        b"GET /hello.txt HTTP/1.1\r\nHost: a\r\n\
        Content-Length: 34\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n",
    )
    .status(200)
    .others(&[400])
    .content("hello\n"),
    row(
        "9110 §8.6",
        "leading zeros",
        b"GET /hello.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 005\r\n\r\n12345",
    )
    .status(200)
    .others(&[400])
    .content("hello\n"),
    row(
        "9110 §8.6",
        "more leading zeros than a number has digits",
        b"GET /hello.txt HTTP/1.1\r\nHost: a\r\n\
        Content-Length: 0000000000000000000000005\r\n\r\n12345",
    )
    .status(200)
    .others(&[400, 413])
    .content("hello\n"),
    row(
        "9112 §6.3",
        "a body in HTTP/1.0",
        b"GET /hello.txt HTTP/1.0\r\nConnection: keep-alive\r\n\
        Content-Length: 5\r\n\r\n12345",
    )
    .status(200)
    .others(&[400])
    .field("Connection", "keep-alive")
    .content("hello\n"),
    row(
        "9110 §8.6",
        "the same length twice",
        b"GET /hello.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\
        Content-Length: 5\r\n\r\n12345",
    )
    .status(200)
    .others(&[400])
    .content("hello\n"),
    row(
        "9110 §8.6",
        "a list of the same length",
        b"GET /hello.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\
        \r\n12345",
    )
    .status(200)
    .others(&[400])
    .content("hello\n"),
    row("9112 §6.3", "two lengths", request!("GET /hello.txt", "Content-Length: 5", "Content-Length: 6"))
        .status(400)
        .closes(),
    row(
        "9112 §6.3",
        "two lengths, the first of them 0",
        request!("GET /", "Content-Length: 0", "Content-Length: 6"),
    )
    .status(400)
    .closes(),
    row("9112 §6.3", "a list of lengths", request!("GET /hello.txt", "Content-Length: 5, 6"))
        .status(400)
        .closes(),
    row("9112 §6.3", "a length and something else", request!("GET /hello.txt", "Content-Length: 5, a"))
        .status(400)
        .closes(),
    row("9112 §6.3", "no digits", request!("GET /hello.txt", "Content-Length:")).status(400).closes(),
    row("9112 §6.3", "letters", request!("GET /hello.txt", "Content-Length: five")).status(400).closes(),
    row("9112 §6.3", "a plus", request!("GET /hello.txt", "Content-Length: +5")).status(400).closes(),
    row("9112 §6.3", "a minus", request!("GET /hello.txt", "Content-Length: -5")).status(400).closes(),
    row("9112 §6.3", "hexadecimal digits", request!("GET /hello.txt", "Content-Length: 0x5"))
        .status(400)
        .closes(),
    row("9112 §6.3", "a fraction", request!("GET /hello.txt", "Content-Length: 5.0")).status(400).closes(),
    row("9112 §6.3", "a space between digits", request!("GET /hello.txt", "Content-Length: 5 5"))
        .status(400)
        .closes(),
    row("9112 §6.3", "digits of another script", request!("GET /hello.txt", "Content-Length: \u{0665}"))
        .status(400)
        .closes(),
    row("9110 §8.6", "a length of 2^64", request!("GET /hello.txt", "Content-Length: 18446744073709551616"))
        .status(400)
        .others(&[413])
        .closes(),
    row(
        "9110 §8.6",
        "a length past 2^64",
        request!("GET /hello.txt", "Content-Length: 18446744073709551621"),
    )
    .status(400)
    .others(&[413])
    .closes(),
    row("9112 §9.3", "a body past the bound", request!("GET /hello.txt", "Content-Length: 1048577"))
        .status(200)
        .content("hello\n")
        .closes()
        .in_memory_only(),
    row(
        "9112 §9.3",
        "a body of the longest length",
        request!("GET /", "Content-Length: 18446744073709551615"),
    )
    .status(200)
    .closes()
    .in_memory_only(),
];

pub const TRANSFER_ENCODING: &[Row] = &[
    row(
        "9112 §7.1",
        "chunked",
        b"GET /hello.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
        5\r\n12345\r\n0\r\n\r\n",
    )
    .status(200)
    .others(&[400])
    .content("hello\n"),
    row(
        "9112 §7",
        "in capitals",
        b"GET /hello.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n",
    )
    .status(200)
    .others(&[400])
    .content("hello\n"),
    row(
        "9110 §5.6.1.2",
        "empty elements around it",
        b"GET /hello.txt HTTP/1.1\r\nHost: a\r\n\
        Transfer-Encoding: , chunked ,\r\n\r\n0\r\n\r\n",
    )
    .status(200)
    .others(&[400, 501])
    .content("hello\n"),
    row("9112 §6.1", "and a length", request!("GET /", "Content-Length: 5", "Transfer-Encoding: chunked"))
        .status(400)
        .others(&[200])
        .closes(),
    row("9112 §6.1", "before a length", request!("GET /", "Transfer-Encoding: chunked", "Content-Length: 5"))
        .status(400)
        .others(&[200])
        .closes(),
    row(
        "9112 §6.1",
        "and a length of 0",
        request!("GET /", "Content-Length: 0", "Transfer-Encoding: chunked"),
    )
    .status(400)
    .others(&[200])
    .closes(),
    row(
        "9112 §6.1",
        "another coding, and a length",
        request!("GET /", "Content-Length: 5", "Transfer-Encoding: x"),
    )
    .status(400)
    .others(&[501])
    .closes(),
    row(
        "9112 §6.1",
        "in HTTP/1.0",
        b"GET /hello.txt HTTP/1.0\r\nConnection: keep-alive\r\n\
        Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    )
    .status(400)
    .others(&[501])
    .closes(),
    row("9112 §7.1", "twice", request!("GET /", "Transfer-Encoding: chunked, chunked"))
        .status(400)
        .others(&[501])
        .closes(),
    row(
        "9112 §7.1",
        "twice, in two fields",
        request!("GET /", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    )
    .status(400)
    .others(&[501])
    .closes(),
    row("9112 §6.3", "not last", request!("GET /", "Transfer-Encoding: chunked, gzip"))
        .status(400)
        .others(&[501])
        .closes(),
    row(
        "9112 §6.3",
        "not last, in two fields",
        request!("GET /", "Transfer-Encoding: chunked", "Transfer-Encoding: x"),
    )
    .status(400)
    .others(&[501])
    .closes(),
    row("9112 §6.1", "behind another coding", request!("GET /", "Transfer-Encoding: gzip, chunked"))
        .status(501)
        .others(&[400])
        .closes(),
    row("9112 §6.3", "another coding alone", request!("GET /", "Transfer-Encoding: gzip"))
        .status(400)
        .others(&[501])
        .closes(),
    row("9112 §7", "identity, which is no more", request!("GET /", "Transfer-Encoding: identity"))
        .status(400)
        .others(&[501])
        .closes(),
    row("9112 §6.3", "nothing", request!("GET /", "Transfer-Encoding:")).status(400).others(&[501]).closes(),
    row("9112 §7", "almost", request!("GET /", "Transfer-Encoding: xchunked"))
        .status(400)
        .others(&[501])
        .closes(),
    row("9112 §7", "quoted", request!("GET /", "Transfer-Encoding: \"chunked\""))
        .status(400)
        .others(&[501])
        .closes(),
    row("9112 §7.1", "with a parameter", request!("GET /", "Transfer-Encoding: chunked;a=b"))
        .status(400)
        .others(&[501])
        .closes(),
    row("9110 §5.5", "with a vertical tab", request!("GET /", "Transfer-Encoding: \x0bchunked"))
        .status(400)
        .others(&[501])
        .closes(),
];
