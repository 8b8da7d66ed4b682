//! Promises of the reader.

use std::io::Write as _;
use std::path::PathBuf;

use super::*;
use crate::message::{Sentiment, Signal};
use crate::score::labels::Target;

fn file(directory: &tempfile::TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = directory.path().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn read_text(name: &str, content: &str) -> Result<DataSet, String> {
    let directory = tempfile::tempdir().unwrap();
    read(&file(&directory, name, content.as_bytes()), &Recipe::default(), None).map_err(|error| error.to_string())
}

const TSV: &str = "text\tlabel\textra\nbuen día\tpositive\t\nno sirve\tanger,sadness\tx\n";

#[test]
fn a_tsv_is_read_with_its_language_from_the_name() {
    let set = read_text("made.es.train.tsv", TSV).unwrap();
    assert_eq!((set.name.as_str(), set.language.as_str(), set.rows.len()), ("made", "es", 2));
    assert_eq!(set.rows[0].targets.sentiment_label(), Some(Sentiment::Positive));
    assert_eq!(set.rows[1].targets.frustrated, Some(true));
    assert_eq!(set.rows[1].language, Some(Language::Spanish));
}

#[test]
fn packed_files_read_like_plain_ones() {
    let directory = tempfile::tempdir().unwrap();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(TSV.as_bytes()).unwrap();
    let gz = file(&directory, "made.es.tsv.gz", &gz.finish().unwrap());
    let zst = file(&directory, "made.es.tsv.zst", &zstd::encode_all(TSV.as_bytes(), 1).unwrap());
    let plain = file(&directory, "made.es.tsv", TSV.as_bytes());
    let rows = |path: &Path| read(path, &Recipe::default(), None).unwrap().rows;
    assert_eq!(rows(&gz), rows(&plain));
    assert_eq!(rows(&zst), rows(&plain));
}

#[test]
fn json_lines_carry_their_own_language_and_frustration() {
    let lines =
        "{\"text\":\"oi\",\"sentiment\":\"neutral\",\"frustrated\":1,\"language\":\"pt-BR\"}\n\n{\"text\":\"x\"}\n";
    let set = read_text("own.jsonl", lines).unwrap();
    assert_eq!(set.rows[0].language, Some(Language::Portuguese));
    assert_eq!(set.rows[0].targets.frustrated, Some(true));
    assert_eq!((set.rows.len(), set.unlabelled.len()), (1, 1));
}

#[test]
fn half_an_emoji_costs_no_row_and_a_wrong_line_is_told_by_its_own_number() {
    let line = r#"{"text":"harto \ud83d","sentiment":"negative","channel":"chat \ude00","note":"\ud83d"}"#;
    let row = read_text("own.jsonl", line).unwrap().rows.remove(0);
    assert_eq!((row.text.as_str(), row.origin.channel.as_deref()), ("harto \u{fffd}", Some("chat \u{fffd}")));
    let error = read_text("own.jsonl", &format!("{line}\n{line}\n{{\"text\":\"a\"")).unwrap_err();
    assert!(error.contains("own.jsonl:3: EOF while parsing an object at column 11; expected {\"text\""), "{error}");
}

#[test]
fn signals_are_read_from_a_column_or_an_array() {
    let tsv = read_text("made.es.tsv", "text\tsignals\nhola\t-\nsigo esperando\twaiting, unresolved\n").unwrap();
    assert_eq!(tsv.rows[0].signals, Some(SignalSet::EMPTY));
    assert_eq!(tsv.rows[1].signals, Some([Signal::Waiting, Signal::Unresolved].into_iter().collect()));
    let json = read_text("made.jsonl", "{\"text\":\"hola\",\"signals\":[\"praise\"]}\n").unwrap();
    assert_eq!(json.rows[0].signals, Some([Signal::Praise].into_iter().collect()));
    let error = read_text("made.es.tsv", "text\tsignals\nhola\tpraises\n").unwrap_err();
    assert!(error.contains(":2: signal `praises` is none of human_request, "), "{error}");
}

#[test]
fn labels_of_agents_and_bots_are_not_looked_at() {
    let tsv = "author\ttext\tsentiment\n Agent\tun momento\t-\ncustomer\tharto\tnegative\nbot\tmenú\tneutral\n";
    let set = read_text("made.es.tsv", tsv).unwrap();
    assert_eq!((set.rows.len(), set.unlabelled.len()), (1, 2));
    let json = "{\"text\":\"hola\",\"author\":\"bot\",\"sentiment\":\"neutral\"}\n";
    assert_eq!(read_text("made.jsonl", json).unwrap().rows, []);
}

#[test]
fn rows_know_where_they_come_from() {
    let tsv = read_text("made.es.tsv", "text\tlabel\tregion\tchannel\nhola\tneutral\tmx\t\n").unwrap();
    assert_eq!(tsv.rows[0].origin, Origin { region: Some("mx".into()), ..Origin::default() });
    let json = read_text("made.jsonl", "{\"text\":\"hola\",\"label\":\"neutral\",\"sector\":\"bank\"}\n").unwrap();
    assert_eq!(json.rows[0].origin, Origin { sector: Some("bank".into()), ..Origin::default() });
}

#[test]
fn an_empty_field_says_nothing_in_either_form() {
    let tsv = "text\tlabel\tlanguage\tchannel\tauthor\nhola\t\t\t \t\noi\tneutral\tpt\t mx \tbot\n";
    let json = "{\"text\":\"hola\",\"label\":\"\",\"language\":\"\",\"channel\":\" \",\"author\":\"\",\"split\":\"\"}\n\
                {\"text\":\"oi\",\"label\":\"neutral\",\"language\":\"pt\",\"channel\":\" mx \",\"author\":\"bot\"}\n";
    let origins = ["made.es.tsv", "made.es.jsonl"].map(|name| {
        let set = read_text(name, if name.ends_with("tsv") { tsv } else { json }).unwrap();
        assert_eq!(set.rows, []);
        let said = set.unlabelled.into_iter().map(|row| (row.text, row.language.unwrap(), row.origin.channel));
        said.collect::<Vec<_>>()
    });
    let channel = Some("mx".into());
    let wanted = [("hola".to_owned(), Language::Spanish, None), ("oi".to_owned(), Language::Portuguese, channel)];
    assert_eq!(origins, [wanted.to_vec(), wanted.to_vec()]);
}

#[test]
fn rows_of_another_split_are_left_out() {
    let directory = tempfile::tempdir().unwrap();
    let lines = "{\"text\":\"a\",\"label\":\"neutral\",\"split\":\"dev\"}\n{\"text\":\"b\",\"label\":\"neutral\"}\n";
    let json = file(&directory, "made.jsonl", lines.as_bytes());
    let tsv = file(&directory, "made.tsv", b"text\tlabel\tsplit\na\tneutral\tdev\nb\tneutral\t\n");
    for path in [json, tsv] {
        let texts = |split| {
            let rows = read(&path, &Recipe::default(), split).unwrap().rows;
            rows.into_iter().map(|row| row.text).collect::<Vec<_>>()
        };
        assert_eq!(texts(Some("train")), ["b"]);
        assert_eq!(texts(Some("dev")), ["a", "b"]);
        assert_eq!(texts(None), ["a", "b"]);
    }
}

#[test]
fn word_lists_and_emoji_counts_are_known_by_their_first_line() {
    let words = read_text("words.es.txt", "harto\t-3\ntal vez\t0.2\nfeliz\t3\n").unwrap();
    assert_eq!((words.rows.len(), words.unlabelled.len()), (2, 1));
    let emoji = read_text(
        "emoji.csv",
        "Emoji,Unicode codepoint,Occurrences,Position,Negative,Neutral,Positive\n😂,0x1,10,0.8,2,3,5\n",
    )
    .unwrap();
    assert!((emoji.rows[0].targets.sentiment.unwrap().iter().sum::<f32>() - 1.0).abs() < 1e-6);
}

#[test]
fn malformed_rows_are_refused_with_line_and_reason() {
    for (name, content, line, reason) in [
        ("a.tsv", "text\tlabel\nhola\tjoyful\n", 2, "joyful"),
        ("a.tsv", "text\tlabel\nhola\n", 2, "1 columns, the header has 2"),
        ("a.tsv", "text\tlabel\n \tpositive\n", 2, "empty"),
        ("a.tsv", "hola\tpositive\n", 1, "column `text`"),
        ("a.tsv", "text\tfrustrated\nhola\tmaybe\n", 2, "maybe"),
        ("a.jsonl", "{\"text\":\"a\",\"sentiment\":\"neutral\"}\n{\"text\":1}\n", 2, "string"),
        ("a.txt", "bien\t2\nmal\n", 2, "valence"),
        ("a.txt", "bien\t2\n \t-2\n", 2, "empty"),
        ("a.jsonl", "{\"text\":\"a\",\"frustrated\":\"maybe\"}", 1, "frustrated is `maybe`"),
    ] {
        let error = read_text(name, content).unwrap_err();
        assert!(error.contains(&format!("{name}:{line}: ")) && error.contains(reason), "{error}");
    }
}

#[test]
fn bytes_that_are_no_utf8_and_missing_files_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = file(&directory, "a.tsv", b"text\tlabel\n\xff\tpositive\n");
    assert!(read(&path, &Recipe::default(), None).unwrap_err().to_string().contains("a.tsv:2: not UTF-8"));
    let missing = read(Path::new("/nowhere/a.tsv"), &Recipe::default(), None).unwrap_err().to_string();
    assert!(missing.contains("/nowhere/a.tsv"), "{missing}");
}

#[test]
fn a_recipe_gives_meaning_to_labels_of_a_set() {
    let mut recipe = Recipe::default();
    let calm = Target { sentiment: Some(Sentiment::Neutral), frustrated: Some(false) };
    let set = SetRecipe { labels: [("ask_hours".to_owned(), calm)].into(), ..SetRecipe::default() };
    recipe.sets.insert("intents.es".to_owned(), set);
    let directory = tempfile::tempdir().unwrap();
    let path = file(&directory, "intents.es.tsv", b"text\tlabel\nhola\task_hours\n");
    assert_eq!(read(&path, &recipe, None).unwrap().rows[0].targets, Targets::from(calm));
}
