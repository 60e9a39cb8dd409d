//! A listing as a page, for people and for programs that read the pages of other servers.
//!
//! For programs each entry is one link, its name and nothing else; beside them the only link leads to the
//! folder above. What is for people is no link: the order is chosen by the buttons of a form, so that who
//! follows all links fetches each folder once. The page reads without a script, in the dark, on a phone and
//! aloud; a script adds a filter, and links to the folders of the path.

use super::query::{Column, Sort};
use super::text::{Count, Size, append, push, push_text};
use crate::date;
use crate::files::entry::{Entry, EntryKind};

/// The look, that of the site in `static/`. It stands in the page, which so needs no other file.
const STYLE: &str = include_str!("style.css");
/// What stands in the page, too.
const SCRIPT: &str = include_str!("script.js");

/// What a client may do with a page of ours: apply this one style and run this one script, known by their
/// hashes, ask this site, and nothing else. Were a name ever to get through unescaped, it would load and run
/// nothing (CSP Level 3). A test holds the hashes to what they are of.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; \
     style-src 'sha256-MaFYs5EoVSxsNO33xWyjpFxCkclDalqpE5vxjq8fDeY='; \
     script-src 'sha256-rUmDNP2D59MnW5dF8ybTlJgiNrlaQt4Whes9jKKiLkk='; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'self'";

