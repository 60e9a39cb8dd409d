//! Fields that options put on every answer.

use pws::clock::Now;
use pws::config::SiteOptions;
use pws::http::refusal::Refusal;
use pws::limits::Limits;
use pws::outbox::Outbox;
use pws::responder::Responder;
use pws::site::Site;
use pws_testing::answer::Answer;
use pws_testing::folder::Folder;

use crate::support::visitor::Visitor;

fn folder() -> Folder {
    Folder::new().file("a.txt", "0123456789").file("docs/index.html", "<p>docs").file("list/a", "")
}

fn with_fields(fields: &[(&str, &str)]) -> Visitor {
    let fields = fields.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    Visitor::with(folder(), SiteOptions { fields, ..SiteOptions::default() })
}

fn with_cors(origin: &str) -> Visitor {
    Visitor::with(folder(), SiteOptions { cors: Some(origin.to_owned()), ..SiteOptions::default() })
}

/// Answers of every kind, each with what it was asked by.
#[track_caller]
fn answers(visitor: &mut Visitor) -> Vec<(String, Answer)> {
    let cases = [
        ("GET", "/a.txt", "", 200),
        ("HEAD", "/a.txt", "", 200),
        ("GET", "/a.txt", "Range: bytes=0-0\r\n", 206),
        ("GET", "/a.txt", "Range: bytes=0-0,5-5\r\n", 206),
        ("GET", "/a.txt", "Range: bytes=99-\r\n", 416),
        ("GET", "/a.txt", "If-None-Match: *\r\n", 304),
        ("GET", "/a.txt", "If-Match: \"a\"\r\n", 412),
        ("GET", "/docs", "", 301),
        ("GET", "/docs/", "", 200),
        ("GET", "/list/", "", 200),
        ("GET", "/list/?format=json", "", 200),
        ("GET", "/list/", "If-None-Match: *\r\n", 304),
        ("GET", "/nowhere", "", 404),
        ("GET", "/%zz", "", 400),
        ("POST", "/a.txt", "", 405),
        ("OPTIONS", "/a.txt", "", 204),
        ("OPTIONS", "*", "", 204),
        ("BREW", "/a.txt", "", 501),
    ];
    let ask = |(method, target, fields, status)| {
        let answer = visitor.ask(method, target, fields);
        assert_eq!(answer.status, status, "{method} {target} {fields}");
        (format!("{method} {target} {fields}"), answer)
    };
    cases.into_iter().map(ask).collect()
}

#[test]
fn files_are_what_their_type_says_unless_the_owner_has_it_otherwise() {
    for (asked, answer) in answers(&mut with_fields(&[])) {
        assert_eq!(answer.field("x-content-type-options"), Some("nosniff"), "{asked}");
    }
    for (asked, answer) in answers(&mut with_fields(&[("x-content-TYPE-options", "none")])) {
        assert_eq!(answer.field("x-content-type-options"), Some("none"), "{asked}");
    }
}

#[test]
fn what_may_be_anything_is_left_to_browsers() {
    let rules = "/told/*\n  Content-Type: text/javascript\n/firm/*\n  X-Content-Type-Options: nosniff\n";
    let names = ["app.js.download", "script", "told/a.unheard", "firm/b.unheard", "a.bin", "a.js"];
    let folder = names.into_iter().fold(Folder::new(), |folder, name| folder.file(name, "let a;"));
    let mut visitor = Visitor::of(folder.file("_headers", rules));
    for (target, expected) in [
        ("/app.js.download", None),
        ("/script", None),
        ("/script?v=1", None),
        ("/told/a.unheard", Some("nosniff")),
        ("/firm/b.unheard", Some("nosniff")),
        ("/a.bin", Some("nosniff")),
        ("/a.js", Some("nosniff")),
        ("/nowhere", Some("nosniff")),
    ] {
        let tag = visitor.get(target).field("etag").unwrap_or("\"none\"").to_owned();
        for fields in [String::new(), "Range: bytes=0-0\r\n".into(), format!("If-None-Match: {tag}\r\n")] {
            let answer = visitor.get_with(target, &fields);
            assert_eq!(answer.field("x-content-type-options"), expected, "{target} {fields}");
        }
    }
}

