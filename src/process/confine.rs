//! Giving up what a server does not need once it is bound: the rest of the disk, and the rights of root.
//!
//! Neither can be taken back, by this process or by whoever might take it over. Both are for programs that
//! are the server; a library leaves its host as it is.

use std::ffi::CString;
use std::io;
use std::os::fd::BorrowedFd;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, PathBeneath, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use nix::unistd::{self, Gid, Group, Uid, User};
use rustix::fs::{Mode, OFlags};

/// The newest kernel interface whose rights are all known here: on an older kernel, those it has are given
/// up.
const KNOWN_ABI: ABI = ABI::V6;

/// Whether the kernel is to keep this process below the served folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sandbox {
    /// As far as the kernel can.
    #[default]
    Auto,
    /// Else there is no serving.
    Require,
    Off,
}

/// From now on only files below `folder` can be opened, to be read; nothing can be written, run, listened on
/// or connected to. What is open stays open. Returns what the kernel enforces, in words, in which `folder` is
/// called `place`.
pub fn enter_sandbox(folder: BorrowedFd<'_>, place: &str, sandbox: Sandbox) -> io::Result<String> {
    if sandbox == Sandbox::Off {
        return Ok("off, as asked for".to_owned());
    }
    let status = restrict(folder, sandbox).map_err(|error| {
        let text = format!("cannot enter the sandbox: {error} (try '--sandbox auto')");
        io::Error::new(io::ErrorKind::Unsupported, text)
    })?;
    Ok(match status {
        (RulesetStatus::FullyEnforced, _) => {
            format!("the kernel allows reading below {place} and nothing else")
        }
        (RulesetStatus::PartiallyEnforced, _) => {
            format!("the kernel allows no files but those below {place}")
        }
        (RulesetStatus::NotEnforced, LandlockStatus::NotEnabled) => {
            "none: Landlock is not enabled in this kernel".to_owned()
        }
        (RulesetStatus::NotEnforced, _) => {
            "none: this kernel has no Landlock (Linux 5.13 or later has)".to_owned()
        }
    })
}

fn restrict(
    folder: BorrowedFd<'_>,
    sandbox: Sandbox,
) -> Result<(RulesetStatus, LandlockStatus), RulesetError> {
    let files = match sandbox {
        Sandbox::Require => CompatLevel::HardRequirement,
        Sandbox::Auto | Sandbox::Off => CompatLevel::BestEffort,
    };
    let reading = AccessFs::ReadFile | AccessFs::ReadDir;
    let status = Ruleset::default()
        .set_compatibility(files)
        .handle_access(AccessFs::from_all(ABI::V1))?
        // What later kernels can refuse beyond that is welcome and not required.
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN_ABI))?
        .handle_access(AccessNet::from_all(KNOWN_ABI))?
        .scope(Scope::from_all(KNOWN_ABI))?
        .create()?
        .add_rule(PathBeneath::new(folder, reading))?
        .restrict_self()?;
    Ok((status.ruleset, status.landlock))
}

/// Whether this process may do anything.
pub fn is_root() -> bool {
    Uid::effective().is_root()
}

/// Becomes `NAME` or `NAME:GROUP`, for good. Names may be numbers, which need no entry anywhere.
pub fn become_user(user_and_group: &str) -> io::Result<()> {
    let explain = |text: String| io::Error::new(io::ErrorKind::PermissionDenied, text);
    let (uid, gid) = find(user_and_group).map_err(explain)?;
    give_up_root(uid, gid, user_and_group.contains(':'))
        .map_err(|errno| explain(format!("cannot become {user_and_group}: {errno} (only root can)")))?;
    // Checked, since nothing after this would be safe if it were not so.
    let is_back = unistd::seteuid(Uid::from_raw(0)).is_ok() || unistd::setegid(Gid::from_raw(0)).is_ok();
    let is_other = Uid::effective() != uid || Uid::current() != uid || Gid::effective() != gid;
    if is_other || is_back && !uid.is_root() {
        return Err(explain(format!("the rights of root cannot be given up for {user_and_group}")));
    }
    Ok(())
}

