//! What another implementation of the encoder is held to: the shipped files fit each other.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("models/encoder").join(name)
}

fn json(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(path(name)).unwrap()).unwrap()
}

fn numbers(row: &Value, field: &str) -> Vec<f64> {
    row[field].as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn each_fixture_has_token_ids_of_the_vocabulary_and_probabilities_of_every_head() {
    let (config, about) = (json("config.json"), json("latido.json"));
    let most = about["max_tokens"].as_u64().unwrap() as usize;
    let vocabulary = config["vocab_size"].as_f64().unwrap();
    let text = fs::read_to_string(path("fixtures.jsonl")).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 200);
    for row in &rows {
        let ids = numbers(row, "ids");
        assert!((2..=most).contains(&ids.len()) && ids.iter().all(|id| (0.0..vocabulary).contains(id)), "{row}");
        for (head, of) in about["heads"].as_object().unwrap() {
            let said = numbers(row, head);
            assert_eq!(said.len(), of["labels"].as_array().unwrap().len(), "{head}: {row}");
            assert!(said.iter().all(|share| (0.0..=1.0).contains(share)), "{head}: {row}");
        }
        assert!((numbers(row, "sentiment").iter().sum::<f64>() - 1.0).abs() < 1e-4, "{row}");
    }
}

#[test]
fn fixtures_hold_the_ids_of_what_the_network_sees() {
    let text = fs::read_to_string(path("fixtures.jsonl")).unwrap();
    let ids = |wanted: &str| {
        let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let row = rows.into_iter().find(|row| row["text"] == wanted).unwrap();
        numbers(&row, "ids")
    };
    // `<s>`, `</s>` and nothing between them.
    assert_eq!(ids("").len(), 2);
    assert_eq!(ids(" "), ids(""));
    // Entities are undone: four letters and marks at most, and not the names of the entities.
    assert!(ids("&amp; &lt;3").len() <= 6, "{:?}", ids("&amp; &lt;3"));
}

#[test]
fn every_language_has_a_calibration_and_the_files_stay_small() {
    let about = json("latido.json");
    for language in ["es", "en", "pt", "fr", "de", "it", "other"] {
        let calibration = &about["calibration"][language];
        assert!(calibration["temperature"].as_f64().is_some_and(|temperature| temperature > 0.0), "{language}");
        assert!(calibration["obstacle"]["factor"].as_f64().is_some(), "{language}");
    }
    assert_eq!(about["licence"], "MIT");
    let files = fs::read_dir(path("")).unwrap().map(|entry| entry.unwrap().metadata().unwrap());
    let bytes: u64 = files.filter(|file| file.is_file()).map(|file| file.len()).sum();
    assert!(bytes <= 45_000_000, "{bytes}");
}
