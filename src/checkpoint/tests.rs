//! What a checkpoint survives, and what it says of the rest.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use proptest::prelude::*;

use super::v1::{DepartmentPanesV1, PanePartV1, SnapshotV1};
use super::*;
use crate::config::{Config, DepartmentConfig, Roster};
use crate::detect::{Alert, AlertKind, Detector, DetectorState, Severity};
use crate::message::{DepartmentId, EventTime, NextOffset, PartitionId, SHARE_CELLS};
use crate::window::{PANE, ShareCounts, Tally};

fn moments() -> impl Strategy<Value = EventTime> {
    any::<i64>().prop_map(EventTime::from_millis)
}

fn tallies() -> impl Strategy<Value = Tally> {
    any::<[u32; 4]>().prop_map(|[messages, negative, positive, frustrated]| Tally {
        messages,
        negative,
        positive,
        frustrated,
    })
}

fn shares() -> impl Strategy<Value = ShareCounts> {
    any::<[[u32; SHARE_CELLS]; 2]>().prop_map(|[sentiment, frustration]| ShareCounts { sentiment, frustration })
}

fn positions() -> impl Strategy<Value = PartitionPosition> {
    ("\\PC{0,12}", any::<i32>(), any::<i64>(), prop::option::of(moments())).prop_map(
        |(topic, partition, next, frontier)| PartitionPosition {
            partition: PartitionId::new(topic, partition),
            next_offset: NextOffset(next),
            frontier,
        },
    )
}

fn departments() -> impl Strategy<Value = DepartmentPanes> {
    let panes = prop::collection::vec((moments(), tallies(), shares()), 0..20);
    ("\\PC{0,12}", panes).prop_map(|(department, panes)| DepartmentPanes {
        department,
        panes: panes.into_iter().map(|(start, tally, shares)| PanePart { start, tally, shares }).collect(),
    })
}

fn alerts() -> impl Strategy<Value = Alert> {
    let numbers = (any::<u32>(), 0.0..=1.0, 0.0..=1.0, 0.0..=1.0);
    ("\\PC{0,20}", moments(), prop::option::of(moments()), numbers, any::<[bool; 3]>()).prop_map(
        |(id, started, ended, (messages, observed, expected, p_value), [frustration, ticket, replayed])| Alert {
            department: id.clone(),
            id,
            kind: if frustration { AlertKind::Frustration } else { AlertKind::NegativeSentiment },
            severity: if ticket { Severity::Ticket } else { Severity::Page },
            started,
            ended,
            window_seconds: 900,
            messages,
            observed,
            expected,
            p_value,
            replayed,
        },
    )
}

/// What a detector remembers after windows of so many negative messages of 40.
fn detectors() -> impl Strategy<Value = DetectorState> {
    prop::collection::vec(0_u32..=40, 0..30).prop_map(|windows| {
        let mut config = Config { departments: vec![DepartmentConfig::named("billing")], ..Config::default() };
        config.departments[0].expected_negative_ratio = Some(0.2);
        let mut detector = Detector::new(&config.detect, &Roster::new(&config));
        let mut end = EventTime::from_millis(1_750_000_000_000);
        for negative in windows {
            end = end.plus(PANE);
            let tally = Tally { messages: 40, negative, ..Tally::default() };
            detector.step(DepartmentId(0), end, &tally, &tally);
        }
        detector.snapshot()
    })
}

fn snapshots() -> impl Strategy<Value = Snapshot> {
    let times = (moments(), prop::option::of(moments()), prop::option::of(moments()));
    let (partitions, departments) =
        (prop::collection::vec(positions(), 0..8), prop::collection::vec(departments(), 0..4));
    (times, partitions, departments, detectors(), prop::collection::vec(alerts(), 0..4)).prop_map(
        |((taken, stream_time, window_end), partitions, departments, detector, alerts)| Snapshot {
            taken,
            stream_time,
            window_end,
            partitions,
            departments,
            detector,
            alerts,
        },
    )
}

