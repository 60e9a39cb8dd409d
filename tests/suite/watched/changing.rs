//! A folder in which something changes, in every way there is.

use std::fs::{self, File};
use std::os::unix::fs::symlink;

use pws_testing::folder::Folder;
use pws_testing::rng::Rng;
use rustix::fs::{CWD, RenameFlags, renameat_with};

/// What is asked for. Each may be there or not.
pub const PATHS: [&str; 8] = [
    "page.txt",
    "a/page.txt",
    "a/b/page.txt",
    "a/b/other.txt",
    "c/page.txt",
    "c/b/page.txt",
    "c/b/other.txt",
    "a/b/deep/er/page.txt",
];

pub struct Changing {
    pub folder: Folder,
    rng: Rng,
    versions: usize,
}

/// A change: of what kind, and what is to be asked for to see it.
pub struct Change {
    pub kind: &'static str,
    pub path: &'static str,
}

impl Changing {
    pub fn new(seed: u64) -> Changing {
        let mut folder =
            Folder::new().file("kept.txt", "kept").file("target.txt", "target").file("aside", "");
        for path in PATHS {
            folder = folder.file(path, path);
        }
        Changing { folder, rng: Rng::new(seed), versions: 0 }
    }

    pub fn any_path(&mut self) -> &'static str {
        PATHS[self.rng.below(PATHS.len())]
    }

    /// What is at `path` now.
    pub fn content(&self, path: &str) -> Option<Vec<u8>> {
        fs::read(self.folder.path(path)).ok()
    }

    /// A content that no other is as long as: times alone need not tell two that follow each other closely.
    fn next_content(&mut self) -> String {
        self.versions += 1;
        format!("{:>width$}", self.versions, width = 10 + self.versions % 997)
    }

    pub fn rename_aside(&mut self) {
        fs::rename(self.folder.path("aside"), self.folder.path("aside.1")).expect("renamed");
        fs::rename(self.folder.path("aside.1"), self.folder.path("aside")).expect("renamed");
    }

    /// Changes something. What cannot be done as it is now, is not: then nothing has changed.
    pub fn change(&mut self) -> Change {
        let path = self.any_path();
        let at = self.folder.path(path);
        let (kind, _): (_, std::io::Result<()>) = match self.rng.below(16) {
            0 | 1 => ("written", fs::write(&at, self.next_content())),
            2 => ("written in place", self.write_in_place(path)),
            3 => ("grown", self.grow(path)),
            4 => ("truncated", File::options().write(true).open(&at).and_then(|file| file.set_len(3))),
            5 | 6 => ("renamed over", self.rename_over(path)),
            7 => ("removed", fs::remove_file(&at)),
            8 => ("made again", self.make_again(path)),
            9 => ("a link made", self.link(path)),
            10 => ("a link written through", fs::write(self.folder.path("target.txt"), self.next_content())),
            11 => ("linked", fs::hard_link(&at, self.folder.path("hard.txt"))),
            12 => ("written by another name", self.write_by_another_name()),
            13 => ("its parent renamed", self.rename_parent(path)),
            14 => ("its parents swapped", self.swap("a", "c")),
            _ => ("its folders swapped", self.swap("a/b", "c/b")),
        };
        Change { kind, path }
    }

    fn write_in_place(&mut self, path: &str) -> std::io::Result<()> {
        let content = self.next_content();
        let file = File::options().write(true).open(self.folder.path(path))?;
        std::os::unix::fs::FileExt::write_all_at(&file, content.as_bytes(), 0)?;
        file.set_len(content.len() as u64)
    }

    fn grow(&mut self, path: &str) -> std::io::Result<()> {
        let mut file = File::options().append(true).open(self.folder.path(path))?;
        if file.metadata()?.len() > 4000 {
            file.set_len(0)
        } else {
            std::io::Write::write_all(&mut file, b"more")
        }
    }

    fn rename_over(&mut self, path: &str) -> std::io::Result<()> {
        fs::write(self.folder.path("next"), self.next_content())?;
        fs::rename(self.folder.path("next"), self.folder.path(path))
    }

    /// What is gone with its folder, too.
    fn make_again(&mut self, path: &str) -> std::io::Result<()> {
        let at = self.folder.path(path);
        at.parent().map_or(Ok(()), fs::create_dir_all)?;
        let content = self.next_content();
        fs::remove_file(&at).or(Ok::<_, std::io::Error>(()))?;
        fs::write(at, content)
    }

    fn link(&mut self, path: &str) -> std::io::Result<()> {
        let above = "../".repeat(path.matches('/').count());
        let at = self.folder.path(path);
        fs::remove_file(&at)?;
        symlink(format!("{above}target.txt"), at)
    }

    /// The link is there for a moment only: one that stays is compared once a second.
    fn write_by_another_name(&mut self) -> std::io::Result<()> {
        let other = self.folder.path("hard.txt");
        if other.exists() {
            fs::write(&other, self.next_content())?;
            fs::remove_file(other)?;
        }
        Ok(())
    }

    fn rename_parent(&mut self, path: &str) -> std::io::Result<()> {
        let Some((parent, _)) = path.rsplit_once('/') else { return Ok(()) };
        let (here, away) = (self.folder.path(parent), self.folder.path("away"));
        if away.exists() { fs::rename(away, here) } else { fs::rename(here, away) }
    }

    fn swap(&mut self, one: &str, other: &str) -> std::io::Result<()> {
        let (one, other) = (self.folder.path(one), self.folder.path(other));
        Ok(renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE)?)
    }
}
