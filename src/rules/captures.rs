//! Values that a request puts in the place of a rule's names, and what these are called.

use std::ops::Range;

use super::text::quoted;

/// Values that one rule can capture.
pub const CAPTURES_MAX: usize = 16;

/// What a request put in the place of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A part of the path, decoded.
    Path(&'a [u8]),
    /// The value of a query's parameter, as it was received.
    Parameter(&'a [u8]),
}

/// Values by the index of their names.
#[derive(Clone, Copy, Debug)]
pub struct Captures<'a>([Value<'a>; CAPTURES_MAX]);

impl<'a> Captures<'a> {
    pub fn new() -> Captures<'a> {
        Captures([Value::Path(b""); CAPTURES_MAX])
    }

    /// The value of the name at `index`. A pattern has no more names than there is room for.
    pub fn value(&self, index: u8) -> Value<'a> {
        debug_assert!(usize::from(index) < CAPTURES_MAX, "a name beyond all bounds");
        self.0.get(usize::from(index)).copied().unwrap_or(Value::Path(b""))
    }

    pub fn set(&mut self, index: u8, value: Value<'a>) {
        debug_assert!(usize::from(index) < CAPTURES_MAX, "a name beyond all bounds");
        if let Some(slot) = self.0.get_mut(usize::from(index)) {
            *slot = value;
        }
    }
}

impl Default for Captures<'_> {
    fn default() -> Self {
        Captures::new()
    }
}

impl Value<'_> {
    /// Bytes of it as they were received, or as they stand in the path.
    pub fn len(&self) -> usize {
        let (Value::Path(bytes) | Value::Parameter(bytes)) = self;
        bytes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What the values of a rule are called, by index. Needed as long as the rule is parsed.
#[derive(Debug, Default)]
pub struct Names(Vec<Box<str>>);

impl Names {
    #[cfg(test)]
    pub fn of(names: &[&str]) -> Names {
        Names(names.iter().map(|name| Box::from(*name)).collect())
    }

    pub fn index_of(&self, name: &str) -> Option<u8> {
        self.0.iter().position(|other| **other == *name).map(|index| index as u8)
    }

    /// Adds a name and tells its index; the error says what is wrong and what to do.
    pub fn add(&mut self, name: &str) -> Result<u8, String> {
        if self.index_of(name).is_some() {
            return Err(format!(
                "there are two values called {}: give one another name",
                quoted(&[b":", name.as_bytes()].concat())
            ));
        }
        if self.0.len() == CAPTURES_MAX {
            return Err(format!("more than {CAPTURES_MAX} values are captured: use fewer names"));
        }
        self.0.push(name.into());
        Ok(self.0.len() as u8 - 1)
    }

    /// All indexes.
    pub fn indexes(&self) -> Range<u8> {
        0..self.0.len() as u8
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|name| &**name)
    }
}

/// The name of the placeholder that `text` starts with: a colon, a letter, then letters, digits and `_`.
pub fn name_at_start(text: &[u8]) -> Option<&str> {
    let rest = text.strip_prefix(b":").filter(|rest| rest.first().is_some_and(u8::is_ascii_alphabetic))?;
    let end = rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    std::str::from_utf8(&rest[..end.unwrap_or(rest.len())]).ok()
}
