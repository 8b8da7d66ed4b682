//! The rows as features, with what each is worth to each head.

use super::TrainError;
use crate::message::SignalSet;
use crate::score::data::{DataSet, Row};
use crate::score::embedded::{bucket, language_index};
use crate::score::features::{Extractor, Family, FeatureSink, TokenFeatures};
use crate::score::labels::Targets;
use crate::score::recipe::{FrustrationHead, Recipe};
use crate::score::soft::{SoftLabels, SoftTarget};

/// A class counts at most this many times its rows, so that a handful of rows cannot rule.
const MAX_CLASS_WEIGHT: f32 = 4.0;

/// A row as the heads learn it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Example {
    pub(super) start: usize,
    pub(super) words_end: usize,
    pub(super) end: usize,
    pub(super) targets: Targets,
    /// Its signals, where they are known.
    pub(super) signals: Option<SignalSet>,
    pub(super) soft: Option<SoftTarget>,
    /// The place of its language among the outputs.
    pub(super) language: Option<usize>,
    /// Which set it is of.
    pub(super) set: usize,
    /// Whether its set has no leaning of its own.
    pub(super) reference: bool,
    /// What "frustrated" means in its set.
    pub(super) head: FrustrationHead,
    /// Sentiments that its set tells apart; it says nothing of the others.
    pub(super) told_apart: [bool; 3],
    /// Whether its set holds rows of all sentiments.
    pub(super) all_sentiments: bool,
    /// Whether its set holds frustrated rows and others.
    pub(super) both_sides: bool,
    /// Whether its labels are sentiments of whole messages, given for their own sake: what the shares of windows are of.
    pub(super) counts_shares: bool,
    pub(super) sentiment_weight: f32,
    pub(super) frustration_weight: f32,
    pub(super) signal_weight: f32,
    pub(super) soft_weight: f32,
    pub(super) language_weight: f32,
    /// What the row counts where the sentiments are calibrated.
    pub(super) calibration_weight: f32,
}

/// All rows.
pub(super) struct Corpus {
    features: Vec<u32>,
    /// Rows to learn from.
    pub(super) examples: Vec<Example>,
    /// Rows kept aside to calibrate with.
    pub(super) held_out: Vec<Example>,
    /// How many sets.
    pub(super) sets: usize,
}

impl Corpus {
    /// All rows of `sets`, each class of a set counting alike; the share `holdout` of them is kept aside.
    pub(super) fn of(sets: &[DataSet], soft: &SoftLabels, recipe: &Recipe, holdout: f32) -> Self {
        Self::weighed(sets, soft, recipe, holdout, ClassWeights::of)
    }

    /// The same with each row counting alike, for a base that knows all classes: a set of one class teaches that class.
    pub(super) fn for_base(sets: &[DataSet], soft: &SoftLabels, recipe: &Recipe, holdout: f32) -> Self {
        Self::weighed(sets, soft, recipe, holdout, |_| ClassWeights { sentiment: [1.0; 3], frustration: [1.0; 2] })
    }

    fn weighed(
        sets: &[DataSet],
        soft: &SoftLabels,
        recipe: &Recipe,
        holdout: f32,
        weigh: fn(&DataSet) -> ClassWeights,
    ) -> Self {
        let mut corpus = Self { features: Vec::new(), examples: Vec::new(), held_out: Vec::new(), sets: sets.len() };
        let mut extractor = Extractor::default();
        for (at, set) in sets.iter().enumerate() {
            let (weights, (all_sentiments, both_sides)) = (weigh(set), classes_of(sets, &set.name));
            for row in set.rows.iter().chain(&set.unlabelled) {
                let mut example = Example {
                    set: at,
                    soft: soft.get(&row.text),
                    all_sentiments,
                    both_sides,
                    ..weights.example(row, set)
                };
                if !example.teaches() {
                    continue;
                }
                corpus.take_features(&mut example, &row.text, &mut extractor, recipe.bits);
                if is_held_out(&row.text, recipe.seed, holdout) {
                    corpus.held_out.push(example);
                } else {
                    corpus.examples.push(example);
                }
            }
        }
        corpus
    }

    fn take_features(&mut self, example: &mut Example, text: &str, extractor: &mut Extractor, bits: u32) {
        let mut found = Found { shift: u64::BITS - bits, words: Vec::new(), chars: Vec::new() };
        extractor.extract(text, &mut found);
        example.start = self.features.len();
        self.features.append(&mut found.words);
        example.words_end = self.features.len();
        self.features.append(&mut found.chars);
        example.end = self.features.len();
    }

    /// The row's features: of words, and of characters.
    pub(super) fn families(&self, example: &Example) -> [&[u32]; 2] {
        [&self.features[example.start..example.words_end], &self.features[example.words_end..example.end]]
    }

    /// In how many texts each bucket is found.
    pub(super) fn text_counts(&self, bits: u32) -> Vec<u32> {
        let mut counts = vec![0_u32; 1 << bits];
        let mut last_seen = vec![0_u32; 1 << bits];
        for (text, example) in (1_u32..).zip(&self.examples) {
            for &feature in &self.features[example.start..example.end] {
                let feature = feature as usize;
                if last_seen[feature] != text {
                    last_seen[feature] = text;
                    counts[feature] += 1;
                }
            }
        }
        counts
    }

