//! A listing as a page: a path to walk up, a table to walk down. Reads without a script, an image or another
//! file, in the dark, on a phone and aloud.

use std::fmt::{self, Display, Write as _};

use super::query::{Column, Sort};
use crate::date;
use crate::files::entry::{Entry, EntryKind};

/// The look, that of the site in `static/`. It stands in the page, which so needs nothing else.
const STYLE: &str = include_str!("style.css");

/// What a client may do with a page of ours: apply this one style, known by its hash, and nothing else.
/// Were a name ever to get through unescaped, it would load and run nothing (CSP Level 3). A test holds the
/// hash to the style.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; \
     style-src 'sha256-x2Cl/15cAmzn9ulFPgU6dHqu/sz/Ec8Pbsim2tlaaQw='; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The folder that holds all others.
const ROOT_LABEL: &str = "Home";

/// A page in the making, and what it says of all entries at its end.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    sort: Option<Sort>,
    folders: u64,
    files: u64,
    bytes: u64,
}

impl Page {
    /// Starts the page of the folder at `path`; see [`Listing::start`](super::Listing::start).
    pub fn start(path: &[u8], sort: Option<Sort>, out: &mut Vec<u8>) -> Page {
        push(out, "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n");
        push(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        push(out, "<meta name=\"color-scheme\" content=\"light dark\">\n<title>Index of /");
        push_text(out, path);
        push(out, "</title>\n<style>");
        push(out, STYLE);
        push(out, "</style>\n<header>\n<nav aria-label=\"Path\">\n");
        push_path(out, path);
        push(out, "</nav>\n</header>\n<main>\n");
        Page { sort, folders: 0, files: 0, bytes: 0 }
    }

    /// Appends a row.
    pub fn entry(&mut self, entry: &Entry, out: &mut Vec<u8>) {
        if self.folders + self.files == 0 {
            push_table_head(out, self.sort);
        }
        match entry.kind {
            EntryKind::Folder => self.folders += 1,
            EntryKind::File => self.files += 1,
        }
        self.bytes = self.bytes.saturating_add(entry.size().unwrap_or(0));
        push_row(out, entry);
    }

    /// Ends the page with what there was in all.
    pub fn end(self, out: &mut Vec<u8>) {
        if self.folders + self.files == 0 {
            return push(out, "<p>This folder is empty.</p>\n</main>\n");
        }
        push(out, "</table>\n</main>\n<footer>");
        if self.folders > 0 {
            append(out, Count(self.folders, "folder"));
        }
        if self.folders > 0 && self.files > 0 {
            push(out, ", ");
        }
        if self.files > 0 {
            append(out, format_args!("{}, {}", Count(self.files, "file"), Size(self.bytes)));
        }
        push(out, "</footer>\n");
    }
}

/// The path as the heading, each part a link. The links are relative, so that they hold behind a proxy that
/// serves the folder under another path.
fn push_path(out: &mut Vec<u8>, path: &[u8]) {
    let parts: Vec<&[u8]> = path.split(|&byte| byte == b'/').filter(|part| !part.is_empty()).collect();
    push(out, "<h1>");
    for above in (0..=parts.len()).rev() {
        match above {
            0 => push(out, "<a href=\"./\" aria-current=\"page\">"),
            _ => append(out, format_args!("<a href=\"{}\">", "../".repeat(above))),
        }
        match (parts.len() - above).checked_sub(1) {
            None => push(out, ROOT_LABEL),
            Some(index) => push_name(out, parts[index]),
        }
        push(out, if above == 0 { "</a>" } else { "</a> / " });
    }
    push(out, "</h1>\n");
    if !parts.is_empty() {
        push(out, "<p><a href=\"../\"><span aria-hidden=\"true\">↑ </span>Parent folder</a></p>\n");
    }
}

/// The caption says the order in words, the head shows it and leads to the others.
fn push_table_head(out: &mut Vec<u8>, sort: Option<Sort>) {
    append(out, format_args!("<table>\n<caption>{}</caption>\n<thead>\n<tr>", caption(sort)));
    for column in [Column::Name, Column::Size, Column::Time] {
        push_column_head(out, column, sort);
    }
    push(out, "\n<tbody>\n");
}

fn caption(sort: Option<Sort>) -> &'static str {
    let Some(Sort { column, descending }) = sort else {
        return "Not sorted: this folder has too many entries.";
    };
    match (column, descending) {
        (Column::Name, false) => "Folders first, by name from A to Z",
        (Column::Name, true) => "Folders first, by name from Z to A",
        (Column::Size, false) => "Folders first, then files from small to large",
        (Column::Size, true) => "Folders first, then files from large to small",
        (Column::Time, false) => "Folders first, by time from old to new",
        (Column::Time, true) => "Folders first, by time from new to old",
    }
}

