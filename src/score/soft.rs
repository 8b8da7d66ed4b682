//! Soft labels: what a larger model says of each text, for a small one to learn from.
//!
//! A gzip file of a mark, the number of entries (u32, little-endian), and entries sorted by text: FNV-1a hash of the text
//! (u64, little-endian) and 21 probabilities in 255ths: negative, neutral, positive, anger, obstacle, and each signal.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use super::half::text_hash;
use super::model::layout::LANGUAGE;

/// First bytes of the unpacked file.
const MARK: &[u8; 8] = b"LATIDO\x01S";
/// Probabilities of an entry: all outputs before the languages.
pub(crate) const SOFT: usize = LANGUAGE;
const ENTRY: usize = 8 + SOFT;

/// Probabilities of one text, in 255ths.
pub(crate) type SoftTarget = [u8; SOFT];

/// Why soft labels cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SoftError {
    /// The file cannot be read.
    #[error("cannot read soft labels {path}: {source}; check that it exists, may be read and is whole")]
    Unreadable {
        /// Which file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is something else, or damaged.
    #[error("{path} holds no soft labels ({reason}); make it with models/encoder/make/soft_labels.py")]
    Content {
        /// Which file.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

/// Soft labels by text.
#[derive(Clone, Debug, Default)]
pub struct SoftLabels {
    by_text: HashMap<u64, SoftTarget>,
}

impl SoftLabels {
    /// The labels in a file.
    ///
    /// # Errors
    /// If the file cannot be read or holds something else.
    pub fn load(path: &Path) -> Result<Self, SoftError> {
        let shown = path.display().to_string();
        let unreadable = |source| SoftError::Unreadable { path: shown.clone(), source };
        let file = File::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        flate2::bufread::GzDecoder::new(BufReader::new(file)).read_to_end(&mut bytes).map_err(unreadable)?;
        Self::from_bytes(&bytes).map_err(|reason| SoftError::Content { path: shown, reason })
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let content = bytes.strip_prefix(MARK).ok_or("it does not start with its mark")?;
        let (count, entries) = content.split_first_chunk::<4>().ok_or("it ends within its preamble")?;
        let count = u32::from_le_bytes(*count) as usize;
        if entries.len() != count.saturating_mul(ENTRY) {
            return Err(format!("{count} entries announced, {} bytes follow", entries.len()));
        }
        let (entries, _) = entries.as_chunks::<ENTRY>();
        let by_text = entries.iter().filter_map(|entry| {
            let (key, target) = entry.split_first_chunk::<8>()?;
            Some((u64::from_le_bytes(*key), target.try_into().ok()?))
        });
        Ok(Self { by_text: by_text.collect() })
    }

    /// How many texts are labelled.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_text.len()
    }

    /// Whether no text is labelled.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_text.is_empty()
    }

    pub(crate) fn get(&self, text: &str) -> Option<SoftTarget> {
        self.by_text.get(&text_hash(text)).copied()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn bytes(texts: &[&str]) -> Vec<u8> {
        let mut bytes = MARK.to_vec();
        bytes.extend_from_slice(&u32::try_from(texts.len()).unwrap().to_le_bytes());
        for text in texts {
            bytes.extend_from_slice(&text_hash(text).to_le_bytes());
            bytes.extend_from_slice(&[text.len() as u8; SOFT]);
        }
        bytes
    }

    #[test]
    fn a_text_finds_its_own_label() {
        let labels = SoftLabels::from_bytes(&bytes(&["hola", "adiós"])).unwrap();
        assert_eq!(labels.len(), 2);
        assert_eq!(labels.get("adiós"), Some([6; SOFT]));
        assert_eq!(labels.get("adios"), None);
    }

    #[test]
    fn a_foreign_or_short_file_is_refused() {
        assert!(SoftLabels::from_bytes(b"PK").unwrap_err().contains("mark"));
        let mut short = bytes(&["hola"]);
        short.pop();
        assert!(SoftLabels::from_bytes(&short).unwrap_err().contains("1 entries"));
        let error = SoftLabels::load(Path::new("/nowhere/soft.gz")).unwrap_err().to_string();
        assert!(error.contains("/nowhere/soft.gz"), "{error}");
    }
}
