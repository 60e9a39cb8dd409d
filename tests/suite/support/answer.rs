//! Taking received bytes apart again, strictly.

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of the one field called `name`; panics if there are several.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let value = values.next();
        assert!(values.next().is_none(), "{name} stands twice in {self:?}");
        value.map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Takes one answer off the front of `bytes`; `None` if it is not whole. `head_only`: it answers a HEAD.
    pub fn take(bytes: &mut &[u8], head_only: bool) -> Option<Answer> {
        let head_len = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let head = std::str::from_utf8(&bytes[..head_len - 4]).expect("a head is ASCII");
        assert!(!head.replace("\r\n", "").contains(['\r', '\n']), "a bare line end in {head:?}");
        let mut lines = head.split("\r\n");
        let status_line = lines.next().expect("a status line");
        let status = status_line.strip_prefix("HTTP/1.1 ").expect(status_line);
        let status = status[..3].parse().expect(status_line);
        let split = |line: &str| {
            let (name, value) = line.split_once(": ").expect(line);
            (name.to_owned(), value.to_owned())
        };
        let mut answer = Answer { status, fields: lines.map(split).collect(), body: Vec::new() };
        let has_content = !head_only && status != 204 && status != 304 && status >= 200;
        let rest = &bytes[head_len..];
        let is_chunked = answer.field("transfer-encoding") == Some("chunked");
        let taken = match answer.field("content-length") {
            _ if !has_content => Some((Vec::new(), rest)),
            Some(length) => {
                assert!(!is_chunked, "two framings in {head}");
                rest.split_at_checked(length.parse().expect("a length"))
                    .map(|(body, rest)| (body.to_vec(), rest))
            }
            None if is_chunked => take_chunks(rest),
            None => panic!("no length in {head}"),
        };
        (answer.body, *bytes) = taken?;
        Some(answer)
    }

    /// The one answer in `bytes`, whose content has no length and ends with the connection.
    pub fn until_end(mut bytes: &[u8]) -> Answer {
        let mut answer = Answer::take(&mut bytes, true).expect("a whole head");
        assert_eq!((answer.field("content-length"), answer.field("transfer-encoding")), (None, None));
        answer.body = bytes.to_vec();
        answer
    }

    /// All answers in `bytes`; `methods` are those of the requests, and there must be as many, and no more bytes.
    pub fn all(mut bytes: &[u8], methods: &[&str]) -> Vec<Answer> {
        let answers = methods
            .iter()
            .map(|method| Answer::take(&mut bytes, *method == "HEAD").expect("a whole answer"))
            .collect();
        assert_eq!(String::from_utf8_lossy(bytes), "", "bytes after the last answer");
        answers
    }
}

/// Takes a chunked body off the front of `bytes`, to the letter of RFC 9112 §7.1: what it holds, and what is
/// behind it.
fn take_chunks(mut bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut body = Vec::new();
    loop {
        let line_len = bytes.windows(2).position(|pair| pair == b"\r\n")?;
        let size = std::str::from_utf8(&bytes[..line_len]).expect("a size");
        let size = usize::from_str_radix(size, 16).expect("a size in hex, and no extension");
        let chunk = bytes.get(line_len + 2..line_len + 2 + size)?;
        let end = bytes.get(line_len + 2 + size..line_len + 4 + size)?;
        assert_eq!(end, b"\r\n", "behind a chunk");
        body.extend_from_slice(chunk);
        bytes = &bytes[line_len + 4 + size..];
        if size == 0 {
            return Some((body, bytes));
        }
    }
}
