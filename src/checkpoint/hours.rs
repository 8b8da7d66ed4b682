//! An hour as bytes: each department's name and its panes by their place in the hour, compressed; and who wrote what in it, by place.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::format::{self, FormatError};
use super::legacy::PaneCountsV3;
use super::sound::FURTHEST_HOUR;
use super::{SavedHour, SavedVoices, Snapshot};
use crate::message::{EventTime, ModelId};
use crate::voices::{HourVoices, Stretch};
use crate::window::{HourPanes, Models, PANE, PANES_AN_HOUR, PaneCounts, Tally};

/// Seconds in an hour.
const HOUR_SECONDS: i64 = 3_600;

/// One department in an hour.
#[derive(Serialize, Deserialize)]
pub(super) struct Part<'a> {
    department: Cow<'a, str>,
    /// By place in the hour, from 0.
    panes: Vec<(u16, PaneCounts)>,
    /// The model that said whatever no other did, and what others said: model, place, counts.
    model: Option<ModelId>,
    other_models: Vec<(ModelId, u16, Tally)>,
}

/// The same of version 3.
#[derive(Deserialize)]
struct PartV3 {
    department: String,
    panes: Vec<(u16, PaneCountsV3)>,
}

impl From<PartV3> for Part<'_> {
    fn from(old: PartV3) -> Self {
        let panes = old.panes.into_iter().map(|(place, counts)| (place, counts.into())).collect();
        Self { department: Cow::Owned(old.department), panes, model: None, other_models: Vec::new() }
    }
}

/// Which version of an hour is in the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PanesAre {
    /// Those of this version.
    OfNow,
    /// Those of version 3, without severe messages and voices.
    OfVersion3,
}

/// Voices of an hour by place, and where in the bytes of that hour they are packed: of most places nothing changes any more.
type Packed = BTreeMap<u8, (Named<Stretch>, Range<usize>)>;

/// Something of each department.
pub(super) type Named<Item> = Vec<(Arc<str>, Arc<Item>)>;

/// An hour as bytes: the length of its packed panes (4, little endian), these, and for each place within the hour with voices that place
/// (1), the length (4) and the voices of all departments in it, packed.
///
/// # Errors
/// If it cannot be encoded or compressed.
pub(super) fn encode(hour: &SavedHour) -> Result<Vec<u8>, FormatError> {
    Ok(encode_after(hour, &[], Packed::new())?.0)
}

/// The same, with what is still as it was packed in the bytes before; and where it is now.
fn encode_after(hour: &SavedHour, before: &[u8], mut packed: Packed) -> Result<(Vec<u8>, Packed), FormatError> {
    let parts: Vec<Part<'_>> = hour
        .departments
        .iter()
        .map(|(department, panes)| Part {
            department: Cow::Borrowed(department),
            panes: panes.panes().map(|(start, counts)| (place_of(hour.hour, start), counts)).collect(),
            model: panes.models().first(),
            other_models: panes.models().others().filter_map(narrow).collect(),
        })
        .collect();
    let panes = format::pack(&parts)?;
    let mut bytes = Vec::with_capacity((panes.len() + 4).max(before.len()));
    put(&mut bytes, &panes)?;
    let mut now = Packed::new();
    for (place, stretches) in by_place(hour) {
        bytes.push(place);
        let range = match packed.remove(&place) {
            Some((known, range)) if are_same(&known, &stretches) => put(&mut bytes, &before[range])?,
            _ => put(&mut bytes, &format::pack(&stretches)?)?,
        };
        now.insert(place, (stretches, range));
    }
    bytes.shrink_to_fit();
    Ok((bytes, now))
}

/// Gives where the part is now.
fn put(bytes: &mut Vec<u8>, part: &[u8]) -> Result<Range<usize>, FormatError> {
    let length = u32::try_from(part.len()).map_err(|_| FormatError::ManifestTooLarge(part.len()))?;
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(part);
    Ok(bytes.len() - part.len()..bytes.len())
}

/// The voices of all departments by place within the hour, in the order of the ids.
fn by_place(hour: &SavedHour) -> BTreeMap<u8, Named<Stretch>> {
    let mut by_place: BTreeMap<u8, Named<Stretch>> = BTreeMap::new();
    for (department, voices) in hour.voices.departments() {
        for (place, stretch) in voices.pieces() {
            by_place.entry(place).or_default().push((Arc::clone(department), Arc::clone(stretch)));
        }
    }
    by_place
}

fn are_same(known: &[(Arc<str>, Arc<Stretch>)], others: &[(Arc<str>, Arc<Stretch>)]) -> bool {
    let mut pairs = known.iter().zip(others);
    known.len() == others.len() && pairs.all(|((of, one), (by, other))| of == by && Arc::ptr_eq(one, other))
}

/// The hour in those bytes.
///
/// # Errors
/// If they are none.
pub(super) fn decode(hour: i64, bytes: &[u8], panes: PanesAre) -> Result<SavedHour, FormatError> {
    if hour.unsigned_abs() > FURTHEST_HOUR {
        return Err(FormatError::Hour { hour });
    }
    if panes == PanesAre::OfVersion3 {
        let parts = format::unpack::<Vec<PartV3>>(bytes)?.into_iter().map(Part::from);
        return Ok(SavedHour { hour, departments: departments_of(hour, parts)?, voices: SavedVoices::default() });
    }
    let (panes, rest) = take(bytes)?;
    let parts: Vec<Part<'_>> = format::unpack(panes)?;
    Ok(SavedHour { hour, departments: departments_of(hour, parts)?, voices: voices_of(hour, rest)? })
}

fn take(bytes: &[u8]) -> Result<(&[u8], &[u8]), FormatError> {
    let (length, rest) = bytes.split_first_chunk().ok_or(FormatError::Parts)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    rest.split_at_checked(length).ok_or(FormatError::Parts)
}

