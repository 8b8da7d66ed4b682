//! A shuffled deck: draws come in random order, yet each card comes up once in every round, so that ratios hold
//! steady over any stretch of draws.

use rand::Rng;
use rand::seq::SliceRandom as _;

/// Cards drawn one after the other; shuffled anew when all were drawn.
#[derive(Clone, Debug)]
pub(crate) struct Deck<T> {
    cards: Vec<T>,
    next: usize,
}

impl<T: Copy> Deck<T> {
    /// A deck of these cards; there must be at least one.
    pub(crate) fn new(cards: Vec<T>) -> Self {
        assert!(!cards.is_empty(), "a deck holds at least one card");
        Self { next: cards.len(), cards }
    }

    /// The next card.
    pub(crate) fn draw(&mut self, rng: &mut impl Rng) -> T {
        if self.next == self.cards.len() {
            self.cards.shuffle(rng);
            self.next = 0;
        }
        self.next += 1;
        self.cards[self.next - 1]
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_pcg::Pcg64Mcg;

    use super::*;

    #[test]
    fn every_round_shows_each_card_once() {
        let mut rng = Pcg64Mcg::seed_from_u64(11);
        let mut deck = Deck::new((0..10).collect());
        for _round in 0..5 {
            let mut drawn: Vec<i32> = (0..10).map(|_| deck.draw(&mut rng)).collect();
            drawn.sort_unstable();
            assert_eq!(drawn, (0..10).collect::<Vec<_>>());
        }
    }
}
