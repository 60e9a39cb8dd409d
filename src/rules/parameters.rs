//! What a rule wants of the query: `id=:id` takes any value and names it, `id=5` wants that one.

use super::pattern::{CAPTURES_MAX, Captures, Value, name_at_start};
use super::template::decode_parameter;
use super::text::quoted;

/// The parameters that the query must consist of, in any order. An empty list wants nothing: any query will
/// do, or none.
#[derive(Debug, Default)]
pub struct Parameters(Vec<Parameter>);

#[derive(Debug)]
struct Parameter {
    name: Box<[u8]>,
    wanted: Wanted,
}

#[derive(Debug)]
enum Wanted {
    /// Anything but nothing; it becomes the value at this index.
    Any(usize),
    Exactly(Box<[u8]>),
}

impl Parameters {
    /// Adds `NAME=VALUE` as it stands in a rule; what it captures is added to `names`.
    pub fn add(&mut self, word: &[u8], names: &mut Vec<Box<str>>) -> Result<(), String> {
        let Some(at) = word.iter().position(|&byte| byte == b'=').filter(|at| *at > 0) else {
            return Err(format!(
                "{} is neither a destination, which starts with `/` or `https://`, nor NAME=VALUE",
                quoted(word)
            ));
        };
        let name = decode_parameter(&word[..at]).into();
        if self.0.iter().any(|other| other.name == name) {
            return Err(format!("{} is asked for twice: a query has it once", quoted(&name)));
        }
        let value = &word[at + 1..];
        let wanted = match name_at_start(value).filter(|name| name.len() + 1 == value.len()) {
            None => Wanted::Exactly(decode_parameter(value).into()),
            Some(name) if names.iter().any(|other| **other == *name) => {
                return Err(format!("there are two values called `:{name}`: give one another name"));
            }
            Some(_) if names.len() == CAPTURES_MAX => {
                return Err(format!("more than {CAPTURES_MAX} values are captured: use fewer names"));
            }
            Some(name) => {
                names.push(name.into());
                Wanted::Any(names.len() - 1)
            }
        };
        self.0.push(Parameter { name, wanted });
        Ok(())
    }

    /// Whether `query` has these parameters and no others, each once.
    pub fn matches<'a>(&self, query: Option<&'a [u8]>, captures: &mut Captures<'a>) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let pairs = || {
            let pairs = query.unwrap_or_default().split(|&byte| byte == b'&');
            pairs.filter(|pair| !pair.is_empty()).map(split_pair)
        };
        let is_met = |parameter: &Parameter| {
            let pair = pairs().find(|(name, _)| *decode_parameter(name) == *parameter.name);
            pair.is_some_and(|(_, value)| match &parameter.wanted {
                Wanted::Exactly(wanted) => *decode_parameter(value) == **wanted,
                // No path can have a NUL in it.
                Wanted::Any(_) if value.is_empty() || decode_parameter(value).contains(&0) => false,
                Wanted::Any(index) => {
                    captures.set(*index, Value::Parameter(value));
                    true
                }
            })
        };
        pairs().take(self.0.len() + 1).count() == self.0.len() && self.0.iter().all(is_met)
    }
}

fn split_pair(pair: &[u8]) -> (&[u8], &[u8]) {
    match pair.iter().position(|&byte| byte == b'=') {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (pair, b""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(words: &str) -> Result<Parameters, String> {
        let mut names = vec!["splat".into()];
        let mut parameters = Parameters::default();
        words.split(' ').try_for_each(|word| parameters.add(word.as_bytes(), &mut names))?;
        Ok(parameters)
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
        ] {
            let parameters = parameters(words).expect(words);
            let found = parameters.matches(query.map(str::as_bytes), &mut Captures::new());
            assert_eq!(found, expected, "{words} {query:?}");
        }
        assert!(Parameters::default().matches(Some(b"a=b"), &mut Captures::new()));
    }

    #[test]
    fn captures_behind_what_the_path_gave() {
        let parameters = parameters("a=1 b=:b c=:c").expect("good words");
        let mut captures = Captures::new();
        assert!(parameters.matches(Some(b"c=x%20y&a=1&b=z"), &mut captures));
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
            let complaint = parameters(words).expect_err(words);
            assert!(complaint.contains(hint), "{words}: {complaint}");
        }
    }
}
