//! What clients and shortages do to the service, told at `warn`: each kind at once, then once a minute.
//!
//! Whoever operates a server has to hear of bounds that take effect, and clients must not be able to fill the
//! log by having them do so. So notices are counted by kind; what is told of a kind is how many there were,
//! one example, and what to do.

use std::fmt::{self, Display, Write as _};

use crate::clock::{Now, Tick};

/// A kind is told again after this time at the earliest, seconds.
const TOLD_EVERY_SECS: Tick = 60;
/// How much of an example is told.
const EXAMPLE_BYTES_MAX: usize = 240;

/// Something that whoever operates the server may want to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// 503: all places are taken by connections that are busy. Example: the client.
    TurnedAway,
    /// 503: the client has as many connections as one may have. Example: the client.
    BeyondOwnBound,
    /// An idle connection made room for others. Example: its client.
    Evicted,
    /// Its client did not get on, and it made room for another. Example: its client.
    Stalled,
    /// A client speaks TLS. Example: the client.
    TlsHello,
    /// A deadline has passed. Examples: the client.
    LateHead,
    LateBody,
    LateSend,
    /// A connection was cut because memory is short, and its client had most of it. Example: the client.
    NoMemory,
    /// The system grants no descriptor or memory for another connection. Example: its error.
    AcceptingPaused,
    /// 503: no descriptor is left for a file. Example: its path.
    NoDescriptor,
    /// A file or folder could not be read, for a reason that is not the client's. Example: path and error.
    Unreadable,
    /// The kernel refuses to send files by itself, so they are read and sent. Example: its error.
    Copied,
    /// Lines of the access log are lost. Example: from when to when, and why.
    LogLinesLost,
}

impl Notice {
    pub const ALL: [Notice; 14] = [
        Notice::TurnedAway,
        Notice::BeyondOwnBound,
        Notice::Evicted,
        Notice::Stalled,
        Notice::TlsHello,
        Notice::LateHead,
        Notice::LateBody,
        Notice::LateSend,
        Notice::NoMemory,
        Notice::AcceptingPaused,
        Notice::NoDescriptor,
        Notice::Unreadable,
        Notice::Copied,
        Notice::LogLinesLost,
    ];

    /// What happened.
    pub fn what(self) -> &'static str {
        self.words()[2]
    }

    /// What happened to many, and to what: as a name for how often.
    pub fn name(self) -> String {
        let [_, many, what, _] = self.words();
        format!("{many} {what}")
    }

    /// What it happened to, one and many; what happened; and what to do.
    fn words(self) -> [&'static str; 4] {
        const SLOW: &str = "a client far away or an attack; '--max-per-client' bounds what one can hold";
        const COPIED: &str = "some filesystems and sandboxes do; it is told once";
        const FILES: &str = "try a larger 'ulimit -n', or a smaller '--max-connections'";
        match self {
            Notice::TurnedAway => [
                "client",
                "clients",
                "turned away with 503 for want of places",
                "try a larger '--max-connections', 'ulimit -n' or '--memory', whichever bounds them",
            ],
            Notice::BeyondOwnBound => [
                "connection",
                "connections",
                "beyond what one client may have turned away with 503",
                "try a larger '--max-per-client'",
            ],
            Notice::Evicted => [
                "idle connection",
                "idle connections",
                "closed to make room for others",
                "try a larger '--max-connections', 'ulimit -n' or '--memory', or a shorter '--idle-timeout'",
            ],
            Notice::Stalled => {
                ["connection", "connections", "cut because it did not get on and others needed room", SLOW]
            }
            Notice::TlsHello => [
                "client",
                "clients",
                "refused for speaking TLS, as for https://, to a port of plain HTTP",
                "give out http:// addresses, or put a proxy that speaks TLS in front",
            ],
            Notice::LateHead => ["request", "requests", "answered with 408 for not coming in time", SLOW],
            Notice::LateBody => {
                ["request", "requests", "answered with 408 for a body that did not come in time", SLOW]
            }
            Notice::LateSend => {
                ["connection", "connections", "cut because the client took too little in time", SLOW]
            }
            Notice::NoMemory => {
                ["connection", "connections", "cut for want of memory", "try a larger '--memory'"]
            }
            Notice::AcceptingPaused => ["pause", "pauses", "in accepting connections", FILES],
            Notice::NoDescriptor => {
                ["request", "requests", "answered with 503 for want of a descriptor", FILES]
            }
            Notice::Unreadable => {
                ["request", "requests", "for what could not be read", "see whether its disk is well"]
            }
            Notice::Copied => {
                ["file", "files", "copied, since the kernel refuses sendfile, which is slower", COPIED]
            }
            Notice::LogLinesLost => {
                ["line", "lines", "of the access log lost", "see whether it is read, and has room"]
            }
        }
    }
}

