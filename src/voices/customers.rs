//! How many different customers there are, in a quarter of a kilobyte.
//!
//! Up to 50 they are kept one by one; beyond that a `HyperLogLog` sketch of 256 registers counts them with a standard error of
//! 6.5 %. Which of both it is depends on how many there are alone, and each has one form: equal sets are equal, whatever the order in
//! which they came to be, so that checkpoints can be compared. Crates that count so keep what came first in front.

use serde::{Deserialize, Serialize};

use crate::message::CustomerHash;

/// So many are counted exactly: their hashes take no more than the registers, in memory and (five bytes each) in a checkpoint.
pub(super) const EXACT: usize = 50;

/// Bits of a hash that choose its register, and those whose zeros count.
const INDEX_BITS: u32 = 8;
const REGISTERS: usize = 1 << INDEX_BITS;
const ZERO_BITS: u32 = u32::BITS - INDEX_BITS;

/// Different customers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Customers {
    /// Their hashes in order: at most 50.
    Few(Vec<u32>),
    /// The longest run of zeros seen in each register, plus one.
    Many(#[serde(with = "bytes")] Vec<u8>),
}

impl Default for Customers {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Customers {
    /// Takes one in, whether it is new or not.
    pub(super) fn insert(&mut self, CustomerHash(hash): CustomerHash) {
        match self {
            Self::Few(hashes) => {
                let Err(place) = hashes.binary_search(&hash) else { return };
                hashes.insert(place, hash);
                if hashes.len() > EXACT {
                    *self = Self::Many(registers_of(hashes));
                }
            }
            Self::Many(registers) => note(registers, hash),
        }
    }

    /// Takes in all of another one.
    pub(super) fn merge(&mut self, other: &Self) {
        match other {
            Self::Few(hashes) => hashes.iter().for_each(|hash| self.insert(CustomerHash(*hash))),
            Self::Many(others) => {
                if let Self::Few(hashes) = self {
                    *self = Self::Many(registers_of(hashes));
                }
                let Self::Many(registers) = self else { return };
                for (register, other) in registers.iter_mut().zip(others) {
                    *register = (*register).max(*other);
                }
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Few(hashes) if hashes.is_empty())
    }

    /// Whether it is what it should be, wherever it came from.
    pub(super) fn is_sound(&self) -> bool {
        match self {
            Self::Few(hashes) => hashes.len() <= EXACT && hashes.is_sorted_by(|one, other| one < other),
            Self::Many(registers) => {
                registers.len() == REGISTERS && registers.iter().all(|zeros| u32::from(*zeros) <= ZERO_BITS + 1)
            }
        }
    }

    /// How many there are in any of these: exact as long as each of them is.
    pub(super) fn count<'a>(all: impl Iterator<Item = &'a Self> + Clone) -> u64 {
        let is_exact = all.clone().all(|customers| matches!(customers, Self::Few(_)));
        if is_exact {
            let mut hashes: Vec<u32> = all.flat_map(Self::hashes).copied().collect();
            hashes.sort_unstable();
            hashes.dedup();
            return hashes.len() as u64;
        }
        let mut sum = Self::Many(vec![0; REGISTERS]);
        all.for_each(|customers| sum.merge(customers));
        let Self::Many(registers) = sum else { return 0 };
        estimate(&registers)
    }

    fn hashes(&self) -> &[u32] {
        match self {
            Self::Few(hashes) => hashes,
            Self::Many(_) => &[],
        }
    }
}

fn registers_of(hashes: &[u32]) -> Vec<u8> {
    let mut registers = vec![0; REGISTERS];
    hashes.iter().for_each(|hash| note(&mut registers, *hash));
    registers
}

fn note(registers: &mut [u8], hash: u32) {
    let zeros = (hash << INDEX_BITS).leading_zeros().min(ZERO_BITS) + 1;
    let register = &mut registers[(hash >> ZERO_BITS) as usize];
    *register = (*register).max(u8::try_from(zeros).unwrap_or(u8::MAX));
}

/// The improved raw estimator of Ertl (2017): without bias for few and for many, and without tables.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "there are 256 registers, and no estimate is negative or beyond 2^53"
)]
fn estimate(registers: &[u8]) -> u64 {
    let mut with_zeros = [0_u32; ZERO_BITS as usize + 2];
    registers.iter().for_each(|zeros| with_zeros[usize::from(*zeros)] += 1);
    let count = registers.len() as f64;
    let part = |zeros: usize| f64::from(with_zeros[zeros]) / count;
    let mut sum = count * tau(1.0 - part(ZERO_BITS as usize + 1));
    for zeros in (1..=ZERO_BITS as usize).rev() {
        sum = 0.5 * (sum + f64::from(with_zeros[zeros]));
    }
    sum += count * sigma(part(0));
    (count * count / (2.0 * std::f64::consts::LN_2 * sum)).round() as u64
}

/// What empty registers add.
fn sigma(mut part: f64) -> f64 {
    if part >= 1.0 {
        return f64::INFINITY;
    }
    let (mut power, mut sum) = (1.0, part);
    loop {
        part *= part;
        let before = sum;
        sum += part * power;
        power += power;
        if sum <= before {
            return sum;
        }
    }
}

/// What full registers take away.
fn tau(mut part: f64) -> f64 {
    if part <= 0.0 || part >= 1.0 {
        return 0.0;
    }
    let (mut power, mut sum) = (1.0, 1.0 - part);
    loop {
        part = part.sqrt();
        let before = sum;
        power *= 0.5;
        sum -= (1.0 - part).powi(2) * power;
        if sum >= before {
            return sum / 3.0;
        }
    }
}

/// Registers in one go: one by one they take many times as long.
mod bytes {
    use std::fmt;

    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(registers: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(registers)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        deserializer.deserialize_byte_buf(Registers)
    }

    struct Registers;

    impl Visitor<'_> for Registers {
        type Value = Vec<u8>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("registers")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }
    }
}
