//! A server in memory: the real pump, session, site and outbox, on sockets that are made up.
//!
//! [`MemoryServer::exchange`] is what every wire rule is tested through: it hands a case over whole, byte by byte
//! and split at every place, takes the answer whole and in pieces, and expects the same bytes each time.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;

use pws::access_log::AccessLog;
pub use pws::client::buffers::Buffers;
pub use pws::client::connection::Connection;
use pws::client::context::{Context, Older};
use pws::client::slice::Slice;
pub use pws::client::verdict::Verdict;
use pws::clock::Now;
use pws::config::SiteOptions;
use pws::ledger::Ledger;
use pws::limits::Limits;
use pws::metrics::Metrics;
use pws::net::peer::Peer;
pub use pws::net::socket::{Edge, Readiness, Socket};
use pws::notices::Notices;
use pws::responder::{Door, Responder};
use pws::site::Site;
use pws::timeline::Timeline;

use super::folder::Folder;

/// A time after that of every file in a [`Folder`].
pub const NOW_UNIX_SECS: u64 = 1_000_000_000;

/// What the other side of the socket does.
pub struct MemorySocket {
    /// Pieces still to arrive, one for each readable edge.
    coming: VecDeque<Vec<u8>>,
    arrived: Vec<u8>,
    /// Bytes taken by one write, after which one blocks.
    write_max: usize,
    blocks_next: bool,
    sent: Vec<u8>,
    is_write_shut: bool,
}

impl MemorySocket {
    fn new(arrived: Vec<u8>, coming: VecDeque<Vec<u8>>, write_max: usize) -> MemorySocket {
        MemorySocket {
            coming,
            arrived,
            write_max,
            blocks_next: false,
            sent: Vec::new(),
            is_write_shut: false,
        }
    }

    /// What the other side has received.
    pub fn sent(&self) -> &[u8] {
        &self.sent
    }

