//! `_redirects`: paths that lead elsewhere.
//!
//! A line is a rule:
//!
//! ```text
//! FROM  [NAME=VALUE ...]  TO  [STATUS[!]]
//! ```
//!
//! - FROM is a [`pattern`](super::pattern). Behind it may stand the parameters that the query must consist
//!   of; without any, every query will do.
//! - TO is a [`destination`](super::destination): a path of this site or a URL, with the values captured.
//! - STATUS says what is done. 301, 302, 303, 307 and 308 redirect, 302 if there is none. 200 answers with
//!   the file at TO as if it were at FROM; 404 does so with that status.
//! - `!` means that the rule holds even where there is a file. Without it files come first.
//!
//! The first rule that matches holds. What it leads to is not looked up again, so rewriting cannot go in
//! circles; a redirect that would lead a client to the URL it has just asked for does not match. To find that
//! out takes filling in where it leads, so after eight of them no more is looked for, and none holds. Nor
//! does one match whose destination would have more than 32 KiB with what was captured.
//!
//! All else costs what it takes to read the rules that may match, however long the URL is: a look-up among
//! ten thousand takes a millisecond at most.

use std::borrow::Cow;

use super::captures::Captures;
use super::destination::Destination;
use super::index::{Entry, Index};
use super::parameters::{Parameters, Query, Words};
use super::path::Path;
use super::pattern::Pattern;
use super::store::Store;
use super::text::{self, Complaint, Complaints, RULES_MAX, quoted, too_large, words};
use crate::http::status::Status;

/// What a rule without a status does. A host's default is 301, another's 302. A browser keeps the first for
/// good, so it is the wrong one to guess.
const STATUS_DEFAULT: Status = Status::Found;

/// Redirects that lead a client to where it is, in one look-up. A site may have one or two that end in the
/// same slash, or in none.
const CIRCLES_MAX: usize = 8;

/// The rules of a `_redirects` file.
#[derive(Debug, Default)]
pub struct Redirects {
    rules: Vec<Rule>,
    store: Store,
    index: Index,
    has_forced: bool,
}

#[derive(Clone, Copy, Debug)]
struct Rule {
    from: Pattern,
    parameters: Parameters,
    to: Destination,
    kind: Kind,
    is_forced: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Redirect(Status),
    Rewrite,
    Error,
}

/// The rule that holds for a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Match<'a> {
    pub action: Action<'a>,
    /// It holds even if there is a file at the path.
    pub is_forced: bool,
}

