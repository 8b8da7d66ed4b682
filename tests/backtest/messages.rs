//! Messages in, from a file or a topic: scored and counted as the daemon does.

use serde_json::json;

use crate::broker::{Broker, Written};
use crate::desk::{Desk, START, department, text};

/// Messages of an hour, in an order that is not that of time, with some that cannot be used.
pub(crate) fn messages() -> String {
    let mut lines = String::from("\u{feff}");
    for second in (0..120).rev().map(|message| message * 30) {
        let text =
            if second % 120 == 0 { "Llevo tres semanas esperando, estoy harto" } else { "Muchas gracias por todo" };
        let time = jiff::Timestamp::from_second(START + second).unwrap();
        lines.push_str(&format!(
            "{{\"text\": \"{text}\", \"department\": \"Customer Care\", \"timestamp\": \"{time}\"}}\n"
        ));
    }
    lines.push_str("\nnonsense\n{\"text\": \"hola\", \"department\": \"care\"}\n");
    lines.push_str(&format!("{{\"text\": \"hola\", \"author\": \"agent\", \"timestamp\": {START}}}\n"));
    lines
}

#[test]
fn messages_are_scored_and_counted_whatever_their_order() {
    let desk = Desk::new();
    desk.write("messages.jsonl", messages());
    desk.write("messages.jsonl.zst", zstd::encode_all(messages().as_bytes(), 1).unwrap());
    for name in ["messages.jsonl", "messages.jsonl.zst"] {
        let run = desk.json(&["--input", name]);
        assert_eq!(run["step_seconds"], 60, "{name}");
        assert_eq!(run["messages"], 120, "{name}");
        assert_eq!(department(&run, "customer-care")["messages"], 120);
        assert_eq!(run["source"]["unusable"], serde_json::json!({ "no_timestamp": 1, "not_json": 1 }));
        assert_eq!(run["source"]["not_by_customers"], 1);
        assert_eq!(run["from"], "2026-01-05T00:00:00Z");
    }
    let output = desk.run(&["--input", "messages.jsonl"]);
    let told = "left out: 1 record that cannot be used, not_json, the first at line 122";
    assert!(text(&output.stdout).contains(told) && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn with_the_departments_of_a_config_messages_go_where_the_daemon_counts_them() {
    let desk = Desk::new();
    desk.write("messages.jsonl", messages());
    desk.write("latido.toml", "[[departments]]\nid = \"care\"\naliases = [\"customer care\"]\n");
    let run = desk.json(&["--config", "latido.toml", "--input", "messages.jsonl"]);
    assert_eq!(department(&run, "care")["messages"], 120);
    desk.write("latido.toml", "[[departments]]\nid = \"billing\"\n");
    let run = desk.json(&["--config", "latido.toml", "--input", "messages.jsonl"]);
    assert_eq!(department(&run, "other")["messages"], 120);
}

#[test]
fn severe_messages_are_tickets_and_neither_incidents_nor_false_alarms() {
    let desk = Desk::new();
    let severe = |minute: i64| {
        let time = jiff::Timestamp::from_second(START + minute * 60).unwrap();
        let text = "Voy a demandarlos, mi abogado ya tiene la denuncia ante Profeco";
        format!("{{\"text\": \"{text}\", \"department\": \"Customer Care\", \"timestamp\": \"{time}\"}}\n")
    };
    desk.write("messages.jsonl", messages() + &severe(10) + &severe(12) + &severe(50));
    let run = desk.json(&["--input", "messages.jsonl"]);
    let care = department(&run, "customer-care");
    assert_eq!((&care["tickets"], &care["alerts"], &care["incidents"]), (&json!(2), &json!(0), &json!(0)));
    let shown = &run["alerts"][0];
    assert_eq!(
        (&shown["kind"], &shown["severity"], &shown["peak_p"]),
        (&json!("severe"), &json!("ticket"), &json!(null))
    );
    assert_eq!(shown["started"], "2026-01-05T00:11:00Z");
    desk.write("latido.toml", "[detect]\nsevere_signals = []\n");
    let run = desk.json(&["--config", "latido.toml", "--input", "messages.jsonl"]);
    assert_eq!(run["alerts"], json!([]));
}

#[test]
fn a_file_without_any_message_is_refused() {
    let desk = Desk::new();
    desk.write("messages.jsonl", "{\"body\": \"hola\"}\n");
    let (code, error) = desk.refused(&["--input", "messages.jsonl"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("no message can be used (1 missing_text, the first in line 1)"), "{error}");
}

#[test]
fn a_topic_is_read_from_its_beginning_to_its_end_and_nothing_is_committed() {
    let broker = Broker::start(&[("chats", 2), ("mails", 1)]);
    let desk = Desk::new();
    let write = |topic: &str, partition: i32, lines: &[&str]| {
        let written = lines.iter().map(|line| Written {
            partition,
            value: Some(line.as_bytes().to_vec()),
            kafka_timestamp: START * 1_000,
            ..Written::default()
        });
        broker.write(topic, &written.collect::<Vec<_>>());
    };
    let (all, care) = (messages(), "{\"text\": \"hola, gracias\", \"department\": \"care\"}");
    let lines: Vec<&str> = all.lines().filter(|line| !line.is_empty()).collect();
    write("chats", 0, &lines[..60]);
    write("chats", 1, &lines[60..]);
    write("mails", 0, &[care; 3]);
    desk.write("latido.toml", format!("[kafka]\nbrokers = \"{}\"\ngroup = \"latido-test\"\n", broker.servers));
    let run = desk.json(&["--config", "latido.toml", "--topic", "chats", "--topic", "mails"]);
    assert_eq!(department(&run, "customer-care")["messages"], 120);
    assert_eq!(department(&run, "care")["messages"], 4, "what has no timestamp was written when Kafka has it");
    assert_eq!(run["source"]["unusable"], serde_json::json!({ "not_json": 1 }));
    assert_eq!(
        run["source"]["first_unusable"],
        json!({ "not_json": "1:60 of chats" }),
        "as `dead-letters show` asks for it"
    );
    assert_eq!(run["source"]["name"], "chats, mails");
    assert_eq!(broker.committed("latido-test", "chats", 2), [None, None]);

    let mut without = std::process::Command::new(env!("CARGO_BIN_EXE_latido"));
    without.args(["backtest", "--topic", "chast"]).env_clear().env("LATIDO__KAFKA__BROKERS", &broker.servers);
    let without = without.output().unwrap();
    assert!(text(&without.stderr).contains("name a config with --config"), "{without:?}");
    let (code, error) = desk.refused(&["--config", "latido.toml", "--topic", "chast"]);
    assert!(!error.contains("name a config"), "{error}");
    assert!(code == Some(1) && error.contains("topic `chast`") && error.contains("correct `--topic`"), "{error}");
}
