//! The site in a browser, as a person has it: what is shown, where links lead, which scripts run.
//!
//! One browser goes through it all, since starting one takes longer than the rest.

use std::fs;
use std::time::Duration;

use pws_testing::folder::{Folder, set_modified};
use pws_testing::patience::wait_until;
use pws_testing::process::{Process, serving};

use crate::support::binary::{command, serve};
use crate::support::webdriver::Browser;

#[test]
fn chromium_shows_what_is_served() {
    let Some(browser) = Browser::start() else { return };
    listings_are_sorted_by_a_click(&browser);
    listings_are_walked_by_links(&browser);
    listings_are_filtered(&browser);
    listings_fit_on_a_phone(&browser);
    listings_may_be_framed_by_their_site(&browser);
    error_pages_are_shown(&browser);
    every_deep_link_of_an_app_starts_it(&browser);
    precompressed_scripts_run(&browser);
    what_the_disk_has_reaches_the_screen(&browser);
    a_build_of_the_same_time_reaches_the_screen(&browser);
    characters_are_those_of_the_document(&browser);
    what_can_be_read_is_shown(&browser);
    assert_eq!(complaints(&browser), [""; 0]);
    the_status_page_moves(&browser);
    pages_of_our_own_let_nothing_foreign_in(&browser);
}

#[track_caller]
fn the_status_page_moves(browser: &Browser) {
    let server = serve(Folder::new().file("page.html", "page"), &["--status", "0"]);
    server.wait_for("status: http://");
    let stderr = server.stderr();
    let url = stderr.lines().find_map(|line| line.split_once("status: ")).expect("its address").1;
    let points = "return document.getElementById('responses-plot').getAttribute('points') ?? ''";
    let verdict = "return document.getElementById('verdict').innerText";
    browser.go(url);
    wait_until("it has a plot", || browser.run(points) != "");
    assert_eq!(browser.run(verdict), "Nobody asks for anything.");
    let mut client = server.connect();
    wait_until("it tells who is slow", || {
        (0..50).for_each(|_| drop(client.get("/page.html")));
        browser.run(verdict).to_string().contains("the client or the network is the bottleneck")
    });
    let cell = "return [...document.querySelectorAll('th')].find(cell => cell.innerText == 'responses 2xx').innerText";
    wait_until("the table moves, too", || browser.run(cell) == "responses 2xx");
    assert_eq!(complaints(browser), [""; 0], "under its policy");
}

#[track_caller]
fn listings_are_sorted_by_a_click(browser: &Browser) {
    let folder = Folder::new().file("b.txt", [b'b'; 30]).file("a.txt", [b'a'; 200]).file("c.bin", [0; 4000]);
    let server = serve(folder.file("a folder/c.txt", "c"), &[]);
    let root = server.urls()[0];
    let names = || browser.texts("td a");
    let order = || browser.run("return document.querySelector('[aria-sort]').outerHTML").to_string();

    browser.go(root);
    assert_eq!(browser.texts("tbody tr:nth-child(2) > *"), ["a.txt", "1994-11-06 08:49", "200 B"]);
    assert_eq!(names(), ["a folder/", "a.txt", "b.txt", "c.bin"]);
    assert!(order().contains("ascending") && order().contains("Name"), "{}", order());

    browser.press("[value=-size]", &format!("{root}?sort=-size"));
    assert_eq!(names(), ["a folder/", "c.bin", "a.txt", "b.txt"]);
    assert!(order().contains("descending") && order().contains("Size"), "{}", order());

    browser.press("[value=size]", &format!("{root}?sort=size"));
    assert_eq!(names(), ["a folder/", "b.txt", "a.txt", "c.bin"]);
    assert!(order().contains("ascending") && order().contains("Size"), "{}", order());

    // The style came through the policy: without it the page would be as wide as the window.
    let width = "return getComputedStyle(document.body).maxWidth";
    assert_eq!(browser.run(width), "896px");
    assert_eq!(browser.run("return document.querySelector('input').checkVisibility()"), false, "a few names");
}

