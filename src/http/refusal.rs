//! Why something that was received is refused: a status for programs and a sentence for people.
//!
//! What was received is never repeated: there is nothing to escape.

use super::status::Status;

/// Makes of each row a refusal, its status and its sentence.
macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $sentence:literal;)*) => {
        /// What is wrong with what was received, or with its time.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Refusal {
            $($(#[$doc])* $name,)*
        }

        impl Refusal {
            pub fn status(self) -> Status {
                match self {
                    $(Refusal::$name => Status::$status,)*
                }
            }

            /// For whoever sent it.
            pub fn sentence(self) -> &'static str {
                match self {
                    $(Refusal::$name => $sentence,)*
                }
            }
        }
    };
}

refusals! {
    /// The first byte of a TLS handshake (RFC 8446 §5.1).
    TlsHello = BadRequest, "This is TLS, and the server speaks plain HTTP here: ask by http://, or through a \
        proxy that speaks TLS.";
    /// RFC 9112 §2.2.
    BareLf = BadRequest, "Lines end in CR and LF, or all of them in LF alone where a head is typed by hand: \
        without a body.";
    EmptyLines = BadRequest, "There are too many empty lines in front of the request.";
    /// RFC 9112 §3.
    RequestLine = BadRequest, "The first line is not a method, a target and HTTP/1.1 with a space between.";
    /// RFC 9112 §3.2.
    Target = BadRequest, "The target is neither a path nor an http:// address, or has bytes that must be \
        escaped.";
    /// RFC 9110 §7.4.
    OtherScheme = MisdirectedRequest, "The target says https://, and this connection is not encrypted.";
    TargetTooLong = UriTooLong, "The target is longer than the server takes.";
    /// RFC 9112 §5.
    Fields = BadRequest, "A line of the head is not a name, a colon and a value.";
    TooManyFields = RequestHeaderFieldsTooLarge, "The head has more lines than the server takes.";
    HeadTooLarge = RequestHeaderFieldsTooLarge, "The head is larger than the server takes.";
    /// RFC 9112 §3.2.
    Host = BadRequest, "A request has one Host line, with the name that was asked for.";
    Version = HttpVersionNotSupported, "The server speaks HTTP/1.1 and HTTP/1.0.";
    /// RFC 9112 §6.1, §6.3.
    BodyLength = BadRequest, "Where the body ends is told in two ways, or in none that is valid.";
    /// RFC 9112 §6.1.
    TransferCoding = NotImplemented, "The body has a transfer coding other than chunked.";
    /// RFC 9112 §7.1.
    Chunks = BadRequest, "The chunks of the body are not framed as they must be.";
    /// RFC 9110 §15.5.9.
    Late = RequestTimeout, "The request did not come in time.";
    /// By address.
    NoGuest = Forbidden, "This address is not served here.";
    NoRoom = ServiceUnavailable, "All places are taken: please try again in a moment.";
}
