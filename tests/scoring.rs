//! `latido score`, `latido train` and `latido eval` as a user meets them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn latido(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latido"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn fed(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = latido(arguments).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    output
}

fn json_lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn arguments_are_scored_in_order() {
    let output = latido(&["score", "--lang", "es", "gracias por todo", "esto es una vergüenza"]).output().unwrap();
    assert!(output.status.success());
    let lines = json_lines(&output);
    assert_eq!(lines[0]["text"], "gracias por todo");
    assert_eq!(lines[1]["language"], "es");
    let sum: f64 =
        ["negative", "neutral", "positive"].iter().map(|name| lines[1]["sentiment"][name].as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-4);
    assert!((0.0..=1.0).contains(&lines[1]["frustration"].as_f64().unwrap()));
    assert_eq!(lines[1]["scorer"], "embedded");
    assert_eq!(lines[1]["signals"], serde_json::json!([]));
}

#[test]
fn signals_are_printed_and_explained_and_rules_of_ones_own_join() {
    let directory = tempfile::tempdir().unwrap();
    let rules = directory.path().join("ours.toml");
    std::fs::write(&rules, "[[rules]]\nname = \"ours\"\nsignals = [\"outage\"]\nany = [\"pantalla lila\"]\n").unwrap();
    let rules = rules.to_str().unwrap();
    let text = "llevo dos horas esperando con la pantalla lila";
    let output = latido(&["score", "--lang", "es", "--explain", "--signals", rules, text]).output().unwrap();
    let line = &json_lines(&output)[0];
    assert_eq!(line["signals"], serde_json::json!(["waiting", "unresolved", "outage"]));
    assert!(line["rules"].as_array().unwrap().contains(&"ours".into()), "{line}");
    let plain = latido(&["score", "--lang", "es", text]).output().unwrap();
    assert!(json_lines(&plain)[0].get("rules").is_none());
    let missing = latido(&["score", "--signals", "nowhere.toml", "x"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("nowhere.toml: the file cannot be read"), "{missing:?}");
}

#[test]
fn an_explanation_sums_to_the_score_and_names_places_in_the_text() {
    let text = "¡No funciona naaaada! 😡";
    let output = latido(&["score", "--lang", "es", "--explain", text]).output().unwrap();
    let line = &json_lines(&output)[0];
    let words = line["words"].as_array().unwrap();
    let places: Vec<&str> = words.iter().map(|word| word["word"].as_str().unwrap()).collect();
    assert_eq!(places, ["¡", "No", "funciona", "naaaada", "!", "😡"]);
    assert_eq!((&words[1]["bytes"], &words[1]["chars"]), (&serde_json::json!([2, 4]), &serde_json::json!([1, 3])));
    for (part, score) in [("negative", &line["sentiment"]["negative"]), ("frustration", &line["frustration"])] {
        let sum: f64 = words.iter().chain([&line["base"]]).map(|of| of[part].as_f64().unwrap()).sum();
        assert!((1.0 / (1.0 + (-sum).exp()) - score.as_f64().unwrap()).abs() < 1e-3, "{part}: {line}");
    }
    let plain = latido(&["score", "--lang", "es", text]).output().unwrap();
    assert!(json_lines(&plain)[0].get("words").is_none());
    let table = latido(&["score", "--lang", "es", "--explain", "--table", text]).output().unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.starts_with(text) && table.contains("\n  naaaada "), "{table}");
    assert_eq!(latido(&["score", "--table", text]).output().unwrap().status.code(), Some(2));
}

#[test]
fn a_text_in_a_language_that_no_one_taught_is_scored_and_marked() {
    let output = latido(&["score", "где моя посылка", "¿dónde está mi pedido?"]).output().unwrap();
    let lines = json_lines(&output);
    assert_eq!((&lines[0]["language"], &lines[0]["unsupported_language"]), (&"other".into(), &true.into()));
    assert!(lines[1].get("unsupported_language").is_none(), "{}", lines[1]);
}

