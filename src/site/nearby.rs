//! Where the same page is under its better name, for redirects.

use crate::http::request::Request;
use crate::http::target::{self, Target};

/// The same page next to where it was asked for: without `less` at the end of its name, with `more`, the
/// query as it was.
///
/// It is relative, so that what a proxy has put in front of the path stays there (RFC 9110 §10.2.2), and made
/// of what was asked for, since that is what it is relative to.
pub fn beside(request: &Request, less: &[u8], more: &str) -> Option<String> {
    let Target::Path { path, query, .. } = request.target else { return None };
    let name_start = path.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    let name = target::without_end(&path[name_start..], less);
    // A name with a colon would be a scheme, and none at all the same page again (RFC 3986 §4.2).
    let here = if name.is_empty() || name.contains(&b':') { "./" } else { "" };
    let name = target::encode_received(name);
    Some(format!("{here}{name}{more}{}", query_as_received(query)))
}

/// `page`, which was asked for with a slash behind it, without: relative and as it was asked for, as
/// [`beside`] has it. `None` if the last of what was asked for is not the page's name: dots, say.
pub fn out_of(request: &Request, page: &[u8]) -> Option<String> {
    let Target::Path { path, query, .. } = request.target else { return None };
    let end = path.iter().rposition(|&byte| byte != b'/')? + 1;
    let name = path[..end].rsplit(|&byte| byte == b'/').next()?;
    let mut decoded = Vec::new();
    target::decode(name, &mut decoded).ok()?;
    // An encoded slash has other names in front of it.
    let before = page.strip_suffix(&decoded[..])?;
    if !matches!(before, [] | [.., b'/']) || decoded.is_empty() {
        return None;
    }
    let up = "../".repeat(path.len() - end);
    let name = target::encode_received(name);
    Some(format!("{up}{name}{}", query_as_received(query)))
}

/// With its question mark, where there is one.
fn query_as_received(query: Option<&[u8]>) -> String {
    query.map_or(String::new(), |query| format!("?{}", target::encode_received(query)))
}
