//! What `--memory` has to bear: ordinary use in full, and attacks on memory. Each runs in a control group of just
//! that size.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::honest::PATIENCE;
use super::shapes::{Attack, by_name};
use super::sites::{EIGHT_KB, ONE_MB, PAGE, SMALL_FILES, Site, file, redirects, small_file};
use super::watch::Server;
use crate::client::{Client, request};
use crate::folder::Folder;

/// A line of `_redirects` has about 14 bytes.
const REDIRECTS_OF_700_KB: usize = 50_000;
/// What takes so much longer than it should has failed.
const ENDURANCE: Duration = Duration::from_secs(10);

/// A load, and the memory it must do with.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub name: &'static str,
    pub told: &'static str,
    /// As `--memory` takes it, in MiB.
    pub mib: u64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// So many clients that keep their connections: a twelfth of them at work, another that reads nothing of a
    /// large file, half of one amid a head.
    FullUse(usize),
    /// So many that ask once and stay.
    Plain(usize),
    /// One of [`shapes`](super::shapes).
    Attack(&'static str),
    /// Large rules, and others in their place.
    Reload,
}

pub static ALL: [Load; 9] = [
    Load { name: "full-32", told: "full use, 4,000 clients", mib: 32, kind: Kind::FullUse(4_000) },
    Load { name: "full-8", told: "full use, 1,000 clients", mib: 8, kind: Kind::FullUse(1_000) },
    Load { name: "full-2", told: "full use, 250 clients", mib: 2, kind: Kind::FullUse(250) },
    Load { name: "plain-2", told: "1,000 plain clients", mib: 2, kind: Kind::Plain(1_000) },
    Load {
        name: "unread-8",
        told: "1,170 clients, twice 8 KB, unread",
        mib: 8,
        kind: Kind::Attack("unread"),
    },
    Load {
        name: "listings-8",
        told: "500 listings of 2,040, unread",
        mib: 8,
        kind: Kind::Attack("stalled-listings"),
    },
    Load { name: "heads-8", told: "half heads and downloads", mib: 8, kind: Kind::Attack("half-heads") },
    Load { name: "heads-2", told: "half heads and downloads", mib: 2, kind: Kind::Attack("half-heads") },
    Load { name: "rules-2", told: "`_redirects` of 700 KB, read anew", mib: 2, kind: Kind::Reload },
];

/// How clients fared.
#[derive(Clone, Debug, Default)]
pub struct Fared {
    /// How many were answered with which status; with 0, those who were not, or not in full.
    pub statuses: BTreeMap<u16, usize>,
}

impl Fared {
    fn note(&mut self, result: io::Result<u16>) {
        *self.statuses.entry(result.unwrap_or(0)).or_default() += 1;
    }
}

impl Fared {
    /// Whether all were answered with 200.
    pub fn is_well(&self) -> bool {
        self.statuses.keys().all(|status| *status == 200)
    }
}

impl fmt::Display for Fared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |(status, count): (&u16, &usize)| match status {
            0 => format!("{count} not answered"),
            status => format!("{count} answered with {status}"),
        };
        formatter.write_str(&self.statuses.iter().map(told).collect::<Vec<_>>().join(", "))
    }
}

impl Load {
    pub fn site(&self) -> Site {
        match self.kind {
            Kind::FullUse(_) | Kind::Plain(_) => Site::Files,
            Kind::Attack(name) => attack(name).site,
            Kind::Reload => Site::Redirects(REDIRECTS_OF_700_KB),
        }
    }

    /// What pws is told.
    pub fn options(&self) -> Vec<String> {
        ["--memory", &format!("{}M", self.mib)].map(str::to_owned).to_vec()
    }

    pub fn bytes(&self) -> u64 {
        self.mib << 20
    }

    /// Has `server`, which serves `folder`, bear it for as long as `lasting`, or as it takes.
    ///
    /// # Errors
    ///
    /// It did not answer even before.
    pub fn run(&self, server: &Server, folder: &Folder, lasting: Duration) -> io::Result<Fared> {
        match self.kind {
            Kind::FullUse(clients) => full_use(server.address, clients, lasting),
            Kind::Plain(clients) => Ok(plain(server.address, clients).1),
            Kind::Attack(name) => {
                let seen = super::run(&attack(name), server, lasting)?;
                let lost = seen.honest.lost.len() + seen.downloads.cut.len();
                let all = seen.honest.waits.len() + seen.downloads.cut.len() + seen.downloads.whole;
                let statuses = [(200, all - lost), (0, lost)];
                Ok(Fared { statuses: statuses.into_iter().filter(|(_, count)| *count > 0).collect() })
            }
            Kind::Reload => reload(server.address, folder),
        }
    }
}

fn attack(name: &str) -> Attack {
    by_name(name).expect("an attack")
}

/// So many who ask for a small file each and stay.
fn plain(address: SocketAddr, count: usize) -> (Vec<Client>, Fared) {
    let mut fared = Fared::default();
    let clients = (0..count).filter_map(|number| {
        let mut client = Client::try_connect(address).ok()?;
        client.set_patience(PATIENCE);
        fared.note(client.try_get(&small_file(number), "").map(|answer| answer.status));
        Some(client)
    });
    let clients = clients.collect();
    (clients, fared)
}

fn full_use(address: SocketAddr, count: usize, lasting: Duration) -> io::Result<Fared> {
    let started = Instant::now();
    let (mut clients, mut fared) = plain(address, count);
    let half_head = format!("GET {PAGE} HTTP/1.1\r\nX-Long: {}", "x".repeat(1_000));
    for (index, client) in clients.iter_mut().enumerate() {
        // If it was cut already, that has been told.
        let _ = match index % 24 {
            1 | 13 => client.try_send(request("GET", ONE_MB, "")),
            2 => client.try_send(&half_head),
            _ => Ok(()),
        };
    }
    let mut number = 0;
    while started.elapsed() < lasting || number < 2 * SMALL_FILES {
        if started.elapsed() > lasting + ENDURANCE {
            return Err(io::Error::other(format!("too slow: {fared}")));
        }
        let mut active: Vec<&mut Client> = clients.iter_mut().step_by(12).collect();
        for client in &mut active {
            number += 1;
            let target = match number % 3 {
                0 => file(number),
                1 => EIGHT_KB.to_owned(),
                _ => small_file(number),
            };
            // If it was cut, its answer will tell.
            let _ = client.try_send(request("GET", &target, ""));
        }
        for client in active {
            fared.note(client.try_answer_to("GET").map(|answer| answer.status));
        }
    }
    Ok(fared)
}

/// Has a server read large rules anew, which it must do within a second or two.
fn reload(address: SocketAddr, folder: &Folder) -> io::Result<Fared> {
    // Put in place at once, as editors do.
    let changed = format!("/changed {PAGE}\n{}", redirects(REDIRECTS_OF_700_KB));
    fs::write(folder.outside().join("_redirects"), changed)?;
    fs::rename(folder.outside().join("_redirects"), folder.path("_redirects"))?;
    let mut fared = Fared::default();
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        let status = Client::try_connect(address)?.try_get("/changed", "")?.status;
        fared.note(Ok(status));
        if status == 302 {
            return Ok(fared);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(io::Error::other("the new rules are not heeded"))
}
