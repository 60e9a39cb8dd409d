//! Folders to serve.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use tempfile::TempDir;

/// A folder that vanishes with this value. The served one lies inside it, so that tests have an outside too.
pub struct Folder {
    outside: TempDir,
}

/// When every file made by [`Folder::file`] was last changed: the date of RFC 9110's examples.
pub const MODIFIED_UNIX_SECS: u64 = 784_111_777;

impl Folder {
    #[track_caller]
    pub fn new() -> Folder {
        let outside = TempDir::new().expect("a temporary folder");
        fs::create_dir(outside.path().join("root")).expect("the root");
        Folder { outside }
    }

    /// Where nobody may get to.
    pub fn outside(&self) -> &Path {
        self.outside.path()
    }

    /// What is served.
    pub fn root(&self) -> PathBuf {
        self.outside.path().join("root")
    }

    /// Where the file called `name` is, which may be given as the target that asks for it.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        let name = name.as_ref();
        self.root().join(name.strip_prefix("/").unwrap_or(name))
    }

    /// Adds a file, and the folders on the way to it.
    #[track_caller]
    pub fn file(self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) -> Folder {
        write(&self.path(name), content.as_ref());
        self
    }

    /// Adds a folder with nothing in it.
    #[track_caller]
    pub fn folder(self, name: impl AsRef<Path>) -> Folder {
        fs::create_dir_all(self.path(name)).expect("a folder");
        self
    }

    /// Adds `count` empty files to the folder `name`.
    #[track_caller]
    pub fn crowd(self, name: &str, count: usize) -> Folder {
        let folder = self.path(name);
        fs::create_dir_all(&folder).expect("a folder");
        for number in 0..count {
            fs::File::create(folder.join(format!("{number:06}.txt"))).expect("a file");
        }
        self
    }

    /// Adds what is neither a file nor a folder.
    #[track_caller]
    pub fn fifo(self, name: &str) -> Folder {
        let mode = rustix::fs::Mode::from_raw_mode(0o666);
        rustix::fs::mkfifoat(rustix::fs::CWD, self.path(name), mode).expect("a FIFO");
        self
    }

    /// Sets back the times of all folders, so that they too were last changed at [`MODIFIED_UNIX_SECS`].
    #[track_caller]
    pub fn aged(self) -> Folder {
        set_back(&self.root());
        self
    }

    /// Adds a file of `len` bytes that takes no space on the disk: all of it reads as zeros.
    #[track_caller]
    pub fn sparse_file(self, name: &str, len: u64) -> Folder {
        let file = fs::File::create(self.path(name)).expect("a file");
        file.set_len(len).expect("a file system that keeps holes");
        self
    }

    /// Adds a file beside the root.
    #[track_caller]
    pub fn file_outside(self, name: &str, content: impl AsRef<[u8]>) -> Folder {
        write(&self.outside().join(name), content.as_ref());
        self
    }

    /// Says of a file that it was last changed this long after all others.
    #[track_caller]
    pub fn set_later(&self, name: &str, later: Duration) {
        set_modified(&self.path(name), Duration::from_secs(MODIFIED_UNIX_SECS) + later);
    }

    /// Says of a file that it was last changed this long before all others.
    #[track_caller]
    pub fn set_earlier(&self, name: &str, earlier: Duration) {
        set_modified(&self.path(name), Duration::from_secs(MODIFIED_UNIX_SECS) - earlier);
    }

    /// Writes a file while the folder is served.
    #[track_caller]
    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        write(&self.path(name), content.as_ref());
    }

    /// Takes a file away while the folder is served.
    #[track_caller]
    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).expect("a file to remove");
    }

    /// Adds a symlink called `name` that says `target`.
    #[track_caller]
    pub fn symlink(self, name: &str, target: impl AsRef<Path>) -> Folder {
        std::os::unix::fs::symlink(target, self.path(name)).expect("a symlink");
        self
    }
}

#[track_caller]
fn write(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("its folder");
    fs::write(path, content).expect("a file");
    set_modified(path, Duration::from_secs(MODIFIED_UNIX_SECS));
}

#[track_caller]
/// Sets when the file or folder at `path` was last changed.
pub fn set_modified(path: &Path, since_1970: Duration) {
    let file = fs::File::open(path).expect("the file again");
    set_file_modified(&file, since_1970);
}

/// Sets when `file`, which may be a folder, was last changed.
#[track_caller]
pub fn set_file_modified(file: &fs::File, since_1970: Duration) {
    file.set_modified(UNIX_EPOCH + since_1970).expect("its time");
}

#[track_caller]
fn set_back(folder: &Path) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        if entry.file_type().expect("its type").is_dir() {
            set_back(&entry.path());
        }
    }
    let file = fs::File::open(folder).expect("the folder");
    set_file_modified(&file, Duration::from_secs(MODIFIED_UNIX_SECS));
}

/// `len` bytes in which no stretch repeats soon, other ones for each `len`: a wrong piece of a file is seen.
pub fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ len as u64;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}
