//! Whose site a request is for: the folder it is served from, and the rules that lie in it.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use rustix::io::Errno;

use crate::clock::{Now, Tick};
use crate::files::Files;
use crate::files::root::Stamp;
use crate::http::request::Request;
use crate::http::target::Target;
use crate::rules::text::FILE_BYTES_MAX;
use crate::rules::{Complaint, Headers, Redirects};

/// The files that rules are in. They are never served.
pub const RULE_FILES: [&[u8]; 2] = [REDIRECTS, HEADERS];
const REDIRECTS: &[u8] = b"_redirects";
const HEADERS: &[u8] = b"_headers";
/// The folder for names that have none of their own.
const DEFAULT_HOST: &[u8] = b"default";
/// Host names that are remembered, known or not: clients make them up.
const HOSTS_MAX: usize = 1024;
/// What a folder can be called on Linux, in bytes: so long, a host's name is worth remembering.
const NAME_BYTES_MAX: usize = 255;

/// A site of its own: a folder and its rules.
#[derive(Debug, Default)]
pub struct Host {
    /// Where its folder is below the root: empty, or with a slash at the end.
    pub prefix: Vec<u8>,
    pub redirects: Redirects,
    pub headers: Headers,
}

/// What is known of a host name.
#[derive(Debug)]
pub struct Known {
    /// `None`: there is no folder for it.
    host: Option<Arc<Host>>,
    /// Of the files its rules were read from.
    stamps: [Option<Stamp>; 2],
    /// What is wrong with them, as it was told.
    complaints: Vec<String>,
    checked_tick: Tick,
}

/// The hosts of a server.
#[derive(Debug)]
pub enum Hosts {
    /// One, whatever a client calls it.
    One(Known),
    /// One for each folder.
    Virtual(VirtualHosts),
}

/// Hosts by name.
#[derive(Debug)]
pub struct VirtualHosts {
    known: HashMap<Vec<u8>, Known>,
    /// The name of the request at hand. Kept for its memory only.
    name: Vec<u8>,
}

impl Hosts {
    /// Reads the rules that are there at the start. What is wrong with them is logged, or an error if
    /// `strict`.
    pub fn open(files: &Files, are_virtual: bool, strict: bool) -> io::Result<Hosts> {
        let load = |name: &[u8]| {
            let host = Known::load(name, files, 0);
            host.tell();
            let Some(complaint) = host.complaints.first().filter(|_| strict) else { return Ok(host) };
            let more = host.complaints.len() - 1;
            let text = format!("{complaint} ({more} more; leave out '--strict' to start all the same)");
            Err(io::Error::new(io::ErrorKind::InvalidData, text))
        };
        if !are_virtual {
            return load(b"").map(Hosts::One);
        }
        let hosts = folders(files)?.into_iter().map(|name| Ok((name.clone(), load(&name)?)));
        let known = hosts.collect::<io::Result<_>>()?;
        Ok(Hosts::Virtual(VirtualHosts { known, name: Vec::new() }))
    }

    /// The host that `request` is for, with its rules as they are on the disk since a second ago at most.
    pub fn find(&mut self, request: &Request, files: &Files, now: &Now) -> Option<Arc<Host>> {
        match self {
            Hosts::One(known) => known.current(b"", files, now),
            Hosts::Virtual(hosts) => hosts.find(request, files, now),
        }
    }
}

impl VirtualHosts {
    fn find(&mut self, request: &Request, files: &Files, now: &Now) -> Option<Arc<Host>> {
        let mut name = std::mem::take(&mut self.name);
        name.clear();
        let is_usable = write_folder_name(requested_host(request), &mut name);
        let host = if is_usable { self.look_up(&name, files, now) } else { None };
        self.name = name;
        host.or_else(|| self.look_up(DEFAULT_HOST, files, now))
    }

