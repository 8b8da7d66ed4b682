//! Which texts run together.

use std::ops::Range;

/// What starting a run costs, in tokens: a run of one text of 26 tokens takes 24 ms on a core where one of eight takes 14 ms a text.
const START: usize = 24;

/// Splits texts of these lengths, ascending, into runs. A run takes the longest text's tokens times its texts; that is at most
/// `most`, unless it is one text alone. Of all such splits it is one that takes the least time, counting 24 tokens for the
/// start of each run.
#[must_use]
pub fn runs_of(lengths: &[usize], most: usize) -> Vec<Range<usize>> {
    debug_assert!(lengths.is_sorted());
    // The least cost of the first texts, and where their last run begins.
    let mut best: Vec<(usize, usize)> = vec![(0, 0)];
    for (last, longest) in lengths.iter().enumerate() {
        let mut least = (usize::MAX, last);
        for begin in (0..=last).rev() {
            let tokens = longest.saturating_mul(last + 1 - begin);
            if tokens > most && begin < last {
                break;
            }
            let cost = best[begin].0.saturating_add(START).saturating_add(tokens);
            if cost < least.0 {
                least = (cost, begin);
            }
        }
        best.push(least);
    }
    let mut runs = Vec::new();
    let mut end = lengths.len();
    while end > 0 {
        let begin = best[end].1;
        runs.push(begin..end);
        end = begin;
    }
    runs.reverse();
    runs
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_of_like_length_run_together() {
        assert_eq!(runs_of(&[24, 25, 25, 26, 26, 27, 28, 28], 1024).len(), 1);
    }

    #[test]
    fn a_long_text_does_not_make_short_ones_as_long_as_itself() {
        assert_eq!(runs_of(&[5, 6, 6, 7, 7, 8, 120], 1024), vec![0..6, 6..7]);
    }

    #[test]
    fn two_short_texts_of_unlike_length_are_not_worth_two_runs() {
        assert_eq!(runs_of(&[4, 12], 1024).len(), 1);
    }

    #[test]
    fn a_text_longer_than_a_batch_runs_alone() {
        assert_eq!(runs_of(&[40, 41], 16), [0..1, 1..2]);
    }

    #[test]
    fn of_no_texts_there_are_no_runs() {
        assert!(runs_of(&[], 16).is_empty());
    }

    /// The cost of a split.
    fn cost(lengths: &[usize], runs: &[Range<usize>]) -> usize {
        runs.iter().map(|run| START + run.len() * lengths[run.end - 1]).sum()
    }

    /// All splits that are allowed.
    fn splits(lengths: &[usize], begin: usize, most: usize) -> Vec<Vec<Range<usize>>> {
        if begin == lengths.len() {
            return vec![Vec::new()];
        }
        let ends =
            (begin + 1..=lengths.len()).filter(|end| end - begin == 1 || (end - begin) * lengths[end - 1] <= most);
        let with_rest = |end: usize| {
            splits(lengths, end, most).into_iter().map(move |mut rest| {
                rest.insert(0, begin..end);
                rest
            })
        };
        ends.flat_map(with_rest).collect()
    }

    proptest! {
        #[test]
        fn no_split_that_is_allowed_costs_less(
            mut lengths in prop::collection::vec(1_usize..140, 0..9), most in 1_usize..500,
        ) {
            lengths.sort_unstable();
            let runs = runs_of(&lengths, most);
            let covered: Vec<usize> = runs.iter().cloned().flatten().collect();
            prop_assert_eq!(covered, (0..lengths.len()).collect::<Vec<_>>());
            for run in &runs {
                prop_assert!(run.len() == 1 || run.len() * lengths[run.end - 1] <= most);
            }
            let least = splits(&lengths, 0, most).iter().map(|split| cost(&lengths, split)).min().unwrap();
            prop_assert_eq!(cost(&lengths, &runs), least);
        }
    }
}
