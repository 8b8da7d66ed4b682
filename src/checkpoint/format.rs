//! A checkpoint as bytes: magic, version, length, checksum, and a body of packed parts.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | `LATIDOCP` |
//! | 8..12 | version of the format, little endian |
//! | 12..20 | length of the body in bytes, little endian |
//! | 20..24 | CRC-32 of the body, little endian |
//! | 24.. | the body |
//!
//! The body of version 3: the length of the packed manifest in bytes (4, little endian), the manifest, then the hours that it
//! lists, each packed on its own, so that an hour in which nothing was counted any more is packed once. *Packed* is
//! postcard compressed with zstd. Versions 1 and 2 had one packed snapshot there.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::hours::{self, Cache};
use super::v1::SnapshotV1;
use super::v2::SnapshotV2;
use super::{PartitionPosition, Snapshot};
use crate::detect::{Alert, DetectorState};
use crate::message::EventTime;

/// The version this build writes.
pub const FORMAT_VERSION: u32 = 3;
/// The oldest version this build reads.
const OLDEST_VERSION: u32 = 1;

const MAGIC: &[u8; 8] = b"LATIDOCP";
const HEADER: usize = 24;
/// Fast, and a third of the size.
const COMPRESSION_LEVEL: i32 = 1;
/// No checkpoint of a config within its limits is larger unpacked; a forged one must not eat the memory.
const LARGEST_UNPACKED: usize = 4 << 30;

/// Why bytes are not a checkpoint of ours.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// Another kind of file.
    #[error("it does not begin with LATIDOCP: it is not a checkpoint of latido")]
    Foreign,
    /// Written by another version.
    #[error(
        "its format is version {found}, and this latido reads versions {OLDEST_VERSION} to {FORMAT_VERSION}: \
         run the latido that wrote it"
    )]
    Version {
        /// The version found.
        found: u32,
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
    /// An hour holds panes of another.
    #[error("its hour {hour} since 1970 holds no panes or those of another hour: the file is damaged")]
    Hour {
        /// The hour.
        hour: i64,
    },
    /// More than the format has room for.
    #[error("its manifest has {0} bytes, more than 4 GiB")]
    ManifestTooLarge(usize),
}

/// All of a snapshot but its hours.
#[derive(Serialize, Deserialize)]
struct Manifest<'a> {
    taken: EventTime,
    stream_time: Option<EventTime>,
    window_end: Option<EventTime>,
    kept_from: Option<EventTime>,
    partitions: Cow<'a, [PartitionPosition]>,
    /// Each hour since the epoch with the length of its part in bytes, in the order of the parts.
    hours: Vec<(i64, u64)>,
    detector: Cow<'a, DetectorState>,
    alerts: Cow<'a, [Alert]>,
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
        let manifest = pack(&Manifest {
            taken: snapshot.taken,
            stream_time: snapshot.stream_time,
            window_end: snapshot.window_end,
            kept_from: snapshot.kept_from,
            partitions: Cow::Borrowed(&snapshot.partitions),
            hours: hours.iter().map(|(hour, bytes)| (*hour, bytes.len() as u64)).collect(),
            detector: Cow::Borrowed(&snapshot.detector),
            alerts: Cow::Borrowed(&snapshot.alerts),
        })?;
        let mut body = Vec::new();
        let length = u32::try_from(manifest.len()).map_err(|_| FormatError::ManifestTooLarge(manifest.len()))?;
        body.extend_from_slice(&length.to_le_bytes());
        body.extend_from_slice(&manifest);
        hours.iter().for_each(|(_, bytes)| body.extend_from_slice(bytes));
        Ok(frame(&body))
    }
}

/// The snapshot as bytes; whoever encodes one after another has an [`Encoder`].
///
/// # Errors
/// If it cannot be encoded or compressed.
pub fn encode(snapshot: &Snapshot) -> Result<Vec<u8>, FormatError> {
    Encoder::default().encode(snapshot)
}

/// Puts the header before a body.
fn frame(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + body.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(body).to_le_bytes());
    bytes.extend_from_slice(body);
    bytes
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
    if !bytes.starts_with(MAGIC) {
        return Err(FormatError::Foreign);
    }
    let header = bytes.get(..HEADER).ok_or(FormatError::Truncated { found: bytes.len(), expected: HEADER })?;
    let version = u32_at(header, 8);
    if !(OLDEST_VERSION..=FORMAT_VERSION).contains(&version) {
        return Err(FormatError::Version { found: version });
    }
    let length =
        usize::try_from(u64::from(u32_at(header, 12)) | u64::from(u32_at(header, 16)) << 32).unwrap_or(usize::MAX);
    let body = &bytes[HEADER..];
    if body.len() < length {
        return Err(FormatError::Truncated { found: bytes.len(), expected: length.saturating_add(HEADER) });
    }
    if body.len() > length {
        return Err(FormatError::Surplus { found: bytes.len(), expected: length + HEADER });
    }
    let (found, expected) = (crc32fast::hash(body), u32_at(header, 20));
    if found != expected {
        return Err(FormatError::Checksum { found, expected });
    }
    match version {
        1 => Ok(SnapshotV2::from(unpack::<SnapshotV1>(body)?).into()),
        2 => Ok(unpack::<SnapshotV2>(body)?.into()),
        _ => decode_body(body),
    }
}

/// The snapshot in a body of this version.
fn decode_body(body: &[u8]) -> Result<Snapshot, FormatError> {
    let (length, rest) = body.split_first_chunk().ok_or(FormatError::Parts)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let (manifest, mut rest) = rest.split_at_checked(length).ok_or(FormatError::Parts)?;
    let manifest: Manifest<'static> = unpack(manifest)?;
    let mut saved = Vec::with_capacity(manifest.hours.len());
    for (hour, length) in manifest.hours {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (bytes, behind) = rest.split_at_checked(length).ok_or(FormatError::Parts)?;
        saved.push(hours::decode(hour, bytes)?);
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
        detector: manifest.detector.into_owned(),
        alerts: manifest.alerts.into_owned(),
    })
}

/// Size of a part unpacked, as zstd's frame header states it.
fn unpacked_size(part: &[u8]) -> usize {
    let stated = zstd::zstd_safe::get_frame_content_size(part).ok().flatten().unwrap_or(0);
    usize::try_from(stated).unwrap_or(LARGEST_UNPACKED).min(LARGEST_UNPACKED)
}

/// The little-endian number at a place of the header.
fn u32_at(header: &[u8], place: usize) -> u32 {
    u32::from_le_bytes([header[place], header[place + 1], header[place + 2], header[place + 3]])
}
