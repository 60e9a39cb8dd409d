//! Files that are written to in place while they are sent. No server that sends what the disk has can make
//! that whole: a large file leaves without a copy, and what is written to it shows in what is still on its
//! way. What holds is that an answer that took a while is cut short rather than ended if the file was
//! overwritten meanwhile, that a small file, which is read at once and looked at again, is nearly always of
//! one version, and that no mix is remembered.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::folder;
use crate::support::client::Client;
use crate::support::process::Process;

const SMALL: usize = 6000;
const LARGE: usize = 4 << 20;

/// Whole, mixed and cut.
fn answers(name: &str, len: usize, for_secs: u64) -> [usize; 3] {
    let folder = folder().file(name, vec![b'0'; len]);
    let path = folder.root().join(name);
    let process = Process::serve(folder, &["--access-log", "off"]);
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
