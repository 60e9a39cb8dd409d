//! The served folder, and what every file in it was at any moment that still matters.
//!
//! Content is a stretch of noise, so that any byte in a wrong place is seen. Each state gets a time of its
//! own, as the simulated clock has it: nothing rests on how fast the test runs.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use tempfile::TempDir;

use super::rng::Rng;

/// Counts whatever happens: what is later has a higher one.
pub type Moment = u64;

/// Files that change, the favourite first. Each comes in many sizes; some are made to be gone at times.
pub const FILES: [&str; 9] = [
    "a.txt",
    "index.html",
    "b.css",
    "c.bin",
    "sub/index.html",
    "app.js",
    "app.js.gz",
    "404.html",
    "gone.svg",
];
/// Files that are always there.
const LASTING: [&str; 2] = ["index.html", "sub/index.html"];
/// The folder that is listed, and what may be in it.
pub const LISTED: &str = "list";
const LISTED_NAMES: usize = 12;

/// Files up to this size are loaded by the site under test.
pub const LOADED_BYTES_MAX: usize = 2048;
const FILE_BYTES_MAX: usize = 48 * 1024;
const NOISE_BYTES: usize = 1 << 18;
/// The site's own grain of time: what changed within this of now may change again unseen.
const DOUBT_SECS: u64 = 3;

/// What a file is, from one change to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// Told from others by number: one that takes another's place is another.
    pub file: u64,
    start: usize,
    pub len: usize,
    pub modified_unix_secs: u64,
    modified_nanos: u32,
}

impl Version {
    /// Its entity tag, without quotes.
    pub fn opaque_tag(&self) -> String {
        format!("{:x}.{:x}-{:x}", self.modified_unix_secs, self.modified_nanos, self.len)
    }

    /// Whether `later`, of the same file, is this and more behind it.
    pub fn has_grown_to(&self, later: &Version) -> bool {
        later.start == self.start && later.len > self.len
    }

    pub fn is_newer_than(&self, other: &Version) -> bool {
        (self.modified_unix_secs, self.modified_nanos) > (other.modified_unix_secs, other.modified_nanos)
    }
}

/// A state of a path.
#[derive(Clone, Debug)]
pub struct State {
    pub since: Moment,
    /// `None`: nothing is there.
    pub version: Option<Version>,
    /// For a while, its time was long enough ago to be trusted; and for a while it was not.
    pub was_settled: bool,
    pub was_in_doubt: bool,
    /// The earliest wall clock seen in this state.
    pub unix_secs_min: u64,
}

/// Wall clock times, from the moment each came.
pub type Times = Vec<(Moment, u64)>;

pub struct Disk {
    root: TempDir,
    noise: Vec<u8>,
    /// One for each of [`FILES`], in order.
    histories: Vec<Vec<State>>,
    /// Names and lengths in the listed folder, sorted.
    listings: Vec<(Moment, Vec<(String, usize)>)>,
    /// The wall clock.
    pub times: Times,
    pub moment: Moment,
    versions: u32,
    pub changes: u64,
}

impl Disk {
    pub fn new(rng: &mut Rng, unix_secs: u64) -> Disk {
        let root = TempDir::new().expect("a temporary folder");
        for folder in ["sub", LISTED] {
            fs::create_dir(root.path().join(folder)).expect("a folder");
        }
        fs::write(root.path().join("_redirects"), "/old/* /a.txt 302\n/alias /a.txt 200\n").expect("rules");
        let noise = (0..NOISE_BYTES / 8).flat_map(|_| rng.next().to_le_bytes()).collect();
        let mut disk = Disk {
            root,
            noise,
            histories: vec![Vec::new(); FILES.len()],
            listings: vec![(0, Vec::new())],
            times: vec![(0, unix_secs)],
            moment: 0,
            versions: 0,
            changes: 0,
        };
        for index in 0..FILES.len() {
            disk.replace(index, rng);
        }
        disk
    }

    pub fn root(&self) -> PathBuf {
        self.root.path().to_owned()
    }

    fn path(&self, index: usize) -> PathBuf {
        self.root.path().join(FILES[index])
    }

