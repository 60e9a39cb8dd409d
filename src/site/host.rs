//! A host: the folder it is served from, with the rules that lie in it, read anew when they change.

use std::sync::Arc;

use rustix::io::Errno;

use crate::clock::{Now, Tick};
use crate::files::Files;
use crate::files::root::Stamp;
use crate::rules::text::FILE_BYTES_MAX;
use crate::rules::{Complaint, Headers, Redirects};

/// The files that rules are in. They are never served.
pub const RULE_FILES: [&[u8]; 2] = [REDIRECTS, HEADERS];
const REDIRECTS: &[u8] = b"_redirects";
const HEADERS: &[u8] = b"_headers";

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

impl Remembered {
    /// Looks for the folder of `name` and reads its rules; `None` if there is no such folder.
    pub fn load(name: &[u8], files: &Files, checked_tick: Tick) -> Result<Option<Remembered>, Errno> {
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
    pub fn current(&mut self, name: &[u8], files: &Files, now: &Now) -> Option<Arc<Host>> {
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

    /// The first thing that is wrong with its rules.
    pub fn complaint(&self) -> Option<&str> {
        self.complaints.first().map(String::as_str)
    }

    /// The host, as it was read.
    pub fn host(&self) -> Arc<Host> {
        Arc::clone(&self.host)
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

    pub fn tell(&self) {
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
