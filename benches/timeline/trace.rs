//! Reading a timeline.

use std::collections::BTreeMap;

use pws_benchmarks::Result;
use serde_json::Value;

/// Something that took time, in nanoseconds since the start.
#[derive(Clone, Debug)]
pub struct Span {
    pub name: String,
    pub from: u64,
    pub to: u64,
    pub bytes: Option<u64>,
    pub events: u64,
    /// How many lie around it on its track, as far as they were begun before they were ended.
    pub depth: usize,
}

/// All that there is, by track; the loop's is the first.
pub struct Trace(BTreeMap<u64, Vec<Span>>);

impl Trace {
    pub fn parse(text: &str) -> Result<Trace> {
        let events: Vec<Value> = serde_json::from_str(text)?;
        let mut tracks: BTreeMap<u64, Vec<Span>> = BTreeMap::new();
        let mut open: BTreeMap<u64, Vec<Span>> = BTreeMap::new();
        for event in events.iter().filter(|event| event["ph"] != "M") {
            let id = event["tid"].as_u64().ok_or("an event without a track")?;
            let nanos = |name: &str| (event[name].as_f64().unwrap_or_default() * 1000.0).round() as u64;
            let (track, open) = (tracks.entry(id).or_default(), open.entry(id).or_default());
            let span = Span {
                name: event["name"].as_str().unwrap_or_default().to_owned(),
                from: nanos("ts"),
                to: nanos("ts") + nanos("dur"),
                bytes: event["args"]["bytes"].as_u64(),
                events: event["args"]["events"].as_u64().unwrap_or_default(),
                depth: open.len(),
            };
            match event["ph"].as_str() {
                Some("B") => open.push(span),
                Some("E") => track.extend(open.pop().map(|begun| Span { to: span.from, ..begun })),
                _ => track.push(span),
            }
        }
        tracks.values_mut().for_each(|track| track.sort_by_key(|span| (span.from, span.depth)));
        Ok(Trace(tracks))
    }

    pub fn track(&self, id: u64) -> &[Span] {
        self.0.get(&id).map_or(&[], Vec::as_slice)
    }
}
