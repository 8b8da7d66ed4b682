//! How far a second, blind labelling agrees with the first: Cohen's kappa.

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use rustc_hash::FxHashMap;

use super::problem::Problem;
use super::row::{Labels, Placed, Row, SecondLabels};
use super::sets::Signal;

/// A signal is judged from so many rows on that either labelling marks with it.
const ENOUGH: usize = 15;
const REDRAWS: usize = 2_000;
const SEED: u64 = 7;

/// How far two labellings agree on one question.
#[derive(Clone, Debug)]
pub(crate) struct Agreement {
    pub(crate) question: &'static str,
    /// Rows that one of the labellings marks with a signal; all rows for sentiment and frustration.
    pub(crate) marked: usize,
    /// Share of the rows with the same answer, 0 to 1.
    pub(crate) equal: f64,
    /// 1: always the same; 0: as often as by chance.
    pub(crate) kappa: f64,
    /// The middle 95 % of kappa when the rows are drawn again.
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// The labels of one row, first and second.
pub(crate) type Pair = (Labels, Labels);

/// Puts the second labels beside the first, by the text.
pub(crate) fn join(rows: &[Placed<Row>], second: &[Placed<SecondLabels>]) -> (Vec<Pair>, Vec<Problem>) {
    let mut first: FxHashMap<&str, Labels> =
        rows.iter().filter_map(|placed| Some((placed.row.text.as_str(), placed.row.labels()?))).collect();
    let (mut pairs, mut problems) = (Vec::new(), Vec::new());
    for Placed { place, row } in second {
        let labels = row.labels();
        problems.extend(labels.faults().into_iter().map(|fault| Problem::new(place, fault)));
        match first.remove(row.text.as_str()) {
            Some(own) => pairs.push((own, labels)),
            None => {
                problems.push(Problem::new(place, "no customer's row has this text, or an earlier line has it too"))
            }
        }
    }
    (pairs, problems)
}

/// The agreement on sentiment, on frustration and on each signal that occurs often enough.
pub(crate) fn measure(pairs: &[Pair]) -> Vec<Agreement> {
    let sentiment = answers(pairs, |labels| labels.sentiment as usize);
    let frustrated = answers(pairs, |labels| usize::from(labels.frustrated));
    let mut found = Vec::new();
    found.extend(agreement("sentiment", pairs.len(), &sentiment));
    found.extend(agreement("frustrated", pairs.len(), &frustrated));
    for signal in Signal::ALL {
        let shown = answers(pairs, |labels| usize::from(labels.signals.contains(signal)));
        let marked = shown.iter().filter(|answer| **answer != (0, 0)).count();
        if marked >= ENOUGH {
            found.extend(agreement(signal.name(), marked, &shown));
        }
    }
    found
}

type Answer = (usize, usize);

fn answers(pairs: &[Pair], of: impl Fn(&Labels) -> usize) -> Vec<Answer> {
    pairs.iter().map(|(first, second)| (of(first), of(second))).collect()
}

fn agreement(question: &'static str, marked: usize, answers: &[Answer]) -> Option<Agreement> {
    let kappa = kappa(answers)?;
    let (low, high) = interval(answers)?;
    Some(Agreement { question, marked, equal: equal(answers), kappa, low, high })
}

#[expect(clippy::cast_precision_loss, reason = "a share of some hundred rows")]
fn equal(answers: &[Answer]) -> f64 {
    let equal = answers.iter().filter(|(first, second)| first == second).count();
    equal as f64 / answers.len() as f64
}

/// Agreement beyond chance (Cohen 1960); none where both labellings give one answer throughout.
#[expect(clippy::cast_precision_loss, reason = "shares of some hundred rows")]
fn kappa(answers: &[Answer]) -> Option<f64> {
    let most = answers.iter().map(|(first, second)| *first.max(second)).max()?;
    let mut counts = vec![(0_usize, 0_usize); most + 1];
    for (first, second) in answers {
        counts[*first].0 += 1;
        counts[*second].1 += 1;
    }
    let all = answers.len() as f64;
    let chance: f64 = counts.iter().map(|(first, second)| (*first as f64 / all) * (*second as f64 / all)).sum();
    (chance < 1.0).then(|| (equal(answers) - chance) / (1.0 - chance))
}

/// Percentile bootstrap; redraws without a kappa are left out.
fn interval(answers: &[Answer]) -> Option<(f64, f64)> {
    let mut random = Pcg64Mcg::seed_from_u64(SEED);
    let mut kappas = Vec::with_capacity(REDRAWS);
    for _ in 0..REDRAWS {
        let redrawn: Vec<_> = answers.iter().map(|_| answers[random.random_range(0..answers.len())]).collect();
        kappas.extend(kappa(&redrawn));
    }
    kappas.sort_unstable_by(f64::total_cmp);
    let last = kappas.len().checked_sub(1)?;
    Some((kappas[last * 25 / 1000], kappas[last * 975 / 1000]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::corpus::fixture::{row, rows};
    use crate::corpus::sets::{Author, Sentiment};

    fn second(lines: &[&str]) -> Vec<Placed<SecondLabels>> {
        let places = rows(lines).into_iter().map(|placed| placed.place);
        places.zip(lines).map(|(place, line)| Placed { place, row: serde_json::from_str(line).unwrap() }).collect()
    }

    const HELLO: &str = r#"{"text": "hola", "sentiment": "neutral", "frustrated": false, "signals": []}"#;

    #[test]
    fn second_labels_find_their_row_by_its_text() {
        let (pairs, problems) = join(&rows(&["buenas", "hola"]), &second(&[HELLO]));
        assert_eq!((pairs.len(), problems.len()), (1, 0));
    }

    #[test]
    fn a_second_label_without_a_customer_row_or_given_twice_is_a_problem() {
        let mut agent = rows(&["hola"]);
        agent[0].row = crate::corpus::row::Row { author: Author::Agent, sentiment: None, ..row("hola") };
        assert_eq!(join(&agent, &second(&[HELLO])).1.len(), 1);
        assert_eq!(join(&rows(&["hola"]), &second(&[HELLO, HELLO])).1.len(), 1);
    }

    #[test]
    fn kappa_is_the_textbooks() {
        // 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: 0.7 observed, 0.5 by chance.
        let table = [((1, 1), 20), ((1, 0), 5), ((0, 1), 10), ((0, 0), 15)];
        let answers: Vec<Answer> = table.iter().flat_map(|(answer, times)| vec![*answer; *times]).collect();
        assert!((kappa(&answers).unwrap() - 0.4).abs() < 1e-12);
        let (low, high) = interval(&answers).unwrap();
        assert!(low < 0.4 && 0.4 < high && low > 0.1 && high < 0.7, "[{low}, {high}]");
        assert_eq!(interval(&answers), Some((low, high)), "the same redraws each time");
    }

    #[test]
    fn labellings_without_any_difference_in_answers_have_no_kappa() {
        assert_eq!(kappa(&[(1, 1); 30]), None);
    }

    #[test]
    fn a_rare_signal_is_not_judged() {
        let plain = Labels { sentiment: Sentiment::Neutral, frustrated: false, signals: Vec::new() };
        let marked = |signal| Labels { signals: vec![signal], ..plain.clone() };
        let mut pairs = vec![(plain.clone(), plain.clone()); 20];
        pairs.extend(vec![(marked(Signal::Waiting), marked(Signal::Waiting)); ENOUGH]);
        pairs.extend(vec![(marked(Signal::Fraud), marked(Signal::Fraud)); ENOUGH - 1]);
        let judged: Vec<_> = measure(&pairs).iter().map(|agreement| agreement.question).collect();
        assert_eq!(judged, ["waiting"]);
    }
}
