//! A run, as tables for people.

use std::fmt::Write as _;

use super::outcome::{AlertRow, Found, Moment};
use super::{Backtest, DepartmentOutcome, rate};

/// Alerts that are shown, the newest: who asks after an incident mostly asks after a recent one.
const ALERTS_SHOWN: usize = 30;

/// Columns of a table: what is asked for is aligned to the right.
struct Table {
    rows: Vec<Vec<String>>,
    right: Vec<bool>,
}

impl Table {
    fn new(right: &[bool], head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|cell| (*cell).to_owned()).collect()], right: right.to_vec() }
    }

    fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    fn write(&self, out: &mut String) {
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..self.right.len()).map(width).collect();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).zip(&self.right).map(|((cell, width), right)| {
                if *right { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out.push('\n');
    }
}

/// All of a run but the plots.
#[must_use]
pub fn table(run: &Backtest) -> String {
    let mut out = String::new();
    head(run, &mut out);
    alerts(run, &mut out);
    departments(run, &mut out);
    trade_off_of_all(run, &mut out);
    if run.departments.len() > 1 {
        trade_off_by_department(run, &mut out);
    }
    let trimmed = out.trim_end().len();
    out.truncate(trimmed + 1);
    out
}

fn head(run: &Backtest, out: &mut String) {
    for line in head_lines(run) {
        out.push_str(&line);
        out.push('\n');
    }
    out.push('\n');
}

/// What was run, in lines.
pub(super) fn head_lines(run: &Backtest) -> Vec<String> {
    let days = (run.until.0.as_secs_f64() - run.from.0.as_secs_f64()) / 86_400.0;
    let mut lines = vec![
        format!("{} to {}, {days:.1} days in steps of {}", run.from.0, run.until.0, span(run.step_seconds)),
        format!("{} of {}", counted(run.messages, "message"), counted(run.departments.len() as u64, "department")),
        format!("budget of false alarms: {} in 28 days, for each department", run.budget),
    ];
    for gap in run.not_recorded.iter().take(5) {
        lines.push(format!("not recorded, skipped: {} to {}", gap.from.0, gap.until.0));
    }
    if run.not_recorded.len() > 5 {
        let more = run.not_recorded.len() as u64 - 5;
        lines.push(format!("... and {} more such {} (--json has all)", grouped(more), plural(more, "gap")));
    }
    if run.listed_left_out > 0 {
        let listed = counted(run.listed_left_out, "listed incident");
        lines.push(format!("left out: {listed} that began when nothing was recorded"));
    }
    if run.total.listed_muted > 0 {
        let listed = counted(run.total.listed_muted, "listed incident");
        lines.push(format!("left out: {listed} whose alerts mutes of the config held, or would have held"));
    }
    if run.muted > 0 {
        let alerts = counted(run.muted, "alert");
        lines.push(format!("left out: {alerts} that mutes of the config held from first to last"));
    }
    if run.source.not_by_customers > 0 {
        let messages = counted(run.source.not_by_customers, "message");
        lines.push(format!("left out: {messages} of agents and bots"));
    }
    for (reason, count) in &run.source.unusable {
        let first =
            run.source.first_unusable.get(reason).map_or_else(String::new, |first| format!(", the first at {first}"));
        lines.push(format!("left out: {} that cannot be used, {reason}{first}", counted(*count, "record")));
    }
    lines
}

fn alerts(run: &Backtest, out: &mut String) {
    if run.alerts.is_empty() {
        out.push_str("No alert.\n\n");
        return;
    }
    let left_out = run.alerts.len().saturating_sub(ALERTS_SHOWN);
    if left_out > 0 {
        let (are, them) = if left_out == 1 { ("alert is", "it") } else { ("alerts are", "them") };
        put(
            out,
            format_args!(
                "{} older {are} left out here: --json has {them}, --report the newest 2,000.\n",
                grouped(left_out as u64)
            ),
        );
    }
    let right = [false, false, false, false, true, true, true, false];
    let head = alert_head(run);
    let mut table = Table::new(&right[..head.len()], head);
    for alert in &run.alerts[left_out..] {
        table.push(alert_cells(alert, run.with_incidents));
    }
    table.write(out);
}

const ALERT_HEAD: &[&str] =
    &["started", "department", "kind", "severity", "since", "lasted", "by chance", "of a listed incident"];

/// Above the cells of alerts: the last one only where incidents are listed.
pub(super) fn alert_head(run: &Backtest) -> &'static [&'static str] {
    if run.with_incidents { ALERT_HEAD } else { &ALERT_HEAD[..ALERT_HEAD.len() - 1] }
}

