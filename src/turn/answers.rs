//! What answers at each door: the site at the public one, the status page at its own.

use crate::clock::{Now, Tick};
use crate::http::refusal::Refusal;
use crate::metrics::{CacheCounts, Snapshot};
use crate::notices::Notices;
use crate::outbox::Outbox;
use crate::responder::{Asked, Door, Responded, Responder};
use crate::site::Site;
use crate::status::StatusPage;

/// Both of them.
#[derive(Debug)]
pub struct Answers {
    pub site: Site,
    pub status: Option<StatusPage>,
}

impl Responder for Answers {
    fn respond(&mut self, asked: &Asked, notices: &mut Notices, outbox: &mut Outbox) -> Option<Responded> {
        match (asked.door, &mut self.status) {
            (Door::Status, Some(status)) => status.respond(asked, outbox),
            _ => self.site.respond(asked, notices, outbox),
        }
    }

    fn refuse(&mut self, refusal: Refusal, head_only: bool, now: &Now, outbox: &mut Outbox) -> Responded {
        self.site.refuse(refusal, head_only, now, outbox)
    }

    fn recheck(&mut self) {
        self.site.recheck();
    }

    fn begin_turn(&mut self, is_disk_told: bool, now: &Now) {
        self.site.begin_turn(is_disk_told, now);
        if let Some(status) = &mut self.status {
            status.tend(now);
        }
    }

    fn tend_tick(&self, now: &Now) -> Option<Tick> {
        let of_status = self.status.as_ref().and_then(StatusPage::tend_tick);
        self.site.tend_tick(now).into_iter().chain(of_status).min()
    }

    fn descriptors(&self) -> usize {
        self.site.descriptors()
    }

    fn wants_snapshot(&self) -> bool {
        self.status.as_ref().is_some_and(StatusPage::wants_snapshot)
    }

    fn look_at(&mut self, snapshot: Snapshot) -> Vec<usize> {
        self.status.as_mut().map_or_else(Vec::new, |status| status.look_at(snapshot))
    }

    fn cache_counts(&self) -> CacheCounts {
        self.site.cache_counts()
    }
}
