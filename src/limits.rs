//! The bounds that a server may be given, in one place, each with its unit and its reason.

use std::io;

/// What one client may take, in bytes, counts and seconds.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Request line and fields together. 16 KiB fits any browser's cookies; nginx and h2o are in the same
    /// range. The loop's read buffer is twice this, so that a pipeline fits behind a head.
    pub head_bytes_max: u16,
    /// The request target alone. RFC 9110 §4.1 asks for at least 8,000.
    pub target_bytes_max: usize,
    /// A request body is skipped up to here, framing included, so that the connection stays of use; before a
    /// longer one the connection is closed.
    pub body_bytes_max: u32,
    /// Responses are queued in memory up to here before they are sent; then the rest of a pipeline waits.
    pub outbox_bytes_max: usize,
    /// Responses in one outbox. Each may hold a descriptor.
    pub pipeline_max: usize,
    /// Bytes that one connection may read or write in one turn of the loop. Large enough that the cost of a
    /// turn vanishes and that most files leave in one piece, small enough (a fraction of a millisecond) that
    /// a download holds nobody up. Measured, files of 1 MiB: 0.82 of the time that they take in pieces of
    /// 512 KiB.
    pub run_bytes_max: usize,
    /// What the connections that run in one turn share. Many get less than `run_bytes_max` each, so that a
    /// turn lasts milliseconds however many there are.
    pub turn_bytes_max: usize,
    /// Descriptors that may be open, as the system grants them; a [`Server`](crate::Server) asks when it is
    /// bound. The usual limit is what is kept for programs that use `select`.
    pub open_files_max: u64,
    /// Connections at once; `None` is as many as there are descriptors for.
    pub connections_max: Option<usize>,
    /// Of one client: an IPv4 address, or the half of an IPv6 address that tells networks apart.
    pub connections_per_client_max: Option<usize>,
    /// Connections accepted in one turn, so that a flood does not starve those already here.
    pub accepts_per_turn_max: usize,
    /// Of those, let in without being run, where there is no time for it: the kernel holds what they have
    /// sent until the next turn. Others stay in the backlog.
    pub unrun_per_turn_max: usize,
    /// Files up to this size are loaded and leave in one call with their head; larger ones stay on the disk
    /// and are sent by sendfile, which takes two calls more and copies less. Measured, one CPU, 64
    /// connections: of sendfile's time, what is loaded takes 0.86 at 10 KiB, 0.87 at 16, 0.88 at 24 and 1.04
    /// at 32. Of files larger than this the cache holds more as descriptors than it would as content.
    pub loaded_file_bytes_max: u64,
    /// What is remembered of files, their content included.
    pub cache_bytes_max: usize,
    /// Open descriptors kept for files that are too large to be loaded; at most an eighth of those allowed.
    pub cached_descriptors_max: usize,
    /// Memory that the rules of one file, `_redirects` or `_headers`, may take; all that are remembered take
    /// twice that at most, and while a file is read anew there is as much again. A file has a megabyte at
    /// most, and its rules are a few times as large as its text.
    pub rules_bytes_max: usize,
    /// What all connections together may keep in memory of unread requests and unsent responses. Beyond
    /// that, the greediest is cut.
    pub kept_bytes_max: usize,
    /// What the kernel may hold for all connections together, as far as that can be told. Beyond that, those
    /// idle longest are closed, then the greediest.
    pub kernel_bytes_max: usize,
    /// What the kernel takes of a connection's responses before the client has room for it
    /// (TCP_NOTSENT_LOWAT). It asks for more when half of that is gone: so coarse are the steps in which a
    /// slow client's progress is seen. Smaller costs a wakeup for each piece.
    pub unsent_bytes_max: u32,
    /// What is handed to the kernel by one call, bytes, where it is asked before each whether it has room:
    /// else it may take 64 KiB of which nothing can leave. `None`: all there is, unasked.
    pub call_bytes_max: Option<usize>,
    /// The kernel's buffer for what a connection sends, bytes; `None` leaves it to the kernel, which gives
    /// each as much as makes it fast: megabytes.
    pub send_buffer_bytes: Option<usize>,
    /// Bytes thrown away after the last response, while waiting for the client to close.
    pub linger_bytes_max: u32,

    /// A connection without a request under way, seconds. Browsers keep theirs for one to two minutes.
    pub idle_secs: u32,
    /// A head under way, seconds in all: further bytes do not renew it.
    pub head_secs: u32,
    /// A body under way, seconds in all.
    pub body_secs: u32,
    /// A client takes at least `send_bytes_min` of a response in this time, seconds. Progress is seen in
    /// steps of half of `unsent_bytes_max` and of what its kernel takes at once: measured, who reads 10 KB a
    /// second is seen in time, who reads 5 is not.
    pub send_secs: u32,
    /// Bytes. Slower than this is no line but an attack. One byte would do where steps are coarse; where
    /// memory is bounded, buffers and steps are small.
    pub send_bytes_min: usize,
    /// Waiting for the client to close after the last response, seconds: until then it has taken what the
    /// kernel holds for it, some 300 KB, at 10 KB a second at least. Then the kernel lets go of that, too.
    pub linger_secs: u32,
    /// Finishing the responses under way after a stop was asked for, seconds, and the rest of one. The log's
    /// reader gets one more, and what takes ten in all is killed by those who manage services.
    pub drain_secs: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            head_bytes_max: 16 * 1024,
            target_bytes_max: 8 * 1024,
            body_bytes_max: 1024 * 1024,
            outbox_bytes_max: 64 * 1024,
            pipeline_max: 64,
            run_bytes_max: 2 * 1024 * 1024,
            turn_bytes_max: 64 * 1024 * 1024,
            open_files_max: 1024,
            connections_max: None,
            connections_per_client_max: None,
            accepts_per_turn_max: 128,
            unrun_per_turn_max: 128,
            loaded_file_bytes_max: 16 * 1024,
            cache_bytes_max: 16 * 1024 * 1024,
            cached_descriptors_max: 1024,
            rules_bytes_max: 16 * 1024 * 1024,
            kept_bytes_max: usize::MAX,
            kernel_bytes_max: usize::MAX,
            unsent_bytes_max: 256 * 1024,
            call_bytes_max: None,
            send_buffer_bytes: None,
            linger_bytes_max: 256 * 1024,
            idle_secs: 75,
            head_secs: 10,
            body_secs: 30,
            send_secs: 30,
            send_bytes_min: 32 * 1024,
            linger_secs: 60,
            drain_secs: 7,
        }
    }
}

