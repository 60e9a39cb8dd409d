//! The site in a browser, as a person has it: what is shown, where links lead, which scripts run.
//!
//! One browser goes through it all, since starting one takes longer than the rest.

use pws_testing::folder::Folder;

use crate::support::binary::serve;
use crate::support::webdriver::Browser;

#[test]
fn chromium_shows_what_is_served() {
    let Some(browser) = Browser::start() else { return };
    listings_are_sorted_by_a_click(&browser);
    listings_are_walked_by_links(&browser);
    error_pages_are_shown(&browser);
    every_deep_link_of_an_app_starts_it(&browser);
    precompressed_scripts_run(&browser);
    assert_eq!(complaints(&browser), [""; 0]);
    pages_of_our_own_let_nothing_foreign_in(&browser);
}

#[track_caller]
fn listings_are_sorted_by_a_click(browser: &Browser) {
    let folder = Folder::new().file("b.txt", [b'b'; 30]).file("a.txt", [b'a'; 200]).file("c.bin", [0; 4000]);
    let server = serve(folder.file("a folder/c.txt", "c"), &[]);
    let root = server.urls()[0];
    let names = || browser.texts("tbody th");
    let order = || browser.run("return document.querySelector('[aria-sort]').outerHTML").to_string();

    browser.go(root);
    assert_eq!(browser.texts("tbody tr:nth-child(2) > *"), ["a.txt", "200 B", "1994-11-06 08:49"]);
    assert_eq!(names(), ["a folder/", "a.txt", "b.txt", "c.bin"]);
    assert!(order().contains("ascending") && order().contains("Name"), "{}", order());

    browser.follow("Size", &format!("{root}?sort=size&order=desc"));
    assert_eq!(names(), ["a folder/", "c.bin", "a.txt", "b.txt"]);
    assert!(order().contains("descending") && order().contains("Size"), "{}", order());

    browser.follow("Size ↓", &format!("{root}?sort=size&order=asc"));
    assert_eq!(names(), ["a folder/", "b.txt", "a.txt", "c.bin"]);
    assert!(order().contains("ascending") && order().contains("Size"), "{}", order());

    // The style came through the policy: without it the page would be as wide as the window.
    let width = "return getComputedStyle(document.body).maxWidth";
    assert_eq!(browser.run(width), "896px");
}

#[track_caller]
fn listings_are_walked_by_links(browser: &Browser) {
    let odd_name = "50% of #1? <b>&amp; 'Käse'.txt";
    let folder = Folder::new().file(format!("a folder/{odd_name}"), "Grüße, <b>not bold</b>");
    let server = serve(folder, &[]);
    let root = server.urls()[0];

    browser.go(root);
    browser.follow("a folder/", &format!("{root}a%20folder/"));
    browser.follow("Home", root);
    browser.follow("a folder/", &format!("{root}a%20folder/"));
    browser.follow("↑ Parent folder", root);
    browser.follow("a folder/", &format!("{root}a%20folder/"));
    let odd_url = "50%25%20of%20%231%3F%20%3Cb%3E&amp;%20'K%C3%A4se'.txt";
    browser.follow(odd_name, &format!("{root}a%20folder/{odd_url}"));
    assert_eq!(browser.text(), "Grüße, <b>not bold</b>");
}

/// The status that the page came with.
const STATUS: &str = "return performance.getEntriesByType('navigation')[0].responseStatus";

#[track_caller]
fn error_pages_are_shown(browser: &Browser) {
    let server = serve(Folder::new(), &[]);
    browser.go(&format!("{}nowhere", server.urls()[0]));
    assert_eq!(browser.run(STATUS), 404);
    assert_eq!(browser.text(), "404 Not Found");

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
