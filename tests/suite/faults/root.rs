//! The served folder itself: not to be read, moved, deleted, replaced. Nobody gets bytes from elsewhere, the
//! process never ends, and what comes back is served again.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use pws_testing::folder::Folder;
use pws_testing::patience::wait_until;
use pws_testing::process::{Process, run, serving};

use super::folder;
use crate::support::binary::{command, serve};

const SECRET: &str = "secret";

#[track_caller]
fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("its mode");
}

/// What makes permissions count: they mean nothing to root.
fn as_nobody() -> &'static [&'static str] {
    if rustix::process::geteuid().is_root() { &["--user", "nobody"] } else { &[] }
}

/// A folder with another beside it that has the same names and may not be served.
fn beside_another() -> Folder {
    let folder = folder().file_outside("other/page.html", SECRET).file("docs/page.html", "<p>docs");
    // A temporary folder is its owner's alone.
    for path in [folder.root().as_path(), folder.outside()] {
        set_mode(path, 0o755);
    }
    folder
}

#[test]
fn a_folder_that_the_user_may_not_read_stops_the_start() {
    let folder = beside_another();
    set_mode(&folder.root(), 0o000);
    let mut command = serving(command(), &folder);
    command.args(as_nobody());
    let output = run(command);
    set_mode(&folder.root(), 0o755);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let told = stderr.to_lowercase();
    let place = folder.root().to_string_lossy().to_lowercase();
    assert!(told.contains(&format!("cannot serve {place}: permission denied")), "{stderr}");
    assert!(output.stdout.is_empty() && !stderr.contains("Serving "), "it does not say that it serves");
}

#[test]
fn a_folder_that_may_be_passed_and_not_be_listed_is_served() {
    let folder = beside_another();
    set_mode(&folder.root(), 0o711);
    let process = serve(folder, as_nobody());
    let mut client = process.connect();
    let statuses = ["/page.html", "/docs/", "/", "/nowhere"].map(|target| client.get(target).status);
    assert_eq!(statuses, [200, 200, 403, 404]);
}

#[test]
fn what_may_no_longer_be_read_is_403_until_it_may_again() {
    let folder = beside_another();
    let (root, docs, page) = (folder.root(), folder.root().join("docs"), folder.root().join("page.html"));
    let process = serve(folder, as_nobody());
    let mut client = process.connect();
    let mut statuses = || ["/page.html", "/docs/page.html", "/docs/"].map(|target| client.get(target).status);
    assert_eq!(statuses(), [200, 200, 200]);
    for (locked, mode, expected) in [
        (&page, 0o000, [403, 200, 200]),
        (&docs, 0o000, [200, 403, 403]),
        // It can be passed, and not be listed.
        (&docs, 0o711, [200, 200, 403]),
        (&root, 0o000, [403, 403, 403]),
    ] {
        let mode_before = locked.metadata().expect("it").permissions();
        set_mode(locked, mode);
        assert_eq!(statuses(), expected, "{} {mode:o}", locked.display());
        fs::set_permissions(locked, mode_before).expect("its mode");
        assert_eq!(statuses(), [200, 200, 200], "{} again", locked.display());
    }
}

#[test]
fn a_folder_that_is_moved_is_served_on_and_nothing_that_takes_its_place() {
    let folder = beside_another();
    let (root, away) = (folder.root(), folder.outside().join("away"));
    let other = folder.outside().join("other");
    let mut process = serve(folder, as_nobody());
    let mut client = process.connect();
    assert_eq!(client.get("/page.html").text(), "<p>page");
    fs::rename(&root, &away).expect("a folder to move");
    assert_eq!(client.get("/page.html").text(), "<p>page", "moved");
    symlink(&other, &root).expect("a symlink in its place");
    assert_eq!(client.get("/page.html").text(), "<p>page", "behind a symlink that leads elsewhere");
    fs::remove_file(&root).expect("the symlink");
    fs::rename(&other, &root).expect("another in its place");
    assert_eq!(client.get("/page.html").text(), "<p>page", "behind another folder");
    assert_eq!(process.connect().get("/docs/page.html").text(), "<p>docs");
    fs::rename(&root, &other).expect("the other");
    fs::rename(&away, &root).expect("the folder is back");
    assert_eq!(client.get("/page.html").text(), "<p>page", "back");
    assert!(process.is_running());
}

/// Two releases and a link to the first, in a folder of their own; what is to be served, and its folder.
fn releases() -> (Folder, PathBuf) {
    let folder = Folder::new();
    for release in ["one", "two"] {
        let place = folder.root().join("releases").join(release);
        fs::create_dir_all(place.join("docs")).expect("a folder");
        for (name, text) in [("page.html", release), ("docs/page.html", release), ("_headers", "/*\n  X: ")] {
            let text = if name == "_headers" { format!("{text}{release}\n") } else { text.to_owned() };
            fs::write(place.join(name), text).expect("a file");
        }
    }
    let folder = folder.file_outside("other/page.html", SECRET).symlink("current", "releases/one");
    for path in [folder.root().as_path(), folder.outside()] {
        set_mode(path, 0o755);
    }
    let current = folder.root().join("current");
    (folder, current)
}

/// Swaps the link as a deployment does, at once.
#[track_caller]
fn swap(link: &Path, target: impl AsRef<Path>) {
    let next = link.with_extension("next");
    symlink(target, &next).expect("a link");
    fs::rename(&next, link).expect("a link in its place");
}

#[track_caller]
fn serve_link(link: &Path, args: &[&str]) -> Process {
    let mut command = command();
    command.args(["--port", "0", "--bind", "127.0.0.1"]).arg(link).args(args);
    Process::start(command)
}

