//! Folders of many entries over real sockets: nobody else waits, nothing leaks, little is kept.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pws_testing::answer::Answer;
use pws_testing::client::Client;
use pws_testing::folder::Folder;
use pws_testing::patience::comes_true;
use pws_testing::process::Process;

use crate::support::binary::serve;
use crate::support::listed::{document, rows};
use crate::support::server::RunningServer;

/// How long another client may have to wait while somebody is sent a folder.
const WAIT_MAX: Duration = Duration::from_millis(250);
/// Tries: on a busy machine, others may be what is waited for.
const TRIES: usize = 5;

fn folder() -> Folder {
    Folder::new().file("page.html", "<p>page")
}

/// The answer to a GET on a connection of its own: to look for the end of a long one only at the end is quicker.
#[track_caller]
fn whole(process: &Process, target: &str) -> Answer {
    let mut client = process.connect();
    client.send(format!("GET {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"));
    Answer::all(&client.rest(), &["GET"]).remove(0)
}

/// The longest that `/page.html` takes a client while `busy` goes on.
#[track_caller]
fn longest_wait(process: &Process, busy: impl Fn() + Send + Sync) -> Duration {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            busy();
            is_over.store(true, Ordering::Relaxed);
        });
        let mut client = process.connect();
        let mut longest = Duration::ZERO;
        while !is_over.load(Ordering::Relaxed) {
            let started = Instant::now();
            assert_eq!(client.get("/page.html").text(), "<p>page");
            longest = longest.max(started.elapsed());
        }
        longest
    })
}

#[track_caller]
fn assert_others_are_served(process: &Process, busy: impl Fn() + Send + Sync) {
    let mut waits = (0..TRIES).map(|_| longest_wait(process, &busy));
    assert!(waits.any(|wait| wait < WAIT_MAX), "more than {WAIT_MAX:?}, {TRIES} times");
}

#[test]
fn a_hundred_thousand_entries_hold_nobody_up_and_take_little_memory() {
    const COUNT: usize = 100_000;

    let process = serve(folder().crowd("crowd", COUNT), &["--access-log", "off"]);
    let mut client = process.connect();
    assert_eq!(client.get("/page.html").status, 200);
    let memory = process.peak_memory_kib();
    let started = Instant::now();
    assert_eq!(rows(&whole(&process, "/crowd/")).len(), COUNT);
    let get_time = started.elapsed();
    assert_others_are_served(&process, || {
        let document = document(&whole(&process, "/crowd/?format=json"));
        assert_eq!(document["sorted"], true);
        assert_eq!(document["entries"].as_array().map(Vec::len), Some(COUNT));
    });
    // 34 bytes an entry while they are sorted, 3.3 MiB in all, and pieces of what is sent.
    let grown = process.peak_memory_kib() - memory;
    assert!(grown < 6144, "{grown} KiB");
    let started = Instant::now();
    for _ in 0..10 {
        client.send("HEAD /crowd/ HTTP/1.1\r\nHost: test\r\n\r\n");
        assert_eq!(client.answer_to("HEAD").status, 200);
    }
    assert!(started.elapsed() < get_time, "a head is made without a look at what is in the folder");
}

#[test]
fn a_pipeline_of_listings_holds_nobody_up_either() {
    const COUNT: usize = 64;

    let process = serve(folder().crowd("crowd", 1000), &["--access-log", "off"]);
    let memory = process.peak_memory_kib();
    assert_others_are_served(&process, || {
        let mut client = process.connect();
        client.send("GET /crowd/?format=json HTTP/1.1\r\nHost: test\r\n\r\n".repeat(COUNT));
        for _ in 0..COUNT {
            assert_eq!(client.answer().status, 200);
        }
    });
    let grown = process.peak_memory_kib() - memory;
    assert!(grown < 4096, "{grown} KiB");
}

#[test]
fn clients_that_leave_amid_a_listing_leave_nothing_behind() {
    let process = serve(folder().crowd("crowd", 20_000), &["--access-log", "off"]);
    let base = process.open_files();
    let leave_amid_a_listing = |is_reset: bool| {
        let mut client = Client::connect_with_receive_buffer(process.address(), 4096);
        client.ask("/crowd/");
        assert_eq!(client.head().status, 200);
        assert_eq!(process.open_files(), base + 2, "the connection, and the folder that is read");
        match is_reset {
            true => client.reset(),
            false => drop(client),
        }
        let is_back = comes_true(|| process.open_files() == base);
        assert!(is_back, "{} descriptors instead of {base}", process.open_files());
    };
    leave_amid_a_listing(true);
    let memory = process.peak_memory_kib();
    for round in 0..60 {
        leave_amid_a_listing(round % 2 == 0);
    }
    let grown = process.peak_memory_kib() - memory;
    assert!(grown < 2048, "{grown} KiB");
    assert_eq!(process.connect().get("/page.html").status, 200);
}

#[test]
fn a_folder_that_goes_away_amid_its_listing_does_no_harm() {
    let server = RunningServer::start(folder().crowd("crowd", 20_000));
    let mut client = Client::connect_with_receive_buffer(server.address, 4096);
    client.ask("/crowd/");
    fs::remove_dir_all(server.folder.root().join("crowd")).expect("removed");
    let answer = client.answer();
    // How much of it was there still when it was read, the two may settle between them.
    assert!(answer.text().ends_with("</script>\n"), "it ends as a page does");
    assert_eq!(client.get("/crowd/").status, 404);
    assert_eq!(client.get("/page.html").text(), "<p>page", "on the same connection");
}

#[test]
fn the_log_tells_how_much_of_a_listing_was_sent() {
    let process = serve(folder().crowd("crowd", 10), &[]);
    let mut client = process.connect();
    let body_len = client.get("/crowd/").body.len();
    client.send("HEAD /crowd/?format=json HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(client.answer_to("HEAD").status, 200);
    drop(client);
    let lines = process.stop();
    let sent = lines[0].split_once("\"GET /crowd/ HTTP/1.1\" 200 ").map(|(_, sent)| sent.parse::<usize>());
    // The framing of its chunks comes on top.
    assert!(matches!(sent, Some(Ok(sent)) if (body_len..body_len + 64).contains(&sent)), "{lines:?}");
    assert!(lines[1].ends_with("\"HEAD /crowd/?format=json HTTP/1.1\" 200 0"), "{lines:?}");
}