#[track_caller]
fn listings_are_walked_by_links(browser: &Browser) {
    let odd_name = "50% of #1? <b>&amp; 'Käse'.txt";
    let folder = Folder::new().file(format!("a folder/deep/{odd_name}"), "Grüße, <b>not bold</b>");
    let server = serve(folder, &[]);
    let root = server.urls()[0];

    browser.go(root);
    browser.follow("a folder/", &format!("{root}a%20folder/"));
    browser.follow("Parent folder", root);
    browser.follow("a folder/", &format!("{root}a%20folder/"));
    browser.follow("deep/", &format!("{root}a%20folder/deep/"));
    // The script has made links of the heading.
    browser.follow("a folder", &format!("{root}a%20folder/"));
    browser.follow("deep/", &format!("{root}a%20folder/deep/"));
    browser.follow("Home", root);
    browser.follow("a folder/", &format!("{root}a%20folder/"));
    browser.follow("deep/", &format!("{root}a%20folder/deep/"));
    let odd_url = "50%25%20of%20%231%3F%20%3Cb%3E%26amp%3B%20%27K%C3%A4se%27.txt";
    browser.follow(odd_name, &format!("{root}a%20folder/deep/{odd_url}"));
    assert_eq!(browser.text(), "Grüße, <b>not bold</b>");
}

#[track_caller]
fn listings_are_filtered(browser: &Browser) {
    /// Keys, as WebDriver names them.
    const BACKSPACE: char = '\u{e003}';
    const RETURN: char = '\u{e006}';

    let names = ["Café.txt", "cafe-2.txt", "CAFETERIA.jpg", "naïve.txt", "a+b (c).txt", "100%.txt"];
    let folder = names.iter().fold(Folder::new().crowd("crowd", 2000), |folder, name| folder.file(name, ""));
    let folder = (0..6).fold(folder, |folder, number| folder.file(format!("other{number}"), ""));
    let server = serve(folder, &[]);
    let shown = "return [...document.querySelectorAll('td a')].filter(a => a.checkVisibility())\
        .map(a => a.innerText).join(', ')";
    let told = "return document.querySelector('output').value";

    browser.go(server.urls()[0]);
    for (typed, expected, count) in [
        ("cafe", "cafe-2.txt, CAFETERIA.jpg, Café.txt", "3 of 13"),
        ("NAÏVE", "naïve.txt", "1 of 13"),
        ("+b (", "a+b (c).txt", "1 of 13"),
        ("crowd/", "crowd/", "1 of 13"),
        ("nothing like it", "", "0 of 13"),
    ] {
        browser.enter("input", typed);
        wait_until(&format!("{typed} shows {expected}"), || browser.run(shown) == expected);
        assert_eq!(browser.run(told), count, "{typed}");
    }
    browser.enter("input", &format!("x{BACKSPACE}"));
    wait_until("all are shown", || browser.texts("tr:not([hidden]) td a").len() == 13);

    browser.follow("crowd/", &format!("{}crowd/", server.urls()[0]));
    browser.enter("input", "777");
    wait_until("some of many are shown", || browser.run(told) == "2 of 2,000");
    // Who types on is not led away: the box is no part of the form that sorts.
    browser.enter("input", &format!("777{RETURN}"));
    assert_eq!(browser.url(), format!("{}crowd/", server.urls()[0]));
}

/// Rows are as high as a finger needs, of one line each, and nothing sticks out of the screen.
#[track_caller]
fn listings_fit_on_a_phone(browser: &Browser) {
    const MEASURE: &str = "return [innerWidth, document.documentElement.scrollWidth,\
        ...['td a', 'button', 'nav a'].flatMap(selector =>\
            [...document.querySelectorAll(selector)].map(part => part.getBoundingClientRect().height)),\
        ...[...document.querySelectorAll('tbody tr')].map(row => row.getBoundingClientRect().height)]";

    let long = "a-name-without-an-end-".repeat(11);
    let folder = Folder::new().file("docs/short.txt", "").file(format!("docs/{long}"), [b'x'; 123_456]);
    let folder = folder.file(format!("docs/{}", long.replace('-', " ")), "").folder("docs/sub");
    let server = serve(folder, &[]);
    // As narrow as Chromium can be with a window; phones begin at 360 pixels.
    browser.resize(400, 800);
    browser.go(&format!("{}docs/", server.urls()[0]));
    let measured = browser.run(MEASURE);
    let measured: Vec<f64> = measured.as_array().expect("a list").iter().filter_map(|n| n.as_f64()).collect();
    let [inner_width, scroll_width, heights @ ..] = &measured[..] else { panic!("{measured:?}") };
    assert!(*inner_width < 544.0 && scroll_width <= inner_width, "{measured:?}");
    assert!(heights.iter().all(|height| (44.0..50.0).contains(height)), "{measured:?}");
    browser.resize(1200, 800);
}

