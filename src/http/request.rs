//! The head of a request: from received bytes to a [`Request`], or to why it is refused.
//!
//! The request line is parsed here, to the letter of RFC 9112 §3; field lines are tokenised by `httparse`,
//! and what it is lenient about (bare LF, RFC 9112 §2.2) is checked here: who types a head by hand may end
//! all lines so, if there is nothing that a proxy in front could have understood otherwise. No body, and
//! nothing behind it is looked at.

use httparse::{EMPTY_HEADER, Header};

use super::bytes::TOKEN;
use super::method::Method;
use super::refusal::Refusal;
use super::target::{Target, is_authority};
use crate::limits::Limits;

/// More fields than this are refused with 431.
const FIELDS_MAX: usize = 100;
/// Empty lines in front of a request line that are skipped (RFC 9112 §2.2): old clients send one.
const EMPTY_LINES_MAX: usize = 4;
/// What a TLS client says first (RFC 8446 §5.1); no method starts with it.
const TLS_HANDSHAKE: u8 = 22;

/// The protocol version a request is served as: a higher minor version of 1 is served as 1.1 (RFC 9110 §2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Http10,
    Http11,
}

/// Room for the fields of one head: on the caller's stack for as many as most have, else on the heap.
pub struct FieldSlots<'a> {
    few: [Header<'a>; FEW_FIELDS],
    many: Vec<Header<'a>>,
}

/// Browsers send ten to twenty. Clearing room for the most that is allowed would take a tenth of the time
/// that a request has.
const FEW_FIELDS: usize = 32;

const NO_FIELDS: [Header<'static>; FEW_FIELDS] = [EMPTY_HEADER; FEW_FIELDS];

impl FieldSlots<'_> {
    pub fn new() -> Self {
        FieldSlots { few: NO_FIELDS, many: Vec::new() }
    }
}

impl Default for FieldSlots<'_> {
    fn default() -> Self {
        FieldSlots::new()
    }
}

/// A complete, well-formed head. Borrows the bytes it was parsed from.
#[derive(Debug)]
pub struct Request<'a> {
    pub method: Method,
    pub target: Target<'a>,
    pub version: Version,
    /// Its lines end in a bare LF: it is the last on its connection, whatever follows.
    pub is_typed: bool,
    fields: &'a [Header<'a>],
    /// A bit for each name that stands among the fields, see [`name_bit`].
    names: u64,
}

/// One of 64 bits by the length and the first letter of a field's name, in any case. Most names that are
/// asked for are not there, and most of those are told by this without a look at the fields.
const fn name_bit(name: &str) -> u64 {
    let first = if name.is_empty() { 0 } else { name.as_bytes()[0].to_ascii_lowercase() };
    1 << ((name.len() + 5 * first as usize) % 64)
}

/// The bits of the fields that are preconditions (RFC 9110 §13.1).
const PRECONDITIONS: u64 = name_bit("if-match")
    | name_bit("if-none-match")
    | name_bit("if-modified-since")
    | name_bit("if-unmodified-since");

/// What the bytes received so far amount to.
#[derive(Debug)]
pub enum Parsed<'a> {
    /// The head takes the first `head_len` bytes.
    Complete { request: Request<'a>, head_len: usize },
    /// Nothing wrong so far; more bytes are needed.
    Partial,
    /// Not a request pws can serve; where the next one starts is unknown.
    Refused(Refusal),
}

