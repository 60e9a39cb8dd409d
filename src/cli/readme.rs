//! The table of options as Markdown: the README must hold it as it is made here.

use super::options::OPTIONS;
use super::row::{BARE, Otherwise, Row};

fn options() -> String {
    let mut text = String::new();
    let mut group = "";
    for row in OPTIONS {
        if row.group != group {
            group = row.group;
            text += &format!(
                "\n### {group}\n\n| option | variable | default | what it does |\n|---|---|---|---|\n"
            );
        }
        let variable = row.variable().map(|name| format!("`{name}`")).unwrap_or_default();
        let default = match row.otherwise {
            Otherwise::Nothing => String::new(),
            Otherwise::Value(text) => format!("`{text}`"),
            Otherwise::Words(what) => what.to_owned(),
        };
        text += &format!("| {} | {variable} | {default} | {} |\n", typed(row), row.help);
    }
    text
}

/// How it is typed.
fn typed(row: &Row) -> String {
    let value = row.value.unwrap_or_default();
    match (row.name == BARE, row.short, row.alone) {
        (true, ..) => format!("`{value}`"),
        (_, _, Some(_)) => format!("`--{}[={value}]`", row.name),
        (_, Some(short), _) => format!("`-{short}`, `{}`", format!("--{} {value}", row.name).trim_end()),
        _ => format!("`{}`", format!("--{} {value}", row.name).trim_end()),
    }
}

#[test]
fn the_readme_holds_the_table() {
    let expected = options();
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&expected), "README.md must hold:\n{expected}");
    let (_, behind) = readme.split_once("\n## Options\n").expect("a chapter on options");
    let chapter = behind.split("\n## ").next().expect("its text");
    let rows = chapter.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, OPTIONS.len(), "README.md has options that are not in the table");
}
