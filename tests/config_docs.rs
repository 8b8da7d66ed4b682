//! The example config and the docs say what the code does.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use latido::config::{self, Field, Shape};
use serde_json::Value;

fn repository(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn example() -> String {
    std::fs::read_to_string(repository("config/latido.toml")).unwrap()
}

/// The table and the key of a field as the example writes them: `kafka.group` is `[kafka]` and `group`.
fn table_and_key(field: &Field) -> Option<(String, String)> {
    let (table, key) = field.key.rsplit_once('.')?;
    let header = table.strip_suffix("[]").map_or_else(|| format!("[{table}]"), |list| format!("[[{list}]]"));
    Some((header, key.to_owned()))
}

/// The line of the example, from 0, that sets a field or shows it in a comment.
fn line_in_example(field: &Field, example: &str) -> Option<usize> {
    if field.shape == Shape::Table || field.shape == Shape::Map {
        return example.lines().position(|line| line == format!("[{}]", field.key));
    }
    let Some((header, key)) = table_and_key(field) else {
        return example.lines().position(|line| line == format!("[[{}]]", field.key));
    };
    let start = example.lines().position(|line| line == header)?;
    let sets = |line: &str| line.trim_start_matches("# ").starts_with(&format!("{key} = "));
    let in_table = |line: &&str| !line.starts_with('[');
    let lines = example.lines().skip(start + 1).take_while(in_table);
    lines.into_iter().position(sets).map(|offset| start + 1 + offset)
}

#[test]
fn the_example_names_every_key() {
    let example = example();
    let missing: Vec<&str> = config::fields()
        .iter()
        .filter(|field| line_in_example(field, &example).is_none())
        .map(|field| field.key.as_str())
        .collect();
    assert!(missing.is_empty(), "config/latido.toml does not show {missing:?}");
}

#[test]
fn the_example_is_the_defaults_and_departments() {
    let mut loaded = config::load(Some(&repository("config/latido.toml")), []).unwrap();
    assert!(loaded.config.departments.len() >= 3);
    assert!(!loaded.config.mutes.is_empty());
    loaded.config.departments.clear();
    loaded.config.mutes.clear();
    assert_eq!(loaded.config, config::Config::default());
}

#[test]
fn what_the_example_shows_in_comments_is_right_too() {
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("secret");
    std::fs::write(&secret, "hunter2-hunter2-hunter2\n").unwrap();
    let shown_in_comments = |line: &str| {
        let plain = line.strip_prefix("# ").filter(|plain| {
            let key = plain.split(" = ").next().unwrap();
            plain.contains(" = ") && key.chars().all(|letter| letter.is_alphanumeric() || "_.\"".contains(letter))
        });
        plain.unwrap_or(line).to_owned()
    };
    let lines: Vec<String> = example().lines().map(shown_in_comments).collect();
    let path = secret.to_str().unwrap();
    let text = lines.join("\n").replace("/run/secrets/kafka-password", path).replace("/run/secrets/latido-token", path);
    let text = text.replace("/etc/latido/ours.latido", path).replace("/run/secrets/latido-hash-key", path);
    let text = text.replace("/etc/latido/model", directory.path().to_str().unwrap());
    let baselines = directory.path().join("baselines.latido");
    std::fs::write(&baselines, latido::checkpoint::encode_learned(&Default::default()).unwrap()).unwrap();
    let text = text.replace("/etc/latido/baselines.latido", baselines.to_str().unwrap());
    let file = directory.path().join("latido.toml");
    std::fs::write(&file, text).unwrap();

    let config = config::load(Some(&file), []).unwrap_or_else(|error| panic!("{error}")).config;
    assert_eq!(config.kafka.dead_letter_topic.as_deref(), Some("customer-messages-dead"));
    assert_eq!(config.kafka.secrets["sasl.password"].expose(), "hunter2-hunter2-hunter2");
    assert_eq!(config.departments[0].expected_negative_ratio, Some(0.35));
}

#[test]
fn the_docs_are_made_from_the_source() {
    let path = repository("docs/configuration.md");
    let made = reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == made, "docs/configuration.md is out of date: run `UPDATE_DOCS=1 cargo test --test config_docs`");
}

/// The whole of `docs/configuration.md`.
fn reference() -> String {
    let example = example();
    let mut fields: Vec<&Field> = config::fields().iter().collect();
    fields.sort_by_key(|field| line_in_example(field, &example));
    let mut text = INTRODUCTION.to_owned();
    for field in fields {
        match field.shape {
            Shape::Table => write!(text, "\n## `[{}]`\n\n{}\n", field.key, field.meaning).unwrap(),
            Shape::List(ref item) if **item == Shape::Table => {
                write!(text, "\n## `[[{}]]`\n\n{}\n", field.key, paragraph(&field.meaning)).unwrap();
                write!(text, "\n{}\n", facts(field)).unwrap();
            }
            _ => write!(text, "\n### `{}`\n\n{}\n\n{}\n", field.key, paragraph(&field.meaning), facts(field)).unwrap(),
        }
    }
    text
}

/// A doc comment on one line.
fn paragraph(meaning: &str) -> String {
    meaning.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn facts(field: &Field) -> String {
    let default = match &field.default {
        Some(value) => format!("`{}`", toml_value(value)),
        None if field.optional => "unset".to_owned(),
        None => "none, it must be set".to_owned(),
    };
    let mut facts = format!("- type: {}\n- default: {default}", field.shape.name());
    if let Some(variable) = field.variable() {
        write!(facts, "\n- environment: `{variable}`").unwrap();
    }
    facts
}

/// A default as TOML writes it.
fn toml_value(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(toml_value).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) if entries.is_empty() => "{}".to_owned(),
        plain => plain.to_string(),
    }
}

const INTRODUCTION: &str = r#"# Configuration

<!-- Made from the doc comments in `src/config/`; do not edit. `UPDATE_DOCS=1 cargo test --test config_docs` makes it anew. -->

One TOML file, named by `--config FILE` or by the variable `LATIDO_CONFIG`; without one the defaults hold. The environment
overrides the file: the variable of `kafka.group` is `LATIDO__KAFKA__GROUP`. [`config/latido.toml`](../config/latido.toml)
is a complete example.

`latido check --config FILE` prints the config in force and says who set what; `--live` also tries the brokers, the topics,
the right to read them, and a write to the dead-letter topic. A config that cannot be used ends every command with exit
code 78 before any port is bound; the message names the file and line (or the variable), the key, the value and the remedy.
Unknown keys and unknown `LATIDO__` variables are errors too.

How values are written:

- a path is taken from the directory that the command runs in, not from that of the file;
- the name of a property of librdkafka has dots and needs quotes: `"security.protocol" = "ssl"` under `[kafka.properties]`;
- a *span* of time is a number with its unit: `"500ms"`, `"30s"`, `"5m"`, `"24h"`, `"7days"`, `"1h 30m"`;
- in the environment, texts, numbers and spans are written plainly (`LATIDO__WINDOWS__LATENESS=1m`), lists and tables as
  JSON (`LATIDO__KAFKA__TOPICS='["chats", "mails"]'`, `LATIDO__DEPARTMENTS='[{"id": "billing"}]'`,
  `LATIDO__KAFKA__PROPERTIES='{"security.protocol": "ssl"}'`); an empty value unsets a key that may be unset;
- a list from the environment replaces the file's; properties and tables are laid over the file's, key by key;
- secrets are read from files: `http.token_file`, and in `[kafka.properties]` every property with `_file` after its name.
  They are never printed.
"#;
