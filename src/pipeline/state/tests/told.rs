//! What a reader of the alerts topic is told, however often the daemon dies and however long it is away.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::config::AlertsConfig;
use crate::publish::events::AlertEvent;

const HOUR: i64 = 3_600;
/// How long the story is in seconds, with the calm at its end.
const STORY: i64 = 6 * HOUR;
const STEP: usize = 10;

/// A message every ten seconds, and for minutes after each of these an angry one each second.
fn story(incidents: &[(i64, i64)]) -> Vec<Said> {
    let calm = (0..STORY).step_by(STEP).map(|second| Said { department: 0, second, angry: false });
    let angry = incidents.iter().flat_map(|(begin, minutes)| *begin..*begin + minutes * 60);
    let mut all: Vec<Said> = calm.chain(angry.map(|second| Said { department: 0, second, angry: true })).collect();
    all.sort_by_key(|said| said.second);
    all
}

fn told_config() -> Config {
    let mut config = config(&["billing"]);
    config.alerts = AlertsConfig { topic: Some("alerts".to_owned()), source: None };
    config.detect.hold = Span::from_secs(300);
    config
}

/// A daemon that dies now and then, and the topic that it writes to.
struct Life<'a> {
    config: &'a Config,
    story: &'a [Said],
    state: State,
    next: usize,
    saved: (Vec<u8>, usize),
    topic: Vec<AlertEvent>,
}

impl<'a> Life<'a> {
    fn new(config: &'a Config, story: &'a [Said]) -> Self {
        let mut state = state(config);
        assign_all(&mut state);
        let saved = (encode(&state.snapshot(&positions(), at(0))).unwrap(), 0);
        Self { config, story, state, next: 0, saved, topic: Vec::new() }
    }

    /// Reads what there is at that second. More than a little is a backlog.
    fn read_until(&mut self, second: i64) {
        let end = self.story.partition_point(|said| said.second <= second);
        while end - self.next > 100 {
            self.take(self.next + 50, second);
            self.follow(true, second);
        }
        self.take(end, second);
        self.follow(false, second);
    }

    fn take(&mut self, end: usize, second: i64) {
        let outcomes: Vec<Outcome> = self.story[self.next..end].iter().copied().map(scored).collect();
        self.next = end;
        if !outcomes.is_empty() {
            self.state.apply(&batch(0, outcomes), now(second.try_into().unwrap()));
        }
    }

    fn follow(&mut self, reading: bool, second: i64) {
        let now = now(second.try_into().unwrap());
        (0..PARTITIONS).for_each(|number| self.state.clock.set_at_end(&partition(number), !reading, now));
        self.state.advance(now);
        let newest = self.state.clock.frontiers().map(|(_, frontier)| frontier).max();
        self.state.follow_backlog(reading, newest, now);
    }

    /// Saves, and then sends what is saved; the broker's word comes or does not.
    fn save(&mut self, is_confirmed: bool) {
        self.saved = (encode(&self.state.snapshot(&positions(), at(0))).unwrap(), self.next);
        self.topic.extend(self.state.events.outbox().waiting().cloned());
        if is_confirmed {
            self.state.events.settle(u64::MAX);
        }
    }

    fn die(&mut self) {
        let mut again = state(self.config);
        assert_eq!(again.restore(&decode(&self.saved.0).unwrap()), [""; 0]);
        assign_all(&mut again);
        (self.state, self.next) = (again, self.saved.1);
    }
}

/// What a reader that leaves duplicates aside has of each alert, in order: what happened, and whether it was replayed.
fn read(topic: &[AlertEvent]) -> BTreeMap<String, Vec<(String, bool)>> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut told: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
    for event in topic {
        let envelope: Value = serde_json::from_str(&event.envelope).unwrap();
        let id = envelope["id"].as_str().unwrap().to_owned();
        if let Some(before) = seen.insert(id.clone(), &event.envelope) {
            assert_eq!(before, event.envelope, "one id, one event");
            continue;
        }
        let alert = envelope["data"]["id"].as_str().unwrap().to_owned();
        let what = id.trim_start_matches(&*alert).to_owned();
        told.entry(alert).or_default().push((what, envelope["data"]["replayed"].as_bool().unwrap()));
    }
    told
}