/// What is to be done. Paths are normalised.
#[derive(Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// Send the client elsewhere. The location is ASCII and fit for a field.
    Redirect { status: Status, location: String },
    /// Answer as if this path had been asked for.
    Rewrite { path: Cow<'a, [u8]> },
    /// Answer 404 with the file at this path.
    Error { path: Cow<'a, [u8]> },
}

/// A `_redirects` file in the making.
#[derive(Debug)]
pub struct Parser {
    redirects: Redirects,
    heap_bytes_max: usize,
    is_full: bool,
}

impl Parser {
    /// For rules that may take `heap_bytes_max` bytes of memory.
    pub fn new(heap_bytes_max: usize) -> Parser {
        Parser { redirects: Redirects::default(), heap_bytes_max, is_full: false }
    }

    /// Says once that there is no room for more.
    fn stop(&mut self, complaint: String) -> Result<(), String> {
        self.is_full = true;
        Err(complaint)
    }
}

impl text::Parser for Parser {
    type Rules = Redirects;

    fn line(&mut self, _: usize, line: &[u8]) -> Result<(), String> {
        if self.is_full {
            return Ok(());
        }
        if self.redirects.rules.len() == RULES_MAX {
            let complaint = format!("there are more than {RULES_MAX} rules; from here on they are left out");
            return self.stop(complaint);
        }
        let mark = self.redirects.store.mark();
        let parsed = Rule::parse(line, &mut self.redirects.store);
        let heap_bytes = self.redirects.heap_bytes() + size_of::<(Rule, Entry)>();
        match parsed {
            Ok(rule) if heap_bytes <= self.heap_bytes_max => {
                self.redirects.add(rule);
                Ok(())
            }
            Ok(_) => {
                self.redirects.store.take_back(mark);
                self.stop(too_large(self.heap_bytes_max))
            }
            Err(complaint) => {
                self.redirects.store.take_back(mark);
                Err(complaint)
            }
        }
    }

    fn finish(self, _: &mut Complaints) -> Redirects {
        let mut redirects = self.redirects;
        redirects.rules.shrink_to_fit();
        redirects.store.shrink();
        redirects.index.finish();
        redirects
    }
}

impl Redirects {
    /// Parses a file. A line with anything in it that would not be followed is left out and complained about.
    pub fn parse(text: &[u8]) -> (Redirects, Vec<Complaint>) {
        text::parse(Parser::new(usize::MAX), text)
    }

    fn add(&mut self, rule: Rule) {
        self.index.add(self.rules.len() as u32, &rule.from, &self.store);
        self.has_forced |= rule.is_forced;
        self.rules.push(rule);
    }

    /// Whether any rule can hold where there is a file. If not, a file can be looked for first.
    pub fn has_forced(&self) -> bool {
        self.has_forced
    }

    /// Bytes of memory on the heap. While a file is parsed there may be room for as much again.
    pub fn heap_bytes(&self) -> usize {
        size_of_val(&self.rules[..]) + self.store.heap_bytes() + self.index.heap_bytes()
    }

    /// The rule that holds for `path`, normalised, and the query as it was received.
    pub fn find<'a>(&'a self, path: &[u8], query: Option<&[u8]>) -> Option<Match<'a>> {
        let request = Asked { path: &Path::new(path), raw_query: query, query: &Query::new(query) };
        let mut captures = Captures::new();
        let mut circles_left = CIRCLES_MAX;
        let mut first: Option<(u32, Match)> = None;
        let is_for =
            |number: u32, path: &[u8]| self.rules[number as usize].from.literal(&self.store) == Some(path);
        for list in self.index.lists(path, is_for) {
            let bound = first.as_ref().map_or(u32::MAX, |(number, _)| *number);
            for number in list.iter().map(|entry| entry.number).take_while(|number| *number < bound) {
                let rule = &self.rules[number as usize];
                if !rule.matches(&self.store, &request, &mut captures) {
                    continue;
                }
                if let Some(found) = rule.hold(&self.store, &request, &captures) {
                    first = Some((number, found));
                    break;
                }
                circles_left = circles_left.checked_sub(1)?;
            }
        }
        first.map(|(_, found)| found)
    }
}

/// What a rule is held against.
struct Asked<'f, 'a> {
    path: &'f Path<'a>,
    raw_query: Option<&'a [u8]>,
    query: &'f Query<'a>,
}

impl Rule {
    fn parse(line: &[u8], store: &mut Store) -> Result<Rule, String> {
        let mut words = words(line);
        let (from, mut names) = Pattern::parse(words.next().unwrap_or_default(), store)?;
        let mut parameters = Words::default();
        let to = loop {
            match words.next() {
                None => return Err("the line does not say where to: add a path or a URL".into()),
                Some(word) if Destination::is_meant(word) => break word,
                Some(word) => parameters.add(word, &mut names)?,
            }
        };
        let parameters = parameters.keep(store);
        let to_text = quoted(to);
        let to = Destination::parse(to, &names, store)?;
        let status = words.next();
        let condition = status.filter(|word| word.contains(&b'=')).or(words.next());
        if let Some(condition) = condition {
            return Err(format!(
                "the rule would hold without {} too, which is not known here: it is left out",
                quoted(condition)
            ));
        }
        let (kind, is_forced) = parse_status(status)?;
        match kind {
            Kind::Redirect(_) if leads_to_itself(&from, &to, store) => {
                Err(format!("{to_text} is where the client comes from: it would go in circles"))
            }
            Kind::Rewrite | Kind::Error if !to.is_local() => Err(format!(
                "{to_text} is not of this folder, and nothing is fetched from elsewhere: redirect by 302, \
                     or leave the path to a proxy in front"
            )),
            _ => Ok(Rule { from, parameters, to, kind, is_forced }),
        }
    }

