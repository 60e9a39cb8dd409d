//! How long what a client sends may be (RFC 9110 §2.3, §4.1, §5.4; RFC 9112 §3). Other servers have their own
//! bounds.

use super::row::{Row, request, row};

pub const LIMITS: &[Row] = &[
    row("9110 §4.1", "a target of 8,000 bytes", request!("GET /hello.txt?{a*7989}"))
        .status(200)
        .content("hello\n"),
    row("9112 §3", "a target of 8 KiB", request!("GET /hello.txt?{a*8181}"))
        .status(200)
        .others(&[414, 431])
        .content("hello\n"),
    row("9110 §15.5.15", "a target of 8 KiB and a byte", request!("GET /hello.txt?{a*8182}"))
        .status(414)
        .others(&[200, 431])
        .closes(),
    row("9110 §15.5.15", "a target without end", b"GET /{a*20000}").status(414).closes().in_memory_only(),
    row("9112 §3", "a method without end", b"{A*20000}").status(431).closes().in_memory_only(),
    row("9110 §5.4", "100 fields", request!("GET /hello.txt", "{X: a\r\n*98}Y: b"))
        .status(200)
        .others(&[431])
        .content("hello\n"),
    row("6585 §5", "101 fields", request!("GET /hello.txt", "{X: a\r\n*99}Y: b"))
        .status(431)
        .others(&[200, 400])
        .closes(),
    row("9110 §5.4", "a head of 16 KiB", request!("GET /hello.txt", "X: {a*16343}"))
        .status(200)
        .others(&[400, 431])
        .content("hello\n"),
    row("6585 §5", "a head of 16 KiB and a byte", request!("GET /hello.txt", "X: {a*16344}"))
        .status(431)
        .others(&[200, 400])
        .closes(),
    row("6585 §5", "a field without end", b"GET / HTTP/1.1\r\nHost: a\r\nX: {a*20000}")
        .status(431)
        .closes()
        .in_memory_only(),
];
