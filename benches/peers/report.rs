//! The results as Markdown tables.

use pws_benchmarks::machine;
use pws_benchmarks::numbers::{show, show_count, show_option};
use pws_benchmarks::servers::Server;
use pws_benchmarks::table::Table;

use crate::cases::Case;
use crate::results::Results;

/// Which of two figures is the better one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Better {
    Less,
    More,
}

const LATENCY_NOTE: &str = "As wrk tells it: corrected for the requests that a slow answer kept from being \
     sent (coordinated omission). It takes one time for a whole pipeline, which says nothing of an answer.";

pub fn markdown(results: &Results) -> String {
    let (logs, cases): (Vec<&Case>, Vec<&Case>) =
        results.cases().into_iter().partition(|case| case.is_about_logs());
    let mut text = format!(
        "# pws and its peers\n\nMedians of {} rounds of {} s each, server and wrk on a CPU of their own.\n\n\
         {}",
        results.rounds_max(),
        results.secs,
        machine::describe(&results.machine)
    );
    let sections = [
        ("Processor time of the server per request, µs", "cpu_us_per_request", Better::Less),
        ("Requests per second", "requests_per_sec", Better::More),
    ];
    if !cases.is_empty() {
        for (title, figure, better) in sections {
            text += &format!("\n## {title}\n\n{}", with_ratios(results, &cases, figure, better));
        }
        text += &format!("\n## Latency, p50 / p99, ms\n\n{LATENCY_NOTE}\n\n{}", latencies(results, &cases));
        for (title, figure) in [
            ("Memory under load (PSS of all processes), MB", "pss_mb"),
            ("Load of the server's CPU, % (where it is not 100, wrk was the limit)", "cpu_busy_percent"),
        ] {
            text += &format!("\n## {title}\n\n{}", plain(results, &cases, figure));
        }
    }
    if !logs.is_empty() {
        text += "\n## What the access log costs\n\n";
        for (title, figure, _) in sections {
            text += &format!("{title}:\n\n{}\n", plain(results, &logs, figure));
        }
    }
    text + &complaints(results)
}

/// A row per case, a column per server.
fn table(
    results: &Results,
    cases: &[&Case],
    further_columns: &[&str],
    cell: impl Fn(&Case, Server) -> String,
    further_cells: impl Fn(&Case) -> Vec<String>,
) -> String {
    let servers = results.servers(cases);
    let names = servers.iter().map(|server| server.name());
    let mut table = Table::new(["case"].into_iter().chain(names).chain(further_columns.iter().copied()));
    for case in cases {
        let mut row = vec![case.full_title()];
        row.extend(servers.iter().map(|server| cell(case, *server)));
        row.extend(further_cells(case));
        table.row(row);
    }
    table.markdown()
}

fn plain(results: &Results, cases: &[&Case], figure: &str) -> String {
    let cell = |case: &Case, server| show_option(results.median(case, server, figure));
    table(results, cases, &[], cell, |_| Vec::new())
}

fn latencies(results: &Results, cases: &[&Case]) -> String {
    let cell = |case: &Case, server| {
        let median = |figure| results.median(case, server, figure);
        match (median("p50_ms"), median("p99_ms")) {
            (Some(p50), Some(p99)) => format!("{} / {}", show(p50), show(p99)),
            _ => show_option(None),
        }
    };
    table(results, cases, &[], cell, |_| Vec::new())
}

/// With pws as a multiple of the floor, and of the best peer that made no mistakes.
fn with_ratios(results: &Results, cases: &[&Case], figure: &str, better: Better) -> String {
    let cell = |case: &Case, server| {
        let mark = if results.is_doubtful(case, server) { "*" } else { "" };
        format!("{}{mark}", show_option(results.median(case, server, figure)))
    };
    let ratios = |case: &Case| {
        let median = |server| results.median(case, server, figure);
        let servers = results.servers(&[case]).into_iter();
        let peers = servers.filter(|server| server.is_peer() && !results.is_doubtful(case, *server));
        let figures = peers.filter_map(|peer| Some((peer, median(peer)?)));
        let best = figures.max_by(|(_, a), (_, b)| match better {
            Better::More => a.total_cmp(b),
            Better::Less => b.total_cmp(a),
        });
        let to_floor = median(Server::Pws).zip(median(Server::Floor)).map(|(pws, floor)| pws / floor);
        let to_best = median(Server::Pws).zip(best).map(|(pws, (_, best))| pws / best);
        let best_name = best.map_or("", |(peer, _)| peer.name());
        vec![show_option(to_floor), show_option(to_best), best_name.to_owned()]
    };
    table(results, cases, &["pws/floor", "pws/best peer", "best peer"], cell, ratios)
}

/// Errors that wrk counted, and measurements that failed.
fn complaints(results: &Results) -> String {
    let mut lines = String::new();
    for case in results.cases() {
        for server in results.servers(&[case]) {
            let sum = |figure| results.sum(case, server, figure);
            if sum("errors") > 0.0 {
                lines += &format!(
                    "- {}, {}: {} socket errors, {} answers after more than 2 s, {} wrong ones, of {}\n",
                    case.name,
                    server.name(),
                    show_count(sum("socket_errors")),
                    show_count(sum("timeouts")),
                    show_count(sum("wrong_answers")),
                    show_count(sum("requests")),
                );
            }
            let mut failures = results.failures(case, server);
            if let Some(first) = failures.next() {
                let count = 1 + failures.count();
                lines += &format!(
                    "- {}, {}: {count} rounds failed, the first: {first}\n",
                    case.name,
                    server.name()
                );
            }
        }
    }
    match lines.is_empty() {
        true => "\nNo errors.\n".to_owned(),
        false => format!("\n## Errors (marked * above)\n\n{lines}"),
    }
}
