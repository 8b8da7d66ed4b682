//! What a checkpoint survives, and what it says of the rest.

mod golden;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::legacy::DetectorStateV3;
use super::v1::{DepartmentPanesV1, PanePartV1, SnapshotV1};
use super::v2::{DepartmentPanesV2, PanePartV2, SnapshotV2};
use super::*;
use crate::config::{Config, DepartmentConfig, Roster, WindowsConfig};
use crate::detect::{Alert, AlertKind, Detector, DetectorState, Feedback, Handling, Severity, TICK, Verdict};
use crate::message::{
    CustomerHash, DepartmentId, EventTime, Language, ModelId, NextOffset, PartitionId, Probability, SHARE_CELLS, Score,
    ScorerKind, SentimentScore, ShareCells, Signal,
};
use crate::publish::events::{Happened, Outbox};
use crate::voices::{SignalFound, Summary, Voice, Voices};
use crate::window::{HourPanes, PANE, PaneCounts, Panes, ShardId, ShareCounts, Tally};

fn moments() -> impl Strategy<Value = EventTime> {
    // As far as messages can date themselves, and beyond.
    (-400_000_000_000_000_i64..=400_000_000_000_000).prop_map(EventTime::from_millis)
}

fn tallies() -> impl Strategy<Value = Tally> {
    // No part is larger than the whole.
    any::<[u32; 4]>().prop_map(|[messages, negative, positive, frustrated]| {
        let negative = negative.min(messages);
        Tally { messages, negative, positive: positive.min(messages - negative), frustrated: frustrated.min(messages) }
    })
}

fn shares() -> impl Strategy<Value = ShareCounts> {
    any::<[[u32; SHARE_CELLS]; 2]>().prop_map(|[sentiment, frustration]| ShareCounts { sentiment, frustration })
}

fn positions() -> impl Strategy<Value = PartitionPosition> {
    ("\\PC{0,12}", any::<i32>(), 0..i64::MAX, prop::option::of(moments())).prop_map(
        |(topic, partition, next, frontier)| PartitionPosition {
            partition: PartitionId::new(topic, partition),
            next_offset: NextOffset(next),
            frontier,
        },
    )
}

fn counts() -> impl Strategy<Value = PaneCounts> {
    let one = Tally { messages: 1, ..Tally::default() };
    (tallies(), shares(), any::<u32>()).prop_map(move |(tally, shares, severe)| {
        // A pane without a message is none.
        PaneCounts { tally: if tally.messages == 0 { one } else { tally }, shares, severe }
    })
}

/// Panes of some departments around the epoch and far from it.
fn hours() -> impl Strategy<Value = Vec<SavedHour>> {
    let start = prop_oneof![-900_i64..1_200, 160_000_000_i64..175_400_000].prop_map(moment_of);
    let panes = prop::collection::vec((start, counts()), 1..20);
    prop::collection::btree_map("\\PC{0,12}", panes, 0..4).prop_map(|departments| {
        let panes = departments.into_iter().flat_map(|(department, panes)| hours_of(&department, panes));
        with_voices(SavedHour::sort(panes))
    })
}

/// Somebody has written in each hour, in some of them much.
fn with_voices(mut hours: Vec<SavedHour>) -> Vec<SavedHour> {
    for hour in &mut hours {
        let mut found = Vec::new();
        for (number, department) in (1_u32..).zip(hour.departments.keys()) {
            let mut voices = Voices::new(1, 1);
            let start = EventTime::from_millis(hour.hour * 3_600_000);
            for message in 0..number * 100 {
                let customer = Some(CustomerHash(message.wrapping_mul(0x0101_0101)));
                let event_time = start.plus(std::time::Duration::from_secs(u64::from(message * 7 % 3_600)));
                let voice = Voice { event_time, score: &unhappy(), is_severe: message % 9 == 0, customer };
                voices.note(ShardId(0), DepartmentId(0), &voice, || format!("m-{message}"));
                if message == 50 {
                    voices.close(start.plus(std::time::Duration::from_secs(900)));
                }
            }
            let noted = voices.hours_of(ShardId(0)).flat_map(|hour| hour.departments());
            found.extend(noted.map(|(_, noted)| (Arc::clone(department), Arc::clone(noted))));
        }
        hour.voices = SavedVoices::of(hour.hour, found);
    }
    hours
}

