//! What a rule wants of the query: `id=:id` takes any value and names it, `id=5` wants that one.
//!
//! A query is taken apart once for all rules, and only if one wants as many parameters as it has. Both sides
//! are sorted by name, so that they are compared in one go.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::captures::{Captures, Names, Value, name_at_start};
use super::store::{Parameter, Run, Store, Wanted};
use super::template::decode_parameter;
use super::text::quoted;

/// The parameters that the query must consist of, in any order. An empty list wants nothing: any query will
/// do, or none. They are in the [`Store`] they were kept in, sorted by name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parameters(Run);

/// Parameters as the words of a line tell them, one by one.
#[derive(Debug, Default)]
pub struct Words<'w>(BTreeMap<Cow<'w, [u8]>, Word<'w>>);

#[derive(Debug)]
enum Word<'w> {
    Name(u8),
    Value(Cow<'w, [u8]>),
}

impl<'w> Words<'w> {
    /// Adds `NAME=VALUE` as it stands in a rule; what it captures is added to `names`.
    pub fn add(&mut self, word: &'w [u8], names: &mut Names) -> Result<(), String> {
        let Some(at) = word.iter().position(|&byte| byte == b'=').filter(|at| *at > 0) else {
            return Err(format!(
                "{} is neither a destination, which starts with `/` or `https://`, nor NAME=VALUE",
                quoted(word)
            ));
        };
        let entry = match self.0.entry(decode_parameter(&word[..at])) {
            Entry::Vacant(entry) => entry,
            Entry::Occupied(entry) => {
                return Err(format!("{} is asked for twice: a query has it once", quoted(entry.key())));
            }
        };
        let value = &word[at + 1..];
        entry.insert(match name_at_start(value).filter(|name| name.len() + 1 == value.len()) {
            None => Word::Value(decode_parameter(value)),
            Some(name) => Word::Name(names.add(name)?),
        });
        Ok(())
    }

    /// Puts them into `store`.
    pub fn keep(&self, store: &mut Store) -> Parameters {
        let start = store.parameters.len();
        for (name, word) in &self.0 {
            let name = store.add_bytes(name);
            let wanted = match word {
                Word::Name(index) => Wanted::Any(*index),
                Word::Value(value) => Wanted::Exactly(store.add_bytes(value)),
            };
            store.parameters.push(Parameter { name, wanted });
        }
        Parameters(Run::between(start, store.parameters.len()))
    }
}

impl Parameters {
    /// Whether `query` has as many as are wanted: soon told, and without it the rest need not be looked at.
    pub fn are_as_many_as(&self, query: &Query) -> bool {
        self.0.is_empty() || self.0.len() == query.count()
    }

    /// Whether `query` has these parameters and no others, each once.
    pub fn are_met_by<'q>(&self, store: &Store, query: &Query<'q>, captures: &mut Captures<'q>) -> bool {
        let wanted = self.0.of(&store.parameters);
        if wanted.is_empty() {
            return true;
        }
        // No name is wanted twice, so if there are as many pairs and each is wanted, all are there.
        self.are_as_many_as(query)
            && wanted.iter().zip(query.pairs()).all(|(parameter, pair)| {
                *pair.name == *parameter.name.of(&store.bytes)
                    && match parameter.wanted {
                        Wanted::Exactly(value) => *pair.value == *value.of(&store.bytes),
                        Wanted::Any(_) if !pair.is_fit => false,
                        Wanted::Any(index) => {
                            captures.set(index, Value::Parameter(pair.raw_value));
                            true
                        }
                    }
            })
    }
}

/// The query of a request, taken apart when a rule first asks for that.
#[derive(Debug)]
pub struct Query<'q> {
    raw: &'q [u8],
    count: OnceCell<usize>,
    pairs: OnceCell<Vec<Pair<'q>>>,
}

#[derive(Debug)]
struct Pair<'q> {
    name: Cow<'q, [u8]>,
    value: Cow<'q, [u8]>,
    raw_value: &'q [u8],
    /// The value may take the place of a name: it is something, and without a NUL, which no path can have.
    is_fit: bool,
}

impl<'q> Query<'q> {
    pub fn new(raw: Option<&'q [u8]>) -> Query<'q> {
        Query { raw: raw.unwrap_or_default(), count: OnceCell::new(), pairs: OnceCell::new() }
    }

    fn raw_pairs(&self) -> impl Iterator<Item = &'q [u8]> + use<'q> {
        self.raw.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty())
    }

    fn count(&self) -> usize {
        *self.count.get_or_init(|| self.raw_pairs().count())
    }

    /// All pairs, sorted by name.
    fn pairs(&self) -> &[Pair<'q>] {
        self.pairs.get_or_init(|| {
            let mut pairs: Vec<Pair> = self.raw_pairs().map(Pair::parse).collect();
            pairs.sort_by(|one, other| one.name.cmp(&other.name));
            pairs
        })
    }
}

