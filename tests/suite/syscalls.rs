//! System calls per request, counted by strace: no clocks, so it holds on any machine.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pws::clock::Now;
use pws::config::SiteOptions;
use pws::files::Files;
use pws::limits::Limits;
use pws_testing::client::Client;
use pws_testing::folder::{Folder, noise};
use pws_testing::memory::NOW_UNIX_SECS;
use pws_testing::patience::wait_until;
use pws_testing::process::{Process, serving};
use rustix::process::Signal;

use crate::support::binary::command;
use crate::support::tools;

/// Calls by name.
type Counts = BTreeMap<String, f64>;

/// How a conversation is led: where, by whom, and how often each has to go through it.
type Talk = fn(&Process, &mut [Client], usize);

/// One request each.
const ONE_EACH: [(&str, Talk); 7] = [
    ("200 of what is not copied", |_, clients, times| keep_alive(clients, times, "GET", "/middle.bin", 200)),
    ("200", |_, clients, times| keep_alive(clients, times, "GET", "/page.html", 200)),
    ("404", |_, clients, times| keep_alive(clients, times, "GET", "/nowhere", 404)),
    ("HEAD", |_, clients, times| keep_alive(clients, times, "HEAD", "/page.html", 200)),
    ("304", not_modified),
    ("a variant", |_, clients, times| packed(clients, times, "Accept-Encoding: gzip, br\r\n", 512)),
    ("a file beside its variant", |_, clients, times| packed(clients, times, "", 1024)),
];