/// The share of a corpus split's rows that `latido eval` calls right, by a figure of all of them.
fn corpus_share(of: &str, figure: &str) -> f64 {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/corpus");
    let is_asked = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().contains(of));
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<String> = paths.filter(|path| is_asked(path)).map(|path| path.display().to_string()).collect();
    files.sort();
    let mut arguments = vec!["eval", "--json", "--samples", "0", "--split", "test", "--by", "sector", "--data"];
    arguments.extend(files.iter().map(String::as_str));
    let output = latido(&arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let all = report["sets"].as_array().unwrap().last().unwrap().clone();
    all.pointer(figure).and_then(Value::as_f64).unwrap()
}

#[test]
fn most_messages_in_other_languages_in_latin_letters_are_marked() {
    let share = corpus_share("elsewhere.", "/language/accuracy_of_3_words");
    assert!(share >= 0.7, "{share}");
}

#[test]
fn most_negated_praise_and_blame_is_read_rightly() {
    let share = corpus_share("-negation.", "/sentiment/accuracy");
    assert!(share >= 0.65, "{share}");
}

#[test]
fn eval_says_how_well_signals_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("made.es.tsv");
    std::fs::write(&data, "text\tsignals\nllevo dos horas esperando\twaiting,unresolved\nbuenos días\t-\n").unwrap();
    let data = data.to_str().unwrap();
    let json = latido(&["eval", "--json", "--data", data]).output().unwrap();
    let report: Value = serde_json::from_slice(&json.stdout).unwrap();
    let signals = &report["sets"][0]["signals"];
    assert_eq!((&signals["rows"], &signals["macro_of"]), (&2.into(), &2.into()));
    assert_eq!(signals["signals"][0]["recall"], 1.0);
    let table = latido(&["eval", "--data", data]).output().unwrap();
    assert!(String::from_utf8_lossy(&table.stdout).contains("macro-F1 of the 2 most frequent"), "{table:?}");
}

#[test]
fn a_json_line_that_cannot_be_used_costs_the_exit_code_and_no_other_line() {
    let output = fed(&["score", "--input", "json"], b"{\"id\":\"a\",\"text\":\"hola\"}\nnonsense\n{\"text\":\"ok\"}\n");
    assert_eq!(output.status.code(), Some(1));
    let lines = json_lines(&output);
    assert_eq!(lines[0]["id"], "a");
    assert_eq!(lines[1]["line"], 2);
    assert_eq!(lines[2]["text"], "ok");
}

