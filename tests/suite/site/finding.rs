//! Paths where no file is, and are answered all the same: a fallback for apps, and pages without `.html`.

use pws::clock::Now;
use pws::config::SiteOptions;
use pws::limits::Limits;
use pws::site::Site;
use pws_testing::answer::Answer;
use pws_testing::folder::{Folder, noise};
use pws_testing::memory::NOW_UNIX_SECS;

use crate::support::visitor::Visitor;

const NAVIGATION: &str = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n";

fn app(fallback: &str) -> Visitor {
    let folder =
        Folder::new().file("app.html", noise(600)).file("app.js", "let a;").file("404.html", "<p>lost");
    let folder = folder.file("docs/index.html", "<p>docs").file("list/a", "").file(".secret", "secret");
    let folder = folder.file_outside("outside.html", "secret").symlink("out.html", "../outside.html");
    let fallback = Some(fallback.to_owned());
    Visitor::with(folder, SiteOptions { fallback, ..SiteOptions::default() })
}

#[test]
fn navigations_get_the_fallback_and_all_else_404() {
    let mut visitor = app("app.html");
    for target in
        ["/users/5", "/users/5?tab=1", "/a.js", "/docs/nowhere", "/list/b", "/app.js/x", "/nowhere/"]
    {
        for accept in [NAVIGATION, "Accept: text/html\r\n", "Accept: application/json, TEXT/HTML;q=0.1\r\n"] {
            let answer = visitor.get_with(target, accept);
            assert_eq!((answer.status, answer.field("vary")), (200, Some("Accept")), "{target} {accept}");
            assert!(answer.body == noise(600), "{target}");
            assert_eq!(answer.field("content-type"), Some("text/html"), "{target}: noise is no UTF-8");
            let head = visitor.ask("HEAD", target, accept);
            assert_eq!((head.status, head.fields), (200, answer.fields), "{target}");
        }
        for accept in [
            "",
            "Accept: */*\r\n",
            "Accept: text/*\r\n",
            "Accept: text/html;q=0\r\n",
            "Accept: image/avif\r\n",
        ] {
            let answer = visitor.get_with(target, accept);
            let seen = (answer.status, answer.text(), answer.field("vary"));
            assert_eq!(seen, (404, "<p>lost".to_owned(), Some("Accept")), "{target} {accept}");
            assert_eq!((answer.field("etag"), answer.field("last-modified")), (None, None), "{target}");
        }
    }
}

#[test]
fn the_fallback_is_the_file_that_it_is() {
    let mut visitor = app("app.html");
    let own = visitor.get("/app.html").field("etag").expect("a tag").to_owned();
    for (fields, status) in [
        (format!("If-None-Match: {own}\r\n"), 304),
        ("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n".to_owned(), 304),
        ("If-Match: \"other\"\r\n".to_owned(), 412),
        ("Range: bytes=0-1\r\n".to_owned(), 206),
        ("Range: bytes=600-\r\n".to_owned(), 416),
        (String::new(), 200),
    ] {
        let answer = visitor.get_with("/users/5", &format!("{NAVIGATION}{fields}"));
        assert_eq!((answer.status, answer.field("vary")), (status, Some("Accept")), "{fields}");
        let tag = (status < 400).then_some(own.as_str());
        assert_eq!(answer.field("etag"), tag, "{fields}");
    }
    visitor.folder.put("app.html", "<p>changed");
    assert_eq!(visitor.get_with("/users/5", NAVIGATION).text(), "<p>changed");
}

#[test]
fn a_fallback_that_answers_nothing_is_told_of_at_the_start() {
    let folder = Folder::new()
        .file("app.html", "<p>app")
        .file("packed.html.gz", "gzip")
        .file("with/index.html", "<p>with")
        .folder("without")
        .file(".secret", "hidden");
    let mut visitor = Visitor::of(folder);
    // What a request would find is what counts.
    for (fallback, is_clean, expected) in [
        ("app.html", false, None),
        ("app", true, None),
        ("app", false, Some("there is no such file in the folder")),
        ("packed.html", false, None),
        ("with", false, None),
        ("with/", false, None),
        ("without", false, Some("there is no such file in the folder")),
        (".secret", false, Some("there is no such file in the folder")),
    ] {
        let options = SiteOptions {
            fallback: Some(fallback.to_owned()),
            clean_urls: is_clean,
            strict: true,
            ..SiteOptions::default()
        };
        let site = Site::open(&visitor.folder.root(), &options, &Limits::default());
        let error = site.and_then(|mut site| site.check(&Now::at(0, NOW_UNIX_SECS))).err();
        let told = error.map(|error| error.to_string()).unwrap_or_default();
        match expected {
            None => assert_eq!(told, "", "{fallback}"),
            Some(reason) => {
                assert!(
                    told.contains(&format!("the fallback '{fallback}' leads nowhere: {reason}")),
                    "{told}"
                );
            }
        }
        visitor.reopen(SiteOptions { strict: false, ..options });
        let answer = visitor.get_with("/nowhere", "Accept: text/html\r\nAccept-Encoding: gzip\r\n");
        assert_eq!(answer.status == 200, expected.is_none(), "{fallback}: told as it is");
    }
}

