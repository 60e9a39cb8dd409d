//! Starts with little: few descriptors, no standard streams.

use std::fs;
use std::net::SocketAddr;
use std::process::Stdio;

use pws_testing::client::{Client, request};
use pws_testing::patience::wait_until;
use pws_testing::process::{KilledOnDrop, Process, address_in, first_line, run, serving};

use super::folder;
use crate::support::binary::{command, command_after, serve};

/// Starts with a limit of `open_files`; what it answered, or how it ended and what it said.
#[track_caller]
fn start_within(open_files: u32) -> Result<u16, (Option<i32>, String)> {
    let folder = folder();
    let mut command = serving(command_after(&format!("ulimit -n {open_files}")), &folder);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = KilledOnDrop(command.spawn().expect("a shell"));
    let (said, _reader) = first_line(child.0.stderr.take().expect("a pipe"));
    if said.starts_with("Serving ") {
        return Ok(Client::connect(address_in(&said)).get("/page.html").status);
    }
    wait_until("it ends", || child.0.try_wait().expect("a child").is_some());
    Err((child.0.wait().expect("an end").code(), said))
}

/// Each limit either suffices or is told. Those below are too few for a shell, or for shared libraries.
#[test]
fn few_open_files_suffice_or_are_told() {
    let mut served = Vec::new();
    for open_files in 5..=24 {
        match start_within(open_files) {
            Ok(status) => {
                assert_eq!(status, 200, "it serves within {open_files} open files, but not a file");
                served.push(open_files);
            }
            Err((code, said)) => {
                assert_eq!(code, Some(1), "{open_files}: {said}");
                let expected = format!("pws: cannot serve within a limit of {open_files} open files: ");
                assert!(said.starts_with(&expected), "{open_files}: {said}");
                assert!(said.ends_with("(try 'ulimit -n 1024')"), "{said}");
            }
        }
    }
    // What the tests themselves were started with, pws inherits.
    assert!(served.first().is_some_and(|least| *least <= 18), "{served:?}");
    assert!(served.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{served:?}");
}

/// More than a server does with little memory, all at once.
fn load(address: SocketAddr) {
    const TARGETS: [&str; 5] = ["/page.html", "/", "/?sort=size", "/nowhere", "/large.bin"];

    let mut clients: Vec<Client> = (0..200).filter_map(|_| Client::try_connect(address).ok()).collect();
    for (index, client) in clients.iter_mut().enumerate() {
        let head = request("GET", &format!("{}{index}", TARGETS[index % TARGETS.len()]), "");
        let _ = client.try_send(&head[..head.len() - 2]);
        let _ = client.try_send(format!("X: {}\r\n\r\n", "y".repeat(3000)));
    }
    for client in &mut clients {
        let _ = client.try_answer_to("GET");
    }
}

/// Whoever gets no memory ends: what is too little is told at the start, and nobody can bring it about later.
#[test]
fn little_address_space_suffices_or_is_told() {
    let own_kib = |process: &Process| {
        let statm = fs::read_to_string(format!("/proc/{}/statm", process.id())).expect("its memory");
        4 * statm.split(' ').next().and_then(|pages| pages.parse::<u64>().ok()).expect("pages")
    };
    let own_kib = own_kib(&serve(folder(), &[]));
    let (mut served, mut told) = (0, 0);
    for percent in (90..100).step_by(5).chain(100..150).step_by(3) {
        let folder = folder();
        let limit_kib = own_kib * percent / 100;
        let mut command = serving(command_after(&format!("ulimit -v {limit_kib}")), &folder);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = KilledOnDrop(command.spawn().expect("a shell"));
        let (said, _reader) = first_line(child.0.stderr.take().expect("a pipe"));
        if said.starts_with("Serving ") {
            load(address_in(&said));
            assert_eq!(Client::connect(address_in(&said)).get("/page.html").status, 200, "{limit_kib} KiB");
            served += 1;
        } else {
            assert!(!child.0.wait().expect("an end").success(), "{limit_kib} KiB: {said}");
            told += u32::from(said.starts_with("pws: cannot serve within an address space of "));
        }
    }
    assert!(served > 2 && told > 2, "{served} have served, {told} have told why not");
    // What would be enough is not, where more is asked for than there is.
    let folder = folder();
    let mut command = serving(command_after(&format!("ulimit -v {}", 2 * own_kib)), &folder);
    command.args(["--memory", "1G"]);
    let said = String::from_utf8_lossy(&run(command).stderr).into_owned();
    assert!(said.contains("address space of") && said.contains("'--memory'"), "{said}");
}

/// Where a standard stream is closed, no socket may take its number.
#[test]
fn closed_streams_lead_nowhere() {
    let folder = folder();
    let log = folder.outside().join("log");
    let preparation = format!("exec <&- 2>&- >'{}'", log.display());
    let mut command = serving(command_after(&preparation), &folder);
    command.args(["--access-log", "off"]);
    let child = KilledOnDrop(command.spawn().expect("a shell"));
    let told = || fs::read_to_string(&log).unwrap_or_default();
    wait_until("it serves", || told().ends_with('\n'));
    assert_eq!(Client::connect(address_in(told().trim_end())).get("/page.html").status, 200);
    for stream in [0, 2] {
        let leads_to = fs::read_link(format!("/proc/{}/fd/{stream}", child.0.id())).expect("a stream");
        assert_eq!(leads_to.to_str(), Some("/dev/null"), "{stream}");
    }
}

#[test]
fn a_pid_file_names_the_process_as_long_as_it_runs() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("pws.pid");
    let arg = path.to_str().expect("UTF-8");
    let read = || std::fs::read_to_string(&path).expect("a pid file");
    for _ in 0..2 {
        let process = serve(folder(), &["--pid-file", arg]);
        assert_eq!(read(), format!("{}\n", process.id()));
        process.stop();
        assert_eq!(read(), "", "it names nobody");
    }
    let output = command().args(["--port", "0", "--pid-file", "/nowhere/pid"]).output().expect("pws");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.starts_with("pws: cannot write the pid file /nowhere/pid: ") && stderr.contains("(try "),
        "{stderr}"
    );
    assert_eq!(output.status.code(), Some(1));
}
