//! The folder that every server serves.

use std::time::Duration;

use pws_testing::folder::{Folder, noise};

pub const ONE_KB: &str = "/1k.html";
pub const TEN_KB: &str = "/10k.html";
pub const HUNDRED_KB: &str = "/large/100k.html";
pub const ONE_MB: &str = "/large/1m.html";
/// Where the large files are, for servers that are told to send them in another way.
pub const LARGE: &str = "/large";
/// How many small files there are beside those.
pub const MANY: usize = 1000;

/// For so long a file that has just been made may change unnoticed, and is not remembered.
const DOUBT: Duration = Duration::from_secs(5);

/// All files of the cases.
pub fn folder() -> Folder {
    let files = [(ONE_KB, 1 << 10), (TEN_KB, 10 << 10), (HUNDRED_KB, 100 << 10), (ONE_MB, 1 << 20)];
    let folder = files.iter().fold(Folder::new(), |folder, (target, len)| folder.file(target, noise(*len)));
    let folder = (0..MANY).fold(folder, |folder, index| folder.file(many(index), noise(2048 + index)));
    // The time of the last change to a file's name or owner cannot be set: it has to pass.
    std::thread::sleep(DOUBT);
    folder
}

/// The target of one of the small files.
pub fn many(index: usize) -> String {
    format!("/many/{index:03}.html")
}
