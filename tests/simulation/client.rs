//! A client: it asks, is slow, breaks off, and judges every answer.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use pws::clock::Tick;
use pws::limits::Limits;

use super::answer::Answer;
use super::disk::{Disk, Moment};
use super::judge::Case;
use super::pipe::Pipe;
use super::request::{self, Asked, Seen, Subject};
use super::rng::Rng;
use super::told::Reason;

/// What is under way when the server is told to stop has so long.
const DRAIN_SECS: u32 = 7;
/// Requests under way at once.
const PIPELINE_MAX: usize = 8;

/// Of those who were turned away, this should not happen to many.
pub const UNTOLD: &str = "not told that there is no room";

/// What has happened, by name.
pub type Tally = BTreeMap<String, u64>;

pub fn count(tally: &mut Tally, what: &str) {
    match tally.get_mut(what) {
        Some(count) => *count += 1,
        None => drop(tally.insert(what.to_owned(), 1)),
    }
}

/// A request in the stream of all that a client sends.
struct Pending {
    asked: Asked,
    start: usize,
}

/// The head of an answer, while its content comes.
struct Head {
    answer: Answer,
    len: usize,
    at: Moment,
}

pub struct Client {
    pub pipe: Rc<RefCell<Pipe>>,
    pending: VecDeque<Pending>,
    /// Where the next planned byte will be in the stream.
    planned_end: usize,
    received: Vec<u8>,
    head: Option<Head>,
    requests_left: usize,
    asleep_until: Tick,
    seen: Option<Seen>,
    /// Answers that were whole after the server had been told to stop.
    answers_since_stop: usize,
    /// Where the connection's last request may be answered, once it is planned; whether it asks for the end.
    last: Option<(usize, bool)>,
    /// When it was told that a request has not come in time.
    late_at: Option<Tick>,
}

impl Client {
    pub fn new(pipe: Pipe, rng: &mut Rng) -> Client {
        Client {
            pipe: Rc::new(RefCell::new(pipe)),
            pending: VecDeque::new(),
            planned_end: 0,
            received: Vec::new(),
            head: None,
            requests_left: rng.up_to_one_of(&[1, 5, 50]),
            asleep_until: 0,
            seen: None,
            answers_since_stop: 0,
            last: None,
            late_at: None,
        }
    }

    /// Does one thing, whatever comes to its mind.
    pub fn act(&mut self, rng: &mut Rng, disk: &Disk, limits: &Limits, tick: Tick, tally: &mut Tally) {
        if tick < self.asleep_until {
            return;
        }
        match rng.below(1000) {
            0 => {
                count(tally, "reset by the client");
                self.pipe.borrow_mut().reset();
            }
            1 => self.pipe.borrow_mut().end(),
            2..6 => self.asleep_until = tick + rng.up_to_one_of(&[2, 20, 400]) as Tick,
            6..350 => self.plan(rng, limits, tally),
            _ if !self.has_anything_to_do() => self.plan(rng, limits, tally),
            350..700 => self.send(rng.part(10_000)),
            _ => self.receive(rng.part(200_000), disk, tally),
        }
        if self.requests_left == 0 && self.pending.is_empty() && rng.one_in(4) {
            self.pipe.borrow_mut().end();
        }
    }

    fn plan(&mut self, rng: &mut Rng, limits: &Limits, tally: &mut Tally) {
        let mut pipe = self.pipe.borrow_mut();
        if self.pending.len() >= PIPELINE_MAX || self.requests_left == 0 || pipe.has_ended {
            return;
        }
        if self.last.is_some() {
            // Some go on talking.
            if rng.one_in(8) {
                pipe.planned.extend(&vec![b'x'; rng.up_to(1500)]);
            }
            return;
        }
        self.requests_left -= 1;
        let (asked, bytes) = request::generate(rng, self.seen.as_ref(), limits.body_bytes_max as usize);
        count(tally, "requests");
        pipe.planned.extend(&bytes);
        let start = self.planned_end;
        self.planned_end += bytes.len();
        if let Some(at) = asked.holds_at
            && pipe.holds_at.is_none()
        {
            pipe.holds_at = Some(start + at);
        }
        if asked.is_last {
            self.last = Some((start + asked.answerable_len, asked.is_farewell));
        }
        self.pending.push_back(Pending { asked, start });
    }

