//! `--trace`: what the loop did and when, as a file that timeline viewers read.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pws_testing::folder::{Folder, noise};
use pws_testing::patience::wait_until;
use pws_testing::process::Process;
use rustix::process::Signal;
use serde_json::Value;

use crate::support::binary::{command, serve};

const LAPS: [&str; 6] = ["wait", "mark", "run", "deadlines", "accept", "log"];

/// Something that took time, in nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Span {
    name: String,
    from: u64,
    to: u64,
    bytes: u64,
}

/// What a timeline has of one track.
#[derive(Debug, Default)]
struct Track {
    spans: Vec<Span>,
    points: Vec<String>,
}

impl Track {
    fn bytes(&self, names: &[&str]) -> u64 {
        self.spans.iter().filter(|span| names.contains(&span.name.as_str())).map(|span| span.bytes).sum()
    }

    fn count(&self, name: &str) -> usize {
        self.spans.iter().filter(|span| span.name == name).count()
    }
}

/// Reads a timeline, and asserts that on each track whatever begins within something ends within it.
#[track_caller]
fn tracks(text: &str) -> BTreeMap<u64, Track> {
    let events: Vec<Value> = serde_json::from_str(text).expect("JSON");
    let mut tracks: BTreeMap<u64, Track> = BTreeMap::new();
    let mut open: BTreeMap<u64, Vec<Span>> = BTreeMap::new();
    for event in events.iter().filter(|event| event["ph"] != "M") {
        let id = event["tid"].as_u64().expect("a track");
        let nanos = |name: &str| (event[name].as_f64().unwrap_or_default() * 1000.0).round() as u64;
        let name = event["name"].as_str().expect("a name").to_owned();
        let (from, bytes) = (nanos("ts"), event["args"]["bytes"].as_u64().unwrap_or_default());
        let (track, open) = (tracks.entry(id).or_default(), open.entry(id).or_default());
        match event["ph"].as_str() {
            Some("B") => open.push(Span { name, from, to: u64::MAX, bytes }),
            Some("E") => {
                let begun = open.pop().unwrap_or_else(|| panic!("an end of nothing: {event}"));
                track.spans.push(Span { to: from, ..begun });
            }
            Some("X") => track.spans.push(Span { name, from, to: from + nanos("dur"), bytes }),
            Some("i") => track.points.push(name),
            other => panic!("{other:?}"),
        }
    }
    assert!(open.values().all(Vec::is_empty), "left open: {open:?}");
    for (id, track) in &tracks {
        let mut spans = track.spans.clone();
        spans.sort_by_key(|span| (span.from, std::cmp::Reverse(span.to)));
        let mut around: Vec<&Span> = Vec::new();
        for span in &spans {
            assert!(span.from <= span.to, "{span:?}");
            around.retain(|outer| outer.to > span.from);
            let crossed = around.iter().find(|outer| outer.to < span.to);
            assert_eq!(crossed, None, "track {id}: {span:?} is half within another");
            around.push(span);
        }
    }
    tracks
}

fn folder() -> Folder {
    Folder::new().file("page.html", noise(1000)).sparse_file("large.bin", 8 << 20)
}

#[track_caller]
fn record(file: &Path, folder: Folder) -> Process {
    serve(folder, &["--trace", file.to_str().expect("UTF-8")])
}

