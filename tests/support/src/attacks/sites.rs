//! What is served while attacked.

use crate::folder::{Folder, noise};

/// What honest clients ask for, again and again.
pub const PAGE: &str = "/1k.html";
/// What they download.
pub const DOWNLOAD: &str = "/large/download.bin";
pub const DOWNLOAD_BYTES: u64 = 8 << 20;

pub const ONE_MB: &str = "/large/1m.bin";
pub const EIGHT_KB: &str = "/8k.bin";
pub const SIXTEEN_KB: &str = "/16k.bin";
/// The folder with many entries.
pub const CROWD: &str = "/crowd/";
/// Files of 20 KB: too large to be loaded, so that each takes a descriptor.
const FILES: usize = 24 * 64;
const FILE_BYTES: usize = 20 * 1000;
/// Files that are loaded, and fill a cache.
pub const SMALL_FILES: usize = 500;
const SMALL_FILE_BYTES: usize = 8 * 1000;

/// A folder, made when it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Site {
    /// The page and the download, with files of some sizes beside them.
    Files,
    /// A folder of so many entries.
    Listed(usize),
    /// So many blocks of `_headers` that fit every path.
    Fields(usize),
    /// So many lines of `_redirects` that fit every query of `/` but for the value.
    Redirects(usize),
}

impl Site {
    #[track_caller]
    pub fn folder(self) -> Folder {
        let folder = Folder::new().file(PAGE, noise(1 << 10)).file(DOWNLOAD, noise(DOWNLOAD_BYTES as usize));
        let folder = match self {
            Site::Files => {
                let sizes = [(EIGHT_KB, 8 << 10), (SIXTEEN_KB, 16 << 10), (ONE_MB, 1 << 20)];
                let add = |folder: Folder, (name, len)| folder.file(name, noise(len));
                let folder = sizes.into_iter().fold(folder, add);
                let add = |folder: Folder, number| folder.file(small_file(number), noise(SMALL_FILE_BYTES));
                let folder = (0..SMALL_FILES).fold(folder, add);
                (0..FILES).fold(folder, |folder, number| folder.file(file(number), noise(FILE_BYTES)))
            }
            Site::Listed(count) => folder.crowd(CROWD, count),
            Site::Fields(count) => folder.file("_headers", fields(count)),
            Site::Redirects(count) => folder.file("_redirects", redirects(count)),
        };
        // Of what has just changed nobody knows whether it will once more.
        folder.aged()
    }
}

/// The target of one of the many files; numbers beyond them start anew.
pub fn file(number: usize) -> String {
    format!("/files/{:04}.bin", number % FILES)
}

/// The target of one of the small ones.
pub fn small_file(number: usize) -> String {
    format!("/small/{:03}.bin", number % SMALL_FILES)
}

fn fields(count: usize) -> String {
    (0..count).map(|number| format!("/*\n  X-Field-{number}: {number}\n")).collect()
}

/// Twelve bytes a line, about.
pub fn redirects(count: usize) -> String {
    (0..count).map(|number| format!("/ p={number} /x\n")).collect()
}
