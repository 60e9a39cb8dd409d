//! Where responses end among what is to be sent, and what is told of each when it has left.

/// A position in an outbox: an index in its bytes, and how many segments, of all since it was empty, stand in
/// front.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    pub at: usize,
    pub segments: usize,
}

/// Where a response ends, and what is to be told of it then.
#[derive(Clone, Copy, Debug)]
struct Ending {
    /// The index in the bytes at which its content starts.
    content_at: usize,
    end: Position,
    /// How much of `lines` is about it.
    line_len: usize,
    queued_micros: u64,
}

/// A response that has left, or that will not leave any more.
#[derive(Debug)]
pub struct Ended<'a> {
    /// What was said of it when it was queued.
    pub line: &'a [u8],
    /// Bytes of content that were handed to the socket, with the framing of chunks.
    pub content_bytes: u64,
    /// When it was queued, microseconds since the start.
    pub queued_micros: u64,
    pub is_whole: bool,
}

/// The ends of the responses in an outbox, in order.
#[derive(Debug, Default)]
pub struct Endings {
    all: Vec<Ending>,
    /// What is told of them, one behind the other.
    lines: Vec<u8>,
    /// How many of both are over. They are dropped when all are: most of the time that is at once.
    ended: usize,
    lines_ended: usize,
    /// Of the response in front: bytes of its content that have left, as far as an index in the bytes.
    content_bytes: u64,
    counted: usize,
    /// A segment by number, and bytes of it that have left and belong to the response that it is in.
    uncounted: (usize, u64),
}

impl Endings {
    /// Bytes of memory it owns.
    pub fn capacity(&self) -> usize {
        self.all.capacity() * size_of::<Ending>() + self.lines.capacity()
    }

    /// Adds the end of a response; `write_line` appends what is to be told of it.
    pub fn push(
        &mut self,
        content_at: usize,
        end: Position,
        queued_micros: u64,
        write_line: impl FnOnce(&mut Vec<u8>),
    ) {
        debug_assert!(content_at <= end.at, "content behind its end");
        let line_at = self.lines.len();
        write_line(&mut self.lines);
        let line_len = self.lines.len() - line_at;
        self.all.push(Ending { content_at, end, line_len, queued_micros });
    }

    /// Says that so many bytes of a segment have left, which is known by how many stand in front of it. The
    /// responses before it may not have been settled yet.
    pub fn count_content(&mut self, segment: usize, count: usize) {
        self.uncounted = (segment, self.uncounted.1 + count as u64);
    }

    /// Hands each response that ends in front of what is to be `sent` next to `tell`.
    pub fn settle(&mut self, sent: Position, mut tell: impl FnMut(Ended)) {
        while let Some(&front) = self.all.get(self.ended) {
            self.count_bytes(&front, sent.at);
            if sent.at < front.end.at || sent.segments < front.end.segments {
                return;
            }
            self.end(front, true, &mut tell);
        }
    }

    /// Hands each response that has not left to `tell`. `sent` bytes had.
    pub fn cut(&mut self, sent: usize, mut tell: impl FnMut(Ended)) {
        while let Some(&front) = self.all.get(self.ended) {
            self.count_bytes(&front, sent);
            self.end(front, false, &mut tell);
        }
    }

    /// Takes all that is left into a value of its own, for an outbox that starts with what is to be `sent`
    /// next.
    pub fn take_rest(&mut self, sent: Position) -> Endings {
        let left = self.all[self.ended..].iter().map(|ending| Ending {
            // What has left of it has been counted.
            content_at: ending.content_at.saturating_sub(sent.at),
            end: Position { at: ending.end.at - sent.at, segments: ending.end.segments - sent.segments },
            ..*ending
        });
        let rest = Endings {
            all: left.collect(),
            lines: self.lines[self.lines_ended..].to_vec(),
            content_bytes: self.content_bytes,
            ..Endings::default()
        };
        self.clear();
        rest
    }

    /// Says that the segment at a position has become `len` bytes. What has left must have been settled.
    pub fn count_as_bytes(&mut self, segment: Position, len: usize) {
        let behind = |ending: &&mut Ending| ending.end.segments > segment.segments;
        for ending in self.all[self.ended..].iter_mut().filter(behind) {
            ending.end = Position { at: ending.end.at + len, segments: ending.end.segments - 1 };
            // Its own content starts there.
            if ending.content_at > segment.at {
                ending.content_at += len;
            }
        }
    }

    pub fn clear(&mut self) {
        self.all.clear();
        self.lines.clear();
        self.ended = 0;
        self.lines_ended = 0;
        self.content_bytes = 0;
        self.counted = 0;
        self.uncounted = (0, 0);
    }

