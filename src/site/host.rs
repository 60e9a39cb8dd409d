//! A host: the folder it is served from, with the rules that lie in it, read anew when they change.
//!
//! Rules are read in steps, since a file of ten thousand takes as long as many turns of the loop may. Most
//! files take one step. What is known of a host holds until all is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::Errno;

use crate::clock::{Now, Tick};
use crate::files::Files;
use crate::files::stamp::Stamp;
use crate::files::visible::{HEADERS, REDIRECTS, RULE_FILES};
use crate::rules::text::{FILE_BYTES_MAX, Parser, Reader, STEP_BYTES_MAX};
use crate::rules::{Complaint, Headers, Redirects, headers, redirects};

/// A site of its own: a folder and its rules.
#[derive(Debug, Default)]
pub struct Host {
    /// Where its folder is below the root: empty, or with a slash at the end.
    pub prefix: Vec<u8>,
    pub redirects: Redirects,
    headers: Headers,
    /// It was told that a response would get more fields than one may.
    has_told_cut: AtomicBool,
}

impl Host {
    /// What `_headers` says of `url_path`, normalised. That it says too much is told once.
    pub fn fields(&self, url_path: &[u8]) -> headers::Fields<'_> {
        if self.headers.is_empty() {
            return headers::Fields::default();
        }
        let fields = self.headers.find(url_path);
        if fields.is_cut && !self.has_told_cut.swap(true, Ordering::Relaxed) {
            log::warn!(
                "{}_headers sets more for /{} than {}: the rest is left out, there and wherever it is so; \
                 set less, or for fewer paths",
                self.prefix.escape_ascii(),
                url_path[..url_path.len().min(SHOWN_BYTES_MAX)].escape_ascii(),
                headers::told_bounds()
            );
        }
        fields
    }
}

/// Bytes of a path that a message shows.
const SHOWN_BYTES_MAX: usize = 100;

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
    /// The host, as it was read.
    pub fn host(&self) -> Arc<Host> {
        Arc::clone(&self.host)
    }

    /// Whether the disk should be asked if the host has changed: once a second. It counts as asked.
    pub fn is_due(&mut self, now: &Now) -> bool {
        std::mem::replace(&mut self.checked_tick, now.tick) != now.tick
    }

    /// Whether folder and rules are what they were, and will not change and keep their time.
    pub fn is_same(&self, files: &Files, now: &Now) -> bool {
        let prefix = &self.host.prefix;
        let is_there = prefix.is_empty() || files.stamp_of_folder(prefix).is_ok();
        is_there
            && RULE_FILES.iter().zip(&self.stamps).all(|(file, known)| {
                let stamp = files.stamp_at(&[prefix, *file].concat()).ok();
                stamp == *known && !stamp.is_some_and(|stamp| stamp.is_in_doubt(now.unix_secs))
            })
    }

    /// The first thing that is wrong with its rules.
    pub fn complaint(&self) -> Option<&str> {
        self.complaints.first().map(String::as_str)
    }

    /// Says what is wrong with its rules, unless that was said when they were `before`.
    pub fn tell(&self, before: Option<&Remembered>) {
        if let Some(before) = before.filter(|before| before.stamps == self.stamps) {
            // Read again, for it may have changed and kept its time. What shows later was told, too.
            let has_told_cut = before.host.has_told_cut.load(Ordering::Relaxed);
            self.host.has_told_cut.store(has_told_cut, Ordering::Relaxed);
        }
        if before.is_some_and(|before| before.complaints == self.complaints) {
            return;
        }
        for complaint in &self.complaints {
            log::warn!("{complaint}");
        }
    }

    /// Bytes of memory on the heap.
    pub fn heap_bytes(&self) -> usize {
        let complaints = self.complaints.iter().map(|complaint| size_of::<String>() + complaint.len());
        size_of::<Host>()
            + self.host.prefix.len()
            + self.host.redirects.heap_bytes()
            + self.host.headers.heap_bytes()
            + complaints.sum::<usize>()
    }
}

/// A host whose rules are being read.
#[derive(Debug)]
pub struct Reading {
    prefix: Vec<u8>,
    redirects: RuleFile<redirects::Parser>,
    headers: RuleFile<headers::Parser>,
    started_tick: Tick,
}

