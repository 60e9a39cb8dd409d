//! Standard error that nobody reads: the server serves on, ends when it is told to, and says what was lost.

use std::io::{ErrorKind, Read};
use std::process::Stdio;

use pws_testing::client::Client;
use pws_testing::folder::Folder;
use pws_testing::patience::wait_until;
use pws_testing::process::{KilledOnDrop, address_in, first_line, serving};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process};

use super::{fill, folder};
use crate::support::binary::command;

/// Asks `count` times on one connection.
#[track_caller]
fn ask(client: &mut Client, count: usize) {
    for _ in 0..count {
        assert_eq!(client.get("/page.html").text(), "<p>page");
    }
}

/// A server that has a line to tell of each response, and what stands in for its reader.
#[track_caller]
fn serve_to(stderr: impl Into<Stdio>, folder: &Folder) -> (KilledOnDrop, Client) {
    let mut command = serving(command(), folder);
    command.args(["--log-level", "trace", "--access-log", "off"]).stdout(Stdio::piped()).stderr(stderr);
    let mut child = KilledOnDrop(command.spawn().expect("the binary"));
    // It holds a copy of the writing end.
    drop(command);
    let (first_line, _) = first_line(child.0.stdout.take().expect("a pipe"));
    let mut client = Client::connect(address_in(&first_line));
    ask(&mut client, 10);
    (child, client)
}

#[track_caller]
fn assert_ends(mut child: KilledOnDrop) {
    kill_process(Pid::from_child(&child.0), Signal::TERM).expect("a process to signal");
    wait_until("it ends", || child.0.try_wait().expect("a child").is_some());
    assert_eq!(child.0.wait().expect("an end").code(), Some(0));
}

#[test]
fn a_standard_error_that_nobody_reads_holds_nobody_up() {
    let folder = folder();
    let (_reader, mut writer) = std::io::pipe().expect("a pipe");
    fill(&mut writer);
    let (child, mut client) = serve_to(writer, &folder);
    ask(&mut client, 10);
    assert_ends(child);
}

#[test]
fn what_was_lost_meanwhile_is_told_to_who_reads_again() {
    let folder = folder();
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let (child, mut client) = serve_to(writer, &folder);
    ask(&mut client, 1000);
    fcntl_setfl(&reader, OFlags::NONBLOCK).expect("not to wait");
    let mut text = Vec::new();
    let ended = reader.read_to_end(&mut text).map_err(|error| error.kind());
    assert_eq!(ended, Err(ErrorKind::WouldBlock), "there is room again");
    ask(&mut client, 1);
    assert_ends(child);
    reader.read_to_end(&mut text).expect("the rest");
    let text = String::from_utf8(text).expect("UTF-8");
    let lost = text.lines().filter_map(|line| line.split_once("lines lost here since nobody read them: "));
    let lost: usize = lost.map(|(_, count)| count.parse::<usize>().expect("a count")).sum();
    let told = text.matches("response sent").count();
    assert!(lost > 0 && told < 1011 && lost + told >= 1011, "{lost} lost, {told} told");
    let is_whole =
        |line: &str| line.split_whitespace().next().is_some_and(|time| time.parse::<f64>().is_ok());
    assert!(text.lines().all(is_whole), "lines are whole, each with its time");
}

#[test]
fn who_cannot_start_and_is_not_read_ends_with_1() {
    let (_reader, mut writer) = std::io::pipe().expect("a pipe");
    fill(&mut writer);
    let mut command = command();
    command.args(["--directory", "/nowhere/at/all", "0"]).stderr(writer);
    let mut child = KilledOnDrop(command.spawn().expect("the binary"));
    wait_until("it ends", || child.0.try_wait().expect("a child").is_some());
    assert_eq!(child.0.wait().expect("an end").code(), Some(1));
}
