//! The fuzzers' corpus, replayed: what broke something once, and what leads into every corner.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pws_testing::checks;

/// What is committed stays small: minimise what a long run finds.
const FILES_MAX: usize = 50;
const BYTES_MAX: usize = 200_000;

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The inputs committed for `target`, in order.
#[track_caller]
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = fuzz_folder().join("corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).expect("an input"))).collect()
}

#[test]
fn every_input_passes_its_check() {
    for (target, check) in checks::ALL {
        let inputs = corpus(target);
        assert!(!inputs.is_empty(), "no inputs for {target}");
        for (path, input) in inputs {
            println!("{}", path.display());
            check(&input);
        }
    }
}

#[test]
fn every_target_has_its_check() {
    let targets = fs::read_dir(fuzz_folder().join("fuzz_targets")).expect("the targets");
    let targets: BTreeSet<_> =
        targets.map(|entry| entry.expect("a target").path().with_extension("")).collect();
    let targets: BTreeSet<_> = targets.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    assert_eq!(targets, checks::ALL.map(|(target, _)| target).into());
}

#[test]
fn the_corpus_is_small() {
    let inputs: Vec<_> = checks::ALL.iter().map(|(target, _)| corpus(target)).collect();
    assert!(inputs.iter().all(|inputs| inputs.len() <= FILES_MAX));
    assert!(inputs.iter().flatten().map(|(_, input)| input.len()).sum::<usize>() <= BYTES_MAX);
}
