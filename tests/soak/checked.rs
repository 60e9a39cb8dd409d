//! Clients that ask for all there is and compare every byte of every answer.

use std::ops::Range;

use pws_testing::answer::Answer;
use pws_testing::client::{Client, request};
use pws_testing::multipart::parts;
use pws_testing::rng::Rng;
use serde_json::Value;

use super::files::{CODINGS, Changing, Fixed, MANY, RECORD_BYTES, VARIED};
use super::tally::Kind;
use super::{Result, Shared};

const PIPELINE_MAX: usize = 32;
/// A client leaves after about so many questions, and another takes its place.
const QUESTIONS: usize = 50;

/// What is asked, each as often as it stands here.
const KINDS: [Kind; 16] = [
    Kind::Whole,
    Kind::Whole,
    Kind::Head,
    Kind::Range,
    Kind::Range,
    Kind::Range,
    Kind::Ranges,
    Kind::Condition,
    Kind::Condition,
    Kind::Variant,
    Kind::Pipeline,
    Kind::Listing,
    Kind::Changing,
    Kind::Changing,
    Kind::Vanishing,
    Kind::Vanishing,
];

pub fn work(shared: &Shared, seed: u64) {
    let mut rng = Rng::new(seed);
    let mut client = None;
    while !shared.is_over() {
        let kind = *rng.pick(&KINDS);
        match ask(shared, kind, &mut rng, &mut client) {
            Ok((requests, bytes)) => shared.tally.right(kind, requests, bytes),
            Err(error) => {
                client = None;
                shared.wrong(kind, &*error);
            }
        }
        if rng.one_in(QUESTIONS) {
            client = None;
        }
    }
}

/// Asks once; returns how many requests that took and how many bytes were compared.
fn ask(shared: &Shared, kind: Kind, rng: &mut Rng, client: &mut Option<Client>) -> Result<(u64, u64)> {
    let client = match client {
        Some(client) => client,
        None => client.insert(Client::try_connect(shared.address)?),
    };
    let files = &shared.files;
    // Mostly one of the many small files, else a larger one.
    let fixed = match rng.below(40) {
        0 => &files.big,
        1..8 => &files.fixed[rng.below(4)],
        _ => rng.pick(&files.fixed),
    };
    let pick_changing = |rng: &mut Rng, may_vanish| {
        let files: Vec<_> = files.changing.iter().filter(|file| file.may_vanish == may_vanish).collect();
        *rng.pick(&files)
    };
    let bytes = match kind {
        Kind::Pipeline => return pipeline(shared, client, rng),
        Kind::Whole => whole(client, fixed)?,
        Kind::Head => head(client, fixed)?,
        Kind::Range => range(client, fixed, rng)?,
        Kind::Ranges => ranges(client, fixed, rng)?,
        Kind::Condition => return condition(client, fixed, rng),
        Kind::Variant => variant(shared, client, rng)?,
        Kind::Listing => listing(shared, client, rng)?,
        Kind::Vanishing => changing(client, pick_changing(rng, true), rng)?,
        _ => changing(client, pick_changing(rng, false), rng)?,
    };
    Ok((1, bytes))
}

/// An error unless the answer has this status and content; else how much that is.
pub fn compare(target: &str, answer: &Answer, status: u16, content: &[u8]) -> Result<u64> {
    if answer.status != status {
        return Err(format!("{target}: {} in place of {status}", answer.status).into());
    }
    if let Some(at) = differs_at(&answer.body, content) {
        return Err(format!("{target}: {status} is wrong from byte {at} of {} on", content.len()).into());
    }
    Ok(content.len() as u64)
}

/// The first byte in which the two differ.
pub fn differs_at(one: &[u8], other: &[u8]) -> Option<usize> {
    if one == other {
        return None;
    }
    let common = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    Some(common)
}

fn whole(client: &mut Client, file: &Fixed) -> Result<u64> {
    compare(&file.target, &client.try_get(&file.target, "")?, 200, &file.content)
}

fn head(client: &mut Client, file: &Fixed) -> Result<u64> {
    client.try_send(request("HEAD", &file.target, ""))?;
    let answer = client.try_answer_to("HEAD")?;
    let len = file.content.len().to_string();
    if answer.field("content-length") != Some(&len) {
        return Err(format!("{} is said to be of another length: {:?}", file.target, answer.fields).into());
    }
    compare(&file.target, &answer, 200, b"")
}

/// A stretch of something `len` bytes long; sometimes the start, the end, or a single byte.
fn stretch(rng: &mut Rng, len: usize) -> Range<usize> {
    let start = if rng.one_in(8) { 0 } else { rng.below(len) };
    let end = match rng.below(8) {
        0 => len,
        1 => start + 1,
        _ => start + rng.up_to(len - start),
    };
    start..end
}

