//! Files that each version of the format wrote: they stay readable, and a change of the present one cannot go unnoticed.
//!
//! `tests/golden/checkpoint/README.md` says what they hold and how they were made.

use std::env;
use std::path::PathBuf;

use super::*;

/// Set to write the file of the present version anew.
const UPDATE: &str = "UPDATE_GOLDEN";

fn path(version: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/checkpoint/v{version}.latido"))
}

/// The bytes of a version's file. What an older version wrote is never written again.
fn golden(version: u32) -> Vec<u8> {
    let path = path(version);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn pane(number: i64, messages: u32, cell: usize) -> (EventTime, PaneCounts) {
    let mut shares = ShareCounts::default();
    shares.sentiment[cell] = messages;
    shares.frustration[7 - cell] = messages;
    let tally = Tally { messages, negative: messages / 2, positive: messages / 5, frustrated: messages / 3 };
    (moment_of(number), PaneCounts { tally, shares, severe: u32::from(number % 2 == 0) })
}

/// Two departments over an hour's end.
fn panes() -> [(&'static str, Vec<(EventTime, PaneCounts)>); 2] {
    // A multiple of 360 begins an hour.
    let hour = 360 * 486_111;
    let billing = vec![pane(hour, 30, 0), pane(hour + 1, 7, 3), pane(hour + 359, 12, 5), pane(hour + 360, 1, 7)];
    [("billing", billing), ("delivery", vec![pane(hour + 361, 300, 2)])]
}

/// Of the older versions' detector nothing is read; of this one's, departments as they are after an hour.
fn detector() -> DetectorState {
    let departments = ["billing", "delivery"].map(DepartmentConfig::named).into();
    let config = Config { departments, ..Config::default() };
    let mut detector = Detector::new(&config.detect, &Roster::new(&config));
    let mut end = EventTime::from_millis(1_750_000_000_000);
    for _ in 0..60 {
        end = end.plus(TICK);
        detector.close(end, |department| Tally {
            messages: 8,
            negative: 2,
            frustrated: u32::from(department.0),
            positive: 1,
        });
    }
    detector.snapshot()
}

fn alerts() -> [Alert; 2] {
    let open = Alert {
        id: "billing-frustration-1750000010000".to_owned(),
        department: "billing".to_owned(),
        kind: AlertKind::Frustration,
        severity: Severity::Page,
        started: EventTime::from_millis(1_750_000_010_000),
        since: EventTime::from_millis(1_749_999_800_000),
        ended: None,
        window_seconds: 900,
        messages: 40,
        observed: 0.75,
        expected: 0.25,
        p_value: 1e-9,
        recurrence: 0.0625,
        replayed: false,
        escalations: 0,
        escalated: None,
        departments: Vec::new(),
        handling: Handling {
            muted: Some("planned work".to_owned()),
            paged: true,
            feedback: Some(Feedback {
                verdict: Verdict::Useful,
                note: "the card processor".to_owned(),
                marked: EventTime::from_millis(1_750_000_200_000),
            }),
            stands_for_incident: true,
        },
        details: Summary {
            customers: Some(31),
            signals: vec![SignalFound { signal: Signal::Waiting, messages: 22, times_usual: Some(3.5) }],
            samples: vec!["m-17".to_owned(), "messages/1/77".to_owned()],
        },
    };
    let closed = Alert {
        id: "delivery-negative_sentiment-1749990000000".to_owned(),
        department: "delivery".to_owned(),
        kind: AlertKind::NegativeSentiment,
        severity: Severity::Ticket,
        ended: Some(EventTime::from_millis(1_749_995_000_000)),
        replayed: true,
        escalations: 2,
        escalated: Some(EventTime::from_millis(1_749_992_000_000)),
        departments: Vec::new(),
        handling: Handling::default(),
        ..open.clone()
    };
    [closed, open]
}

/// What is left of an older version's snapshot: its alerts had no onset and no recurrence, nothing was told of them, and nobody could say
/// anything of them; its panes had no severe messages; it had no voices.
fn as_older(now: Snapshot) -> Snapshot {
    let older = |alert: Alert| Alert {
        since: alert.started,
        recurrence: 0.0,
        escalations: 0,
        escalated: None,
        details: Summary::default(),
        handling: Handling::default(),
        ..alert
    };
    let alerts = now.alerts.into_iter().map(older);
    let without_severe = panes().into_iter().flat_map(|(department, panes)| {
        let panes = panes.into_iter().map(|(start, counts)| (start, PaneCounts { severe: 0, ..counts }));
        hours_of(department, panes)
    });
    let hours = SavedHour::sort(without_severe);
    let (detector, outbox) = (DetectorState::default(), Outbox::default());
    Snapshot { hours, detector, alerts: alerts.collect(), outbox, ..now }
}

/// One event that is sent, one that waits, and one that is held.
fn outbox() -> Outbox {
    let mut outbox = Outbox::default();
    outbox.enter(Happened::Closed, "delivery", r#"{"type":"io.latido.alert.closed.v1"}"#.to_owned());
    outbox.enter(Happened::Opened, "billing", r#"{"type":"io.latido.alert.opened.v1"}"#.to_owned());
    outbox.settle(1);
    outbox.hold("billing-frustration-1750000010000");
    outbox
}

fn golden_snapshot() -> Snapshot {
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
        hours: with_voices(SavedHour::sort(
            panes().into_iter().flat_map(|(department, panes)| hours_of(department, panes)),
        )),
        detector: detector(),
        alerts: alerts().into(),
        outbox: outbox(),
    }
}

#[test]
fn what_version_1_wrote_is_read() {
    let without_cells = panes().into_iter().flat_map(|(department, panes)| {
        let panes = panes.into_iter().map(|(start, counts)| (start, PaneCounts::from(counts.tally)));
        hours_of(department, panes)
    });
    let hours = SavedHour::sort(without_cells);
    let expected = Snapshot { kept_from: None, hours, ..as_older(golden_snapshot()) };
    assert_eq!(decode(&golden(1)).unwrap(), expected);
}

#[test]
fn what_version_2_wrote_is_read() {
    let expected = Snapshot { kept_from: None, ..as_older(golden_snapshot()) };
    assert_eq!(decode(&golden(2)).unwrap(), expected);
}

#[test]
fn what_version_3_wrote_is_read() {
    assert_eq!(decode(&golden(3)).unwrap(), as_older(golden_snapshot()));
}

#[test]
fn what_this_version_writes_is_what_it_always_wrote() {
    let written = encode(&golden_snapshot()).unwrap();
    if env::var_os(UPDATE).is_some() {
        fs::write(path(FORMAT_VERSION), &written).unwrap();
    }
    let bytes = golden(FORMAT_VERSION);
    assert_eq!(decode(&bytes).unwrap(), golden_snapshot());
    assert!(
        written == bytes,
        "the bytes differ from tests/golden/checkpoint/v{FORMAT_VERSION}.latido. If a type in a checkpoint has changed, that \
         is a new version: raise FORMAT_VERSION, keep a decoder for this one, add its golden file. Only where nothing but \
         the zstd crate has changed, which may pack otherwise: {UPDATE}=1 cargo test --lib checkpoint"
    );
}
