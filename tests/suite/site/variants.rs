//! Files that lie compressed beside what they were made of.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use pws::config::SiteOptions;
use pws::limits::Limits;
use pws_testing::answer::Answer;
use pws_testing::folder::{Folder, noise};

use crate::support::visitor::Visitor;

const ACCEPT_ALL: &str = "Accept-Encoding: gzip, deflate, br, zstd\r\n";
const ACCEPT_BR: &str = "Accept-Encoding: br\r\n";
const ACCEPT_GZIP: &str = "Accept-Encoding: gzip\r\n";

/// The shortest time by which files can differ.
const MOMENT: Duration = Duration::from_nanos(1);

fn folder() -> Folder {
    Folder::new()
        .file("app.js", "let plain;")
        .file("app.js.br", "brotli")
        .file("app.js.zst", "zstandard")
        .file("app.js.gz", "gz")
        .file("old.css", "old {}")
        .file("old.css.gz", "old, gz")
        .file("alone.txt", "alone")
}

/// With and without a cache: what is remembered and what is not must be answered alike.
fn each_visitor(make: impl Fn() -> Folder, visit: impl Fn(&mut Visitor)) {
    for cache_bytes_max in [Limits::default().cache_bytes_max, 0] {
        let limits = Limits { cache_bytes_max, ..Limits::default() };
        visit(&mut Visitor::within(make(), SiteOptions::default(), limits));
    }
}

/// The coding and the content of an answer.
fn coded(answer: &Answer) -> (Option<&str>, String) {
    (answer.field("content-encoding"), answer.text())
}

#[test]
fn the_client_chooses_among_what_is_there() {
    let (br, zstd, gzip) = ((Some("br"), "brotli"), (Some("zstd"), "zstandard"), (Some("gzip"), "gz"));
    let plain = (None, "let plain;");
    each_visitor(folder, |visitor| {
        for (accept, expected) in [
            ("", plain),
            ("Accept-Encoding:\r\n", plain),
            (ACCEPT_ALL, br),
            ("Accept-Encoding: gzip, zstd\r\n", zstd),
            ("Accept-Encoding: GZIP\r\n", gzip),
            ("Accept-Encoding: br;q=0.5, gzip;q=0.8\r\n", gzip),
            ("Accept-Encoding: *\r\n", br),
            ("Accept-Encoding: br;q=0, *;q=0.1\r\n", zstd),
            ("Accept-Encoding: *;q=0\r\n", plain),
            ("Accept-Encoding: deflate, compress\r\n", plain),
            ("Accept-Encoding: identity;q=1, br;q=0.9\r\n", plain),
            ("Accept-Encoding: br;q=nonsense\r\n", plain),
            // Never 406: content that somebody may not want beats none.
            ("Accept-Encoding: identity;q=0\r\n", plain),
            ("Accept-Encoding: identity;q=0, *;q=0\r\n", plain),
            ("Accept-Encoding: gzip\r\nAccept-Encoding: br\r\n", br),
        ] {
            let answer = visitor.get_with("/app.js?v=1", accept);
            assert_eq!(
                (answer.status, coded(&answer)),
                (200, (expected.0, expected.1.to_owned())),
                "{accept}"
            );
            let length = expected.1.len().to_string();
            let rest = ["content-type", "content-length", "vary", "accept-ranges", "x-content-type-options"];
            let expected =
                ["text/javascript; charset=utf-8", &length, "Accept-Encoding", "bytes", "nosniff"].map(Some);
            assert_eq!(rest.map(|name| answer.field(name)), expected, "{accept}");
            let head = visitor.ask("HEAD", "/app.js?v=1", accept);
            assert_eq!((head.status, head.fields), (200, answer.fields), "{accept}");
        }
        let only_gz = visitor.get_with("/old.css", ACCEPT_ALL);
        assert_eq!(coded(&only_gz), (Some("gzip"), "old, gz".to_owned()));
        assert_eq!(only_gz.field("content-type"), Some("text/css; charset=utf-8"));
        let alone = visitor.get_with("/alone.txt", ACCEPT_ALL);
        assert_eq!(coded(&alone), (None, "alone".to_owned()));
        assert_eq!(alone.field("vary"), None, "nothing to choose from");
    });
}

