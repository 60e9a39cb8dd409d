//! What is told in the text format of Prometheus, version 0.0.4, by its naming conventions: `/metrics`.

use std::fmt::{Display, Write};

use super::Told;
use crate::metrics::Bounded;

/// A family of metrics, being written.
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Cannot fail: writing to memory.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, "", value);
    }

    fn bounded(&mut self, name: &str, help: &str, Bounded { count, max }: Bounded) {
        self.one(name, "gauge", help, count);
        self.one(&format!("{name}_max"), "gauge", "The most that there may be.", max);
    }
}

/// Seconds, as the conventions want them.
struct Seconds(u64);

impl Display for Seconds {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// All of it.
pub fn text(told: &Told) -> String {
    let (snapshot, process) = (&told.loop_, &told.process);
    let (metrics, mut text) = (&snapshot.metrics, Text(String::new()));
    text.family("pws_responses_total", "counter", "Responses by the class of their status.");
    for (index, count) in metrics.responses.iter().enumerate() {
        text.sample("pws_responses_total", &format!("{{class=\"{}xx\"}}", index + 1), count);
    }
    text.one(
        "pws_sent_bytes_total",
        "counter",
        "Bytes handed to sockets, heads included.",
        metrics.sent_bytes,
    );
    latency(told, &mut text);
    text.one("pws_turns_total", "counter", "Turns of the loop.", metrics.turns);
    text.one("pws_events_total", "counter", "Events that the poll has told of.", metrics.events);
    let busy = Seconds(metrics.busy_nanos / 1000);
    text.one("pws_busy_seconds_total", "counter", "Time that the loop did not sleep.", busy);
    let longest = Seconds(metrics.longest_turn_nanos / 1000);
    text.one("pws_longest_turn_seconds", "gauge", "The longest turn since the start.", longest);
    text.bounded("pws_connections", "Connections that are open.", snapshot.connections);
    text.family("pws_waiting_connections", "gauge", "Connections by what they wait for.");
    for (name, count) in &snapshot.waiting {
        text.sample("pws_waiting_connections", &format!("{{for=\"{name}\"}}"), count);
    }
    text.bounded("pws_descriptors", "Sockets, files and folders that are open.", snapshot.descriptors);
    text.bounded("pws_heap_bytes", "Memory that connections keep.", snapshot.heap_bytes);
    text.bounded(
        "pws_kernel_bytes",
        "Memory that the kernel is taken to keep for them.",
        snapshot.kernel_bytes,
    );
    text.one("pws_cache_hits_total", "counter", "Files that were remembered.", snapshot.cache.hits);
    text.one("pws_cache_misses_total", "counter", "Files that were looked for.", snapshot.cache.misses);
    let (what, comparisons) = ("Files that were compared with the disk.", snapshot.cache.comparisons);
    text.one("pws_cache_comparisons_total", "counter", what, comparisons);
    text.family("pws_notices_total", "counter", "Bounds that took effect, by what happened.");
    for (what, count) in &snapshot.notices {
        text.sample("pws_notices_total", &format!("{{what=\"{what}\"}}"), count);
    }
    let overflows = process.listen_overflows;
    text.one("pws_listen_overflows_total", "counter", "Full queues of all listeners here.", overflows);
    text.family("pws_cpu_seconds_total", "counter", "Processor time, in pws and in the kernel for it.");
    for (mode, millis) in [("user", process.user_millis), ("kernel", process.kernel_millis)] {
        text.sample("pws_cpu_seconds_total", &format!("{{mode=\"{mode}\"}}"), Seconds(millis * 1000));
    }
    text.one("pws_resident_bytes", "gauge", "Memory of the process.", process.resident_bytes);
    text.one("pws_uptime_seconds", "gauge", "Since the start.", Seconds(snapshot.at_micros));
    text.0
}

fn latency(told: &Told, text: &mut Text) {
    const NAME: &str = "pws_response_duration_seconds";
    let latency = &told.loop_.metrics.latency;
    text.family(NAME, "histogram", "From the turn that read a request to the end of its response.");
    let mut so_far = 0;
    for (micros, count) in latency.buckets() {
        so_far += count;
        text.sample(&format!("{NAME}_bucket"), &format!("{{le=\"{}\"}}", Seconds(micros)), so_far);
    }
    text.sample(&format!("{NAME}_bucket"), "{le=\"+Inf\"}", latency.count);
    text.sample(&format!("{NAME}_sum"), "", Seconds(latency.total_micros));
    text.sample(&format!("{NAME}_count"), "", latency.count);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sample_follows_its_family() {
        let mut told = Told::default();
        [5, 100, 2_000_000].into_iter().for_each(|micros| told.loop_.metrics.latency.add(micros));
        told.loop_.notices = vec![("cut for want of memory".to_owned(), 2)];
        let text = text(&told);
        let mut family = "";
        for line in text.lines() {
            if let Some(declared) = line.strip_prefix("# TYPE ") {
                family = declared.split(' ').next().expect("a name");
            } else if !line.starts_with('#') {
                assert!(line.starts_with(family), "{line} in {family}");
                assert!(line.rsplit(' ').next().is_some_and(|value| value.parse::<f64>().is_ok()), "{line}");
            }
        }
        assert!(text.contains("pws_response_duration_seconds_bucket{le=\"+Inf\"} 3\n"), "{text}");
        assert!(text.contains("pws_notices_total{what=\"cut for want of memory\"} 2\n"), "{text}");
        assert!(text.contains("pws_response_duration_seconds_sum 2.000105\n"), "{text}");
    }
}
