//! Which names are there: hidden ones, symlinks, and the page of a folder.

use std::fs;
use std::os::unix::fs::symlink;

use pws::config::{SiteOptions, Symlinks};
use pws_testing::folder::{Folder, noise};
use pws_testing::process::{Process, serving};

use crate::support::binary::{command, serve};
use crate::support::listed::texts;
use crate::support::visitor::Visitor;

fn with_hidden() -> Folder {
    Folder::new()
        .file(".env", "hidden")
        .file(".git/config", "hidden")
        .file(".git/.lock", "hidden")
        .file("docs/.draft/page.html", "hidden")
        .file("docs/page.html", "<p>page")
        .file(".well-known/token", "known")
        .file(".well-known/.git/config", "hidden")
        .file("_headers", "/docs/*\n  X-Docs: yes\n")
        .file("_redirects", "/old /docs/page.html 301\n")
}

/// A site that serves hidden names of this pattern.
fn showing(pattern: &str) -> SiteOptions {
    let hidden = Some(pattern.to_owned()).filter(|pattern| !pattern.is_empty());
    SiteOptions { hidden: hidden.into_iter().collect(), ..SiteOptions::default() }
}

const HIDDEN: [&str; 9] = [
    "/.env",
    "/.git/config",
    "/.git/",
    "/.git/.lock",
    "/docs/.draft/",
    "/docs/.draft/page.html",
    "/docs%2f.draft/page.html",
    "/.well-known/.git/config",
    "/.well-known%2F.git%2Fconfig",
];

#[test]
fn hidden_names_are_there_only_if_asked_for() {
    let mut visitor = Visitor::of(with_hidden());
    for (shown, status, root, docs, well_known) in [
        ("", 404, &[".well-known/", "docs/"][..], &["page.html"][..], &["token"][..]),
        (
            ".*",
            200,
            &[".git/", ".well-known/", "docs/", ".env"],
            &[".draft/", "page.html"],
            &[".git/", "token"],
        ),
    ] {
        visitor.reopen(showing(shown));
        for target in HIDDEN {
            assert_eq!(visitor.get(target).status, status, "{target}, {shown}");
        }
        assert_eq!(texts(&visitor.get("/")), root);
        assert_eq!(texts(&visitor.get("/docs/")), docs);
        assert_eq!(visitor.get("/.well-known/token").text(), "known");
        assert_eq!(texts(&visitor.get("/.well-known/")), well_known);
        // A redirect would tell that it is there.
        assert_eq!(visitor.get("/docs/.draft").status, if shown.is_empty() { 404 } else { 301 });
    }
}

#[test]
fn some_hidden_names_are_there_if_they_fit_what_was_asked_for() {
    let mut visitor = Visitor::of(with_hidden());
    visitor.reopen(showing(".g*"));
    for (target, status) in [
        ("/.git/config", 200),
        // Each name on the way counts.
        ("/.git/.lock", 404),
        ("/.env", 404),
        ("/docs/.draft/page.html", 404),
        ("/.well-known/token", 200),
        ("/.well-known/.git/config", 200),
    ] {
        assert_eq!(visitor.get(target).status, status, "{target}");
    }
    assert_eq!(texts(&visitor.get("/")), [".git/", ".well-known/", "docs/"]);
    assert_eq!(texts(&visitor.get("/.git/")), ["config"]);
}

#[test]
fn the_files_with_rules_are_never_served() {
    let mut visitor = Visitor::of(with_hidden());
    for shown in ["", ".*"] {
        visitor.reopen(showing(shown));
        for target in [
            "/_headers",
            "/_redirects",
            "/docs/../_headers",
            "/docs%2f..%2f_headers",
            "/%5fheaders",
            "//_redirects",
            "/_HEADERS",
        ] {
            assert_eq!(visitor.get(target).status, 404, "{target}, {shown}");
        }
        assert_eq!(visitor.get("/docs/page.html").field("x-docs"), Some("yes"), "they are heeded");
        assert_eq!(visitor.get("/old").field("location"), Some("/docs/page.html"));
    }
}

/// Symlinks of every kind, each beside its copy below a folder.
fn with_symlinks() -> Folder {
    let folder = Folder::new()
        .file("inside.txt", "inside")
        .file("folder/page.txt", "page")
        .file_outside("outside.txt", "outside")
        .file_outside("outside/page.txt", "outside");
    let (outside, inside) = (folder.outside().to_owned(), folder.root().join("inside.txt"));
    folder
        .symlink("to-file", "inside.txt")
        .symlink("to-folder", "folder")
        .symlink("folder/up", "../inside.txt")
        .symlink("chain", "to-folder/up")
        .symlink("out-file", "../outside.txt")
        .symlink("out-folder", "../outside")
        .symlink("out-and-back", "../root/inside.txt")
        .symlink("absolute-out", outside.join("outside.txt"))
        .symlink("absolute-in", inside)
        .symlink("broken", "nowhere")
        .symlink("loop", "loop")
        .symlink("magic", "/proc/self/root")
}