/// Rows that a browser lays out together, once they come into view: all at once may be a hundred thousand.
const GROUP_ENTRIES: u64 = 100;
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
        push(out, "</style>\n<header>\n");
        push_path(out, path);
        push(out, "</header>\n<main>\n");
        Page { sort, folders: 0, files: 0, bytes: 0 }
    }

    /// Appends a row.
    pub fn entry(&mut self, entry: &Entry, out: &mut Vec<u8>) {
        let entries_before = self.folders + self.files;
        if entries_before == 0 {
            push_table_head(out, self.sort);
        }
        if entries_before.is_multiple_of(GROUP_ENTRIES) {
            push(out, "<tbody>\n");
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
        match self.folders + self.files {
            0 => push(out, "<p>This folder is empty.</p>\n</main>\n"),
            _ => self.push_totals(out),
        }
        append(out, format_args!("<script>{SCRIPT}</script>\n"));
    }

    fn push_totals(self, out: &mut Vec<u8>) {
        push(out, "</table>\n</form>\n</main>\n<footer>");
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

/// The path as the heading, of whose parts the script makes links, and the one link that leads out of the
/// folder. It is relative, so that it holds behind a proxy that serves the folder under another path.
fn push_path(out: &mut Vec<u8>, path: &[u8]) {
    append(out, format_args!("<h1><bdi>{ROOT_LABEL}</bdi>"));
    for part in path.split(|&byte| byte == b'/').filter(|part| !part.is_empty()) {
        push(out, " / <bdi>");
        push_text(out, part);
        push(out, "</bdi>");
    }
    push(out, "</h1>\n");
    if !path.is_empty() {
        push(out, "<nav><a href=\"../\">Parent folder</a></nav>\n");
    }
}

/// The caption says the order in words, the head shows it and has a button for each of the others.
fn push_table_head(out: &mut Vec<u8>, sort: Option<Sort>) {
    push(
        out,
        "<p hidden><input type=\"search\" placeholder=\"Filter by name\" aria-label=\"Filter by name\"",
    );
    push(out, " autocomplete=\"off\" spellcheck=\"false\"> <output></output></p>\n");
    append(out, format_args!("<form>\n<table>\n<caption>{}</caption>\n<thead>\n<tr>", caption(sort)));
    for column in [Column::Name, Column::Time, Column::Size] {
        push_column_head(out, column, sort);
    }
    push(out, "\n");
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

/// A button that asks for the order which a click gives; none where nothing can be sorted.
fn push_column_head(out: &mut Vec<u8>, column: Column, sort: Option<Sort>) {
    let label = match column {
        Column::Name => "Name",
        Column::Size => "Size",
        Column::Time => "Modified<span> (UTC)</span>",
    };
    let Some(sort) = sort else {
        return append(out, format_args!("<th scope=\"col\">{label}"));
    };
    let state = match sort {
        _ if sort.column != column => "",
        Sort { descending: false, .. } => " aria-sort=\"ascending\"",
        Sort { descending: true, .. } => " aria-sort=\"descending\"",
    };
    let next = sort.after_click(column);
    append(
        out,
        format_args!("<th scope=\"col\"{state}><button name=\"sort\" value=\"{next}\">{label}</button>"),
    );
}

/// End tags that HTML lets one leave out are left out: there may be a million of them.
fn push_row(out: &mut Vec<u8>, entry: &Entry) {
    append(out, format_args!("<tr><td><a href=\"{}\">", entry.href()));
    push_text(out, entry.name);
    append(out, format_args!("{}</a>", entry.slash()));
    let date = date::format_rfc3339(entry.modified_unix_secs);
    let (day, minute) = (&date[..10], &date[11..16]);
    for part in [b"<td><time datetime=\"", &date[..], b"\">", day, b" ", minute, b"</time>"] {
        out.extend_from_slice(part);
    }
    match entry.size() {
        None => push(out, "<td>\n"),
        Some(size) => append(out, format_args!("<td title=\"{}\">{}\n", Count(size, "byte"), Size(size))),
    }
}

#[cfg(test)]
pub mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::listing::text::visible;

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

    /// What a policy says that lets through what an element holds.
    pub fn source_of(tag: &str, held: &str) -> String {
        format!("{tag}-src 'sha256-{}';", base64(&Sha256::digest(held)))
    }

    #[test]
    fn the_policy_lets_the_style_and_the_script_through_and_nothing_else() {
        for (bytes, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(bytes.as_bytes()), expected);
        }
        for page in [page(b"a/", BY_NAME, &[entry(b"a", EntryKind::File, 1)]), page(b"", BY_NAME, &[])] {
            assert!(!page.contains("style=") && !page.contains(" on"), "no hash covers attributes: {page}");
            for tag in ["style", "script"] {
                assert_eq!(page.matches(&format!("<{tag}")).count(), 1);
                let held = between(&page, &format!("<{tag}>"), &format!("</{tag}>"));
                let source = source_of(tag, held);
                assert!(CONTENT_SECURITY_POLICY.contains(&source), "it must be: {source}");
            }
        }
    }

    #[test]
    fn a_row_tells_name_time_and_size() {
        let time = "<td><time datetime=\"1994-11-06T08:49:37Z\">1994-11-06 08:49</time>";
        let folder = format!("<tr><td><a href=\"docs/\">docs/</a>{time}<td>\n");
        assert_eq!(row(&entry(b"docs", EntryKind::Folder, 4096)), folder);
        let file = "<tr><td><a href=\"a%26b.txt\">a&amp;b.txt</a>".to_owned() + time;
        let file = file + "<td title=\"1,234 bytes\">1.2 kB\n";
        assert_eq!(row(&entry(b"a&b.txt", EntryKind::File, 1234)), file);
    }

    #[test]
    fn names_stay_names() {
        for (name, link, text) in [
            (&b"<script>"[..], "%3Cscript%3E", "&lt;script&gt;"),
            (b"\" onclick=\"x", "%22%20onclick%3D%22x", "&quot; onclick=&quot;x"),
            (b"it's", "it%27s", "it's"),
            (b"a&lt;b", "a%26lt%3Bb", "a&amp;lt;b"),
            (b"a:b", "a%3Ab", "a:b"),
            (b"javascript:x", "javascript%3Ax", "javascript:x"),
            (b"#1?%41\\", "%231%3F%2541%5C", "#1?%41\\"),
            (b"a\nb\x7f", "a%0Ab%7F", "a␊b␡"),
            (b"caf\xe9", "caf%E9", "caf\u{fffd}"),
            (b"\xc2\x85", "%C2%85", "\u{fffd}"),
            ("a\u{202e}gpj.exe".as_bytes(), "a%E2%80%AEgpj.exe", "a\u{fffd}gpj.exe"),
            ("שלום\u{200f}.txt".as_bytes(), "%D7%A9%D7%9C%D7%95%D7%9D%E2%80%8F.txt", "שלום\u{200f}.txt"),
        ] {
            let row = row(&entry(name, EntryKind::File, 0));
            let anchor = format!("<tr><td><a href=\"{link}\">{text}</a><td>");
            assert!(row.starts_with(&anchor), "{row}");
        }
        let long = row(&entry(&[b'<'; 255], EntryKind::File, 0));
        assert_eq!(between(&long, "href=\"", "\"").len(), 3 * 255);
    }

    /// What a program that follows links finds: the folder above, once, and the entries.
    #[test]
    fn all_links_but_one_are_entries() {
        let entries = [entry(b"sub", EntryKind::Folder, 0), entry(b"a b", EntryKind::File, 1)];
        for (path, sort, expected) in [
            (&b""[..], BY_NAME, &["sub/", "a%20b"][..]),
            (b"docs/", BY_NAME, &["../", "sub/", "a%20b"]),
            (b"docs/deep/", None, &["../", "sub/", "a%20b"]),
        ] {
            let page = page(path, sort, &entries);
            let links = page.split("<a ").skip(1).map(|link| between(link, "href=\"", "\""));
            assert!(links.eq(expected.iter().copied()), "{page}");
            let others = page.match_indices("href").count() + page.match_indices("src").count();
            assert_eq!(others, expected.len() + 1, "but for what the script sets: {page}");
        }
    }

    #[test]
    fn the_heading_is_the_path_part_by_part() {
        for (path, heading) in [
            (&b""[..], "<bdi>Home</bdi>"),
            (b"docs/", "<bdi>Home</bdi> / <bdi>docs</bdi>"),
            (b"a b/<&\xff/", "<bdi>Home</bdi> / <bdi>a b</bdi> / <bdi>&lt;&amp;\u{fffd}</bdi>"),
        ] {
            let page = page(path, BY_NAME, &[]);
            assert_eq!(between(&page, "<h1>", "</h1>"), heading);
            assert_eq!(page.contains("Parent folder"), !path.is_empty());
        }
        assert!(page(b"a<b/", BY_NAME, &[]).contains("<title>Index of /a&lt;b/</title>"));
    }

    #[test]
    fn the_head_shows_the_order_and_has_a_button_for_each_other() {
        for (query, values, state) in [
            ("", ["-name", "-time", "-size"], "ascending"),
            ("order=desc", ["name", "-time", "-size"], "descending"),
            ("sort=size", ["name", "-time", "-size"], "ascending"),
            ("sort=-time", ["name", "time", "-size"], "descending"),
        ] {
            let sort = Sort::from_query(Some(query.as_bytes()));
            let page = page(b"", Some(sort), &[entry(b"a", EntryKind::File, 1)]);
            let form = between(&page, "<form>", "</form>");
            let heads: Vec<&str> = between(form, "<thead>", "<tbody>").split("<th ").skip(1).collect();
            for ((head, value), column) in
                heads.iter().zip(values).zip([Column::Name, Column::Time, Column::Size])
            {
                assert_eq!(between(head, "<button name=\"sort\" value=\"", "\""), value, "{query}");
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
        assert!(!page.contains("<button") && !page.contains("aria-sort=\""));
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
        assert!(page.len() < 5200, "{} bytes", page.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Markup and names do not mix: a row reads back as the name it was made of.
        #[test]
        fn any_name_reads_back(name in prop::collection::vec(any::<u8>(), 1..=255)) {
            let name: Vec<u8> = name.into_iter().filter(|byte| ![0, b'/'].contains(byte)).collect();
            let row = row(&entry(&name, EntryKind::File, 1));
            prop_assert_eq!(row.matches('<').count(), 8);
            prop_assert_eq!(row.matches('>').count(), 8);
            prop_assert_eq!(row.matches('"').count(), 6);
            prop_assert_eq!(row.find(|char: char| char.is_control()), Some(row.len() - 1));
            let link = between(&row, "href=\"", "\"");
            prop_assert!(link.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
            prop_assert_eq!(percent_decode_str(link).collect::<Vec<u8>>(), &name[..]);
            let text = unescaped(between(&row, &format!("\"{link}\">"), "</a>"));
            let expected: String = String::from_utf8_lossy(&name).chars().map(visible).collect();
            prop_assert_eq!(text, expected);
        }
    }
}
