//! What each route answers, and to whom.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use latido::detect::{Alert, AlertKind, Severity};
use latido::publish::http::{ApiState, COMMAND_HEADER, Token, open_routes, routes};
use latido::publish::{Health, NotMarked, Resume, StreamView};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::fixture::{BILLING, Company, NOW, billing, fold_that_marks, stream};

const SECRET: &str = "a-secret-of-some-length";

struct Answer {
    status: StatusCode,
    content_type: String,
    headers: axum::http::HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
    let content_type = parts.headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap().to_owned());
    Answer { status: parts.status, content_type: content_type.unwrap_or_default(), headers: parts.headers, text }
}

async fn get(router: &Router, uri: &str) -> Answer {
    send(router, Request::get(uri).body(Body::empty()).unwrap()).await
}

async fn get_with(router: &Router, uri: &str, authorization: &str) -> Answer {
    let request = Request::get(uri).header(header::AUTHORIZATION, authorization);
    send(router, request.body(Body::empty()).unwrap()).await
}

fn serve(company: &Company) -> Router {
    routes(Arc::new(company.state()))
}

fn guarded(company: &Company) -> Arc<ApiState> {
    Arc::new(ApiState { token: Token::new(SECRET), ..company.state() })
}

#[tokio::test]
async fn metrics_come_as_prometheus_text() {
    let company = Company::live();
    let answer = get(&serve(&company), "/metrics").await;
    assert_eq!((answer.status, answer.content_type.as_str()), (StatusCode::OK, "text/plain; version=0.0.4"));
    assert!(
        answer.text.contains(
            "latido_messages_total{department=\"billing\",audience=\"external\",sentiment=\"negative\"} 30\n"
        )
    );
}

#[tokio::test]
async fn healthz_is_ok_while_every_watched_thread_moves() {
    let company = Company::live();
    company.health.expect(latido::publish::Thread::Fold);
    let answer = get(&serve(&company), "/healthz").await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "ok\n"));
}

#[tokio::test]
async fn readyz_gives_each_reason_a_line() {
    let company = Company::new();
    company.health.set_not_ready("broker", "no broker\nreached".to_owned());
    let router = serve(&company);
    let answer = get(&router, "/readyz").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.text, "broker: no broker reached\nstarting: the daemon is starting\n");
    company.health.set_ready("broker");
    company.health.set_ready(Health::STARTING);
    let answer = get(&router, "/readyz").await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "ready\n"));
}

#[tokio::test]
async fn a_note_shows_on_readyz_and_does_not_make_it_fail() {
    let company = Company::live();
    company.health.note("paging", "suspended:\n1 of 2".to_owned());
    let router = serve(&company);
    let answer = get(&router, "/readyz").await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "ready\npaging: suspended: 1 of 2\n"));
    company.health.set_not_ready("kafka", "no broker".to_owned());
    let answer = get(&router, "/readyz").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.text, "kafka: no broker\npaging: suspended: 1 of 2\n");
    company.health.set_ready("kafka");
    company.health.take_note("paging");
    assert_eq!(get(&router, "/readyz").await.text, "ready\n");
}

#[tokio::test]
async fn while_windows_are_not_tested_departments_show_them_and_not_what_they_are_tested_against() {
    let company = Company::live();
    company.board.publish(StreamView { paging_suspended: true, ..stream(false) }, []);
    let answer = get(&serve(&company), "/api/v1/departments").await.json();
    assert_eq!((&answer["catching_up"], &answer["paging_suspended"]), (&json!(false), &json!(true)));
    let billing = &answer["departments"][0];
    assert_eq!((&billing["state"], &billing["expected"]), (&Value::Null, &Value::Null));
    assert_eq!(billing["windows"]["5m"]["messages"], 40);
    assert_eq!(billing["alerts"][0]["state"], "active", "what is open stays to be seen");
}

#[tokio::test]
async fn the_index_names_addresses_that_are_served() {
    let company = Company::live();
    let router = serve(&company);
    let index = get(&router, "/").await;
    let addresses: Vec<_> =
        index.text.lines().filter_map(|line| line.split(' ').next()).filter(|word| word.starts_with('/')).collect();
    assert_eq!(addresses.len(), 9);
    for address in addresses {
        let wanted = address.replace("ID", "billing-frustration-1772358900000");
        let answered = match address {
            "/api/v1/windows" => get(&router, "/api/v1/windows?department=billing").await.status,
            "/api/v1/resume" | "/api/v1/alerts/ID/feedback" => {
                // Only POST: that it is served is what 405 says.
                assert_eq!(get(&router, &wanted).await.status, StatusCode::METHOD_NOT_ALLOWED);
                continue;
            }
            _ => get(&router, &wanted).await.status,
        };
        assert_eq!(answered, StatusCode::OK, "{address}");
    }
}

