//! Pages for what is not there, is forbidden, or went wrong.

use std::path::Path;

use pws::config::{SiteOptions, Symlinks};
use pws_testing::folder::{Folder, noise};

use crate::support::tools;
use crate::support::visitor::Visitor;

#[test]
fn pages_come_change_and_go_while_the_server_runs() {
    let mut visitor = Visitor::of(Folder::new().file("index.html", "<p>home"));
    let expect = |visitor: &mut Visitor, expected: Option<&[u8]>| {
        for target in ["/nowhere", "/nowhere/", "/a/b.css?c", "/index.html/"] {
            let answer = visitor.get(target);
            assert_eq!(answer.status, 404, "{target}");
            match expected {
                Some(expected) => assert!(answer.body == expected, "{target}"),
                None => assert!(answer.text().contains("<h1>404 Not Found</h1>"), "{target}"),
            }
            let is_utf_8 = std::str::from_utf8(&answer.body).is_ok();
            let content_type = if is_utf_8 { "text/html; charset=utf-8" } else { "text/html" };
            assert_eq!(answer.field("content-type"), Some(content_type), "{target}");
            assert_eq!((answer.field("etag"), answer.field("last-modified")), (None, None), "{target}");
            let head = visitor.ask("HEAD", target, "");
            assert_eq!((head.status, head.fields), (404, answer.fields), "{target}");
            // Whoever asks on a condition, or for a part, is told that it is not there.
            let fields = "If-None-Match: *\r\nRange: bytes=0-0\r\n";
            let conditional = visitor.get_with(target, fields);
            assert_eq!((conditional.status, conditional.body == answer.body), (404, true), "{target}");
        }
    };
    expect(&mut visitor, None);
    visitor.folder.put("error.html", "<p>error");
    expect(&mut visitor, Some(b"<p>error"));
    let large = noise(50_000);
    visitor.folder.put("404.html", &large);
    expect(&mut visitor, Some(&large));
    visitor.folder.put("404.html", "<p>lost");
    expect(&mut visitor, Some(b"<p>lost"));
    visitor.folder.put("404.html", "<p>gone");
    expect(&mut visitor, Some(b"<p>gone"));
    visitor.folder.remove("404.html");
    expect(&mut visitor, Some(b"<p>error"));
    visitor.folder.remove("error.html");
    expect(&mut visitor, None);
}

#[test]
fn by_its_own_name_a_page_of_errors_is_a_page() {
    let mut visitor = Visitor::of(Folder::new().file("404.html", "<p>lost"));
    let answer = visitor.get("/404.html");
    assert_eq!((answer.status, answer.text().as_str()), (200, "<p>lost"));
    assert!(answer.field("etag").is_some());
}

#[test]
fn of_pages_for_what_is_not_there_the_nearest_upwards_is_shown() {
    let folder = Folder::new().file("404.html", "<p>root").file("de/404.html", "<p>de").file("en/a", "");
    let folder = folder.file("de/docs/a", "").file("de/v2/404.html/index.html", "<p>folder");
    let folder = folder.file(".git/404.html", "<p>hidden").file("_headers", "/de/404.html\n  X: de\n");
    let folder =
        folder.file_outside("secret", "secret").file("es/x", "").symlink("es/404.html", "../../secret");
    let mut visitor = Visitor::of(folder);
    for (target, text) in [
        ("/nowhere", "<p>root"),
        ("/en/nowhere", "<p>root"),
        ("/de/nowhere", "<p>de"),
        ("/de/nowhere/", "<p>de"),
        ("/de/docs/no/such/folder/x?a=/en/", "<p>de"),
        ("/de/docs/a/b", "<p>de"),
        // Nobody's page: what is a folder, what is hidden, what lies outside.
        ("/de/v2/nowhere", "<p>de"),
        ("/.git/nowhere", "<p>root"),
        ("/es/nowhere", "<p>root"),
        // The folder that is meant, and not the one that was named on the way.
        ("/de/../en/nowhere", "<p>root"),
        ("/de%2fnowhere", "<p>de"),
    ] {
        let answer = visitor.get(target);
        assert_eq!((answer.status, answer.text().as_str()), (404, text), "{target}");
        assert_eq!(answer.field("x"), (text == "<p>de").then_some("de"), "the page's own fields: {target}");
        let head = visitor.ask("HEAD", target, "");
        assert_eq!((head.status, head.fields), (404, answer.fields), "{target}");
    }
    visitor.folder.put("de/docs/404.html", "<p>docs");
    assert_eq!(visitor.get("/de/docs/a/b").text(), "<p>docs", "as the disk has it");
    visitor.folder.remove("de/docs/404.html");
    assert_eq!(visitor.get("/de/docs/a/b").text(), "<p>de");
}

