//! The attacks of `pws_testing::attacks`, each beside an honest client, which must not wait for long, and must not
//! be lost.
//!
//! The bounds are wide: this build is not optimised, and others use the machine. What a release build is held to
//! is measured by `cargo bench --bench attacks`. `PWS_PROGRAM` names another binary than that of this build.

use std::time::Duration;

use pws_testing::attacks::shapes::{Attack, by_name};
use pws_testing::attacks::sites::Site;
use pws_testing::attacks::{self, Seen, watch};
use pws_testing::folder::Folder;
use pws_testing::patience::wait_until;
use pws_testing::process::{Process, command_after, serving};

use super::alone;
use crate::support::binary::program_under_load;

const LASTING: Duration = Duration::from_secs(1);
/// A release build is to stay below a tenth of it.
const WORST_MAX: Duration = Duration::from_secs(1);
/// Where memory is small, few wait at the door: whoever finds it crowded tries again a second later.
const WORST_AT_A_SMALL_DOOR_MAX: Duration = Duration::from_millis(1500);
/// A server may keep as many files open, and some that it needs itself.
const KEPT_MAX: u64 = 128 + 8;
/// One bad second of a busy machine proves nothing: what is wrong is so each time.
const TRIES: usize = 3;

#[track_caller]
fn endure(attack: Attack) -> Seen {
    endure_for(LASTING, attack)
}

/// Attacks pws, and asserts that the honest get what they ask for, in time, and that the server gives back what it
/// was made to take.
#[track_caller]
fn endure_for(lasting: Duration, attack: Attack) -> Seen {
    pws::process::resources::raise_open_files();
    let _alone = alone();
    let folder = attack.site.folder();
    let worst_max = if attack.options.is_empty() { WORST_MAX } else { WORST_AT_A_SMALL_DOOR_MAX };
    for _ in 1..TRIES {
        let seen = endure_once(lasting, &attack, &folder);
        if seen.honest.worst() <= worst_max {
            return seen;
        }
    }
    let seen = endure_once(lasting, &attack, &folder);
    assert!(seen.honest.worst() <= worst_max, "{}: {:?}, again and again", attack.told, seen.honest.worst());
    seen
}

/// All that does not depend on how busy the machine is.
#[track_caller]
fn endure_once(lasting: Duration, attack: &Attack, folder: &Folder) -> Seen {
    let limit = attack.open_files_max.map_or_else(|| "true".to_owned(), |count| format!("ulimit -n {count}"));
    let mut command = serving(command_after(&limit, &program_under_load()), folder);
    command.args(attack.options).args(["--access-log", "off"]);
    let mut process = Process::start(command);
    let server = watch::Server { address: process.address(), pids: vec![process.id()] };
    // Of what has just been made a server does not know whether it will change once more.
    wait_until("an attack that is what it should be", || {
        attacks::is_answered_as_told(attack, &server).expect("an answer before the attack")
    });
    let seen = attacks::run(attack, &server, lasting).expect("an answer before the attack");
    let (honest, downloads) = (&seen.honest, &seen.downloads);
    let told = format!(
        "{}: {} requests, median {:?}, worst {:?}, lost {:?}; the server at most {:?} in one; downloads {} whole, \
         cut {:?}; before {:?}, at most {:?}, afterwards {:?}; {:?}",
        attack.told,
        honest.waits.len(),
        honest.median(),
        honest.worst(),
        honest.lost,
        honest.server_max,
        downloads.whole,
        downloads.cut,
        seen.before,
        seen.peak,
        seen.after,
        seen.attackers,
    );
    eprintln!("{told}");
    assert!(process.is_running(), "ended: {}; {told}", process.stderr());
    assert!(seen.attackers.sent_bytes > 0, "nobody attacked: {told}");
    assert!(honest.lost.is_empty(), "{told}");
    assert!(downloads.cut.is_empty() && (attack.downloads == 0 || downloads.whole > 0), "{told}");
    // A client takes one, and one for what it is sent.
    let clients = (attack.connections + attack.downloads + 2) as u64;
    assert!(seen.peak.descriptors <= seen.before.descriptors + 2 * clients + KEPT_MAX, "{told}");
    assert!(seen.after.descriptors <= seen.before.descriptors + KEPT_MAX, "{told}");
    seen
}

#[track_caller]
fn attack(name: &str) -> Attack {
    by_name(name).expect("an attack")
}

#[test]
fn pipelines_of_small_files_hold_nobody_up() {
    endure(attack("pages"));
}

#[test]
fn ranges_by_the_thousand_hold_nobody_up() {
    endure(attack("ranges"));
}

#[test]
fn heads_of_a_large_folder_hold_nobody_up() {
    endure(attack("head"));
}

#[test]
fn a_large_folder_that_has_not_changed_holds_nobody_up() {
    endure(attack("unchanged"));
}

#[test]
fn pipelines_of_what_is_missing_hold_nobody_up() {
    endure(attack("missing"));
}

#[test]
fn a_large_folder_for_many_clients_holds_nobody_up() {
    endure(attack("listings"));
}

#[test]
fn many_rules_for_fields_hold_nobody_up() {
    endure(attack("fields"));
}

#[test]
fn many_redirects_that_almost_fit_hold_nobody_up() {
    endure(attack("redirects"));
}

#[test]
fn a_huge_folder_for_many_clients_holds_nobody_up() {
    // As many as are made in a second.
    let told = "20,000 entries, 50 clients";
    endure(Attack { told, site: Site::Listed(20_000), ..attack("huge-listings") });
}

#[test]
fn files_that_nobody_reads_leave_descriptors_for_others() {
    let seen = endure(attack("descriptors"));
    assert!(seen.peak.descriptors <= 768, "{} of 1,024", seen.peak.descriptors);
}

#[test]
fn half_heads_cut_no_honest_download() {
    endure(attack("half-heads"));
}

#[test]
fn listings_that_nobody_reads_hold_nobody_up() {
    endure(attack("stalled-listings"));
}

#[test]
fn who_reads_nothing_takes_nobody_elses_place() {
    endure(attack("unread"));
}

#[test]
fn a_flood_of_resets_holds_nobody_up() {
    endure(attack("flood"));
}

#[test]
fn who_reads_nothing_leaves_no_orphans() {
    const CLIENTS: usize = 1_000;

    // Until the server does not wait for them any more.
    let told = "1,000 that ask for 16 KB and the end, unread";
    let attack = Attack { told, connections: CLIENTS, ..attack("orphans") };
    let seen = endure_for(Duration::from_millis(4_500), attack);
    assert!(seen.closing <= CLIENTS / 10, "{} connections wait without anybody", seen.closing);
}
