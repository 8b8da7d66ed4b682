//! Promises about what a scrape holds.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use latido::detect::{Alert, AlertKind, COMPANY, Severity, Verdict};
use latido::message::{Audience, Author, RejectReason, ScorerKind, Sentiment, Signal};
use latido::publish::{FallbackReason, StreamView};

use crate::fixture::{Company, alerts, stream};

/// A scrape without what differs between machines and versions.
fn comparable(scrape: &str) -> String {
    let own = scrape.lines().filter(|line| !line.contains("process_"));
    own.map(|line| line.replace(env!("CARGO_PKG_VERSION"), "VERSION")).collect::<Vec<_>>().join("\n")
}

/// The families of a scrape.
pub(crate) fn families(scrape: &str) -> BTreeSet<String> {
    scrape.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn a_live_company_shows_every_family() {
    insta::assert_snapshot!("live", comparable(&Company::live().scrape()));
}

#[test]
fn while_catching_up_the_present_is_absent_and_the_counters_stay() {
    let (live, catching_up) = (Company::live().scrape(), Company::catching_up().scrape());
    insta::assert_snapshot!("catching_up", comparable(&catching_up));
    let gone: Vec<_> = families(&live).difference(&families(&catching_up)).cloned().collect();
    assert_eq!(
        gone,
        [
            "latido_alert_active",
            "latido_alert_muted",
            "latido_alert_score",
            "latido_baseline_frustration_ratio",
            "latido_baseline_frustration_ratio_high",
            "latido_baseline_frustration_ratio_low",
            "latido_baseline_messages_per_hour",
            "latido_baseline_messages_per_hour_high",
            "latido_baseline_messages_per_hour_low",
            "latido_baseline_negative_ratio",
            "latido_baseline_negative_ratio_high",
            "latido_baseline_negative_ratio_low",
            "latido_window_adjusted_frustration_ratio",
            "latido_window_adjusted_frustration_ratio_high",
            "latido_window_adjusted_frustration_ratio_low",
            "latido_window_adjusted_negative_ratio",
            "latido_window_adjusted_negative_ratio_high",
            "latido_window_adjusted_negative_ratio_low",
            "latido_window_end_timestamp_seconds",
            "latido_window_frustration_ratio",
            "latido_window_messages",
            "latido_window_sentiment_ratio",
        ]
    );
}

#[test]
fn while_windows_are_not_tested_what_they_are_tested_against_is_absent_and_the_windows_stay() {
    let (live, suspended) = (Company::live(), Company::live());
    suspended.board.publish(StreamView { paging_suspended: true, ..stream(false) }, []);
    let (live, suspended) = (live.scrape(), suspended.scrape());
    let gone: Vec<_> = families(&live).difference(&families(&suspended)).cloned().collect();
    let is_gauge = |family: &str| !family.ends_with("_total");
    let is_tested_against = |family: &&String| {
        (family.starts_with("latido_alert_") && is_gauge(family)) || family.starts_with("latido_baseline_")
    };
    let tested: Vec<_> = families(&live).iter().filter(is_tested_against).cloned().collect();
    let stays = |family: &String| ["latido_alert_active", "latido_alert_muted"].contains(&&**family);
    let but_for_severe: Vec<_> = tested.into_iter().filter(|family| !stays(family)).collect();
    assert_eq!(gone, but_for_severe);
    assert_eq!(gone.len(), 10);
    let is_of_alerts =
        |line: &&str| line.starts_with("latido_alert_active{") || line.starts_with("latido_alert_muted{");
    let still_told = |line: &&str| is_of_alerts(line) && !line.contains("alert=\"severe\"");
    assert_eq!(suspended.lines().find(still_told), None, "of alerts only those that need no test");
    assert!(suspended.contains("latido_alert_active{department=\"billing\",alert=\"severe\",severity=\"ticket\"} 1"));
    assert!(suspended.contains("latido_alert_muted{department=\"billing\",alert=\"severe\"} 0"));
    assert!(live.contains("\nlatido_paging_suspended 0\n") && suspended.contains("\nlatido_paging_suspended 1\n"));
}

#[test]
fn before_anything_happened_every_counter_is_there_at_0() {
    let scrape = Company::new().scrape();
    let counters: BTreeSet<_> =
        scrape.lines().filter_map(|line| line.strip_prefix("# TYPE latido_")?.strip_suffix(" counter")).collect();
    assert_eq!(counters.len(), 23, "{counters:?}");
    for line in scrape.lines().filter(|line| line.starts_with("latido_")) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        let is_counter = counters.iter().any(|counter| name["latido_".len()..].split('{').next() == Some(counter));
        assert!(!is_counter || value == "0", "{line}");
    }
    for reason in RejectReason::ALL {
        assert!(scrape.contains(&format!("latido_rejected_records_total{{reason=\"{reason}\"}} 0")), "{reason}");
    }
    for signal in Signal::ALL {
        let series = format!("latido_signals_total{{department=\"billing\",signal=\"{signal}\"}} 0");
        assert!(scrape.contains(&series), "{series}");
    }
}

#[test]
fn what_is_unknown_is_absent_and_never_0_or_minus_1() {
    let scrape = Company::live().scrape();
    assert!(scrape.contains("latido_consumer_lag_records{topic=\"in\",partition=\"0\"} 41"));
    assert!(!scrape.contains("partition=\"1\""), "the lag of partition 1 is not known");
    assert!(scrape.contains("latido_window_messages{department=\"delivery\",window=\"5m\"} 0"));
    assert!(!scrape.contains("_ratio{department=\"delivery\",window=\"5m\""), "an empty window has no ratios");
    let empty = Company::new();
    empty.board.publish(StreamView::default(), []);
    let started = families(&empty.scrape());
    for unknown in [
        "watermark_timestamp_seconds",
        "checkpoint_timestamp_seconds",
        "window_end_timestamp_seconds",
        "topic_partitions",
    ] {
        assert!(!started.contains(&format!("latido_{unknown}")), "{unknown}");
    }
}

