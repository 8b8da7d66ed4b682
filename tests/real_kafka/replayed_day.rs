//! A day as it comes and the same day as a backlog: the same alerts, of which the backlog's page nobody (INV-10).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::broker::{self, RealKafka};
use crate::support::daemon::{Daemon, Home};
use crate::support::stream::{self, Expected, Line};
use crate::support::{kcat, seconds};

const PARTITIONS: i32 = 3;
/// So far into the day billing's trouble begins, and so long it lasts, in seconds.
const TROUBLE: std::ops::Range<i64> = 36_000..38_400;
const ANGRY: &str = "Es una vergüenza, me han cobrado dos veces y nadie me responde. Estoy harto de esperar";

/// An alert as the API tells it: id, department, kind, when it began and ended, whether it is replayed.
type Told = (String, String, String, String, String, bool);

/// A usual day of four departments, and billing's customers in trouble for forty minutes.
fn day() -> Vec<Line> {
    let mut lines = stream::day(9_000, 71);
    let begun = lines.first().expect("there are lines").second;
    let angry = TROUBLE.step_by(3).map(|after| {
        let (second, key) = (begun + after, format!("customer-{}", after % 400));
        let value = json!({ "text": ANGRY, "department": "billing", "timestamp": second, "customer_id": key });
        let (department, author, audience) = ("billing", "customer", "external");
        Line { key, value: value.to_string(), second, department, author, audience }
    });
    lines.extend(angry);
    lines.sort_by_key(|line| line.second);
    lines
}

fn home(kafka: &RealKafka, topic: &str, group: &str) -> Home {
    Home::new(kafka.bootstrap(), &[topic], group)
}

/// The alerts that began before the day's last hour.
fn alerts(daemon: &Daemon, lines: &[Line]) -> BTreeSet<Told> {
    let (status, body) = daemon.get("/api/v1/alerts").expect("it answers");
    assert_eq!(status, 200, "{body}");
    let told: Value = serde_json::from_str(&body).expect("JSON");
    let until = jiff::Timestamp::from_second(lines.last().expect("there are lines").second - 3_600).unwrap();
    let text = |alert: &Value, key: &str| alert[key].as_str().unwrap_or_default().to_owned();
    let all = told["alerts"].as_array().expect("a list").iter().map(|alert| {
        let [id, department, kind] = ["id", "department", "kind"].map(|key| text(alert, key));
        let [started, ended] = ["started", "ended"].map(|key| text(alert, key));
        (id, department, kind, started, ended, alert["replayed"].as_bool().expect("yes or no"))
    });
    all.filter(|(_, _, _, started, _, _)| started.parse::<jiff::Timestamp>().unwrap() < until).collect()
}

/// Waits until stream time has come to the day's end.
fn wait_for_the_end(daemon: &mut Daemon, lines: &[Line]) {
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact")]
    let end = (lines.last().expect("there are lines").second - 60) as f64;
    daemon.wait_for_metrics("stream time is at the day's end", seconds(180), |samples| {
        samples.value("latido_watermark_timestamp_seconds", &[]).is_some_and(|watermark| watermark >= end)
    });
    daemon.wait_ready(seconds(90));
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn a_day_read_as_a_backlog_by_daemons_that_are_killed_raises_the_live_days_alerts_and_pages_nobody() {
    let kafka = broker::shared();
    let lines = day();
    let scored = Expected::of(&lines).scored();
    kafka.create_topic("lived", PARTITIONS, &[]);

    let live_home = home(kafka, "lived", "lived");
    let mut live = live_home.start();
    live.wait_ready(seconds(60));
    kcat::produce_paced(kafka.bootstrap(), "lived", &lines, 400);
    live.wait_scored(scored, seconds(180));
    wait_for_the_end(&mut live, &lines);
    let lived = alerts(&live, &lines);
    assert!(!lived.is_empty());
    assert!(lived.iter().all(|alert| alert.1 == "billing"), "{lived:?}");
    assert!(lived.iter().all(|alert| !alert.5), "live, it pages: {lived:?}");
    assert_eq!(live.metrics().expect("a scrape").count("latido_alerts_total", &[]), lived.len() as u64);
    live.stop();

    let replayed: BTreeSet<Told> = lived.into_iter().map(|(a, b, c, d, e, _)| (a, b, c, d, e, true)).collect();
    for (group, batch_records, kills) in [("replayed-whole", 2_000, 0), ("replayed-killed", 7, 3)] {
        let home = home(kafka, "lived", group).set("pipeline.batch_records", batch_records);
        let mut daemon = home.start();
        for _ in 0..kills {
            daemon
                .wait_for_metrics("it reads", seconds(60), |samples| samples.count("latido_messages_total", &[]) > 500);
            assert_eq!(daemon.metrics().expect("a scrape").count("latido_alerts_total", &[]), 0, "{group}");
            daemon.kill();
            daemon = home.start();
        }
        wait_for_the_end(&mut daemon, &lines);
        assert_eq!(alerts(&daemon, &lines), replayed, "{group}");
        assert_eq!(daemon.metrics().expect("a scrape").count("latido_alerts_total", &[]), 0, "{group}");
        daemon.stop();
        assert_eq!(home.checkpoint().messages_from(0).values().sum::<u64>(), scored, "{group}");
    }
}
