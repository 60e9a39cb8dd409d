//! The status codes pws answers with (RFC 9110 §15).

/// Makes of each row a status, its words, and what a response of it starts with.
macro_rules! statuses {
    ($($name:ident = $code:literal, $reason:literal;)*) => {
        /// A status code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Status {
            $($name = $code,)*
        }

        impl Status {
            /// The three digits.
            pub fn code(self) -> u16 {
                self as u16
            }

            /// The digits, and the words behind them for people (RFC 9112 §4).
            pub fn code_and_reason(self) -> &'static str {
                match self {
                    $(Status::$name => concat!($code, " ", $reason),)*
                }
            }

            /// What every response of this status starts with, up to the value of `Date`. One text, since it
            /// is copied for each.
            pub fn head_start(self) -> &'static str {
                match self {
                    $(Status::$name => concat!(
                        "HTTP/1.1 ", $code, " ", $reason,
                        "\r\nServer: pws/", env!("CARGO_PKG_VERSION"), "\r\nDate: "
                    ),)*
                }
            }
        }
    };
}

statuses! {
    Ok = 200, "OK";
    NoContent = 204, "No Content";
    PartialContent = 206, "Partial Content";
    MovedPermanently = 301, "Moved Permanently";
    Found = 302, "Found";
    SeeOther = 303, "See Other";
    NotModified = 304, "Not Modified";
    TemporaryRedirect = 307, "Temporary Redirect";
    PermanentRedirect = 308, "Permanent Redirect";
    BadRequest = 400, "Bad Request";
    Forbidden = 403, "Forbidden";
    NotFound = 404, "Not Found";
    MethodNotAllowed = 405, "Method Not Allowed";
    RequestTimeout = 408, "Request Timeout";
    NotAcceptable = 406, "Not Acceptable";
    PreconditionFailed = 412, "Precondition Failed";
    UriTooLong = 414, "URI Too Long";
    RangeNotSatisfiable = 416, "Range Not Satisfiable";
    ExpectationFailed = 417, "Expectation Failed";
    MisdirectedRequest = 421, "Misdirected Request";
    RequestHeaderFieldsTooLarge = 431, "Request Header Fields Too Large";
    InternalServerError = 500, "Internal Server Error";
    NotImplemented = 501, "Not Implemented";
    ServiceUnavailable = 503, "Service Unavailable";
    HttpVersionNotSupported = 505, "HTTP Version Not Supported";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_follow_the_right_digits() {
        for status in [Status::Ok, Status::Found, Status::NotFound, Status::HttpVersionNotSupported] {
            assert!(status.code_and_reason().starts_with(&status.code().to_string()));
            assert!(status.head_start().starts_with(&format!("HTTP/1.1 {}\r\n", status.code_and_reason())));
        }
    }
}
