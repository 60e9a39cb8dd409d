//! What the process gives up at its start.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use pws_testing::process::{self, Process, serving};

use super::folder;
use crate::support::binary::{self, command, serve};

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn root_is_given_up_for_good_and_files_are_still_served() {
    if !is_root() {
        eprintln!("SKIPPED: only root can become another user");
        return;
    }
    let folder = folder();
    // A temporary folder is its owner's alone.
    for path in [folder.root(), folder.root().join("..")] {
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("its mode");
    }
    for (user, ids) in
        [("nobody", "65534"), ("65534:65534", "65534"), ("12345:54321", "12345"), ("23456", "23456")]
    {
        let mut command = serving(command(), &folder);
        command.args(["--user", user]);
        let process = Process::start(command);
        assert_eq!(process.connect().get("/page.html").text(), "<p>page", "{user}");
        assert_eq!(process.line_of("status", "Uid:"), [ids; 4].join("\t"));
        assert!(!process.line_of("status", "Groups:").split(' ').any(|group| group == "0"), "{user}");
        assert_eq!(process.line_of("status", "CapEff:"), "0000000000000000");
    }
}

#[test]
fn rules_are_read_by_whom_the_process_has_become() {
    if !is_root() {
        eprintln!("SKIPPED: only root can become another user");
        return;
    }
    let folder = folder().file("_redirects", "/old /page.html 301\n");
    for path in [folder.root(), folder.root().join("..")] {
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("its mode");
    }
    fs::set_permissions(folder.root().join("_redirects"), Permissions::from_mode(0o600)).expect("its mode");
    let mut strict = serving(command(), &folder);
    strict.args(["--user", "nobody", "--strict"]);
    let output = process::run(strict);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("pws: _redirects cannot be read: Permission denied"), "{stderr}");
    let process = serve(folder, &["--user", "nobody"]);
    process.wait_for("_redirects cannot be read: Permission denied");
    assert_eq!(process.connect().get("/old").status, 404, "at the start as later");
}

#[test]
fn a_user_that_cannot_be_had_stops_the_start() {
    let folder = folder();
    let mut command = serving(command(), &folder);
    command.args(["--user", "no-such-user"]);
    let output = process::run(command);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("pws: no user is called 'no-such-user' (try 'nobody')"), "{text}");
    if is_root() {
        return;
    }
    let mut command = serving(binary::command(), &folder);
    command.args(["--user", "root"]);
    let output = process::run(command);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("only root can"));
}

#[test]
fn the_sandbox_tells_what_is_enforced() {
    let process = serve(folder(), &[]);
    process.wait_for("sandbox: ");
    let is_enforced = process.stderr().contains("the kernel allows");
    assert_eq!(process.line_of("status", "NoNewPrivs:"), if is_enforced { "1" } else { "0" });
    assert_eq!(process.connect().get("/page.html").text(), "<p>page");
    let process = serve(folder(), &["--sandbox", "off"]);
    process.wait_for("sandbox: off, as asked for");
    assert_eq!(process.line_of("status", "NoNewPrivs:"), "0");
    let process = serve(folder(), &["--symlinks", "follow"]);
    process.wait_for("sandbox: off, since");
    let folder = folder();
    let mut command = serving(command(), &folder);
    command.args(["--symlinks", "follow", "--sandbox", "require"]);
    let output = process::run(command);
    assert_eq!(output.status.code(), Some(1), "what is required and cannot be had stops the start");
    assert!(String::from_utf8_lossy(&output.stderr).contains("(try '--symlinks inside')"));
}

#[test]
fn nothing_is_left_open_for_children_and_no_memory_for_the_disk() {
    let process = serve(folder(), &[]);
    assert_eq!(process.connect().get("/page.html").status, 200);
    assert!(process.line_of("limits", "Max core file size").starts_with('0'));
    const CLOSE_ON_EXEC: u32 = 0o2_000_000;
    let are_kept = |descriptors: Vec<(u32, u32)>| {
        descriptors.into_iter().filter(|(_, flags)| flags & CLOSE_ON_EXEC == 0).collect::<Vec<_>>()
    };
    // What the test itself was started with, it passes on.
    let inherited = are_kept(process::descriptor_flags("self"));
    for kept in are_kept(process.descriptor_flags()) {
        assert!(kept.0 <= 2 || inherited.contains(&kept), "{kept:?} of {inherited:?}");
    }
}