/// A page open in a browser takes a connection to be told and some to ask.
const LOOKING_MIN: usize = 8;
const LOOKING_MAX: usize = 64;

impl Limits {
    /// How many connections there may be: as many as fit under the limit on open files, with room left for
    /// the files themselves and for one that is turned away, or less if less was asked for.
    pub fn connections(&self) -> usize {
        let spare = (self.open_files_max / 4).min(FILES_OPEN_MAX) + OWN_DESCRIPTORS;
        let fit = usize::try_from(self.open_files_max.saturating_sub(spare).max(1)).unwrap_or(usize::MAX);
        self.connections_max.map_or(fit, |asked| asked.min(fit))
    }

    /// How many may look at how the server is: most places are for clients.
    pub fn looking_max(&self) -> usize {
        (self.connections() / 4).clamp(LOOKING_MIN, LOOKING_MAX)
    }

    /// What each of `count` connections may read or write in a turn in which they all run.
    pub fn run_bytes_max_of(&self, count: usize) -> usize {
        (self.turn_bytes_max / count.max(1)).max(RUN_BYTES_MIN).min(self.run_bytes_max)
    }

    /// Sockets and files that may be open at once, beside this process's own descriptors.
    pub fn descriptors(&self) -> usize {
        let spare = self.open_files_max.saturating_sub(OWN_DESCRIPTORS).max(DESCRIPTORS_MIN);
        usize::try_from(spare).unwrap_or(usize::MAX)
    }

    /// Bounds for a server that may take `memory_bytes`, the kernel's part included. Of what the program
    /// itself does not take, three quarters go to the kernel, for sockets and what they hold, and a twelfth
    /// each to files, to what connections keep, and to rules and whatever else there is.
    pub fn within(memory_bytes: usize) -> Limits {
        let defaults = Limits::default();
        let twelfth_bytes = memory_bytes.saturating_sub(PROGRAM_BYTES).max(memory_bytes / 4) / 12;
        let kernel_bytes_max = 9 * twelfth_bytes;
        let descriptors_max = memory_bytes / BYTES_PER_CACHED_DESCRIPTOR;
        let bounded = Limits {
            cache_bytes_max: defaults.cache_bytes_max.min(twelfth_bytes),
            cached_descriptors_max: defaults.cached_descriptors_max.min(descriptors_max),
            rules_bytes_max: defaults.rules_bytes_max.min(twelfth_bytes / 2),
            kept_bytes_max: twelfth_bytes,
            kernel_bytes_max,
            connections_max: Some((kernel_bytes_max / SOCKET_BYTES).max(CONNECTIONS_MIN)),
            ..defaults
        };
        if memory_bytes >= SMALL_MEMORY_BYTES {
            return bounded;
        }
        Limits {
            // What a client does not take is not even handed to the kernel, beyond a packet or two.
            unsent_bytes_max: SMALL_UNSENT_BYTES,
            call_bytes_max: Some(SMALL_CALL_BYTES),
            unrun_per_turn_max: SMALL_UNRUN_MAX,
            send_buffer_bytes: Some(SMALL_SEND_BUFFER_BYTES),
            outbox_bytes_max: 8 * 1024,
            ..bounded
        }
    }

