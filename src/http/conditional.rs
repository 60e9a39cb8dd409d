//! Preconditions: whether a client's copy is still good (RFC 9110 §8.8, §13).

use std::fmt::{self, Display};
use std::io::Write;

use super::method::Method;
use super::request::Request;
use crate::clock::Now;
use crate::date;

/// Hex digits of three u64, what stands between them, and the name of a coding.
const OPAQUE_LEN_MAX: usize = 56;
/// Seconds after which a date tells one content from every other: nothing that happens from then on can bear
/// it. The coarsest filesystems count in steps of two seconds.
const DATE_SECS: u64 = 2;

/// An entity tag: `"opaque"`, or `W/"opaque"` where it is weak (RFC 9110 §8.8.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntityTag {
    opaque: [u8; OPAQUE_LEN_MAX],
    len: usize,
    is_weak: bool,
}

impl EntityTag {
    /// A tag in constant time: when the content last changed, to the nanosecond, and its length.
    pub fn of_time(modified_secs: i64, modified_nanos: u32, len: u64, is_weak: bool) -> EntityTag {
        EntityTag::of(format_args!("{modified_secs:x}.{modified_nanos:x}-{len:x}"), is_weak)
    }

    /// A tag for what has no time of its own: which file it is, when anything of that last changed, in
    /// nanoseconds, and how long it is.
    pub fn of_inode(inode: u64, changed_nanos: u64, len: u64, is_weak: bool) -> EntityTag {
        EntityTag::of(format_args!("{inode:x}.{changed_nanos:x}-{len:x}"), is_weak)
    }

    /// The tag of whatever has this content, on any machine and at any time: a hash of it (FNV-1a), which is
    /// no proof against people who make two of a kind, and its length.
    pub fn of_content(content: &[u8]) -> EntityTag {
        let hash = content.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        EntityTag::of(format_args!("{hash:016x}-{:x}", content.len()), false)
    }

    fn of(opaque_text: fmt::Arguments<'_>, is_weak: bool) -> EntityTag {
        let mut opaque = [0; OPAQUE_LEN_MAX];
        let mut space = &mut opaque[..];
        // Cannot fail: the longest three numbers fit.
        let _ = space.write_fmt(opaque_text);
        let len = OPAQUE_LEN_MAX - space.len();
        EntityTag { opaque, len, is_weak }
    }

    /// The tag of another representation of the same file: what they differ in goes behind it, as far as
    /// there is room.
    pub fn of_variant(mut self, name: &str) -> EntityTag {
        for &byte in b"-".iter().chain(name.as_bytes()) {
            if let Some(place) = self.opaque.get_mut(self.len) {
                *place = byte;
                self.len += 1;
            }
        }
        self
    }

    /// What stands between the quotes.
    pub fn opaque(&self) -> &[u8] {
        &self.opaque[..self.len]
    }

    /// RFC 9110 §8.8.3.2: the same content, or as good as the same.
    fn matches_weakly(&self, other: ReceivedTag) -> bool {
        self.opaque() == other.opaque
    }

    /// RFC 9110 §8.8.3.2: the same content, byte for byte.
    fn matches_strongly(&self, other: ReceivedTag) -> bool {
        !self.is_weak && !other.is_weak && self.opaque() == other.opaque
    }
}

impl Display for EntityTag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weak = if self.is_weak { "W/" } else { "" };
        write!(formatter, "{weak}\"{}\"", self.opaque().escape_ascii())
    }
}

/// What tells one state of a representation from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validators {
    pub entity_tag: EntityTag,
    /// When the content last changed, as the disk has it: seconds since 1970, before it negative. This is
    /// what is compared; what clients are told is [`told_date`](Validators::told_date). `None` where the time
    /// means nothing.
    pub last_modified_unix_secs: Option<i64>,
}

impl Validators {
    /// The date that clients are told, seconds since 1970: one that is over, so that no later content can
    /// bear it as well. A second that is not, or a time in the future, would promise what nobody knows
    /// (RFC 9110 §8.8.2.1).
    pub fn told_date(&self, now: &Now) -> Option<i64> {
        self.last_modified_unix_secs.map(|secs| secs.min(date_over_unix_secs(now)))
    }

    /// Whether the true date is told, or there is none. Then it is a strong validator as well: whoever has
    /// it has the last content that bears it (RFC 9110 §8.8.2.2).
    pub fn is_date_over(&self, now: &Now) -> bool {
        self.last_modified_unix_secs.is_none_or(|secs| secs <= date_over_unix_secs(now))
    }

