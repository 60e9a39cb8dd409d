//! The real binary, as cargo built it for these tests.

use std::process::Command;

use pws_testing::folder::Folder;
use pws_testing::process::{self, Process};

pub const PWS: &str = env!("CARGO_BIN_EXE_pws");

/// The binary, or the one that `PWS_PROGRAM` names, such as a release build: for tests of what a load takes.
pub fn program_under_load() -> String {
    std::env::var("PWS_PROGRAM").unwrap_or_else(|_| PWS.to_owned())
}

/// The binary without arguments, and without variables that it or its log would heed.
pub fn command() -> Command {
    process::command_of(PWS)
}

/// The binary by way of a shell, which runs `preparation` first and then becomes the binary.
pub fn command_after(preparation: &str) -> Command {
    process::command_after(preparation, PWS)
}

/// Serves `folder` on a free port.
#[track_caller]
pub fn serve(folder: Folder, args: &[&str]) -> Process {
    Process::serve(command(), folder, args)
}
