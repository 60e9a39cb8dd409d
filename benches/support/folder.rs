//! The folder that every server serves.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use tempfile::TempDir;

use super::Result;

pub const ONE_KB: &str = "/1k.html";
pub const TEN_KB: &str = "/10k.html";
pub const HUNDRED_KB: &str = "/large/100k.html";
pub const ONE_MB: &str = "/large/1m.html";
/// Where the large files are, for servers that are told to send them in another way.
pub const LARGE: &str = "/large";
/// How many small files there are beside those.
pub const MANY: usize = 1000;

/// Long past: a file that has just changed is not remembered by servers that care for what they remember.
const MODIFIED_UNIX_SECS: u64 = 784_111_777;

/// For so long a file that has just been made may change unnoticed.
pub const DOUBT: Duration = Duration::from_secs(5);

/// A folder that vanishes with this value.
pub struct Folder {
    temporary: TempDir,
}

impl Folder {
    /// With all files of the cases.
    pub fn new() -> Result<Folder> {
        let folder = Folder { temporary: TempDir::with_prefix("pws-bench-")? };
        fs::create_dir(folder.path(LARGE))?;
        for (path, bytes) in
            [(ONE_KB, 1 << 10), (TEN_KB, 10 << 10), (HUNDRED_KB, 100 << 10), (ONE_MB, 1 << 20)]
        {
            folder.write(path, bytes)?;
        }
        fs::create_dir(folder.root().join("many"))?;
        for index in 0..MANY {
            folder.write(&many(index), 2048 + index)?;
        }
        // The time of the last change to a file's name or owner cannot be set: it has to pass.
        std::thread::sleep(DOUBT);
        Ok(folder)
    }

    pub fn root(&self) -> &Path {
        self.temporary.path()
    }

    /// Where the file asked for as `target` is.
    pub fn path(&self, target: &str) -> PathBuf {
        self.root().join(target.trim_start_matches('/'))
    }

    fn write(&self, target: &str, len: usize) -> Result<()> {
        let path = self.path(target);
        fs::write(&path, noise(len))?;
        File::options()
            .write(true)
            .open(&path)?
            .set_modified(UNIX_EPOCH + Duration::from_secs(MODIFIED_UNIX_SECS))?;
        Ok(())
    }
}

/// The target of one of the small files.
pub fn many(index: usize) -> String {
    format!("/many/{index:03}.html")
}

/// `len` printable bytes in which no stretch repeats soon, so that a wrong piece of a file is seen.
pub fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ len as u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        b'0' + (state >> 32) as u8 % 64
    };
    (0..len).map(|_| next()).collect()
}
