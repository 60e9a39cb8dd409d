//! Programs that read listings as they read those of other servers: by their links, or by a pattern.

use std::process::{Command, Stdio};

use pws_testing::process;
use tempfile::TempDir;

use super::names::{content_of, folder, visible_names};
use crate::support::binary::serve;
use crate::support::listed::name_in;
use crate::support::tools;
use crate::support::visitor::Visitor;

/// What follows each `<a href=` in quotes of either kind, up to the next of either kind, and nothing decoded
/// but escapes of URLs: so read libraries that know no HTML.
fn links_by_pattern(page: &str) -> Vec<String> {
    let behind = page.split("<a href=").skip(1);
    let quoted = behind.map(|text| text.split(['"', '\'']).nth(1).expect("a quoted link"));
    quoted.map(str::to_owned).collect()
}

#[test]
fn who_reads_by_a_pattern_finds_every_file() {
    let mut visitor = Visitor::of(folder());
    let mut links = links_by_pattern(&visitor.get("/files/").text());
    assert_eq!(links.remove(0), "../");
    assert_eq!(links.len(), visible_names().len());
    for link in links {
        // Glued to the folder's URL, as by who knows nothing of `./`.
        let answer = visitor.get(&format!("/files/{link}"));
        assert!(answer.status == 200 && answer.body == content_of(&name_in(&link)), "{link}");
    }
}

#[test]
fn wget_fetches_each_file_and_each_folder_once() {
    if !tools::has("wget") {
        return;
    }
    let process = serve(folder(), &[]);
    let mut command = Command::new("wget");
    command.args(["--quiet", "--recursive", "--no-parent", "--execute=robots=off", "--delete-after"]);
    command.arg(format!("{}files/", process.urls()[0])).env_remove("http_proxy").stdin(Stdio::null());
    let beside = TempDir::new().expect("a temporary folder");
    command.current_dir(&beside);
    let output = process::run(command);
    assert!(output.status.success(), "{output:?}");
    let lines = process.stop();
    let mut asked: Vec<Vec<u8>> = lines
        .iter()
        .map(|line| {
            let (_, target) = line.split_once("\"GET /files/").expect("a GET below the folder");
            let (target, rest) = target.split_once(" HTTP/1.1\" ").expect("a version");
            assert!(rest.starts_with("200 ") && !target.contains('?'), "{line}");
            name_in(target)
        })
        .collect();
    asked.sort();
    let mut expected: Vec<Vec<u8>> = visible_names().into_iter().map(<[u8]>::to_vec).collect();
    expected.push(Vec::new());
    expected.sort();
    assert_eq!(asked, expected);
}
