//! Files that change and are asked for at once, while the server rests on watches: no answer is older than its
//! request, but for what no watch sees, and that is seen a second later.
//!
//! A file that has just changed may change again unseen, and is not remembered at all. So the server is told
//! that it is another year, in which every file is old.

mod changing;

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use pws::clock::Now;
use pws::config::SiteOptions;
use pws::files::Files;
use pws::files::file::Stored;
use pws::limits::Limits;
use pws_testing::client::{Client, request};
use pws_testing::folder::Folder;
use pws_testing::memory::NOW_UNIX_SECS;
use pws_testing::process::{Process, serving};
use pws_testing::rng::Rng;
use rustix::process::Signal;

use crate::support::binary::command;
use crate::support::on_end::OnEnd;
use crate::support::tools;
use changing::{Changing, PATHS};

/// In a debug build half a minute each. `PWS_CHANGES` may ask for more.
const CHANGES: usize = 100_000;
const CHANGES_ASKED_FOR: usize = 30_000;

/// The content at `path` by the cache, as whoever asks now is to have it.
fn find(files: &mut Files, path: &str, tick: u32) -> Option<Vec<u8>> {
    let now = Now::at(tick, NOW_UNIX_SECS);
    let found = files.find(path.as_bytes(), &now).ok()??;
    let file = files.with_content(path.as_bytes(), found, &now).ok()?;
    let Stored::Memory(bytes) = file.content() else { panic!("no small file") };
    Some(bytes.to_vec())
}

fn open(folder: &Folder, limits: &Limits) -> Files {
    Files::open(&folder.root(), &SiteOptions::default(), limits).expect("the folder")
}

/// Asks for what does not change meanwhile until it is remembered and watched, if it can be, and then once more:
/// how often that was compared with the disk.
fn comparisons_of_another(files: &mut Files, path: &str, tick: u32) -> u64 {
    let mut before = 0;
    for _ in 0..3 {
        before = files.counts().comparisons;
        files.recheck();
        find(files, path, tick);
    }
    files.counts().comparisons - before
}

