//! The loop's read buffer: sockets fill it at the back, the session consumes it from the front.
//!
//! There is one for all connections. What a connection leaves unread is copied out when its run ends and
//! copied back in when it runs again, so a connection with nothing unread owns no buffer.

/// Bytes received and not yet consumed, in a buffer of fixed size.
#[derive(Debug)]
pub struct Input {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Input {
    /// An empty buffer that can hold `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Input {
        Input { buffer: vec![0; capacity].into_boxed_slice(), start: 0, end: 0 }
    }

    /// What was received and not yet consumed.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Forgets everything and starts with `bytes`, of which at most the capacity is taken.
    pub fn load(&mut self, bytes: &[u8]) {
        let len = bytes.len().min(self.buffer.len());
        self.buffer[..len].copy_from_slice(&bytes[..len]);
        (self.start, self.end) = (0, len);
    }

    /// Drops `count` bytes from the front.
    pub fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
        if self.is_empty() {
            self.clear();
        }
    }

    /// Cuts `count` bytes out, `at` bytes behind the front.
    pub fn remove(&mut self, at: usize, count: usize) {
        let from = self.start.saturating_add(at).min(self.end);
        let to = from.saturating_add(count).min(self.end);
        self.buffer.copy_within(to..self.end, from);
        self.end -= to - from;
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    /// The free space behind the bytes, all of it in one piece: what is unread moves to the front first.
    pub fn space(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        &mut self.buffer[self.end..]
    }

    /// Says that `count` bytes were written to the front of [`space`](Input::space).
    pub fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.buffer.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_at_the_back_and_empties_from_the_front() {
        let mut input = Input::with_capacity(4);
        input.load(b"abc");
        input.consume(2);
        assert_eq!(input.bytes(), b"c");
        assert_eq!(input.space().len(), 3);
        input.space()[..2].copy_from_slice(b"de");
        input.filled(2);
        assert_eq!(input.bytes(), b"cde");
        input.remove(1, 1);
        assert_eq!(input.bytes(), b"ce");
        input.remove(1, 9);
        assert_eq!(input.bytes(), b"c");
        input.consume(9);
        assert!(input.is_empty());
    }
}