/// What has happened so far.
#[derive(Debug, Default)]
pub struct Notices {
    kinds: [Gathered; Notice::ALL.len()],
}

/// What has happened of one kind.
#[derive(Debug, Default)]
struct Gathered {
    total: u64,
    /// How many of them have not been told.
    untold: u64,
    told_tick: Option<Tick>,
    /// The latest.
    example: String,
}

impl Notices {
    /// Counts one. It is told at once if none of its kind was within a minute.
    pub fn count(&mut self, notice: Notice, example: &dyn Display, now: &Now) {
        self.count_many(notice, 1, example, now);
    }

    /// Counts several of a kind at once, with an example for all.
    pub fn count_many(&mut self, notice: Notice, count: u64, example: &dyn Display, now: &Now) {
        let gathered = &mut self.kinds[notice as usize];
        gathered.total += count;
        gathered.untold += count;
        gathered.keep(example);
        if gathered.is_due(now.tick) {
            gathered.tell(notice, now.tick);
        }
    }

    /// Counts one of a kind that says the same each time: it is told once for all.
    pub fn count_once(&mut self, notice: Notice, example: &dyn Display, now: &Now) {
        let total = &mut self.kinds[notice as usize].total;
        match *total {
            0 => self.count(notice, example, now),
            _ => *total += 1,
        }
    }

    /// How many there were since the start.
    pub fn total(&self, notice: Notice) -> u64 {
        self.kinds[notice as usize].total
    }

    /// When [`tell_due`](Notices::tell_due) is worth a call; `None` if everything is told.
    pub fn wake_tick(&self) -> Option<Tick> {
        self.kinds.iter().filter(|kind| kind.untold > 0).map(Gathered::due_tick).min()
    }

    /// Tells of the kinds of which something has gathered for a minute.
    pub fn tell_due(&mut self, now: &Now) {
        for notice in Notice::ALL {
            let gathered = &mut self.kinds[notice as usize];
            if gathered.untold > 0 && gathered.is_due(now.tick) {
                gathered.tell(notice, now.tick);
            }
        }
    }

    /// Adds to what was `served` how many notices of each kind there were, and tells that.
    pub fn tell_summary(&self, served: &str) {
        let is_clean = Notice::ALL.iter().all(|notice| self.total(*notice) == 0);
        let level = if is_clean { log::Level::Info } else { log::Level::Warn };
        log::log!(level, "{}", self.summary(served));
    }

    fn summary(&self, served: &str) -> String {
        let mut text = served.to_owned();
        for notice in Notice::ALL {
            let [one, many, what, _] = notice.words();
            let total = self.total(notice);
            if total > 0 {
                // Cannot fail: writing to memory.
                let _ = write!(text, "; {} {what}", Counted(total, [one, many]));
            }
        }
        text
    }
}

impl Gathered {
    fn due_tick(&self) -> Tick {
        self.told_tick.map_or(0, |tick| tick.saturating_add(TOLD_EVERY_SECS))
    }

    fn is_due(&self, tick: Tick) -> bool {
        tick >= self.due_tick()
    }

    fn tell(&mut self, notice: Notice, tick: Tick) {
        log::warn!("{}", self.message(notice, tick));
        self.untold = 0;
        self.told_tick = Some(tick);
    }

    fn message(&self, notice: Notice, tick: Tick) -> String {
        let [one, many, what, advice] = notice.words();
        let since = match self.told_tick {
            Some(told) => format!(" in the last {} s, lately", tick - told),
            None => String::new(),
        };
        format!("{} {what}{since}: {} ({advice})", Counted(self.untold, [one, many]), self.example)
    }

    fn keep(&mut self, example: &dyn Display) {
        self.example.clear();
        // So that it grows once.
        self.example.reserve(EXAMPLE_BYTES_MAX);
        // An error says that it was too long.
        let _ = write!(Bounded(&mut self.example), "{example}");
    }
}

/// A text of bounded length.
struct Bounded<'a>(&'a mut String);

impl fmt::Write for Bounded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            // What a path brings along must not end the line, nor command a terminal.
            let char = if char.is_control() { '?' } else { char };
            if self.0.len() + char.len_utf8() > EXAMPLE_BYTES_MAX {
                return Err(fmt::Error);
            }
            self.0.push(char);
        }
        Ok(())
    }
}

