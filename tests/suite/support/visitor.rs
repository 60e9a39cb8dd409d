//! Somebody who visits a site in memory, one request a turn, while its folder and the time may change.

use std::time::{SystemTime, UNIX_EPOCH};

use pws::clock::Now;
use pws::config::SiteOptions;
use pws::limits::Limits;
use pws::responder::Responder;
use pws::site::Site;

use super::answer::Answer;
use super::folder::Folder;
use super::memory::{End, NOW_UNIX_SECS, converse_at};

pub struct Visitor {
    pub folder: Folder,
    site: Site,
    limits: Limits,
    now: Now,
}

impl Visitor {
    /// Of `folder`, served as it is without any option.
    pub fn of(folder: Folder) -> Visitor {
        Visitor::with(folder, SiteOptions::default())
    }

    pub fn with(folder: Folder, options: SiteOptions) -> Visitor {
        Visitor::within(folder, options, Limits::default())
    }

    pub fn within(folder: Folder, options: SiteOptions, limits: Limits) -> Visitor {
        let site = Site::open(&folder.root(), &options, &limits).expect("the folder");
        Visitor { folder, site, limits, now: Now::at(0, NOW_UNIX_SECS) }
    }

    /// Goes on in the second `tick` of the server's time.
    pub fn at(&mut self, tick: u32) -> &mut Visitor {
        self.now = Now::at(tick, NOW_UNIX_SECS + u64::from(tick));
        self
    }

    /// Goes on in the second `tick` of the server's time, at the time that it really is.
    pub fn at_real_time(&mut self, tick: u32) -> &mut Visitor {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that is set");
        self.now = Now::at(tick, since_1970.as_secs());
        self
    }

    pub fn get(&mut self, target: &str) -> Answer {
        self.ask("GET", target, "")
    }

    /// GET with more fields: whole lines.
    pub fn get_with(&mut self, target: &str, fields: &str) -> Answer {
        self.ask("GET", target, fields)
    }

    /// The answer in a turn of its own, which must be the same however its bytes come and go, and must leave
    /// the connection open.
    pub fn ask(&mut self, method: &str, target: &str, fields: &str) -> Answer {
        let request = format!("{method} {target} HTTP/1.1\r\nHost: test\r\n{fields}\r\n");
        let (bytes, end) = self.send(&[request.as_bytes()], usize::MAX);
        assert_eq!(end, End::Open, "{request}");
        let by_byte: Vec<&[u8]> = request.as_bytes().chunks(1).collect();
        for (pieces, write_max) in [(&by_byte[..], usize::MAX), (&[request.as_bytes()], 7)] {
            let again = self.send(pieces, write_max);
            assert!(again == (bytes.clone(), End::Open), "{request} in {} pieces", pieces.len());
        }
        Answer::all(&bytes, &[method]).remove(0)
    }

    fn send(&mut self, pieces: &[&[u8]], write_max: usize) -> (Vec<u8>, End) {
        self.site.recheck();
        converse_at(&self.now, &mut self.site, &self.limits, pieces, write_max)
    }
}