fn range(client: &mut Client, file: &Fixed, rng: &mut Rng) -> Result<u64> {
    let (target, content) = (&file.target, &file.content);
    let len = content.len();
    let Range { start, end } = stretch(rng, len);
    let (asked, expected) = match rng.below(12) {
        0 => (format!("{start}-"), start..len),
        1 => (format!("-{}", len - start), start..len),
        2 => (format!("{start}-{}", len + end), start..len),
        3 => {
            let answer = client.try_get(target, &format!("Range: bytes={len}-\r\n"))?;
            return if answer.status == 416 { Ok(0) } else { compare(target, &answer, 416, b"") };
        }
        _ => (format!("{start}-{}", end - 1), start..end),
    };
    let answer = client.try_get(target, &format!("Range: bytes={asked}\r\n"))?;
    let said = format!("bytes {}-{}/{len}", expected.start, expected.end - 1);
    if answer.field("content-range") != Some(&said) {
        return Err(format!("{target}: {said} was asked for: {:?}", answer.fields).into());
    }
    compare(target, &answer, 206, &content[expected])
}

/// Several stretches, of which each part of the answer tells which it is.
fn ranges(client: &mut Client, file: &Fixed, rng: &mut Rng) -> Result<u64> {
    let (target, content) = (&file.target, &file.content);
    // Far enough apart to be sent one by one.
    let third = content.len() / 3;
    let mut asked = Vec::new();
    for start in [0, third, 2 * third] {
        let range = stretch(rng, third - 300);
        asked.push(start + range.start..start + range.end);
    }
    let list: Vec<String> = asked.iter().map(|range| format!("{}-{}", range.start, range.end - 1)).collect();
    let answer = client.try_get(target, &format!("Range: bytes={}\r\n", list.join(", ")))?;
    let said: Vec<_> = asked
        .into_iter()
        .map(|range| (format!("bytes {}-{}/{}", range.start, range.end - 1, content.len()), &content[range]))
        .collect();
    let parts = parts(&answer).map_err(|what| format!("{target}: {what}"))?;
    match parts
        .iter()
        .map(|(range, part)| (range, &part[..]))
        .eq(said.iter().map(|(range, part)| (range, *part)))
    {
        true => Ok(answer.body.len() as u64),
        false => Err(format!("{target}: other parts than {list:?}").into()),
    }
}

/// With what was learned from one answer asks for another.
fn condition(client: &mut Client, file: &Fixed, rng: &mut Rng) -> Result<(u64, u64)> {
    let (target, content) = (&file.target, &file.content);
    client.try_send(request("HEAD", target, ""))?;
    let known = client.try_answer_to("HEAD")?;
    let value = |name| known.field(name).ok_or_else(|| format!("{target} has no {name}"));
    let (tag, date) = (value("etag")?, value("last-modified")?);
    let Range { start, end } = stretch(rng, content.len());
    let part = format!("Range: bytes={start}-{}\r\n", end - 1);
    let (fields, status, expected): (String, u16, &[u8]) = match rng.below(7) {
        0 => (format!("If-None-Match: \"x\", {tag}\r\n"), 304, &[]),
        1 => (format!("If-Modified-Since: {date}\r\n"), 304, &[]),
        2 => ("If-None-Match: \"x\"\r\n".to_owned(), 200, content),
        3 => ("If-Modified-Since: Thu, 01 Jan 1970 00:00:01 GMT\r\n".to_owned(), 200, content),
        4 => (format!("If-Match: {tag}\r\n"), 200, content),
        5 => (format!("If-Range: {tag}\r\n{part}"), 206, &content[start..end]),
        _ => (format!("If-Range: \"x\"\r\n{part}"), 200, content),
    };
    let bytes = compare(target, &client.try_get(target, &fields)?, status, expected)?;
    let refused = client.try_get(target, "If-Match: \"x\"\r\n")?;
    match refused.status {
        412 => Ok((3, bytes)),
        status => Err(format!("{target}: {status} in place of 412").into()),
    }
}

fn variant(shared: &Shared, client: &mut Client, rng: &mut Rng) -> Result<u64> {
    let files = &shared.files;
    let choice = rng.below(CODINGS.len() + 1);
    let Some(((coding, ..), content)) = CODINGS.get(choice).zip(files.variants.get(choice)) else {
        let answer = client.try_get(VARIED, "Accept-Encoding: identity\r\n")?;
        return compare(VARIED, &answer, 200, &files.varied.content);
    };
    let answer = client.try_get(VARIED, &format!("Accept-Encoding: {coding}\r\n"))?;
    if answer.field("content-encoding") != Some(coding) {
        return Err(format!("{VARIED}: {coding} was asked for: {:?}", answer.fields).into());
    }
    compare(VARIED, &answer, 200, content)
}

