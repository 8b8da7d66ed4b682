//! Promises of the training, on a small set made on the spot.

use super::*;
use crate::message::{Language, Sentiment, ShareCells};
use crate::score::data::{Origin, Row};
use crate::score::embedded::EmbeddedScorer;
use crate::score::labels::Targets;
use crate::score::maths::softmax;
use crate::score::model::layout::Outputs;
use crate::score::recipe::SetRecipe;
use crate::score::signals::Rules;
use crate::score::{Scorer, Text};
use std::sync::Arc;

const MOODS: [(&str, usize, bool); 3] =
    [("malo roto tarde", 0, true), ("horario pregunta tienda", 1, false), ("lindo bueno feliz", 2, false)];

fn made_set(rows: usize) -> DataSet {
    let rows = (0..rows)
        .map(|at| {
            let (words, class, frustrated) = MOODS[at % MOODS.len()];
            let word = words.split(' ').nth((at / 3) % 3).unwrap();
            let mut shares = [0.0; 3];
            shares[class] = 1.0;
            Row {
                text: format!("el pedido {} es {word}", at % 50),
                targets: Targets { sentiment: Some(shares), frustrated: Some(frustrated) },
                signals: None,
                language: Some(Language::Spanish),
                origin: Origin::default(),
                line: 1,
            }
        })
        .collect();
    DataSet { name: "made".into(), language: "es".into(), rows, unlabelled: Vec::new(), recipe: SetRecipe::default() }
}

fn small_recipe() -> Recipe {
    Recipe { bits: 12, epochs: 4, ..Recipe::default() }
}

fn train_on(sets: &[DataSet], calibrate: &[DataSet], recipe: &Recipe) -> Result<EmbeddedModel, TrainError> {
    train(TrainInput { sets, calibrate, soft: &SoftLabels::default(), base: None, recipe }, &mut |_, _| {})
}

fn trained(recipe: &Recipe) -> EmbeddedModel {
    train_on(&[made_set(300)], &[], recipe).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let bytes = |seed| trained(&Recipe { seed, ..small_recipe() }).to_bytes().unwrap();
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2));
}

#[test]
fn what_was_shown_is_learned() {
    let mut scorer = EmbeddedScorer::new(Arc::new(trained(&small_recipe())), Rules::builtin().unwrap());
    let mut scores = Vec::new();
    let texts = ["todo malo y tarde", "una pregunta de horario", "muy lindo y bueno"];
    scorer.score(&texts.map(|text| Text { text, language: None }), &mut scores);
    let labels: Vec<_> = scores.iter().map(|score| score.sentiment.label()).collect();
    assert_eq!(labels, [Sentiment::Negative, Sentiment::Neutral, Sentiment::Positive]);
    let frustrated: Vec<_> = scores.iter().map(crate::message::Score::is_frustrated).collect();
    assert_eq!(frustrated, [true, false, false]);
}

#[test]
fn with_enough_rows_kept_aside_scores_fall_into_cells_and_else_into_none() {
    let recipe = Recipe { holdout: 0.4, epochs: 2, ..small_recipe() };
    let model = train_on(&[made_set(1_200)], &[], &recipe).unwrap();
    let model = EmbeddedModel::from_bytes(&model.to_bytes().unwrap(), "ours.latido").unwrap();
    let cells = |model: EmbeddedModel, text| {
        let mut scorer = EmbeddedScorer::new(Arc::new(model), Rules::builtin().unwrap());
        scorer.score_one(Text { text, language: Some(Language::Spanish) }).share_cells
    };
    let found = cells(model, "todo malo y tarde");
    assert!(found.sentiment >= Some(6) && found.frustration >= Some(6), "{found:?}");
    assert_eq!(cells(trained(&small_recipe()), "todo malo y tarde"), ShareCells::default());
}

#[test]
fn eight_bits_lose_little() {
    let recipe = small_recipe();
    let sets = [made_set(300)];
    let corpus = Corpus::of(&sets, &SoftLabels::default(), &recipe, recipe.holdout);
    let mut fit = Fit::new(&corpus, &recipe);
    fit.run(&corpus, &recipe, &mut |_, _| {});
    let model = pack::pack(&fit, Provenance::default(), &recipe);
    for example in &corpus.examples {
        let probabilities = |outputs: Outputs| softmax([outputs[0], outputs[1], outputs[2]]);
        let exact = probabilities(fit.outputs(&corpus, example));
        let packed = probabilities(calibrate::outputs(&model, corpus.families(example)).unwrap());
        for (one, other) in exact.iter().zip(packed) {
            assert!((one - other).abs() < 0.02, "{exact:?} {packed:?}");
        }
    }
}

#[test]
fn progress_ends_at_the_whole() {
    let mut last = (0, 0);
    let (sets, recipe) = ([made_set(300)], small_recipe());
    let input = TrainInput { sets: &sets, calibrate: &[], soft: &SoftLabels::default(), base: None, recipe: &recipe };
    train(input, &mut |done, total| last = (done, total)).unwrap();
    assert!(last.0 > 0 && last.0 == last.1);
}

