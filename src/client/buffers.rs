//! What bytes are kept in while a connection runs, and what it keeps of them between two runs.

use super::input::Input;
use crate::limits::Limits;
use crate::outbox::Outbox;

/// The buffers that serve every connection in turn.
#[derive(Debug)]
pub struct Buffers {
    pub input: Input,
    pub outbox: Outbox,
}

impl Buffers {
    pub fn new(limits: &Limits) -> Buffers {
        let input = Input::with_capacity(2 * usize::from(limits.head_bytes_max));
        Buffers { input, outbox: Outbox::new() }
    }

    /// Nothing is in them.
    pub fn are_empty(&self) -> bool {
        self.input.is_empty() && self.outbox.is_empty()
    }

    /// Drops what is in them.
    pub fn clear(&mut self) {
        self.input.clear();
        self.outbox.clear();
    }
}

/// What a run could not finish. Exists only while it holds something.
#[derive(Debug)]
pub struct Rest {
    pub input: Vec<u8>,
    pub outbox: Outbox,
}

/// Keeps what is unread and unsent; nothing at all if all was read and sent.
pub fn keep_rest(rest: Option<Box<Rest>>, buffers: &mut Buffers) -> Option<Box<Rest>> {
    let input = buffers.input.bytes();
    match rest {
        Some(rest) if input.is_empty() && rest.outbox.is_empty() => None,
        Some(mut rest) => {
            rest.input.clear();
            rest.input.extend_from_slice(input);
            rest.outbox.keep_alone();
            Some(rest)
        }
        None if buffers.are_empty() => None,
        None => Some(Box::new(Rest { input: input.to_vec(), outbox: buffers.outbox.take_rest() })),
    }
}
