//! The ladder in `examples/`: each rung serves, breaks in the way its text says, and the next one does not.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use pws_testing::folder::{Folder, noise};
use pws_testing::patience::comes_true;
use pws_testing::process::{KilledOnDrop, first_line};

use crate::support::binary::PWS;

/// From the lowest to the highest.
const RUNGS: [&str; 9] = [
    "one_page",
    "files",
    "whole_requests",
    "keep_alive",
    "a_thread_each",
    "event_loop",
    "backpressure",
    "sendfile",
    "pws",
];

const LINES_MAX: usize = 120;
/// Who is not answered in this time is not answered.
const MOMENT: Duration = Duration::from_millis(400);
const PAGE: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const LARGE: &str = "GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n";
const LARGE_BYTES: usize = 32 << 20;

/// Where cargo puts what it builds of `examples/`, which it does for `cargo test`.
fn program(rung: &str) -> PathBuf {
    let program = Path::new(PWS).with_file_name("examples").join(rung);
    assert!(program.exists(), "{} is not there (try 'cargo build --examples')", program.display());
    program
}

/// A rung that serves a folder.
struct Rung {
    process: KilledOnDrop,
    address: SocketAddr,
    _folder: Folder,
}

impl Rung {
    #[track_caller]
    fn start(rung: &str) -> Rung {
        Rung::start_within(rung, 4096)
    }

    /// One that may have so many descriptors.
    #[track_caller]
    fn start_within(rung: &str, open_files: u64) -> Rung {
        let folder = Folder::new().file("index.html", "<p>home").file("style.css", "p {}");
        let folder = folder.file("large.bin", noise(LARGE_BYTES));
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -n {open_files}; exec \"$0\" \"$@\"")]);
        command.arg(program(rung)).arg("0").arg(folder.root());
        let stdout = std::process::Stdio::piped();
        let mut process =
            KilledOnDrop(command.stdout(stdout).stderr(std::process::Stdio::null()).spawn().expect("sh"));
        let (line, _) = first_line(process.0.stdout.take().expect("a pipe"));
        let address = line.strip_prefix("http://").and_then(|line| line.trim_end().strip_suffix('/'));
        let address = address.and_then(|address| address.parse().ok());
        Rung { process, address: address.unwrap_or_else(|| panic!("{rung}: {line:?}")), _folder: folder }
    }

    #[track_caller]
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(MOMENT)).expect("a timeout");
        stream
    }

    /// What comes for `requests`, sent one after the other with a moment between them.
    #[track_caller]
    fn ask(&self, requests: &[&str]) -> String {
        let mut stream = self.connect();
        for (index, request) in requests.iter().enumerate() {
            if index > 0 {
                std::thread::sleep(MOMENT / 4);
            }
            // Whoever has hung up does not listen.
            let _ = stream.write_all(request.as_bytes());
        }
        received(&mut stream)
    }

    /// So many answers are among what comes for `requests`.
    #[track_caller]
    fn answers(&self, requests: &[&str]) -> usize {
        self.ask(requests).matches("HTTP/1.1 200 OK\r\n").count()
    }

    fn status(&self, label: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.0.id())).expect("its status");
        let value = status.lines().find_map(|line| line.strip_prefix(label)).expect("the label");
        value.trim_start_matches(':').trim().trim_end_matches(" kB").parse().expect("a number")
    }
}

/// All that comes until the end, or until nothing has come for a moment.
fn received(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn each_rung_serves_and_is_short() {
    let rows = include_str!("../../examples/README.md").lines().filter_map(|line| line.strip_prefix("| `"));
    let rows: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    assert_eq!(rows, RUNGS, "the table is whole");
    for (index, name) in RUNGS.iter().enumerate() {
        let rung = Rung::start(name);
        let answer = rung.ask(&[PAGE]);
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("<p>home"),
            "{name}: {answer:?}"
        );
        let text =
            fs::read_to_string(format!("{}/examples/{name}.rs", env!("CARGO_MANIFEST_DIR"))).expect("a file");
        assert!(text.lines().count() < LINES_MAX, "{name} is too long");
        assert!(text.starts_with(&format!("//! The ladder, {} of {}: ", index + 1, RUNGS.len())), "{name}");
        assert!(text.contains("//! **Shows**: ") && text.contains("//! **What breaks it**: "), "{name}");
        let next = RUNGS.get(index + 1);
        assert!(next.is_none_or(|next| text.contains(&format!("//! **Next**: `{next}` "))), "{name}");
    }
}

/// Asserts that `is_well` of the rung `higher`, and not of the one below.
#[track_caller]
fn assert_mended(higher: &str, is_well: impl Fn(&Rung) -> bool) {
    let place = RUNGS.iter().position(|rung| *rung == higher).expect("a rung");
    assert!(is_well(&Rung::start(higher)), "{higher}");
    assert!(!is_well(&Rung::start(RUNGS[place - 1])), "{} is mended already", RUNGS[place - 1]);
}

