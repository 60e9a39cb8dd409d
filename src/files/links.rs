//! Symlinks beneath a folder: where a path leads by them, without ever leaving it.
//!
//! Only paths that no link is in are [opened](super::opener). The links that are there are read here, one
//! by one, and make a path without any. So it is known what a link leads to before that is opened, and what
//! is opened is what was known. `openat2` with `RESOLVE_BENEATH` follows links by itself; but it refuses an
//! absolute one that stays inside, and does not tell where it came out.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::opener::Opener;
use super::stamp::Stamp;

/// Links that are followed on one way, as many as the kernel follows.
const LINKS_MAX: usize = 40;
/// How often a way is looked for again, since it changed while it was gone.
const CHANGES_MAX: usize = 16;

/// Opens what `path` leads to beneath `base`, by links as well, if that is a path that is `allowed`. `XDEV`
/// if it is none, or lies elsewhere.
pub fn open_linked(
    opener: Opener,
    base: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    mut allowed: impl FnMut(&[u8]) -> bool,
) -> Result<OwnedFd, Errno> {
    let mut plain = resolve(opener, base, path)?;
    for _ in 0..CHANGES_MAX {
        if !allowed(&plain) {
            return Err(Errno::XDEV);
        }
        let error = match opener.open_plain(base, or_here(&plain), flags) {
            Err(errno @ (Errno::LOOP | Errno::NOENT | Errno::NOTDIR)) => errno,
            result => return result,
        };
        // A link that was changed, and what it led to removed, is no reason to say that nothing is there. A
        // link where there was none has changed, too, be it gone again or not.
        let before = std::mem::replace(&mut plain, resolve(opener, base, path)?);
        if before == plain && error != Errno::LOOP {
            return Err(error);
        }
    }
    Err(Errno::BUSY)
}

/// The path without links that `path` leads to beneath `base`.
fn resolve(opener: Opener, base: BorrowedFd<'_>, path: &[u8]) -> Result<Vec<u8>, Errno> {
    let mut has_missed = false;
    for _ in 0..CHANGES_MAX {
        let mut links_left = LINKS_MAX;
        match follow(opener, base, path, &mut links_left) {
            // What was no link when it was looked at has become one.
            Err(Errno::LOOP) if links_left > 0 => {}
            // What a link led to may have been replaced together with the link.
            Err(Errno::NOENT | Errno::NOTDIR) if links_left < LINKS_MAX && !has_missed => has_missed = true,
            result => return result,
        }
    }
    Err(Errno::BUSY)
}

fn follow(
    opener: Opener,
    base: BorrowedFd<'_>,
    path: &[u8],
    links_left: &mut usize,
) -> Result<Vec<u8>, Errno> {
    // No link is in it.
    let mut plain = Vec::new();
    let mut rest = path.to_vec();
    // Mostly, the link is the last name.
    if let Some(slash) = path.iter().rposition(|&byte| byte == b'/')
        && opener.open_plain(base, &path[..slash], LOOK).is_ok()
    {
        plain = rest.drain(..=slash).collect();
        plain.pop();
    }
    while !rest.is_empty() {
        let end = rest.iter().position(|&byte| byte == b'/');
        let name: Vec<u8> = rest.drain(..end.map_or(rest.len(), |slash| slash + 1)).collect();
        let name = name.strip_suffix(b"/").unwrap_or(&name);
        match name {
            b"" | b"." => continue,
            b".." => {
                leave(&mut plain)?;
                continue;
            }
            _ => {}
        }
        enter(&mut plain, name);
        let Some(target) = link_at(opener, base, &plain)? else { continue };
        *links_left = links_left.checked_sub(1).ok_or(Errno::LOOP)?;
        leave(&mut plain)?;
        let target = match target.starts_with(b"/") {
            true => {
                plain.clear();
                behind(base, &target)?.to_vec()
            }
            false => target,
        };
        rest = [&target, &b"/"[..], &rest].concat();
    }
    Ok(plain)
}

/// What the link at `plain` says; `None` if there is something else.
fn link_at(opener: Opener, base: BorrowedFd<'_>, plain: &[u8]) -> Result<Option<Vec<u8>>, Errno> {
    let found = opener.open_plain(base, plain, LOOK | OFlags::NOFOLLOW)?;
    if Stamp::of_open(found.as_fd())?.file_type() != FileType::Symlink {
        return Ok(None);
    }
    rustix::fs::readlinkat(&found, c"", Vec::new()).map(|target| Some(target.into_bytes()))
}