/// One of those, always the same.
fn sample() -> Snapshot {
    let start = EventTime::from_millis(1_750_000_000_000);
    let pane = PanePart { start, tally: Tally::default(), shares: ShareCounts::default() };
    Snapshot {
        taken: EventTime::from_millis(1_750_000_030_000),
        stream_time: Some(EventTime::from_millis(1_750_000_000_000)),
        window_end: Some(EventTime::from_millis(1_750_000_000_000)),
        partitions: vec![PartitionPosition {
            partition: PartitionId::new("messages", 3),
            next_offset: NextOffset(77),
            frontier: None,
        }],
        departments: vec![DepartmentPanes { department: "billing".to_owned(), panes: vec![pane; 50] }],
        detector: DetectorState::default(),
        alerts: Vec::new(),
    }
}

proptest! {
    #[test]
    fn any_snapshot_reads_back_as_it_was_written(snapshot in snapshots()) {
        let bytes = encode(&snapshot).unwrap();
        prop_assert_eq!(decode(&bytes).unwrap(), snapshot);
    }

    #[test]
    fn arbitrary_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode(&bytes).is_err());
        let mut disguised = encode(&sample()).unwrap();
        disguised.truncate(24);
        disguised.extend(bytes);
        prop_assert!(decode(&disguised).is_err());
    }
}

#[test]
fn a_checkpoint_cut_short_anywhere_is_refused() {
    let bytes = encode(&sample()).unwrap();
    for kept in 0..bytes.len() {
        let error = decode(&bytes[..kept]).unwrap_err();
        let as_expected = if kept < 8 {
            matches!(error, FormatError::Foreign)
        } else {
            matches!(error, FormatError::Truncated { found, .. } if found == kept)
        };
        assert!(as_expected, "{kept} bytes: {error}");
    }
}

#[test]
fn a_checkpoint_with_any_bit_flipped_is_refused() {
    let bytes = encode(&sample()).unwrap();
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            assert!(decode(&damaged).is_err(), "bit {bit} of byte {place}");
        }
    }
}

#[test]
fn a_checkpoint_with_something_behind_it_is_refused() {
    let mut bytes = encode(&sample()).unwrap();
    bytes.push(0);
    assert!(decode(&bytes).is_err());
}

#[test]
fn a_file_of_another_kind_or_version_says_what_it_is_and_what_helps() {
    assert_eq!(
        decode(b"PK\x03\x04 some other file").unwrap_err().to_string(),
        "it does not begin with LATIDOCP: it is not a checkpoint of latido"
    );
    let mut newer = encode(&sample()).unwrap();
    newer[8..12].copy_from_slice(&3_u32.to_le_bytes());
    assert_eq!(
        decode(&newer).unwrap_err().to_string(),
        "its format is version 3, and this latido reads versions 1 to 2: run the latido that wrote it"
    );
}

#[test]
fn a_checkpoint_of_version_1_is_taken_up_without_cells() {
    let tally = Tally { messages: 300, negative: 80, positive: 20, frustrated: 70 };
    let now = sample();
    let old = SnapshotV1 {
        taken: now.taken,
        stream_time: now.stream_time,
        window_end: now.window_end,
        partitions: now.partitions.clone(),
        departments: vec![DepartmentPanesV1 {
            department: "billing".to_owned(),
            panes: vec![PanePartV1 { start: now.taken, tally }],
        }],
        detector: now.detector.clone(),
        alerts: Vec::new(),
    };
    let body = zstd::bulk::compress(&postcard::to_stdvec(&old).unwrap(), 1).unwrap();
    let mut bytes = b"LATIDOCP\x01\0\0\0".to_vec();
    bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    bytes.extend_from_slice(&body);
    let pane = PanePart { start: now.taken, tally, shares: ShareCounts::default() };
    let departments = vec![DepartmentPanes { department: "billing".to_owned(), panes: vec![pane] }];
    assert_eq!(decode(&bytes).unwrap(), Snapshot { departments, ..now });
}