impl<'q> Pair<'q> {
    fn parse(pair: &'q [u8]) -> Pair<'q> {
        let (name, raw_value) = match pair.iter().position(|&byte| byte == b'=') {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => pair.split_at(pair.len()),
        };
        let value = decode_parameter(raw_value);
        let is_fit = !raw_value.is_empty() && !value.contains(&0);
        Pair { name: decode_parameter(name), value, raw_value, is_fit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::captures::CAPTURES_MAX;

    fn parameters(words: &str) -> Result<(Parameters, Store), String> {
        let mut names = Names::of(&["splat"]);
        let mut read = Words::default();
        words.split(' ').try_for_each(|word| read.add(word.as_bytes(), &mut names))?;
        let mut store = Store::default();
        Ok((read.keep(&mut store), store))
    }

    fn is_met<'q>(words: &str, query: &Query<'q>, captures: &mut Captures<'q>) -> bool {
        let (parameters, store) = parameters(words).expect(words);
        parameters.are_met_by(&store, query, captures)
    }

    #[test]
    fn wants_these_parameters_and_no_others() {
        for (words, query, expected) in [
            ("id=:id", Some("id=5"), true),
            ("id=:id", Some("&id=5&"), true),
            ("id=:id", Some("%69d=5"), true),
            ("id=:id", Some("id="), false),
            ("id=:id", Some("id"), false),
            ("id=:id", Some("id=%00"), false),
            ("id=:id", Some("ID=5"), false),
            ("id=:id", Some("xid=5"), false),
            ("id=:id", Some("id=5&id=6"), false),
            ("id=:id", Some("id=5&b=6"), false),
            ("id=:id", Some(""), false),
            ("id=:id", None, false),
            ("id=:id tag=:tag", Some("tag=a&id=5"), true),
            ("id=:id tag=:tag", Some("id=5&id=6"), false),
            ("id=:id tag=:tag", Some("id=5"), false),
            ("p=5", Some("p=5"), true),
            ("p=5", Some("p=55"), false),
            ("p=a%20b", Some("p=a+b"), true),
            ("p=", Some("p"), true),
            ("p=", Some("p=1"), false),
            ("b=1 a=2", Some("%61=2&b=1"), true),
            ("b=1 a=2", Some("b=1&b=1"), false),
            ("a=1 b=2", Some("a=1&a=2"), false),
        ] {
            let found = is_met(words, &Query::new(query.map(str::as_bytes)), &mut Captures::new());
            assert_eq!(found, expected, "{words} {query:?}");
        }
        let (none, query) = (Parameters::default(), Query::new(Some(b"a=b")));
        assert!(none.are_met_by(&Store::default(), &query, &mut Captures::new()));
    }

    #[test]
    fn captures_behind_what_the_path_gave() {
        let mut captures = Captures::new();
        assert!(is_met("a=1 b=:b c=:c", &Query::new(Some(b"c=x%20y&a=1&b=z")), &mut captures));
        assert_eq!(captures.value(1), Value::Parameter(b"z"));
        assert_eq!(captures.value(2), Value::Parameter(b"x%20y"));
    }

    #[test]
    fn refuses_what_is_not_clear() {
        let many: Vec<String> = (0..CAPTURES_MAX).map(|index| format!("a{index}=:a{index}")).collect();
        for (words, hint) in [
            ("id", "NAME=VALUE"),
            ("=5", "NAME=VALUE"),
            ("a=1 a=2", "asked for twice"),
            ("a=:x b=:x", "called `:x`"),
            ("a=:splat", "called `:splat`"),
            (&many.join(" "), "more than 16"),
        ] {
            let complaint = parameters(words).map(|_| ()).expect_err(words);
            assert!(complaint.contains(hint), "{words}: {complaint}");
        }
    }

    #[test]
    fn a_query_is_taken_apart_once_and_only_if_it_may_be_what_is_wanted() {
        let raw = b"p=%31&".repeat(1000);
        let (query, mut captures) = (Query::new(Some(&raw)), Captures::new());
        assert!(!is_met("p=1", &query, &mut captures));
        assert_eq!((query.count.get(), query.pairs.get().map(Vec::len)), (Some(&1000), None));
        let query = Query::new(Some(b"q=%31&p=2"));
        assert!(!is_met("p=1 q=1", &query, &mut captures));
        let pairs = query.pairs.get().map(|pairs| pairs.as_ptr());
        assert!(is_met("p=2 q=1", &query, &mut captures) && pairs.is_some());
        assert_eq!(query.pairs.get().map(|pairs| pairs.as_ptr()), pairs);
    }
}