    fn has_changed_since(&self, unix_secs: i64) -> Option<bool> {
        self.last_modified_unix_secs.map(|secs| secs > unix_secs)
    }
}

/// The last date that is over. A clock that is a second late is on the safe side.
fn date_over_unix_secs(now: &Now) -> i64 {
    i64::try_from(now.unix_secs.saturating_sub(DATE_SECS)).unwrap_or(i64::MAX)
}

/// What the preconditions of a request come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answer as if there were none.
    Proceed,
    /// 304: the client has it already.
    NotModified,
    /// 412: the client asked not to go on.
    Failed,
}

/// Evaluates the preconditions of a GET or HEAD whose response would be 200, in the order and with the
/// numbers of RFC 9110 §13.2.2. Step 5, If-Range, is [`range_applies`].
pub fn evaluate(request: &Request, validators: &Validators, now: &Now) -> Outcome {
    if !request.may_be_conditional() {
        return Outcome::Proceed;
    }
    let has = |name| request.field_values(name).next().is_some();
    // 1. and 2.
    if has("if-match") {
        if !any_tag(request, "if-match", |tag| validators.entity_tag.matches_strongly(tag)) {
            return Outcome::Failed;
        }
    } else if let Some(date) = date_field(request, "if-unmodified-since", now)
        && validators.has_changed_since(date) == Some(true)
    {
        return Outcome::Failed;
    }
    // 3. and 4.
    if has("if-none-match") {
        if any_tag(request, "if-none-match", |tag| validators.entity_tag.matches_weakly(tag)) {
            return Outcome::NotModified;
        }
    } else if let Some(date) = date_field(request, "if-modified-since", now)
        && validators.has_changed_since(date) == Some(false)
    {
        return Outcome::NotModified;
    }
    Outcome::Proceed
}

/// Whether a Range field is to be heeded: for GET only, and only if If-Range, where there is one, names the
/// state the file is in now, by a strong validator (RFC 9110 §13.1.5, §14.2).
pub fn range_applies(request: &Request, validators: &Validators, now: &Now) -> bool {
    let mut conditions = request.field_values("if-range");
    match (request.method, conditions.next(), conditions.next()) {
        (Method::Get, None, _) => true,
        (Method::Get, Some(mut condition), None) => match ReceivedTag::take(&mut condition) {
            Some(tag) => condition.is_empty() && validators.entity_tag.matches_strongly(tag),
            None => {
                let date = date::parse(condition, now.unix_secs);
                date.is_some() && date == validators.last_modified_unix_secs && validators.is_date_over(now)
            }
        },
        _ => false,
    }
}

/// Whether an If-Range holds the tag of a file's [variant](EntityTag::of_variant) of this name.
pub fn names_variant(mut condition: &[u8], name: &str) -> bool {
    let tag = ReceivedTag::take(&mut condition).map(|tag| tag.opaque);
    let before = tag.and_then(|opaque| opaque.strip_suffix(name.as_bytes()));
    before.is_some_and(|before| before.ends_with(b"-"))
}

/// An entity tag as a client sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ReceivedTag<'a> {
    opaque: &'a [u8],
    is_weak: bool,
}

impl<'a> ReceivedTag<'a> {
    /// Takes a tag off the front of `bytes`.
    fn take(bytes: &mut &'a [u8]) -> Option<ReceivedTag<'a>> {
        let (is_weak, quoted) = match *bytes {
            [b'W', b'/', quoted @ ..] => (true, quoted),
            quoted => (false, quoted),
        };
        let opaque_and_rest = quoted.strip_prefix(b"\"")?;
        let end = opaque_and_rest.iter().position(|&byte| byte == b'"')?;
        *bytes = &opaque_and_rest[end + 1..];
        Some(ReceivedTag { opaque: &opaque_and_rest[..end], is_weak })
    }
}

/// Whether a field's list holds `*` alone or a tag that `matches`. A list ends where it stops being one.
fn any_tag(request: &Request, name: &str, matches: impl Fn(ReceivedTag) -> bool) -> bool {
    request.field_values(name).any(|value| {
        if value == b"*" {
            return true;
        }
        let mut rest = value;
        loop {
            rest = skip_separators(rest);
            match ReceivedTag::take(&mut rest) {
                Some(tag) if matches(tag) => return true,
                Some(_) if rest.is_empty() || matches!(rest[0], b',' | b' ' | b'\t') => {}
                _ => return false,
            }
        }
    })
}

fn skip_separators(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !b", \t".contains(byte)).unwrap_or(bytes.len());
    &bytes[start..]
}

