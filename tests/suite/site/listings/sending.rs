//! How a listing goes over the wire: in chunks, between other answers, in pieces of any size.

use pws::config::SiteOptions;
use pws::limits::Limits;
use pws_testing::answer::Answer;
use pws_testing::client::request;
use pws_testing::folder::{Folder, noise};
use pws_testing::memory::{End, MemoryServer, exchange, exchange_within};

use crate::support::listed::{column, document, texts};
use crate::support::visitor::Visitor;

fn folder() -> Folder {
    let folder = Folder::new().file("large.bin", noise(50_000)).file("page.html", "<p>page");
    (0..20).fold(folder, |folder, number| folder.file(format!("docs/{number}.txt"), ""))
}

const REQUEST: &str = "GET /docs/ HTTP/1.1\r\nHost: test\r\n\r\n";

#[test]
fn an_old_client_gets_it_without_chunks_and_then_the_end() {
    let mut visitor = Visitor::of(folder());
    let page = visitor.get("/docs/");
    for (fields, expected_end) in [
        ("", End::Lingering),
        // It cannot be kept open: nothing else tells where the content ends.
        ("Connection: keep-alive\r\n", End::Lingering),
    ] {
        let request = format!("GET /docs/ HTTP/1.0\r\n{fields}\r\n");
        let (bytes, end) = exchange(&visitor.folder, request.as_bytes());
        assert_eq!(end, expected_end, "{fields}");
        let answer = Answer::until_end(&bytes);
        assert_eq!((answer.status, answer.field("connection")), (200, Some("close")));
        assert!(answer.body == page.body, "{}", answer.text());
    }
    let head = b"HEAD /docs/ HTTP/1.0\r\n\r\n";
    let answer = Answer::until_end(&exchange(&visitor.folder, head).0);
    assert_eq!((answer.field("connection"), answer.body.len()), (Some("close"), 0));
}

