//! Models that a user brings: small random ones, saved as Hugging Face saves them.

use std::fs;
use std::path::Path;

use rust_bert::bert::BertForSequenceClassification;
use rust_bert::distilbert::DistilBertModelClassifier;
use rust_bert::roberta::RobertaForSequenceClassification;
use serde_json::json;
use tch::Tensor;
use tch::nn::VarStore;

use super::*;

const WORDS: [&str; 8] = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "malo", "bueno", "espera", "##ndo"];

/// Writes a random classifier of that type into a directory.
fn write_model(directory: &Path, model_type: &str, labels: &[&str]) {
    let id2label: serde_json::Map<_, _> =
        labels.iter().enumerate().map(|(id, label)| (id.to_string(), json!(label))).collect();
    // As current files are: without what rust-bert asks for.
    let mut config = json!({
        "model_type": model_type, "vocab_size": WORDS.len(), "max_position_embeddings": 40, "id2label": id2label, "pad_token_id": 0,
    });
    let shape = match model_type {
        "distilbert" => {
            json!({"dim": 16, "hidden_dim": 32, "n_heads": 2, "n_layers": 2, "dropout": 0.1, "attention_dropout": 0.1, "activation": "gelu"})
        }
        _ => {
            json!({"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2, "num_hidden_layers": 2, "hidden_dropout_prob": 0.1,
            "attention_probs_dropout_prob": 0.1, "type_vocab_size": 2, "hidden_act": "gelu"})
        }
    };
    config.as_object_mut().unwrap().extend(shape.as_object().unwrap().clone());
    fs::write(directory.join(NETWORK_CONFIG), config.to_string()).unwrap();
    fs::write(directory.join(files::TOKENIZER), tokenizer().to_string()).unwrap();
    let store = VarStore::new(tch::Device::Cpu);
    tch::manual_seed(7);
    match Plan::of(card::NetworkKind::Classifier, config).unwrap() {
        Plan::Bert(config) => drop(BertForSequenceClassification::new(store.root(), &config).unwrap()),
        Plan::Distil(config) => drop(DistilBertModelClassifier::new(store.root(), &config).unwrap()),
        Plan::Roberta(config) => drop(RobertaForSequenceClassification::new(store.root(), &config).unwrap()),
        Plan::Encoder(_) => unreachable!("a classifier"),
    }
    let named: Vec<(String, Tensor)> = store.variables().into_iter().collect();
    Tensor::write_safetensors(&named, directory.join(WEIGHTS)).unwrap();
}

fn tokenizer() -> Value {
    let vocabulary: serde_json::Map<_, _> =
        WORDS.iter().enumerate().map(|(id, word)| ((*word).to_owned(), json!(id))).collect();
    let special = |id: usize| json!({"id": id, "content": WORDS[id], "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true});
    let mark = |name: &str, id: usize| json!({"id": name, "ids": [id], "tokens": [name]});
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [special(0), special(1), special(2), special(3)],
        "normalizer": null, "pre_tokenizer": {"type": "Whitespace"}, "decoder": null,
        "post_processor": {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"[CLS]": mark("[CLS]", 1), "[SEP]": mark("[SEP]", 2)}},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocabulary},
    })
}

fn brought(model_type: &str, labels: &[&str]) -> (tempfile::TempDir, Result<Arc<Transformer>, TransformerError>) {
    let directory = tempfile::tempdir().unwrap();
    write_model(directory.path(), model_type, labels);
    let model = open(Some(directory.path()), Precision::Float32);
    (directory, model)
}

#[test]
fn bert_distilbert_roberta_and_xlm_roberta_classifiers_are_taken_as_they_are_saved() {
    for model_type in ["bert", "distilbert", "roberta", "xlm-roberta"] {
        let (_directory, model) = brought(model_type, &["negative", "neutral", "positive"]);
        let model = model.unwrap();
        let texts = ["malo", "bueno esperando", "malo malo malo malo espera"].map(|text| model.tokens(text));
        assert_eq!(texts[1].ids(), [1, 5, 6, 7, 2]);
        let (alone, together) = (logits(&model, &texts, 1), logits(&model, &texts, 3));
        for (one, other) in alone.iter().flatten().zip(together.iter().flatten()) {
            assert!((one - other).abs() < 1e-5, "{model_type}: {one} {other}");
        }
        let before = embedded("espera", Language::Spanish);
        let score = model.score(&alone[0], &before);
        assert_eq!(
            score.frustration, before.frustration,
            "a model of sentiment alone leaves frustration to the embedded one"
        );
        assert_ne!(score.sentiment, before.sentiment);
    }
}

