//! The status page: how the server is, at a door of its own.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use pws_testing::client::Client;
use pws_testing::folder::{Folder, noise};
use pws_testing::patience::wait_until;
use pws_testing::process::{self, Process};
use rustix::process::Signal;
use serde_json::Value;

use crate::support::binary::{command, serve};

fn folder() -> Folder {
    Folder::new().file("page.html", noise(1000)).sparse_file("large.bin", 64 << 20)
}

/// Serves with a status page, at a port that was free.
#[track_caller]
fn serve_with_status(args: &[&str]) -> (Process, SocketAddr) {
    let process = serve(folder(), &[&["--status", "0"], args].concat());
    let told = "status: http://";
    process.wait_for(told);
    let stderr = process.stderr();
    let address = stderr.split_once(told).and_then(|(_, rest)| rest.split('/').next()?.parse().ok());
    (process, address.expect("an address"))
}

#[track_caller]
fn figures(client: &mut Client) -> Value {
    serde_json::from_str(&client.get("/status.json").text()).expect("JSON")
}

#[test]
fn what_the_public_gets_is_counted_and_what_whoever_looks_gets_is_not() {
    let (process, address) = serve_with_status(&[]);
    assert!(address.ip().is_loopback(), "a bare port is this machine's alone");
    let mut status = Client::connect(address);
    assert_eq!(figures(&mut status)["responses"], serde_json::json!([0, 0, 0, 0, 0]));
    let mut client = process.connect();
    for _ in 0..20 {
        assert_eq!(client.get("/page.html").status, 200);
    }
    assert_eq!(client.get("/nowhere").status, 404);
    let told = figures(&mut status);
    assert_eq!(told["responses"], serde_json::json!([0, 20, 0, 1, 0]));
    assert_eq!(told["waiting"]["request"], 1, "the client, and not who looks");
    assert_eq!(
        told["latency_micros"]
            .as_array()
            .map_or(0, |buckets| buckets.iter().filter_map(|b| b[1].as_u64()).sum()),
        21
    );
    let at_least = |name: &str, least: u64| {
        let found = told[name].as_u64().unwrap_or_default();
        assert!(found >= least, "{name}: {found}");
    };
    at_least("sent_bytes", 20 * 1000);
    at_least("turns", 20);
    at_least("busy_micros", 1);
    at_least("longest_turn_micros", 1);
    let laps = told["longest_turn_laps_micros"].as_object().expect("laps");
    let spent: u64 = laps.values().filter_map(Value::as_u64).sum();
    assert!(
        laps.len() == 4 && spent > 0 && spent <= told["longest_turn_micros"].as_u64().unwrap_or(0),
        "{told}"
    );
    at_least("resident_bytes", 500_000);
    assert_eq!(
        told["cache_hits"]
            .as_u64()
            .zip(told["cache_misses"].as_u64())
            .map(|(hits, misses)| hits + misses > 20),
        Some(true)
    );
    // And the other way round.
    for target in ["/status.json", "/metrics", "/health"] {
        assert_eq!(client.get(target).status, 404, "{target} is not public");
        assert_eq!(status.get(target).status, 200, "{target}");
    }
    assert_eq!(status.get("/page.html").status, 404);
    let lines = process.stop();
    assert_eq!(lines.len(), 24, "none of whoever looked: {lines:?}");
}

