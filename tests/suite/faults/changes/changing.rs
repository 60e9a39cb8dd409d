//! Hands that change a folder without pause, each in one way.

use std::fs::{self, File, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::asking::OUTSIDE;
use super::lines::{LINE_BYTES, content};

pub fn small_lines(version: u32) -> usize {
    100 + version as usize % 7
}

/// More than the kernel keeps on the way to a client that reads slowly.
pub fn large_lines(version: u32) -> usize {
    4 * 32 * 1024 + version as usize % 7
}

/// What is changed, by a path that holds wherever the folder itself is moved.
pub struct Changing {
    _root: File,
    root: PathBuf,
    /// Where the folder is for now, and where nobody may get to.
    place: PathBuf,
    outside: PathBuf,
}

impl Changing {
    /// Makes all that [`ways`](Changing::ways) change. `outside` is where the folder `place` lies.
    #[track_caller]
    pub fn of(place: PathBuf, outside: &Path) -> Changing {
        let file = File::open(&place).expect("the root");
        let root = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        for folder in ["swapped", "here"] {
            fs::create_dir(root.join(folder)).expect("a folder");
        }
        let secrets = outside.join("secrets");
        fs::create_dir(&secrets).expect("a folder");
        for name in ["inner", OUTSIDE] {
            fs::write(secrets.join(name), OUTSIDE.repeat(100)).expect("a file");
        }
        symlink("../secrets", root.join("link")).expect("a symlink");
        symlink(secrets.join("inner"), root.join("mask")).expect("a symlink");
        let changing = Changing { _root: file, root, place, outside: outside.to_owned() };
        for (name, lines_of) in FILES {
            changing.replace(name, 0, lines_of);
        }
        changing
    }

    /// Puts a version of `target` in the place of the one before, at once.
    #[track_caller]
    fn replace(&self, target: &str, version: u32, lines_of: LinesOf) {
        let name = target.rsplit('/').next().expect("a name");
        let next = self.outside.join(format!("next-{name}"));
        fs::write(&next, content(name, version, lines_of(version))).expect("the next version");
        fs::rename(next, self.root.join(target)).expect("its rename");
    }

    #[track_caller]
    fn exchange(&self, one: &str, other: &str) {
        let (one, other) = (self.root.join(one), self.root.join(other));
        renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).expect("an exchange");
    }

    /// One round of each way, to be run again and again with `version` counting up.
    pub fn ways() -> [fn(&Changing, u32); 9] {
        [
            Changing::replace_files,
            Changing::replace_rarely,
            Changing::remove,
            Changing::cut,
            Changing::grow,
            Changing::lock,
            Changing::exchange_for_what_leads_outside,
            Changing::move_a_folder,
            Changing::move_the_root,
        ]
    }

    fn replace_files(&self, version: u32) {
        self.replace("small", version, small_lines);
        self.replace("large", version, large_lines);
        pause(3);
    }

    /// Old enough to be remembered when it changes.
    fn replace_rarely(&self, version: u32) {
        if version % 450 == 449 {
            self.replace("rare", version, small_lines);
        }
        pause(10);
    }

    #[track_caller]
    fn remove(&self, version: u32) {
        self.replace("removed", version, small_lines);
        pause(1);
        fs::remove_file(self.root.join("removed")).expect("it is there");
        pause(1);
    }

    #[track_caller]
    fn cut(&self, version: u32) {
        self.replace("cut", version, large_lines);
        let file = File::options().write(true).open(self.root.join("cut")).expect("the file");
        for lines in [100_000, 50_000, 20_000, 0] {
            pause(5);
            file.set_len(lines * LINE_BYTES as u64).expect("a shorter file");
        }
        // Nothing: no version would show in it.
        pause(1);
    }

    #[track_caller]
    fn grow(&self, version: u32) {
        use std::io::Write;

        self.replace("grown", version, |_| 1);
        let mut file = File::options().append(true).open(self.root.join("grown")).expect("the file");
        let all = content("grown", version, 50_000);
        for piece in all[LINE_BYTES..].chunks(64 * 1024) {
            file.write_all(piece).expect("a longer file");
            pause(1);
        }
    }

    #[track_caller]
    fn lock(&self, _version: u32) {
        for mode in [0o000, 0o644] {
            fs::set_permissions(self.root.join("locked"), Permissions::from_mode(mode)).expect("its mode");
            pause(1);
        }
    }

    /// In a tight loop: a folder and a file, each with a symlink.
    #[track_caller]
    fn exchange_for_what_leads_outside(&self, _version: u32) {
        for _ in 0..100 {
            self.exchange("swapped", "link");
            self.exchange("face", "mask");
        }
    }

    #[track_caller]
    fn move_a_folder(&self, _version: u32) {
        for (from, to) in [("here", "there"), ("there", "here")] {
            fs::rename(self.root.join(from), self.root.join(to)).expect("a folder to move");
            pause(1);
        }
    }

    /// Away, for another with the same names to take its place, and back.
    #[track_caller]
    fn move_the_root(&self, _version: u32) {
        let (away, other) = (self.outside.join("away"), self.outside.join("secrets"));
        fs::rename(&self.place, &away).expect("the root");
        fs::rename(&other, &self.place).expect("another in its place");
        pause(1);
        fs::rename(&self.place, &other).expect("the other");
        fs::rename(&away, &self.place).expect("the root");
        pause(1);
    }
}

/// How many lines a version has.
pub type LinesOf = fn(u32) -> usize;

/// All that are replaced, and how many lines their versions have.
const FILES: [(&str, LinesOf); 10] = [
    ("small", small_lines),
    ("large", large_lines),
    ("rare", small_lines),
    ("removed", small_lines),
    ("cut", large_lines),
    ("grown", |_| 1),
    ("locked", small_lines),
    ("swapped/inner", small_lines),
    ("face", small_lines),
    ("here/moved", small_lines),
];

fn pause(millis: u64) {
    sleep(Duration::from_millis(millis));
}