    fn has_anything_to_do(&self) -> bool {
        let pipe = self.pipe.borrow();
        !pipe.planned.is_empty() || pipe.incoming() > 0
    }

    pub fn send(&mut self, count: usize) {
        self.pipe.borrow_mut().send(count);
    }

    fn reason(&self) -> Option<Reason> {
        self.pipe.borrow().reason
    }

    /// The server was told to stop. What has come already, in part at least, was made before.
    pub fn note_stop(&self) {
        let mut pipe = self.pipe.borrow_mut();
        let is_behind = pipe.incoming() > 0 || !self.received.is_empty() || self.head.is_some();
        if let Some(stop) = &mut pipe.stop {
            stop.was_behind |= is_behind;
        }
    }

    /// Whether the server has ended, and not waited any longer.
    fn is_cut_by_the_end(&self) -> bool {
        let pipe = self.pipe.borrow();
        let is_late = |at: Tick| pipe.gone.is_some_and(|gone| gone > at + DRAIN_SECS);
        pipe.stop.is_some_and(|stop| stop.is_hurried || is_late(stop.at))
    }

    fn is_stopping(&self) -> bool {
        self.pipe.borrow().stop.is_some()
    }

    /// Takes what has come, and judges every answer that is whole.
    pub fn receive(&mut self, count: usize, disk: &Disk, tally: &mut Tally) {
        self.pipe.borrow_mut().receive(count, &mut self.received);
        if self.reason() == Some(Reason::TurnedAway) {
            return;
        }
        if self.late_at.is_some() {
            return self.received.clear();
        }
        while self.take_head(disk, tally) && self.take_answer(disk, tally) {}
    }

    /// Whether the head of an answer is there.
    fn take_head(&mut self, disk: &Disk, tally: &mut Tally) -> bool {
        while self.head.is_none() {
            let mut rest = &self.received[..];
            let Some(answer) = Answer::take(&mut rest, true) else { return false };
            let len = self.received.len() - rest.len();
            let pending = self.pending.front().unwrap_or_else(|| panic!("an answer to nothing: {answer:?}"));
            assert!(self.pipe.borrow().sent > pending.start, "{answer:?} before {:?}", pending.asked);
            if answer.status == 408 {
                count(tally, "told that it was too late");
                assert_eq!(self.reason(), Some(Reason::Overdue), "{answer:?}");
                assert_eq!(answer.field("connection"), Some("close"), "{answer:?}");
                self.late_at = Some(self.pipe.borrow().wrote_at);
                self.received.clear();
                return false;
            }
            if answer.status == 100 {
                count(tally, "told to go on");
                assert!(pending.asked.may_continue, "{:?} was told to go on", pending.asked);
                self.received.drain(..len);
                self.release();
            } else {
                self.head = Some(Head { answer, len, at: disk.moment });
            }
        }
        true
    }

    /// The client need not wait for a word any more.
    fn release(&mut self) {
        let mut holds = self
            .pending
            .iter()
            .skip(1)
            .filter_map(|Pending { asked, start }| asked.holds_at.map(|at| start + at));
        self.pipe.borrow_mut().holds_at = holds.next();
    }

    /// Judges the answer in front if it is whole.
    fn take_answer(&mut self, disk: &Disk, tally: &mut Tally) -> bool {
        let Some(Head { answer, len, .. }) = &self.head else { return false };
        let asked = &self.pending.front().expect("a request").asked;
        let has_content = !asked.is_head && ![204, 304].contains(&answer.status);
        let content_len = answer.field("content-length").and_then(|len| len.parse::<usize>().ok());
        let body = match content_len {
            _ if !has_content => Vec::new(),
            Some(content_len) => match self.received.get(*len..len + content_len) {
                Some(body) => body.to_vec(),
                None => return false,
            },
            None if answer.field("transfer-encoding") == Some("chunked") => {
                let mut rest = &self.received[..];
                let Some(whole) = Answer::take(&mut rest, false) else { return false };
                let taken = self.received.len() - rest.len();
                self.received.drain(..taken - len);
                return self.judge(whole.body, 0, false, disk, tally);
            }
            None => {
                let pipe = self.pipe.borrow();
                assert!(asked.is_http10 && asked.is_last, "no length: {answer:?}");
                let is_over = pipe.has_end && pipe.incoming() == 0 && !pipe.is_reset_by_server;
                if !is_over {
                    return false;
                }
                self.received[*len..].to_vec()
            }
        };
        let body_len = body.len();
        self.judge(body, body_len, false, disk, tally)
    }