/// The cells of an alert: `since` as how long before.
pub(super) fn alert_cells(alert: &AlertRow, with_incidents: bool) -> Vec<String> {
    let seconds =
        |from: Moment, until: Moment| (until.0.as_millis() - from.0.as_millis()).max(0).unsigned_abs() / 1_000;
    let mut cells = vec![
        alert.started.0.to_string(),
        alert.department.clone(),
        alert.kind.as_str().to_owned(),
        alert.severity.as_str().to_owned(),
        format!("-{}", span(seconds(alert.since, alert.started))),
        alert.ended.map_or_else(|| "still open".to_owned(), |ended| span(seconds(alert.started, ended))),
        alert.by_chance_per_month.map_or_else(|| "-".to_owned(), by_chance),
    ];
    if with_incidents {
        cells.push(verdict(alert));
    }
    cells
}

/// Whether an alert is of listed incidents, and of which, by their starts.
fn verdict(alert: &AlertRow) -> String {
    match alert.true_alarm {
        None => "-".to_owned(),
        Some(false) => "false".to_owned(),
        Some(true) => {
            let starts: Vec<String> = alert.listed.iter().map(|listed| listed.start.0.to_string()).collect();
            format!("true: {}", starts.join(", "))
        }
    }
}

fn departments(run: &Backtest, out: &mut String) {
    let head = outcome_head(run);
    let right: Vec<bool> = (0..head.len()).map(|column| column > 0).collect();
    let mut table = Table::new(&right, &head);
    let all = (run.departments.len() > 1).then_some(&run.total);
    for outcome in run.departments.iter().chain(all) {
        table.push(outcome_cells(outcome, run));
    }
    table.write(out);
    for caution in cautions(run) {
        put(out, format_args!("{caution}\n\n"));
    }
}

/// Above the cells of departments.
pub(super) fn outcome_head(run: &Backtest) -> Vec<&'static str> {
    let rate = if run.with_incidents { "false/28d" } else { "in 28d" };
    let mut head = vec!["department", "messages", "days", "alerts", "incidents", rate, "95 %"];
    if run.with_incidents {
        head.extend(["detected", "delay"]);
    }
    head
}

/// The cells of a department.
pub(super) fn outcome_cells(outcome: &DepartmentOutcome, run: &Backtest) -> Vec<String> {
    let mut cells = vec![
        if outcome.department == "*" { "all".to_owned() } else { outcome.department.clone() },
        grouped(outcome.messages),
        format!("{:.1}", days_shown(outcome, run)),
        grouped(outcome.alerts),
        grouped(outcome.incidents),
        rate(outcome.false_alarms_per_month),
        interval(outcome.false_alarms_per_month_interval),
    ];
    if run.with_incidents {
        cells.push(format!("{} of {}", outcome.detected, outcome.listed));
        cells.push(delay(outcome.median_delay_seconds));
    }
    cells
}

/// Days to a tenth; those of all departments are the sum of what is shown of each.
fn days_shown(outcome: &DepartmentOutcome, run: &Backtest) -> f64 {
    let tenth = |days: f64| (days * 10.0).round() / 10.0;
    match outcome.department.as_str() {
        "*" => run.departments.iter().map(|outcome| tenth(outcome.days)).sum(),
        _ => tenth(outcome.days),
    }
}

/// What a reader should not conclude from the rates of a run.
pub(super) fn cautions(run: &Backtest) -> Vec<String> {
    const NAMED: usize = 5;
    let short: Vec<&str> =
        run.departments.iter().filter(|outcome| outcome.too_short).map(|outcome| &*outcome.department).collect();
    if short.is_empty() {
        return Vec::new();
    }
    let more = short.len().saturating_sub(NAMED);
    let mut who = short[..short.len() - more].join(", ");
    if more > 0 {
        who.push_str(&format!(" and {} more", counted(more as u64, "department")));
    }
    let together = match (run.departments.len() > 1, run.total.too_short) {
        (false, _) => "",
        (true, true) => ", and for all together",
        (true, false) => "; for all together it is enough",
    };
    let days = rate::days_needed(run.budget);
    vec![format!(
        "Caution: too short a time to tell rates of {who}{together}. At a budget of {} it takes {days:.0} days:\n\
         in fewer even no alarm at all does not show that the budget is kept. 95 %: between these the true rate lies.",
        run.budget
    )]
}

fn trade_off_of_all(run: &Backtest, out: &mut String) {
    out.push_str("What each budget would have meant, all departments together:\n");
    let mut table =
        Table::new(&[true; 7], &["budget", "alarms/28d", "95 %", "shifts found", "delay", "listed found", "delay"]);
    for point in &run.total.trade_off {
        table.push(vec![
            budget_cell(point.budget, run),
            rate(point.alarms_per_month),
            interval(point.alarms_per_month_interval),
            found(&point.shifts),
            delay(point.shifts.median_delay_seconds),
            found(&point.listed),
            delay(point.listed.median_delay_seconds),
        ]);
    }
    table.write(out);
    // The table ends with an empty line, which belongs after what explains it.
    out.pop();
    put(out, format_args!("{}\n\n", SHIFTS_ARE));
}

