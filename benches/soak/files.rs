//! What is served: files that stay as they are, and files that change all the time.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::support::Result;
use crate::support::folder::{self, Folder, HUNDRED_KB, MANY, ONE_KB, ONE_MB, TEN_KB, noise};

pub const BIG: &str = "/large/big.bin";
const BIG_BYTES: usize = 8 << 20;

/// A file with two others that a client may get in its place.
pub const VARIED: &str = "/varied.css";
/// The tokens of their codings, and how their names end.
pub const CODINGS: [(&str, &str); 2] = [("gzip", ".gz"), ("br", ".br")];

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
    pub variants: Vec<Vec<u8>>,
    pub changing: Vec<Changing>,
}

impl Files {
    /// Adds to what is in `folder`.
    pub fn new(folder: &Folder) -> Result<Files> {
        let read = |target: String| -> io::Result<Fixed> {
            let content = fs::read(folder.path(&target))?;
            Ok(Fixed { target, content })
        };
        let usual = [ONE_KB, TEN_KB, HUNDRED_KB, ONE_MB].map(str::to_owned);
        let targets = usual.into_iter().chain((0..MANY).map(folder::many));
        let fixed = targets.map(read).collect::<io::Result<_>>()?;
        fs::write(folder.path(BIG), noise(BIG_BYTES))?;
        fs::write(folder.path(VARIED), noise(20_000))?;
        for (index, (_, end)) in CODINGS.iter().enumerate() {
            fs::write(folder.path(VARIED).with_extension(format!("css{end}")), noise(12_000 - 8000 * index))?;
        }
        let variants = CODINGS.map(|(_, end)| fs::read(folder.path(&format!("{VARIED}{end}")))).into_iter();
        let variants = variants.collect::<io::Result<_>>()?;
        let changing = changing(folder);
        for name in ["changing", "coming"] {
            fs::create_dir(folder.root().join(name))?;
        }
        for file in &changing {
            fs::write(&file.path, file.content(0).unwrap_or_default())?;
        }
        Ok(Files { fixed, big: read(BIG.to_owned())?, varied: read(VARIED.to_owned())?, variants, changing })
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
        !self.may_vanish || version % 2 == 0
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
