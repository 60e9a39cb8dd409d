//! What was measured, for people and for programs.

use std::time::Duration;

use pws_benchmarks::numbers::{show, show_count};
use pws_benchmarks::table::Table;
use pws_testing::attacks::GIVING_BACK;
use pws_testing::attacks::honest::PATIENCE;
use serde_json::{Value, json};

use super::memory::Borne;
use super::{Results, Round};

const MB: f64 = 1e6;

impl Round {
    /// What a person wants to see at once.
    pub fn line(&self) -> String {
        let (seen, honest) = (&self.seen, &self.seen.honest);
        let mut line = format!(
            "{:<16} {:<10} honest {:>8} / {:>8} ms, server {:>6} ms, lost {}/{}, {}% busy",
            self.attack.name,
            self.server.name(),
            ms(honest.median()),
            ms(honest.worst()),
            ms(honest.server_max),
            honest.lost.len(),
            honest.waits.len(),
            (seen.processor_share * 100.0).round(),
        );
        let (before, peak, after) = (seen.before, seen.peak, seen.after);
        line += &format!(
            "; {} / {} / {} descriptors, {} / {} / {} MB, sockets {} MB, orphans {}, closing {}",
            before.descriptors,
            peak.descriptors,
            after.descriptors,
            mb(before.resident_bytes),
            mb(peak.resident_bytes),
            mb(after.resident_bytes),
            mb(peak.socket_bytes.saturating_sub(before.socket_bytes)),
            peak.orphans.saturating_sub(before.orphans),
            seen.closing,
        );
        if self.attack.downloads > 0 {
            line += &format!("; downloads {} whole, {} cut", seen.downloads.whole, seen.downloads.cut.len());
        }
        let attackers = &seen.attackers;
        line += &format!(
            "; status {}, attackers opened {}, were cut {}, sent {} MB, took {} MB",
            seen.status.map_or_else(|| "none".to_owned(), |status| status.to_string()),
            attackers.opened,
            attackers.cut,
            mb(attackers.sent_bytes),
            mb(attackers.received_bytes)
        );
        let mishaps = honest.lost.first().into_iter().chain(seen.downloads.cut.first());
        mishaps.fold(line, |line, mishap| format!("{line}\n    {mishap}"))
    }

    fn json(&self) -> Value {
        let (seen, honest) = (&self.seen, &self.seen.honest);
        let held = |held: &pws_testing::attacks::watch::Held| {
            json!({
                "descriptors": held.descriptors, "resident_bytes": held.resident_bytes,
                "socket_bytes": held.socket_bytes, "orphans": held.orphans,
            })
        };
        json!({
            "attack": self.attack.name,
            "server": self.server.name(),
            "status": seen.status,
            "honest_median_ms": millis(honest.median()),
            "honest_worst_ms": millis(honest.worst()),
            "server_while_one_waited_max_ms": millis(honest.server_max),
            "honest_requests": honest.waits.len(),
            "honest_lost": honest.lost,
            "downloads_whole": seen.downloads.whole,
            "downloads_cut": seen.downloads.cut,
            "processor_share": seen.processor_share,
            "before": held(&seen.before),
            "peak": held(&seen.peak),
            "after": held(&seen.after),
            "closing": seen.closing,
            "attackers_opened": seen.attackers.opened,
            "attackers_cut": seen.attackers.cut,
            "attackers_sent_bytes": seen.attackers.sent_bytes,
            "attackers_received_bytes": seen.attackers.received_bytes,
        })
    }
}

impl Borne {
    /// What a person wants to see at once.
    pub fn line(&self) -> String {
        format!(
            "{:<16} {} within {} MiB: {}; at most {} MB, of which sockets {} MB; {}",
            self.load.name,
            self.load.told,
            self.load.mib,
            self.end(),
            mb(self.most.sum()),
            mb(self.most.socket_bytes),
            self.fared,
        )
    }

