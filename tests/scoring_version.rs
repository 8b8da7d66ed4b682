//! What a model says of a fixed set of texts. Whoever changes it changes what every department's ratios are: the daemon is to know.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has said what is wrong")]

use std::fs;
use std::path::Path;

use latido::config::{ScorerConfig, SignalsConfig};
use latido::message::Language;
use latido::score::{EmbeddedScorer, SCORING_VERSION, Scorer as _, Text, open, open_rules};
use serde::{Deserialize, Serialize};

/// Each kind of thing that scoring code looks at: languages known and unknown, stretched words, emoji, addresses, digits, case, marks.
const TEXTS: &[(&str, Option<Language>)] = &[
    ("Llevo tres semanas esperando el reembolso y nadie me contesta", Some(Language::Spanish)),
    ("llevo tres semanas esperando el reembolso y nadie me contesta", None),
    ("LLEVO TRES SEMANAS ESPERANDO!!!", None),
    ("muuuchas graciaaas por todo 😍", None),
    ("pesima atencion, q verguenza", None),
    ("¿A qué hora abren mañana?", Some(Language::Spanish)),
    ("no está mal, pero podría ser mejor", None),
    ("The parcel arrived broken for the second time. Unbelievable.", Some(Language::English)),
    ("thanks a lot, works perfectly now :)", None),
    ("not bad at all", None),
    ("I can't log in, your app keeps crashing 😡😡", None),
    ("O pedido não chegou e ninguém responde", Some(Language::Portuguese)),
    ("obrigada, fui muito bem atendida", None),
    ("Je n'arrive plus à me connecter depuis lundi", None),
    ("Die Lieferung kam pünktlich, vielen Dank", None),
    ("il servizio è pessimo", None),
    ("https://example.com/pedido?id=12345", None),
    ("pedido 99-1234567, ver ana@example.com", None),
    ("ok", None),
    ("👍", None),
    ("注文した商品が届きません", None),
    ("asdkjh qwlekj zxmcnb", None),
    ("", None),
    ("El cajero se tragó mi tarjeta y en la sucursal me dijeron que vuelva el lunes; ya es la tercera vez", None),
];

/// What was said, by which scoring with which file.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Golden {
    scoring_version: u32,
    model_checksum: u32,
    scores: Vec<String>,
}

fn now() -> Golden {
    let model = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("models/embedded.latido")).unwrap();
    let rules = open_rules(&SignalsConfig::default()).unwrap();
    let mut scorer = EmbeddedScorer::new(open(&ScorerConfig::default()).unwrap(), rules);
    let texts: Vec<Text<'_>> = TEXTS.iter().map(|(text, language)| Text { text, language: *language }).collect();
    let mut scores = Vec::new();
    scorer.score(&texts, &mut scores);
    let line = |(text, score): (&(&str, _), &latido::message::Score)| {
        let sentiment = score.sentiment;
        let [negative, positive, frustration] =
            [sentiment.negative, sentiment.positive, score.frustration].map(|probability| probability.get());
        let cells = (score.share_cells.sentiment, score.share_cells.frustration);
        format!("{negative:.3} {positive:.3} {frustration:.3} {cells:?} {} | {}", score.language.as_str(), text.0)
    };
    Golden {
        scoring_version: SCORING_VERSION,
        model_checksum: u32::from_le_bytes(*model.last_chunk().unwrap()),
        scores: TEXTS.iter().zip(&scores).map(line).collect(),
    }
}

#[test]
fn scoring_that_says_otherwise_with_the_same_model_has_another_version() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/scores.json");
    let now = now();
    let known = fs::read_to_string(&path).ok().map(|text| serde_json::from_str::<Golden>(&text).unwrap());
    let is_same =
        |known: &Golden| (known.scoring_version, known.model_checksum) == (now.scoring_version, now.model_checksum);
    if let Some(known) = known.as_ref().filter(|known| is_same(known)) {
        assert_eq!(
            now.scores, known.scores,
            "the same model scores otherwise: raise SCORING_VERSION in src/score/mod.rs, so that the change is taken for one of \
             model and not of mood, then run this test with UPDATE_GOLDEN=1"
        );
        return;
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, format!("{}\n", serde_json::to_string_pretty(&now).unwrap())).unwrap();
        return;
    }
    panic!(
        "the model or SCORING_VERSION is another than in tests/golden/scores.json: run this test with UPDATE_GOLDEN=1"
    );
}
