//! All clients at work at once, and the one who changes the files.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Shared;
use super::rng::Rng;
use super::tally::Kind;
use super::{checked, rude};
use crate::support::folder::ONE_KB;
use crate::support::wrk::{self, Ask};
use crate::support::{Result, http};

const CHECKED_THREADS: u64 = 4;
const SLOW_READERS: usize = 100;
const SILENT_CONNECTIONS: usize = 50;
const WRK_CONNECTIONS: usize = 16;
/// Between two changes of a file: longer than the kernel's clock for files takes to tick.
const CHANGE_PERIOD: Duration = Duration::from_millis(25);

/// They end when this is dropped.
pub struct Load {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    wrk: Option<Child>,
}

impl Load {
    /// `secs`: how long the fastest of them goes on; the others until it is over.
    pub fn start(shared: &Arc<Shared>, secs: u64, work: &Path) -> Result<Load> {
        shared.is_over.store(false, Ordering::Relaxed);
        let mut load = Load { shared: Arc::clone(shared), threads: Vec::new(), wrk: None };
        for number in 0..CHECKED_THREADS {
            load.spawn(move |shared| checked::work(shared, number));
        }
        load.spawn(|shared| rude::abort(shared, 100));
        load.spawn(|shared| rude::read_slowly(shared, 101, SLOW_READERS));
        load.spawn(|shared| rude::talk_nonsense(shared, 102));
        load.spawn(|shared| rude::keep_silent(shared, 103, SILENT_CONNECTIONS));
        load.spawn(|shared| change(shared, 104));
        if is_wrk_installed() {
            let ask = Ask::File(ONE_KB);
            let wrk = wrk::Load { ask, connections: WRK_CONNECTIONS, secs, field: None, work };
            load.wrk = Some(wrk.start(shared.address)?);
        } else {
            load.spawn(ask_quickly);
        }
        Ok(load)
    }

    fn spawn(&mut self, work: impl FnOnce(&Shared) + Send + 'static) {
        let shared = Arc::clone(&self.shared);
        self.threads.push(thread::spawn(move || work(&shared)));
    }

    /// Waits until all have left.
    pub fn end(mut self) -> Result<()> {
        if let Some(wrk) = self.wrk.take() {
            let seen = wrk::finish(wrk)?;
            let tally = &self.shared.tally;
            tally.right(Kind::Load, seen.requests as u64, 1024 * seen.requests as u64);
            let wrong = seen.socket_errors + seen.refusals;
            let (errors, refusals) = (seen.socket_errors, seen.refusals);
            tally.wrong(Kind::Load, wrong as u64, format!("{errors} errors of sockets, {refusals} of HTTP"));
        }
        self.leave()
    }

    fn leave(&mut self) -> Result<()> {
        self.shared.is_over.store(true, Ordering::Relaxed);
        let ends: Vec<_> = self.threads.drain(..).map(JoinHandle::join).collect();
        match ends.iter().all(std::thread::Result::is_ok) {
            true => Ok(()),
            false => Err("a client panicked".into()),
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        if let Some(mut wrk) = self.wrk.take() {
            // It may have ended already.
            let _ = wrk.kill();
            let _ = wrk.wait();
        }
        // A thread that panicked has said so.
        let _ = self.leave();
    }
}

fn is_wrk_installed() -> bool {
    Command::new("wrk").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// What stands in for wrk.
fn ask_quickly(shared: &Shared) {
    let file = &shared.files.fixed[0];
    let mut client = None;
    while !shared.is_over() {
        let mut ask = || -> Result<u64> {
            let client = match &mut client {
                Some(client) => client,
                None => client.insert(http::Client::connect(shared.address)?),
            };
            checked::compare(&file.target, &client.get(&file.target, "")?, 200, &file.content)
        };
        match ask() {
            Ok(bytes) => shared.tally.right(Kind::Load, 1, bytes),
            Err(error) => {
                client = None;
                shared.wrong(Kind::Load, &*error);
            }
        }
    }
}

/// Changes one file after the other, and leaves all of them in place.
fn change(shared: &Shared, seed: u64) {
    let mut rng = Rng::new(seed);
    let change = |file: &super::files::Changing| {
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
