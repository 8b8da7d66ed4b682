//! `latido check`: what it prints, and what it finds out from brokers.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};
use serde_json::{Value, json};

/// A config file in a directory of its own.
struct Given {
    _directory: tempfile::TempDir,
    file: PathBuf,
}

fn given(toml: &str) -> Given {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("latido.toml");
    std::fs::write(&file, toml).unwrap();
    Given { _directory: directory, file }
}

impl Given {
    fn check(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latido"));
        command.env_clear().envs(environment.iter().copied());
        command.arg("check").arg("--config").arg(&self.file).args(arguments).output().unwrap()
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The lines of the live checks.
fn live_lines(output: &Output) -> Vec<&str> {
    text(&output.stdout).lines().filter(|line| line.starts_with("ok ") || line.starts_with("failed ")).collect()
}

#[test]
fn a_right_config_is_printed_as_toml_with_who_set_what() {
    let given = given("[kafka]\ntopics = [\"chats\"]\n\n[[departments]]\nid = \"billing\"\n");
    let output = given.check(&[], &[("LATIDO__KAFKA__GROUP", "eu")]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let printed = text(&output.stdout);
    let table: toml::Table = printed.parse().expect("all that is printed is TOML");
    assert_eq!(table["kafka"]["topics"][0].as_str(), Some("chats"));
    assert_eq!(table["kafka"]["group"].as_str(), Some("eu"));
    assert_eq!(table["windows"]["lateness"].as_str(), Some("30s"));
    let file = given.file.display();
    assert!(printed.ends_with(&format!(
        "\n# Values that are not the default, and who set them:\n#   departments[0]: {file}:4\n#   kafka.group: LATIDO__KAFKA__GROUP\n#   kafka.topics: {file}:2\n"
    )), "{printed}");
}

#[test]
fn rules_of_ones_own_are_shown_and_a_bad_one_is_78() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ours.toml");
    let rule = "[[rules]]\nname = \"ours\"\nsignals = [\"waiting\"]\nany = [\"mi caso\"]\n";
    let config = given(&format!("[signals]\nfiles = [{:?}]\n", file.to_str().unwrap()));
    std::fs::write(&file, format!("off = [\"es-abuse\", \"en-abuse\"]\n{rule}")).unwrap();
    let output = config.check(&[], &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(text(&output.stdout).contains(" rules, 2 of the built-in ones switched off."), "{output:?}");

    std::fs::write(&file, rule.replace("mi caso", "(mi caso")).unwrap();
    let output = config.check(&[], &[]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(78), ""));
    let complaint = text(&output.stderr);
    let place = "ours.toml: rules[0].any[0] = \"(mi caso\": a bracket is not closed; write (one|two|three)";
    assert!(complaint.contains("latido.toml:2: signals.files[0] = ") && complaint.contains(place), "{complaint}");
}

#[test]
fn mutes_are_told_in_words_and_those_that_are_over_as_such() {
    let given = given(
        r#"
        [[departments]]
        id = "billing"

        [[mutes]]
        departments = ["billing"]
        kinds = ["silence"]
        until = "2020-01-01T00:00:00Z"

        [[mutes]]
        departments = ["*"]
        days = ["sun"]
        start_time = "22:00"
        end_time = "02:00"
        time_zone = "Europe/Madrid"
        maintenance = true
        reason = "updates"

        [[mutes]]
        departments = ["billing", "other"]
        from = "9000-01-01T00:00:00Z"
        "#,
    );
    let output = given.check(&[], &[]);
    let printed = text(&output.stdout);
    printed.parse::<toml::Table>().expect("all that is printed is TOML");
    let expected = "
# Mutes, by event time:
#   mutes[0]: billing (silence), until 2020-01-01T00:00:00Z (over: it can go)
#   mutes[1]: *, sun 22:00-02:00 Europe/Madrid, maintenance: updates
#   mutes[2]: billing, other, from 9000-01-01T00:00:00Z (to come)
";
    assert!(printed.contains(expected), "{printed}");
}

#[test]
fn the_variable_may_name_the_file() {
    let given = given("[kafka]\ngroup = \"from-the-file\"\n");
    let mut command = Command::new(env!("CARGO_BIN_EXE_latido"));
    let output = command.arg("check").env_clear().env("LATIDO_CONFIG", &given.file).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("group = \"from-the-file\""));
}

#[test]
fn a_wrong_config_is_78_and_prints_nothing() {
    let given = given("[kafka]\ntopcis = [\"chats\"]\n");
    let output = given.check(&["--live"], &[("LATIDO__HTTP__LISTEN", "nowhere")]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(78), ""));
    let file = given.file.display();
    let complaint = text(&output.stderr);
    assert!(complaint.starts_with("error: the configuration is wrong in 2 places:\n"), "{complaint}");
    let guess = format!("{file}:2: kafka.topcis = [\"chats\"]: unknown key; did you mean `kafka.topics`?");
    assert!(complaint.contains(&guess), "{complaint}");
    assert!(complaint.contains("LATIDO__HTTP__LISTEN: http.listen = \"nowhere\": "), "{complaint}");
}

