//! The JSON API. Nothing in it is a customer's text (INV-8).

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::ApiState;
use super::problem::Problem;
use super::query::{Form, Parts};
use crate::config::{DepartmentConfig, Roster};
use crate::detect::{Alert, AlertKind, COMPANY, Feedback, Severity, Verdict};
use crate::message::{Audience, Author, EventTime, Sentiment};
use crate::publish::{DepartmentView, View};
use crate::voices::SignalFound;
use crate::window::Tally;

/// Whether an alert is open, as the API and its filter say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Standing {
    Active,
    Closed,
}

impl Standing {
    fn of(alert: &Alert) -> Self {
        if alert.ended.is_none() { Self::Active } else { Self::Closed }
    }

    fn asked_for(text: &str) -> Result<Self, Problem> {
        match text {
            "active" => Ok(Self::Active),
            "closed" => Ok(Self::Closed),
            _ => Err(Problem::bad_request(format!("`state` is `{text}`; write `active` or `closed`"))),
        }
    }
}

/// An alert as the API shows it. Moments are RFC 3339 in event time.
#[derive(Debug, Serialize)]
pub(in crate::publish) struct AlertItem {
    id: String,
    department: String,
    kind: AlertKind,
    severity: Severity,
    state: Standing,
    started: String,
    since: String,
    ended: Option<String>,
    window_seconds: u64,
    messages: u32,
    observed: f64,
    expected: Option<f64>,
    p_value: Option<f64>,
    by_chance_per_month: Option<f64>,
    replayed: bool,
    escalations: u32,
    escalated: Option<String>,
    customers: Option<u64>,
    signals: Vec<SignalFound>,
    samples: Vec<String>,
    paged: bool,
    muted: bool,
    mute_reason: Option<String>,
    feedback: Option<FeedbackItem>,
}

/// What people said of an alert.
#[derive(Debug, Serialize)]
struct FeedbackItem {
    verdict: Verdict,
    note: Option<String>,
    marked: String,
}

impl From<&Feedback> for FeedbackItem {
    fn from(feedback: &Feedback) -> Self {
        let note = Some(feedback.note.clone()).filter(|note| !note.is_empty());
        Self { verdict: feedback.verdict, note, marked: feedback.marked.to_rfc3339() }
    }
}

impl From<&Alert> for AlertItem {
    fn from(alert: &Alert) -> Self {
        let tested = |figure: f64| alert.kind.is_tested().then_some(figure);
        Self {
            id: alert.id.clone(),
            department: alert.department.clone(),
            kind: alert.kind,
            severity: alert.severity,
            state: Standing::of(alert),
            started: alert.started.to_rfc3339(),
            since: alert.since.to_rfc3339(),
            ended: alert.ended.map(EventTime::to_rfc3339),
            window_seconds: alert.window_seconds,
            messages: alert.messages,
            observed: alert.observed,
            expected: Some(alert.expected).filter(|expected| alert.kind.is_tested() || *expected > 0.0),
            p_value: tested(alert.p_value),
            by_chance_per_month: tested(alert.recurrence),
            replayed: alert.replayed,
            escalations: alert.escalations,
            escalated: alert.escalated.map(EventTime::to_rfc3339),
            customers: alert.details.customers,
            signals: alert.details.signals.clone(),
            samples: alert.details.samples.clone(),
            paged: alert.handling.paged,
            muted: alert.handling.muted.is_some(),
            mute_reason: alert.handling.muted.clone(),
            feedback: alert.handling.feedback.as_ref().map(FeedbackItem::from),
        }
    }
}

/// Which alerts are asked for.
const ALERTS: Form =
    Form { names: &["state", "department"], example: "/api/v1/alerts?state=active|closed&department=ID" };

/// `/api/v1/alerts`: open ones, and those closed within the last 7 days; oldest first.
pub(super) async fn alerts(State(state): State<Arc<ApiState>>, parts: Parts) -> Result<Json<Value>, Problem> {
    let asked = ALERTS.read(parts)?;
    let standing = asked.get("state").map(Standing::asked_for).transpose()?;
    let department = asked.get("department");
    let view = state.board.read();
    let alerts = &view.stream.alerts;
    if let Some(department) = department {
        let is_ours = department == COMPANY || view.roster.find(department).is_some();
        let known = is_ours || alerts.iter().any(|alert| alert.department == department);
        if !known {
            return Err(unknown_department(&view.roster, department));
        }
    }
    let asked_for = |alert: &&Alert| {
        standing.is_none_or(|standing| standing == Standing::of(alert))
            && department.is_none_or(|department| department == alert.department)
    };
    let items: Vec<_> = alerts.iter().filter(asked_for).map(AlertItem::from).collect();
    Ok(Json(json!({
        "catching_up": view.stream.catching_up,
        "paging_suspended": view.stream.paging_suspended,
        "alerts": items,
    })))
}

