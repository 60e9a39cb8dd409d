//! The page that is sent where there is nothing else to show: a status, and a sentence for people.
//!
//! Nothing of the request is in it, so there is nothing to escape.

use crate::http::status::Status;

/// The look, that of the listings, as far as a page of two lines needs it.
const STYLE: &str = include_str!("page.css");

/// What a client may do with the page: apply this one style, known by its hash, and nothing else (CSP
/// Level 3). A test holds the hash to what it is of.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; \
     style-src 'sha256-QijoQcCPm3nZ9v4JXp/xc+DOGOzXDVmjNQdeR2aLS84='; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// The page for `status`, with a sentence that is HTML.
pub fn html(status: Status, sentence: &str) -> String {
    let title = status.code_and_reason();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n\
         <h1>{title}</h1>\n<p>{sentence}</p>\n"
    )
}

/// What to say of `status`, where nothing more is known.
pub fn sentence(status: Status) -> &'static str {
    match status {
        Status::BadRequest => "The address has an escape that no name can have.",
        Status::Forbidden => "The server may not read what is at this address.",
        Status::NotFound => "There is nothing at this address.",
        Status::MethodNotAllowed => "Files can be read here, and not changed: by GET and HEAD.",
        Status::NotAcceptable => {
            "The file is here in compressed form only, and in none that was asked for: \
             Accept-Encoding: gzip, br, zstd gets it."
        }
        Status::PreconditionFailed => "The file is not in the state that was asked for.",
        Status::RangeNotSatisfiable => "The file ends before the part that was asked for.",
        Status::ExpectationFailed => "The server cannot do what the request expects of it.",
        Status::NotImplemented => "The server does not know this method.",
        Status::ServiceUnavailable => "The server is busy: please try again in a moment.",
        Status::MovedPermanently
        | Status::Found
        | Status::SeeOther
        | Status::TemporaryRedirect
        | Status::PermanentRedirect => "What was asked for is at another address.",
        _ => "Something went wrong on the server.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::html::tests::source_of;

    #[test]
    fn the_policy_lets_the_style_through() {
        let source = source_of("style", STYLE);
        assert!(CONTENT_SECURITY_POLICY.contains(&source), "it must be: {source}");
        assert_eq!(html(Status::NotFound, "").matches("style").count(), 2, "no hash covers attributes");
    }
}
