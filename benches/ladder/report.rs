//! What was seen, as a table and as bars.

use pws_benchmarks::numbers::{show, show_count, show_option};
use pws_benchmarks::svg::{Anchor, FAINT_INK, INK, Svg};
use pws_benchmarks::table::Table;

use super::contestant::Contestant;
use super::{CONNECTIONS, Row, Seen};

type Figure = fn(&Seen) -> f64;

/// Each with a table, and where a picture tells more than figures, with bars.
const FIGURES: [(&str, Figure); 4] = [
    ("Requests a second", |seen| seen.requests_per_sec),
    ("Processor time per request, µs", |seen| seen.cpu_us_per_request),
    ("Memory (PSS), MB", |seen| seen.pss_mb),
    ("Errors: refused, cut or not answered within two seconds", |seen| seen.errors),
];

pub fn markdown(rows: &[Row], machine: &str) -> String {
    let mut text =
        format!("# The ladder\n\n1 KB, one CPU for the server, one for wrk; a single run.\n\n{machine}\n");
    for (title, figure) in FIGURES {
        let head = CONNECTIONS.map(|connections| format!("{} connections", show_count(connections as f64)));
        let mut table = Table::new(["rung".to_owned()].into_iter().chain(head));
        for row in rows {
            let cells = row.by_connections.iter().map(|seen| show_option(seen.as_ref().map(figure)));
            table.row([row.contestant.name().to_owned()].into_iter().chain(cells));
        }
        text += &format!("## {title}\n\n{}\n", table.markdown());
    }
    let mut table = Table::new(["rung", "wait beside a silent client, ms"]);
    for row in rows {
        let wait =
            row.wait_beside_silent.map_or("for ever".to_owned(), |wait| show(wait.as_secs_f64() * 1e3));
        table.row([row.contestant.name().to_owned(), wait]);
    }
    text + "## One silent client\n\n" + &table.markdown()
}

const MARGIN: f64 = 28.0;
const NAMES_WIDTH: f64 = 120.0;
const BARS_WIDTH: f64 = 190.0;
const PANEL_WIDTH: f64 = NAMES_WIDTH + BARS_WIDTH + 80.0;
const STEP: f64 = 20.0;

/// Requests a second and processor time, side by side for 64 and 1,000 connections.
pub fn svg(rows: &[Row]) -> String {
    let panel_height = STEP * rows.len() as f64 + 50.0;
    let mut svg = Svg::new(2.0 * MARGIN + 2.0 * PANEL_WIDTH, 60.0 + 2.0 * panel_height);
    svg.bold((MARGIN, 34.0), 18.0, Anchor::Start, INK, "The ladder: from one page for everybody to pws");
    for (down, place) in [1, 2].into_iter().enumerate() {
        for (right, (title, figure)) in FIGURES.into_iter().take(2).enumerate() {
            let corner = (MARGIN + right as f64 * PANEL_WIDTH, 60.0 + down as f64 * panel_height);
            let title = format!("{title}, {} connections", show_count(CONNECTIONS[place] as f64));
            panel(&mut svg, corner, rows, &title, place, figure);
        }
    }
    svg.finish()
}

fn panel(svg: &mut Svg, (x, y): (f64, f64), rows: &[Row], title: &str, place: usize, figure: Figure) {
    svg.bold((x, y + 12.0), 12.0, Anchor::Start, INK, title);
    let values: Vec<Option<f64>> =
        rows.iter().map(|row| row.by_connections[place].as_ref().map(figure)).collect();
    let longest = values.iter().flatten().copied().fold(f64::MIN_POSITIVE, f64::max);
    for (index, (row, value)) in rows.iter().zip(values).enumerate() {
        let top = y + 24.0 + STEP * index as f64;
        svg.text((x + NAMES_WIDTH - 8.0, top + 11.0), 11.0, Anchor::End, INK, row.contestant.name());
        let Some(value) = value else {
            svg.text((x + NAMES_WIDTH, top + 11.0), 11.0, Anchor::Start, FAINT_INK, "–");
            continue;
        };
        let is_rung = matches!(row.contestant, Contestant::Rung(_));
        let colour = if is_rung { "#dc2626" } else { "#9ca3af" };
        svg.rectangle((x + NAMES_WIDTH, top), (BARS_WIDTH * value / longest, 14.0), colour);
        let end = x + NAMES_WIDTH + BARS_WIDTH * value / longest + 6.0;
        svg.text((end, top + 11.0), 11.0, Anchor::Start, INK, &show(value));
    }
}