#[test]
fn it_may_be_taken_in_pieces_of_any_size() {
    let folder = folder();
    let mut server = MemoryServer::of(&folder);
    let request = [REQUEST.as_bytes()];
    let (whole, _) = server.converse(&request, usize::MAX);
    assert_eq!(texts(&Answer::all(&whole, &["GET"])[0]).len(), 20);
    for write_max in (1..whole.len() + 2).rev() {
        let (bytes, end) = server.converse(&request, write_max);
        assert_eq!(end, End::Open, "{write_max}");
        assert!(bytes == whole, "pieces of {write_max}: {}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn it_stands_in_a_pipeline_like_any_other_answer() {
    let mut visitor = Visitor::of(folder());
    let targets = [
        "/page.html",
        "/docs/",
        "/docs/?format=json",
        "/large.bin",
        "/docs/?order=desc",
        "/nowhere",
        "/docs/",
        "/docs",
        "/page.html",
    ];
    let mut methods = vec!["GET"; targets.len()];
    methods[6] = "HEAD";
    let input: String =
        methods.iter().zip(targets).map(|(method, target)| request(method, target, "")).collect();
    for limits in [
        Limits::default(),
        Limits { pipeline_max: 2, run_bytes_max: 500, ..Limits::default() },
        Limits { outbox_bytes_max: 1, ..Limits::default() },
    ] {
        let (bytes, end) = exchange_within(&visitor.folder, &limits, input.as_bytes());
        assert_eq!(end, End::Open);
        let answers = Answer::all(&bytes, &methods);
        for ((method, target), answer) in methods.iter().zip(targets).zip(answers) {
            assert!(answer == visitor.ask(method, target, ""), "{target}");
        }
    }
}

#[test]
fn a_connection_that_is_to_end_ends_behind_it() {
    let mut visitor = Visitor::of(folder());
    let page = visitor.get("/docs/");
    let request = b"GET /docs/ HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
    let (bytes, end) = exchange(&visitor.folder, request);
    assert_eq!(end, End::Lingering);
    let answer = Answer::all(&bytes, &["GET"]).remove(0);
    assert_eq!(answer.field("connection"), Some("close"));
    assert!(answer.body == page.body);
}

#[test]
fn a_large_folder_is_sorted_in_pieces_of_any_size() {
    const COUNT: usize = 5000;

    let folder = (0..COUNT).fold(Folder::new(), |folder, number| {
        // Neither the disk's order nor that of bytes is the one that people expect.
        folder.file(format!("crowd/img{}.jpg", number * 7919 % COUNT), "")
    });
    let mut server = MemoryServer::of(&folder);
    let mut get = |query: &str, write_max| {
        let request = format!("GET /crowd/{query} HTTP/1.1\r\nHost: test\r\n\r\n");
        let (bytes, end) = server.converse(&[request.as_bytes()], write_max);
        assert_eq!(end, End::Open);
        Answer::all(&bytes, &["GET"]).remove(0)
    };
    let mut expected: Vec<String> = (0..COUNT).map(|number| format!("img{number}.jpg")).collect();
    let page = get("", usize::MAX);
    assert!(texts(&page) == expected);
    assert!(page.text().contains("<footer>5,000 files, 0 B</footer>"));
    assert!(get("", 10_000) == page, "in pieces");
    expected.reverse();
    let document = document(&get("?format=json&sort=-name", 3000));
    assert_eq!(document["sorted"], true);
    assert!(column(&document, "name") == expected);
}

#[test]
fn what_cannot_be_sorted_is_sent_whole_and_says_so() {
    const COUNT: usize = 5000;

    let folder = Folder::new().crowd("crowd", COUNT);
    // Half of it is for sorting, and an entry takes 34 bytes.
    let limits = Limits { kept_bytes_max: 2 * 4000 * 34, ..Limits::default() };
    let mut server = MemoryServer::with(&folder, &SiteOptions::default(), limits);
    let mut get = |query: &str| {
        let input = request("GET", &format!("/crowd/{query}"), "");
        let (bytes, end) = server.converse(&[input.as_bytes()], usize::MAX);
        assert_eq!(end, End::Open);
        Answer::all(&bytes, &["GET"]).remove(0)
    };
    let page = get("");
    let mut names = texts(&page);
    names.sort();
    let expected: Vec<String> = (0..COUNT).map(|number| format!("{number:06}.txt")).collect();
    assert!(names == expected, "each name once");
    assert!(page.text().contains("<caption>Not sorted: this folder has too many entries.</caption>"));
    assert!(page.text().contains("<footer>5,000 files, 0 B</footer>"));
    let document = document(&get("?format=json&sort=size"));
    assert_eq!(document["sorted"], false);
    assert_eq!(document["entries"].as_array().map(Vec::len), Some(COUNT));
}

#[test]
fn a_large_folder_leaves_in_slices() {
    let folder = Folder::new().crowd("crowd", 5000);
    let (bytes, _) = exchange_once(&folder, "/crowd/");
    let (_, mut chunks) = split_head(&bytes);
    let mut sizes = Vec::new();
    loop {
        let line_len = chunks.windows(2).position(|pair| pair == b"\r\n").expect("a size");
        let size = std::str::from_utf8(&chunks[..line_len]).expect("a size");
        let size = usize::from_str_radix(size, 16).expect("a size in hex");
        sizes.push(size);
        chunks = &chunks[line_len + 2 + size + 2..];
        if size == 0 {
            break;
        }
    }
    assert_eq!(chunks, b"");
    assert!(sizes.len() > 15, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size < 100_000), "{sizes:?}");
}

fn exchange_once(folder: &Folder, target: &str) -> (Vec<u8>, End) {
    MemoryServer::of(folder).converse(&[request("GET", target, "").as_bytes()], usize::MAX)
}

#[track_caller]
fn split_head(bytes: &[u8]) -> (&[u8], &[u8]) {
    let head_len = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
    bytes.split_at(head_len)
}
