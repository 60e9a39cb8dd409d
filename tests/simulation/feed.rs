//! What answers in the simulation: the real site, and content that comes when it comes.
//!
//! A feed tells its length and keeps its readers waiting: for pieces that somebody else has, who then wakes the
//! connection, and for a disk that is to be looked at again. It counts the looks: there may be one a
//! millisecond.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use pws::clock::{Now, Tick};
use pws::http::head::{BodyLength, HeadWriter};
use pws::http::method::Method;
use pws::http::refusal::Refusal;
use pws::http::status::Status;
use pws::http::target::Target;
use pws::notices::Notices;
use pws::outbox::{Outbox, Piece, Pulled, Source};
use pws::responder::{Asked, Responded, Responder};
use pws::site::Site;

use super::disk::Disk;
use super::rng::Rng;

/// Feeds are asked for by their length, behind this.
pub const PATH: &str = "/feed/";

/// Looks in a millisecond: while a head is sent in small pieces, each send looks for content to share its packet.
const LOOKS_MAX: usize = 8;

/// What a feed says at a place.
pub fn byte(at: usize) -> u8 {
    (at as u8).wrapping_mul(31) ^ (at >> 8) as u8
}

/// Who waits for a feed, and until when.
#[derive(Clone, Debug, Default)]
pub struct Wakes(Arc<Mutex<BTreeSet<(u64, usize)>>>);

impl Wakes {
    fn add(&self, millis: u64, key: usize) {
        self.0.lock().expect("one thread").insert((millis, key));
    }

    /// The keys of those whose time has come.
    pub fn take_due(&self, millis: u64) -> Vec<usize> {
        let mut wakes = self.0.lock().expect("one thread");
        let later = wakes.split_off(&(millis + 1, 0));
        std::mem::replace(&mut *wakes, later).into_iter().map(|(_, key)| key).collect()
    }

    /// When the next is to be woken.
    pub fn next(&self) -> Option<u64> {
        self.0.lock().expect("one thread").first().map(|(millis, _)| *millis)
    }
}

/// The real site with feeds in it.
pub struct FedSite {
    pub site: Site,
    pub disk: Rc<RefCell<Disk>>,
    pub wakes: Wakes,
    /// The time, which a source is not told.
    pub millis: Arc<AtomicU64>,
    pub rng: Rng,
}

impl Responder for FedSite {
    fn respond(&mut self, asked: &Asked, notices: &mut Notices, outbox: &mut Outbox) -> Option<Responded> {
        // At times whoever answers is not ready to.
        if self.rng.one_in(50) {
            return None;
        }
        let Some(len) = len_asked_for(asked) else { return self.site.respond(asked, notices, outbox) };
        let start = outbox.bytes_mut().len();
        HeadWriter::start(outbox.bytes_mut(), Status::Ok, asked.persistence, asked.now)
            .finish(BodyLength::Bytes(len as u64));
        let head_bytes = outbox.bytes_mut().len() - start;
        outbox.push_source(Box::new(Feed {
            at: 0,
            len,
            key: asked.key,
            looked_millis: None,
            looks: 0,
            wakes: self.wakes.clone(),
            millis: Arc::clone(&self.millis),
            rng: Rng::new(self.rng.next()),
        }));
        Some(Responded { status: Status::Ok, head_bytes, is_last: false })
    }

    fn refuse(&mut self, refusal: Refusal, head_only: bool, now: &Now, outbox: &mut Outbox) -> Responded {
        self.site.refuse(refusal, head_only, now, outbox)
    }

    fn begin_turn(&mut self, is_disk_told: bool, now: &Now) {
        self.site.begin_turn(is_disk_told, now);
    }

    fn tend_tick(&self, now: &Now) -> Option<Tick> {
        self.site.tend_tick(now)
    }

    fn descriptors(&self) -> usize {
        self.site.descriptors()
    }

    fn recheck(&mut self) {
        self.site.recheck();
    }
}

fn len_asked_for(asked: &Asked) -> Option<usize> {
    let Target::Path { path, .. } = asked.request.target else { return None };
    let len = std::str::from_utf8(path.strip_prefix(PATH.as_bytes())?).ok()?;
    (asked.request.method == Method::Get).then(|| len.parse().ok())?
}

/// One on its way.
#[derive(Debug)]
struct Feed {
    at: usize,
    len: usize,
    key: usize,
    /// When a disk was last looked at in vain.
    looked_millis: Option<u64>,
    looks: usize,
    wakes: Wakes,
    millis: Arc<AtomicU64>,
    rng: Rng,
}

impl Source for Feed {
    fn pull(&mut self, piece: &mut Piece) -> io::Result<Pulled> {
        assert!(piece.bytes.is_empty(), "a piece behind another");
        let now = self.millis.load(Ordering::Relaxed);
        self.looks = if self.looked_millis.replace(now) == Some(now) { self.looks + 1 } else { 1 };
        assert!(self.looks <= LOOKS_MAX, "{} looks at a disk in a millisecond", self.looks);
        match self.rng.below(6) {
            0 => {
                // Most of the time longer than any deadline.
                self.wakes.add(now + self.rng.up_to_one_of(&[10, 5_000, 500_000]) as u64, self.key);
                self.looked_millis = None;
                return Ok(Pulled::NothingYet);
            }
            1 => return Ok(Pulled::DiskCold),
            // It took a look, and had nothing to show for it.
            2 => self.looked_millis = None,
            _ => {
                let count = self.rng.up_to(3000).min(self.len - self.at);
                piece.bytes.extend((self.at..self.at + count).map(byte));
                self.at += count;
                self.looked_millis = None;
            }
        }
        Ok(if self.at == self.len { Pulled::Last } else { Pulled::More })
    }

    fn kept_bytes(&self) -> usize {
        0
    }
}
