//! Folders without an index: what is listed, in which form and order, and what is said with it.

mod crowds;
mod names;
mod readers;
mod sending;
mod steps;

use std::fs;
use std::time::Duration;

use pws::config::SiteOptions;
use pws_testing::answer::Answer;
use pws_testing::folder::{Folder, MODIFIED_UNIX_SECS, set_file_modified};
use pws_testing::memory::NOW_UNIX_SECS;
use serde_json::{Value, json};

use crate::support::listed::{column, document, rows, sort_queries, texts};
use crate::support::visitor::Visitor;

/// A folder of its own page, and one to be listed. Names, sizes and times stand in different orders.
#[track_caller]
fn site() -> Folder {
    let folder = Folder::new()
        .file("index.html", "<p>home")
        .file("404.html", "<p>lost")
        .file("docs/b10.txt", "12345")
        .file("docs/b2.txt", "1234567")
        .file("docs/A.txt", "123")
        .file("docs/zoo/page.txt", "")
        .file("docs/beta/page.txt", "")
        .aged();
    for (name, unix_secs) in [("b10.txt", 300), ("b2.txt", 100), ("A.txt", 200), ("zoo", 100), ("beta", 200)]
    {
        let file = fs::File::open(folder.root().join("docs").join(name)).expect("it");
        set_file_modified(&file, Duration::from_secs(unix_secs));
    }
    folder
}

