//! Whether an answer is right: what the model allows, given what the files were while it was made.

use super::answer::Answer;
use super::disk::{Disk, LOADED_BYTES_MAX, Moment, State, Version};
use super::feed;
use super::request::{Asked, Condition, RangeSpec, Subject};

/// An answer, whole or cut short, and when it came about.
pub struct Case<'a> {
    pub asked: &'a Asked,
    pub answer: &'a Answer,
    /// The connection ended before the content did.
    pub is_cut: bool,
    /// The server was told to stop: before this was answered, before it had come; it has ended, and may have cut
    /// it.
    pub must_close: bool,
    pub is_stopping: bool,
    pub may_be_cut: bool,
    /// The request was there; the head of the answer had come; all of it had.
    pub asked_at: Moment,
    pub head_at: Moment,
    pub end_at: Moment,
    pub disk: &'a Disk,
}

type Verdict = Result<(), String>;

fn ensure(is_right: bool, what: impl FnOnce() -> String) -> Verdict {
    if is_right { Ok(()) } else { Err(what()) }
}

impl Case<'_> {
    pub fn check(&self) -> Verdict {
        self.check_connection()?;
        self.check_date()?;
        match self.asked.subject {
            Subject::Fixed(status) => self.check_built_in(status),
            Subject::Redirect(status, location) => {
                let got = self.answer.field("location");
                ensure(got == Some(location), || format!("leads to {got:?}"))?;
                self.check_built_in(status)
            }
            Subject::Listing { is_json } => self.check_listing(is_json),
            Subject::Feed(len) => self.check_feed(len),
            Subject::Nowhere => self.check_not_found(),
            Subject::File(name) => self.check_path(name),
        }
    }

    fn check_connection(&self) -> Verdict {
        let expected = match self.asked {
            Asked { is_last: true, .. } => Some("close"),
            Asked { is_http10: true, .. } => Some("keep-alive"),
            _ => None,
        };
        let got = self.answer.field("connection");
        if self.must_close {
            return ensure(got == Some("close"), || format!("Connection: {got:?}, and the server stops"));
        }
        let is_farewell = self.is_stopping && got == Some("close");
        ensure(got == expected || is_farewell, || format!("Connection: {got:?}, not {expected:?}"))
    }

    fn check_date(&self) -> Verdict {
        let date = self.answer.field("date").and_then(unix_secs).ok_or("no date")?;
        // The clock that is read once a turn may be behind by that turn.
        let is_of_now = self.disk.times(self.asked_at, self.head_at).any(|time| time == date);
        ensure(is_of_now, || format!("a date of another time: {date}"))
    }

    fn status(&self, expected: u16) -> Verdict {
        ensure(self.answer.status == expected, || format!("{}, not {expected}", self.answer.status))
    }

    fn check_built_in(&self, status: u16) -> Verdict {
        self.status(status)?;
        let has_page = !self.asked.is_head && status != 204;
        let text = self.answer.text();
        let is_page = text.starts_with("<!doctype html>") && text.contains(&format!("<h1>{status} "));
        let is_right = match self.is_cut {
            true => has_page && self.may_be_cut,
            false => {
                if has_page {
                    is_page
                } else {
                    text.is_empty()
                }
            }
        };
        ensure(is_right, || format!("page: {text}"))
    }

    fn check_not_found(&self) -> Verdict {
        self.status(404)?;
        ensure(self.answer.field("etag").is_none(), || "a tag of something else".to_owned())?;
        self.any_state("404.html", |state| match &state.version {
            None => self.check_built_in(404),
            Some(version) => self.check_content("404.html", version, 0..version.len),
        })
    }

    fn check_path(&self, name: &'static str) -> Verdict {
        self.any_state(name, |state| match state.version {
            None => self.check_not_found().or_else(|_| self.check_only_coded(name)),
            Some(version) => {
                let has_tag = self.answer.field("etag").map(|tag| tag.ends_with("-gzip\""));
                let is_coded = self.answer.field("content-encoding") == Some("gzip");
                let is_told = is_coded == (has_tag == Some(true)) || self.answer.status == 304;
                ensure(is_told, || "coded, and not told".to_owned())?;
                let plain = || self.check_file(name, state, &version, "");
                // A part is of the plain file, unless its tag says otherwise.
                let may_be_coded = self.asked.ranges.is_empty() || self.means_coded();
                match has_tag {
                    _ if !(self.asked.accepts_gzip && name == "app.js" && may_be_coded) => plain(),
                    Some(false) => plain(),
                    Some(true) => self.check_coded(&version),
                    None => plain().or_else(|_| self.check_coded(&version)),
                }
            }
        })
    }

    fn means_coded(&self) -> bool {
        matches!(&self.asked.condition, Condition::IfRange(tag, _) if tag.ends_with("-gzip"))
    }

    /// Of a file that is there in a coding alone. Which there are may be a second old.
    fn check_only_coded(&self, name: &str) -> Verdict {
        ensure(name == "app.js", || "nothing is there, in no coding".to_owned())?;
        self.any_state("app.js.gz", |state| match state.version {
            None => Err("no variant".to_owned()),
            Some(_) if !self.asked.accepts_gzip => self.check_built_in(406),
            Some(coding) => self.check_file("app.js.gz", state, &coding, "-gzip"),
        })
    }

    fn check_coded(&self, version: &Version) -> Verdict {
        self.any_state("app.js.gz", |state| {
            let coding = state.version.filter(|coding| !version.is_newer_than(coding));
            self.check_file("app.js.gz", state, &coding.ok_or("too old a variant, or none")?, "-gzip")
        })
    }

    /// One of the states that `name` was in must explain the answer.
    fn any_state(&self, name: &str, check: impl Fn(&State) -> Verdict) -> Verdict {
        let mut wrong = Vec::new();
        for state in self.disk.states(name, self.asked_at, self.head_at) {
            match check(state) {
                Ok(()) => return Ok(()),
                Err(what) => wrong.push(format!("if {name} is {:?}: {what}", state.version)),
            }
        }
        Err(wrong.join("\n"))
    }

    fn check_file(&self, name: &str, state: &State, version: &Version, coding: &str) -> Verdict {
        let status = self.answer.status;
        let tag = version.opaque_tag() + coding;
        let outcomes = self.outcomes(state, version, &tag);
        ensure(outcomes.contains(&status), || format!("{status}, not one of {outcomes:?}"))?;
        if status == 412 {
            return self.check_built_in(412);
        }
        if status == 416 {
            let range = self.answer.field("content-range").map(str::to_owned);
            ensure(range == Some(format!("bytes */{}", version.len)), || format!("of {range:?}"))?;
            return self.check_built_in(416);
        }
        let got = self.answer.field("etag").unwrap_or_default();
        let is_weak = got.starts_with("W/");
        ensure(got.trim_start_matches("W/") == format!("\"{tag}\""), || format!("{got} is not {tag}"))?;
        let is_fit = if is_weak { state.was_in_doubt } else { state.was_settled };
        ensure(is_fit, || format!("{got} is weak or strong and should not be"))?;
        if status == 304 {
            return ensure(self.answer.body.is_empty(), || "a 304 with content".to_owned());
        }
        let modified = self.answer.field("last-modified").and_then(unix_secs).ok_or("no time")?;
        // A date that is over: that of two seconds ago at most.
        let earliest = version.modified_unix_secs.min(state.unix_secs_min - 2);
        ensure((earliest..=version.modified_unix_secs).contains(&modified), || format!("of {modified}"))?;
        match (status, self.asked.ranges.len()) {
            (200, _) => self.check_content(name, version, 0..version.len),
            (206, 1) => self.check_one_range(name, version),
            _ => self.check_ranges(name, version),
        }
    }

    /// Statuses that are right for a file in this state: two where it depends on when its time was looked at.
    fn outcomes(&self, state: &State, version: &Version, tag: &str) -> Vec<u16> {
        let whole_or_part = || match tag.ends_with("-gzip") && !self.means_coded() {
            true => vec![200],
            false => self.range_outcomes(version.len),
        };
        // Whether a tag that came with the request is, strongly, that of the file.
        let strong = |other: &str, is_weak: bool| match other == tag && !is_weak {
            false => [false, false],
            true => [state.was_settled, !state.was_in_doubt],
        };
        match &self.asked.condition {
            Condition::None => whole_or_part(),
            Condition::IfNoneMatch(other) if other == "*" || other == tag => vec![304],
            Condition::IfNoneMatch(_) => whole_or_part(),
            Condition::IfMatch(other, is_weak) => match strong(other, *is_weak) {
                [false, _] => vec![412],
                [true, true] => whole_or_part(),
                [true, false] => [vec![412], whole_or_part()].concat(),
            },
            Condition::IfRange(other, is_weak) => match strong(other, *is_weak) {
                [false, _] => vec![200],
                [true, true] => whole_or_part(),
                [true, false] => [vec![200], whole_or_part()].concat(),
            },
            Condition::IfModifiedSince(date) if version.modified_unix_secs <= *date => vec![304],
            Condition::IfModifiedSince(_) => whole_or_part(),
        }
    }

    fn range_outcomes(&self, len: usize) -> Vec<u16> {
        /// More than what stands in front of a part takes.
        const BETWEEN_BYTES: usize = 250;

        let ranges = &self.asked.ranges[..];
        let parts_len: usize = ranges.iter().map(|spec| spec.of(len).len() + BETWEEN_BYTES).sum();
        match ranges {
            [] => vec![200],
            _ if len == 0 => vec![200],
            _ if ranges.iter().all(|spec| spec.of(len).is_empty()) => vec![416],
            // All of it may be less than its parts with what stands between them.
            [_, _, ..] if parts_len > len => vec![200, 206],
            _ => vec![206],
        }
    }

    fn check_one_range(&self, name: &str, version: &Version) -> Verdict {
        let range = self.asked.ranges[0].of(version.len);
        let expected = content_range(&range, version.len);
        let got = self.answer.field("content-range");
        ensure(got == Some(&expected), || format!("{got:?}, not {expected}"))?;
        self.check_content(name, version, range)
    }

    /// Of several ranges: what was asked for is there, and what is there is right.
    fn check_ranges(&self, name: &str, version: &Version) -> Verdict {
        if self.is_cut {
            return self.check_cut(name, version);
        }
        let mut parts = Vec::new();
        if let Some(range) = self.answer.field("content-range") {
            let range = parse_content_range(range, version.len).ok_or_else(|| range.to_owned())?;
            self.check_content(name, version, range.clone())?;
            parts.push(range);
        } else {
            let content_type = self.answer.field("content-type").unwrap_or_default();
            let boundary = content_type.strip_prefix("multipart/byteranges; boundary=").ok_or("no parts")?;
            let mut rest = &self.answer.body[..];
            while rest != format!("\r\n--{boundary}--\r\n").as_bytes() {
                let start = format!("\r\n--{boundary}\r\nContent-Type: ");
                rest = rest.strip_prefix(start.as_bytes()).ok_or("no boundary")?;
                let head_len = rest.windows(4).position(|four| four == b"\r\n\r\n").ok_or("no part")?;
                let head = String::from_utf8_lossy(&rest[..head_len]);
                let range = head.split_once("\r\nContent-Range: ").ok_or("no range")?.1;
                let range = parse_content_range(range, version.len).ok_or_else(|| range.to_owned())?;
                let (content, behind) = rest[head_len + 4..].split_at_checked(range.len()).ok_or("short")?;
                self.explain(name, version, &range, content)?;
                (rest, _) = (behind, parts.push(range));
            }
        }
        let is_there = |spec: &RangeSpec| {
            let range = spec.of(version.len);
            range.is_empty() || parts.iter().any(|part| part.start <= range.start && range.end <= part.end)
        };
        ensure(self.asked.ranges.iter().all(is_there), || format!("only {parts:?}"))
    }

    /// The content of a file, or the start of it if the file was overwritten on the way.
    fn check_content(&self, name: &str, version: &Version, range: std::ops::Range<usize>) -> Verdict {
        let length = self.answer.field("content-length").and_then(|length| length.parse().ok());
        ensure(length == Some(range.len()), || format!("{length:?} bytes, not {}", range.len()))?;
        let body = &self.answer.body;
        if self.is_cut {
            self.check_cut(name, version)?;
        } else if self.asked.is_head {
            return ensure(body.is_empty(), || "content for HEAD".to_owned());
        }
        ensure(self.is_cut || body.len() == range.len(), || format!("{} bytes came", body.len()))?;
        self.explain(name, version, &range, body)
    }

    /// Whether the file was overwritten after it was asked for, and not only made longer.
    fn check_cut(&self, name: &str, version: &Version) -> Verdict {
        let is_reason = self.later(name, version).skip(1).any(|later| !version.has_grown_to(later));
        if self.may_be_cut {
            return Ok(());
        }
        ensure(is_reason && version.len > LOADED_BYTES_MAX, || "cut for no reason".to_owned())
    }

    /// What the file was from `version` on. One that took its place is another.
    fn later(&self, name: &str, version: &Version) -> impl Iterator<Item = &Version> {
        let states = self.disk.states(name, self.asked_at, self.end_at).iter();
        let versions = states.filter_map(|state| state.version.as_ref());
        let file = version.file;
        versions.skip_while(move |other| *other != version).take_while(move |other| other.file == file)
    }

    /// Content is that of one state of the file, which the head told of. In a part of a large one, which is
    /// read while it is sent, each stretch may be of a later state than the one before.
    fn explain(&self, name: &str, version: &Version, range: &std::ops::Range<usize>, body: &[u8]) -> Verdict {
        let states_max = if self.is_cut { usize::MAX } else { 1 };
        let mut at = 0;
        for version in self.later(name, version).take(states_max) {
            let content = self.disk.content(version);
            let expected = content.get(range.start + at..range.end.min(content.len())).unwrap_or_default();
            at += same_len(expected, &body[at..]);
        }
        ensure(at == body.len(), || format!("byte {at} of {} is wrong", body.len()))
    }

    fn check_listing(&self, is_json: bool) -> Verdict {
        self.status(200)?;
        if self.is_cut && self.may_be_cut {
            return Ok(());
        }
        let text = self.answer.text();
        if self.asked.is_head {
            return ensure(text.is_empty(), || "content for HEAD".to_owned());
        }
        let rows: Vec<&str> = match is_json {
            true => text.lines().filter(|line| line.starts_with("{\"name\":")).collect(),
            false => text.split("<tr><td>").skip(1).collect(),
        };
        let ends_well = text.ends_with(if is_json { "\n]}\n" } else { "\n" });
        let is_row = |row: &str, name: &str, len: usize| match is_json {
            true => row.contains(&format!("\"{name}\"")) && row.contains(&format!("\"size\":{len},")),
            false => row.contains(&format!(">{name}</a>")),
        };
        let is_explained = ends_well
            && self.disk.listings(self.asked_at, self.head_at).any(|names| {
                let mut pairs = rows.iter().zip(names);
                rows.len() == names.len() && pairs.all(|(row, (name, len))| is_row(row, name, *len))
            });
        ensure(is_explained, || format!("a listing of no state: {text}"))
    }
}

