//! Content that is made while it is sent, piece by piece.

use std::fmt;
use std::io;

/// Content that is made while it is sent, so that no more of it than a piece is in memory.
pub trait Source: fmt::Debug + Send {
    /// Appends the next piece to `out`, which is empty. An error cuts the response short.
    fn pull(&mut self, out: &mut Vec<u8>) -> io::Result<Pulled>;
}

/// What a source says of its next piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulled {
    /// There it is, empty perhaps, and it is not the last.
    More,
    /// It is the last.
    Last,
    /// There is none yet. Whoever has more wakes the connection, by the key that was told when it asked.
    NothingYet,
    /// There is none yet, and nobody will tell: to be asked again soon.
    DiskCold,
}

/// A source, and the piece of it that is being sent.
#[derive(Debug)]
pub struct Stream {
    source: Box<dyn Source>,
    pub piece: Vec<u8>,
    /// How much of the piece has been sent.
    pub sent: usize,
    has_more: bool,
    /// Why there will be no more.
    pub error: Option<io::Error>,
}

impl Stream {
    pub fn new(source: Box<dyn Source>) -> Stream {
        Stream { source, piece: Vec::new(), sent: 0, has_more: true, error: None }
    }

    /// Has the source make a piece if all it gave has been sent, once: it may take its time.
    pub fn fill(&mut self) -> Pulled {
        if !self.wants_piece() || self.error.is_some() {
            return Pulled::More;
        }
        self.piece.clear();
        self.sent = 0;
        let pulled = match self.source.pull(&mut self.piece) {
            Ok(pulled) => pulled,
            Err(error) => {
                self.piece.clear();
                self.error = Some(error);
                return Pulled::More;
            }
        };
        self.has_more = pulled != Pulled::Last;
        debug_assert!(!matches!(pulled, Pulled::NothingYet | Pulled::DiskCold) || self.piece.is_empty());
        pulled
    }

    /// Whether all it gave has been sent, and there is more.
    fn wants_piece(&self) -> bool {
        self.sent == self.piece.len() && self.has_more
    }

    /// Whether all that will ever be has been sent.
    pub fn is_done(&self) -> bool {
        self.sent == self.piece.len() && !self.has_more
    }
}
