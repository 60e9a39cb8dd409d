//! Whose site a request is for: the host of the name that was asked for.
//!
//! What is known of hosts is bounded in number and in bytes: those that nobody asked for longest are
//! forgotten, and read again when they are asked for. Rules that take more than a step to read are read one
//! host at a time, a step a turn.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use foldhash::fast::RandomState;
use rustix::io::Errno;

use super::host::{Host, Reading, Remembered};
use super::host_folders::{self, HOSTS_MAX, HostFolders};
use crate::clock::Now;
use crate::files::Files;
use crate::http::request::Request;
use crate::limits::Limits;

/// The folder for names that have none of their own.
const DEFAULT_HOST: &[u8] = b"default";
/// The name of the one host there is if all names lead to the root.
const ONLY_HOST: &[u8] = b"";

/// The hosts of a server by name: one, whatever a client calls it, or one for each folder. Names that have no
/// folder are not remembered: clients make them up.
#[derive(Debug)]
pub struct Hosts {
    /// `None` if there is one host, whatever it is called.
    folders: Option<HostFolders>,
    known: HashMap<Vec<u8>, Known, RandomState>,
    /// The one whose rules take more than a step.
    reading: Option<(Vec<u8>, Reading)>,
    /// Memory that one file of rules may take, and all that is known.
    rules_bytes_max: usize,
    known_bytes_max: usize,
    /// Counts what hosts are asked for, to tell who was asked for longest ago.
    clock: u64,
    /// The name of the request at hand. Kept for its memory only.
    name: Vec<u8>,
}

#[derive(Debug)]
struct Known {
    host: Remembered,
    used_at: u64,
}

/// What there is for a name.
#[derive(Debug)]
pub enum Sought {
    Host(Arc<Host>),
    /// There is none of that name.
    Nobody,
    /// Its rules are being read: it can be asked for in a moment.
    NotYet,
}

impl Hosts {
    /// The hosts, of which nothing is known yet: one, or one for each folder if they `are_virtual`.
    pub fn new(are_virtual: bool, limits: &Limits) -> Hosts {
        Hosts {
            folders: are_virtual.then(HostFolders::default),
            known: HashMap::default(),
            reading: None,
            rules_bytes_max: limits.rules_bytes_max,
            // A host has two files of rules.
            known_bytes_max: limits.rules_bytes_max.saturating_mul(2),
            clock: 0,
            name: Vec::new(),
        }
    }