#[test]
fn a_fallback_changes_nothing_for_what_is_there() {
    let mut visitor = app("app.html");
    let mut plain = app("no-such-file.html");
    let what = |answer: Answer| {
        let fields = ["content-type", "location", "cache-control"];
        (answer.status, fields.map(|name| answer.field(name).map(str::to_owned)), answer.text())
    };
    for target in ["/app.js", "/app.html", "/docs/", "/docs", "/list/", "/list", "/list/a"] {
        let answer = visitor.get_with(target, NAVIGATION);
        assert_eq!(answer.field("vary"), (target == "/list/").then_some("Accept"), "{target}");
        assert_eq!(what(answer), what(plain.get_with(target, NAVIGATION)), "{target}");
    }
    for (method, status) in [("POST", 405), ("PUT", 405), ("DELETE", 405), ("BREW", 501)] {
        assert_eq!(visitor.ask(method, "/users/5", NAVIGATION).status, status, "{method}");
    }
    for target in ["/%zz", "/a%00b"] {
        assert_eq!(visitor.get_with(target, NAVIGATION).status, 400, "{target}");
    }
}

#[test]
fn a_fallback_shows_nothing_that_is_not_served() {
    for fallback in ["no-such-file.html", ".secret", "out.html", "../outside.html", "_headers", "app.html/x"]
    {
        let mut visitor = app(fallback);
        visitor.folder.put("_headers", "/secret\n  A: b\n");
        let answer = visitor.get_with("/users/5", NAVIGATION);
        assert_eq!((answer.status, answer.text().as_str()), (404, "<p>lost"), "{fallback}");
    }
}

fn clean() -> Visitor {
    let pages = [
        "index.html",
        "about.html",
        "docs/index.html",
        "docs/a b.html",
        "docs/ü.html",
        "both.html",
        "both/index.html",
        "bare.html",
        "bare/x.html",
        "twice.html.html",
        "named",
        "named.html",
        "other.htm",
        ".html",
        "404.html",
    ];
    let folder =
        pages.into_iter().fold(Folder::new(), |folder, name| folder.file(name, format!("<p>{name}")));
    let options = SiteOptions { clean_urls: true, ..SiteOptions::default() };
    Visitor::with(folder.file("about.txt", "text"), options)
}

#[test]
fn pages_are_served_without_their_html() {
    let mut visitor = clean();
    for (target, name) in [
        ("/", "index.html"),
        ("/about", "about.html"),
        ("/%61bout?a=b", "about.html"),
        ("/docs/../about", "about.html"),
        ("/docs/", "docs/index.html"),
        ("/docs/a%20b", "docs/a b.html"),
        ("/docs%2fa%20b", "docs/a b.html"),
        ("/docs/%C3%BC", "docs/ü.html"),
        // With a file and a folder of the same name, the slash tells which one is meant.
        ("/both", "both.html"),
        ("/both/", "both/index.html"),
        ("/bare", "bare.html"),
        ("/bare/x", "bare/x.html"),
        ("/twice.html", "twice.html.html"),
        // A file that is called just so is what is meant; the page has its long name only.
        ("/named", "named"),
        ("/named.html", "named.html"),
        ("/other.htm", "other.htm"),
    ] {
        let answer = visitor.get(target);
        assert_eq!((answer.status, answer.text()), (200, format!("<p>{name}")), "{target}");
        let head = visitor.ask("HEAD", target, "");
        assert_eq!((head.status, head.fields), (200, answer.fields.clone()), "{target}");
        let html = name.ends_with(".html") || name.ends_with(".htm");
        let content_type = if html { "text/html; charset=utf-8" } else { "text/plain; charset=utf-8" };
        assert_eq!(answer.field("content-type"), Some(content_type), "{target}");
        let tag = answer.field("etag").expect("a tag");
        assert_eq!(visitor.get_with(target, &format!("If-None-Match: {tag}\r\n")).status, 304, "{target}");
    }
    for target in ["/other", "/nowhere", "/about.html/", "/docs/about", "/.html"] {
        assert_eq!(visitor.get(target).status, 404, "{target}");
    }
}

