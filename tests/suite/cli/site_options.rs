//! Options and variables for what is served: that each has its effect, and what is said of wrong values.

use std::process::Command;

use pws_testing::folder::Folder;
use pws_testing::process::{self, Process, serving};

use crate::support::binary::{self, command, serve};

fn folder() -> Folder {
    Folder::new()
        .file("home.htm", "<p>home")
        .file("about.html", "<p>about")
        .file("app.html", "<p>app")
        .file("list/a.foo", "a")
        .file("linked", "linked")
        .symlink("link", "linked")
        .file(".dot", "dot")
        .file("a.example/index.html", "<p>a.example")
}

/// Every option with a value that cannot be, and a part of what is said about it.
const WRONG: [(&str, &str, &str); 31] = [
    ("--header", "no colon", "write `Name: value`"),
    ("--header", ": a", "no name of a field"),
    ("--header", "A b: c", "no name of a field"),
    ("--header", "A:", "has no value"),
    ("--header", "A: b\rC", "bytes that no field can have"),
    // A line end parts two fields, each of which must be one.
    ("--header", "A\r\nB: c", "is no field"),
    ("--header", "A: b\r\nContent-Length: 5", "set by the server"),
    ("--header", "Content-Length: 5", "set by the server"),
    ("--header", "transfer-encoding: chunked", "set by the server"),
    ("--header", "ETag: \"a\"", "set by the server"),
    ("--header", "Date: now", "set by the server"),
    ("--header", "Location: /", "set by the server"),
    ("--header", "Content-Type: text/plain", "depends on the file"),
    ("--header", "content-encoding: br", "depends on the file"),
    ("--cache-control", "a\r\nB: c", "bytes that no field can have"),
    ("--cors", "app.example", "an origin such as"),
    ("--cors", "https://app.example/", "an origin such as"),
    ("--cors", "https://a.example, https://b.example", "an origin such as"),
    ("--cors", "https://a\r\nB: c", "an origin such as"),
    ("--mime", "md", "an extension and a type"),
    ("--mime", "md=", "an extension and a type"),
    ("--mime", "md=text", "an extension and a type"),
    ("--mime", "=text/html", "an extension and a type"),
    ("--mime", "md=text/a\r\nB: c", "an extension and a type"),
    ("--index", "docs/index.html", "a name without a folder"),
    ("--index", "..", "a name is needed"),
    ("--fallback", "../app.html", "a file below the folder"),
    ("--fallback", "docs/../../app.html", "a file below the folder"),
    ("--fallback", "docs/", "a file below the folder"),
    ("--symlinks", "sometimes", "it may be inside, follow, deny"),
    ("--cache-size", "16Q", "no unit"),
];

#[track_caller]
fn assert_refused(command: Command, option: &str, hint: &str, what: &str) {
    let output = process::run(command);
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!((output.status.code(), output.stdout), (Some(2), Vec::new()), "{what}: {stderr}");
    let first = stderr.lines().next().unwrap_or_default();
    assert!(first.starts_with("error: "), "{what}: {stderr}");
    for part in [option, hint, "Usage: pws"] {
        assert!(stderr.contains(part), "{what}, {part:?}: {stderr}");
    }
}

#[test]
fn wrong_values_are_refused_before_anything_is_served() {
    let folder = folder();
    for (option, value, hint) in WRONG {
        let mut by_option = serving(command(), &folder);
        by_option.arg(format!("{option}={value}"));
        assert_refused(by_option, option, hint, &format!("{option}={value:?}"));
    }
    for (option, value, hint) in WRONG {
        let variable = format!("PWS_{}", option.trim_start_matches('-').replace('-', "_").to_uppercase());
        let mut by_variable = serving(command(), &folder);
        by_variable.env(&variable, value);
        assert_refused(by_variable, &variable, hint, &format!("{variable}={value:?}"));
    }
}

#[test]
fn options_have_their_effect() {
    let args = [
        "--index=index.html",
        "--index=home.htm",
        "--no-listing",
        "--fallback=/app.html",
        "--clean-urls",
        "--header=X-Frame-Options: DENY",
        "--header=Link: </a>; rel=a",
        "--cache-control=max-age=60",
        "--cors",
        "--mime=foo=text/foo",
        "--mime=.html=text/x-html",
        "--hidden",
        "--symlinks=deny",
    ];
    expect_all(serve(folder(), &args));
    let mut by_variable = command();
    for (name, value) in [
        ("PWS_INDEX", "index.html,home.htm"),
        ("PWS_NO_LISTING", "1"),
        ("PWS_FALLBACK", "app.html"),
        ("PWS_CLEAN_URLS", "yes"),
        ("PWS_HEADER", "X-Frame-Options: DENY\nLink: </a>; rel=a"),
        ("PWS_CACHE_CONTROL", "max-age=60"),
        ("PWS_CORS", "*"),
        ("PWS_MIME", "foo=text/foo,html=text/x-html"),
        ("PWS_HIDDEN", "true"),
        ("PWS_SYMLINKS", "deny"),
    ] {
        by_variable.env(name, value);
    }
    let folder = folder();
    expect_all(Process::start(serving(by_variable, &folder)));
}