pub(super) fn unhappy() -> Score {
    let [sure, no] = [0.75, 0.125].map(Probability::new);
    Score {
        sentiment: SentimentScore { negative: sure, neutral: no, positive: no },
        frustration: sure,
        language: Language::Spanish,
        scorer: ScorerKind::Embedded,
        signals: [Signal::Waiting, Signal::Fraud].into_iter().collect(),
        share_cells: ShareCells::default(),
        model: ModelId::UNKNOWN,
    }
}

fn moment_of(pane: i64) -> EventTime {
    EventTime::from_millis(pane * 10_000)
}

fn hours_of(
    department: &str,
    panes: impl IntoIterator<Item = (EventTime, PaneCounts)>,
) -> Vec<(Arc<str>, Arc<HourPanes>)> {
    HourPanes::gather(panes).into_iter().map(|hour| (department.into(), Arc::new(hour))).collect()
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
            since: started,
            ended,
            window_seconds: 900,
            messages,
            observed,
            expected,
            p_value,
            recurrence: p_value,
            replayed,
            escalations: 0,
            escalated: None,
            departments: Vec::new(),
            handling: Handling::default(),
            details: Summary { customers: Some(messages.into()), signals: Vec::new(), samples: vec!["m-1".to_owned()] },
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
            end = end.plus(TICK);
            let tally = Tally { messages: 40, negative, ..Tally::default() };
            detector.close(end, |_| tally);
        }
        detector.snapshot()
    })
}

/// Events of which some are sent, and alerts that are held.
fn outboxes() -> impl Strategy<Value = Outbox> {
    let events = prop::collection::vec(("\\PC{0,12}", "\\PC{0,40}"), 0..5);
    (events, 0_u64..6, prop::option::of("\\PC{0,12}")).prop_map(|(events, through, held)| {
        let mut outbox = Outbox::default();
        for (department, envelope) in events {
            outbox.enter(Happened::Escalated, &department, envelope);
        }
        outbox.settle(through);
        held.into_iter().for_each(|id| outbox.hold(&id));
        outbox
    })
}

fn snapshots() -> impl Strategy<Value = Snapshot> {
    let times = (moments(), prop::array::uniform3(prop::option::of(moments())));
    let partitions = prop::collection::vec(positions(), 0..8);
    let told = (prop::collection::vec(alerts(), 0..4), outboxes());
    (times, partitions, hours(), detectors(), told).prop_map(
        |((taken, [stream_time, window_end, kept_from]), partitions, hours, detector, (alerts, outbox))| Snapshot {
            taken,
            stream_time,
            window_end,
            kept_from,
            partitions,
            hours,
            shards: Vec::new(),
            is_whole: true,
            detector,
            alerts,
            outbox,
        },
    )
}

/// One of those, always the same.
fn sample() -> Snapshot {
    let start = EventTime::from_millis(1_750_000_000_000);
    let pane = |number| (start.plus(PANE * number), Tally { messages: 1 + number, ..Tally::default() }.into());
    Snapshot {
        taken: EventTime::from_millis(1_750_000_030_000),
        stream_time: Some(start),
        window_end: Some(start),
        kept_from: None,
        partitions: vec![PartitionPosition {
            partition: PartitionId::new("messages", 3),
            next_offset: NextOffset(77),
            frontier: None,
        }],
        hours: SavedHour::sort(hours_of("billing", (0..500).map(pane))),
        shards: Vec::new(),
        is_whole: true,
        detector: DetectorState::default(),
        alerts: Vec::new(),
        outbox: Outbox::default(),
    }
}

