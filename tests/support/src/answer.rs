//! Taking received bytes apart again, to the letter of RFC 9112: the one parser of answers for all who ask.

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// Parses the first answer in `bytes`; returns how many of them it takes, or `None` if it is not whole.
    ///
    /// `is_to_head`: there is no content behind the head. `is_closed`: no more bytes come, so that an answer
    /// without a length is whole. An interim answer is an answer.
    ///
    /// # Errors
    ///
    /// What is malformed. Trailer fields and extensions of chunks are: nobody here asks for them.
    pub fn parse(bytes: &[u8], is_to_head: bool, is_closed: bool) -> Result<Option<(Answer, usize)>, String> {
        let Some(head_len) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            return Ok(None);
        };
        let mut answer = Answer::of_head(&bytes[..head_len])?;
        let rest = &bytes[head_len + 4..];
        let content = match (&answer.values("transfer-encoding")[..], &answer.values("content-length")[..]) {
            _ if is_to_head || answer.is_interim() || [204, 304].contains(&answer.status) => {
                Some((Vec::new(), 0))
            }
            ([coding], []) if coding.eq_ignore_ascii_case("chunked") => chunks(rest)?,
            ([], [length]) => {
                let length = number(length, 10).ok_or_else(|| format!("no length: {length:?}"))?;
                rest.get(..length).map(|content| (content.to_vec(), length))
            }
            ([], []) => is_closed.then(|| (rest.to_vec(), rest.len())),
            _ => return Err(format!("no telling where this ends: {answer:?}")),
        };
        Ok(content.map(|(body, len)| {
            answer.body = body;
            (answer, head_len + 4 + len)
        }))
    }

    fn of_head(bytes: &[u8]) -> Result<Answer, String> {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| format!("a head that is not ASCII: {:?}", String::from_utf8_lossy(bytes)))?;
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(status).ok_or_else(|| format!("no status line: {text:?}"))?;
        let fields = lines.map(|line| field(line).ok_or_else(|| format!("no field line: {line:?}")));
        Ok(Answer { status, fields: fields.collect::<Result<_, _>>()?, body: Vec::new() })
    }

    /// Takes an answer of pws, which is always one of HTTP/1.1, off the front of `bytes`; `None` if it is not
    /// whole. `head_only`: it answers a HEAD.
    #[track_caller]
    pub fn take(bytes: &mut &[u8], head_only: bool) -> Option<Answer> {
        let parsed = match Answer::parse(bytes, head_only, false) {
            Ok(parsed) => parsed,
            Err(what) => panic!("{what}"),
        };
        let (answer, len) = parsed?;
        assert!(bytes.starts_with(b"HTTP/1.1 "), "another version: {answer:?}");
        *bytes = &bytes[len..];
        Some(answer)
    }

    /// The one answer in `bytes`, whose content has no length and ends with the connection.
    #[track_caller]
    pub fn until_end(mut bytes: &[u8]) -> Answer {
        let mut answer = Answer::take(&mut bytes, true).expect("a whole head");
        assert_eq!((answer.field("content-length"), answer.field("transfer-encoding")), (None, None));
        answer.body = bytes.to_vec();
        answer
    }

    /// All answers in `bytes`; `methods` are those of the requests, and there must be as many, and no more bytes.
    #[track_caller]
    pub fn all(mut bytes: &[u8], methods: &[&str]) -> Vec<Answer> {
        let mut answers = Vec::new();
        for method in methods {
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
            match Answer::take(&mut bytes, *method == "HEAD") {
                Some(answer) => answers.push(answer),
                None => panic!("no whole answer to {method}, number {}: {shown:?}", answers.len() + 1),
            }
        }
        assert_eq!(String::from_utf8_lossy(bytes), "", "bytes after the last answer");
        answers
    }

    /// The value of the one field called `name`; panics if there are several.
    #[track_caller]
    pub fn field(&self, name: &str) -> Option<&str> {
        let values = self.values(name);
        assert!(values.len() < 2, "{name} stands twice in {self:?}");
        values.first().copied()
    }

    /// The values of all fields called `name`.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let fields = self.fields.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        fields.map(|(_, value)| value.as_str()).collect()
    }

    /// Where its Location leads from `target` (RFC 9110 §10.2.2): dot segments are left as they are.
    pub fn led_to(&self, target: &str) -> Option<String> {
        let location = self.field("location")?;
        if location.starts_with('/') || location.contains("://") {
            return Some(location.to_owned());
        }
        let mut folder = target.split('?').next()?.rsplit_once('/')?.0;
        let mut rest = location.strip_prefix("./").unwrap_or(location);
        while let Some(above) = rest.strip_prefix("../") {
            folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
            rest = above;
        }
        Some(format!("{folder}/{rest}"))
    }

    /// Whether a list field has an element, in any case.
    pub fn has_element(&self, name: &str, element: &str) -> bool {
        let values = self.values(name);
        values.iter().flat_map(|value| value.split(',')).any(|has| has.trim().eq_ignore_ascii_case(element))
    }

    pub fn is_interim(&self) -> bool {
        self.status < 200
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// `HTTP-version SP 3DIGIT SP [ reason-phrase ]` (RFC 9112 §4).
fn status(line: &str) -> Option<u16> {
    let line = line.strip_prefix("HTTP/1.1 ").or_else(|| line.strip_prefix("HTTP/1.0 "))?;
    let (code, reason) = line.split_once(' ')?;
    let code = number(code, 10).filter(|_| code.len() == 3)?;
    ((100..600).contains(&code) && reason.chars().all(is_field_char)).then_some(code as u16)
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

/// Digits and nothing else: no sign.
fn number(digits: &str, radix: u32) -> Option<usize> {
    let is_number = digits.chars().all(|char| char.is_digit(radix));
    is_number.then(|| usize::from_str_radix(digits, radix).ok()).flatten()
}

/// The content of a chunked body (RFC 9112 §7.1) at the front of `bytes`, and how many of them it takes; `None`
/// if it is not whole.
fn chunks(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
    let mut content = Vec::new();
    let mut rest = bytes;
    while let Some(line_len) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let line = &rest[..line_len];
        let size = std::str::from_utf8(line).ok().and_then(|digits| number(digits, 16));
        let size = size.ok_or_else(|| format!("no size of a chunk: {:?}", String::from_utf8_lossy(line)))?;
        let Some((chunk, behind)) = rest[line_len + 2..].split_at_checked(size) else { break };
        let Some((end, behind)) = behind.split_at_checked(2) else { break };
        if end != b"\r\n" {
            return Err(format!("{:?} behind a chunk", String::from_utf8_lossy(end)));
        }
        content.extend_from_slice(chunk);
        rest = behind;
        if size == 0 {
            return Ok(Some((content, bytes.len() - rest.len())));
        }
    }
    Ok(None)
}