/// Targets, and what each is with `inside`, `follow` and `deny`; empty where it is not there.
const SYMLINKED: [(&str, [&str; 3]); 14] = [
    ("/inside.txt", ["inside", "inside", "inside"]),
    ("/to-file", ["inside", "inside", ""]),
    ("/to-folder/page.txt", ["page", "page", ""]),
    ("/folder/up", ["inside", "inside", ""]),
    ("/to-folder/up", ["inside", "inside", ""]),
    ("/chain", ["inside", "inside", ""]),
    ("/out-file", ["", "outside", ""]),
    ("/out-folder/page.txt", ["", "outside", ""]),
    ("/out-and-back", ["", "inside", ""]),
    ("/absolute-out", ["", "outside", ""]),
    ("/absolute-in", ["inside", "inside", ""]),
    ("/broken", ["", "", ""]),
    ("/loop", ["", "", ""]),
    ("/magic/etc/passwd", ["", "", ""]),
];

#[test]
fn symlinks_are_followed_as_far_as_was_asked_for() {
    let mut visitor = Visitor::of(with_symlinks());
    for (index, symlinks) in [Symlinks::Inside, Symlinks::Follow, Symlinks::Deny].into_iter().enumerate() {
        visitor.reopen(SiteOptions { symlinks, ..SiteOptions::default() });
        for (target, contents) in SYMLINKED {
            let answer = visitor.get(target);
            match contents[index] {
                "" => assert_eq!(answer.status, 404, "{target}, {symlinks:?}"),
                content => assert_eq!(answer.text(), content, "{target}, {symlinks:?}"),
            }
        }
    }
}

#[test]
fn only_symlinks_that_are_followed_are_listed() {
    let mut visitor = Visitor::of(with_symlinks());
    for (symlinks, expected) in [
        (Symlinks::Inside, &["folder/", "to-folder/", "absolute-in", "chain", "inside.txt", "to-file"][..]),
        (
            Symlinks::Follow,
            &[
                "folder/",
                "out-folder/",
                "to-folder/",
                "absolute-in",
                "absolute-out",
                "chain",
                "inside.txt",
                "out-and-back",
                "out-file",
                "to-file",
            ],
        ),
        (Symlinks::Deny, &["folder/", "inside.txt"]),
    ] {
        visitor.reopen(SiteOptions { symlinks, ..SiteOptions::default() });
        // `/proc/self/root` is a folder to whoever asks for its state, and cannot be entered.
        let listed: Vec<String> = texts(&visitor.get("/"));
        assert_eq!(listed, expected, "{symlinks:?}");
        for text in listed {
            assert_eq!(visitor.get(&format!("/{text}")).status, 200, "{text}: what is listed is there");
        }
    }
}

fn folder_with_a_link_to_itself() -> Folder {
    with_hidden().symlink("docs/top", "..")
}

#[test]
fn links_show_nothing_that_is_hidden() {
    let folder = with_hidden()
        .symlink("env", ".env")
        .symlink("git", ".git")
        .symlink("docs/draft", ".draft/page.html")
        .symlink("twice", "docs/draft")
        .symlink("rules", "_headers")
        .symlink("docs/rules", "../_redirects")
        .symlink("known", ".well-known/token")
        // As Kubernetes mounts what a ConfigMap holds.
        .file("..2026_01/page.html", "volume")
        .file("..2026_01/docs/deep.html", "volume")
        .file("..2026_01/.env", "hidden")
        .symlink("..data", "..2026_01")
        .symlink("volume.html", "..data/page.html")
        .symlink("volume", "..data/docs")
        .symlink("volume-env", "..data/.env")
        .symlink("data", "..data");
    let absolute = folder.root().join(".env");
    let mut visitor = Visitor::of(folder.symlink("absolute", absolute));
    let hidden = [
        "/env",
        "/git/config",
        "/git/",
        "/docs/draft",
        "/twice",
        "/rules",
        "/docs/rules",
        "/absolute",
        "/volume-env",
        "/data/.env",
        "/..data/page.html",
    ];
    for _ in 0..2 {
        for target in hidden {
            assert_eq!(visitor.get(target).status, 404, "{target}");
        }
        for (target, text) in
            [("/known", "known"), ("/volume.html", "volume"), ("/volume/deep.html", "volume")]
        {
            assert_eq!(visitor.get(target).text(), text, "{target}");
        }
    }
    let listed = texts(&visitor.get("/"));
    assert_eq!(listed, [".well-known/", "data/", "docs/", "volume/", "known", "volume.html"]);
    let by_link = folder_with_a_link_to_itself();
    assert_eq!(
        texts(&Visitor::of(by_link).get("/docs/top/")),
        [".well-known/", "docs/"],
        "rules are not told of"
    );
    visitor.reopen(showing(".*"));
    for target in hidden {
        let status = if target.ends_with("rules") { 404 } else { 200 };
        assert_eq!(visitor.get(target).status, status, "{target}, with all that is hidden");
    }
    visitor.reopen(SiteOptions { symlinks: Symlinks::Follow, ..SiteOptions::default() });
    assert_eq!(visitor.get("/env").text(), "hidden", "wherever they lead");
}

