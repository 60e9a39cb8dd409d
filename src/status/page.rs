//! The page that shows it: figures as a table, which needs no script, and plots that move, which do.

use std::fmt::Write;

use super::Told;
use crate::limits::told_bytes;
use crate::metrics::{Bounded, Lap};
use crate::notices::Counted;

pub const STYLE: &str = include_str!("style.css");
pub const SCRIPT: &str = include_str!("script.js");

/// Nothing but what is served beside the page (CSP Level 3).
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What has a plot: its name in the script, and what it is called.
const PLOTS: [(&str, &str); 6] = [
    ("busy", "The loop was busy"),
    ("responses", "Responses a second"),
    ("bytes", "Sent a second"),
    ("latency", "99 of 100 within"),
    ("connections", "Connections"),
    ("turns", "Turns a second"),
];

/// The page as it is now.
pub fn html(told: &Told) -> String {
    let mut html = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>pws: status</title>\n\
         <link rel=\"stylesheet\" href=\"style.css\">\n<script src=\"script.js\" defer></script>\n\
         <noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>\n\
         <h1>pws</h1>\n<p id=\"verdict\">Since the start:</p>\n<div id=\"plots\" hidden>\n",
    );
    for (name, title) in PLOTS {
        // Cannot fail: writing to memory.
        let _ = writeln!(
            html,
            "<section><h2>{title}</h2><p id=\"{name}\">&nbsp;</p><svg viewBox=\"0 0 120 40\" \
             preserveAspectRatio=\"none\" aria-hidden=\"true\"><polyline id=\"{name}-plot\"/></svg></section>"
        );
    }
    html += "</div>\n<table>\n";
    for (name, value) in rows(told) {
        let _ = writeln!(html, "<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>");
    }
    html + "</table>\n<p>The same for programs: <a href=\"status.json\">status.json</a>, \
            <a href=\"metrics\">metrics</a>, <a href=\"health\">health</a>.</p>\n"
}

/// Nothing of a client is in them, so there is nothing to escape.
fn rows(told: &Told) -> Vec<(String, String)> {
    let (snapshot, process) = (&told.loop_, &told.process);
    let (metrics, latency) = (&snapshot.metrics, &snapshot.metrics.latency);
    let count = |count| Counted(count, ["", ""]).to_string().trim_end().to_owned();
    let bounded = |Bounded { count: there, max }| format!("{} of {}", count(there), count(max));
    let bytes = |Bounded { count, max }| format!("{} of {}", told_bytes(count), told_bytes(max));
    let busy_percent = metrics.busy_nanos / 10 / snapshot.at_micros.max(1);
    let mut rows = vec![
        ("up".to_owned(), format!("{} s", count(snapshot.at_micros / 1_000_000))),
        ("busy".to_owned(), format!("{busy_percent} %")),
    ];
    for (index, responses) in metrics.responses.iter().enumerate().filter(|(_, count)| **count > 0) {
        rows.push((format!("responses {}xx", index + 1), count(*responses)));
    }
    rows.push(("sent".to_owned(), told_bytes(metrics.sent_bytes)));
    for (name, permille) in [("half within", 500), ("99 of 100 within", 990), ("999 of 1,000 within", 999)] {
        rows.push((name.to_owned(), format!("{} µs", count(latency.permille_micros(permille)))));
    }
    rows.push(("longest response".to_owned(), format!("{} µs", count(latency.max_micros))));
    let laps = Lap::ALL.into_iter().zip(metrics.longest_turn_laps);
    let laps = laps.map(|(lap, nanos)| format!("{} {}", lap.name(), count(nanos / 1000)));
    let spent = laps.collect::<Vec<_>>().join(", ");
    let longest = format!("{} µs: {spent}", count(metrics.longest_turn_nanos / 1000));
    rows.push(("longest turn".to_owned(), longest));
    rows.push((
        "turns".to_owned(),
        format!("{} with {} events", count(metrics.turns), count(metrics.events)),
    ));
    rows.push(("connections".to_owned(), bounded(snapshot.connections)));
    for (what, waiting) in snapshot.waiting.iter().filter(|(_, count)| *count > 0) {
        rows.push((format!("in wait: {what}"), count(*waiting)));
    }
    rows.push(("descriptors".to_owned(), bounded(snapshot.descriptors)));
    rows.push(("memory of connections".to_owned(), bytes(snapshot.heap_bytes)));
    rows.push(("the kernel's for them".to_owned(), bytes(snapshot.kernel_bytes)));
    rows.push(("memory of the process".to_owned(), told_bytes(process.resident_bytes)));
    let times = format!("{} ms in pws, {} ms in the kernel", process.user_millis, process.kernel_millis);
    rows.push(("processor".to_owned(), times));
    let [hits, misses, comparisons] =
        [snapshot.cache.hits, snapshot.cache.misses, snapshot.cache.comparisons].map(count);
    let told = format!("{hits} remembered, {comparisons} compared with the disk, {misses} looked for");
    rows.push(("files".to_owned(), told));
    rows.push(("full accept queues, of all here".to_owned(), count(process.listen_overflows)));
    for (what, notices) in snapshot.notices.iter().filter(|(_, count)| *count > 0) {
        rows.push((what.clone(), count(*notices)));
    }
    rows
}
