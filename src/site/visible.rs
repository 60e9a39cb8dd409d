//! Which names are served at all.

use super::host::RULE_FILES;

/// What clients may see of a site.
#[derive(Clone, Copy, Debug)]
pub struct Visible {
    /// Names that start with a dot, too.
    pub hidden: bool,
}

impl Visible {
    /// Whether what is at `path`, relative to the folder of a host, may be served.
    pub fn path(self, path: &[u8]) -> bool {
        !RULE_FILES.contains(&path) && (self.hidden || !is_hidden(path))
    }

    /// Whether the entry `name` of the folder at `path`, which may be served itself, is told of: whether
    /// [`path`](Visible::path) holds for both together, without a look at all of the folder's.
    pub fn entry(self, path: &[u8], name: &[u8]) -> bool {
        match path {
            b"" => self.path(name),
            _ => self.hidden || !name.starts_with(b"."),
        }
    }
}

/// The one dotted name that is meant for everybody, at the root (RFC 8615).
const WELL_KNOWN: &[u8] = b".well-known";

/// Dotfiles are nobody's business: below `/.well-known/` neither, where a checkout may have left its own.
fn is_hidden(path: &[u8]) -> bool {
    let is_well_known =
        path.starts_with(WELL_KNOWN) && matches!(path.get(WELL_KNOWN.len()), None | Some(b'/'));
    (path.starts_with(b".") && !is_well_known) || path.windows(2).any(|pair| pair == b"/.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotfiles_and_rules_are_not_served() {
        for (path, visible, with_hidden) in [
            ("", true, true),
            ("a/b.c", true, true),
            (".git/config", false, true),
            ("a/.env", false, true),
            ("a/..b", false, true),
            (".well-known", true, true),
            (".well-known/acme/x", true, true),
            (".well-known/.git/config", false, true),
            (".well-known/acme/.x", false, true),
            (".well-known2", false, true),
            ("a/.well-known/x", false, true),
            ("_headers", false, false),
            ("_redirects", false, false),
            ("a/_headers", true, true),
            ("_headers.txt", true, true),
        ] {
            assert_eq!(Visible { hidden: false }.path(path.as_bytes()), visible, "{path}");
            assert_eq!(Visible { hidden: true }.path(path.as_bytes()), with_hidden, "{path}");
        }
        assert!(!Visible { hidden: false }.entry(b"", b"_headers"));
        assert!(Visible { hidden: false }.entry(b"a/", b"_headers"));
        for (path, name) in
            [("a/", ".b"), ("a/", "b"), (".well-known/", ".b"), ("", ".well-known"), ("", ".b")]
        {
            let both = [path, name].concat();
            for visible in [Visible { hidden: false }, Visible { hidden: true }] {
                assert_eq!(
                    visible.entry(path.as_bytes(), name.as_bytes()),
                    visible.path(both.as_bytes()),
                    "{both}"
                );
            }
        }
    }
}
