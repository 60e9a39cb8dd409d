//! Whose site a request is for: the host of the name that was asked for.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use rustix::io::Errno;

use super::host::{Host, Remembered};
use crate::clock::Now;
use crate::files::Files;
use crate::files::entry::EntryKind;
use crate::files::folder::Item;
use crate::http::request::Request;
use crate::http::target::Target;

/// The folder for names that have none of their own.
const DEFAULT_HOST: &[u8] = b"default";
/// Hosts that are remembered.
const HOSTS_MAX: usize = 1024;
/// What a folder can be called on Linux, in bytes: so long, a host's name is worth remembering.
const NAME_BYTES_MAX: usize = 255;

/// The hosts of a server.
#[derive(Debug)]
pub enum Hosts {
    /// One, whatever a client calls it.
    One(Remembered),
    /// One for each folder.
    Virtual(VirtualHosts),
}

/// Hosts by name. Names that have no folder are not remembered: clients make them up.
#[derive(Debug)]
pub struct VirtualHosts {
    known: HashMap<Vec<u8>, Remembered>,
    /// The name of the request at hand. Kept for its memory only.
    name: Vec<u8>,
}

impl Hosts {
    /// Reads the rules that are there at the start. What is wrong with them is logged, or an error if
    /// `strict`.
    pub fn open(files: &Files, are_virtual: bool, strict: bool) -> io::Result<Hosts> {
        let names = if are_virtual { folders(files)? } else { vec![Vec::new()] };
        let mut known = HashMap::new();
        for name in names {
            let Some(host) = Remembered::load(&name, files, 0)? else { continue };
            host.tell();
            if let Some(complaint) = host.complaint().filter(|_| strict) {
                let text = format!("{complaint} (leave out '--strict' to start all the same)");
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
            known.insert(name, host);
        }
        Ok(match known.remove(&b""[..]) {
            Some(host) => Hosts::One(host),
            None => Hosts::Virtual(VirtualHosts { known, name: Vec::new() }),
        })
    }

    /// The host that `request` is for, with its rules as they are on the disk since a second ago at most;
    /// `None` if there is none of that name. An error is a shortage, which says nothing of the host.
    pub fn find(&mut self, request: &Request, files: &Files, now: &Now) -> Result<Option<Arc<Host>>, Errno> {
        match self {
            Hosts::One(known) => Ok(known.current(b"", files, now)),
            Hosts::Virtual(hosts) => hosts.find(request, files, now),
        }
    }
}

impl VirtualHosts {
    fn find(&mut self, request: &Request, files: &Files, now: &Now) -> Result<Option<Arc<Host>>, Errno> {
        let mut name = std::mem::take(&mut self.name);
        name.clear();
        let is_usable = write_folder_name(requested_host(request), &mut name);
        let host = if is_usable { self.look_up(&name, files, now) } else { Ok(None) };
        self.name = name;
        match host {
            Ok(None) => self.look_up(DEFAULT_HOST, files, now),
            host => host,
        }
    }

    fn look_up(&mut self, name: &[u8], files: &Files, now: &Now) -> Result<Option<Arc<Host>>, Errno> {
        if let Some(known) = self.known.get_mut(name) {
            let host = known.current(name, files, now);
            if host.is_none() {
                self.known.remove(name);
            }
            return Ok(host);
        }
        let Some(known) = Remembered::load(name, files, now.tick)? else { return Ok(None) };
        known.tell();
        if self.known.len() >= HOSTS_MAX {
            self.known.clear();
        }
        let host = known.host();
        self.known.insert(name.to_vec(), known);
        Ok(Some(host))
    }
}

/// The names of the folders in the root.
fn folders(files: &Files) -> io::Result<Vec<Vec<u8>>> {
    let mut folder = files.open_folder(b"")?;
    let mut names = Vec::new();
    while names.len() < HOSTS_MAX {
        match folder.read(is_folder_name)? {
            Item::Entry(entry) if entry.kind == EntryKind::Folder => names.push(entry.name.into_vec()),
            Item::Entry(_) | Item::LeftOut => {}
            Item::End => break,
        }
    }
    Ok(names)
}

/// The authority that was asked for: that of the target before the Host field (RFC 9112 §3.2.2).
fn requested_host<'a>(request: &Request<'a>) -> &'a [u8] {
    match request.target {
        Target::Path { authority: Some(authority), .. } => authority,
        _ => request.field_values("host").next().unwrap_or_default(),
    }
}

/// Writes the name of the folder for `authority`: in lower case, without a port and a dot at its end. False
/// if there can be none.
fn write_folder_name(authority: &[u8], name: &mut Vec<u8>) -> bool {
    let host = match authority.iter().rposition(|&byte| byte == b':') {
        Some(colon) if !authority.ends_with(b"]") => &authority[..colon],
        _ => authority,
    };
    let host = host.strip_suffix(b".").unwrap_or(host);
    let host = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host);
    name.extend(host.iter().map(u8::to_ascii_lowercase));
    is_folder_name(name)
}

/// Whether a host can be served from a folder of that name: one below the root, and not hidden.
fn is_folder_name(name: &[u8]) -> bool {
    let is_fit = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b':');
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
            let is_usable = write_folder_name(authority.as_bytes(), &mut name);
            assert_eq!(
                is_usable.then_some(name),
                expected.map(|name| name.as_bytes().to_vec()),
                "{authority}"
            );
        }
    }
}
