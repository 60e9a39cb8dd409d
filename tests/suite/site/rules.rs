//! `_redirects` and `_headers`, as clients see them. What lines mean is tested beside the code that reads
//! them; here they meet files, options and the fields of answers.

use pws::config::SiteOptions;
use pws_testing::answer::Answer;
use pws_testing::folder::{Folder, noise};

use crate::support::visitor::Visitor;

fn page(folder: Folder, name: &str) -> Folder {
    folder.file(name, format!("<p>{name}"))
}

/// Pages that say their names, and what nobody may see.
fn pages() -> Folder {
    let names = ["new.html", "present.html", "app.html", "gone.html", "docs/index.html", "blog/hello.html"];
    let folder = names.into_iter().fold(Folder::new(), page);
    let folder = folder.file(".secret", "secret").file("list/.secret", "secret").file("list/a.txt", "a");
    folder.file_outside("outside.txt", "secret").symlink("out", "../outside.txt")
}

fn with_redirects(folder: Folder, redirects: &str) -> Visitor {
    Visitor::of(folder.file("_redirects", redirects))
}

/// All values of a field that may stand several times.
fn values<'a>(answer: &'a Answer, name: &str) -> Vec<&'a str> {
    let fields = answer.fields.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
    fields.map(|(_, value)| value.as_str()).collect()
}

