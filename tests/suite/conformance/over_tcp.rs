//! The table on any server, over TCP.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::judge::{Peer, judge};
use super::received;
use super::row::{Row, request};

/// Nothing for so long: the server waits for more.
const QUIET: Duration = Duration::from_millis(300);

/// What came of a row.
pub enum Verdict {
    Passed,
    Failed(Vec<String>),
    /// It makes no sense here.
    Skipped,
}

/// The server at `address`, held to what the RFCs leave no choice about.
#[track_caller]
pub fn peer(address: &str) -> Peer {
    let (bytes, is_closed) = say(address, &[request!("GET /numbers.txt")]);
    let answers = received::answers(&bytes, &[false], is_closed).expect("an answer");
    assert_eq!(answers[0].status, 200, "the server does not serve the table's folder");
    Peer::new(false, &answers[0])
}

pub fn try_row(row: &Row, address: &str, peer: &Peer) -> Verdict {
    let (Some(sends), Some(then), false) = (peer.fill(row.sends), peer.fill(row.then), row.is_in_memory_only)
    else {
        return Verdict::Skipped;
    };
    let pieces = if then.is_empty() { vec![&sends[..]] } else { vec![&sends[..], &then[..]] };
    let (bytes, is_closed) = say(address, &pieces);
    let complaints = judge(row, peer, &bytes, is_closed);
    if complaints.is_empty() { Verdict::Passed } else { Verdict::Failed(complaints) }
}

/// Sends `pieces`, each once nothing more comes for those before; returns what came back, and whether the
/// connection was closed.
#[track_caller]
fn say(address: &str, pieces: &[&[u8]]) -> (Vec<u8>, bool) {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(QUIET)).expect("a timeout");
    let mut bytes = Vec::new();
    for piece in pieces {
        // A server that has had enough may close before it has received all: what it said counts.
        let _ = stream.write_all(piece);
        let mut buffer = [0; 65536];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return (bytes, true),
                Ok(count) => bytes.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                // A reset.
                Err(_) => return (bytes, true),
            }
        }
    }
    (bytes, false)
}
