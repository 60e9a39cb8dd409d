//! Downloads that are broken off, each behind another number of bytes.

use std::time::Duration;

use pws_testing::client::Client;
use pws_testing::folder::noise;
use pws_testing::vitals::{assert_memory_is_back, assert_nothing_leaks, settled};

use super::honest::asking_during;
use super::{KEPT_FILES, alone, folder};
use crate::support::binary::serve;

const THREADS: u64 = 4;
const RESETS: u64 = 150;
/// Measured: 14 ms.
const P99_MAX: Duration = Duration::from_millis(250);

#[test]
fn downloads_that_are_reset_cost_others_nothing() {
    const LARGE: usize = 16 << 20;

    let _alone = alone();
    let content = noise(LARGE);
    let process = serve(folder().file("honest.bin", &content), &["--access-log", "off"]);
    let address = process.address();
    let reset_behind = |bytes| {
        let mut client = Client::connect(address);
        client.ask("/large.bin");
        assert_eq!(client.head().status, 200);
        assert_eq!(client.count_rest(bytes), bytes);
        client.reset();
    };
    // What is kept of a file, if anything, is kept from the first request on.
    reset_behind(0);
    assert_eq!(process.connect().get("/honest.bin").status, 200);
    let (files, memory_kib) = (settled(|| process.open_files()), process.memory_kib());
    let (latencies, downloads) = asking_during(address, || {
        std::thread::scope(|scope| {
            let resetting: Vec<_> = (0..THREADS)
                .map(|thread| {
                    scope.spawn(move || {
                        // From none to a few megabytes.
                        (0..RESETS)
                            .for_each(|round| reset_behind((round * THREADS + thread) * 7919 % (4 << 20)));
                    })
                })
                .collect();
            let mut downloads = 0;
            while downloads == 0 || !resetting.iter().all(|thread| thread.is_finished()) {
                assert!(Client::connect(address).get("/honest.bin").body == content, "an honest download");
                downloads += 1;
            }
            downloads
        })
    });
    let count = THREADS * RESETS;
    eprintln!("{count} resets amid downloads; {downloads} honest downloads whole; the others: {latencies}");
    assert!(latencies.p99() <= P99_MAX, "{latencies}");
    assert_nothing_leaks(&process, files + KEPT_FILES + 1);
    assert_memory_is_back(&process, memory_kib);
}
