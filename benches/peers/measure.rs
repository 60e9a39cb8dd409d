//! One measurement: a server is started, checked, loaded, watched and killed.

use std::fs;
use std::thread;
use std::time::Duration;

use pws_benchmarks::Result;
use pws_benchmarks::folder::{self, MANY};
use pws_benchmarks::running::Running;
use pws_benchmarks::servers::Server;
use pws_benchmarks::wrk::{self, Ask, Load};
use pws_testing::answer::Answer;
use pws_testing::client::{Client, request};
use pws_testing::folder::Folder;

use crate::cases::Case;
use crate::results::Figures;

/// Of the many files, one in so many is checked: all of them would take longer than the measurement, with a
/// server that waits for the client's acknowledgement in every answer.
const MANY_CHECK_STEP: usize = 37;

/// For so many connections a measurement takes a second longer.
const CONNECTIONS_PER_EXTRA_SEC: usize = 2_500;

pub fn measure(case: &Case, server: Server, folder: &Folder, secs: u64) -> Result<Figures> {
    let mut running = Running::start(server, folder, &case.ask.target())?;
    let field = check(case.ask, &running, folder)?;
    let processes = running.processes();
    // Thousands of connections take a while to be made.
    let secs = secs + (case.connections / CONNECTIONS_PER_EXTRA_SEC) as u64;
    let load = Load { ask: case.ask, connections: case.connections, secs, field, work: running.work.path() };

    let cpu_secs_before = processes.cpu_secs()?;
    let wrk = load.start(running.address)?;
    // Under load, when everybody is connected.
    thread::sleep(Duration::from_millis(secs * 750));
    let memory = processes.memory();
    let seen = wrk::finish(wrk)?;
    let cpu_secs = processes.cpu_secs()? - cpu_secs_before;
    running.check_alive()?;

    // Where every answer is a 404, those that are not are wrong.
    let wrong_answers = match case.ask {
        Ask::Missing => seen.requests - seen.refusals,
        _ => seen.refusals,
    };
    let memory = memory?;
    let mut figures = vec![
        ("requests_per_sec", seen.requests / seen.secs),
        ("cpu_us_per_request", cpu_secs * 1e6 / seen.requests),
        ("cpu_busy_percent", cpu_secs * 100.0 / seen.secs),
        ("pss_mb", memory.pss / 1e6),
        ("private_dirty_mb", memory.private_dirty / 1e6),
        ("requests", seen.requests),
        ("socket_errors", seen.socket_errors),
        ("timeouts", seen.timeouts),
        ("wrong_answers", wrong_answers),
        ("errors", seen.socket_errors + seen.timeouts + wrong_answers),
    ];
    // Of a pipeline wrk takes one time, and corrects it as if it had taken one of each answer.
    if !matches!(case.ask, Ask::Pipeline(..)) {
        figures.extend([("p50_ms", seen.p50_ms), ("p99_ms", seen.p99_ms), ("max_ms", seen.max_ms)]);
    }
    Ok(Figures(figures))
}

/// Sees to it that the server answers what is asked for, byte for byte, which also warms it up. Returns the
/// field that the requests of this case carry.
fn check(ask: Ask, running: &Running, folder: &Folder) -> Result<Option<(String, String)>> {
    let mut client = Client::try_connect(running.address)?;
    let target = ask.target();
    match ask {
        Ask::File(_) => is_content(&client.try_get(&target, "")?, &target, folder)?,
        Ask::Pipeline(_, depth) => {
            client.try_send(request("GET", &target, "").repeat(depth))?;
            for number in 1..=depth {
                let answer = client.try_answer_to("GET");
                let answer = answer.map_err(|error| format!("answer {number} of a pipeline: {error}"))?;
                is_content(&answer, &target, folder)?;
            }
        }
        Ask::NewConnection(_) => {
            is_content(&client.try_get(&target, "Connection: close\r\n")?, &target, folder)?;
            return Ok(Some(("Connection".to_owned(), "close".to_owned())));
        }
        Ask::Many => {
            for index in (0..MANY).step_by(MANY_CHECK_STEP) {
                let target = folder::many(index);
                is_content(&client.try_get(&target, "")?, &target, folder)?;
            }
        }
        Ask::Missing => {
            let status = client.try_get(&target, "")?.status;
            if status != 404 {
                return Err(format!("GET {target} was answered with {status} instead of 404").into());
            }
        }
        Ask::NotModified(_) => return check_not_modified(&mut client, &target).map(Some),
    }
    Ok(None)
}

fn is_content(answer: &Answer, target: &str, folder: &Folder) -> Result<()> {
    if answer.status != 200 || answer.body != fs::read(folder.path(target))? {
        let (status, len) = (answer.status, answer.body.len());
        return Err(format!("GET {target}: wrong answer, {status} with {len} bytes").into());
    }
    Ok(())
}

/// By the server's own entity tag, or by its date if it has no tags.
fn check_not_modified(client: &mut Client, target: &str) -> Result<(String, String)> {
    let fresh = client.try_get(target, "")?;
    let (name, value) = match (fresh.field("etag"), fresh.field("last-modified")) {
        (Some(tag), _) => ("If-None-Match", tag),
        (None, Some(date)) => ("If-Modified-Since", date),
        (None, None) => return Err("neither ETag nor Last-Modified".into()),
    };
    let status = client.try_get(target, &format!("{name}: {value}\r\n"))?.status;
    if status != 304 {
        return Err(format!("GET {target} with {name} was answered with {status} instead of 304").into());
    }
    Ok((name.to_owned(), value.to_owned()))
}
