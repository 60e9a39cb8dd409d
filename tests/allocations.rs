//! Allocations per request, counted: none on the cached path after warm-up. A binary of its own, because it
//! counts for the whole process.

#![allow(clippy::expect_used, clippy::disallowed_methods)]

use pws::clock::Now;
use pws::config::SiteOptions;
use pws::files::Files;
use pws::files::visible::Visible;
use pws::limits::Limits;
use pws::listing::query::{Format, Sort};
use pws::notices::{Notice, Notices};
use pws::outbox::{Piece, Pulled, Source};
use pws::rules::{Headers, Redirects};
use pws::site::folder_listing::{FolderListing, Form};
use pws::site::sorting::SortingMemory;
use pws_testing::folder::Folder;
use pws_testing::memory::{MemoryServer, NOW_UNIX_SECS};
use pws_testing::repeater::Repeater;

/// The allocations of 100 turns in which `request` is answered, after some for warming up.
#[track_caller]
fn allocations(request: &'static [u8]) -> u64 {
    let mut folder = Folder::new()
        .file("page.html", [b'x'; 1024])
        .file("middle.bin", [b'x'; 6_000])
        .file("large.bin", [b'x'; 100_000])
        .file("404.html", "<p>lost");
    for name in ["packed.js", "packed.js.br", "packed.js.gz", "large.js", "large.js.br"] {
        let bytes = if name.starts_with("large") { 100_000 } else { 1024 };
        folder = folder.file(name, vec![b'x'; bytes]);
    }
    let mut server = MemoryServer::of(&folder);
    let null = std::fs::File::options().write(true).open("/dev/null").expect("/dev/null");
    server.log_to(&null);
    let mut repeater = Repeater::new(request.to_vec(), server);
    for _ in 0..10 {
        repeater.turn();
    }
    let info = allocation_counter::measure(|| {
        for _ in 0..100 {
            repeater.turn();
        }
    });
    assert!(repeater.turn() > 111 * 100, "it was answered");
    info.count_total
}

#[test]
fn a_cached_answer_allocates_nothing() {
    for request in [
        &b"GET /page.html HTTP/1.1\r\nHost: test\r\n\r\n"[..],
        b"HEAD /page.html HTTP/1.1\r\nHost: test\r\n\r\n",
        b"GET /middle.bin HTTP/1.1\r\nHost: test\r\n\r\n",
        b"GET /large.bin HTTP/1.1\r\nHost: test\r\nConnection: keep-alive\r\n\r\n",
        b"GET /nowhere HTTP/1.1\r\nHost: test\r\n\r\n",
        b"GET /page.html HTTP/1.1\r\nHost: test\r\nIf-None-Match: *\r\n\r\n",
        b"GET /packed.js HTTP/1.1\r\nHost: test\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\r\n",
        b"GET /packed.js HTTP/1.1\r\nHost: test\r\nAccept-Encoding: br;q=0.5, gzip\r\n\r\n",
        b"GET /packed.js HTTP/1.1\r\nHost: test\r\n\r\n",
        b"HEAD /packed.js HTTP/1.1\r\nHost: test\r\nAccept-Encoding: br\r\nIf-None-Match: *\r\n\r\n",
        b"GET /large.js HTTP/1.1\r\nHost: test\r\nAccept-Encoding: br\r\n\r\n",
        b"GET /page.html HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /page.html HTTP/1.1\r\nHost: test\r\n\r\n",
    ] {
        assert_eq!(allocations(request), 0, "{}", String::from_utf8_lossy(request));
    }
}

#[test]
fn rules_that_say_nothing_of_a_path_allocate_nothing() {
    let (redirects, _) =
        Redirects::parse(b"/a/:b /c\n/d/* /e 301\n/*.js /f\n/g h=:h /i\n/app/* /index.html 200");
    let (headers, _) = Headers::parse(b"/a/:b\n C: d\n/e\n F: g\n/*.js\n H: i");
    for path in [&b""[..], b"a/b/c", b"de", b"g", b"nowhere/at/all.html"] {
        let info = allocation_counter::measure(|| {
            assert!(redirects.find(path, Some(b"h=1&i=2")).is_none());
            assert!(headers.find(path).is_empty());
        });
        assert_eq!(info.count_total, 0, "{}", String::from_utf8_lossy(path));
    }
    // Nor does an app behind one page.
    let info = allocation_counter::measure(|| assert!(redirects.find(b"app/users/5", None).is_some()));
    assert_eq!(info.count_total, 0);
}

#[test]
fn a_notice_of_a_kind_that_was_told_allocates_nothing() {
    let mut notices = Notices::default();
    let mut count =
        |path: &str| notices.count(Notice::Unreadable, &format_args!("{path}: gone"), &Now::at(0, 0));
    count("a");
    let info =
        allocation_counter::measure(|| (0..100).for_each(|_| count("some/longer/path/of/a/file.html")));
    assert_eq!(info.count_total, 0);
    assert_eq!(notices.total(Notice::Unreadable), 101);
}

