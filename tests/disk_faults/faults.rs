//! What befalls the disk under a running daemon: it counts on, says so, commits nothing unsaved, and goes on by itself.

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::broker::{Broker, Written};
use crate::disk::{Disk, without_override};
use crate::support::daemon::{Daemon, Home};
use crate::support::seconds;

pub(crate) const TOPIC: &str = "messages";
const GROUP: &str = "disk-faults";
const LIMIT: std::time::Duration = seconds(60);

/// A home on that disk, quick to join the mock's group.
pub(crate) fn home(broker: &Broker, disk: &Disk) -> Home {
    Home::new(&broker.servers, &[TOPIC], GROUP)
        .set("kafka.session_timeout", "4s")
        .set("checkpoint.directory", disk.directory().display().to_string())
        .set("checkpoint.interval", "200ms")
}

/// So many messages, a second apart, the last of them some minutes ago.
pub(crate) fn messages(count: i64) -> Vec<Written> {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let now = i64::try_from(now).unwrap();
    let one = |number: i64| {
        let at = now - 600_000 + number * 1_000;
        let value = serde_json::json!({ "text": "¿A qué hora abren?", "department": "billing", "timestamp": at });
        Written { value: Some(value.to_string().into_bytes()), kafka_timestamp: at, ..Written::default() }
    };
    (0..count).map(one).collect()
}

fn wait_saved(home: &Home, daemon: &mut Daemon, next: i64) {
    daemon.wait_until(&format!("offset {next} is saved"), LIMIT, |_| {
        let saved = home.try_checkpoint().map_err(|output| String::from_utf8_lossy(&output.stderr).into_owned())?;
        if saved.next_offsets(TOPIC) == BTreeMap::from([(0, next)]) { Ok(()) } else { Err(format!("{saved:?}")) }
    });
}

/// Breaks the disk under a daemon, and mends it.
fn survive(
    fault: &str,
    disk: &Disk,
    start: impl Fn(&Home) -> Daemon,
    break_it: impl Fn(),
    mend_it: impl Fn(),
    reason: &str,
) {
    let broker = Broker::start(&[(TOPIC, 1)]);
    let home = home(&broker, disk);
    broker.write(TOPIC, &messages(40));
    let mut daemon = start(&home);
    wait_saved(&home, &mut daemon, 40);
    daemon.wait_ready(LIMIT);

    break_it();
    broker.write(TOPIC, &messages(25));
    let counted = |wanted| {
        move |samples: &crate::support::exposition::Samples| samples.count("latido_messages_total", &[]) == wanted
    };
    daemon.wait_for_metrics(&format!("{fault}: it counts on"), LIMIT, counted(65));
    daemon.wait_for_metrics(&format!("{fault}: it tries on"), LIMIT, |samples| {
        samples.count("latido_checkpoint_failures_total", &[]) >= 3
    });
    let told = daemon.wait_unready("checkpoint: ", LIMIT);
    assert!(told.contains(reason) && told.contains("checkpoint.directory"), "{fault}: {told}");
    assert_eq!(daemon.get("/healthz").unwrap().0, 200, "{fault}: it lives");
    assert_eq!(broker.committed(GROUP, TOPIC, 1), [Some(40)], "{fault}: nothing is committed that is not saved");

    mend_it();
    wait_saved(&home, &mut daemon, 65);
    daemon.wait_ready(LIMIT);
    // What a kill leaves is what the restart goes on from: once each.
    daemon.kill();
    broker.write(TOPIC, &messages(10));
    let mut again = start(&home);
    again.wait_for_metrics(&format!("{fault}: the restart goes on"), LIMIT, counted(10));
    again.stop();
    let kept: u64 = home.checkpoint().messages_from(0).values().sum();
    assert_eq!(kept, 75, "{fault}");
}

#[test]
#[ignore = "needs to mount: cargo xtask disk"]
fn a_disk_that_fills_up_under_a_daemon_costs_nothing_once_there_is_room_again() {
    let disk = Disk::mount();
    survive("full", &disk, Home::start, || disk.fill(), || disk.free(), "No space left on device");
}

#[test]
#[ignore = "needs to mount: cargo xtask disk"]
fn a_disk_that_turns_read_only_under_a_daemon_costs_nothing_once_it_can_be_written_again() {
    let disk = Disk::mount();
    let turn = |read_only| disk.set_read_only(read_only);
    survive("read-only", &disk, Home::start, || turn(true), || turn(false), "Read-only file system");
}

#[test]
#[ignore = "needs to mount: cargo xtask disk"]
fn a_directory_whose_permissions_are_taken_from_a_daemon_costs_nothing_once_it_has_them_again() {
    let disk = Disk::mount();
    let start = |home: &Home| Daemon::start(&mut without_override(&home.command(&["run"], &[])));
    survive("closed", &disk, start, || disk.set_closed(true), || disk.set_closed(false), "Permission denied");
}
