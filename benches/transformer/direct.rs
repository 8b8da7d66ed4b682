//! The shipped encoder, written out in calls of tch.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use latido::score::lane::Tokens;
use safetensors::{Dtype, SafeTensors};
use tch::{Kind, Tensor, no_grad};

const HEADS: i64 = 12;
const LAYERS: usize = 12;
const WIDTH: i64 = 384;
const PADDING: i64 = 1;
const EPSILON: f64 = 1e-12;

struct Linear {
    weight: Tensor,
    bias: Tensor,
}

struct Norm {
    weight: Tensor,
    bias: Tensor,
}

struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attended: Linear,
    attended_norm: Norm,
    wide: Linear,
    narrow: Linear,
    norm: Norm,
}

/// The network.
pub(crate) struct Direct {
    words: Tensor,
    positions: Tensor,
    kinds: Tensor,
    norm: Norm,
    layers: Vec<Layer>,
    heads: Vec<Linear>,
}

impl Linear {
    fn of(tensors: &mut HashMap<String, Tensor>, name: &str) -> Self {
        let mut take =
            |part: &str| tensors.remove(&format!("{name}.{part}")).unwrap_or_else(|| panic!("no {name}.{part}"));
        Self { weight: take("weight"), bias: take("bias") }
    }

    fn forward(&self, input: &Tensor) -> Tensor {
        input.linear(&self.weight, Some(&self.bias))
    }
}

impl Norm {
    fn of(tensors: &mut HashMap<String, Tensor>, name: &str) -> Self {
        let Linear { weight, bias } = Linear::of(tensors, name);
        Self { weight, bias }
    }

    fn forward(&self, input: &Tensor) -> Tensor {
        input.layer_norm([WIDTH], Some(&self.weight), Some(&self.bias), EPSILON, false)
    }
}

impl Layer {
    fn of(tensors: &mut HashMap<String, Tensor>, number: usize) -> Self {
        let name = |part: &str| format!("bert.encoder.layer.{number}.{part}");
        Self {
            query: Linear::of(tensors, &name("attention.self.query")),
            key: Linear::of(tensors, &name("attention.self.key")),
            value: Linear::of(tensors, &name("attention.self.value")),
            attended: Linear::of(tensors, &name("attention.output.dense")),
            attended_norm: Norm::of(tensors, &name("attention.output.LayerNorm")),
            wide: Linear::of(tensors, &name("intermediate.dense")),
            narrow: Linear::of(tensors, &name("output.dense")),
            norm: Norm::of(tensors, &name("output.LayerNorm")),
        }
    }

    fn forward(&self, input: &Tensor, mask: &Tensor) -> Tensor {
        let (texts, length, width) = input.size3().unwrap();
        let by_head =
            |linear: &Linear| linear.forward(input).view([texts, length, HEADS, width / HEADS]).transpose(1, 2);
        let (query, key, value) = (by_head(&self.query), by_head(&self.key), by_head(&self.value));
        let scale = ((width / HEADS) as f64).sqrt();
        let weights = ((query / scale).matmul(&key.transpose(2, 3)) + mask).softmax(-1, Kind::Float);
        let attended = weights.matmul(&value).transpose(1, 2).contiguous().view([texts, length, width]);
        let attended = self.attended_norm.forward(&(self.attended.forward(&attended) + input));
        let wide = self.wide.forward(&attended).gelu("none");
        self.norm.forward(&(self.narrow.forward(&wide) + attended))
    }
}

impl Direct {
    /// On the weights that are shipped.
    pub(crate) fn shipped() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/encoder/model.safetensors");
        let mut tensors = read(&fs::read(path).unwrap());
        let mut take = |name: &str| tensors.remove(name).unwrap_or_else(|| panic!("no {name}"));
        let words = take("bert.embeddings.word_embeddings.weight");
        let positions = take("bert.embeddings.position_embeddings.weight");
        let kinds = take("bert.embeddings.token_type_embeddings.weight");
        let norm = Norm::of(&mut tensors, "bert.embeddings.LayerNorm");
        let layers = (0..LAYERS).map(|number| Layer::of(&mut tensors, number)).collect();
        // In the order of their names, as the product has them.
        let heads = ["anger", "obstacle", "sentiment", "signals"];
        let heads = heads.iter().map(|head| Linear::of(&mut tensors, &format!("heads.{head}"))).collect();
        Self { words, positions, kinds, norm, layers, heads }
    }

    /// Outputs of texts that are run together, head after head.
    pub(crate) fn run(&self, texts: &[Tokens]) -> Vec<Vec<f32>> {
        let longest = texts.iter().map(|text| text.ids().len()).max().unwrap();
        let filled = |text: &Tokens| {
            let ids = text.ids().iter().map(|id| i64::from(*id));
            ids.chain(std::iter::repeat(PADDING)).take(longest).collect::<Vec<_>>()
        };
        let lengths: Vec<i64> = texts.iter().map(|text| text.ids().len() as i64).collect();
        let ids: Vec<i64> = texts.iter().flat_map(filled).collect();
        let shape = [texts.len() as i64, longest as i64];
        let output = no_grad(|| {
            let ids = Tensor::from_slice(&ids).view(shape);
            let places = Tensor::arange(longest as i64, (Kind::Int64, tch::Device::Cpu));
            let seen = places.unsqueeze(0).less_tensor(&Tensor::from_slice(&lengths).unsqueeze(1)).to_kind(Kind::Float);
            let mask = ((seen.unsqueeze(1).unsqueeze(1) - 1.0) * f64::from(f32::MAX)).to_kind(Kind::Float);
            let embedded = Tensor::embedding(&self.words, &ids, -1, false, false)
                + Tensor::embedding(&self.positions, &places, -1, false, false).unsqueeze(0)
                + self.kinds.get(0);
            let begun = self.norm.forward(&embedded);
            let hidden = self.layers.iter().fold(begun, |hidden, layer| layer.forward(&hidden, &mask));
            let weight = seen.unsqueeze(-1);
            let mean = (hidden * &weight).sum_dim_intlist(1, false, Kind::Float)
                / weight.sum_dim_intlist(1, false, Kind::Float);
            let heads: Vec<Tensor> = self.heads.iter().map(|head| head.forward(&mean)).collect();
            Tensor::cat(&heads, 1)
        });
        Vec::<Vec<f32>>::try_from(&output).unwrap()
    }
}

/// All tensors in 32 bits; tables of 8 bits times the scales of their rows.
fn read(bytes: &[u8]) -> HashMap<String, Tensor> {
    let file = SafeTensors::deserialize(bytes).unwrap();
    let tensors = file.tensors().into_iter().filter(|(name, _)| !name.ends_with(".scale"));
    let tensors = tensors.map(|(name, view)| {
        let is_packed = view.dtype() == Dtype::I8;
        let mut tensor = Tensor::try_from(view).unwrap().to_kind(Kind::Float);
        if is_packed {
            let scale = Tensor::try_from(file.tensor(&format!("{name}.scale")).unwrap()).unwrap();
            tensor *= scale.to_kind(Kind::Float).unsqueeze(1);
        }
        (name, tensor)
    });
    tensors.collect()
}
