//! `/api/v1/windows`: the panes that the windows are made of.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::ApiState;
use super::api::{ids, unknown_department};
use super::problem::Problem;
use super::query::{Form, Parts};
use crate::config::Roster;
use crate::message::EventTime;
use crate::window::PaneCounts;

/// How long the fold may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Which panes are asked for.
const PANES: Form =
    Form { names: &["department", "from", "to"], example: "/api/v1/windows?department=ID&from=TIME&to=TIME" };

/// One pane. `start` is milliseconds since the epoch.
#[derive(Debug, Serialize)]
struct PaneItem<'a> {
    department: &'a str,
    start: i64,
    messages: u32,
    negative: u32,
    positive: u32,
    frustrated: u32,
    severe: u32,
}

/// Panes as the fold has them, closed or not.
#[derive(Debug, Serialize)]
struct PanesItem<'a> {
    catching_up: bool,
    /// RFC 3339; what starts from there on is not closed yet.
    window_end: Option<String>,
    panes: Vec<PaneItem<'a>>,
}

/// The panes of a department that hold messages and start within [`from`, `to`).
pub(super) async fn windows(
    State(state): State<Arc<ApiState>>,
    parts: Parts,
) -> Result<Json<serde_json::Value>, Problem> {
    let asked = PANES.read(parts)?;
    let roster = state.board.read().roster;
    let name = asked.get("department").ok_or_else(|| no_department(&roster))?;
    roster.find(name).ok_or_else(|| unknown_department(&roster, name))?;
    let from = moment("from", asked.get("from"))?;
    let to = moment("to", asked.get("to"))?;
    if let Some((from, to)) = from.zip(to).filter(|(from, to)| from > to) {
        let (from, to) = (from.to_rfc3339(), to.to_rfc3339());
        return Err(Problem::bad_request(format!(
            "`from` ({from}) is after `to` ({to}); write the earlier one as `from`"
        )));
    }
    let answered = tokio::time::timeout(PATIENCE, state.panes.ask(name.to_owned())).await;
    let now = answered.ok().flatten().ok_or_else(Problem::busy)?;
    let item = |(start, PaneCounts { tally, severe, .. }): (EventTime, PaneCounts)| PaneItem {
        department: name,
        start: start.as_millis(),
        messages: tally.messages,
        negative: tally.negative,
        positive: tally.positive,
        frustrated: tally.frustrated,
        severe,
    };
    let answer = PanesItem {
        catching_up: state.board.read().stream.catching_up,
        window_end: now.window_end.map(EventTime::to_rfc3339),
        panes: now.within(from, to).into_iter().map(item).collect(),
    };
    serde_json::to_value(answer).map(Json).map_err(|error| Problem::internal(format!("no JSON: {error}")))
}

fn no_department(roster: &Roster) -> Problem {
    Problem::bad_request(format!(
        "`department` is missing; write /api/v1/windows?department=ID, where ID is one of {}",
        ids(roster)
    ))
}

/// A moment as people and programs write it: RFC 3339, or milliseconds since the epoch.
fn moment(name: &str, text: Option<&str>) -> Result<Option<EventTime>, Problem> {
    let Some(text) = text else { return Ok(None) };
    if let Ok(millis) = text.parse() {
        return Ok(Some(EventTime::from_millis(millis)));
    }
    let parsed: Result<jiff::Timestamp, _> = text.parse();
    parsed.map(|moment| Some(EventTime::from_millis(moment.as_millisecond()))).map_err(|_| {
        let wanted = "milliseconds since 1970 or a time such as 2026-01-31T00:00:00Z (a + in a URL is written %2B)";
        Problem::bad_request(format!("`{name}` is `{text}`; write {wanted}"))
    })
}
