//! The access log on standard output: what a line says, and that nobody who reads it holds the server up.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{ChildStderr, Stdio};
use std::time::Duration;

use pws_testing::client::Client;
use pws_testing::folder::Folder;
use pws_testing::patience::wait_until;
use pws_testing::process::{KilledOnDrop, Process, address_in, command_of, first_line, serving};
use rustix::process::{Pid, Signal, kill_process};

use super::folder;
use crate::support::binary::{PWS, command, serve};
use crate::support::tools;

/// Sends `count` requests as fast as they are taken, and reads as many answers.
#[track_caller]
fn pipeline(address: SocketAddr, count: usize) {
    // The page for what is not there is as long every time, fields included: bytes are as good as answers.
    let mut client = Client::connect(address);
    client.send_last("GET /nowhere HTTP/1.1\r\nHost: test\r\n\r\n");
    let answer_len = client.rest().len() as u64;
    let mut client = Client::connect(address);
    let mut sending = client.stream.try_clone().expect("the same connection");
    let sender = std::thread::spawn(move || {
        let requests = b"GET /nowhere HTTP/1.1\r\nHost: test\r\n\r\n".repeat(count - 1);
        sending.write_all(&requests).expect("the server reads");
    });
    let expected = (count as u64 - 1) * answer_len;
    assert_eq!(client.count_rest(expected), expected);
    sender.join().expect("all sent");
}

/// The parts of a line: `client - - [time] "request" status bytes`.
#[track_caller]
fn assert_common_log_format(line: &str, request: &str, status: u16, body_bytes: usize) {
    let rest = line.strip_prefix("127.0.0.1 - - [").expect(line);
    let (time, rest) = rest.split_once("] ").expect(line);
    let form: String = time.chars().map(|char| if char.is_ascii_digit() { '0' } else { char }).collect();
    let (before_month, after_month) = form.split_at_checked(3).expect(line);
    assert_eq!(before_month, "00/", "{line}");
    assert_eq!(&after_month[3..], "/0000:00:00:00 +0000", "{line}");
    assert_eq!(rest, format!("\"{request}\" {status} {body_bytes}"));
}

/// The line comes when the response has left or was cut, and tells what was handed to the client.
#[test]
fn a_download_that_is_broken_off_has_its_line_with_what_was_sent() {
    const LEN: u64 = 64 << 20;

    let process = serve(folder().sparse_file("large.bin", LEN), &[]);
    let mut client = Client::connect_with_receive_buffer(process.address(), 32 * 1024);
    client.ask("/large.bin");
    assert_eq!(client.head().status, 200);
    assert_eq!(process.connect().get("/page.html").status, 200);
    client.reset();
    let mut reader = process.connect();
    assert_eq!(reader.get("/nowhere").status, 404);
    let lines = process.stop();
    let at =
        |what: &str| lines.iter().position(|line| line.contains(what)).unwrap_or_else(|| panic!("{lines:?}"));
    assert!(at("/page.html") < at("/large.bin"), "told before it was over: {lines:?}");
    let sent: u64 =
        lines[at("/large.bin")].rsplit(' ').next().and_then(|sent| sent.parse().ok()).expect("bytes");
    assert!((1..LEN).contains(&sent), "{sent}");
}

