//! Which folder a host is served from: the one of its name, in whatever letters that is written.

use std::collections::BTreeMap;

use rustix::io::Errno;

use crate::clock::{Now, Tick};
use crate::files::Files;
use crate::files::entry::EntryKind;
use crate::files::stamp::Stamp;
use crate::http::request::Request;
use crate::http::target::Target;

/// Hosts whose rules are read at the start, and folders in capitals that are known.
pub const HOSTS_MAX: usize = 1024;
/// What a folder can be called on Linux, in bytes: so long, a host's name is worth remembering.
const NAME_BYTES_MAX: usize = 255;
/// Looking for folders ends after so many steps, which takes some milliseconds: what has twenty thousand
/// entries is no folder of hosts.
const READS_MAX: usize = 256;

/// The folders in the root, as far as their names do not tell where they are.
#[derive(Debug, Default)]
pub struct HostFolders {
    /// What those in capitals are called, by their names in lower case.
    in_capitals: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Of the root when it was read last.
    stamp: Option<Stamp>,
    checked_tick: Option<Tick>,
}

impl HostFolders {
    /// Looks through the root; returns the names of hosts there are, in lower case.
    pub fn read(&mut self, files: &Files) -> Result<Vec<Vec<u8>>, Errno> {
        self.stamp = files.stamp_at(b".").ok();
        self.in_capitals.clear();
        let mut folder = files.open_folder(b"")?;
        let mut folders: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for _ in 0..READS_MAX {
            let has_more = folder.read(is_host, |entry| {
                if entry.kind == EntryKind::Folder {
                    let called = folders.entry(entry.name.to_ascii_lowercase()).or_default();
                    // Of several that differ in that alone, the one in lower case, which is the greatest.
                    if called.as_slice() < entry.name {
                        *called = entry.name.to_vec();
                    }
                }
            })?;
            if !has_more || folders.len() >= HOSTS_MAX {
                break;
            }
        }
        let names = folders.keys().take(HOSTS_MAX).cloned().collect();
        folders.retain(|name, folder| name != folder);
        self.in_capitals = folders;
        Ok(names)
    }

    /// Looks again if there were changes, once a second.
    pub fn refresh(&mut self, files: &Files, now: &Now) {
        if self.checked_tick.replace(now.tick) == Some(now.tick) {
            return;
        }
        let stamp = files.stamp_at(b".").ok();
        let is_same = stamp == self.stamp && !stamp.is_some_and(|stamp| stamp.is_in_doubt(now.unix_secs));
        if !is_same && let Err(errno) = self.read(files) {
            // As when the root cannot be listed: only names in lower case lead anywhere.
            log::debug!("folders of hosts are not looked for: {errno}");
        }
    }

    /// What the folder of `name` is called, if it is there.
    pub fn of<'a>(&'a self, name: &'a [u8]) -> &'a [u8] {
        self.in_capitals.get(name).map_or(name, Vec::as_slice)
    }
}

/// Writes the name of the host that was asked for, in lower case: that of the target before the Host field
/// (RFC 9112 §3.2.2). False if no folder can have it.
pub fn write_name(request: &Request, name: &mut Vec<u8>) -> bool {
    let authority = match request.target {
        Target::Path { authority: Some(authority), .. } => authority,
        _ => request.field_values("host").next().unwrap_or_default(),
    };
    write_name_of(authority, name)
}

/// The same of `authority`, without a port and a dot at its end.
fn write_name_of(authority: &[u8], name: &mut Vec<u8>) -> bool {
    let host = match authority.iter().rposition(|&byte| byte == b':') {
        Some(colon) if !authority.ends_with(b"]") => &authority[..colon],
        _ => authority,
    };
    let host = host.strip_suffix(b".").unwrap_or(host);
    let host = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host);
    name.extend(host.iter().map(u8::to_ascii_lowercase));
    is_host(name)
}

/// Whether a host can be served from a folder of that name: one below the root, and not hidden.
fn is_host(name: &[u8]) -> bool {
    let is_fit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.starts_with(b".") && name.iter().all(is_fit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_folders() {
        for (authority, expected) in [
            ("example.com", Some("example.com")),
            ("EXAMPLE.com:8080", Some("example.com")),
            ("example.com.", Some("example.com")),
            ("example.com.:80", Some("example.com")),
            ("example.com:", Some("example.com")),
            ("localhost", Some("localhost")),
            ("127.0.0.1:9000", Some("127.0.0.1")),
            ("[::1]", Some("::1")),
            ("[::1]:9000", Some("::1")),
            ("", None),
            (".", None),
            ("..", None),
            ("...", None),
            (".hidden", None),
            ("..:80", None),
            ("a%2fb", None),
            ("a;b", None),
        ] {
            let mut name = Vec::new();
            let is_usable = write_name_of(authority.as_bytes(), &mut name);
            assert_eq!(
                is_usable.then_some(name),
                expected.map(|name| name.as_bytes().to_vec()),
                "{authority}"
            );
        }
    }
}
