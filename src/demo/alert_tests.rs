//! The demo's promise about alerts, held against the real windows and the real detector, with a reader who errs.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use super::*;
use crate::config::Roster;
use crate::detect::{Alert, AlertChange, Detector, TICK};
use crate::message::{DepartmentId, Sentiment};
use crate::window::{Panes, Tally};

/// In the demo's time: 140 seconds of ours.
const OVER_AFTER: Duration = Duration::from_secs(140 * 60);

/// How often a reader takes a message for negative (and frustrated) that is negative, neutral, positive.
#[derive(Clone, Copy)]
struct Reader([f64; 3]);

impl Reader {
    fn read(self, rng: &mut Pcg64Mcg, sentiment: Sentiment) -> Tally {
        let negative = u32::from(rng.random_bool(self.0[sentiment as usize]));
        Tally { messages: 1, negative, positive: 0, frustrated: negative }
    }
}

/// Plays history and the live part through windows and detector.
fn alerts(seed: u64, reader: Reader) -> (Incident, EventTime, Vec<Alert>) {
    // Panes begin at another moment of the incident each time.
    let start = EventTime::from_millis(1_750_000_000_000 + i64::try_from(seed % 10).unwrap() * 1_037);
    let broker = Broker::start(None).unwrap();
    let config = settings::demo_config(&broker, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Path::new("unused"));
    let roster = Roster::new(&config);
    let mut panes = Panes::new(&config.windows, roster.len());
    let mut detector = Detector::new(&config.detect, &roster);
    let mut generator = Generator::new(seed, 30, start);
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let live = start.plus(HISTORY);
    let mut incident = None;
    let mut found: BTreeMap<String, Alert> = BTreeMap::new();
    while generator.next_at() < live.plus(LONGEST_RUN_UP) {
        if generator.next_at() >= live && incident.is_none() {
            incident = Some(generator.begin_live(live));
        }
        let record = generator.next_record();
        if let RecordKind::Customer(sentiment) = record.kind {
            let department = DepartmentId(u16::try_from(record.department).unwrap());
            panes.add(department, record.at, reader.read(&mut rng, sentiment));
        }
        panes.advance(record.at.minus(config.windows.lateness.get()), |end, panes| {
            for change in detector.close(end, |department| panes.newest_closed_pane(department)) {
                let (AlertChange::Opened(_, alert) | AlertChange::Escalated(_, alert) | AlertChange::Closed(_, alert)) =
                    change;
                found.insert(alert.id.clone(), alert);
            }
        });
    }
    (incident.unwrap(), live, found.into_values().collect())
}

#[test]
fn whatever_the_seed_only_the_incident_pages_in_all_ten_minutes_and_is_over_by_second_140() {
    let careful = Reader([0.9, 0.1, 0.03]);
    let careless = Reader([0.75, 0.35, 0.1]);
    for (seed, reader) in (0..3).flat_map(|seed| [(seed, careful), (seed + 100, careless)]) {
        let (incident, live, alerts) = alerts(seed, reader);
        assert!(!alerts.is_empty(), "seed {seed}");
        for alert in &alerts {
            assert_eq!(alert.department, incident.department_id(), "seed {seed}: {alerts:#?}");
            // A minute is judged at its end.
            let judged_until = incident.ended.plus(TICK);
            assert!(incident.started < alert.started && alert.started <= judged_until, "seed {seed}: {alert:#?}");
            assert!(alert.ended.is_some_and(|ended| ended <= live.plus(OVER_AFTER)), "seed {seed}: {alert:#?}");
        }
    }
}
