//! Two figures against the number of connections, a line per server.

use pws_benchmarks::numbers::{show, show_count};
use pws_benchmarks::servers::Server;
use pws_benchmarks::svg::{Anchor, FAINT_INK, GRID, INK, Svg, colour};

use crate::bars::{page_head, scale_end};
use crate::cases::Case;
use crate::results::Results;

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
    for (x, figure, title) in [
        (PLOTS_X[0], "requests_per_sec", "Requests per second"),
        (PLOTS_X[1], "cpu_us_per_request", "Processor time of the server per request, µs"),
    ] {
        svg.bold((x, PLOT_TOP - 22.0), 14.0, Anchor::Start, INK, title);
        let plot = Plot::new(x, results, figure);
        plot.axes(&mut svg);
        plot.curves(&mut svg);
    }
    svg.finish()
}

struct Plot {
    x: f64,
    /// The places on the axis.
    connections: Vec<f64>,
    /// A figure for each of these places.
    curves: Vec<(Server, Vec<f64>)>,
    /// Servers that have no curve.
    omitted: Vec<&'static str>,
    /// Between two lines of the grid.
    step: f64,
    steps: f64,
}

impl Plot {
    /// Of those servers that took part in every case, as what shows a part only would lead astray, and that
    /// are not so far off that all others would look the same.
    fn new(x: f64, results: &Results, figure: &str) -> Plot {
        let cases = cases(results);
        let mut plot = Plot {
            x,
            connections: cases.iter().map(|case| case.connections as f64).collect(),
            curves: Vec::new(),
            omitted: Vec::new(),
            step: 0.0,
            steps: 0.0,
        };
        let all = cases.iter().map(|case| scale_end(results, case, figure));
        let end = all.fold(f64::MIN_POSITIVE, f64::max);
        let mut most = f64::MIN_POSITIVE;
        for server in results.servers(&cases) {
            let medians = cases.iter().map(|case| results.median(case, server, figure));
            match medians.collect::<Option<Vec<f64>>>() {
                Some(medians) if medians.iter().all(|median| *median <= end) => {
                    most = medians.iter().copied().fold(most, f64::max);
                    plot.curves.push((server, medians));
                }
                _ => plot.omitted.push(server.name()),
            }
        }
        plot.step = tick_step(most);
        plot.steps = (most / plot.step).ceil();
        plot
    }

    fn place(&self, connections: f64, figure: f64) -> (f64, f64) {
        let most = self.connections.iter().copied().fold(2.0, f64::max);
        let height = (PLOT_BOTTOM - PLOT_TOP) * figure / (self.steps * self.step);
        (self.x + PLOT_WIDTH * connections.ln() / most.ln(), PLOT_BOTTOM - height)
    }

    fn axes(&self, svg: &mut Svg) {
        for step in 0..=self.steps as usize {
            let figure = step as f64 * self.step;
            let (_, y) = self.place(1.0, figure);
            svg.line(&[(self.x, y), (self.x + PLOT_WIDTH, y)], 1.0, GRID);
            let label = if self.step >= 1.0 { show_count(figure) } else { show(figure) };
            svg.text((self.x - 10.0, y + 4.0), 12.0, Anchor::End, FAINT_INK, &label);
        }
        for &connections in &self.connections {
            let (x, _) = self.place(connections, 0.0);
            svg.line(&[(x, PLOT_BOTTOM), (x, PLOT_BOTTOM + 5.0)], 1.0, FAINT_INK);
            let label = show_count(connections);
            svg.text((x, PLOT_BOTTOM + 21.0), 12.0, Anchor::Middle, FAINT_INK, &label);
        }
        let middle = (self.x + PLOT_WIDTH / 2.0, PLOT_BOTTOM + 44.0);
        svg.text(middle, 12.0, Anchor::Middle, FAINT_INK, "connections");
        if !self.omitted.is_empty() {
            let text = format!("far off, or not measured everywhere: {}", self.omitted.join(", "));
            svg.text((self.x, PLOT_TOP - 6.0), 11.0, Anchor::Start, FAINT_INK, &text);
        }
    }

    fn curves(&self, svg: &mut Svg) {
        let mut names = Vec::new();
        // pws last, so that no line hides it.
        for (server, figures) in self.curves.iter().rev() {
            let points = self.connections.iter().zip(figures);
            let points: Vec<(f64, f64)> = points.map(|(at, figure)| self.place(*at, *figure)).collect();
            let (width, radius) = if *server == Server::Pws { (3.0, 4.0) } else { (1.8, 3.0) };
            svg.line(&points, width, colour(*server));
            for &point in &points {
                svg.dot(point, radius, colour(*server));
            }
            names.extend(points.last().map(|(_, y)| (*y, *server)));
        }
        write_names(svg, self.x + PLOT_WIDTH + 12.0, names);
    }
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