#[test]
fn a_missing_file_is_78_and_named() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latido"));
    let output = command.args(["check", "--config", "/nowhere/latido.toml"]).env_clear().output().unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(text(&output.stderr).contains("/nowhere/latido.toml"));
}

#[test]
fn secrets_are_never_printed() {
    let given = given("[kafka.properties]\n\"sasl.password\" = \"hunter2\"\n\"sasl.passwrod\" = \"hunter2\"\n");
    let output = given.check(&[], &[]);
    assert_eq!(output.status.code(), Some(78));
    assert!(!text(&output.stderr).contains("hunter2"), "{output:?}");

    let given = self::given("[kafka.properties]\n\"sasl.password\" = \"hunter2\"\n");
    let output = given.check(&[], &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("\"sasl.password\" = \"***\""), "{output:?}");
    assert!(!text(&output.stdout).contains("hunter2"), "{output:?}");
}

/// A broker with these topics; each has 4 partitions.
fn broker(topics: &[&str]) -> MockCluster<'static, DefaultProducerContext> {
    let cluster = MockCluster::new(1).unwrap();
    for topic in topics {
        cluster.create_topic(topic, 4, 1).unwrap();
    }
    cluster
}

fn config_for(brokers: &str) -> Given {
    config_with(brokers, &format!("directory = \"{}\"", std::env::temp_dir().display()))
}

fn config_with(brokers: &str, checkpoint: &str) -> Given {
    given(&format!(
        "[kafka]\nbrokers = \"{brokers}\"\ntopics = [\"chats\"]\ndead_letter_topic = \"dead\"\n\n[checkpoint]\n{checkpoint}\n"
    ))
}

/// The first line of a live check of [`config_for`].
fn directory_line() -> String {
    format!("ok     directory `{}`: may be written", std::env::temp_dir().display())
}

#[test]
fn a_live_check_of_a_sound_setup_says_ok_to_all() {
    let cluster = broker(&["chats", "dead"]);
    let output = config_for(&cluster.bootstrap_servers()).check(&["--live"], &[]);
    assert_eq!(
        live_lines(&output),
        [
            &*directory_line(),
            "ok     brokers: 1 broker reachable",
            "ok     topic `chats`: 4 partitions",
            "ok     reading `chats`: allowed",
            "ok     group `latido`: may be read",
            "ok     topic `dead`: 4 partitions",
            "ok     writing `dead`: confirmed (one probe record)",
        ]
    );
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    assert_eq!(probes(&cluster.bootstrap_servers(), "dead"), 1);
}

/// How many records of a topic of 4 partitions bear the probe's header.
fn probes(brokers: &str, topic: &str) -> usize {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "probe-reader")
        .set("enable.partition.eof", "true")
        .create()
        .unwrap();
    let mut all = TopicPartitionList::new();
    for partition in 0..4 {
        all.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&all).unwrap();
    drop(all);
    let deadline = Instant::now() + Duration::from_secs(20);
    let (mut ends, mut probes) = (0, 0);
    while ends < 4 && Instant::now() < deadline {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(record)) => {
                let headers = record.headers().expect("a probe has headers");
                probes += usize::from(headers.iter().any(|header| header.key == "latido-probe"));
            }
            Some(Err(rdkafka::error::KafkaError::PartitionEOF(_))) => ends += 1,
            _ => {}
        }
    }
    assert_eq!(ends, 4, "every partition was read to its end");
    probes
}

#[test]
fn a_live_check_names_missing_topics_and_goes_on() {
    let cluster = broker(&["mails"]);
    let output = config_for(&cluster.bootstrap_servers()).check(&["--live"], &[]);
    let lines = live_lines(&output);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "error: 2 of 5 live checks failed\n");
    assert!(lines[2].starts_with("failed topic `chats`: ") && lines[2].contains("correct `kafka.topics`"), "{lines:?}");
    assert_eq!(lines[3], "ok     group `latido`: may be read");
    assert!(
        lines[4].starts_with("failed topic `dead`: ") && lines[4].contains("`kafka.dead_letter_topic`"),
        "{lines:?}"
    );
}

#[test]
fn a_live_check_tries_the_topic_of_alert_events_with_an_event_that_is_no_alert() {
    let cluster = broker(&["chats", "dead", "alerts"]);
    let brokers = cluster.bootstrap_servers();
    let output = config_for(&brokers).check(&["--live"], &[("LATIDO__ALERTS__TOPIC", "alerts")]);
    let lines = live_lines(&output);
    assert_eq!(
        lines[7..],
        ["ok     topic `alerts`: 4 partitions", "ok     writing `alerts`: confirmed (one probe record)"]
    );
    let (content_type, event) = only_event(&brokers, "alerts");
    assert_eq!(content_type, "application/cloudevents+json; charset=UTF-8");
    assert_eq!((&event["specversion"], &event["type"]), (&json!("1.0"), &json!("io.latido.check.v1")));
    assert_eq!(event["source"], "/latido/latido");

    let output = config_for(&brokers).check(&["--live"], &[("LATIDO__ALERTS__TOPIC", "no-alerts")]);
    let lines = live_lines(&output);
    assert!(lines[7].starts_with("failed topic `no-alerts`: ") && lines[7].contains("`alerts.topic`"), "{lines:?}");
}

