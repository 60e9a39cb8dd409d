//! Rust source as text: just enough of the language to tell code from comments, literals and tests, and to
//! see functions and paths.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::Path;

/// The name of the crate that the files of the binary see.
const CRATE: &str = "pws";
/// The files of the binary; all others are the library's.
const BINARY_FILES: [&str; 2] = ["main.rs", "cli.rs"];

/// A source file.
pub struct Source {
    /// Relative to `src`.
    pub name: String,
    pub text: String,
    /// The text with comments, literals and test modules blanked out; every line stays where it is.
    pub code: String,
    test_line_count: usize,
}

/// A function with a body.
pub struct Function {
    pub name: String,
    /// The line of its `fn`, counted from 1.
    pub line: usize,
    /// From there to the closing brace.
    pub line_count: usize,
}

impl Source {
    pub fn new(name: &str, text: &str) -> Source {
        let mut code = without_comments_and_literals(text);
        let mut test_line_count = 0;
        for range in test_modules(&code) {
            test_line_count += code[range.clone()].iter().filter(|char| **char == '\n').count() + 1;
            blank(&mut code[range]);
        }
        Source { name: name.to_owned(), text: text.to_owned(), code: code.iter().collect(), test_line_count }
    }

    /// All source files in `folder` and below.
    pub fn all_below(folder: &Path) -> Vec<Source> {
        let mut sources = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(current) = folders.pop() {
            for entry in fs::read_dir(current).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let name = path.strip_prefix(folder).expect("a path below").to_str().expect("UTF-8");
                    sources.push(Source::new(name, &fs::read_to_string(&path).expect("UTF-8")));
                }
            }
        }
        sources
    }

    /// Lines outside test modules.
    pub fn line_count(&self) -> usize {
        self.text.lines().count() - self.test_line_count
    }

    pub fn functions(&self) -> Vec<Function> {
        let code: Vec<char> = self.code.chars().collect();
        let line_of = |at: usize| code[..at].iter().filter(|char| **char == '\n').count() + 1;
        let mut functions = Vec::new();
        for at in words(&code, "fn") {
            let name: String = code[at + 2..]
                .iter()
                .skip_while(|char| **char == ' ')
                .take_while(|char| is_word(**char))
                .collect();
            // `fn(u8)` is a type.
            let Some(body) = body_behind(&code, at).filter(|_| !name.is_empty()) else { continue };
            let line = line_of(at);
            functions.push(Function { name, line, line_count: line_of(body.end) - line + 1 });
        }
        functions
    }

    /// The names of those of `sources` that a path in this file leads into.
    pub fn used_files(&self, sources: &[Source]) -> BTreeSet<String> {
        let names: BTreeSet<&str> = sources.iter().map(|source| source.name.as_str()).collect();
        let files = paths(&self.code).into_iter().filter_map(|path| self.file_of(&path, &names));
        files.filter(|name| *name != self.name).collect()
    }

    /// The module of this file: `http/head.rs` is `[http, head]`, `http/mod.rs` is `[http]`, a root is empty.
    fn module(&self) -> Vec<String> {
        let stem = self.name.strip_suffix(".rs").unwrap_or(&self.name);
        let mut module: Vec<String> = stem.split('/').map(str::to_owned).collect();
        if ["mod", "lib", "main"].contains(&module[module.len() - 1].as_str()) {
            module.pop();
        }
        module
    }

    /// Where `path` leads: the innermost module on it that is a file. `None` for other crates and for names
    /// that are local to the file.
    fn file_of(&self, path: &[String], names: &BTreeSet<&str>) -> Option<String> {
        let mut rest = path;
        let mut module = self.module();
        let mut root = if BINARY_FILES.contains(&self.name.as_str()) { "main.rs" } else { "lib.rs" };
        match path[0].as_str() {
            "crate" | CRATE => {
                root = if path[0] == CRATE { "lib.rs" } else { root };
                module.clear();
                rest = &path[1..];
            }
            "super" => {
                while rest.first().is_some_and(|segment| segment == "super") {
                    module.pop();
                    rest = &rest[1..];
                }
            }
            "self" => rest = &path[1..],
            first => {
                module.push(first.to_owned());
                rest = &path[1..];
                file_of_module(&module, names)?;
            }
        }
        let mut file = file_of_module(&module, names);
        for segment in rest {
            module.push(segment.clone());
            match file_of_module(&module, names) {
                Some(inner) => file = Some(inner),
                None => break,
            }
        }
        Some(file.unwrap_or_else(|| root.to_owned()))
    }
}

fn file_of_module(module: &[String], names: &BTreeSet<&str>) -> Option<String> {
    let stem = module.join("/");
    [format!("{stem}.rs"), format!("{stem}/mod.rs")].into_iter().find(|name| names.contains(name.as_str()))
}

/// What `crate::{a, b::{c, d}}` and its like lead to: each path in full.
fn paths(code: &str) -> Vec<Vec<String>> {
    let tokens = tokens(code);
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let starts = is_name(&tokens[at]) && tokens.get(at + 1).is_some_and(|token| token == "::");
        let end = if starts { expand(&tokens, at, &mut Vec::new(), &mut paths) } else { at };
        at = end.max(at + 1);
    }
    paths
}