/// What the shifts are.
pub(super) const SHIFTS_ARE: &str = "Alarms of a department, outside of listed incidents. Shifts: odds of negative and frustrated messages x2.5 for\n\
     3 h, put into each department's own messages every 55 h; the delay is the median of those found.";

fn trade_off_by_department(run: &Backtest, out: &mut String) {
    out.push_str("Alarms in 28 days / median delay of the shifts, by budget:\n");
    let mut right = vec![false];
    let mut head = vec!["department".to_owned()];
    for point in &run.total.trade_off {
        right.push(true);
        head.push(budget_cell(point.budget, run));
    }
    let mut table = Table { rows: vec![head], right };
    for outcome in &run.departments {
        let cells = outcome
            .trade_off
            .iter()
            .map(|point| format!("{} / {}", rate(point.alarms_per_month), delay(point.shifts.median_delay_seconds)));
        table.push(std::iter::once(outcome.department.clone()).chain(cells).collect());
    }
    table.write(out);
}

/// A budget, and whether it is the one of the run.
pub(super) fn budget_cell(budget: f64, run: &Backtest) -> String {
    let is_of_run = budget.total_cmp(&run.budget).is_eq();
    if is_of_run { format!("{budget} (this run)") } else { budget.to_string() }
}

/// A part of how many.
pub(super) fn found(found: &Found) -> String {
    match found.found_share {
        Some(share) => format!("{:.0} % of {}", share * 100.0, grouped(found.count)),
        None => "-".to_owned(),
    }
}

/// Between which rates the true one lies.
pub(super) fn interval(interval: Option<[f64; 2]>) -> String {
    interval.map_or_else(|| "-".to_owned(), |[low, high]| format!("{low:.2} to {high:.2}"))
}

pub(super) fn rate(rate: Option<f64>) -> String {
    rate.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.2}"))
}

pub(super) fn delay(seconds: Option<u64>) -> String {
    seconds.map_or_else(|| "-".to_owned(), span)
}

/// A span for people: `45s`, `37m`, `2h 05m`, `3d 04h`.
pub(super) fn span(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{minutes}m"),
        3_600..86_400 if minutes.is_multiple_of(60) => format!("{hours}h"),
        3_600..86_400 => format!("{hours}h {:02}m", minutes % 60),
        _ => format!("{days}d {:02}h", hours % 24),
    }
}

/// How long it takes until chance alone brings about as much, for what it does so many times in 28 days.
fn by_chance(a_month: f64) -> String {
    const MOST: f64 = 1e6;
    let months = 1.0 / a_month;
    match months {
        _ if months >= MOST || months.is_nan() => "never".to_owned(),
        _ if months < 1.0 => format!("once in {:.1} days", 28.0 * months),
        _ if months < 10.0 => format!("once in {months:.1} months"),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 10 and a million")]
        _ => format!("once in {} months", grouped(months.round() as u64)),
    }
}

/// So many of them: `1 department`, `2 departments`.
pub(super) fn counted(number: u64, what: &str) -> String {
    format!("{} {}", grouped(number), plural(number, what))
}

fn plural(number: u64, what: &str) -> String {
    if number == 1 { what.to_owned() } else { format!("{what}s") }
}

/// A number with commas.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn put(out: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a string never fails.
    out.write_fmt(what).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_numbers_are_short() {
        let spans = [0, 59, 60, 3_599, 3_600, 7_500, 86_400, 270_000].map(span);
        assert_eq!(spans, ["0s", "59s", "1m", "59m", "1h", "2h 05m", "1d 00h", "3d 03h"]);
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn what_is_rare_is_told_as_how_seldom_chance_brings_it_about() {
        let told = [14.0, 1.0, 0.4, 0.02, 1e-4, 1e-9, 0.0].map(by_chance);
        let months = ["once in 2.5 months", "once in 50 months", "once in 10,000 months"];
        assert_eq!(told[..2], ["once in 2.0 days", "once in 1.0 months"]);
        assert_eq!(told[2..5], months);
        assert_eq!(told[5..], ["never", "never"]);
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&[false, true], &["who", "how many"]);
        table.push(vec!["customer care".to_owned(), "7".to_owned()]);
        let mut out = String::new();
        table.write(&mut out);
        assert_eq!(out, "who            how many\ncustomer care         7\n\n");
    }
}
