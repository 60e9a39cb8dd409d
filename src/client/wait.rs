//! What a client can keep a server waiting for, and how long.

use crate::limits::Limits;

/// What a session waits for. Each has a timeout of its own, the same for all clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The next request, or the first.
    Request,
    /// The rest of a head.
    Head,
    /// The rest of a body.
    Body,
    /// The client to take what is sent.
    Send,
    /// The client to close.
    Linger,
}

impl Wait {
    pub const ALL: [Wait; 5] = [Wait::Request, Wait::Head, Wait::Body, Wait::Send, Wait::Linger];

    /// What it is called in counts.
    pub fn name(self) -> &'static str {
        match self {
            Wait::Request => "request",
            Wait::Head => "head",
            Wait::Body => "body",
            Wait::Send => "send",
            Wait::Linger => "linger",
        }
    }

    /// How long it may take, seconds.
    pub fn secs_max(self, limits: &Limits) -> u32 {
        match self {
            Wait::Request => limits.idle_secs,
            Wait::Head => limits.head_secs,
            Wait::Body => limits.body_secs,
            Wait::Send => limits.send_secs,
            Wait::Linger => limits.linger_secs,
        }
    }

    /// What has not happened when that is over.
    pub fn told(self) -> &'static str {
        match self {
            Wait::Request => "no request has come",
            Wait::Head => "the rest of a head has not come",
            Wait::Body => "the rest of a body has not come",
            Wait::Send => "it has taken too little of what it was sent",
            Wait::Linger => "it has not closed by itself",
        }
    }
}