#[test]
fn a_deep_path_does_not_cost_more_looks() {
    let page_at = |depth: usize| Folder::new().file(format!("{}404.html", "a/".repeat(depth)), "<p>lost");
    for (depth, is_shown) in [(0, true), (1, true), (8, true), (9, false)] {
        let answer = Visitor::of(page_at(depth)).get(&format!("/{}nowhere", "a/".repeat(1000)));
        assert_eq!((answer.status, answer.text() == "<p>lost"), (404, is_shown), "{depth}");
    }
    let mut visitor = Visitor::of(Folder::new().file("error.html", "<p>error").file("a/error.html", ""));
    assert_eq!(visitor.get("/a/nowhere").text(), "<p>error", "that one is the root's alone");
}

#[test]
fn no_page_of_our_own_repeats_the_request() {
    let mut visitor = Visitor::of(Folder::new().file("a.txt", "a").file("docs/index.html", ""));
    let marked = "marker<script>alert(1)</script>\"'&";
    let escaped = "marker%3Cscript%3Ealert(1)%3C/script%3E%22'&";
    for (method, target, fields, status) in [
        ("GET", format!("/{escaped}"), String::new(), 404),
        ("GET", format!("/nowhere?{marked}"), String::new(), 404),
        ("GET", format!("/docs?{marked}"), String::new(), 301),
        ("GET", "/a.txt".to_owned(), format!("Range: bytes=99-\r\nX: {marked}\r\n"), 416),
        ("GET", "/a.txt".to_owned(), "If-Match: \"marker\"\r\n".to_owned(), 412),
        ("GET", format!("/%zz{escaped}"), String::new(), 400),
        ("DELETE", format!("/{escaped}"), format!("Referer: {marked}\r\n"), 405),
        ("MARKER", "/a.txt".to_owned(), String::new(), 501),
        ("GET", "/a.txt".to_owned(), "Expect: marker\r\n".to_owned(), 417),
    ] {
        let answer = visitor.ask(method, &target, &fields);
        assert_eq!(answer.status, status, "{method} {target} {fields}");
        let text = answer.text();
        assert!(text.contains(&format!("<h1>{status} ")), "{text}");
        assert!(!text.to_lowercase().contains("marker") && !text.contains("<script"), "{text}");
        assert!(
            answer
                .field("content-security-policy")
                .is_some_and(|policy| policy.contains("default-src 'none'"))
        );
    }
}

/// A file that not even root may open for reading.
const FORBIDDEN: &str = "/proc/sys/vm/compact_memory";
/// A file that can be opened, and of which the first byte cannot be read.
const UNREADABLE: &str = "/proc/self/mem";

/// Serves both as files of the folder; `None`, said loudly, where the kernel shows them to nobody.
fn troubled() -> Option<Visitor> {
    if ![FORBIDDEN, UNREADABLE].iter().all(|path| Path::new(path).exists()) {
        tools::skip("/proc is missing");
        return None;
    }
    let folder = Folder::new().symlink("forbidden.html", FORBIDDEN).symlink("unreadable.html", UNREADABLE);
    let options = SiteOptions { symlinks: Symlinks::Follow, ..SiteOptions::default() };
    Some(Visitor::with(folder.file("404.html", "<p>lost"), options))
}

#[test]
fn what_is_forbidden_or_went_wrong_has_pages_too() {
    let Some(mut visitor) = troubled() else { return };
    let expect = |visitor: &mut Visitor, forbidden: &str, unreadable: &str| {
        for (target, status, text) in
            [("/forbidden.html", 403, forbidden), ("/unreadable.html", 500, unreadable)]
        {
            let answer = visitor.get(target);
            assert_eq!(answer.status, status, "{target}");
            assert!(answer.text().contains(text), "{target}: {}", answer.text());
            let head = visitor.ask("HEAD", target, "");
            assert_eq!((head.status, head.fields), (status, answer.fields), "{target}");
        }
    };
    expect(&mut visitor, "<h1>403 Forbidden</h1>", "<h1>500 Internal Server Error</h1>");
    visitor.folder.put("403.html", "<p>not for you");
    expect(&mut visitor, "<p>not for you", "<h1>500 Internal Server Error</h1>");
    visitor.folder.put("50x.html", "<p>our fault");
    expect(&mut visitor, "<p>not for you", "<p>our fault");
    visitor.folder.put("50x.html", "<p>still ours");
    expect(&mut visitor, "<p>not for you", "<p>still ours");
    // A page that is in trouble itself is none.
    for (name, trouble) in [("403.html", FORBIDDEN), ("50x.html", UNREADABLE)] {
        visitor.folder.remove(name);
        std::os::unix::fs::symlink(trouble, visitor.folder.root().join(name)).expect("a symlink");
    }
    expect(&mut visitor, "<h1>403 Forbidden</h1>", "<h1>500 Internal Server Error</h1>");
}

#[test]
fn the_page_of_an_app_is_not_that_of_an_error() {
    let folder = Folder::new().file("404.html", "<p>lost").file("app.html", "<p>app");
    let options = SiteOptions { fallback: Some("404.html".to_owned()), ..SiteOptions::default() };
    let mut visitor = Visitor::with(folder, options);
    // Some hosts want the page of an app under this name: it is what was asked for.
    assert_eq!(visitor.get_with("/users/5", "Accept: text/html\r\n").status, 200);
    assert_eq!(visitor.get("/users/5").status, 404);
}
