//! What the server tells at debug level of those it parts with: each client of the simulation has an address
//! of its own, so the lines say why a connection ended, and the model can ask whether that was right.

use std::sync::Mutex;

use log::{LevelFilter, Log, Metadata, Record};
use pws::notices::Notice;

/// Why the server let go of a connection, where that was not the session's own end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Overdue,
    Evicted,
    /// Something was short, and it had most of it.
    Greediest,
    /// A newcomer had its place.
    Stalled,
    TurnedAway,
}

const OVERDUE: &str = "its time is up, ";
const NOTICES: [(Notice, Reason); 5] = [
    (Notice::Evicted, Reason::Evicted),
    (Notice::NoMemory, Reason::Greediest),
    (Notice::Stalled, Reason::Stalled),
    (Notice::TurnedAway, Reason::TurnedAway),
    (Notice::BeyondOwnBound, Reason::TurnedAway),
];

static TOLD: Told = Told(Mutex::new(Vec::new()));

/// Addresses, as numbers, and reasons since they were last taken.
struct Told(Mutex<Vec<(u32, Reason)>>);

impl Log for Told {
    fn enabled(&self, _metadata: &Metadata) -> bool {
        true
    }

    fn log(&self, record: &Record) {
        let line = record.args().to_string();
        let Some((address, text)) = line.split_once(": ") else { return };
        let of_notice = NOTICES.iter().find(|(notice, _)| notice.what() == text).map(|(_, reason)| *reason);
        let reason = if text.starts_with(OVERDUE) { Some(Reason::Overdue) } else { of_notice };
        if let Some(reason) = reason {
            let address: std::net::Ipv4Addr = address.parse().expect("the address of a client");
            self.0.lock().expect("one thread").push((address.to_bits(), reason));
        }
    }

    fn flush(&self) {}
}

/// Listens to the log from now on.
pub fn listen() {
    // A second simulation in this process listens to the same.
    let _ = log::set_logger(&TOLD);
    log::set_max_level(LevelFilter::Debug);
}

/// What was told since the last call. Keeps no memory.
pub fn take() -> Vec<(u32, Reason)> {
    std::mem::take(&mut *TOLD.0.lock().expect("one thread"))
}