#[test]
fn a_reader_who_leaves_early_ends_it_quietly() {
    let mut child = latido(&["score"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        // Ends when the other side closes: that it may fail is the point.
        while stdin.write_all(b"una linea como tantas\n".repeat(1_000).as_slice()).is_ok() {}
    });
    let mut first = [0_u8; 64];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_wrong_language_or_model_is_named() {
    let usage = latido(&["score", "--lang", "klingon", "x"]).output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
    let missing = latido(&["score", "--model", "nowhere.latido", "x"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("nowhere.latido"));
}

#[test]
fn a_model_trained_on_the_shipped_messages_serves_eval_and_score() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("ours.latido");
    let messages = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/own/customer-messages.jsonl");
    let (out, messages) = (out.to_str().unwrap(), messages.to_str().unwrap());
    let recipe = directory.path().join("recipe.toml");
    std::fs::write(&recipe, "bits = 14\nepochs = 3\nmin_texts = 1\n").unwrap();
    let trained =
        latido(&["train", "--data", messages, "--out", out, "--recipe", recipe.to_str().unwrap()]).output().unwrap();
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    let eval = latido(&["eval", "--model", out, "--data", messages, "--json", "--samples", "20"]).output().unwrap();
    let report: Value = serde_json::from_slice(&eval.stdout).unwrap();
    assert!(report["sets"][0]["sentiment"]["macro_f1"].as_f64().unwrap() > 0.8);
    assert!(report["sets"][0]["frustration"]["roc_auc"].as_f64().unwrap() > 0.8);
    let table = latido(&["eval", "--model", out, "--data", messages, "--samples", "0"]).output().unwrap();
    assert!(String::from_utf8_lossy(&table.stdout).contains("macro-F1"));
    assert!(latido(&["score", "--model", out, "hola"]).output().unwrap().status.success());
}

/// Labelled texts of two regions, and a small model made from them.
fn ground(directory: &Path) -> [String; 2] {
    let data = directory.join("made.jsonl");
    let mut lines = String::new();
    let moods = [
        ("estoy harto de tanto esperar", "negative"),
        ("a qué hora abren mañana", "neutral"),
        ("muchas gracias por la ayuda", "positive"),
    ];
    for at in 0..40 {
        let (text, label) = moods[at % moods.len()];
        let (region, frustrated) = (if at < 30 { "mx" } else { "es" }, label == "negative");
        lines += &format!(
            "{{\"text\":\"{text} {at}\",\"label\":\"{label}\",\"frustrated\":{frustrated},\"region\":\"{region}\"}}\n"
        );
    }
    std::fs::write(&data, lines).unwrap();
    let (recipe, out) = (directory.join("recipe.toml"), directory.join("ours.latido"));
    std::fs::write(&recipe, "bits = 10\nepochs = 1\nmin_texts = 1\n").unwrap();
    let paths = [data, out, recipe].map(|path| path.to_str().unwrap().to_owned());
    let trained = latido(&["train", "--data", &paths[0], "--out", &paths[1], "--recipe", &paths[2]]).output().unwrap();
    assert!(trained.status.success(), "{trained:?}");
    let [data, out, _] = paths;
    [data, out]
}

#[test]
fn eval_gives_figures_by_group_and_of_all_rows() {
    let directory = tempfile::tempdir().unwrap();
    let [data, _] = ground(directory.path());
    let output = latido(&["eval", "--json", "--by", "region", "--by", "region", "--data", &data]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let told: Vec<_> =
        report["sets"].as_array().unwrap().iter().map(|set| (&set["by"], &set["set"], &set["rows"])).collect();
    let region = Value::from("region");
    let (mx, es, all) = (Value::from("mx"), Value::from("es"), Value::from("all"));
    assert_eq!(told, [(&region, &mx, &30.into()), (&region, &es, &10.into()), (&Value::Null, &all, &40.into())]);
    let table = latido(&["eval", "--by", "region", "--data", &data]).output().unwrap();
    assert!(String::from_utf8_lossy(&table.stdout).starts_with("region mx: 30 rows"), "{table:?}");
}

#[test]
fn eval_compares_two_models_and_says_what_can_be_told() {
    let directory = tempfile::tempdir().unwrap();
    let [data, ours] = ground(directory.path());
    let compare = |more: &[&str]| {
        latido(&[&["eval", "--samples", "200", "--compare", &ours, "--data", &data], more].concat()).output().unwrap()
    };
    let json = compare(&["--json"]);
    let report: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&report["a"], &report["b"]), (&"the built-in model".into(), &ours.as_str().into()));
    let figure = &report["sets"][0]["figures"][0];
    assert_eq!((&figure["figure"], &figure["rows"]), (&"sentiment_macro_f1".into(), &40.into()));
    let [low, high] = ["low", "high"].map(|end| figure["interval"][end].as_f64().unwrap());
    assert!((low..=high).contains(&figure["difference"].as_f64().unwrap()), "{figure}");
    let told = match figure["verdict"].as_str().unwrap() {
        "better" => low > 0.0,
        "worse" => high < 0.0,
        "cannot_be_told" => low <= 0.0 && 0.0 <= high,
        "same" => low == 0.0 && high == 0.0,
        _ => false,
    };
    assert!(told, "{figure}");
    assert_eq!(compare(&["--json"]).stdout, json.stdout);
    let table = compare(&["--by", "region"]);
    assert!(String::from_utf8_lossy(&table.stdout).contains("B is ") && table.status.success(), "{table:?}");
}

