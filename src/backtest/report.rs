//! A run as one HTML page: no script, nothing from elsewhere, light or dark as the reader's system is.

use super::DepartmentOutcome;
use super::outcome::Backtest;
use super::replay::TimeSpan;
use super::svg::{self, escaped};
use super::table::{
    SHIFTS_ARE, alert_cells, alert_head, budget_cell, cautions, delay, found, head_lines, interval, outcome_cells,
    outcome_head, rate,
};

/// Departments that are drawn: a page of thousands of plots is read by nobody.
const PLOTTED: usize = 40;
/// Rows of the tables.
const ROWS: usize = 2_000;

const STYLE: &str = "\
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--dim:#5b6570;--line:#d9dee4;--a:#0b63c5;--b:#b3261e;--c:#8a5a00;--shade:#f4dfc0}
@media(prefers-color-scheme:dark){:root{--paper:#14171a;--ink:#e6e9ec;--dim:#9aa4ae;--line:#333a41;--a:#6cb0ff;--b:#ff8a80;--c:#f0b95a;--shade:#4a3a1c}}
body{margin:2rem auto;max-width:60rem;padding:0 1rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1,h2,h3{line-height:1.2}h2{margin-top:2.5rem}h3{margin:2rem 0 .3rem}p.dim,figcaption{color:var(--dim)}
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem}
th,td{padding:.25rem .75rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child,.text td,.text th{text-align:left}
figure{margin:.5rem 0}svg{width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:var(--dim)}
.end{text-anchor:end}.mid{text-anchor:middle}.grid{stroke:var(--line)}
polyline{fill:none;stroke-width:2}.shifts{stroke:var(--a);fill:var(--a)}.listed{stroke:var(--b);fill:var(--b)}
polyline.shifts,polyline.listed{fill:none}.ratio{stroke:var(--a)}.alert{fill:var(--b)}.incident{fill:var(--shade)}
.key{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 .8em}";

/// The page.
#[must_use]
pub fn report(run: &Backtest) -> String {
    let mut page = Page::default();
    page.put("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">");
    page.put("<meta name=\"viewport\" content=\"width=device-width\"><title>Latido backtest</title><style>");
    page.put(STYLE);
    page.put("</style><h1>Latido backtest</h1>");
    page.paragraph(&run.source.name);
    for line in head_lines(run) {
        page.paragraph(&line);
    }
    summary(run, &mut page);
    trade_off(run, &mut page);
    departments(run, &mut page);
    alerts(run, &mut page);
    page.html
}

#[derive(Default)]
struct Page {
    html: String,
}

impl Page {
    fn put(&mut self, html: &str) {
        self.html.push_str(html);
    }

    fn heading(&mut self, level: u8, text: &str) {
        self.put(&format!("<h{level}>{}</h{level}>", escaped(text)));
    }

    fn paragraph(&mut self, text: &str) {
        self.put(&format!("<p class=\"dim\">{}</p>", escaped(text)));
    }

    fn table(&mut self, class: &str, head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
        self.put(&format!("<div class=\"wide\"><table class=\"{class}\"><thead><tr>"));
        head.iter().for_each(|cell| self.put(&format!("<th scope=\"col\">{}</th>", escaped(cell))));
        self.put("</tr></thead><tbody>");
        for row in rows {
            self.put("<tr>");
            row.iter().for_each(|cell| self.put(&format!("<td>{}</td>", escaped(cell))));
            self.put("</tr>");
        }
        self.put("</tbody></table></div>");
    }

    fn figure(&mut self, svg: &str, caption: &str) {
        self.put(&format!("<figure>{svg}<figcaption>{caption}</figcaption></figure>"));
    }

    fn left_out(&mut self, shown: usize, of: usize, what: &str) {
        if of > shown {
            self.paragraph(&format!("{shown} of {of} {what} are shown; --json has all."));
        }
    }
}

fn summary(run: &Backtest, page: &mut Page) {
    page.heading(2, "Departments");
    let rows = std::iter::once(&run.total).chain(&run.departments).take(ROWS + 1);
    page.table("", &outcome_head(run), rows.map(|outcome| outcome_cells(outcome, run)));
    page.left_out(ROWS, run.departments.len(), "departments");
    for caution in cautions(run) {
        page.paragraph(&caution);
    }
}

fn trade_off(run: &Backtest, page: &mut Page) {
    page.heading(2, "What each budget would have meant");
    page.paragraph(SHIFTS_ARE);
    trade_off_table(&run.total, run, page);
}

fn trade_off_table(outcome: &DepartmentOutcome, run: &Backtest, page: &mut Page) {
    let head = ["budget", "alarms in 28 days", "95 %", "shifts found", "median delay", "listed found", "median delay"];
    let cells = outcome.trade_off.iter().map(|point| {
        vec![
            budget_cell(point.budget, run),
            rate(point.alarms_per_month),
            interval(point.alarms_per_month_interval),
            found(&point.shifts),
            delay(point.shifts.median_delay_seconds),
            found(&point.listed),
            delay(point.listed.median_delay_seconds),
        ]
    });
    page.table("", &head, cells);
}

fn departments(run: &Backtest, page: &mut Page) {
    page.heading(2, "Each department");
    let mut shown: Vec<&DepartmentOutcome> = run.departments.iter().collect();
    // Those that page most come first; where many do not, busy ones tell more than quiet ones.
    shown.sort_by_key(|outcome| std::cmp::Reverse((outcome.incidents, outcome.messages)));
    shown.truncate(PLOTTED);
    if run.departments.len() > PLOTTED {
        page.paragraph(&format!(
            "Of {} departments the {PLOTTED} with the most incidents are drawn.",
            run.departments.len()
        ));
    }
    let recorded = TimeSpan { from: run.from.0, until: run.until.0 };
    for outcome in shown {
        page.heading(3, &outcome.department);
        let incidents = if run.with_incidents {
            "<span class=\"key\" style=\"background:var(--shade)\"></span>listed incidents"
        } else {
            ""
        };
        page.figure(
            &svg::timeline(outcome, recorded),
            &format!("Negative messages, by day in UTC<span class=\"key\" style=\"background:var(--b)\"></span>alerts{incidents}"),
        );
        let listed = if outcome.listed > 0 {
            "<span class=\"key\" style=\"background:var(--b)\"></span>listed incidents"
        } else {
            ""
        };
        page.figure(
            &svg::trade_off(outcome),
            &format!(
                "Median delay of those found<span class=\"key\" style=\"background:var(--a)\"></span>shifts{listed}"
            ),
        );
        trade_off_table(outcome, run, page);
    }
}

fn alerts(run: &Backtest, page: &mut Page) {
    page.heading(2, "Alerts");
    if run.alerts.is_empty() {
        page.paragraph("None.");
        return;
    }
    let newest = run.alerts.len().saturating_sub(ROWS);
    if newest > 0 {
        page.paragraph(&format!("The newest {ROWS} of {} are shown; --json has all.", run.alerts.len()));
    }
    let rows = run.alerts[newest..].iter().map(|alert| alert_cells(alert, run.with_incidents));
    page.table("text", alert_head(run), rows);
}
