//! What was learned of history, and a daemon that starts from it.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use latido::config::{Config, DepartmentConfig};
use latido::detect::AlertState;
use latido::pipeline::{Options, Pipeline};

use crate::broker::{Broker, LIMIT};
use crate::desk::{Desk, counts, text};

#[test]
fn what_was_learned_is_written_and_a_config_may_name_it() {
    let desk = Desk::new();
    desk.write("counts.csv", counts(22));
    desk.json(&["--counts", "counts.csv", "--learn", "baselines.latido"]);
    let learned = latido::checkpoint::read_learned(&desk.path("baselines.latido")).unwrap();
    let names: Vec<&str> = learned.departments.iter().map(|department| &*department.department).collect();
    assert_eq!(names, ["billing", "care"]);

    let check = |config: &str| {
        let config = desk.write("latido.toml", config);
        let mut command = Command::new(env!("CARGO_BIN_EXE_latido"));
        command.arg("check").arg("--config").arg(config).current_dir(desk.folder.path()).env_clear().output().unwrap()
    };
    assert_eq!(check("[detect]\nbaselines = \"baselines.latido\"\n").status.code(), Some(0));
    let missing = check("[detect]\nbaselines = \"nowhere.latido\"\n");
    assert_eq!(missing.status.code(), Some(78));
    assert!(
        text(&missing.stderr).contains("latido.toml:2: detect.baselines = \"nowhere.latido\": it cannot be read"),
        "{missing:?}"
    );
    damage(&desk.path("baselines.latido"));
    let damaged = check("[detect]\nbaselines = \"baselines.latido\"\n");
    assert_eq!(damaged.status.code(), Some(78));
    assert!(text(&damaged.stderr).contains("the file is damaged"), "{damaged:?}");
}

fn damage(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(path, bytes).unwrap();
}

/// Where two departments stand in a daemon that has read nothing yet.
fn states(broker: &Broker, desk: &Desk, checkpoint: &str, baselines: Option<&str>) -> Vec<AlertState> {
    let mut config = Config::default();
    config.kafka.brokers = vec![broker.servers.clone()];
    config.kafka.topics = vec!["messages".to_owned()];
    config.checkpoint.directory = desk.path(checkpoint);
    config.http.listen = ([127, 0, 0, 1], 0).into();
    config.detect.baselines = baselines.map(|name| desk.path(name));
    config.departments = ["care", "brand-new"].map(DepartmentConfig::named).to_vec();
    let pipeline = Pipeline::start(config, Options::default()).unwrap();
    let begun = Instant::now();
    let states = loop {
        let view = pipeline.board().read();
        let states: Vec<AlertState> = view.departments.iter().map(|department| department.outlook.state).collect();
        // The first view shows the states that were taken up; before that all are the default.
        if view.departments.iter().take(2).all(|department| !department.windows.is_empty()) {
            break states;
        }
        assert!(begun.elapsed() < LIMIT, "{view:#?}");
        thread::sleep(Duration::from_millis(10));
    };
    pipeline.stop().unwrap();
    states[..2].to_vec()
}

#[test]
fn a_daemon_starts_with_what_was_learned_and_learns_the_rest_anew() {
    let broker = Broker::start(&[("messages", 1)]);
    let desk = Desk::new();
    desk.write("counts.csv", counts(22));
    desk.json(&["--counts", "counts.csv", "--learn", "baselines.latido"]);
    assert_eq!(states(&broker, &desk, "without", None), [AlertState::Learning, AlertState::Learning]);
    assert_eq!(states(&broker, &desk, "with", Some("baselines.latido")), [AlertState::Quiet, AlertState::Learning]);
}

#[test]
fn a_daemon_does_not_start_with_baselines_that_cannot_be_read() {
    let desk = Desk::new();
    desk.write("latido.toml", "[detect]\nbaselines = \"nowhere.latido\"\n[checkpoint]\ndirectory = \"state\"\n");
    let mut command = Command::new(env!("CARGO_BIN_EXE_latido"));
    let run =
        command.args(["run", "--config", "latido.toml"]).current_dir(desk.folder.path()).env_clear().output().unwrap();
    assert_eq!(run.status.code(), Some(78));
    assert!(text(&run.stderr).contains("detect.baselines"), "{run:?}");
}