#[test]
fn every_answer_has_the_fields_that_were_asked_for() {
    let policy = "default-src 'self'";
    let mut visitor = with_fields(&[
        ("X-Frame-Options", "DENY"),
        ("Cache-Control", "max-age=60"),
        ("Content-Security-Policy", policy),
        ("Link", "</a>; rel=a"),
        ("Link", "</b>; rel=b"),
    ]);
    for (asked, answer) in answers(&mut visitor) {
        for (name, value) in [("x-frame-options", "DENY"), ("content-security-policy", policy)] {
            assert_eq!(answer.field(name), Some(value), "{asked}");
        }
        let links = answer.fields.iter().filter(|(name, _)| name == "Link").map(|(_, value)| &value[..]);
        assert_eq!(links.collect::<Vec<_>>(), ["</a>; rel=a", "</b>; rel=b"], "{asked}");
    }
    visitor.folder.put("_headers", "/a.txt\n  Cache-Control: no-store\n  ! Link\n");
    let ruled = visitor.at(1).get("/a.txt");
    assert_eq!(
        (ruled.field("cache-control"), ruled.field("link")),
        (Some("no-store"), None),
        "rules come first"
    );
    assert_eq!(ruled.field("x-frame-options"), Some("DENY"));
}

/// How long each answer says that it is good.
fn told(answer: &Answer) -> (Option<&str>, Option<&str>) {
    (answer.field("cache-control"), answer.field("expires"))
}

#[test]
fn how_long_a_file_is_good_says_its_owner_and_of_an_error_nobody() {
    let date = "Thu, 01 Dec 2044 16:00:00 GMT";
    let owned = [
        vec![],
        vec![("cache-control", "max-age=60"), ("Expires", date), ("CDN-Cache-Control", "max-age=9")],
        vec![("Expires", date)],
    ];
    for fields in owned {
        let set = |name: &str| {
            let mut values = fields.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
            values.next().map(|(_, value)| *value)
        };
        let of_file = match fields.is_empty() {
            true => (Some("no-cache"), None),
            false => (set("cache-control"), set("expires")),
        };
        for by_rules in [false, true] {
            let mut visitor = with_fields(if by_rules { &[] } else { &fields[..] });
            if by_rules && !fields.is_empty() {
                let lines = fields.iter().map(|(name, value)| format!("  {name}: {value}\n"));
                visitor.folder.put("_headers", format!("/*\n{}", lines.collect::<String>()));
                visitor.reopen(SiteOptions::default());
            }
            for (asked, answer) in answers(&mut visitor) {
                let is_of_path = !by_rules || !asked.contains("OPTIONS *");
                let expected = match answer.status {
                    200 | 204 | 206 | 304 if is_of_path => of_file,
                    _ => (Some("no-cache"), None),
                };
                assert_eq!(told(&answer), expected, "{asked} {fields:?} {by_rules}");
                let is_for_others = answer.field("cdn-cache-control").is_some();
                assert!(!is_for_others || answer.status < 300 || answer.status == 304, "{asked}");
            }
        }
    }
}

#[test]
fn what_stands_in_for_another_path_is_as_good_as_its_own_says() {
    let folder = folder()
        .file("index.html", "<p>app")
        .file("404.html", "<p>lost")
        .file("_redirects", "/old/* /docs/ 200\n/gone /docs/ 404\n")
        .file(
            "_headers",
            "/assets/*\n  Cache-Control: immutable\n  X-Path: assets\n/index.html\n  X-Path: index\n\
             /old/*\n  Cache-Control: immutable\n/docs/*\n  X-Path: docs\n  Cache-Control: max-age=5\n\
             /404.html\n  X-Path: lost\n  Cache-Control: immutable\n",
        );
    let options = SiteOptions { fallback: Some("index.html".to_owned()), ..SiteOptions::default() };
    let mut visitor = Visitor::with(folder, options);
    for (target, accept, expected) in [
        ("/assets/gone.js", "Accept: text/html\r\n", (200, Some("index"), Some("no-cache"))),
        ("/assets/gone.js", "", (404, Some("lost"), Some("no-cache"))),
        ("/old/page", "", (200, Some("docs"), Some("max-age=5"))),
        ("/gone", "", (404, Some("docs"), Some("no-cache"))),
    ] {
        let answer = visitor.get_with(target, accept);
        let seen = (answer.status, answer.field("x-path"), answer.field("cache-control"));
        assert_eq!(seen, expected, "{target} {accept}");
    }
}

