//! Names of every kind, from the disk to the page and back: each link leads to the file it stands for.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use pws_testing::folder::Folder;

use crate::support::listed::{column, document, followed, name_in, rows};
use crate::support::visitor::Visitor;

/// What gets mangled where markup, URLs or text are put together without care.
const NAMES: [&[u8]; 30] = [
    b"plain.txt",
    b"two words",
    b" ",
    b"\"double\"",
    b"'single'",
    b"<script>alert(1)<",
    b"<bdi><b>",
    b"a&amp;b&lt",
    b"a\nb",
    b"a\r\nX-Injected: yes",
    b"tab\there",
    b"#fragment",
    b"a?query=1",
    b"100%",
    b"%41",
    b"%2e%2e",
    b"a%00b",
    b"a\\b",
    b"javascript:alert(1)",
    b"http:",
    b"a:b",
    b"a;b=c,d+e",
    b"caf\xe9",
    b"\xff\xfe",
    b"\xc3",
    "caf\u{e9}".as_bytes(),
    "\u{202e}gpj.exe".as_bytes(),
    "\u{5e9}\u{5dc}\u{5d5}\u{5dd}".as_bytes(),
    b"\x7f\x01",
    b"...",
];

/// The names but the one that is hidden.
pub fn visible_names() -> Vec<&'static [u8]> {
    NAMES.into_iter().filter(|name| !name.starts_with(b".")).collect()
}

pub fn content_of(name: &[u8]) -> Vec<u8> {
    [b"content of ", name].concat()
}

/// Each name as a file, and as a folder with a file of that name.
pub fn folder() -> Folder {
    NAMES.iter().fold(Folder::new(), |folder, name| {
        let name = OsStr::from_bytes(name);
        let file = OsStr::from_bytes(b"files").to_owned();
        let deep = [OsStr::new("folders"), name, name].iter().collect::<std::path::PathBuf>();
        folder
            .file(std::path::Path::new(&file).join(name), content_of(name.as_bytes()))
            .file(deep, content_of(name.as_bytes()))
    })
}

#[test]
fn every_link_of_a_page_leads_to_its_file() {
    let mut visitor = Visitor::of(folder());
    let page = visitor.get("/files/");
    let links: Vec<String> = rows(&page).into_iter().map(|row| row.link).collect();
    assert_eq!(links.len(), visible_names().len());
    for link in &links {
        let answer = visitor.get(&followed("/files/", link));
        assert!(answer.status == 200 && answer.body == content_of(&name_in(link)), "{link}");
    }
    let mut names: Vec<Vec<u8>> = links.iter().map(|link| name_in(link)).collect();
    names.sort();
    let mut expected = visible_names();
    expected.sort();
    assert_eq!(names, expected);
    assert!(!page.text().contains("<script>alert"));
}

#[test]
fn every_url_of_a_document_leads_to_its_file() {
    let mut visitor = Visitor::of(folder());
    let document = document(&visitor.get("/files/?format=json"));
    let (urls, names) = (column(&document, "url"), column(&document, "name"));
    assert_eq!(urls.len(), visible_names().len());
    for (url, name) in urls.iter().zip(names) {
        let answer = visitor.get(&followed("/files/", url));
        assert!(answer.status == 200 && answer.body == content_of(&name_in(url)), "{url}");
        assert_eq!(name, String::from_utf8_lossy(&name_in(url)));
    }
}

#[test]
fn folders_of_any_name_are_walked_down_and_up() {
    let mut visitor = Visitor::of(folder());
    let folders = rows(&visitor.get("/folders/"));
    assert_eq!(folders.len(), visible_names().len());
    for row in folders {
        let below = followed("/folders/", &row.link);
        let page = visitor.get(&below);
        assert_eq!(page.status, 200, "{below}");
        let inside = rows(&page);
        assert_eq!(inside.len(), 1, "{below}");
        let answer = visitor.get(&followed(&below, &inside[0].link));
        assert!(answer.body == content_of(&name_in(&inside[0].link)), "{below}");
        assert_eq!(format!("{}/", inside[0].text), row.text);
        assert!(page.text().contains("<a href=\"../\">Parent folder</a>"), "{below}");
        // Without its slash it is led to the same place.
        let target = below.trim_end_matches('/');
        let bare = visitor.get(target);
        assert_eq!((bare.status, bare.led_to(target).as_deref()), (301, Some(&*below)));
    }
}
