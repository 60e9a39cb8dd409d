//! Rules that change while they are served, and what is told of those that cannot be followed. With the real
//! binary, since it is its clock and its standard error that matter.

use std::fs;
use std::time::{Duration, Instant};

use pws::clock::Now;
use pws::config::SiteOptions;
use pws::limits::Limits;
use pws::responder::Responder;
use pws::site::Site;
use pws_testing::answer::Answer;
use pws_testing::folder::Folder;
use pws_testing::memory::{MemoryServer, NOW_UNIX_SECS, Verdict};
use pws_testing::patience::wait_until;
use pws_testing::process::{self, Process, serving};

use crate::support::binary::{command, serve};
use crate::support::visitor::Visitor;

/// What a change may take: a second for the server to look, and one for a machine that is busy.
const SOON: Duration = Duration::from_secs(3);

fn folder() -> Folder {
    Folder::new().file("page.html", "<p>page").file("docs/index.html", "<p>docs")
}

/// Waits until `is_so`, which must be soon.
#[track_caller]
fn soon(what: &str, is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    wait_until(what, is_so);
    assert!(started.elapsed() < SOON, "{what}: it took {:?}", started.elapsed());
}

#[test]
fn rules_that_come_change_and_go_are_seen_soon() {
    let folder = folder();
    let process = Process::start(serving(command(), &folder));
    let mut client = process.connect();
    assert_eq!(client.get("/old").status, 404);
    assert_eq!(client.get("/page.html").field("x-rule"), None);
    let write = |name: &str, text: &str| fs::write(folder.root().join(name), text).expect("a file");
    write("_redirects", "/old /page.html 301\n");
    soon("rules that came", || client.get("/old").field("location") == Some("/page.html"));
    write("_headers", "/*\n  X-Rule: one\n");
    soon("fields that came", || client.get("/page.html").field("x-rule") == Some("one"));
    write("_redirects", "/old /docs/xx.html 301\n");
    soon("rules that changed", || client.get("/old").field("location") == Some("/docs/xx.html"));
    // Of the same length, and so soon that some file systems stamp it with the same time.
    write("_headers", "/*\n  X-Rule: two\n");
    soon("fields that changed", || client.get("/page.html").field("x-rule") == Some("two"));
    write("next", "/old /docs/yy.html 301\n");
    fs::rename(folder.root().join("next"), folder.root().join("_redirects")).expect("put in its place");
    soon("rules put in their place", || client.get("/old").field("location") == Some("/docs/yy.html"));
    folder.remove("_redirects");
    soon("rules that went", || client.get("/old").status == 404);
    folder.remove("_headers");
    soon("fields that went", || client.get("/page.html").field("x-rule").is_none());
    assert!(!process.stderr().contains(" line "), "nothing to complain about: {}", process.stderr());
}

/// In memory, since it takes luck to be that quick: file systems stamp with a clock of a few milliseconds.
#[test]
fn a_change_too_quick_for_the_time_of_the_file_is_seen_too() {
    let folder = folder();
    let path = folder.root().join("_headers");
    let write = |number: u32| fs::write(&path, format!("/*\n  X-Rule: {number:02}\n")).expect("a file");
    write(0);
    let mut visitor = Visitor::of(folder);
    for number in (1..50).step_by(2) {
        write(number);
        let rule = |visitor: &mut Visitor, tick: u32| {
            visitor.at_real_time(tick).get("/page.html").field("x-rule").map(str::to_owned)
        };
        assert_eq!(rule(&mut visitor, number), Some(format!("{number:02}")));
        write(number + 1);
        assert_eq!(rule(&mut visitor, number + 1), Some(format!("{:02}", number + 1)));
    }
}