/// Holds what a reader has to what it is promised. Gives how many alerts it was paged for, and of how many it only learned later.
fn hold(topic: &[AlertEvent], alerts: &[Alert]) -> (usize, usize) {
    let told = read(topic);
    assert_eq!(told.keys().collect::<Vec<_>>(), alerts.iter().map(|alert| &alert.id).collect::<Vec<_>>());
    for (id, events) in &told {
        let first = &events[0].0;
        let (closed, before) = events.split_last().unwrap();
        assert_eq!(closed.0, "-closed-1", "{id}: the end is told, once, and last: {events:?}");
        let is_paged = first == "-opened-1";
        assert_eq!(is_paged, !before.is_empty(), "{id}: nothing comes before the opening: {events:?}");
        assert_eq!(closed.1, !is_paged, "{id}: replayed is what nobody was paged for: {events:?}");
        assert!(before.iter().all(|(_, replayed)| !replayed), "{id}: {events:?}");
        assert!(before.iter().skip(1).all(|(what, _)| what.starts_with("-escalated-")), "{id}: {events:?}");
    }
    let replayed = told.values().filter(|events| events.len() == 1).count();
    (told.len() - replayed, replayed)
}

fn incidents() -> impl Strategy<Value = Vec<(i64, i64)>> {
    prop::collection::vec((HOUR..STORY - 2 * HOUR, 2_i64..30), 1..4)
}

/// Steps at which it saves, and whether it learns that the events arrived; and steps at which it dies, and for how many it is away.
type Fates = (Vec<(usize, bool)>, Vec<(usize, usize)>);

fn fates() -> impl Strategy<Value = (Vec<(i64, i64)>, Fates)> {
    let steps = usize::try_from(STORY).unwrap() / STEP;
    incidents().prop_flat_map(move |incidents| {
        // Most die soon after an incident begins: what happens there is what can go wrong.
        let begins: Vec<usize> = incidents.iter().map(|(begin, _)| usize::try_from(*begin).unwrap() / STEP).collect();
        let soon = (prop::sample::select(begins), 0..40_usize).prop_map(|(begin, after)| begin + after);
        let dies = prop_oneof![3 => soon, 1 => 0..steps - 400];
        let away = prop_oneof![1 => 0..20_usize, 1 => 0..400_usize];
        let saves = prop::collection::vec((0..steps, any::<bool>()), 10..100);
        (Just(incidents), (saves, prop::collection::vec((dies, away), 0..6)))
    })
}

fn live_through(config: &Config, story: &[Said], (saves, deaths): &Fates) -> Vec<AlertEvent> {
    let mut life = Life::new(config, story);
    let (mut step, steps) = (0, usize::try_from(STORY).unwrap() / STEP);
    while step < steps {
        life.read_until(i64::try_from(step * STEP).unwrap());
        if let Some((_, is_confirmed)) = saves.iter().find(|(at, _)| *at == step) {
            life.save(*is_confirmed);
        }
        if let Some((_, away)) = deaths.iter().find(|(at, _)| *at == step) {
            life.die();
            step += away;
        }
        step += 1;
    }
    life.save(false);
    life.topic
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn whenever_the_daemon_dies_each_alert_is_told_once_by_id_and_pages_at_most_once_and_its_end_is_told(
        (incidents, fates) in fates(),
    ) {
        let (config, story) = (told_config(), story(&incidents));
        let unbroken = live_through(&config, &story, &(vec![], vec![]));
        let mut alerts: Vec<Alert> = {
            let mut life = Life::new(&config, &story);
            for second in (0..STORY).step_by(STEP) {
                life.read_until(second);
            }
            life.state.book.alerts().to_vec()
        };
        alerts.sort_by(|one, other| one.id.cmp(&other.id));
        prop_assert!(!alerts.is_empty() && alerts.iter().all(|alert| alert.ended.is_some()));
        prop_assert_eq!(hold(&unbroken, &alerts), (alerts.len(), 0));
        let topic = live_through(&config, &story, &fates);
        let (paged, replayed) = hold(&topic, &alerts);
        prop_assert_eq!(paged + replayed, alerts.len());
    }
}

#[test]
fn an_alert_whose_department_is_gone_from_the_config_is_told_as_closed() {
    let (config, story) = (told_config(), story(&[(HOUR, 10)]));
    let mut life = Life::new(&config, &story);
    for second in (0..HOUR + 600).step_by(STEP) {
        life.read_until(second);
    }
    // The broker's word is in the checkpoint after the one that was sent.
    life.save(true);
    life.save(true);
    let open = life.state.book.alerts().iter().filter(|alert| alert.ended.is_none()).count();
    assert!(open > 0);
    let mut other = told_config();
    other.departments = vec![DepartmentConfig::named("delivery")];
    let mut state = state(&other);
    state.restore(&decode(&life.saved.0).unwrap());
    let told = read(&state.events.outbox().waiting().cloned().collect::<Vec<_>>());
    assert_eq!(told.len(), open);
    assert!(told.values().all(|events| *events == [("-closed-1".to_owned(), false)]), "{told:?}");
}
