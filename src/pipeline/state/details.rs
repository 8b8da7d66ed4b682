//! What an alert tells of who wrote.

use crate::config::Roster;
use crate::detect::{Alert, AlertKind};
use crate::message::{DepartmentId, SignalSet};
use crate::voices::{Summary, Voiced, Voices};

/// Of the messages since the onset, as far as the windows have closed.
pub(super) fn of(alert: &Alert, voices: &Voices, roster: &Roster) -> Summary {
    let departments: Vec<DepartmentId> = match alert.kind {
        AlertKind::CompanyWide => alert.departments.iter().filter_map(|name| roster.find(name)).collect(),
        _ => roster.find(&alert.department).into_iter().collect(),
    };
    let about = match alert.kind {
        AlertKind::NegativeSentiment => Voiced::Negative,
        AlertKind::Frustration => Voiced::Frustrated,
        AlertKind::CompanyWide => Voiced::Unhappy,
        AlertKind::VolumeSurge | AlertKind::Silence => Voiced::Everyone,
        AlertKind::Severe => {
            Voiced::Severe(departments.first().map_or(SignalSet::EMPTY, |department| roster.severe(*department)))
        }
    };
    voices.summary(&departments, alert.since, about)
}
