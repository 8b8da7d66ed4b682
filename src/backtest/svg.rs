//! Plots as SVG: static, sized by their page, coloured by its style sheet.

use std::fmt::Write as _;

use super::outcome::Found;
use super::replay::{Day, TimeSpan};
use super::{DepartmentOutcome, table};
use crate::message::EventTime;

const WIDTH: f64 = 720.0;
const DAY_MILLIS: f64 = 86_400_000.0;

/// A drawing and the frame that data is drawn in.
struct Plot {
    svg: String,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Plot {
    fn new(height: f64, title: &str) -> Self {
        let svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\"><title>{}</title>",
            escaped(title),
            escaped(title)
        );
        Self { svg, left: 56.0, right: WIDTH - 40.0, top: 16.0, bottom: height - 36.0 }
    }

    fn put(&mut self, what: std::fmt::Arguments<'_>) {
        // Writing to a string never fails.
        self.svg.write_fmt(what).unwrap_or_default();
    }

    /// A part of the frame's width, from its left.
    fn x(&self, part: f64) -> f64 {
        self.left + part.clamp(0.0, 1.0) * (self.right - self.left)
    }

    /// A part of the frame's height, from its bottom.
    fn y(&self, part: f64) -> f64 {
        self.bottom - part.clamp(0.0, 1.0) * (self.bottom - self.top)
    }

    fn level(&mut self, part: f64, label: &str) {
        let (y, left, right) = (self.y(part), self.left, self.right);
        self.put(format_args!("<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"));
        self.put(format_args!("<text class=\"end\" x=\"{}\" y=\"{:.1}\">{label}</text>", left - 6.0, y + 4.0));
    }

    fn below(&mut self, part: f64, label: &str) {
        let (x, y) = (self.x(part), self.bottom + 16.0);
        self.put(format_args!("<text class=\"mid\" x=\"{x:.1}\" y=\"{y:.1}\">{label}</text>"));
    }

    fn line(&mut self, class: &str, points: &[(f64, f64)]) {
        if points.len() < 2 {
            return;
        }
        let mut path = String::new();
        for (x, y) in points {
            path.push_str(&format!("{:.1},{:.1} ", self.x(*x), self.y(*y)));
        }
        self.put(format_args!("<polyline class=\"{class}\" points=\"{}\"/>", path.trim_end()));
    }

    fn dot(&mut self, class: &str, (x, y): (f64, f64), told: &str) {
        let (x, y) = (self.x(x), self.y(y));
        self.put(format_args!(
            "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"><title>{}</title></circle>",
            escaped(told)
        ));
    }

    /// A band from one part of the width to another, between two parts of the height; wide enough to be seen.
    fn band(&mut self, class: &str, (from, until): (f64, f64), (low, high): (f64, f64), told: &str) {
        let (x, y) = (self.x(from), self.y(high));
        let (width, height) = ((self.x(until) - x).max(2.0), self.y(low) - y);
        self.put(format_args!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"><title>{}</title></rect>",
            escaped(told)
        ));
    }

    fn finish(mut self) -> String {
        self.svg.push_str("</svg>");
        self.svg
    }
}

/// Budget against delay: of the shifts, and of listed incidents where there are some.
pub(super) fn trade_off(outcome: &DepartmentOutcome) -> String {
    let points = &outcome.trade_off;
    let delays = points.iter().flat_map(|point| [point.shifts.median_delay_seconds, point.listed.median_delay_seconds]);
    let longest = rounded_up(delays.flatten().max().unwrap_or(0));
    let title = format!("{}: median delay against the budget of false alarms", outcome.department);
    let mut plot = Plot::new(230.0, &title);
    for quarter in 0..=4_u32 {
        let part = f64::from(quarter) / 4.0;
        plot.level(part, &format!("{:.0}m", part * longest / 60.0));
    }
    for (at, point) in points.iter().enumerate() {
        plot.below(place(at, points.len()), &point.budget.to_string());
    }
    let middle = (plot.left + plot.right) / 2.0;
    plot.put(format_args!("<text class=\"mid\" x=\"{middle}\" y=\"226\">budget: false alarms in 28 days</text>"));
    draw_delays(&mut plot, "shifts", longest, points.iter().map(|point| (point.budget, &point.shifts)));
    draw_delays(&mut plot, "listed", longest, points.iter().map(|point| (point.budget, &point.listed)));
    plot.finish()
}