proptest! {
    #[test]
    fn any_snapshot_reads_back_as_it_was_written(snapshot in snapshots()) {
        let bytes = encode(&snapshot).unwrap();
        prop_assert_eq!(decode(&bytes).unwrap(), snapshot);
    }

    #[test]
    fn what_an_encoder_remembers_changes_no_byte(snapshots in prop::collection::vec(snapshots(), 1..6), again in 0..6_usize) {
        let mut encoder = Encoder::default();
        for (place, snapshot) in snapshots.iter().enumerate() {
            let mut next = snapshot.clone();
            // Some hours are those of the snapshot before, the very same or only equal.
            if let Some(before) = place.checked_sub(1).map(|before| &snapshots[before]).filter(|_| place <= again) {
                next.hours.extend(before.hours.iter().filter(|hour| snapshot.hours.iter().all(|own| own.hour != hour.hour)).cloned());
                next.hours.sort_by_key(|hour| hour.hour);
            }
            prop_assert_eq!(encoder.encode(&next).unwrap(), encode(&next).unwrap());
        }
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
fn an_offset_that_no_record_has_is_refused() {
    let mut snapshot = sample();
    snapshot.partitions[0].next_offset = NextOffset(-1);
    let refused = decode(&encode(&snapshot).unwrap());
    assert!(matches!(&refused, Err(FormatError::Unsound(what)) if what.contains("-1")), "{refused:?}");
}

#[test]
fn panes_of_records_that_were_stamped_in_microseconds_are_read() {
    let start = EventTime::from_millis(1_760_000_000_000_000_000 / 3_600_000 * 3_600_000);
    let mut snapshot = sample();
    snapshot.hours = SavedHour::sort(hours_of("billing", [(start, Tally { messages: 1, ..Tally::default() }.into())]));
    assert_eq!(decode(&encode(&snapshot).unwrap()).unwrap(), snapshot);
}

#[test]
fn a_checkpoint_cut_short_anywhere_is_refused() {
    let bytes = encode(&sample()).unwrap();
    for kept in 0..bytes.len() {
        let error = decode(&bytes[..kept]).unwrap_err();
        let as_expected = if kept < 8 {
            matches!(error, FormatError::Foreign { .. })
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
    newer[8..12].copy_from_slice(&5_u32.to_le_bytes());
    assert_eq!(
        decode(&newer).unwrap_err().to_string(),
        "its format is version 5, and this latido reads versions 1 to 4: run the latido that wrote it"
    );
}

#[test]
fn a_checkpoint_of_version_1_is_taken_up_without_cells() {
    let tally = Tally { messages: 300, negative: 80, positive: 20, frustrated: 70 };
    let pane_start = EventTime::from_millis(1_750_000_030_000);
    let now = sample();
    let old = SnapshotV1 {
        taken: now.taken,
        stream_time: now.stream_time,
        window_end: now.window_end,
        partitions: now.partitions.clone(),
        departments: vec![DepartmentPanesV1 {
            department: "billing".to_owned(),
            panes: vec![PanePartV1 { start: pane_start, tally }],
        }],
        detector: DetectorStateV3 { departments: Vec::new() },
        alerts: Vec::new(),
    };
    let hours = SavedHour::sort(hours_of("billing", [(pane_start, tally.into())]));
    let expected = Snapshot { hours, detector: DetectorState::default(), ..now };
    assert_eq!(decode(&as_version(1, &old)).unwrap(), expected);
}

#[test]
fn a_checkpoint_of_version_2_is_taken_up_but_for_its_baselines() {
    let now = sample();
    let panes: Vec<PanePartV2> =
        now.panes().map(|(_, start, PaneCounts { tally, shares, .. })| PanePartV2 { start, tally, shares }).collect();
    let old = SnapshotV2 {
        taken: now.taken,
        stream_time: now.stream_time,
        window_end: now.window_end,
        partitions: now.partitions.clone(),
        departments: vec![DepartmentPanesV2 { department: "billing".to_owned(), panes }],
        detector: DetectorStateV3 { departments: Vec::new() },
        alerts: Vec::new(),
    };
    assert_eq!(decode(&as_version(2, &old)).unwrap(), Snapshot { detector: DetectorState::default(), ..now });
}

/// The bytes that an older version wrote.
fn as_version(version: u8, old: &impl serde::Serialize) -> Vec<u8> {
    let body = zstd::bulk::compress(&postcard::to_stdvec(old).unwrap(), 1).unwrap();
    let mut bytes = b"LATIDOCP".to_vec();
    bytes.extend_from_slice(&[version, 0, 0, 0]);
    bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    bytes.extend_from_slice(&body);
    bytes
}

#[test]
fn an_hour_is_the_same_until_something_is_counted_in_it() {
    let mut config = Config { departments: vec![DepartmentConfig::named("billing")], ..Config::default() };
    config.windows.lateness = crate::config::Span::from_secs(30);
    let mut panes = crate::window::Panes::new(&config.windows, 1);
    let one = Tally { messages: 1, ..Tally::default() };
    let saved = |panes: &crate::window::Panes| {
        SavedHour::sort(panes.hours().map(|(_, hour)| (Arc::from("billing"), Arc::clone(hour))))
    };
    let pane = |number| moment_of(number);
    assert!(panes.add(DepartmentId(0), pane(10), one) && panes.add(DepartmentId(0), pane(400), one));
    let first = saved(&panes);
    assert!(panes.add(DepartmentId(0), pane(401), one));
    let second = saved(&panes);
    assert!(first[0].is_same(&second[0]));
    assert!(!first[1].is_same(&second[1]));
    assert_eq!(first[1].departments["billing"].panes().count(), 1, "what was handed out stays as it was");
}

/// What a directory holds, by the moment it was taken.
fn newest(directory: &Path) -> Option<Snapshot> {
    read(directory).unwrap().snapshot
}

/// The sample, taken so many seconds later.
fn later(seconds: i64) -> Snapshot {
    Snapshot { taken: EventTime::from_millis(1_750_000_030_000 + seconds * 1_000), ..sample() }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.filter(|name| name.starts_with("state.")).collect();
    names.sort();
    names
}

#[test]
fn what_cannot_be_restored_names_the_file_and_the_remedy_and_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let directory = Directory::open(home.path()).unwrap();
    assert_eq!(directory.load().unwrap().snapshot, None, "nothing was saved yet");
    let path = home.path().join("state.1.latido");
    fs::write(&path, "LATIDOCP").unwrap();
    let error = directory.load().unwrap_err().to_string();
    assert_eq!(
        error.replace(home.path().to_str().unwrap(), "DIR"),
        "DIR/state.1.latido cannot be restored: it is cut short: 8 bytes of 24. Starting from nothing would lose the \
         windows: put the file back from a copy, or move every state.*.latido away and restart with --start-empty, to go on at the group's offsets with empty windows"
    );
    assert_eq!(fs::read(&path).unwrap(), b"LATIDOCP");
}

#[test]
fn the_key_for_customers_is_made_once_and_a_damaged_one_anew() {
    let home = tempfile::tempdir().unwrap();
    let key = Directory::open(home.path()).unwrap().hash_key().unwrap();
    assert_eq!(Directory::open(home.path()).unwrap().hash_key().unwrap(), key);
    fs::write(home.path().join("hash-key"), "too short").unwrap();
    let anew = Directory::open(home.path()).unwrap().hash_key().unwrap();
    assert_ne!(anew, key);
    assert_eq!(Directory::open(home.path()).unwrap().hash_key().unwrap(), anew);
}

#[test]
fn the_last_three_checkpoints_are_kept() {
    let home = tempfile::tempdir().unwrap();
    let mut directory = Directory::open(home.path()).unwrap();
    (0..12).for_each(|seconds| directory.save(&later(seconds)).unwrap());
    assert_eq!(names(home.path()), ["state.10.latido", "state.11.latido", "state.12.latido"]);
    assert_eq!(newest(home.path()), Some(later(11)));
}

#[test]
fn the_one_checkpoint_of_older_versions_is_taken_up_and_then_goes_its_way() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("state.latido"), encode(&sample()).unwrap()).unwrap();
    let mut directory = Directory::open(home.path()).unwrap();
    assert_eq!(newest(home.path()), Some(sample()));
    (0..3).for_each(|seconds| directory.save(&later(seconds)).unwrap());
    assert_eq!(names(home.path()), ["state.1.latido", "state.2.latido", "state.3.latido"]);
}

#[test]
fn where_the_newest_is_damaged_the_one_before_it_serves_and_is_not_overwritten() {
    let home = tempfile::tempdir().unwrap();
    let mut directory = Directory::open(home.path()).unwrap();
    (0..3).for_each(|seconds| directory.save(&later(seconds)).unwrap());
    let damaged = home.path().join("state.3.latido");
    let bytes = fs::read(&damaged).unwrap();
    // Cut at every kind of place: nothing, within the magic, the header, the manifest and the hours.
    for kept in [0, 5, 8, 15, 24, 30, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&damaged, &bytes[..kept]).unwrap();
        let loaded = directory.load().unwrap();
        assert_eq!(loaded.snapshot, Some(later(1)), "{kept} bytes");
        assert_eq!(loaded.damaged.len(), 1);
        assert_eq!(loaded.damaged[0].path, damaged);
    }
    directory.save(&later(3)).unwrap();
    assert_eq!(newest(home.path()), Some(later(3)));
    fs::remove_file(home.path().join("state.4.latido")).unwrap();
    assert_eq!(newest(home.path()), Some(later(1)), "the damaged one has not pushed it out");
}

