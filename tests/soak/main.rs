//! Everything at once on the real binary, for seconds, minutes or hours: whether each answer is right, and whether
//! the server is afterwards what it was before.
//!
//! Clients compare every byte of what they ask for: whole files, ranges, conditional requests, pipelines,
//! precompressed variants and listings. Others read slowly, reset the connection in mid-answer, talk nonsense or
//! say nothing. Files are replaced by rename, made and deleted meanwhile; each version can be told from all
//! others, and an answer must be one of those that were there between the question and its end.
//!
//! ```sh
//! PWS_SECS=600 cargo test --test soak -- --nocapture
//! ```
//!
//! `PWS_PROGRAM` names another binary, such as a release build, than the one that `cargo test` has built.

#![allow(clippy::expect_used, clippy::disallowed_methods)]

mod checked;
mod files;
mod load;
mod rude;
mod tally;

use std::env;
use std::fmt::{self, Display, Formatter};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use pws_testing::client::Client;
use pws_testing::folder::Folder;
use pws_testing::patience::comes_true;
use pws_testing::process::{Process, command_of};

use files::{CODINGS, Files, VARIED};
use tally::{Kind, Tally};

/// What a client of many ends with: it notes what went wrong, and goes on.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Seconds that the load lasts, if nobody says otherwise; by the same load the server is warmed up before.
const SECS: u64 = 3;
const WARM_UP_SECS_MAX: u64 = 10;
/// What the server may have grown by at the end: twice what it ever has, most of that in the first minute.
const GROWTH_KIB_MAX: u64 = 512;
/// A client whose answer was wrong is not to fill a disk with complaints if the server has gone.
const PAUSE_AFTER_WRONG: Duration = Duration::from_millis(100);
/// A standstill of the clients that a server may notice: it closes what has been idle for too long.
const STANDSTILL: Duration = Duration::from_secs(5);
/// The progress is told so seldom.
const PROGRESS_SECS: u64 = 30;
/// For so long a file that has just been made may change unnoticed, and is not remembered.
const DOUBT: Duration = Duration::from_secs(5);

/// What all clients share.
pub struct Shared {
    address: SocketAddr,
    files: Files,
    tally: Tally,
    is_over: AtomicBool,
    /// The longest time for which this program got no processor.
    standstill_ms: AtomicU64,
}

impl Shared {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    fn wrong(&self, kind: Kind, why: impl Display) {
        self.tally.wrong(kind, why);
        thread::sleep(PAUSE_AFTER_WRONG);
    }
}

/// What the kernel tells of the server.
struct Sample {
    memory_kib: u64,
    descriptors: usize,
    cpu_ticks: u64,
}

impl Sample {
    fn take(process: &Process) -> Sample {
        let (memory_kib, descriptors) = (process.memory_kib(), process.open_files());
        Sample { memory_kib, descriptors, cpu_ticks: process.cpu_ticks() }
    }
}

impl Display for Sample {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Sample { memory_kib, descriptors, cpu_ticks } = self;
        let cpu_secs = *cpu_ticks as f64 / 100.0;
        write!(formatter, "{memory_kib} KiB, {descriptors} descriptors, {cpu_secs:.2} s of processor time")
    }
}

#[test]
fn every_answer_is_right_under_everything_at_once_and_nothing_is_left_of_it() {
    let secs = env::var("PWS_SECS").map_or(SECS, |secs| secs.parse().expect("PWS_SECS is a number"));
    let program = env::var("PWS_PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_pws").to_owned());
    let folder = Folder::new();
    let files = Files::new(&folder);
    // Of the files that stay it is to be certain that they do: it shows in their tags.
    thread::sleep(DOUBT);
    let mut process = Process::serve(command_of(&program), folder, &["--access-log", "off"]);
    let shared = Shared {
        address: process.address(),
        files,
        tally: Tally::default(),
        is_over: AtomicBool::new(false),
        standstill_ms: AtomicU64::new(0),
    };
    load::work(&shared, secs.min(WARM_UP_SECS_MAX), |_| {});
    settle(&shared);
    let before = Sample::take(&process);
    load::work(&shared, secs, |second| {
        if second % PROGRESS_SECS == 0 || second == secs {
            let (requests, wrong) = (shared.tally.all_requests(), shared.tally.all_wrong());
            println!("{second} s: {requests} requests, {wrong} wrong; {}", Sample::take(&process));
        }
    });
    settle(&shared);
    let is_rid_of_all = comes_true(|| process.open_files() <= before.descriptors);
    let after = Sample::take(&process);
    println!("{}\nbefore: {before}\nafter:  {after}", shared.tally.table());

    let mut faults = shared.tally.complaints();
    if !is_rid_of_all {
        faults.push(format!("{} descriptors are open, {} were", after.descriptors, before.descriptors));
    }
    if after.memory_kib > before.memory_kib + GROWTH_KIB_MAX {
        faults.push(format!("it has grown from {} to {} KiB", before.memory_kib, after.memory_kib));
    }
    let standstill = Duration::from_millis(shared.standstill_ms.load(Ordering::Relaxed));
    if standstill > STANDSTILL && !faults.is_empty() {
        let secs = standstill.as_secs();
        faults.push(format!("the clients stood still for {secs} s, which may explain it: run it again"));
    }
    assert!(process.is_running(), "it has ended: {}", process.stderr());
    assert!(faults.is_empty(), "{} wrong:\n{}", shared.tally.all_wrong(), faults.join("\n"));
}

/// Waits until no file is so young that the server would not keep it, then asks for all of them: what the
/// server remembers is the same each time.
#[track_caller]
fn settle(shared: &Shared) {
    thread::sleep(DOUBT);
    let mut client = Client::connect(shared.address);
    let mut look = |target: &str, fields: &str| {
        let answer = client.try_get(target, fields).expect("an answer");
        assert_eq!(answer.status, 200, "{target} {fields}");
    };
    for target in shared.files.targets() {
        look(target, "");
    }
    for (coding, ..) in CODINGS {
        look(VARIED, &format!("Accept-Encoding: {coding}\r\n"));
    }
    drop(client);
    thread::sleep(Duration::from_secs(1));
}
