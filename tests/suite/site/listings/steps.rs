//! How a listing is made: in steps that are short, whatever is in the folder.

use pws::config::Symlinks;
use pws::files::Files;
use pws::files::folder::STEP_ENTRIES_MAX;
use pws::files::mime::MediaTypes;
use pws::limits::Limits;
use pws::listing::query::{Format, Sort};
use pws::outbox::{Piece, Pulled, Source};
use pws::site::folder_listing::FolderListing;
use pws::site::visible::Visible;
use pws_testing::folder::Folder;

fn files(folder: &Folder) -> Files {
    let limits = Limits::default();
    Files::open(&folder.root(), Symlinks::Inside, MediaTypes::default(), &limits).expect("a folder")
}

/// The pieces of the listing of `crowd/`, empty ones too.
fn pieces(files: &Files) -> Vec<String> {
    let folder = files.open_folder(b"crowd/").expect("a folder");
    let order = (Format::Html, Sort::default());
    let mut listing =
        FolderListing::start(folder, b"crowd/", Visible { hidden: false }, order, false).expect("a start");
    let mut pieces = Vec::new();
    loop {
        let mut piece = Piece::default();
        let pulled = listing.pull(&mut piece).expect("a piece");
        pieces.push(String::from_utf8(piece.bytes).expect("UTF-8"));
        if pulled == Pulled::Last {
            return pieces;
        }
    }
}

/// So many files whose names are `filler` and a number.
fn crowd(count: usize, filler: &str) -> Folder {
    (0..count).fold(Folder::new(), |folder, number| folder.file(format!("crowd/{filler}{number}"), ""))
}

#[test]
fn a_step_reads_a_few_entries_and_loses_none() {
    let long = "x".repeat(240);
    for (count, filler) in [(0, ""), (1, ""), (30, ""), (1000, ""), (100, &long)] {
        let folder = crowd(count, filler).folder("crowd");
        let mut folder = files(&folder).open_folder(b"crowd/").expect("a folder");
        let mut steps = Vec::new();
        let mut names = Vec::new();
        let mut has_more = true;
        while has_more {
            let before = names.len();
            has_more = folder.read(|_| true, |entry| names.push(entry.name.to_vec())).expect("a step");
            steps.push(names.len() - before);
        }
        assert!(steps.iter().all(|entries| *entries <= STEP_ENTRIES_MAX), "{count} {filler}: {steps:?}");
        assert_eq!(steps.len() == 1, count <= 30, "{count} {filler}: a small one takes one step: {steps:?}");
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count, "{filler}: each name once");
    }
}

#[test]
fn a_pull_reads_or_writes_a_few_entries() {
    let quoted = "&".repeat(240);
    for (count, filler) in [(2048, ""), (2500, ""), (600, &quoted)] {
        let folder = crowd(count, filler);
        let pieces = pieces(&files(&folder));
        let rows = |piece: &String| piece.matches("<tr><th scope=\"row\">").count();
        assert_eq!(pieces.iter().map(rows).sum::<usize>(), count);
        assert!(pieces.iter().all(|piece| rows(piece) <= STEP_ENTRIES_MAX), "{count} {filler}");
        assert!(pieces.iter().all(|piece| piece.len() <= 36_000), "{count} {filler}");
        let silent = pieces.iter().take_while(|piece| piece.is_empty()).count();
        assert!(
            silent >= count.min(2048) / STEP_ENTRIES_MAX - 1,
            "{silent} pulls to gather {count} {filler}"
        );
        assert!(pieces[silent..].iter().all(|piece| !piece.is_empty()), "once it has started it goes on");
    }
}

#[test]
fn a_small_folder_is_shown_in_one_piece_as_it_was_asked_for() {
    let folder = crowd(30, "");
    let files = files(&folder);
    assert_eq!(pieces(&files).len(), 1);
    let opened = files.open_folder(b"crowd/").expect("a folder");
    let order = (Format::Json, Sort::default());
    let mut listing =
        FolderListing::start(opened, b"crowd/", Visible { hidden: false }, order, true).expect("a start");
    std::fs::write(folder.root().join("crowd/later"), "").expect("a file");
    assert_eq!(files.open_files(), 0, "it is closed already");
    let mut piece = Piece::default();
    assert_eq!(listing.pull(&mut piece).expect("a piece"), Pulled::Last);
    let text = String::from_utf8(piece.bytes).expect("UTF-8");
    assert!(text.contains("\"29\"") && !text.contains("later"), "{text}");
}