/// Where room is scarce, on flash, files lie there compressed alone.
fn only_coded() -> Folder {
    let folder =
        Folder::new().file("app.js.gz", "gz of app").file("two.css.gz", "gz").file("two.css.br", "br");
    let folder = folder.file("index.html.gz", "gz of index").file("404.html.gz", "gz of 404");
    folder.file("docs/readme.txt", "").file("docs.gz", "archive").file("dir.js.gz/x", "").file(".env.gz", "")
}

#[test]
fn a_file_may_be_there_in_codings_alone() {
    each_visitor(only_coded, |visitor| {
        for (target, accept, coding, text) in [
            ("/app.js", ACCEPT_ALL, "gzip", "gz of app"),
            ("/app.js?v=1", ACCEPT_GZIP, "gzip", "gz of app"),
            ("/app.js", "Accept-Encoding: identity, gzip;q=0.1\r\n", "gzip", "gz of app"),
            ("/app.js", "Accept-Encoding: *\r\n", "gzip", "gz of app"),
            ("/two.css", ACCEPT_ALL, "br", "br"),
            ("/two.css", ACCEPT_GZIP, "gzip", "gz"),
            ("/two.css", "Accept-Encoding: br;q=0.5, gzip;q=0.8\r\n", "gzip", "gz"),
            ("/", ACCEPT_GZIP, "gzip", "gz of index"),
        ] {
            let answer = visitor.get_with(target, accept);
            assert_eq!(
                (answer.status, coded(&answer)),
                (200, (Some(coding), text.to_owned())),
                "{target} {accept}"
            );
            let content_type = match target {
                "/" => "text/html; charset=utf-8",
                "/two.css" => "text/css; charset=utf-8",
                _ => "text/javascript; charset=utf-8",
            };
            let fields = ["content-type", "vary"].map(|name| answer.field(name));
            assert_eq!(fields, [Some(content_type), Some("Accept-Encoding")], "{target}");
            let head = visitor.ask("HEAD", target, accept);
            assert_eq!((head.status, head.fields), (200, answer.fields.clone()), "{target}");
            let tag = answer.field("etag").expect("a tag");
            assert!(tag.ends_with(&format!("-{coding}\"")), "{tag}");
            let again = visitor.get_with(target, &format!("{accept}If-None-Match: {tag}\r\n"));
            assert_eq!((again.status, again.field("vary")), (304, Some("Accept-Encoding")), "{target}");
            // A part is one of the plain file, which is not here, unless its form is named.
            let whole = visitor.get_with(target, &format!("{accept}Range: bytes=1-\r\n"));
            assert_eq!((whole.status, whole.text().as_str()), (200, text), "{target}");
            let part = visitor.get_with(target, &format!("{accept}Range: bytes=1-\r\nIf-Range: {tag}\r\n"));
            assert_eq!((part.status, part.text().as_str()), (206, &text[1..]), "{target}");
        }
    });
}

#[test]
fn who_takes_no_coding_is_told_and_gets_no_bytes_that_cannot_be_read() {
    each_visitor(only_coded, |visitor| {
        for accept in ["", "Accept-Encoding: identity\r\n", ACCEPT_BR, "Accept-Encoding: gzip;q=0, *;q=0\r\n"]
        {
            let answer = visitor.get_with("/app.js", accept);
            assert_eq!((answer.status, coded(&answer).0), (406, None), "{accept}");
            assert!(answer.text().contains("compressed form only"), "{}", answer.text());
            assert_eq!(answer.field("vary"), Some("Accept-Encoding"), "{accept}");
            let head = visitor.ask("HEAD", "/app.js", accept);
            assert_eq!((head.status, head.fields), (406, answer.fields), "{accept}");
        }
        // A page for errors goes to everybody, so it is none; what is a folder or hidden stays that.
        for target in ["/nowhere", "/dir.js", "/.env", "/app.js/", "/docs/nowhere"] {
            let answer = visitor.get_with(target, ACCEPT_ALL);
            assert_eq!((answer.status, coded(&answer).0), (404, None), "{target}");
            assert!(answer.text().contains("<h1>404 Not Found</h1>"), "{target}");
        }
        assert_eq!(visitor.get_with("/docs", ACCEPT_ALL).field("location"), Some("docs/"), "the folder");
        assert_eq!(visitor.get("/app.js.gz").text(), "gz of app", "by its own name it is what it is");
    });
}

