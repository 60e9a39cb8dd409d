//! The folder the table asks for.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use pws_testing::folder::{Folder, MODIFIED_UNIX_SECS};

/// How long `/numbers.txt` is.
const NUMBERS_LEN: usize = 1000;

/// `0000 0001 0002 ...`: no five bytes of it stand in two places.
pub fn numbers() -> Vec<u8> {
    let numbers: String = (0..).map(|number| format!("{number:04} ")).take(NUMBERS_LEN / 5).collect();
    numbers.into_bytes()
}

/// Names are bytes: some are not UTF-8, some have control bytes.
const FILES: [(&[u8], &str); 12] = [
    (b"index.html", "<p>home"),
    (b"hello.txt", "hello\n"),
    (b"empty.txt", ""),
    (b"a b.txt", "space"),
    (b"a+b.txt", "plus"),
    (b"\xc3\xbc.txt", "UTF-8"),
    (b"\xff.txt", "not UTF-8"),
    (b"docs/index.html", "<p>docs"),
    (b"bare/file.txt", "a folder without index"),
    (b"evil.com/sub/index.html", ""),
    (b"\\evil.com/index.html", ""),
    (b"two\r\nlines/index.html", ""),
];

/// Writes all files into `root`.
#[track_caller]
pub fn write(root: &Path) {
    let numbers = numbers();
    let small = FILES.iter().map(|(name, content)| (*name, content.as_bytes()));
    for (name, content) in small.chain([(&b"numbers.txt"[..], &numbers[..])]) {
        let path = root.join(OsStr::from_bytes(name));
        fs::create_dir_all(path.parent().expect("a parent")).expect("its folder");
        fs::write(&path, content).expect("a file");
        let file = fs::File::options().write(true).open(&path).expect("the file again");
        file.set_modified(UNIX_EPOCH + Duration::from_secs(MODIFIED_UNIX_SECS)).expect("its time");
    }
}

pub fn folder() -> Folder {
    let folder = Folder::new();
    write(&folder.root());
    folder
}