/// What rules say that they hold in memory is what they hold, and that is a few times their text.
#[test]
fn rules_know_what_they_hold() {
    let numbers = 0..10_000;
    let redirects: String = numbers
        .clone()
        .map(|n| match n % 4 {
            0 => format!("/old/page/number/{n} /new/place/of/page/number/{n}.html 301\n"),
            1 => format!("/old/section/{n}/* /new/section/number/{n}/:splat 302\n"),
            2 => format!("/blog/:year/:month/{n} /posts/:year-:month/number/{n} 301\n"),
            _ => format!("/shop/item id={n} colour=:colour /shop/:colour/{n}?from=search 302\n"),
        })
        .collect();
    let headers: String = numbers
        .map(|n| format!("/page/number/{n}/*\n  Cache-Control: max-age={n}\n  ! X-Frame-Options\n"))
        .collect();
    let mut parsed = (Redirects::default(), Headers::default());
    let held = allocation_counter::measure(|| parsed.0 = Redirects::parse(redirects.as_bytes()).0);
    let held_too = allocation_counter::measure(|| parsed.1 = Headers::parse(headers.as_bytes()).0);
    for (held, told, text, times) in
        [(held, parsed.0.heap_bytes(), &redirects, 4), (held_too, parsed.1.heap_bytes(), &headers, 4)]
    {
        let bytes = usize::try_from(held.bytes_current).expect("more than nothing");
        assert!(bytes.abs_diff(told) <= bytes / 20, "{bytes} are held, {told} told");
        assert!(bytes <= times * text.len(), "{bytes} for a text of {}", text.len());
        // Lists that grow are there twice for a moment.
        assert!(held.bytes_max <= 5 * bytes as u64 / 2, "{held:?}");
    }
}

/// What is remembered is counted as it is, whatever it is: content, heads, open files, names without a file.
#[test]
fn the_cache_tells_what_it_takes() {
    const FILES: usize = 300;

    type Ask = fn(&mut Files, &[u8], &Now);
    let find: Ask = |files, path, now| drop(files.find(path, now));
    let load: Ask = |files, path, now| {
        let found = files.find(path, now).expect("it").expect("a file");
        drop(files.with_content(path, found, now));
    };
    for (what, len, times, ask) in [
        ("heads", 100, FILES, find),
        ("names", 0, 5_000, |files: &mut Files, path: &[u8], now: &Now| {
            assert!(files.find(&[b"nowhere/", path].concat(), now).is_err());
        }),
        ("small files", 1_000, FILES, load),
        ("tiny files", 1, FILES, load),
        ("large files", 20_000, FILES, load),
        // A part of them goes again.
        ("a full cache", 8_000, 2 * FILES, load),
    ] {
        let mut folder = Folder::new();
        for index in 0..times.min(2 * FILES) {
            folder = folder.file(format!("folder/{index}.html"), vec![b'x'; len]);
        }
        let limits = Limits { open_files_max: 1 << 20, cache_bytes_max: 4 << 20, ..Limits::default() };
        let mut files = Files::open(&folder.root(), &SiteOptions::default(), &limits).expect("a folder");
        let now = Now::at(0, NOW_UNIX_SECS);
        let info = allocation_counter::measure(|| {
            for index in 0..times {
                ask(&mut files, format!("folder/{index}.html").as_bytes(), &now);
            }
        });
        let (told, real) = (files.held().bytes as f64, info.bytes_current as f64);
        eprintln!("{what}: {told} told, {real} taken");
        assert!((0.8..1.2).contains(&(told / real)), "{what}: {told} told, {real} taken");
        assert!(real < f64::from(4 << 20), "{what}: {real} taken");
        assert_eq!(files.held().descriptors, if len == 20_000 { FILES } else { 0 }, "{what}");
    }
}

/// A listing tells what it keeps at every step of it, however many there are.
#[test]
fn listings_tell_what_they_take() {
    let long = "x".repeat(200);
    for (entries, filler, listings) in
        [(30, "", 500), (2_048, "", 5), (10_000, "", 5), (600, long.as_str(), 5)]
    {
        let folder = (0..entries)
            .fold(Folder::new(), |folder, number| folder.file(format!("crowd/{filler}{number}.html"), ""));
        let limits = Limits::default();
        let files = Files::open(&folder.root(), &SiteOptions::default(), &limits).expect("a folder");
        let sorting = SortingMemory::within(&limits);
        let mut under_way = Vec::with_capacity(listings);
        let mut taken = 0;
        let mut count = |step: &mut dyn FnMut()| {
            taken += allocation_counter::measure(step).bytes_current;
            taken as f64
        };
        let started = count(&mut || {
            under_way.extend((0..listings).map(|_| {
                let opened = files.open_folder(b"crowd/").expect("a folder");
                let form = Form { format: Format::Html, sort: Sort::default(), is_chunked: true };
                let visible = Visible::default();
                FolderListing::start(opened, b"crowd/", visible, form, sorting.share()).expect("a start")
            }));
        });
        let told =
            |under_way: &[FolderListing]| under_way.iter().map(Source::kept_bytes).sum::<usize>() as f64;
        let what = format!("{entries} entries, {listings} times");
        assert!((0.8..1.2).contains(&(told(&under_way) / started)), "{what}, started: {started} taken");
        let mut peak = started;
        loop {
            let mut is_over = false;
            let real = count(&mut || {
                for listing in &mut under_way {
                    is_over = listing.pull(&mut Piece::default()).expect("a piece") == Pulled::Last;
                }
            });
            let told = told(&under_way);
            // Of what is all but nothing, a share says nothing.
            let is_true = (told - real).abs() <= real / 5.0 + 64.0 * listings as f64;
            assert!(is_true, "{what}: {told} told, {real} taken");
            peak = peak.max(real);
            if is_over {
                break;
            }
        }
        eprintln!("{what}: at most {peak} taken");
        let bytes_max = ((filler.len() + 9 + 24) * entries) as f64 * 1.1 + 4096.0;
        assert!(peak <= bytes_max * listings as f64, "{what}: {peak} taken");
    }
}

/// So that the tests above can be believed.
#[test]
fn an_allocation_is_counted() {
    assert_eq!(allocation_counter::measure(|| drop(std::hint::black_box(Box::new(1)))).count_total, 1);
}
