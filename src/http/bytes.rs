//! Sets of bytes, as the grammars of the RFCs name them.

/// A set that is asked with one look into a table.
#[derive(Debug)]
pub struct ByteSet([bool; 256]);

impl ByteSet {
    /// Letters, digits and `others`.
    pub const fn alphanumeric_and(others: &[u8]) -> ByteSet {
        let mut set = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            set[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        let mut index = 0;
        while index < others.len() {
            set[others[index] as usize] = true;
            index += 1;
        }
        ByteSet(set)
    }

    /// Whether `byte` is in the set.
    pub fn holds(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }

    /// Whether every one of `bytes` is in the set.
    pub fn holds_all(&self, bytes: &[u8]) -> bool {
        bytes.iter().all(|&byte| self.holds(byte))
    }
}

/// `tchar` (RFC 9110 §5.6.2).
pub static TOKEN: ByteSet = ByteSet::alphanumeric_and(b"!#$%&'*+-.^_`|~");
/// What a `reg-name` is made of, beside escapes (RFC 3986 §3.2.2).
pub static REGISTERED_NAME: ByteSet = ByteSet::alphanumeric_and(b"-._~!$&'()*+,;=");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_hold_what_they_name() {
        assert!(TOKEN.holds_all(b"X-Field_1!~"));
        assert!(!TOKEN.holds_all(b"a b") && !TOKEN.holds_all(b"a:") && !TOKEN.holds_all(b"\xe9"));
        assert!(REGISTERED_NAME.holds_all(b"www.example.com"));
        assert!(!REGISTERED_NAME.holds_all(b"a/b") && !REGISTERED_NAME.holds_all(b"a@b"));
    }
}
