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
        let length = match answer.field("content-length") {
            Some(length) if has_content => length.parse().expect("a length"),
            None if has_content => panic!("no length in {head}"),
            _ => 0,
        };
        let rest = &bytes[head_len..];
        if rest.len() < length {
            return None;
        }
        answer.body = rest[..length].to_vec();
        *bytes = &rest[length..];
        Some(answer)
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
