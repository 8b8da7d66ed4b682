//! The bytes of a model file. Integers little-endian: magic (8 bytes), format version (u32), lengths of the next three (u32
//! each), header (JSON), table (zstd; `2^bits` rows of 32 signed bytes), hidden units (f32), CRC-32 of all before it (u32).

use super::error::ModelError;
use super::layout::CHANNELS;
use super::table::Table;

/// First bytes of every model file.
const MAGIC: &[u8; 8] = b"LATIDO\x01M";
/// Version of the layout, the features and their hashes.
pub(super) const VERSION: u32 = 2;
/// How many sections follow the preamble.
const SECTIONS: usize = 3;
pub(super) const PREAMBLE: usize = 8 + 4 + 4 * SECTIONS;
pub(super) const CHECKSUM: usize = 4;

/// The three sections, as they are stored.
#[derive(Debug)]
pub(super) struct Sections<'a> {
    pub(super) header: &'a [u8],
    pub(super) table: &'a [u8],
    pub(super) dense: &'a [u8],
}

impl<'a> Sections<'a> {
    /// The sections of a whole, unharmed file of this version.
    pub(super) fn split(bytes: &'a [u8], path: &dyn Fn() -> String) -> Result<Self, ModelError> {
        let magic_here = bytes.len().min(MAGIC.len());
        if bytes.is_empty() || bytes[..magic_here] != MAGIC[..magic_here] {
            return Err(ModelError::Foreign { path: path() });
        }
        let found = bytes.len() as u64;
        if bytes.len() < MAGIC.len() + 4 {
            return Err(ModelError::Length { path: path(), expected: (PREAMBLE + CHECKSUM) as u64, found });
        }
        let version = number_at(bytes, 8);
        if version != VERSION {
            return Err(ModelError::Version { path: path(), found: version });
        }
        if bytes.len() < PREAMBLE {
            return Err(ModelError::Length { path: path(), expected: (PREAMBLE + CHECKSUM) as u64, found });
        }
        let lengths: [usize; SECTIONS] = std::array::from_fn(|section| number_at(bytes, 12 + 4 * section) as usize);
        let content: u64 = lengths.iter().map(|&length| length as u64).sum();
        let expected = PREAMBLE as u64 + content + CHECKSUM as u64;
        if found != expected {
            return Err(ModelError::Length { path: path(), expected, found });
        }
        let end = bytes.len() - CHECKSUM;
        let (expected, actual) = (number_at(bytes, end), crc32fast::hash(&bytes[..end]));
        if expected != actual {
            return Err(ModelError::Checksum { path: path(), expected, found: actual });
        }
        let (header, rest) = bytes[PREAMBLE..end].split_at(lengths[0]);
        let (table, dense) = rest.split_at(lengths[1]);
        Ok(Self { header, table, dense })
    }

    /// The file of these sections.
    pub(super) fn join(&self) -> std::io::Result<Vec<u8>> {
        let sections = [self.header, self.table, self.dense];
        let content: usize = sections.iter().map(|section| section.len()).sum();
        let mut bytes = Vec::with_capacity(PREAMBLE + content + CHECKSUM);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        for section in sections {
            let length = u32::try_from(section.len()).map_err(std::io::Error::other)?;
            bytes.extend_from_slice(&length.to_le_bytes());
        }
        sections.iter().for_each(|section| bytes.extend_from_slice(section));
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        Ok(bytes)
    }
}

fn number_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The table, packed.
pub(super) fn pack(table: &Table) -> std::io::Result<Vec<u8>> {
    let flat: Vec<u8> = table.iter().flatten().map(|weight| weight.cast_unsigned()).collect();
    zstd::bulk::compress(&flat, 19)
}

/// The table of `2^bits` rows.
pub(super) fn unpack(packed: &[u8], bits: u32) -> Result<Table, String> {
    let expected = CHANNELS << bits;
    let flat =
        zstd::bulk::decompress(packed, expected).map_err(|error| format!("its table does not unpack: {error}"))?;
    if flat.len() != expected {
        return Err(format!("its table holds {} bytes, expected {expected}", flat.len()));
    }
    let (rows, _) = flat.as_chunks::<CHANNELS>();
    Ok(Table::new(rows.iter().map(|row| row.map(u8::cast_signed))))
}