#[test]
fn what_cannot_be_restored_names_the_file_and_the_remedy_and_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let directory = Directory::open(home.path()).unwrap();
    assert_eq!(directory.load().unwrap(), None, "nothing was saved yet");
    let path = home.path().join("state.latido");
    fs::write(&path, "LATIDOCP").unwrap();
    let error = directory.load().unwrap_err().to_string();
    assert_eq!(
        error.replace(home.path().to_str().unwrap(), "DIR"),
        "DIR/state.latido cannot be restored: it is cut short: 8 bytes of 24. Starting from nothing would lose the \
         windows: put the file back from a copy, or move it away to start anew"
    );
    assert_eq!(fs::read(&path).unwrap(), b"LATIDOCP");
}

#[test]
fn a_save_that_died_half_way_leaves_the_checkpoint_before_it_and_the_next_one_succeeds() {
    let home = tempfile::tempdir().unwrap();
    let directory = Directory::open(home.path()).unwrap();
    directory.save(&sample()).unwrap();
    fs::write(home.path().join("state.latido.tmp"), vec![0xAB; 1 << 20]).unwrap();
    assert_eq!(directory.load().unwrap(), Some(sample()));
    let newer = Snapshot { taken: EventTime::from_millis(1_750_000_040_000), ..sample() };
    directory.save(&newer).unwrap();
    assert_eq!(read(home.path()).unwrap(), Some(newer));
    assert!(!home.path().join("state.latido.tmp").exists());
}

#[test]
fn a_failed_save_names_what_it_tried_and_the_checkpoint_before_it_still_stands() {
    let home = tempfile::tempdir().unwrap();
    let directory = Directory::open(home.path()).unwrap();
    directory.save(&sample()).unwrap();
    // A directory in the way of the temporary file fails for any user, root included.
    fs::create_dir(home.path().join("state.latido.tmp")).unwrap();
    let error = directory.save(&Snapshot { stream_time: None, ..sample() }).unwrap_err().to_string();
    let error = error.replace(home.path().to_str().unwrap(), "DIR");
    assert!(error.starts_with("cannot create DIR/state.latido.tmp: "), "{error}");
    assert!(error.ends_with("; checkpoint.directory must be a directory that this user may write"), "{error}");
    assert_eq!(directory.load().unwrap(), Some(sample()));
}

#[test]
fn a_directory_that_cannot_be_written_is_refused_at_the_start() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Directory::open(&file.join("below")).unwrap_err();
    assert!(matches!(error, DirectoryError::Io { action: "create", .. }), "{error}");

    let closed = home.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    // Root may write anywhere; every other user gets the error.
    if fs::write(closed.join("probe"), "").is_err() {
        let error = Directory::open(&closed).unwrap_err();
        assert!(matches!(error, DirectoryError::Io { action: "open", .. }), "{error}");
    }
}

#[test]
fn one_daemon_holds_a_directory_and_its_end_frees_it() {
    let home = tempfile::tempdir().unwrap();
    let held = Directory::open(home.path()).unwrap();
    let refused = Directory::open(home.path()).unwrap_err();
    assert!(matches!(&refused, DirectoryError::Locked { path } if path == home.path()), "{refused}");
    held.save(&sample()).unwrap();
    assert_eq!(read(home.path()).unwrap(), Some(sample()), "looking at it needs no lock");
    drop(held);
    assert_eq!(Directory::open(home.path()).unwrap().load().unwrap(), Some(sample()));
}

#[test]
fn the_members_name_is_made_once_and_stays() {
    let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = Directory::open(home.path()).unwrap().instance_id().unwrap();
    assert!(first.starts_with("latido-") && first.len() == "latido-".len() + 16, "{first}");
    let again = Directory::open(home.path()).unwrap();
    assert_eq!(again.instance_id().unwrap(), first);
    assert_ne!(Directory::open(other.path()).unwrap().instance_id().unwrap(), first);
    fs::write(home.path().join("instance-id"), "\n").unwrap();
    let anew = again.instance_id().unwrap();
    assert_eq!(again.instance_id().unwrap(), anew, "an empty file is none: a new name is kept");
}
