//! Sound checkpoints with some values altered and checksums that fit: what an attacker, or a fault before the checksum, may leave.

use std::borrow::Cow;

use ciborium::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Snapshot;
use super::format::{FRAME, ManifestNow, encode, pack, unpack};
use super::hours::{Named, Part};
pub(crate) use super::kafka::altered::taken_up;
use crate::voices::Stretch;

/// Numbers that decide where and how; used up, they are 0.
#[derive(Debug)]
pub(crate) struct Choices<'a>(pub(crate) &'a [u32]);

impl Choices<'_> {
    pub(crate) fn next(&mut self, below: usize) -> usize {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first as usize % below.max(1)
    }
}

/// The file of a snapshot in which one part has an altered value: the manifest, or an hour's panes or voices.
pub(crate) fn file(snapshot: &Snapshot, choices: &mut Choices<'_>) -> Vec<u8> {
    let bytes = encode(snapshot).unwrap();
    let (_, body) = FRAME.open(&bytes).unwrap();
    let (packed, mut rest) = prefixed(body);
    let mut manifest: ManifestNow<'static> = unpack(packed).unwrap();
    let mut hours: Vec<Vec<u8>> = Vec::new();
    for (_, length) in &manifest.hours {
        let (bytes, behind) = rest.split_at(usize::try_from(*length).unwrap());
        hours.push(bytes.to_vec());
        rest = behind;
    }
    let what = choices.next(3);
    if what == 0 {
        manifest.detector = Cow::Owned(altered(manifest.detector.into_owned(), choices));
    } else if what == 1 && !hours.is_empty() {
        let place = choices.next(hours.len());
        hours[place] = hour(&hours[place], choices);
        manifest.hours[place].1 = hours[place].len() as u64;
    } else {
        manifest = altered(manifest, choices);
    }
    let mut body = with_prefix(&pack(&manifest).unwrap());
    hours.iter().for_each(|hour| body.extend_from_slice(hour));
    FRAME.close(&body)
}

/// An hour in which something of the panes or of the voices of a stretch is altered.
pub(crate) fn hour(bytes: &[u8], choices: &mut Choices<'_>) -> Vec<u8> {
    let (panes, rest) = prefixed(bytes);
    if rest.is_empty() || choices.next(2) == 0 {
        let parts: Vec<Part<'static>> = altered(unpack(panes).unwrap(), choices);
        return [with_prefix(&pack(&parts).unwrap()), rest.to_vec()].concat();
    }
    let (voices, behind) = prefixed(&rest[1..]);
    let stretches: Named<Stretch> = altered(unpack(voices).unwrap(), choices);
    // Most places are those of stretches, some are of none.
    let place = if choices.next(4) == 0 { u8::try_from(choices.next(256)).unwrap() } else { rest[0] };
    let voices = with_prefix(&pack(&stretches).unwrap());
    [with_prefix(panes), vec![place], voices, behind.to_vec()].concat()
}

fn prefixed(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (length, rest) = bytes.split_first_chunk().unwrap();
    rest.split_at(usize::try_from(u32::from_le_bytes(*length)).unwrap())
}

fn with_prefix(part: &[u8]) -> Vec<u8> {
    [&u32::try_from(part.len()).unwrap().to_le_bytes(), part].concat()
}

/// The part with one value altered; of values that the part cannot hold the next one is tried.
pub(crate) fn altered<Item: Serialize + DeserializeOwned>(part: Item, choices: &mut Choices<'_>) -> Item {
    let sound = Value::serialized(&part).unwrap();
    let path = choices.0;
    let kind = path.last().copied().unwrap_or_default();
    for more in 0..12 {
        let mut value = sound.clone();
        let mut way = Choices(path);
        alter(&mut value, &mut way, kind.wrapping_add(more) as usize);
        if let Ok(part) = value.deserialized() {
            choices.0 = way.0;
            return part;
        }
    }
    part
}

/// Goes down to some value, each field as likely as another, and alters it.
fn alter(value: &mut Value, choices: &mut Choices<'_>, kind: usize) {
    match value {
        Value::Array(items) if !items.is_empty() => match choices.next(items.len() + 2).checked_sub(2) {
            Some(place) => alter(&mut items[place], choices, kind),
            None => alter_list(items, kind),
        },
        Value::Array(items) => items.push(Value::Integer(0.into())),
        Value::Map(entries) if !entries.is_empty() => {
            let place = choices.next(entries.len());
            let (key, of_key) = &mut entries[place];
            let is_field = matches!(key, Value::Text(_));
            alter(if is_field || choices.next(2) == 0 { of_key } else { key }, choices, kind);
        }
        Value::Integer(_) => *value = Value::Integer(INTEGERS[kind % INTEGERS.len()].try_into().unwrap()),
        Value::Float(_) => *value = Value::Float(FLOATS[kind % FLOATS.len()]),
        Value::Text(text) => *text = ["", "care", "\u{0}", &"x".repeat(70_000)][kind % 4].to_owned(),
        Value::Bytes(bytes) => *bytes = [vec![], vec![0xff; bytes.len()], vec![1; 3]][kind % 3].clone(),
        Value::Bool(flag) => *flag = !*flag,
        // One that is there where none was: a moment, or nothing that fits.
        Value::Null => *value = Value::Integer(INTEGERS[kind % INTEGERS.len()].try_into().unwrap()),
        _ => {}
    }
}

fn alter_list(items: &mut Vec<Value>, kind: usize) {
    match kind % 5 {
        0 => items.clear(),
        1 => drop(items.pop()),
        2 => items.extend(items.first().cloned()),
        3 => items.reverse(),
        _ => *items = std::iter::repeat_n(items.clone(), 40).flatten().collect(),
    }
}

const INTEGERS: [i128; 16] = [
    u32::MAX as i128,
    i64::MAX as i128,
    i64::MIN as i128,
    0,
    u64::MAX as i128,
    i64::MAX as i128 / 2,
    -1,
    u16::MAX as i128,
    u8::MAX as i128,
    1,
    359,
    i32::MAX as i128,
    1_000_000_000_000_000,
    -1_000_000_000_000_000,
    1_750_000_123_456,
    486_111,
];

const FLOATS: [f64; 12] =
    [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, -1.0, 1e24, -1e24, 0.0, f64::MIN_POSITIVE, 1.0, 1e9, -1e-9];
