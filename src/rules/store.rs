//! What the rules of one file are made of: a few lists that all of them share. No rule has memory of its own.
//!
//! A box for each name, literal and hole would make ten thousand rules ten times as large as their file, and
//! to let go of them would take longer than a turn of the loop may. Here a rule is a few numbers, [`Run`]s of
//! the lists. What a look-up goes through lies in the order of the file, and it is known to the byte how much
//! there is.

/// Some items of a list, one behind the other. A line has 8 KiB at most, and a byte of it becomes three at
/// most, so that two bytes hold a length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Run {
    start: u32,
    len: u16,
}

impl Run {
    /// The items from `start` up to `end`.
    pub fn between(start: usize, end: usize) -> Run {
        debug_assert!(end - start <= usize::from(u16::MAX), "more than a line can hold");
        Run { start: start as u32, len: (end - start) as u16 }
    }

    pub fn len(self) -> usize {
        self.len.into()
    }

    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The items of `list` that are meant.
    pub fn of<T>(self, list: &[T]) -> &[T] {
        &list[self.start as usize..][..self.len()]
    }

    /// Takes in the item behind the last one.
    pub fn grow(&mut self) {
        self.len += 1;
    }
}

/// Of a [`pattern`](super::pattern): a literal, or a placeholder with what must stand behind it in its
/// segment, nothing or a dot and more.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    pub text_len: u16,
    /// Of the value, if it is a placeholder.
    pub index: Option<u8>,
}

impl Part {
    pub fn is_literal(&self) -> bool {
        self.index.is_none()
    }
}

/// Of a [`template`](super::template): a place in its text, and the index of the value that goes there.
#[derive(Clone, Copy, Debug)]
pub struct Hole {
    pub at: u16,
    pub index: u8,
}

/// What a rule wants of one of the [`parameters`](super::parameters) of a query.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    pub name: Run,
    pub wanted: Wanted,
}

#[derive(Clone, Copy, Debug)]
pub enum Wanted {
    /// Anything but nothing; it becomes the value at this index.
    Any(u8),
    Exactly(Run),
}

/// The lists.
#[derive(Debug, Default)]
pub struct Store {
    /// What paths and queries are compared with, decoded.
    pub bytes: Vec<u8>,
    /// What is sent: of templates, and the names of fields.
    pub text: String,
    pub parts: Vec<Part>,
    pub holes: Vec<Hole>,
    pub parameters: Vec<Parameter>,
}

/// How long the lists were.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    bytes: usize,
    text: usize,
    parts: usize,
    holes: usize,
    parameters: usize,
}

impl Store {
    pub fn add_bytes(&mut self, bytes: &[u8]) -> Run {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        Run::between(start, self.bytes.len())
    }

    pub fn add_text(&mut self, text: &str) -> Run {
        let start = self.text.len();
        self.text.push_str(text);
        Run::between(start, self.text.len())
    }

    /// What was added by [`add_text`](Store::add_text).
    pub fn text(&self, run: Run) -> &str {
        &self.text[run.start as usize..][..run.len()]
    }

    /// How long the lists are now.
    pub fn mark(&self) -> Mark {
        Mark {
            bytes: self.bytes.len(),
            text: self.text.len(),
            parts: self.parts.len(),
            holes: self.holes.len(),
            parameters: self.parameters.len(),
        }
    }

    /// Takes back what was added since `mark`.
    pub fn take_back(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
        self.text.truncate(mark.text);
        self.parts.truncate(mark.parts);
        self.holes.truncate(mark.holes);
        self.parameters.truncate(mark.parameters);
    }

    /// Bytes of memory on the heap. As long as lists grow they may have room for as much again.
    pub fn heap_bytes(&self) -> usize {
        self.bytes.len()
            + self.text.len()
            + size_of_val(&self.parts[..])
            + size_of_val(&self.holes[..])
            + size_of_val(&self.parameters[..])
    }

    /// Gives back the room to grow.
    pub fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.text.shrink_to_fit();
        self.parts.shrink_to_fit();
        self.holes.shrink_to_fit();
        self.parameters.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_can_be_taken_back() {
        let mut store = Store::default();
        let (bytes, text) = (store.add_bytes(b"\xffa"), store.add_text("ü"));
        let before = store.heap_bytes();
        let mark = store.mark();
        assert_eq!((store.add_bytes(b"b").of(&store.bytes), before), (&b"b"[..], 4));
        store.add_text("more");
        store.take_back(mark);
        assert_eq!((bytes.of(&store.bytes), store.text(text), store.heap_bytes()), (&b"\xffa"[..], "ü", 4));
    }
}
