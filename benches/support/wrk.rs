//! The load: wrk, on one CPU, told what to ask for by a script that also has it report in numbers.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::folder::{self, MANY};
use super::{LOAD_CPU, Result};

/// What every connection asks for, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    File(&'static str),
    /// Many requests at once, then the answers to all of them.
    Pipeline(&'static str, usize),
    /// A connection for each request.
    NewConnection(&'static str),
    /// The many small files, one after the other.
    Many,
    Missing,
    /// A file that has not changed: the field that says since when is the server's own.
    NotModified(&'static str),
}

impl Ask {
    pub fn target(self) -> String {
        match self {
            Ask::File(target)
            | Ask::Pipeline(target, _)
            | Ask::NewConnection(target)
            | Ask::NotModified(target) => target.to_owned(),
            Ask::Many => folder::many(0),
            Ask::Missing => "/missing.html".to_owned(),
        }
    }
}

/// A run of wrk.
pub struct Load<'a> {
    pub ask: Ask,
    pub connections: usize,
    pub secs: u64,
    /// A further field of each request: name and value.
    pub field: Option<(String, String)>,
    /// Where the script may be left.
    pub work: &'a Path,
}

/// What wrk saw.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub requests: f64,
    pub secs: f64,
    /// Connecting, reading, writing.
    pub socket_errors: f64,
    /// Answers that took longer than wrk's two seconds.
    pub timeouts: f64,
    /// Answers with a status of 400 or more.
    pub refusals: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

/// A line that starts so is the report; the numbers are those of [`Seen`], in order.
const REPORT: &str = "report:";

const DONE: &str = r#"
function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format("report: %.0f %f %.0f %.0f %.0f %f %f %f\n",
        summary.requests, summary.duration / 1e6, errors.connect + errors.read + errors.write,
        errors.timeout, errors.status,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
"#;

impl Load<'_> {
    /// Starts wrk, which ends by itself.
    pub fn start(&self, address: SocketAddr) -> Result<Child> {
        let script = self.work.join("wrk.lua");
        fs::write(&script, self.script())?;
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", &LOAD_CPU.to_string(), "wrk", "--threads", "1", "--latency"]);
        command.arg("--connections").arg(self.connections.to_string());
        command.arg("--duration").arg(format!("{}s", self.secs)).arg("--script").arg(&script);
        command.arg(format!("http://{address}{}", self.ask.target()));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().map_err(|error| format!("cannot run wrk by taskset: {error}").into())
    }

    /// Without a function `request`, wrk sends the same bytes each time, and no script runs in between.
    fn script(&self) -> String {
        let mut script = String::new();
        if let Some((name, value)) = &self.field {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            // Cannot fail: writing to memory.
            let _ = writeln!(script, "wrk.headers[\"{name}\"] = \"{value}\"");
        }
        script += &match self.ask {
            Ask::Pipeline(_, depth) => format!(
                "function init()\n    batch = string.rep(wrk.format(), {depth})\nend\n\
                 function request()\n    return batch\nend\n"
            ),
            Ask::Many => format!(
                "local requests, at = {{}}, 0\n\
                 function init()\n    for index = 1, {MANY} do\n        \
                 requests[index] = wrk.format(\"GET\", string.format(\"/many/%03d.html\", index - 1))\n    \
                 end\nend\n\
                 function request()\n    at = at % {MANY} + 1\n    return requests[at]\nend\n"
            ),
            _ => String::new(),
        };
        script + DONE
    }
}

/// Waits for wrk, and reads its report.
pub fn finish(wrk: Child) -> Result<Seen> {
    let output = wrk.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let Some(report) = said.lines().find_map(|line| line.strip_prefix(REPORT)) else {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(format!("wrk reported nothing: {said}{complaint} (try 'apt-get install wrk')").into());
    };
    let numbers: std::result::Result<Vec<f64>, _> = report.split_whitespace().map(str::parse).collect();
    let [requests, secs, socket_errors, timeouts, refusals, p50_ms, p99_ms, max_ms] = numbers?[..] else {
        return Err(format!("wrk reported something else: {report}").into());
    };
    if requests == 0.0 {
        return Err(format!("wrk got no answer at all: {socket_errors} socket errors").into());
    }
    Ok(Seen { requests, secs, socket_errors, timeouts, refusals, p50_ms, p99_ms, max_ms })
}
