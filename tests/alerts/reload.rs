//! Departments and thresholds are reloaded under a running daemon: nothing that it knows is lost, and no series is left of what is gone.

use toml::Value;

use crate::broker::Broker;
use crate::desk::{CALM, MINUTE, TOPIC, alerts, in_trouble, message_of, now, wait_for_page};
use crate::support::daemon::{Daemon, Home};
use crate::support::exposition::Samples;
use crate::support::seconds;

const THREAT: &str = "Voy a demandarlos: mi abogado ya presentó la denuncia ante Profeco.";

/// Writes those departments into the config, and has the daemon read it.
fn reload(home: Home, daemon: &mut Daemon, departments: &str) -> Home {
    let written: toml::Table = departments.parse().unwrap();
    let home = home.set("departments", written["departments"].clone());
    home.config();
    daemon.reload();
    home
}

fn messages(samples: &Samples, department: &str) -> u64 {
    samples.count("latido_messages_total", &[("department", department)])
}

/// The teams that are told of a department.
fn teams(samples: &Samples, department: &str) -> Vec<String> {
    samples
        .of("latido_department_info", &[("department", department)])
        .map(|info| info.labels["team"].clone())
        .collect()
}

/// Ids of the open alerts, and since when each is.
fn open_alerts(daemon: &Daemon) -> Vec<(String, String)> {
    let text = |alert: &serde_json::Value, key: &str| alert[key].as_str().unwrap().to_owned();
    let open = alerts(daemon).into_iter().filter(|alert| alert["state"] == "active");
    open.map(|alert| (text(&alert, "id"), text(&alert, "started"))).collect()
}

/// Which alert the topic tells of, and what happened to it.
fn told(broker: &Broker) -> Vec<String> {
    let events = broker.read("told", 0);
    let events = events.iter().map(|event| serde_json::from_slice(event.value.as_deref().unwrap()).unwrap());
    let shown = events.map(|event: serde_json::Value| {
        let happened = event["type"].as_str().unwrap().split('.').nth(3).unwrap();
        format!("{} {happened}", event["data"]["id"].as_str().unwrap())
    });
    shown.collect()
}

fn paged(daemon: &Daemon) -> f64 {
    daemon.metrics().unwrap().sum("latido_alerts_total", &[("department", "billing")])
}

#[test]
fn departments_are_taken_on_sighup_and_what_is_known_of_them_stays() {
    let (broker, home) = in_trouble();
    broker.order(|cluster| cluster.create_topic("told", 1, 1).expect("a topic"));
    let home = home.set("alerts.topic", "told");
    let mut daemon = home.start();
    wait_for_page(&mut daemon, "billing pages", true);
    // The longest window, once all is in it: for hours none leaves it, and none comes.
    let window = [("department", "billing"), ("window", "24h")];
    let in_window = |samples: &Samples| samples.value("latido_window_messages", &window);
    let before = daemon.wait_for_metrics("all is in the window", seconds(60), |samples| {
        in_window(samples).is_some_and(|messages| messages as u64 == self::messages(samples, "billing"))
    });
    let (open, counted) = (open_alerts(&daemon), paged(&daemon));
    let written = messages(&before, "billing");
    assert!(!open.is_empty() && counted > 0.0 && written > 500, "{written}");
    assert_eq!((teams(&before, "billing"), teams(&before, "shop").len()), (vec![String::new()], 0));

    // Another place, another team, another name, and one more department.
    let billing = "\
        [[departments]]\nid = 'shop'\n\
        [[departments]]\nid = 'billing'\nteam = 'payments'\naliases = ['invoices']\n\
        expected_negative_ratio = 0.05\nexpected_frustrated_ratio = 0.05\n";
    let home = reload(home, &mut daemon, billing);
    let after = daemon.wait_for_metrics("there is a shop", seconds(30), |samples| !teams(samples, "shop").is_empty());
    assert_eq!(teams(&after, "billing"), ["payments"], "no series of the team before is left");
    assert_eq!(messages(&after, "billing"), written, "counters are the process's");
    assert_eq!(in_window(&after), in_window(&before));
    assert_eq!((open_alerts(&daemon), paged(&daemon)), (open.clone(), counted), "the same alerts, told once");
    let (_, notes) = daemon.get("/readyz").unwrap();
    assert!(!notes.contains("config:"), "{notes}");

    let say = |names: &[&str]| {
        let records: Vec<_> = names.iter().map(|name| message_of(name, now() - MINUTE, CALM)).collect();
        broker.write(TOPIC, &records);
    };
    say(&["shop", "INVOICES", "invoices", "nobody"]);
    let routed = |samples: &Samples| ["shop", "billing", "other"].map(|department| messages(samples, department));
    daemon.wait_for_metrics("each is counted where it belongs", seconds(30), |samples| {
        routed(samples) == [1, written + 2, 1]
    });
    let (status, panes) = daemon.get("/api/v1/windows?department=shop").unwrap();
    assert!(status == 200 && panes.contains("\"department\":\"shop\""), "{status} {panes}");

    // A restart has it no other way.
    daemon.stop();
    let mut daemon = home.start();
    wait_for_page(&mut daemon, "billing pages", true);
    assert_eq!(open_alerts(&daemon), open);

    let _home = reload(home, &mut daemon, "[[departments]]\nid = 'shop'\n");
    let after = daemon.wait_for_metrics("billing is gone", seconds(30), |samples| {
        samples.of("latido_messages_total", &[("department", "billing")]).next().is_none()
    });
    let of_billing = [("department", "billing")];
    for family in ["latido_department_info", "latido_window_messages", "latido_alert_active", "latido_alerts_total"] {
        assert_eq!(after.of(family, &of_billing).count(), 0, "{family}");
        assert!(after.of(family, &[("department", "shop")]).next().is_some(), "{family}");
    }
    assert_eq!(open_alerts(&daemon), []);
    let (status, refused) = daemon.get("/api/v1/windows?department=billing").unwrap();
    assert!(status == 400 && refused.contains("the departments are shop, other"), "{status} {refused}");
    daemon.wait_says("not taken over into the config read anew: baseline of department billing", seconds(10));
    say(&["billing"]);
    daemon.wait_for_metrics("it counts as other's", seconds(30), |samples| messages(samples, "other") == 1);
    // Whoever was paged by the topic learns that it is over.
    daemon.wait_until("the topic tells the end of each", seconds(30), |_| {
        let told = told(&broker);
        let is_over = |id: &String| told.iter().any(|event| *event == format!("{id} closed"));
        if open.iter().all(|(id, _)| is_over(id)) { Ok(()) } else { Err(format!("{told:?}")) }
    });
    let told = told(&broker);
    for (id, _) in &open {
        let opened = told.iter().position(|event| *event == format!("{id} opened"));
        assert!(
            opened < told.iter().position(|event| *event == format!("{id} closed")) && opened.is_some(),
            "{told:?}"
        );
    }
    daemon.stop();
}

