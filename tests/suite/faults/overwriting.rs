//! Files that are written to in place while they are sent. No server that sends what the disk has can make
//! that whole: a large file leaves without a copy, and what is written to it shows in what is still on its
//! way. What holds is that an answer is cut short rather than ended if the file was overwritten since it was
//! opened, that a small file, which is read at once and looked at again, is nearly always of
//! one version, and that no mix is remembered.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use pws_testing::client::Client;

use super::folder;
use crate::support::binary::serve;

const SMALL: usize = 6000;
const LARGE: usize = 4 << 20;

/// Whole, mixed and cut.
#[track_caller]
fn answers(name: &str, len: usize, for_secs: u64) -> [usize; 3] {
    let folder = folder().file(name, vec![b'0'; len]);
    let path = folder.root().join(name);
    let process = serve(folder, &["--access-log", "off"]);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let file = File::options().write(true).open(&path).expect("the file");
            for version in (b'0'..=b'9').cycle() {
                file.write_all_at(&vec![version; len], 0).expect("space");
                sleep(Duration::from_millis(1));
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let started = Instant::now();
        let mut counts = [0; 3];
        while started.elapsed() < Duration::from_secs(for_secs) {
            let mut client = Client::connect_with_receive_buffer(process.address(), 16 * 1024);
            client.ask(&format!("/{name}"));
            let head = client.head();
            if head.status == 503 {
                client.count_rest(u64::MAX);
                continue;
            }
            assert_eq!(head.status, 200);
            let (body, is_whole) = super::changes::body_of(&mut client, &head, true);
            let is_one = body.iter().all(|byte| *byte == body[0]);
            counts[if !is_whole { 2 } else { usize::from(!is_one) }] += 1;
        }
        is_over.store(true, Ordering::Relaxed);
        writer.join().expect("the last version");
        let now = std::fs::read(&path).expect("the file");
        assert!(process.connect().get(&format!("/{name}")).body == now, "{name} when all is still");
        counts
    })
}

#[test]
fn what_is_overwritten_is_cut_short_and_no_mix_is_remembered() {
    for (name, len) in [("small.txt", SMALL), ("large.txt", LARGE)] {
        let [whole, mixed, cut] = answers(name, len, 1);
        eprintln!("{name} overwritten in place: {whole} answers whole, {mixed} mixed, {cut} cut short");
        // Measured: 5 of 10,000 small ones, no large one.
        assert!(mixed <= 2 + whole / 50, "{mixed} of {whole} answers of {len} bytes");
        assert_eq!(cut > 0, len == LARGE, "{cut} cut short");
    }
}

/// Something that happens to a file.
type Change = fn(&File);

/// What a client gets that has asked for `targets` at once and reads only when `change` has happened: of each
/// answer as much as came, and whether it is whole.
#[track_caller]
fn got(targets: &[&str], fields: &str, change: Change) -> Vec<(Vec<u8>, bool)> {
    let folder = folder().file("large.txt", vec![b'0'; LARGE]);
    let path = folder.root().join("large.txt");
    let process = serve(folder, &["--access-log", "off"]);
    let mut client = Client::connect_with_receive_buffer(process.address(), 16 * 1024);
    let request = |target: &&str| format!("GET {target} HTTP/1.1\r\nHost: test\r\n{fields}\r\n");
    client.send(targets.iter().map(request).collect::<String>());
    let mut head = client.head();
    change(&File::options().write(true).open(path).expect("the file"));
    let mut answers = Vec::new();
    loop {
        answers.push(super::changes::body_of(&mut client, &head, false));
        if answers.len() == targets.len() || !answers.iter().all(|(_, is_whole)| *is_whole) {
            return answers;
        }
        head = client.head();
    }
}

#[track_caller]
fn overwrite(file: &File, len: usize) {
    file.set_len(0).expect("an empty file");
    file.write_all_at(&vec![b'1'; len], 0).expect("space");
}

#[test]
fn what_is_overwritten_while_it_is_sent_is_never_ended() {
    let changes: [(&str, Change); 4] = [
        ("as much", |file| overwrite(file, LARGE)),
        ("more", |file| overwrite(file, LARGE + LARGE / 2)),
        ("less", |file| overwrite(file, LARGE - 1)),
        ("its end", |file| file.write_all_at(&[b'1'; 1000], LARGE as u64 - 1000).expect("space")),
    ];
    let far_apart = "Range: bytes=0-3000000,3500000-4000000\r\n";
    for (what, change) in changes {
        for fields in ["", far_apart, "Range: bytes=10-4000000\r\n"] {
            let answers = got(&["/large.txt"], fields, change);
            assert!(!answers[0].1, "overwritten with {what}: ended, {fields:?}");
        }
        let answers = got(&["/large.txt?1", "/large.txt?2"], "", change);
        assert!(!answers[0].1 && answers.len() == 1, "overwritten with {what}: one behind the other");
    }
}

#[test]
fn what_grows_while_it_is_sent_is_sent_as_it_was() {
    const MORE: usize = 100_000;

    let answers = got(&["/large.txt?1", "/large.txt?2"], "", |file| {
        file.write_all_at(&[b'1'; MORE], LARGE as u64).expect("space");
    });
    // The second is answered when the first has left, and holds what there is by then.
    for ((body, is_whole), len) in answers.iter().zip([LARGE, LARGE + MORE]) {
        assert!(*is_whole && body.len() == len, "{} bytes", body.len());
        assert!(body[..LARGE].iter().all(|byte| *byte == b'0'), "other bytes");
    }
}
