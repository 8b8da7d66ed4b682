//! The embedded scorer's model file: one interleaved table of 8-bit weights, so that one look-up serves every head.
//!
//! Layout, integers little-endian: magic (8 bytes), format version (u32), header length (u32), packed table length
//! (u32), header (JSON), table (zstd; `2^bits` rows of 8 signed bytes), CRC-32 of all that stands before it (u32).

use std::path::Path;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

/// First bytes of every model file.
const MAGIC: &[u8; 8] = b"LATIDO\x01M";
/// Version of the layout, the features and their hashes.
const VERSION: u32 = 1;
const PREAMBLE: usize = 8 + 4 + 4 + 4;
const CHECKSUM: usize = 4;
/// Tables of 2 to these powers are accepted.
const BITS: std::ops::RangeInclusive<u32> = 8..=22;

/// Numbers in a row of the table.
pub(crate) const CHANNELS: usize = 8;
/// Channels of negative, neutral, positive.
pub(crate) const SENTIMENT: usize = 0;
/// Channel of frustration.
pub(crate) const FRUSTRATION: usize = 3;
/// Channels of Spanish, English, Portuguese; other languages are the reference class.
pub(crate) const LANGUAGE: usize = 4;
/// Channel of the squared inverse document frequency, by which a text's features are brought to length 1.
pub(crate) const RARITY: usize = 7;

/// One row: what a feature says to each head.
pub(crate) type Row = [i8; CHANNELS];

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file cannot be read.
    #[error("cannot read model file {path}: {source}; check that it exists and may be read")]
    Unreadable {
        /// Which file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not a model of ours.
    #[error(
        "{path} is not a Latido model file (it does not start with its mark); name a file that `latido train` made"
    )]
    Foreign {
        /// Which file.
        path: String,
    },
    /// The file comes from another release.
    #[error(
        "{path} has model format {found}, this release reads {VERSION}; train it again with this release, or use the release that made it"
    )]
    Version {
        /// Which file.
        path: String,
        /// The version in the file.
        found: u32,
    },
    /// The file is shorter or longer than it says.
    #[error(
        "{path} holds {found} bytes where its header says {expected}: it was cut off or appended to; copy it again"
    )]
    Length {
        /// Which file.
        path: String,
        /// Bytes expected.
        expected: u64,
        /// Bytes found.
        found: u64,
    },
    /// The bytes have changed.
    #[error("{path} is damaged: checksum {found:08x}, expected {expected:08x}; copy it again or train it again")]
    Checksum {
        /// Which file.
        path: String,
        /// Checksum in the file.
        expected: u32,
        /// Checksum of the bytes.
        found: u32,
    },
    /// The bytes are as written, but make no sense.
    #[error("{path} cannot be used as a model: {reason}; train it again")]
    Content {
        /// Which file.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

/// How the frustration head's logit is made: of its own margin and of the log odds of negative.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrustrationBlend {
    /// Factor of the head's margin.
    pub margin: f32,
    /// Factor of the log odds of negative.
    pub negative: f32,
    /// Added to both.
    pub offset: f32,
}

/// What stands beside the table in a model file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The table has 2 to this power rows.
    pub bits: u32,
    /// What one unit of each channel is worth.
    pub scales: [f32; CHANNELS],
    /// Bias of the seven heads' classes, in the order of the channels.
    pub biases: [f32; RARITY],
    /// Added to the three sentiments and frustration, by language (es, en, pt, other).
    pub language_biases: [[f32; 4]; 4],
    /// Divides the sentiment logits.
    pub sentiment_temperature: f32,
    /// Makes the frustration logit.
    pub frustration: FrustrationBlend,
    /// What a text without a known feature gets: negative, neutral, positive, frustration.
    pub prior: [f32; 4],
    /// Where it comes from, for people: seed, rows of each set.
    pub provenance: Provenance,
}

/// Where a model comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Seed of the training.
    pub seed: u64,
    /// Passes over the data.
    pub epochs: u32,
    /// Rows of each set.
    pub sets: std::collections::BTreeMap<String, usize>,
}

/// A trained model; shared by all scorers of a process.
#[derive(Debug, PartialEq)]
pub struct EmbeddedModel {
    pub(crate) header: Header,
    pub(crate) rows: Vec<Row>,
}

