//! A single message that a person must read, through the whole daemon.

use std::fs;
use std::path::Path;

use latido::detect::{Alert, AlertKind, Severity};
use latido::publish::View;

use crate::broker::Broker;
use crate::daemon::{CALM, Daemon, TOPIC, config, message, now};

const THREAT: &str = "Voy a demandarlos: mi abogado ya presentó la denuncia ante Profeco.";
const MINUTE: i64 = 60_000;

fn tickets(view: &View) -> Vec<Alert> {
    view.stream.alerts.iter().filter(|alert| alert.kind == AlertKind::Severe).cloned().collect()
}

fn told(view: &View) -> u64 {
    view.departments.iter().map(|one| one.alerts_opened[AlertKind::Severe as usize][Severity::Ticket as usize]).sum()
}

/// What a kill -9 at this moment leaves: the checkpoints, not the lock.
fn left_by_a_kill(home: &Path) -> tempfile::TempDir {
    let left = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(home).unwrap() {
        let name = entry.unwrap().file_name();
        if name.to_string_lossy().ends_with(".latido") {
            fs::copy(home.join(&name), left.path().join(&name)).unwrap_or_default();
        }
    }
    left
}

#[test]
fn a_severe_message_makes_one_ticket_though_the_daemon_is_killed_before_and_after_it_is_told() {
    let broker = Broker::start(&[(TOPIC, 1)]);
    let home = tempfile::tempdir().unwrap();
    let begun = (now() - 60 * MINUTE).div_euclid(MINUTE) * MINUTE;
    let say = |at: i64, text: &str| broker.write(TOPIC, &[message(0, "billing", begun + at, text)]);

    say(0, CALM);
    let first = Daemon::start(config(&broker, home.path()));
    first.wait_for_records(1);
    first.wait_until_ready();
    say(10_000, THREAT);
    first.wait_for_records(2);
    first.wait_until("it is saved", |_| crate::daemon::saved_offsets(home.path()).get(&0) == Some(&2));
    assert!(tickets(&first.view()).is_empty(), "its minute is not over");
    let killed = left_by_a_kill(home.path());
    first.stop();

    let second = Daemon::start(config(&broker, killed.path()));
    second.wait_until_ready();
    say(3 * MINUTE, CALM);
    let view = second.wait_until("it is told", |view| told(view) == 1);
    let [ticket] = &tickets(&view)[..] else { panic!("{view:#?}") };
    assert_eq!(ticket.id, format!("billing-severe-{}", begun + MINUTE));
    assert_eq!((ticket.started.as_millis(), ticket.messages), (begun + MINUTE, 1));
    second.wait_until("the ticket is saved", |_| !crate::daemon::saved(killed.path()).alerts.is_empty());
    let killed_again = left_by_a_kill(killed.path());
    second.stop();

    let third = Daemon::start(config(&broker, killed_again.path()));
    third.wait_until_ready();
    assert_eq!(tickets(&third.view()), std::slice::from_ref(ticket), "open still");
    say(30 * MINUTE, CALM);
    let view = third.wait_until("it is over", |view| tickets(view).iter().all(|ticket| ticket.ended.is_some()));
    assert_eq!((tickets(&view).len(), told(&view)), (1, 0), "and was told once");
    third.stop();
}
