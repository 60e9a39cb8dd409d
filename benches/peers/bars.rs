//! A figure as bars: a panel per case, a bar per server.

use pws_benchmarks::numbers::{median, show};
use pws_benchmarks::servers::Server;
use pws_benchmarks::svg::{Anchor, FAINT_INK, GRID, INK, Svg, colour};

use crate::cases::Case;
use crate::results::Results;

const MARGIN: f64 = 28.0;
const COLUMNS: usize = 3;
const PANEL_WIDTH: f64 = 370.0;
const PANEL_GAP: f64 = 24.0;
/// Names to the left of the bars.
const NAMES_WIDTH: f64 = 108.0;
/// Figures to the right of them.
const FIGURES_WIDTH: f64 = 62.0;
const BAR_HEIGHT: f64 = 15.0;
const BAR_STEP: f64 = 21.0;
/// From the top of a panel to its first bar.
const PANEL_HEAD: f64 = 28.0;
const PAGE_HEAD: f64 = 86.0;

const CPU: &str = "cpu_us_per_request";
/// So many times the figure in the middle is far off.
const OUTLIER_FACTOR: f64 = 4.0;

pub fn throughput(results: &Results) -> String {
    page(results, "requests_per_sec", "Requests per second", "Longer is better.")
}

pub fn cpu(results: &Results) -> String {
    let title = "Processor time of the server per request, µs";
    page(results, CPU, title, "Shorter is better.")
}

fn page(results: &Results, figure: &str, title: &str, hint: &str) -> String {
    let cases = results.cases();
    let panels: Vec<Vec<&Case>> = cases.chunks(COLUMNS).map(<[_]>::to_vec).collect();
    let row_height = |row: &[&Case]| {
        let bars = row.iter().map(|case| results.servers(&[case]).len()).max().unwrap_or(0);
        PANEL_HEAD + BAR_STEP * bars as f64 + PANEL_GAP
    };
    let height = PAGE_HEAD + panels.iter().map(|row| row_height(row)).sum::<f64>();
    let width = 2.0 * MARGIN + COLUMNS as f64 * (PANEL_WIDTH + PANEL_GAP) - PANEL_GAP;
    let mut svg = Svg::new(width, height);
    page_head(&mut svg, results, title, hint);
    let mut y = PAGE_HEAD;
    for row in &panels {
        for (column, case) in row.iter().enumerate() {
            let x = MARGIN + column as f64 * (PANEL_WIDTH + PANEL_GAP);
            panel(&mut svg, (x, y), results, case, figure);
        }
        y += row_height(row);
    }
    svg.finish()
}

/// Title, and what the figures were measured on.
pub fn page_head(svg: &mut Svg, results: &Results, title: &str, hint: &str) {
    svg.bold((MARGIN, 34.0), 20.0, Anchor::Start, INK, title);
    let fact = |name: &str| results.machine[name].as_str().unwrap_or("?");
    let text = format!(
        "{hint} Medians of {} rounds of {} s. {}, one CPU for the server, one for wrk. {}, commit {}.",
        results.rounds_max(),
        results.secs,
        fact("cpu"),
        fact("date"),
        fact("commit")
    );
    svg.text((MARGIN, 56.0), 12.0, Anchor::Start, FAINT_INK, &text);
}

fn panel(svg: &mut Svg, (x, y): (f64, f64), results: &Results, case: &Case, figure: &str) {
    svg.bold((x, y + 12.0), 13.0, Anchor::Start, INK, &case.full_title());
    let servers = results.servers(&[case]);
    let longest = scale_end(results, case, figure);
    let bars_x = x + NAMES_WIDTH;
    let bars_width = PANEL_WIDTH - NAMES_WIDTH - FIGURES_WIDTH;
    for (index, server) in servers.into_iter().enumerate() {
        let top = y + PANEL_HEAD + index as f64 * BAR_STEP;
        let baseline = top + BAR_HEIGHT - 3.5;
        let ink = if server.is_peer() || server == Server::Floor { FAINT_INK } else { INK };
        let names_end = (bars_x - 8.0, baseline);
        match server == Server::Pws {
            true => svg.bold(names_end, 12.0, Anchor::End, ink, server.name()),
            false => svg.text(names_end, 12.0, Anchor::End, ink, server.name()),
        }
        let Some(median) = results.median(case, server, figure) else {
            svg.text((bars_x + 4.0, baseline), 12.0, Anchor::Start, FAINT_INK, "failed");
            continue;
        };
        let length = bars_width * (median / longest).min(1.0);
        svg.rectangle((bars_x, top), (bars_width, BAR_HEIGHT), "#f3f4f6");
        svg.rectangle((bars_x, top), (length, BAR_HEIGHT), colour(server));
        if median > longest {
            // Torn off: it goes on far beyond.
            let tear = bars_x + bars_width - 14.0;
            svg.line(&[(tear, top + BAR_HEIGHT + 1.0), (tear + 6.0, top - 1.0)], 3.0, "#ffffff");
        }
        let mark = if results.is_doubtful(case, server) { " *" } else { "" };
        let figure = format!("{}{mark}", show(median));
        svg.text((bars_x + bars_width + 7.0, baseline), 12.0, Anchor::Start, INK, &figure);
    }
    let bottom = y + PANEL_HEAD + results.servers(&[case]).len() as f64 * BAR_STEP + 2.0;
    svg.line(&[(x, bottom), (x + PANEL_WIDTH, bottom)], 1.0, GRID);
}

/// What the longest bar shows. Where less is better, one that is far off would make all others look the same:
/// it is cut.
pub fn scale_end(results: &Results, case: &Case, figure: &str) -> f64 {
    let servers = results.servers(&[case]).into_iter();
    let medians: Vec<f64> = servers.filter_map(|server| results.median(case, server, figure)).collect();
    let middle = median(medians.iter().copied()).unwrap_or(0.0);
    let is_shown = |median: &f64| figure != CPU || *median <= OUTLIER_FACTOR * middle;
    medians.into_iter().filter(is_shown).fold(f64::MIN_POSITIVE, f64::max)
}
