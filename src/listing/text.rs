//! How names, counts and sizes are written in a page.

use std::fmt::{self, Display, Write as _};

/// Appends what is HTML already.
pub fn push(out: &mut Vec<u8>, html: &str) {
    out.extend_from_slice(html.as_bytes());
}

/// Appends what is HTML already, formatted.
pub fn append(out: &mut Vec<u8>, html: impl Display) {
    use std::io::Write;
    // Cannot fail: writing to memory.
    let _ = write!(out, "{html}");
}

/// Appends text as it stands in an element, or in an attribute between double quotes. What is no UTF-8
/// becomes U+FFFD.
pub fn push_text(out: &mut Vec<u8>, text: &[u8]) {
    // Most names are.
    if text.iter().all(|byte| matches!(byte, b' '..=b'~') && !b"&<>\"".contains(byte)) {
        return out.extend_from_slice(text);
    }
    for char in String::from_utf8_lossy(text).chars() {
        match char {
            '&' => push(out, "&amp;"),
            '<' => push(out, "&lt;"),
            '>' => push(out, "&gt;"),
            '"' => push(out, "&quot;"),
            _ => push(out, visible(char).encode_utf8(&mut [0; 4])),
        }
    }
}

/// Control characters have no place in HTML and no shape on a screen. They become the pictures that Unicode
/// has of them (a newline is ␊), so that names that differ look different. Those that turn the writing round
/// are shown as something that cannot be: they can make `gpj.exe` read as `exe.jpg`.
pub fn visible(char: char) -> char {
    match char {
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(char)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\x7f' => '␡',
        '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            char::REPLACEMENT_CHARACTER
        }
        _ => char,
    }
}

/// `1 file`, `1,234 files`.
pub struct Count<'a>(pub u64, pub &'a str);

impl Display for Count<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                formatter.write_char(',')?;
            }
            formatter.write_char(digit)?;
        }
        write!(formatter, " {}{}", self.1, if self.0 == 1 { "" } else { "s" })
    }
}

/// A number of bytes for people, to two or three digits. A kB has 1000 bytes, so that it can be compared with
/// the exact number at a glance.
pub struct Size(pub u64);

impl Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1000 {
            return write!(formatter, "{} B", self.0);
        }
        // Wide enough to round the largest number.
        let bytes = u128::from(self.0);
        let rounded = |unit_bytes: u128| (bytes + unit_bytes / 2) / unit_bytes;
        let mut unit_bytes = 1;
        for name in ["kB", "MB", "GB", "TB", "PB", "EB"] {
            unit_bytes *= 1000;
            match (rounded(unit_bytes / 10), rounded(unit_bytes)) {
                (tenths @ ..100, _) => return write!(formatter, "{}.{} {name}", tenths / 10, tenths % 10),
                (_, whole @ ..1000) => return write!(formatter, "{whole} {name}"),
                // Rounded before it is judged: 999,999 bytes are 1.0 MB, not 1000 kB.
                _ => {}
            }
        }
        // Not reached: no u64 is 1000 EB.
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (bytes, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1049, "1.0 kB"),
            (1050, "1.1 kB"),
            (9949, "9.9 kB"),
            (9950, "10 kB"),
            (99_499, "99 kB"),
            (999_499, "999 kB"),
            (999_500, "1.0 MB"),
            (1_500_000_000, "1.5 GB"),
            (999_949_999_999_999, "1.0 PB"),
            (u64::MAX, "18 EB"),
        ] {
            assert_eq!(Size(bytes).to_string(), expected, "{bytes}");
        }
        assert_eq!(Count(u64::MAX, "byte").to_string(), "18,446,744,073,709,551,615 bytes");
    }
}
