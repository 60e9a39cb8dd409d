//! Control groups: which files bound the memory of this process.
//!
//! Two texts of the kernel are read together: `/proc/self/cgroup` (cgroups(7)) tells the group within each
//! hierarchy, `/proc/self/mountinfo` (proc_pid_mountinfo(5)) where a hierarchy is mounted, and from which of
//! its groups on.

use std::path::{Path, PathBuf};

/// The file with the bound, in the folder of each group of the unified hierarchy (version 2) but the root ...
pub const UNIFIED_FILE: &str = "memory.max";
/// ... and in that of each group of the `memory` hierarchy (version 1).
pub const MEMORY_FILE: &str = "memory.limit_in_bytes";

/// The files that may hold a bound: those of the group that the process is in, and of all above it as far as
/// they can be seen. Some are not there.
pub fn memory_bound_files(groups: &str, mounts: &str) -> Vec<PathBuf> {
    let unified = group_of(groups, |controllers| controllers.is_empty()).zip(unified_mount(mounts));
    let memory = group_of(groups, |controllers| has(controllers, "memory")).zip(memory_mount(mounts));
    let kinds = [(unified, UNIFIED_FILE), (memory, MEMORY_FILE)];
    let known = kinds.into_iter().filter_map(|(found, file)| found.map(|found| (found, file)));
    known
        .flat_map(|((group, mount), file)| folders(group, mount).map(move |folder| folder.join(file)))
        .collect()
}

/// The number in such a file; `None` where it says that there is no bound.
pub fn bound_in(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// The path of the group in the first hierarchy whose controllers are as wanted: `4:cpu,memory:/path`.
fn group_of(groups: &str, are_wanted: fn(&str) -> bool) -> Option<&str> {
    groups.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let controllers = parts.next()?;
        parts.next().filter(|_| are_wanted(controllers))
    })
}

/// A mounted hierarchy.
#[derive(Clone, Copy)]
struct Mount<'a> {
    /// The group that is its topmost folder.
    group: &'a str,
    folder: &'a str,
}

fn unified_mount(mounts: &str) -> Option<Mount<'_>> {
    mounts.lines().find_map(|line| mount_in(line, |kind, _| kind == "cgroup2"))
}

fn memory_mount(mounts: &str) -> Option<Mount<'_>> {
    mounts.lines().find_map(|line| mount_in(line, |kind, options| kind == "cgroup" && has(options, "memory")))
}

/// `ID PARENT DEVICE GROUP FOLDER OPTIONS [TAG ...] - KIND SOURCE SUPER-OPTIONS`
fn mount_in(line: &str, is_wanted: fn(&str, &str) -> bool) -> Option<Mount<'_>> {
    let (place, filesystem) = line.split_once(" - ")?;
    let mut filesystem = filesystem.split(' ');
    let (kind, options) = (filesystem.next()?, filesystem.nth(1)?);
    let mut place = place.split(' ').skip(3);
    let mount = Mount { group: place.next()?, folder: place.next()? };
    is_wanted(kind, options).then_some(mount)
}

/// The folders of `group` and of those above it, up to where the hierarchy is mounted. A group that cannot be
/// seen from there, as in some containers, is taken to be that one.
fn folders<'a>(group: &str, mount: Mount<'a>) -> impl Iterator<Item = PathBuf> + use<'a> {
    let top = Path::new(mount.folder);
    let below = Path::new(group).strip_prefix(mount.group).unwrap_or(Path::new(""));
    let folder = top.join(below);
    let folders: Vec<PathBuf> =
        folder.ancestors().take_while(|at| at.starts_with(top)).map(PathBuf::from).collect();
    folders.into_iter()
}

/// Whether `name` is in a list with commas.
fn has(list: &str, name: &str) -> bool {
    list.split(',').any(|item| item == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_files(groups: &str, mounts: &str, expected: &[&str]) {
        let files = memory_bound_files(groups, mounts);
        assert_eq!(files, expected.iter().map(PathBuf::from).collect::<Vec<_>>());
    }

    #[test]
    fn the_group_and_all_above_it_count() {
        assert_files(
            "0::/system.slice/pws.service\n",
            "23 31 0:21 / /proc rw,nosuid - proc proc rw\n\
             35 24 0:30 / /sys/fs/cgroup rw,nosuid,nodev shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
            &[
                "/sys/fs/cgroup/system.slice/pws.service/memory.max",
                "/sys/fs/cgroup/system.slice/memory.max",
                "/sys/fs/cgroup/memory.max",
            ],
        );
    }

    #[test]
    fn both_versions_may_be_there() {
        assert_files(
            "5:devices:/\n4:cpu,memory:/a:b\n1:name=systemd:/\n0::/\n",
            "34 31 0:31 / /cg/cpu,memory rw - cgroup cgroup rw,cpu,memory\n\
             36 31 0:33 / /cg/devices rw - cgroup cgroup rw,devices\n\
             41 31 0:38 / /cg/unified rw - cgroup2 cgroup2 rw\n",
            &[
                "/cg/unified/memory.max",
                "/cg/cpu,memory/a:b/memory.limit_in_bytes",
                "/cg/cpu,memory/memory.limit_in_bytes",
            ],
        );
    }

    #[test]
    fn a_container_sees_a_part_of_the_hierarchy() {
        let mounts = "34 31 0:31 /docker/7f /cg/memory ro master:1 - cgroup cgroup rw,memory\n";
        let top = "/cg/memory/memory.limit_in_bytes";
        assert_files("4:memory:/docker/7f\n", mounts, &[top]);
        let inner = "/cg/memory/inner/memory.limit_in_bytes";
        assert_files("4:memory:/docker/7f/inner\n", mounts, &[inner, top]);
        assert_files("4:memory:/elsewhere\n", mounts, &[top]);
    }

    #[test]
    fn what_is_not_there_bounds_nothing() {
        let mounts = "35 24 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        assert_files("4:memory:/\n", mounts, &[]);
        assert_files("0::/\n", "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n", &[]);
        assert_files("", "", &[]);
        assert_files("0\n0:\n", "- - -\n - cgroup2\n", &[]);
    }

    #[test]
    fn a_bound_is_a_number() {
        assert_eq!(bound_in("2097152\n"), Some(2 << 20));
        assert_eq!(bound_in("max\n"), None);
        assert_eq!(bound_in("9223372036854771712\n"), Some(9_223_372_036_854_771_712));
        assert_eq!(bound_in(""), None);
    }
}