/// Adds the paths of the tree at `at`, each behind `prefix`; returns where the tree ends.
fn expand(tokens: &[String], at: usize, prefix: &mut Vec<String>, paths: &mut Vec<Vec<String>>) -> usize {
    let Some(token) = tokens.get(at) else { return at };
    if token == "{" {
        let mut next = at + 1;
        while let Some(token) = tokens.get(next).filter(|token| *token != "}") {
            next = match token.as_str() {
                "," => next + 1,
                "as" => next + 2,
                // At least one token further, whatever it is.
                _ => expand(tokens, next, prefix, paths).max(next + 1),
            };
        }
        return next + 1;
    }
    if !is_name(token) {
        if !prefix.is_empty() {
            paths.push(prefix.clone());
        }
        return at;
    }
    prefix.push(token.clone());
    let end = match tokens.get(at + 1).is_some_and(|token| token == "::") {
        true => expand(tokens, at + 2, prefix, paths),
        false => {
            paths.push(prefix.clone());
            at + 1
        }
    };
    prefix.pop();
    end
}

/// Names, `::` and single other characters.
fn tokens(code: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let len = match first {
            _ if is_word(first) => rest.find(|char| !is_word(char)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        tokens.push(rest[..len].to_owned());
        rest = rest[len..].trim_start();
    }
    tokens
}

fn is_name(token: &str) -> bool {
    token.starts_with(is_word)
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Where `word` stands on its own.
fn words<'a>(code: &'a [char], word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let word: Vec<char> = word.chars().collect();
    let is_free = |char: Option<&char>| !char.is_some_and(|char| is_word(*char));
    (0..code.len()).filter(move |at| {
        let before = at.checked_sub(1).and_then(|before| code.get(before));
        code[*at..].starts_with(&word) && is_free(before) && is_free(code.get(at + word.len()))
    })
}

/// The braces of the item that starts at `at`; `None` if it ends by a semicolon.
fn body_behind(code: &[char], at: usize) -> Option<Range<usize>> {
    let mut brackets = 0;
    let mut start = at;
    loop {
        match code.get(start)? {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            ';' if brackets == 0 => return None,
            '{' if brackets == 0 => break,
            _ => {}
        }
        start += 1;
    }
    let mut depth = 0;
    for (index, char) in code.iter().enumerate().skip(start) {
        match char {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(start..index);
        }
    }
    None
}

/// From each `#[cfg(test)]` to the end of its module.
fn test_modules(code: &[char]) -> Vec<Range<usize>> {
    let marker: Vec<char> = "#[cfg(test)]".chars().collect();
    let starts = (0..code.len()).filter(|at| code[*at..].starts_with(&marker));
    starts.filter_map(|at| Some(at..body_behind(code, at + marker.len())?.end + 1)).collect()
}

fn blank(chars: &mut [char]) {
    for char in chars.iter_mut().filter(|char| **char != '\n') {
        *char = ' ';
    }
}

/// The text with the content of comments and literals blanked out.
fn without_comments_and_literals(text: &str) -> Vec<char> {
    let mut code: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < code.len() {
        let len = comment_or_literal_len(&code, at);
        blank(&mut code[at..at + len]);
        at += len.max(1);
    }
    code
}

/// The length of the comment or literal that starts at `at`; 0 if none does.
fn comment_or_literal_len(code: &[char], at: usize) -> usize {
    let rest = &code[at..];
    match rest {
        ['/', '/', ..] => rest.iter().position(|char| *char == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => block_comment_len(rest),
        ['"', ..] => quoted_len(rest, '"'),
        ['\'', '\\', ..] | ['\'', _, '\'', ..] => quoted_len(rest, '\''),
        ['r', '"' | '#', ..] if at == 0 || !is_word(code[at - 1]) || code[at - 1] == 'b' => raw_len(rest),
        _ => 0,
    }
}

fn block_comment_len(rest: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    at
}

/// With its quotes; a backslash takes the next character with it.
fn quoted_len(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// `r"..."`, `r#"..."#`; 0 for a raw name such as `r#type`.
fn raw_len(rest: &[char]) -> usize {
    let hashes = rest[1..].iter().take_while(|char| **char == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return 0;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let content = hashes + 2;
    let len = rest[content..].windows(end.len()).position(|window| window == end);
    len.map_or(rest.len(), |len| content + len + end.len())
}

#[test]
fn code_is_told_from_comments_and_literals() {
    for (text, expected) in [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        ("a \"b\\\"c\" d", "a        d"),
        ("a '\\'' b 'c' 'd", "a      b     'd"),
        ("a::<'b>('c')", "a::<'b>(   )"),
        ("a r\"b\\\" c", "a       c"),
        ("a br##\"b\"# c\"## d", "a b             d"),
        ("a r#type b", "a r#type b"),
        ("a b'\"' c", "a b    c"),
    ] {
        let code: String = without_comments_and_literals(text).into_iter().collect();
        assert_eq!(code, expected, "{text}");
    }
}

#[test]
fn paths_are_told_in_full() {
    let found = paths("use a::{self, b::{c as d, e}, f::*};\nfn x() { g::h::<i::J>() }");
    let found: BTreeSet<String> = found.iter().map(|path| path.join("::")).collect();
    let expected = ["a", "a::self", "a::b::c", "a::b::e", "a::f", "g::h", "i::J"].map(str::to_owned);
    assert_eq!(found, BTreeSet::from(expected));
}
