//! What is the loop's, and lent to one connection after the other.

use super::slice::Slice;
use crate::access_log::AccessLog;
use crate::clock::Now;
use crate::ledger::Ledger;
use crate::limits::Limits;
use crate::net::peer::Peer;
use crate::notices::Notices;
use crate::responder::Responder;

/// What the loop lends to a connection while it runs.
pub struct Context<'a> {
    pub now: &'a Now,
    pub limits: &'a Limits,
    pub responder: &'a mut dyn Responder,
    pub access_log: &'a mut AccessLog,
    /// By which the loop knows the connection.
    pub key: usize,
    /// Who is at the other end of it.
    pub peer: Peer,
    /// What it may take before it is the others' turn.
    pub slice: Slice<'a>,
    /// What all connections hold.
    pub ledger: &'a mut Ledger,
    pub notices: &'a mut Notices,
    /// The server is stopping: every response is the last on its connection.
    pub is_draining: bool,
}
