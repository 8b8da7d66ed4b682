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
    if note.contains(char::is_control) {
        return Some("`note` holds control characters; write it on one line".to_owned());
    }
    let unseen = note.chars().find(|character| deceives(*character))?;
    Some(format!(
        "`note` holds {}, which nobody sees and which can turn text around; leave it out",
        unseen.escape_unicode()
    ))
}

/// Whether a character shows nothing itself and makes others look like something else, or break a line: those that Unicode calls format
/// characters and separators of lines and paragraphs. The joiners that many scripts and emoji are written with are none of these.
fn deceives(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{180e}'
        | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}')
}

fn not_marked(id: &str, why: NotMarked) -> Problem {
    match why {
        NotMarked::Unknown => Problem::unknown_alert(id),
        NotMarked::Elsewhere => Problem::conflict(why.to_string()),
        NotMarked::Busy => Problem::busy(),
    }
}