impl Reading {
    /// Whether the rules in the folder `name` are so few that they are read in a step or two.
    pub fn is_short(name: &[u8], files: &Files) -> bool {
        let len = |file: &[u8]| files.stamp_at(&[name, b"/", file].concat()).map_or(0, |stamp| stamp.len);
        RULE_FILES.iter().all(|file| len(file) <= STEP_BYTES_MAX as u64)
    }

    /// Looks for the folder `name` and gets hold of its rules, each file of which may take
    /// `rules_bytes_max` of memory; `None` if there is no such folder. An error is a shortage, which says
    /// nothing of the host.
    pub fn start(
        name: &[u8],
        files: &Files,
        rules_bytes_max: usize,
        started_tick: Tick,
    ) -> Result<Option<Reading>, Errno> {
        let mut prefix = name.to_vec();
        if !name.is_empty() {
            prefix.push(b'/');
            match files.stamp_of_folder(&prefix) {
                Ok(_) => {}
                Err(errno) if is_shortage(errno) => return Err(errno),
                Err(_) => return Ok(None),
            }
        }
        let text_bytes_max = FILE_BYTES_MAX.min(rules_bytes_max);
        let redirects = redirects::Parser::new(rules_bytes_max);
        let redirects = RuleFile::read(&prefix, REDIRECTS, files, redirects, text_bytes_max)?;
        let headers = headers::Parser::new(rules_bytes_max);
        let headers = RuleFile::read(&prefix, HEADERS, files, headers, text_bytes_max)?;
        Ok(Some(Reading { prefix, redirects, headers, started_tick }))
    }

    /// Goes on for a fraction of a millisecond; returns whether there is more to do.
    pub fn step(&mut self) -> bool {
        self.redirects.step() || self.headers.step()
    }

    /// The host, once all is read.
    pub fn finish(self) -> Remembered {
        let stamps = [self.redirects.stamp, self.headers.stamp];
        let mut complaints = Vec::new();
        let redirects = self.redirects.finish(&mut complaints);
        let headers = self.headers.finish(&mut complaints);
        let has_told_cut = AtomicBool::new(false);
        let host = Arc::new(Host { prefix: self.prefix, redirects, headers, has_told_cut });
        Remembered { host, stamps, complaints, checked_tick: self.started_tick }
    }
}

/// A file with rules that is being read.
#[derive(Debug)]
struct RuleFile<P> {
    /// What it is called in complaints.
    shown: String,
    text: Vec<u8>,
    stamp: Option<Stamp>,
    /// Why there is no text.
    complaint: Option<String>,
    reader: Reader<P>,
}

impl<P: Parser> RuleFile<P> {
    /// One that is not there has no rules; neither has one that cannot be read, which is complained about.
    fn read(
        prefix: &[u8],
        name: &[u8],
        files: &Files,
        parser: P,
        text_bytes_max: usize,
    ) -> Result<RuleFile<P>, Errno> {
        let path = [prefix, name].concat();
        let shown = path.escape_ascii().to_string();
        let reader = Reader::new(parser, text_bytes_max);
        // A byte more than is taken shows that there is more.
        let (text, stamp, complaint) = match files.read(&path, text_bytes_max + 1) {
            Ok((text, stamp)) => (text, Some(stamp), None),
            Err(errno) if is_shortage(errno) => return Err(errno),
            Err(errno) => {
                let complaint = (errno != Errno::NOENT).then(|| format!("{shown} cannot be read: {errno}"));
                // What it looks like tells when to try again.
                (Vec::new(), files.stamp_at(&path).ok(), complaint)
            }
        };
        Ok(RuleFile { shown, text, stamp, complaint, reader })
    }

    fn step(&mut self) -> bool {
        self.reader.step(&self.text)
    }

    /// The rules; what is wrong with them is added to `complaints`.
    fn finish(self, complaints: &mut Vec<String>) -> P::Rules {
        let (rules, wrong) = self.reader.finish();
        let named = |complaint: Complaint| format!("{} {complaint}", self.shown);
        complaints.extend(self.complaint.into_iter().chain(wrong.into_iter().map(named)));
        rules
    }
}

/// Whether an open failed for want of something, and not because of what was to be opened.
fn is_shortage(errno: Errno) -> bool {
    matches!(errno, Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::BUSY | Errno::INTR | Errno::IO)
}
