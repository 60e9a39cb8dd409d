//! What becomes of the connection, and requests in a row (RFC 9112 §9).

use super::row::{Row, request, row};

pub const PERSISTENCE: &[Row] = &[
    row("9112 §9.3", "HTTP/1.1", request!("GET /hello.txt"))
        .status(200)
        .pws_without("Connection")
        .content("hello\n"),
    row("9112 §9.6", "close", request!("GET /hello.txt", "Connection: close"))
        .status(200)
        .content("hello\n")
        .closes(),
    row("9112 §9.6", "close behind what is not there", request!("GET /nowhere", "Connection: close"))
        .status(404)
        .closes(),
    row("9112 §9.6", "close behind 304", request!("GET /hello.txt", "If-None-Match: *", "Connection: close"))
        .status(304)
        .closes(),
    row("9112 §9.6", "close behind OPTIONS", request!("OPTIONS *", "Connection: close"))
        .status(204)
        .others(&[200, 405, 501])
        .closes(),
    row("9112 §9.6", "close behind HEAD", request!("HEAD /hello.txt", "Connection: close"))
        .head(200)
        .closes(),
    row(
        "9112 §9.6",
        "close behind a body",
        b"GET /hello.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
        Content-Length: 5\r\n\r\n12345",
    )
    .status(200)
    .others(&[400])
    .content("hello\n")
    .closes(),
    row("9110 §7.6.1", "close in capitals", request!("GET /hello.txt", "Connection: CLOSE"))
        .status(200)
        .content("hello\n")
        .closes(),
    row("9110 §7.6.1", "close in a list", request!("GET /hello.txt", "Connection: TE, close ,x"))
        .status(200)
        .content("hello\n")
        .closes(),
    row("9110 §5.6.1.2", "close among empty elements", request!("GET /hello.txt", "Connection: ,, close,"))
        .status(200)
        .content("hello\n")
        .closes(),
    row(
        "9110 §5.3",
        "close in a second field",
        request!("GET /hello.txt", "Connection: TE", "Connection: close"),
    )
    .status(200)
    .content("hello\n")
    .closes(),
    row("9112 §9.3", "close and keep-alive", request!("GET /hello.txt", "Connection: keep-alive, close"))
        .status(200)
        .content("hello\n")
        .closes(),
    row("9110 §7.6.1", "a word that starts with close", request!("GET /hello.txt", "Connection: closed"))
        .status(200)
        .content("hello\n"),
    row("9110 §5.6.1.2", "nothing", request!("GET /hello.txt", "Connection:")).status(200).content("hello\n"),
    row(
        "9110 §7.8",
        "an upgrade, which may be ignored",
        request!("GET /hello.txt", "Connection: Upgrade", "Upgrade: h2c"),
    )
    .status(200)
    .content("hello\n"),
    row("9112 §9.3", "HTTP/1.0", b"GET /hello.txt HTTP/1.0\r\n\r\n").status(200).content("hello\n").closes(),
    row(
        "9112 §9.3",
        "HTTP/1.0 with keep-alive",
        b"GET /hello.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    )
    .status(200)
    .field("Connection", "keep-alive")
    .content("hello\n"),
    row("9112 §9.3", "HTTP/1.0 with Keep-Alive", b"GET /nowhere HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
        .status(404)
        .field("Connection", "keep-alive"),
    row(
        "9112 §9.3",
        "HTTP/1.0 with both",
        b"GET /hello.txt HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
    )
    .status(200)
    .content("hello\n")
    .closes(),
    row("9112 §9.3", "HTTP/1.2 with nothing", b"GET /hello.txt HTTP/1.2\r\nHost: a\r\n\r\n")
        .status(200)
        .others(&[505])
        .pws_without("Connection"),
];

pub const PIPELINES: &[Row] = &[
    row(
        "9112 §9.3.2",
        "two requests",
        b"GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n\
        GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    )
    .status(200)
    .content("hello\n")
    .status(200)
    .content("<p>home"),
    row(
        "9112 §9.3.2",
        "all kinds of answers",
        b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n\
        HEAD /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n\
        GET /docs HTTP/1.1\r\nHost: a\r\n\r\n\
        GET /numbers.txt HTTP/1.1\r\nHost: a\r\nIf-None-Match: {etag}\r\n\r\n\
        GET /numbers.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=0-3\r\n\r\n\
        GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n",
    )
    .status(404)
    .head(200)
    .status(301)
    .status(304)
    .part("bytes 0-3/1000")
    .status(200)
    .content("hello\n"),
    row(
        "9112 §9.3.2",
        "bodies in between",
        b"GET /hello.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345\
        GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n\
        POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345\
        GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n",
    )
    .status(200)
    .others(&[400])
    .content("hello\n")
    .status(200)
    .others(&[400])
    .content("<p>home")
    .status(405)
    .others(&[200, 403, 501])
    .status(200)
    .content("hello\n"),
    row(
        "9112 §2.2",
        "an empty line in between",
        b"GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n\r\n\
        GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    )
    .status(200)
    .content("hello\n")
    .status(200)
    .content("<p>home"),
    row(
        "9112 §2.2",
        "an empty line behind a body",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345\r\n\
        GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n",
    )
    .status(405)
    .others(&[200, 403, 501])
    .status(200)
    .content("hello\n"),
    row(
        "9112 §9.3.2",
        "from HTTP/1.0, kept alive",
        b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n\
        GET /hello.txt HTTP/1.0\r\n\r\n",
    )
    .status(200)
    .field("Connection", "keep-alive")
    .content("<p>home")
    .status(200)
    .content("hello\n")
    .closes(),
    row(
        "9112 §9.6",
        "a request behind close",
        b"GET /hello.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n\
        GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    )
    .status(200)
    .content("hello\n")
    .closes()
    .has_unread_bytes(),
    row("9112 §9.6", "a request behind HTTP/1.0", b"GET /hello.txt HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n")
        .status(200)
        .content("hello\n")
        .closes()
        .has_unread_bytes(),
    row(
        "9112 §2.2",
        "no request behind a request",
        b"GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n\
        GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    )
    .status(200)
    .content("hello\n")
    .status(400)
    .closes(),
    row(
        "9112 §6.3",
        "a body framed badly behind a request",
        b"GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n\
        POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n\
        GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    )
    .status(200)
    .content("hello\n")
    .status(400)
    .others(&[405])
    .closes(),
];
