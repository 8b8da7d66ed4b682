//! The transformer in the stream: the shipped encoder, in a build with the feature.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use latido::config::{Config, PrecisionChoice, ScorerChoice, Span};
use latido::message::ScorerKind;
use latido::publish::View;

use crate::broker::{Broker, Written};
use crate::daemon::{Daemon, TOPIC, config, message, now, panes_of, saved, saved_panes, scored};

const PARTITIONS: i32 = 4;
const DEPARTMENTS: [&str; 2] = ["billing", "delivery"];

/// That scorer, with the encoder in 32 bits.
fn slow(broker: &Broker, home: &Path, kind: ScorerChoice) -> Config {
    let mut config = config(broker, home);
    config.scorer.kind = kind;
    config.scorer.transformer.precision = PrecisionChoice::Float32;
    config.windows.alignment = Span::from_secs(3_600);
    config
}

/// So many messages, each with words of its own, over departments and partitions; what is said of each.
fn messages(count: usize, begun: i64) -> (Vec<Written>, Vec<(&'static str, i64)>) {
    let said: Vec<(&str, i64)> =
        (0..count).map(|number| (DEPARTMENTS[number % 3 / 2], begun + number as i64 * 10)).collect();
    let record = |(number, (department, at)): (usize, &(&str, i64))| {
        let text = format!("No sé si me conviene el plan {number} o el otro, la verdad");
        message((number / 5) as i32 % PARTITIONS, department, *at, &text)
    };
    (said.iter().enumerate().map(record).collect(), said)
}

/// Messages that the transformer scored.
fn by_transformer(view: &View) -> u64 {
    view.stream.scored[ScorerKind::Transformer as usize]
}

/// Each department has its own messages, and each message one scorer.
fn hold(view: &View, said: &[(&str, i64)]) {
    assert_eq!(view.stream.scored.iter().sum::<u64>(), said.len() as u64);
    for (id, department) in view.roster.iter() {
        let written = said.iter().filter(|(name, _)| *name == department.id).count() as u64;
        let counted: u64 = view.departments[id.index()].messages.iter().flatten().sum();
        assert_eq!(counted, written, "{}", department.id);
    }
}

#[test]
fn the_transformer_scores_what_it_manages_and_each_message_counts_once() {
    let broker = Broker::start(&[(TOPIC, PARTITIONS)]);
    let home = tempfile::tempdir().unwrap();
    let mut config = slow(&broker, home.path(), ScorerChoice::Transformer);
    config.pipeline.drain_timeout = Span::from_secs(120);
    config.scorer.transformer.deadline = Span::from_secs(60);
    let daemon = Daemon::start(config);
    let (records, said) = messages(40, now() - 60_000);
    broker.write(TOPIC, &records);
    let view = daemon.wait_for_records(40);
    hold(&view, &said);
    assert_eq!(by_transformer(&view), 40, "in a minute it manages forty");
    daemon.stop();
    assert_eq!(saved_panes(home.path()), panes_of(&said));
}

#[test]
fn a_burst_far_beyond_what_it_manages_loses_nothing_keeps_the_member_and_holds_no_message_beyond_the_deadline() {
    const MESSAGES: usize = 5_000;
    for kind in [ScorerChoice::Transformer, ScorerChoice::Cascade] {
        let broker = Broker::start(&[(TOPIC, PARTITIONS)]);
        let home = tempfile::tempdir().unwrap();
        let mut config = slow(&broker, home.path(), kind);
        config.scorer.transformer.deadline = Span::from_secs(4);
        let waiting = config.scorer.transformer.max_waiting_texts;
        let daemon = Daemon::start(config);
        let (records, said) = messages(MESSAGES, now() - 600_000);
        broker.write(TOPIC, &records);
        let view = daemon.wait_for_records(MESSAGES as u64);
        hold(&view, &said);
        assert!(by_transformer(&view) > 0, "{kind:?}: it scored some of them");
        assert!(by_transformer(&view) < MESSAGES as u64 / 2, "{kind:?}: the rest kept their embedded score");
        assert_eq!(view.stream.rebalances_revoked, 0, "the member stays in its group");
        let buffer = view.stream.buffers.iter().find(|buffer| buffer.name == "transformer").unwrap();
        assert!(buffer.items <= waiting && buffer.items_limit == waiting);
        daemon.stop();
        assert_eq!(saved_panes(home.path()), panes_of(&said), "{kind:?}");
    }
}

/// The encoder's files, in a directory of ours.
fn encoder_in(directory: &Path) {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/encoder");
    for file in ["config.json", "tokenizer.json", "model.safetensors", "latido.json"] {
        fs::copy(shipped.join(file), directory.join(file)).unwrap();
    }
}

#[test]
fn a_model_that_vanishes_goes_on_scoring_and_another_takes_its_place_at_a_reload() {
    let broker = Broker::start(&[(TOPIC, PARTITIONS)]);
    let (home, model) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    encoder_in(model.path());
    let mut config = slow(&broker, home.path(), ScorerChoice::Transformer);
    config.scorer.transformer.directory = Some(model.path().to_owned());
    config.pipeline.drain_timeout = Span::from_secs(120);
    config.scorer.transformer.deadline = Span::from_secs(60);
    let daemon = Daemon::start(config.clone());
    let begun = now() - 60_000;
    let mut all = 0;
    let mut write = |daemon: &Daemon| {
        let (records, _) = messages(3, begun + all);
        broker.write(TOPIC, &records);
        all += 3;
        let view = daemon.wait_for_records(all as u64);
        assert_eq!((by_transformer(&view), scored(&view)), (all as u64, all as u64));
    };
    write(&daemon);

    fs::remove_file(model.path().join("model.safetensors")).unwrap();
    let refused = daemon.pipeline.reload_slow_model(&config).unwrap_err().to_string();
    assert!(refused.starts_with("scorer.transformer: ") && refused.contains("model.safetensors"), "{refused}");
    write(&daemon);

    encoder_in(model.path());
    let card = model.path().join("latido.json");
    let mut changed: serde_json::Value = serde_json::from_slice(&fs::read(&card).unwrap()).unwrap();
    changed["max_tokens"] = 64.into();
    fs::write(&card, changed.to_string()).unwrap();
    daemon.pipeline.reload_slow_model(&config).unwrap();
    write(&daemon);
    daemon.stop();
    assert_eq!(models_in(home.path()), 2, "what each of the two said is kept apart");
}

/// How many models the saved panes tell apart.
fn models_in(directory: &Path) -> usize {
    let snapshot = saved(directory);
    let hours = snapshot.hours.iter().flat_map(|hour| &hour.departments);
    let panes = hours.flat_map(|(_, hour)| snapshot.kept_panes_by_model(hour));
    panes.flat_map(|(_, _, by_model)| by_model.map(|(model, _)| model)).collect::<BTreeSet<_>>().len()
}

#[test]
fn a_stop_in_the_midst_of_a_burst_drains_what_was_read() {
    let broker = Broker::start(&[(TOPIC, PARTITIONS)]);
    let home = tempfile::tempdir().unwrap();
    let config = slow(&broker, home.path(), ScorerChoice::Transformer);
    assert!(config.scorer.transformer.deadline.get() >= Duration::from_secs(2));
    let daemon = Daemon::start(config.clone());
    let (records, said) = messages(3_000, now() - 600_000);
    broker.write(TOPIC, &records);
    daemon.wait_until("it is in the midst of it", |view| scored(view) > 0);
    daemon.stop();
    let daemon = Daemon::start(config);
    daemon.wait_until_ready();
    daemon.stop();
    assert_eq!(saved_panes(home.path()), panes_of(&said));
}
