//! Promises of the model file.

use super::file::{CHECKSUM, PREAMBLE};
use std::sync::LazyLock;

use proptest::prelude::*;

use super::layout::{CHANNELS, OUTPUTS, POOLED};
use super::*;
use crate::message::{ModelId, Probability};
use crate::score::signals::Rules;
use crate::score::{EmbeddedScorer, Text};

fn tiny() -> EmbeddedModel {
    let header = Header {
        bits: 8,
        hidden: 2,
        scales: [0.5; CHANNELS],
        biases: [0.0; OUTPUTS],
        calibration: Calibration::default(),
        prior: [0.1, 0.8, 0.1, 0.1],
        shares: Shares::default(),
        provenance: Provenance::default(),
    };
    let dense = Dense { input: vec![[0.25; POOLED]; 2], bias: vec![-1.0, 1.0], output: vec![[0.5; OUTPUTS]; 2] };
    let table = Table::new((0..=255_u8).map(|at| [at.cast_signed(); CHANNELS]));
    EmbeddedModel { id: ModelId::UNKNOWN, header, table, dense }
}

fn refused(bytes: &[u8]) -> String {
    let message = EmbeddedModel::from_bytes(bytes, "ours.latido").unwrap_err().to_string();
    assert!(message.contains("ours.latido"), "the file is named: {message}");
    message
}

/// Sets the checksum right again, as a file would have it that was written so.
fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - CHECKSUM;
    let checksum = crc32fast::hash(&bytes[..end]).to_le_bytes();
    bytes[end..].copy_from_slice(&checksum);
    bytes
}

#[test]
fn models_that_differ_have_other_ids_and_the_same_bytes_the_same_one() {
    let id_of = |model: &EmbeddedModel| EmbeddedModel::from_bytes(&model.to_bytes().unwrap(), "ours").unwrap().id();
    let mut other = tiny();
    other.header.biases[0] += 0.5;
    assert_eq!(id_of(&tiny()), id_of(&tiny()));
    assert_ne!(id_of(&tiny()), id_of(&other));
    assert_ne!(id_of(&tiny()), ModelId::UNKNOWN);
}

#[test]
fn what_is_written_is_read_back() {
    let model = tiny();
    let read = EmbeddedModel::from_bytes(&model.to_bytes().unwrap(), "ours.latido").unwrap();
    assert_eq!(read, EmbeddedModel { id: read.id, ..model });
}

#[test]
fn the_built_in_model_is_whole_and_small() {
    let bytes = include_bytes!("../../../models/embedded.latido");
    assert!(bytes.len() <= 12 << 20);
    let model = EmbeddedModel::builtin().unwrap();
    let Provenance { first, adapted } = model.provenance();
    assert!(!first.sets.is_empty() && !first.calibrated_on.is_empty() && adapted.is_empty());
    assert!(model.header.shares.sentiment.is_some() && model.header.shares.frustration.is_some());
}

#[test]
fn the_built_in_header_is_written_as_it_was_read() {
    let bytes = include_bytes!("../../../models/embedded.latido");
    let written = serde_json::to_vec(&EmbeddedModel::builtin().unwrap().header).unwrap();
    assert!(bytes[PREAMBLE..].starts_with(&written), "training the shipped model again would give other bytes");
}

#[test]
fn a_foreign_or_empty_file_is_told_apart() {
    assert!(refused(b"\x7fELF and more").contains("not a Latido model"));
    assert!(refused(b"").contains("not a Latido model"));
}

#[test]
fn a_newer_version_is_named_with_the_one_expected() {
    let mut bytes = tiny().to_bytes().unwrap();
    bytes[8..12].copy_from_slice(&9_u32.to_le_bytes());
    let message = refused(&bytes);
    assert!(message.contains("format 9") && message.contains("reads 2"), "{message}");
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let bytes = tiny().to_bytes().unwrap();
    for end in 0..bytes.len() {
        refused(&bytes[..end]);
    }
    assert!(refused(&bytes[..bytes.len() - 1]).contains("cut off"));
}

#[test]
fn a_flipped_bit_anywhere_is_noticed() {
    let bytes = tiny().to_bytes().unwrap();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        refused(&damaged);
    }
}

#[test]
fn a_sealed_file_with_a_senseless_header_is_refused() {
    let mut model = tiny();
    model.header.bits = 30;
    assert!(refused(&model.to_bytes().unwrap()).contains("2^30"));
    let mut model = tiny();
    model.header.bits = 9;
    assert!(refused(&model.to_bytes().unwrap()).contains("expected 16384"));
    let mut bytes = tiny().to_bytes().unwrap();
    bytes[PREAMBLE] = b'x';
    assert!(refused(&resealed(bytes)).contains("cannot be used"));
}

#[test]
fn hidden_units_that_are_missing_or_endless_are_refused() {
    let mut model = tiny();
    model.header.hidden = 3;
    assert!(refused(&model.to_bytes().unwrap()).contains("3 hidden units"));
    let mut model = tiny();
    model.dense.bias[0] = f32::NAN;
    assert!(refused(&model.to_bytes().unwrap()).contains("NaN, expected -10000 to 10000"));
}

