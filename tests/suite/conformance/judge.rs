//! Compares what came back with what a row expects.

use pws_testing::answer::Answer;
use pws_testing::multipart::{self, content_range};

use super::received;
use super::row::{Afterwards, Content, Expected, Row, Value};
use super::site;

/// Whoever is asked.
pub struct Peer {
    /// pws is held to every letter, others to what the RFC leaves no choice about.
    pub is_pws: bool,
    /// Of `/numbers.txt`.
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

impl Peer {
    /// A peer about whose validators `answer`, to a GET for `/numbers.txt`, tells.
    pub fn new(is_pws: bool, answer: &Answer) -> Peer {
        let value = |name| answer.values(name).first().map(|value| (*value).to_owned());
        Peer { is_pws, etag: value("etag"), last_modified: value("last-modified") }
    }

    /// `bytes` with what the placeholders stand for; `None` if the peer has no such validator.
    #[track_caller]
    pub fn fill(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut filled = Vec::new();
        let mut rest = bytes;
        while let Some(start) = rest.iter().position(|&byte| byte == b'{') {
            filled.extend_from_slice(&rest[..start]);
            let len = rest[start..].iter().position(|&byte| byte == b'}').expect("a closing brace");
            let placeholder = std::str::from_utf8(&rest[start + 1..start + len]).expect("UTF-8");
            match placeholder {
                "etag" => filled.extend_from_slice(self.etag.as_ref()?.as_bytes()),
                "last-modified" => filled.extend_from_slice(self.last_modified.as_ref()?.as_bytes()),
                _ => {
                    let (text, count) = placeholder.rsplit_once('*').expect("text*count");
                    filled.extend_from_slice(text.repeat(count.parse().expect("a count")).as_bytes());
                }
            }
            rest = &rest[start + len + 1..];
        }
        filled.extend_from_slice(rest);
        Some(filled)
    }
}

/// What is wrong with `bytes`, which came back for `row`.
pub fn judge(row: &Row, peer: &Peer, bytes: &[u8], is_closed: bool) -> Vec<String> {
    let are_to_head: Vec<bool> = row.answers().filter(is_final).map(|expected| expected.is_to_head).collect();
    let mut answers = match received::answers(bytes, &are_to_head, is_closed) {
        Ok(answers) => answers,
        Err(error) => return vec![error],
    };
    let mut expected: Vec<&Expected> = row.answers().collect();
    if !peer.is_pws {
        answers.retain(|answer| !answer.is_interim());
        expected.retain(is_final);
    }
    let mut complaints = Vec::new();
    if answers.len() != expected.len() {
        let got: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        complaints.push(format!("{} answers expected, got {got:?}", expected.len()));
    }
    let mut has_choice = false;
    for (answer, expected) in answers.iter().zip(&expected) {
        has_choice = !peer.is_pws && expected.others.contains(&answer.status);
        if !has_choice {
            check_answer(answer, expected, peer, &mut complaints);
        }
        check_rules(answer, peer, &mut complaints);
    }
    if !has_choice {
        check_end(row, peer, &answers, is_closed, &mut complaints);
    }
    complaints
}

fn is_final(expected: &&Expected) -> bool {
    expected.status >= 200
}

/// The row's own expectations.
fn check_answer(answer: &Answer, expected: &Expected, peer: &Peer, complaints: &mut Vec<String>) {
    if answer.status != expected.status {
        complaints.push(format!("status {} expected, got {}", expected.status, answer.status));
        return;
    }
    for (name, value) in expected.fields.iter().flatten() {
        let got = answer.values(name);
        let is_met = match value {
            Value::InPws(_) | Value::AbsentInPws if !peer.is_pws => true,
            Value::Is(value) | Value::InPws(value) => {
                peer.fill(value.as_bytes()).is_some_and(|value| got.len() == 1 && got[0].as_bytes() == value)
            }
            Value::Absent | Value::AbsentInPws => got.is_empty(),
        };
        if !is_met {
            complaints.push(format!("{name}: {value:?} expected, got {got:?}"));
        }
    }
    if let Err(complaint) = check_content(answer, expected, peer) {
        complaints.push(complaint);
    }
}

fn check_content(answer: &Answer, expected: &Expected, peer: &Peer) -> Result<(), String> {
    let numbers = site::numbers();
    let slice = |range: &str| {
        let (first, last, _) = content_range(range).ok_or(format!("Content-Range: {range:?}"))?;
        Ok::<_, String>(numbers.get(first..=last).ok_or(format!("no such part: {range:?}"))?.to_vec())
    };
    let content = match expected.content {
        Content::Any => return Ok(()),
        Content::Is(content) => content.to_vec(),
        Content::Numbers => numbers.clone(),
        // Others need not join ranges, or may join more of them.
        Content::Part(_) | Content::Parts(_) if !peer.is_pws => return check_some_parts(answer),
        Content::Part(range) => slice(range)?,
        Content::Parts(ranges) => {
            let parts = ranges.iter().map(|range| Ok((range.to_string(), slice(range)?)));
            let parts = parts.collect::<Result<Vec<_>, String>>()?;
            let got = multipart::parts(answer)?;
            return if got == parts { Ok(()) } else { Err(format!("other parts: {:?}", answer.text())) };
        }
    };
    if answer.body == content {
        return Ok(());
    }
    let expected = String::from_utf8_lossy(&content);
    Err(format!("content: {expected:?} expected, got {:?}", answer.text()))
}

/// Whatever parts there are, each is where it says.
fn check_some_parts(answer: &Answer) -> Result<(), String> {
    let parts = match answer.values("content-range")[..] {
        [range] => vec![(range.to_owned(), answer.body.clone())],
        _ => multipart::parts(answer)?,
    };
    let numbers = site::numbers();
    for (range, content) in parts {
        let (first, last, _) = content_range(&range).ok_or(format!("Content-Range: {range:?}"))?;
        if numbers.get(first..=last) != Some(&content[..]) {
            return Err(format!("wrong bytes for {range}"));
        }
    }
    Ok(())
}

/// What every answer must keep to, whatever it answers.
fn check_rules(answer: &Answer, peer: &Peer, complaints: &mut Vec<String>) {
    if answer.is_interim() {
        return;
    }
    let mut check = |is_kept: bool, rule: &str| {
        if !is_kept {
            complaints.push(format!("{rule}: {} {:?}", answer.status, answer.fields));
        }
    };
    let count = |name| answer.values(name).len();
    let has_date = matches!(answer.values("date")[..], [date] if is_imf_fixdate(date));
    check(has_date || answer.status >= 500, "a Date in the preferred form (9110 §6.6.1)");
    check(answer.status != 405 || count("allow") > 0, "an Allow field with 405 (9110 §15.5.6)");
    check(answer.status != 204 || count("content-length") == 0, "no Content-Length with 204 (9110 §8.6)");
    check(answer.values("etag").iter().all(|tag| is_entity_tag(tag)), "an entity tag (9110 §8.8.3)");
    if !peer.is_pws {
        return;
    }
    let framings = if [204, 304].contains(&answer.status) { 0 } else { 1 };
    let is_chunked = answer.values("transfer-encoding") == ["chunked"];
    check(has_date, "a Date");
    check(
        count("content-length") + count("transfer-encoding") == framings,
        "one Content-Length or one Transfer-Encoding, none with 204 and 304",
    );
    check(count("transfer-encoding") == usize::from(is_chunked), "no other coding than chunked");
    check(answer.values("server") == [concat!("pws/", env!("CARGO_PKG_VERSION"))], "a Server field");
    check(
        answer.status != 416 || answer.values("content-range").concat().starts_with("bytes */"),
        "a length",
    );
    let location = answer.values("location").concat();
    // A path, from here or from the root: neither an authority nor a scheme in front (RFC 3986 §4.2).
    let name = location.split(['/', '?', '#']).next().unwrap_or_default();
    let is_own = !location.contains('\\') && !location.starts_with("//") && !name.contains(':');
    check(location.is_empty() || is_own, "a Location that stays here");
    let is_multipart = answer.values("content-type").concat().starts_with("multipart/byteranges");
    check(answer.status != 206 || is_multipart != (count("content-range") == 1), "parts or a part");
}

fn is_imf_fixdate(value: &str) -> bool {
    httpdate::parse_http_date(value).is_ok_and(|time| httpdate::fmt_http_date(time) == value)
}

fn is_entity_tag(value: &str) -> bool {
    let opaque = value.strip_prefix("W/").unwrap_or(value);
    let opaque = opaque.strip_prefix('"').and_then(|opaque| opaque.strip_suffix('"'));
    opaque.is_some_and(|opaque| !opaque.contains(['"', ' ']))
}

/// What becomes of the connection, and what the answers say of it.
fn check_end(row: &Row, peer: &Peer, answers: &[Answer], is_closed: bool, complaints: &mut Vec<String>) {
    let says_close = |answer: &Answer| answer.has_element("connection", "close");
    // Some servers linger without showing the end at once.
    let is_told = answers.last().is_some_and(says_close);
    if peer.is_pws {
        if is_closed != row.closes_in_pws() {
            complaints.push(format!("afterwards {:?} expected, is_closed: {is_closed}", row.afterwards));
        }
        let last = answers.len().saturating_sub(1);
        for (index, answer) in answers.iter().enumerate() {
            if says_close(answer) != (is_closed && index == last) {
                complaints.push(format!("is_closed: {is_closed}, answer {index} is {:?}", answer.fields));
            }
        }
    } else if row.afterwards == Afterwards::Closed && !is_closed && !is_told {
        complaints.push("the connection stays open".to_owned());
    } else if row.afterwards == Afterwards::Open && is_closed && !is_told {
        complaints.push("the connection is closed, and no answer said so".to_owned());
    }
}