#[test]
fn a_link_that_comes_to_lead_to_something_hidden_is_found_no_more() {
    let folder = with_hidden().symlink("page", "docs/page.html");
    let root = folder.root();
    let mut visitor = Visitor::of(folder);
    assert_eq!(visitor.get("/page").text(), "<p>page");
    fs::remove_file(root.join("page")).expect("the link");
    symlink(".env", root.join("page")).expect("a link");
    assert_eq!(visitor.get("/page").status, 404);
}

#[test]
fn why_a_name_is_not_there_is_told_at_the_level_debug() {
    let folder = with_hidden()
        .symlink("env", ".env")
        .file_outside("outside.txt", "outside")
        .symlink("out", "../outside.txt");
    let process = serve(folder, &["--log-level", "debug"]);
    let mut client = process.connect();
    for (target, told) in [
        ("/docs/.draft/", "/docs/.draft/ is not served: .draft starts with a dot (try '--hidden .draft')"),
        ("/_headers", "/_headers is not served: files with rules are not"),
        ("/env", "/env is not served, for what it leads to: .env starts with a dot (try '--hidden .env')"),
        ("/out", "/out is not served: it leads out of the folder, or nowhere"),
    ] {
        assert_eq!(client.get(target).status, 404, "{target}");
        process.wait_for(told);
    }
}

#[test]
fn a_file_that_is_remembered_and_becomes_a_symlink_to_its_own_content_is_denied() {
    for content in [noise(100), noise(100_000)] {
        let folder = Folder::new().file("page.bin", &content).file("folder/page.bin", &content);
        let options = SiteOptions { symlinks: Symlinks::Deny, ..SiteOptions::default() };
        let root = folder.root();
        let mut visitor = Visitor::with(folder, options);
        for _ in 0..2 {
            assert!(visitor.get("/page.bin").body == content);
            assert!(visitor.get("/folder/page.bin").body == content);
        }
        fs::rename(root.join("page.bin"), root.join("moved.bin")).expect("moved");
        symlink("moved.bin", root.join("page.bin")).expect("a symlink");
        assert_eq!(visitor.get("/page.bin").status, 404);
        assert!(visitor.get("/moved.bin").body == content);
        fs::remove_file(root.join("page.bin")).expect("removed");
        fs::hard_link(root.join("moved.bin"), root.join("page.bin")).expect("a link that is a file");
        assert!(visitor.get("/page.bin").body == content);
    }
}

#[test]
fn the_first_index_that_is_there_is_shown() {
    let folder = Folder::new()
        .file("index.html", "html")
        .file("home.htm", "htm")
        .file("only/index.html", "html")
        .file("neither/page.html", "page")
        .folder("folder/home.htm")
        .file("folder/index.html", "html")
        .folder("hidden")
        .file("hidden/.page", "hidden")
        .folder("out")
        .file_outside("outside.txt", "outside")
        .symlink("out/home.htm", "../../outside.txt");
    let mut visitor = Visitor::of(folder);
    let mut get = |indexes: &[&str], target: &str| {
        let indexes = indexes.iter().map(|&index| index.to_owned()).collect();
        visitor.reopen(SiteOptions { indexes, ..SiteOptions::default() }).get(target)
    };
    for (indexes, target, expected) in [
        (&["home.htm", "index.html"][..], "/", Some("htm")),
        (&["index.html", "home.htm"], "/", Some("html")),
        (&["home.htm", "index.html"], "/only/", Some("html")),
        (&["home.htm"], "/only/", None),
        (&["home.htm", "index.html"], "/neither/", None),
        // What is no file is no page.
        (&["home.htm", "index.html"], "/folder/", Some("html")),
        (&["home.htm", "index.html"], "/out/", None),
        (&[".page"], "/hidden/", None),
    ] {
        let answer = get(indexes, target);
        match expected {
            Some(text) => assert_eq!(answer.text(), text, "{target} {indexes:?}"),
            None => assert!(answer.text().contains("<title>Index of /"), "{target} {indexes:?}"),
        }
    }
    assert_eq!(get(&["home.htm"], "/index.html").text(), "html", "a page like any other");
}

#[test]
fn the_command_line_and_the_variables_say_the_same() {
    let site = || {
        Folder::new()
            .file("both/index.html", "html")
            .file("both/home.htm", "htm")
            .file("neither/.env", "hidden")
            .symlink("to-neither", "neither")
    };
    let by_options = ["--no-listing", "--hidden", "--symlinks", "deny", "--index", "home.htm"];
    let by_options = serve(site(), &[&by_options[..], &["--index", "index.html"]].concat());
    let folder = site();
    let mut command = serving(command(), &folder);
    command.env("PWS_NO_LISTING", "1").env("PWS_HIDDEN", "1").env("PWS_SYMLINKS", "deny");
    command.env("PWS_INDEX", "home.htm,index.html");
    for process in [by_options, Process::start(command)] {
        let mut client = process.connect();
        assert_eq!(client.get("/both/").text(), "htm");
        assert_eq!(client.get("/neither/").status, 404);
        assert_eq!(client.get("/neither/.env").text(), "hidden");
        assert_eq!(client.get("/to-neither/.env").status, 404);
    }
}