/// What befalls a file.
#[derive(Clone, Debug)]
enum Fate {
    Whole,
    Gone,
    Cut(prop::sample::Index),
    Flipped(prop::sample::Index, u8),
    Longer(Vec<u8>),
    Foreign(Vec<u8>),
}

fn fates() -> impl Strategy<Value = Fate> {
    // Each part of a file is likely to be cut in: the magic, the header, the manifest, the hours.
    let place = any::<prop::sample::Index>;
    prop_oneof![
        2 => Just(Fate::Whole),
        1 => Just(Fate::Gone),
        4 => place().prop_map(Fate::Cut),
        4 => (place(), 0_u8..8).prop_map(|(place, bit)| Fate::Flipped(place, bit)),
        1 => prop::collection::vec(any::<u8>(), 1..40).prop_map(Fate::Longer),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Fate::Foreign),
    ]
}

/// What a reader finds in a file: a checkpoint, nothing, damage, or another version's.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Found {
    Checkpoint,
    Nothing,
    Damage,
    OtherVersion,
}

fn befall(path: &Path, fate: &Fate) -> Found {
    let mut bytes = fs::read(path).unwrap();
    match fate {
        Fate::Whole => return Found::Checkpoint,
        Fate::Gone => {
            fs::remove_file(path).unwrap();
            return Found::Nothing;
        }
        // Half of the cuts within the first 48 bytes, where the parts are short.
        Fate::Cut(place) => {
            let all = bytes.len();
            bytes.truncate(if place.index(2) == 0 { place.index(48) } else { place.index(all) });
        }
        Fate::Flipped(place, bit) => {
            let at = place.index(bytes.len());
            bytes[at] ^= 1 << bit;
            fs::write(path, &bytes).unwrap();
            let version = u32::from_le_bytes(bytes[8..12].try_into().unwrap());
            return if (1..=FORMAT_VERSION).contains(&version) { Found::Damage } else { Found::OtherVersion };
        }
        Fate::Longer(more) => bytes.extend(more),
        Fate::Foreign(others) => bytes.clone_from(others),
    }
    fs::write(path, &bytes).unwrap();
    Found::Damage
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_befalls_the_files_the_newest_whole_one_serves_or_it_is_an_error_and_never_a_start_from_nothing(
        fates in prop::array::uniform3(fates()),
    ) {
        let home = tempfile::tempdir().unwrap();
        let mut directory = Directory::open(home.path()).unwrap();
        (0..3).for_each(|seconds| directory.save(&later(seconds)).unwrap());
        let found: Vec<Found> =
            fates.iter().zip(1..).map(|(fate, number)| befall(&home.path().join(format!("state.{number}.latido")), fate)).collect();
        let newest_first = || found.iter().enumerate().rev().filter(|(_, found)| **found != Found::Nothing);
        let telling = newest_first().find(|(_, found)| **found != Found::Damage);
        let loaded = directory.load();
        match telling {
            Some((place, Found::Checkpoint)) => {
                let loaded = loaded.unwrap();
                prop_assert_eq!(loaded.snapshot, Some(later(i64::try_from(place).unwrap())));
                let passed_over = found[place + 1..].iter().filter(|found| **found == Found::Damage).count();
                prop_assert_eq!(loaded.damaged.len(), passed_over, "each damaged one is told");
            }
            None if newest_first().next().is_none() => prop_assert_eq!(loaded.unwrap().snapshot, None),
            _ => {
                let is_told = matches!(loaded, Err(DirectoryError::Damaged { .. }));
                prop_assert!(is_told, "{:?}", loaded);
            }
        }
    }
}