const REDIRECTS: &str = "\
/old            /new.html                        301
/temporary      /new.html
/see            /new.html                        303
/keep           /new.html                        307
/for-good       /new.html                        308
/away/*         https://elsewhere.example/:splat 301
/news/:y/:slug  /blog/:slug.html                 301
/own            /new.html?own=1                  301
/search q=:q    /find/:q                         302
/app/*          /app.html                        200
/inside         /docs                            200
/clean          /new                             200
/present.html   /new.html                        301
/forced.html    /new.html                        301!
/list/          /new.html                        301
/gone/*         /gone.html                       404
/gone-too       /nowhere.html                    404
/hidden         /.secret                         200
/rules          /_headers                        200
/outside        /out                             200
/up/*           /:splat                          200
/loop-a         /loop-b                          200
/loop-b         /loop-a                          200
";

#[test]
fn redirects_lead_where_they_say() {
    let folder = page(pages(), "forced.html");
    let mut visitor = with_redirects(folder, REDIRECTS);
    for (target, status, location) in [
        ("/old", 301, "/new.html"),
        ("/old/", 301, "/new.html"),
        ("/old?a=b&c=%20", 301, "/new.html?a=b&c=%20"),
        ("/temporary", 302, "/new.html"),
        ("/see", 303, "/new.html"),
        ("/keep", 307, "/new.html"),
        ("/for-good", 308, "/new.html"),
        ("/away/a%20b/c?d", 301, "https://elsewhere.example/a%20b/c?d"),
        ("/news/2019/hello", 301, "/blog/hello.html"),
        ("/own?a=b", 301, "/new.html?own=1"),
        ("/search?q=x%26y", 302, "/find/x&y?q=x%26y"),
        // Only the one with a mark comes before a file; a list of what is in a folder is no file.
        ("/forced.html", 301, "/new.html"),
        ("/list/", 301, "/new.html"),
        // The path is the one that would be opened, however it is written.
        ("/%6f%6Cd", 301, "/new.html"),
        ("//old", 301, "/new.html"),
        ("/./a/../old", 301, "/new.html"),
        ("/a/%2e%2e/old", 301, "/new.html"),
        ("http://elsewhere.example/old", 301, "/new.html"),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = visitor.ask(method, target, "");
            assert_eq!((answer.status, answer.field("location")), (status, Some(location)), "{target}");
            assert_eq!(answer.field("content-type"), Some("text/html; charset=utf-8"), "{target}");
            assert!(!answer.text().contains("new.html"), "nothing to escape: {}", answer.text());
        }
    }
}

#[test]
fn rewrites_answer_with_another_file_and_nothing_else() {
    let mut visitor = with_redirects(pages(), REDIRECTS);
    for (target, status, text) in [
        ("/app/users/5?tab=1", 200, "<p>app.html"),
        ("/app", 200, "<p>app.html"),
        ("/inside", 200, "<p>docs/index.html"),
        ("/up/new.html", 200, "<p>new.html"),
        ("/up/docs/", 200, "<p>docs/index.html"),
        ("/present.html", 200, "<p>present.html"),
        ("/gone/1", 404, "<p>gone.html"),
    ] {
        let answer = visitor.get(target);
        assert_eq!((answer.status, answer.text().as_str()), (status, text), "{target}");
        let is_file = status == 200;
        assert_eq!((answer.field("etag").is_some(), answer.field("location")), (is_file, None), "{target}");
    }
    for target in [
        "/gone-too",
        "/clean",
        "/hidden",
        "/rules",
        "/outside",
        "/loop-a",
        "/up/.secret",
        "/up/list/.secret",
        "/up/_headers",
        "/up/_redirects",
        "/up/out",
        "/up/../../outside.txt",
        "/up/%2e%2e/outside.txt",
        "/up/..%2foutside.txt",
        "/up/%252e%252e/outside.txt",
        "/up//etc/passwd",
        "/up/list/",
    ] {
        let answer = visitor.get(target);
        assert_eq!(answer.status, 404, "{target}");
        assert!(!answer.text().contains("secret"), "{target}: {}", answer.text());
    }
}

#[test]
fn a_forced_rule_has_no_way_round_it() {
    let folder = page(page(pages(), "private/a.html"), "private/index.html");
    let mut visitor = with_redirects(folder, "/private/* /new.html 302!\n");
    for target in [
        "/private/a.html",
        "/private/",
        "/private",
        "//private/a.html",
        "/private//a.html",
        "/./private/a.html",
        "/docs/../private/a.html",
        "/docs/%2e%2e/private/a.html",
        "/%70rivate/a%2ehtml",
        "/private%2fa.html",
        "/docs%2f..%2Fprivate/a.html",
        "/private/a.html?x=/../",
        "http://other.example/private/a.html",
    ] {
        let answer = visitor.get_with(target, "Range: bytes=0-1\r\n");
        let location = answer.field("location").unwrap_or_default();
        assert_eq!((answer.status, location.split('?').next()), (302, Some("/new.html")), "{target}");
    }
}

#[test]
fn nobody_is_led_to_a_site_that_the_request_names() {
    let folder = pages().file("\\evil.example/index.html", "").file("evil.example/a.html", "");
    let folder =
        folder.file("_redirects", "/r/* /:splat 302\n/q to=:to /:to 302\n/away/* https://a.example/:splat\n");
    let options = SiteOptions { clean_urls: true, ..SiteOptions::default() };
    let mut visitor = Visitor::with(folder, options);
    let ends = [
        "/evil.example",
        "//evil.example",
        "/%2fevil.example",
        "/\\evil.example",
        "/%5cevil.example",
        "/%5Cevil.example/..",
        "/https://evil.example",
        "/https:%2f%2fevil.example",
        "/%0d%0aSet-Cookie:%20evil=1",
        "/%0aLocation:%20https://evil.example",
        "/@evil.example",
        "/%09/evil.example",
        "/.evil.example/%2e%2e//evil.example",
        "/evil.example/a.html",
    ];
    let mut redirects = 0;
    for start in ["", "/", "/r", "/r/", "/q?to=", "/q?to=/", "/away", "/docs/..", "/evil.example/%2e%2e"] {
        for end in ends {
            let target = format!("{start}{end}");
            let answer = visitor.get(&target);
            assert_eq!(answer.field("set-cookie"), None, "{target}");
            if let Some(location) = answer.field("location") {
                redirects += 1;
                let path = location.strip_prefix("https://a.example").unwrap_or(location);
                let has_scheme = path.split(['/', '?']).next().is_some_and(|name| name.contains(':'));
                let is_led_out = location == path && path.starts_with("//") || has_scheme;
                assert!(!is_led_out && !path.contains('\\'), "{target} leads to {location}");
            }
        }
    }
    assert!(redirects > 50, "{redirects} redirects: most were none");
}

const HEADERS: &str = "\
/*
  X-Everywhere: yes
/assets/*
  Cache-Control: max-age=31536000, immutable
/framed.html
  ! X-Content-Type-Options
  Content-Security-Policy: default-src 'self'
/data
  Content-Type: application/geo+json
  Vary: Cookie
/untyped.html
  ! Content-Type
/packed/*
  Content-Encoding: gzip
  Content-Type: application/wasm
";

fn with_headers() -> Visitor {
    let folder = ["framed.html", "untyped.html", "docs/index.html", "private/x.html"];
    let folder = folder.into_iter().fold(Folder::new(), page);
    let folder = folder.file("assets/app.js", "let a;").file("assets/app.js.br", "br").file("list/a", "");
    let folder = folder.file("data", noise(600)).file("data.gz", "gz").file("packed/a", noise(600));
    let redirects = "/old /new 301\n/gone /framed.html 404\n/app /framed.html 200\n";
    Visitor::of(folder.file("_redirects", redirects).file("_headers", HEADERS))
}

#[test]
fn fields_go_with_every_answer_of_a_path() {
    let mut visitor = with_headers();
    for (method, target, fields, status) in [
        ("GET", "/framed.html", "", 200),
        ("HEAD", "/framed.html", "", 200),
        ("GET", "/docs/", "", 200),
        ("GET", "/app", "", 200),
        ("GET", "/assets/app.js", "Range: bytes=0-0\r\n", 206),
        ("GET", "/assets/app.js", "Range: bytes=99-\r\n", 416),
        ("GET", "/assets/app.js", "If-None-Match: *\r\n", 304),
        ("GET", "/assets/app.js", "If-Match: \"a\"\r\n", 412),
        ("GET", "/assets/nowhere.js", "", 404),
        ("GET", "/gone", "", 404),
        ("GET", "/old", "", 301),
        ("GET", "/docs", "", 301),
        ("GET", "/list/", "", 200),
        ("GET", "/list/", "Accept: application/json\r\n", 200),
        ("HEAD", "/list/", "", 200),
        ("GET", "/list/", "If-None-Match: *\r\n", 304),
    ] {
        let answer = visitor.ask(method, target, fields);
        let expected = (status, Some("yes"));
        assert_eq!((answer.status, answer.field("x-everywhere")), expected, "{method} {target} {fields}");
        let is_meant = target.starts_with("/assets/") && matches!(status, 206 | 304);
        let caching = if is_meant { "max-age=31536000, immutable" } else { "no-cache" };
        assert_eq!(answer.field("cache-control"), Some(caching), "{method} {target} {fields}");
    }
    for spelling in
        ["//assets/app.js", "/docs/../assets/app.js", "/%61ssets/app.js", "/x/%2e%2e/assets/app.js"]
    {
        let caching = visitor.get(spelling).field("cache-control").map(str::to_owned);
        assert_eq!(caching.as_deref(), Some("max-age=31536000, immutable"), "{spelling}");
    }
}

/// A page that is sent for a path where nothing is has the fields of its own path.
#[test]
fn what_stands_in_has_the_fields_of_its_own_path() {
    let rules = "/assets/*\n  Cache-Control: max-age=31536000, immutable\n  X-Asset: yes\n\
                 /app.html\n  Cache-Control: max-age=5\n  X-Page: app\n\
                 /en/404.html\n  X-Page: en\n  Content-Type: text/html; charset=iso-8859-1\n\
                 /404.html\n  Cache-Control: max-age=5\n  X-Page: lost\n";
    let redirects = "/assets/rewritten/* /app.html 200\n/en/* /en/404.html 404\n/moved /app.html 301\n";
    let folder = ["app.html", "404.html", "en/404.html"].into_iter().fold(Folder::new(), page);
    let folder = folder.file("_headers", rules).file("_redirects", redirects);
    let options = SiteOptions { fallback: Some("app.html".to_owned()), ..SiteOptions::default() };
    let mut visitor = Visitor::with(folder, options);
    let html = "text/html; charset=utf-8";
    for (target, accept, status, page, caching, content_type) in [
        ("/app.html", "", 200, "app", "max-age=5", html),
        ("/assets/nowhere", "Accept: text/html\r\n", 200, "app", "max-age=5", html),
        ("/assets/rewritten/a", "", 200, "app", "max-age=5", html),
        ("/assets/nowhere", "", 404, "lost", "no-cache", html),
        ("/en/nowhere", "", 404, "en", "no-cache", "text/html; charset=iso-8859-1"),
        // By its own name it is a page like any other.
        ("/404.html", "", 200, "lost", "max-age=5", html),
    ] {
        let answer = visitor.get_with(target, accept);
        let told = ["x-page", "cache-control", "content-type"].map(|name| answer.field(name));
        let expected = [page, caching, content_type].map(Some);
        assert_eq!((answer.status, told), (status, expected), "{target} {accept}");
        assert_eq!(answer.field("x-asset"), None, "{target}");
    }
    assert_eq!(visitor.get("/moved").field("cache-control"), Some("no-cache"), "the owner's redirects, too");
}

#[test]
fn rules_replace_what_would_be_said_otherwise() {
    let mut visitor = with_headers();
    let framed = visitor.get("/framed.html");
    assert_eq!(framed.field("x-content-type-options"), None);
    assert_eq!(visitor.get("/docs/").field("x-content-type-options"), Some("nosniff"), "elsewhere it stays");
    for (fields, accept_vary) in [("", true), ("Accept-Encoding: gzip\r\n", true)] {
        let answer = visitor.get_with("/data", fields);
        let vary = values(&answer, "vary");
        assert!(vary.contains(&"Cookie") && vary.contains(&"Accept-Encoding") == accept_vary, "{vary:?}");
        assert_eq!(answer.field("content-type"), Some("application/geo+json"));
    }
    // A policy of the owner's takes the place of that of our own pages.
    let folder = Folder::new()
        .file("list/a", "")
        .file("_headers", "/*\n  Content-Security-Policy: default-src 'self'");
    let mut visitor = Visitor::of(folder);
    for target in ["/list/", "/nowhere"] {
        assert_eq!(
            visitor.get(target).field("content-security-policy"),
            Some("default-src 'self'"),
            "{target}"
        );
    }
    visitor.folder.put("_headers", "/*\n  ! Content-Security-Policy\n");
    for target in ["/list/", "/nowhere"] {
        assert_eq!(visitor.at(1).get(target).field("content-security-policy"), None, "{target}");
    }
}

#[test]
fn a_type_is_that_of_the_file_and_of_nothing_sent_in_its_place() {
    let mut visitor = with_headers();
    let (own, html) = (Some("application/geo+json"), Some("text/html; charset=utf-8"));
    for (method, target, fields, status, expected) in [
        ("GET", "/data", "", 200, own),
        ("HEAD", "/data", "", 200, own),
        ("GET", "/data", "Range: bytes=0-0\r\n", 206, own),
        ("GET", "/data", "Range: bytes=999-\r\n", 416, html),
        ("GET", "/data", "If-None-Match: *\r\n", 304, None),
        ("GET", "/data", "If-Match: \"a\"\r\n", 412, html),
        ("GET", "/untyped.html", "", 200, None),
        ("GET", "/untyped.html", "Range: bytes=0-0\r\n", 206, None),
        ("GET", "/packed/nowhere", "", 404, html),
        ("GET", "/packed", "", 301, html),
        ("GET", "/packed/", "", 200, html),
    ] {
        let answer = visitor.ask(method, target, fields);
        assert_eq!((answer.status, answer.field("content-type")), (status, expected), "{target} {fields}");
        assert_eq!(answer.field("content-encoding"), None, "{target} {fields}");
    }
    let parts = visitor.get_with("/data", "Range: bytes=0-1,500-501\r\n");
    assert!(parts.field("content-type").is_some_and(|value| value.starts_with("multipart/byteranges; ")));
    for (fields, status) in [("", 200), ("Range: bytes=0-0\r\n", 206)] {
        let packed = visitor.get_with("/packed/a", fields);
        assert_eq!((packed.status, packed.field("content-encoding")), (status, Some("gzip")));
        assert_eq!(packed.field("content-type"), Some("application/wasm"));
    }
}

/// Each part has a head of its own, which says the type: where that is long, the whole is shorter.
#[test]
fn parts_never_take_more_than_the_whole() {
    let rules = format!("/long\n  Content-Type: text/plain; of={}\n", "a".repeat(140));
    let content = noise(5000);
    let folder = Folder::new().file("long", &content).file("short", &content).file("_headers", rules);
    let mut visitor = Visitor::of(folder);
    let ranges: Vec<String> = (0..24).map(|part| format!("{0}-{0}", part * 200)).collect();
    for (target, count, status) in
        [("/short", 24, 206), ("/long", 24, 200), ("/long", 12, 206), ("/short", 2, 206)]
    {
        let answer = visitor.get_with(target, &format!("Range: bytes={}\r\n", ranges[..count].join(",")));
        assert_eq!(answer.status, status, "{target} {count}");
        assert!(answer.body.len() <= content.len() && (status == 206 || answer.body == content), "{target}");
    }
}

#[test]
fn the_files_of_rules_are_never_served() {
    let folder =
        page(pages(), "404.html").file("_headers", "/*\n  A: b\n").file("_headers.br", "br of rules");
    let folder =
        folder.file("_redirects", "/to-rules /_redirects 404\n").file("docs/_headers", "of no account");
    let options = SiteOptions {
        hidden: vec![".*".to_owned()],
        clean_urls: true,
        fallback: Some("_headers".to_owned()),
        indexes: vec!["_redirects".to_owned()],
        ..SiteOptions::default()
    };
    let mut visitor = Visitor::with(folder, options);
    for name in ["_headers", "_redirects"] {
        for start in ["/", "//", "/./", "/docs/../", "/%2e/", "/docs/%2e%2e/"] {
            for end in ["", "/", "?", "?format=json", "/."] {
                let escaped = name.replace('_', "%5f").replace("er", "%65%72");
                for target in [format!("{start}{name}{end}"), format!("{start}{escaped}{end}")] {
                    let fields = "Accept-Encoding: br, gzip\r\nAccept: text/html\r\n";
                    let answer = visitor.get_with(&target, fields);
                    assert_eq!((answer.status, answer.text().as_str()), (404, "<p>404.html"), "{target}");
                }
            }
        }
    }
    assert_eq!(visitor.get("/to-rules").status, 404);
    let list = visitor.get("/").text();
    assert!(!list.contains("_redirects") && !list.contains(">_headers<"), "{list}");
    assert_eq!(visitor.get("/docs/_headers").text(), "of no account", "only those at the top are rules");
}
