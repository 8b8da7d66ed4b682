//! What people say of an alert: by the command line, kept over a crash, counted once.

use std::fs;
use std::process::Output;

use latido::checkpoint;
use serde_json::{Value, json};

use crate::desk::{alerts, in_trouble, wait_for_page};
use crate::support::daemon::{Daemon, Home, latido};
use crate::support::{free_port, seconds};

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// `latido alerts ...` by the config of the daemon.
fn ask(home: &Home, command: &[&str], more: &[&str]) -> Output {
    home.command(&[&["alerts"], command].concat(), more).output().unwrap()
}

/// What it prints, which is JSON and nothing else.
fn ask_json(home: &Home, command: &[&str], more: &[&str]) -> Value {
    let output = ask(home, command, &[more, &["--json"]].concat());
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{command:?} {more:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// How often each verdict was counted: false, useful.
fn counted(daemon: &Daemon) -> [f64; 2] {
    let samples = daemon.metrics().unwrap();
    ["false", "useful"]
        .map(|verdict| samples.sum("latido_alert_feedback_total", &[("department", "billing"), ("verdict", verdict)]))
}

/// Waits until the disk has the mark.
fn wait_until_saved(daemon: &mut Daemon, home: &Home, id: &str, note: &str) {
    daemon.wait_until("a checkpoint has the mark", seconds(30), |_| {
        let saved = checkpoint::read(&home.checkpoint_directory()).map_err(|error| error.to_string())?;
        let alerts = saved.snapshot.into_iter().flat_map(|snapshot| snapshot.alerts);
        let said: Vec<_> = alerts.filter(|alert| alert.id == id).filter_map(|alert| alert.handling.feedback).collect();
        if said.iter().any(|feedback| feedback.note == note) { Ok(()) } else { Err(format!("{said:?}")) }
    });
}

#[test]
fn a_mark_outlives_a_kill_counts_once_and_is_taken_while_the_daemon_catches_up_too() {
    let (broker, home) = in_trouble();
    let home = home.set("http.listen", format!("127.0.0.1:{}", free_port()));
    let mut daemon = home.start();
    wait_for_page(&mut daemon, "billing pages", true);
    let id = alerts(&daemon)[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(counted(&daemon), [0.0, 0.0], "the series are there from the start");

    let output = ask(&home, &["mark", &id, "useful"], &["--note", "the card processor"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), &*format!("{id} is marked useful\n")));
    assert_eq!(counted(&daemon), [0.0, 1.0]);
    // Again, and otherwise: the mark changes, and what was counted stays.
    let marked = ask_json(&home, &["mark", &id, "false"], &["--note", "a rehearsal"]);
    assert_eq!((&marked["id"], &marked["feedback"]["verdict"]), (&json!(id), &json!("false")));
    let again = ask_json(&home, &["mark", &id, "false"], &["--note", "a rehearsal"]);
    assert_eq!(again["feedback"], marked["feedback"], "what is said twice was said then");
    assert_eq!(counted(&daemon), [0.0, 1.0]);
    wait_until_saved(&mut daemon, &home, &id, "a rehearsal");
    daemon.kill();

    // Without a broker nothing is caught up with: alerts are there, and can be marked.
    broker.down();
    let mut daemon = home.start();
    daemon.wait_unready("kafka", seconds(30));
    let listed = ask_json(&home, &["list"], &["--state", "active", "--department", "billing"]);
    let kept = listed["alerts"].as_array().unwrap().iter().find(|alert| alert["id"] == *id).unwrap();
    assert_eq!((&kept["feedback"], &kept["state"]), (&marked["feedback"], &json!("active")));
    assert_eq!(counted(&daemon), [0.0, 0.0], "counters begin with the process");
    assert_eq!(ask(&home, &["mark", &id, "useful"], &[]).status.code(), Some(0));
    assert_eq!(counted(&daemon), [0.0, 0.0], "its first verdict was counted");
    wait_until_saved(&mut daemon, &home, &id, "");
    let told = ask(&home, &["list"], &[]);
    assert!(
        text(&told.stdout).lines().any(|line| line.split_whitespace().rev().take(2).eq(["useful", id.as_str()])),
        "{told:?}"
    );
    assert!(text(&told.stderr).contains("reads a backlog"), "{told:?}");
    daemon.kill();
    broker.up();
}

#[test]
fn the_command_says_what_to_do_where_it_cannot_mark() {
    let home = Home::new("127.0.0.1:1", &["messages"], "nobody");
    let port = format!("127.0.0.1:{}", free_port());
    let home = home.set("http.listen", &*port);
    let failing = |command: &[&str], more: &[&str], words: &str| {
        let output = ask(&home, command, more);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""), "{command:?}");
        assert!(text(&output.stderr).contains(words), "{words}: {}", text(&output.stderr));
    };
    failing(&["list"], &["--json"], &format!("no daemon answers at http://{port}; start it, or name its address"));
    failing(&["mark", "a/b", "false"], &[], "`a/b` cannot be an alert's id");
    failing(&["list"], &["--url", "https://latido"], "the daemon speaks no TLS");

    let token = home.checkpoint_directory().with_file_name("token");
    fs::write(&token, "0123456789abcdef\n").unwrap();
    let home = Home::new("127.0.0.1:1", &["messages"], "guarded").set("http.token_file", token.to_str().unwrap());
    let daemon = home.start();
    let url = format!("http://{}", daemon.address());
    let known = ask(&home, &["mark", "billing-silence-7", "false"], &["--url", &url]);
    assert_eq!(known.status.code(), Some(1));
    assert!(text(&known.stderr).contains("no alert `billing-silence-7`"), "{known:?}");
    let unknown = ask(&home, &["list"], &["--url", &url, "--department", "bilings"]);
    assert!(text(&unknown.stderr).contains("no department is called `bilings`"), "{unknown:?}");
    let empty = ask(&home, &["list"], &["--url", &url]);
    assert_eq!((empty.status.code(), text(&empty.stdout)), (Some(0), "no alerts\n"));
    let stranger = latido(["alerts", "list", "--url", &*url]).output().unwrap();
    assert_eq!(stranger.status.code(), Some(1));
    assert!(text(&stranger.stderr).contains("asks for a token: name the daemon's own config"), "{stranger:?}");
    daemon.stop();
}