fn seed() -> u64 {
    number("PWS_SEED").unwrap_or(1)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

#[test]
fn whatever_changes_on_watched_paths_is_seen_at_once() {
    // Where there is room for few watches, those who are not watched are seen as well.
    for (cache_bytes_max, is_all_watched) in [(16 << 20, true), (256 << 10, false)] {
        let mut changing = Changing::new(seed());
        let limits = Limits { cache_bytes_max, ..Limits::default() };
        let mut files = open(&changing.folder, &limits);
        for change in 0..CHANGES / 2 {
            // So few in a second are told by watches.
            let tick = (change / 200) as u32;
            let what = changing.change();
            for path in [what.path, changing.any_path(), what.path, what.path, what.path] {
                files.recheck();
                let found = find(&mut files, path, tick);
                assert!(found == changing.content(path), "change {change} ({}), /{path}", what.kind);
            }
        }
        let (asked, compared) = (5 * CHANGES as u64 / 2, files.counts().comparisons);
        println!("asked for {asked} files, compared {compared}");
        assert!(!is_all_watched || compared < asked * 3 / 4, "watches vouch for little");
    }
}

#[test]
fn what_nothing_happens_to_is_compared_once_a_second() {
    let folder = Folder::new().file("a/b/page.html", "page");
    let mut files = open(&folder, &Limits::default());
    for path in ["a/b/page.html", "a/b/nothing", "nowhere/at/all"] {
        find(&mut files, path, 0);
        assert_eq!(comparisons_of_another(&mut files, path, 0), 0, "{path}");
        let before = files.counts().comparisons;
        for tick in [1, 1, 1, 2, 2] {
            files.recheck();
            find(&mut files, path, tick);
        }
        assert_eq!(files.counts().comparisons - before, 2, "{path}");
    }
}

#[test]
fn where_watches_do_not_see_the_disk_is_asked() {
    let folder = Folder::new().file("a/linked.txt", "linked").file("plain.txt", "plain");
    let folder = folder.symlink("link.txt", "plain.txt").symlink("folder", "a");
    fs::hard_link(folder.path("a/linked.txt"), folder.path("a/other.txt")).expect("another name");
    let mut files = open(&folder, &Limits::default());
    for path in ["a/linked.txt", "link.txt", "folder/other.txt"] {
        assert!(find(&mut files, path, 0).is_some(), "{path}");
        assert_eq!(comparisons_of_another(&mut files, path, 0), 1, "{path}");
    }
    fs::write(folder.path("a/other.txt"), "by its other name").expect("written");
    files.recheck();
    assert_eq!(find(&mut files, "a/linked.txt", 0).as_deref(), Some(&b"by its other name"[..]));
    // What the kernel makes itself is not told of.
    let proc = Files::open("/proc/self".as_ref(), &SiteOptions::default(), &Limits::default());
    let mut proc = proc.expect("the folder");
    assert!(find(&mut proc, "nothing.txt", 0).is_none());
    assert_eq!(comparisons_of_another(&mut proc, "nothing.txt", 0), 1);
}

#[test]
fn what_no_watch_sees_is_seen_a_second_later() {
    let folder = Folder::new().file("page.html", "old");
    let mut files = open(&folder, &Limits::default());
    find(&mut files, "page.html", 0);
    assert_eq!(comparisons_of_another(&mut files, "page.html", 0), 0);
    // In a folder that is not watched.
    fs::hard_link(folder.path("page.html"), folder.outside().join("other")).expect("another name");
    fs::write(folder.outside().join("other"), "new content").expect("written");
    files.recheck();
    let found = find(&mut files, "page.html", 1);
    assert_eq!(found.as_deref(), Some(&b"new content"[..]), "in the next second");
    assert_eq!(comparisons_of_another(&mut files, "page.html", 1), 1, "it has two names now");
}

/// As by a shell that stands in it: then it is not told that it is gone.
#[test]
fn a_folder_that_is_made_anew_while_the_old_one_is_held_is_watched_anew() {
    let folder = Folder::new().file("a/b/page.html", "page");
    let mut files = open(&folder, &Limits::default());
    find(&mut files, "a/b/page.html", 0);
    assert_eq!(comparisons_of_another(&mut files, "a/b/page.html", 0), 0);
    let _held = fs::File::open(folder.path("a/b")).expect("the folder");
    fs::remove_dir_all(folder.path("a/b")).expect("removed");
    folder.put("a/b/page.html", "another page");
    for content in ["a page", "yet another page"] {
        files.recheck();
        find(&mut files, "a/b/page.html", 0);
        assert_eq!(comparisons_of_another(&mut files, "a/b/page.html", 0), 0);
        fs::write(folder.path("a/b/page.html"), content).expect("written");
        files.recheck();
        assert_eq!(find(&mut files, "a/b/page.html", 0).as_deref(), Some(content.as_bytes()));
    }
}

#[test]
fn too_much_changes_for_watches_and_it_is_asked_again() {
    let folder = Folder::new().file("page.html", "page").file("log", "");
    let mut files = open(&folder, &Limits::default());
    find(&mut files, "page.html", 0);
    assert_eq!(comparisons_of_another(&mut files, "page.html", 0), 0);
    for index in 0..2000 {
        // Two that are alike would be told as one.
        fs::rename(folder.path("log"), folder.path("log.1")).expect("renamed");
        fs::rename(folder.path("log.1"), folder.path("log")).expect("renamed");
        if index % 100 == 0 {
            files.recheck();
            find(&mut files, "page.html", 0);
        }
    }
    assert_eq!(comparisons_of_another(&mut files, "page.html", 0), 1);
    assert_eq!(comparisons_of_another(&mut files, "page.html", 5), 1);
    comparisons_of_another(&mut files, "page.html", 60);
    assert_eq!(
        comparisons_of_another(&mut files, "page.html", 60),
        0,
        "once it is quiet, it is watched again"
    );
}

#[test]
fn what_changes_and_is_not_asked_for_is_not_watched() {
    let folder = Folder::new().file("page.html", "page");
    let mut files = open(&folder, &Limits::default());
    find(&mut files, "page.html", 0);
    for from in [0, 100] {
        comparisons_of_another(&mut files, "page.html", from);
        assert_eq!(files.held().watches, 1);
        for tick in from..from + 4 {
            folder.put("log", format!("{tick}"));
            files.begin_turn(true, &Now::at(tick, NOW_UNIX_SECS));
        }
        assert_eq!(files.held().watches, 0, "nobody asks, and much changes");
    }
}

#[test]
fn watches_are_few_are_counted_and_go() {
    let mut folder = Folder::new();
    for index in 0..40 {
        folder = folder.file(format!("{index}/page.html"), "page");
    }
    let limits = Limits { cache_bytes_max: 1 << 20, ..Limits::default() };
    let mut files = open(&folder, &limits);
    let empty_bytes = files.held().bytes;
    for _ in 0..2 {
        files.recheck();
        (0..40).for_each(|index| assert!(find(&mut files, &format!("{index}/page.html"), 0).is_some()));
    }
    let watches = files.held().watches;
    assert_eq!(watches, 16, "one for 64 KiB that may be remembered");
    assert!(files.held().bytes >= empty_bytes + 1024 * watches);
    (0..40).for_each(|index| fs::remove_dir_all(folder.path(format!("{index}"))).expect("removed"));
    files.recheck();
    (0..40).for_each(|index| assert!(find(&mut files, &format!("{index}/page.html"), 1).is_none()));
    files.begin_turn(true, &Now::at(2, NOW_UNIX_SECS));
    assert!(files.held().watches <= 1, "{} watches of folders that are gone", files.held().watches);
}

/// Over open connections, while others ask on.
#[test]
fn no_answer_rests_on_a_watch_that_has_not_been_heard() {
    if !tools::has("faketime") {
        return;
    }
    let mut changing = Changing::new(seed());
    let mut command = serving(command(), &changing.folder);
    command.args(["--access-log", "off"]);
    command.env("FAKETIME", "+400d");
    let process = Process::start(tools::with_another_clock(command));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _on_end = OnEnd(&is_over);
        for path in [PATHS[0], PATHS[1]] {
            let mut client = process.connect();
            let is_over = &is_over;
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    client.get(&format!("/{path}"));
                }
            });
        }
        let mut clients: Vec<Client> = (0..3).map(|_| process.connect()).collect();
        let mut rng = Rng::new(seed());
        for change in 0..number("PWS_CHANGES").map_or(CHANGES_ASKED_FOR, |count| count as usize) {
            let what = changing.change();
            let (client, target) = (rng.below(3), format!("/{}", what.path));
            let count = rng.up_to(2);
            clients[client].send(request("GET", &target, "").repeat(count));
            for _ in 0..count {
                let answer = clients[client].answer();
                let found = (answer.status == 200).then_some(answer.body);
                assert!(found == changing.content(what.path), "change {change} ({}), {target}", what.kind);
            }
            if change % 5000 == 0 {
                overflow(&process, &mut changing, &mut clients[0]);
            }
        }
    });
}

/// More happens than the kernel keeps for who is not listening.
fn overflow(process: &Process, changing: &mut Changing, client: &mut Client) {
    for _ in 0..2 {
        assert_eq!(client.get("/kept.txt").status, 200);
    }
    process.signal(Signal::STOP);
    for _ in 0..10_000 {
        changing.rename_aside();
    }
    fs::write(changing.folder.path("kept.txt"), "written behind all that").expect("written");
    process.signal(Signal::CONT);
    assert_eq!(client.get("/kept.txt").text(), "written behind all that");
    fs::write(changing.folder.path("kept.txt"), "kept").expect("written");
    assert_eq!(client.get("/kept.txt").text(), "kept");
}