#[test]
fn what_is_there_in_codings_alone_comes_and_goes() {
    each_visitor(only_coded, |visitor| {
        let mut expect = |change: &dyn Fn(&Folder), tick, status, coding: Option<&str>, text: &str| {
            change(&visitor.folder);
            let answer = visitor.at(tick).get_with("/new.js", ACCEPT_GZIP);
            assert_eq!((answer.status, answer.field("content-encoding")), (status, coding), "{tick}");
            assert!(answer.text().contains(text), "{tick}: {}", answer.text());
        };
        expect(&|_| {}, 1, 404, None, "404");
        expect(&|folder| folder.put("new.js.gz", "packed"), 2, 200, Some("gzip"), "packed");
        expect(&|folder| folder.put("new.js.gz", "other"), 2, 200, Some("gzip"), "other");
        let newer = |folder: &Folder| {
            folder.put("new.js", "plain, and newer");
            folder.set_later("new.js", Duration::from_secs(1));
        };
        expect(&newer, 3, 200, None, "plain, and newer");
        expect(&|folder| folder.remove("new.js"), 3, 200, Some("gzip"), "other");
        expect(&|folder| folder.remove("new.js.gz"), 3, 404, None, "404");
    });
}

#[test]
fn a_site_of_compressed_pages_has_clean_urls_and_rules() {
    let folder = only_coded()
        .file("about.html.gz", "gz of about")
        .file("_redirects", "/old /app.js 200\n/app.js /x 302\n");
    let folder = folder.file("_headers", "/mine.js\n  Content-Encoding: br\n").file("mine.js.gz", "gz");
    let folder = folder.file("both.html", "<p>page").file("both.gz", "archive");
    let mut visitor = Visitor::with(folder, SiteOptions { clean_urls: true, ..SiteOptions::default() });
    for (target, status, text) in [
        ("/about", 200, "gz of about"),
        ("/old", 200, "gz of app"),
        ("/app.js", 200, "gz of app"),
        ("/both", 200, "<p>page"),
        // Whoever says how it is coded means a file that is there.
        ("/mine.js", 404, "404"),
    ] {
        let answer = visitor.get_with(target, ACCEPT_GZIP);
        assert_eq!(answer.status, status, "{target}");
        assert!(answer.text().contains(text), "{target}: {}", answer.text());
    }
    assert_eq!(visitor.get("/about/").led_to("/about/").as_deref(), Some("/about"));
}

