//! The files of a model: a directory's, or those inside the program.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::error::{Place, TransformerError};
use crate::message::ModelId;
use crate::score::SCORING_VERSION;

pub(super) const NETWORK_CONFIG: &str = "config.json";
pub(super) const TOKENIZER: &str = "tokenizer.json";
pub(super) const WEIGHTS: &str = "model.safetensors";
pub(super) const CARD: &str = "latido.json";

/// A longer file is no model that a processor could run in time: BERT large has 1.3 GB.
const MAX_FILE_BYTES: u64 = 4 << 30;

/// What a model is made of, as bytes.
pub(super) struct Files {
    pub(super) place: Place,
    pub(super) config: Cow<'static, [u8]>,
    pub(super) tokenizer: Cow<'static, [u8]>,
    pub(super) weights: Cow<'static, [u8]>,
    /// What Latido is told of it; a plain classifier needs none.
    pub(super) card: Option<Cow<'static, [u8]>>,
}

impl Files {
    /// The shipped encoder.
    pub(super) fn inside() -> Self {
        Self {
            place: Place::Inside,
            config: Cow::Borrowed(include_bytes!("../../../models/encoder/config.json")),
            tokenizer: Cow::Borrowed(include_bytes!("../../../models/encoder/tokenizer.json")),
            weights: Cow::Borrowed(include_bytes!("../../../models/encoder/model.safetensors")),
            card: Some(Cow::Borrowed(include_bytes!("../../../models/encoder/latido.json"))),
        }
    }

    /// Those of a directory.
    pub(super) fn read(directory: &Path) -> Result<Self, TransformerError> {
        let place = Place::of(directory);
        let read = |name| read(directory, name).map_err(|error| unreadable(&place, name, &error));
        let card = match fs::exists(directory.join(CARD)) {
            Ok(false) => None,
            _ => Some(read(CARD)?),
        };
        Ok(Self { config: read(NETWORK_CONFIG)?, tokenizer: read(TOKENIZER)?, weights: read(WEIGHTS)?, card, place })
    }

    /// The SHA-256 of the weights, in hexadecimal digits.
    pub(super) fn hash_of_weights(&self) -> String {
        Sha256::digest(&self.weights).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A checksum of all that decides what the model says.
    pub(super) fn id(&self) -> ModelId {
        let mut all = Sha256::new();
        all.update(SCORING_VERSION.to_be_bytes());
        for file in [&self.config, &self.tokenizer, &self.weights].into_iter().chain(&self.card) {
            all.update(file.len().to_be_bytes());
            all.update(file);
        }
        let digest = all.finalize();
        ModelId(u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]))
    }
}

fn read(directory: &Path, name: &str) -> io::Result<Cow<'static, [u8]>> {
    let path = directory.join(name);
    if fs::metadata(&path)?.len() > MAX_FILE_BYTES {
        return Err(io::Error::other("longer than 4 GiB"));
    }
    fs::read(path).map(Cow::Owned)
}

fn unreadable(place: &Place, name: &str, error: &io::Error) -> TransformerError {
    let remedy = match name {
        TOKENIZER => {
            "a model's directory has config.json, tokenizer.json and model.safetensors: `save_pretrained` of a fast tokenizer writes it"
        }
        WEIGHTS => {
            "a model's directory has config.json, tokenizer.json and model.safetensors: `save_pretrained(directory)` writes it"
        }
        _ => "a model's directory has config.json, tokenizer.json and model.safetensors, readable to the daemon's user",
    };
    TransformerError::new(place, name, format!("cannot be read ({error})"), remedy)
}
