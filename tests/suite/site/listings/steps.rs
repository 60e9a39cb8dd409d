//! How a listing is made: in steps that are short, whatever is in the folder.

use pws::config::SiteOptions;
use pws::files::Files;
use pws::files::folder::STEP_ENTRIES_MAX;
use pws::files::visible::Visible;
use pws::limits::Limits;
use pws::listing::query::{Format, Sort};
use pws::outbox::{Piece, Pulled, Source};
use pws::site::folder_listing::{FolderListing, Form};
use pws::site::sorting::SortingMemory;
use pws_testing::folder::Folder;

fn files(folder: &Folder) -> Files {
    let limits = Limits::default();
    Files::open(&folder.root(), &SiteOptions::default(), &limits).expect("a folder")
}

/// The listing of `crowd/` as it starts.
fn start(files: &Files, memory: &SortingMemory, format: Format) -> FolderListing {
    let folder = files.open_folder(b"crowd/").expect("a folder");
    let form = Form { format, sort: Sort::default(), is_chunked: false };
    let visible = Visible::default();
    FolderListing::start(folder, b"crowd/", visible, form, memory.share()).expect("a start")
}

fn plenty() -> SortingMemory {
    SortingMemory::within(&Limits::default())
}

/// The pieces of the listing of `crowd/`, empty ones too.
fn pieces(files: &Files) -> Vec<String> {
    rest(&mut start(files, &plenty(), Format::Html))
}

/// The pieces that are still to come.
fn rest(listing: &mut FolderListing) -> Vec<String> {
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
    for (count, filler) in [(2048, ""), (5000, ""), (600, &quoted)] {
        let folder = crowd(count, filler);
        let pieces = pieces(&files(&folder));
        let rows = |piece: &String| piece.matches("<tr><td>").count();
        assert_eq!(pieces.iter().map(rows).sum::<usize>(), count);
        assert!(pieces.iter().all(|piece| rows(piece) <= STEP_ENTRIES_MAX), "{count} {filler}");
        assert!(pieces.iter().all(|piece| piece.len() <= 36_000), "{count} {filler}");
        let silent = pieces.iter().take_while(|piece| piece.is_empty()).count();
        assert!(silent >= count / STEP_ENTRIES_MAX - 1, "{silent} pulls to gather {count} {filler}");
        assert!(pieces[silent..].iter().all(|piece| !piece.is_empty()), "once it has started it goes on");
    }
}

#[test]
fn a_small_folder_is_shown_in_one_piece_as_it_was_asked_for() {
    let folder = crowd(30, "");
    let files = files(&folder);
    assert_eq!(pieces(&files).len(), 1);
    let mut listing = start(&files, &plenty(), Format::Json);
    std::fs::write(folder.root().join("crowd/later"), "").expect("a file");
    assert_eq!(files.open_files(), 0, "it is closed already");
    let mut piece = Piece::default();
    assert_eq!(listing.pull(&mut piece).expect("a piece"), Pulled::Last);
    let text = String::from_utf8(piece.bytes).expect("UTF-8");
    assert!(text.contains("\"29\"") && !text.contains("later"), "{text}");
}

/// Whether a listing of some pieces is sorted, and how many entries it has.
fn told(pieces: &[String]) -> (bool, usize) {
    let text = pieces.concat();
    (text.contains("\"sorted\":true"), text.matches("\n{\"name\"").count())
}

#[test]
fn listings_share_the_memory_for_sorting() {
    let folder = crowd(3000, "IMG_2024_");
    let files = files(&folder);
    // An entry takes 24 bytes and its name, and half of what connections keep is for sorting: one fits.
    let memory = SortingMemory::within(&Limits { kept_bytes_max: 2 * 150_000, ..Limits::default() });
    let mut first = start(&files, &memory, Format::Json);
    let mut gathering = 0;
    while first.kept_bytes() < 90_000 {
        assert_eq!(first.pull(&mut Piece::default()).expect("a piece"), Pulled::More);
        gathering += 1;
    }
    assert!(gathering > 10);
    assert_eq!(told(&rest(&mut start(&files, &memory, Format::Json))), (false, 3000), "too little is left");
    assert_eq!(told(&rest(&mut first)), (true, 3000), "it got its share in time");
    let mut second = start(&files, &memory, Format::Json);
    assert_eq!(told(&rest(&mut second)), (true, 3000), "what was sent is given back");
    let mut given_up = start(&files, &memory, Format::Json);
    while given_up.kept_bytes() < 90_000 {
        given_up.pull(&mut Piece::default()).expect("a piece");
    }
    drop(given_up);
    assert_eq!(told(&rest(&mut start(&files, &memory, Format::Json))), (true, 3000), "so is what was not");
}

#[test]
fn a_folder_of_a_few_thousand_is_sorted_without_a_share() {
    let nothing = SortingMemory::within(&Limits { kept_bytes_max: 0, ..Limits::default() });
    for (count, is_sorted) in [(2048, true), (2049, false)] {
        let folder = crowd(count, "");
        let mut listing = start(&files(&folder), &nothing, Format::Json);
        assert_eq!(told(&rest(&mut listing)), (is_sorted, count));
    }
}
