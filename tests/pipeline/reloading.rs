//! The departments change their places while batches are on their way.

use latido::config::{Config, DepartmentConfig};

use crate::broker::{Broker, Written};
use crate::daemon::{CALM, Daemon, TOPIC, accounted, config, message, now, panes_of, saved_panes, scored};

const PARTITIONS: i32 = 4;
const MESSAGES: usize = 20_000;
/// Places of the departments, in turn; `shop` comes and goes, and nobody writes to it.
const ORDERS: [&[&str]; 3] =
    [&["delivery", "shop", "billing"], &["billing", "delivery"], &["shop", "other", "delivery", "billing"]];

#[test]
fn while_departments_change_places_under_load_each_message_counts_once_and_for_its_own() {
    let broker = Broker::start(&[(TOPIC, PARTITIONS)]);
    let home = tempfile::tempdir().unwrap();
    let begun = now() - 600_000;
    let said: Vec<(&str, i64)> = (0..MESSAGES)
        .map(|number| (["billing", "delivery", "delivery", "other"][number % 4], begun + number as i64 * 20))
        .collect();
    // Spread over the partitions otherwise than over the departments.
    let records: Vec<Written> = said
        .iter()
        .enumerate()
        .map(|(number, (department, at))| message((number / 7) as i32 % PARTITIONS, department, *at, CALM))
        .collect();
    broker.write(TOPIC, &records);

    let mut started = config(&broker, home.path());
    started.pipeline.batch_records = 20;
    let daemon = Daemon::start(started.clone());
    daemon.wait_until("reading has begun", |view| accounted(view) > 0);
    let (mut reloads, mut under_load) = (0, 0);
    while accounted(&daemon.view()) < MESSAGES as u64 {
        let order = ORDERS[reloads % ORDERS.len()];
        let departments = order.iter().copied().map(DepartmentConfig::named).collect();
        daemon.pipeline.reload(Config { departments, ..started.clone() }).unwrap();
        let view = daemon.wait_until("it is taken", |view| {
            view.roster.iter().map(|(_, department)| &*department.id).take(order.len()).eq(order.iter().copied())
        });
        assert_eq!(view.departments.len(), view.roster.len(), "a view is of one config");
        reloads += 1;
        under_load += usize::from(accounted(&view) < MESSAGES as u64);
    }
    assert!(under_load >= 3, "only {under_load} of {reloads} reloads met messages on their way");
    let view = daemon.wait_for_records(MESSAGES as u64);
    assert_eq!(scored(&view), MESSAGES as u64);
    for (id, department) in view.roster.iter() {
        let written = said.iter().filter(|(name, _)| *name == department.id).count() as u64;
        let counted: u64 = view.departments[id.index()].messages.iter().flatten().sum();
        assert_eq!(counted, written, "{}", department.id);
    }
    daemon.stop();
    assert_eq!(saved_panes(home.path()), panes_of(&said));
}
