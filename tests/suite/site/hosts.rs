//! A folder per host name: which name leads to which folder, and that none leads out.

use std::fs;
use std::time::{Duration, Instant};

use pws::config::SiteOptions;
use pws::limits::Limits;
use pws::{Config, Server};
use pws_testing::answer::Answer;
use pws_testing::client::Client;
use pws_testing::folder::Folder;
use pws_testing::memory::{End, MemoryServer};
use pws_testing::patience::comes_true;

use crate::support::binary::serve;
use crate::support::listed::texts;
use crate::support::server::RunningServer;
use crate::support::visitor::Visitor;

fn vhosts() -> SiteOptions {
    SiteOptions { vhosts: true, ..SiteOptions::default() }
}

fn hosts() -> Folder {
    Folder::new()
        .file("example.com/name.txt", "example.com")
        .file("www.example.com/name.txt", "www.example.com")
        .file("localhost/name.txt", "localhost")
        .file("127.0.0.1/name.txt", "127.0.0.1")
        .file("::1/name.txt", "::1")
        .file("a_b-c.test/name.txt", "a_b-c.test")
        .file(".hidden/name.txt", "hidden")
        .file("name.txt", "root")
        .file("file.test", "a file")
        .file("_redirects", "/* /elsewhere 302\n")
        .file_outside("name.txt", "outside")
}

#[test]
fn names_lead_to_folders() {
    let mut visitor = Visitor::with(hosts(), vhosts());
    for (host, expected) in [
        ("example.com", "example.com"),
        ("EXAMPLE.Com", "example.com"),
        ("example.com:8080", "example.com"),
        ("example.com.", "example.com"),
        ("Example.COM.:80", "example.com"),
        ("www.example.com", "www.example.com"),
        ("localhost:9000", "localhost"),
        ("127.0.0.1:9000", "127.0.0.1"),
        ("[::1]", "::1"),
        ("[::1]:9000", "::1"),
        ("a_b-c.test", "a_b-c.test"),
    ] {
        assert_eq!(visitor.get_of(host, "/name.txt").text(), expected, "{host}");
    }
}

#[test]
fn the_host_in_the_target_beats_the_field() {
    let mut visitor = Visitor::with(hosts(), vhosts());
    for (host, target, expected) in [
        ("example.com", "http://localhost/name.txt", "localhost"),
        ("localhost", "http://EXAMPLE.com:80/name.txt", "example.com"),
        ("nobody.test", "http://[::1]:80/name.txt", "::1"),
        ("", "http://localhost/name.txt", "localhost"),
    ] {
        assert_eq!(visitor.get_of(host, target).text(), expected, "{host} {target}");
    }
    assert_eq!(visitor.get_of("localhost", "http://nobody.test/name.txt").status, 404);
    let old = b"GET http://localhost/name.txt HTTP/1.0\r\n\r\n";
    let (bytes, _) = MemoryServer::with(&visitor.folder, &vhosts(), Limits::default()).exchange(old);
    assert_eq!(Answer::all(&bytes, &["GET"])[0].text(), "localhost");
}

/// What no folder below the root can be called.
const NO_NAMES: [&str; 16] = [
    "",
    ".",
    "..",
    "...",
    "../root",
    "a/b",
    "example.com/",
    "/",
    "..%2froot",
    "%2e%2e",
    ".hidden",
    "*",
    "file.test",
    "nobody.test",
    "[::2]",
    "example.com..",
];

#[test]
fn an_unknown_name_leads_to_the_default_or_nowhere() {
    let folders = [hosts(), hosts().file("default/name.txt", "default")];
    let [mut without, mut with] =
        [0, 1].map(|index| MemoryServer::with(&folders[index], &vhosts(), Limits::default()));
    for host in NO_NAMES {
        for (server, expected) in [(&mut without, None), (&mut with, Some("default"))] {
            let request = format!("GET /name.txt HTTP/1.1\r\nHost: {host}\r\n\r\n");
            let (bytes, end) = server.exchange(request.as_bytes());
            let answer = Answer::all(&bytes, &["GET"]).remove(0);
            match (end, expected) {
                // What can be no host is no request (RFC 9112 §3.2).
                (End::Lingering, _) => assert_eq!(answer.status, 400, "{host}"),
                (_, None) => assert_eq!(answer.status, 404, "{host}"),
                (_, Some(text)) => assert_eq!(answer.text(), text, "{host}"),
            }
        }
    }
    let old = b"GET /name.txt HTTP/1.0\r\n\r\n";
    let (bytes, _) = with.exchange(old);
    assert_eq!(Answer::all(&bytes, &["GET"])[0].text(), "default", "no name at all");
}

