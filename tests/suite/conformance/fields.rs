//! Field lines (RFC 9112 §5) and what Host must be (RFC 9112 §3.2, RFC 9110 §7.2).

use super::row::{Row, request, row};

pub const FIELD_LINES: &[Row] = &[
    row("9112 §5", "no space behind the colon", b"GET /hello.txt HTTP/1.1\r\nHost:a\r\n\r\n")
        .status(200)
        .content("hello\n"),
    row("9112 §5.1", "much white space around a value", b"GET /hello.txt HTTP/1.1\r\nHost: \t a \t\r\n\r\n")
        .status(200)
        .content("hello\n"),
    row(
        "9110 §5.1",
        "names in any case",
        b"GET /hello.txt HTTP/1.1\r\nhOsT: a\r\ncontent-LENGTH: 1\r\n\r\nx",
    )
    .status(200)
    .others(&[400])
    .content("hello\n"),
    row("9110 §5.5", "an empty value", request!("GET /hello.txt", "X:")).status(200).content("hello\n"),
    row("9110 §5.5", "a tab in a value", request!("GET /hello.txt", "X: a\tb"))
        .status(200)
        .content("hello\n"),
    row("9110 §5.5", "bytes past ASCII in a value", request!("GET /hello.txt", "X: \u{fc}"))
        .status(200)
        .content("hello\n"),
    row(
        "9110 §5.1",
        "a name of every kind of character",
        request!("GET /hello.txt", "!#$%&'*+-.^_`|~09aZ: a"),
    )
    .status(200)
    .content("hello\n"),
    row("9110 §5.1", "a field nobody knows, twice", request!("GET /hello.txt", "X: a", "X: b"))
        .status(200)
        .content("hello\n"),
    row("9112 §5.1", "a space before the colon", request!("GET /hello.txt", "X : a")).status(400).closes(),
    row("9112 §5.1", "a tab before the colon", request!("GET /hello.txt", "X\t: a")).status(400).closes(),
    row(
        "9112 §5.1",
        "a space before the colon of a length",
        request!("GET /hello.txt", "Content-Length : 5"),
    )
    .status(400)
    .closes(),
    row("9112 §5", "an empty name", request!("GET /hello.txt", ": a")).status(400).closes(),
    row("9112 §5", "no colon", request!("GET /hello.txt", "nonsense")).status(400).closes(),
    row("9110 §5.1", "a parenthesis in a name", request!("GET /hello.txt", "X(: a")).status(400).closes(),
    row("9110 §5.1", "a quote in a name", request!("GET /hello.txt", "X\": a")).status(400).closes(),
    row("9110 §5.1", "a space in a name", request!("GET /hello.txt", "X Y: a")).status(400).closes(),
    row("9110 §5.1", "a byte past ASCII in a name", request!("GET /hello.txt", "\u{fc}: a"))
        .status(400)
        .closes(),
    row("9110 §5.1", "a NUL in a name", request!("GET /hello.txt", "X\0: a")).status(400).closes(),
    row(
        "9112 §2.2",
        "white space before the first field",
        b"GET /hello.txt HTTP/1.1\r\n X: a\r\nHost: a\r\n\r\n",
    )
    .status(400)
    .others(&[200])
    .closes(),
    row("9112 §5.2", "a folded line", request!("GET /hello.txt", "X: a", " b"))
        .status(400)
        .others(&[200])
        .closes(),
    row("9112 §5.2", "a line folded by a tab", request!("GET /hello.txt", "X: a", "\tb"))
        .status(400)
        .others(&[200])
        .closes(),
    row("9112 §5.2", "a line folded to nothing", request!("GET /hello.txt", "X: a", " "))
        .status(400)
        .others(&[200])
        .closes(),
    row("9110 §5.5", "a NUL in a value", request!("GET /hello.txt", "X: a\0b"))
        .status(400)
        .others(&[200])
        .closes(),
    row("9112 §2.2", "a bare CR in a value", request!("GET /hello.txt", "X: a\rY: b"))
        .status(400)
        .others(&[200])
        .closes(),
    row("9110 §5.5", "another control byte in a value", request!("GET /hello.txt", "X: a\x1bb"))
        .status(400)
        .others(&[200])
        .closes(),
    row("9110 §5.5", "a DEL in a value", request!("GET /hello.txt", "X: a\x7fb"))
        .status(400)
        .others(&[200])
        .closes(),
    row(
        "9112 §2.2",
        "a field line that ends in a bare LF",
        b"GET /hello.txt HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
    )
    .status(400)
    .others(&[200])
    .closes(),
    row("9112 §2.2", "a head that ends in a bare LF", b"GET /hello.txt HTTP/1.1\r\nHost: a\r\n\n")
        .status(400)
        .others(&[200])
        .closes(),
    row("9112 §2.2", "some that end in a bare LF", b"GET /hello.txt HTTP/1.1\nHost: a\nX: b\r\n\n")
        .status(400)
        .others(&[200])
        .closes(),
    row("9112 §2.2", "all but the last", b"GET /hello.txt HTTP/1.1\nHost: a\n\r\n")
        .status(400)
        .others(&[200])
        .closes(),
    row("9112 §2.2", "a CR twice at a line's end", request!("GET /hello.txt", "X: a\r")).status(400).closes(),
];

