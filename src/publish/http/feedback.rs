//! `POST /api/v1/alerts/{id}/feedback`: what people say of an alert.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;

use super::ApiState;
use super::api::AlertItem;
use super::problem::Problem;
use crate::detect::{Feedback, Verdict};
use crate::publish::NotMarked;

/// Most bytes of the request: a note of 500 characters, each written as two escapes, and what is around it.
pub(super) const MOST_BODY_BYTES: usize = 8 * 1_024;

/// How long the fold may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is said. Only JSON is taken: no page in a browser sends that to another site without asking there first.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    verdict: String,
    note: Option<String>,
}

/// Marks the alert. Accepted: it is so from now on, and survives a crash with the next checkpoint.
pub(super) async fn feedback(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    said: Result<Json<Said>, JsonRejection>,
) -> Result<(StatusCode, Json<AlertItem>), Problem> {
    let Json(said) = said.map_err(|rejection| Problem::of(rejection.status(), rejection.body_text()))?;
    let refused = |complaint| Problem::of(StatusCode::UNPROCESSABLE_ENTITY, complaint);
    let verdict = Verdict::ALL.iter().find(|verdict| verdict.as_str() == said.verdict);
    let unknown = || refused(format!("`verdict` is {:?}; write \"false\" or \"useful\"", said.verdict));
    let verdict = *verdict.ok_or_else(unknown)?;
    let note = said.note.unwrap_or_default();
    complaint_about(&note).map_or(Ok(()), |complaint| Err(refused(complaint)))?;
    let marked = tokio::time::timeout(PATIENCE, state.marks.mark(id.clone(), verdict, note)).await;
    let alert = marked.unwrap_or(Err(NotMarked::Busy)).map_err(|why| not_marked(&id, why))?;
    Ok((StatusCode::ACCEPTED, Json(AlertItem::from(&alert))))
}

/// What is wrong with a note.
fn complaint_about(note: &str) -> Option<String> {
    let (characters, most) = (note.chars().count(), Feedback::NOTE_LIMIT);
    if characters > most {
        return Some(format!("`note` has {characters} characters; write at most {most}"));
    }
    // It is shown in terminals.
    note.contains(char::is_control).then(|| "`note` holds control characters; write it on one line".to_owned())
}

fn not_marked(id: &str, why: NotMarked) -> Problem {
    match why {
        NotMarked::Unknown => Problem::unknown_alert(id),
        NotMarked::Elsewhere => Problem::conflict(why.to_string()),
        NotMarked::Busy => Problem::busy(),
    }
}
