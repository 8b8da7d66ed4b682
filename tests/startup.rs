//! What a daemon that cannot start as told says, and what it then leaves alone. Needs no service.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has said what is wrong")]

mod support;

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
    let mut daemon = alone().start();
    daemon.wait_unready("broker", seconds(30));
    assert_eq!(daemon.get("/healthz").unwrap().0, 200);
    let samples = daemon.metrics().unwrap();
    assert_eq!(samples.value("latido_ready", &[]), Some(0.0));
    assert_eq!(samples.of("latido_messages_total", &[("department", "billing")]).count(), 6);
    daemon.stop();
}