#[test]
fn long_names_lead_to_clean_ones_and_never_in_circles() {
    let mut visitor = clean();
    for (target, location) in [
        ("/about.html", "/about"),
        ("/about.html?a=b&c=%0d", "/about?a=b&c=%0d"),
        ("//about.html", "//about"),
        ("/docs/%2e%2e/about%2ehtml", "/docs/%2e%2e/about"),
        ("/index.html", "/"),
        ("/index.html?a", "/?a"),
        ("/docs/index.html", "/docs/"),
        ("/docs/a%20b.html", "/docs/a%20b"),
        ("/docs/%C3%BC.html", "/docs/%C3%BC"),
        ("/both.html", "/both"),
        ("/both/index.html", "/both/"),
        ("/bare/x.html", "/bare/x"),
        ("/twice.html.html", "/twice.html"),
        ("/docs", "/docs/"),
        // Without an index, the folder is where the page of its name is not.
        ("/bare/", "/bare"),
        ("/about/", "/about"),
        ("/about/?a=b", "/about?a=b"),
        ("/%61bout//", "/%61bout"),
        ("/x/..//about/", "/x/..//about"),
        ("/docs/a%20b/", "/docs/a%20b"),
        ("/docs/%C3%BC/", "/docs/%C3%BC"),
        ("/twice.html/", "/twice.html"),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = visitor.ask(method, target, "");
            let led_to = answer.led_to(target);
            assert_eq!((answer.status, led_to.as_deref()), (301, Some(location)), "{method} {target}");
        }
        assert_eq!(visitor.get(location).status, 200, "one step is enough: {target}");
    }
    let mut plain = Visitor::of(Folder::new().file("about.html", "<p>about"));
    assert_eq!(
        (plain.get("/about").status, plain.get("/about.html").status),
        (404, 200),
        "only if asked for"
    );
}

#[test]
fn no_slash_leads_from_a_page_to_another_file() {
    let mut visitor = clean();
    // What `/named` shows is another file; dots are nobody's name; nothing is below a page.
    for target in ["/named/", "/about/.", "/about/x/..", "/about/x/", "/nowhere/", "/about.txt/"] {
        assert_eq!(visitor.get(target).status, 404, "{target}");
    }
    visitor.folder.put("bare/index.html", "<p>index");
    assert_eq!(visitor.get("/bare/").text(), "<p>index");
    visitor.folder.put("_redirects", "/old /about/ 200\n");
    visitor.at(2);
    assert_eq!(visitor.get("/old").text(), "<p>about.html", "a rule may mean it so, too");
    let folder = Folder::new().file("about.html", "<p>about").file("about/x", "");
    let mut plain = Visitor::of(folder);
    assert_eq!(plain.get("/about/").status, 200, "the list, unless clean URLs are asked for");
}

#[test]
fn the_first_index_that_is_there_is_shown() {
    let folder = Folder::new()
        .file("index.html", "<p>first")
        .file("home.html", "<p>second")
        .file("docs/home.html", "<p>docs")
        .file("plain/default.txt", "plain")
        .file("folder/index.html/x", "")
        .file("folder/home.html", "<p>behind a folder");
    let indexes = ["index.html", "home.html", "default.txt"].map(str::to_owned).to_vec();
    let options = SiteOptions { indexes, clean_urls: true, ..SiteOptions::default() };
    let mut visitor = Visitor::with(folder, options);
    for (target, text) in [
        ("/", "<p>first"),
        ("/docs/", "<p>docs"),
        ("/plain/", "plain"),
        ("/folder/", "<p>behind a folder"),
        ("/home", "<p>second"),
    ] {
        assert_eq!(visitor.get(target).text(), text, "{target}");
    }
    // Each leads to where it is shown.
    for (target, location) in [
        ("/index.html", "/"),
        ("/home.html", "/home"),
        ("/docs/home.html", "/docs/"),
        ("/folder/home.html", "/folder/"),
    ] {
        assert_eq!(visitor.get(target).led_to(target).as_deref(), Some(location), "{target}");
    }
    visitor.folder.remove("index.html");
    assert_eq!(visitor.get("/").text(), "<p>second");
}

/// A page whose name without its ending would be no name, but a way up.
#[test]
fn nobody_is_led_to_dots() {
    let folder = Folder::new().file("docs/..html", "<p>one").file("docs/...html", "<p>two");
    let options = SiteOptions { clean_urls: true, hidden: vec![".*".to_owned()], ..SiteOptions::default() };
    let mut visitor = Visitor::with(folder, options);
    for (target, text) in [("/docs/..html", "<p>one"), ("/docs/...html", "<p>two")] {
        let answer = visitor.get(target);
        assert_eq!((answer.status, answer.text().as_str()), (200, text), "{target}");
    }
}

#[test]
fn the_short_name_of_a_page_is_known_too() {
    let mut visitor = Visitor::of(
        Folder::new()
            .file("index.htm", "<p>short")
            .file("both/index.htm", "")
            .file("both/index.html", "<p>long"),
    );
    assert_eq!(
        (visitor.get("/").text(), visitor.get("/both/").text()),
        ("<p>short".into(), "<p>long".into())
    );
}