impl<'a> Request<'a> {
    /// The values of all fields called `name`, in order, without the white space around them.
    pub fn field_values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let fields = if self.names & name_bit(name) == 0 { &[] } else { self.fields };
        let named = fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name));
        named.map(|field| field.value)
    }

    /// The elements of the comma-separated list that all fields called `name` make together, empty ones left
    /// out (RFC 9110 §5.6.1). Not for lists of which an element may contain a quoted comma.
    pub fn list_elements(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let elements = self.field_values(name).flat_map(|value| value.split(|&byte| byte == b','));
        elements.map(<[u8]>::trim_ascii).filter(|element| !element.is_empty())
    }

    /// Whether there may be preconditions: false is certain, and usual.
    pub fn may_be_conditional(&self) -> bool {
        self.names & PRECONDITIONS != 0
    }

    /// Whether the client means to use the connection again (RFC 9112 §9.3).
    pub fn is_persistent(&self) -> bool {
        let has = |option: &str| {
            self.list_elements("connection").any(|element| element.eq_ignore_ascii_case(option.as_bytes()))
        };
        match self.version {
            _ if self.is_typed => false,
            Version::Http11 => !has("close"),
            Version::Http10 => has("keep-alive") && !has("close"),
        }
    }

    /// What the client waits for before it sends the body (RFC 9110 §10.1.1). HTTP/1.0 has no expectations.
    pub fn expectation(&self) -> Expectation {
        let mut elements = self.list_elements("expect").peekable();
        if self.version == Version::Http10 || elements.peek().is_none() {
            return Expectation::None;
        }
        match elements.all(|element| element.eq_ignore_ascii_case(b"100-continue")) {
            true => Expectation::Continue,
            false => Expectation::Unknown,
        }
    }
}

/// What an Expect field asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    None,
    /// A word that the body is welcome.
    Continue,
    /// Something pws does not know.
    Unknown,
}

/// Parses the head at the start of `input`.
///
/// The verdict is the same however the bytes arrive: it rests on complete lines, and on a target that is too
/// long in an unfinished one. Of the bytes, `searched` are known from the last call to be no complete head:
/// without a new line end among the rest there is nothing to parse again, which keeps a head that comes byte
/// by byte cheap.
pub fn parse<'a>(
    input: &'a [u8],
    searched: usize,
    slots: &'a mut FieldSlots<'a>,
    limits: &Limits,
) -> Parsed<'a> {
    if input.first() == Some(&TLS_HANDSHAKE) {
        return Parsed::Refused(Refusal::TlsHello);
    }
    let head_bytes_max = usize::from(limits.head_bytes_max);
    let window = &input[..input.len().min(head_bytes_max)];
    let is_full = window.len() == head_bytes_max;
    let has_new_line = searched == 0 || window[searched.min(window.len())..].contains(&b'\n');
    // A target that is too long is told before its line has ended.
    let is_line_open = || !window[2 * empty_lines(window)..].contains(&b'\n');
    let may_be_too_long = || window.len() > limits.target_bytes_max && is_line_open();
    if !has_new_line && !is_full && !may_be_too_long() {
        return Parsed::Partial;
    }
    match parse_lines(window, slots, limits) {
        Ok(Some((request, head_len))) => Parsed::Complete { request, head_len },
        Ok(None) if is_full => Parsed::Refused(Refusal::HeadTooLarge),
        Ok(None) => Parsed::Partial,
        Err(refusal) => Parsed::Refused(refusal),
    }
}

/// Parses the complete lines of `window`; `None` if the empty line is not among them.
fn parse_lines<'a>(
    window: &'a [u8],
    slots: &'a mut FieldSlots<'a>,
    limits: &Limits,
) -> Result<Option<(Request<'a>, usize)>, Refusal> {
    let start = skip_empty_lines(window)?;
    // Before all else, so that the verdict is the same whether the rest of the line has come or not.
    if is_target_too_long(&window[start..], limits) {
        return Err(Refusal::TargetTooLong);
    }
    let Some(line_len) = window[start..].iter().position(|&byte| byte == b'\n') else { return Ok(None) };
    let line = &window[start..start + line_len];
    let (line, is_typed) = line.strip_suffix(b"\r").map_or((line, true), |line| (line, false));
    let (method, target, version) = parse_request_line(line)?;

    let fields_start = start + line_len + 1;
    let lines_end = window.iter().rposition(|&byte| byte == b'\n').map_or(fields_start, |at| at + 1);
    let Some((fields_len, fields)) = parse_fields(&window[fields_start..lines_end], slots)? else {
        return Ok(None);
    };
    let head_len = fields_start + fields_len;
    let lines = &window[fields_start - 1..head_len];
    let is_bare = if is_typed { !lines.contains(&b'\r') } else { has_bare_lf(lines) };
    if is_bare != is_typed {
        return Err(Refusal::BareLf);
    }
    let names = fields.iter().fold(0, |names, field| names | name_bit(field.name));
    let request = Request { method, target, version, is_typed, fields, names };
    check_host(&request)?;
    Ok(Some((request, head_len)))
}

