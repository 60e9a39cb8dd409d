//! The guide in `docs/guide/`: whatever it names is there.

use std::fs;
use std::path::Path;

/// The chapters in their order, with their texts.
fn chapters() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide");
    let mut chapters: Vec<(String, String)> = fs::read_dir(folder)
        .expect("the guide")
        .map(|entry| entry.expect("a chapter"))
        .map(|entry| (entry.file_name(), fs::read_to_string(entry.path())))
        .map(|(name, text)| (name.into_string().expect("UTF-8"), text.expect("a text")))
        .collect();
    chapters.sort();
    chapters
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).ok()
}

/// What stands between backticks in the text, blocks of code left out.
fn quoted(text: &str) -> Vec<&str> {
    let outside = text.split("```").step_by(2);
    outside.flat_map(|text| text.split('`').skip(1).step_by(2)).collect()
}

fn commands(text: &str) -> impl Iterator<Item = &str> {
    text.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("sh\n")).flat_map(str::lines)
}

const PLACES: [&str; 4] = ["src/", "tests/", "examples/", "benches/"];

#[test]
fn files_and_what_is_said_to_be_in_them_are_there() {
    let mut count = 0;
    for (chapter, text) in chapters() {
        let quoted = quoted(&text);
        for path in quoted.iter().filter(|word| PLACES.iter().any(|place| word.starts_with(place))) {
            let is_there = Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists();
            assert!(is_there, "{chapter} names {path}");
            count += 1;
        }
        // "`name` in `file`"
        for pair in quoted.windows(2).filter(|pair| text.contains(&format!("`{}` in `{}`", pair[0], pair[1])))
        {
            if let Some(source) = read(pair[1]) {
                assert!(source.contains(pair[0]), "{chapter}: {} is not in {}", pair[0], pair[1]);
                count += 1;
            }
        }
    }
    assert!(count > 40, "{count} names were found");
}

#[test]
fn options_examples_and_benches_are_there() {
    let options = read("src/cli/options.rs").expect("the table");
    for (chapter, text) in chapters() {
        for command in commands(&text) {
            // It is pws that cargo runs, with its options behind these.
            let command =
                command.replace("cargo run --release --", "pws").replace("cargo run --release", "pws");
            let words: Vec<&str> = command.split_whitespace().collect();
            for option in
                words.iter().filter_map(|word| word.strip_prefix("--")).filter(|_| words[0] == "pws")
            {
                assert!(options.contains(&format!("name: \"{option}\"")), "{chapter}: {command}");
            }
            let named = |flag: &str| words.iter().skip_while(|word| **word != flag).nth(1).copied();
            if words[0] == "cargo" && words[1..] != ["build", "--examples"] && words[1] != "test" {
                let is_there = |path: String| read(&path).is_some();
                let example = named("--example").map(|name| format!("examples/{name}.rs"));
                let bench = named("--bench").map(|name| format!("benches/{name}.rs"));
                let found = example
                    .or(bench)
                    .is_some_and(|path| is_there(path.clone()) || is_there(path.replace(".rs", "/main.rs")));
                assert!(found, "{chapter}: {command}");
            }
        }
    }
}

#[test]
fn each_chapter_has_something_to_try_to_break_and_to_answer() {
    let chapters = chapters();
    let index = &chapters.last().expect("an index").1;
    assert_eq!(chapters.len(), 11, "ten, and the index");
    for (number, (name, text)) in chapters.iter().take(10).enumerate() {
        assert!(text.starts_with(&format!("# {}. ", number + 1)), "{name}");
        assert!(index.contains(&format!("]({name})")), "{name} is in the index");
        for part in ["\n**Try**", "\n**Break** it: in `", "\nNoticed by `", "\n<details><summary>"] {
            assert_eq!(text.matches(part).count(), 1, "{name}: {part}");
        }
        assert!(text.lines().count() < 60, "{name} is short");
        // The test that notices is a test.
        let noticed =
            text.split("\nNoticed by `").nth(1).and_then(|rest| rest.split('`').next()).expect("a test");
        let file =
            text.split("\nNoticed by `").nth(1).and_then(|rest| rest.split('`').nth(2)).expect("its file");
        assert!(
            read(file).is_some_and(|source| source.contains(&format!("fn {noticed}()"))),
            "{name}: {noticed}"
        );
    }
}
