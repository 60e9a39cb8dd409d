//! Methods (RFC 9110 §9), and what comes back for them.

use super::row::{Row, request, row};

/// GET and HEAD must be there; all others are optional, and 405 must tell which there are.
pub const METHODS: &[Row] = &[
    row("9110 §9.3.1", "GET", request!("GET /hello.txt"))
        .status(200)
        .field("Content-Length", "6")
        .field("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")
        .pws_field("Content-Type", "text/plain; charset=utf-8")
        .pws_field("Accept-Ranges", "bytes")
        .content("hello\n"),
    row("9110 §9.3.2", "HEAD", request!("HEAD /hello.txt"))
        .head(200)
        .field("Content-Length", "6")
        .field("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")
        .pws_field("Content-Type", "text/plain; charset=utf-8")
        .pws_field("Accept-Ranges", "bytes"),
    row("9110 §9.3.2", "HEAD of what is not there", request!("HEAD /nowhere")).head(404),
    row("9110 §9.3.2", "HEAD of a folder", request!("HEAD /docs")).head(301).pws_field("Location", "docs/"),
    row(
        "9110 §9.3.2",
        "HEAD with a body",
        b"HEAD /hello.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345",
    )
    .head(200)
    .others(&[400]),
    row("9110 §9.3.7", "OPTIONS", request!("OPTIONS /hello.txt"))
        .status(204)
        .others(&[200, 405, 501])
        .pws_field("Allow", "GET, HEAD, OPTIONS")
        .without("Content-Length"),
    row(
        "9110 §9.3.7",
        "OPTIONS with a body",
        b"OPTIONS / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345",
    )
    .status(204)
    .others(&[200, 400, 405, 501])
    .pws_field("Allow", "GET, HEAD, OPTIONS"),
    row("9110 §15.5.6", "POST", request!("POST /hello.txt", "Content-Length: 0"))
        .status(405)
        .others(&[200, 403, 501])
        .pws_field("Allow", "GET, HEAD, OPTIONS"),
    row(
        "9110 §15.5.6",
        "POST with a body",
        b"POST /hello.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345",
    )
    .status(405)
    .others(&[200, 403, 501])
    .pws_field("Allow", "GET, HEAD, OPTIONS"),
    row(
        "9110 §15.5.6",
        "PUT",
        b"PUT /hello.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n",
    )
    .status(405)
    .others(&[403, 501])
    .pws_field("Allow", "GET, HEAD, OPTIONS"),
    row("9110 §15.5.6", "DELETE", request!("DELETE /hello.txt"))
        .status(405)
        .others(&[403, 501])
        .pws_field("Allow", "GET, HEAD, OPTIONS"),
    row("9110 §15.5.6", "TRACE", request!("TRACE /hello.txt"))
        .status(405)
        .others(&[403, 501])
        .pws_field("Allow", "GET, HEAD, OPTIONS"),
    row("5789 §2", "PATCH", request!("PATCH /hello.txt", "Content-Length: 0"))
        .status(405)
        .others(&[403, 501])
        .pws_field("Allow", "GET, HEAD, OPTIONS"),
    row("9110 §15.5.6", "DELETE of what is not there", request!("DELETE /nowhere"))
        .status(405)
        .others(&[403, 404, 501]),
    row("9110 §15.6.2", "an unknown method", request!("BREW /hello.txt")).status(501).others(&[400, 405]),
    row(
        "9110 §15.6.2",
        "an unknown method with a body",
        b"BREW / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345",
    )
    .status(501)
    .others(&[400, 405]),
    row("9110 §9.1", "get, which is not GET", request!("get /hello.txt")).status(501).others(&[400, 405]),
    row("9110 §9.1", "GETS, which is not GET", request!("GETS /hello.txt")).status(501).others(&[400, 405]),
    row("9110 §9.1", "a method of every kind of character", request!("!#$%&'*+-.^_`|~09aZ /"))
        .status(501)
        .others(&[400, 405]),
];
