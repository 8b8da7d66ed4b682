//! Promises of the comparison.

use super::*;
use crate::message::{Language, ModelId, Probability, Score, ScorerKind, SentimentScore, ShareCells, SignalSet};
use crate::score::Text;
use crate::score::data::{DataSet, Origin, Row};
use crate::score::labels::Targets;
use crate::score::recipe::SetRecipe;

const PLAN: BootstrapPlan = BootstrapPlan { samples: 200, seed: 7 };

/// Right but for every so many-th text, which it calls the other way round.
struct WrongAt(usize);

impl Scorer for WrongAt {
    fn score(&mut self, texts: &[Text<'_>], scores: &mut Vec<Score>) {
        for text in texts {
            let at: usize = text.text.parse().unwrap();
            let negative = at.is_multiple_of(2) != at.is_multiple_of(self.0);
            let share = |is: bool| Probability::new(if is { 0.9 } else { 0.1 });
            scores.push(Score {
                sentiment: SentimentScore {
                    negative: share(negative),
                    neutral: Probability::new(0.0),
                    positive: share(!negative),
                },
                frustration: share(negative),
                language: Language::Spanish,
                scorer: ScorerKind::Embedded,
                signals: SignalSet::EMPTY,
                share_cells: ShareCells::default(),
                model: ModelId::UNKNOWN,
            });
        }
    }
}

/// Texts that are their own numbers; even ones are negative and frustrated.
fn set(rows: usize) -> DataSet {
    let row = |at: usize| Row {
        text: at.to_string(),
        targets: Targets {
            sentiment: Some(if at.is_multiple_of(2) { [1.0, 0.0, 0.0] } else { [0.0, 0.0, 1.0] }),
            frustrated: Some(at.is_multiple_of(2)),
        },
        signals: None,
        language: None,
        origin: Origin::default(),
        line: 1,
    };
    let rows = (1..=rows).map(row).collect();
    DataSet { name: "made".into(), language: String::new(), rows, unlabelled: Vec::new(), recipe: SetRecipe::default() }
}

fn compared(rows: usize, a: usize, b: usize) -> Comparison {
    compare(&Part::set(&set(rows)), &mut WrongAt(a), &mut WrongAt(b), PLAN)
}

#[test]
fn a_scorer_with_half_the_mistakes_is_better_and_the_other_way_round_worse() {
    let better = compared(600, 5, 11);
    let names: Vec<_> = better.figures.iter().map(|figure| figure.figure).collect();
    assert_eq!(names, [Figure::SentimentMacroF1, Figure::FrustrationRocAuc, Figure::FrustrationF1]);
    for figure in &better.figures {
        assert!(figure.interval.low > 0.0 && figure.difference < figure.interval.high, "{figure:?}");
        assert_eq!((figure.verdict, figure.b_ahead), (Verdict::Better, 1.0));
    }
    assert!(compared(600, 11, 5).figures.iter().all(|figure| figure.verdict == Verdict::Worse));
}

#[test]
fn few_rows_cannot_tell_a_small_difference_and_say_which_one_they_could() {
    let figure = compared(60, 9, 10).figures.remove(0);
    assert_eq!(figure.verdict, Verdict::CannotBeTold);
    let told = figure.told();
    assert!(told.starts_with("cannot be told with 60 rows; a difference from about "), "{told}");
}

#[test]
fn a_scorer_beside_itself_is_the_same() {
    let figure = compared(60, 7, 7).figures.remove(0);
    assert_eq!((figure.verdict, figure.b_ahead, figure.difference), (Verdict::Same, 0.5, 0.0));
}

#[test]
fn the_same_seed_gives_the_same_comparison() {
    assert_eq!(compared(100, 5, 9), compared(100, 5, 9));
}

#[test]
fn in_the_mean_every_set_counts_alike() {
    let sets = [compared(600, 5, 11), compared(60, 7, 7)];
    let mean = mean_of(&sets).unwrap();
    let halved = sets[0].figures[0].difference / 2.0;
    assert!((mean.figures[0].difference - halved).abs() < 1e-12, "{mean:?}");
    assert_eq!((mean.rows, mean.figures[0].verdict), (660, Verdict::Better));
    assert_eq!(mean_of(&sets[..1]), None);
}

#[test]
fn a_mean_is_of_the_sets_that_have_the_figure_and_says_of_how_many() {
    let calm = Comparison { figures: Vec::new(), rows: 50, ..compared(50, 5, 11) };
    let sentiment_alone = {
        let mut comparison = compared(100, 5, 11);
        comparison.figures.truncate(1);
        comparison
    };
    let mean = mean_of(&[compared(600, 5, 11), calm.clone(), sentiment_alone.clone()]).unwrap();
    let told: Vec<_> = mean.figures.iter().map(|figure| (figure.figure, figure.sets, figure.rows)).collect();
    assert_eq!(told, [(Figure::SentimentMacroF1, Some(2), 700)]);
    let table = comparison_table(&[mean]);
    assert!(table.starts_with("mean over sets, every set counting alike: 700 rows\n"), "{table}");
    assert!(table.contains(" (mean of 2 sets)\n"), "{table}");
    assert_eq!(mean_of(&[sentiment_alone, calm]), None);
}

#[test]
fn rows_of_one_side_alone_are_said_to_give_no_figure() {
    let mut set = set(10);
    set.rows.iter_mut().for_each(|row| row.targets = Targets { sentiment: None, frustrated: Some(true) });
    let comparison = compare(&Part::set(&set), &mut WrongAt(5), &mut WrongAt(7), PLAN);
    let table = comparison_table(&[comparison]);
    assert!(table.contains("no figure") && !table.contains("frustration"), "{table}");
}