#[test]
fn a_folder_in_capitals_is_found_and_one_in_lower_case_comes_first() {
    let folder = hosts()
        .file("Shop.Example/name.txt", "in capitals")
        .file("Shop.Example/_redirects", "/old /name.txt 301\n")
        .file("LOCALHOST/name.txt", "the other")
        .symlink("ALIAS.example", "Shop.Example");
    let root = folder.root();
    let mut visitor = Visitor::with(folder, vhosts());
    for (host, expected) in [
        ("shop.example", "in capitals"),
        ("Shop.Example", "in capitals"),
        ("SHOP.EXAMPLE:80", "in capitals"),
        ("alias.example", "in capitals"),
        ("localhost", "localhost"),
    ] {
        assert_eq!(visitor.get_of(host, "/name.txt").text(), expected, "{host}");
    }
    assert_eq!(visitor.get_of("shop.example", "/old").field("location"), Some("/name.txt"));
    // What is there later is found within a second.
    fs::rename(root.join("Shop.Example"), root.join("New.Example")).expect("renamed");
    visitor.at_real_time(1);
    assert_eq!(visitor.get_of("new.example", "/name.txt").text(), "in capitals");
    assert_eq!(visitor.get_of("shop.example", "/name.txt").status, 404);
    fs::create_dir(root.join("new.example")).expect("a folder");
    fs::write(root.join("new.example/name.txt"), "in lower case").expect("a file");
    visitor.at_real_time(2);
    assert_eq!(visitor.get_of("new.example", "/name.txt").text(), "in lower case");
}

#[test]
fn links_stay_in_the_folder_of_their_host_whatever_that_is_called() {
    let folder = hosts();
    let root = folder.root();
    let folder = folder
        .symlink("alias.test", "example.com")
        .symlink("absolute.test", root.join("example.com"))
        .symlink("example.com/mine", "name.txt")
        .symlink("example.com/absolute", root.join("example.com/name.txt"))
        .symlink("example.com/by-alias", root.join("alias.test/name.txt"))
        .symlink("example.com/other", "../localhost/name.txt")
        .symlink("example.com/other-absolute", root.join("localhost/name.txt"))
        .symlink("example.com/up", "..")
        .symlink("example.com/rules", "_headers")
        .file("example.com/_headers", "/mine\n  X: mine\n");
    let mut visitor = Visitor::with(folder, vhosts());
    for host in ["example.com", "alias.test", "absolute.test"] {
        for target in ["/name.txt", "/mine", "/absolute", "/by-alias"] {
            assert_eq!(visitor.get_of(host, target).text(), "example.com", "{host}{target}");
        }
        assert_eq!(visitor.get_of(host, "/mine").field("x"), Some("mine"), "{host}");
        for target in ["/other", "/other-absolute", "/up/localhost/name.txt", "/up/", "/rules"] {
            assert_eq!(visitor.get_of(host, target).status, 404, "{host}{target}");
        }
        let listed = texts(&visitor.get_of(host, "/"));
        assert_eq!(listed, ["absolute", "by-alias", "mine", "name.txt"], "{host}");
    }
}

#[test]
fn no_path_leads_from_one_host_to_another() {
    let folder = hosts().file("default/index.html", "<p>default").symlink("linked.test", "../..");
    let mut visitor = Visitor::with(folder, vhosts());
    for target in [
        "/../localhost/name.txt",
        "/%2e%2e/localhost/name.txt",
        "/..%2flocalhost/name.txt",
        "/localhost/name.txt",
        "/../name.txt",
        "/../../name.txt",
        "//localhost/../../name.txt",
    ] {
        let answer = visitor.get_of("example.com", target);
        // `..` at the top stays there, as it does in a browser.
        assert!(answer.status == 404 || answer.text() == "example.com", "{target}: {answer:?}");
    }
    assert_eq!(visitor.get_of("linked.test", "/name.txt").status, 404, "a symlink out is no host");
}

#[test]
fn a_host_has_its_own_pages_rules_and_fields() {
    let folder = Folder::new()
        .file("a.test/index.html", "<p>a")
        .file("a.test/404.html", "<p>a has no such page")
        .file("a.test/_redirects", "/old /new 301\n/rewritten /index.html 200\n")
        .file("a.test/_headers", "/*\n  X-Of: a\n")
        .file("b.test/index.html", "<p>b")
        .file("b.test/_redirects", "/old /other 302\n")
        .file("404.html", "<p>of nobody");
    let mut visitor = Visitor::with(folder, vhosts());
    assert_eq!(visitor.get_of("a.test", "/").text(), "<p>a");
    assert_eq!(visitor.get_of("b.test", "/").text(), "<p>b");
    assert_eq!(visitor.get_of("a.test", "/rewritten").text(), "<p>a");
    for (host, status, location) in [("a.test", 301, "/new"), ("b.test", 302, "/other")] {
        let answer = visitor.get_of(host, "/old");
        assert_eq!((answer.status, answer.field("location")), (status, Some(location)));
    }
    let missing = visitor.get_of("a.test", "/nowhere");
    assert_eq!((missing.status, missing.text().as_str()), (404, "<p>a has no such page"));
    let missing = visitor.get_of("b.test", "/nowhere");
    assert_eq!(missing.status, 404);
    assert!(missing.text().contains("404 Not Found"), "neither a's page nor the root's: {missing:?}");
    assert!(!visitor.get_of("c.test", "/").text().contains("of nobody"));
    for (host, of) in [("a.test", Some("a")), ("b.test", None)] {
        assert_eq!(visitor.get_of(host, "/").field("x-of"), of);
    }
    for rules in ["/_headers", "/_redirects"] {
        assert_eq!(visitor.get_of("a.test", rules).status, 404);
    }
}

