//! A stretch of a timeline as a picture: time to the right, a band for each track. Dark where the reader's
//! machine is.

use std::fmt::Write as _;

use super::trace::Span;

const WIDTH: f64 = 960.0;
const MARGIN: f64 = 12.0;
const TITLE_HEIGHT: f64 = 40.0;
const NAME_HEIGHT: f64 = 20.0;
const LANE_HEIGHT: f64 = 20.0;
const BAND_GAP: f64 = 14.0;
const AXIS_HEIGHT: f64 = 34.0;
const LEGEND_HEIGHT: f64 = 28.0;
/// What a letter takes, about.
const LETTER_WIDTH: f64 = 6.6;

const STYLE: &str = "\
  :root { color-scheme: light dark; --paper: #fff; --ink: #1f2937; --soft: #6b7280; --line: #e5e7eb }
  @media (prefers-color-scheme: dark) { :root { --paper: #15181a; --ink: #e8e5de; --soft: #a9aeb1; --line: #363d40 } }
  text { font: 12px system-ui, sans-serif; fill: var(--ink) }
  .title { font-weight: 700; font-size: 15px } .soft { fill: var(--soft) }
  .within { fill: #fff; pointer-events: none }
  line { stroke: var(--line) }
  .loop { fill: #64748b } .who { fill: #334155 } .phase { fill: #8b5cf6 } .receive { fill: #2563eb }
  .advance { fill: #b45309 } .send { fill: #15803d } .sendfile { fill: #0f766e } .wait { fill: #9ca3af }
";

/// A track, from a moment on.
pub struct Row<'a> {
    pub name: &'a str,
    pub spans: &'a [Span],
    /// Nanoseconds since the start.
    pub from: u64,
}

/// Draws `nanos` of each row.
pub fn draw(rows: &[Row], nanos: u64, title: &str) -> String {
    let mut body = format!("<text class=\"title\" x=\"{MARGIN}\" y=\"24\">{title}</text>\n");
    let scale = (WIDTH - 2.0 * MARGIN) / nanos as f64;
    let mut top = TITLE_HEIGHT;
    let mut bands = String::new();
    for row in rows {
        top = draw_row(row, nanos, scale, top, &mut bands);
    }
    draw_axis(nanos, scale, top, &mut body);
    draw_legend(top + AXIS_HEIGHT, &mut body);
    let height = top + AXIS_HEIGHT + LEGEND_HEIGHT;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"var(--paper)\"/>\n{body}{bands}</svg>\n"
    )
}

/// Draws a row from `top` on; returns where it ends.
fn draw_row(row: &Row, nanos: u64, scale: f64, top: f64, out: &mut String) -> f64 {
    let (name, lanes_top) = (row.name, top + NAME_HEIGHT);
    // Cannot fail: writing to memory.
    let _ = writeln!(out, "<text class=\"soft\" x=\"{MARGIN}\" y=\"{:.1}\">{name}</text>", top + 14.0);
    let mut lanes = 0;
    for span in row.spans {
        let (from, to) = (span.from.max(row.from), span.to.min(row.from + nanos));
        let Some((lane, class)) = place(span).filter(|_| from < to) else { continue };
        lanes = lanes.max(lane + 1);
        let x = MARGIN + (from - row.from) as f64 * scale;
        let width = ((to - from) as f64 * scale).max(0.6);
        let y = lanes_top + f64::from(lane) * LANE_HEIGHT;
        let told = told(span);
        let _ = writeln!(
            out,
            "<g><title>{told}</title><rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
             height=\"{:.1}\" rx=\"2\"/></g>",
            LANE_HEIGHT - 2.0
        );
        // How long something takes that goes on beyond the picture is not seen in it.
        let is_whole = from == span.from && to == span.to;
        let texts = [told.as_str(), told.split(',').next().unwrap_or_default(), span.name.as_str()];
        let fits = |text: &&&str| (text.len() as f64 + 1.0) * LETTER_WIDTH < width;
        if let Some(text) = texts[if is_whole { 0 } else { 2 }..].iter().find(fits) {
            let _ = writeln!(
                out,
                "<text class=\"within\" x=\"{:.1}\" y=\"{:.1}\">{text}</text>",
                x + 4.0,
                y + 13.0
            );
        }
    }
    lanes_top + f64::from(lanes) * LANE_HEIGHT + BAND_GAP
}

/// What the colours mean.
fn draw_legend(top: f64, out: &mut String) {
    let meanings = [
        ("phase", "phase of the session"),
        ("receive", "receive"),
        ("advance", "advance: the request becomes a response"),
        ("send", "send"),
        ("sendfile", "sendfile"),
        ("wait", "waits"),
    ];
    let mut x = MARGIN;
    for (class, meaning) in meanings {
        let _ = writeln!(
            out,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"12\" height=\"12\" rx=\"2\"/>\
             <text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\">{meaning}</text>",
            x + 18.0,
            top + 10.0
        );
        x += 40.0 + meaning.len() as f64 * LETTER_WIDTH;
    }
}

/// In which lane of its band something is shown, and how it looks; `None` if it is not.
fn place(span: &Span) -> Option<(u32, &'static str)> {
    Some(match span.name.as_str() {
        "wait" | "mark" | "run" | "deadlines" | "accept" | "log" => (0, "loop"),
        name if name.starts_with('#') => (1, "who"),
        "Idle" | "Head" | "SkipBody" | "Late" | "Send" | "Linger" | "Done" => (0, "phase"),
        "receive" => (1, "receive"),
        "advance" => (1, "advance"),
        "send" => (1, "send"),
        "sendfile" => (1, "sendfile"),
        name if name.starts_with("parked") || name.starts_with("yields") || name.starts_with("waits") => {
            (1, "wait")
        }
        "accepted" => (1, "wait"),
        _ => return None,
    })
}

/// Such as `send 1024 B, 7.3 µs`.
fn told(span: &Span) -> String {
    let name = &span.name;
    match span.bytes {
        Some(bytes) => format!("{name} {bytes} B, {:.1} µs", micros(span)),
        None if span.name.starts_with("parked") => name.clone(),
        None => format!("{name}, {:.1} µs", micros(span)),
    }
}

fn micros(span: &Span) -> f64 {
    (span.to - span.from) as f64 / 1000.0
}

/// Lines at round numbers of microseconds.
fn draw_axis(nanos: u64, scale: f64, bottom: f64, out: &mut String) {
    let step =
        [10, 20, 50, 100, 200, 500, 1000, 2000, 5000].into_iter().find(|step| nanos / (step * 1000) <= 10);
    let step = step.unwrap_or(10_000) * 1000;
    for at in (0..=nanos).step_by(step as usize) {
        let x = MARGIN + at as f64 * scale;
        let anchor = if x > WIDTH - 60.0 { "end" } else { "start" };
        let _ = writeln!(
            out,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TITLE_HEIGHT}\" y2=\"{bottom:.1}\"/>\
             <text class=\"soft\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{} µs</text>",
            bottom + 18.0,
            at / 1000
        );
    }
}