/// Parses field lines up to the empty one; returns how long they are and the fields.
fn parse_fields<'a>(
    lines: &'a [u8],
    slots: &'a mut FieldSlots<'a>,
) -> Result<Option<(usize, &'a [Header<'a>])>, Refusal> {
    let mut result = httparse::parse_headers(lines, &mut slots.few);
    if result == Err(httparse::Error::TooManyHeaders) {
        slots.many.resize(FIELDS_MAX, EMPTY_HEADER);
        result = httparse::parse_headers(lines, &mut slots.many);
    }
    match result {
        Ok(httparse::Status::Complete(parsed)) => Ok(Some(parsed)),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(httparse::Error::TooManyHeaders) => Err(Refusal::TooManyFields),
        Err(_) => Err(Refusal::Fields),
    }
}

/// Returns where the request line starts.
fn skip_empty_lines(window: &[u8]) -> Result<usize, Refusal> {
    let start = 2 * empty_lines(window);
    if window[start..].starts_with(b"\r\n") { Err(Refusal::EmptyLines) } else { Ok(start) }
}

/// How many of the empty lines in front are skipped.
fn empty_lines(input: &[u8]) -> usize {
    input.chunks(2).take(EMPTY_LINES_MAX).take_while(|pair| *pair == b"\r\n").count()
}

/// Whether `input`, refused or not, is a HEAD: decided by bytes that every verdict rests on.
pub fn is_head(input: &[u8]) -> bool {
    input[2 * empty_lines(input)..].starts_with(b"HEAD ")
}

