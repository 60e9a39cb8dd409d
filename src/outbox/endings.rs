//! Where responses end among what is to be sent, and what is told of each when it has left.

use std::collections::VecDeque;

/// A place in an outbox: an index in its bytes, and how many segments, of all since it was empty, stand in
/// front.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub at: usize,
    pub segments: usize,
}

/// Where a response ends, and what is to be told of it then.
#[derive(Clone, Copy, Debug)]
struct Ending {
    /// The index in the bytes at which its content starts.
    content_at: usize,
    end: Place,
    /// How much of `lines` is about it.
    line_len: usize,
    queued_millis: u64,
}

/// A response that has left, or that will not leave any more.
#[derive(Debug)]
pub struct Ended<'a> {
    /// What was said of it when it was queued.
    pub line: &'a [u8],
    /// Bytes of content that were handed to the socket, with the framing of chunks.
    pub content_bytes: u64,
    /// When it was queued, milliseconds since the start.
    pub queued_millis: u64,
    pub is_whole: bool,
}

/// The ends of the responses in an outbox, in order.
#[derive(Debug, Default)]
pub struct Endings {
    queue: VecDeque<Ending>,
    /// What is told of them, one behind the other.
    lines: Vec<u8>,
    /// Of the response in front: bytes of its content that have left, as far as an index in the bytes.
    content_bytes: u64,
    counted: usize,
}

impl Endings {
    /// Bytes of memory it owns.
    pub fn capacity(&self) -> usize {
        self.queue.capacity() * size_of::<Ending>() + self.lines.capacity()
    }

    /// Adds the end of a response; `write_line` appends what is to be told of it.
    pub fn push(
        &mut self,
        content_at: usize,
        end: Place,
        queued_millis: u64,
        write_line: impl FnOnce(&mut Vec<u8>),
    ) {
        debug_assert!(content_at <= end.at, "content behind its end");
        let line_at = self.lines.len();
        write_line(&mut self.lines);
        let line_len = self.lines.len() - line_at;
        self.queue.push_back(Ending { content_at, end, line_len, queued_millis });
    }

    /// Says that so many bytes of the segment in front have left.
    pub fn count_content(&mut self, count: usize) {
        self.content_bytes += count as u64;
    }

    /// Hands each response that ends in front of what is to be `sent` next to `tell`.
    pub fn settle(&mut self, sent: Place, mut tell: impl FnMut(Ended)) {
        let mut told = 0;
        while let Some(&ending) = self.queue.front() {
            self.count_bytes(&ending, sent.at);
            if sent.at < ending.end.at || sent.segments < ending.end.segments {
                break;
            }
            self.end_front(ending, told, true, &mut tell);
            told += ending.line_len;
        }
        self.lines.drain(..told);
    }

    /// Hands each response that has not left to `tell`. `sent` bytes had.
    pub fn cut(&mut self, sent: usize, mut tell: impl FnMut(Ended)) {
        let mut told = 0;
        while let Some(&ending) = self.queue.front() {
            self.count_bytes(&ending, sent);
            self.end_front(ending, told, false, &mut tell);
            told += ending.line_len;
        }
        self.lines.clear();
    }

    /// Takes all that is left into a value of its own, for an outbox that starts with what is to be `sent`
    /// next.
    pub fn take_rest(&mut self, sent: Place) -> Endings {
        let queue = self.queue.drain(..).map(|ending| Ending {
            // What has left of it has been counted.
            content_at: ending.content_at.saturating_sub(sent.at),
            end: Place { at: ending.end.at - sent.at, segments: ending.end.segments - sent.segments },
            ..ending
        });
        let queue = queue.collect();
        Endings { queue, lines: self.lines.to_vec(), content_bytes: self.content_bytes, counted: 0 }
    }

    pub fn clear(&mut self) {
        self.queue.clear();
        self.lines.clear();
        self.content_bytes = 0;
        self.counted = 0;
    }

    /// Counts what has left of the content of the response in front.
    fn count_bytes(&mut self, front: &Ending, sent: usize) {
        let until = sent.min(front.end.at);
        self.content_bytes += until.saturating_sub(self.counted.max(front.content_at)) as u64;
        self.counted = self.counted.max(until);
    }

    fn end_front(&mut self, ending: Ending, line_at: usize, is_whole: bool, tell: &mut impl FnMut(Ended)) {
        let Ending { line_len, queued_millis, .. } = ending;
        let line = &self.lines[line_at..line_at + line_len];
        tell(Ended { line, content_bytes: self.content_bytes, queued_millis, is_whole });
        self.content_bytes = 0;
        self.queue.pop_front();
    }
}
