//! The frame around what is saved: what it is, in which version, how long, and whether it is whole.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | what it is: `LATIDOCP` for a checkpoint in a directory, `LATIDOST` for a part of one in a topic |
//! | 8..12 | version of the format, little endian |
//! | 12..20 | length of the body in bytes, little endian |
//! | 20..24 | CRC-32 of the body, little endian |
//! | 24.. | the body |

use super::FormatError;

const HEADER: usize = 24;

/// A kind of frame.
pub(super) struct Frame {
    pub(super) magic: &'static [u8; 8],
    /// The oldest version that this build reads.
    pub(super) oldest: u32,
    /// The version that this build writes.
    pub(super) newest: u32,
}

impl Frame {
    /// Puts the header of the newest version before a body.
    pub(super) fn close(&self, body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + body.len());
        bytes.extend_from_slice(self.magic);
        bytes.extend_from_slice(&self.newest.to_le_bytes());
        bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&crc32fast::hash(body).to_le_bytes());
        bytes.extend_from_slice(body);
        bytes
    }

    /// The version and the body.
    ///
    /// # Errors
    /// If the bytes are of another kind or version, cut short or damaged.
    pub(super) fn open<'a>(&self, bytes: &'a [u8]) -> Result<(u32, &'a [u8]), FormatError> {
        if !bytes.starts_with(self.magic) {
            return Err(FormatError::Foreign { expected: String::from_utf8_lossy(self.magic).into_owned() });
        }
        let header = bytes.get(..HEADER).ok_or(FormatError::Truncated { found: bytes.len(), expected: HEADER })?;
        let version = u32_at(header, 8);
        if !(self.oldest..=self.newest).contains(&version) {
            return Err(FormatError::Version { found: version, oldest: self.oldest, newest: self.newest });
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
        Ok((version, body))
    }
}

/// The little-endian number at a place of the header.
fn u32_at(header: &[u8], place: usize) -> u32 {
    u32::from_le_bytes([header[place], header[place + 1], header[place + 2], header[place + 3]])
}
