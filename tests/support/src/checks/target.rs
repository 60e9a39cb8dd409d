//! `http::target`: from a request target to the path that is opened, and back.
//!
//! Input: a byte that picks the method, then the target. What must hold of any path, once normalised:
//!
//! - no segment is `.` or `..`, no slash leads or is doubled, and no NUL comes in that was not there;
//! - encoded, it is made of URL characters only and leads back to itself;
//! - so does a redirect to it, which is a target in origin form and never a `//host`.

use pws::http::method::Method;
use pws::http::target::{Target, encode, encode_received, is_authority, normalise};

use super::take_header;

const METHODS: [Method; 6] =
    [Method::Get, Method::Head, Method::Options, Method::Connect, Method::OtherKnown, Method::Unknown];

pub fn check(data: &[u8]) {
    let Some(([method], target)) = take_header(data) else { return };
    let method = METHODS[usize::from(method) % METHODS.len()];
    if is_authority(target, true) {
        assert!(is_authority(target, false));
    }
    check_path(target);
    match Target::parse(target, method) {
        Err(_) => {}
        Ok(Target::Asterisk) => assert_eq!((method, target), (Method::Options, &b"*"[..])),
        Ok(Target::Authority) => assert!(method == Method::Connect && is_authority(target, true)),
        Ok(Target::Path { path, query, .. }) => {
            assert!(path.starts_with(b"/"));
            assert!(!path.contains(&b'?'));
            check_path(path);
            check_redirect(path, query);
        }
    }
}

fn check_path(raw: &[u8]) {
    let mut path = b"left over".to_vec();
    if normalise(raw, &mut path).is_err() {
        return;
    }
    assert!(!path.starts_with(b"/"));
    assert!(!path.windows(2).any(|pair| pair == b"//"));
    assert!(path.split(|&byte| byte == b'/').all(|segment| segment != b"." && segment != b".."));
    assert!(raw.contains(&0) || !path.contains(&0));
    assert!(path.len() <= raw.len());
    let encoded = encode(&path).to_string();
    assert!(encoded.bytes().all(is_url_byte), "{encoded}");
    let mut again = Vec::new();
    if !path.contains(&0) {
        assert_eq!(normalise(encoded.as_bytes(), &mut again), Ok(()));
        assert_eq!(again, path, "{encoded}");
    }
}

/// A redirect to the folder at `path`, as the site writes it: relative to what was asked for.
fn check_redirect(path: &[u8], query: Option<&[u8]>) {
    let mut folder = Vec::new();
    if normalise(path, &mut folder).is_err() || folder.is_empty() || folder.ends_with(b"/") {
        return;
    }
    let name_start = path.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    let location =
        format!("{}/?{}", encode_received(&path[name_start..]), encode_received(query.unwrap_or_default()));
    let is_fit = |byte: u8| byte.is_ascii_graphic() && !b"\"<>#\\".contains(&byte);
    assert!(location.bytes().all(is_fit) && !location.starts_with('/'), "{location}");
    let led_to = [&path[..name_start], location.as_bytes()].concat();
    let Ok(Target::Path { path, query: Some(_), .. }) = Target::parse(&led_to, Method::Get) else {
        panic!("{location} is no target");
    };
    let mut arrived = Vec::new();
    assert_eq!(normalise(path, &mut arrived), Ok(()));
    folder.push(b'/');
    assert_eq!(arrived, folder, "{location}");
}
fn is_url_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/".contains(&byte)
}
