//! `--memory` in control groups of just that size: the kernel ends a process that takes more.
//!
//! `PWS_PROGRAM` names another binary than that of this build. It takes root; elsewhere these tests are skipped.

use std::time::Duration;

use pws_testing::attacks::loads::ALL;
use pws_testing::attacks::sites::PAGE;
use pws_testing::attacks::watch;
use pws_testing::cgroup::Cgroup;
use pws_testing::client::Client;
use pws_testing::folder::Folder;
use pws_testing::patience::{PATIENCE, comes_true};
use pws_testing::process::{Process, command_after, serving};

use super::alone;
use crate::support::binary::program_under_load;

const LASTING: Duration = Duration::from_millis(1500);

fn is_answered(server: &watch::Server) -> bool {
    let answer = Client::try_connect(server.address).and_then(|mut client| client.try_get(PAGE, ""));
    answer.is_ok_and(|answer| answer.status == 200)
}

/// Has pws bear the load called `name`, and asserts that it lives, has kept to its memory, and answers afterwards.
/// `serves_all`: it must answer everybody meanwhile, too.
#[track_caller]
fn bear(name: &str, serves_all: bool) {
    pws::process::resources::raise_open_files();
    let load = ALL.iter().find(|load| load.name == name).expect("a load");
    // A program that was built for debugging is larger, and slower to give back.
    let is_for_debugging = std::env::var_os("PWS_PROGRAM").is_none() && cfg!(debug_assertions);
    let bytes_max = if is_for_debugging { load.bytes() / 4 * 5 } else { load.bytes() };
    let group = match Cgroup::of(bytes_max) {
        Ok(group) => group,
        // No program is missing, but a right that machines seldom give.
        Err(error) => return eprintln!("SKIPPED: no control group: {error}"),
    };
    let _alone = alone();
    let folder = load.site().folder();
    let mut command = serving(command_after(&group.preparation(), &program_under_load()), &folder);
    command.args(load.options()).args(["--access-log", "off"]);
    let (most, (fared, is_alive, is_well)) = group.most_used_during(|| {
        let mut process = Process::start(command);
        let server = watch::Server { address: process.address(), pids: vec![process.id()] };
        let fared = load.run(&server, &folder, LASTING);
        let is_alive = process.is_running();
        // Those who have just gone may still have the places.
        let is_well = is_alive && comes_true(|| is_answered(&server));
        (fared, is_alive, is_well)
    });
    let (peak, killed) = (group.peak(), group.killed());
    let told = format!(
        "{} within {} MiB: at most {} KiB at once, of which sockets {}; peaks {} and {}; {}",
        load.told,
        load.mib,
        most.sum() / 1024,
        most.socket_bytes / 1024,
        peak.memory_bytes / 1024,
        peak.socket_bytes / 1024,
        fared.as_ref().map_or_else(|error| format!("failed: {error}"), ToString::to_string),
    );
    eprintln!("{told}");
    assert!(is_alive && killed == 0, "{killed} killed, {told}");
    assert!(is_well, "no answer afterwards, {told}");
    assert!(most.sum() <= bytes_max, "{told}");
    assert!(fared.is_ok_and(|fared| fared.is_well() || !serves_all), "{told}");
}

#[test]
fn full_use_fits_into_32_mib() {
    bear("full-32", true);
}

#[test]
fn full_use_fits_into_8_mib() {
    bear("full-8", true);
}

#[test]
fn full_use_fits_into_2_mib() {
    bear("full-2", false);
}

#[test]
fn a_thousand_plain_clients_fit_into_2_mib() {
    bear("plain-2", false);
}

#[test]
fn answers_that_nobody_reads_fit_into_8_mib() {
    bear("unread-8", true);
}

#[test]
fn listings_that_nobody_reads_fit_into_8_mib() {
    bear("listings-8", true);
}

#[test]
fn half_heads_beside_downloads_fit_into_8_mib() {
    bear("heads-8", true);
}

#[test]
fn half_heads_beside_downloads_fit_into_2_mib() {
    bear("heads-2", false);
}

#[test]
fn large_rules_fit_into_2_mib_while_they_are_read_anew() {
    bear("rules-2", false);
}

/// Without a word about memory, what the system grants is the bound: to run out of it would be the end.
#[test]
fn half_heads_by_the_thousand_do_not_use_up_what_the_system_grants() {
    const GRANTED_KIB: u64 = 64 * 1024;
    const CLIENTS: usize = 6_000;

    pws::process::resources::raise_open_files();
    let folder = Folder::new().file("page.html", "<p>page");
    let mut command =
        serving(command_after(&format!("ulimit -v {GRANTED_KIB}"), &program_under_load()), &folder);
    command.args(["--access-log", "off"]);
    let _alone = alone();
    let mut process = Process::start(command);
    process.wait_for("memory: 64 MiB by RLIMIT_AS");
    let head = format!("GET /page.html HTTP/1.1\r\nHost: test\r\nX-Long: {}", "x".repeat(15_000));
    let attackers: Vec<Client> = (0..CLIENTS)
        .map(|number| {
            let mut client = process.connect();
            // Some are cut at once.
            let _ = client.try_send(&head);
            if number % 100 == 0 {
                let honest = Client::try_connect_from([127, 0, 0, 2].into(), process.address(), PATIENCE);
                let mut honest = honest.expect("a place");
                assert_eq!(honest.get("/page.html").text(), "<p>page", "beside {number}");
            }
            client
        })
        .collect();
    assert!(process.is_running());
    drop(attackers);
    assert_eq!(process.connect().get("/page.html").text(), "<p>page");
}
