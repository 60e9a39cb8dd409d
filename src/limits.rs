//! Every bound in one place, with its unit and its reason.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What one client may take, in bytes, counts and seconds.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Request line and fields together. 16 KiB fits any browser's cookies; nginx and h2o are in the same range.
    /// The loop's read buffer is twice this, so that a pipeline fits behind a head.
    pub head_bytes_max: u16,
    /// The request target alone. RFC 9110 §4.1 asks for at least 8,000.
    pub target_bytes_max: usize,
    /// A request body is skipped up to here, framing included, so that the connection stays of use; before a
    /// longer one the connection is closed.
    pub body_bytes_max: u32,
    /// Answers are queued in memory up to here before they are sent; then the rest of a pipeline waits.
    pub outbox_bytes_max: usize,
    /// Answers in one outbox. Each may hold a descriptor.
    pub pipeline_max: usize,
    /// Bytes that one connection may read or write in one turn of the loop. Large enough that the cost of a
    /// turn vanishes, small enough (a fraction of a millisecond) that a download holds nobody up.
    pub run_bytes_max: usize,
    /// Connections accepted in one turn, so that a flood does not starve those already here.
    pub accepts_per_turn_max: usize,
    /// Files up to this size are copied into the outbox and leave in one call with their head; larger ones are
    /// sent by sendfile.
    pub copied_file_bytes_max: u64,
    /// Bytes thrown away after the last answer, while waiting for the client to close.
    pub linger_bytes_max: u32,

    /// A connection without a request under way, seconds. Browsers keep theirs for one to two minutes.
    pub idle_secs: u32,
    /// A head under way, seconds in all: further bytes do not renew it.
    pub head_secs: u32,
    /// A body under way, seconds in all.
    pub body_secs: u32,
    /// An answer of which the client takes nothing, seconds.
    pub send_stall_secs: u32,
    /// Waiting for the client to close after the last answer, seconds.
    pub linger_secs: u32,
    /// Finishing the answers under way after a stop was asked for, seconds.
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
            run_bytes_max: 512 * 1024,
            accepts_per_turn_max: 128,
            copied_file_bytes_max: 32 * 1024,
            linger_bytes_max: 256 * 1024,
            idle_secs: 75,
            head_secs: 10,
            body_secs: 30,
            send_stall_secs: 30,
            linger_secs: 2,
            drain_secs: 10,
        }
    }
}

/// Raises the soft limit on open files to the hard one; returns the limit in force afterwards.
///
/// Every connection is a descriptor, and the usual soft limit of 1,024 is kept for programs that use
/// `select`. Where raising it is refused, the old limit stays in force.
pub fn raise_open_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let in_force = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    in_force.unwrap_or(u64::MAX)
}
