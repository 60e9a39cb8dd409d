//! Variables: which of them count, and what is said of those that do not.

use std::env;
use std::ffi::{OsStr, OsString};

use super::options::OPTIONS;
use super::row::Row;

/// What all of them start with.
const PREFIX: &str = "PWS_";
/// How many letters may be wrong in a name that is still known for another.
const WRONG_LETTERS_MAX: usize = 2;

/// What the variable of an option says, if it has one that counts. One that is empty is as good as none: that
/// is how they are left out in files that list them all.
pub fn value(row: &Row) -> Option<OsString> {
    let name = row.variable()?;
    env::var_os(&name).filter(|value| !value.is_empty() && !is_of_service(&name, value))
}

/// What is said of variables that were passed over.
pub fn remarks() -> Vec<String> {
    let set = env::vars_os().filter(|(_, value)| !value.is_empty());
    set.filter_map(|(name, value)| remark(name.to_str()?, &value)).collect()
}

fn remark(name: &str, value: &OsStr) -> Option<String> {
    if is_of_service(name, value) {
        return Some(format!(
            "{name}={} is passed over: Kubernetes sets it for a service called pws (try '--port')",
            value.to_string_lossy()
        ));
    }
    let is_known = OPTIONS.iter().any(|row| row.variable().as_deref() == Some(name));
    if !name.starts_with(PREFIX) || is_known || is_beside_service(name, value) {
        return None;
    }
    let meant =
        OPTIONS.iter().filter_map(Row::variable).map(|other| (strsim::osa_distance(name, &other), other));
    let meant = meant.min().filter(|(distance, _)| *distance <= WRONG_LETTERS_MAX);
    let hint =
        meant.map_or("see '--help' for those it has".to_owned(), |(_, other)| format!("is it {other}?"));
    Some(format!("{name} is no variable of pws, and passed over ({hint})"))
}

/// Whether this is not a port that somebody asked for, but where a service of a cluster is.
fn is_of_service(name: &str, value: &OsStr) -> bool {
    name == "PWS_PORT" && value.as_encoded_bytes().starts_with(b"tcp://")
}

/// What is set beside that, and for services called `pws-` and something more: no option is called so.
fn is_beside_service(name: &str, value: &OsStr) -> bool {
    let is_of_port = |(_, behind): (&str, &str)| behind.starts_with(|first: char| first.is_ascii_digit());
    name.contains("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.rsplit_once("_PORT_").is_some_and(is_of_port)
        || name.ends_with("_PORT") && value.as_encoded_bytes().starts_with(b"tcp://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_passed_over_is_told() {
        for (name, value, expected) in [
            ("PWS_PORT", "tcp://10.0.0.1:80", Some("PWS_PORT=tcp://10.0.0.1:80 is passed over: ")),
            ("PWS_PORT", "80", None),
            ("PWS_PORT_80_TCP_ADDR", "10.0.0.1", None),
            ("PWS_SERVICE_HOST", "10.0.0.1", None),
            ("PWS_SERVICE_PORT_HTTP", "80", None),
            ("PWS_WEB_PORT", "tcp://10.0.0.1:80", None),
            ("PWS_WEB_PORT_80_TCP_ADDR", "10.0.0.1", None),
            ("PWS_WEB_SERVICE_HOST", "10.0.0.1", None),
            ("PWS_WEB_PORT", "80", Some("(see '--help' for those it has)")),
            ("PWS_PROT", "80", Some("(is it PWS_PORT?)")),
            ("PWS_NO_LISTINGS", "1", Some("(is it PWS_NO_LISTING?)")),
            ("PWS_NOTHING_ALIKE", "1", Some("(see '--help' for those it has)")),
            ("PATH", "/bin", None),
        ] {
            let told = remark(name, OsStr::new(value));
            let is_as_expected = match expected {
                Some(part) => told.as_ref().is_some_and(|told| told.contains(part)),
                None => told.is_none(),
            };
            assert!(is_as_expected, "{name}: {told:?}");
        }
    }
}
