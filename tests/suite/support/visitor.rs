//! Somebody who visits a site in memory, one request a turn, while its folder and the time may change. Each
//! request goes through every way in which its bytes can come and go.

use std::time::{SystemTime, UNIX_EPOCH};

use pws::clock::Now;
use pws::config::SiteOptions;
use pws::limits::Limits;
use pws_testing::answer::Answer;
use pws_testing::client::request;
use pws_testing::folder::Folder;
use pws_testing::memory::{End, MemoryServer, NOW_UNIX_SECS};

pub struct Visitor {
    pub folder: Folder,
    server: MemoryServer,
}

impl Visitor {
    /// Of `folder`, served as it is without any option.
    #[track_caller]
    pub fn of(folder: Folder) -> Visitor {
        Visitor::with(folder, SiteOptions::default())
    }

    #[track_caller]
    pub fn with(folder: Folder, options: SiteOptions) -> Visitor {
        Visitor::within(folder, options, Limits::default())
    }

    #[track_caller]
    pub fn within(folder: Folder, options: SiteOptions, limits: Limits) -> Visitor {
        let server = MemoryServer::with(&folder, &options, limits);
        Visitor { folder, server }
    }

    /// Goes on with the same folder, served by `options`.
    #[track_caller]
    pub fn reopen(&mut self, options: SiteOptions) -> &mut Visitor {
        self.server = MemoryServer::with(&self.folder, &options, self.server.limits.clone());
        self
    }

    /// Goes on in the second `tick` of the server's time.
    pub fn at(&mut self, tick: u32) -> &mut Visitor {
        self.server.now = Now::at(tick, NOW_UNIX_SECS + u64::from(tick));
        self
    }

    /// Goes on in the second `tick` of the server's time, when the wall clock says `unix_secs`.
    pub fn at_time(&mut self, tick: u32, unix_secs: u64) -> &mut Visitor {
        self.server.now = Now::at(tick, unix_secs);
        self
    }

    /// Goes on in the second `tick` of the server's time, at the time that it really is.
    #[track_caller]
    pub fn at_real_time(&mut self, tick: u32) -> &mut Visitor {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that is set");
        self.server.now = Now::at(tick, since_1970.as_secs());
        self
    }

    #[track_caller]
    pub fn get(&mut self, target: &str) -> Answer {
        self.ask("GET", target, "")
    }

    /// GET with more fields: whole lines.
    #[track_caller]
    pub fn get_with(&mut self, target: &str, fields: &str) -> Answer {
        self.ask("GET", target, fields)
    }

    /// GET of a target from a host; empty if it has no name.
    #[track_caller]
    pub fn get_of(&mut self, host: &str, target: &str) -> Answer {
        self.say("GET", &format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"))
    }

    /// The one answer to a request; the connection must stay open.
    #[track_caller]
    pub fn ask(&mut self, method: &str, target: &str, fields: &str) -> Answer {
        self.say(method, &request(method, target, fields))
    }

    #[track_caller]
    fn say(&mut self, method: &str, request: &str) -> Answer {
        let (bytes, end) = self.server.exchange(request.as_bytes());
        assert_eq!(end, End::Open, "{request}");
        Answer::all(&bytes, &[method]).remove(0)
    }
}
