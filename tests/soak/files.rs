//! What is served: files that stay as they are, and files that change all the time.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use pws_testing::folder::{Folder, noise};

/// The larger files; [`Files::fixed`] begins with them, in order.
const LARGER: [(&str, usize); 4] =
    [("/1k.html", 1 << 10), ("/10k.html", 10 << 10), ("/100k.html", 100 << 10), ("/1m.html", 1 << 20)];
/// How many small ones there are beside those.
pub const MANY: usize = 1000;
const BIG: (&str, usize) = ("/big.bin", 8 << 20);

/// A file with two others that a client may get in its place.
pub const VARIED: &str = "/varied.css";
/// The tokens of their codings, how their names end, and how long they are.
pub const CODINGS: [(&str, &str, usize); 2] = [("gzip", ".gz", 12_000), ("br", ".br", 4000)];

/// Some are kept in memory, others on the disk.
const CHANGING_BYTES: [usize; 5] = [160, 4096, 8192, 100 << 10, 1 << 20];
/// A record of a changing file: it tells which file and version it is of, and its place.
pub const RECORD_BYTES: usize = 16;

/// A file that stays as it is.
pub struct Fixed {
    pub target: String,
    pub content: Vec<u8>,
}

/// A file that is replaced by another version from time to time.
pub struct Changing {
    number: usize,
    pub target: String,
    path: PathBuf,
    pub len: usize,
    /// Every other version of it is that there is none.
    pub may_vanish: bool,
    /// Where the next version is written before it takes its place.
    draft: PathBuf,
    /// The version that is there at least since this was set.
    settled: AtomicU64,
    /// The version that may be there already.
    begun: AtomicU64,
}

pub struct Files {
    pub fixed: Vec<Fixed>,
    pub big: Fixed,
    pub varied: Fixed,
    /// One for each of [`CODINGS`].
    pub variants: [Vec<u8>; CODINGS.len()],
    pub changing: Vec<Changing>,
}

impl Files {
    /// Puts all of them into `folder`, which is empty.
    pub fn new(folder: &Folder) -> Files {
        let fixed = |(target, len): (&str, usize)| {
            let content = noise(len);
            folder.put(target, &content);
            Fixed { target: target.to_owned(), content }
        };
        let many = |index| fixed((&format!("/many/{index:03}.html"), 2048 + index));
        let files = Files {
            fixed: LARGER.into_iter().map(fixed).chain((0..MANY).map(many)).collect(),
            big: fixed(BIG),
            varied: fixed((VARIED, 20_000)),
            variants: CODINGS.map(|(_, end, len)| fixed((&format!("{VARIED}{end}"), len)).content),
            changing: changing(folder),
        };
        for file in &files.changing {
            folder.put(&file.target, file.content(0).unwrap_or_default());
        }
        files
    }

    /// All files, each as it is asked for, in a state that is the same each time.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        let fixed = self.fixed.iter().chain([&self.big, &self.varied]).map(|file| file.target.as_str());
        fixed.chain(self.changing.iter().map(|file| file.target.as_str()))
    }
}

fn changing(folder: &Folder) -> Vec<Changing> {
    let kinds = CHANGING_BYTES.into_iter().flat_map(|len| [(len, false), (len, true)]);
    let file = |(number, (len, may_vanish))| {
        let target = format!("/{}/{number}.bin", if may_vanish { "coming" } else { "changing" });
        Changing {
            number,
            path: folder.path(&target),
            target,
            len,
            may_vanish,
            // Not listed, and not served.
            draft: folder.root().join(format!(".draft-{number}")),
            settled: AtomicU64::new(0),
            begun: AtomicU64::new(0),
        }
    };
    kinds.enumerate().map(file).collect()
}

impl Changing {
    /// All of the file in this version; `None` if there is no file.
    pub fn content(&self, version: u64) -> Option<Vec<u8>> {
        if !self.exists_in(version) {
            return None;
        }
        let mut content = Vec::with_capacity(self.len);
        for place in 0..self.len / RECORD_BYTES {
            // Cannot fail: writing to memory.
            let _ = writeln!(content, "{:02x}{version:08x}{place:05x}", self.number);
        }
        Some(content)
    }

    pub fn exists_in(&self, version: u64) -> bool {
        !self.may_vanish || version.is_multiple_of(2)
    }

    /// The version that a part of the file, which starts with a record, says it is of.
    pub fn version_of(part: &[u8]) -> Option<u64> {
        u64::from_str_radix(std::str::from_utf8(part.get(2..10)?).ok()?, 16).ok()
    }

    /// Puts the next version in place, at once or not at all. For one thread only.
    pub fn change(&self) -> io::Result<()> {
        let version = self.settled() + 1;
        match self.content(version) {
            Some(content) => {
                fs::write(&self.draft, content)?;
                self.begun.store(version, Ordering::SeqCst);
                fs::rename(&self.draft, &self.path)?;
            }
            None => {
                self.begun.store(version, Ordering::SeqCst);
                fs::remove_file(&self.path)?;
            }
        }
        self.settled.store(version, Ordering::SeqCst);
        Ok(())
    }

    /// The oldest version that whoever asks now may see,
    pub fn settled(&self) -> u64 {
        self.settled.load(Ordering::SeqCst)
    }

    /// and the newest that may have been seen up to now.
    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::SeqCst)
    }
}