/// A page of the site may frame a folder of it, and nobody else's may.
#[track_caller]
fn listings_may_be_framed_by_their_site(browser: &Browser) {
    let folder = Folder::new().file("frame.html", "<!doctype html><iframe src=docs/></iframe>");
    let server = serve(folder.file("docs/page.txt", ""), &[]);
    browser.go(&format!("{}frame.html", server.urls()[0]));
    let framed = "return frames[0].document.querySelector('td a').innerText";
    assert_eq!(browser.run(framed), "page.txt");
}

/// The status that the page came with.
const STATUS: &str = "return performance.getEntriesByType('navigation')[0].responseStatus";

#[track_caller]
fn error_pages_are_shown(browser: &Browser) {
    let server = serve(Folder::new(), &[]);
    browser.go(&format!("{}nowhere", server.urls()[0]));
    assert_eq!(browser.run(STATUS), 404);
    assert_eq!(browser.text(), "404 Not Found\n\nThere is nothing at this address.");

    let server = serve(Folder::new().file("404.html", "<p>Lost? <a href=/>Start again</a>"), &[]);
    browser.go(&format!("{}no/where", server.urls()[0]));
    assert_eq!(browser.run(STATUS), 404);
    assert_eq!(browser.text(), "Lost? Start again");
}

#[track_caller]
fn every_deep_link_of_an_app_starts_it(browser: &Browser) {
    let app = "<!doctype html><p id=path><script>path.textContent = location.pathname</script>";
    let server = serve(Folder::new().file("index.html", app), &["--fallback", "index.html"]);
    let root = server.urls()[0];
    for (link, path) in
        [("", "/"), ("users/7?tab=2#top", "/users/7"), ("users/7/photo.png", "/users/7/photo.png")]
    {
        browser.go(&format!("{root}{link}"));
        assert_eq!(browser.run(STATUS), 200);
        assert_eq!(browser.text(), path);
    }
    // An app that was deployed anew must learn that a part of the old one is gone, not be given a page.
    let status_of_part = "return fetch('/part.js').then(answer => answer.status)";
    assert_eq!(browser.run(status_of_part), 404);
}

#[track_caller]
fn precompressed_scripts_run(browser: &Browser) {
    let page = "<!doctype html><p id=told><script src=app.js></script>";
    let folder = Folder::new().file("index.html", page).file("app.js", "told.textContent = 'plain'");
    let server = serve(folder.file("app.js.br", brotli("told.textContent = 'from Brotli'")), &[]);
    browser.go(server.urls()[0]);
    assert_eq!(browser.text(), "from Brotli");
}

/// A browser keeps what it may, of pages that it comes back to.
#[track_caller]
fn what_the_disk_has_reaches_the_screen(browser: &Browser) {
    let text_at = |url: &str| {
        browser.go("about:blank");
        browser.go(url);
        browser.text()
    };
    let page = "<!doctype html><p id=told><script src=told.js></script>";
    let folder = Folder::new().file("page.html", page).file("told.js", "told.textContent = 'old'");
    let folder = folder.file("moved.txt/a", "a");
    let server = Process::start(serving(command(), &folder));
    let root = server.urls()[0];
    assert_eq!(text_at(&format!("{root}page.html")), "old");
    folder.put("told.js", "told.textContent = 'edited'");
    assert_eq!(text_at(&format!("{root}page.html")), "edited", "what belongs to a page");
    folder.put("page.html", "<p>written anew");
    assert_eq!(text_at(&format!("{root}page.html")), "written anew", "the page itself");
    text_at(&format!("{root}moved.txt"));
    assert_eq!(browser.url(), format!("{root}moved.txt/"));
    fs::remove_dir_all(folder.path("moved.txt")).expect("a folder");
    folder.put("moved.txt", "a file now");
    assert_eq!(text_at(&format!("{root}moved.txt")), "a file now", "what was a folder");

    // The owner's word is about files.
    let folder = Folder::new().file("404.html", "<p>lost").file("_redirects", "/led.html /404.html 301\n");
    let mut command = serving(command(), &folder);
    command.args(["--cache-control", "max-age=86400"]);
    let server = Process::start(command);
    let root = server.urls()[0];
    assert_eq!(text_at(&format!("{root}late.html")), "lost");
    assert_eq!(text_at(&format!("{root}led.html")), "lost");
    folder.put("late.html", "<p>here");
    folder.put("led.html", "<p>here");
    assert_eq!(text_at(&format!("{root}late.html")), "here", "what was not there");
    assert_eq!(text_at(&format!("{root}led.html")), "here", "what was led elsewhere");
}