#[test]
fn thresholds_are_taken_on_sighup_and_hold_for_what_comes_next() {
    let (broker, home) = in_trouble();
    let home = home.set("detect.severe_signals", Value::Array(Vec::new()));
    let mut daemon = home.start();
    wait_for_page(&mut daemon, "billing pages", true);
    let severe = [("department", "billing"), ("alert", "severe"), ("severity", "ticket")];
    // The next message has its minute end, by stream time.
    let threaten = || {
        let (at, later) = (now() - MINUTE - 40_000, now());
        broker.write(TOPIC, &[message_of("billing", at, THREAT), message_of("billing", later, CALM)]);
    };
    let written = messages(&daemon.metrics().unwrap(), "billing");
    threaten();
    let before = daemon.wait_scored(written + 2, seconds(30));
    assert_eq!(before.sum("latido_alerts_total", &severe), 0.0);

    let home = home.set("detect.severe_signals", vec!["legal_threat"]).set("detect.company_team", "the-board");
    home.config();
    daemon.reload();
    daemon.wait_for_metrics("the company has a team", seconds(30), |samples| {
        samples.of("latido_department_info", &[("team", "the-board")]).next().is_some()
    });
    threaten();
    daemon.wait_for_metrics("a threat makes a ticket", seconds(90), |samples| {
        samples.sum("latido_alerts_total", &severe) == 1.0
    });
    daemon.stop();
}

#[test]
fn a_reload_with_departments_that_contradict_each_other_changes_nothing() {
    let (_broker, home) = in_trouble();
    let mut daemon = home.start();
    wait_for_page(&mut daemon, "billing pages", true);
    let open = open_alerts(&daemon);
    let twice = "[[departments]]\nid = 'shop'\n[[departments]]\nid = 'shop'\n";
    let home = reload(home, &mut daemon, twice);
    daemon.wait_until("/readyz says what is wrong", seconds(30), |daemon| match daemon.get("/readyz")? {
        (200, body) if body.contains("config: not reloaded") && body.contains("departments[1].id") => Ok(()),
        (status, body) => Err(format!("{status} {body}")),
    });
    let missing = home.set("detect.baselines", "/no/such/file");
    let _home = reload(missing, &mut daemon, "[[departments]]\nid = 'shop'\n");
    daemon.wait_until("/readyz names the file", seconds(30), |daemon| match daemon.get("/readyz")? {
        (200, body) if body.contains("config: not reloaded") && body.contains("/no/such/file") => Ok(()),
        (status, body) => Err(format!("{status} {body}")),
    });
    assert_eq!(open_alerts(&daemon), open);
    assert_eq!(teams(&daemon.metrics().unwrap(), "billing").len(), 1);
    daemon.stop();
}