#[test]
fn what_is_wrong_is_told_with_its_file_and_line_and_the_rest_holds() {
    let folder = folder()
        .file("_redirects", "# moved\n/old /page.html 301\n/a /b 418\n/old2 /page.html 301\n")
        .file("_headers", "/*\n  A: b\n  Content-Length: 5\n");
    let process = Process::start(serving(command(), &folder));
    let mut client = process.connect();
    for target in ["/old", "/old2"] {
        assert_eq!(client.get(target).field("location"), Some("/page.html"), "{target}");
    }
    let answer = client.get("/page.html");
    assert_eq!((answer.field("a"), answer.field("content-length")), (Some("b"), Some("7")));
    let told = |start: &str| process.stderr().lines().filter(|line| line.contains(start)).count();
    assert_eq!((told("_redirects line 3: "), told("_headers line 3: ")), (1, 1), "{}", process.stderr());
    folder.put("_headers", "/*\n  A: b\n\n  nonsense\n");
    soon("a new complaint", || {
        client.get("/page.html");
        told("_headers line 4: ") == 1
    });
    assert!(told("_redirects line 3: ") <= 2, "{}", process.stderr());
}

#[test]
fn a_complaint_is_not_repeated_as_long_as_nothing_changes() {
    // Just changed, so that it is read again and again; and one that can never be read.
    let folder = folder().symlink("_redirects", "_redirects");
    fs::write(folder.root().join("_headers"), "/*\n  nonsense\n").expect("a file");
    let process = Process::start(serving(command(), &folder));
    let mut client = process.connect();
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(2500) {
        client.get("/page.html");
        std::thread::sleep(Duration::from_millis(100));
    }
    let stderr = process.stderr();
    for complaint in ["_redirects cannot be read: ", "_headers line 2: "] {
        assert_eq!(stderr.matches(complaint).count(), 1, "{stderr}");
    }
}

#[test]
fn strict_starts_with_nothing_to_complain_about_only() {
    let long = format!("/old /page.html 301\n{}", "# a comment of no account\n".repeat(2 * 1024 * 1024 / 26));
    for (name, text, complaint) in [
        ("_redirects", "/a /b\n/c\n", "_redirects line 2: "),
        ("_headers", "/*\n  A: b\n  Date: now\n", "_headers line 3: "),
        ("_redirects", long.as_str(), "the file has more than 1024 KiB"),
    ] {
        let folder = folder().file(name, text);
        let mut strict = serving(command(), &folder);
        strict.arg("--strict");
        let output = process::run(strict);
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()), "{stderr}");
        let last = stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("pws: ") && last.contains(complaint), "{complaint:?} in {stderr}");
        let process = Process::start(serving(command(), &folder));
        assert_eq!(process.connect().get("/page.html").text(), "<p>page");
        assert!(process.stderr().contains(complaint), "{}", process.stderr());
        assert_eq!(
            process.connect().get("/old").status,
            if name == "_redirects" && text == long { 301 } else { 404 }
        );
    }
    let process = serve(folder().file("_redirects", "/old /page.html 301\n"), &["--strict"]);
    assert_eq!(process.connect().get("/old").status, 301);
}

#[test]
fn rules_that_cannot_be_read_are_told_and_none() {
    for target in ["../outside", "_headers", "nowhere"] {
        let folder = folder().file_outside("outside", "/*\n  A: b\n").symlink("_headers", target);
        let process = Process::start(serving(command(), &folder));
        let answer = process.connect().get("/page.html");
        assert_eq!((answer.status, answer.field("a")), (200, None), "{target}");
        let is_told = process.stderr().contains("_headers cannot be read");
        assert_eq!(is_told, target != "nowhere", "{target}: {}", process.stderr());
    }
    // A folder or a FIFO of that name is no file of rules, and holds nobody up.
    let folder = folder().file("_redirects/a", "");
    let mode = rustix::fs::Mode::from_raw_mode(0o644);
    let fifo = folder.root().join("_headers");
    rustix::fs::mknodat(rustix::fs::CWD, fifo, rustix::fs::FileType::Fifo, mode, 0).expect("a FIFO");
    assert_eq!(Process::start(serving(command(), &folder)).connect().get("/page.html").text(), "<p>page");
}

