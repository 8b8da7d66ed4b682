//! A checkpoint as bytes: a [frame](super::frame) that begins with `LATIDOCP`, and a body of packed parts.
//!
//! The body of versions 3 and 4: the length of the packed manifest in bytes (4, little endian), the manifest, then the hours that it
//! lists, each packed on its own, so that an hour in which nothing was counted any more is packed once. *Packed* is
//! postcard compressed with zstd. Versions 1 and 2 had one packed snapshot there.
//! Version 3 knew another detector, counted no severe messages, and had no alert events.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::frame::Frame;
use super::hours::{self, Cache, PanesAre};
use super::legacy::{self, AlertV3, DetectorStateV3};
use super::sound;
use super::v1::SnapshotV1;
use super::v2::SnapshotV2;
use super::{PartitionPosition, Snapshot};
use crate::detect::{Alert, DetectorState};
use crate::message::EventTime;
use crate::publish::events::Outbox;

/// The version this build writes.
pub const FORMAT_VERSION: u32 = 4;
/// The oldest version this build reads.
const OLDEST_VERSION: u32 = 1;

pub(super) const FRAME: Frame = Frame { magic: b"LATIDOCP", oldest: OLDEST_VERSION, newest: FORMAT_VERSION };
/// Fast, and a third of the size.
const COMPRESSION_LEVEL: i32 = 1;
/// No checkpoint of a config within its limits is larger unpacked; a forged one must not eat the memory.
const LARGEST_UNPACKED: usize = 4 << 30;

/// Why bytes are not a checkpoint of ours.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// Another kind of file or record.
    #[error("it does not begin with {expected}: it is not a checkpoint of latido")]
    Foreign {
        /// What it should begin with.
        expected: String,
    },
    /// Written by another version.
    #[error(
        "its format is version {found}, and this latido reads versions {oldest} to {newest}: run the latido that wrote it"
    )]
    Version {
        /// The version found.
        found: u32,
        /// The oldest that can be read.
        oldest: u32,
        /// The newest that can be read.
        newest: u32,
    },
    /// Cut short.
    #[error("it is cut short: {found} bytes of {expected}")]
    Truncated {
        /// Bytes there.
        found: usize,
        /// Bytes expected.
        expected: usize,
    },
    /// Something stands behind it.
    #[error("it is too long: {found} bytes of {expected}; the file is damaged")]
    Surplus {
        /// Bytes there.
        found: usize,
        /// Bytes expected.
        expected: usize,
    },
    /// Changed after it was written.
    #[error("its checksum is {found:08x} and should be {expected:08x}: the file is damaged")]
    Checksum {
        /// Checksum of what is there.
        found: u32,
        /// Checksum written with it.
        expected: u32,
    },
    /// The body cannot be packed or unpacked.
    #[error("its body cannot be compressed or decompressed: {0}")]
    Compression(#[from] std::io::Error),
    /// The body is no snapshot.
    #[error("its body cannot be encoded or decoded: {0}")]
    Body(#[from] postcard::Error),
    /// The body has not the parts that its manifest lists.
    #[error("its parts are not those that it lists: the file is damaged")]
    Parts,
    /// An hour holds panes of another, or parts that are larger than the whole.
    #[error(
        "its hour {hour} since 1970 holds no panes, those of another hour, or counts that cannot be: the file is damaged"
    )]
    Hour {
        /// The hour.
        hour: i64,
    },
    /// Something in it no daemon can have written.
    #[error("{0} in it cannot be: it is damaged, or was not written by latido")]
    Unsound(String),
    /// More than the format has room for.
    #[error("its manifest has {0} bytes, more than 4 GiB")]
    ManifestTooLarge(usize),
}

/// All of a snapshot but its hours. `D` is what the version knows of the detector, `A` of an alert, `O` of the events that wait.
#[derive(Serialize, Deserialize)]
pub(super) struct Manifest<'a, D: Clone, A: Clone, O> {
    pub(super) taken: EventTime,
    pub(super) stream_time: Option<EventTime>,
    pub(super) window_end: Option<EventTime>,
    pub(super) kept_from: Option<EventTime>,
    pub(super) partitions: Cow<'a, [PartitionPosition]>,
    /// Each hour since the epoch with the length of its part in bytes, in the order of the parts.
    pub(super) hours: Vec<(i64, u64)>,
    pub(super) detector: Cow<'a, D>,
    pub(super) alerts: Cow<'a, [A]>,
    pub(super) outbox: O,
}

pub(super) type ManifestNow<'a> = Manifest<'a, DetectorState, Alert, Cow<'a, Outbox>>;
pub(super) type ManifestV3<'a> = Manifest<'a, DetectorStateV3, AlertV3, ()>;

impl From<ManifestV3<'static>> for ManifestNow<'static> {
    fn from(old: ManifestV3<'static>) -> Self {
        Self {
            taken: old.taken,
            stream_time: old.stream_time,
            window_end: old.window_end,
            kept_from: old.kept_from,
            partitions: old.partitions,
            hours: old.hours,
            detector: Cow::Owned(old.detector.into_owned().into()),
            alerts: Cow::Owned(legacy::alerts(old.alerts.into_owned())),
            outbox: Cow::default(),
        }
    }
}