#[test]
fn of_what_is_over_in_a_moment_nothing_is_kept() {
    let fields = vec![("Cache-Control".to_owned(), "max-age=60".to_owned())];
    let options = SiteOptions { fields, ..SiteOptions::default() };
    let folder = folder();
    let mut site = Site::open(&folder.path(""), &options, &Limits::default()).expect("a site");
    for (refusal, expected) in [(Refusal::NoRoom, "no-store"), (Refusal::TargetTooLong, "no-cache")] {
        let mut outbox = Outbox::new();
        site.refuse(refusal, false, &Now::at(0, 1), &mut outbox);
        let head = String::from_utf8_lossy(outbox.bytes_mut()).into_owned();
        let line = format!("\r\nCache-Control: {expected}\r\n");
        assert_eq!((head.matches(&line).count(), head.matches("Cache-Control").count()), (1, 1), "{head}");
    }
}

#[test]
fn pages_of_other_origins_may_read_what_the_owner_lets_them() {
    for origin in ["*", "https://app.example"] {
        let mut visitor = with_cors(origin);
        for (asked, answer) in answers(&mut visitor) {
            assert_eq!(answer.field("access-control-allow-origin"), Some(origin), "{asked}");
            assert_eq!(answer.field("access-control-expose-headers"), Some("*"), "{asked}");
            // These are for preflights only, which none of them is.
            assert_eq!(answer.field("access-control-allow-methods"), None, "{asked}");
            assert_eq!(answer.field("access-control-max-age"), None, "{asked}");
        }
        for asker in ["https://app.example", "https://evil.example", "null"] {
            let answer = visitor.get_with("/a.txt", &format!("Origin: {asker}\r\n"));
            assert_eq!(answer.field("access-control-allow-origin"), Some(origin), "it is never who asks");
            assert_eq!(answer.field("access-control-allow-credentials"), None);
        }
    }
}

const PREFLIGHT: &str = "Origin: https://app.example\r\nAccess-Control-Request-Method: GET\r\n";

#[test]
fn preflights_are_told_what_may_be_done() {
    let mut visitor = with_cors("*");
    for target in ["/a.txt", "/nowhere", "*"] {
        let answer = visitor.ask("OPTIONS", target, PREFLIGHT);
        assert_eq!((answer.status, answer.field("content-length")), (204, None), "{target}");
        for (name, value) in [
            ("access-control-allow-origin", Some("*")),
            ("access-control-allow-methods", Some("GET, HEAD, OPTIONS")),
            ("access-control-max-age", Some("86400")),
            ("allow", Some("GET, HEAD, OPTIONS")),
            ("access-control-allow-headers", None),
            ("access-control-allow-private-network", None),
        ] {
            assert_eq!(answer.field(name), value, "{target} {name}");
        }
    }
    for (requested, allowed) in [
        ("range", Some("range")),
        ("range, x-custom,If-None-Match", Some("range, x-custom,If-None-Match")),
        ("", None),
        (",", None),
        ("range,", None),
        ("a b", None),
        ("a: b", None),
        ("range;q=1", None),
        ("<script>", None),
        ("a, \"b\"", None),
        ("\u{e4}", None),
    ] {
        let fields = format!("{PREFLIGHT}Access-Control-Request-Headers: {requested}\r\n");
        let answer = visitor.ask("OPTIONS", "/a.txt", &fields);
        assert_eq!(
            (answer.status, answer.field("access-control-allow-headers")),
            (204, allowed),
            "{requested}"
        );
    }
    for (value, expected) in [("true", Some("true")), ("false", None), ("", None)] {
        let fields = format!("{PREFLIGHT}Access-Control-Request-Private-Network: {value}\r\n");
        let answer = visitor.ask("OPTIONS", "/a.txt", &fields);
        assert_eq!(answer.field("access-control-allow-private-network"), expected, "{value}");
    }
    let owners = [("Access-Control-Max-Age", "5"), ("access-control-allow-headers", "x-only")];
    let fields = owners.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let options = SiteOptions { cors: Some("*".to_owned()), fields, ..SiteOptions::default() };
    let asked = format!("{PREFLIGHT}Access-Control-Request-Headers: range\r\n");
    let answer = Visitor::with(folder(), options).ask("OPTIONS", "/a.txt", &asked);
    for (name, value) in owners {
        assert_eq!(answer.field(name), Some(value), "the owner has the last word");
    }
}