#[test]
fn it_speaks_http_like_the_site() {
    let (_process, address) = serve_with_status(&[]);
    let mut status = Client::connect(address);
    let page = status.get("/");
    assert_eq!(page.field("content-type"), Some("text/html; charset=utf-8"));
    assert!(
        page.field("content-security-policy").is_some_and(|policy| policy.contains("default-src 'none'"))
    );
    assert_eq!(page.field("cache-control"), Some("no-store"));
    assert!(page.text().contains("<th scope=\"row\">connections</th>"), "a table without a script");
    for (target, content_type) in [
        ("/style.css", "text/css; charset=utf-8"),
        ("/script.js", "text/javascript; charset=utf-8"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
    ] {
        assert_eq!(status.get(target).field("content-type"), Some(content_type), "{target}");
    }
    status.send("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(status.answer_to("HEAD").status, 200);
    status.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi");
    assert_eq!(status.answer().status, 405);
    // Two in one packet.
    status.send(
        "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
    assert_eq!([status.answer().text(), status.answer().text()], ["serving\n", "serving\n"]);
    status.send("nonsense\r\n\r\n");
    assert_eq!(status.answer().status, 400);
}

#[test]
fn who_is_not_let_in_is_counted_and_whoever_looks_is_let_in() {
    let (process, address) = serve_with_status(&["--max-per-client", "1"]);
    let mut status = Client::connect(address);
    assert_eq!(status.get("/health").status, 200);
    let mut client = process.connect();
    assert_eq!(client.get("/page.html").status, 200, "whoever looks has its place beside that");
    assert_eq!(process.connect().get("/page.html").status, 503);
    let told = figures(&mut status);
    assert_eq!(told["notices"]["connections beyond what one client may have turned away with 503"], 1);
    assert!(status.get("/metrics").text().contains(
        "pws_notices_total{what=\"connections beyond what one client may have turned away with 503\"} 1\n"
    ));
}

#[test]
fn a_signal_asks_for_the_summary_that_the_end_tells() {
    let (process, _) = serve_with_status(&[]);
    assert_eq!(process.connect().get("/page.html").status, 200);
    process.signal(Signal::USR1);
    process.wait_for("served 1 response, 1 KiB, 1 connection at most, busy for ");
    assert!(process.stderr().contains("99 of 100 responses within "), "{}", process.stderr());
    let plain = serve(folder(), &[]);
    plain.signal(Signal::USR1);
    plain.wait_for("served 0 responses, 0 KiB, 0 connections at most\n");
}

#[test]
fn while_it_stops_it_can_be_looked_at_and_says_so() {
    let (mut process, address) = serve_with_status(&[]);
    let mut slow = process.connect();
    slow.stream.write_all(b"GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("a request");
    let head = slow.head();
    assert_eq!(head.status, 200);
    assert_eq!(Client::connect(address).get("/health").status, 200);
    process.signal(Signal::TERM);
    wait_until("it stops", || Client::connect(address).get("/health").status == 503);
    assert_eq!(Client::connect(address).get("/health").text(), "stopping\n");
    assert!(Client::try_connect(process.address()).is_err(), "the public door is closed");
    drop(slow);
    assert_eq!(process.wait().code(), Some(0), "whoever looks does not keep it");
}

/// The next event: its name, and its data.
#[track_caller]
fn event(client: &mut Client, unread: &mut String) -> (String, Value) {
    let mut buffer = [0; 4096];
    while !unread.contains("\n\n") {
        let count = client.read_some(&mut buffer).expect("more events");
        assert!(count > 0, "the end of the events");
        unread.push_str(std::str::from_utf8(&buffer[..count]).expect("UTF-8"));
    }
    let (first, rest) = unread.split_once("\n\n").expect("an event");
    let fields: Vec<_> = first.lines().filter_map(|line| line.split_once(": ")).collect();
    assert_eq!(fields.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["event", "data"], "{first}");
    let told = (fields[0].1.to_owned(), serde_json::from_str(fields[1].1).expect("JSON"));
    *unread = rest.to_owned();
    told
}

#[test]
fn who_stays_is_told_as_it_happens() {
    let (process, address) = serve_with_status(&["--max-per-client", "1"]);
    let mut figures = Client::connect(address);
    figures.ask("/events?topic=figures");
    let head = figures.head();
    assert_eq!((head.status, head.field("content-type")), (200, Some("text/event-stream")));
    assert_eq!(head.field("connection"), Some("close"), "the end of the connection is the end");
    let mut notices = Client::connect(address);
    notices.ask("/events?topic=notices");
    assert_eq!(notices.head().status, 200);

    let (mut unread, mut unread_notices) = (String::new(), String::new());
    let of = |told: &(String, Value), name: &str| told.1[name].as_u64().unwrap_or_else(|| panic!("{told:?}"));
    let first = event(&mut figures, &mut unread);
    assert_eq!(first.0, "figures");
    let kind = "connections beyond what one client may have turned away with 503";
    let before = event(&mut notices, &mut unread_notices);
    assert_eq!((before.0.as_str(), of(&before, kind)), ("notices", 0));
    let mut client = process.connect();
    assert_eq!(client.get("/page.html").status, 200);
    assert_eq!(process.connect().get("/page.html").status, 503);
    // Nobody asks for anything now.
    assert_eq!(of(&event(&mut notices, &mut unread_notices), kind), 1);
    let next = event(&mut figures, &mut unread);
    let later = event(&mut figures, &mut unread);
    let secs = [&first, &next, &later].map(|told| of(told, "uptime_micros") / 1_000_000);
    assert!(secs[0] < secs[1] && secs[1] < secs[2] && secs[2] <= secs[1] + 3, "{secs:?}");
    assert_eq!(later.1["responses"], serde_json::json!([0, 1, 0, 0, 1]));

    let lines = process.stop();
    assert_eq!(lines.len(), 2, "the public's alone: {lines:?}");
}

#[test]
fn a_crowd_that_looks_leaves_the_places_to_clients() {
    let (process, address) = serve_with_status(&["--max-connections", "200"]);
    let mut readers: Vec<Client> = (0..200)
        .map(|_| {
            let mut reader = Client::connect(address);
            // Whoever is turned away may have been before it asks.
            let _ = reader.try_send("GET /events?topic=figures HTTP/1.1\r\nHost: localhost\r\n\r\n");
            reader
        })
        .collect();
    // A quarter may look, and half of those stay to be told: short questions have the rest.
    let told: Vec<u16> = readers[..25].iter_mut().map(|reader| reader.head().status).collect();
    assert_eq!(told, [200; 25]);
    let is_turned_away =
        |reader: &mut Client| reader.try_answer_to("GET").map_or(true, |answer| answer.status == 503);
    assert!(readers[25..].iter_mut().all(is_turned_away), "and no more");
    // Who keeps a connection and asks for nothing makes room.
    let idle: Vec<Client> = (0..60)
        .map(|_| {
            let mut client = Client::connect(address);
            assert_eq!(client.get("/health").status, 200);
            client
        })
        .collect();
    let clients: Vec<Client> = (0..100)
        .map(|_| {
            let mut client = process.connect();
            assert_eq!(client.get("/page.html").status, 200);
            client
        })
        .collect();
    let mut unread = String::new();
    let last = |told: &Value| told["responses"] == serde_json::json!([0, 100, 0, 0, 0]);
    wait_until("it is told", || last(&event(&mut readers[0], &mut unread).1));
    drop((clients, idle));
    assert_eq!(process.stop().len(), 100);
}

#[test]
fn whoever_has_gone_is_noticed_though_nothing_happens() {
    let (_process, address) = serve_with_status(&[]);
    let mut readers: Vec<Client> = (0..32).map(|_| Client::connect(address)).collect();
    for reader in &mut readers {
        reader.ask("/events?topic=notices");
        assert_eq!(reader.head().status, 200);
        let mut unread = String::new();
        assert_eq!(event(reader, &mut unread).0, "notices");
    }
    let mut late = Client::connect(address);
    assert_eq!(late.get("/events?topic=notices").status, 503);
    drop(readers);
    wait_until("there is room again", || {
        let mut next = Client::connect(address);
        next.ask("/events?topic=notices");
        std::thread::sleep(Duration::from_millis(200));
        next.head().status == 200
    });
}

#[test]
fn once_all_have_left_nothing_wakes_it() {
    let (process, address) = serve_with_status(&[]);
    let mut client = Client::connect(address);
    client.ask("/events");
    assert_eq!(client.head().status, 200);
    drop(client);
    wait_until("it sleeps", || {
        let sleeps = process.sleeps();
        std::thread::sleep(Duration::from_millis(2100));
        process.sleeps() == sleeps
    });
}

#[test]
fn events_speak_http_like_the_rest() {
    let (process, address) = serve_with_status(&[]);
    let mut client = Client::connect(address);
    let answer = client.get("/events?topic=weather");
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("figures and notices"), "{}", answer.text());
    client.send("HEAD /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(client.answer_to("HEAD").field("content-type"), Some("text/event-stream"));
    assert!(client.is_closed());
    let mut old = Client::connect(address);
    old.send("GET /events HTTP/1.0\r\n\r\n");
    assert_eq!(old.head().status, 200);
    let mut unread = String::new();
    let told = [event(&mut old, &mut unread).0, event(&mut old, &mut unread).0];
    assert_eq!(told, ["figures", "notices"], "all topics without a query");
    // Whoever stays does not keep it, and nothing of it counts as cut.
    process.signal(Signal::TERM);
    process.wait_for("served 0 responses");
    assert!(!process.stderr().contains("cut by the stop"), "{}", process.stderr());
}

#[test]
fn a_socket_with_a_path_does_without_a_port() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("status.socket");
    let arg = format!("unix:{}", path.display());
    let ask = |target: &str| {
        let mut stream = UnixStream::connect(&path).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        let request = format!("GET {target} HTTP/1.1\r\nHost: pws\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    };
    for _ in 0..2 {
        // The second takes over what the first has left.
        let process = serve(folder(), &["--status", &arg]);
        process.wait_for("--unix-socket");
        assert_eq!(process.connect().get("/page.html").status, 200);
        for target in ["/", "/status.json", "/metrics", "/health"] {
            assert!(ask(target).starts_with("HTTP/1.1 200 OK\r\n"), "{target}");
        }
        let mut other = command();
        other.args(["--port", "0", "--status", &arg]);
        let output = process::run(other);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(stderr.contains("somebody listens there") && !output.status.success(), "{stderr}");
        // A reader that leaves is noticed here, too.
        let mut events = UnixStream::connect(&path).expect("a connection");
        events.write_all(b"GET /events HTTP/1.1\r\nHost: pws\r\n\r\n").expect("a request");
        let mut first = [0; 12];
        events.read_exact(&mut first).expect("an answer");
        drop(events);
        wait_until("it is let go", || ask("/status.json").contains("\"descriptors\": {\"count\": 1,"));
        assert_eq!(process.stop().len(), 1);
    }
}

#[test]
fn where_it_listens_is_typed_or_told_what_is_wrong() {
    for value in ["nonsense", "70000", "localhost", "unix:", ""] {
        let mut command = command();
        command.arg(format!("--status={value}"));
        let output = process::run(command);
        assert_eq!(output.status.code(), Some(2), "{value}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("--status"), "{stderr}");
    }
    let (_process, taken) = serve_with_status(&[]);
    let mut other = command();
    other.args(["--port", "0", "--status", &taken.to_string()]);
    let output = process::run(other);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(&format!("cannot listen on {taken}")), "{stderr}");
}
