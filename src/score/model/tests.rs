//! Promises of the model file.

use super::file::{CHECKSUM, PREAMBLE};
use super::layout::{CHANNELS, OUTPUTS, POOLED};
use super::*;

fn tiny() -> EmbeddedModel {
    let header = Header {
        bits: 8,
        hidden: 2,
        scales: [0.5; CHANNELS],
        biases: [0.0; OUTPUTS],
        calibration: Calibration::default(),
        prior: [0.1, 0.8, 0.1, 0.1],
        provenance: Provenance::default(),
    };
    let dense = Dense { input: vec![[0.25; POOLED]; 2], bias: vec![-1.0, 1.0], output: vec![[0.5; OUTPUTS]; 2] };
    let rows = (0..=255_u8).map(|at| [at.cast_signed(); CHANNELS]).collect();
    EmbeddedModel { header, rows, dense }
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
fn what_is_written_is_read_back() {
    let model = tiny();
    assert_eq!(EmbeddedModel::from_bytes(&model.to_bytes().unwrap(), "ours.latido").unwrap(), model);
}

#[test]
fn the_built_in_model_is_whole_and_small() {
    let bytes = include_bytes!("../../../models/embedded.latido");
    assert!(bytes.len() <= 12 << 20);
    assert!(!EmbeddedModel::builtin().unwrap().provenance().sets.is_empty());
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
    assert!(refused(&model.to_bytes().unwrap()).contains("not finite"));
}

#[test]
fn a_missing_file_is_named() {
    let message = EmbeddedModel::load(Path::new("/nowhere/ours.latido")).unwrap_err().to_string();
    assert!(message.contains("/nowhere/ours.latido"), "{message}");
}
