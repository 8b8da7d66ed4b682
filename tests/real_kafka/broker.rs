//! The ground the other tests stand on.

use crate::support::{broker, kcat, seconds, stream};

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn what_kcat_produces_stands_in_the_topic() {
    let kafka = broker::shared();
    kafka.create_topic("ground", 4, &[]);
    kafka.create_topic("ground-one", 1, &[]);
    let lines = stream::week(500, 1);
    kcat::produce(kafka.bootstrap(), "ground", &lines);
    kcat::produce_to(kafka.bootstrap(), "ground-one", 0, &lines[..20]);
    let bounds = kafka.bounds("ground", 4);
    assert_eq!(bounds.iter().map(|(_, next)| next).sum::<i64>(), 500);
    assert!(bounds.iter().all(|(_, next)| *next > 0), "keys spread over the partitions: {bounds:?}");

    let letters = kafka.read("ground-one", 20, seconds(20));
    assert_eq!(letters[3].key.as_deref(), Some(lines[3].key.as_bytes()));
    assert_eq!(letters[3].value.as_deref(), Some(lines[3].value.as_bytes()));

    assert_eq!(kafka.committed("nobody", "ground", 4).len(), 0);
    kafka.delete_records_before("ground-one", 0, 7);
    assert_eq!(kafka.bounds("ground-one", 1), [(7, 20)]);
    kafka.delete_topic("ground-one");
}
