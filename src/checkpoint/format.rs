//! A checkpoint as bytes: magic, version, length, checksum, compressed body.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | `LATIDOCP` |
//! | 8..12 | version of the format, little endian |
//! | 12..20 | length of the body in bytes, little endian |
//! | 20..24 | CRC-32 of the body, little endian |
//! | 24.. | the body: the snapshot in postcard, compressed with zstd |

use super::Snapshot;
use super::v1::SnapshotV1;

/// The version this build writes.
pub const FORMAT_VERSION: u32 = 2;

/// The oldest version this build reads.
const OLDEST_VERSION: u32 = 1;

const MAGIC: &[u8; 8] = b"LATIDOCP";
const HEADER: usize = 24;
/// Fast, and a third of the size; the fold waits for the encoding.
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
}

/// The snapshot as bytes.
///
/// # Errors
/// If the body cannot be encoded or compressed.
pub fn encode(snapshot: &Snapshot) -> Result<Vec<u8>, FormatError> {
    let plain = postcard::to_stdvec(snapshot)?;
    let body = zstd::bulk::compress(&plain, COMPRESSION_LEVEL)?;
    let mut bytes = Vec::with_capacity(HEADER + body.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    bytes.extend_from_slice(&body);
    Ok(bytes)
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
    let plain = zstd::bulk::decompress(body, unpacked_size(body))?;
    if version == 1 {
        return Ok(postcard::from_bytes::<SnapshotV1>(&plain)?.into());
    }
    Ok(postcard::from_bytes(&plain)?)
}

/// Size of the body unpacked, as zstd's frame header states it.
fn unpacked_size(body: &[u8]) -> usize {
    let stated = zstd::zstd_safe::get_frame_content_size(body).ok().flatten().unwrap_or(0);
    usize::try_from(stated).unwrap_or(LARGEST_UNPACKED).min(LARGEST_UNPACKED)
}

/// The little-endian number at a place of the header.
fn u32_at(header: &[u8], place: usize) -> u32 {
    u32::from_le_bytes([header[place], header[place + 1], header[place + 2], header[place + 3]])
}
