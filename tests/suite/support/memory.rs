//! A connection in memory: the real pump, session, site and outbox on a socket that is a pair of buffers.
//!
//! [`exchange`] is what every wire rule is tested through: it hands a case over whole, byte by byte and split
//! at every place, takes the answer whole and in pieces, and expects the same bytes each time.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt;

use pws::access_log::AccessLog;
use pws::client::connection::{Buffers, Connection, Verdict};
use pws::client::session::Context;
use pws::clock::Now;
use pws::config::SiteOptions;
use pws::limits::Limits;
use pws::net::peer::Peer;
use pws::net::socket::{Edge, Readiness, Socket};
use pws::site::Site;

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
    pub sent: Vec<u8>,
    pub is_write_shut: bool,
}

impl MemorySocket {
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
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        let count = self.take(bytes.len())?;
        self.sent.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn send_file(&mut self, file: BorrowedFd<'_>, offset: u64, count: usize) -> io::Result<usize> {
        let count = self.take(count)?;
        let mut piece = vec![0; count.min(1 << 20)];
        let count = File::from(file.try_clone_to_owned()?).read_at(&mut piece, offset)?;
        self.sent.extend_from_slice(&piece[..count]);
        Ok(count)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.is_write_shut = true;
        Ok(())
    }
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

/// Sends `pieces` to a new connection on `site`, one a time; returns what came back and how it ended.
pub fn converse(site: &mut Site, limits: &Limits, pieces: &[&[u8]], write_max: usize) -> (Vec<u8>, End) {
    converse_at(&Now::at(0, NOW_UNIX_SECS), site, limits, pieces, write_max)
}

/// [`converse`] at another time.
pub fn converse_at(
    now: &Now,
    site: &mut Site,
    limits: &Limits,
    pieces: &[&[u8]],
    write_max: usize,
) -> (Vec<u8>, End) {
    let mut buffers = Buffers::new(limits);
    let mut access_log = AccessLog::off();
    let socket = MemorySocket {
        coming: pieces.iter().map(|piece| piece.to_vec()).collect(),
        arrived: Vec::new(),
        write_max,
        blocks_next: false,
        sent: Vec::new(),
        is_write_shut: false,
    };
    let mut connection = Connection::new(socket, Peer::Local, now, limits);
    for _ in 0..10_000_000 {
        let mut context = Context {
            now,
            limits,
            responder: site,
            access_log: &mut access_log,
            key: 0,
            run_bytes_max: limits.run_bytes_max,
            is_draining: false,
        };
        match connection.run(&mut buffers, &mut context) {
            Verdict::Close => return (connection.socket.sent, End::Closed),
            Verdict::Yield | Verdict::AwaitDisk => {}
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
    panic!("the connection never comes to rest");
}

/// The answer to `input` on a new connection, which must be the same however the bytes come and go.
pub fn exchange(folder: &Folder, input: &[u8]) -> (Vec<u8>, End) {
    exchange_within(folder, &Limits::default(), input)
}

/// [`exchange`] with other limits.
pub fn exchange_within(folder: &Folder, limits: &Limits, input: &[u8]) -> (Vec<u8>, End) {
    exchange_with(folder, &SiteOptions::default(), limits, input)
}

/// [`exchange_within`] with a site set up by `options`.
pub fn exchange_with(
    folder: &Folder,
    options: &SiteOptions,
    limits: &Limits,
    input: &[u8],
) -> (Vec<u8>, End) {
    let mut site = Site::open(&folder.root(), options, limits).expect("the folder");
    let expected = converse(&mut site, limits, &[input], usize::MAX);
    let mut check = |pieces: &[&[u8]], write_max: usize, how: &str| {
        let (sent, end) = converse(&mut site, limits, pieces, write_max);
        assert_eq!(end, expected.1, "the end, {how}");
        assert!(
            sent == expected.0,
            "{how}: {:?}\nwhole: {:?}",
            String::from_utf8_lossy(&sent),
            String::from_utf8_lossy(&expected.0)
        );
    };
    let bytes: Vec<&[u8]> = input.chunks(1).collect();
    check(&bytes, usize::MAX, "byte by byte");
    check(&[input], 7, "answered in pieces of 7");
    check(&bytes, 1024, "byte by byte, answered in pieces of 1024");
    // A long case is split at some places only: all of them would take quadratic time.
    let stride = input.len() / 2048 + 1;
    for at in (1..input.len()).step_by(stride) {
        let (front, back) = input.split_at(at);
        check(&[front, back], usize::MAX, &format!("split at {at}"));
    }
    expected
}
