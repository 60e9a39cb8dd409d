//! The table on pws in memory: every row through every way its bytes can come and go.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pws::http::head::CONTINUE;
use pws_testing::folder::Folder;
use pws_testing::memory::{End, MemoryServer, exchange};

use super::judge::Peer;
use super::received;
use super::row::{Row, request};

/// Rows of more bytes come and go in fewer ways: all would take quadratic time.
const LONG_BYTES: usize = 2000;
const PIECES_OF_LONG: usize = 300;

/// The server in memory, and its validators.
#[track_caller]
pub fn peer(folder: &Folder) -> Peer {
    let (bytes, _) = say(folder, &[request!("GET /numbers.txt")], usize::MAX);
    let answers = received::answers(&bytes, &[false], false).expect("an answer");
    Peer::new(true, &answers[0])
}

/// Sends `pieces`, each once everything before is answered; returns what came back, and whether the connection
/// was closed.
pub fn say(folder: &Folder, pieces: &[&[u8]], write_max: usize) -> (Vec<u8>, bool) {
    let (bytes, end) = MemoryServer::of(folder).converse(pieces, write_max);
    (bytes, end != End::Open)
}

/// What comes back for `row`, which must be the same in every way.
#[track_caller]
pub fn answers_to(row: &Row, folder: &Folder, peer: &Peer) -> Result<(Vec<u8>, bool), String> {
    let [sends, then] = [row.sends, row.then].map(|bytes| peer.fill(bytes).expect("validators"));
    let is_long = sends.len() > LONG_BYTES;
    if row.interim_may_come || row.has_unread_bytes || !then.is_empty() || is_long {
        return in_every_way(row, folder, &sends, &then);
    }
    let result = catch_unwind(AssertUnwindSafe(|| exchange(folder, &sends)));
    result.map(|(bytes, end)| (bytes, end != End::Open)).map_err(|panic| match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(_) => "a panic".to_owned(),
    })
}

/// [`exchange`] for two turns; for answers in which 100 may come or not; for bytes that are never read, since
/// whether the connection then closes at once or lingers depends on when they come; and in larger steps for long
/// rows.
fn in_every_way(row: &Row, folder: &Folder, sends: &[u8], then: &[u8]) -> Result<(Vec<u8>, bool), String> {
    let expected = say(folder, &[sends, then], usize::MAX);
    let check = |pieces: &[&[u8]], write_max, how: &str| {
        let mut got = say(folder, pieces, write_max);
        let mut whole = expected.clone();
        if row.interim_may_come {
            (got.0, whole.0) = (without_interim(&got.0), without_interim(&whole.0));
        }
        let [shown, shown_whole] = [&got.0, &whole.0].map(|bytes| String::from_utf8_lossy(bytes));
        if got == whole { Ok(()) } else { Err(format!("{how}: {shown:?}\nwhole: {shown_whole:?}")) }
    };
    let step = if sends.len() > LONG_BYTES { sends.len() / PIECES_OF_LONG } else { 1 };
    let bytes: Vec<&[u8]> = sends.chunks(step).chain(then.chunks(1)).collect();
    check(&bytes, usize::MAX, &format!("in pieces of {step}"))?;
    check(&[sends, then], 7, "answered in pieces of 7")?;
    for at in (1..sends.len()).step_by(step) {
        check(&[&sends[..at], &sends[at..], then], usize::MAX, &format!("split at {at}"))?;
    }
    for at in 1..then.len() {
        check(&[sends, &then[..at], &then[at..]], usize::MAX, &format!("then split at {at}"))?;
    }
    Ok(expected)
}

fn without_interim(bytes: &[u8]) -> Vec<u8> {
    match bytes.windows(CONTINUE.len()).position(|window| window == CONTINUE) {
        Some(at) => [&bytes[..at], &bytes[at + CONTINUE.len()..]].concat(),
        None => bytes.to_vec(),
    }
}
