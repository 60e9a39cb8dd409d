//! A machine that stands still: a process that is stopped and goes on finds all that came meanwhile.

use std::net::SocketAddr;
use std::thread::sleep;
use std::time::{Duration, Instant};

use pws_testing::client::Client;
use pws_testing::process::Process;
use pws_testing::vitals::assert_no_spinning;
use rustix::process::Signal;

use super::folder;
use crate::support::binary;

const SECOND: Duration = Duration::from_secs(1);
const IDLE_SECS: u32 = 1;

fn serve() -> Process {
    binary::serve(folder(), &["--access-log", "off", "--idle-timeout", &IDLE_SECS.to_string()])
}

/// Longer than any of these connections may be idle.
fn stand_still(process: &Process, meanwhile: impl FnOnce()) {
    process.signal(Signal::STOP);
    let stopped = Instant::now();
    meanwhile();
    sleep((3 * SECOND).saturating_sub(stopped.elapsed()));
    process.signal(Signal::CONT);
}

/// As many as no single look at the news tells of: those told of later are no later.
#[test]
fn who_asks_while_the_process_stands_still_is_answered_when_it_goes_on() {
    const CLIENTS: usize = 2500;

    pws::process::resources::raise_open_files();
    let mut process = serve();
    let mut clients: Vec<Client> = (0..CLIENTS).map(|_| process.connect()).collect();
    // The last to come in: so are all.
    assert_eq!(clients[CLIENTS - 1].get("/page.html").status, 200);
    stand_still(&process, || clients.iter_mut().for_each(|client| client.ask("/page.html")));
    let answered = clients.iter_mut().filter_map(|client| {
        let mut buffer = [0; 4096];
        client.read_some(&mut buffer).ok().filter(|count| *count > 0 && buffer.starts_with(b"HTTP/1.1 200"))
    });
    assert_eq!(answered.count(), CLIENTS, "of those who asked in time");
    assert!(clients.iter_mut().all(Client::is_closed), "afterwards their time is up as ever");
    assert_no_spinning(&process);
    assert!(process.is_running());
}

#[test]
fn a_download_and_a_head_that_are_under_way_go_on_and_who_is_silent_is_cut() {
    const LARGE: u64 = 64 << 20;

    let process = serve();
    let mut download = Client::connect_with_receive_buffer(process.address(), 32 * 1024);
    download.ask("/large.bin");
    assert_eq!(download.head().status, 200);
    let mut amid_a_head = process.connect();
    amid_a_head.send("GET /page.html HTTP/1.1\r\nHo");
    let mut silent = process.connect();
    assert_eq!(silent.get("/page.html").status, 200);
    let mut coming = None;
    stand_still(&process, || {
        amid_a_head.send("st: test\r\n\r\n");
        coming = Some(process.connect());
    });
    let mut coming = coming.expect("the kernel takes connections by itself");
    assert_eq!(coming.get("/page.html").text(), "<p>page", "its time begins when it is let in");
    assert_eq!(amid_a_head.answer().text(), "<p>page");
    assert_eq!(download.count_rest(LARGE), LARGE);
    assert!(silent.is_closed());
    assert_no_spinning(&process);
}

/// More than are let in in a turn, at one of two doors: nobody else comes to remind of them.
#[test]
fn who_waits_at_one_of_two_doors_while_the_process_stands_still_is_let_in() {
    const CLIENTS: usize = 800;

    pws::process::resources::raise_open_files();
    let args = ["--access-log", "off", "--bind", "127.0.0.1", "--bind", "127.0.0.2"];
    let process = binary::serve(folder(), &args);
    for host in [1, 2] {
        let address = SocketAddr::from(([127, 0, 0, host], process.address().port()));
        process.signal(Signal::STOP);
        let mut clients: Vec<Client> = (0..CLIENTS).map(|_| Client::connect(address)).collect();
        clients.iter_mut().for_each(|client| client.ask("/page.html"));
        process.signal(Signal::CONT);
        let answered = clients.iter_mut().map(|client| client.try_answer_to("GET").is_ok());
        let answered = answered.filter(|is_answered| *is_answered).count();
        assert_eq!(answered, CLIENTS, "at the door {host}");
    }
}