/// An image, or a package store, gives all files one time.
#[track_caller]
fn a_build_of_the_same_time_reaches_the_screen(browser: &Browser) {
    let text_at = |url: &str| {
        browser.go("about:blank");
        browser.go(url);
        browser.text()
    };
    let page = "<!doctype html><p id=told><script src=told.js></script>";
    for time in [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(946_684_800)] {
        let folder = Folder::new().file("page.html", page);
        let server = Process::start(serving(command(), &folder));
        let url = format!("{}page.html", server.urls()[0]);
        for build in ["first", "other"] {
            folder.put("told.js", format!("told.textContent = '{build}'"));
            set_modified(&folder.path("told.js"), time);
            assert_eq!(text_at(&url), build, "{time:?}");
        }
    }
}

#[track_caller]
fn characters_are_those_of_the_document(browser: &Browser) {
    let utf_16: Vec<u8> = "\u{FEFF}<p>Käse".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let folder = Folder::new()
        .file("plain.html", "<!doctype html><p>Käse")
        .file("declared.html", b"<!doctype html><meta charset=iso-8859-1><p>K\xE4se")
        .file("declared-plain.html", b"<!doctype html><meta charset=iso-8859-1><p>K&auml;se")
        .file("silent.html", b"<!doctype html><html lang=de><p>K\xE4se")
        .file("marked.html", utf_16)
        .file(
            "script.html",
            b"<!doctype html><meta charset=iso-8859-1><p id=told><script src=told.js></script>",
        )
        .file("told.js", b"told.textContent = 'K\xE4se'")
        .file("style.html", b"<!doctype html><link rel=stylesheet href=told.css><p>")
        .file("told.css", b"@charset \"iso-8859-1\"; p::before { content: 'K\xE4se' }");
    let server = serve(folder, &[]);
    for page in ["plain", "declared", "declared-plain", "silent", "marked", "script"] {
        browser.go(&format!("{}{page}.html", server.urls()[0]));
        assert_eq!(browser.text(), "Käse", "{page}.html");
    }
    browser.go(&format!("{}style.html", server.urls()[0]));
    let told = "return getComputedStyle(document.querySelector('p'), '::before').content";
    assert_eq!(browser.run(told), "\"Käse\"");
}

#[track_caller]
fn what_can_be_read_is_shown(browser: &Browser) {
    let names = ["LICENSE", "Makefile", "ci.yml", "Cargo.lock", "main.rs"];
    let folder = names.iter().fold(Folder::new(), |folder, name| folder.file(name, "for all: \"é\""));
    let script = "<!doctype html><p id=told><script src=app.js.download></script>";
    let folder = folder.file("saved.html", script).file("app.js.download", "told.textContent = 'ran'");
    let server = serve(folder, &[]);
    for name in names {
        browser.go(&format!("{}{name}", server.urls()[0]));
        assert_eq!(browser.text(), "for all: \"é\"", "{name}");
    }
    browser.go(&format!("{}saved.html", server.urls()[0]));
    assert_eq!(browser.text(), "ran", "a script that was saved under another name");
}

/// `text` as a Brotli stream of one uncompressed meta-block and an empty one that ends it (RFC 7932 §9.2).
#[track_caller]
fn brotli(text: &str) -> Vec<u8> {
    let window_bits_16_not_last_four_nibbles = 0;
    let len_less_one = u32::try_from(text.len() - 1).expect("a short text");
    let is_uncompressed = 1;
    let header = window_bits_16_not_last_four_nibbles | len_less_one << 4 | is_uncompressed << 20;
    let is_last_and_empty = 0b11;
    [&header.to_le_bytes()[..3], text.as_bytes(), &[is_last_and_empty]].concat()
}

/// What the browser did not like since it was last asked, be it against a policy or of the wrong type. That
/// something is not there is no complaint, nor that it looks for an icon of a server that has ended meanwhile.
fn complaints(browser: &Browser) -> Vec<String> {
    let told = browser.told();
    let is_meant =
        |message: &String| !message.contains("a status of 404") && !message.contains("/favicon.ico");
    told.into_iter().filter(is_meant).collect()
}

/// Even if a name got through unescaped, a listing would load and run nothing.
#[track_caller]
fn pages_of_our_own_let_nothing_foreign_in(browser: &Browser) {
    let server = serve(Folder::new().file("a.svg", "<svg/>"), &[]);
    for page in ["", "nowhere"] {
        browser.go(&format!("{}{page}", server.urls()[0]));
        browser.run("document.body.insertAdjacentHTML('beforeend', '<img src=/a.svg onerror=alert()>')");
        let complaints = complaints(browser);
        let is_violation = |told: &String| told.contains("a.svg") && told.contains("Content Security Policy");
        assert!(complaints.iter().any(is_violation), "{page}: {complaints:?}");
    }
}
