//! Files that each version of the format wrote: they stay readable, and a change of the present one cannot go unnoticed.
//!
//! `tests/golden/checkpoint/README.md` says what they hold and how they were made.

use std::env;
use std::path::PathBuf;

use serde_json::json;

use super::*;

/// Set to write the files that are missing, and that of the present version anew.
const UPDATE: &str = "UPDATE_GOLDEN";

fn path(version: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/checkpoint/v{version}.latido"))
}

/// The bytes of a version's file.
fn golden(version: u32, written_now: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
    let path = path(version);
    let is_asked = env::var_os(UPDATE).is_some();
    // What an older version wrote is never written again.
    if is_asked && (version == FORMAT_VERSION || !path.exists()) {
        fs::write(&path, written_now()).unwrap();
    }
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn pane(number: i64, messages: u32, cell: usize) -> (EventTime, PaneCounts) {
    let mut shares = ShareCounts::default();
    shares.sentiment[cell] = messages;
    shares.frustration[7 - cell] = messages;
    let tally = Tally { messages, negative: messages / 2, positive: messages / 5, frustrated: messages / 3 };
    (moment_of(number), PaneCounts { tally, shares })
}

/// Two departments over an hour's end.
fn panes() -> [(&'static str, Vec<(EventTime, PaneCounts)>); 2] {
    // A multiple of 360 begins an hour.
    let hour = 360 * 486_111;
    let billing = vec![pane(hour, 30, 0), pane(hour + 1, 7, 3), pane(hour + 359, 12, 5), pane(hour + 360, 1, 7)];
    [("billing", billing), ("delivery", vec![pane(hour + 361, 300, 2)])]
}

fn open_alert() -> serde_json::Value {
    json!({
        "id": "billing-frustration-1750000010000", "department": "billing", "kind": "frustration", "severity": "page",
        "started": 1_750_000_010_000_i64, "ended": null, "window_seconds": 900, "messages": 40, "observed": 0.75,
        "expected": 0.25, "p_value": 1e-9, "replayed": false,
    })
}

/// Exact numbers, on any machine: nothing of it is computed.
fn golden_snapshot() -> Snapshot {
    let mut closed = open_alert();
    closed["id"] = json!("delivery-negative_sentiment-1749990000000");
    closed["department"] = json!("delivery");
    closed["kind"] = json!("negative_sentiment");
    closed["severity"] = json!("ticket");
    closed["ended"] = json!(1_749_995_000_000_i64);
    closed["replayed"] = json!(true);
    let tally = json!({ "messages": 30, "negative": 15, "positive": 6, "frustrated": 10 });
    let detector = json!({ "departments": [{
        "department": "billing",
        "baseline": {
            "seen": 5_000, "taught": 4_200, "weight": 4_100.5, "unhappy": [820.25, 410.125], "as_of": 1_749_999_000_000_i64,
            "waiting": [[1_749_999_600_000_i64, tally]], "not_before": 1_750_000_010_000_i64,
        },
        "tests": [null, { "unhappy": 30, "messages": 40, "ratio": 0.25 }],
        "open": { "alert": open_alert(), "ln_worst": -20.75, "calm_since": null },
    }] });
    let position = |number, next, frontier: Option<i64>| PartitionPosition {
        partition: PartitionId::new("messages", number),
        next_offset: NextOffset(next),
        frontier: frontier.map(EventTime::from_millis),
    };
    Snapshot {
        shards: Vec::new(),
        is_whole: true,
        taken: EventTime::from_millis(1_750_003_700_000),
        stream_time: Some(EventTime::from_millis(1_750_003_610_000)),
        window_end: Some(EventTime::from_millis(1_750_003_610_000)),
        kept_from: Some(EventTime::from_millis(1_749_900_000_000)),
        partitions: vec![position(0, 1_234, Some(1_750_003_640_500)), position(1, 0, None)],
        hours: SavedHour::sort(panes().into_iter().flat_map(|(department, panes)| hours_of(department, panes))),
        detector: serde_json::from_value(detector).unwrap(),
        alerts: [closed, open_alert()].map(|alert| serde_json::from_value(alert).unwrap()).into(),
    }
}

fn version_1() -> Vec<u8> {
    let now = golden_snapshot();
    let departments = panes().map(|(department, panes)| DepartmentPanesV1 {
        department: department.to_owned(),
        panes: panes.into_iter().map(|(start, counts)| PanePartV1 { start, tally: counts.tally }).collect(),
    });
    as_version(
        1,
        &SnapshotV1 {
            taken: now.taken,
            stream_time: now.stream_time,
            window_end: now.window_end,
            partitions: now.partitions,
            departments: departments.into(),
            detector: now.detector,
            alerts: now.alerts,
        },
    )
}

fn version_2() -> Vec<u8> {
    let now = golden_snapshot();
    let part = |(start, PaneCounts { tally, shares }): (EventTime, PaneCounts)| PanePartV2 { start, tally, shares };
    let departments = panes().map(|(department, panes)| DepartmentPanesV2 {
        department: department.to_owned(),
        panes: panes.into_iter().map(part).collect(),
    });
    as_version(
        2,
        &SnapshotV2 {
            taken: now.taken,
            stream_time: now.stream_time,
            window_end: now.window_end,
            partitions: now.partitions,
            departments: departments.into(),
            detector: now.detector,
            alerts: now.alerts,
        },
    )
}

#[test]
fn what_version_1_wrote_is_read() {
    let without_cells = panes().into_iter().flat_map(|(department, panes)| {
        let panes = panes.into_iter().map(|(start, counts)| (start, PaneCounts::from(counts.tally)));
        hours_of(department, panes)
    });
    let hours = SavedHour::sort(without_cells);
    let expected = Snapshot { kept_from: None, hours, ..golden_snapshot() };
    assert_eq!(decode(&golden(1, version_1)).unwrap(), expected);
}

#[test]
fn what_version_2_wrote_is_read() {
    assert_eq!(decode(&golden(2, version_2)).unwrap(), Snapshot { kept_from: None, ..golden_snapshot() });
}

#[test]
fn what_this_version_writes_is_what_it_always_wrote() {
    let written = encode(&golden_snapshot()).unwrap();
    let bytes = golden(FORMAT_VERSION, || written.clone());
    assert_eq!(decode(&bytes).unwrap(), golden_snapshot());
    assert!(
        written == bytes,
        "the bytes differ from tests/golden/checkpoint/v{FORMAT_VERSION}.latido. If a type in a checkpoint has changed, that \
         is a new version: raise FORMAT_VERSION, keep a decoder for this one, add its golden file. Only where nothing but \
         the zstd crate has changed, which may pack otherwise: {UPDATE}=1 cargo test --lib checkpoint"
    );
}