impl EmbeddedModel {
    /// The model that is part of the binary. It is unpacked once.
    ///
    /// # Errors
    /// If the binary itself is damaged.
    pub fn builtin() -> Result<Arc<Self>, ModelError> {
        static BUILTIN: OnceLock<Arc<EmbeddedModel>> = OnceLock::new();
        if let Some(model) = BUILTIN.get() {
            return Ok(Arc::clone(model));
        }
        let bytes = include_bytes!("../../models/embedded.latido");
        let model = Arc::new(Self::from_bytes(bytes, "the built-in model")?);
        Ok(Arc::clone(BUILTIN.get_or_init(|| model)))
    }

    /// The model in a file.
    ///
    /// # Errors
    /// If the file cannot be read, is none of ours, of another version, cut off, or damaged.
    pub fn load(path: &Path) -> Result<Arc<Self>, ModelError> {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|source| ModelError::Unreadable { path: name.clone(), source })?;
        Self::from_bytes(&bytes, &name).map(Arc::new)
    }

    /// The model in these bytes; `path` names them in errors.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub fn from_bytes(bytes: &[u8], path: &str) -> Result<Self, ModelError> {
        let path = || path.to_owned();
        let sections = Sections::split(bytes, &path)?;
        let content = |reason: String| ModelError::Content { path: path(), reason };
        let header: Header = serde_json::from_slice(sections.header).map_err(|error| content(error.to_string()))?;
        header.validate().map_err(content)?;
        let rows = unpack(sections.table, header.bits).map_err(content)?;
        Ok(Self { header, rows })
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// If the table cannot be packed.
    pub fn to_bytes(&self) -> std::io::Result<Vec<u8>> {
        let header = serde_json::to_vec(&self.header)?;
        let flat: Vec<u8> = self.rows.iter().flatten().map(|weight| weight.cast_unsigned()).collect();
        let table = zstd::bulk::compress(&flat, 19)?;
        let mut bytes = Vec::with_capacity(PREAMBLE + header.len() + table.len() + CHECKSUM);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        for section in [&header, &table] {
            let length = u32::try_from(section.len()).map_err(std::io::Error::other)?;
            bytes.extend_from_slice(&length.to_le_bytes());
        }
        bytes.extend_from_slice(&header);
        bytes.extend_from_slice(&table);
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        Ok(bytes)
    }

    /// Where the model comes from.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.header.provenance
    }
}

impl Header {
    fn validate(&self) -> Result<(), String> {
        if !BITS.contains(&self.bits) {
            return Err(format!("a table of 2^{} rows is outside 2^{} to 2^{}", self.bits, BITS.start(), BITS.end()));
        }
        let numbers = self.scales.iter().chain(&self.biases).chain(self.language_biases.iter().flatten());
        if !numbers.chain(&self.prior).all(|number| number.is_finite()) {
            return Err("a number of its header is not finite".to_owned());
        }
        if !(self.sentiment_temperature.is_finite() && self.sentiment_temperature > 0.0) {
            return Err(format!("its temperature is {}, expected more than 0", self.sentiment_temperature));
        }
        Ok(())
    }
}

struct Sections<'a> {
    header: &'a [u8],
    table: &'a [u8],
}

impl<'a> Sections<'a> {
    fn split(bytes: &'a [u8], path: &dyn Fn() -> String) -> Result<Self, ModelError> {
        let magic_here = bytes.len().min(MAGIC.len());
        if bytes.is_empty() || bytes[..magic_here] != MAGIC[..magic_here] {
            return Err(ModelError::Foreign { path: path() });
        }
        let found = bytes.len() as u64;
        if bytes.len() < PREAMBLE {
            return Err(ModelError::Length { path: path(), expected: (PREAMBLE + CHECKSUM) as u64, found });
        }
        let version = number_at(bytes, 8);
        if version != VERSION {
            return Err(ModelError::Version { path: path(), found: version });
        }
        let header_len = number_at(bytes, 12) as usize;
        let table_len = number_at(bytes, 16) as usize;
        let expected = PREAMBLE as u64 + header_len as u64 + table_len as u64 + CHECKSUM as u64;
        if found != expected {
            return Err(ModelError::Length { path: path(), expected, found });
        }
        let end = bytes.len() - CHECKSUM;
        let (expected, actual) = (number_at(bytes, end), crc32fast::hash(&bytes[..end]));
        if expected != actual {
            return Err(ModelError::Checksum { path: path(), expected, found: actual });
        }
        Ok(Self { header: &bytes[PREAMBLE..PREAMBLE + header_len], table: &bytes[PREAMBLE + header_len..end] })
    }
}

