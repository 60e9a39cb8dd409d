//! Opening what is at a path beneath a folder, by a path that no link is in.
//!
//! `openat2` has the kernel see to that, in one call. Kernels before Linux 5.6 do not have it, and some
//! sandboxes refuse it: there each folder on the way is opened by itself, and none that is a link.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::stamp::Stamp;

/// How often a path is looked for again that changed meanwhile, or after a signal.
const CHANGES_MAX: usize = 16;
/// To go on from a folder; nothing can be read by that.
const STEP: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// How paths are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opener {
    /// By the kernel, in one call.
    Whole,
    /// Folder by folder.
    ByName,
}

impl Opener {
    /// What there is on this system, as `folder` tells.
    pub fn here(folder: BorrowedFd<'_>) -> Opener {
        match Opener::Whole.open_plain(folder, b".", STEP) {
            Err(Errno::NOSYS | Errno::PERM) => Opener::ByName,
            _ => Opener::Whole,
        }
    }

    /// Opens what is at `path` beneath `base`, where no link is in it; `LOOP` if there is one. A link itself
    /// is opened by `PATH` with `NOFOLLOW`.
    pub fn open_plain(self, base: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        match self {
            Opener::Whole => openat2(base, path, flags, ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS),
            Opener::ByName => open_by_name(base, path, flags),
        }
    }

    /// Opens what is at `path`, wherever links lead.
    pub fn open_anywhere(self, base: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        match self {
            Opener::Whole => openat2(base, path, flags, ResolveFlags::NO_MAGICLINKS),
            Opener::ByName => again(|| rustix::fs::openat(base, path, flags, Mode::empty())),
        }
    }
}

fn openat2(
    base: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    resolve: ResolveFlags,
) -> Result<OwnedFd, Errno> {
    again(|| rustix::fs::openat2(base, path, flags, Mode::empty(), resolve))
}

/// Tries again what a change or a signal has interrupted.
fn again(open: impl Fn() -> Result<OwnedFd, Errno>) -> Result<OwnedFd, Errno> {
    let mut changes_left = CHANGES_MAX;
    loop {
        match open() {
            Err(Errno::AGAIN | Errno::INTR) if changes_left > 0 => changes_left -= 1,
            // What is not in memory is told by the other name.
            Err(Errno::AGAIN) => return Err(Errno::BUSY),
            result => return result,
        }
    }
}

fn open_by_name(base: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    if path.starts_with(b"/") {
        return Err(Errno::XDEV);
    }
    // With a slash behind it, it is to be a folder.
    let flags = if path.ends_with(b"/") { flags | OFlags::DIRECTORY } else { flags };
    let end = path.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
    let path = &path[..end];
    let (folders, name) = match path.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (&path[..0], path),
    };
    let mut folder = None;
    for name in folders.split(|&byte| byte == b'/').filter(|name| !name.is_empty()) {
        folder = Some(open_one(folder.as_ref().map_or(base, OwnedFd::as_fd), name, STEP)?);
    }
    open_one(folder.as_ref().map_or(base, OwnedFd::as_fd), name, flags)
}

/// Opens what is called `name` in `folder`, where that is no link and does not lead up.
fn open_one(folder: BorrowedFd<'_>, name: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    if name == b".." {
        return Err(Errno::XDEV);
    }
    let is_link_itself = flags.contains(OFlags::PATH | OFlags::NOFOLLOW);
    match again(|| rustix::fs::openat(folder, name, flags | OFlags::NOFOLLOW, Mode::empty())) {
        Ok(found) if flags.contains(OFlags::PATH) && !is_link_itself => {
            let is_link = Stamp::of_open(found.as_fd())?.file_type() == FileType::Symlink;
            if is_link { Err(Errno::LOOP) } else { Ok(found) }
        }
        // A link is no folder either.
        Err(Errno::NOTDIR) if is_link(folder, name) => Err(Errno::LOOP),
        result => result,
    }
}

fn is_link(folder: BorrowedFd<'_>, name: &[u8]) -> bool {
    let found = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW);
    found.is_ok_and(|stat| Stamp::of(&stat).file_type() == FileType::Symlink)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// Both ways are held to each other, on everything that a path may be made of.
    #[test]
    fn both_ways_open_the_same() {
        let tree = tempfile::tempdir().expect("a folder");
        let at = |name: &str| tree.path().join("base").join(name);
        fs::create_dir_all(at("a/b")).expect("a folder");
        for file in ["a/b/page", "a/page", "page"] {
            fs::write(at(file), file).expect("a file");
        }
        fs::write(tree.path().join("outside"), "outside").expect("a file");
        for (name, target) in
            [("a/link", "page"), ("link", "a"), ("a/b/up", "../.."), ("out", "../outside"), ("loop", "loop")]
        {
            symlink(target, at(name)).expect("a link");
        }
        let base = fs::File::open(tree.path().join("base")).expect("the base");
        let read = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let all_flags = [read, read | OFlags::DIRECTORY, STEP, OFlags::PATH, OFlags::PATH | OFlags::NOFOLLOW];
        let names = ["a", "b", "page", "link", "up", "out", "loop", "nowhere", ".", "..", ""];
        let long = "x".repeat(300);
        let mut paths: Vec<String> = vec![long, "/".to_owned(), "/a".to_owned()];
        for first in names {
            paths.push(first.to_owned());
            for second in names {
                paths.push(format!("{first}/{second}"));
                paths.extend(names.map(|third| format!("{first}/{second}/{third}")));
            }
        }
        let mut opened = 0;
        for path in &paths {
            for flags in all_flags {
                let [whole, by_name] = [Opener::Whole, Opener::ByName].map(|opener| {
                    let found = opener.open_plain(base.as_fd(), path.as_bytes(), flags);
                    found.map(|found| rustix::fs::fstat(found).expect("its state").st_ino)
                });
                opened += usize::from(whole.is_ok());
                // A path that leads up and back down again is none that is asked for.
                let leads_up = path.split('/').any(|name| name == "..");
                match leads_up {
                    true => assert!(by_name.is_err(), "{path:?}: {by_name:?}"),
                    false => assert_eq!(by_name, whole, "{path:?} {flags:?}"),
                }
            }
        }
        assert!(opened > 100, "{opened}");
    }

    #[test]
    fn this_system_is_asked_once() {
        let folder = fs::File::open(".").expect("a folder");
        let has_call = rustix::fs::openat2(&folder, ".", STEP, Mode::empty(), ResolveFlags::BENEATH).is_ok();
        let expected = if has_call { Opener::Whole } else { Opener::ByName };
        assert_eq!(Opener::here(folder.as_fd()), expected);
    }
}
