//! Two models that do not agree.

use latido::message::ModelId;
use latido::window::Tally;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use crate::world::Minute;

/// How likely the second model calls negative, and frustrated, what the first one did not; and what it did.
const STRICTER: f64 = 0.2;
const AGREES: f64 = 0.95;

/// Divides messages between two models.
pub(crate) struct TwoModels {
    random: Pcg64Mcg,
}

impl TwoModels {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: Pcg64Mcg::seed_from_u64(seed ^ 0x005e_c04d) }
    }

    /// What they say of messages of which the second one scores a part. The first calls as many unhappy as the minute has.
    pub(crate) fn split(&mut self, minute: Minute, part: f64) -> [(ModelId, Tally); 2] {
        let mut tallies = [Tally::default(); 2];
        for message in 0..minute.messages {
            let is_of_second = part > 0.0 && self.random.random::<f64>() < part;
            let of_first = [message < minute.negative, message < minute.frustrated];
            let [negative, frustrated] =
                if is_of_second { of_first.map(|unhappy| self.second(unhappy)) } else { of_first };
            tallies[usize::from(is_of_second)] +=
                Tally { messages: 1, negative: u32::from(negative), frustrated: u32::from(frustrated), positive: 0 };
        }
        [(ModelId(1), tallies[0]), (ModelId(2), tallies[1])]
    }

    fn second(&mut self, unhappy: bool) -> bool {
        self.random.random::<f64>() < if unhappy { AGREES } else { STRICTER }
    }
}