    /// Whether the rule is for this request. If so the values are in `captures`. Only what the rule has text
    /// for is looked at.
    fn matches<'a>(&self, store: &Store, request: &Asked<'_, 'a>, captures: &mut Captures<'a>) -> bool {
        self.parameters.are_as_many_as(request.query)
            && self.from.matches(store, request.path, captures)
            && self.parameters.are_met_by(store, request.query, captures)
            && self.to.fits(store, captures)
    }

    /// What is to be done where the rule matches; `None` if that would go in circles.
    fn hold<'s>(&self, store: &'s Store, request: &Asked, captures: &Captures) -> Option<Match<'s>> {
        let path = || self.to.path(store, captures);
        let action = match self.kind {
            Kind::Redirect(status) => {
                let location = self.to.location(store, captures, request.path.bytes, request.raw_query)?;
                Action::Redirect { status, location }
            }
            Kind::Rewrite => Action::Rewrite { path: path()? },
            Kind::Error => Action::Error { path: path()? },
        };
        Some(Match { action, is_forced: self.is_forced })
    }
}

/// Whether a pattern is literal and where it leads, too. With another slash at the end it is no circle.
fn leads_to_itself(from: &Pattern, to: &Destination, store: &Store) -> bool {
    match from.literal(store) {
        Some(path) if from.ends_in_slash() => to.is_exactly(store, &[path, b"/"].concat()),
        Some(path) => to.is_exactly(store, path),
        None => false,
    }
}

