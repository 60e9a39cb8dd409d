//! Filesystems that fold names: a file is served by the one that its folder lists, and by no other.

use std::fs::File;
use std::process::{Command, Stdio};

use pws::config::SiteOptions;
use pws::limits::Limits;
use pws_testing::folder::Folder;
use pws_testing::process::{Process, command_of};

use crate::support::binary::PWS;
use crate::support::listed::texts;
use crate::support::tools;
use crate::support::visitor::Visitor;

/// What is put on the filesystem: little, since some write slowly.
const FILES: &str = "set -e; cd $1; mkdir private; echo hidden > .env; echo page > page.html; \
     echo private > private/x.txt; printf '/private/*\\n  X-Private: yes\\n' > _headers; \
     echo '/old /page.html' > _redirects; echo rule > Rule.html; printf packed > Only.js.gz";

/// Serves a filesystem that `mount` mounts at `$1` with the files in it, in namespaces of its own that end with
/// it. `None`, loudly, where this machine does not allow that.
fn serve_mounted(folder: &Folder, mount: &str) -> Option<Process> {
    let in_namespaces = |script: &str| {
        let mut command = command_of("unshare");
        command.args([
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "sh",
            "-c",
            script,
            "sh",
        ]);
        command.arg(folder.root());
        command
    };
    let trial = in_namespaces(mount).output().expect("unshare");
    if !trial.status.success() {
        tools::skip(&format!("nothing can be mounted: {}", String::from_utf8_lossy(&trial.stderr)));
        return None;
    }
    let mut command = in_namespaces(&format!("{mount} && ({FILES}) && shift && exec \"$@\""));
    command.args([PWS, "--bind", "127.0.0.1", "--port", "0", "--log-level", "debug"]).arg(folder.root());
    Some(Process::start(command))
}

#[track_caller]
fn assert_spelled_as_listed(process: &Process) {
    let mut client = process.connect();
    for _ in 0..2 {
        for target in ["/page.html", "/private/x.txt", "/Rule.html", "/private/"] {
            assert_eq!(client.get(target).status, 200, "{target}");
        }
        assert_eq!(client.get("/private/x.txt").field("x-private"), Some("yes"));
        for target in [
            "/.ENV",
            "/ENV~1",
            "/PAGE.HTML",
            "/Page.html",
            "/page.html.",
            "/rule.html",
            "/PRIVATE/x.txt",
            "/private/X.TXT",
            "/PRIVATE/",
            "/PRIVAT~1/x.txt",
            "/_HEADERS",
            "/_headers.",
            "/_HEADE~1",
            "/_Redirects",
            "/only.js",
        ] {
            assert_eq!(client.get(target).status, 404, "{target}");
        }
        assert_eq!(client.get("/old").status, 302, "rules are read");
    }
    let listed = texts(&client.get("/"));
    assert_eq!(listed, ["private/", "Only.js.gz", "page.html", "Rule.html"]);
    process.wait_for("/PAGE.HTML is not served: its folder lists another name for it");
}

/// A folder, and beside it a filesystem of the kind that sticks have.
fn with_image() -> Option<(Folder, String)> {
    if !["unshare", "mkfs.vfat"].into_iter().all(tools::starts) {
        return None;
    }
    let folder = Folder::new();
    let image = folder.outside().join("image");
    File::create(&image).and_then(|file| file.set_len(16 << 20)).expect("a file");
    let made = Command::new("mkfs.vfat").arg(&image).stdout(Stdio::null()).status();
    assert!(made.expect("mkfs.vfat").success());
    Some((folder, image.display().to_string()))
}

#[test]
fn where_letters_are_folded_only_names_that_are_listed_are_served() {
    let Some((folder, image)) = with_image() else { return };
    if !tools::starts("fusefat") {
        return;
    }
    let mount = format!("fusefat -o rw+ {image} $1 >/dev/null && sleep 0.2");
    if let Some(process) = serve_mounted(&folder, &mount) {
        assert_spelled_as_listed(&process);
    }
}

#[test]
fn where_names_have_short_forms_only_those_that_are_listed_are_served() {
    let Some((folder, image)) = with_image() else { return };
    if let Some(process) = serve_mounted(&folder, &format!("mount -t vfat -o loop {image} $1")) {
        assert_spelled_as_listed(&process);
    }
}

#[test]
fn a_pair_of_names_in_a_large_folder_hides_none_of_the_others() {
    let folder = Folder::new().crowd("many", 6000).file("many/a", "lower").file("many/A", "upper");
    let options = SiteOptions::default();
    let limits = Limits { cache_bytes_max: 0, ..Limits::default() };
    let mut visitor = Visitor::within(folder, options, limits);
    assert_eq!(visitor.get("/many/a").text(), "lower");
    for number in (0..6000).step_by(97) {
        assert_eq!(visitor.get(&format!("/many/{number:06}.txt")).status, 200, "{number}");
    }
}

#[test]
fn names_that_differ_in_case_alone_are_all_served_where_nothing_is_folded() {
    let folder = Folder::new()
        .file("page.html", "lower")
        .file("PAGE.HTML", "upper")
        .file("Docs/x.txt", "docs")
        .file("docs/X.TXT", "DOCS")
        .crowd("many", 3000)
        .file("many/a.txt", "a")
        .file("many/A.TXT", "A");
    let mut visitor = Visitor::with(folder, SiteOptions::default());
    for (target, text) in [
        ("/page.html", "lower"),
        ("/PAGE.HTML", "upper"),
        ("/Docs/x.txt", "docs"),
        ("/docs/X.TXT", "DOCS"),
        ("/many/a.txt", "a"),
        ("/many/A.TXT", "A"),
        ("/many/002999.txt", ""),
    ] {
        assert_eq!(visitor.get(target).text(), text, "{target}");
    }
    for target in ["/Page.html", "/docs/x.txt", "/many/A.txt", "/many/3000.txt"] {
        assert_eq!(visitor.get(target).status, 404, "{target}");
    }
    // What is new is found at once where there are few, and else within two seconds.
    visitor.folder.put("new.html", "new");
    assert_eq!(visitor.get("/new.html").text(), "new");
    visitor.folder.put("many/new.html", "new");
    visitor.at(3);
    assert_eq!(visitor.get("/many/new.html").text(), "new");
}
