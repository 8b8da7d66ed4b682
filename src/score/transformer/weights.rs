//! The tensors of `model.safetensors`, in what the network computes in.

use std::collections::HashMap;

use safetensors::{Dtype, SafeTensors};
use tch::{Kind, Tensor};

use super::error::{TransformerError, first_line};
use super::files::{Files, WEIGHTS};

const DAMAGED: &str = "copy it again, or save the model again as safetensors";

/// Named tensors. Clones share their memory.
#[derive(Debug)]
pub(super) struct Weights(HashMap<String, Tensor>);

impl Weights {
    /// All tensors of the file in 32 bits. A table of 8-bit integers is multiplied with the scale of its row.
    pub(super) fn read(files: &Files) -> Result<Self, TransformerError> {
        let refuse = |what: String| TransformerError::new(&files.place, WEIGHTS, what, DAMAGED);
        let file = SafeTensors::deserialize(&files.weights).map_err(|error| refuse(format!("damaged: {error}")))?;
        let mut tensors = HashMap::new();
        for (name, view) in file.tensors() {
            if name.ends_with(SCALE) {
                continue;
            }
            let is_packed = view.dtype() == Dtype::I8;
            let tensor = Tensor::try_from(view).map_err(|error| refuse(format!("{name}: {}", first_line(&error))))?;
            let mut tensor = tensor.to_kind(Kind::Float);
            if is_packed {
                let scale =
                    file.tensor(&format!("{name}{SCALE}")).map_err(|_| refuse(format!("{name} has no scale")))?;
                let scale = Tensor::try_from(scale).map_err(|error| refuse(first_line(&error)))?;
                if scale.size().first() != tensor.size().first() || scale.dim() != 1 {
                    return Err(refuse(format!("the scale of {name} does not fit its rows")));
                }
                tensor *= scale.to_kind(Kind::Float).unsqueeze(1);
            }
            if !bool::try_from(tensor.isfinite().all()).unwrap_or(false) {
                return Err(refuse(format!("{name} holds a number that is none")));
            }
            tensors.insert(name, tensor);
        }
        Ok(Self(tensors))
    }

    pub(super) fn get(&self, name: &str) -> Option<&Tensor> {
        self.0.get(name)
    }

    /// The same in 16 bits. What layers are normed with stays in 32: it costs nothing, and rounding it adds up.
    pub(super) fn in_bfloat16(&self) -> Self {
        let converted = |(name, tensor): (&String, &Tensor)| {
            let kind = if name.contains("LayerNorm") { Kind::Float } else { Kind::BFloat16 };
            (name.clone(), tensor.to_kind(kind))
        };
        Self(self.0.iter().map(converted).collect())
    }

    pub(super) fn shared(&self) -> Self {
        Self(self.0.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect())
    }
}

/// What the name of a table's scale ends with.
const SCALE: &str = ".scale";