#[test]
fn nothing_is_said_of_other_origins_unless_asked_for() {
    let mut visitor = with_fields(&[]);
    let mut all = answers(&mut visitor);
    let fields = format!("{PREFLIGHT}Access-Control-Request-Headers: range\r\n");
    all.push(("a preflight".to_owned(), visitor.ask("OPTIONS", "/a.txt", &fields)));
    all.push(("another origin".to_owned(), visitor.get_with("/a.txt", "Origin: https://app.example\r\n")));
    for (asked, answer) in all {
        let names = answer.fields.iter().map(|(name, _)| name.to_ascii_lowercase());
        let told: Vec<String> = names.filter(|name| name.starts_with("access-control")).collect();
        assert_eq!(told, [""; 0], "{asked}");
    }
}

#[test]
fn types_can_be_added() {
    let added =
        [("md", "text/markdown; charset=utf-8"), ("txt", "text/x-plain"), ("gz", "application/x-own")];
    let media_types = added.map(|(extension, kind)| (extension.to_owned(), kind.to_owned())).to_vec();
    let folder = folder().file("a.MD", "md").file("app.js", "let a;").file("app.js.gz", "gz");
    let mut visitor = Visitor::with(folder, SiteOptions { media_types, ..SiteOptions::default() });
    for (target, fields, expected) in [
        ("/a.MD", "", "text/markdown; charset=utf-8"),
        ("/a.txt", "", "text/x-plain"),
        ("/a.txt", "Range: bytes=0-0\r\n", "text/x-plain"),
        ("/app.js.gz", "", "application/x-own"),
        ("/app.js", "Accept-Encoding: gzip\r\n", "text/javascript; charset=utf-8"),
        ("/docs/", "", "text/html; charset=utf-8"),
    ] {
        assert_eq!(visitor.get_with(target, fields).field("content-type"), Some(expected), "{target}");
    }
}

/// Whoever lets them read, by an option or by `_headers`, of every path or of some.
#[test]
fn preflights_know_what_is_allowed_at_their_path() {
    let rules = "/open/*\n  Access-Control-Allow-Origin: https://app.example\n  Access-Control-Max-Age: 5\n\
                 /open/shut/*\n  ! Access-Control-Allow-Origin\n";
    let folder = folder().file("_headers", rules).file("_redirects", "/led /open/a 200\n");
    let mut visitor = Visitor::of(folder.file("open/a", "a").file("open/shut/a", "a"));
    let mut expect = |target: &str, origin: Option<&str>| {
        let answer = visitor.ask("OPTIONS", target, PREFLIGHT);
        assert_eq!((answer.status, answer.field("access-control-allow-origin")), (204, origin), "{target}");
        let methods = origin.map(|_| "GET, HEAD, OPTIONS");
        assert_eq!(answer.field("access-control-allow-methods"), methods, "{target}");
        let max_age = origin.map(|_| "5");
        let is_open = target.starts_with("/open/") || target == "/led";
        assert_eq!(answer.field("access-control-max-age"), max_age.or(is_open.then_some("5")), "{target}");
    };
    for target in ["/open/a", "/open/nowhere", "//open/%61", "/led"] {
        expect(target, Some("https://app.example"));
    }
    for target in ["/a.txt", "/open/shut/a", "*", "/%zz"] {
        expect(target, None);
    }
    let fields = [("access-control-ALLOW-origin", "https://app.example")];
    let answer = with_fields(&fields).ask("OPTIONS", "/a.txt", PREFLIGHT);
    assert_eq!(answer.field("access-control-allow-methods"), Some("GET, HEAD, OPTIONS"));
}