#[tokio::test]
async fn departments_show_their_windows_expectations_counters_and_alert() {
    let company = Company::live();
    let answer = get(&serve(&company), "/api/v1/departments").await.json();
    let departments = answer["departments"].as_array().unwrap();
    assert_eq!(departments.len(), 3);
    assert_eq!(answer["watermark"], "2026-03-01T10:00:00Z");
    let billing = &departments[0];
    assert_eq!(
        (&billing["id"], &billing["team"], &billing["state"]),
        (&json!("billing"), &json!("payments"), &json!("active"))
    );
    assert_eq!(
        billing["windows"]["5m"],
        json!({ "messages": 40, "negative_ratio": 0.75, "positive_ratio": 0.05, "frustration_ratio": 0.75 })
    );
    assert_eq!(
        billing["expected"],
        json!({ "negative_ratio": 0.25, "frustration_ratio": 0.25, "messages_per_hour": 40.0 })
    );
    assert_eq!(billing["counters"]["messages"]["internal"], json!({ "negative": 4, "neutral": 5, "positive": 6 }));
    assert_eq!(billing["counters"]["context"], json!({ "agent": 12, "bot": 7 }));
    assert_eq!(billing["alerts"][0]["id"], "billing-frustration-1772358900000");
    let delivery = &departments[1];
    assert_eq!(delivery["windows"]["5m"]["negative_ratio"], Value::Null);
    assert_eq!((&delivery["state"], &delivery["alerts"]), (&json!("learning"), &json!([])));
    assert_eq!(departments[2]["id"], "other");
}

#[tokio::test]
async fn while_catching_up_departments_have_counters_but_no_present() {
    let company = Company::catching_up();
    let answer = get(&serve(&company), "/api/v1/departments").await.json();
    assert_eq!(answer["catching_up"], true);
    let billing = &answer["departments"][0];
    for present in ["windows", "state", "expected", "alerts"] {
        assert_eq!(billing[present], Value::Null, "{present}");
    }
    assert_eq!(billing["counters"]["messages"]["external"]["negative"], 30);
}

