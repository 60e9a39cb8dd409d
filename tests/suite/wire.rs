//! What goes over the wire, each case through every way its bytes can come and go.

use pws::config::SiteOptions;
use pws::limits::Limits;
use pws_testing::answer::Answer;
use pws_testing::client::request;
use pws_testing::folder::{Folder, noise};
use pws_testing::memory::{End, MemoryServer, exchange, exchange_within};

fn site() -> Folder {
    Folder::new()
        .file("index.html", "<p>home")
        .file("error.html", "<p>lost")
        .file("hello.txt", "hello\n")
        .file("empty.css", "")
        .file("docs/index.html", "<p>docs")
        .file("docs/a b.html", "<p>spaced")
        .file("no-index/file.txt", "there")
        .file(".secret", "hidden")
        .file(".git/config", "hidden")
        .file("docs/.hidden/x", "hidden")
        .file(".well-known/security.txt", "Contact: us")
        .file_outside("outside.txt", "outside")
}

/// The one answer to a request for `target`, which must leave the connection open.
#[track_caller]
fn get(folder: &Folder, target: &str) -> Answer {
    let (bytes, end) = exchange(folder, request("GET", target, "").as_bytes());
    assert_eq!(end, End::Open, "{target}");
    Answer::all(&bytes, &["GET"]).remove(0)
}

#[test]
fn a_file_with_all_its_fields() {
    let answer = get(&site(), "/hello.txt");
    assert_eq!((answer.status, answer.text().as_str()), (200, "hello\n"));
    let expected = [
        ("Server", concat!("pws/", env!("CARGO_PKG_VERSION"))),
        ("Date", "Sun, 09 Sep 2001 01:46:40 GMT"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-cache"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("ETag", "\"a9bc80cca21f28b3-6\""),
        ("Accept-Ranges", "bytes"),
        ("Content-Length", "6"),
    ];
    for (name, value) in expected {
        assert_eq!(answer.field(name), Some(value), "{name}");
    }
    assert_eq!(answer.fields.len(), expected.len(), "{answer:?}");
}

