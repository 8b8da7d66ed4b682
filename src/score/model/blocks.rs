//! The small feed-forward part laid out for speed.

use super::dense::Dense;
use super::layout::{OUTPUTS, Outputs, POOLED, Pooled};

/// Hidden units that are worked out side by side.
const SIDE_BY_SIDE: usize = 8;

/// One number of each unit of a block.
type Block = [f32; SIDE_BY_SIDE];

/// A [`Dense`] of which the weights of eight units stand beside each other, so that one vector instruction serves several units. What it
/// says is what the units say one by one, to the last digit: each sum adds the same numbers in the same order.
#[derive(Debug)]
pub(crate) struct Blocks {
    blocks: Vec<Units>,
    output: Vec<Outputs>,
    /// The units that are above 0, and by how much.
    active: Vec<(usize, f32)>,
}

#[derive(Clone, Debug)]
struct Units {
    input: [Block; POOLED],
    bias: Block,
}

impl Blocks {
    pub(crate) fn new(dense: &Dense) -> Self {
        let empty = Units { input: [[0.0; SIDE_BY_SIDE]; POOLED], bias: [0.0; SIDE_BY_SIDE] };
        let mut blocks = vec![empty; dense.bias.len().div_ceil(SIDE_BY_SIDE)];
        for (unit, (weights, bias)) in dense.input.iter().zip(&dense.bias).enumerate() {
            let block = &mut blocks[unit / SIDE_BY_SIDE];
            let place = unit % SIDE_BY_SIDE;
            block.bias[place] = *bias;
            for (of_input, weight) in block.input.iter_mut().zip(weights) {
                of_input[place] = *weight;
            }
        }
        // The units that fill the last block up are never above 0.
        let mut output = dense.output.clone();
        output.resize(blocks.len() * SIDE_BY_SIDE, [0.0; OUTPUTS]);
        let active = vec![(0, 0.0); output.len()];
        Self { blocks, output, active }
    }

    /// The outputs of these sums: `biases`, the sums' direct part, and what the hidden units say.
    pub(crate) fn outputs(&mut self, biases: Outputs, pooled: &Pooled) -> Outputs {
        let mut outputs = biases;
        for (output, direct) in outputs.iter_mut().zip(pooled) {
            *output += direct;
        }
        let mut count = 0;
        for (number, block) in self.blocks.iter().enumerate() {
            for (place, activation) in block.activations(pooled).into_iter().enumerate() {
                // Written always: which units are active is hard to guess for a processor.
                self.active[count] = (number * SIDE_BY_SIDE + place, activation);
                count += usize::from(activation > 0.0);
            }
        }
        for (unit, activation) in &self.active[..count] {
            add_output(&mut outputs, &self.output[*unit], *activation);
        }
        outputs
    }
}

impl Units {
    /// What each unit is activated by: four lanes and a rest, as one unit alone sums them. On its own, for within a larger function
    /// the compiler gives vector instructions up.
    #[inline(never)]
    fn activations(&self, pooled: &Pooled) -> Block {
        let (mut first, mut second) = ([0.0; SIDE_BY_SIDE], [0.0; SIDE_BY_SIDE]);
        let (mut third, mut fourth) = ([0.0; SIDE_BY_SIDE], [0.0; SIDE_BY_SIDE]);
        let (weight_fours, weight_rest) = self.input.as_chunks::<4>();
        let (pooled_fours, pooled_rest) = pooled.as_chunks::<4>();
        for (weights, values) in weight_fours.iter().zip(pooled_fours) {
            add_scaled(&mut first, &weights[0], values[0]);
            add_scaled(&mut second, &weights[1], values[1]);
            add_scaled(&mut third, &weights[2], values[2]);
            add_scaled(&mut fourth, &weights[3], values[3]);
        }
        // What the standard library begins a sum of numbers with.
        let mut rest = [-0.0; SIDE_BY_SIDE];
        for (weights, value) in weight_rest.iter().zip(pooled_rest) {
            add_scaled(&mut rest, weights, *value);
        }
        plus(plus(plus(self.bias, plus(first, second)), plus(third, fourth)), rest)
    }
}

#[inline]
fn add_scaled(sums: &mut Block, weights: &Block, value: f32) {
    for unit in 0..SIDE_BY_SIDE {
        sums[unit] += weights[unit] * value;
    }
}

#[inline(never)]
fn add_output(outputs: &mut Outputs, weights: &Outputs, activation: f32) {
    for (sum, weight) in outputs.iter_mut().zip(weights) {
        *sum += activation * weight;
    }
}

#[inline]
fn plus(one: Block, other: Block) -> Block {
    std::array::from_fn(|unit| one[unit] + other[unit])
}