#[test]
fn the_folder_of_a_host_is_seen_by_nobody() {
    let folder = Folder::new().file("a.test/docs/deep/page.txt", "page").file("a.test/_headers", "");
    let mut visitor = Visitor::with(folder, vhosts());
    assert_eq!(texts(&visitor.get_of("a.test", "/")), ["docs/"]);
    for target in ["/", "/docs/", "/docs/deep/", "/?format=json", "/docs/?format=json"] {
        let answer = visitor.get_of("a.test", target);
        assert_eq!(answer.status, 200);
        assert!(!answer.text().contains("a.test"), "{}", answer.text());
    }
    let redirect = visitor.get_of("a.test", "/docs?a=b");
    assert_eq!((redirect.status, redirect.field("location")), (301, Some("docs/?a=b")));
    let mut plain = Visitor::of(Folder::new().file("docs/deep/page.txt", "page").aged());
    let mut visitor = Visitor::with(visitor.folder.aged(), vhosts());
    for target in ["/docs/", "/docs/deep/"] {
        let answer = visitor.get_of("a.test", target);
        assert_eq!(answer.text(), plain.get(target).text(), "as if it were the only host");
    }
}

#[test]
fn without_the_option_all_names_lead_to_one_folder() {
    let mut visitor = Visitor::of(hosts());
    for host in ["example.com", "nobody.test", ""] {
        assert_eq!(visitor.get_of(host, "/name.txt").text(), "root", "{host}");
    }
}

#[track_caller]
fn get_of(client: &mut Client, host: &str, target: &str) -> Answer {
    client.send(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    client.answer()
}

/// How long it takes until `is_so`.
#[track_caller]
fn time_until(is_so: impl FnMut() -> bool) -> Duration {
    let started = Instant::now();
    assert!(comes_true(is_so), "it never comes");
    started.elapsed()
}

#[test]
fn hosts_that_come_and_go_are_seen_within_two_seconds() {
    let folder = Folder::new().file("default/name.txt", "default");
    let binds = vec!["127.0.0.1".to_owned()];
    let config = Config { binds, port: 0, access_log: false, site: vhosts(), ..Config::new(folder.root()) };
    let server = RunningServer::of(Server::bind(config).expect("a server"), folder);
    let root = server.folder.root();
    let mut client = server.connect();
    let mut name = || get_of(&mut client, "new.test", "/name.txt").text();
    assert_eq!(name(), "default");
    let host = root.join("new.test");
    fs::create_dir(&host).expect("a folder");
    fs::write(host.join("name.txt"), "new").expect("a file");
    let bound = Duration::from_secs(2);
    assert!(time_until(|| name() == "new") < bound, "it came");
    fs::rename(&host, root.join("old.test")).expect("renamed");
    assert!(time_until(|| name() == "default") < bound, "it went");
    let mut rules = || get_of(&mut client, "old.test", "/a").field("location").map(str::to_owned);
    assert_eq!(rules(), None);
    fs::write(root.join("old.test/_redirects"), "/a /b 301\n").expect("rules");
    assert!(time_until(|| rules().as_deref() == Some("/b")) < bound, "rules came");
    fs::remove_dir_all(root.join("default")).expect("removed");
    let mut status = || get_of(&mut client, "nobody.test", "/name.txt").status;
    assert!(time_until(|| status() == 404) < bound, "the default went");
}

/// Asks for `/name.txt` of `count` hosts that there are not, each called by its number and `filling`.
#[track_caller]
fn ask_of_made_up_hosts(client: &mut Client, count: usize, filling: &str) {
    for number in 0..count {
        assert_eq!(get_of(client, &format!("{number}.{filling}"), "/name.txt").status, 404);
    }
}

#[test]
fn made_up_names_take_no_memory_for_long() {
    let process = serve(hosts(), &["--vhosts", "--access-log", "off", "--cache-size", "64K"]);
    let mut client = process.connect();
    // Names as long as a head can hold, so that what is kept of them shows.
    for filling in ["test".to_owned(), "x".repeat(15_000)] {
        ask_of_made_up_hosts(&mut client, 200, &filling);
        let before = process.peak_memory_kib();
        ask_of_made_up_hosts(&mut client, 4000, &filling);
        let grown = process.peak_memory_kib() - before;
        assert!(grown < 2048, "{grown} KiB for 4,000 names that end in {} bytes", filling.len());
        assert_eq!(get_of(&mut client, "example.com", "/name.txt").text(), "example.com");
    }
}