    pub(super) fn check_classes(&self) -> Result<(), TrainError> {
        let has = |wanted: &dyn Fn(&Example) -> bool| self.examples.iter().any(wanted);
        let learns = |class: usize| {
            move |example: &Example| {
                example.sentiment_weight > 0.0 && example.targets.sentiment.is_some_and(|shares| shares[class] > 0.0)
            }
        };
        for (class, missing) in ["negative", "neutral", "positive"].into_iter().enumerate() {
            if !has(&learns(class)) {
                return Err(TrainError::MissingClass { missing });
            }
        }
        for (side, missing) in [(true, "frustrated"), (false, "not frustrated")] {
            if !has(&|example| example.frustration_weight > 0.0 && example.targets.frustrated == Some(side)) {
                return Err(TrainError::MissingClass { missing });
            }
        }
        Ok(())
    }
}

impl Example {
    /// A row of which nothing is known, and which counts for nothing.
    pub(super) const fn silent() -> Self {
        Self {
            start: 0,
            words_end: 0,
            end: 0,
            targets: Targets { sentiment: None, frustrated: None },
            signals: None,
            soft: None,
            language: None,
            set: 0,
            reference: false,
            head: FrustrationHead::Obstacle,
            told_apart: [false; 3],
            all_sentiments: false,
            both_sides: false,
            counts_shares: false,
            sentiment_weight: 0.0,
            frustration_weight: 0.0,
            signal_weight: 0.0,
            soft_weight: 0.0,
            language_weight: 0.0,
            calibration_weight: 0.0,
        }
    }

    fn teaches(&self) -> bool {
        self.soft.is_some() || self.targets != Targets::default() || self.signals.is_some()
    }
}

struct Found {
    shift: u32,
    words: Vec<u32>,
    chars: Vec<u32>,
}

impl FeatureSink for Found {
    fn token(&mut self, token: &TokenFeatures<'_>) {
        token.each(&mut |family, hash| {
            let place = narrow(bucket(hash, self.shift));
            match family {
                Family::Words => self.words.push(place),
                Family::Characters => self.chars.push(place),
            }
        });
    }

    fn context(&mut self, hash: u64, _before: u8) {
        self.words.push(narrow(bucket(hash, self.shift)));
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a bucket has at most 22 bits")]
fn narrow(bucket: usize) -> u32 {
    bucket as u32
}

/// Whether the files of a set hold, together, rows of all sentiments; and frustrated rows and others.
fn classes_of(sets: &[DataSet], name: &str) -> (bool, bool) {
    let targets = || sets.iter().filter(|set| set.name == name).flat_map(|set| &set.rows).map(|row| row.targets);
    let sentiment = |class: usize| targets().any(|targets| targets.sentiment.is_some_and(|shares| shares[class] > 0.0));
    let side = |frustrated: bool| targets().any(|targets| targets.frustrated == Some(frustrated));
    ((0..3).all(sentiment), side(true) && side(false))
}

/// Weights that make the classes of a set count alike.
struct ClassWeights {
    sentiment: [f32; 3],
    frustration: [f32; 2],
}

impl ClassWeights {
    fn of(set: &DataSet) -> Self {
        let mut sentiment = [0.0; 3];
        let mut frustration = [0.0; 2];
        for row in &set.rows {
            for (total, share) in sentiment.iter_mut().zip(row.targets.sentiment.unwrap_or_default()) {
                *total += share;
            }
            if let Some(frustrated) = row.targets.frustrated {
                frustration[usize::from(frustrated)] += 1.0;
            }
        }
        Self { sentiment: balanced(sentiment), frustration: balanced(frustration) }
    }

    fn example(&self, row: &Row, set: &DataSet) -> Example {
        let recipe = &set.recipe;
        Example {
            targets: row.targets,
            signals: row.signals,
            language: row.language.map(language_index),
            reference: recipe.reference,
            head: recipe.frustration_head,
            told_apart: self.sentiment.map(|weight| weight > 0.0),
            counts_shares: recipe.sentiment >= 1.0,
            sentiment_weight: recipe.sentiment * self.sentiment(&row.targets),
            frustration_weight: recipe.frustration * self.frustration(&row.targets),
            signal_weight: recipe.signals,
            soft_weight: recipe.soft,
            language_weight: recipe.language,
            calibration_weight: recipe.sentiment_calibration,
            ..Example::silent()
        }
    }

    fn sentiment(&self, targets: &Targets) -> f32 {
        targets
            .sentiment
            .map_or(0.0, |shares| shares.iter().zip(self.sentiment).map(|(share, weight)| share * weight).sum())
    }

    fn frustration(&self, targets: &Targets) -> f32 {
        targets.frustrated.map_or(0.0, |frustrated| self.frustration[usize::from(frustrated)])
    }
}

/// Total over classes present / (classes present x rows of the class), within bounds.
fn balanced<const N: usize>(rows: [f32; N]) -> [f32; N] {
    let present = rows.iter().fold(0.0_f32, |count, &class| if class > 0.0 { count + 1.0 } else { count });
    let total: f32 = rows.iter().sum();
    rows.map(|class| if class > 0.0 { (total / (present * class)).min(MAX_CLASS_WEIGHT) } else { 0.0 })
}

/// By the text alone, so that adding a file moves no row of another and copies of a text stay on one side.
fn is_held_out(text: &str, seed: u64, holdout: f32) -> bool {
    let hash = crc32fast::hash(text.as_bytes()) ^ crc32fast::hash(&seed.to_le_bytes());
    let share = f64::from(hash.wrapping_mul(0x9e37_79b1)) / f64::from(u32::MAX);
    share < f64::from(holdout)
}
