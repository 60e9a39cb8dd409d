//! Content that tells its file and its version in each line: a mix of two is seen wherever it is.

/// Of each line, its end included.
pub const LINE_BYTES: usize = 32;
const NAME_BYTES: usize = 12;
const VERSION_END: usize = 21;

/// The line `number` of `version` of the file called `name`.
#[track_caller]
fn line(name: &str, version: u32, number: u64) -> [u8; LINE_BYTES] {
    let text = format!("{name:<NAME_BYTES$}{version:>9}{number:>10}\n");
    text.into_bytes().try_into().expect("as long as every line")
}

/// Makes of a line the one behind it.
fn count_on(line: &mut [u8; LINE_BYTES]) {
    for digit in line[VERSION_END..LINE_BYTES - 1].iter_mut().rev() {
        match *digit {
            b'9' => *digit = b'0',
            b' ' => return *digit = b'1',
            _ => return *digit += 1,
        }
    }
}

/// The first `count` lines of `version`.
pub fn content(name: &str, version: u32, count: usize) -> Vec<u8> {
    let mut next = line(name, version, 0);
    let mut bytes = Vec::with_capacity(count * LINE_BYTES);
    for _ in 0..count {
        bytes.extend_from_slice(&next);
        count_on(&mut next);
    }
    bytes
}

/// The version that `bytes`, which stand at `offset` of the file called `name`, are of: `None` if they hold no
/// line to tell by, an error if they are of none or of several. `may_be_cleared`: any of them may be zero.
pub fn version_of(
    name: &str,
    offset: u64,
    bytes: &[u8],
    may_be_cleared: bool,
) -> Result<Option<u32>, String> {
    let skipped = (LINE_BYTES - offset as usize % LINE_BYTES) % LINE_BYTES;
    let Some(told) = bytes.get(skipped + NAME_BYTES..skipped + VERSION_END) else { return Ok(None) };
    if may_be_cleared && told.contains(&0) {
        return Ok(None);
    }
    let told = String::from_utf8_lossy(told).trim().parse();
    let version = told.map_err(|_| wrong_at(bytes, 0))?;
    let mut next = line(name, version, offset / LINE_BYTES as u64);
    let (mut at, mut start) = (0, offset as usize % LINE_BYTES);
    while at < bytes.len() {
        let len = (LINE_BYTES - start).min(bytes.len() - at);
        let (found, expected) = (&bytes[at..at + len], &next[start..start + len]);
        let is_cleared = || found.iter().zip(expected).all(|(byte, other)| byte == other || *byte == 0);
        if found != expected && !(may_be_cleared && is_cleared()) {
            let expected = String::from_utf8_lossy(&next).into_owned();
            return Err(format!("{} at {at}, not {expected:?}", wrong_at(bytes, at)));
        }
        (at, start) = (at + len, 0);
        count_on(&mut next);
    }
    Ok(Some(version))
}

fn wrong_at(bytes: &[u8], at: usize) -> String {
    let end = bytes.len().min(at + 2 * LINE_BYTES);
    format!("{:?}", String::from_utf8_lossy(&bytes[at..end]))
}

#[test]
fn a_mix_is_seen_wherever_it_is() {
    let version_of = |name, offset, bytes: &[u8]| version_of(name, offset, bytes, false);
    let (old, new) = (content("file", 9, 200), content("file", 10, 200));
    assert_eq!(version_of("file", 0, &old), Ok(Some(9)));
    assert_eq!(version_of("file", 45, &new[45..4000]), Ok(Some(10)));
    assert_eq!(version_of("file", 45, &new[45..60]), Ok(None));
    assert!(version_of("other", 0, &old).is_err() && version_of("file", 32, &old).is_err());
    for at in [40, 3200, 6390] {
        // In a line, what tells the versions apart stands at its 20th byte and the one behind.
        let mix = [&old[..at], &new[at..]].concat();
        assert_eq!(version_of("file", 0, &mix).is_err(), at < 6388, "{at}");
        let zeroed = [&old[..at], &vec![0; old.len() - at]].concat();
        assert!(version_of("file", 0, &zeroed).is_err());
    }
}