#[test]
fn a_cached_answer_takes_two_calls() {
    if !tools::has("strace") {
        return;
    }
    let folder = Folder::new().file("page.html", noise(1024));
    let folder = folder
        .file("middle.bin", noise(16_000))
        .file("packed.js", noise(1024))
        .file("packed.js.br", noise(512));
    // Until a moment has passed, the files might change and keep their time: they are not kept before.
    std::thread::sleep(Duration::from_millis(4500));
    let etag = Process::start(serving(command(), &folder))
        .connect()
        .get("/page.html")
        .field("etag")
        .expect("a tag")
        .to_owned();
    assert!(etag.starts_with('"'), "old enough for a strong one");

    let per_request = |talk: Talk, clients, requests: usize| {
        let few = counts(&folder, talk, clients, 10);
        let many = counts(&folder, talk, clients, 210);
        // Starting and stopping take a call more or less from one life to the next: some differences are negative.
        let calls = |name: &str| {
            let of = |counts: &Counts| counts.get(name).copied().unwrap_or(0.0);
            (of(&many) - of(&few)) / (200 * requests) as f64
        };
        let all: f64 = many.keys().map(|name| calls(name)).sum();
        // And to look at the disk again, or to listen to watches.
        (all, all - calls("epoll_wait") - calls("newfstatat") - calls("read"))
    };
    let is_watched = is_watched(&folder);
    for (name, talk) in ONE_EACH {
        let (all, own) = per_request(talk, 1, 1);
        assert!(own <= 2.05, "{name}: {own} calls a request, waiting and the one stat a turn not counted");
        assert!(
            !is_watched || all <= 3.2,
            "{name}: {all} calls a request, where a watch makes the stat needless"
        );
    }
    let (_, own) = per_request(one_connection_each, 0, 1);
    // accept4, recv, send, close, the accept4 that finds nobody else waiting, and the fcntl by which a debug
    // build sees that what it closes is open.
    assert!(own <= 6.05, "{own} calls a connection");
    let (_, own) = per_request(pipeline_of_16, 1, 16);
    assert!(own <= 0.2, "{own} calls a request in a pipeline of 16");
    // Two files are looked at, the one asked for and its variant; which others there are, once a second.
    let (all, own) =
        per_request(|_, clients, times| packed(clients, times, "Accept-Encoding: br\r\n", 512), 1, 1);
    assert!(all - own <= 3.3, "{} calls to wait and to look at two files", all - own);
    // Deep down, a page for what is not there is looked for in eight folders, and in the root. Whether any of
    // it is there in codings alone is asked once a second.
    let deep = |_: &Process, clients: &mut [Client], times| {
        keep_alive(clients, times, "GET", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/nowhere", 404);
    };
    let (all, own) = per_request(deep, 1, 1);
    assert!(all <= 2.05 + 1.0 + 11.3, "{all} calls for a deep path where nothing is");
    assert!(own <= 2.05, "{own} calls for a deep path where nothing is, looks not counted");
    let (all, _) = per_request(all_at_once, 64, 64);
    assert!(all <= 2.3, "{all} calls a request with 64 busy connections, everything counted");
}

/// Whether the folder's filesystem tells of all changes; if not, less can be shown.
fn is_watched(folder: &Folder) -> bool {
    let mut files =
        Files::open(&folder.root(), &SiteOptions::default(), &Limits::default()).expect("the folder");
    for _ in 0..3 {
        files.recheck();
        let _ = files.find(b"page.html", &Now::at(0, NOW_UNIX_SECS));
    }
    if files.held().watches == 0 {
        tools::skip("no watch sees this filesystem");
    }
    files.held().watches > 0
}

/// What a connection waits for is told to the kernel once for reading and once for writing, however often it has
/// to wait.
#[test]
fn waiting_is_arranged_once() {
    if !tools::has("strace") {
        return;
    }
    let folder = Folder::new().sparse_file("large.bin", 32 << 20);
    let waits = |times| {
        let counts = counts(&folder, stop_and_go, 1, times);
        let of = |name: &str| counts.get(name).copied().unwrap_or(0.0);
        (of("epoll_ctl"), of("epoll_wait"))
    };
    let ((few, few_waits), (many, many_waits)) = (waits(1), waits(6));
    assert!(many_waits >= few_waits + 5.0, "the downloads did not have to wait: nothing was shown");
    assert_eq!(many, few, "epoll_ctl calls for six downloads and for one");
}

/// Has the server wait for a request, then for room in the middle of each download.
#[track_caller]
fn stop_and_go(_: &Process, clients: &mut [Client], times: usize) {
    assert_eq!(clients[0].get("/nowhere").status, 404);
    for _ in 0..times {
        clients[0].ask("/large.bin");
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(clients[0].answer().body.len(), 32 << 20);
    }
}

#[track_caller]
fn keep_alive(clients: &mut [Client], times: usize, method: &str, target: &str, status: u16) {
    for _ in 0..times {
        clients[0].send(format!("{method} {target} HTTP/1.1\r\nHost: test\r\n\r\n"));
        assert_eq!(clients[0].answer_to(method).status, status);
    }
}

#[track_caller]
fn packed(clients: &mut [Client], times: usize, fields: &str, bytes: usize) {
    for _ in 0..times {
        clients[0].send(format!("GET /packed.js HTTP/1.1\r\nHost: test\r\n{fields}\r\n"));
        assert_eq!(clients[0].answer().body.len(), bytes);
    }
}

/// Asks for the file's own tag first.
#[track_caller]
fn not_modified(_: &Process, clients: &mut [Client], times: usize) {
    let etag = clients[0].get("/page.html").field("etag").expect("a tag").to_owned();
    for _ in 0..times {
        clients[0].send(format!("GET /page.html HTTP/1.1\r\nHost: test\r\nIf-None-Match: {etag}\r\n\r\n"));
        assert_eq!(clients[0].answer().status, 304);
    }
}

#[track_caller]
fn pipeline_of_16(_: &Process, clients: &mut [Client], times: usize) {
    for _ in 0..times {
        clients[0].send("GET /page.html HTTP/1.1\r\nHost: test\r\n\r\n".repeat(16));
        for _ in 0..16 {
            assert_eq!(clients[0].answer().status, 200);
        }
    }
}

/// The server sleeps until the client has asked: one that is slow to ask costs an epoll_ctl and a recv more.
#[track_caller]
fn one_connection_each(process: &Process, _: &mut [Client], times: usize) {
    for _ in 0..times {
        process.signal(Signal::STOP);
        let mut client = process.connect();
        client.send("GET /page.html HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        process.signal(Signal::CONT);
        assert_eq!(client.answer().status, 200);
        assert!(client.is_closed());
    }
}

/// The server sleeps until all clients have asked: however busy the machine, all are ready in one turn.
#[track_caller]
fn all_at_once(process: &Process, clients: &mut [Client], times: usize) {
    for _ in 0..times {
        process.signal(Signal::STOP);
        for client in &mut *clients {
            client.send("GET /page.html HTTP/1.1\r\nHost: test\r\n\r\n");
        }
        process.signal(Signal::CONT);
        for client in &mut *clients {
            assert_eq!(client.answer().status, 200);
        }
    }
}

/// The calls of a server's whole life, in which `clients` connections lead `talk`.
#[track_caller]
fn counts(folder: &Folder, talk: Talk, clients: usize, times: usize) -> Counts {
    let summary = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut command = Command::new("strace");
    // -D: the server is our child, and strace stands aside.
    command.args(["-D", "-f", "-c", "-o"]).arg(summary.path()).arg(env!("CARGO_BIN_EXE_pws"));
    let mut command = serving(command, folder);
    command.args(["--access-log", "off"]);
    let process = Process::start(command);
    let mut connections: Vec<Client> = (0..clients).map(|_| process.connect()).collect();
    talk(&process, &mut connections, times);
    drop(connections);
    process.stop();
    parse(summary.path())
}

/// `% time, seconds, usecs/call, calls, [errors,] name` a line, and a line for the total at the end.
#[track_caller]
fn parse(summary: &Path) -> Counts {
    let read = || std::fs::read_to_string(summary).expect("a summary");
    wait_until("strace ends", || read().trim_end().ends_with("total"));
    let text = read();
    let rows = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let rows = rows.filter(|row| row.len() >= 5 && row.last() != Some(&"total"));
    rows.filter_map(|row| Some((row.last()?.to_string(), row[3].parse().ok()?))).collect()
}
