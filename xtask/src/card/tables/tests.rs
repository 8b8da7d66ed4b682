//! Promises of the tables.

use super::super::figures::{Model, Probabilities, Windows};
use super::*;

fn plan() -> Plan {
    toml::from_str(
        "[[sets]]\nfile = \"a.es.tsv\"\nname = \"A es\"\nin_mean = true\nsentiment_reference = \"linear 50\"\n\
         [[sets]]\nfile = \"b.es.tsv\"\nname = \"B es\"\nin_mean = true\n\
         [[sources]]\nname = \"A\"\nsets = [\"a\"]\nlanguages = \"es\"\nlicence = \"MIT\"\nfor = \"sentiment\"\n\
         [[examples]]\nweakness = \"sarcasm\"\ntext = \"qué | bien\"\nsentiment = \"negative\"\nfrustrated = true\n",
    )
    .unwrap()
}

fn group(macro_f1: f64) -> Group {
    let interval = Interval { low: 0.5, high: 0.75 };
    Group {
        rows: 1_234,
        seen: 17,
        sentiment: Some(Sentiment {
            rows: 1_234,
            macro_f1,
            macro_f1_interval: interval,
            accuracy: 0.662,
            confidence: 0.701,
            calibration_error: 0.02,
            calibration_error_interval: Interval { low: 0.016, high: 0.044 },
            calibration_error_if_perfect: Interval { low: 0.005, high: 0.028 },
        }),
        language: Some(Language {
            rows: 1_234,
            accuracy: 0.9,
            rows_of_3_words: 1_000,
            accuracy_of_3_words: Some(0.99),
        }),
        negative_windows: Some(Windows { counted_error: 0.081, adjusted_error: 0.03, interval_holds: 0.958 }),
        ..Group::default()
    }
}

fn figures() -> Figures {
    let scored = Scored {
        text: "qué | bien".to_owned(),
        sentiment: Probabilities { negative: 0.1, neutral: 0.2, positive: 0.7 },
        frustration: 0.6,
        language: "es".to_owned(),
        signals: vec!["praise".to_owned()],
    };
    let region = Group { by: Some("region".to_owned()), set: "mx".to_owned(), ..group(0.6) };
    Figures {
        model: Model {
            sha256: "ab".to_owned(),
            bytes: 10_450_000,
            seed: 7,
            epochs: 5,
            rows: [("a.es".to_owned(), 12_000)].into(),
        },
        taught: BTreeMap::new(),
        languages: vec![Group { by: Some("language".to_owned()), set: "es".to_owned(), ..group(0.6) }],
        sets: [("a.es.tsv".to_owned(), group(0.6)), ("b.es.tsv".to_owned(), group(0.7))].into(),
        corpus: vec![region, Group { set: "all".to_owned(), ..group(0.65) }],
        examples: vec![scored],
    }
}

#[test]
fn every_figure_stands_with_its_interval_its_file_and_its_reference() {
    let parts = all(&plan(), &figures(), 0).unwrap();
    let row = "| A es | `a.es.tsv` | 1,234 | 17 | 60.0 [50.0, 75.0] | 2.0 | 0.5 to 2.8 | 99.0 | 90.0 | linear 50 |";
    assert!(parts["sentiment"].contains(row), "{}", parts["sentiment"]);
    let row = "| A es | negative | 8.1 | 3.0 | 95.8 |";
    assert!(parts["windows"].contains(row), "{}", parts["windows"]);
    assert_eq!((parts["mean"].as_str(), parts["megabytes"].as_str()), ("65.0", "10.4"));
    assert!(parts["by_region"].contains("| mx | 1,234 | 60.0 [50.0, 75.0] | - |"), "{}", parts["by_region"]);
    assert!(parts["by_region"].contains("| all |") && !parts["by_channel"].contains("| mx |"));
    assert!(NAMES.iter().all(|name| parts.contains_key(name)) && NAMES.len() == parts.len());
}

#[test]
fn the_calibration_error_of_a_language_stands_with_what_chance_makes_of_it() {
    let mut figures = figures();
    let own = |set: &str| Group { by: Some("language".to_owned()), set: set.to_owned(), ..group(0.6) };
    figures.corpus.extend([own("es"), own("fr")]);
    if let Some(french) = figures.corpus.last_mut().and_then(|group| group.sentiment.as_mut()) {
        french.rows = 99;
    }
    let table = all(&plan(), &figures, 0).unwrap().remove("calibration").unwrap();
    let rows: Vec<&str> = table.lines().skip(2).collect();
    let figures = "1,234 | 70.1 | 66.2 | 2.0 [1.6, 4.4] | 0.5 to 2.8 |";
    assert_eq!(rows, [format!("| es | public sets | {figures}"), format!("| es | own messages | {figures}")]);
}

#[test]
fn a_group_with_few_frustrated_rows_is_not_judged_by_them() {
    let interval = Interval { low: 0.1, high: 0.9 };
    let frustration = |frustrated| Frustration {
        rows: 70,
        frustrated,
        roc_auc: 0.8,
        roc_auc_interval: interval,
        f1: 0.7,
        f1_interval: interval,
        precision: None,
        recall: Some(0.5),
        calibration_error: 0.1,
    };
    let with = |frustrated| {
        let mut figures = figures();
        figures.corpus[0].frustration = Some(frustration(frustrated));
        all(&plan(), &figures, 0).unwrap().remove("by_region").unwrap()
    };
    assert!(!with(9).contains("80.0 [10.0, 90.0]") && !with(61).contains("80.0 [10.0, 90.0]"));
    assert!(with(10).contains("80.0 [10.0, 90.0] | 70.0 [10.0, 90.0]"), "{}", with(10));
}

#[test]
fn an_example_shows_what_the_model_says_and_where_it_is_wrong() {
    let table = all(&plan(), &figures(), 0).unwrap().remove("examples").unwrap();
    let row = "| sarcasm | qué \\| bien | negative, frustrated | positive 0.70, frustration 0.60, `praise` | sentiment wrong |";
    assert!(table.contains(row), "{table}");
}

#[test]
fn a_set_that_no_source_names_is_refused() {
    let mut figures = figures();
    figures.model.rows.insert("stolen.es".to_owned(), 5);
    let error = all(&plan(), &figures, 0).unwrap_err().to_string();
    assert!(error.contains("`stolen.es`") && error.contains("licence"), "{error}");
}

#[test]
fn a_set_without_figures_is_named() {
    let mut figures = figures();
    figures.sets.clear();
    let error = all(&plan(), &figures, 0).unwrap_err().to_string();
    assert!(error.contains("no figures of a.es.tsv") && error.contains("--data DIR --write"), "{error}");
}

#[test]
fn a_corpus_that_grew_is_told_and_one_that_did_not_is_not() {
    let told = |rows| all(&plan(), &figures(), rows).unwrap().remove("new_rows").unwrap();
    assert_eq!((told(0).as_str(), told(1_200).as_str()), ("", " (the corpus has gained 1,200 since)"));
}

#[test]
fn counts_are_told_in_thousands() {
    assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
}