#[track_caller]
fn expect_all(process: Process) {
    let mut client = process.connect();
    assert_eq!(client.get("/").text(), "<p>home");
    assert_eq!(client.get("/list/").status, 404);
    assert_eq!(client.get("/about").field("content-type"), Some("text/x-html"));
    assert_eq!(client.get("/.dot").text(), "dot");
    assert_eq!(client.get("/link").status, 404);
    let answer = client.get("/list/a.foo");
    for (name, value) in [
        ("content-type", "text/foo"),
        ("x-frame-options", "DENY"),
        ("link", "</a>; rel=a"),
        ("cache-control", "max-age=60"),
        ("access-control-allow-origin", "*"),
    ] {
        assert_eq!(answer.field(name), Some(value), "{name}");
    }
    client.send("GET /nowhere HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n");
    assert_eq!(client.answer().text(), "<p>app");
}

#[test]
fn one_origin_can_be_named() {
    let process = serve(folder(), &["--cors=https://app.example"]);
    let answer = process.connect().get("/linked");
    assert_eq!(answer.field("access-control-allow-origin"), Some("https://app.example"));
}

const FLAGS: [&str; 5] = ["PWS_NO_LISTING", "PWS_CLEAN_URLS", "PWS_HIDDEN", "PWS_VHOSTS", "PWS_STRICT"];

#[test]
fn flags_can_be_off_by_their_variables() {
    for value in ["0", "false", "no", "off", "n", "f", "False", ""] {
        // A file of rules with something to complain about does not keep it from starting.
        let folder = folder().file("_redirects", "/only-one-word\n");
        let mut command = command();
        command.envs(FLAGS.map(|flag| (flag, value)));
        let process = Process::start(serving(command, &folder));
        let mut client = process.connect();
        for (target, status) in [("/list/", 200), ("/about", 404), ("/about.html", 200), ("/.dot", 404)] {
            assert_eq!(client.get(target).status, status, "{target} with {value:?}");
        }
    }
}

#[test]
fn flags_can_be_on_by_their_variables() {
    for value in ["1", "true", "yes", "on"] {
        let folder = folder();
        let mut command = command();
        command.env("PWS_VHOSTS", value).env("PWS_STRICT", value);
        let process = Process::start(serving(command, &folder));
        let mut client = process.connect();
        assert_eq!(
            client.get("/about.html").status,
            404,
            "PWS_VHOSTS={value}: there is no folder for 'test'"
        );
        client.send("GET / HTTP/1.1\r\nHost: A.example:80\r\n\r\n");
        assert_eq!(client.answer().text(), "<p>a.example", "PWS_VHOSTS={value}");
        folder.put("a.example/_redirects", "/only-one-word\n");
        let mut strict = serving(binary::command(), &folder);
        strict.env("PWS_VHOSTS", value).env("PWS_STRICT", value);
        let output = process::run(strict);
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(1), "PWS_STRICT={value}: {stderr}");
        assert!(stderr.contains("a.example/_redirects line 1: "), "{stderr}");
    }
}

#[test]
fn a_file_is_served_alone() {
    let folder = Folder::new().file("page.html", "page").file("page.html.gz", "packed").file(".note", "note");
    let folder = folder.file("other.html", "other").file("_headers", "/*\n  X-Rule: yes\n");
    let folder = folder.file("404.html", "not this").file("page.html.txt", "other").file("sub/page.html", "");
    let serve_file = |name: &str| {
        let mut command = command();
        command.arg(folder.path(name)).args(["--bind", "127.0.0.1", "--port", "0"]);
        Process::start(command)
    };
    let process = serve_file("page.html");
    assert!(process.first_line.contains("/page.html at http://"), "{}", process.first_line);
    for target in ["/", "/page.html"] {
        let answer = process.connect().get(target);
        assert_eq!((answer.status, answer.text().as_str()), (200, "page"), "{target}");
        assert_eq!(answer.field("x-rule"), None, "rules are not that file");
        assert_eq!(answer.field("content-type"), Some("text/html; charset=utf-8"));
        let packed = process.connect().try_get(target, "Accept-Encoding: gzip\r\n").expect("an answer");
        assert_eq!(
            (packed.field("content-encoding"), packed.text().as_str()),
            (Some("gzip"), "packed"),
            "{target}"
        );
    }
    for target in
        ["/other.html", "/_headers", "/404.html", "/page.html.txt", "/sub/page.html", "/sub/", "/.note"]
    {
        let answer = process.connect().get(target);
        assert!(answer.status == 404 && answer.text() != "not this", "{target}: {}", answer.status);
    }
    assert_eq!(serve_file(".note").connect().get("/").text(), "note", "whoever names it wants it to be seen");
}