    fn take(&mut self, count: usize) -> io::Result<usize> {
        self.blocks_next = !self.blocks_next && self.write_max < usize::MAX;
        if self.write_max < usize::MAX && !self.blocks_next {
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(count.min(self.write_max))
    }
}

impl Socket for MemorySocket {
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.arrived.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = self.arrived.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.arrived[..count]);
        self.arrived.drain(..count);
        Ok(count)
    }

    fn send(&mut self, slices: &[IoSlice<'_>], _more: bool) -> io::Result<usize> {
        let bytes = gathered(slices);
        let count = self.take(bytes.len())?;
        self.sent.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn send_file(&mut self, file: BorrowedFd<'_>, offset: u64, count: usize) -> io::Result<usize> {
        let count = self.take(count)?;
        let mut piece = vec![0; count.min(1 << 20)];
        let count = read_file(file, &mut piece, offset)?;
        self.sent.extend_from_slice(&piece[..count]);
        Ok(count)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.is_write_shut = true;
        Ok(())
    }
}

/// All that a socket in memory is to send at once.
pub fn gathered(slices: &[IoSlice<'_>]) -> Vec<u8> {
    slices.iter().flat_map(|slice| slice.iter().copied()).collect()
}

/// Reads what a socket in memory is to send of a file.
pub fn read_file(file: BorrowedFd<'_>, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    File::from(file.try_clone_to_owned()?).read_at(buffer, offset)
}

/// What became of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Open, and waiting for more.
    Open,
    /// Writing was shut, and the rest of the input is thrown away.
    Lingering,
    Closed,
}

/// All that the loop lends a connection.
pub struct MemoryServer {
    pub site: Site,
    pub limits: Limits,
    pub now: Now,
    access_log: AccessLog,
    ledger: Ledger,
    notices: Notices,
    metrics: Metrics,
    timeline: Timeline,
    pub buffers: Buffers,
    pub is_draining: bool,
    /// What a connection may take of a turn. Here no time passes: 0 is too little for more than what is
    /// everybody's, 1 enough for all.
    pub slice_nanos: u64,
}

impl MemoryServer {
    /// Serves `folder` as it is, without any option.
    #[track_caller]
    pub fn of(folder: &Folder) -> MemoryServer {
        MemoryServer::with(folder, &SiteOptions::default(), Limits::default())
    }

    #[track_caller]
    pub fn with(folder: &Folder, options: &SiteOptions, limits: Limits) -> MemoryServer {
        let (buffers, now) = (Buffers::new(&limits), Now::at(0, NOW_UNIX_SECS));
        let mut site = Site::open(&folder.root(), options, &limits).expect("the folder");
        site.check(&now).expect("rules to follow");
        MemoryServer {
            site,
            ledger: Ledger::new(&limits),
            notices: Notices::default(),
            metrics: Metrics::default(),
            timeline: Timeline::off(),
            limits,
            now,
            access_log: AccessLog::off(),
            buffers,
            is_draining: false,
            slice_nanos: 1,
        }
    }

    /// A connection to run.
    pub fn connect<S: Socket>(&self, socket: S) -> Connection<S> {
        Connection::new(socket, (Peer::Ip([192, 0, 2, 1].into()), Door::Public), &self.now, &self.limits)
    }

    /// Logs to `file` from now on, which has its lines once the log is flushed.
    #[track_caller]
    pub fn log_to(&mut self, file: &File) {
        self.access_log = AccessLog::to(file.as_fd()).expect("a log");
    }

    pub fn flush_log(&mut self) {
        self.access_log.flush();
    }

    /// Begins another turn: every file is looked at anew, and the site does what it does once a turn.
    pub fn next_turn(&mut self) {
        self.site.begin_turn(true, &self.now);
    }

    /// A connection on which `bytes` have arrived, and which takes all it is sent.
    pub fn visit(&self, bytes: &[u8]) -> Connection<MemorySocket> {
        self.connect(MemorySocket::new(bytes.to_vec(), VecDeque::new(), usize::MAX))
    }

    /// What a connection is lent while it runs. What has been looked at on the disk is still taken for
    /// granted.
    pub fn context(&mut self) -> (Context<'_>, &mut Buffers) {
        let context = Context {
            now: &self.now,
            limits: &self.limits,
            responder: &mut self.site,
            access_log: &mut self.access_log,
            key: 0,
            peer: Peer::Local,
            door: Door::Public,
            older: Older::All,
            slice: Slice::new(&|| 0, self.slice_nanos, self.limits.run_bytes_max),
            ledger: &mut self.ledger,
            notices: &mut self.notices,
            metrics: &mut self.metrics,
            timeline: &mut self.timeline,
            is_draining: self.is_draining,
        };
        (context, &mut self.buffers)
    }

    /// Lets `connection` go on as far as it gets.
    pub fn run<S: Socket>(&mut self, connection: &mut Connection<S>) -> Verdict {
        let (mut context, buffers) = self.context();
        connection.run(buffers, &mut context)
    }

    /// Sends `pieces` on a new connection, one a time, in a turn of its own; returns what came back and how
    /// it ended.
    #[track_caller]
    pub fn converse(&mut self, pieces: &[&[u8]], write_max: usize) -> (Vec<u8>, End) {
        self.next_turn();
        let coming = pieces.iter().map(|piece| piece.to_vec()).collect();
        let mut connection = self.connect(MemorySocket::new(Vec::new(), coming, write_max));
        for _ in 0..10_000_000 {
            match self.run(&mut connection) {
                Verdict::Close => return (connection.socket.sent, End::Closed),
                Verdict::Yield => {}
                Verdict::AwaitDisk => self.next_turn(),
                Verdict::Park(Edge::Writable) => {
                    connection.mark(Readiness { writable: true, ..Readiness::default() });
                }
                Verdict::Park(Edge::Readable) => {
                    let Some(piece) = connection.socket.coming.pop_front() else {
                        let end = if connection.socket.is_write_shut { End::Lingering } else { End::Open };
                        return (connection.socket.sent, end);
                    };
                    connection.socket.arrived.extend_from_slice(&piece);
                    connection.mark(Readiness { readable: true, ..Readiness::default() });
                }
            }
        }
        panic!("the connection never comes to rest: {}", told(&pieces.concat()));
    }

    /// The answer to `input` on a new connection, which must be the same however the bytes come and go.
    #[track_caller]
    pub fn exchange(&mut self, input: &[u8]) -> (Vec<u8>, End) {
        let expected = self.converse(&[input], usize::MAX);
        let bytes: Vec<&[u8]> = input.chunks(1).collect();
        self.check_again(&bytes, usize::MAX, &expected, "byte by byte");
        self.check_again(&[input], 7, &expected, "answered in pieces of 7");
        self.check_again(&bytes, 1024, &expected, "byte by byte, answered in pieces of 1024");
        // A long case is split at some places only: all of them would take quadratic time.
        let stride = input.len() / 2048 + 1;
        for at in (1..input.len()).step_by(stride) {
            let (front, back) = input.split_at(at);
            self.check_again(&[front, back], usize::MAX, &expected, &format!("split at {at}"));
        }
        expected
    }

    #[track_caller]
    fn check_again(&mut self, pieces: &[&[u8]], write_max: usize, expected: &(Vec<u8>, End), how: &str) {
        let (sent, end) = self.converse(pieces, write_max);
        let (whole, whole_end) = expected;
        if (&sent, end) != (whole, *whole_end) {
            let input = told(&pieces.concat());
            let [sent, whole] = [&sent, whole].map(|bytes| String::from_utf8_lossy(bytes));
            panic!("{input} {how}: {end:?} behind {sent:?}\nwhole: {whole_end:?} behind {whole:?}");
        }
    }
}

/// So much of `input` that it is known again.
fn told(input: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(&input[..input.len().min(200)]))
}

/// The answer to `input` on a new connection to a site without any option.
#[track_caller]
pub fn exchange(folder: &Folder, input: &[u8]) -> (Vec<u8>, End) {
    MemoryServer::of(folder).exchange(input)
}

/// [`exchange`] with other limits.
#[track_caller]
pub fn exchange_within(folder: &Folder, limits: &Limits, input: &[u8]) -> (Vec<u8>, End) {
    MemoryServer::with(folder, &SiteOptions::default(), limits.clone()).exchange(input)
}