#[test]
fn eval_leaves_out_what_training_saw() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (data, seen) = (path("made.es.tsv"), path("seen.es.tsv"));
    std::fs::write(&data, "text\tlabel\nya llevo tres horas esperando\tnegative\nabren mañana en la tarde\tneutral\n")
        .unwrap();
    std::fs::write(&seen, "text\tlabel\n@banco Ya llevo 😡 tres horas ESPERANDO!\tnegative\n").unwrap();
    let json = latido(&["eval", "--json", "--data", &data, "--except", &seen]).output().unwrap();
    let report: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&report["sets"][0]["rows"], &report["sets"][0]["seen"]), (&1.into(), &1.into()));
    let table = latido(&["eval", "--data", &data, "--except", &seen]).output().unwrap();
    assert!(String::from_utf8_lossy(&table.stdout).contains("1 rows whose texts were seen in training"), "{table:?}");
}

#[test]
fn eval_leaves_out_texts_of_a_file_whatever_its_labels_mean() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (data, seen) = (path("made.es.tsv"), path("reasons.es.tsv"));
    std::fs::write(&data, "text\tlabel\nya llevo tres horas esperando\tnegative\nabren mañana en la tarde\tneutral\n")
        .unwrap();
    for file in
        ["text\tlabel\nya llevo tres horas esperando\tCan't Tell\n", "id\ttext\n7\tya llevo tres horas esperando\n"]
    {
        std::fs::write(&seen, file).unwrap();
        let arguments = ["eval", "--json", "--model", "builtin", "--data", &data, "--except", &seen];
        let json = latido(&arguments).output().unwrap();
        let report: Value = serde_json::from_slice(&json.stdout).unwrap();
        assert_eq!((&report["sets"][0]["rows"], &report["sets"][0]["seen"]), (&1.into(), &1.into()), "{file}");
    }
}

#[test]
fn a_language_that_is_no_tag_stops_the_training_and_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (data, out) = (path("ours.jsonl"), path("ours.latido"));
    let row = "{\"text\": \"sigo esperando\", \"sentiment\": \"negative\", \"language\": \"spanish\"}\n";
    std::fs::write(&data, row).unwrap();
    let output = latido(&["train", "--base", "builtin", "--data", &data, "--out", &out]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("ours.jsonl:1: language `spanish` is no language tag; write es"), "{told}");
}

#[test]
fn a_place_where_no_model_can_be_written_is_told_before_the_training() {
    let output = latido(&["train", "--data", "not-read.tsv", "--out", "/nowhere/ours.latido"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("there is no directory /nowhere; make it first"), "{told}");
}

#[test]
fn a_number_of_the_recipe_that_makes_no_sense_is_told_with_its_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let [data, ours] = ground(directory.path());
    let recipe = path("r7.toml");
    std::fs::write(&recipe, "bits = 40\n").unwrap();
    let output = latido(&["train", "--recipe", &recipe, "--data", &data, "--out", &ours]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("r7.toml cannot be used") && told.contains("bits is 40"), "{told}");
}

