//! From the path of a target to a file (RFC 3986 §2, §5.2.4), and to where a folder is (RFC 9110 §10.2.2).

use super::row::{Row, request, row};

pub const ESCAPES: &[Row] = &[
    row("3986 §6.2.2.2", "an escape that need not be", request!("GET /%68ello.txt"))
        .status(200)
        .content("hello\n"),
    row("3986 §6.2.2.1", "digits in either case", request!("GET /hell%6f%2Etx%74"))
        .status(200)
        .content("hello\n"),
    row("3986 §2.1", "an escaped dot", request!("GET /hello%2Etxt")).status(200).content("hello\n"),
    row("3986 §2.1", "a space", request!("GET /a%20b.txt")).status(200).content("space"),
    row("3986 §2.2", "a plus is a plus", request!("GET /a+b.txt")).status(200).content("plus"),
    row("3986 §2.5", "a name in UTF-8", request!("GET /%C3%BC.txt")).status(200).content("UTF-8"),
    row("3986 §2.1", "a name that is not UTF-8", request!("GET /%FF.txt"))
        .status(200)
        .others(&[400])
        .content("not UTF-8"),
    row("3986 §2.4", "a path is decoded once", request!("GET /%2568ello.txt")).status(404),
    row("3986 §2.2", "an escaped slash is a slash, as on other servers", request!("GET /docs%2Findex.html"))
        .status(200)
        .others(&[400, 404])
        .content("<p>docs"),
    row("3986 §2.2", "an escaped question mark starts no query", request!("GET /hello.txt%3F")).status(404),
    row("3986 §2.1", "an escape cut short", request!("GET /hello.txt%")).status(400).others(&[404]),
    row("3986 §2.1", "an escape of one digit", request!("GET /hello.txt%4")).status(400).others(&[404]),
    row("3986 §2.1", "an escape without digits", request!("GET /%zz")).status(400).others(&[404]),
    row("3986 §2.1", "an escape with a sign", request!("GET /%+1")).status(400).others(&[404]),
    row("3986 §7.3", "a NUL", request!("GET /hello.txt%00")).status(400).others(&[404]),
    row("3986 §7.3", "a NUL before another extension", request!("GET /hello.txt%00.html"))
        .status(400)
        .others(&[404]),
];

pub const PATHS: &[Row] = &[
    row("9110 §15.3.1", "the root", request!("GET /")).status(200).content("<p>home"),
    row("9110 §15.3.1", "a folder", request!("GET /docs/")).status(200).content("<p>docs"),
    row("9110 §15.3.1", "an empty file", request!("GET /empty.txt"))
        .status(200)
        .field("Content-Length", "0")
        .content(""),
    row("9110 §15.5.5", "what is not there", request!("GET /nowhere")).status(404),
    row("9110 §15.5.5", "a file as a folder", request!("GET /hello.txt/")).status(404).others(&[200]),
    row("9110 §15.5.5", "a file below a file", request!("GET /hello.txt/index.html"))
        .status(404)
        .others(&[200]),
    row("9110 §15.3.1", "a folder without index", request!("GET /bare/")).status(200).others(&[403, 404]),
    row("3986 §3.3", "path parameters are part of a name", request!("GET /hello.txt;v=1")).status(404),
    row("9110 §15.5.5", "a name longer than any", request!("GET /{a*300}")).status(404).others(&[403, 414]),
    row("9110 §15.5.5", "a path longer than any", request!("GET /{a/*2500}")).status(404).others(&[403, 414]),
    row("3986 §5.2.4", "a dot", request!("GET /./hello.txt")).status(200).content("hello\n"),
    row("3986 §5.2.4", "two dots", request!("GET /docs/../hello.txt")).status(200).content("hello\n"),
    row("3986 §5.2.4", "escaped dots", request!("GET /docs/%2e%2E/hello.txt")).status(200).content("hello\n"),
    row("3986 §5.2.4", "a dot at the end", request!("GET /docs/.")).status(200).content("<p>docs"),
    row("3986 §5.2.4", "two dots at the end", request!("GET /docs/..")).status(200).content("<p>home"),
    row("3986 §5.2.4", "two dots behind a name that is not there", request!("GET /nowhere/../hello.txt"))
        .status(200)
        .others(&[404])
        .content("hello\n"),
    row("3986 §5.2.4", "dots above the root", request!("GET /../hello.txt"))
        .status(200)
        .others(&[400, 403, 404])
        .content("hello\n"),
    row("9110 §17.3", "dots to another file", request!("GET /../../../../../etc/passwd"))
        .status(404)
        .others(&[400, 403]),
    row(
        "9110 §17.3",
        "escaped dots to another file",
        request!("GET /%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd"),
    )
    .status(404)
    .others(&[400, 403]),
    row("9110 §17.3", "escaped slashes to another file", request!("GET /..%2f..%2f..%2f..%2fetc/passwd"))
        .status(404)
        .others(&[400, 403]),
    row("9110 §17.3", "backslashes to another file", request!("GET /..\\..\\..\\..\\etc\\passwd"))
        .status(404)
        .others(&[400, 403]),
    row("3986 §3.3", "a slash twice", request!("GET //hello.txt"))
        .status(200)
        .others(&[404])
        .content("hello\n"),
];

/// Any server may also name a whole URI.
pub const LOCATION: &[Row] = &[
    row("9110 §15.4.2", "a folder without its slash", request!("GET /docs"))
        .status(301)
        .pws_field("Location", "docs/"),
    row("9110 §10.2.2", "a query stays", request!("GET /docs?a=b&c=%20"))
        .status(301)
        .pws_field("Location", "docs/?a=b&c=%20"),
    row("9110 §10.2.2", "an empty query stays", request!("GET /docs?"))
        .status(301)
        .pws_field("Location", "docs/?"),
    row("9110 §10.2.2", "dots go", request!("GET /nowhere/../docs/%2e"))
        .status(200)
        .others(&[404])
        .content("<p>docs"),
    row("9110 §10.2.2", "what is escaped stays so", request!("GET /%5cevil.com"))
        .status(301)
        .pws_field("Location", "%5cevil.com/"),
    row("3986 §4.2", "two slashes, which would lead to another host", request!("GET //evil.com/sub"))
        .status(301)
        .others(&[404])
        .pws_field("Location", "sub/"),
    row("3986 §4.2", "two slashes, and dots behind them", request!("GET //evil.com/%2e%2e/docs"))
        .status(301)
        .others(&[404])
        .pws_field("Location", "docs/"),
    row("3986 §4.2", "four slashes", request!("GET ////evil.com//sub"))
        .status(301)
        .others(&[404])
        .pws_field("Location", "sub/"),
    row("3986 §4.2", "a backslash, which browsers take for a slash", request!("GET /\\evil.com"))
        .status(301)
        .others(&[400])
        .pws_field("Location", "%5Cevil.com/"),
    row("9110 §5.5", "a line end in a name", request!("GET /two%0d%0alines"))
        .status(301)
        .others(&[400])
        .pws_field("Location", "two%0d%0alines/"),
    row("9110 §5.5", "a line end in a query", request!("GET /docs?%0d%0aSet-Cookie:%20a"))
        .status(301)
        .others(&[400])
        .pws_field("Location", "docs/?%0d%0aSet-Cookie:%20a")
        .without("Set-Cookie"),
    row("9110 §5.5", "a line end in a name that is not there", request!("GET /%0d%0aSet-Cookie:%20a"))
        .status(404)
        .others(&[400])
        .without("Set-Cookie"),
];
