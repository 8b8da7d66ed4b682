//! The embedded scorer's model: one interleaved table of 8-bit weights, so that one look-up serves every head, and a small
//! feed-forward part behind the sums.

mod blocks;
mod calibration;
mod dense;
mod error;
mod file;
pub(crate) mod layout;
pub(crate) mod linear;
mod table;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

pub(crate) use blocks::Blocks;
pub use calibration::{Calibration, FrustrationCalibration, OpenAnger, SentimentCalibration};
pub(crate) use dense::{Dense, MAX_HIDDEN};
pub use error::ModelError;

use super::shares::Shares;
use crate::message::ModelId;
use crate::score::SCORING_VERSION;
use file::Sections;
use layout::{CHANNELS, OUTPUTS, Outputs, Pooled, RARITY};
pub(crate) use table::{Place, Table};

/// Tables of 2 to these powers are accepted.
const BITS: std::ops::RangeInclusive<u32> = 8..=22;

/// No number of a model is larger, and none that divides smaller than 1 of it: so that no text's outputs can overflow.
const LARGEST: f32 = 1e4;

/// A longer file is no model: its table is packed.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// Whether a number is small enough to reckon with; not-a-number is not.
fn is_moderate(number: f32) -> bool {
    number.abs() <= LARGEST
}

/// Whether a number is also large enough to divide by.
fn is_divisor(number: f32) -> bool {
    (1.0 / LARGEST..=LARGEST).contains(&number)
}

/// What stands beside the weights in a model file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The table has 2 to this power rows.
    pub bits: u32,
    /// Hidden units.
    pub hidden: usize,
    /// What one unit of each channel is worth.
    pub scales: [f32; CHANNELS],
    /// Biases of the outputs.
    pub biases: [f32; OUTPUTS],
    /// From outputs to probabilities.
    pub calibration: Calibration,
    /// What a text gets that says nothing known: negative, neutral, positive, frustration.
    pub prior: [f32; 4],
    /// What the shares of a window are estimated with; a file without it gives no estimates.
    #[serde(default, skip_serializing_if = "Shares::is_empty")]
    pub shares: Shares,
    /// Where it comes from, for people: seed, rows of each set.
    pub provenance: Provenance,
}

/// Where a model comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// What made it.
    #[serde(flatten)]
    pub first: Training,
    /// What it was adapted with since, oldest first; the same rows twice are there twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adapted: Vec<Training>,
}

/// One training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Seed of the training.
    pub seed: u64,
    /// Passes over the data.
    pub epochs: u32,
    /// Rows of each set.
    pub sets: BTreeMap<String, usize>,
    /// Rows of each set that calibration was fitted on; none where it was fitted on rows kept aside from the training.
    #[serde(default)]
    pub calibrated_on: BTreeMap<String, usize>,
}

impl Training {
    /// Rows that it was shown, in all.
    pub(crate) fn rows(&self) -> usize {
        self.sets.values().sum()
    }
}

impl Provenance {
    /// Rows that the model was shown in all trainings.
    pub(crate) fn rows(&self) -> usize {
        self.first.rows() + self.adapted.iter().map(Training::rows).sum::<usize>()
    }
}

/// A trained model; shared by all scorers of a process.
#[derive(Debug, PartialEq)]
pub struct EmbeddedModel {
    pub(crate) id: ModelId,
    pub(crate) header: Header,
    pub(crate) table: Table,
    pub(crate) dense: Dense,
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
        let bytes = include_bytes!("../../../models/embedded.latido");
        let model = Arc::new(Self::from_bytes(bytes, "the built-in model")?);
        Ok(Arc::clone(BUILTIN.get_or_init(|| model)))
    }

    /// The model in a file.
    ///
    /// # Errors
    /// If the file cannot be read, is none of ours, of another version, cut off, or damaged.
    pub fn load(path: &Path) -> Result<Arc<Self>, ModelError> {
        let name = path.display().to_string();
        let bytes = read(path).map_err(|source| ModelError::Unreadable { path: name.clone(), source })?;
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
        let table = file::unpack(sections.table, header.bits).map_err(content)?;
        let dense = Dense::from_bytes(sections.dense, header.hidden).map_err(content)?;
        Ok(Self { id: id_of(bytes), header, table, dense })
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// If the table cannot be packed.
    pub fn to_bytes(&self) -> std::io::Result<Vec<u8>> {
        let header = serde_json::to_vec(&self.header)?;
        let table = file::pack(&self.table)?;
        Sections { header: &header, table: &table, dense: &self.dense.to_bytes() }.join()
    }

    /// What the model says of a text's sums, before calibration.
    pub(crate) fn outputs(&self, pooled: &Pooled) -> Outputs {
        self.dense.outputs(self.header.biases, pooled, &mut |_, _| {})
    }

    /// How far a hash is shifted to give its row.
    pub(crate) fn shift(&self) -> u32 {
        u64::BITS - self.header.bits
    }

    /// What the shares of a window are estimated with.
    #[must_use]
    pub fn shares(&self) -> &Shares {
        &self.header.shares
    }

    /// What it is called in what is counted.
    #[must_use]
    pub fn id(&self) -> ModelId {
        self.id
    }

    /// Where the model comes from.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.header.provenance
    }
}

/// Of the checksum that a sound file ends with, and of the scoring that makes scores of it; never that of none.
fn id_of(bytes: &[u8]) -> ModelId {
    let checksum = bytes.last_chunk::<4>().copied().unwrap_or_default();
    let mut id = crc32fast::Hasher::new();
    id.update(&checksum);
    id.update(&SCORING_VERSION.to_le_bytes());
    ModelId(id.finalize().max(1))
}

/// The bytes of a file, as far as a model could go: some files have no end.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Header {
    fn validate(&self) -> Result<(), String> {
        if !BITS.contains(&self.bits) {
            return Err(format!("a table of 2^{} rows is outside 2^{} to 2^{}", self.bits, BITS.start(), BITS.end()));
        }
        let mut numbers = self.scales.iter().chain(&self.biases);
        if let Some(number) = numbers.find(|number| !is_moderate(**number)) {
            return Err(format!("its header holds {number}, expected {} to {LARGEST}", -LARGEST));
        }
        let rarity = self.scales[RARITY];
        if !is_divisor(rarity) {
            return Err(format!("its scale of rarity is {rarity}, expected {} to {LARGEST}", 1.0 / LARGEST));
        }
        let [negative, neutral, positive, frustration] = self.prior;
        let are_shares = self.prior.iter().all(|part| (0.0..=1.0).contains(part));
        if !are_shares || (negative + neutral + positive - 1.0).abs() > 1e-3 {
            return Err(format!(
                "its prior is {negative}, {neutral}, {positive} and {frustration}, expected three shares of 1 and a probability"
            ));
        }
        self.calibration.validate()?;
        self.shares.validate()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
