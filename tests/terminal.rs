//! What is left of a program whose terminal is closed. Needs no service.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has said what is wrong")]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use support::daemon::{Home, latido};
use support::process::Process;
use support::{Progress, free_port, seconds, wait_for};

fn signal(name: &str, process: u32) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(process.to_string()).status().unwrap();
    assert!(sent.success(), "SIG{name}");
}

#[test]
fn a_daemon_outlives_its_terminal_and_goes_on_reloading() {
    let address = format!("127.0.0.1:{}", free_port());
    let mut home = Home::new("127.0.0.1:1", &["messages"], "alone").set("http.listen", address.as_str());
    let mut command = home.command(&["run"], &[]);
    let mut daemon = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut listening = String::new();
    BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut listening).unwrap();
    assert!(listening.contains(&address), "{listening}");
    drop(daemon.stderr.take());

    // What a reload finds is logged before it is noted.
    home.change("detect.budgte", 3);
    home.config();
    signal("HUP", daemon.id());
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    wait_for("the reload is noted", seconds(30), || {
        if let Some(status) = daemon.try_wait().unwrap() {
            return Progress::Broken(format!("it ended with {status}"));
        }
        let mut answer = agent.get(format!("http://{address}/readyz")).call().unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        if text.contains("config: not reloaded") { Progress::Done(()) } else { Progress::NotYet(text) }
    });
    signal("TERM", daemon.id());
    assert_eq!(daemon.wait().unwrap().code(), Some(0));
}

#[test]
fn a_demo_ends_with_its_terminal_and_leaves_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = latido(["demo", "--listen", "127.0.0.1:0", "--rate", "1"]);
    let mut demo = Process::start("latido demo", command.env("TMPDIR", temporary.path()));
    demo.wait_until("the demo listens", seconds(30), |demo| {
        if demo.stderr.says("listening on") { Ok(()) } else { Err("not yet".to_owned()) }
    });
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 1, "its checkpoints are there");
    // The shell and the system may both send one.
    demo.signal("HUP");
    demo.signal("HUP");
    assert_eq!(demo.wait_end(seconds(60)), Some(0), "{}", demo.tail());
    assert!(demo.stderr.says("on purpose: "), "{}", demo.tail());
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0, "{}", demo.tail());
}