#[tokio::test]
async fn alerts_are_listed_filtered_and_shown_one_by_one() {
    let company = Company::live();
    let router = serve(&company);
    let ids = async |query: &str| -> Vec<String> {
        let answer = get(&router, &format!("/api/v1/alerts{query}")).await.json();
        answer["alerts"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    let (closed, open) = ("delivery-negative_sentiment-1772300000000", "billing-frustration-1772358900000");
    assert_eq!(ids("").await, [closed, open]);
    assert_eq!(ids("?state=active").await, [open]);
    assert_eq!(ids("?state=closed").await, [closed]);
    assert_eq!(ids("?department=delivery&state=active").await, [""; 0]);
    assert_eq!(ids("?department=delivery").await, [closed]);
    let alert = get(&router, &format!("/api/v1/alerts/{open}")).await.json();
    assert_eq!(
        alert,
        json!({
            "id": open, "department": "billing", "kind": "frustration", "severity": "page", "state": "active",
            "started": "2026-03-01T09:55:00Z", "since": "2026-03-01T09:50:00Z", "ended": null, "window_seconds": 300,
            "messages": 40, "observed": 0.75, "expected": 0.25, "p_value": 1e-9, "by_chance_per_month": 0.001,
            "replayed": false, "escalations": 0, "escalated": null, "customers": 23,
            "signals": [{ "signal": "outage", "messages": 12, "times_usual": 8.5 }],
            "samples": ["m-17", "in/0/4711"],
            "paged": true, "muted": false, "mute_reason": null, "feedback": null,
        })
    );
    let closed = get(&router, &format!("/api/v1/alerts/{closed}")).await.json();
    let said = json!({ "verdict": "false", "note": "expected", "marked": "2026-03-01T10:00:00Z" });
    assert_eq!(closed["feedback"], said);
    assert_eq!(
        (&closed["muted"], &closed["mute_reason"], &closed["paged"]),
        (&json!(true), &json!("a move"), &json!(false))
    );
    assert_eq!((&closed["state"], &closed["ended"]), (&json!("closed"), &json!("2026-02-28T17:50:00Z")));
    assert_eq!((&closed["kind"], &closed["severity"]), (&json!("negative_sentiment"), &json!("ticket")));
}

#[tokio::test]
async fn a_ticket_about_severe_messages_has_no_figures_of_a_test_and_hides_no_page() {
    let company = Company::live();
    let mut alerts = crate::fixture::alerts();
    let ticket = Alert {
        id: "billing-severe-1772359200000".to_owned(),
        kind: AlertKind::Severe,
        severity: Severity::Ticket,
        messages: 2,
        observed: 2.0,
        expected: 0.0,
        p_value: 1.0,
        recurrence: 0.0,
        ..alerts[1].clone()
    };
    alerts.push(ticket);
    company.board.publish(StreamView { alerts: alerts.into(), ..crate::fixture::stream(false) }, []);
    let router = serve(&company);
    let shown = get(&router, "/api/v1/alerts/billing-severe-1772359200000").await.json();
    assert_eq!((&shown["kind"], &shown["severity"]), (&json!("severe"), &json!("ticket")));
    assert_eq!((&shown["messages"], &shown["observed"]), (&json!(2), &json!(2.0)));
    for figure in ["expected", "p_value", "by_chance_per_month"] {
        assert_eq!(shown[figure], Value::Null, "{figure}");
    }
    let answer = get(&router, "/api/v1/departments").await.json();
    let open = answer["departments"][0]["alerts"].as_array().unwrap();
    let kinds: Vec<_> = open.iter().map(|alert| &alert["kind"]).collect();
    assert_eq!(kinds, ["frustration", "severe"], "the page is there beside the newer ticket");
}

#[tokio::test]
async fn the_panes_of_a_department_come_as_the_fold_has_them() {
    let company = Company::live();
    let router = serve(&company);
    let starts = async |query: &str| -> Vec<i64> {
        let answer = get(&router, &format!("/api/v1/windows?department={query}")).await.json();
        answer["panes"].as_array().unwrap().iter().map(|pane| pane["start"].as_i64().unwrap()).collect()
    };
    let now = NOW.as_millis();
    let (hour_ago, closed, open) = (now - 3_600_000, now - 20_000, now + 10_000);
    assert_eq!(starts("billing").await, [hour_ago, closed, open]);
    assert_eq!(starts(&format!("billing&from={closed}&to={open}")).await, [closed]);
    assert_eq!(starts("billing&from=2026-03-01T10:00:00Z").await, [open]);
    assert_eq!(starts("delivery").await, [0; 0]);
    let answer = get(&router, &format!("/api/v1/windows?department=billing&to={closed}")).await.json();
    assert_eq!(
        answer,
        json!({
            "catching_up": false, "window_end": "2026-03-01T10:00:00Z",
            "panes": [
                { "department": "billing", "start": hour_ago, "messages": 4, "negative": 2, "positive": 1, "frustrated": 1, "severe": 0 },
            ],
        })
    );
}

#[tokio::test]
async fn reading_is_resumed_where_it_has_stopped_and_not_by_a_page_in_a_browser() {
    let company = Company::live();
    let router = serve(&company);
    let post = async |uri: &str, header: &str| {
        let request = Request::post(uri).header(header, "resume").body(Body::empty()).unwrap();
        send(&router, request).await
    };
    assert_eq!(post("/api/v1/resume", COMMAND_HEADER).await.status, StatusCode::CONFLICT, "it is reading");

    company.board.publish(StreamView { breaker_open: true, ..stream(false) }, []);
    assert_eq!(post("/api/v1/resume", "content-type").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(get(&router, "/api/v1/resume").await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(company.resumes.1.is_empty());
    let answer = post("/api/v1/resume?records=500", COMMAND_HEADER).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "resumed": true, "records": 500 })));
    assert_eq!(company.resumes.1.try_recv(), Ok(Resume { records: 500 }));
    let answer = post("/api/v1/resume?records=all", COMMAND_HEADER).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text.contains("`records` is `all`; write how many"), "{}", answer.text);

    let guarded = routes(guarded(&company));
    let request = Request::post("/api/v1/resume").header(COMMAND_HEADER, "resume").body(Body::empty()).unwrap();
    assert_eq!(send(&guarded, request).await.status, StatusCode::UNAUTHORIZED);
}