#[test]
fn every_answer_has_its_line() {
    let process = serve(folder(), &[]);
    let mut expected = Vec::new();
    for (target, shown) in [
        ("/page.html", "/page.html"),
        ("/nowhere?a=b", "/nowhere?a=b"),
        ("/\"quoted\\", "/\\\"quoted\\\\"),
        ("/\u{fc}", "/\\xc3\\xbc"),
        ("/\x1b[2J\x07", "/\\x1b[2J\\x07"),
    ] {
        // A connection each: the last is refused.
        let answer = process.connect().get(target);
        expected.push((format!("GET {shown} HTTP/1.1"), answer.status, answer.body.len()));
    }
    let mut client = process.connect();
    client.send("HEAD /page.html HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(client.answer_to("HEAD").status, 200);
    expected.push(("HEAD /page.html HTTP/1.1".to_owned(), 200, 0));
    let statuses: Vec<u16> = expected.iter().map(|(_, status, _)| *status).collect();
    assert_eq!(statuses, [200, 404, 404, 404, 400, 200]);
    let lines = process.stop();
    assert_eq!(lines.len(), expected.len(), "{lines:?}");
    for (line, (request, status, body_bytes)) in lines.iter().zip(expected) {
        assert_common_log_format(line, &request, status, body_bytes);
    }
}

#[test]
fn no_access_log_if_so_asked() {
    let process = serve(folder(), &["--access-log", "off"]);
    assert_eq!(process.connect().get("/page.html").status, 200);
    assert_eq!(process.stop(), [""; 0]);
}

#[test]
fn lines_are_written_at_once() {
    let mut process = serve(folder(), &[]);
    assert_eq!(process.connect().get("/page.html").status, 200);
    let (line, _reader) = first_line(process.stdout.take().expect("standard output"));
    assert_common_log_format(&line, "GET /page.html HTTP/1.1", 200, 7);
}

#[test]
fn a_log_nobody_reads_holds_nobody_up() {
    let process = serve(folder(), &[]);
    pipeline(process.address(), 20_000);
}

#[test]
fn a_log_to_a_socket_nobody_reads_holds_nobody_up() {
    // As systemd has it for its journal.
    let (reader, writer) = UnixStream::pair().expect("two ends");
    let folder = folder();
    let mut command = serving(command(), &folder);
    command.stdout(OwnedFd::from(writer)).stderr(Stdio::piped());
    let mut child = KilledOnDrop(command.spawn().expect("the binary"));
    drop(command);
    let (first_line, _errors) = first_line(child.0.stderr.take().expect("a pipe"));
    pipeline(address_in(&first_line), 20_000);
    drop(reader);
}

/// What reads the log from a pipe is to get lines of that and nothing else.
#[test]
fn standard_output_is_the_logs_alone_where_it_goes_there() {
    let process = serve(folder(), &[]);
    let said = process.stderr();
    assert!(said.lines().any(|line| line.starts_with("Serving ")), "{said}");
    assert_eq!(process.connect().get("/page.html").status, 200);
    let lines = process.stop();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_common_log_format(&lines[0], "GET /page.html HTTP/1.1", 200, 7);
    let process = serve(folder(), &["--access-log", "off"]);
    assert!(process.first_line.starts_with("Serving ") && !process.stderr().contains("Serving "));
}

/// Whoever looks at a terminal while lines pass sees what failed.
#[test]
fn statuses_have_colours_on_a_terminal_that_shows_them() {
    if !tools::has("script") {
        return;
    }
    for (variables, is_coloured) in [
        ("TERM=xterm", true),
        ("TERM=xterm NO_COLOR=", true),
        ("TERM=xterm NO_COLOR=1", false),
        ("TERM=dumb", false),
    ] {
        let folder = folder();
        let root = folder.root();
        let inner = format!("exec env {variables} {PWS} --bind 127.0.0.1 '{}' 0", root.display());
        let mut command = command_of("script");
        command.args(["--quiet", "--command", &inner, "/dev/null"]);
        command.env("SHELL", "/bin/sh").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut script = KilledOnDrop(command.spawn().expect("script"));
        let (serving, reader) = first_line(script.0.stdout.take().expect("a pipe"));
        let mut client = Client::connect(address_in(serving.trim_end()));
        assert_eq!(client.get("/nowhere").status, 404);
        let lines = reader.lines().map(|line| line.expect("a line"));
        let line = lines.into_iter().find(|line| line.contains("GET /nowhere")).expect("its line");
        let status = if is_coloured { " \u{1b}[33m404\u{1b}[0m " } else { " 404 " };
        assert!(line.contains(status), "{variables}: {line:?}");
        // To lose its terminal is not the end of who was started with SIGHUP ignored.
        end_child_of(script.0.id());
        wait_until("it ends", || script.0.try_wait().expect("script").is_some());
    }
}

/// Has the one child of a process stop.
#[track_caller]
fn end_child_of(process: u32) {
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let child = children.expect("its children").trim().parse().expect("one child");
    kill_process(Pid::from_raw(child).expect("its number"), Signal::TERM).expect("a process");
}

const LOST: &str = " of the access log lost";

/// How many lines standard error says were lost: in its summary, or one message behind the other.
#[track_caller]
fn lost_lines(process: &Process) -> usize {
    let stderr = process.stderr();
    let (summaries, messages): (Vec<&str>, Vec<&str>) =
        stderr.lines().filter(|line| line.contains(LOST)).partition(|line| line.contains("served "));
    let count = |line: &&str| {
        let (before, _) = line.split_once(LOST).expect(LOST);
        let number = before.rsplit(' ').nth(1).expect("a number").replace(',', "");
        number.parse::<usize>().expect("a count")
    };
    if summaries.is_empty() { &messages } else { &summaries }.iter().map(count).sum()
}

#[test]
fn every_line_is_written_or_counted_as_lost() {
    const COUNT: usize = 20_000;

    let mut process = serve(folder(), &[]);
    pipeline(process.address(), COUNT);
    let stdout = process.stdout.take().expect("standard output");
    let reader =
        std::thread::spawn(move || stdout.lines().try_fold(0, |count, line| line.map(|_| count + 1)));
    // While it runs: the reader takes lines again.
    process.wait_for(LOST);
    assert!(process.stderr().contains(", its reader is slow"), "{}", process.stderr());
    process.signal(Signal::TERM);
    let written: usize = reader.join().expect("a reader").expect("UTF-8");
    assert_eq!(process.wait().code(), Some(0));
    let lost = lost_lines(&process);
    assert_eq!(written + lost, COUNT, "{written} lines written, {lost} told as lost");
}

#[test]
fn a_stop_writes_every_line_or_counts_it_as_lost() {
    const COUNT: usize = 20_000;

    let mut process = serve(folder(), &[]);
    pipeline(process.address(), COUNT);
    process.signal(Signal::TERM);
    let mut stdout = process.stdout.take().expect("standard output");
    let mut text = String::new();
    stdout.read_to_string(&mut text).expect("UTF-8");
    assert_eq!(process.wait().code(), Some(0));
    assert!(text.ends_with('\n'), "cut amid a line: {:?}", text.lines().last());
    let (written, lost) = (text.lines().count(), lost_lines(&process));
    assert_eq!(written + lost, COUNT, "{written} lines written, {lost} told as lost");
}

/// A server whose standard output is a file.
struct LogsToFile {
    log: PathBuf,
    address: SocketAddr,
    _errors: BufReader<ChildStderr>,
    _child: KilledOnDrop,
    _folder: Folder,
}

impl LogsToFile {
    #[track_caller]
    fn serve() -> LogsToFile {
        let folder = folder();
        let log = folder.outside().join("log");
        let mut command = serving(command(), &folder);
        command.stdout(File::create(&log).expect("a file")).stderr(Stdio::piped());
        let mut child = KilledOnDrop(command.spawn().expect("the binary"));
        let (first_line, errors) = first_line(child.0.stderr.take().expect("a pipe"));
        let address = address_in(&first_line);
        LogsToFile { log, address, _errors: errors, _child: child, _folder: folder }
    }

    /// What has been written.
    #[track_caller]
    fn lines(&self) -> String {
        std::fs::read_to_string(&self.log).expect("UTF-8")
    }
}

/// A disk can always take them, so it gets them within the turn: neither a crowd of long lines nor a long
/// pipeline hides what others ask for.
#[test]
fn a_log_file_has_every_line() {
    const PIPELINED: usize = 20_000;

    let server = LogsToFile::serve();
    let address = server.address;
    let mut clients: Vec<Client> = (0..62).map(|_| Client::connect(address)).collect();
    // Sent together: most are answered in one turn.
    for (index, client) in clients.iter_mut().enumerate() {
        let target = if index < 12 { "\u{fc}".repeat(4000) } else { index.to_string() };
        client.send(format!("GET /{target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"));
    }
    pipeline(address, PIPELINED);
    wait_until("every line is there", || server.lines().lines().count() == 62 + PIPELINED);
}

/// Whoever rotates logs may empty the file; what comes then stands at its start.
#[test]
fn a_log_file_that_is_emptied_goes_on_from_its_start() {
    let server = LogsToFile::serve();
    let mut client = Client::connect(server.address);
    assert_eq!(client.get("/nowhere").status, 404);
    wait_until("a line is there", || server.lines().ends_with('\n'));
    File::options().write(true).open(&server.log).and_then(|log| log.set_len(0)).expect("an empty file");
    assert_eq!(client.get("/page.html").status, 200);
    wait_until("its line is there", || server.lines().ends_with('\n'));
    assert_common_log_format(server.lines().trim_end(), "GET /page.html HTTP/1.1", 200, 7);
}

#[test]
fn a_log_whose_reader_is_gone_ends_nothing() {
    let mut process = serve(folder(), &[]);
    drop(process.stdout.take());
    let mut client = process.connect();
    for _ in 0..3000 {
        assert_eq!(client.get("/page.html").text(), "<p>page");
    }
    assert!(process.is_running());
}

#[test]
fn a_log_whose_reader_is_gone_does_not_flood_standard_error() {
    let mut process = serve(folder(), &[]);
    drop(process.stdout.take());
    let mut client = process.connect();
    for _ in 0..3000 {
        assert_eq!(client.get("/page.html").text(), "<p>page");
    }
    let stderr = process.stderr();
    assert!(stderr.contains("access log"), "it is told: {stderr}");
    assert!(stderr.lines().count() < 100, "{} lines of it", stderr.lines().count());
}

#[test]
fn a_terminal_that_is_gone_with_both_outputs_ends_nothing() {
    // As `pws 2>&1 | head -1` leaves it.
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let folder = folder();
    let mut command = serving(command(), &folder);
    command.stdout(writer.try_clone().expect("its copy")).stderr(Stdio::from(writer));
    let mut child = KilledOnDrop(command.spawn().expect("the binary"));
    // It holds copies of the writing end, which would keep the reader waiting if the process ended.
    drop(command);
    let (first_line, reader) = first_line(reader);
    drop(reader);
    let mut client = Client::connect(address_in(&first_line));
    for _ in 0..100 {
        assert_eq!(client.get("/page.html").text(), "<p>page");
    }
    assert!(child.0.try_wait().expect("a child").is_none());
}

/// Neither is a request, and whoever runs the server hears of both: by a line of the log, and by what it means.
#[test]
fn who_speaks_tls_and_who_is_too_late_have_a_line() {
    let process = serve(folder(), &[]);
    let mut late = process.connect();
    late.send("GET /late HTTP/1.1\r\nHost:");
    let mut secure = process.connect();
    secure.send(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03");
    assert_eq!(secure.answer().status, 400);
    process.wait_for("refused for speaking TLS, as for https://, to a port of plain HTTP");
    late.set_patience(Duration::from_secs(30));
    let answer = late.answer();
    assert_eq!((answer.status, answer.field("connection")), (408, Some("close")));
    process.wait_for("answered with 408 for not coming in time");
    let expected = format!("\"GET /late HTTP/1.1\" 408 {}", answer.body.len());
    let lines = process.stop();
    assert!(lines.iter().any(|line| line.ends_with(&expected)), "{lines:?}");
}