#[test]
fn files_are_told_apart_from_the_second_rung_on() {
    let css = "GET /style.css HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_mended("files", |rung| rung.ask(&[css]).ends_with("p {}"));
    assert_mended("files", |rung| rung.ask(&["GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"]).contains(" 404 "));
    for name in &RUNGS[1..] {
        let answer = Rung::start(name).ask(&["GET /../outside HTTP/1.1\r\nHost: a\r\n\r\n"]);
        assert!(answer.contains(" 404 "), "{name}: {answer}");
    }
}

#[test]
fn requests_in_pieces_and_several_in_one_are_understood_from_the_third_rung_on() {
    let (first, last) = PAGE.split_at(8);
    assert_mended("whole_requests", |rung| rung.answers(&[first, last]) == 1);
    assert_mended("whole_requests", |rung| rung.answers(&[&[PAGE, PAGE].concat()]) == 2);
    let bytewise: Vec<String> = PAGE.chars().map(String::from).collect();
    assert_eq!(Rung::start("pws").answers(&bytewise.iter().map(String::as_str).collect::<Vec<_>>()), 1);
}

#[test]
fn a_connection_lasts_from_the_fourth_rung_on() {
    assert_mended("keep_alive", |rung| rung.answers(&[PAGE, PAGE, PAGE]) == 3);
}

/// Whether others are answered while somebody is connected who has asked, and stays.
fn serves_beside_somebody(rung: &Rung) -> bool {
    let mut other = rung.connect();
    other.write_all(PAGE.as_bytes()).expect("a request");
    assert!(received(&mut other).contains(" 200 OK"));
    let is_answered = rung.answers(&[PAGE]) == 1;
    drop(other);
    assert!(comes_true(|| rung.answers(&[PAGE]) == 1), "it serves on");
    is_answered
}

#[test]
fn nobody_waits_for_somebody_silent_from_the_fifth_rung_on() {
    assert_mended("a_thread_each", serves_beside_somebody);
    for name in &RUNGS[..4] {
        let rung = Rung::start(name);
        let silent = rung.connect();
        assert_eq!(rung.answers(&[PAGE]), 0, "{name}: everybody waits");
        drop(silent);
    }
    for name in &RUNGS[4..] {
        let rung = Rung::start(name);
        let _silent = rung.connect();
        assert_eq!(rung.answers(&[PAGE]), 1, "{name}");
    }
}

#[test]
fn a_client_costs_a_thread_up_to_the_fifth_rung() {
    const CLIENTS: usize = 500;
    let crowd = |rung: &Rung| -> u64 {
        let before = rung.status("VmRSS");
        let clients: Vec<TcpStream> = (0..CLIENTS).map(|_| rung.connect()).collect();
        assert_eq!(rung.answers(&[PAGE]), 1);
        let _ = comes_true(|| rung.status("Threads") > CLIENTS as u64 || rung.status("Threads") == 1);
        drop(clients);
        rung.status("VmRSS").saturating_sub(before)
    };
    let threads = Rung::start("a_thread_each");
    let of_threads = crowd(&threads);
    let event_loop = Rung::start("event_loop");
    let of_loop = crowd(&event_loop);
    assert_eq!(event_loop.status("Threads"), 1);
    assert!(of_threads > 4 * of_loop, "{of_threads} KiB for threads, {of_loop} without");
}

#[test]
fn who_takes_slowly_gets_all_from_the_seventh_rung_on() {
    let gets_all = |rung: &Rung| {
        let mut stream = rung.connect();
        stream.write_all(LARGE.as_bytes()).expect("a request");
        std::thread::sleep(MOMENT / 2);
        let mut count = 0;
        let mut piece = vec![0; 1 << 20];
        while let Ok(received @ 1..) = stream.read(&mut piece) {
            count += received;
        }
        count > LARGE_BYTES
    };
    assert_mended("backpressure", gets_all);
    assert!(gets_all(&Rung::start("sendfile")) && gets_all(&Rung::start("pws")));
}

#[test]
fn files_take_no_memory_from_the_eighth_rung_on() {
    let is_small = |rung: &Rung| {
        let mut slow: Vec<TcpStream> = (0..4).map(|_| rung.connect()).collect();
        for stream in &mut slow {
            stream.write_all(LARGE.as_bytes()).expect("a request");
        }
        std::thread::sleep(MOMENT);
        assert_eq!(rung.answers(&[PAGE]), 1, "others have their turn");
        rung.status("VmRSS") < 2 * (LARGE_BYTES as u64 >> 10)
    };
    assert_mended("sendfile", is_small);
}

#[test]
fn a_crowd_of_silent_clients_keeps_nobody_out_on_the_last_rung_alone() {
    let serves = |rung: &Rung| {
        let silent: Vec<TcpStream> = (0..80).map(|_| rung.connect()).collect();
        // Who was busy just now does not have to go: that takes a second.
        let is_answered = (0..8).any(|_| {
            std::thread::sleep(MOMENT);
            rung.answers(&[PAGE]) == 1
        });
        drop(silent);
        is_answered
    };
    assert!(!serves(&Rung::start_within("sendfile", 64)));
    assert!(serves(&Rung::start_within("pws", 64)));
}