    pub fn unix_secs(&self) -> u64 {
        self.times.last().expect("a time").1
    }

    /// The wall clock says something else.
    pub fn set_unix_secs(&mut self, unix_secs: u64) {
        self.moment += 1;
        self.times.push((self.moment, unix_secs));
        for state in self.histories.iter_mut().filter_map(|history| history.last_mut()) {
            state.see(unix_secs);
        }
    }

    /// What a path was between two moments, both included; the earliest first.
    pub fn states(&self, name: &str, from: Moment, to: Moment) -> &[State] {
        let index = FILES.iter().position(|file| *file == name).expect(name);
        let history = &self.histories[index];
        let start = history.iter().rposition(|state| state.since <= from).unwrap_or(0);
        let end = history.iter().rposition(|state| state.since <= to).map_or(0, |at| at + 1);
        &history[start..end]
    }

    /// Whether a file too large to be loaded has been overwritten at `name`, and not only made longer.
    pub fn was_overwritten(&self, name: &str, from: Moment) -> bool {
        let versions = self.states(name, from, self.moment).iter().filter_map(|state| state.version.as_ref());
        let versions: Vec<&Version> = versions.collect();
        versions.iter().enumerate().any(|(index, before)| {
            let mut later = versions[index + 1..].iter().take_while(|behind| behind.file == before.file);
            before.len > LOADED_BYTES_MAX && later.any(|behind| !before.has_grown_to(behind))
        })
    }

    pub fn listings(&self, from: Moment, to: Moment) -> impl Iterator<Item = &[(String, usize)]> {
        let start = self.listings.iter().rposition(|(since, _)| *since <= from).unwrap_or(0);
        self.listings[start..].iter().filter(move |(since, _)| *since <= to).map(|(_, names)| &names[..])
    }

    /// Wall clock times between two moments.
    pub fn times(&self, from: Moment, to: Moment) -> impl Iterator<Item = u64> {
        let start = self.times.iter().rposition(|(since, _)| *since <= from).unwrap_or(0);
        self.times[start..].iter().filter(move |(since, _)| *since <= to).map(|(_, time)| *time)
    }

    pub fn content(&self, version: &Version) -> &[u8] {
        &self.noise[version.start..version.start + version.len]
    }

    /// Forgets what nobody may be shown any more.
    pub fn forget_before(&mut self, moment: Moment) {
        for history in &mut self.histories {
            let last_too_old = history.iter().rposition(|state| state.since <= moment).unwrap_or(0);
            history.drain(..last_too_old);
        }
        let at = self.listings.iter().rposition(|(since, _)| *since <= moment).unwrap_or(0);
        self.listings.drain(..at);
        let at = self.times.iter().rposition(|(since, _)| *since <= moment).unwrap_or(0);
        self.times.drain(..at);
    }
}

/// What happens to files.
impl Disk {
    /// Changes something.
    pub fn change(&mut self, rng: &mut Rng) {
        let index = rng.below(FILES.len());
        self.change_file(index, rng);
    }

    /// Changes what is asked for most often.
    pub fn change_the_favourite(&mut self, rng: &mut Rng) {
        self.change_file(0, rng);
    }

    fn change_file(&mut self, index: usize, rng: &mut Rng) {
        self.changes += 1;
        match (rng.below(9), self.current(index)) {
            (0, _) => self.change_listed(rng),
            (1 | 2, _) | (_, None) => self.replace(index, rng),
            (3 | 4, Some(version)) => self.write(index, Version { start: self.place(rng), ..version }, rng),
            (5, Some(version)) => {
                self.write(index, Version { len: rng.below(version.len + 1), ..version }, rng)
            }
            (way @ (6 | 7), Some(version)) => {
                let len = version.len + rng.up_to(FILE_BYTES_MAX - version.len + 1) - 1;
                let start = if way == 6 { version.start } else { self.place(rng) };
                self.write(index, Version { start, len, ..version }, rng);
            }
            (_, Some(_)) if LASTING.contains(&FILES[index]) => self.replace(index, rng),
            (_, Some(_)) => {
                fs::remove_file(self.path(index)).expect("a file to remove");
                self.note(index, None);
            }
        }
    }