    fn judge(&mut self, body: Vec<u8>, len: usize, is_cut: bool, disk: &Disk, tally: &mut Tally) -> bool {
        let head = self.head.take().expect("a head");
        self.received.drain(..head.len + len);
        let Pending { asked, start } = self.pending.front().expect("a request");
        let answer = Answer { body, ..head.answer };
        // An answer may be older than the end of its request, as far as all of that is received at once.
        let (asked_at, _) = self.departure(start + 1);
        let case = Case {
            asked,
            answer: &answer,
            is_cut,
            must_close: self.pipe.borrow().stop.is_some_and(|stop| !stop.was_behind),
            is_stopping: self.is_stopping(),
            may_be_cut: self.is_cut_by_the_end(),
            asked_at,
            head_at: head.at,
            end_at: disk.moment,
            disk,
        };
        if let Err(what) = case.check() {
            let (Answer { status, fields, body }, now) = (&answer, disk.moment);
            let body = String::from_utf8_lossy(&body[..body.len().min(200)]);
            let when = format!("asked at {asked_at}, head at {}, now {now}", head.at);
            let when = format!("{when} {:?} {}", self.pipe.borrow().stop, self.pipe.borrow().state());
            panic!("{what}\n{when}: {asked:?}\nanswer: {status} {fields:?} {body:?}");
        }
        count(tally, &format!("status {}", answer.status));
        if is_cut {
            count(tally, "cut short");
        }
        self.answers_since_stop += usize::from(self.is_stopping());
        self.see(&answer);
        self.release_if_answered();
        self.pending.pop_front();
        self.forget_departures();
        true
    }

    fn release_if_answered(&mut self) {
        if self.pending.front().is_some_and(|pending| pending.asked.holds_at.is_some()) {
            self.release();
        }
    }

    /// Remembers validators for a condition later on.
    fn see(&mut self, answer: &Answer) {
        let Subject::File(name) = self.pending[0].asked.subject else { return };
        let (Some(tag), Some(modified)) = (answer.field("etag"), answer.field("last-modified")) else {
            return;
        };
        let time = httpdate::parse_http_date(modified).expect("a date");
        let since_1970 = time.duration_since(std::time::UNIX_EPOCH).expect("a date after 1970");
        self.seen = Some(Seen {
            name,
            opaque_tag: tag.trim_start_matches("W/").trim_matches('"').to_owned(),
            is_weak: tag.starts_with("W/"),
            modified_unix_secs: since_1970.as_secs(),
        });
    }

    /// When the first so many bytes had left.
    fn departure(&self, at: usize) -> (Moment, Tick) {
        let pipe = self.pipe.borrow();
        let departure = pipe.departures.iter().find(|(sent, _, _)| *sent >= at);
        let (_, moment, tick) = departure.unwrap_or_else(|| panic!("answered before it was asked"));
        (*moment, *tick)
    }

    fn forget_departures(&mut self) {
        let mut pipe = self.pipe.borrow_mut();
        let start = self.pending.front().map_or(self.planned_end, |pending| pending.start);
        while pipe.departures.front().is_some_and(|(sent, _, _)| *sent <= start) {
            pipe.departures.pop_front();
        }
    }

    /// The earliest moment that an answer to come may speak of.
    pub fn earliest(&self) -> Option<Moment> {
        self.pipe.borrow().departures.front().map(|(_, moment, _)| *moment)
    }

    /// Whether the connection is over and everything that came of it was taken.
    pub fn is_over(&self) -> bool {
        let pipe = self.pipe.borrow();
        pipe.gone.is_some() && pipe.incoming() == 0
    }

    /// Whether nothing is under way that the server could do something about. Whoever sees the end amid an
    /// answer is, too: that is judged when the connection is gone.
    pub fn is_served(&self) -> bool {
        let pipe = self.pipe.borrow();
        if pipe.is_down_shut && pipe.incoming() == 0 {
            return true;
        }
        let is_answered =
            self.pending.front().is_none_or(|pending| pending.start + pending.asked.len > pipe.sent);
        is_answered && self.received.is_empty() && pipe.incoming() == 0
    }

