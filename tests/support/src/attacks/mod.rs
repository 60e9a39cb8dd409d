//! Attacks on a server, each beside an honest client: the shapes, and what is measured of either side.
//!
//! Tests hold pws to bounds by them, and a benchmark compares it with other servers under the same.

mod crowd;
pub mod honest;
pub mod loads;
pub mod shapes;
pub mod sites;
pub mod watch;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use self::crowd::Crowd;
use self::honest::{Downloads, Waits};
use self::shapes::{Attack, First};
use self::watch::{Held, Server};
use crate::client::Client;

/// Between two looks at the server.
const LOOK: Duration = Duration::from_millis(20);
/// Attackers come first by so much: who asks before they do tells nothing of them.
const HEAD_START: Duration = Duration::from_millis(50);
/// How long a server may take to give back what it held.
pub const GIVING_BACK: Duration = Duration::from_secs(4);
/// Descriptors that a server may open or close for itself meanwhile.
const OWN_DESCRIPTORS: u64 = 4;

/// What was seen of one attack.
#[derive(Clone, Debug)]
pub struct Seen {
    /// How the server answers a request of the attack.
    pub status: Option<u16>,
    pub honest: Waits,
    pub downloads: Downloads,
    /// The server before, the most it held meanwhile, and some time after all had left.
    pub before: Held,
    pub peak: Held,
    pub after: Held,
    /// Connections closed by the server whose last bytes nobody had taken, at the end of the attack.
    pub closing: usize,
    /// How much of the time the server was at work.
    pub processor_share: f64,
    pub attackers: Attackers,
    pub is_alive: bool,
}

/// What the attackers came to.
#[derive(Clone, Copy, Debug)]
pub struct Attackers {
    pub opened: u64,
    pub sent_bytes: u64,
    pub received_bytes: u64,
    /// Connections that the server ended.
    pub cut: u64,
}

/// Whether `server` answers a request of the attack as pws does once it is sure of its files.
///
/// # Errors
///
/// It does not answer.
pub fn is_answered_as_told(attack: &Attack, server: &Server) -> io::Result<bool> {
    Ok(status(attack, &first(attack, server)?, server)? == attack.status)
}

/// Attacks `server` for as long as `lasting`. It serves the attack's site.
///
/// # Errors
///
/// The server does not answer even before.
pub fn run(attack: &Attack, server: &Server, lasting: Duration) -> io::Result<Seen> {
    let first = first(attack, server)?;
    let status = status(attack, &first, server)?;
    let before = server.held();
    let (is_over, is_over_for_downloads) = (AtomicBool::new(false), AtomicBool::new(false));
    let mut peak = before;
    let mut look = || peak = peak.max(server.held());
    let (started, processor_before) = (Instant::now(), server.processor_time());
    let seen = scope(|scope| {
        // These end even if something here panics.
        let ends = [End(&is_over), End(&is_over_for_downloads)];
        let crowd = Crowd::start(attack, &first, server.address)?;
        sleep(HEAD_START);
        let honest = scope.spawn(|| honest::ask(server, &is_over));
        // By then the attackers are in place.
        while started.elapsed() < lasting / 3 {
            look();
            sleep(LOOK);
        }
        let downloads =
            scope.spawn(|| honest::download(server.address, attack.downloads, &is_over_for_downloads));
        while started.elapsed() < lasting {
            look();
            sleep(LOOK);
        }
        is_over_for_downloads.store(true, Ordering::Relaxed);
        let downloads = downloads.join().expect("downloads do not panic");
        let closing = server.closing();
        let share = (server.processor_time() - processor_before).div_duration_f64(started.elapsed());
        drop(ends);
        let honest = honest.join().expect("the honest do not panic");
        let attackers = Attackers::of(&crowd);
        drop(crowd);
        io::Result::Ok((honest, downloads, closing, share, attackers))
    });
    let (honest, downloads, closing, processor_share, attackers) = seen?;
    let left = Instant::now();
    while left.elapsed() < GIVING_BACK && server.held().descriptors > before.descriptors + OWN_DESCRIPTORS {
        sleep(LOOK);
    }
    let (after, is_alive) = (server.held(), server.is_alive());
    Ok(Seen { status, honest, downloads, before, peak, after, closing, processor_share, attackers, is_alive })
}

/// Ends what asks when its scope ends, be it by a panic.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn first(attack: &Attack, server: &Server) -> io::Result<First> {
    let answer = Client::try_connect(server.address)?.try_get(attack.target, "")?;
    let value = |name: &str| answer.values(name).first().map(|value| (*value).to_owned());
    Ok(First { entity_tag: value("etag"), date: value("date") })
}

/// The status of an answer to one request of the attack, if that is a whole one.
fn status(attack: &Attack, first: &First, server: &Server) -> io::Result<Option<u16>> {
    let request = (attack.ask)(first, 0);
    if !request.ends_with("\r\n\r\n") {
        return Ok(None);
    }
    let mut client = Client::try_connect(server.address)?;
    client.try_send(&request)?;
    let method = if request.starts_with("HEAD ") { "HEAD" } else { "GET" };
    Ok(Some(client.try_answer_to(method)?.status))
}

impl Attackers {
    fn of(crowd: &Crowd) -> Attackers {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let tally = &crowd.tally;
        Attackers {
            opened: load(&tally.opened),
            sent_bytes: load(&tally.sent_bytes),
            received_bytes: load(&tally.received_bytes),
            cut: load(&tally.cut),
        }
    }
}
