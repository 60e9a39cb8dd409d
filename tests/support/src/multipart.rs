//! The parts of an answer to several ranges.

use super::answer::Answer;

/// The Content-Range of each part of a `multipart/byteranges` answer (RFC 9110 §14.6), and its content. Every
/// byte must be where RFC 2046 §5.1.1 has it.
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
        let fields = rest.strip_prefix(b"\r\n").ok_or_else(malformed)?;
        let head_len = fields.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(malformed)? + 4;
        let (fields, behind) = fields.split_at(head_len);
        // The head of a part is that of an answer without its status line.
        let as_answer = [b"HTTP/1.1 206 \r\n", fields].concat();
        let (head, _) = Answer::parse(&as_answer, true, false)?.ok_or_else(malformed)?;
        let range = head.values("content-range").concat();
        let (first, last, _) = content_range(&range).ok_or_else(malformed)?;
        let (content, behind) = behind.split_at_checked(last - first + 1).ok_or_else(malformed)?;
        parts.push((range, content.to_vec()));
        rest = behind.strip_prefix(delimiter.as_bytes()).ok_or_else(malformed)?;
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