fn departments_of<'a>(
    hour: i64,
    parts: impl IntoIterator<Item = Part<'a>>,
) -> Result<BTreeMap<Arc<str>, Arc<HourPanes>>, FormatError> {
    let mut departments = BTreeMap::new();
    for part in parts.into_iter().filter(|part| !part.panes.is_empty()) {
        let panes = part.panes.into_iter().map(|(place, counts)| (start_of(hour, place), counts));
        let mut hours = HourPanes::gather(panes);
        let Some(panes) = hours.pop().filter(|panes| hours.is_empty() && panes.hour() == hour) else {
            return Err(FormatError::Hour { hour });
        };
        if part.other_models.iter().any(|(_, place, _)| i64::from(*place) >= PANES_AN_HOUR) {
            return Err(FormatError::Hour { hour });
        }
        let others = part.other_models.into_iter().map(|(model, place, tally)| (model, usize::from(place), tally));
        let panes = panes.with_models(Models::of(part.model, others));
        check(&panes)?;
        departments.insert(Arc::from(&*part.department), Arc::new(panes));
    }
    Ok(departments)
}

/// A snapshot of a version that kept its panes one by one, if its hours are what they should be.
///
/// # Errors
/// If they are not.
pub(super) fn sound(snapshot: Snapshot) -> Result<Snapshot, FormatError> {
    snapshot.hours.iter().flat_map(|hour| hour.departments.values()).try_for_each(|panes| check(panes))?;
    Ok(snapshot)
}

fn check(panes: &HourPanes) -> Result<(), FormatError> {
    let hour = panes.hour();
    let is_sound = hour.unsigned_abs() <= FURTHEST_HOUR && panes.is_sound();
    is_sound.then_some(()).ok_or(FormatError::Hour { hour })
}

/// Voices by department, in the order of the ids.
fn voices_of(hour: i64, mut bytes: &[u8]) -> Result<SavedVoices, FormatError> {
    let mut pieces: BTreeMap<Arc<str>, Vec<(u8, Arc<Stretch>)>> = BTreeMap::new();
    while let Some((place, rest)) = bytes.split_first() {
        let (packed, behind) = take(rest)?;
        bytes = behind;
        let stretches: Named<Stretch> = format::unpack(packed)?;
        for (department, stretch) in stretches {
            pieces.entry(department).or_default().push((*place, stretch));
        }
    }
    let joined = pieces.into_iter().map(|(department, pieces)| {
        let voices = HourVoices::of_pieces(hour, pieces);
        let is_sound = voices.is_sound(hour);
        is_sound.then(|| (department, Arc::new(voices))).ok_or(FormatError::Hour { hour })
    });
    Ok(SavedVoices::of(hour, joined.collect::<Result<_, _>>()?))
}

/// Hours that were encoded before, so that each is encoded once and not again until something is counted in it.
#[derive(Debug, Default)]
pub(super) struct Cache {
    hours: BTreeMap<i64, (SavedHour, Vec<u8>, Packed)>,
}

impl Cache {
    /// The hours of a snapshot as bytes, in its order.
    ///
    /// # Errors
    /// If one cannot be encoded or compressed.
    pub(super) fn encode<'a>(&'a mut self, snapshot: &Snapshot) -> Result<Vec<(i64, &'a [u8])>, FormatError> {
        let mut before = std::mem::take(&mut self.hours);
        for hour in &snapshot.hours {
            let kept = match before.remove(&hour.hour) {
                Some(kept) if kept.0.is_same(hour) => kept,
                known => {
                    let (before, packed) = known.map(|(_, bytes, packed)| (bytes, packed)).unwrap_or_default();
                    let (bytes, packed) = encode_after(hour, &before, packed)?;
                    (hour.clone(), bytes, packed)
                }
            };
            self.hours.insert(hour.hour, kept);
        }
        Ok(self.hours.iter().map(|(hour, (_, bytes, _))| (*hour, &**bytes)).collect())
    }
}

fn narrow((model, place, tally): (ModelId, usize, Tally)) -> Option<(ModelId, u16, Tally)> {
    Some((model, u16::try_from(place).ok()?, tally))
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// An hour with one message in its first pane and what other models are said to have said.
    fn bytes(others: Vec<(ModelId, u16, Tally)>) -> Vec<u8> {
        let tally = Tally { messages: 1, ..Tally::default() };
        let panes = vec![(0, PaneCounts { tally, ..PaneCounts::default() })];
        let model = Some(ModelId(1));
        let part = Part { department: "billing".into(), panes, model, other_models: others };
        let mut bytes = Vec::new();
        put(&mut bytes, &format::pack(&vec![part]).unwrap()).unwrap();
        bytes
    }

    #[test]
    fn a_model_that_said_more_than_can_be_counted_is_refused() {
        let sound = decode(490_000, &bytes(Vec::new()), PanesAre::OfNow);
        assert!(sound.is_ok(), "{sound:?}");
        let all = Tally { messages: u32::MAX, ..Tally::default() };
        let twice = vec![(ModelId(7), 0, all), (ModelId(7), 0, all)];
        assert!(matches!(decode(490_000, &bytes(twice), PanesAre::OfNow), Err(FormatError::Hour { hour: 490_000 })));
    }

    #[test]
    fn an_hour_that_no_clock_reaches_is_refused() {
        for hour in [i64::MAX / 2, i64::MIN, i64::MAX] {
            let refused = decode(hour, &bytes(Vec::new()), PanesAre::OfNow);
            assert!(matches!(refused, Err(FormatError::Hour { .. })), "{hour}: {refused:?}");
        }
    }
}