/// Whether this process, whoever it has become since it opened `folder`, may still open what is in it.
pub fn check_passable(folder: BorrowedFd<'_>) -> io::Result<()> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(folder, ".", flags, Mode::empty())?;
    Ok(())
}

/// Groups first: afterwards it would not be allowed any more. Where a group was asked for it is the only one.
fn give_up_root(uid: Uid, gid: Gid, has_own_group: bool) -> nix::Result<()> {
    match User::from_uid(uid).ok().flatten() {
        Some(user) if !has_own_group => {
            let name = CString::new(user.name).map_err(|_| nix::Error::EINVAL)?;
            unistd::initgroups(&name, gid)?;
        }
        _ => unistd::setgroups(&[gid])?,
    }
    unistd::setresgid(gid, gid, gid)?;
    unistd::setresuid(uid, uid, uid)
}

fn find(user_and_group: &str) -> Result<(Uid, Gid), String> {
    let (name, group) = match user_and_group.split_once(':') {
        Some((name, group)) => (name, Some(group)),
        None => (user_and_group, None),
    };
    let number: Option<u32> = name.parse().ok();
    let user = match number {
        // A number needs no entry, nor files to look for one in: containers often have none.
        Some(number) => User::from_uid(Uid::from_raw(number)).ok().flatten(),
        None => {
            User::from_name(name).map_err(|errno| format!("cannot look up the user '{name}': {errno}"))?
        }
    };
    let uid = user.as_ref().map(|user| user.uid).or(number.map(Uid::from_raw));
    let uid = uid.ok_or_else(|| format!("no user is called '{name}' (try 'nobody')"))?;
    let gid = match group {
        Some(group) => find_group(group)?,
        // Who has no entry has a group of the same number, as is usual.
        None => user.map_or(Gid::from_raw(uid.as_raw()), |user| user.gid),
    };
    Ok((uid, gid))
}

fn find_group(group: &str) -> Result<Gid, String> {
    if let Ok(number) = group.parse() {
        return Ok(Gid::from_raw(number));
    }
    let found =
        Group::from_name(group).map_err(|errno| format!("cannot look up the group '{group}': {errno}"))?;
    found.map(|group| group.gid).ok_or_else(|| format!("no group is called '{group}'"))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    /// In a thread of its own, which is what Landlock confines.
    #[test]
    fn in_the_sandbox_only_the_folder_can_be_read() {
        let folder = tempfile::TempDir::new().expect("a folder");
        std::fs::write(folder.path().join("file"), "content").expect("a file");
        let inside = folder.path().join("file");
        let confined = std::thread::spawn(move || {
            let descriptor = std::fs::File::open(folder.path()).expect("the folder");
            let told = enter_sandbox(descriptor.as_fd(), "the folder", Sandbox::Require);
            if let Err(error) = told {
                eprintln!("SKIPPED: {error}");
                return None;
            }
            let is_read = std::fs::read(&inside).is_ok_and(|content| content == b"content");
            let is_written = std::fs::write(&inside, "other").is_ok();
            let is_left = std::fs::read("/etc/passwd").is_ok() || std::fs::read_dir("/").is_ok();
            Some((is_read, is_written, is_left))
        });
        if let Some(found) = confined.join().expect("no panic") {
            assert_eq!(found, (true, false, false), "read inside, written inside, read outside");
        }
    }

    #[test]
    fn users_and_groups_have_names_or_numbers() {
        let ids = |text: &str| find(text).map(|(uid, gid)| (uid.as_raw(), gid.as_raw())).ok();
        assert_eq!(ids("root"), Some((0, 0)));
        assert_eq!(ids("0:0"), Some((0, 0)));
        assert_eq!(ids("root:12345"), Some((0, 12345)));
        assert_eq!(ids("12345:root"), Some((12345, 0)));
        assert_eq!(ids("4000000000"), Some((4_000_000_000, 4_000_000_000)), "without an entry");
        for wrong in ["", "no-such-user", "root:no-such-group", "root:", "5000000000"] {
            assert!(find(wrong).is_err(), "{wrong}");
        }
    }
}