pub const HOST: &[Row] = &[
    row("9112 §3.2", "none", b"GET /hello.txt HTTP/1.1\r\n\r\n").status(400).closes(),
    row("9112 §3.2", "none, in HTTP/1.0", b"GET /hello.txt HTTP/1.0\r\n\r\n")
        .status(200)
        .content("hello\n")
        .closes(),
    row("9112 §3.2", "none, in HTTP/1.2", b"GET /hello.txt HTTP/1.2\r\n\r\n")
        .status(400)
        .others(&[505])
        .closes(),
    row("9112 §3.2", "two", request!("GET /hello.txt", "Host: b")).status(400).closes(),
    row("9112 §3.2", "the same twice", request!("GET /hello.txt", "Host: a")).status(400).closes(),
    row("9112 §3.2", "two, far apart and in capitals", request!("GET /hello.txt", "X: a", "HOST: a"))
        .status(400)
        .closes(),
    row("9112 §3.2", "two, in HTTP/1.0", b"GET /hello.txt HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n")
        .status(400)
        .others(&[200])
        .closes(),
    row("9112 §3.3", "empty, for the default", b"GET /hello.txt HTTP/1.1\r\nHost:\r\n\r\n")
        .status(200)
        .others(&[400])
        .content("hello\n"),
    row("9110 §7.2", "with a port", b"GET /hello.txt HTTP/1.1\r\nHost: a.example:8080\r\n\r\n")
        .status(200)
        .content("hello\n"),
    row("3986 §3.2.3", "with an empty port", b"GET /hello.txt HTTP/1.1\r\nHost: a:\r\n\r\n")
        .status(200)
        .content("hello\n"),
    row("3986 §3.2.2", "an IPv4 address", b"GET /hello.txt HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n")
        .status(200)
        .content("hello\n"),
    row("3986 §3.2.2", "an IPv6 address", b"GET /hello.txt HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n")
        .status(200)
        .content("hello\n"),
    row(
        "3986 §3.2.2",
        "an IPv6 address with an IPv4 one",
        b"GET /hello.txt HTTP/1.1\r\nHost: [::192.0.2.1]\r\n\r\n",
    )
    .status(200)
    .content("hello\n"),
    row(
        "3986 §3.2.2",
        "all that a name may be made of",
        b"GET /hello.txt HTTP/1.1\r\nHost: a-._~!$&'()*+,;=%20\r\n\r\n",
    )
    .status(200)
    .others(&[400])
    .content("hello\n"),
    row("9112 §3.2", "a space", b"GET /hello.txt HTTP/1.1\r\nHost: a b\r\n\r\n").status(400).closes(),
    row("9112 §3.2", "a path", b"GET /hello.txt HTTP/1.1\r\nHost: a/b\r\n\r\n").status(400).closes(),
    row("9112 §3.2", "a URI", b"GET /hello.txt HTTP/1.1\r\nHost: http://a\r\n\r\n").status(400).closes(),
    row("9112 §3.2", "user information", b"GET /hello.txt HTTP/1.1\r\nHost: user@a\r\n\r\n")
        .status(400)
        .closes(),
    row("9112 §3.2", "two ports", b"GET /hello.txt HTTP/1.1\r\nHost: a:80:80\r\n\r\n").status(400).closes(),
    row("9112 §3.2", "a port that is no number", b"GET /hello.txt HTTP/1.1\r\nHost: a:b\r\n\r\n")
        .status(400)
        .closes(),
    row("9112 §3.2", "a port with a sign", b"GET /hello.txt HTTP/1.1\r\nHost: a:+80\r\n\r\n")
        .status(400)
        .closes(),
    row("9112 §3.2", "a bad escape", b"GET /hello.txt HTTP/1.1\r\nHost: a%zz\r\n\r\n").status(400).closes(),
    row("9112 §3.2", "a byte past ASCII", b"GET /hello.txt HTTP/1.1\r\nHost: \xc3\xbc\r\n\r\n")
        .status(400)
        .closes(),
    row("9112 §3.2", "a bracket that is not closed", b"GET /hello.txt HTTP/1.1\r\nHost: [::1\r\n\r\n")
        .status(400)
        .closes(),
    row("9112 §3.2", "something behind a bracket", b"GET /hello.txt HTTP/1.1\r\nHost: [::1]a\r\n\r\n")
        .status(400)
        .closes(),
    row("9112 §3.2", "nothing in brackets", b"GET /hello.txt HTTP/1.1\r\nHost: []\r\n\r\n")
        .status(400)
        .closes(),
    row("9112 §3.2", "a name in brackets", b"GET /hello.txt HTTP/1.1\r\nHost: [localhost]\r\n\r\n")
        .status(400)
        .closes(),
    row(
        "9112 §3.2",
        "an IPv6 address of too many parts",
        b"GET /hello.txt HTTP/1.1\r\nHost: [1:2:3:4:5:6:7:8:9]\r\n\r\n",
    )
    .status(400)
    .closes(),
    row(
        "9112 §3.2",
        "an IPv6 address that leaves out twice",
        b"GET /hello.txt HTTP/1.1\r\nHost: [1::2::3]\r\n\r\n",
    )
    .status(400)
    .closes(),
];
