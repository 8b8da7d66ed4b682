//! Errors as the API tells them: `application/problem+json` (RFC 9457).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Why a request got no better answer.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
}

/// The members of RFC 9457 that we send; `type` is left out, which means `about:blank`.
#[derive(Debug, Serialize)]
struct Body<'a> {
    title: &'a str,
    status: u16,
    detail: &'a str,
}

impl Problem {
    /// The request is wrong; the detail says in what and what would be right.
    pub(super) fn bad_request(detail: String) -> Self {
        Self { status: StatusCode::BAD_REQUEST, detail }
    }

    /// Of any other kind.
    pub(super) fn of(status: StatusCode, detail: String) -> Self {
        Self { status, detail }
    }

    /// No alert has that id.
    pub(super) fn unknown_alert(id: &str) -> Self {
        Self::not_found(format!("no alert `{id}`; closed ones are kept for 7 days, /api/v1/alerts lists them"))
    }

    /// What stands for an alert's id in the address is no text.
    pub(super) fn unreadable_id() -> Self {
        Self::bad_request("the id in the address is not UTF-8; /api/v1/alerts lists the ids".to_owned())
    }

    /// There is nothing of that name.
    pub(super) fn not_found(detail: String) -> Self {
        Self { status: StatusCode::NOT_FOUND, detail }
    }

    /// The address is right, the method is not.
    pub(super) fn method_not_allowed() -> Self {
        let detail = "this address takes other methods; the header Allow names them".to_owned();
        Self { status: StatusCode::METHOD_NOT_ALLOWED, detail }
    }

    /// The request does not fit the present.
    pub(super) fn conflict(detail: String) -> Self {
        Self { status: StatusCode::CONFLICT, detail }
    }

    /// No token, or another one.
    pub(super) fn unauthorized() -> Self {
        let detail = "send the token of `http.token_file` as `Authorization: Bearer <token>`".to_owned();
        Self { status: StatusCode::UNAUTHORIZED, detail }
    }

    /// The fold does not answer now.
    pub(super) fn busy() -> Self {
        let detail = "the fold does not answer just now; /healthz says whether it moves. Ask again".to_owned();
        Self { status: StatusCode::SERVICE_UNAVAILABLE, detail }
    }

    /// Our own fault.
    pub(super) fn internal(detail: String) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, detail }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let body = Body { title, status: self.status.as_u16(), detail: &self.detail };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"latido\""));
        }
        response
    }
}