    /// Whether its connection has a reason to be there while the server stops: something is being answered, or
    /// the end has been said.
    pub fn is_owed_something(&self) -> bool {
        let pipe = self.pipe.borrow();
        let is_begun = |first: &Pending| first.start + first.asked.head_len <= pipe.sent;
        pipe.gone.is_some() || pipe.is_down_shut || self.pending.front().is_some_and(is_begun)
    }

    pub fn is_at_rest(&self) -> bool {
        self.pending.is_empty() && self.pipe.borrow().planned.is_empty() && self.is_served()
    }

    /// Judges how it ended.
    pub fn judge_end(mut self, disk: &Disk, limits: &Limits, tally: &mut Tally) {
        if self.pipe.borrow().is_reset {
            return;
        }
        let reason = self.reason();
        if self.pipe.borrow().is_unpollable {
            return count(tally, "closed: cannot be polled");
        }
        let name = reason.map_or("closed".to_owned(), |reason| format!("closed: {reason:?}"));
        count(tally, &name);
        match reason {
            Some(Reason::TurnedAway) => return self.judge_turned_away(tally),
            // Judged when it happened.
            Some(Reason::Greediest | Reason::Stalled) => return,
            Some(Reason::Evicted | Reason::Overdue) | None => {}
        }
        let is_overdue = reason == Some(Reason::Overdue);
        self.receive(0, disk, tally);
        if let Some(late_at) = self.late_at.or(self.untold_late_at()) {
            return self.judge_late(late_at, limits);
        }
        if self.is_lost(limits) {
            return count(tally, "closed on a client that goes on sending");
        }
        let is_shut = self.pipe.borrow().is_down_shut;
        if reason == Some(Reason::Evicted) {
            // What came since the last poll, the server knows nothing of (RFC 9112 §9.5).
            let pipe = self.pipe.borrow();
            let unread = pipe.unread_by_server();
            let is_owed = self.pending.front().is_some_and(|first| first.start < pipe.sent);
            let is_at_rest = !is_owed && self.received.is_empty();
            return assert!(unread > 0 || is_at_rest, "made to go while it was busy");
        }
        if is_overdue && !self.is_stopping() {
            self.judge_deadline(limits);
            // What it has not taken in that time is lost.
            if self.head.is_none() || !is_shut || self.pipe.borrow().is_reset_by_server {
                return;
            }
        }
        if self.may_be_lost_with_a_cut(disk) {
            return count(tally, "lost with a cut");
        }
        if let Some(head) = &self.head {
            let tells_length = head.answer.field("content-length").is_some();
            assert!(tells_length || !is_shut, "half an answer, and an end as of a whole one");
            let body = self.received[head.len..].to_vec();
            let body_len = body.len();
            self.judge(body, body_len, true, disk, tally);
            return;
        }
        if self.is_stopping() {
            return self.judge_stop(tally);
        }
        self.judge_owed();
    }

    /// Closed by the session's own end: nothing is owed.
    fn judge_owed(&self) {
        assert!(self.received.is_empty(), "half a head: {:?}", String::from_utf8_lossy(&self.received));
        let pipe = self.pipe.borrow();
        match self.pending.front() {
            None => assert!(pipe.has_ended || self.last.is_some(), "closed for no reason"),
            Some(Pending { asked, start }) => {
                let is_whole = start + asked.len <= pipe.sent;
                assert!(
                    pipe.has_ended && !is_whole,
                    "closed without an answer to {asked:?}: {}",
                    pipe.state()
                );
            }
        }
    }

    /// One that there is no room for is told so, if its answer was not lost to what it sent meanwhile.
    fn judge_turned_away(&self, tally: &mut Tally) {
        let text = String::from_utf8_lossy(&self.received);
        let is_told = text.starts_with("HTTP/1.1 503 ") && text.contains("\r\nRetry-After: ");
        // It may have had room for a part only, or have sent more than is read of it.
        let is_part = "HTTP/1.1 503 ".starts_with(&text[..text.len().min(13)]);
        assert!(is_told || is_part, "turned away with {text:?}");
        count(tally, if text.is_empty() { UNTOLD } else { "told that there is no room" });
    }

