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
use crate::listing::entry::Kind;
use crate::rules::text::FILE_BYTES_MAX;
use crate::rules::{Complaint, Headers, Redirects};

/// The files that rules are in. They are never served.
pub const RULE_FILES: [&[u8]; 2] = [REDIRECTS, HEADERS];
const REDIRECTS: &[u8] = b"_redirects";
const HEADERS: &[u8] = b"_headers";
/// The folder for names that have none of their own.
const DEFAULT_HOST: &[u8] = b"default";
/// Hosts that are remembered.
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

/// A host, as it was when it was last looked at.
#[derive(Debug)]
pub struct Remembered {
    host: Arc<Host>,
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
            if let Some(complaint) = host.complaints.first().filter(|_| strict) {
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
        let host = Arc::clone(&known.host);
        self.known.insert(name.to_vec(), known);
        Ok(Some(host))
    }
}

impl Remembered {
    /// Looks for the folder of `name` and reads its rules; `None` if there is no such folder.
    fn load(name: &[u8], files: &Files, checked_tick: Tick) -> Result<Option<Remembered>, Errno> {
        let mut prefix = name.to_vec();
        if !name.is_empty() {
            prefix.push(b'/');
            match files.stamp_of_folder(&prefix) {
                Ok(_) => {}
                Err(errno) if is_shortage(errno) => return Err(errno),
                Err(_) => return Ok(None),
            }
        }
        let mut complaints = Vec::new();
        let redirects_file = RuleFile::read(&prefix, REDIRECTS, files, &mut complaints)?;
        let headers_file = RuleFile::read(&prefix, HEADERS, files, &mut complaints)?;
        let stamps = [redirects_file.stamp, headers_file.stamp];
        let (redirects, wrong) = Redirects::parse(&redirects_file.text);
        complaints.extend(redirects_file.named(wrong));
        let (headers, wrong) = Headers::parse(&headers_file.text);
        complaints.extend(headers_file.named(wrong));
        let host = Arc::new(Host { prefix, redirects, headers });
        Ok(Some(Remembered { host, stamps, complaints, checked_tick }))
    }

    /// The host, checked once a second; `None` if its folder is gone.
    fn current(&mut self, name: &[u8], files: &Files, now: &Now) -> Option<Arc<Host>> {
        if self.checked_tick != now.tick {
            self.checked_tick = now.tick;
            if !self.is_same(files, now) {
                match Remembered::load(name, files, now.tick) {
                    Ok(Some(changed)) => {
                        if changed.complaints != self.complaints {
                            changed.tell();
                        }
                        *self = changed;
                    }
                    Ok(None) => return None,
                    // What is known is better than nothing, and asked for again soon.
                    Err(errno) => log::debug!("rules are not read again: {errno}"),
                }
            }
        }
        Some(Arc::clone(&self.host))
    }

    /// Whether folder and rules are what they were, and will not change and keep their time.
    fn is_same(&self, files: &Files, now: &Now) -> bool {
        let prefix = &self.host.prefix;
        let is_there = prefix.is_empty() || files.stamp_of_folder(prefix).is_ok();
        is_there
            && RULE_FILES.iter().zip(&self.stamps).all(|(file, known)| {
                let stamp = files.stamp_at(&[prefix, *file].concat()).ok();
                stamp == *known && !stamp.is_some_and(|stamp| stamp.is_in_doubt(now.unix_secs))
            })
    }

    fn tell(&self) {
        for complaint in &self.complaints {
            log::warn!("{complaint}");
        }
    }
}

/// A file with rules.
struct RuleFile {
    /// What it is called in complaints.
    shown: String,
    text: Vec<u8>,
    stamp: Option<Stamp>,
}

impl RuleFile {
    /// One that is not there has no rules; neither has one that cannot be read, which is complained about.
    fn read(
        prefix: &[u8],
        name: &[u8],
        files: &Files,
        complaints: &mut Vec<String>,
    ) -> Result<RuleFile, Errno> {
        let path = [prefix, name].concat();
        let shown = path.escape_ascii().to_string();
        // A byte more than is taken shows that there is more.
        let (text, stamp) = match files.read(&path, FILE_BYTES_MAX + 1) {
            Ok((text, stamp)) => (text, Some(stamp)),
            Err(errno) if is_shortage(errno) => return Err(errno),
            Err(errno) => {
                if errno != Errno::NOENT {
                    complaints.push(format!("{shown} cannot be read: {errno}"));
                }
                // What it looks like tells when to try again.
                (Vec::new(), files.stamp_at(&path).ok())
            }
        };
        Ok(RuleFile { shown, text, stamp })
    }

    fn named(&self, complaints: Vec<Complaint>) -> impl Iterator<Item = String> {
        complaints.into_iter().map(|complaint| format!("{} {complaint}", self.shown))
    }
}

/// Whether an open failed for want of something, and not because of what was to be opened.
fn is_shortage(errno: Errno) -> bool {
    matches!(errno, Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::AGAIN | Errno::INTR | Errno::IO)
}

/// The names of the folders in the root.
fn folders(files: &Files) -> io::Result<Vec<Vec<u8>>> {
    let mut folder = files.open_folder(b"")?;
    let mut names = Vec::new();
    while names.len() < HOSTS_MAX
        && let Some(entry) = folder.read(is_folder_name)?
    {
        names.extend(entry.filter(|entry| entry.kind == Kind::Folder).map(|entry| entry.name.into_vec()));
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
