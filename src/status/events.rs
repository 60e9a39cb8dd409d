//! What is pushed to whoever stays: `/events`, as server-sent events (HTML Standard §9.2).
//!
//! Of each topic the latest event is kept, and no other. Whoever reads slowly has its next one when it has
//! taken the last, whatever came between; who takes nothing is cut when its time to take is up, as everybody
//! is. So a reader costs a place and a piece, and the loop waits for none.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::{Told, json};
use crate::outbox::{Piece, Pulled, Source};

/// What one may want to be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Topic {
    /// All figures, once a second: as in `/status.json`.
    Figures,
    /// How often each bound took effect, whenever one did.
    Notices,
}

const TOPICS: [(Topic, &str); 2] = [(Topic::Figures, "figures"), (Topic::Notices, "notices")];

/// Said of a query that asks for another.
pub const UNKNOWN_TOPIC: &str = "The topics are figures and notices, as in /events?topic=figures.\n";

/// Topics, a bit for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topics(u32);

impl Topics {
    /// Those that `query` names, such as `topic=figures&topic=notices`; without a query all. `None` if one is
    /// not known.
    pub fn of(query: Option<&[u8]>) -> Option<Topics> {
        let Some(query) = query.filter(|query| !query.is_empty()) else { return Some(Topics(u32::MAX)) };
        query.split(|byte| *byte == b'&').try_fold(Topics(0), |topics, pair| {
            let name = pair.strip_prefix(b"topic=")?;
            let (topic, _) = TOPICS.iter().find(|(_, known)| known.as_bytes() == name)?;
            Some(Topics(topics.0 | topic.bit()))
        })
    }
}

impl Topic {
    fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// The latest event of a topic.
#[derive(Debug, Default)]
struct Event {
    /// How many there have been.
    number: u64,
    text: String,
}

/// Whoever hears nothing for so long is told that, seconds: it shows who has gone.
const BEAT_SECS: u64 = 5;

/// What there is to tell.
#[derive(Debug, Default)]
struct Events {
    latest: [Event; TOPICS.len()],
    /// How often all were told.
    rounds: u64,
}

/// Whoever stays, and what they are told.
#[derive(Debug, Default)]
pub struct Hub {
    events: Arc<Mutex<Events>>,
    /// The key of each reader's connection, and a sign that it is there.
    readers: Vec<(usize, Weak<()>)>,
    told_notices: Vec<(String, u64)>,
}

impl Hub {
    /// A reader at `key`, of `topics`: it is told at once how things are, and of each change.
    pub fn subscribe(&mut self, key: usize, topics: Topics, told: &Told) -> Reader {
        let sign = Arc::new(());
        self.readers.push((key, Arc::downgrade(&sign)));
        self.publish(told);
        Reader {
            events: Arc::clone(&self.events),
            topics,
            seen: [0; TOPICS.len()],
            heard_round: 0,
            _sign: sign,
        }
    }

    /// How many stay.
    pub fn readers(&mut self) -> usize {
        self.readers.retain(|(_, sign)| sign.strong_count() > 0);
        self.readers.len()
    }

    /// Whether anybody stays.
    pub fn has_readers(&mut self) -> bool {
        self.readers() > 0
    }

    /// Whether anybody stayed when that was last looked at.
    pub fn may_have_readers(&self) -> bool {
        !self.readers.is_empty()
    }