#[test]
fn numbers_that_no_score_could_be_made_of_are_named() {
    let message = |change: fn(&mut EmbeddedModel)| {
        let mut model = tiny();
        change(&mut model);
        refused(&model.to_bytes().unwrap())
    };
    assert!(message(|model| model.header.scales[3] = 1e30).contains("expected -10000 to 10000"));
    assert!(message(|model| model.header.scales[RARITY] = 0.0).contains("rarity is 0, expected 0.0001 to 10000"));
    assert!(message(|model| model.header.prior = [0.5, 0.5, 0.5, 0.1]).contains("expected three shares of 1"));
    assert!(message(|model| model.header.calibration.sentiment[1].temperature = -1.0).contains("temperature is -1"));
    assert!(message(|model| model.header.calibration.signals[0] = -2e4).contains("calibration holds -20000"));
    assert!(message(|model| model.dense.input[0][0] = 2e4).contains("hidden unit is 20000"));
}

#[test]
fn a_file_without_an_end_is_refused() {
    // A gigabyte of nothing, which takes no room on the disk.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("endless.latido");
    File::create(&path).unwrap().set_len(1 << 30).unwrap();
    let message = EmbeddedModel::load(&path).unwrap_err().to_string();
    assert!(message.contains("endless.latido") && message.contains("not a Latido model"), "{message}");
}

/// What a file that is no longer as it was written may do: be refused by name, or score soundly.
fn refused_or_sound(bytes: &[u8]) {
    match EmbeddedModel::from_bytes(bytes, "ours.latido") {
        Ok(model) => {
            let mut scorer = EmbeddedScorer::new(Arc::new(model), Arc::clone(&RULES));
            for text in ["", "no funciona \u{1f621}", "aaaa", "hola hola hola 123"] {
                let score = scorer.score_one(Text { text, language: None });
                let sentiment = score.sentiment;
                let sum: f32 =
                    [sentiment.negative, sentiment.neutral, sentiment.positive].map(Probability::get).iter().sum();
                assert!((sum - 1.0).abs() < 2e-3, "{score:?}");
            }
        }
        Err(error) => {
            assert!(error.to_string().starts_with("ours.latido ") && error.to_string().contains("; "), "{error}")
        }
    }
}

static TINY: LazyLock<Vec<u8>> = LazyLock::new(|| tiny().to_bytes().unwrap());
static RULES: LazyLock<Arc<Rules>> = LazyLock::new(|| Rules::builtin().unwrap());

proptest! {
    #[test]
    fn any_bytes_are_refused_by_name(bytes in proptest::collection::vec(any::<u8>(), 0..600), marked in any::<bool>()) {
        let whole = if marked { [&TINY[..12], &bytes].concat() } else { bytes };
        refused_or_sound(&whole);
        if whole.len() > CHECKSUM {
            refused_or_sound(&resealed(whole));
        }
    }

    #[test]
    fn a_damaged_file_is_refused_or_scores_soundly(
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        kept in prop::option::of(any::<prop::sample::Index>()),
        more in proptest::collection::vec(any::<u8>(), 0..9),
    ) {
        let mut bytes = TINY.clone();
        for (at, bits) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= bits;
        }
        bytes.truncate(kept.map_or(TINY.len(), |kept| kept.index(TINY.len())));
        bytes.extend(more);
        refused_or_sound(&bytes);
        if bytes.len() > CHECKSUM {
            // As a broken program would write it: the checksum is right, the content is not.
            refused_or_sound(&resealed(bytes));
        }
    }

    #[test]
    fn a_header_of_odd_numbers_is_refused_or_scores_soundly(
        odd in proptest::collection::vec((0..CHANNELS + OUTPUTS + 8, prop_oneof![any::<f32>(), -2e4_f32..2e4]), 1..4),
    ) {
        let mut model = tiny();
        let Header { scales, biases, calibration, prior, .. } = &mut model.header;
        let one = &mut calibration.sentiment[0];
        let other = &mut calibration.frustration[6];
        let mut numbers: Vec<&mut f32> = scales.iter_mut().chain(biases).chain(prior).collect();
        numbers.extend([&mut one.temperature, &mut one.offsets[0], &mut other.negative, &mut other.obstacle]);
        for (at, number) in odd {
            *numbers[at] = number;
        }
        refused_or_sound(&model.to_bytes().unwrap());
    }
}

#[test]
fn a_missing_file_is_named() {
    let message = EmbeddedModel::load(Path::new("/nowhere/ours.latido")).unwrap_err().to_string();
    assert!(message.contains("/nowhere/ours.latido"), "{message}");
}

#[test]
fn units_side_by_side_say_what_units_say_one_by_one() {
    let mut state = 3_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from(u16::try_from(state >> 16).unwrap()) / 32_768.0 - 1.0
    };
    for units in [0, 1, 8, 13, 64] {
        let dense = Dense {
            input: (0..units).map(|_| std::array::from_fn(|_| next())).collect(),
            bias: (0..units).map(|_| next()).collect(),
            output: (0..units).map(|_| std::array::from_fn(|_| next())).collect(),
        };
        let model = EmbeddedModel { dense, ..tiny() };
        let pooled: Pooled = std::array::from_fn(|_| next());
        let outputs = Blocks::new(&model.dense).outputs(model.header.biases, &pooled);
        assert_eq!(outputs.map(f32::to_bits), model.outputs(&pooled).map(f32::to_bits), "{units} units");
    }
}