    /// How much of this process's own memory may come to be kept, bytes: of files, for connections, and of
    /// rules, while others take their place.
    pub fn heap_bytes_max(&self) -> usize {
        let of_files_and_rules = self.cache_bytes_max.saturating_add(self.rules_bytes_max.saturating_mul(2));
        of_files_and_rules.saturating_add(self.kept_bytes_max)
    }

    /// What of a memory goes where, in words.
    pub fn told_memory(&self) -> String {
        let (files, kept) = (told_bytes(self.cache_bytes_max as u64), told_bytes(self.kept_bytes_max as u64));
        let kernel = told_bytes(self.kernel_bytes_max as u64);
        format!("{files} for files, {kept} for what connections keep, {kernel} for their sockets")
    }

    /// Refuses bounds within which nothing could ever be done.
    pub fn check(&self) -> io::Result<()> {
        let bounds = [
            ("head_bytes_max", usize::from(self.head_bytes_max)),
            ("pipeline_max", self.pipeline_max),
            ("run_bytes_max", self.run_bytes_max),
            ("accepts_per_turn_max", self.accepts_per_turn_max),
            ("unrun_per_turn_max", self.unrun_per_turn_max),
            ("connections_per_client_max", self.connections_per_client_max.unwrap_or(usize::MAX)),
        ];
        match bounds.iter().find(|(_, bound)| *bound == 0) {
            Some((name, _)) => {
                Err(io::Error::new(io::ErrorKind::InvalidInput, format!("the limit {name} must not be 0")))
            }
            None => Ok(()),
        }
    }
}

/// A size in words: exact enough to see what is meant by it.
pub fn told_bytes(bytes: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB")];
    let unit = units.into_iter().find(|(shift, _)| bytes >> shift >= 10);
    let (shift, name) = unit.unwrap_or((10, "KiB"));
    format!("{} {name}", bytes >> shift)
}

/// Nobody gets less than this in a turn, unless all do: smaller pieces take more time than they save.
const RUN_BYTES_MIN: usize = 64 * 1024;

/// What a socket takes of the kernel's memory, whatever it does, with its file and its place in the poll:
/// measured.
pub const SOCKET_BYTES: usize = 3900;
/// And what it takes beside what is unsent while a response is under way: what was received meanwhile, and
/// what rounding to pages costs.
pub const BUSY_SOCKET_BYTES: usize = 2 * 1024;

/// The kernel's buffer for what a connection receives, where memory is small: some requests fit.
pub const RECEIVE_BUFFER_BYTES: usize = 2 * 1024;

/// What this program takes: half of that when it has just been started, measured, without the pages of its
/// file, which the kernel can read again; the rest for the log and for what is under way.
const PROGRAM_BYTES: usize = 1024 * 1024;
/// Below this, memory is small: there is no room for a megabyte that a client may not take.
const SMALL_MEMORY_BYTES: usize = 256 * 1024 * 1024;
/// The kernel takes no more before the client has room for what it has: of a client that takes nothing it
/// holds a page.
const SMALL_UNSENT_BYTES: u32 = 2 * 1024;
const SMALL_CALL_BYTES: usize = 4 * 1024;
const SMALL_UNRUN_MAX: usize = 16;
/// What may be on its way to a client that takes it. The kernel takes twice as much, for its own
/// book-keeping.
const SMALL_SEND_BUFFER_BYTES: usize = 12 * 1024;
/// A descriptor kept open takes the kernel some hundred bytes, and memory is for more than that.
const BYTES_PER_CACHED_DESCRIPTOR: usize = 128 * 1024;
/// However little memory there is.
const CONNECTIONS_MIN: usize = 8;

/// Descriptors for files: cached, and being sent.
const FILES_OPEN_MAX: u64 = 1280;
/// A connection, a file for it and one to be turned away: where there is less, there may be no serving.
const DESCRIPTORS_MIN: u64 = 3;
/// Standard streams, poll, listeners, the root, signals.
const OWN_DESCRIPTORS: u64 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_share_a_turn() {
        let limits = Limits::default();
        assert_eq!([1, 16, 32].map(|count| limits.run_bytes_max_of(count)), [2 << 20; 3]);
        assert_eq!(limits.run_bytes_max_of(64), 1 << 20);
        assert_eq!(limits.run_bytes_max_of(10_000), RUN_BYTES_MIN);
        assert_eq!(Limits { run_bytes_max: 500, ..limits }.run_bytes_max_of(10_000), 500);
    }

    #[test]
    fn bounds_that_allow_nothing_are_refused() {
        assert!(Limits::default().check().is_ok());
        assert!(Limits { pipeline_max: 0, ..Limits::default() }.check().is_err());
        assert!(Limits { head_bytes_max: 0, ..Limits::default() }.check().is_err());
    }
}
