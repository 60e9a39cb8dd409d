//! Clients that ask for files which change, and judge what they get.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::Duration;

use pws_testing::answer::Answer;
use pws_testing::client::Client;

use super::changing::LinesOf;
use super::lines::version_of;

/// What may not be in any answer.
pub const OUTSIDE: &str = "OUTSIDE";

/// How many answers of each kind there were.
pub type Tally = BTreeMap<&'static str, usize>;

/// A file that is asked for.
pub struct Wanted {
    pub target: &'static str,
    /// How it is called in its lines.
    pub name: &'static str,
    /// How many lines a version has, if it has them all the time.
    pub lines_of: Option<LinesOf>,
    /// It is cut while it is sent: the kernel sends without a copy, and some of what it cuts off becomes zeros,
    /// on the way too.
    pub may_be_cleared: bool,
    /// What may be answered beside the file.
    pub statuses: &'static [u16],
}

/// Asks over connections that are kept as long as they last.
pub struct Asking {
    address: SocketAddr,
    kept: Option<Client>,
    round: u64,
    pub tally: Tally,
}

impl Asking {
    pub fn at(address: SocketAddr, seed: u64) -> Asking {
        Asking { address, kept: None, round: seed, tally: Tally::new() }
    }

    fn note(&mut self, kind: &'static str) {
        *self.tally.entry(kind).or_default() += 1;
    }

    /// Of three connections one reads slowly, so that most of a large file is still to be sent.
    fn client(&mut self) -> (Client, bool) {
        let is_slow = self.round.is_multiple_of(3);
        let client = match (is_slow, self.kept.take()) {
            (true, _) => Client::connect_with_receive_buffer(self.address, 8 * 1024),
            (false, Some(client)) => client,
            (false, None) => Client::connect(self.address),
        };
        (client, is_slow)
    }

    /// Asks for `wanted`, whole or in part by turns.
    #[track_caller]
    pub fn ask(&mut self, wanted: &Wanted) {
        self.round += 1;
        let (mut client, is_slow) = self.client();
        let start = self.round * 7919 % 5000;
        let range = match self.round % 4 {
            0 => format!("Range: bytes={start}-\r\n"),
            1 => format!("Range: bytes={start}-{}\r\n", start + 3000),
            _ => String::new(),
        };
        client.send(format!("GET {} HTTP/1.1\r\nHost: test\r\n{range}\r\n", wanted.target));
        let head = client.head();
        let (body, is_whole) = body_of(&mut client, &head, is_slow);
        let text = String::from_utf8_lossy(&body[..body.len().min(1000)]).into_owned();
        let target = wanted.target;
        assert!(!text.contains(OUTSIDE), "{target}: bytes from outside: {text:?}");
        match head.status {
            200 => self.judge(wanted, 0, &body, is_whole),
            206 => {
                let content_range = head.field("content-range").expect("a range");
                let offset = content_range.strip_prefix("bytes ").and_then(|rest| rest.split('-').next());
                self.judge(wanted, offset.expect(content_range).parse().expect("a number"), &body, is_whole);
            }
            // Shorter than where the range starts.
            416 if !range.is_empty() => self.note("416"),
            404 if wanted.statuses.contains(&404) => self.note("404"),
            403 if wanted.statuses.contains(&403) => self.note("403"),
            503 => self.note("503"),
            status => panic!("{target}: {status}"),
        }
        self.kept = is_whole.then_some(client);
    }

    #[track_caller]
    fn judge(&mut self, wanted: &Wanted, offset: u64, body: &[u8], is_whole: bool) {
        let version = match version_of(wanted.name, offset, body, wanted.may_be_cleared) {
            Ok(version) => version,
            Err(what) => panic!("{} from {offset} on, whole: {is_whole}: {what}", wanted.target),
        };
        if let (Some(lines_of), Some(version), true, 0) = (wanted.lines_of, version, is_whole, offset) {
            assert_eq!(body.len(), lines_of(version) * super::lines::LINE_BYTES, "{}", wanted.target);
        }
        match (is_whole, offset) {
            (true, _) if body.contains(&0) => self.note("cleared on the way"),
            (false, _) => self.note("cut short"),
            (true, 0) => self.note("whole"),
            (true, _) => self.note("parts"),
        }
    }

    /// Asks for the list of a folder, in which nothing may be named that lies outside.
    #[track_caller]
    pub fn ask_for_list(&mut self, target: &str) {
        self.round += 1;
        let mut client = self.kept.take().unwrap_or_else(|| Client::connect(self.address));
        let answer = client.get(target);
        assert!([200, 403, 404, 503].contains(&answer.status), "{target}: {}", answer.status);
        assert!(!answer.text().contains(OUTSIDE), "{target}: names from outside");
        self.note(if answer.status == 200 { "lists" } else { "no list" });
        self.kept = Some(client);
    }
}

/// What follows `head`, and whether that is all it promises.
#[track_caller]
pub fn body_of(client: &mut Client, head: &Answer, is_slow: bool) -> (Vec<u8>, bool) {
    let len: usize = head.field("content-length").expect("a length").parse().expect("a number");
    let mut body = vec![0; len];
    let (mut filled, mut next_pause) = (0, 0);
    while filled < len {
        let end = if is_slow { len.min(filled + 16 * 1024) } else { len };
        match client.read_some(&mut body[filled..end]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("neither bytes nor an end: {error}"),
        }
        if is_slow && filled >= next_pause {
            sleep(Duration::from_millis(1));
            next_pause = filled + 128 * 1024;
        }
    }
    body.truncate(filled);
    (body, filled == len)
}