#[test]
fn what_a_newer_version_saved_is_not_passed_over_for_something_older() {
    let home = tempfile::tempdir().unwrap();
    let mut directory = Directory::open(home.path()).unwrap();
    (0..2).for_each(|seconds| directory.save(&later(seconds)).unwrap());
    let path = home.path().join("state.2.latido");
    let mut bytes = fs::read(&path).unwrap();
    bytes[8] = 200;
    fs::write(&path, &bytes).unwrap();
    let error = directory.load().unwrap_err();
    assert!(
        matches!(&error, DirectoryError::Damaged { source: FormatError::Version { found: 200, .. }, .. }),
        "{error}"
    );
}

#[test]
fn a_save_that_died_half_way_leaves_the_checkpoint_before_it_and_the_next_one_succeeds() {
    let home = tempfile::tempdir().unwrap();
    let mut directory = Directory::open(home.path()).unwrap();
    directory.save(&sample()).unwrap();
    fs::write(home.path().join("state.latido.tmp"), vec![0xAB; 1 << 20]).unwrap();
    assert_eq!(newest(home.path()), Some(sample()));
    directory.save(&later(10)).unwrap();
    assert_eq!(newest(home.path()), Some(later(10)));
    assert!(!home.path().join("state.latido.tmp").exists());
}