fn number_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn unpack(packed: &[u8], bits: u32) -> Result<Vec<Row>, String> {
    let expected = CHANNELS << bits;
    let flat =
        zstd::bulk::decompress(packed, expected).map_err(|error| format!("its table does not unpack: {error}"))?;
    if flat.len() != expected {
        return Err(format!("its table holds {} bytes, expected {expected}", flat.len()));
    }
    let (rows, _) = flat.as_chunks::<CHANNELS>();
    Ok(rows.iter().map(|row| row.map(u8::cast_signed)).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn tiny() -> EmbeddedModel {
        let header = Header {
            bits: 8,
            scales: [0.5; CHANNELS],
            biases: [0.0; RARITY],
            language_biases: [[0.0; 4]; 4],
            sentiment_temperature: 1.0,
            frustration: FrustrationBlend { margin: 1.0, negative: 0.5, offset: 0.0 },
            prior: [0.1, 0.8, 0.1, 0.1],
            provenance: Provenance::default(),
        };
        let rows = (0..=255_u8).map(|at| [at.cast_signed(); CHANNELS]).collect();
        EmbeddedModel { header, rows }
    }

    fn refused(bytes: &[u8]) -> String {
        let message = EmbeddedModel::from_bytes(bytes, "ours.latido").unwrap_err().to_string();
        assert!(message.contains("ours.latido"), "the file is named: {message}");
        message
    }

    /// Sets the checksum right again, as a file would have it that was written so.
    fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
        let end = bytes.len() - CHECKSUM;
        let checksum = crc32fast::hash(&bytes[..end]).to_le_bytes();
        bytes[end..].copy_from_slice(&checksum);
        bytes
    }

    #[test]
    fn what_is_written_is_read_back() {
        let model = tiny();
        assert_eq!(EmbeddedModel::from_bytes(&model.to_bytes().unwrap(), "ours.latido").unwrap(), model);
    }

    #[test]
    fn the_built_in_model_is_whole_and_small() {
        let bytes = include_bytes!("../../models/embedded.latido");
        assert!(bytes.len() < 5 << 20);
        assert!(!EmbeddedModel::builtin().unwrap().provenance().sets.is_empty());
    }

    #[test]
    fn a_foreign_or_empty_file_is_told_apart() {
        assert!(refused(b"\x7fELF and more").contains("not a Latido model"));
        assert!(refused(b"").contains("not a Latido model"));
    }

    #[test]
    fn a_newer_version_is_named_with_the_one_expected() {
        let mut bytes = tiny().to_bytes().unwrap();
        bytes[8..12].copy_from_slice(&9_u32.to_le_bytes());
        let message = refused(&bytes);
        assert!(message.contains("format 9") && message.contains("reads 1"), "{message}");
    }

    #[test]
    fn a_file_cut_anywhere_is_refused() {
        let bytes = tiny().to_bytes().unwrap();
        for end in 0..bytes.len() {
            refused(&bytes[..end]);
        }
        assert!(refused(&bytes[..bytes.len() - 1]).contains("cut off"));
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed() {
        let bytes = tiny().to_bytes().unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            refused(&damaged);
        }
    }

    #[test]
    fn a_sealed_file_with_a_senseless_header_is_refused() {
        let mut model = tiny();
        model.header.bits = 30;
        assert!(refused(&model.to_bytes().unwrap()).contains("2^30"));
        let mut model = tiny();
        model.header.bits = 9;
        assert!(refused(&model.to_bytes().unwrap()).contains("expected 4096"));
        let mut bytes = tiny().to_bytes().unwrap();
        bytes[PREAMBLE] = b'x';
        assert!(refused(&resealed(bytes)).contains("cannot be used"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let message = EmbeddedModel::load(Path::new("/nowhere/ours.latido")).unwrap_err().to_string();
        assert!(message.contains("/nowhere/ours.latido"), "{message}");
    }
}