#[test]
fn eval_names_the_remedy_where_it_cannot_compare_or_group() {
    let directory = tempfile::tempdir().unwrap();
    let [data, ours] = ground(directory.path());
    let (data, ours) = (data.as_str(), ours.as_str());
    for (arguments, part) in [
        (["--compare", ours, ours].as_slice(), "are the same model; name another one"),
        (&["--compare", ours, "--samples", "0"], "leave --samples 0 out"),
        (&["--compare", "nowhere.latido"], "nowhere.latido"),
        (&["--except", data], "all rows of made are in the files of --except"),
        (&["--by", "channel"], "no row says its channel; give a TSV with a column `channel`"),
        (&["--by", "mood"], "expected language, channel, region or sector"),
        (&["--compare", ours, "--model", ours], "cannot be used with"),
    ] {
        let output = latido(&[&["eval", "--data", data], arguments].concat()).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
}

#[test]
fn calibration_fits_one_half_and_eval_measures_on_the_other() {
    let directory = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let (messages, corpus) =
        (shipped.join("own/customer-messages.jsonl"), shipped.join("corpus/messages.es-bank.jsonl"));
    let (messages, corpus) = (messages.to_str().unwrap(), corpus.to_str().unwrap());
    let (recipe, out) = (directory.path().join("recipe.toml"), directory.path().join("ours.latido"));
    std::fs::write(&recipe, "bits = 14\nepochs = 3\nmin_texts = 1\n").unwrap();
    let (recipe, out) = (recipe.to_str().unwrap(), out.to_str().unwrap());
    let train = |calibrate: &str| {
        latido(&["train", "--data", messages, "--calibrate", calibrate, "--recipe", recipe, "--out", out])
            .output()
            .unwrap()
    };
    let trained = train(corpus);
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    let rows = |half: &[&str]| {
        let eval = ["eval", "--model", out, "--data", corpus, "--split", "dev", "--json", "--samples", "0"];
        let output = latido(&[&eval, half].concat()).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["sets"][0]["rows"].as_u64().unwrap()
    };
    let halves = [rows(&["--half", "fitted"]), rows(&["--half", "other"])];
    assert!(halves.iter().all(|&rows| rows > 50), "{halves:?}");
    assert_eq!(halves[0] + halves[1], rows(&[]));
    // Its rows name the split `train`, which calibration leaves alone.
    let wrong = directory.path().join("ours.es.jsonl");
    std::fs::write(&wrong, "{\"text\":\"hola\",\"sentiment\":\"neutral\",\"split\":\"train\"}\n").unwrap();
    let refused = train(wrong.to_str().unwrap());
    assert_eq!(refused.status.code(), Some(1));
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(message.contains("ours.es.jsonl") && message.contains("--calibrate"), "{message}");
}

#[test]
fn what_a_model_is_taught_does_not_calibrate_it() {
    let directory = tempfile::tempdir().unwrap();
    let [data, _] = ground(directory.path());
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (recipe, out, others, mixed) =
        (path("recipe.toml"), path("b.latido"), path("a/other.jsonl"), path("b/other.jsonl"));
    let other = |at: usize| format!("{{\"text\":\"nada que ver {at}\",\"label\":\"neutral\"}}\n");
    let rows: String = (0..9).map(other).collect();
    for name in ["a", "b"] {
        std::fs::create_dir(directory.path().join(name)).unwrap();
    }
    std::fs::write(&others, &rows).unwrap();
    std::fs::write(&mixed, rows + &std::fs::read_to_string(&data).unwrap()).unwrap();
    let train = |calibrate: &str| {
        let arguments = ["train", "--data", &data, "--calibrate", calibrate, "--recipe", &recipe, "--out", &out];
        let output = latido(&arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap(), std::fs::read(&out).unwrap_or_default())
    };
    let (_, told, model) = train(&others);
    assert_eq!(told, "");
    let (_, told, same) = train(&mixed);
    assert!(told.starts_with("warning: ") && told.contains("other.jsonl:1"), "{told}");
    assert!(told.contains("--data holds this text too; rows left out of --calibrate for this: "), "{told}");
    assert!(model == same && !model.is_empty(), "the rows of --data were calibrated with");
    let (code, told, _) = train(&data);
    assert_eq!(code, Some(1));
    assert!(told.contains("made.jsonl:") && told.contains("give --calibrate a file with other texts"), "{told}");
}

#[test]
fn a_recipe_for_a_set_that_is_not_there_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let [data, out] = ground(directory.path());
    let recipe = directory.path().join("recipe.toml");
    std::fs::write(&recipe, "bits = 10\nepochs = 1\nmin_texts = 1\n[sets.mad]\nsentiment = 2.0\n").unwrap();
    let arguments = ["train", "--data", &data, "--recipe", recipe.to_str().unwrap(), "--out", &out];
    let output = latido(&arguments).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told, "warning: the recipe names sets that no file of --data holds: mad\n");
}

