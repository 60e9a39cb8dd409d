//! What the process takes: time when there is nothing to do, and descriptors, which it must give back.

use std::thread::sleep;
use std::time::Duration;

use pws_testing::client::Client;
use pws_testing::folder::noise;
use pws_testing::process::{Process, serving};
use pws_testing::vitals::{assert_no_spinning, assert_nothing_leaks, settled};

use super::folder;
use crate::support::binary::{command_after, serve};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn an_idle_server_sleeps() {
    let process = serve(folder(), &[]);
    let mut clients: Vec<Client> = Vec::new();
    for count in [0, 10] {
        while clients.len() < count {
            let mut client = process.connect();
            assert_eq!(client.get("/page.html").status, 200);
            clients.push(client);
        }
        // It goes to sleep a moment after the last answer has come.
        settled(|| process.sleeps());
        let before = (process.sleeps(), process.cpu_ticks());
        sleep(SECOND);
        let after = (process.sleeps(), process.cpu_ticks());
        assert_eq!(after, before, "wake-ups and time, with {count} connections");
    }
}

#[test]
fn one_thread_does_it_all() {
    let process = serve(folder(), &[]);
    assert_eq!(process.connect().get("/page.html").status, 200);
    assert_eq!(process.threads(), 1);
}

#[test]
fn resets_amid_downloads_leak_no_descriptors() {
    let process = serve(folder().sparse_file("large.bin", 1 << 30), &["--access-log", "off"]);
    let reset_amid_a_download = || {
        let mut client = process.connect();
        client.ask("/large.bin");
        assert_eq!(client.head().status, 200);
        client.reset();
    };
    // What is kept of a file, if anything, is kept from the first request on.
    reset_amid_a_download();
    let base = settled(|| process.open_files());
    for _ in 0..200 {
        reset_amid_a_download();
    }
    assert_nothing_leaks(&process, base);
    assert_eq!(process.connect().get("/page.html").status, 200);
}

#[test]
fn eight_megabytes_serve_a_thousand_idle_and_a_hundred_active() {
    const LARGE: u64 = 4 << 20;

    pws::process::resources::raise_open_files();
    let folder = folder().file("small.html", noise(8000)).sparse_file("large.bin", LARGE);
    let folder = (0..500).fold(folder, |folder, index| folder.file(format!("{index}.html"), noise(8000)));
    let process = serve(folder, &["--memory", "8M", "--access-log", "off"]);
    process.wait_for("memory: 8192 KiB by '--memory': 597 KiB for files, 597 KiB for what connections keep");
    let mut idle: Vec<Client> = (0..1000).map(|_| process.connect()).collect();
    for (index, client) in idle.iter_mut().enumerate() {
        assert_eq!(client.get(&format!("/{}.html", index % 500)).status, 200);
    }
    let mut active: Vec<Client> = (0..100)
        .map(|_| {
            let mut client = process.connect();
            client.ask("/large.bin");
            client.send("GET /small.html HTTP/1.1\r\nHost: test\r\n\r\n".repeat(10));
            client
        })
        .collect();
    for client in &mut idle {
        assert_eq!(client.get("/small.html").body.len(), 8000);
    }
    for client in active.iter_mut().step_by(10) {
        assert_eq!(client.head().status, 200);
        assert_eq!(client.count_rest(LARGE), LARGE);
        assert_eq!((0..10).map(|_| client.answer().body.len()).sum::<usize>(), 80_000);
    }
    let peak_kib = process.peak_memory_kib();
    assert!(peak_kib < 8 * 1024, "{peak_kib} KiB");
}

#[test]
fn more_clients_than_descriptors_are_let_in_as_far_as_there_is_room_for_files() {
    let folder = folder();
    let mut process = Process::start(serving(command_after("ulimit -n 40"), &folder));
    let base = process.open_files();
    let mut clients: Vec<Client> = (0..100).map(|_| process.connect()).collect();
    let open_files = settled(|| process.open_files());
    assert!(open_files > base && open_files < base + 100, "{open_files} of 40");
    assert_eq!(clients[0].get("/page.html").text(), "<p>page");
    assert_no_spinning(&process);
    drop(clients);
    assert_nothing_leaks(&process, base);
    assert_eq!(process.connect().get("/page.html").text(), "<p>page");
    assert!(process.is_running());
}

#[test]
fn a_server_without_a_single_descriptor_left_waits_and_recovers() {
    let mut process = serve(folder(), &[]);
    let mut inside = process.connect();
    assert_eq!(inside.get("/nowhere").status, 404);
    process.set_soft_open_files_limit(4);
    let answer = inside.get("/page.html");
    assert_eq!((answer.status, answer.field("retry-after").is_some()), (503, true));
    let mut outside = process.connect();
    outside.ask("/page.html");
    assert_no_spinning(&process);
    process.set_soft_open_files_limit(1000);
    assert_eq!(inside.get("/page.html").text(), "<p>page");
    assert_eq!(outside.answer().text(), "<p>page");
    assert!(process.is_running());
}