pub(super) fn unknown_department(roster: &Roster, name: &str) -> Problem {
    Problem::bad_request(format!("no department is called `{name}`; the departments are {}", ids(roster)))
}

/// The departments in words.
pub(super) fn ids(roster: &Roster) -> String {
    let ids: Vec<_> = roster.iter().map(|(_, department)| department.id.as_str()).collect();
    ids.join(", ")
}

/// `/api/v1/alerts/{id}`.
pub(super) async fn alert(
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<AlertItem>, Problem> {
    let Path(id) = id.map_err(|_| Problem::unreadable_id())?;
    let view = state.board.read();
    let found = view.stream.alerts.iter().find(|alert| alert.id == id);
    found.map(|alert| Json(alert.into())).ok_or_else(|| Problem::unknown_alert(&id))
}

/// `/api/v1/departments`: every department as it is now. What belongs to the present is null while catching up, and
/// what windows are tested against also while they are not tested.
pub(super) async fn departments(State(state): State<Arc<ApiState>>) -> Json<Value> {
    let view = state.board.read();
    let shown = view.roster.iter().zip(&view.departments);
    let items: Vec<_> =
        shown.map(|((_, department), counts)| department_item(&state, &view, department, counts)).collect();
    Json(json!({
        "catching_up": view.stream.catching_up,
        "paging_suspended": view.stream.paging_suspended,
        "watermark": view.stream.watermark.map(EventTime::to_rfc3339),
        "window_end": view.stream.window_end.filter(|_| !view.stream.catching_up).map(EventTime::to_rfc3339),
        "departments": items,
    }))
}

fn department_item(state: &ApiState, view: &View, department: &DepartmentConfig, shown: &DepartmentView) -> Value {
    let now = |value: Value| if view.stream.catching_up { Value::Null } else { value };
    let tested = |value: Value| if view.stream.is_without_tests() { Value::Null } else { value };
    json!({
        "id": department.id,
        "team": department.team,
        "state": tested(json!(shown.outlook.state)),
        "windows": now(windows(state, shown)),
        "expected": tested(json!({
            "negative_ratio": shown.outlook.usual_negative.map(|usual| usual.expected),
            "frustration_ratio": shown.outlook.usual_frustrated.map(|usual| usual.expected),
            "messages_per_hour": shown.outlook.usual_messages.map(|usual| usual.expected),
        })),
        "counters": counters(shown),
        "alerts": now(json!(open_alerts(view, department))),
    })
}

/// Oldest first: each kind may have one.
fn open_alerts(view: &View, department: &DepartmentConfig) -> Vec<AlertItem> {
    let is_open = |alert: &&Alert| alert.ended.is_none() && alert.department == department.id;
    view.stream.alerts.iter().filter(is_open).map(AlertItem::from).collect()
}

/// The windows by their names, such as `5m`.
fn windows(state: &ApiState, shown: &DepartmentView) -> Value {
    state.windows.iter().zip(&shown.windows).map(|(length, tally)| (length.to_string(), window(tally))).collect()
}

/// Ratios are 0 to 1, and null where nothing was counted.
fn window(tally: &Tally) -> Value {
    json!({
        "messages": tally.messages,
        "negative_ratio": tally.sentiment_ratio(Sentiment::Negative),
        "positive_ratio": tally.sentiment_ratio(Sentiment::Positive),
        "frustration_ratio": tally.frustration_ratio(),
    })
}

/// Counts since the start of the process.
fn counters(shown: &DepartmentView) -> Value {
    let messages: Map<_, _> = Audience::ALL.iter().zip(shown.messages).map(by_sentiment).collect();
    let frustrated: Map<_, _> = Audience::ALL
        .iter()
        .zip(shown.frustrated)
        .map(|(audience, count)| (audience.to_string(), json!(count)))
        .collect();
    let context = Author::ALL.iter().zip(shown.context).filter(|(author, _)| **author != Author::Customer);
    json!({
        "messages": messages,
        "frustrated": frustrated,
        "context": context.map(|(author, count)| (author.to_string(), json!(count))).collect::<Map<_, _>>(),
        "late": shown.late,
        "cut_texts": shown.cut_texts,
        "unsupported_language": shown.unsupported_language,
    })
}

fn by_sentiment((audience, counts): (&Audience, [u64; Sentiment::ALL.len()])) -> (String, Value) {
    let named = Sentiment::ALL.iter().zip(counts).map(|(sentiment, count)| (sentiment.to_string(), json!(count)));
    (audience.to_string(), Value::Object(named.collect()))
}