#[test]
fn a_base_learns_from_rows_of_one_kind_and_one_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let messages = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/own/customer-messages.jsonl");
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (recipe, base, ours, data) =
        (path("recipe.toml"), path("base.latido"), path("ours.latido"), path("ours.es.tsv"));
    std::fs::write(&recipe, "bits = 14\nepochs = 3\nmin_texts = 1\n").unwrap();
    let first = latido(&["train", "--data", messages.to_str().unwrap(), "--recipe", &recipe, "--out", &base]).output();
    assert!(first.unwrap().status.success());
    std::fs::write(&data, "text\tlabel\n".to_owned() + &"otra vez zurrapil\tnegative\n".repeat(50)).unwrap();
    let train = |base: &str| latido(&["train", "--base", base, "--data", &data, "--out", &ours]).output().unwrap();
    let trained = train(&base);
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    let negative = |model: &str| {
        let line = &json_lines(&latido(&["score", "--model", model, "zurrapil"]).output().unwrap())[0];
        line["sentiment"]["negative"].as_f64().unwrap()
    };
    assert!(negative(&ours) > negative(&base) + 0.1, "{} {}", negative(&base), negative(&ours));
    let mut bytes = std::fs::read(&base).unwrap();
    bytes[8] = 77;
    std::fs::write(&base, bytes).unwrap();
    for (base, reason) in [(base.as_str(), "format 77"), ("nowhere.latido", "nowhere.latido"), (&data, "not a Latido")]
    {
        let refused = train(base);
        assert_eq!(refused.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&refused.stderr).contains(reason), "{refused:?}");
    }
}

#[test]
fn a_malformed_row_stops_the_training_before_anything_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let (data, out) = (directory.path().join("bad.es.tsv"), directory.path().join("ours.latido"));
    std::fs::write(&data, "text\tlabel\nhola\tpositive\nadiós\tsoso\n").unwrap();
    let output = latido(&["train", "--data", data.to_str().unwrap(), "--out", out.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("bad.es.tsv:3") && message.contains("soso"), "{message}");
    assert!(!out.exists());
}

#[test]
fn a_model_is_not_written_over_what_it_is_made_of_nor_made_of_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let [data, out] = ["ours.jsonl", "ours.latido"].map(|name| directory.path().join(name).display().to_string());
    std::fs::write(&data, "{\"text\":\"todo mal\",\"sentiment\":\"negative\",\"split\":\"train\"}\n").unwrap();
    let said = |arguments: &[&str]| {
        let output = latido(&[&["train", "--base", "builtin"], arguments].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(said(&["--data", &data, "--out", &data]).contains("would be lost"));
    assert!(std::fs::read_to_string(&data).unwrap().contains("todo mal"));
    assert!(said(&["--data", &data, "--split", "dev", "--out", &out]).contains("split `dev`"));
    let folder = directory.path().to_str().unwrap();
    assert!(said(&["--data", &data, "--out", folder]).contains("is a directory"));
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1);
}

#[test]
fn more_samples_than_can_be_kept_are_not_drawn() {
    let output = latido(&["eval", "--samples", "20000000000", "--data", "x.tsv"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("100000"));
}

#[test]
fn a_data_file_without_a_row_gives_no_figures() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("none.es.tsv");
    std::fs::write(&data, "text\tlabel\n").unwrap();
    let output = latido(&["eval", "--json", "--data", data.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("none.es.tsv holds no row"), "{output:?}");
}

#[test]
fn a_file_that_is_no_model_is_not_offered_for_overwriting() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("notes.txt");
    std::fs::write(&file, "not a model").unwrap();
    let output = latido(&["score", "--model", file.to_str().unwrap(), "x"]).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(message.contains("notes.txt is not a Latido model") && !message.contains("--out"), "{message}");
}