#[test]
fn two_thousand_rules_are_followed() {
    let numbers = 0..2000;
    let redirects: String = numbers.clone().map(|n| format!("/old/{n}/* /new/{n}/:splat 301\n")).collect();
    let headers: String = numbers.clone().map(|n| format!("/new/{n}/*\n  X-Number: {n}\n")).collect();
    let folder = folder().file("_redirects", redirects).file("_headers", headers);
    let process = Process::start(serving(command(), &folder));
    let mut client = process.connect();
    for n in numbers.step_by(37) {
        let answer = client.get(&format!("/old/{n}/a"));
        assert_eq!(answer.field("location"), Some(format!("/new/{n}/a").as_str()));
        let number = n.to_string();
        assert_eq!(client.get(&format!("/new/{n}/a")).field("x-number"), Some(number.as_str()));
    }
    assert!(!process.stderr().contains(" line "), "{}", process.stderr());
}

/// A server in memory that is asked once a turn.
struct Turns(MemoryServer);

impl Turns {
    fn of(folder: &Folder, options: &SiteOptions, limits: Limits) -> Turns {
        Turns(MemoryServer::with(folder, options, limits))
    }

    /// The status, and where to, of what one turn answers.
    fn ask(&mut self, host: &str, target: &str) -> (u16, String) {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let (bytes, _) = self.0.converse(&[request.as_bytes()], usize::MAX);
        let answer = Answer::all(&bytes, &["GET"]).remove(0);
        (answer.status, answer.field("location").unwrap_or_default().to_owned())
    }

    /// The seconds of the server's time that have gone by.
    fn at(&mut self, tick: u32) -> &mut Turns {
        self.0.now = Now::at(tick, NOW_UNIX_SECS + u64::from(tick));
        self
    }
}

/// Far more rules than are parsed in a step; the last of them is another.
fn many_rules(last: &str) -> String {
    (0..5000).map(|n| format!("/old/{n}/* /new/{n}/:splat 301\n")).collect::<String>() + last
}

#[test]
fn many_rules_are_read_in_steps_and_the_old_ones_hold_meanwhile() {
    let folder = folder().file("_redirects", "/last /one 301\n/old/1/a /one 301\n");
    let mut turns = Turns::of(&folder, &SiteOptions::default(), Limits::default());
    let one = (301, "/one".to_owned());
    assert_eq!(turns.ask("a", "/last"), one);
    folder.put("_redirects", many_rules("/last /two 301\n"));
    let mut counts = [0, 0];
    turns.at(1);
    loop {
        let first = turns.ask("a", "/old/1/a");
        if turns.ask("a", "/last") != one {
            break;
        }
        assert_eq!(first, one, "never a part of the new rules");
        counts[0] += 2;
        assert!(counts[0] < 1000, "they never come");
    }
    assert!(counts[0] > 20, "read in {} turns", counts[0]);
    assert_eq!(turns.ask("a", "/last"), (301, "/two".to_owned()));
    assert_eq!(turns.ask("a", "/old/1/a"), (301, "/new/1/a".to_owned()));
    // Of few rules the answer is in the same turn.
    folder.put("_redirects", "/last /three 301\n");
    assert_eq!(turns.at(2).ask("a", "/last"), (301, "/three".to_owned()));
    // A site can be driven without being asked.
    folder.put("_redirects", many_rules("/last /four 301\n"));
    turns.at(3).ask("a", "/last");
    while turns.0.site.tend_tick(&turns.0.now).is_some() {
        turns.0.site.begin_turn(false, &turns.0.now);
        counts[1] += 1;
    }
    assert!(counts[1] > 20, "read in {} steps", counts[1]);
    assert_eq!(turns.ask("a", "/last"), (301, "/four".to_owned()));
}