    fn look_up(&mut self, name: &[u8], files: &Files, now: &Now) -> Option<Arc<Host>> {
        if let Some(known) = self.known.get_mut(name) {
            return known.current(name, files, now);
        }
        if self.known.len() >= HOSTS_MAX {
            self.known.clear();
        }
        let known = Known::load(name, files, now.tick);
        known.tell();
        let host = known.host.clone();
        self.known.insert(name.to_vec(), known);
        host
    }
}

impl Known {
    /// Looks for the folder of `name` and reads its rules.
    fn load(name: &[u8], files: &Files, checked_tick: Tick) -> Known {
        let mut prefix = name.to_vec();
        if !name.is_empty() {
            prefix.push(b'/');
            if files.stamp_of_folder(&prefix).is_err() {
                return Known { host: None, stamps: [None; 2], complaints: Vec::new(), checked_tick };
            }
        }
        let mut complaints = Vec::new();
        let mut read = |file: &[u8]| {
            let path = [&prefix[..], file].concat();
            let shown = path.escape_ascii().to_string();
            // A byte more than is taken shows that there is more.
            match files.read(&path, FILE_BYTES_MAX + 1) {
                Ok((text, stamp)) => (text, Some(stamp), shown),
                Err(Errno::NOENT) => (Vec::new(), None, shown),
                Err(errno) => {
                    complaints.push(format!("{shown} cannot be read: {errno}"));
                    (Vec::new(), None, shown)
                }
            }
        };
        let (redirects, headers) = (read(REDIRECTS), read(HEADERS));
        let stamps = [redirects.1, headers.1];
        let mut tell = |file: &str, wrong: Vec<Complaint>| {
            complaints.extend(wrong.iter().map(|complaint| format!("{file} {complaint}")));
        };
        let (redirects_file, headers_file) = (redirects.2, headers.2);
        let (redirects, wrong) = Redirects::parse(&redirects.0);
        tell(&redirects_file, wrong);
        let (headers, wrong) = Headers::parse(&headers.0);
        tell(&headers_file, wrong);
        let host = Some(Arc::new(Host { prefix, redirects, headers }));
        Known { host, stamps, complaints, checked_tick }
    }

    /// The host, if there is one, checked once a second.
    fn current(&mut self, name: &[u8], files: &Files, now: &Now) -> Option<Arc<Host>> {
        if self.checked_tick != now.tick {
            self.refresh(name, files, now);
        }
        self.host.clone()
    }

    /// Reads again what has changed, or may have and kept its time.
    fn refresh(&mut self, name: &[u8], files: &Files, now: &Now) {
        self.checked_tick = now.tick;
        let is_same = match &self.host {
            None => false,
            Some(host) => {
                let is_there = name.is_empty() || files.stamp_of_folder(&host.prefix).is_ok();
                is_there
                    && RULE_FILES.iter().zip(&self.stamps).all(|(file, known)| {
                        let path = [&host.prefix[..], file].concat();
                        let stamp = files.stamp_at(&path).ok();
                        stamp == *known && !stamp.is_some_and(|stamp| stamp.is_in_doubt(now.unix_secs))
                    })
            }
        };
        if !is_same {
            let told = std::mem::replace(self, Known::load(name, files, now.tick)).complaints;
            // What may have changed is often read again and the same.
            if self.complaints != told {
                self.tell();
            }
        }
    }

    fn tell(&self) {
        for complaint in &self.complaints {
            log::warn!("{complaint}");
        }
    }
}

/// The names of the folders in the root.
fn folders(files: &Files) -> io::Result<Vec<Vec<u8>>> {
    use crate::listing::entry::Kind;

    let mut folder = files.open_folder(b"")?;
    let entries = std::iter::from_fn(|| folder.next_entry()).take(HOSTS_MAX);
    let folders = entries.filter_map(Result::ok).filter(|entry| entry.kind == Kind::Folder);
    Ok(folders.map(|entry| entry.name.into_vec()).filter(|name| is_folder_name(name)).collect())
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
