//! What the two files have in common as text: lines, words, and complaints about them.

use std::fmt::{self, Display};

/// Bytes of a file that are read: some ten thousand rules.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;
/// Rules of one file, ten times what hosts allow.
pub const RULES_MAX: usize = 10_000;
/// Bytes of a line. What it says becomes a field of a response, and clients refuse a head of more than that.
const LINE_BYTES_MAX: usize = 8 * 1024;
/// Complaints about one file. Who has read a hundred knows that it is the wrong file.
const COMPLAINTS_MAX: usize = 100;
/// Characters of a line that a complaint repeats.
const QUOTED_CHARS_MAX: usize = 60;

/// What some editors put in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A line that is not followed as it stands: what is wrong with it, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Counted from 1.
    pub line: usize,
    pub text: String,
}

impl Display for Complaint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.text)
    }
}

/// Complaints in the making, bounded.
#[derive(Debug, Default)]
pub struct Complaints(Vec<Complaint>);

impl Complaints {
    /// Adds one; of those beyond the bound it is only said that there are some.
    pub fn add(&mut self, line: usize, text: impl Into<String>) {
        if self.0.len() < COMPLAINTS_MAX {
            self.0.push(Complaint { line, text: text.into() });
        } else if self.0.len() == COMPLAINTS_MAX {
            self.0.push(Complaint { line, text: "there is more to complain about, left out here".into() });
        }
    }

    /// All of them, from the first line to the last.
    pub fn into_sorted(mut self) -> Vec<Complaint> {
        self.0.sort_by_key(|complaint| complaint.line);
        self.0
    }
}

/// Hands each line that is neither empty nor a comment to `take`, without the white space around it and with
/// its number. What `take` returns as an error becomes a complaint about the line.
pub fn each_line<'a>(
    text: &'a [u8],
    mut take: impl FnMut(usize, &'a [u8]) -> Result<(), String>,
) -> Complaints {
    let mut complaints = Complaints::default();
    let window = &text[..text.len().min(FILE_BYTES_MAX)];
    let is_cut = window.len() < text.len();
    let window = window.strip_prefix(BYTE_ORDER_MARK).unwrap_or(window);
    let mut lines = (1..).zip(window.split(|&byte| byte == b'\n')).peekable();
    while let Some((number, line)) = lines.next() {
        let line = line.trim_ascii();
        if is_cut && lines.peek().is_none() {
            let bound = FILE_BYTES_MAX / 1024;
            complaints.add(number, format!("the file has more than {bound} KiB; it is read up to here only"));
        } else if line.len() > LINE_BYTES_MAX {
            complaints.add(number, format!("the line has more than {LINE_BYTES_MAX} bytes; it is left out"));
        } else if !matches!(line, [] | [b'#', ..]) {
            take(number, line).unwrap_or_else(|text| complaints.add(number, text));
        }
    }
    complaints
}

/// What white space sets apart, up to a word that starts a comment.
pub fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.take_while(|word| !word.starts_with(b"#"))
}

/// A part of a file as it may stand in a complaint: in quotes, harmless to a terminal, and not endless.
pub fn quoted(bytes: &[u8]) -> impl Display {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * QUOTED_CHARS_MAX)]);
    let is_cut = bytes.len() > text.len() || text.chars().count() > QUOTED_CHARS_MAX;
    let start: String = text.chars().take(QUOTED_CHARS_MAX).collect();
    format!("`{}{}`", start.escape_debug(), if is_cut { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines that are taken, with their numbers; what starts with `!` is complained about.
    fn taken(text: &[u8]) -> (Vec<(usize, String)>, Vec<Complaint>) {
        let mut lines = Vec::new();
        let complaints = each_line(text, |number, line| {
            let line = String::from_utf8_lossy(line).into_owned();
            if line.starts_with('!') {
                return Err(line);
            }
            lines.push((number, line));
            Ok(())
        });
        (lines, complaints.into_sorted())
    }

    #[test]
    fn lines_are_taken_without_what_surrounds_them() {
        let line = |number: usize, text: &str| (number, text.to_owned());
        for (text, expected) in [
            ("", vec![]),
            ("a\nb\n", vec![line(1, "a"), line(2, "b")]),
            ("a\r\n\r\n\tb \r\n", vec![line(1, "a"), line(3, "b")]),
            ("# a\n  # b\n\n c", vec![line(4, "c")]),
            ("\u{feff}a\nb#c", vec![line(1, "a"), line(2, "b#c")]),
            ("\u{feff}# a", vec![]),
        ] {
            assert_eq!(taken(text.as_bytes()), (expected, vec![]), "{text:?}");
        }
        assert_eq!(taken(b"\xff\n").0, vec![line(1, "\u{fffd}")]);
    }

    #[test]
    fn complaints_tell_the_line() {
        let (lines, complaints) = taken(b"a\n\n!b\nc\n");
        assert_eq!(lines.len(), 2);
        assert_eq!(complaints, [Complaint { line: 3, text: "!b".to_owned() }]);
        assert_eq!(complaints[0].to_string(), "line 3: !b");
    }

    #[test]
    fn complaints_are_sorted_and_bounded() {
        let mut complaints = Complaints::default();
        for line in (1..=300).rev() {
            complaints.add(line, "no");
        }
        let complaints = complaints.into_sorted();
        assert_eq!(complaints.len(), COMPLAINTS_MAX + 1);
        assert!(complaints.is_sorted_by_key(|complaint| complaint.line));
    }

    #[test]
    fn a_file_and_a_line_have_an_end() {
        let line = [b"a".repeat(15), b"\n".to_vec()].concat();
        let fits = line.repeat(FILE_BYTES_MAX / line.len());
        assert_eq!((taken(&fits).0.len(), taken(&fits).1.len()), (fits.len() / 16, 0));
        let (lines, complaints) = taken(&[&fits[..], b"b"].concat());
        assert_eq!((lines.len(), complaints.len()), (fits.len() / 16, 1));
        assert_eq!(complaints[0].line, fits.len() / 16 + 1);
        // What stands across the bound is not taken in part.
        assert_eq!(taken(&[&fits[8..], b"bbbbbbbbb"].concat()).0.len(), fits.len() / 16);
        assert_eq!(taken(&b"a".repeat(LINE_BYTES_MAX)).0.len(), 1);
        assert_eq!(taken(&b"a".repeat(LINE_BYTES_MAX + 1)).1.len(), 1);
    }

    #[test]
    fn words_end_with_a_comment() {
        let all: Vec<&[u8]> = words(b"/a \t /b#c  301 # d").collect();
        assert_eq!(all, [&b"/a"[..], b"/b#c", b"301"]);
    }

    #[test]
    fn quotes_are_harmless() {
        assert_eq!(quoted(b"/a").to_string(), "`/a`");
        assert_eq!(quoted(b"\x1b[2J\xff").to_string(), "`\\u{1b}[2J\u{fffd}`");
        assert!(quoted(&b"a".repeat(1000)).to_string().chars().count() < 70);
    }
}
