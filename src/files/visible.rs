//! Which names are served at all.

use std::sync::Arc;

/// The files that rules are in, in the folder of a host. They are never served.
pub const REDIRECTS: &[u8] = b"_redirects";
pub const HEADERS: &[u8] = b"_headers";
pub const RULE_FILES: [&[u8]; 2] = [REDIRECTS, HEADERS];

/// What clients may see of a site. Paths are relative to the folder of a host.
#[derive(Clone, Debug, Default)]
pub struct Visible {
    /// Patterns of names that start with a dot and may be seen all the same.
    shown: Arc<[String]>,
}

impl Visible {
    /// What may be seen if names that start with a dot are `shown` where they fit one of these patterns.
    pub fn with(shown: &[String]) -> Visible {
        Visible { shown: shown.into() }
    }

    /// Whether what is at `path` may be served.
    pub fn path(&self, path: &[u8]) -> bool {
        // Where names are folded, any spelling leads to it.
        let is_rule_file = RULE_FILES.iter().any(|file| file.eq_ignore_ascii_case(path));
        !is_rule_file && self.first_hidden(path).is_none()
    }

    /// Whether the entry `name` of the folder at `path`, which may be served itself, is told of: whether
    /// [`path`](Visible::path) holds for both together, without a look at all of the folder's.
    pub fn entry(&self, path: &[u8], name: &[u8]) -> bool {
        match path {
            b"" => self.path(name),
            _ => !self.is_hidden(name),
        }
    }

    /// Whether a symlink may lead to `path`. Names with two dots are as good as any there, though nobody may
    /// ask for them: below `..data` and the like, Kubernetes keeps what the links in a volume lead to.
    pub fn target(&self, path: &[u8]) -> bool {
        let names = path.split_inclusive(|&byte| byte == b'/').filter(|name| !name.starts_with(b".."));
        self.path(&names.collect::<Vec<_>>().concat())
    }

    /// Why what is at `path` may not be served, and what is to be done about that.
    pub fn reason(&self, path: &[u8]) -> String {
        let hidden = self.first_hidden(path).map(|name| name.escape_ascii().to_string());
        hidden.map_or("files with rules are not".to_owned(), |name| {
            format!("{name} starts with a dot (try '--hidden {name}')")
        })
    }

    /// The first name of `path` that is hidden.
    fn first_hidden<'p>(&self, path: &'p [u8]) -> Option<&'p [u8]> {
        // What is asked for all the time is told at once.
        if !path.starts_with(b".") && !path.windows(2).any(|pair| pair == b"/.") {
            return None;
        }
        let mut names = path.split(|&byte| byte == b'/').peekable();
        names.next_if_eq(&WELL_KNOWN);
        names.find(|name| self.is_hidden(name))
    }

    /// Dotfiles are nobody's business: below `/.well-known/` neither, where a checkout may have left its own.
    fn is_hidden(&self, name: &[u8]) -> bool {
        name.starts_with(b".") && !self.shown.iter().any(|pattern| fits(pattern.as_bytes(), name))
    }
}

/// The one dotted name that is meant for everybody, at the root (RFC 8615).
const WELL_KNOWN: &[u8] = b".well-known";

/// Whether `name` is one of those that `pattern` means: a `*` in it stands for any bytes, or none.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let mut literals = pattern.split(|&byte| byte == b'*');
    let Some(mut rest) = name.strip_prefix(literals.next().unwrap_or_default()) else { return false };
    let Some(last) = literals.next_back() else { return rest.is_empty() };
    for literal in literals.filter(|literal| !literal.is_empty()) {
        // The first place is as good as any: what stands behind it has the most room there.
        let Some(at) = rest.windows(literal.len()).position(|part| part == literal) else { return false };
        rest = &rest[at + literal.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn showing(patterns: &[&str]) -> Visible {
        Visible::with(&patterns.iter().map(|&pattern| pattern.to_owned()).collect::<Vec<_>>())
    }

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
            ("_HEADERS", false, false),
            ("a/_headers", true, true),
            ("_headers.txt", true, true),
        ] {
            assert_eq!(Visible::default().path(path.as_bytes()), visible, "{path}");
            assert_eq!(showing(&[".*"]).path(path.as_bytes()), with_hidden, "{path}");
        }
        assert!(!Visible::default().entry(b"", b"_headers"));
        assert!(Visible::default().entry(b"a/", b"_headers"));
        for (path, name) in
            [("a/", ".b"), ("a/", "b"), (".well-known/", ".b"), ("", ".well-known"), ("", ".b")]
        {
            let both = [path, name].concat();
            for visible in [Visible::default(), showing(&[".*"])] {
                assert_eq!(
                    visible.entry(path.as_bytes(), name.as_bytes()),
                    visible.path(both.as_bytes()),
                    "{both}"
                );
            }
        }
    }

    #[test]
    fn patterns_say_which_dotfiles_are_served() {
        for (pattern, names, others) in [
            (".*", &[".", ".a", ".z.log"][..], &["a.b"][..]),
            (".z", &[".z"], &[".zz", ".", ".Z"]),
            (".z*", &[".z", ".zoo"], &[".a", ".az"]),
            (".*.log", &[".log.log", ".a.b.log"], &[".log", ".a.logs"]),
            (".a*b*c", &[".abc", ".aXbXbYc"], &[".ab", ".acb", ".a"]),
            (".a**b", &[".ab", ".aXb"], &[".a"]),
            (".aa*aa", &[".aaaa"], &[".aaa"]),
        ] {
            assert!(names.iter().all(|name| fits(pattern.as_bytes(), name.as_bytes())), "{pattern}");
            assert!(!others.iter().any(|name| fits(pattern.as_bytes(), name.as_bytes())), "{pattern}");
        }
        let visible = showing(&[".z*", ".env.sample"]);
        for (path, is_visible) in
            [(".zoo/a", true), ("a/.env.sample", true), (".env", false), (".zoo/.env", false)]
        {
            assert_eq!(visible.path(path.as_bytes()), is_visible, "{path}");
        }
    }

    #[test]
    fn links_may_lead_through_what_a_volume_keeps_its_files_in() {
        for (path, is_target) in [
            ("a/b", true),
            ("..2024_06_01/page.html", true),
            ("config/..data/page.html", true),
            ("..2024_06_01", true),
            ("..2024_06_01/.env", false),
            ("..2024_06_01/_headers", false),
            (".git/config", false),
            ("_headers", false),
            (".well-known/token", true),
        ] {
            assert_eq!(Visible::default().target(path.as_bytes()), is_target, "{path}");
        }
    }
}