#[test]
fn labels_go_by_name_and_not_by_place() {
    let (_kept, forwards) = brought("bert", &["NEGATIVE", "neutral", "Positive"]);
    let (_kept_too, backwards) = brought("bert", &["positive", "neutral", "negative"]);
    let (forwards, backwards) = (forwards.unwrap(), backwards.unwrap());
    let said = logits(&forwards, &[forwards.tokens("malo")], 1);
    let before = embedded("malo", Language::Spanish);
    let (one, other) = (forwards.score(&said[0], &before).sentiment, backwards.score(&said[0], &before).sentiment);
    let pairs = [(one.negative, other.positive), (one.neutral, other.neutral), (one.positive, other.negative)];
    assert!(pairs.iter().all(|(one, other)| (one.get() - other.get()).abs() < 1e-6), "{one:?} {other:?}");
    assert_ne!(one.negative, one.positive);
}

#[test]
fn a_model_of_two_labels_knows_nothing_neutral() {
    let (_kept, model) = brought("distilbert", &["NEGATIVE", "POSITIVE"]);
    let model = model.unwrap();
    let said = logits(&model, &[model.tokens("malo")], 1);
    let sentiment = model.score(&said[0], &embedded("malo", Language::Spanish)).sentiment;
    assert_eq!(sentiment.neutral.get(), 0.0);
}

#[test]
fn a_card_names_outputs_that_the_config_leaves_nameless() {
    let (directory, refused) = brought("bert", &["LABEL_0", "LABEL_1", "LABEL_2"]);
    let told = refused.unwrap_err().to_string();
    assert!(
        told.contains("config.json: the label `LABEL_0` names no sentiment") && told.contains("latido.json"),
        "{told}"
    );
    let card = json!({"format": 1, "heads": {"sentiment": {"kind": "softmax", "labels": ["negative", "neutral", "positive"]}}});
    fs::write(directory.path().join(files::CARD), card.to_string()).unwrap();
    open(Some(directory.path()), Precision::Float32).unwrap();
}

/// What is told once a file of a good model has been put right or wrong.
fn told_after(break_it: impl FnOnce(&Path)) -> String {
    let (directory, good) = brought("bert", &["negative", "neutral", "positive"]);
    good.unwrap();
    break_it(directory.path());
    let told = open(Some(directory.path()), Precision::Float32).unwrap_err().to_string();
    assert!(told.contains(&directory.path().display().to_string()), "the file is named: {told}");
    told
}

#[test]
fn a_file_that_is_missing_damaged_or_of_another_model_is_named_with_what_to_do() {
    let told = told_after(|path| fs::remove_file(path.join(files::TOKENIZER)).unwrap());
    assert!(told.contains("tokenizer.json: cannot be read") && told.contains("save_pretrained"), "{told}");
    let told = told_after(|path| fs::write(path.join(WEIGHTS), b"nonsense").unwrap());
    assert!(told.contains("model.safetensors: damaged"), "{told}");
    let told = told_after(|path| {
        fs::write(
            path.join(NETWORK_CONFIG),
            br#"{"model_type": "gpt2", "id2label": {"0": "negative", "1": "positive"}}"#,
        )
        .unwrap()
    });
    assert!(told.contains("`model_type` is `gpt2`; known are bert"), "{told}");
    let told = told_after(|path| {
        let config = fs::read_to_string(path.join(NETWORK_CONFIG)).unwrap();
        fs::write(path.join(NETWORK_CONFIG), config.replace("\"hidden_size\":16", "\"hidden_size\":32")).unwrap();
    });
    assert!(told.contains("and config.json asks for"), "{told}");
    let told = told_after(|path| fs::write(path.join(files::CARD), br#"{"format": 2}"#).unwrap());
    assert!(told.contains("latido.json: `format` is 2, this release reads 1"), "{told}");
}

#[test]
fn positions_that_a_model_has_not_got_are_never_asked_for() {
    for (model_type, most) in [("bert", 40), ("xlm-roberta", 38)] {
        let (_kept, model) = brought(model_type, &["negative", "positive"]);
        let model = model.unwrap();
        let tokens = model.tokens(&"espera ".repeat(500));
        assert_eq!(tokens.ids().len(), most, "{model_type}");
        assert!(logits(&model, &[tokens], 1)[0].iter().all(|logit| logit.is_finite()));
    }
}