fn enter(plain: &mut Vec<u8>, name: &[u8]) {
    if !plain.is_empty() {
        plain.push(b'/');
    }
    plain.extend_from_slice(name);
}

fn leave(plain: &mut Vec<u8>) -> Result<(), Errno> {
    if plain.is_empty() {
        return Err(Errno::XDEV);
    }
    plain.truncate(plain.iter().rposition(|&byte| byte == b'/').unwrap_or(0));
    Ok(())
}

/// What is left of `target`, an absolute path, once it has led to `base`. Nothing on that way is opened but
/// to be recognised, and what is behind `base` is looked for from there.
fn behind<'t>(base: BorrowedFd<'_>, target: &'t [u8]) -> Result<&'t [u8], Errno> {
    let sought = Stamp::of_open(base)?;
    let mut here = rustix::fs::open(c"/", LOOK | OFlags::DIRECTORY, Mode::empty())?;
    let mut rest = target;
    loop {
        if Stamp::of_open(here.as_fd())?.is_of_same(&sought) {
            return Ok(rest);
        }
        let name;
        (name, rest) = match rest.iter().position(|&byte| byte == b'/') {
            Some(slash) => (&rest[..slash], &rest[slash + 1..]),
            None => (rest, &rest[rest.len()..]),
        };
        if name.is_empty() && rest.is_empty() {
            return Err(Errno::XDEV);
        }
        let next = rustix::fs::openat(&here, or_here(name), LOOK | OFlags::DIRECTORY, Mode::empty());
        // Whatever is there is no folder on the way to this one.
        here = next.map_err(|_| Errno::XDEV)?;
    }
}

/// The folder itself is called `.`.
fn or_here(path: &[u8]) -> &[u8] {
    if path.is_empty() { b"." } else { path }
}