/// A link to the order that a click gives; no link where nothing can be sorted.
fn push_column_head(out: &mut Vec<u8>, column: Column, sort: Option<Sort>) {
    let label = match column {
        Column::Name => "Name",
        Column::Size => "Size",
        Column::Time => "Modified (UTC)",
    };
    let Some(sort) = sort else {
        return append(out, format_args!("<th scope=\"col\">{label}"));
    };
    let (state, arrow) = match sort {
        _ if sort.column != column => ("", ""),
        Sort { descending: false, .. } => {
            (" aria-sort=\"ascending\"", "<span aria-hidden=\"true\"> ↑</span>")
        }
        Sort { descending: true, .. } => {
            (" aria-sort=\"descending\"", "<span aria-hidden=\"true\"> ↓</span>")
        }
    };
    let next = sort.after_click(column);
    let (by, order) = (next.column.as_str(), if next.descending { "desc" } else { "asc" });
    append(
        out,
        format_args!("<th scope=\"col\"{state}><a href=\"?sort={by}&amp;order={order}\">{label}{arrow}</a>"),
    );
}

/// End tags that HTML lets one leave out are left out: there may be a million of them.
fn push_row(out: &mut Vec<u8>, entry: &Entry) {
    push(out, "<tr><th scope=\"row\"><a href=\"");
    // Cannot fail: writing to memory.
    let _ = write!(Escaped(out), "{}", entry.link());
    push(out, "\">");
    push_name(out, entry.name);
    push(out, if entry.kind == EntryKind::Folder { "/</a>" } else { "</a>" });
    match entry.size() {
        None => push(out, "<td>"),
        Some(size) => append(out, format_args!("<td title=\"{}\">{}", Count(size, "byte"), Size(size))),
    }
    let date = date::format_rfc3339(entry.modified_unix_secs);
    let date = String::from_utf8_lossy(&date);
    let (day, minute) = (&date[..10], &date[11..16]);
    append(out, format_args!("<td><time datetime=\"{date}\">{day} {minute}</time>\n"));
}

/// A name, fenced off so that what it is written in does not turn its surroundings round.
fn push_name(out: &mut Vec<u8>, name: &[u8]) {
    push(out, "<bdi>");
    push_text(out, name);
    push(out, "</bdi>");
}

fn push_text(out: &mut Vec<u8>, text: &[u8]) {
    // Cannot fail: writing to memory.
    let _ = Escaped(out).write_str(&String::from_utf8_lossy(text));
}

fn push(out: &mut Vec<u8>, html: &str) {
    out.extend_from_slice(html.as_bytes());
}

fn append(out: &mut Vec<u8>, html: impl Display) {
    use std::io::Write;
    // Cannot fail: writing to memory.
    let _ = write!(out, "{html}");
}

/// Makes text of what is written: in an element or in an attribute between double quotes.
struct Escaped<'a>(&'a mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            match char {
                '&' => push(self.0, "&amp;"),
                '<' => push(self.0, "&lt;"),
                '>' => push(self.0, "&gt;"),
                '"' => push(self.0, "&quot;"),
                _ => push(self.0, visible(char).encode_utf8(&mut [0; 4])),
            }
        }
        Ok(())
    }
}

/// Control characters have no place in HTML and no shape on a screen. They become the pictures that Unicode
/// has of them (a newline is ␊), so that names that differ look different. Those that turn the writing round
/// are shown as something that cannot be: they can make `gpj.exe` read as `exe.jpg`.
fn visible(char: char) -> char {
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
struct Count<'a>(u64, &'a str);

impl Display for Count<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index) % 3 == 0 {
                formatter.write_char(',')?;
            }
            formatter.write_char(digit)?;
        }
        write!(formatter, " {}{}", self.1, if self.0 == 1 { "" } else { "s" })
    }
}

