//! `POST /api/v1/alerts/{id}/feedback`: what people say of an alert.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::Value;

use super::ApiState;
use super::api::AlertItem;
use super::problem::Problem;
use crate::detect::{Feedback, Verdict};
use crate::publish::NotMarked;

/// Most bytes of the request: a note of 500 characters, each written as two escapes, and what is around it.
pub(super) const MOST_BODY_BYTES: usize = 8 * 1_024;

/// How long the fold may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a mark looks like.
const EXAMPLE: &str = r#"{"verdict": "false"} or {"verdict": "useful", "note": "TEXT"}"#;

/// Marks the alert. Accepted: it is so from now on, and survives a crash with the next checkpoint.
///
/// Only JSON is taken: no page in a browser sends that to another site without asking there first.
pub(super) async fn feedback(
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<(StatusCode, Json<AlertItem>), Problem> {
    let Path(id) = id.map_err(|_| Problem::unreadable_id())?;
    let Json(body) = body.map_err(|rejection| Problem::of(rejection.status(), unreadable(&rejection)))?;
    let refused = |complaint| Problem::of(StatusCode::UNPROCESSABLE_ENTITY, complaint);
    let (verdict, note) = said(body).map_err(refused)?;
    complaint_about(&note).map_or(Ok(()), |complaint| Err(refused(complaint)))?;
    let marked = tokio::time::timeout(PATIENCE, state.marks.mark(id.clone(), verdict, note)).await;
    let alert = marked.unwrap_or(Err(NotMarked::Busy)).map_err(|why| not_marked(&id, why))?;
    Ok((StatusCode::ACCEPTED, Json(AlertItem::from(&alert))))
}

/// Why there is no body to look at.
fn unreadable(rejection: &JsonRejection) -> String {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return format!(
            "the body has more than {MOST_BODY_BYTES} bytes; write {EXAMPLE}, the note in at most {} characters",
            Feedback::NOTE_LIMIT
        );
    }
    match rejection {
        JsonRejection::MissingJsonContentType(_) => {
            "send it with the header `Content-Type: application/json`".to_owned()
        }
        JsonRejection::BytesRejection(_) => "the body broke off; send it again".to_owned(),
        _ => format!("the body is not JSON; write {EXAMPLE}"),
    }
}

/// The verdict and the note of a body, or what is wrong with it.
fn said(body: Value) -> Result<(Verdict, String), String> {
    let Value::Object(mut fields) = body else { return Err(format!("the body is no JSON object; write {EXAMPLE}")) };
    let verdict = fields.remove("verdict").ok_or_else(|| format!("`verdict` is missing; write {EXAMPLE}"))?;
    let known = Verdict::ALL.iter().find(|known| verdict == known.as_str());
    let known = known.ok_or_else(|| format!("`verdict` is {verdict}; write \"false\" or \"useful\", in quotes"))?;
    let note = match fields.remove("note").unwrap_or_default() {
        Value::Null => String::new(),
        Value::String(note) => note,
        other => return Err(format!("`note` is {other}; write a text in quotes, or leave it out")),
    };
    match fields.keys().next() {
        Some(unknown) => Err(format!("`{unknown}` is no part of a mark; write {EXAMPLE}")),
        None => Ok((*known, note)),
    }
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
