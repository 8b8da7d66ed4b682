//! What `list` shows, and of what.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::broker::Written;
use crate::desk::{Desk, LETTERS, four, text};

/// The offsets that `list --json` gives for these arguments.
fn offsets(desk: &Desk, arguments: &[&str]) -> Vec<i64> {
    let listing: Value = serde_json::from_str(&desk.say(&[&["list", "--json"], arguments].concat())).expect("JSON");
    listing["letters"].as_array().expect("letters").iter().map(|row| row["offset"].as_i64().expect("offset")).collect()
}

#[test]
fn letters_are_listed_oldest_first_and_counted_by_reason_without_their_text() {
    let desk = Desk::open();
    desk.write(four());
    let listed = desk.say(&["list"]);
    let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[1][..5], ["0:0", "not_json", "chats/0/10", "2026-01-31T10:00:00Z", "24"], "{listed}");
    assert!(listed.lines().nth(4).unwrap().ends_with("wrong at line 13"), "{listed}");
    assert!(
        listed.ends_with("\n\nbad_timestamp  1\nmissing_text   1\nnot_json       2\n4 letters in letters\n"),
        "{listed}"
    );
    assert!(!listed.contains("esperando") && !listed.contains("secreto"), "{listed}");
}

#[test]
fn json_is_one_object_with_all_that_is_known() {
    let desk = Desk::open();
    desk.write(four());
    let output = desk.run(&["list", "--json"]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let listing: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(listing["topic"], LETTERS);
    assert_eq!(listing["reasons"], json!({ "bad_timestamp": 1, "missing_text": 1, "not_json": 2 }));
    assert_eq!(
        listing["letters"][1],
        json!({
            "partition": 0, "offset": 1, "reason": "missing_text", "error": "wrong at line 11",
            "source_topic": "chats", "source_partition": 0, "source_offset": 11,
            "received_at": "2026-01-31T11:00:00Z", "bytes": 48, "department": "billing",
            "truncated_from_bytes": null, "stub_of_bytes": null, "replayed": false, "repeated": false,
        })
    );
    assert_eq!(listing["letters"][0]["department"], Value::Null);
}

#[test]
fn filters_leave_the_letters_that_are_meant() {
    let desk = Desk::open();
    desk.write(four());
    assert_eq!(offsets(&desk, &["--reason", "not_json"]), [0, 3]);
    assert_eq!(offsets(&desk, &["--reason", "not_json", "--reason", "missing_text"]), [0, 1, 3]);
    assert_eq!(offsets(&desk, &["--since", "2026-01-31T11:00:00Z", "--until", "2026-01-31T14:00:00+01:00"]), [1, 2]);
    assert_eq!(offsets(&desk, &["--department", "facturacion"]), [1, 2]);
    assert_eq!(offsets(&desk, &["--limit", "3"]), [0, 1, 2]);
    let limited = desk.say(&["list", "--limit", "1"]);
    assert!(limited.ends_with("not_json       2\n4 letters in letters, 3 of them not shown (--limit)\n"), "{limited}");
}

#[test]
fn records_that_are_no_letters_are_passed_over() {
    let desk = Desk::open();
    desk.broker.write(LETTERS, &[Written { headers: vec![("latido-probe", Some(b"0.1.0"))], ..Written::default() }]);
    assert_eq!(desk.say(&["list"]), "no letters in letters\n");
    desk.write(four());
    assert_eq!(offsets(&desk, &[]), [1, 2, 3, 4]);
}

#[test]
fn what_cannot_be_looked_for_is_answered_with_what_can() {
    let desk = Desk::open();
    for (arguments, code, parts) in [
        (["--reason", "nojson"], 2, ["nojson", "not_json, not_object"]),
        (["--since", "yesterday"], 2, ["yesterday", "2026-01-31T00:00:00Z"]),
        (["--department", "biling"], 1, ["`biling`", "billing, other"]),
    ] {
        let output = desk.run(&["list", arguments[0], arguments[1]]);
        let complaint = text(&output.stderr);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(code), ""), "{complaint}");
        assert!(parts.iter().all(|part| complaint.contains(part)), "{complaint}");
    }
}

#[test]
fn without_a_dead_letter_topic_the_config_is_wrong() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("latido.toml");
    fs::write(&file, "[kafka]\ntopics = [\"chats\"]\n").expect("the config is written");
    for arguments in [["list"].as_slice(), &["show", "0:1"], &["replay", "--dry-run"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latido"));
        command.env_clear().arg("dead-letters").args(arguments).arg("--config").arg(&file);
        let output = command.output().expect("the program runs");
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(78), ""));
        let complaint = text(&output.stderr);
        assert!(complaint.contains("latido.toml: kafka.dead_letter_topic: no topic is set"), "{complaint}");
    }
}

#[test]
fn a_topic_that_is_not_there_is_named() {
    let desk = Desk::open();
    let config = tempfile::NamedTempFile::new().expect("a temporary file");
    let toml = format!("[kafka]\nbrokers = \"{}\"\ndead_letter_topic = \"graves\"\n", desk.broker.servers);
    fs::write(config.path(), toml).expect("the config is written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_latido"));
    command.env_clear().args(["dead-letters", "list", "--config"]).arg(config.path());
    let output = command.output().expect("the program runs");
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint.contains("`graves`") && complaint.contains("kafka.dead_letter_topic"), "{complaint}");
    assert!(complaint.contains(&desk.broker.servers), "{complaint}");
}
