//! `latido demo` as somebody meets it who has just built it. Needs no service.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has said what is wrong")]

mod support;

use std::net::TcpListener;

use support::daemon::{Daemon, latido};
use support::process::Process;
use support::seconds;

#[test]
fn a_demo_names_an_address_that_it_cannot_have_as_it_was_given() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let cases = [
        (taken.as_str(), "another program has it: stop that one or choose another port"),
        ("0.0.0.0:0", "a demo has no token to guard its API; listen on 127.0.0.1"),
    ];
    for (address, remedy) in cases {
        let output = latido(["demo", "--listen", address]).output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{words}");
        let error = words.lines().find(|line| line.starts_with("error: ")).unwrap();
        for part in [address, "`--listen`", remedy] {
            assert!(error.contains(part), "{part}: {words}");
        }
        assert!(!error.contains("http."), "a demo has no config: {words}");
    }
}

/// The settings in a command that names them as variables: `NAME=value` or `NAME='value'`, up to the program.
fn settings(command: &str) -> Vec<(String, String)> {
    let words = command.split_whitespace().take_while(|word| *word != "latido");
    let pairs = words.map(|word| word.split_once('=').unwrap_or_else(|| panic!("{word} in {command}")));
    pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned())).collect()
}

#[test]
fn the_command_that_a_demo_prints_runs_a_daemon_on_its_broker() {
    let mut demo = Process::start("latido demo", &mut latido(["demo", "--listen", "127.0.0.1:0", "--rate", "1"]));
    let command = demo.wait_until("the command is printed", seconds(30), |demo| {
        let lines = demo.stderr.lines();
        lines.into_iter().find(|line| line.ends_with(" latido run")).ok_or_else(|| "not yet".to_owned())
    });
    let home = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(latido(["run"]).envs(settings(&command)).current_dir(home.path()));
    daemon.wait_until("the daemon has read messages of the demo", seconds(60), |daemon| {
        let read = daemon.metrics()?.sum("latido_messages_total", &[("department", "other")]);
        if read > 500.0 { Ok(()) } else { Err(format!("{read} messages")) }
    });
    daemon.stop();
    assert!(home.path().join("state").is_dir(), "what the daemon keeps is where the command said");
}