#[test]
fn a_folder_without_an_index_is_listed() {
    let mut visitor = Visitor::of(site());
    let answer = visitor.get("/docs/");
    assert_eq!(answer.status, 200);
    let policy = answer.field("content-security-policy").expect("a policy").to_owned();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(policy.ends_with("; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"), "{policy}");
    let expected = [
        ("Server", concat!("pws/", env!("CARGO_PKG_VERSION"))),
        ("Date", "Sun, 09 Sep 2001 01:46:40 GMT"),
        ("Vary", "Accept"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-cache"),
        ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", &policy),
        ("Transfer-Encoding", "chunked"),
    ];
    for (name, value) in expected {
        assert_eq!(answer.field(name), Some(value), "{name}");
    }
    let tag = answer.field("etag").expect("a tag");
    assert!(tag.starts_with("W/\"2ebc98a1.") && tag.ends_with("-html\""), "{tag}");
    assert_eq!(answer.fields.len(), expected.len() + 1, "{answer:?}");
    assert!(answer.text().contains("<title>Index of /docs/</title>"));
    assert_eq!(visitor.get("/").text(), "<p>home", "an index comes first");
    assert_eq!(visitor.get("/docs").field("location"), Some("docs/"));
}

#[test]
fn a_site_may_keep_its_folders_to_itself() {
    let mut visitor = Visitor::with(site(), SiteOptions { listing: false, ..SiteOptions::default() });
    for target in ["/docs/", "/docs/?format=json", "/docs/zoo/"] {
        let answer = visitor.get(target);
        assert_eq!((answer.status, answer.text().as_str()), (404, "<p>lost"), "{target}");
    }
    assert_eq!(visitor.get("/docs/A.txt").text(), "123");
    assert_eq!(visitor.get("/").text(), "<p>home");
}

#[test]
fn a_program_gets_json() {
    let mut visitor = Visitor::of(site());
    let json_target = "/docs/?format=json";
    let answer = visitor.get(json_target);
    assert_eq!((answer.field("vary"), answer.field("cache-control")), (Some("Accept"), Some("no-cache")));
    let at = |unix_secs: u32| format!("1970-01-01T00:0{}:{:02}Z", unix_secs / 60, unix_secs % 60);
    let file = |name: &str, size: u32, unix_secs| {
        json!({"name": name, "type": "file", "size": size, "modified": at(unix_secs),
            "url": format!("./{name}")})
    };
    let subfolder = |name: &str, unix_secs| json!({"name": name, "type": "folder", "modified": at(unix_secs), "url": format!("./{name}/")});
    let expected: Value = json!({"path": "/docs/", "sorted": true, "entries": [
        subfolder("beta", 200), subfolder("zoo", 100),
        file("A.txt", 3, 200), file("b2.txt", 7, 100), file("b10.txt", 5, 300),
    ]});
    assert_eq!(document(&answer), expected);
    for (fields, target, is_json) in [
        ("Accept: application/json\r\n", "/docs/", true),
        ("Accept: application/json;q=0.5\r\nAccept: text/html;q=0.4\r\n", "/docs/", true),
        ("Accept: text/html, application/json;q=0.9\r\n", "/docs/", false),
        ("Accept: text/html, application/json\r\n", "/docs/", false),
        ("Accept: */*\r\n", "/docs/", false),
        ("Accept: application/json\r\n", "/docs/?format=html", false),
        ("Accept: text/html\r\n", json_target, true),
        ("", "/docs/?format=xml", false),
    ] {
        let answer = visitor.ask("GET", target, fields);
        match is_json {
            true => assert_eq!(document(&answer), expected, "{fields}"),
            false => assert_eq!(rows(&answer).len(), 5, "{fields}"),
        }
        assert_eq!(answer.field("vary"), Some("Accept"), "{fields}");
    }
}

/// Each order, as a query and as names.
const ORDERS: [(&str, [&str; 5]); 6] = [
    ("sort=name", ["beta", "zoo", "A.txt", "b2.txt", "b10.txt"]),
    ("sort=-name", ["zoo", "beta", "b10.txt", "b2.txt", "A.txt"]),
    ("sort=size", ["beta", "zoo", "A.txt", "b10.txt", "b2.txt"]),
    ("sort=-size", ["beta", "zoo", "b2.txt", "b10.txt", "A.txt"]),
    ("sort=time", ["zoo", "beta", "b2.txt", "A.txt", "b10.txt"]),
    ("sort=-time", ["beta", "zoo", "b10.txt", "A.txt", "b2.txt"]),
];

#[test]
fn each_column_sorts_both_ways_and_folders_stand_first() {
    let mut visitor = Visitor::of(site());
    for (query, expected) in ORDERS {
        let names: Vec<String> = texts(&visitor.get(&format!("/docs/?{query}")))
            .iter()
            .map(|text| text.trim_end_matches('/').to_owned())
            .collect();
        assert_eq!(names, expected, "{query}");
        let document = document(&visitor.get(&format!("/docs/?{query}&format=json")));
        assert_eq!((column(&document, "name"), &document["sorted"]), (names, &json!(true)), "{query}");
    }
    let by_size = ["sort=size&order=desc", "order=desc&sort=size", "sort=-size&order=asc"];
    for query in by_size {
        assert_eq!(texts(&visitor.get(&format!("/docs/?{query}")))[2], "b2.txt", "{query}");
    }
    for unknown in ["/docs/", "/docs/?", "/docs/?sort=colour&order=up", "/docs/?order"] {
        assert_eq!(texts(&visitor.get(unknown))[2], "A.txt", "{unknown}");
    }
}

#[test]
fn every_order_is_a_click_away() {
    let mut visitor = Visitor::of(site());
    let mut seen: Vec<String> = Vec::new();
    let mut to_see = vec![String::new()];
    while let Some(query) = to_see.pop() {
        for next in sort_queries(&visitor.get(&format!("/docs/{query}"))) {
            if !seen.contains(&next) {
                seen.push(next.clone());
                to_see.push(next);
            }
        }
    }
    seen.sort();
    let mut orders = ORDERS.map(|(query, _)| format!("?{query}"));
    orders.sort();
    assert_eq!(seen, orders);
}

#[test]
fn only_what_can_be_served_is_listed() {
    let folder = Folder::new()
        .file("page.txt", "12345")
        .file("sub/deep.txt", "")
        .file(".hidden", "")
        .file(".well-known/x", "")
        .file("_headers", "")
        .file("_redirects", "")
        .file("sub/_headers", "")
        .file_outside("outside.txt", "outside")
        .fifo("fifo")
        .symlink("broken", "nowhere")
        .symlink("out", "../outside.txt")
        .symlink("parent", "..")
        .symlink("loop", "loop")
        .symlink("to-page", "page.txt")
        .symlink("to-sub", "sub");
    let _listener = std::os::unix::net::UnixListener::bind(folder.root().join("socket")).expect("a socket");
    let mut visitor = Visitor::of(folder);
    let answer = visitor.get("/");
    assert_eq!(texts(&answer), [".well-known/", "sub/", "to-sub/", "page.txt", "to-page"]);
    assert!(answer.text().contains("<footer>3 folders, 2 files, 10 B</footer>"));
    let document = document(&visitor.get("/?format=json"));
    let of = |name: &str| {
        let entries = document["entries"].as_array().expect("a list");
        entries.iter().find(|entry| entry["name"] == name).expect("an entry").clone()
    };
    let (link, page) = (of("to-page"), of("page.txt"));
    assert_eq!((&link["size"], &link["modified"]), (&page["size"], &page["modified"]), "what it leads to");
    assert_eq!(of("to-sub")["type"], "folder");
    // Only at the top they are rules.
    assert_eq!(texts(&visitor.get("/sub/")), ["_headers", "deep.txt"]);
}

#[test]
fn an_empty_folder_is_a_page_too() {
    let mut visitor = Visitor::of(Folder::new().folder("empty"));
    assert!(visitor.get("/empty/").text().contains("<p>This folder is empty.</p>"));
    assert_eq!(document(&visitor.get("/empty/?format=json"))["entries"], json!([]));
}

#[track_caller]
fn tag(answer: &Answer) -> String {
    answer.field("etag").expect("a tag").to_owned()
}

#[test]
fn a_client_that_has_the_listing_is_told_so() {
    let mut visitor = Visitor::of(site());
    let (html, json) = (tag(&visitor.get("/docs/")), tag(&visitor.get("/docs/?format=json")));
    assert!(html.starts_with("W/\"") && json.starts_with("W/\""), "what they tell of may change unseen");
    assert_ne!(html, json);
    for (target, fields, status) in [
        ("/docs/", format!("If-None-Match: {html}\r\n"), 304),
        ("/docs/", format!("If-None-Match: \"x\", {}\r\n", &html[2..]), 304),
        ("/docs/", format!("If-None-Match: {json}\r\n"), 200),
        ("/docs/", format!("Accept: application/json\r\nIf-None-Match: {json}\r\n"), 304),
        ("/docs/?format=json", format!("If-None-Match: {json}\r\n"), 304),
        ("/docs/?format=json", format!("If-None-Match: {html}\r\n"), 200),
        ("/docs/zoo/", format!("If-None-Match: {html}\r\n"), 200),
        ("/docs/", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n".to_owned(), 304),
        ("/docs/", "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n".to_owned(), 200),
        ("/docs/", format!("If-Match: {html}\r\n"), 412),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = visitor.ask(method, target, &fields);
            assert_eq!(answer.status, status, "{method} {target} {fields}");
        }
    }
    let answer = visitor.ask("GET", "/docs/", &format!("If-None-Match: {html}\r\n"));
    let fresh = visitor.get("/docs/");
    for name in ["etag", "vary", "cache-control"] {
        assert_eq!(answer.field(name), fresh.field(name), "{name}");
    }
    assert_eq!((answer.field("content-type"), answer.field("transfer-encoding")), (None, None));
    fs::write(visitor.folder.root().join("docs/new.txt"), "").expect("a file");
    let answer = visitor.ask("GET", "/docs/", &format!("If-None-Match: {html}\r\n"));
    assert_eq!(texts(&answer)[5], "new.txt", "names came: the tag is another");
    assert_ne!(tag(&answer), html);
}

#[test]
fn a_folder_that_may_be_changing_has_no_tag() {
    let mut visitor = Visitor::of(site());
    let docs = fs::File::open(visitor.folder.root().join("docs")).expect("the folder");
    for (unix_secs, is_tagged) in [
        (MODIFIED_UNIX_SECS, true),
        (NOW_UNIX_SECS, false),
        (NOW_UNIX_SECS - 1, false),
        (NOW_UNIX_SECS - 60, true),
    ] {
        set_file_modified(&docs, Duration::from_secs(unix_secs));
        let answer = visitor.get("/docs/");
        assert_eq!(answer.field("etag").is_some(), is_tagged, "{unix_secs}");
        assert_eq!(answer.field("last-modified").is_some(), is_tagged, "{unix_secs}");
    }
}

#[test]
fn a_date_in_the_future_is_not_told() {
    let folder = site();
    let docs = fs::File::open(folder.root().join("docs")).expect("the folder");
    set_file_modified(&docs, Duration::from_secs(NOW_UNIX_SECS + 1_000_000));
    let answer = Visitor::of(folder).get("/docs/");
    assert_eq!(answer.field("date"), Some("Sun, 09 Sep 2001 01:46:40 GMT"));
    // One that is over, so that no later list bears it (RFC 9110 §8.8.2.1).
    assert_eq!(answer.field("last-modified"), Some("Sun, 09 Sep 2001 01:46:38 GMT"));
}

#[test]
fn head_is_get_without_the_content() {
    let mut visitor = Visitor::of(site());
    for target in ["/docs/", "/docs/?format=json", "/docs/?sort=size", "/docs/zoo/"] {
        let (get, head) = (visitor.get(target), visitor.ask("HEAD", target, ""));
        assert_eq!((head.status, head.fields), (get.status, get.fields), "{target}");
    }
}

#[test]
fn a_listing_has_no_ranges() {
    let answer = Visitor::of(site()).ask("GET", "/docs/", "Range: bytes=0-9\r\n");
    assert_eq!((answer.status, answer.field("accept-ranges")), (200, None));
    assert_eq!(rows(&answer).len(), 5);
}

#[test]
fn every_page_of_ours_has_the_policy() {
    let mut visitor = Visitor::of(Folder::new().file("docs/page.txt", "page"));
    let mut policies = Vec::new();
    for (method, target, fields, status) in [
        ("GET", "/docs/", "", 200),
        ("GET", "/nowhere", "", 404),
        ("GET", "/docs", "", 301),
        ("GET", "/docs/page.txt", "Range: bytes=9-\r\n", 416),
        ("GET", "/docs/page.txt", "If-Match: \"x\"\r\n", 412),
        ("DELETE", "/docs/", "", 405),
    ] {
        let answer = visitor.ask(method, target, fields);
        assert_eq!(answer.status, status);
        let policy = answer.field("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        policies.push(policy.to_owned());
    }
    policies.dedup();
    assert_eq!(policies.len(), 2, "that of listings, and that of all else");
    let file = visitor.get("/docs/page.txt");
    assert_eq!(file.field("content-security-policy"), None, "the site's own pages are its own business");
}

#[test]
fn how_long_a_listing_keeps_is_for_the_owner_to_say() {
    let ruled = site().file("_headers", "/docs/*\n  Cache-Control: max-age=9\n");
    let options = SiteOptions {
        fields: vec![("cache-control".to_owned(), "max-age=60".to_owned())],
        ..SiteOptions::default()
    };
    for (mut visitor, expected) in [
        (Visitor::of(site()), "no-cache"),
        (Visitor::with(site(), options), "max-age=60"),
        (Visitor::of(ruled), "max-age=9"),
    ] {
        let fresh = visitor.get("/docs/");
        assert_eq!(fresh.field("cache-control"), Some(expected));
        let known = visitor.ask("GET", "/docs/", &format!("If-None-Match: {}\r\n", tag(&fresh)));
        assert_eq!((known.status, known.field("cache-control")), (304, Some(expected)));
    }
}