#[test]
fn head_is_get_without_the_content() {
    let folder = site().file("large.bin", noise(100_000));
    for target in ["/", "/hello.txt", "/empty.css", "/large.bin", "/nowhere", "/docs"] {
        let get = get(&folder, target);
        let (bytes, end) = exchange(&folder, format!("HEAD {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        let head = Answer::all(&bytes, &["HEAD"]).remove(0);
        assert_eq!((head.status, head.fields), (get.status, get.fields), "{target}");
        assert_eq!(end, End::Open);
    }
}

#[test]
fn names_lead_to_files() {
    let folder = site();
    for (target, status, body) in [
        ("/", 200, "<p>home"),
        ("/index.html", 200, "<p>home"),
        ("/?query", 200, "<p>home"),
        ("/docs/", 200, "<p>docs"),
        ("/docs/a%20b.html", 200, "<p>spaced"),
        ("/docs/../hello.txt", 200, "hello\n"),
        ("//hello.txt", 200, "hello\n"),
        ("http://elsewhere/hello.txt", 200, "hello\n"),
        ("/.well-known/security.txt", 200, "Contact: us"),
        ("/empty.css", 200, ""),
        ("/nowhere", 404, "<p>lost"),
        ("/hello.txt/", 404, "<p>lost"),
        ("/.secret", 404, "<p>lost"),
        ("/.git/config", 404, "<p>lost"),
        ("/docs/.hidden/x", 404, "<p>lost"),
        ("/docs/%2ehidden/x", 404, "<p>lost"),
        ("/../outside.txt", 404, "<p>lost"),
        ("/%2e%2e/outside.txt", 404, "<p>lost"),
        ("/..%2foutside.txt", 404, "<p>lost"),
        ("/docs/../../outside.txt", 404, "<p>lost"),
        ("/..\\outside.txt", 404, "<p>lost"),
    ] {
        let answer = get(&folder, target);
        assert_eq!((answer.status, answer.text().as_str()), (status, body), "{target}");
    }
    let long = format!("/{}", "a".repeat(300));
    assert_eq!(get(&folder, &long).status, 404);
    for bad in ["/%zz", "/a%00b"] {
        assert_eq!(get(&folder, bad).status, 400, "{bad}");
    }
}

#[test]
fn a_folder_without_its_slash_is_redirected() {
    let folder = site().file("ü \\/index.html", "").file("evil.com/sub/index.html", "");
    let folder = folder.file("javascript:alert(1)/index.html", "");
    for (target, location) in [
        ("/docs", "docs/"),
        ("/docs?a=b&c=%20", "docs/?a=b&c=%20"),
        ("/docs?", "docs/?"),
        ("/no-index", "no-index/"),
        ("/./docs/../docs", "docs/"),
        ("/%C3%BC%20%5C", "%C3%BC%20%5C/"),
        ("/%64ocs", "%64ocs/"),
        ("//evil.com/%2e%2e/docs", "docs/"),
        ("//evil.com/sub", "sub/"),
        ("/javascript:alert(1)", "./javascript:alert(1)/"),
        ("/docs?\\\"<>\u{fc}", "docs/?%5C%22%3C%3E%C3%BC"),
    ] {
        let answer = get(&folder, target);
        assert_eq!((answer.status, answer.field("location")), (301, Some(location)), "{target}");
    }
}

#[test]
fn symlinks_work_inside_and_never_lead_out() {
    let folder = site();
    let absolute = folder.outside().join("outside.txt");
    let absolute_inside = folder.root().join("hello.txt");
    let folder = folder
        .symlink("inside", "hello.txt")
        .symlink("docs/up", "../hello.txt")
        .symlink("folder", "docs")
        .symlink("out", "../outside.txt")
        .symlink("absolute", absolute)
        .symlink("absolute-inside", absolute_inside)
        .symlink("parent", "..")
        .symlink("loop", "loop")
        .symlink("proc", "/proc/self/root");
    for target in ["/inside", "/docs/up", "/folder/up", "/absolute-inside"] {
        assert_eq!(get(&folder, target).text(), "hello\n", "{target}");
    }
    assert_eq!(get(&folder, "/folder/").text(), "<p>docs");
    for target in ["/out", "/absolute", "/parent/outside.txt", "/parent", "/loop", "/proc/etc/passwd"] {
        assert_eq!(get(&folder, target).status, 404, "{target}");
    }
}

#[test]
fn the_page_for_what_is_not_there() {
    let plain = Folder::new().file("index.html", "");
    let answer = get(&plain, "/nowhere");
    assert_eq!(answer.status, 404);
    assert_eq!(answer.field("content-type"), Some("text/html; charset=utf-8"));
    assert!(answer.text().contains("404 Not Found") && !answer.text().contains("nowhere"));
    let with_error = plain.file("error.html", "<p>error");
    assert_eq!(get(&with_error, "/nowhere").text(), "<p>error");
    let with_both = with_error.file("404.html", "<p>not found");
    assert_eq!(get(&with_both, "/nowhere").text(), "<p>not found");
}

#[test]
fn pipelines_are_answered_in_order() {
    // What is remembered is copied or referred to, by its size, and behind another copied in any case.
    let folder = site().file("large.bin", noise(100_000)).file("middle.bin", noise(6_000));
    let mut input = Vec::new();
    let mut methods = Vec::new();
    for (method, target) in [
        ("GET", "/hello.txt"),
        ("HEAD", "/"),
        ("GET", "/large.bin"),
        ("GET", "/nowhere"),
        ("GET", "/docs/"),
        ("HEAD", "/middle.bin"),
        ("GET", "/middle.bin"),
        ("GET", "/middle.bin"),
        ("GET", "/hello.txt"),
    ] {
        input.extend_from_slice(format!("{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        methods.push(method);
    }
    let (bytes, end) = exchange(&folder, &input);
    let answers = Answer::all(&bytes, &methods);
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 200, 404, 200, 200, 200, 200, 200]);
    assert_eq!(answers[2].body, noise(100_000));
    assert_eq!(answers[4].text(), "<p>docs");
    assert_eq!(
        (answers[6].body.as_slice(), answers[7].body.as_slice()),
        (&noise(6_000)[..], &noise(6_000)[..])
    );
    assert_eq!(end, End::Open);
}

#[test]
fn a_pipeline_past_every_bound_is_answered_whole() {
    let folder = site().file("page.html", noise(20_000));
    let count = 300;
    let input = "GET /page.html HTTP/1.1\r\nHost: a\r\n\r\n".repeat(count);
    let limits =
        Limits { pipeline_max: 5, outbox_bytes_max: 50_000, run_bytes_max: 1000, ..Limits::default() };
    let mut server = MemoryServer::with(&folder, &SiteOptions::default(), limits);
    let (bytes, end) = server.converse(&[input.as_bytes()], 30_000);
    assert_eq!(Answer::all(&bytes, &vec!["GET"; count]).len(), count);
    assert_eq!(end, End::Open);
}

#[test]
fn large_files_are_sent_in_slices_under_a_budget() {
    let content = noise(300_000);
    let folder = Folder::new().file("large.bin", &content);
    let limits = Limits { run_bytes_max: 10_000, ..Limits::default() };
    let (bytes, _) = exchange_within(&folder, &limits, b"GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(Answer::all(&bytes, &["GET"])[0].body, content);
}

#[test]
fn versions_and_options_settle_what_becomes_of_the_connection() {
    let folder = site();
    for (version, options, connection, expected_end) in [
        ("1.1", "", None, End::Open),
        ("1.1", "Connection: close\r\n", Some("close"), End::Closed),
        ("1.0", "", Some("close"), End::Closed),
        ("1.0", "Connection: keep-alive\r\n", Some("keep-alive"), End::Open),
    ] {
        let request = format!("GET /hello.txt HTTP/{version}\r\nHost: a\r\n{options}\r\n");
        let (bytes, end) = exchange(&folder, request.as_bytes());
        let answer = Answer::all(&bytes, &["GET"]).remove(0);
        assert_eq!((answer.field("connection"), end), (connection, expected_end), "{version} {options}");
        assert_eq!(answer.text(), "hello\n");
    }
    let old = b"GET /hello.txt HTTP/1.0\r\n\r\n";
    assert_eq!(Answer::all(&exchange(&folder, old).0, &["GET"])[0].status, 200, "1.0 needs no Host");
}

#[test]
fn what_is_no_request_is_refused_and_closed_with_care() {
    let folder = site();
    let long_head = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "a".repeat(17_000));
    for (input, status, sentence) in [
        ("nonsense\r\n\r\n", 400, "The first line is not a method, a target and HTTP/1.1"),
        ("GET / HTTP/1.1\r\n\r\n", 400, "A request has one Host line"),
        ("GET / HTTP/1.1\nHost: a\r\n\r\n", 400, "Lines end in CR and LF, or all of them in LF alone"),
        ("GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "The target is neither a path nor"),
        ("GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 421, "this connection is not encrypted"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400, "A line of the head is not a name"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400, "Where the body ends is told"),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx", 400, "The chunks of the body"),
        ("\x16\x03\x01", 400, "This is TLS, and the server speaks plain HTTP here"),
        ("GET / HTTP/3.0\r\n\r\n", 505, "The server speaks HTTP/1.1 and HTTP/1.0."),
        (&long_head, 431, "The head is larger than the server takes."),
    ] {
        let (bytes, end) = exchange(&folder, input.as_bytes());
        let answer = Answer::all(&bytes, &["GET"]).remove(0);
        assert_eq!((answer.status, answer.field("connection")), (status, Some("close")), "{input}");
        assert!(answer.text().contains(sentence), "{input}: {}", answer.text());
        assert_eq!(end, End::Lingering);
    }
}

/// As with a Content-Length.
#[test]
fn a_chunk_that_is_too_long_is_not_waited_for() {
    let input = "GET /hello.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n";
    let (bytes, end) = exchange(&site(), input.as_bytes());
    let answer = Answer::all(&bytes, &["GET"]).remove(0);
    assert_eq!((answer.text().as_str(), answer.field("connection")), ("hello\n", Some("close")));
    assert_eq!(end, End::Lingering);
}

#[test]
fn other_methods_are_refused_and_bodies_skipped() {
    let folder = site();
    for (input, status, allow, expected_end) in [
        ("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", 405, Some("GET, HEAD, OPTIONS"), End::Open),
        ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501, None, End::Open),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 204, Some("GET, HEAD, OPTIONS"), End::Open),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345", 200, None, End::Open),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n1", 200, None, End::Lingering),
    ] {
        let (bytes, end) = exchange(&folder, input.as_bytes());
        let answer = Answer::all(&bytes, &["GET"]).remove(0);
        assert_eq!((answer.status, answer.field("allow")), (status, allow), "{input}");
        assert_eq!(end, expected_end, "{input}");
    }
}
