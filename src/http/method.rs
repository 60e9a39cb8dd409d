//! Request methods (RFC 9110 §9).

/// The methods of RFC 9110 §9 and PATCH; all others are `Unknown`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Options,
    Connect,
    /// POST, PUT, DELETE, TRACE, PATCH: understood, and not allowed on files.
    OtherKnown,
    Unknown,
}

impl Method {
    /// Methods are case-sensitive (RFC 9110 §9.1).
    pub fn from_token(token: &[u8]) -> Method {
        match token {
            b"GET" => Method::Get,
            b"HEAD" => Method::Head,
            b"OPTIONS" => Method::Options,
            b"CONNECT" => Method::Connect,
            b"POST" | b"PUT" | b"DELETE" | b"TRACE" | b"PATCH" => Method::OtherKnown,
            _ => Method::Unknown,
        }
    }
}
