//! `POST /api/v1/resume`: an operator's word to go on reading where the garbage breaker has stopped it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::ApiState;
use super::problem::Problem;
use super::query::{Form, Parts};
use crate::publish::Resume;

/// A browser sends a header of this name to no other site without asking there first, so no page can resume reading.
pub const COMMAND_HEADER: &str = "x-latido-command";

/// How many records may pass whatever they are.
const RESUME: Form = Form { names: &["records"], example: "/api/v1/resume?records=N" };

/// Hands the word to the fold.
pub(super) async fn resume(
    State(state): State<Arc<ApiState>>,
    headers: HeaderMap,
    parts: Parts,
) -> Result<Json<Value>, Problem> {
    let records = RESUME.read(parts)?.get("records").map_or(Ok(0), number)?;
    if !headers.contains_key(COMMAND_HEADER) {
        return Err(Problem::bad_request(format!(
            "send the header `{COMMAND_HEADER}: resume`, or use `latido resume`"
        )));
    }
    if !state.board.read().stream.breaker_open {
        return Err(Problem::conflict("reading has not stopped: there is nothing to resume".to_owned()));
    }
    state.resumes.try_send(Resume { records }).map_err(|_| Problem::busy())?;
    Ok(Json(json!({ "resumed": true, "records": records })))
}

fn number(text: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| {
        Problem::bad_request(format!("`records` is `{text}`; write how many records may pass, such as 500"))
    })
}