#[test]
fn a_host_that_comes_with_many_rules_holds_nobody_else_up() {
    let folder = Folder::new().file("default/_redirects", "/last /default 301\n");
    let options = SiteOptions { vhosts: true, ..SiteOptions::default() };
    let mut turns = Turns::of(&folder, &options, Limits::default());
    let folder = folder.file("large.test/_redirects", many_rules("/last /large 301\n"));
    let folder = folder.file("larger.test/_redirects", many_rules("/last /larger 301\n"));
    let _folder = folder.file("small.test/_redirects", "/last /small 301\n");
    turns.at(1);
    let mut waiting = ["large.test", "larger.test"]
        .map(|host| turns.0.visit(format!("GET /last HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()));
    let mut counts = [0, 0];
    for (connection, count) in waiting.iter_mut().zip(&mut counts) {
        while turns.0.run(connection) == Verdict::AwaitDisk {
            for (host, expected) in [("small.test", "/small"), ("other.test", "/default")] {
                assert_eq!(turns.ask(host, "/last"), (301, expected.to_owned()), "{host}");
            }
            *count += 2;
            assert!(*count < 1000, "they never come");
        }
    }
    assert!(counts.iter().all(|count| *count > 20), "read in {counts:?} turns");
    for (connection, expected) in waiting.iter().zip(["/large", "/larger"]) {
        let answer = Answer::all(connection.socket.sent(), &["GET"]).remove(0);
        assert_eq!((answer.status, answer.field("location")), (301, Some(expected)));
    }
}

#[test]
fn rules_take_no_more_memory_than_they_may() {
    let rules: String = (0..600).map(|n| format!("/old/{n}/* /new/{n}/:splat 301\n")).collect();
    let blocks: String = (0..600).map(|n| format!("/old/{n}/*\n  A: b\n")).collect();
    let limits = Limits { rules_bytes_max: 32 * 1024, ..Limits::default() };
    for (name, text) in [("_redirects", &rules), ("_headers", &blocks)] {
        let folder = folder().file(name, text);
        let strict = SiteOptions { strict: true, ..SiteOptions::default() };
        let check = |limits| {
            Site::open(&folder.root(), &strict, limits).and_then(|mut site| site.check(&Now::at(0, 1)))
        };
        let error = check(&limits).err().map(|error| error.to_string()).unwrap_or_default();
        for part in [name, " line ", "take 32 KiB of memory", "write fewer", "--memory"] {
            assert!(error.contains(part), "{error}");
        }
        assert!(check(&Limits::default()).is_ok());
        let mut visitor = Visitor::within(folder, SiteOptions::default(), limits.clone());
        let [first, last] = ["/old/1/a", "/old/599/a"].map(|target| visitor.get(target));
        let is_followed = |answer: &Answer| answer.status == 301 || answer.field("a").is_some();
        assert!(is_followed(&first) && !is_followed(&last), "{name}");
    }
}

/// Who is forgotten is read again when asked for; who is remembered is looked at once a second.
#[test]
fn hosts_that_nobody_asked_for_longest_are_forgotten() {
    let rules = |of: &str| format!("/a /{of} 301\n") + &"/b/* /c/:splat\n".repeat(60);
    let names = ["a.test", "b.test", "c.test"];
    let folder = names
        .iter()
        .fold(Folder::new(), |folder, name| folder.file(format!("{name}/_redirects"), rules("old")));
    let options = SiteOptions { vhosts: true, ..SiteOptions::default() };
    // Room for two of them.
    let limits = Limits { rules_bytes_max: 11_000, ..Limits::default() };
    let mut turns = Turns::of(&folder, &options, limits);
    let old = (301, "/old".to_owned());
    for name in ["a.test", "b.test", "c.test", "b.test"] {
        assert_eq!(turns.ask(name, "/a"), old, "{name}");
    }
    names.iter().for_each(|name| folder.put(&format!("{name}/_redirects"), rules("new")));
    // The first takes the place of c, which was asked for before b.
    for (name, expected) in [("b.test", "/old"), ("a.test", "/new"), ("b.test", "/old"), ("c.test", "/new")] {
        assert_eq!(turns.ask(name, "/a"), (301, expected.to_owned()), "{name}");
    }
}

#[test]
fn that_a_response_would_get_too_much_is_told_once() {
    let blocks: String = (0..600).map(|n| format!("/p*\n  A{n}: b\n")).collect();
    // Just changed, so that it is read again and again.
    let folder = folder();
    fs::write(folder.root().join("_headers"), blocks).expect("a file");
    let process = Process::start(serving(command(), &folder));
    let mut client = process.connect();
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(2200) {
        let answer = client.get("/page.html");
        assert_eq!((answer.field("a511"), answer.field("a512")), (Some("b"), None));
        std::thread::sleep(Duration::from_millis(100));
    }
    let stderr = process.stderr();
    assert_eq!(stderr.matches("_headers sets more for /page.html than 512 lines").count(), 1, "{stderr}");
}
