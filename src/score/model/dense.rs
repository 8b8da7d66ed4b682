//! The small feed-forward part: it lets features change each other's meaning, which a sum alone cannot.

use super::layout::{OUTPUTS, Outputs, POOLED, Pooled};
use super::{LARGEST, is_moderate};

/// Most hidden units.
pub(crate) const MAX_HIDDEN: usize = 1_024;

/// One hidden layer of rectified linear units between the pooled channels and the outputs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Dense {
    /// Weights of each hidden unit.
    pub(crate) input: Vec<Pooled>,
    /// Bias of each hidden unit.
    pub(crate) bias: Vec<f32>,
    /// What each hidden unit adds to the outputs.
    pub(crate) output: Vec<Outputs>,
}

impl Dense {
    /// The outputs of these sums: `biases`, the sums' direct part, and what the hidden units say. `active` is told each unit
    /// that fires and its activation.
    #[inline]
    pub(crate) fn outputs(&self, biases: Outputs, pooled: &Pooled, active: &mut impl FnMut(usize, f32)) -> Outputs {
        let mut outputs = biases;
        for (output, direct) in outputs.iter_mut().zip(pooled) {
            *output += direct;
        }
        for (unit, ((input, bias), output)) in self.input.iter().zip(&self.bias).zip(&self.output).enumerate() {
            let activation = activation(input, *bias, pooled);
            if activation > 0.0 {
                active(unit, activation);
                for (sum, weight) in outputs.iter_mut().zip(output) {
                    *sum += activation * weight;
                }
            }
        }
        outputs
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let numbers =
            self.input.iter().flatten().chain(&self.bias).chain(self.output.iter().flatten()).map(|n| n.to_le_bytes());
        numbers.flatten().collect()
    }

    /// Reads `hidden` units back.
    pub(crate) fn from_bytes(bytes: &[u8], hidden: usize) -> Result<Self, String> {
        let expected = 4 * hidden.min(MAX_HIDDEN + 1) * (POOLED + 1 + OUTPUTS);
        if hidden > MAX_HIDDEN || bytes.len() != expected {
            return Err(format!("{} bytes hold no {hidden} hidden units (at most {MAX_HIDDEN})", bytes.len()));
        }
        let (fours, _) = bytes.as_chunks::<4>();
        let numbers: Vec<f32> = fours.iter().map(|four| f32::from_le_bytes(*four)).collect();
        if let Some(number) = numbers.iter().find(|number| !is_moderate(**number)) {
            return Err(format!("a weight of a hidden unit is {number}, expected {} to {LARGEST}", -LARGEST));
        }
        let (input, rest) = numbers.split_at(hidden * POOLED);
        let (bias, output) = rest.split_at(hidden);
        let (input, _) = input.as_chunks::<POOLED>();
        let (output, _) = output.as_chunks::<OUTPUTS>();
        Ok(Self { input: input.to_vec(), bias: bias.to_vec(), output: output.to_vec() })
    }
}

/// Sums in four lanes, so that the compiler may use vector instructions; the order is fixed, and with it the result.
fn activation(weights: &Pooled, bias: f32, pooled: &Pooled) -> f32 {
    let mut lanes = [0.0_f32; 4];
    let (weight_fours, weight_rest) = weights.as_chunks::<4>();
    let (pooled_fours, pooled_rest) = pooled.as_chunks::<4>();
    for (weights, pooled) in weight_fours.iter().zip(pooled_fours) {
        for lane in 0..4 {
            lanes[lane] += weights[lane] * pooled[lane];
        }
    }
    let rest: f32 = weight_rest.iter().zip(pooled_rest).map(|(weight, value)| weight * value).sum();
    bias + (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + rest
}