    fn end(&self) -> &'static str {
        match self.is_alive {
            true => "lives",
            false => "ended by the kernel",
        }
    }

    fn json(&self) -> Value {
        json!({
            "load": self.load.name,
            "within_bytes": self.load.bytes(),
            "is_alive": self.is_alive,
            "used_max_bytes": self.most.sum(),
            "used_max_sockets_bytes": self.most.socket_bytes,
            "peak_memory_bytes": self.peak.memory_bytes,
            "peak_sockets_bytes": self.peak.socket_bytes,
            "fared": self.fared,
        })
    }
}

pub fn json(results: &Results, machine: &Value) -> Value {
    let rounds: Vec<Value> = results.rounds.iter().map(Round::json).collect();
    let borne: Vec<Value> = results.borne.iter().map(Borne::json).collect();
    json!({
        "machine": machine, "secs": results.secs, "rounds": rounds, "memory": borne,
        "failed": results.failures,
    })
}

pub fn markdown(results: &Results, machine: &str) -> String {
    let mut text = format!(
        "# Under attack\n\nEach attack lasts {} s. Where nothing else is told, 32 connections send 64 requests \
         at once, over and over. Beside it an honest client asks for 1 KB on a new connection, again and again. \
         The server's time is the most processor time it took while one such request waited: no turn of its \
         loop was longer. Lost are requests that were not answered with 200 within {} s. Descriptors and memory: \
         the most / {} s after the attack at the latest. Sockets: what the kernel held at most of what was sent \
         and not yet read, the attackers' part included.\n\n{machine}\n",
        show(results.secs),
        PATIENCE.as_secs(),
        GIVING_BACK.as_secs(),
    );
    if !results.rounds.is_empty() {
        text += &attacks(&results.rounds);
    }
    if !results.borne.is_empty() {
        text += "\n## Within `--memory`\n\npws in a control group that has just as much. At most: its own memory, \
                 the kernel's tables and the buffers of its sockets, at one time.\n\n";
        text += &memory(&results.borne);
    }
    for failure in &results.failures {
        text += &format!("\nFailed: {failure}\n");
    }
    text
}

fn memory(borne: &[Borne]) -> String {
    let mut table =
        Table::new(["load", "`--memory`", "at most, MB", "sockets, MB", "the process", "clients"]);
    for one in borne {
        table.row([
            one.load.told.to_owned(),
            format!("{}M", one.load.mib),
            mb(one.most.sum()),
            mb(one.most.socket_bytes),
            one.end().to_owned(),
            one.fared.clone(),
        ]);
    }
    table.markdown()
}

fn attacks(rounds: &[Round]) -> String {
    let mut table = Table::new([
        "attack",
        "server",
        "honest: median, ms",
        "worst, ms",
        "server's time, ms",
        "lost",
        "downloads cut",
        "descriptors",
        "memory, MB",
        "sockets, MB",
        "orphans",
    ]);
    for round in rounds {
        let (seen, honest) = (&round.seen, &round.seen.honest);
        let (before, peak, after) = (seen.before, seen.peak, seen.after);
        let downloads = (seen.downloads.cut.len(), seen.downloads.cut.len() + seen.downloads.whole);
        table.row([
            round.attack.told.to_owned(),
            round.server.name().to_owned(),
            ms(honest.median()),
            ms(honest.worst()),
            ms(honest.server_max),
            share(honest.lost.len(), honest.waits.len()),
            if round.attack.downloads > 0 { share(downloads.0, downloads.1) } else { "–".to_owned() },
            format!("{} / {}", show_count(peak.descriptors as f64), show_count(after.descriptors as f64)),
            format!("{} / {}", mb(peak.resident_bytes), mb(after.resident_bytes)),
            mb(peak.socket_bytes.saturating_sub(before.socket_bytes)),
            show_count(peak.orphans.saturating_sub(before.orphans) as f64),
        ]);
    }
    table.markdown()
}

fn share(part: usize, all: usize) -> String {
    format!("{} of {}", show_count(part as f64), show_count(all as f64))
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn ms(duration: Duration) -> String {
    show(millis(duration))
}

fn mb(bytes: u64) -> String {
    show(bytes as f64 / MB)
}