#[test]
fn a_window_without_an_estimate_shows_none() {
    let scrape = Company::live().scrape();
    let series = |head: &str, window: &str| {
        scrape.contains(&format!("latido_window_adjusted_{head}_ratio{{department=\"billing\",window=\"{window}\"}}"))
    };
    assert!(series("negative", "5m") && series("negative", "24h") && series("frustration", "5m"));
    assert!(!series("frustration", "24h"), "it is not known");
    assert!(
        !scrape.contains("latido_window_adjusted_negative_ratio{department=\"delivery\""),
        "nor is any of delivery"
    );
}

#[test]
fn a_quotation_mark_or_backslash_in_the_config_is_escaped() {
    let line = r#"latido_department_info{department="delivery",team="\"last\" mile\\n"} 1"#;
    assert!(Company::live().scrape().lines().any(|shown| shown == line));
}

#[test]
fn the_ready_gauge_says_what_readyz_says() {
    let company = Company::live();
    assert!(company.scrape().contains("\nlatido_ready 1\n"));
    company.health.set_not_ready("tripped", "most records are garbage".to_owned());
    assert!(company.scrape().contains("\nlatido_ready 0\n"));
}

/// The values of a label in a scrape.
fn label_values(scrape: &str, label: &str) -> BTreeSet<String> {
    let marks = [format!("{{{label}=\""), format!(",{label}=\"")];
    let starts = marks.iter().flat_map(|mark| scrape.match_indices(mark.as_str()).map(|(at, found)| at + found.len()));
    starts.map(|start| scrape[start..].split("\"").next().unwrap_or_default().to_owned()).collect()
}

/// A set of names, to compare with.
fn names<'a>(members: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    members.into_iter().map(str::to_owned).collect()
}

#[test]
fn nothing_a_customer_writes_becomes_a_label() {
    let company = Company::live();
    let hostile = "DROP me\"} 1\nlatido_alert_active{department=\"billing\"} 1";
    let forged = Alert { id: hostile.to_owned(), department: hostile.to_owned(), ..alerts().remove(0) };
    company.board.publish(StreamView { alerts: vec![forged].into(), ..stream(false) }, []);
    let scrape = company.scrape();
    assert!(!scrape.contains("DROP me"));

    let departments = company.roster.iter().map(|(_, department)| department.id.as_str()).chain([COMPANY]);
    let closed_sets = [
        ("department", names(departments)),
        ("window", names(["5m", "24h"])),
        ("audience", names(Audience::ALL.iter().map(|member| member.as_str()))),
        ("sentiment", names(Sentiment::ALL.iter().map(|member| member.as_str()))),
        ("author", names([Author::Agent.as_str(), Author::Bot.as_str()])),
        ("alert", names(AlertKind::ALL.iter().map(|member| member.as_str()))),
        ("verdict", names(Verdict::ALL.iter().map(|member| member.as_str()))),
        ("severity", names(Severity::ALL.iter().map(|member| member.as_str()))),
        ("reason", {
            let fallbacks = FallbackReason::ALL.iter().map(|member| member.as_str());
            names(RejectReason::ALL.iter().map(|member| member.as_str()).chain(fallbacks))
        }),
        ("scorer", names(ScorerKind::ALL.iter().map(|member| member.as_str()))),
        ("result", names(["hit", "miss"])),
        ("topic", names(["in"])),
        ("partition", names(["0"])),
        ("buffer", names(["batches"])),
        ("event", names(["assigned", "revoked", "opened", "escalated", "closed"])),
    ];
    for (label, allowed) in &closed_sets {
        assert_eq!(label_values(&scrape, label), *allowed, "{label}");
    }
}

/// The families of a scrape as the page on metrics names them: `name{label,label}`.
fn signatures(scrape: &str) -> BTreeSet<String> {
    let samples = scrape.lines().filter(|line| !line.starts_with('#'));
    let shown = samples.filter_map(|sample| {
        let (name, labels) =
            sample.split_once('{').map_or((sample.split(' ').next()?, ""), |(name, rest)| (name, rest));
        let family = ["_bucket", "_count", "_sum"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
        let names =
            labels.match_indices("=\"").map(|(at, _)| labels[..at].rsplit([',', '"']).next().unwrap_or_default());
        let names: Vec<_> = names.filter(|name| *name != "le").collect();
        Some(if names.is_empty() { family.to_owned() } else { format!("{family}{{{}}}", names.join(",")) })
    });
    shown.collect()
}

#[test]
fn every_family_has_a_row_in_the_documentation_and_every_row_a_family() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let documented: BTreeSet<_> =
        rows.filter(|row| row.contains("latido_") || row.contains("process_")).map(str::to_owned).collect();
    assert_eq!(documented, signatures(&Company::live().scrape()));
    for reason in RejectReason::ALL {
        assert!(page.contains(&format!("`{reason}`")), "{reason}");
    }
}

#[test]
#[ignore = "needs promtool"]
fn promtool_has_nothing_to_say_of_the_exposition() {
    for company in [Company::live(), Company::catching_up(), Company::new()] {
        let mut promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        promtool.stdin.take().unwrap().write_all(company.scrape().as_bytes()).unwrap();
        let output = promtool.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
    }
}