    /// What had come before the server was told to stop is answered, with the one answer that is the last; what
    /// takes too long is cut.
    fn judge_stop(&self, tally: &mut Tally) {
        let pipe = self.pipe.borrow();
        let sent = pipe.stop.map_or(0, |stop| stop.sent);
        let is_begun = |first: &Pending| first.start + first.asked.head_len <= sent;
        let is_owed = self.pending.front().is_some_and(is_begun) && !pipe.has_ended;
        let is_answered = !is_owed || self.answers_since_stop > 0 || self.is_cut_by_the_end();
        assert!(is_answered, "stopped without an answer to {:?}: {}", self.pending[0].asked, pipe.state());
        count(tally, "stopped");
    }

    /// A file that shrinks ends the connection; who sends on behind it may lose what was on its way.
    fn may_be_lost_with_a_cut(&self, disk: &Disk) -> bool {
        let is_reset = self.pipe.borrow().is_reset_by_server;
        let sent = self.pipe.borrow().sent;
        let asked =
            self.pending.iter().filter(|pending| pending.start + pending.asked.answerable_len <= sent);
        is_reset
            && asked.into_iter().any(|Pending { asked, start }| {
                let (since, _) = self.departure(start + asked.answerable_len);
                asked.subject.names().any(|name| disk.was_overwritten(name, since))
            })
    }

    /// Whether answers may be lost because the client sent more than it should have.
    fn is_lost(&self, limits: &Limits) -> bool {
        let pipe = self.pipe.borrow();
        let Some((last, is_farewell)) = self.last else { return false };
        let excess = pipe.sent.saturating_sub(last);
        pipe.is_reset_by_server && (excess >= limits.linger_bytes_max as usize || is_farewell && excess > 0)
    }

    /// When it was told that a request has not come in time, if that was lost to what it sent meanwhile: the
    /// end is a reset then. Between the word and the end a second may begin.
    fn untold_late_at(&self) -> Option<Tick> {
        let pipe = self.pipe.borrow();
        let has_just_written = pipe.gone.is_some_and(|gone| gone <= pipe.wrote_at + 1);
        let is_told = pipe.reason == Some(Reason::Overdue) && has_just_written;
        let is_lost = pipe.unread_by_server() > 0 && !pipe.awaits_room && !pipe.is_down_shut;
        (is_told && is_lost).then_some(pipe.wrote_at)
    }

    /// A request that was told to be too late: the client must have had its time.
    fn judge_late(&self, late_at: Tick, limits: &Limits) {
        let first = self.pending.front().expect("a request");
        let (_, began) = self.departure(first.start + 1);
        assert!(late_at > began + limits.head_secs.min(limits.body_secs), "too late: {:?}", first.asked);
    }

    /// A connection whose time is up: the client must have had that time.
    fn judge_deadline(&self, limits: &Limits) {
        let pipe = self.pipe.borrow();
        let gone = pipe.gone.expect("it has gone");
        let has_passed = |since: Tick, secs: u32| gone > since + secs;
        let unanswered = self.pending.iter().find(|pending| pending.start + pending.asked.len <= pipe.sent);
        let Some(first) = self.pending.front() else {
            return match pipe.is_down_shut {
                true => assert!(has_passed(pipe.wrote_at, limits.linger_secs), "lingered for too short"),
                false => assert!(has_passed(pipe.used_at(), limits.idle_secs), "idle for too short"),
            };
        };
        if unanswered.is_some() || self.head.is_some() {
            assert!(
                pipe.awaits_room || pipe.is_down_shut,
                "overdue and not stalled: {:?} {}",
                first.asked,
                pipe.state()
            );
            let secs = if pipe.is_down_shut { limits.linger_secs } else { limits.send_secs };
            return assert!(has_passed(pipe.wrote_at, secs), "stalled for too short");
        }
        assert!(
            pipe.awaits_room || pipe.holds_at != Some(pipe.sent),
            "never told to go on: {:?} {}",
            first.asked,
            pipe.state()
        );
        match pipe.departures.iter().find(|(sent, _, _)| *sent > first.start) {
            None => assert!(has_passed(pipe.used_at(), limits.idle_secs), "idle for too short"),
            Some((_, _, since)) => {
                assert!(has_passed(*since, limits.head_secs.min(limits.body_secs)), "too short for a head");
            }
        }
    }
}