    /// Tells everybody; returns the keys of those to wake.
    pub fn publish(&mut self, told: &Told) -> Vec<usize> {
        if !self.has_readers() {
            return Vec::new();
        }
        let mut events = lock(&self.events);
        events.rounds += 1;
        tell(&mut events, Topic::Figures, &json::text(told));
        let notices = &told.loop_.notices;
        if self.told_notices != *notices {
            tell(&mut events, Topic::Notices, &json::object(notices));
            self.told_notices.clone_from(notices);
        }
        self.readers.iter().map(|(key, _)| *key).collect()
    }
}

/// Puts an event in place of the last one of its topic.
fn tell(events: &mut Events, topic: Topic, data: &str) {
    let (name, event) = (TOPICS[topic as usize].1, &mut events.latest[topic as usize]);
    event.number += 1;
    event.text = format!("event: {name}\ndata: {}\n\n", data.replace('\n', ""));
}

/// One thread has it: nobody can have left it half changed.
fn lock(events: &Mutex<Events>) -> MutexGuard<'_, Events> {
    events.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The content of a response that goes on as long as its client stays.
#[derive(Debug)]
pub struct Reader {
    events: Arc<Mutex<Events>>,
    topics: Topics,
    /// The number of the event of each topic that it has had.
    seen: [u64; TOPICS.len()],
    /// When it was last told something.
    heard_round: u64,
    _sign: Arc<()>,
}

impl Source for Reader {
    fn pull(&mut self, piece: &mut Piece) -> io::Result<Pulled> {
        let events = lock(&self.events);
        for ((topic, _), (event, seen)) in TOPICS.iter().zip(events.latest.iter().zip(&mut self.seen)) {
            if self.topics.0 & topic.bit() != 0 && event.number > *seen {
                piece.bytes.extend_from_slice(event.text.as_bytes());
                *seen = event.number;
            }
        }
        if piece.bytes.is_empty() && events.rounds < self.heard_round + BEAT_SECS {
            return Ok(Pulled::NothingYet);
        }
        if piece.bytes.is_empty() {
            piece.bytes.extend_from_slice(b":\n\n");
        }
        self.heard_round = events.rounds;
        Ok(Pulled::More)
    }

    fn kept_bytes(&self) -> usize {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pull(reader: &mut Reader) -> String {
        let mut piece = Piece::default();
        let pulled = reader.pull(&mut piece).expect("no error");
        assert_eq!(pulled == Pulled::NothingYet, piece.bytes.is_empty());
        String::from_utf8(piece.bytes).expect("UTF-8")
    }

    #[test]
    fn topics_are_those_that_are_asked_for() {
        let of = |query: &str| Topics::of(Some(query.as_bytes()));
        assert_eq!(Topics::of(None), of(""));
        assert_eq!(of("topic=figures"), Some(Topics(1)));
        assert_eq!(of("topic=notices&topic=figures"), Some(Topics(3)));
        for unknown in ["topic=", "topic=figure", "topic", "figures", "topic=figures&x=1"] {
            assert_eq!(of(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn who_lags_has_the_latest_and_who_left_is_forgotten() {
        let (mut hub, mut told) = (Hub::default(), Told::default());
        assert!(hub.publish(&told).is_empty(), "nothing is made for nobody");
        let mut quick = hub.subscribe(3, Topics(1), &told);
        let mut slow = hub.subscribe(5, Topics(1), &told);
        let first = pull(&mut quick);
        assert!(first.starts_with("event: figures\ndata: {") && first.ends_with("}\n\n"), "{first}");
        assert_eq!(first.matches('\n').count(), 3, "one line of data");
        assert_eq!(pull(&mut quick), "", "and no more");
        for at in 1..=10 {
            told.loop_.at_micros = at;
            assert_eq!(hub.publish(&told), [3, 5]);
            assert!(pull(&mut quick).contains(&format!("\"uptime_micros\": {at},")));
        }
        let latest = pull(&mut slow);
        assert!(latest.contains("\"uptime_micros\": 10,"));
        assert_eq!(latest.matches("event:").count(), 1);
        drop(slow);
        assert_eq!(hub.publish(&told), [3]);
        drop(quick);
        assert!(!hub.has_readers() && hub.publish(&told).is_empty());
    }

    #[test]
    fn who_hears_nothing_for_long_is_told_that() {
        let (mut hub, told) = (Hub::default(), Told::default());
        let mut reader = hub.subscribe(0, Topics(2), &told);
        let mut beats = 0;
        for _ in 0..3 * BEAT_SECS {
            hub.publish(&told);
            let heard = pull(&mut reader);
            assert!(heard.is_empty() || heard == ":\n\n", "{heard}");
            beats += u64::from(!heard.is_empty());
        }
        assert_eq!(beats, 3);
    }

    #[test]
    fn a_notice_is_told_when_it_came() {
        let (mut hub, mut told) = (Hub::default(), Told::default());
        told.loop_.notices = vec![("clients turned away".to_owned(), 0)];
        let mut reader = hub.subscribe(0, Topics(2), &told);
        assert_eq!(pull(&mut reader), "event: notices\ndata: {\"clients turned away\": 0}\n\n");
        hub.publish(&told);
        assert_eq!(pull(&mut reader), "", "nothing has changed");
        told.loop_.notices[0].1 = 2;
        hub.publish(&told);
        assert_eq!(pull(&mut reader), "event: notices\ndata: {\"clients turned away\": 2}\n\n");
    }
}
