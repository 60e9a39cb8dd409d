//! What is told as JSON (RFC 8259): `/status.json`. Names have their units; times count from the start.

use std::fmt::{Display, Write};

use super::Told;
use crate::metrics::{Bounded, Lap};

/// All of it as one object.
pub fn text(told: &Told) -> String {
    let (snapshot, process) = (&told.loop_, &told.process);
    let (metrics, latency) = (&snapshot.metrics, &snapshot.metrics.latency);
    let buckets: Vec<String> =
        latency.buckets().map(|(micros, count)| format!("[{micros},{count}]")).collect();
    let mut text = String::from("{");
    let mut put = |name: &str, value: &str| {
        let comma = if text.len() > 1 { "," } else { "" };
        // Cannot fail: writing to memory.
        let _ = write!(text, "{comma}\n  \"{name}\": {value}");
    };
    put("uptime_micros", &snapshot.at_micros.to_string());
    put("is_draining", &snapshot.is_draining.to_string());
    put("responses", &format!("{:?}", metrics.responses));
    put("sent_bytes", &metrics.sent_bytes.to_string());
    put("turns", &metrics.turns.to_string());
    put("events", &metrics.events.to_string());
    put("busy_micros", &(metrics.busy_nanos / 1000).to_string());
    put("longest_turn_micros", &(metrics.longest_turn_nanos / 1000).to_string());
    let laps = Lap::ALL.into_iter().zip(metrics.longest_turn_laps);
    let laps: Vec<(&str, u64)> = laps.map(|(lap, nanos)| (lap.name(), nanos / 1000)).collect();
    put("longest_turn_laps_micros", &object(&laps));
    put("user_millis", &process.user_millis.to_string());
    put("kernel_millis", &process.kernel_millis.to_string());
    put("latency_micros", &format!("[{}]", buckets.join(",")));
    put("latency_max_micros", &latency.max_micros.to_string());
    put("connections", &bounded(snapshot.connections));
    put("waiting", &object(&snapshot.waiting));
    put("descriptors", &bounded(snapshot.descriptors));
    put("heap_bytes", &bounded(snapshot.heap_bytes));
    put("kernel_bytes", &bounded(snapshot.kernel_bytes));
    put("resident_bytes", &process.resident_bytes.to_string());
    put("cache_hits", &snapshot.cache.hits.to_string());
    put("cache_misses", &snapshot.cache.misses.to_string());
    put("cache_comparisons", &snapshot.cache.comparisons.to_string());
    put("listen_overflows", &process.listen_overflows.to_string());
    put("notices", &object(&snapshot.notices));
    text + "\n}\n"
}

fn bounded(Bounded { count, max }: Bounded) -> String {
    format!("{{\"count\": {count}, \"max\": {max}}}")
}

/// Names are ours: nothing in them needs an escape.
pub fn object<N: Display>(counts: &[(N, u64)]) -> String {
    let members: Vec<String> = counts.iter().map(|(name, count)| format!("\"{name}\": {count}")).collect();
    format!("{{{}}}", members.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_json() {
        let mut told = Told::default();
        told.loop_.metrics.latency.add(100);
        told.loop_.waiting = vec![("request", 3)];
        told.loop_.connections = Bounded { count: 3, max: 10 };
        let value: serde_json::Value = serde_json::from_str(&text(&told)).expect("JSON");
        assert_eq!(value["waiting"]["request"], 3);
        assert_eq!(value["connections"]["max"], 10);
        assert_eq!(value["latency_micros"][0][1], 1);
        assert_eq!(value["responses"].as_array().map(Vec::len), Some(5));
    }
}
