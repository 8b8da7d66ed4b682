//! What a daemon that cannot start as told says, and what it then leaves alone. Needs no service.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has said what is wrong")]

mod support;

use std::fs;
use std::net::TcpListener;

use support::daemon::Home;
use support::{free_port, seconds};

/// A home whose broker does not exist.
fn alone() -> Home {
    Home::new(&format!("127.0.0.1:{}", free_port()), &["messages"], "alone")
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, words) = alone().set("http.listen", address.as_str()).run_in_vain();
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains(&address), "{words}");
}

#[test]
fn a_wrong_config_exits_78_and_names_the_key_before_any_port_is_bound() {
    // The port is taken: a daemon that bound it first would say so and exit 1.
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let misspelt = alone().set("http.listen", address.as_str()).set("kafka.topic", "messages");
    let (code, words) = misspelt.run_in_vain();
    assert_eq!(code, Some(78), "{words}");
    assert!(words.contains("kafka.topic") && words.contains("kafka.topics"), "{words}");
    assert!(words.contains("latido.toml"), "{words}");
    assert!(!words.contains(&address), "{words}");
}

#[test]
fn without_a_broker_a_daemon_lives_says_why_it_is_not_ready_and_ends_when_told() {
    let home = alone();
    let mut daemon = home.start();
    daemon.wait_unready("broker", seconds(30));
    assert_eq!(daemon.get("/healthz").unwrap().0, 200);
    let samples = daemon.metrics().unwrap();
    assert_eq!(samples.value("latido_ready", &[]), Some(0.0));
    assert_eq!(samples.of("latido_messages_total", &[("department", "billing")]).count(), 6);
    daemon.stop();
}

#[test]
fn a_log_in_json_is_one_object_a_line_and_standard_output_stays_for_people() {
    let mut daemon = alone().set("log.format", "json").start();
    daemon.wait_says("no broker", seconds(30));
    let (log, output) = (daemon.log().lines(), daemon.output().lines());
    daemon.stop();
    for line in &log {
        let object: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(object["level"].is_string() && object["message"].is_string(), "{line}");
    }
    let begins: Vec<_> = output.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(begins, ["listening", "consuming"]);
}

/// What a daemon says that finds such a file as its only checkpoint, and ends with.
fn start_on(bytes: &[u8]) -> (Option<i32>, String) {
    let home = alone();
    let directory = home.checkpoint_directory();
    fs::create_dir_all(&directory).unwrap();
    let file = directory.join("state.7.latido");
    fs::write(&file, bytes).unwrap();
    let ended = home.run_in_vain();
    assert_eq!(fs::read(&file).unwrap(), bytes, "it is left alone");
    let left: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name == "state.8.latido"), "nothing is begun anew beside it: {left:?}");
    ended
}

#[test]
fn a_checkpoint_that_only_a_person_can_help_ends_the_daemon_with_65_and_names_file_and_remedy() {
    let mut newer = b"LATIDOCP".to_vec();
    newer.extend_from_slice(&[200, 0, 0, 0]);
    newer.extend_from_slice(&[0; 12]);
    for (bytes, reason, remedy) in [
        (&newer[..], "its format is version 200", "run the latido that wrote it"),
        (b"LATIDOCP\x03", "it is cut short: 9 bytes of 24", "put the file back from a copy"),
        (b"", "it is not a checkpoint of latido", "put the file back from a copy"),
    ] {
        let (code, words) = start_on(bytes);
        assert_eq!(code, Some(65), "{words}");
        for part in ["state.7.latido", reason, remedy] {
            assert!(words.contains(part), "{part}: {words}");
        }
    }
}