#[test]
fn a_timeline_has_every_step_of_every_client() {
    let place = tempfile::tempdir().expect("a folder");
    let file = place.path().join("trace.json");
    let process = record(&file, folder());
    let mut pipelining = process.connect();
    let request = "GET /page.html HTTP/1.1\r\nHost: a\r\n\r\n";
    pipelining.send(request);
    assert_eq!(pipelining.answer().status, 200);
    pipelining.send(request.repeat(2));
    assert_eq!([pipelining.answer().status, pipelining.answer().status], [200, 200]);
    let mut slow = process.connect();
    let head = "GET /\"there\" HTTP/1.1\r\nHost: a\r\n\r\n";
    let (first, second) = head.split_at(10);
    slow.send(first);
    // Both halves are seen.
    wait_until("the first half was read", || {
        fs::read_to_string(&file).is_ok_and(|text| text.contains("Head"))
    });
    slow.send(second);
    assert!(slow.answer().status >= 400);
    let mut download = process.connect();
    assert_eq!(download.get("/large.bin").body.len(), 8 << 20);
    drop((pipelining, slow, download));
    process.stop();

    let tracks = tracks(&fs::read_to_string(&file).expect("a timeline"));
    // They came one after the other, and each kept its place.
    let [the_loop, pipelining, slow, download] = [0, 1, 2, 3].map(|id| &tracks[&id]);
    assert_eq!(pipelining.bytes(&["receive"]), 3 * request.len() as u64);
    assert_eq!(pipelining.points, ["GET /page.html HTTP/1.1: 200 OK"; 3]);
    assert_eq!(pipelining.count("send"), 2, "two answers in one call: {pipelining:?}");
    assert!(pipelining.bytes(&["send"]) > 3000);
    assert_eq!(slow.bytes(&["receive"]), head.len() as u64);
    assert_eq!((slow.count("Head"), slow.points.len()), (1, 1), "{slow:?}");
    assert!(slow.points[0].starts_with("GET /\\\"there\\\" HTTP/1.1: 4"), "{:?}", slow.points);
    assert!(download.bytes(&["sendfile"]) == 8 << 20 && download.count("sendfile") > 1, "{download:?}");
    for track in [pipelining, slow, download] {
        assert_eq!((track.count("127.0.0.1"), track.count("accepted"), track.count("over")), (1, 1, 1));
    }

    // The loop's round is without a gap, and whoever is run is run within it.
    let (runs, laps): (Vec<_>, Vec<_>) =
        the_loop.spans.iter().cloned().partition(|span| span.name.starts_with('#'));
    assert_eq!(laps[0].from, 0);
    for pair in laps.windows(2) {
        assert_eq!(pair[0].to, pair[1].from, "a gap: {pair:?}");
        let next = LAPS.iter().cycle().skip_while(|lap| **lap != pair[0].name).nth(1);
        assert_eq!(next, Some(&pair[1].name.as_str()), "another order");
    }
    assert!(runs.len() >= 6, "{runs:?}");
    for run in runs {
        let around = laps.iter().find(|lap| lap.from <= run.from && run.to <= lap.to);
        assert!(
            around.is_some_and(|lap| ["run", "accept"].contains(&lap.name.as_str())),
            "{run:?}: {around:?}"
        );
    }
}

#[test]
fn a_process_that_is_killed_leaves_whole_lines() {
    let place = tempfile::tempdir().expect("a folder");
    let file = place.path().join("trace.json");
    let mut process = record(&file, folder());
    assert_eq!(process.connect().get("/page.html").status, 200);
    let has_all = |text: String| text.contains("\"over\"");
    wait_until("it is written", || fs::read_to_string(&file).is_ok_and(has_all));
    process.signal(Signal::KILL);
    process.wait();
    let text = fs::read_to_string(&file).expect("a timeline");
    let text = text.strip_suffix(",\n").expect("a whole line");
    tracks(&format!("{text}]"));
}

#[test]
fn what_cannot_be_written_ends_the_trace_and_nothing_else() {
    let process = record(Path::new("/dev/full"), folder());
    process.wait_for("the trace ends here, it cannot be written: No space left on device");
    assert_eq!(process.connect().get("/page.html").status, 200);
}

#[test]
fn a_place_that_cannot_be_written_is_told_at_the_start() {
    let output = command().args(["--port", "0", "--trace", "/nowhere/trace.json"]).output().expect("pws");
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        told,
        "pws: cannot write the trace /nowhere/trace.json: No such file or directory (os error 2) \
         (try another file)\n"
    );
}
