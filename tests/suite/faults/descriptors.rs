//! No descriptor left: those inside are served, those outside wait, nobody spins, and it passes.
//!
//! How many are let in and that all descriptors come back is tested in `cli/cost.rs`.

use std::thread::sleep;
use std::time::Duration;

use pws_testing::client::Client;
use pws_testing::folder::noise;
use pws_testing::vitals::assert_no_spinning;

use super::{alone, folder};
use crate::support::binary::serve;

/// Of files that are kept open for whoever asks next, as many are closed as are needed.
#[test]
fn what_is_only_kept_open_makes_room_for_what_is_asked_for() {
    const FILES: usize = 100;

    let mut folder = folder().folder("docs").file("a.bin", noise(20_000));
    for index in 0..FILES {
        folder = folder.file(format!("kept/{index}"), noise(20_000));
    }
    // What was changed just now is not kept.
    sleep(Duration::from_millis(4500));
    let process = serve(folder, &[]);
    let mut client = process.connect();
    assert_eq!(client.get("/nowhere").status, 404);
    let before = process.open_files();
    for index in 0..FILES {
        assert_eq!(client.get(&format!("/kept/{index}")).status, 200);
    }
    assert!(process.open_files() >= before + FILES, "nothing is kept: nothing is shown");
    let taken: Vec<u32> = process.descriptor_flags().into_iter().map(|(number, _)| number).collect();
    let first_free = (0..).find(|number| !taken.contains(number)).expect("a number");
    process.set_soft_open_files_limit(first_free.into());
    assert_eq!(client.get("/docs/").status, 200);
    let left = process.open_files();
    assert!((before + 1..before + FILES).contains(&left), "{left}: some are closed, and not all");
    assert_eq!(client.get("/a.bin").status, 200);
    // None that is closed is of use now.
    process.set_soft_open_files_limit(4);
    for _ in 0..3 {
        assert_eq!(client.get("/docs/").status, 503);
    }
    assert!(process.open_files() <= before, "503 for good only if none is kept");
    process.wait_for("cannot read /docs/: ");
    assert!(process.stderr().contains("ulimit -n"), "{}", process.stderr());
}

/// A server keeps some descriptors back and never runs out by itself: they are taken from it while it runs.
#[test]
fn a_crowd_outside_costs_no_time_and_is_served_one_by_one_as_others_leave() {
    const CROWD: usize = 300;

    let _alone = alone();
    let mut process = serve(folder().folder("docs"), &[]);
    let mut inside: Vec<Client> = (0..20).map(|_| process.connect()).collect();
    for client in &mut inside {
        // Known from now on, it takes no descriptor to answer.
        assert_eq!((client.get("/nowhere").status, client.get("/docs/").status), (404, 200));
    }
    let taken: Vec<u32> = process.descriptor_flags().into_iter().map(|(number, _)| number).collect();
    let first_free = (0..).find(|number| !taken.contains(number)).expect("a number");
    process.set_soft_open_files_limit(first_free.into());
    assert_eq!(inside[0].get("/docs/").status, 503, "not 404: it is there");
    let mut outside: Vec<Client> = (0..CROWD).map(|_| process.connect()).collect();
    for client in &mut outside {
        client.send("GET /nowhere HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    }
    assert_no_spinning(&process);
    // One leaves, and everybody outside is served through its place, one behind the other.
    drop(inside.pop());
    for client in &mut outside {
        assert_eq!(client.answer().status, 404);
        assert!(client.is_closed());
    }
    assert_no_spinning(&process);
    for client in &mut inside {
        assert_eq!(client.get("/nowhere").status, 404);
    }
    assert!(process.is_running());
}