/// To recognise something; nothing can be read by that.
const LOOK: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::*;

    /// A folder `base` beside a folder `other`, both with a file `page`.
    fn tree() -> tempfile::TempDir {
        let tree = tempfile::TempDir::new().expect("a folder");
        for folder in ["base/a/b", "other"] {
            fs::create_dir_all(tree.path().join(folder)).expect("a folder");
        }
        for file in ["base/page", "base/a/b/page", "other/page"] {
            fs::write(tree.path().join(file), file).expect("a file");
        }
        tree
    }

    fn resolved(tree: &Path, path: &str) -> Result<String, Errno> {
        let base = fs::File::open(tree.join("base")).expect("the base");
        let [whole, by_name] =
            [Opener::Whole, Opener::ByName].map(|opener| resolve(opener, base.as_fd(), path.as_bytes()));
        assert_eq!(whole, by_name, "{path}");
        whole.map(|plain| String::from_utf8(plain).expect("UTF-8"))
    }

    #[track_caller]
    fn assert_resolved(tree: &Path, expected: &[(&str, Result<&str, Errno>)]) {
        for (path, expected) in expected {
            assert_eq!(resolved(tree, path), expected.map(str::to_owned), "{path}");
        }
    }

    #[test]
    fn links_lead_where_they_say_and_never_out() {
        let tree = tree();
        for (name, target) in [
            ("file", "page"),
            ("folder", "a/b"),
            ("a/up", "../page"),
            ("a/b/chain", "../up"),
            ("dots", "./a/.././a//b/"),
            ("dots-after-link", "folder/.."),
            ("here", "."),
            ("out", "../other/page"),
            ("out-and-back", "../base/page"),
            ("out-by-link", "folder/../../../other"),
            ("broken", "nowhere"),
            ("loop", "loop"),
            ("through-file", "page/x"),
        ] {
            symlink(target, tree.path().join("base").join(name)).expect("a link");
        }
        assert_resolved(
            tree.path(),
            &[
                ("page", Ok("page")),
                ("a/b/", Ok("a/b")),
                ("file", Ok("page")),
                ("folder", Ok("a/b")),
                ("folder/page", Ok("a/b/page")),
                ("a/up", Ok("page")),
                ("folder/chain", Ok("page")),
                ("dots/page", Ok("a/b/page")),
                ("dots-after-link", Ok("a")),
                ("here", Ok("")),
                ("here/here/page", Ok("page")),
                ("out", Err(Errno::XDEV)),
                ("out-and-back", Err(Errno::XDEV)),
                ("out-by-link/page", Err(Errno::XDEV)),
                ("broken", Err(Errno::NOENT)),
                ("loop", Err(Errno::LOOP)),
                ("through-file", Err(Errno::NOTDIR)),
                // As many as the kernel follows, and no more.
                (&["here/"; 40].concat(), Ok("")),
                (&["here/"; 41].concat(), Err(Errno::LOOP)),
            ],
        );
    }

    #[test]
    fn absolute_links_that_stay_inside_are_followed() {
        let tree = tree();
        let (base, outside) = (tree.path().join("base"), tree.path().join("other"));
        for (name, target) in [
            ("file", base.join("a/b/page")),
            ("base", base.clone()),
            ("slash", base.join("a/")),
            ("round", outside.join("../base/page")),
            ("by-other", outside.join("elsewhere")),
            ("out", outside.join("page")),
            ("up", base.join("a/../../other/page")),
            ("beside", tree.path().join("base2/page")),
            ("parent", tree.path().to_owned()),
            ("root", "/".into()),
        ] {
            symlink(target, base.join(name)).expect("a link");
        }
        symlink(&base, outside.join("elsewhere")).expect("a link");
        assert_resolved(
            tree.path(),
            &[
                ("file", Ok("a/b/page")),
                ("base", Ok("")),
                ("base/a/b", Ok("a/b")),
                ("slash/b", Ok("a/b")),
                ("round", Ok("page")),
                ("by-other/page", Ok("page")),
                ("out", Err(Errno::XDEV)),
                ("up", Err(Errno::XDEV)),
                ("beside", Err(Errno::XDEV)),
                ("parent", Err(Errno::XDEV)),
                ("parent/base/page", Err(Errno::XDEV)),
                ("root", Err(Errno::XDEV)),
            ],
        );
    }

    #[test]
    fn what_becomes_a_link_and_a_folder_again_is_there_all_the_time() {
        use std::sync::atomic::{AtomicBool, Ordering};

        let tree = tree();
        let at = |name: &str| tree.path().join("base").join(name);
        fs::create_dir_all(at("e/b")).expect("a folder");
        fs::write(at("e/b/page"), "page").expect("a file");
        symlink("e", at("link")).expect("a link");
        let (base, is_over) =
            (fs::File::open(tree.path().join("base")).expect("the base"), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let exchange = rustix::fs::RenameFlags::EXCHANGE;
                    rustix::fs::renameat_with(&base, "a", &base, "link", exchange).expect("an exchange");
                    // Some thousand times a second, which is more than anybody deploys.
                    std::thread::sleep(std::time::Duration::from_micros(100));
                }
            });
            let flags = OFlags::RDONLY | OFlags::CLOEXEC;
            let open = |_| open_linked(Opener::Whole, base.as_fd(), b"a/b/page", flags, |_| true).map(drop);
            let results: Vec<_> = (0..3000).map(open).collect();
            is_over.store(true, Ordering::Relaxed);
            assert!(
                results.iter().all(|result| matches!(result, Ok(()) | Err(Errno::BUSY))),
                "it is always there"
            );
            assert!(results.iter().filter(|result| result.is_err()).count() < 30, "and nearly always found");
        });
    }

    #[test]
    fn what_is_opened_is_what_was_allowed() {
        let tree = tree();
        symlink("a/b/page", tree.path().join("base/link")).expect("a link");
        let base = fs::File::open(tree.path().join("base")).expect("the base");
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let open = |allowed: &dyn Fn(&[u8]) -> bool| {
            open_linked(Opener::Whole, base.as_fd(), b"link", flags, allowed)
        };
        assert!(open(&|plain| plain == b"a/b/page").is_ok());
        assert_eq!(open(&|plain| plain != b"a/b/page").err(), Some(Errno::XDEV));
        assert_eq!(Opener::Whole.open_plain(base.as_fd(), b"link", flags).err(), Some(Errno::LOOP));
        // It changes each time that it is looked at: neither the one nor the other can be trusted.
        let flip = |_: &[u8]| {
            for name in ["base/a/b/page", "base/a/b/other"] {
                let (from, to) = (tree.path().join(name), tree.path().join("base/a/b/moved"));
                if fs::rename(&from, to).is_ok() {
                    let next = if name.ends_with("page") { "other" } else { "page" };
                    fs::write(from.with_file_name(next), "content").expect("a file");
                    fs::remove_file(tree.path().join("base/link")).expect("the link");
                    symlink(format!("a/b/{next}"), tree.path().join("base/link")).expect("a link");
                    break;
                }
            }
            true
        };
        assert_eq!(open(&flip).err(), Some(Errno::BUSY));
    }
}
