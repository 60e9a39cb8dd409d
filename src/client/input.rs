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

    /// Starts with `bytes`, which are no more than fit; nothing must be there.
    pub fn load(&mut self, bytes: &[u8]) {
        debug_assert!(self.is_empty(), "bytes of somebody else are forgotten");
        self.buffer[..bytes.len()].copy_from_slice(bytes);
        (self.start, self.end) = (0, bytes.len());
    }

    /// Drops `count` bytes from the front.
    pub fn consume(&mut self, count: usize) {
        debug_assert!(count <= self.bytes().len(), "more is dropped than there is");
        self.start += count;
        if self.is_empty() {
            self.clear();
        }
    }

    /// Cuts `count` bytes out, `at` bytes behind the front.
    pub fn remove(&mut self, at: usize, count: usize) {
        debug_assert!(at + count <= self.bytes().len(), "more is cut out than there is");
        let from = self.start + at;
        self.buffer.copy_within(from + count..self.end, from);
        self.end -= count;
    }

    /// Keeps the first `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        debug_assert!(len <= self.bytes().len(), "there are not so many");
        self.end = self.start + len;
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
        debug_assert!(self.end + count <= self.buffer.len(), "more was written than there was room for");
        self.end += count;
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
        input.truncate(1);
        assert_eq!(input.bytes(), b"c");
        input.consume(1);
        assert!(input.is_empty());
    }
}
