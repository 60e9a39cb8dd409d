//! From received bytes to answers, to the letter of RFC 9112, and telling what is wrong instead of panicking.
//!
//! Other than [`Answer::take`] it knows interim answers, and the ways in which other servers tell where an
//! answer ends.

use crate::support::answer::Answer;

/// All answers in `bytes`, interim ones too, and nothing else. `are_to_head` has a value for each final answer;
/// those beyond it are not to HEAD. `is_closed`: no more bytes come.
pub fn answers(mut bytes: &[u8], are_to_head: &[bool], is_closed: bool) -> Result<Vec<Answer>, String> {
    let mut answers: Vec<Answer> = Vec::new();
    let mut are_to_head = are_to_head.iter().copied();
    while !bytes.is_empty() {
        let (mut answer, rest) = head(bytes)?;
        bytes = rest;
        if !answer.is_interim() {
            let is_to_head = are_to_head.next().unwrap_or(false);
            (answer.body, bytes) = content(&answer, bytes, is_to_head, is_closed)?;
        }
        answers.push(answer);
    }
    Ok(answers)
}

/// What [`Answer`] lacks for this.
pub trait AnswerExt {
    fn is_interim(&self) -> bool;
    fn values(&self, name: &str) -> Vec<&str>;
    /// Whether a list field has an element, in any case.
    fn has_element(&self, name: &str, element: &str) -> bool;
}

impl AnswerExt for Answer {
    fn is_interim(&self) -> bool {
        self.status < 200
    }

    fn values(&self, name: &str) -> Vec<&str> {
        let fields = self.fields.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        fields.map(|(_, value)| value.as_str()).collect()
    }

    fn has_element(&self, name: &str, element: &str) -> bool {
        let values = self.values(name);
        values.iter().flat_map(|value| value.split(',')).any(|has| has.trim().eq_ignore_ascii_case(element))
    }
}

/// A head, and what is behind it.
fn head(bytes: &[u8]) -> Result<(Answer, &[u8]), String> {
    let shown = || String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
    let len = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let len = len.ok_or_else(|| format!("no whole head: {:?}", shown()))?;
    let text = std::str::from_utf8(&bytes[..len]).map_err(|_| format!("not ASCII: {:?}", shown()))?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(status).ok_or_else(|| format!("no status line: {:?}", shown()))?;
    let mut fields = Vec::new();
    for line in lines {
        fields.push(field(line).ok_or_else(|| format!("no field line: {line:?}"))?);
    }
    Ok((Answer { status, fields, body: Vec::new() }, &bytes[len + 4..]))
}

/// `HTTP/1.1 SP 3DIGIT SP [ reason-phrase ]` (RFC 9112 §4).
fn status(line: &str) -> Option<u16> {
    let line = line.strip_prefix("HTTP/1.1 ").or_else(|| line.strip_prefix("HTTP/1.0 "))?;
    let (code, reason) = line.split_once(' ')?;
    let is_code = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()) && code >= "100";
    (is_code && reason.chars().all(is_field_char)).then(|| code.parse().ok()).flatten()
}

/// `field-name ":" OWS field-value OWS` (RFC 9112 §5).
fn field(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    let is_name = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    let is_field = is_name && value.chars().all(is_field_char);
    is_field.then(|| (name.to_owned(), value.trim_matches([' ', '\t']).to_owned()))
}

fn is_field_char(char: char) -> bool {
    char == '\t' || !char.is_control()
}

/// The content behind a head, and what is behind that (RFC 9112 §6.3).
fn content<'a>(
    answer: &Answer,
    bytes: &'a [u8],
    is_to_head: bool,
    is_closed: bool,
) -> Result<(Vec<u8>, &'a [u8]), String> {
    if is_to_head || answer.status == 204 || answer.status == 304 {
        return Ok((Vec::new(), bytes));
    }
    match (answer.values("transfer-encoding")[..].first(), &answer.values("content-length")[..]) {
        (Some(coding), []) if coding.eq_ignore_ascii_case("chunked") => {
            chunks(bytes).ok_or_else(|| format!("chunks cut short or malformed behind {answer:?}"))
        }
        (None, [length]) => {
            let length: usize = length.parse().map_err(|_| format!("no length: {length:?}"))?;
            match bytes.split_at_checked(length) {
                Some((content, rest)) => Ok((content.to_vec(), rest)),
                None => Err(format!("{} bytes of content, {length} were promised", bytes.len())),
            }
        }
        (None, []) if is_closed => Ok((bytes.to_vec(), b"")),
        _ => Err(format!("no telling where this ends: {answer:?}")),
    }
}

/// Chunks without extensions, and no trailer fields: what other servers send.
fn chunks(mut bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut content = Vec::new();
    loop {
        let line_len = bytes.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..line_len]).ok()?, 16).ok()?;
        let (chunk, rest) = bytes[line_len + 2..].split_at_checked(size)?;
        content.extend_from_slice(chunk);
        bytes = rest.strip_prefix(b"\r\n")?;
        if size == 0 {
            return Some((content, bytes));
        }
    }
}

/// The parts of a `multipart/byteranges` answer (RFC 9110 §14.6): the Content-Range of each, and its content.
/// Every byte must be where RFC 2046 §5.1.1 has it.
pub fn parts(answer: &Answer) -> Result<Vec<(String, Vec<u8>)>, String> {
    let content_type = answer.values("content-type").concat();
    let boundary = content_type.strip_prefix("multipart/byteranges; boundary=");
    let boundary = boundary.ok_or_else(|| format!("not multipart: {content_type:?}"))?.trim_matches('"');
    let malformed = || format!("malformed parts: {:?}", answer.text());
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = &answer.body[..];
    // The first delimiter may do without the line end, which belongs to it and not to what is before it.
    rest = rest
        .strip_prefix(delimiter.as_bytes())
        .or_else(|| rest.strip_prefix(&delimiter.as_bytes()[2..]))
        .ok_or_else(malformed)?;
    let mut parts = Vec::new();
    while rest != b"--\r\n" && rest != b"--" {
        // The head of a part is that of an answer without its status line.
        let as_answer = [b"HTTP/1.1 206 \r\n", rest.strip_prefix(b"\r\n").ok_or_else(malformed)?].concat();
        let (head, behind) = head(&as_answer)?;
        let range = head.values("content-range").concat();
        let (first, last, _) = content_range(&range).ok_or_else(malformed)?;
        let (content, behind) = behind.split_at_checked(last - first + 1).ok_or_else(malformed)?;
        let behind = behind.strip_prefix(delimiter.as_bytes()).ok_or_else(malformed)?;
        parts.push((range, content.to_vec()));
        rest = &rest[rest.len() - behind.len()..];
    }
    Ok(parts)
}

/// First, last and length of a `bytes first-last/length`.
pub fn content_range(value: &str) -> Option<(usize, usize, usize)> {
    let (range, length) = value.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last, length) = (first.parse().ok()?, last.parse().ok()?, length.parse().ok()?);
    (first <= last && last < length).then_some((first, last, length))
}
