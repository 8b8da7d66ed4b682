//! `POST /api/v1/resume`: an operator's word to go on reading where the garbage breaker has stopped it.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ApiState;
use super::problem::Problem;
use crate::publish::Resume;

/// A browser sends a header of this name to no other site without asking there first, so no page can resume reading.
pub const COMMAND_HEADER: &str = "x-latido-command";

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// How many records may pass whatever they are.
    #[serde(default)]
    records: u64,
}

/// Hands the word to the fold.
pub(super) async fn resume(
    State(state): State<Arc<ApiState>>,
    headers: HeaderMap,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(Wanted { records }) = wanted.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
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