    /// Reads the rules that there are, and returns the hosts. What is wrong with them is logged, or an error
    /// if `strict`.
    pub fn read_all(&mut self, files: &Files, strict: bool) -> io::Result<Vec<Arc<Host>>> {
        let names = match &mut self.folders {
            Some(folders) => folders.read(files)?,
            None => vec![ONLY_HOST.to_vec()],
        };
        let mut hosts = Vec::new();
        for name in names {
            let started = Reading::start(self.folder_of(&name), files, self.rules_bytes_max, 0);
            let Some(mut reading) = started? else { continue };
            while reading.step() {}
            let host = self.learn(name, reading);
            if let Some(complaint) = host.complaint().filter(|_| strict) {
                let text = format!("{complaint} (leave out '--strict' to start all the same)");
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
            hosts.push(host.host());
        }
        Ok(hosts)
    }

    /// The host that `request` is for, with its rules as they are on the disk since a second ago at most, or
    /// since as long as it takes to read them. An error is a shortage, which says nothing of the host.
    pub fn find(&mut self, request: &Request, files: &Files, now: &Now) -> Result<Sought, Errno> {
        let Some(folders) = &mut self.folders else { return self.look_up(ONLY_HOST, files, now) };
        folders.refresh(files, now);
        let mut name = std::mem::take(&mut self.name);
        name.clear();
        let is_usable = host_folders::write_name(request, &mut name);
        let sought = if is_usable { self.look_up(&name, files, now) } else { Ok(Sought::Nobody) };
        self.name = name;
        match sought {
            Ok(Sought::Nobody) => self.look_up(DEFAULT_HOST, files, now),
            sought => sought,
        }
    }

    /// Whether rules are being read, step by step.
    pub fn is_reading(&self) -> bool {
        self.reading.is_some()
    }

    /// Goes on reading rules for a fraction of a millisecond.
    pub fn step(&mut self) {
        // Asked every turn, and nearly always there is none: it stays where it is.
        let Some((_, reading)) = &mut self.reading else { return };
        if reading.step() {
            return;
        }
        if let Some((name, reading)) = self.reading.take() {
            self.learn(name, reading);
        }
    }

    fn look_up(&mut self, name: &[u8], files: &Files, now: &Now) -> Result<Sought, Errno> {
        self.clock += 1;
        let mut known = self.known.get_mut(name);
        if let Some(known) = &mut known {
            known.used_at = self.clock;
            if !known.host.is_due(now) || known.host.is_same(files, now) {
                return Ok(Sought::Host(known.host.host()));
            }
        }
        let meanwhile = known.map_or(Sought::NotYet, |known| Sought::Host(known.host.host()));
        let folder = self.folder_of(name);
        // One after the other.
        if self.reading.as_ref().is_some_and(|(read, _)| read == name || !Reading::is_short(folder, files)) {
            return Ok(meanwhile);
        }
        match (Reading::start(folder, files, self.rules_bytes_max, now.tick), meanwhile) {
            (Ok(Some(reading)), meanwhile) => Ok(self.begin(name, reading, meanwhile)),
            (Ok(None), _) => {
                self.known.remove(name);
                Ok(Sought::Nobody)
            }
            (Err(errno), Sought::Host(host)) => {
                // What is known is better than nothing, and asked for again soon.
                log::debug!("rules are not read again: {errno}");
                Ok(Sought::Host(host))
            }
            (Err(errno), _) => Err(errno),
        }
    }

    fn folder_of<'a>(&'a self, name: &'a [u8]) -> &'a [u8] {
        self.folders.as_ref().map_or(name, |folders| folders.of(name))
    }

    /// Reads as much as a step takes. If that is not all, it goes on, and `meanwhile` holds.
    fn begin(&mut self, name: &[u8], mut reading: Reading, meanwhile: Sought) -> Sought {
        if reading.step() {
            self.reading.get_or_insert_with(|| (name.to_vec(), reading));
            return meanwhile;
        }
        Sought::Host(self.learn(name.to_vec(), reading).host())
    }

    /// Remembers what was read of a host, and tells what is wrong with it.
    fn learn(&mut self, name: Vec<u8>, reading: Reading) -> &Remembered {
        let host = reading.finish();
        let before = self.known.remove(&name);
        host.tell(before.as_ref().map(|known| &known.host));
        self.make_room(bytes_of(&name, &host));
        self.clock += 1;
        let known = Known { host, used_at: self.clock };
        &self.known.entry(name).insert_entry(known).into_mut().host
    }

    /// Keeps as many hosts as there is room for beside one more of `bytes`, of those asked for last.
    fn make_room(&mut self, bytes: usize) {
        let held = self.known.iter().map(|(name, known)| (known.used_at, bytes_of(name, &known.host)));
        let mut held: Vec<(u64, usize)> = held.collect();
        held.sort_unstable_by(|one, other| other.cmp(one));
        let mut bytes_left = self.known_bytes_max.saturating_sub(bytes);
        let kept = held.iter().take(HOSTS_MAX - 1).map_while(|(used_at, bytes)| {
            bytes_left = bytes_left.checked_sub(*bytes)?;
            Some(*used_at)
        });
        let oldest_kept = kept.last().unwrap_or(u64::MAX);
        self.known.retain(|_, known| known.used_at >= oldest_kept);
    }
}

/// Memory that a host takes.
fn bytes_of(name: &[u8], host: &Remembered) -> usize {
    size_of::<(Vec<u8>, Known)>() + name.len() + host.heap_bytes()
}
