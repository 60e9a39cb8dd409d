//! What the two files have in common as text: lines, words, and complaints about them.

use std::fmt::{self, Display};

/// Bytes of a file that are read: some ten thousand rules.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;
/// Rules of one file, ten times what hosts allow.
pub const RULES_MAX: usize = 10_000;
/// Bytes of a line. What it says becomes a field of a response, and clients refuse a head of more than that.
const LINE_BYTES_MAX: usize = 8 * 1024;
/// Lines and bytes of one step. Measured, that is a third of a millisecond at most.
const STEP_LINES_MAX: usize = 128;
pub const STEP_BYTES_MAX: usize = 8 * 1024;
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

/// Complaints in the making, from the first line to the last, bounded.
#[derive(Debug, Default)]
pub struct Complaints(Vec<Complaint>);

impl Complaints {
    /// Adds one; of those beyond the bound it is only said that there are some.
    pub fn add(&mut self, line: usize, text: impl Into<String>) {
        let text = match self.0.len() {
            ..COMPLAINTS_MAX => text.into(),
            COMPLAINTS_MAX => "there is more to complain about, left out here".into(),
            _ => return,
        };
        let place = self.0.partition_point(|known| known.line <= line);
        self.0.insert(place, Complaint { line, text });
    }
}

/// What makes rules of lines.
pub trait Parser {
    type Rules;

    /// Takes a line that is neither empty nor a comment, without the white space around it and with its
    /// number. An error becomes a complaint about the line.
    fn line(&mut self, number: usize, line: &[u8]) -> Result<(), String>;

    /// Behind the last line.
    fn finish(self, complaints: &mut Complaints) -> Self::Rules;
}

/// A file that is being parsed, in steps, so that nobody waits for the whole of it.
#[derive(Debug)]
pub struct Reader<P> {
    parser: P,
    text_bytes_max: usize,
    /// Where the next line starts, and its number.
    at: usize,
    number: usize,
    complaints: Complaints,
}

impl<P: Parser> Reader<P> {
    /// Of a file of which at most `text_bytes_max` bytes count.
    pub fn new(parser: P, text_bytes_max: usize) -> Reader<P> {
        Reader { parser, text_bytes_max, at: 0, number: 1, complaints: Complaints::default() }
    }

    /// Takes some lines of `text`, the same in each step; returns whether there are more.
    pub fn step(&mut self, text: &[u8]) -> bool {
        self.take(text, STEP_LINES_MAX, STEP_BYTES_MAX)
    }

    /// Takes up to `lines_max` lines that say something, and up to `bytes_max` bytes, but one line at least;
    /// returns whether there are more.
    fn take(&mut self, text: &[u8], mut lines_max: usize, bytes_max: usize) -> bool {
        let window = &text[..text.len().min(self.text_bytes_max)];
        let end = self.at.saturating_add(bytes_max);
        // Behind the last line end there is one more line, if an empty one.
        while self.at <= window.len() {
            if lines_max == 0 || self.at >= end {
                return true;
            }
            let rest = &window[self.at..];
            let len = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
            let is_cut = len == rest.len() && window.len() < text.len();
            let says_something = self.line(&rest[..len], is_cut);
            lines_max -= usize::from(says_something);
            self.at += len + 1;
            self.number += 1;
        }
        false
    }

    /// Takes one line, which may be cut by the bound on the file; returns whether the parser was asked.
    fn line(&mut self, line: &[u8], is_cut: bool) -> bool {
        let is_first = self.at == 0;
        let line = line.strip_prefix(BYTE_ORDER_MARK).filter(|_| is_first).unwrap_or(line).trim_ascii();
        let complaint = if is_cut {
            let bound = self.text_bytes_max / 1024;
            Err(format!("the file has more than {bound} KiB; it is read up to here only"))
        } else if line.len() > LINE_BYTES_MAX {
            Err(format!("the line has more than {LINE_BYTES_MAX} bytes; it is left out"))
        } else if matches!(line, [] | [b'#', ..]) {
            return false;
        } else {
            self.parser.line(self.number, line)
        };
        complaint.unwrap_or_else(|text| self.complaints.add(self.number, text));
        true
    }

    /// What was made of the lines, and what is wrong with them.
    pub fn finish(mut self) -> (P::Rules, Vec<Complaint>) {
        let rules = self.parser.finish(&mut self.complaints);
        (rules, self.complaints.0)
    }
}

/// Parses `text` at once.
pub fn parse<P: Parser>(parser: P, text: &[u8]) -> (P::Rules, Vec<Complaint>) {
    let mut reader = Reader::new(parser, FILE_BYTES_MAX);
    reader.take(text, usize::MAX, usize::MAX);
    reader.finish()
}

/// What is complained about where the rules above take all the memory they may.
pub fn too_large(bytes_max: usize) -> String {
    format!(
        "the rules above take {} KiB of memory, and may not take more; from here on they are left out: write \
         fewer, or raise '--memory'",
        bytes_max / 1024
    )
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

    /// Takes down all lines with their numbers; what starts with `!` is complained about.
    #[derive(Default)]
    struct Lines(Vec<(usize, String)>);

    impl Parser for Lines {
        type Rules = Vec<(usize, String)>;

        fn line(&mut self, number: usize, line: &[u8]) -> Result<(), String> {
            let line = String::from_utf8_lossy(line).into_owned();
            if line.starts_with('!') {
                return Err(line);
            }
            self.0.push((number, line));
            Ok(())
        }

        fn finish(self, _: &mut Complaints) -> Self::Rules {
            self.0
        }
    }

    /// The lines that are taken, and the complaints: the same at once and in steps.
    fn taken(text: &[u8]) -> (Vec<(usize, String)>, Vec<Complaint>) {
        let at_once = parse(Lines::default(), text);
        let mut reader = Reader::new(Lines::default(), FILE_BYTES_MAX);
        while reader.step(text) {}
        let in_steps = reader.finish();
        assert!(at_once == in_steps, "in steps it is another file");
        at_once
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
        let complaints = complaints.0;
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
    fn a_step_is_bounded() {
        let short = b"a\n".repeat(1000);
        let comments = b"# a comment, long as it is\n".repeat(1000);
        let long = [b"a".repeat(LINE_BYTES_MAX), b"\n".to_vec()].concat().repeat(3);
        for (text, lines, bytes) in
            [(&short, 128, 256), (&comments, 0, STEP_BYTES_MAX + 27), (&long, 1, LINE_BYTES_MAX + 1)]
        {
            let mut reader = Reader::new(Lines::default(), FILE_BYTES_MAX);
            let mut steps = 1;
            while reader.step(text) {
                assert!(reader.parser.0.len() <= steps * lines && reader.at <= steps * bytes, "{steps}");
                steps += 1;
            }
            assert!(steps >= 3, "{steps}");
        }
        // What fits into one needs no other.
        assert!(!Reader::new(Lines::default(), FILE_BYTES_MAX).step(&b"a\n".repeat(127)));
    }

    #[test]
    fn a_file_may_have_another_bound() {
        let mut reader = Reader::new(Lines::default(), 4096);
        while reader.step(&b"abcdefg\n".repeat(600)) {}
        let (lines, complaints) = reader.finish();
        assert_eq!((lines.len(), complaints.len(), complaints[0].line), (512, 1, 513));
        assert!(complaints[0].text.contains("more than 4 KiB"), "{complaints:?}");
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
