//! What was on its way when the departments changed counts where it would if it were read only now.

use super::*;
use crate::config::{Config, DepartmentConfig};
use crate::ingest::{BatchBuilder, Rejection};
use crate::message::{Author, EventTime, Offset, PartitionId, RejectReason};
use crate::pipeline::scoring::Placed;

fn roster(departments: &[(&str, &[&str])]) -> Roster {
    let named = |(id, aliases): &(&str, &[&str])| {
        let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        DepartmentConfig { aliases, ..DepartmentConfig::named(id) }
    };
    Roster::new(&Config { departments: departments.iter().map(named).collect(), ..Config::default() })
}

fn before() -> Roster {
    roster(&[("billing", &["invoices"]), ("delivery", &[])])
}

fn routing() -> (Arc<Routes>, Routing) {
    let routes = Routes::new(&before());
    let decoder = Decoder::new(&Config::default().input, Router::new(&before()));
    (Arc::clone(&routes), Routing::new(routes, decoder, &before()))
}

/// As the pool passes on a message of each of these names, and an unusable record in their midst.
fn scored(names: &[Option<&str>], routes: u64, router: &Router) -> ScoredBatch {
    let mut building = BatchBuilder::new(PartitionId::new("messages", 0), 1, 0, 0);
    let mut outcomes = Vec::new();
    for (offset, name) in (0..).zip(names) {
        let json = match name {
            Some("no JSON") => "{".to_owned(),
            Some(name) => format!("{{\"text\":\"hola\",\"department\":\"{name}\"}}"),
            None => "{\"text\":\"hola\"}".to_owned(),
        };
        building.push(Offset(offset), None, None, Some(json.as_bytes()), std::iter::empty());
        let department = name.map_or(router.other(), |name| router.route(name));
        let (event_time, trusted) = (EventTime::from_millis(0), EventTime::from_millis(0));
        let placed = Placed { department, event_time, trusted, text_was_cut: false, customer: None };
        let unusable = || Rejection { reason: RejectReason::NotJson, detail: String::new(), department: None };
        outcomes.push(match name {
            Some("no JSON") => Outcome::Rejected(Box::new(unusable())),
            _ => Outcome::Context(placed, Author::Agent),
        });
    }
    ScoredBatch { batch: building.finish(), outcomes, decoded: EventTime::from_millis(0), routes }
}

const NAMES: [Option<&str>; 7] =
    [Some("billing"), Some("invoices"), Some("no JSON"), Some("delivery"), None, Some("shop"), Some("nobody")];

#[test]
fn what_was_routed_before_a_reload_is_routed_as_if_it_were_read_after_it() {
    let after = roster(&[("shop", &["invoices"]), ("other", &[]), ("billing", &[])]);
    let (_, mut routing) = routing();
    let mut batch = scored(&NAMES, 0, &Router::new(&before()));
    routing.follow(&after);
    routing.put_right(&mut batch);
    assert_eq!(batch.outcomes, scored(&NAMES, 1, &Router::new(&after)).outcomes);
}

#[test]
fn a_batch_that_waits_over_several_reloads_goes_by_the_last() {
    let last = roster(&[("delivery", &["billing"])]);
    let (_, mut routing) = routing();
    let mut batch = scored(&NAMES, 0, &Router::new(&before()));
    for roster in [roster(&[]), roster(&[("shop", &[])]), last.clone()] {
        routing.follow(&roster);
        routing.put_right(&mut batch);
    }
    assert_eq!(batch.outcomes, scored(&NAMES, 3, &Router::new(&last)).outcomes);
}

#[test]
fn the_pool_learns_of_other_routes_once() {
    let (routes, mut routing) = routing();
    assert!(routes.others_than(0).is_none());
    let after = roster(&[("delivery", &[]), ("billing", &[])]);
    routing.follow(&after);
    let (number, router) = routes.others_than(0).unwrap();
    assert_eq!(router.route("billing"), after.find("billing").unwrap());
    assert!(routes.others_than(number).is_none());
    let mut batch = scored(&NAMES, number, &router);
    routing.put_right(&mut batch);
    assert_eq!(batch.outcomes, scored(&NAMES, number, &router).outcomes, "it was routed by them already");
}
