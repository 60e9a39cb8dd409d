//! The forms of a request target (RFC 9112 §3.2).

use super::row::{Row, request, row};

pub const ORIGIN_FORM: &[Row] = &[
    row("9112 §3.2.1", "a query", request!("GET /hello.txt?a=b")).status(200).content("hello\n"),
    row("9112 §3.2.1", "an empty query", request!("GET /hello.txt?")).status(200).content("hello\n"),
    row("3986 §3.4", "a query with slashes and question marks", request!("GET /hello.txt?a=/../?b"))
        .status(200)
        .content("hello\n"),
    row("9112 §3.2", "a fragment", request!("GET /hello.txt#top")).status(400).closes(),
    row("9112 §3.2", "no slash in front", request!("GET hello.txt")).status(400).closes(),
    row("9112 §3.2", "a control byte", request!("GET /hello.txt\x01")).status(400).closes(),
    row("9112 §3.2", "a DEL", request!("GET /hello.txt\x7f")).status(400).closes(),
];

pub const ABSOLUTE_FORM: &[Row] = &[
    row("9112 §3.2.2", "a URI", request!("GET http://a/hello.txt")).status(200).content("hello\n"),
    row(
        "9110 §4.2.3",
        "scheme and host in capitals",
        b"GET HTTP://A.EXAMPLE/hello.txt HTTP/1.1\r\nHost: A.EXAMPLE\r\n\r\n",
    )
    .status(200)
    .content("hello\n"),
    row("9110 §4.2.3", "scheme in mixed case", request!("GET hTtP://a/hello.txt"))
        .status(200)
        .content("hello\n"),
    row("9112 §3.2.2", "a port", b"GET http://a:8080/hello.txt HTTP/1.1\r\nHost: a:8080\r\n\r\n")
        .status(200)
        .content("hello\n"),
    row("3986 §3.2.3", "an empty port", b"GET http://a:/hello.txt HTTP/1.1\r\nHost: a:\r\n\r\n")
        .status(200)
        .content("hello\n"),
    row(
        "3986 §3.2.2",
        "an IPv6 address",
        b"GET http://[2001:db8::1]/hello.txt HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n",
    )
    .status(200)
    .content("hello\n"),
    row(
        "3986 §3.2.2",
        "an IPv6 address and a port",
        b"GET http://[::1]:80/hello.txt HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
    )
    .status(200)
    .content("hello\n"),
    row("9110 §4.2.3", "an empty path, which is /", request!("GET http://a")).status(200).content("<p>home"),
    row("9110 §4.2.3", "an empty path before a query", request!("GET http://a?b"))
        .status(200)
        .content("<p>home"),
    row(
        "9112 §3.2.2",
        "another host than in Host, which is ignored",
        request!("GET http://b.example/hello.txt"),
    )
    .status(200)
    .content("hello\n"),
    row("9112 §3.2.2", "in HTTP/1.0, without Host", b"GET http://a/hello.txt HTTP/1.0\r\n\r\n")
        .status(200)
        .content("hello\n")
        .closes(),
    row("9112 §3.2", "without Host", b"GET http://a/hello.txt HTTP/1.1\r\n\r\n").status(400).closes(),
    row("9112 §3.2", "with a Host that is none", b"GET http://a/hello.txt HTTP/1.1\r\nHost: a b\r\n\r\n")
        .status(400)
        .closes(),
    row("9110 §4.2.4", "user information", request!("GET http://user:password@a/hello.txt"))
        .status(400)
        .others(&[200])
        .closes(),
    row("9110 §4.2.1", "an empty host", request!("GET http:///hello.txt")).status(400).closes(),
    row("9110 §4.2.1", "an empty host and a port", request!("GET http://:80/hello.txt")).status(400).closes(),
    row("3986 §3.2.2", "a bad escape in the host", request!("GET http://a%zz/hello.txt"))
        .status(400)
        .closes(),
    row("3986 §3.2.3", "a port that is no number", request!("GET http://a:b/hello.txt")).status(400).closes(),
    row("9112 §3.2.2", "a scheme without authority", request!("GET http:/hello.txt")).status(400).closes(),
    row("9110 §7.4", "another scheme", request!("GET ftp://a/hello.txt"))
        .status(400)
        .others(&[404, 421])
        .closes(),
    row("9110 §7.4", "https over a connection that is not encrypted", request!("GET https://a/hello.txt"))
        .status(421)
        .others(&[200, 400])
        .closes(),
    row("9112 §3.2.2", "a fragment in a URI", request!("GET http://a/hello.txt#top")).status(400).closes(),
    row("9112 §3.2.2", "to a folder", request!("GET http://a/docs"))
        .status(301)
        .pws_field("Location", "docs/"),
];

pub const OTHER_FORMS: &[Row] = &[
    row("9110 §9.3.7", "OPTIONS *", request!("OPTIONS *"))
        .status(204)
        .others(&[200, 405, 501])
        .pws_field("Allow", "GET, HEAD, OPTIONS"),
    row("9112 §3.2.4", "GET *", request!("GET *")).status(400).others(&[404]).closes(),
    row("9112 §3.2.4", "HEAD *", request!("HEAD *")).head(400).others(&[404]).closes(),
    row("9112 §3.2.3", "CONNECT host:port", b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n")
        .status(405)
        .others(&[400, 501]),
    row("9112 §3.2.3", "CONNECT without port", request!("CONNECT a"))
        .status(400)
        .others(&[405, 501])
        .closes(),
    row("9112 §3.2.3", "CONNECT to a path", request!("CONNECT /hello.txt"))
        .status(400)
        .others(&[405, 501])
        .closes(),
    row("9112 §3.2.3", "GET host:port", request!("GET a:443")).status(400).closes(),
];
