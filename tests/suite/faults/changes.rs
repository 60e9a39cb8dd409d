//! A folder that changes under the server in every way at once, while it is asked for.
//!
//! Who asks gets one version of a file, whole, or an answer cut short of the length it promised: never a mix
//! with a clean end, and never a byte from outside. Files that are written to in place are another
//! matter, see `overwriting.rs`.

mod asking;
mod changing;
mod lines;

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

pub use asking::body_of;
use asking::{Asking, Tally, Wanted};
use changing::{Changing, large_lines, small_lines};

use crate::support::binary::serve;
use crate::support::on_end::OnEnd;
use pws_testing::folder::Folder;

const CLIENTS: u64 = 4;
/// `PWS_FAULT_SECS` may ask for longer.
const SECS: u64 = 3;

/// A small file that is always there.
const PLAIN: Wanted = Wanted {
    target: "/small",
    name: "small",
    lines_of: Some(small_lines),
    may_be_cleared: false,
    statuses: &[],
};

const FILES: [Wanted; 11] = [
    PLAIN,
    Wanted { target: "/large", name: "large", lines_of: Some(large_lines), ..PLAIN },
    Wanted { target: "/rare", name: "rare", ..PLAIN },
    Wanted { target: "/removed", name: "removed", statuses: &[404], ..PLAIN },
    Wanted { target: "/cut", name: "cut", lines_of: None, may_be_cleared: true, ..PLAIN },
    Wanted { target: "/grown", name: "grown", lines_of: None, ..PLAIN },
    Wanted { target: "/locked", name: "locked", statuses: &[403], ..PLAIN },
    Wanted { target: "/swapped/inner", name: "inner", statuses: &[404], ..PLAIN },
    Wanted { target: "/link/inner", name: "inner", statuses: &[404], ..PLAIN },
    Wanted { target: "/face", name: "face", statuses: &[404], ..PLAIN },
    Wanted { target: "/here/moved", name: "moved", statuses: &[404], ..PLAIN },
];

/// Asks for everything in turn until it is over, and once more when nothing changes any longer.
fn ask_on(mut asking: Asking, is_over: &AtomicBool) -> Tally {
    // A client that finds something wrong ends all.
    let _on_panic = OnEnd(is_over);
    while !is_over.load(Ordering::Relaxed) {
        FILES.iter().for_each(|wanted| asking.ask(wanted));
        ["/", "/swapped/", "/link/", "/here/"].iter().for_each(|folder| asking.ask_for_list(folder));
    }
    asking.tally
}

#[test]
fn what_changes_while_it_is_asked_for_is_whole_or_cut_short() {
    let folder = Folder::new();
    // A temporary folder is its owner's alone.
    for path in [folder.root().as_path(), folder.outside()] {
        set_permissions(path, Permissions::from_mode(0o755)).expect("its mode");
    }
    let changing = Changing::of(folder.root(), folder.outside());
    let mut options = vec!["--access-log", "off"];
    // Permissions mean nothing to root.
    if rustix::process::geteuid().is_root() {
        options.extend(["--user", "nobody"]);
    }
    let secs = std::env::var("PWS_FAULT_SECS").map_or(SECS, |secs| secs.parse().expect("seconds"));
    let process = serve(folder, &options);
    let address = process.address();
    let (is_over, is_still) = (AtomicBool::new(false), AtomicBool::new(false));
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        for way in Changing::ways() {
            let (changing, is_still) = (&changing, &is_still);
            scope.spawn(move || {
                (1..)
                    .take_while(|_| !is_still.load(Ordering::Relaxed))
                    .for_each(|version| way(changing, version));
            });
        }
        let _at_end = OnEnd(&is_still);
        let asking = |client| {
            let is_over = &is_over;
            scope.spawn(move || ask_on(Asking::at(address, client), is_over))
        };
        let clients: Vec<_> = (0..CLIENTS).map(asking).collect();
        let ended = std::time::Instant::now() + Duration::from_secs(secs);
        while std::time::Instant::now() < ended && !is_over.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(50));
        }
        is_over.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().expect("nothing is wrong")).collect()
    });
    let mut tally = Tally::new();
    for (kind, count) in tallies.into_iter().flatten() {
        *tally.entry(kind).or_default() += count;
    }
    eprintln!("in {secs} seconds of changes: {tally:?}, none wrong");
    let seldom = ["whole", "parts", "lists", "404"].into_iter().find(|kind| !tally.contains_key(kind));
    assert_eq!(seldom, None, "nothing was shown");
    let mut client = process.connect();
    for wanted in FILES.iter().filter(|wanted| wanted.statuses.is_empty()) {
        assert_eq!(client.get(wanted.target).status, 200, "{} when all is still", wanted.target);
    }
}
