//! Just enough SVG: rectangles, lines, dots and words on white paper.

use std::fmt::Write as _;

use super::servers::Server;

pub const INK: &str = "#1f2937";
pub const FAINT_INK: &str = "#6b7280";
pub const GRID: &str = "#e5e7eb";

/// Where a text stands relative to its point.
#[derive(Clone, Copy)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

pub struct Svg {
    width: f64,
    height: f64,
    body: String,
}

impl Svg {
    pub fn new(width: f64, height: f64) -> Svg {
        Svg { width, height, body: String::new() }
    }

    fn element(&mut self, element: std::fmt::Arguments) {
        // Cannot fail: writing to memory.
        let _ = writeln!(self.body, "{element}");
    }

    pub fn rectangle(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), colour: &str) {
        self.element(format_args!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{colour}"/>"#
        ));
    }

    pub fn dot(&mut self, (x, y): (f64, f64), radius: f64, colour: &str) {
        self.element(format_args!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="{radius}" fill="{colour}"/>"#));
    }

    /// A line through all `points`.
    pub fn line(&mut self, points: &[(f64, f64)], width: f64, colour: &str) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let points = points.join(" ");
        self.element(format_args!(
            r#"<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"/>"#
        ));
    }

    pub fn text(&mut self, (x, y): (f64, f64), size: f64, anchor: Anchor, colour: &str, text: &str) {
        self.words((x, y), size, anchor, colour, "normal", text);
    }

    pub fn bold(&mut self, (x, y): (f64, f64), size: f64, anchor: Anchor, colour: &str, text: &str) {
        self.words((x, y), size, anchor, colour, "bold", text);
    }

    fn words(
        &mut self,
        (x, y): (f64, f64),
        size: f64,
        anchor: Anchor,
        colour: &str,
        weight: &str,
        text: &str,
    ) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let place = format!(r#"x="{x:.1}" y="{y:.1}" text-anchor="{anchor}""#);
        let looks = format!(r#"font-size="{size}" font-weight="{weight}" fill="{colour}""#);
        self.element(format_args!("<text {place} {looks}>{text}</text>"));
    }

    pub fn finish(self) -> String {
        let Svg { width, height, body } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"Helvetica, Arial, sans-serif\">\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n{body}</svg>\n"
        )
    }
}

/// Every server has its colour in all plots.
pub fn colour(server: Server) -> &'static str {
    match server {
        Server::Pws | Server::PwsLogNull | Server::PwsLogFile => "#dc2626",
        Server::Nginx => "#15803d",
        Server::NginxOfc => "#65a30d",
        Server::NginxTuned => "#0d9488",
        Server::Lighttpd => "#2563eb",
        Server::H2o => "#7c3aed",
        Server::Darkhttpd => "#92400e",
        Server::Sws => "#475569",
        Server::Caddy => "#db2777",
        Server::Python => "#ca8a04",
        Server::Floor => "#9ca3af",
    }
}
