//! Types that the content has a say in: which characters a text is written in, and whether what has no known
//! name is a text.

use pws::config::SiteOptions;
use pws_testing::folder::Folder;

use crate::support::visitor::Visitor;

/// So many bytes are not loaded.
const LARGE_BYTES: usize = 100_000;

/// Each as it is, and as the start of a file that is too large to be loaded.
#[track_caller]
fn check(name: &str, start: &[u8], content_type: &str, is_sniffable: bool) {
    for len in [0, LARGE_BYTES] {
        let mut content = start.to_vec();
        content.resize(content.len().max(len), b' ');
        let mut visitor = Visitor::of(Folder::new().file(name, &content));
        let target = format!("/{name}");
        // Asked for its head first, in one case, and for a part of it in the other.
        let fields = if len == 0 { "" } else { "Range: bytes=0-1\r\n" };
        let first = visitor.ask(if len == 0 { "HEAD" } else { "GET" }, &target, fields);
        let answer = visitor.get(&target);
        let what = format!("{name} of {} bytes: {}", content.len(), start.escape_ascii());
        assert!(answer.body == content, "{what}");
        for answer in [&first, &answer, &visitor.get(&target), &visitor.ask("HEAD", &target, "")] {
            assert_eq!(answer.field("content-type"), Some(content_type), "{what}");
            let nosniff = (!is_sniffable).then_some("nosniff");
            assert_eq!(answer.field("x-content-type-options"), nosniff, "{what}");
        }
    }
}

#[test]
fn nothing_is_said_to_be_utf_8_that_says_or_shows_otherwise() {
    for (name, start, content_type) in [
        ("a.html", &b"<!doctype html><p>\xC3\xA9"[..], "text/html; charset=utf-8"),
        ("a.html", b"<!doctype html><meta charset=iso-8859-1><p>e", "text/html"),
        ("a.html", b"<!doctype html><p>\xE9", "text/html"),
        ("a.txt", b"\xFF\xFEh\0i\0", "text/plain"),
        ("a.txt", b"\xEF\xBB\xBFhi", "text/plain; charset=utf-8"),
        ("a.css", b"@charset \"koi8-r\";", "text/css"),
        ("a.js", b"// \xE9", "text/javascript"),
        ("a.csv", b"caf\xE9;1", "text/csv"),
        ("a.json", b"\"\xE9\"", "application/json"),
        ("a.xml", b"<?xml version='1.0' encoding='koi8-r'?><a/>", "application/xml"),
    ] {
        check(name, start, content_type, false);
    }
}

#[test]
fn what_can_be_read_is_shown() {
    let (text, bytes) = ("text/plain; charset=utf-8", "application/octet-stream");
    for (name, start, content_type) in [
        ("LICENSE", &b"Permission is hereby granted"[..], text),
        ("Makefile", b"all:\n\tcargo build\n", text),
        ("Dockerfile", "# für alle\n".as_bytes(), text),
        ("Cargo.lock", b"[[package]]\n", text),
        ("main.zig", b"const std", text),
        ("app.js.download", b"let a;", text),
        ("core", b"\x7FELF\x02\x01\x01\0", bytes),
        ("note", b"caf\xE9", bytes),
        ("nul", b"a\0b", bytes),
    ] {
        check(name, start, content_type, true);
    }
    for (name, start, content_type) in [
        ("main.rs", &b"fn main() {}"[..], text),
        ("ci.yml", b"on: push\n", text),
        ("data.bin", b"text", bytes),
        ("a.png", b"text", "image/png"),
    ] {
        check(name, start, content_type, false);
    }
}

#[test]
fn what_the_owner_says_of_a_type_stands() {
    let media_types = vec![("html".to_owned(), "text/html; charset=koi8-r".to_owned())];
    let options = SiteOptions { media_types, ..SiteOptions::default() };
    let mut visitor = Visitor::with(Folder::new().file("a.html", "é"), options);
    assert_eq!(visitor.get("/a.html").field("content-type"), Some("text/html; charset=koi8-r"));
    let rules = "/LICENSE\n  Content-Type: text/x-license\n";
    let mut visitor = Visitor::of(Folder::new().file("LICENSE", "free").file("_headers", rules));
    assert_eq!(visitor.get("/LICENSE").field("content-type"), Some("text/x-license"));
}

/// What is compressed cannot be read; its type is that of what it was made of, and says what that says.
#[test]
fn a_variant_has_the_type_of_its_file() {
    let fields = "Accept-Encoding: gzip\r\n";
    for (content, content_type) in [(&b"<p>\xE9"[..], "text/html"), (b"<p>", "text/html; charset=utf-8")] {
        let folder = Folder::new().file("a.html", content).file("a.html.gz", b"\x1F\x8B\x08");
        let mut visitor = Visitor::of(folder);
        for _ in 0..2 {
            let answer = visitor.get_with("/a.html", fields);
            assert_eq!(answer.field("content-encoding"), Some("gzip"));
            assert_eq!(answer.field("content-type"), Some(content_type));
        }
    }
    // The file has changed its characters, and kept its time.
    let folder = Folder::new().file("a.html", b"<p>").file("a.html.gz", b"\x1F\x8B\x08");
    let mut visitor = Visitor::of(folder);
    for (content, content_type) in [(&b"<p>"[..], "text/html; charset=utf-8"), (b"<p>\xE9", "text/html")] {
        std::fs::write(visitor.folder.path("a.html"), content).expect("written to");
        visitor.folder.set_later("a.html", std::time::Duration::ZERO);
        let answer = visitor.get_with("/a.html", fields);
        assert_eq!(answer.field("content-encoding"), Some("gzip"));
        assert_eq!(answer.field("content-type"), Some(content_type));
    }
}