/// Sends what somebody says of an alert.
async fn say(router: &Router, id: &str, body: &str) -> Answer {
    let request =
        Request::post(format!("/api/v1/alerts/{id}/feedback")).header(header::CONTENT_TYPE, "application/json");
    send(router, request.body(Body::from(body.to_owned())).unwrap()).await
}

const OPEN: &str = "billing-frustration-1772358900000";

#[tokio::test]
async fn an_alert_is_marked_and_answered_as_it_is_then() {
    let company = Company::live();
    fold_that_marks(&company);
    let router = serve(&company);
    let answer = say(&router, OPEN, r#"{"verdict": "useful", "note": "the card processor"}"#).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    let alert = answer.json();
    assert_eq!(alert["id"], OPEN);
    let said = json!({ "verdict": "useful", "note": "the card processor", "marked": "2026-03-01T10:00:00Z" });
    assert_eq!(alert["feedback"], said);
    let answer = say(&router, OPEN, r#"{"verdict": "false"}"#).await.json();
    assert_eq!(answer["feedback"], json!({ "verdict": "false", "note": null, "marked": "2026-03-01T10:00:00Z" }));
    let family = "la familia \u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}, \u{645}\u{6CC}\u{200C}\u{62E}";
    let answer = say(&router, OPEN, &json!({ "verdict": "useful", "note": family }).to_string()).await;
    assert_eq!(answer.json()["feedback"]["note"], family, "joiners are of how people write");
    let note = "\u{1F642}".repeat(500);
    let escaped: String = "\\ud83d\\ude42".repeat(500);
    let answer = say(&router, OPEN, &format!(r#"{{"verdict": "false", "note": "{escaped}"}}"#)).await;
    assert_eq!((answer.status, answer.json()["feedback"]["note"].as_str()), (StatusCode::ACCEPTED, Some(&*note)));
}

#[tokio::test]
async fn what_cannot_be_a_mark_is_told_what_would_be_right() {
    let company = Company::live();
    fold_that_marks(&company);
    let router = serve(&company);
    let long = format!(r#"{{"verdict": "false", "note": "{}"}}"#, "x".repeat(501));
    let huge = format!(r#"{{"verdict": "false", "note": "{}"}}"#, "x".repeat(9_000));
    for (id, body, status, words) in [
        ("billing-silence-7", r#"{"verdict": "false"}"#, StatusCode::NOT_FOUND, "no alert `billing-silence-7`"),
        ("billing-%ff", r#"{"verdict": "false"}"#, StatusCode::BAD_REQUEST, "not UTF-8; /api/v1/alerts lists the ids"),
        (OPEN, "verdict=false", StatusCode::BAD_REQUEST, "the body is not JSON; write {\"verdict\": \"false\"}"),
        (OPEN, "", StatusCode::BAD_REQUEST, "the body is not JSON; write {\"verdict\": \"false\"}"),
        (OPEN, "[]", StatusCode::UNPROCESSABLE_ENTITY, "the body is no JSON object; write {\"verdict\": \"false\"}"),
        (OPEN, "{}", StatusCode::UNPROCESSABLE_ENTITY, "`verdict` is missing; write {\"verdict\": \"false\"}"),
        (
            OPEN,
            r#"{"verdict": "good"}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
            "is \"good\"; write \"false\" or \"useful\"",
        ),
        (OPEN, r#"{"verdict": false}"#, StatusCode::UNPROCESSABLE_ENTITY, "`verdict` is false; write \"false\" or"),
        (
            OPEN,
            r#"{"verdict": "false", "text": "x"}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
            "`text` is no part of a mark; write",
        ),
        (OPEN, r#"{"verdict": "false", "note": 7}"#, StatusCode::UNPROCESSABLE_ENTITY, "`note` is 7; write a text"),
        (OPEN, r#"{"verdict": "false", "note": "a\nb"}"#, StatusCode::UNPROCESSABLE_ENTITY, "on one line"),
        (
            OPEN,
            r#"{"verdict": "false", "note": "a\u202eb"}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
            "`note` holds \\u{202e}",
        ),
        (OPEN, r#"{"verdict": "false", "note": "a\u2066b"}"#, StatusCode::UNPROCESSABLE_ENTITY, "\\u{2066}"),
        (OPEN, r#"{"verdict": "false", "note": "a\u2028b"}"#, StatusCode::UNPROCESSABLE_ENTITY, "\\u{2028}"),
        (OPEN, r#"{"verdict": "false", "note": "a\u2029b"}"#, StatusCode::UNPROCESSABLE_ENTITY, "\\u{2029}"),
        (OPEN, r#"{"verdict": "false", "note": "\ufeffa\u200bb"}"#, StatusCode::UNPROCESSABLE_ENTITY, "\\u{feff}"),
        (OPEN, r#"{"verdict": "false", "note": "\udb40\udc41"}"#, StatusCode::UNPROCESSABLE_ENTITY, "\\u{e0041}"),
        (OPEN, &long, StatusCode::UNPROCESSABLE_ENTITY, "501 characters; write at most 500"),
        (OPEN, &huge, StatusCode::PAYLOAD_TOO_LARGE, "more than 8192 bytes"),
    ] {
        let answer = say(&router, id, body).await;
        assert_eq!(
            (answer.status, &*answer.content_type),
            (status, "application/problem+json"),
            "{body}: {}",
            answer.text
        );
        assert!(answer.json()["detail"].as_str().unwrap().contains(words), "{}", answer.text);
    }
    let uri = format!("/api/v1/alerts/{OPEN}/feedback");
    let got = get(&router, &uri).await;
    assert_eq!((got.status, got.headers[header::ALLOW].to_str().unwrap()), (StatusCode::METHOD_NOT_ALLOWED, "POST"));
    let form = Request::post(&uri).body(Body::from(r#"{"verdict": "false"}"#)).unwrap();
    let answer = send(&router, form).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "what a page of another site may send is refused");
    assert!(answer.text.contains("`Content-Type: application/json`"), "{}", answer.text);
}

#[tokio::test]
async fn a_mark_needs_the_token_and_a_fold_that_takes_it() {
    let company = Company::live();
    let without = say(&routes(guarded(&company)), OPEN, r#"{"verdict": "false"}"#).await;
    assert_eq!(without.status, StatusCode::UNAUTHORIZED);
    assert!(company.marks.1.is_empty());
    let elsewhere = company.marks.1.clone();
    std::thread::spawn(move || {
        let mark = elsewhere.recv().unwrap();
        mark.answer.send(Err(NotMarked::Elsewhere)).unwrap();
        // The second one is dropped, as by a fold that ends.
        drop(elsewhere.recv().unwrap());
    });
    let router = serve(&company);
    let answer = say(&router, OPEN, r#"{"verdict": "false"}"#).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text);
    let answer = say(&router, OPEN, r#"{"verdict": "false"}"#).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text);
}

#[tokio::test]
async fn the_companys_alerts_are_asked_for_by_a_star() {
    let company = Company::live();
    let answer = get(&serve(&company), "/api/v1/alerts?department=*").await;
    assert_eq!((answer.status, &answer.json()["alerts"]), (StatusCode::OK, &json!([])));
}

#[tokio::test]
async fn a_wrong_request_is_told_what_would_be_right() {
    let company = Company::live();
    let router = serve(&company);
    let cases = [
        ("/api/v1/alerts?state=open", StatusCode::BAD_REQUEST, "`active` or `closed`"),
        (
            "/api/v1/alerts?stat=active",
            StatusCode::BAD_REQUEST,
            "`stat` is not known here; write /api/v1/alerts?state=",
        ),
        ("/api/v1/alerts?state=active&state=closed", StatusCode::BAD_REQUEST, "`state` is there twice"),
        ("/api/v1/alerts/billing-%ff", StatusCode::BAD_REQUEST, "not UTF-8; /api/v1/alerts lists the ids"),
        ("/api/v1/alerts?department=bilings", StatusCode::BAD_REQUEST, "billing, delivery, other"),
        (
            "/api/v1/windows",
            StatusCode::BAD_REQUEST,
            "write /api/v1/windows?department=ID, where ID is one of billing, delivery, other",
        ),
        (
            "/api/v1/windows?id=billing",
            StatusCode::BAD_REQUEST,
            "`id` is not known here; write /api/v1/windows?department=ID",
        ),
        ("/api/v1/windows?department=bilings", StatusCode::BAD_REQUEST, "billing, delivery, other"),
        ("/api/v1/windows?department=billing&from=now", StatusCode::BAD_REQUEST, "`from` is `now`; write milliseconds"),
        ("/api/v1/alerts/nothing", StatusCode::NOT_FOUND, "no alert `nothing`"),
        ("/api/v2/alerts", StatusCode::NOT_FOUND, "/api/v2/alerts"),
        ("/metrics/", StatusCode::NOT_FOUND, "/metrics/"),
    ];
    for (uri, status, hint) in cases {
        let answer = get(&router, uri).await;
        assert_eq!((answer.status, answer.content_type.as_str()), (status, "application/problem+json"), "{uri}");
        let problem = answer.json();
        assert_eq!(problem["status"], status.as_u16(), "{uri}");
        assert!(problem["detail"].as_str().unwrap().contains(hint), "{uri}: {problem}");
    }
}

#[tokio::test]
async fn only_reading_is_allowed() {
    let company = Company::live();
    let router = serve(&company);
    for uri in ["/metrics", "/healthz", "/api/v1/alerts"] {
        let answer = send(&router, Request::post(uri).body(Body::from("{}")).unwrap()).await;
        assert_eq!(
            (answer.status, answer.content_type.as_str()),
            (StatusCode::METHOD_NOT_ALLOWED, "application/problem+json"),
            "{uri}"
        );
        assert_eq!(answer.headers[header::ALLOW], "GET,HEAD");
        let head = send(&router, Request::builder().method(Method::HEAD).uri(uri).body(Body::empty()).unwrap()).await;
        assert_eq!((head.status, head.text.as_str()), (StatusCode::OK, ""), "{uri}");
    }
}

#[tokio::test]
async fn a_token_guards_the_api_and_the_index_but_not_metrics_and_health() {
    let company = Company::live();
    let router = routes(guarded(&company));
    let api = [
        "/",
        "/api/v1/departments",
        "/api/v1/alerts",
        "/api/v1/alerts/billing-frustration-1772358900000",
        "/api/v1/windows?department=billing",
    ];
    for uri in api {
        for wrong in ["", "Bearer wrong", &format!("Basic {SECRET}"), &format!("Bearer {SECRET}x")] {
            let answer = get_with(&router, uri, wrong).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{uri} {wrong}");
            assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer realm=\"latido\"");
            assert!(!answer.text.contains("billing") && !answer.text.contains(SECRET), "{}", answer.text);
        }
        assert_eq!(get(&router, uri).await.status, StatusCode::UNAUTHORIZED, "{uri}");
        assert_eq!(get_with(&router, uri, &format!("Bearer {SECRET}")).await.status, StatusCode::OK, "{uri}");
    }
    for uri in ["/metrics", "/healthz", "/readyz"] {
        assert_eq!(get(&router, uri).await.status, StatusCode::OK, "{uri}");
    }
}

#[tokio::test]
async fn the_second_address_serves_metrics_and_health_and_nothing_else() {
    let company = Company::live();
    let router = open_routes(guarded(&company));
    for uri in ["/metrics", "/healthz", "/readyz"] {
        assert_eq!(get(&router, uri).await.status, StatusCode::OK, "{uri}");
    }
    for uri in ["/", "/api/v1/departments", "/api/v1/alerts"] {
        let answer = get_with(&router, uri, &format!("Bearer {SECRET}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{uri}");
    }
}

#[tokio::test]
async fn answers_are_never_cached_nor_guessed_at() {
    let company = Company::live();
    let router = serve(&company);
    for uri in ["/metrics", "/readyz", "/api/v1/departments", "/nothing"] {
        let headers = get(&router, uri).await.headers;
        assert_eq!(
            (&headers[header::CACHE_CONTROL], &headers[header::X_CONTENT_TYPE_OPTIONS]),
            (&"no-store".parse().unwrap(), &"nosniff".parse().unwrap()),
            "{uri}"
        );
    }
}

#[tokio::test]
async fn the_alerts_of_a_department_are_all_that_it_has_open_and_follow_the_board() {
    let company = Company::live();
    let router = serve(&company);
    let mut shown = stream(false);
    let mut alerts = shown.alerts.to_vec();
    let silence = "billing-silence-1772359000000".to_owned();
    alerts.push(Alert { id: silence.clone(), kind: AlertKind::Silence, ..alerts[1].clone() });
    shown.alerts = alerts.clone().into();
    company.board.publish(shown, [(BILLING, billing())]);
    let ids = async || -> Vec<String> {
        let answer = get(&router, "/api/v1/departments").await.json();
        let open = answer["departments"][0]["alerts"].as_array().unwrap().clone();
        open.iter().map(|alert| alert["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids().await, ["billing-frustration-1772358900000", &silence]);
    alerts[1].ended = Some(crate::fixture::NOW);
    company.board.publish(StreamView { alerts: alerts.into(), ..stream(false) }, [(BILLING, billing())]);
    assert_eq!(ids().await, [silence]);
}
