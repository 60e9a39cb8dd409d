//! Two figures against the number of connections, a line per server.

use crate::bars::page_head;
use crate::cases::Case;
use crate::results::Results;
use crate::support::numbers::{show, show_count};
use crate::support::servers::Server;
use crate::svg::{Anchor, FAINT_INK, GRID, INK, Svg, colour};

const WIDTH: f64 = 1220.0;
const HEIGHT: f64 = 520.0;
const PLOT_WIDTH: f64 = 410.0;
const PLOT_TOP: f64 = 122.0;
const PLOT_BOTTOM: f64 = 456.0;
/// Where the two plots start: figures of the axis stand to the left, names of the lines to the right.
const PLOTS_X: [f64; 2] = [84.0, 690.0];
/// Between two names, at least.
const NAME_STEP: f64 = 15.0;

/// Whether there are two numbers of connections, at least.
pub fn has_data(results: &Results) -> bool {
    cases(results).len() > 1
}

/// The cases that differ in the number of connections only, in its order.
fn cases(results: &Results) -> Vec<&'static Case> {
    let mut cases: Vec<&Case> = results.cases().into_iter().filter(|case| case.is_by_connections()).collect();
    cases.sort_by_key(|case| case.connections);
    cases
}

pub fn by_connections(results: &Results) -> String {
    let mut svg = Svg::new(WIDTH, HEIGHT);
    page_head(&mut svg, results, "1 KB by number of connections", "");
    plot(&mut svg, PLOTS_X[0], results, "requests_per_sec", "Requests per second");
    let title = "Processor time of the server per request, µs";
    plot(&mut svg, PLOTS_X[1], results, "cpu_us_per_request", title);
    svg.finish()
}

fn plot(svg: &mut Svg, x: f64, results: &Results, figure: &str, title: &str) {
    let cases = cases(results);
    let servers = results.servers(&cases);
    let medians = servers
        .iter()
        .flat_map(|server| cases.iter().filter_map(|case| results.median(case, *server, figure)));
    let step = tick_step(medians.fold(f64::MIN_POSITIVE, f64::max));
    let medians = servers
        .iter()
        .flat_map(|server| cases.iter().filter_map(|case| results.median(case, *server, figure)));
    let ticks = (medians.fold(0.0, f64::max) / step).ceil().max(1.0);
    let place = |case: &Case, value: f64| {
        let most = cases.last().map_or(1, |case| case.connections).max(2) as f64;
        let along = (case.connections as f64).ln() / most.ln();
        (x + PLOT_WIDTH * along, PLOT_BOTTOM - (PLOT_BOTTOM - PLOT_TOP) * value / (ticks * step))
    };
    svg.bold((x, PLOT_TOP - 22.0), 14.0, Anchor::Start, INK, title);
    for tick in 0..=ticks as usize {
        let value = tick as f64 * step;
        let (_, y) = place(cases[0], value);
        svg.line(&[(x, y), (x + PLOT_WIDTH, y)], 1.0, GRID);
        svg.text((x - 10.0, y + 4.0), 12.0, Anchor::End, FAINT_INK, &show(value));
    }
    for case in &cases {
        let (at, _) = place(case, 0.0);
        svg.line(&[(at, PLOT_BOTTOM), (at, PLOT_BOTTOM + 5.0)], 1.0, FAINT_INK);
        let connections = show_count(case.connections as f64);
        svg.text((at, PLOT_BOTTOM + 21.0), 12.0, Anchor::Middle, FAINT_INK, &connections);
    }
    let middle = (x + PLOT_WIDTH / 2.0, PLOT_BOTTOM + 44.0);
    svg.text(middle, 12.0, Anchor::Middle, FAINT_INK, "connections");
    let mut names: Vec<(f64, Server)> = Vec::new();
    // pws last, so that no line hides it.
    for &server in servers.iter().rev() {
        let points = cases.iter().filter_map(|case| Some(place(case, results.median(case, server, figure)?)));
        let points: Vec<(f64, f64)> = points.collect();
        let Some(&(_, end)) = points.last() else { continue };
        svg.line(&points, if server == Server::Pws { 3.0 } else { 1.8 }, colour(server));
        for &point in &points {
            svg.dot(point, if server == Server::Pws { 4.0 } else { 3.0 }, colour(server));
        }
        names.push((end, server));
    }
    write_names(svg, x + PLOT_WIDTH + 12.0, names);
}

/// Beside the ends of the lines, moved apart where they would lie on each other.
fn write_names(svg: &mut Svg, x: f64, mut names: Vec<(f64, Server)>) {
    names.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Down first, then up again what was pushed through the floor.
    for index in 1..names.len() {
        names[index].0 = names[index].0.max(names[index - 1].0 + NAME_STEP);
    }
    let mut lowest = PLOT_BOTTOM;
    for (y, server) in names.iter_mut().rev() {
        *y = y.min(lowest);
        lowest = *y - NAME_STEP;
        match *server == Server::Pws {
            true => svg.bold((x, *y + 4.0), 12.5, Anchor::Start, colour(*server), server.name()),
            false => svg.text((x, *y + 4.0), 12.5, Anchor::Start, colour(*server), server.name()),
        }
    }
}

/// A round number that fits four to eight times into `most`.
fn tick_step(most: f64) -> f64 {
    let magnitude = 10_f64.powf((most / 5.0).log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * magnitude);
    steps.into_iter().find(|step| most / step <= 6.0).unwrap_or(magnitude * 10.0)
}