/// A number, with commas between thousands, of things of which one and many are called so.
pub struct Counted(pub u64, pub [&'static str; 2]);

impl Display for Counted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counted(count, [one, many]) = self;
        let digits = count.to_string();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index) % 3 == 0 {
                formatter.write_char(',')?;
            }
            formatter.write_char(digit)?;
        }
        write!(formatter, " {}", if *count == 1 { one } else { many })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(tick: Tick) -> Now {
        Now::at(tick, 0)
    }

    fn untold(notices: &Notices, notice: Notice) -> u64 {
        notices.kinds[notice as usize].untold
    }

    #[test]
    fn the_first_is_told_at_once_and_further_ones_after_a_minute() {
        let mut notices = Notices::default();
        assert_eq!(notices.wake_tick(), None);
        notices.count(Notice::TurnedAway, &"192.0.2.1", &at(5));
        assert_eq!((untold(&notices, Notice::TurnedAway), notices.wake_tick()), (0, None), "nothing pends");
        for tick in [5, 6, 64] {
            notices.count(Notice::TurnedAway, &"192.0.2.2", &at(tick));
            notices.tell_due(&at(tick));
        }
        assert_eq!((untold(&notices, Notice::TurnedAway), notices.wake_tick()), (3, Some(65)));
        notices.tell_due(&at(65));
        assert_eq!((untold(&notices, Notice::TurnedAway), notices.wake_tick()), (0, None));
        assert_eq!(notices.total(Notice::TurnedAway), 4);
    }

    #[test]
    fn one_after_a_quiet_minute_is_told_at_once_and_a_late_call_loses_none() {
        let mut notices = Notices::default();
        notices.count(Notice::Evicted, &"a", &at(0));
        notices.count(Notice::Evicted, &"a", &at(200));
        assert_eq!(untold(&notices, Notice::Evicted), 0);
        notices.count(Notice::Evicted, &"a", &at(201));
        notices.count_many(Notice::Evicted, 3, &"a", &at(300));
        assert_eq!((untold(&notices, Notice::Evicted), notices.total(Notice::Evicted)), (0, 6));
    }

    #[test]
    fn kinds_do_not_wait_for_each_other() {
        let mut notices = Notices::default();
        notices.count(Notice::LateHead, &"a", &at(0));
        notices.count(Notice::LateSend, &"a", &at(10));
        for notice in [Notice::LateSend, Notice::LateHead] {
            notices.count(notice, &"a", &at(20));
        }
        assert_eq!(notices.wake_tick(), Some(60));
        notices.tell_due(&at(60));
        assert_eq!(notices.wake_tick(), Some(70));
    }

    #[test]
    fn a_message_tells_how_many_one_of_them_and_what_to_do() {
        let mut gathered = Gathered { untold: 1, ..Gathered::default() };
        gathered.keep(&"192.0.2.1");
        let advice = "(try a larger '--max-connections', 'ulimit -n' or '--memory', whichever bounds them)";
        let expected = "1 client turned away with 503 for want of places: 192.0.2.1";
        assert_eq!(gathered.message(Notice::TurnedAway, 7), format!("{expected} {advice}"));
        gathered.told_tick = Some(7);
        gathered.untold = 1234;
        let expected =
            "1,234 clients turned away with 503 for want of places in the last 63 s, lately: 192.0.2.1";
        assert_eq!(gathered.message(Notice::TurnedAway, 70), format!("{expected} {advice}"));
    }

    #[test]
    fn an_example_is_one_line_of_bounded_length() {
        let mut gathered = Gathered::default();
        gathered.keep(&"a\r\nb\x1b[2J\u{9b}ü");
        assert_eq!(gathered.example, "a??b?[2J?ü");
        gathered.keep(&format_args!("{}{}", "ü".repeat(EXAMPLE_BYTES_MAX), "end"));
        assert_eq!(gathered.example, "ü".repeat(EXAMPLE_BYTES_MAX / 2));
    }

    #[test]
    fn the_summary_adds_all_up() {
        let mut notices = Notices::default();
        assert_eq!(notices.summary("served 1 response"), "served 1 response");
        notices.count(Notice::Evicted, &"a", &at(0));
        notices.count_many(Notice::LogLinesLost, 1_234_567, &"a", &at(0));
        let expected = "served 12,345 responses; 1 idle connection closed to make room for others; \
                        1,234,567 lines of the access log lost";
        assert_eq!(notices.summary("served 12,345 responses"), expected);
    }

    #[test]
    fn each_kind_has_its_place() {
        for (index, notice) in Notice::ALL.into_iter().enumerate() {
            assert_eq!(notice as usize, index);
        }
    }
}
