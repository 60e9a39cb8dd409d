//! All clients at work at once, and the one who changes the files.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pws_testing::client::Client;
use pws_testing::rng::Rng;

use super::files::Changing;
use super::tally::Kind;
use super::{Result, Shared, checked, rude};

const CHECKED_THREADS: u64 = 4;
const SLOW_READERS: usize = 100;
const SILENT_CONNECTIONS: usize = 50;
/// Between two changes of a file: longer than the kernel's clock for files takes to tick.
const CHANGE_PERIOD: Duration = Duration::from_millis(25);

/// Has all clients leave, also those of a test that has failed.
struct LeaveOnDrop<'a>(&'a AtomicBool);

impl Drop for LeaveOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Has all clients work for `secs` and leave; calls `look` each second.
pub fn work(shared: &Shared, secs: u64, mut look: impl FnMut(u64)) {
    shared.is_over.store(false, Ordering::Relaxed);
    thread::scope(|scope| {
        for number in 0..CHECKED_THREADS {
            scope.spawn(move || checked::work(shared, number));
        }
        scope.spawn(|| rude::abort(shared, 100));
        scope.spawn(|| rude::read_slowly(shared, 101, SLOW_READERS));
        scope.spawn(|| rude::talk_nonsense(shared, 102));
        scope.spawn(|| rude::keep_silent(shared, 103, SILENT_CONNECTIONS));
        scope.spawn(|| change(shared, 104));
        scope.spawn(|| ask_quickly(shared));
        let _leave = LeaveOnDrop(&shared.is_over);
        let start = Instant::now();
        for second in 1..=secs {
            let due = Duration::from_secs(second);
            thread::sleep(due.saturating_sub(start.elapsed()));
            let late_ms = start.elapsed().saturating_sub(due).as_millis() as u64;
            shared.standstill_ms.fetch_max(late_ms, Ordering::Relaxed);
            look(second);
        }
    });
}

/// Asks for the same small file as fast as it goes.
fn ask_quickly(shared: &Shared) {
    let file = &shared.files.fixed[0];
    let mut client = None;
    while !shared.is_over() {
        let mut ask = || -> Result<u64> {
            let client = match &mut client {
                Some(client) => client,
                None => client.insert(Client::try_connect(shared.address)?),
            };
            checked::compare(&file.target, &client.try_get(&file.target, "")?, 200, &file.content)
        };
        match ask() {
            Ok(bytes) => shared.tally.right(Kind::Quick, 1, bytes),
            Err(error) => {
                client = None;
                shared.wrong(Kind::Quick, &*error);
            }
        }
    }
}

/// Changes one file after the other, and leaves all of them in place.
fn change(shared: &Shared, seed: u64) {
    let mut rng = Rng::new(seed);
    let change = |file: &Changing| {
        if let Err(error) = file.change() {
            shared.wrong(Kind::Changing, error);
        }
    };
    while !shared.is_over() {
        change(rng.pick(&shared.files.changing));
        thread::sleep(CHANGE_PERIOD);
    }
    for file in shared.files.changing.iter().filter(|file| !file.exists_in(file.settled())) {
        change(file);
    }
}
