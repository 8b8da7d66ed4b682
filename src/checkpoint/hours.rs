//! An hour of panes as bytes: each department's name, its panes by their place in the hour, compressed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::format::{self, FormatError};
use super::legacy::PaneCountsV3;
use super::{SavedHour, Snapshot};
use crate::message::EventTime;
use crate::window::{HourPanes, PANE, PaneCounts};

/// Seconds in an hour.
const HOUR_SECONDS: i64 = 3_600;

/// One department in an hour. `P` is what the version counts in a pane.
#[derive(Serialize, Deserialize)]
struct Part<'a, P> {
    department: Cow<'a, str>,
    /// By place in the hour, from 0.
    panes: Vec<(u16, P)>,
}

/// Which version of panes is in the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PanesAre {
    /// Those of this version.
    OfNow,
    /// Those of version 3, without severe messages.
    OfVersion3,
}

/// An hour as bytes.
///
/// # Errors
/// If it cannot be encoded or compressed.
pub(super) fn encode(hour: &SavedHour) -> Result<Vec<u8>, FormatError> {
    let parts: Vec<Part<'_, PaneCounts>> = hour
        .departments
        .iter()
        .map(|(department, panes)| Part {
            department: Cow::Borrowed(department),
            panes: panes.panes().map(|(start, counts)| (place_of(hour.hour, start), counts)).collect(),
        })
        .collect();
    format::pack(&parts)
}

/// The hour in those bytes.
///
/// # Errors
/// If they are none.
pub(super) fn decode(hour: i64, bytes: &[u8], panes: PanesAre) -> Result<SavedHour, FormatError> {
    match panes {
        PanesAre::OfNow => decode_panes::<PaneCounts>(hour, bytes),
        PanesAre::OfVersion3 => decode_panes::<PaneCountsV3>(hour, bytes),
    }
}

fn decode_panes<P: DeserializeOwned + Into<PaneCounts>>(hour: i64, bytes: &[u8]) -> Result<SavedHour, FormatError> {
    let parts: Vec<Part<'_, P>> = format::unpack(bytes)?;
    let mut departments = BTreeMap::new();
    for part in parts.into_iter().filter(|part| !part.panes.is_empty()) {
        let panes = part.panes.into_iter().map(|(place, counts)| (start_of(hour, place), counts.into()));
        let mut hours = HourPanes::gather(panes);
        let Some(panes) = hours.pop().filter(|panes| hours.is_empty() && panes.hour() == hour) else {
            return Err(FormatError::Hour { hour });
        };
        departments.insert(Arc::from(&*part.department), Arc::new(panes));
    }
    Ok(SavedHour { hour, departments })
}

/// Hours that were encoded before, so that each is encoded once and not again until something is counted in it.
#[derive(Debug, Default)]
pub(super) struct Cache {
    hours: BTreeMap<i64, (SavedHour, Vec<u8>)>,
}

impl Cache {
    /// The hours of a snapshot as bytes, in its order.
    ///
    /// # Errors
    /// If one cannot be encoded or compressed.
    pub(super) fn encode<'a>(&'a mut self, snapshot: &Snapshot) -> Result<Vec<(i64, &'a [u8])>, FormatError> {
        let mut before = std::mem::take(&mut self.hours);
        for hour in &snapshot.hours {
            let known = before.remove(&hour.hour).filter(|(known, _)| known.is_same(hour));
            let kept = match known {
                Some(kept) => kept,
                None => (hour.clone(), encode(hour)?),
            };
            self.hours.insert(hour.hour, kept);
        }
        Ok(self.hours.iter().map(|(hour, (_, bytes))| (*hour, &**bytes)).collect())
    }
}

/// A pane's place in its hour.
fn place_of(hour: i64, start: EventTime) -> u16 {
    let seconds = start.as_millis().div_euclid(1_000) - hour.saturating_mul(HOUR_SECONDS);
    u16::try_from(seconds.div_euclid(PANE.as_secs().cast_signed())).unwrap_or_default()
}

/// When the pane at a place starts.
fn start_of(hour: i64, place: u16) -> EventTime {
    let start = EventTime::from_millis(hour.saturating_mul(HOUR_SECONDS * 1_000));
    start.plus(PANE * u32::from(place))
}