    fn current(&self, index: usize) -> Option<Version> {
        self.histories[index].last().and_then(|state| state.version)
    }

    fn place(&self, rng: &mut Rng) -> usize {
        rng.below(NOISE_BYTES - FILE_BYTES_MAX)
    }

    /// Another file takes the path, as whoever does it well does it: whole, or not at all.
    fn replace(&mut self, index: usize, rng: &mut Rng) {
        let len = match rng.below(8) {
            0 => 0,
            1 => LOADED_BYTES_MAX,
            2 => LOADED_BYTES_MAX + 1,
            3 | 4 => rng.below(LOADED_BYTES_MAX),
            5 | 6 => rng.below(5 * LOADED_BYTES_MAX),
            _ => rng.below(FILE_BYTES_MAX + 1),
        };
        let version =
            Version { file: 0, start: self.place(rng), len, modified_unix_secs: 0, modified_nanos: 0 };
        let version = Version { file: u64::from(self.versions) + 1, ..self.stamped(version, rng) };
        let new = self.root.path().join(".new");
        fs::write(&new, self.content(&version)).expect("a file");
        set_modified(&File::options().write(true).open(&new).expect("the file again"), &version);
        fs::rename(&new, self.path(index)).expect("a place for it");
        self.note(index, Some(version));
    }

    /// The same file has other content, or more, or less.
    fn write(&mut self, index: usize, version: Version, rng: &mut Rng) {
        let version = self.stamped(version, rng);
        let file = File::options().write(true).open(self.path(index)).expect("the file");
        file.write_all_at(self.content(&version), 0).expect("room for it");
        file.set_len(version.len as u64).expect("a new length");
        set_modified(&file, &version);
        self.note(index, Some(version));
    }

    /// A time that no other version has: now, or a while ago.
    fn stamped(&mut self, version: Version, rng: &mut Rng) -> Version {
        self.versions += 1;
        let age_secs = if rng.one_in(3) { rng.below(5) } else { 1000 + rng.below(1000) };
        let modified_unix_secs = self.unix_secs() - age_secs as u64;
        Version { modified_unix_secs, modified_nanos: self.versions, ..version }
    }

    fn note(&mut self, index: usize, version: Option<Version>) {
        self.moment += 1;
        let unix_secs = self.unix_secs();
        let mut state = State {
            since: self.moment,
            version,
            was_settled: false,
            was_in_doubt: false,
            unix_secs_min: unix_secs,
        };
        state.see(unix_secs);
        self.histories[index].push(state);
    }

    fn change_listed(&mut self, rng: &mut Rng) {
        let mut names = self.listings.last().expect("a listing").1.clone();
        let name = format!("n{:02}.txt", rng.below(LISTED_NAMES));
        let path = self.root.path().join(LISTED).join(&name);
        match names.binary_search_by(|(other, _)| other.cmp(&name)) {
            Ok(at) => {
                fs::remove_file(path).expect("a file to remove");
                names.remove(at);
            }
            Err(at) => {
                let len = rng.below(100);
                fs::write(path, &self.noise[..len]).expect("a file");
                names.insert(at, (name, len));
            }
        }
        // The folder's time is the kernel's business otherwise, and may stay the same.
        let version = Version { file: 0, start: 0, len: 0, modified_unix_secs: 0, modified_nanos: 0 };
        let version = self.stamped(version, rng);
        set_modified(&File::open(self.root.path().join(LISTED)).expect("the folder"), &version);
        self.moment += 1;
        self.listings.push((self.moment, names));
    }
}

impl State {
    fn see(&mut self, unix_secs: u64) {
        self.unix_secs_min = self.unix_secs_min.min(unix_secs);
        let Some(version) = self.version else { return };
        let is_in_doubt = version.modified_unix_secs.abs_diff(unix_secs) <= DOUBT_SECS;
        self.was_in_doubt |= is_in_doubt;
        self.was_settled |= !is_in_doubt;
    }
}

fn set_modified(file: &File, version: &Version) {
    let since_1970 = Duration::new(version.modified_unix_secs, version.modified_nanos);
    file.set_modified(UNIX_EPOCH + since_1970).expect("a time of its own");
}
