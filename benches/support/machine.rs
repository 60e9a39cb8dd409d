//! What a result is worth nothing without: the machine, the date, the versions.

use std::fs;
use std::process::Command;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::programs::first_line;
use super::servers::Server;

/// Everything a reader needs to place the figures.
pub fn facts(servers: &[Server]) -> Value {
    let versions = servers.iter().map(|server| (server.name().to_owned(), Value::from(server.version())));
    json!({
        "date": httpdate::fmt_http_date(SystemTime::now()),
        "commit": commit(),
        "cpu": cpu_model(),
        "cpus": read("/proc/cpuinfo").matches("\nprocessor").count() + 1,
        "kernel": read("/proc/sys/kernel/osrelease"),
        "backlog_max": read("/proc/sys/net/core/somaxconn"),
        "load_average": read("/proc/loadavg"),
        "wrk": first_line(Command::new("wrk").arg("-v")),
        "versions": versions.collect::<serde_json::Map<_, _>>(),
    })
}

/// The same for a person, in Markdown.
pub fn describe(facts: &Value) -> String {
    let fact = |name: &str| facts[name].as_str().unwrap_or("?").to_owned();
    let mut text = format!(
        "{}, commit {}, {} ({} CPUs), Linux {}, {}; load average at the start {}.\n\n",
        fact("date"),
        fact("commit"),
        fact("cpu"),
        facts["cpus"],
        fact("kernel"),
        fact("wrk").split(" [").next().unwrap_or("?"),
        fact("load_average").split(' ').next().unwrap_or("?"),
    );
    for (server, version) in facts["versions"].as_object().into_iter().flatten() {
        text += &format!("- {server}: {}\n", version.as_str().unwrap_or("?"));
    }
    text
}

fn commit() -> String {
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-C", concat!(env!("CARGO_MANIFEST_DIR"), "/../..")]).args(args).output().ok()
    };
    let said = |args| git(args).map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let Some(commit) = said(&["rev-parse", "--short", "HEAD"]).filter(|commit| !commit.is_empty()) else {
        return "unknown".to_owned();
    };
    match said(&["status", "--porcelain", "--", "src", "Cargo.toml", "Cargo.lock"]) {
        Some(changes) if changes.is_empty() => commit,
        _ => format!("{commit} with changes"),
    }
}

fn cpu_model() -> String {
    let info = read("/proc/cpuinfo");
    let model =
        info.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(':'));
    model.map_or("unknown", |(_, name)| name.trim()).to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(path).map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}