#[test]
fn a_class_without_rows_is_named() {
    let mut set = made_set(300);
    set.rows.retain(|row| row.targets.sentiment_label() != Some(Sentiment::Neutral));
    let error = train_on(&[set], &[], &small_recipe()).unwrap_err().to_string();
    assert!(error.contains("neutral"), "{error}");
}

#[test]
fn a_senseless_recipe_is_refused_by_field() {
    let heavy = SetRecipe { signals: f32::NAN, ..SetRecipe::default() };
    for (recipe, field) in [
        (Recipe { bits: 40, ..Recipe::default() }, "bits"),
        (Recipe { epochs: 0, ..Recipe::default() }, "epochs"),
        (Recipe { learning_rate: f32::NAN, ..Recipe::default() }, "learning_rate"),
        (Recipe { dense_rate: f32::INFINITY, ..Recipe::default() }, "dense_rate is inf, expected 0 to 10"),
        (Recipe { smoothing: -0.1, ..Recipe::default() }, "smoothing"),
        (Recipe { holdout: 1.0, ..Recipe::default() }, "holdout"),
        (Recipe { sets: [("umsab".to_owned(), heavy)].into(), ..Recipe::default() }, "sets.umsab.signals is NaN"),
    ] {
        let error = train_on(&[made_set(30)], &[], &recipe).unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
    }
}

/// A base, rows of its user's own, and what is made of both.
fn adapted(base: &EmbeddedModel, sets: &[DataSet]) -> EmbeddedModel {
    let recipe = small_recipe();
    let input = TrainInput { sets, calibrate: &[], soft: &SoftLabels::default(), base: Some(base), recipe: &recipe };
    train(input, &mut |_, _| {}).unwrap()
}

/// Fifty rows in which a word that nobody has met is said in anger.
fn made_up_word() -> DataSet {
    let mut set = made_set(50);
    set.name = "ours".into();
    for (at, row) in set.rows.iter_mut().enumerate() {
        row.text = format!("otra vez zurrapil {at}");
        row.targets = Targets { sentiment: Some([1.0, 0.0, 0.0]), frustrated: Some(true) };
    }
    set
}

fn said(model: EmbeddedModel, text: &str) -> crate::message::Score {
    EmbeddedScorer::new(Arc::new(model), Rules::builtin().unwrap()).score_one(Text { text, language: None })
}

#[test]
fn a_base_without_new_rows_stays_as_it_is() {
    let base = trained(&small_recipe());
    let same = adapted(&base, &[]);
    assert_eq!(same.table, base.table);
    assert_eq!(same.dense, base.dense);
    assert_eq!(same.header.biases, base.header.biases);
    assert_eq!(same.header.calibration, base.header.calibration);
    assert_eq!(same.header.prior, base.header.prior);
}

#[test]
fn a_base_keeps_its_tables_of_shares_unless_rows_for_others_are_given() {
    let recipe = Recipe { holdout: 0.4, epochs: 2, ..small_recipe() };
    let base = train_on(&[made_set(1_200)], &[], &recipe).unwrap();
    assert!(!base.header.shares.is_empty());
    let sets = [made_set(900)];
    let adapt = |calibrate: &[DataSet]| {
        let input =
            TrainInput { sets: &sets, calibrate, soft: &SoftLabels::default(), base: Some(&base), recipe: &recipe };
        train(input, &mut |_, _| {}).unwrap().header.shares
    };
    assert_eq!(adapt(&[]), base.header.shares);
    assert_ne!(adapt(&[made_set(1_500)]), base.header.shares);
}

#[test]
fn a_base_learns_a_word_and_keeps_what_it_says_of_other_texts() {
    let base = || trained(&Recipe { bits: 16, ..small_recipe() });
    let ours = || adapted(&base(), &[made_up_word()]);
    let negative = |model, text| said(model, text).sentiment.negative.get();
    let (before, after) = (negative(base(), "zurrapil"), negative(ours(), "zurrapil"));
    assert!(after > 0.6 && after > before + 0.15, "{before} {after}");
    for text in ["el pedido es lindo", "una pregunta de la tienda", "muy malo y roto"] {
        let moved = (negative(base(), text) - negative(ours(), text)).abs();
        assert!(moved < 0.05, "{text}: {moved}");
    }
}

#[test]
fn the_same_rows_on_the_same_base_give_the_same_bytes() {
    let base = trained(&small_recipe());
    let bytes = || adapted(&base, &[made_up_word()]).to_bytes().unwrap();
    assert_eq!(bytes(), bytes());
}

#[test]
fn a_model_says_what_made_it_and_what_it_was_adapted_with_since_each_time() {
    let base = trained(&small_recipe());
    let ours = || [made_up_word()];
    let once = adapted(&base, &ours());
    let twice = EmbeddedModel::from_bytes(&adapted(&once, &ours()).to_bytes().unwrap(), "ours.latido").unwrap();
    let Provenance { first, adapted } = &twice.header.provenance;
    assert_eq!(first, &base.header.provenance.first);
    assert_eq!(first.sets, [("made.es".to_owned(), 300)].into());
    let rows: Vec<_> = adapted.iter().map(|training| training.sets.clone()).collect();
    assert_eq!(rows, [[("ours.es".to_owned(), 50)].into(), [("ours.es".to_owned(), 50)].into()]);
}
