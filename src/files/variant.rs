//! Variants: the same content, compressed beforehand, in a file beside it. `app.js.br` is `app.js` in Brotli,
//! also where there is no room for `app.js` itself.

use rustix::fs::FileType;

use super::file::File;
use super::mime;
use super::root::Root;
use super::stamp::Stamp;
use crate::http::negotiate::{Coding, Codings};

/// Ends the names under which variants are remembered: what is found there has the type of another file, so
/// it is not what is found by the name alone. No path has this byte.
const MARK: u8 = 0;

/// Writes the name under which the variant of `path` is remembered into `key`.
pub fn write_key(path: &[u8], coding: Coding, key: &mut Vec<u8>) {
    key.clear();
    for part in [path, coding.extension().as_bytes(), &[MARK]] {
        key.extend_from_slice(part);
    }
}

/// Where on the disk what is remembered under `key` is found.
pub fn disk_path(key: &[u8]) -> &[u8] {
    key.strip_suffix(&[MARK]).unwrap_or(key)
}

/// The codings in which `file`, found at `path`, is there as well; or instead, where none was found. A
/// variant has none.
pub fn codings(path: &[u8], file: Option<&File>, root: &Root) -> Codings {
    let mut codings = Codings::default();
    if file.is_some_and(|file| file.coding.is_some()) || mime::stored_coding(path).is_some() {
        return codings;
    }
    let mut name = path.to_vec();
    for coding in Coding::ALL {
        name.truncate(path.len());
        name.extend_from_slice(coding.extension().as_bytes());
        if root.stamp_at(&name).is_ok_and(|stamp| is_current(&stamp, file)) {
            codings.insert(coding);
        }
    }
    codings
}

/// Whether `variant` may be served for `file`, or without one: one that is older was made of what the file
/// held before. A time in whole seconds may be the file's own, rounded down by what compressed it, as
/// `brotli` 1.0 does.
pub fn is_current(variant: &Stamp, file: Option<&File>) -> bool {
    if variant.file_type() != FileType::RegularFile {
        return false;
    }
    let Some(file) = file else { return true };
    let (made, changed) = (variant.modified, file.stamp.modified);
    let is_rounded = made.nanos == 0 && made.secs == changed.secs;
    made >= changed || is_rounded
}