#[test]
fn a_root_that_is_a_link_is_served_anew_when_that_is_swapped() {
    for args in [as_nobody(), &["--sandbox", "off"], &["--symlinks", "follow"]] {
        let (_folder, current) = releases();
        let releases = current.with_file_name("releases");
        let mut process = serve_link(&current.join(""), args);
        let mut client = process.connect();
        let mut shows = |release: &str| {
            let pages = ["/page.html", "/docs/page.html"].map(|target| client.get(target));
            pages.iter().all(|page| page.text() == release && page.field("x") == Some(release))
        };
        assert!(shows("one"), "{args:?}");
        for (release, target) in [("two", PathBuf::from("releases/two")), ("one", releases.join("one"))] {
            swap(&current, target);
            let started = Instant::now();
            wait_until("it is served anew", || shows(release));
            assert!(started.elapsed() < Duration::from_millis(2500), "{:?}", started.elapsed());
        }
        process.wait_for("leads to another folder, which is served from now on");
        // Nothing is there for a while, and then it is there again.
        fs::remove_file(&current).expect("the link");
        sleep(Duration::from_millis(1100));
        assert!(shows("one"), "{args:?}");
        symlink("releases/two", &current).expect("a link");
        wait_until("it is served anew", || shows("two"));
        // What it led to is built anew.
        fs::rename(releases.join("two"), releases.join("old")).expect("a folder");
        fs::rename(releases.join("one"), releases.join("two")).expect("a folder");
        wait_until("it is served anew", || shows("one"));
        assert!(process.is_running());
    }
}

#[test]
fn a_release_that_is_removed_at_once_is_missed_by_nobody() {
    let (_folder, current) = releases();
    let releases = current.with_file_name("releases");
    let process = serve_link(&current, as_nobody());
    let mut client = process.connect();
    assert_eq!(client.get("/page.html").text(), "one");
    // Not at the turn of a second, at which the link is looked at anyhow.
    for round in 0..3 {
        let next = releases.join(format!("next-{round}"));
        fs::create_dir(&next).expect("a folder");
        fs::write(next.join("page.html"), "next").expect("a file");
        let before = fs::canonicalize(&current).expect("the release");
        swap(&current, &next);
        fs::remove_dir_all(before).expect("the release before");
        assert_eq!(client.get("/page.html").text(), "next", "at once");
    }
}

#[test]
fn a_link_that_comes_to_lead_elsewhere_changes_nothing_and_is_told_of() {
    let (folder, current) = releases();
    let other = folder.outside().join("other");
    let locked = current.with_file_name("locked");
    fs::create_dir(&locked).expect("a folder");
    set_mode(&locked, 0o000);
    let process = serve_link(&current, as_nobody());
    let mut client = process.connect();
    for (target, told) in [
        (other, "it is not in the folder that the link is in (start anew to serve it)"),
        (current.with_file_name("releases/two/page.html"), "it is no folder"),
        (locked.clone(), "Permission denied"),
    ] {
        swap(&current, &target);
        wait_until("it is told of", || {
            assert_eq!(client.get("/page.html").text(), "one", "{}", target.display());
            process.stderr().contains(told)
        });
    }
    set_mode(&locked, 0o755);
    swap(&current, "releases/two");
    wait_until("it is served anew", || client.get("/page.html").text() == "two");
    assert_eq!(process.stderr().matches("cannot be served").count(), 3, "each is told of once");
}

#[test]
fn a_link_to_a_folder_elsewhere_is_served_and_grants_nothing_beside_that() {
    let (folder, current) = releases();
    let link = folder.outside().join("other/link");
    symlink(current.with_file_name("releases/one"), &link).expect("a link");
    let process = serve_link(&link, as_nobody());
    let mut client = process.connect();
    assert_eq!(client.get("/page.html").text(), "one");
    process.wait_for("sandbox: ");
    assert!(!process.stderr().contains("that the link is in"), "{}", process.stderr());
    swap(&link, current.with_file_name("releases/two"));
    wait_until("it is told of", || {
        assert_eq!(client.get("/page.html").text(), "one");
        process.stderr().contains("cannot be served")
    });
}

#[test]
fn a_folder_that_is_emptied_is_served_when_it_is_filled_and_one_that_is_deleted_is_gone() {
    let folder = beside_another();
    let root = folder.root();
    let mut process = serve(folder, as_nobody());
    let mut client = process.connect();
    let mut statuses = || ["/page.html", "/docs/", "/"].map(|target| client.get(target).status);
    assert_eq!(statuses(), [200, 200, 200]);
    for name in ["page.html", "large.bin", "docs/page.html"] {
        fs::remove_file(root.join(name)).expect("a file");
    }
    fs::remove_dir(root.join("docs")).expect("a folder");
    assert_eq!(statuses(), [404, 404, 200], "emptied");
    fs::write(root.join("page.html"), "<p>new").expect("a file");
    assert_eq!(statuses(), [200, 404, 200], "filled");
    fs::remove_dir_all(&root).expect("the folder");
    assert_eq!(statuses()[..2], [404, 404], "deleted");
    assert!([200, 404].contains(&statuses()[2]), "deleted: an empty list or none");
    // It is another folder, which nobody has said to serve.
    fs::create_dir(&root).expect("a folder");
    fs::write(root.join("page.html"), SECRET).expect("a file");
    assert_eq!(statuses()[..2], [404, 404], "another of the same name");
    assert!(process.is_running());
}