/// The date in a field that stands once; a field that stands twice or is no date counts as absent.
fn date_field(request: &Request, name: &str, now: &Now) -> Option<i64> {
    let mut values = request.field_values(name);
    let (value, None) = (values.next()?, values.next()) else { return None };
    date::parse(value, now.unix_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request::{FieldSlots, Parsed, parse};
    use crate::limits::Limits;

    /// Runs `check` on a GET with these fields.
    fn with_request<T>(fields: &str, check: impl FnOnce(&Request) -> T) -> T {
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        match parse(head.as_bytes(), 0, &mut FieldSlots::new(), &Limits::default()) {
            Parsed::Complete { request, .. } => check(&request),
            other => panic!("{head}: {other:?}"),
        }
    }

    /// `"2ebc98a1.0-6"`, Sun, 06 Nov 1994 08:49:37 GMT.
    fn validators(is_strong: bool) -> Validators {
        Validators {
            entity_tag: EntityTag::of_time(784_111_777, 0, 6, !is_strong),
            last_modified_unix_secs: Some(784_111_777),
        }
    }

    fn now() -> Now {
        Now::at(0, 1_000_000_000)
    }

    const TAG: &str = "\"2ebc98a1.0-6\"";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const SAME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const SAME_RFC850: &str = "Sunday, 06-Nov-94 08:49:37 GMT";
    const SAME_ASCTIME: &str = "Sun Nov  6 08:49:37 1994";
    const AFTER: &str = "Thu, 01 Jan 2099 00:00:00 GMT";

    #[test]
    fn the_longest_tag_fits() {
        let tag = EntityTag::of_time(-1, u32::MAX, u64::MAX, true);
        assert_eq!(tag.to_string(), "W/\"ffffffffffffffff.ffffffff-ffffffffffffffff\"");
        let tag = EntityTag::of_inode(u64::MAX, u64::MAX, u64::MAX, false).of_variant("gzip");
        assert_eq!(tag.to_string(), "\"ffffffffffffffff.ffffffffffffffff-ffffffffffffffff-gzip\"");
    }

    #[test]
    fn steps_in_their_order() {
        use Outcome::{Failed, NotModified, Proceed};
        for (fields, expected) in [
            (String::new(), Proceed),
            // Step 1.
            (format!("If-Match: {TAG}\r\n"), Proceed),
            ("If-Match: *\r\n".into(), Proceed),
            (format!("If-Match: \"a, b\", {TAG}\r\n"), Proceed),
            (format!("If-Match: \"a\"\r\nIf-Match: {TAG}\r\n"), Proceed),
            ("If-Match: \"other\"\r\n".into(), Failed),
            (format!("If-Match: W/{TAG}\r\n"), Failed),
            ("If-Match: 2ebc98a1.0-6\r\n".into(), Failed),
            ("If-Match:\r\n".into(), Failed),
            // Step 2, only without If-Match.
            (format!("If-Unmodified-Since: {SAME}\r\n"), Proceed),
            (format!("If-Unmodified-Since: {AFTER}\r\n"), Proceed),
            (format!("If-Unmodified-Since: {BEFORE}\r\n"), Failed),
            (format!("If-Match: {TAG}\r\nIf-Unmodified-Since: {BEFORE}\r\n"), Proceed),
            ("If-Unmodified-Since: yesterday\r\n".into(), Proceed),
            // Step 3.
            (format!("If-None-Match: {TAG}\r\n"), NotModified),
            (format!("If-None-Match: W/{TAG}\r\n"), NotModified),
            (format!("If-None-Match: \"a\" , ,W/\"b,\",{TAG}\r\n"), NotModified),
            ("If-None-Match: *\r\n".into(), NotModified),
            ("If-None-Match: \"other\"\r\n".into(), Proceed),
            (format!("If-None-Match: \"a\"x{TAG}\r\n"), Proceed),
            (format!("If-None-Match: w/{TAG}\r\n"), Proceed),
            // Step 4, only without If-None-Match.
            (format!("If-Modified-Since: {SAME}\r\n"), NotModified),
            (format!("If-Modified-Since: {SAME_RFC850}\r\n"), NotModified),
            (format!("If-Modified-Since: {SAME_ASCTIME}\r\n"), NotModified),
            (format!("If-Modified-Since: {AFTER}\r\n"), NotModified),
            (format!("If-Modified-Since: {BEFORE}\r\n"), Proceed),
            ("If-Modified-Since: tomorrow\r\n".into(), Proceed),
            (format!("If-Modified-Since: {SAME}\r\nIf-Modified-Since: {SAME}\r\n"), Proceed),
            (format!("If-None-Match: \"other\"\r\nIf-Modified-Since: {SAME}\r\n"), Proceed),
            // An earlier step wins.
            (format!("If-Match: \"other\"\r\nIf-None-Match: {TAG}\r\n"), Failed),
        ] {
            let outcome = with_request(&fields, |request| evaluate(request, &validators(true), &now()));
            assert_eq!(outcome, expected, "{fields}");
        }
    }

    #[test]
    fn a_weak_tag_is_good_for_not_modified_only() {
        let outcome =
            |fields: &str| with_request(fields, |request| evaluate(request, &validators(false), &now()));
        assert_eq!(outcome(&format!("If-None-Match: W/{TAG}\r\n")), Outcome::NotModified);
        assert_eq!(outcome(&format!("If-Match: W/{TAG}\r\n")), Outcome::Failed);
    }

    #[test]
    fn content_has_one_tag_everywhere() {
        // The hashes are those of the FNV-1a test suite (draft-eastlake-fnv).
        for (content, tag) in [("", "\"cbf29ce484222325-0\""), ("foobar", "\"85944171f73967e8-6\"")] {
            assert_eq!(EntityTag::of_content(content.as_bytes()).to_string(), tag);
        }
    }

    #[test]
    fn dates_are_told_when_they_are_over_and_compared_as_they_are() {
        let validators = validators(true);
        let true_secs = 784_111_777;
        for (since_secs, told_secs) in [(-1000, -1002), (0, -2), (1, -1), (2, 0), (1000, 0)] {
            let now = Now::at(0, (true_secs + since_secs) as u64);
            let told = validators.told_date(&now).expect("a date");
            assert_eq!(told, true_secs + told_secs, "{since_secs}");
            assert_eq!(validators.is_date_over(&now), told_secs == 0, "{since_secs}");
            let told = String::from_utf8_lossy(&date::format(told)).into_owned();
            let not_modified = with_request(&format!("If-Modified-Since: {told}\r\n"), |request| {
                evaluate(request, &validators, &now) == Outcome::NotModified
            });
            let continues = with_request(&format!("If-Range: {told}\r\n"), |request| {
                range_applies(request, &validators, &now)
            });
            // Whoever was told another date may have other content.
            assert_eq!((not_modified, continues), (told_secs == 0, told_secs == 0), "{since_secs}");
        }
    }

    #[test]
    fn without_a_date_nothing_is_said_by_date() {
        let validators = Validators { last_modified_unix_secs: None, ..validators(true) };
        for fields in
            [format!("If-Modified-Since: {AFTER}\r\n"), format!("If-Unmodified-Since: {BEFORE}\r\n")]
        {
            let outcome = with_request(&fields, |request| evaluate(request, &validators, &now()));
            assert_eq!(outcome, Outcome::Proceed, "{fields}");
        }
        for condition in [SAME, "nonsense"] {
            let fields = format!("If-Range: {condition}\r\n");
            assert!(
                !with_request(&fields, |request| range_applies(request, &validators, &now())),
                "{fields}"
            );
        }
    }

    #[test]
    fn if_range_wants_a_strong_match() {
        for (fields, strong, weak) in [
            (String::new(), true, true),
            (format!("If-Range: {TAG}\r\n"), true, false),
            (format!("If-Range: W/{TAG}\r\n"), false, false),
            (format!("If-Range: {TAG}, {TAG}\r\n"), false, false),
            (format!("If-Range: {TAG}x\r\n"), false, false),
            ("If-Range: \"other\"\r\n".into(), false, false),
            (format!("If-Range: {SAME}\r\n"), true, true),
            (format!("If-Range: {BEFORE}\r\n"), false, false),
            (format!("If-Range: {AFTER}\r\n"), false, false),
            ("If-Range: nonsense\r\n".into(), false, false),
            (format!("If-Range: {TAG}\r\nIf-Range: {TAG}\r\n"), false, false),
        ] {
            for (is_strong, expected) in [(true, strong), (false, weak)] {
                let applies =
                    with_request(&fields, |request| range_applies(request, &validators(is_strong), &now()));
                assert_eq!(applies, expected, "{fields} {is_strong}");
            }
        }
    }
}