/// Turns snapshots into bytes, and remembers of the last one what the next may have in common with it.
#[derive(Debug, Default)]
pub struct Encoder {
    cache: Cache,
}

impl Encoder {
    /// The snapshot as bytes.
    ///
    /// # Errors
    /// If it cannot be encoded or compressed.
    pub fn encode(&mut self, snapshot: &Snapshot) -> Result<Vec<u8>, FormatError> {
        let hours = self.cache.encode(snapshot)?;
        let manifest = pack(&ManifestNow {
            taken: snapshot.taken,
            stream_time: snapshot.stream_time,
            window_end: snapshot.window_end,
            kept_from: snapshot.kept_from,
            partitions: Cow::Borrowed(&snapshot.partitions),
            hours: hours.iter().map(|(hour, bytes)| (*hour, bytes.len() as u64)).collect(),
            detector: Cow::Borrowed(&snapshot.detector),
            alerts: Cow::Borrowed(&snapshot.alerts),
            outbox: Cow::Borrowed(&snapshot.outbox),
        })?;
        let mut body = Vec::new();
        let length = u32::try_from(manifest.len()).map_err(|_| FormatError::ManifestTooLarge(manifest.len()))?;
        body.extend_from_slice(&length.to_le_bytes());
        body.extend_from_slice(&manifest);
        hours.iter().for_each(|(_, bytes)| body.extend_from_slice(bytes));
        Ok(FRAME.close(&body))
    }
}

/// The snapshot as bytes; whoever encodes one after another has an [`Encoder`].
///
/// # Errors
/// If it cannot be encoded or compressed.
pub fn encode(snapshot: &Snapshot) -> Result<Vec<u8>, FormatError> {
    Encoder::default().encode(snapshot)
}

/// Encodes and compresses a part.
///
/// # Errors
/// If that fails.
pub(super) fn pack(part: &impl Serialize) -> Result<Vec<u8>, FormatError> {
    Ok(zstd::bulk::compress(&postcard::to_stdvec(part)?, COMPRESSION_LEVEL)?)
}

/// The part in those bytes.
///
/// # Errors
/// If they are none.
pub(super) fn unpack<Part: DeserializeOwned>(bytes: &[u8]) -> Result<Part, FormatError> {
    let plain = zstd::bulk::decompress(bytes, unpacked_size(bytes))?;
    Ok(postcard::from_bytes(&plain)?)
}

/// The snapshot in those bytes.
///
/// # Errors
/// If the bytes are of another kind or version, cut short or damaged.
pub fn decode(bytes: &[u8]) -> Result<Snapshot, FormatError> {
    let (version, body) = FRAME.open(bytes)?;
    let snapshot: Snapshot = match version {
        1 => hours::sound(SnapshotV2::from(unpack::<SnapshotV1>(body)?).into())?,
        2 => hours::sound(unpack::<SnapshotV2>(body)?.into())?,
        3 => decode_body(body, PanesAre::OfVersion3, |manifest| Ok(unpack::<ManifestV3<'static>>(manifest)?.into()))?,
        _ => decode_body(body, PanesAre::OfNow, unpack)?,
    };
    let moments = [Some(snapshot.taken), snapshot.stream_time, snapshot.window_end, snapshot.kept_from];
    sound::moments(&moments, &snapshot.partitions)?;
    sound::detected(&snapshot.detector, &snapshot.alerts, &snapshot.outbox)?;
    Ok(snapshot)
}

/// The snapshot in a body of this version, or of one that differs in its manifest and its panes alone.
fn decode_body(
    body: &[u8],
    panes: PanesAre,
    manifest_of: impl Fn(&[u8]) -> Result<ManifestNow<'static>, FormatError>,
) -> Result<Snapshot, FormatError> {
    let (length, rest) = body.split_first_chunk().ok_or(FormatError::Parts)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let (manifest, mut rest) = rest.split_at_checked(length).ok_or(FormatError::Parts)?;
    let manifest = manifest_of(manifest)?;
    let mut saved = Vec::with_capacity(manifest.hours.len());
    for (hour, length) in manifest.hours {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (bytes, behind) = rest.split_at_checked(length).ok_or(FormatError::Parts)?;
        saved.push(hours::decode(hour, bytes, panes)?);
        rest = behind;
    }
    if !rest.is_empty() {
        return Err(FormatError::Parts);
    }
    Ok(Snapshot {
        taken: manifest.taken,
        stream_time: manifest.stream_time,
        window_end: manifest.window_end,
        kept_from: manifest.kept_from,
        partitions: manifest.partitions.into_owned(),
        hours: saved,
        shards: Vec::new(),
        is_whole: true,
        detector: manifest.detector.into_owned(),
        alerts: manifest.alerts.into_owned(),
        outbox: manifest.outbox.into_owned(),
    })
}

/// Size of a part unpacked, as zstd's frame header states it.
fn unpacked_size(part: &[u8]) -> usize {
    let stated = zstd::zstd_safe::get_frame_content_size(part).ok().flatten().unwrap_or(0);
    usize::try_from(stated).unwrap_or(LARGEST_UNPACKED).min(LARGEST_UNPACKED)
}
