//! Which address answers what.

use std::iter;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use prometheus::TEXT_FORMAT;

use super::problem::Problem;
use super::{ApiState, api, feedback, resume, windows};
use crate::publish::Thread;
use crate::publish::metrics::render;

/// A thread without a heartbeat for longer than this is stalled.
const STALLED_AFTER: Duration = Duration::from_secs(10);

/// Most routes read no body.
const MOST_BODY_BYTES: usize = 1_024;

/// What `/` says.
const INDEX: &str = "\
Latido: real-time customer sentiment

/metrics               Prometheus metrics
/healthz               whether every thread moves
/readyz                whether it is ready, or why not
/api/v1/departments    the departments and how their customers feel now
/api/v1/alerts         open and closed alerts (?state=active|closed, ?department=ID)
/api/v1/alerts/ID      one alert
/api/v1/alerts/ID/feedback  POST: what you say of it; see `latido alerts mark --help`
/api/v1/windows        the panes of a department, 10 s each (?department=ID, &from=TIME, &to=TIME)
/api/v1/resume         POST: go on reading where garbage has stopped it; see `latido resume --help`
";

/// Every route; `/` and `/api` behind the token where there is one.
pub fn routes(state: Arc<ApiState>) -> Router {
    let large_body = DefaultBodyLimit::max(feedback::MOST_BODY_BYTES);
    let guarded = Router::new()
        .route("/", get(|| async { INDEX }))
        .route("/api/v1/departments", get(api::departments))
        .route("/api/v1/alerts", get(api::alerts))
        .route("/api/v1/alerts/{id}", get(api::alert))
        .route("/api/v1/alerts/{id}/feedback", post(feedback::feedback).layer(large_body))
        .route("/api/v1/windows", get(windows::windows))
        .route("/api/v1/resume", post(resume::resume))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&state), guard));
    finish(guarded.merge(open()).fallback(not_found), state)
}

/// The routes that never ask for a token: metrics and health.
pub fn open_routes(state: Arc<ApiState>) -> Router {
    finish(open().fallback(not_found_here), state)
}

fn open() -> Router<Arc<ApiState>> {
    Router::new().route("/metrics", get(metrics)).route("/healthz", get(healthz)).route("/readyz", get(readyz))
}

/// What holds for every route.
fn finish(router: Router<Arc<ApiState>>, state: Arc<ApiState>) -> Router {
    router
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
        .layer(middleware::map_response(with_safe_headers))
        .with_state(state)
}

async fn not_found(uri: Uri) -> Problem {
    Problem::not_found(format!("nothing is served at {}; / lists what is", uri.path()))
}

async fn not_found_here(uri: Uri) -> Problem {
    let served =
        "this address (`http.metrics_listen`) serves /metrics, /healthz and /readyz, and `http.listen` the rest";
    Problem::not_found(format!("nothing is served at {}; {served}", uri.path()))
}

/// Answers are of this moment and of the type that they say.
async fn with_safe_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Lets a request pass that shows the token, or every request where there is none.
async fn guard(State(state): State<Arc<ApiState>>, request: Request, next: Next) -> Response {
    let Some(token) = &state.token else {
        return next.run(request).await;
    };
    let shown = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    if shown.is_some_and(|authorization| token.is_shown_by(authorization)) {
        return next.run(request).await;
    }
    Problem::unauthorized().into_response()
}

async fn metrics(State(state): State<Arc<ApiState>>) -> Response {
    match render(&state.registry) {
        Ok(text) => ([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be rendered");
            Problem::internal("metrics cannot be rendered; the log says why".to_owned()).into_response()
        }
    }
}

async fn healthz(State(state): State<Arc<ApiState>>) -> (StatusCode, String) {
    liveness(&state.health.stalled(STALLED_AFTER))
}

fn liveness(stalled: &[(Thread, Duration)]) -> (StatusCode, String) {
    if stalled.is_empty() {
        return (StatusCode::OK, "ok\n".to_owned());
    }
    let lines = stalled
        .iter()
        .map(|(thread, age)| format!("stalled: {} has not moved for {} s\n", thread.as_str(), age.as_secs()));
    (StatusCode::SERVICE_UNAVAILABLE, lines.collect())
}

async fn readyz(State(state): State<Arc<ApiState>>) -> (StatusCode, String) {
    let (reasons, notes) = (state.health.not_ready(), state.health.notes());
    let is_ready = reasons.is_empty();
    let lines = reasons.iter().chain(&notes).map(|(key, message)| format!("{key}: {}\n", one_line(message)));
    if is_ready {
        return (StatusCode::OK, iter::once("ready\n".to_owned()).chain(lines).collect());
    }
    (StatusCode::SERVICE_UNAVAILABLE, lines.collect())
}

/// A message without line breaks, so that each reason stays a line.
fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn healthz_names_each_thread_that_stands_still() {
        let stalled = [(Thread::Ingest, Duration::from_secs(11)), (Thread::Fold, Duration::from_millis(12_900))];
        let lines = "stalled: ingest has not moved for 11 s\nstalled: fold has not moved for 12 s\n";
        assert_eq!(liveness(&stalled), (StatusCode::SERVICE_UNAVAILABLE, lines.to_owned()));
        assert_eq!(liveness(&[]), (StatusCode::OK, "ok\n".to_owned()));
    }
}