/// Many requests at once; the answers come in order.
fn pipeline(shared: &Shared, client: &mut Client, rng: &mut Rng) -> Result<(u64, u64)> {
    let files: Vec<&Fixed> = (0..rng.up_to(PIPELINE_MAX)).map(|_| rng.pick(&shared.files.fixed)).collect();
    let requests: String = files.iter().map(|file| request("GET", &file.target, "")).collect();
    client.try_send(requests)?;
    let mut bytes = 0;
    for file in &files {
        bytes += compare(&file.target, &client.try_answer_to("GET")?, 200, &file.content)?;
    }
    Ok((files.len() as u64, bytes))
}

/// Of a folder that stays as it is everything is known; of one that changes, which names there can be.
fn listing(shared: &Shared, client: &mut Client, rng: &mut Rng) -> Result<u64> {
    let folder = *rng.pick(&["/many/", "/many/", "/changing/", "/coming/"]);
    if rng.one_in(2) {
        let answer = client.try_get(folder, "")?;
        let rows = String::from_utf8_lossy(&answer.body).matches("<tr><td>").count();
        let is_whole = answer.body.ends_with(b"</script>\n");
        return match answer.status == 200 && is_whole && (folder != "/many/" || rows == MANY) {
            true => Ok(answer.body.len() as u64),
            false => Err(format!("{folder}: {} with {rows} rows", answer.status).into()),
        };
    }
    let answer = client.try_get(folder, "Accept: application/json\r\n")?;
    let document: Value = serde_json::from_slice(&answer.body)?;
    let entries = document["entries"].as_array().ok_or("a listing without entries")?;
    for (index, entry) in entries.iter().enumerate() {
        let name = entry["name"].as_str().unwrap_or_default();
        let size = entry["size"].as_u64().unwrap_or(u64::MAX) as usize;
        let is_right =
            match folder {
                "/many/" => shared.files.fixed.iter().skip(4).nth(index).is_some_and(|file| {
                    file.target == format!("{folder}{name}") && file.content.len() == size
                }),
                _ => {
                    let target = format!("{folder}{name}");
                    shared.files.changing.iter().any(|file| file.target == target && file.len == size)
                }
            };
        if !is_right {
            return Err(format!("{folder}: {entry} at place {index}").into());
        }
    }
    match folder != "/many/" || entries.len() == MANY {
        true => Ok(answer.body.len() as u64),
        false => Err(format!("{folder}: {} entries", entries.len()).into()),
    }
}

/// What comes must be of one version, which was there between the question and the end of the answer.
fn changing(client: &mut Client, file: &Changing, rng: &mut Rng) -> Result<u64> {
    let oldest = file.settled();
    let mut range = 0..file.len;
    let mut answer = if rng.one_in(4) {
        let start = rng.below(file.len / RECORD_BYTES) * RECORD_BYTES;
        range = start..start + rng.below(file.len - start - RECORD_BYTES + 1) + RECORD_BYTES;
        client.try_get(&file.target, &format!("Range: bytes={}-{}\r\n", range.start, range.end - 1))?
    } else {
        client.try_get(&file.target, "")?
    };
    let newest = file.begun();
    if answer.status == 404 && (oldest..=newest).any(|version| !file.exists_in(version)) {
        return Ok(answer.body.len() as u64);
    }
    let version = Changing::version_of(&answer.body).ok_or_else(|| no_version(file, &answer))?;
    if !(oldest..=newest).contains(&version) {
        return Err(format!("{}: version {version} of {oldest} to {newest}", file.target).into());
    }
    let content = file.content(version).ok_or_else(|| format!("{}: it had gone", file.target))?;
    let status = if answer.field("content-range").is_some() { 206 } else { 200 };
    let bytes = compare(&file.target, &answer, status, &content[range])?;
    let Some(tag) = answer.field("etag").map(str::to_owned).filter(|_| rng.one_in(2)) else {
        return Ok(bytes);
    };
    // The tag of a version is that of no other.
    let oldest = file.settled();
    answer = client.try_get(&file.target, &format!("If-None-Match: {tag}\r\n"))?;
    match answer.status == 304 && version < oldest {
        true => Err(format!("{}: {version} is said to be still there, and is not", file.target).into()),
        false => Ok(bytes + answer.body.len() as u64),
    }
}

fn no_version(file: &Changing, answer: &Answer) -> String {
    format!("{}: {} and no version of it: {:?}", file.target, answer.status, answer.fields)
}