impl Case<'_> {
    fn check_feed(&self, len: usize) -> Verdict {
        self.status(200)?;
        let (length, body) = (self.answer.field("content-length"), &self.answer.body);
        ensure(length == Some(&len.to_string()), || format!("{length:?} bytes, not {len}"))?;
        let is_whole = body.len() == len || self.is_cut && self.may_be_cut;
        ensure(is_whole, || format!("{} bytes of {len}", body.len()))?;
        let is_right = body.iter().enumerate().all(|(at, byte)| *byte == feed::byte(at));
        ensure(is_right, || "a feed of other bytes".to_owned())
    }
}

impl RangeSpec {
    /// The bytes it means of a file of `len`.
    fn of(&self, len: usize) -> std::ops::Range<usize> {
        match *self {
            RangeSpec::Closed(first, last) => first.min(len)..(last + 1).min(len),
            RangeSpec::From(first) => first.min(len)..len,
            RangeSpec::Last(count) => len.saturating_sub(count)..len,
        }
    }
}

fn content_range(range: &std::ops::Range<usize>, len: usize) -> String {
    format!("bytes {}-{}/{len}", range.start, range.end.wrapping_sub(1))
}

fn parse_content_range(text: &str, len: usize) -> Option<std::ops::Range<usize>> {
    let (first, last) = text.strip_prefix("bytes ")?.split_once('/')?.0.split_once('-')?;
    let range = first.parse().ok()?..last.parse::<usize>().ok()? + 1;
    (content_range(&range, len) == text && range.end <= len).then_some(range)
}

fn unix_secs(date: &str) -> Option<u64> {
    let time = httpdate::parse_http_date(date).ok()?;
    Some(time.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs())
}

/// How many bytes two slices have in common from the start.
fn same_len(a: &[u8], b: &[u8]) -> usize {
    let len = a.len().min(b.len());
    match a[..len] == b[..len] {
        true => len,
        false => a.iter().zip(b).take_while(|(a, b)| a == b).count(),
    }
}
