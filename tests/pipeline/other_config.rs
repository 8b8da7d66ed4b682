//! A checkpoint of another config restores what still applies and names the rest.

use latido::config::{DepartmentConfig, Span};

use crate::broker::Broker;
use crate::daemon::{CALM, Daemon, TOPIC, config, message, now, panes_of, saved_panes};
use crate::logged::logged;

const OTHER_TOPIC: &str = "old-messages";

#[test]
fn a_checkpoint_of_another_config_restores_what_applies_and_names_the_rest() {
    let broker = Broker::start(&[(TOPIC, 1), (OTHER_TOPIC, 1)]);
    let home = tempfile::tempdir().unwrap();
    let begun = now() - 120_000;
    let of = |department: &'static str| (0..10).map(move |number| (department, begun + number * 1_000));
    let write = |topic: &str, messages: &[(&str, i64)]| {
        let records: Vec<_> = messages.iter().map(|(of, event_time)| message(0, of, *event_time, CALM)).collect();
        broker.write(topic, &records);
    };
    let (billing, delivery): (Vec<_>, Vec<_>) = (of("billing").collect(), of("delivery").collect());
    write(TOPIC, &billing);
    write(OTHER_TOPIC, &delivery);
    let mut before = config(&broker, home.path());
    before.kafka.topics.push(OTHER_TOPIC.to_owned());
    let first = Daemon::start(before);
    first.wait_for_records(20);
    first.stop();

    let mut after = config(&broker, home.path());
    after.departments = vec![DepartmentConfig::named("shop"), DepartmentConfig::named("billing")];
    after.windows.lateness = Span::from_secs(0);
    after.windows.lengths = vec![Span::from_secs(1_800), Span::from_secs(900)];
    let (second, told) = logged(|| Daemon::start(after));
    let warnings: String = told.lines().filter(|line| line.contains(" WARN ")).collect();
    assert!(warnings.contains("department delivery: 1 panes") || warnings.contains("department delivery: 2 panes"));
    assert!(warnings.contains("position of old-messages[0]: its topic is not in kafka.topics"), "{warnings}");
    assert!(!warnings.contains("billing"), "what is restored is no warning: {warnings}");

    let shop = [("shop", begun + 30_000), ("shop", begun + 90_000)];
    write(TOPIC, &shop);
    second.wait_for_records(2);
    let view = second.wait_until("the windows end behind the messages", |view| {
        view.stream.window_end.is_some_and(|end| end.as_millis() >= begun + 40_000)
    });
    let sums: Vec<Vec<u32>> =
        view.departments.iter().map(|one| one.windows.iter().map(|window| window.messages).collect()).collect();
    assert_eq!(sums, [vec![1, 1], vec![10, 10], vec![0, 0]], "shop, billing and other, in their new places");
    second.stop();
    let kept: Vec<_> = billing.into_iter().chain(shop).collect();
    assert_eq!(saved_panes(home.path()), panes_of(&kept));
}