    /// Counts what has left of the content of the response in front.
    fn count_bytes(&mut self, front: &Ending, sent: usize) {
        let until = sent.min(front.end.at);
        self.content_bytes += until.saturating_sub(self.counted.max(front.content_at)) as u64;
        self.counted = self.counted.max(until);
        let (segment, bytes) = self.uncounted;
        if segment < front.end.segments {
            self.content_bytes += bytes;
            self.uncounted.1 = 0;
        }
    }

    fn end(&mut self, front: Ending, is_whole: bool, tell: &mut impl FnMut(Ended)) {
        let Ending { line_len, queued_micros, .. } = front;
        let line = &self.lines[self.lines_ended..self.lines_ended + line_len];
        tell(Ended { line, content_bytes: self.content_bytes, queued_micros, is_whole });
        self.content_bytes = 0;
        self.ended += 1;
        self.lines_ended += line_len;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told at each step, as `line bytes`, with a `!` behind what was cut.
    fn told(steps: impl FnOnce(&mut dyn FnMut(Ended))) -> Vec<String> {
        let mut told = Vec::new();
        steps(&mut |ended| {
            let end = if ended.is_whole { "" } else { "!" };
            told.push(format!("{} {}{end}", String::from_utf8_lossy(ended.line), ended.content_bytes));
        });
        told
    }

    fn at(at: usize, segments: usize) -> Position {
        Position { at, segments }
    }

    /// Three responses: one of 10 bytes in memory, one with a file behind its head, one without content.
    fn three() -> Endings {
        let mut endings = Endings::default();
        for (content_at, end, line) in
            [(100, at(110, 0), "a"), (210, at(210, 1), "b"), (300, at(300, 1), "c")]
        {
            endings.push(content_at, end, 0, |lines| lines.extend_from_slice(line.as_bytes()));
        }
        endings
    }

    #[test]
    fn each_is_told_when_it_has_left_with_what_was_sent_of_it() {
        let told = told(|tell| {
            let mut endings = three();
            endings.settle(at(105, 0), &mut *tell);
            endings.settle(at(210, 0), &mut *tell);
            endings.count_content(0, 4000);
            endings.settle(at(210, 0), &mut *tell);
            endings.count_content(0, 96);
            endings.settle(at(300, 1), &mut *tell);
            assert_eq!(endings.ended, endings.all.len());
        });
        assert_eq!(told, ["a 10", "b 4096", "c 0"]);
    }

    /// The end of one and the first piece of the next may leave in one call.
    #[test]
    fn content_is_counted_for_the_response_that_it_is_in() {
        let told = told(|tell| {
            let mut endings = three();
            endings.count_content(0, 500);
            endings.settle(at(210, 0), &mut *tell);
            endings.cut(210, &mut *tell);
        });
        assert_eq!(told, ["a 10", "b 500!", "c 0!"]);
    }

    #[test]
    fn what_is_cut_is_told_with_what_had_left() {
        let told = told(|tell| {
            let mut endings = three();
            endings.settle(at(104, 0), &mut *tell);
            // What is unsent goes elsewhere, as often as it likes.
            let mut rest = endings.take_rest(at(104, 0));
            rest.settle(at(2, 0), &mut *tell);
            let mut rest = rest.take_rest(at(2, 0));
            rest.settle(at(104, 0), &mut *tell);
            rest.count_content(0, 7);
            rest.cut(104, &mut *tell);
            endings.clear();
        });
        assert_eq!(told, ["a 10", "b 7!", "c 0!"]);
    }

    #[test]
    fn a_segment_that_became_bytes_counts_as_before() {
        for (sent, expected) in [
            (0, ["b 10!", "c 0!"]),
            (123, ["b 133!", "c 0!"]),
            (500, ["b 510", "c 0!"]),
            (590, ["b 510", "c 0"]),
        ] {
            let told = told(|tell| {
                let mut endings = three();
                endings.count_content(0, 10);
                endings.settle(at(210, 0), &mut *tell);
                let mut rest = endings.take_rest(at(210, 0));
                rest.count_as_bytes(at(0, 0), 500);
                rest.settle(at(sent, 0), &mut *tell);
                rest.cut(sent, &mut *tell);
            });
            assert_eq!(told[1..], expected, "{sent} sent");
        }
    }

    #[test]
    fn a_head_that_has_not_left_has_no_content() {
        let told = told(|tell| {
            let mut endings = three();
            endings.cut(50, &mut *tell);
        });
        assert_eq!(told, ["a 0!", "b 0!", "c 0!"]);
    }
}