/// A number of bytes for people, to two or three digits. A kB has 1000 bytes, so that it can be compared with
/// the exact number at a glance.
struct Size(u64);

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
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    use super::*;

    const BY_NAME: Option<Sort> = Some(Sort { column: Column::Name, descending: false });

    fn entry(name: &[u8], kind: EntryKind, len: u64) -> Entry<'_> {
        Entry { name, kind, len, modified_unix_secs: 784_111_777 }
    }

    fn page(path: &[u8], sort: Option<Sort>, entries: &[Entry]) -> String {
        let mut out = Vec::new();
        let mut page = Page::start(path, sort, &mut out);
        entries.iter().for_each(|entry| page.entry(entry, &mut out));
        page.end(&mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    fn row(entry: &Entry) -> String {
        let mut out = Vec::new();
        push_row(&mut out, entry);
        String::from_utf8(out).expect("UTF-8")
    }

    /// What stands between the first `before` and the next `behind`.
    fn between<'a>(text: &'a str, before: &str, behind: &str) -> &'a str {
        let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
        rest.split_once(behind).unwrap_or_else(|| panic!("no {behind} in {rest}")).0
    }

    fn unescaped(html: &str) -> String {
        let html = html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
        html.replace("&amp;", "&")
    }

    /// `bytes` in Base64 (RFC 4648 §4), checked against its test vectors below (§10).
    fn base64(bytes: &[u8]) -> String {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for chunk in bytes.chunks(3) {
            let group = (0..3).fold(0, |group, at| group << 8 | usize::from(*chunk.get(at).unwrap_or(&0)));
            for at in 0..4 {
                let digit = char::from(DIGITS[group >> (18 - 6 * at) & 63]);
                text.push(if at <= chunk.len() { digit } else { '=' });
            }
        }
        text
    }

    #[test]
    fn the_policy_lets_the_style_through_and_nothing_else() {
        for (bytes, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(bytes.as_bytes()), expected);
        }
        let page = page(b"", BY_NAME, &[entry(b"a", EntryKind::File, 1)]);
        assert_eq!(page.matches("<style").count(), 1);
        assert!(!page.contains("style="), "the hash does not cover attributes");
        let hash = base64(&Sha256::digest(between(&page, "<style>", "</style>")));
        assert!(CONTENT_SECURITY_POLICY.contains(&format!("'sha256-{hash}'")), "the hash is now {hash}");
    }

    #[test]
    fn a_row_tells_name_size_and_time() {
        let folder = "<tr><th scope=\"row\"><a href=\"./docs/\"><bdi>docs</bdi>/</a>\
            <td><td><time datetime=\"1994-11-06T08:49:37Z\">1994-11-06 08:49</time>\n";
        assert_eq!(row(&entry(b"docs", EntryKind::Folder, 4096)), folder);
        let file = "<tr><th scope=\"row\"><a href=\"./a&amp;b.txt\"><bdi>a&amp;b.txt</bdi></a>\
            <td title=\"1,234 bytes\">1.2 kB\
            <td><time datetime=\"1994-11-06T08:49:37Z\">1994-11-06 08:49</time>\n";
        assert_eq!(row(&entry(b"a&b.txt", EntryKind::File, 1234)), file);
    }

    #[test]
    fn names_stay_names() {
        for (name, link, text) in [
            (&b"<script>"[..], "./%3Cscript%3E", "&lt;script&gt;"),
            (b"\" onclick=\"x", "./%22%20onclick=%22x", "&quot; onclick=&quot;x"),
            (b"it's", "./it's", "it's"),
            (b"a&lt;b", "./a&amp;lt;b", "a&amp;lt;b"),
            (b"a:b", "./a:b", "a:b"),
            (b"javascript:x", "./javascript:x", "javascript:x"),
            (b"#1?%41\\", "./%231%3F%2541%5C", "#1?%41\\"),
            (b"a\nb\x7f", "./a%0Ab%7F", "a␊b␡"),
            (b"caf\xe9", "./caf%E9", "caf\u{fffd}"),
            (b"\xc2\x85", "./%C2%85", "\u{fffd}"),
            ("a\u{202e}gpj.exe".as_bytes(), "./a%E2%80%AEgpj.exe", "a\u{fffd}gpj.exe"),
            ("שלום\u{200f}.txt".as_bytes(), "./%D7%A9%D7%9C%D7%95%D7%9D%E2%80%8F.txt", "שלום\u{200f}.txt"),
        ] {
            let row = row(&entry(name, EntryKind::File, 0));
            assert_eq!(between(&row, "href=\"", "\""), link);
            assert_eq!(between(&row, "<bdi>", "</bdi>"), text);
        }
        let long = row(&entry(&[b'<'; 255], EntryKind::File, 0));
        assert_eq!(between(&long, "href=\"", "\"").len(), 2 + 3 * 255);
    }

    #[test]
    fn the_path_leads_up_part_by_part() {
        for (path, heading) in [
            (&b""[..], "<a href=\"./\" aria-current=\"page\">Home</a>"),
            (b"docs/", "<a href=\"../\">Home</a> / <a href=\"./\" aria-current=\"page\"><bdi>docs</bdi></a>"),
            (
                b"a b/<&\xff/c/",
                "<a href=\"../../../\">Home</a> / <a href=\"../../\"><bdi>a b</bdi></a> / \
                 <a href=\"../\"><bdi>&lt;&amp;\u{fffd}</bdi></a> / \
                 <a href=\"./\" aria-current=\"page\"><bdi>c</bdi></a>",
            ),
        ] {
            let page = page(path, BY_NAME, &[]);
            assert_eq!(between(&page, "<h1>", "</h1>"), heading);
            assert_eq!(page.contains("Parent folder"), !path.is_empty());
        }
        assert!(page(b"a<b/", BY_NAME, &[]).contains("<title>Index of /a&lt;b/</title>"));
    }

    #[test]
    fn the_head_shows_the_order_and_leads_to_others() {
        for (query, links, state) in [
            ("", ["name&amp;order=desc", "size&amp;order=desc", "time&amp;order=desc"], "ascending"),
            (
                "order=desc",
                ["name&amp;order=asc", "size&amp;order=desc", "time&amp;order=desc"],
                "descending",
            ),
            ("sort=size", ["name&amp;order=asc", "size&amp;order=desc", "time&amp;order=desc"], "ascending"),
            (
                "sort=time&order=desc",
                ["name&amp;order=asc", "size&amp;order=desc", "time&amp;order=asc"],
                "descending",
            ),
        ] {
            let sort = Sort::from_query(Some(query.as_bytes()));
            let page = page(b"", Some(sort), &[entry(b"a", EntryKind::File, 1)]);
            let heads: Vec<&str> = between(&page, "<thead>", "<tbody>").split("<th ").skip(1).collect();
            for ((head, link), column) in
                heads.iter().zip(links).zip([Column::Name, Column::Size, Column::Time])
            {
                assert_eq!(between(head, "href=\"?sort=", "\""), link, "{query}");
                let is_told = head.contains(&format!("aria-sort=\"{state}\""));
                assert_eq!(
                    (is_told, head.contains("aria-sort")),
                    (sort.column == column, sort.column == column)
                );
            }
        }
    }

    #[test]
    fn too_many_to_sort_is_said() {
        let page = page(b"", None, &[entry(b"a", EntryKind::File, 1)]);
        assert!(page.contains("<caption>Not sorted: this folder has too many entries.</caption>"));
        assert!(!page.contains("?sort=") && !page.contains("aria-sort"));
    }

    #[test]
    fn the_end_tells_how_many() {
        let (folder, file) = (entry(b"a", EntryKind::Folder, 4096), entry(b"b", EntryKind::File, 700));
        for (folders, files, expected) in [
            (1, 0, "<footer>1 folder</footer>"),
            (0, 1, "<footer>1 file, 700 B</footer>"),
            (2, 3, "<footer>2 folders, 3 files, 2.1 kB</footer>"),
            (0, 1234, "<footer>1,234 files, 864 kB</footer>"),
            (0, 0, "<p>This folder is empty.</p>"),
        ] {
            let entries = [vec![folder; folders], vec![file; files]].concat();
            let page = page(b"", BY_NAME, &entries);
            assert!(page.contains(expected), "{expected}");
            assert_eq!(page.contains("<table>"), !entries.is_empty());
        }
    }

    #[test]
    fn the_page_is_small() {
        let page = page(b"docs/", BY_NAME, &[entry(b"a", EntryKind::File, 1)]);
        assert!(page.len() < 3500, "{} bytes", page.len());
    }

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

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Markup and names do not mix: a row reads back as the name it was made of.
        #[test]
        fn any_name_reads_back(name in prop::collection::vec(any::<u8>(), 1..=255)) {
            let name: Vec<u8> = name.into_iter().filter(|byte| ![0, b'/'].contains(byte)).collect();
            let row = row(&entry(&name, EntryKind::File, 1));
            prop_assert_eq!(row.matches('<').count(), 10);
            prop_assert_eq!(row.matches('>').count(), 10);
            prop_assert_eq!(row.matches('"').count(), 8);
            prop_assert_eq!(row.find(|char: char| char.is_control()), Some(row.len() - 1));
            let link = unescaped(between(&row, "href=\"", "\""));
            prop_assert!(link.is_ascii());
            let link = link.strip_prefix("./").expect("a relative link");
            prop_assert_eq!(percent_decode_str(link).collect::<Vec<u8>>(), &name[..]);
            let text = unescaped(between(&row, "<bdi>", "</bdi>"));
            let expected: String = String::from_utf8_lossy(&name).chars().map(visible).collect();
            prop_assert_eq!(text, expected);
        }
    }
}