/// The first record of a topic of 4 partitions: its content type and what it says.
fn only_event(brokers: &str, topic: &str) -> (String, Value) {
    let consumer: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", brokers).set("group.id", "event-reader").create().unwrap();
    let mut all = TopicPartitionList::new();
    for partition in 0..4 {
        all.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&all).unwrap();
    drop(all);
    let record = consumer.poll(Duration::from_secs(20)).expect("a record in time").unwrap();
    let headers = record.headers().expect("an event has headers");
    let content_type = headers.iter().find(|header| header.key == "content-type").and_then(|header| header.value);
    let event = serde_json::from_slice(record.payload().unwrap()).unwrap();
    (text(content_type.unwrap()).to_owned(), event)
}

#[test]
fn a_live_check_names_missing_rights() {
    let cluster = broker(&["chats", "dead"]);
    cluster.topic_error("chats", RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED).unwrap();
    let output = config_for(&cluster.bootstrap_servers()).check(&["--live"], &[]);
    let lines = live_lines(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(lines[2].starts_with("failed topic `chats`: ") && lines[2].contains("uthorization"), "{lines:?}");
    assert!(lines[2].contains("grant the right"), "{lines:?}");
}

#[test]
fn a_live_check_says_whether_state_could_be_kept_and_leaves_nothing_behind() {
    let cluster = broker(&["chats", "dead"]);
    let brokers = cluster.bootstrap_servers();
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("a/b");
    let output = config_with(&brokers, &format!("directory = \"{}\"", directory.display())).check(&["--live"], &[]);
    assert!(live_lines(&output)[0].ends_with("a/b`: not there yet: the daemon makes it"), "{:?}", live_lines(&output));
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);

    // No user may write below a file.
    let file = home.path().join("file");
    std::fs::write(&file, "").unwrap();
    let below = config_with(&brokers, &format!("directory = \"{}\"", file.join("x").display()));
    let output = below.check(&["--live"], &[]);
    let lines = live_lines(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        lines[0].starts_with("failed directory `") && lines[0].contains("correct `checkpoint.directory`"),
        "{lines:?}"
    );

    let output = config_with(&brokers, "store = \"kafka\"").check(&["--live"], &[]);
    let last = live_lines(&output).pop().map(str::to_owned);
    let told =
        "ok     checkpoint topic `latido-checkpoints`: not there yet: the daemon makes it; transactions are granted";
    assert_eq!(last.as_deref(), Some(told), "{output:?}");
}

#[test]
fn a_model_that_is_none_is_a_wrong_config() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("model.latido");
    std::fs::write(&file, "no model").unwrap();
    let output = given(&format!("[scorer]\nmodel = \"{}\"\n", file.display())).check(&[], &[]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(78), "{told}");
    assert!(told.starts_with("error: scorer.model: ") && told.contains("model.latido"), "{told}");
}

#[test]
fn a_live_check_without_a_broker_names_the_address_and_why() {
    // A port that was free a moment ago, so that nobody listens on it.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let output = config_for(&address).check(&["--live"], &[]);
    let lines = live_lines(&output);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(lines.len(), 2, "nothing else is tried: {lines:?}");
    assert!(lines[1].starts_with(&format!("failed brokers: {address}: ")), "{lines:?}");
    assert!(lines[1].contains("Connection refused") && lines[1].contains("`kafka.brokers`"), "{lines:?}");
}

#[cfg(feature = "transformer")]
#[test]
fn the_transformer_is_loaded_and_has_a_sentence_of_each_label_to_score() {
    let given = given("[kafka]\ntopics = [\"chats\"]\n\n[scorer]\nkind = \"cascade\"\n");
    let output = given.check(&[], &[]);
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for label in ["negative", "neutral", "positive"] {
        let said = printed.lines().filter(|line| line.starts_with(&format!("#   {label}, frustration ")));
        assert_eq!(said.count(), 2, "{printed}");
    }
    assert!(printed.contains("# Transformer: ") && !printed.contains("everybody would say"), "{printed}");
}

#[cfg(feature = "transformer")]
#[test]
fn a_model_that_cannot_be_used_is_told_with_the_file_and_the_remedy() {
    let model = tempfile::tempdir().unwrap();
    std::fs::write(model.path().join("config.json"), "{}").unwrap();
    let directory = model.path().display();
    let given =
        given(&format!("[scorer]\nkind = \"transformer\"\n\n[scorer.transformer]\ndirectory = \"{directory}\"\n"));
    let output = given.check(&[], &[]);
    assert!(!output.status.success());
    let told = text(&output.stderr);
    assert!(told.contains("scorer.transformer: ") && told.contains(&format!("{directory}/tokenizer.json")), "{told}");
}