/// A line through the delays at each budget at which something was found.
fn draw_delays<'a>(plot: &mut Plot, class: &str, longest: f64, of: impl ExactSizeIterator<Item = (f64, &'a Found)>) {
    let count = of.len();
    let mut points = Vec::new();
    for (at, (budget, found)) in of.enumerate() {
        let Some(delay) = found.median_delay_seconds else { continue };
        let told = format!("{class}, budget {budget}: {} found, median {}", table::found(found), table::span(delay));
        points.push(((place(at, count), delay as f64 / longest), told));
    }
    plot.line(class, &points.iter().map(|(point, _)| *point).collect::<Vec<_>>());
    points.iter().for_each(|(point, told)| plot.dot(class, *point, told));
}

/// The middle of one of some columns.
fn place(at: usize, of: usize) -> f64 {
    (at as f64 + 0.5) / of.max(1) as f64
}

/// The negative ratio by day, with alerts above and listed incidents behind.
pub(super) fn timeline(outcome: &DepartmentOutcome, recorded: TimeSpan) -> String {
    let mut plot = Plot::new(190.0, &format!("{}: negative ratio by day, with alerts", outcome.department));
    let start = recorded.from.as_millis() as f64;
    let length = (recorded.until.as_millis() as f64 - start).max(1.0);
    let part = |millis: f64| (millis - start) / length;
    for span in &outcome.listed_spans {
        let told = format!("listed incident, {} to {}", span.from, span.until);
        plot.band("incident", between(span, part), (0.0, 1.0), &told);
    }
    let ratios: Vec<(f64, f64)> = outcome.days_seen.iter().filter_map(|day| ratio_of(day, part)).collect();
    let highest = ratios.iter().map(|(_, ratio)| *ratio).fold(0.1, f64::max);
    let highest = (highest * 10.0).ceil() / 10.0;
    for quarter in [0.0, 0.5, 1.0] {
        plot.level(quarter * 0.9, &format!("{:.0} %", quarter * highest * 100.0));
    }
    for run in runs(&ratios, DAY_MILLIS / length) {
        let points: Vec<(f64, f64)> = run.iter().map(|(x, ratio)| (*x, 0.9 * ratio / highest)).collect();
        plot.line("ratio", &points);
    }
    for span in &outcome.spans {
        let told = format!("alerts, {} to {}", span.from, span.until);
        plot.band("alert", between(span, part), (0.93, 1.0), &told);
    }
    for sixth in 0..=6_u32 {
        let at = f64::from(sixth) / 6.0;
        #[expect(clippy::cast_possible_truncation, reason = "a moment between two others")]
        let moment = EventTime::from_millis((start + at * length) as i64).to_rfc3339();
        plot.below(at, moment.get(..10).unwrap_or(&moment));
    }
    plot.finish()
}

fn between(span: &TimeSpan, part: impl Fn(f64) -> f64) -> (f64, f64) {
    (part(span.from.as_millis() as f64), part(span.until.as_millis() as f64))
}

/// The middle of a day, and its ratio; none of a day without messages.
fn ratio_of(day: &Day, part: impl Fn(f64) -> f64) -> Option<(f64, f64)> {
    (day.messages > 0)
        .then(|| (part((day.number as f64 + 0.5) * DAY_MILLIS), day.negative as f64 / day.messages as f64))
}

/// Points without a gap of more than three days between them: no line is drawn where nothing was recorded.
fn runs(points: &[(f64, f64)], day: f64) -> impl Iterator<Item = &[(f64, f64)]> {
    points.chunk_by(move |one, next| next.0 - one.0 <= 3.5 * day)
}

/// The next full scale of a delay: quarters of it are whole minutes.
fn rounded_up(seconds: u64) -> f64 {
    let scales = [20, 40, 60, 80, 120, 160, 200].map(|minutes: u64| minutes * 60);
    let fitting = scales.into_iter().find(|scale| seconds <= *scale);
    fitting.unwrap_or_else(|| seconds.div_ceil(14_400) * 14_400) as f64
}

/// Text for HTML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_stays_within_the_frame() {
        let plot = Plot::new(200.0, "a");
        assert_eq!((plot.x(-1.0), plot.x(2.0)), (plot.left, plot.right));
        assert_eq!((plot.y(-1.0), plot.y(2.0)), (plot.bottom, plot.top));
    }

    #[test]
    fn a_title_cannot_break_out() {
        let svg = Plot::new(200.0, "<script>\"&").finish();
        assert!(svg.contains("&lt;script&gt;&quot;&amp;") && !svg.contains("<script"));
    }

    #[test]
    fn a_scale_is_as_long_as_the_longest_delay() {
        assert_eq!([0, 1_200, 1_201, 20_000].map(rounded_up), [1_200.0, 1_200.0, 2_400.0, 28_800.0]);
    }
}