#[test]
fn a_failed_save_names_what_it_tried_and_the_checkpoint_before_it_still_stands() {
    let home = tempfile::tempdir().unwrap();
    let mut directory = Directory::open(home.path()).unwrap();
    directory.save(&sample()).unwrap();
    // A directory in the way of the temporary file fails for any user, root included.
    fs::create_dir(home.path().join("state.latido.tmp")).unwrap();
    let error = directory.save(&later(1)).unwrap_err().to_string();
    let error = error.replace(home.path().to_str().unwrap(), "DIR");
    assert!(error.starts_with("cannot create DIR/state.latido.tmp: "), "{error}");
    assert!(error.ends_with("; checkpoint.directory must be a directory that this user may write"), "{error}");
    assert_eq!(newest(home.path()), Some(sample()));
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
    let mut held = Directory::open(home.path()).unwrap();
    let refused = Directory::open(home.path()).unwrap_err();
    assert!(matches!(&refused, DirectoryError::Locked { path } if path == home.path()), "{refused}");
    held.save(&sample()).unwrap();
    assert_eq!(newest(home.path()), Some(sample()), "looking at it needs no lock");
    drop(held);
    assert_eq!(Directory::open(home.path()).unwrap().load().unwrap().snapshot, Some(sample()));
}

#[test]
fn a_directory_that_was_removed_and_made_again_is_locked_again_or_refused() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("checkpoint");
    let mut held = Directory::open(&path).unwrap();
    held.save(&sample()).unwrap();
    fs::remove_dir_all(&path).unwrap();
    assert!(matches!(held.save(&later(1)).unwrap_err(), DirectoryError::Io { action: "open", .. }));

    fs::create_dir(&path).unwrap();
    held.save(&later(2)).unwrap();
    assert_eq!(newest(&path), Some(later(2)));
    assert!(
        matches!(Directory::open(&path).unwrap_err(), DirectoryError::Locked { .. }),
        "it has the lock of the new one"
    );

    fs::remove_dir_all(&path).unwrap();
    let mut faster = Directory::open(&path).unwrap();
    faster.save(&later(3)).unwrap();
    assert!(matches!(held.save(&later(4)).unwrap_err(), DirectoryError::Locked { .. }));
    assert_eq!(newest(&path), Some(later(3)), "two daemons never write into one directory");
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

#[test]
fn which_model_said_what_comes_back_from_a_checkpoint() {
    let one = |negative| Tally { messages: 1, negative, ..Tally::default() };
    let mut panes = Panes::new(&WindowsConfig::default(), 1);
    for (second, model, negative) in [(0, 7, 1), (1, 8, 0), (2, 8, 1), (15, 9, 0), (4_000, 8, 1)] {
        let at = EventTime::from_millis(second * 1_000);
        panes.add_to((ShardId(0), DepartmentId(0)), at, one(negative).into(), [(ModelId(model), one(negative))]);
    }
    let said = |hours: &[SavedHour]| -> Vec<(EventTime, Vec<(ModelId, Tally)>)> {
        let hours = hours.iter().flat_map(|hour| hour.departments.values());
        hours.flat_map(|hour| hour.panes_by_model().map(|(start, _, parts)| (start, parts.collect()))).collect()
    };
    let saved = SavedHour::sort(panes.hours().map(|(_, hour)| ("billing".into(), Arc::clone(hour))));
    let snapshot = Snapshot { hours: saved, ..Snapshot::empty() };
    let read = decode(&encode(&snapshot).unwrap()).unwrap();
    let expected = vec![
        (
            EventTime::from_millis(0),
            vec![(ModelId(7), one(1)), (ModelId(8), Tally { messages: 2, negative: 1, ..one(0) })],
        ),
        (EventTime::from_millis(10_000), vec![(ModelId(9), one(0))]),
        (EventTime::from_millis(4_000_000), vec![(ModelId(8), one(1))]),
    ];
    assert_eq!(said(&snapshot.hours), expected);
    assert_eq!(said(&read.hours), expected);
}