#[test]
fn every_form_has_a_strong_tag_of_its_own() {
    let same_length = || {
        let folder = Folder::new().file("a.css", "aaaa").file("a.css.br", "bbbb");
        folder.file("a.css.zst", "cccc").file("a.css.gz", "dddd")
    };
    each_visitor(same_length, |visitor| {
        let accepts = ["", ACCEPT_BR, "Accept-Encoding: zstd\r\n", ACCEPT_GZIP];
        let mut tags = Vec::new();
        for accept in accepts {
            let answer = visitor.get_with("/a.css", accept);
            assert_eq!(answer.field("last-modified"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
            tags.push(answer.field("etag").expect("a tag").to_owned());
        }
        assert!(tags.iter().all(|tag| tag.starts_with('"')), "{tags:?}");
        assert_eq!(tags.iter().collect::<BTreeSet<_>>().len(), 4, "{tags:?}");
        for accept in accepts {
            let own = visitor.get_with("/a.css", accept).field("etag").map(str::to_owned);
            for tag in &tags {
                let is_own = own.as_ref() == Some(tag);
                let none_match = visitor.get_with("/a.css", &format!("{accept}If-None-Match: {tag}\r\n"));
                assert_eq!(none_match.status, if is_own { 304 } else { 200 }, "{accept}{tag}");
                assert_eq!(none_match.field("etag"), own.as_deref(), "{accept}{tag}");
                let matches = visitor.get_with("/a.css", &format!("{accept}If-Match: {tag}\r\n"));
                assert_eq!(matches.status, if is_own { 200 } else { 412 }, "{accept}{tag}");
            }
        }
    });
}

#[test]
fn caches_are_told_whatever_the_answer() {
    each_visitor(folder, |visitor| {
        for accept in ["", ACCEPT_BR, ACCEPT_GZIP, "Accept-Encoding: identity\r\n"] {
            for (method, fields, status) in [
                ("GET", "", 200),
                ("HEAD", "", 200),
                ("GET", "Range: bytes=0-0\r\n", 206),
                ("GET", "Range: bytes=0-0,1-1\r\n", 206),
                ("GET", "If-None-Match: *\r\n", 304),
                ("HEAD", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 304),
                ("GET", "Range: bytes=99-\r\n", 416),
                ("GET", "If-Match: \"other\"\r\n", 412),
            ] {
                let answer = visitor.ask(method, "/app.js", &format!("{accept}{fields}"));
                let expected = (status, Some("Accept-Encoding"));
                assert_eq!((answer.status, answer.field("vary")), expected, "{method} {accept}{fields}");
            }
        }
    });
}

#[test]
fn ranges_are_of_what_is_sent() {
    let content = |len: usize, seed: usize| noise(len + seed).split_off(seed);
    let sizes = [("/small.txt", 600), ("/large.bin", 60_000)];
    let make = || {
        sizes.iter().fold(Folder::new(), |folder, (target, len)| {
            let name = target.trim_start_matches('/');
            folder.file(name, content(*len, 1)).file(format!("{name}.br"), content(len - 50, 2))
        })
    };
    each_visitor(make, |visitor| {
        for (target, len) in sizes {
            let (plain, br) = (&content(len, 1)[..], &content(len - 50, 2)[..]);
            let tags = ["", ACCEPT_BR].map(|accept| {
                let answer = visitor.get_with(target, accept);
                assert!(answer.body == if accept.is_empty() { plain } else { br }, "{target}");
                answer.field("etag").expect("a tag").to_owned()
            });
            // Whoever does not name the form of which it has a part means the content as it is.
            for (accept, if_range, coding) in [
                ("", None, None),
                ("", Some(&tags[0]), None),
                (ACCEPT_BR, None, None),
                (ACCEPT_BR, Some(&tags[0]), None),
                (ACCEPT_BR, Some(&tags[1]), Some("br")),
            ] {
                let (content, tag) = if coding.is_some() { (br, &tags[1]) } else { (plain, &tags[0]) };
                let condition = if_range.map_or(String::new(), |tag| format!("If-Range: {tag}\r\n"));
                let mut get = |range: &str| {
                    let fields = format!("{accept}Range: bytes={range}\r\n{condition}");
                    let answer = visitor.get_with(target, &fields);
                    let expected = coding.filter(|_| answer.status != 416);
                    assert_eq!(answer.field("content-encoding"), expected, "{target} {fields}");
                    assert_eq!(answer.field("vary"), Some("Accept-Encoding"), "{target} {fields}");
                    answer
                };
                let part = get("2-4");
                let middle = format!("bytes 2-4/{}", content.len());
                assert_eq!((part.status, part.field("content-range")), (206, Some(&middle[..])));
                assert_eq!((&part.body[..], part.field("etag")), (&content[2..5], Some(&tag[..])));
                let outside = get(&format!("{}-", content.len()));
                let unsatisfied = format!("bytes */{}", content.len());
                assert_eq!((outside.status, outside.field("content-range")), (416, Some(&unsatisfied[..])));
                let parts = get("0-1,500-501");
                let holds = |bytes: &[u8]| parts.body.windows(bytes.len()).any(|window| window == bytes);
                assert_eq!(parts.status, 206);
                for (first, last, bytes) in [(0, 1, &content[..2]), (500, 501, &content[500..502])] {
                    let head = format!("Content-Range: bytes {first}-{last}/{}\r\n\r\n", content.len());
                    assert!(holds(&[head.as_bytes(), bytes, b"\r\n--"].concat()), "{target} {accept}");
                }
            }
            // Of a form that it does not take, or that is not that of the tag, it is sent all.
            for (accept, if_range, whole) in
                [("", &tags[1], plain), (ACCEPT_BR, &"\"other-br\"".to_owned(), br)]
            {
                let fields = format!("{accept}Range: bytes=2-4\r\nIf-Range: {if_range}\r\n");
                let answer = visitor.get_with(target, &fields);
                assert!((answer.status, &answer.body[..]) == (200, whole), "{target} {fields}");
            }
        }
    });
}

/// Whoever goes on with a copy has begun with the plain content, if no tag says otherwise.
#[test]
fn ranges_are_of_the_plain_content_unless_a_tag_says_otherwise() {
    each_visitor(folder, |visitor| {
        let tag_of = |visitor: &mut Visitor, accept: &str| {
            visitor.get_with("/app.js", accept).field("etag").expect("a tag").to_owned()
        };
        let plain = tag_of(visitor, "");
        let (br, gzip) = (tag_of(visitor, ACCEPT_BR), tag_of(visitor, ACCEPT_GZIP));
        let (whole, part, none) = ("let plain;", "et p", "");
        for (accept, if_range, status, coding, text) in [
            (ACCEPT_ALL, none, 206, None, part),
            (ACCEPT_GZIP, none, 206, None, part),
            ("Accept-Encoding: gzip, identity;q=0\r\n", none, 206, None, part),
            (ACCEPT_ALL, &plain, 206, None, part),
            (ACCEPT_ALL, "Sun, 06 Nov 1994 08:49:37 GMT", 206, None, part),
            (ACCEPT_ALL, "Sun, 06 Nov 1994 08:49:38 GMT", 200, None, whole),
            (ACCEPT_ALL, "\"other\"", 200, None, whole),
            (ACCEPT_GZIP, &gzip, 206, Some("gzip"), "z"),
            (ACCEPT_ALL, &br, 206, Some("br"), "rotl"),
            // Not the one that is liked best, but the one that was begun with.
            (ACCEPT_ALL, &gzip, 206, Some("gzip"), "z"),
            // It was begun with, and is not wanted any more.
            (ACCEPT_BR, &gzip, 200, None, whole),
            ("", &gzip, 200, None, whole),
            // Of another state of the file.
            (ACCEPT_GZIP, "\"1.0-2-gzip\"", 200, Some("gzip"), "gz"),
            (ACCEPT_GZIP, "\"1.0-2-deflate\"", 200, None, whole),
        ] {
            let if_range =
                if if_range.is_empty() { String::new() } else { format!("If-Range: {if_range}\r\n") };
            let fields = format!("{accept}Range: bytes=1-4\r\n{if_range}");
            let answer = visitor.get_with("/app.js", &fields);
            let expected = (coding, text.to_owned());
            assert_eq!((answer.status, coded(&answer)), (status, expected), "{fields}");
            assert_eq!(answer.field("vary"), Some("Accept-Encoding"), "{fields}");
            // HEAD has no ranges, and tells of the same content.
            let head = visitor.ask("HEAD", "/app.js", &fields);
            assert_eq!((head.status, head.field("content-encoding")), (200, coding), "{fields}");
            assert_eq!(head.field("etag"), answer.field("etag"), "{fields}");
        }
        let too_many = format!("{ACCEPT_ALL}Range: bytes=0-0{}\r\n", ",2-2".repeat(256));
        assert_eq!(coded(&visitor.get_with("/app.js", &too_many)), (None, whole.to_owned()));
    });
}

#[test]
fn what_is_older_than_its_file_was_made_of_something_else() {
    each_visitor(folder, |visitor| {
        visitor.folder.set_earlier("app.js.br", MOMENT);
        let older = visitor.get_with("/app.js", ACCEPT_ALL);
        assert_eq!(coded(&older), (Some("zstd"), "zstandard".to_owned()), "the next best is taken");
        visitor.folder.set_later("app.js.zst", Duration::from_secs(5));
        assert_eq!(visitor.get_with("/app.js", ACCEPT_ALL).field("content-encoding"), Some("zstd"), "newer");
        let older = visitor.get_with("/app.js", ACCEPT_BR);
        assert_eq!((coded(&older), older.status), ((None, "let plain;".to_owned()), 200));
        // All of them, once the file itself has changed.
        visitor.folder.put("app.js", "let changed;");
        visitor.folder.set_later("app.js", Duration::from_secs(6));
        let changed = visitor.get_with("/app.js", ACCEPT_ALL);
        assert_eq!(coded(&changed), (None, "let changed;".to_owned()));
        assert_eq!(changed.field("vary"), None);
    });
}

#[test]
fn one_that_comes_later_is_used_within_a_second() {
    each_visitor(
        || Folder::new().file("a.css", "plain"),
        |visitor| {
            let before = visitor.get_with("/a.css", ACCEPT_ALL);
            assert_eq!((coded(&before), before.field("vary")), ((None, "plain".to_owned()), None));
            visitor.folder.put("a.css.gz", "gz");
            let after = visitor.at(1).get_with("/a.css", ACCEPT_ALL);
            assert_eq!(coded(&after), (Some("gzip"), "gz".to_owned()));
            visitor.folder.put("a.css.br", "br");
            assert_eq!(visitor.at(2).get_with("/a.css", ACCEPT_ALL).text(), "br");
            assert_eq!(
                visitor.get("/a.css").field("vary"),
                Some("Accept-Encoding"),
                "for those without, too"
            );
        },
    );
}

#[test]
fn one_that_changes_or_goes_is_noticed_in_the_next_turn() {
    for (small, large) in [("br", vec![b'l'; 5]), ("small", noise(50_000))] {
        let make = || folder().file("app.js.br", small);
        each_visitor(make, |visitor| {
            let expect = |visitor: &mut Visitor, expected: &[u8], what: &str| {
                let answer = visitor.get_with("/app.js", ACCEPT_BR);
                assert!(answer.status == 200 && answer.body == expected, "{what}: {:?}", answer.fields);
                let is_plain = expected == b"let plain;";
                assert_eq!(answer.field("content-encoding").is_none(), is_plain, "{what}");
                answer.field("etag").map(str::to_owned)
            };
            let before = expect(visitor, small.as_bytes(), "as it was");
            visitor.folder.put("app.js.br", &large);
            let after = expect(visitor, &large, "written anew");
            assert_ne!(before, after);
            visitor.folder.put("next", "renamed");
            fs::rename(visitor.folder.root().join("next"), visitor.folder.root().join("app.js.br"))
                .expect("another in its place");
            expect(visitor, b"renamed", "another in its place");
            visitor.folder.set_earlier("app.js.br", MOMENT);
            expect(visitor, b"let plain;", "made older");
            visitor.folder.set_later("app.js.br", MOMENT);
            visitor.at(1);
            expect(visitor, b"renamed", "made newer");
            visitor.folder.remove("app.js.br");
            expect(visitor, b"let plain;", "removed");
        });
    }
}

#[test]
fn by_its_own_name_it_is_a_file_like_any_other() {
    each_visitor(folder, |visitor| {
        // Whoever asks first: what is remembered of the one is not what the other gets.
        for _ in 0..2 {
            for (target, content_type, text) in [
                ("/app.js.br", "application/x-brotli", "brotli"),
                ("/app.js.gz", "application/gzip", "gz"),
                ("/app.js.zst", "application/zstd", "zstandard"),
            ] {
                let answer = visitor.get_with(target, ACCEPT_ALL);
                assert_eq!(coded(&answer), (None, text.to_owned()), "{target}");
                assert_eq!((answer.field("content-type"), answer.field("vary")), (Some(content_type), None));
            }
            assert_eq!(coded(&visitor.get_with("/app.js", ACCEPT_ALL)), (Some("br"), "brotli".to_owned()));
        }
        visitor.folder.put("app.js.br.gz", "twice");
        let twice = visitor.at(1).get_with("/app.js.br", ACCEPT_ALL);
        assert_eq!(coded(&twice), (Some("gzip"), "twice".to_owned()));
        assert_eq!(visitor.get_with("/app.js", ACCEPT_ALL).text(), "brotli");
    });
}

#[test]
fn only_a_regular_file_below_the_root_is_one() {
    let make = || {
        let folder = Folder::new().file("a.css", "plain").file("a.css.br/index.html", "a folder");
        let folder = folder.file_outside("secret", "secret").symlink("a.css.gz", "../secret");
        let fifo = folder.root().join("a.css.zst");
        let mode = rustix::fs::Mode::from_raw_mode(0o644);
        rustix::fs::mknodat(rustix::fs::CWD, fifo, rustix::fs::FileType::Fifo, mode, 0).expect("a FIFO");
        folder
    };
    each_visitor(make, |visitor| {
        let answer = visitor.get_with("/a.css", ACCEPT_ALL);
        assert_eq!((answer.status, coded(&answer)), (200, (None, "plain".to_owned())));
        assert_eq!(visitor.get_with("/a.css", "Accept-Encoding: gzip;q=1, identity;q=0\r\n").text(), "plain");
        // What lies there is no regular file: there is nothing to choose from.
        visitor.folder.remove("a.css.gz");
        assert_eq!(visitor.at(1).get_with("/a.css", ACCEPT_ALL).field("vary"), None);
    });
}

#[test]
fn whatever_leads_to_a_file_leads_to_its_variants() {
    let pages = ["index.html", "about.html", "app.html"];
    let folder = pages
        .into_iter()
        .fold(Folder::new(), |folder, name| folder.file(name, "<p>plain").file(format!("{name}.br"), name));
    let folder = folder
        .file("404.html", "<p>lost")
        .file("404.html.br", "br of 404")
        .file("named", "a file that is called like a page")
        .file("named.br", "br of that")
        .file("named.html", "<p>plain")
        .file("named.html.br", "named.html")
        .file("packed.data", "packed already")
        .file("packed.data.br", "twice")
        .file("_headers", "/packed.data\n  Content-Encoding: gzip\n")
        .file("_redirects", "/rewritten /about.html 200\n/gone/* /404.html 404\n");
    let options =
        SiteOptions { clean_urls: true, fallback: Some("app.html".to_owned()), ..SiteOptions::default() };
    let mut visitor = Visitor::with(folder, options);
    for (target, accept, vary, coding, text) in [
        ("/", "", Some("Accept-Encoding"), Some("br"), "index.html"),
        ("/about", "", Some("Accept-Encoding"), Some("br"), "about.html"),
        ("/named.html", "", Some("Accept-Encoding"), Some("br"), "named.html"),
        ("/named", "", Some("Accept-Encoding"), Some("br"), "br of that"),
        ("/rewritten", "", Some("Accept-Encoding"), Some("br"), "about.html"),
        ("/deep/link", "Accept: text/html\r\n", Some("Accept, Accept-Encoding"), Some("br"), "app.html"),
        // Pages of errors are sent as they are, and so is what the owner says is packed already.
        ("/gone/1", "", None, None, "<p>lost"),
        ("/nowhere", "", Some("Accept"), None, "<p>lost"),
        ("/packed.data", "", None, Some("gzip"), "packed already"),
    ] {
        let answer = visitor.get_with(target, &format!("{ACCEPT_ALL}{accept}"));
        let seen = (answer.field("vary"), answer.field("content-encoding"), answer.text());
        assert_eq!(seen, (vary, coding, text.to_owned()), "{target}");
    }
}

/// What is compressed as it lies there, by its name, is told to be: no browser shows it otherwise.
#[test]
fn a_drawing_that_is_compressed_by_its_name_says_so() {
    let folder = || {
        Folder::new()
            .file("a.svgz", "gz")
            .file("told/b.SVGZ", "gz")
            .file("_headers", "/told/*\n  Content-Encoding: gzip\n")
    };
    each_visitor(folder, |visitor| {
        for target in ["/a.svgz", "/told/b.SVGZ"] {
            for fields in ["", "Accept-Encoding: identity\r\n", "Range: bytes=0-0\r\n"] {
                let answer = visitor.get_with(target, fields);
                assert_eq!(answer.values("content-encoding"), ["gzip"], "{target} {fields}");
                let expected = (Some("image/svg+xml"), if fields.starts_with("Range") { "g" } else { "gz" });
                assert_eq!(
                    (answer.field("content-type"), answer.text().as_str()),
                    expected,
                    "{target} {fields}"
                );
            }
        }
    });
}