fn parse_status(word: Option<&[u8]>) -> Result<(Kind, bool), String> {
    let Some(word) = word else { return Ok((Kind::Redirect(STATUS_DEFAULT), false)) };
    let (digits, is_forced) = match word.strip_suffix(b"!") {
        Some(digits) => (digits, true),
        None => (word, false),
    };
    let kind = match digits {
        b"200" => Kind::Rewrite,
        b"301" => Kind::Redirect(Status::MovedPermanently),
        b"302" => Kind::Redirect(Status::Found),
        b"303" => Kind::Redirect(Status::SeeOther),
        b"307" => Kind::Redirect(Status::TemporaryRedirect),
        b"308" => Kind::Redirect(Status::PermanentRedirect),
        b"404" => Kind::Error,
        _ => {
            return Err(format!(
                "{} is no status that a rule can have: use 301, 302, 303, 307 or 308, 200 for a rewrite, 404 \
                 for an error page",
                quoted(word)
            ));
        }
    };
    Ok((kind, is_forced))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::text::{FILE_BYTES_MAX, Reader};

    /// Parses a file in which nothing is wrong.
    fn good(text: &str) -> Redirects {
        let (redirects, complaints) = Redirects::parse(text.as_bytes());
        assert_eq!(complaints, [], "{text}");
        redirects
    }

    /// What is done for `path?query`, in short: the status, where to, and `!`.
    fn told(redirects: &Redirects, target: &str) -> Option<String> {
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let found = redirects.find(path.as_bytes(), query.map(str::as_bytes))?;
        let text = match &found.action {
            Action::Redirect { status, location } => format!("{} {location}", status.code()),
            Action::Rewrite { path } => format!("200 {}", String::from_utf8_lossy(path)),
            Action::Error { path } => format!("404 {}", String::from_utf8_lossy(path)),
        };
        Some(if found.is_forced { text + "!" } else { text })
    }

    #[test]
    fn lines_become_rules() {
        for (file, asked, expected) in [
            ("/a /b", "a", Some("302 /b")),
            ("/a /b", "b", None),
            ("/a /b 301", "a", Some("301 /b")),
            ("/a /b 302", "a", Some("302 /b")),
            ("/a /b 303", "a", Some("303 /b")),
            ("/a /b 307", "a", Some("307 /b")),
            ("/a /b 308!", "a", Some("308 /b!")),
            ("\t/a\t/b  301 # why", "a", Some("301 /b")),
            ("/a /b#c", "a", Some("302 /b#c")),
            ("/* /index.html 200", "x/y", Some("200 index.html")),
            ("/* / 200", "x/y", Some("200 ")),
            ("/a/ /b/c/../ 200!", "a", Some("200 b/!")),
            ("/a /b?c=d#e 200", "a?x=y", Some("200 b")),
            ("/en/* /en/404.html 404", "en/x", Some("404 en/404.html")),
            ("/en/* /en/:splat/index.html 404", "en/x%y", Some("404 en/x%y/index.html")),
            ("/a https://example.com/b?c=d 301", "a?x=y", Some("301 https://example.com/b?c=d")),
            ("/a/* https://example.com/:splat", "a/b c?x=y", Some("302 https://example.com/b%20c?x=y")),
            ("/n/:m/:d/:y /b/:y-:m-:d.html 301", "n/02/12/2004", Some("301 /b/2004-02-12.html")),
            ("/store id=:id /blog/:id 301", "store?id=my-post", Some("301 /blog/my-post?id=my-post")),
            ("/store id=:id /blog/:id 301", "store", None),
            ("/store id=:id /blog/:id 301", "store?id=a&b=c", None),
            ("/s id=:id tag=:tag /p/:tag/:id? 301", "s?tag=a/b&id=c", Some("301 /p/a/b/c")),
            ("/ page=2 /two 301", "?page=2", Some("301 /two?page=2")),
            ("/ page=2 /two 301", "?page=3", None),
        ] {
            assert_eq!(told(&good(file), asked).as_deref(), expected, "{file} {asked}");
        }
    }

    #[test]
    fn the_first_rule_that_matches_holds() {
        let redirects =
            good("/a/:x /1\n/a/b /2\n/c/d /3\n/c/* /4\n/*.js /5\n/e.js /6\n/f q=1 /7\n/f /8\n/* /9 302!");
        assert_eq!(redirects.rules.len(), 9);
        for (asked, expected) in [
            ("a/b", "302 /1"),
            ("c/d", "302 /3"),
            ("c/e", "302 /4"),
            ("c/e.js", "302 /4"),
            ("e.js", "302 /5"),
            ("f?q=1", "302 /7?q=1"),
            ("f?q=2", "302 /8?q=2"),
            ("g", "302 /9!"),
        ] {
            assert_eq!(told(&redirects, asked).as_deref(), Some(expected), "{asked}");
        }
    }

    #[test]
    fn nothing_goes_in_circles() {
        for (file, asked, expected) in [
            ("/a /a/", "a", Some("302 /a/")),
            ("/a /a/", "a/", None),
            ("/a/ /a", "a/", Some("302 /a")),
            ("/a/ /a", "a", None),
            ("/* /:splat/", "a", Some("302 /a/")),
            ("/* /:splat/", "a/", None),
            ("/ /?lang=en", "", Some("302 /?lang=en")),
            ("/ /?lang=en", "?lang=en", None),
            ("/* /a\n/* /b", "a", Some("302 /b")),
            ("/a /b 200\n/b /c 200", "a", Some("200 b")),
            ("/a /a 200", "a", Some("200 a")),
        ] {
            assert_eq!(told(&good(file), asked).as_deref(), expected, "{file} {asked}");
        }
        for file in ["/a /a", "/a//b/ /a/b/ 301", "/ /#top", "/a q=1 /a 307!"] {
            let complaints = Redirects::parse(file.as_bytes()).1;
            assert!(complaints.iter().any(|complaint| complaint.text.contains("in circles")), "{file}");
        }
    }

    #[test]
    fn a_location_stays_on_the_site_and_in_its_line() {
        for (file, asked, expected) in [
            ("/* /:splat/", "/evil.example", "302 /evil.example/"),
            ("/*  /:splat/#x", "\\evil.example", "302 /%5Cevil.example/#x"),
            ("/a/* /:splat", "a/\r\nSet-Cookie: a=b", "302 /%0D%0ASet-Cookie:%20a=b"),
            ("/a q=:q /:q?", "a?q=//evil.example", "302 /evil.example"),
            ("/a q=:q /:q?", "a?q=%2F%2Fevil.example%0d%0a", "302 /evil.example%0D%0A"),
            ("/a q=:q /?r=:q", "a?q=b%26c%3Dd", "302 /?r=b%26c%3Dd"),
            ("/a /b", "a?\r\nb: \\", "302 /b?%0D%0Ab:%20%5C"),
        ] {
            assert_eq!(told(&good(file), asked).as_deref(), Some(expected), "{file} {asked}");
        }
        assert_eq!(told(&good("/a q=:q /:q"), "a?q=b%00"), None);
    }

    #[test]
    fn complains_about_what_is_not_followed() {
        for (line, hint) in [
            ("/a", "where to"),
            ("/a # /b", "where to"),
            ("/a b", "neither a destination"),
            ("/a 301", "neither a destination"),
            ("a /b", "no path"),
            ("https://example.com/a /b", "names a host"),
            ("/a?b=c /d", "NAME=VALUE"),
            ("/a //example.com", "a path or a host"),
            ("/a/* /b/*", "`:splat`"),
            ("/a /b/:splat", "no `*`"),
            ("/a/:b /c/:d", "called `:d`"),
            ("/a /b 410", "no status"),
            ("/a /b 3011", "no status"),
            ("/a /b moved", "no status"),
            ("/a /b 302 Country=us", "hold without `Country=us`"),
            ("/a /b 302! Role=admin,user", "`Role=admin,user`"),
            ("/a /b Language=de", "hold without `Language=de`"),
            ("/a /b 301 /c", "`/c`"),
            ("/api/* https://api.example.com/:splat 200", "proxy"),
            ("/a https://example.com/ 404", "proxy"),
        ] {
            let (redirects, complaints) = Redirects::parse(format!("/x /y\n{line}\n/z /y").as_bytes());
            assert_eq!((redirects.rules.len(), complaints.len()), (2, 1), "{line}: {complaints:?}");
            assert_eq!(complaints[0].line, 2, "{line}");
            assert!(complaints[0].text.contains(hint), "{line}: {complaints:?}");
        }
        assert_eq!(Redirects::parse(b"/\xff /b\n\xff\n").1.len(), 1);
    }

    #[test]
    fn there_is_a_bound() {
        let file: String = (0..RULES_MAX + 5).map(|number| format!("/p{number} /\n")).collect();
        let (redirects, complaints) = Redirects::parse(file.as_bytes());
        assert_eq!(complaints.len(), 1, "{complaints:?}");
        assert_eq!((redirects.rules.len(), complaints[0].line), (RULES_MAX, RULES_MAX + 1));
        assert_eq!(told(&redirects, &format!("p{}", RULES_MAX - 1)).as_deref(), Some("302 /"));
        assert_eq!(told(&redirects, &format!("p{RULES_MAX}")), None);
    }

    /// Of many rules that lead back to where the client is, the first few are passed over.
    #[test]
    fn circles_have_a_bound() {
        let file = |circles: usize| "/* /:splat\n".repeat(circles) + "/* /elsewhere\n";
        let path = "x".repeat(8000);
        assert_eq!(told(&good(&file(CIRCLES_MAX)), &path).as_deref(), Some("302 /elsewhere"));
        assert_eq!(told(&good(&file(CIRCLES_MAX + 1)), &path), None);
        // Those behind a rule that holds are not met with.
        let file = "/* /elsewhere\n".to_owned() + &file(100);
        assert_eq!(told(&good(&file), &path).as_deref(), Some("302 /elsewhere"));
    }

    #[test]
    fn a_destination_that_nobody_could_use_is_none() {
        let redirects = good(&format!("/* /{} 302\n/* /b 301\n", ":splat".repeat(1000)));
        assert_eq!(told(&redirects, "a"), Some(format!("302 /{}", "a".repeat(1000))));
        assert_eq!(told(&redirects, &"a".repeat(8000)).as_deref(), Some("301 /b"));
    }

    #[test]
    fn memory_has_a_bound() {
        let file = "/from/a /to/b\n".repeat(100);
        let all = good(&file).heap_bytes();
        let parse = |heap_bytes_max| text::parse(Parser::new(heap_bytes_max), file.as_bytes());
        assert_eq!(parse(all).1, []);
        let (half, complaints) = parse(all / 2);
        assert_eq!((half.rules.len(), complaints.len(), complaints[0].line), (50, 1, 51));
        assert!(complaints[0].text.contains("of memory") && half.heap_bytes() <= all / 2, "{complaints:?}");
        assert_eq!(told(&half, "from/a").as_deref(), Some("302 /to/b"));
    }

    #[test]
    fn what_is_left_out_takes_no_memory() {
        let rules = "/a/:b c=:c /d/:b\n/e /f\n".repeat(10);
        let bad = ["/a/* /*", "/a/b/c d=e f", "/a d=e /b/:c", "/g/:h i=:j /k/%", "/l /m 999"];
        let more: String = bad.map(|line| format!("{line}\n")).concat().repeat(10) + &rules;
        assert_eq!(Redirects::parse(more.as_bytes()).0.heap_bytes(), good(&rules).heap_bytes());
    }

    #[test]
    fn knows_whether_files_come_first() {
        assert!(!good("/a /b\n/* /index.html 200").has_forced());
        assert!(good("/a /b\n/c /d 301!").has_forced());
        assert!(good("# nothing").rules.is_empty());
    }

    /// As a host's documentation has them.
    #[test]
    fn a_file_with_one_of_each() {
        let redirects = good(
            "/home301 / 301\n/home302 / 302\n/querystrings /?query=string 301\n/video https://video.example\n\
             /trailing /trailing/ 301\n/notrailing/ /nottrailing 301\n/page/ /page2/#fragment 301\n\
             /blog/* https://blog.my.domain/:splat\n/products/:code/:name /products?code=:code&name=:name\n",
        );
        for (asked, expected) in [
            ("home301", Some("301 /")),
            ("home302", Some("302 /")),
            ("querystrings?a=b", Some("301 /?query=string")),
            ("video?a=b", Some("302 https://video.example?a=b")),
            ("trailing", Some("301 /trailing/")),
            ("trailing/", None),
            ("notrailing/", Some("301 /nottrailing")),
            ("page/", Some("301 /page2/#fragment")),
            ("blog/a/b.html", Some("302 https://blog.my.domain/a/b.html")),
            ("products/12/a b", Some("302 /products?code=12&name=a%20b")),
            ("products", None),
        ] {
            assert_eq!(told(&redirects, asked).as_deref(), expected, "{asked}");
        }
    }

    /// As generators of sites write them: aliases of posts, languages, versions, an app behind one page.
    #[test]
    fn files_of_real_sites() {
        let redirects = good(
            "/post/first/  /posts/2019/first/  301\n/Caf%C3%A9  /cafe/  301\n/index.xml /feed.xml 301!\n\
             /docs/next/*  /docs/3.x/:splat  302\n/docs  /docs/3.x/intro  302\n/docs/2.x  /versions  301\n\
             /:lang/old/*  /:lang/new/:splat  308\n/de/*  /de/404.html  404\n/app/*  /app/index.html  200\n\
             /*  /404.html  404\n",
        );
        for (asked, expected) in [
            ("post/first", "301 /posts/2019/first/"),
            ("post/first/", "301 /posts/2019/first/"),
            ("Café", "301 /cafe/"),
            ("index.xml", "301 /feed.xml!"),
            ("docs/next/api/x", "302 /docs/3.x/api/x"),
            ("docs/next", "302 /docs/3.x/"),
            ("docs/", "302 /docs/3.x/intro"),
            ("docs/2.x/", "301 /versions"),
            ("de/old/a/b", "308 /de/new/a/b"),
            ("de/x", "404 de/404.html"),
            ("app/users/5", "200 app/index.html"),
            ("app", "200 app/index.html"),
            ("nowhere", "404 404.html"),
        ] {
            assert_eq!(told(&redirects, asked).as_deref(), Some(expected), "{asked}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// The index leaves out no rule and keeps the order: the answer is that of asking all, one by one.
        #[test]
        fn the_index_finds_what_a_search_would(
            froms in prop::collection::vec("(/[ab]|/:x|/[ab]\\*)?(/[ab]){0,2}(/\\*)?/?", 1..12),
            path in "([ab](/[ab]){0,3}/?)?",
        ) {
            let lines = (0..).zip(&froms).map(|(number, from)| match &from[..] {
                "" => format!("/ /to{number}\n"),
                from => format!("{from} /to{number}\n"),
            });
            let file: String = lines.collect();
            let (redirects, _) = Redirects::parse(file.as_bytes());
            let has_slash = path.ends_with('/');
            let is_spelled = |rule: &&Rule| {
                let literal = rule.from.literal(&redirects.store);
                let is_as_asked = |rule: &Rule| rule.from.ends_in_slash() == has_slash;
                let mut same =
                    redirects.rules.iter().filter(|other| other.from.literal(&redirects.store) == literal);
                literal.is_none() || is_as_asked(rule) || !same.any(is_as_asked)
            };
            let (parsed, query) = (Path::new(path.as_bytes()), Query::new(None));
            let mut captures = Captures::new();
            let request = Asked { path: &parsed, raw_query: None, query: &query };
            let expected = redirects.rules.iter().filter(is_spelled).find_map(|rule| {
                let matches = rule.matches(&redirects.store, &request, &mut captures);
                matches.then(|| rule.hold(&redirects.store, &request, &captures))?
            });
            prop_assert_eq!(redirects.find(path.as_bytes(), None), expected, "{}", file);
        }

        /// In steps or at once, it is the same file.
        #[test]
        fn steps_make_no_difference(
            lines in prop::collection::vec(
                "(/[a:*]{0,2}){1,3} (p=:?q )?(/[:a]{0,2}){0,2}( 30[12]!?)?\n",
                0..9,
            ),
            times in 1..60_usize,
        ) {
            let text = lines.concat().repeat(times);
            let mut reader = Reader::new(Parser::new(usize::MAX), FILE_BYTES_MAX);
            let mut steps = 1;
            while reader.step(text.as_bytes()) {
                steps += 1;
            }
            prop_assert!(steps >= text.lines().count() / 128, "{} steps", steps);
            let at_once = Redirects::parse(text.as_bytes());
            prop_assert_eq!(format!("{:?}", reader.finish()), format!("{:?}", at_once));
        }

        #[test]
        fn any_bytes_are_parsed(
            text in prop::collection::vec(prop::sample::select(b"/a:*?=#!% \n\r03\xff".to_vec()), 0..60),
            path in "[a/:%]{0,8}",
        ) {
            let (redirects, _) = Redirects::parse(&text);
            let _ = redirects.find(path.as_bytes(), Some(b"a=a"));
        }
    }
}