/// `method SP request-target SP HTTP-version` (RFC 9112 §3), exactly one space each.
fn parse_request_line(line: &[u8]) -> Result<(Method, Target<'_>, Version), Refusal> {
    let mut parts = line.splitn(3, |&byte| byte == b' ');
    let method = parts.next().filter(|token| is_token(token)).ok_or(Refusal::RequestLine)?;
    let target = parts.next().ok_or(Refusal::RequestLine)?;
    let version = match parts.next() {
        Some([b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0']) => Version::Http10,
        Some([b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1'..=b'9']) => Version::Http11,
        Some([b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9']) => {
            return Err(Refusal::Version);
        }
        _ => return Err(Refusal::RequestLine),
    };
    let method = Method::from_token(method);
    let target = Target::parse(target, method)?;
    Ok((method, target, version))
}

/// Whether the target of a request line, finished or not, is past the bound.
fn is_target_too_long(line: &[u8], limits: &Limits) -> bool {
    if line.len() <= limits.target_bytes_max {
        return false;
    }
    let mut parts = line.split(|byte| b" \r\n".contains(byte)).map(<[u8]>::len);
    let (method_len, target_len) = (parts.next(), parts.next());
    let ends_with_space = method_len.and_then(|len| line.get(len)) == Some(&b' ');
    ends_with_space && target_len.is_some_and(|len| len > limits.target_bytes_max)
}

/// RFC 9110 §5.6.2.
fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && TOKEN.holds_all(bytes)
}

/// Looks at all bytes, whatever it finds: that way the compiler can look at many at once.
fn has_bare_lf(lines: &[u8]) -> bool {
    let pairs = lines.iter().zip(&lines[1..]);
    pairs.fold(false, |is_bare, (&before, &byte)| is_bare | ((byte == b'\n') & (before != b'\r')))
}

/// One Host field, and a valid one; HTTP/1.0 may leave it out (RFC 9112 §3.2).
fn check_host(request: &Request) -> Result<(), Refusal> {
    let mut hosts = request.field_values("host");
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if is_authority(host, false) => Ok(()),
        (None, None) if request.version == Version::Http10 => Ok(()),
        _ => Err(Refusal::Host),
    }
}

/// The first line of `input`, for the log: whatever was received, as far as it goes.
pub fn first_line(input: &[u8]) -> &[u8] {
    let input = input.trim_ascii_start();
    let end = input.iter().position(|&byte| byte == b'\r' || byte == b'\n').unwrap_or(input.len());
    &input[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Ok(len)` of a complete head, `Err(None)` if partial, `Err(Some(status))` if refused.
    fn parsed(input: &[u8]) -> Result<usize, Option<u16>> {
        match parse(input, 0, &mut FieldSlots::new(), &Limits::default()) {
            Parsed::Complete { head_len, .. } => Ok(head_len),
            Parsed::Partial => Err(None),
            Parsed::Refused(refusal) => Err(Some(refusal.status().code())),
        }
    }

    #[test]
    fn every_prefix_of_a_head_is_partial() {
        let head = b"\r\nGET /a?b HTTP/1.1\r\nHost: example.com:80\r\nX: \xff\r\n\r\n";
        for len in 0..head.len() {
            assert_eq!(parsed(&head[..len]), Err(None), "{len} bytes");
        }
        assert_eq!(parsed(head), Ok(head.len()));
        assert_eq!(parsed(&[head, &b"GET /"[..]].concat()), Ok(head.len()), "the next one is left alone");
    }

    #[test]
    fn refuses_by_status() {
        let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(100));
        let long_target = format!("GET /{} HTTP/1.1\r\n", "a".repeat(8192));
        let long_line = format!("GET /{}", "a".repeat(8192));
        let long_head = format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(16384));
        for (input, status) in [
            ("GET / HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
            ("GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\n\n", 400),
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400),
            ("GET  / HTTP/1.1\r\n", 400),
            ("GET /  HTTP/1.1\r\n", 400),
            ("GET / HTTP/1.1 \r\n", 400),
            (" GET / HTTP/1.1\r\n", 400),
            ("GET /\r\n", 400),
            ("GET / http/1.1\r\n", 400),
            ("GET / HTTP/11.1\r\n", 400),
            ("GE(T / HTTP/1.1\r\n", 400),
            ("\r\n\r\n\r\n\r\n\r\n", 400),
            ("\n", 400),
            ("GET / HTTP/2.0\r\n", 505),
            ("GET / HTTP/0.9\r\n", 505),
            (&long_target, 414),
            (&long_line, 414),
            (&many, 431),
            (&long_head, 431),
        ] {
            assert_eq!(parsed(input.as_bytes()), Err(Some(status)), "{input:?}");
        }
    }

    #[test]
    fn the_bounds_themselves_are_allowed() {
        let target = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(8191));
        assert_eq!(parsed(target.as_bytes()), Ok(target.len()));
        let fields = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(99));
        assert_eq!(parsed(fields.as_bytes()), Ok(fields.len()));
        let start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
        let head = format!("{start}{}\r\n\r\n", "a".repeat(16384 - start.len() - 4));
        assert_eq!(parsed(head.as_bytes()), Ok(16384));
        let over = format!("{start}{}\r\n\r\n", "a".repeat(16384 - start.len() - 3));
        assert_eq!(parsed(over.as_bytes()), Err(Some(431)));
    }

    #[test]
    fn persistence_follows_the_version_and_the_options() {
        for (version, connection, expected) in [
            ("1.1", "", true),
            ("1.1", "Connection: close\r\n", false),
            ("1.1", "Connection: , TE ,CLOSE\r\n", false),
            ("1.1", "Connection: x\r\nConnection: close\r\n", false),
            ("1.1", "Connection: closed\r\n", true),
            ("1.9", "", true),
            ("1.0", "", false),
            ("1.0", "Connection: Keep-Alive\r\n", true),
            ("1.0", "Connection: keep-alive, close\r\n", false),
        ] {
            let head = format!("GET / HTTP/{version}\r\nHost: a\r\n{connection}\r\n");
            let mut slots = FieldSlots::new();
            match parse(head.as_bytes(), 0, &mut slots, &Limits::default()) {
                Parsed::Complete { request, .. } => assert_eq!(request.is_persistent(), expected, "{head}"),
                other => panic!("{head}: {other:?}"),
            };
        }
    }

    #[test]
    fn the_first_line_is_what_was_received() {
        assert_eq!(first_line(b"\r\nGET / HTTP/1.1\r\nHost: a"), b"GET / HTTP/1.1");
        assert_eq!(first_line(b"GE"), b"GE");
    }
}
