//! Single messages that a person must read: none is lost, and none is told twice over.

use serde_json::Value;

use super::*;
use crate::config::AlertsConfig;
use crate::detect::{AlertKind, Feedback, Severity, Verdict};
use crate::message::Signal;

/// A message of billing that threatens with a lawyer.
fn threat(second: i64) -> Outcome {
    let Outcome::Scored(placed, audience, mut score) = scored(Said { department: 0, second, angry: false }) else {
        panic!("a customer's message is scored")
    };
    score.signals = [Signal::LegalThreat].into_iter().collect();
    Outcome::Scored(placed, audience, score)
}

fn calm(seconds: std::ops::Range<i64>) -> Vec<Outcome> {
    seconds.map(|second| scored(Said { department: 0, second, angry: false })).collect()
}

fn feed(state: &mut State, number: i32, outcomes: Vec<Outcome>) {
    state.apply(&batch(number, outcomes), now(1));
    state.advance(now(1));
}

/// One partition, read to its end.
fn live(config: &Config) -> State {
    let mut state = state(config);
    state.clock.assign(partition(0), now(0));
    state.follow_backlog(false, None, now(1));
    state
}

fn tickets(state: &State) -> Vec<&Alert> {
    state.book.alerts().iter().filter(|alert| alert.kind == AlertKind::Severe).collect()
}

fn told(state: &State) -> u64 {
    state.views[0].alerts_opened[AlertKind::Severe as usize].iter().sum()
}

#[test]
fn a_severe_message_is_a_ticket_once_its_minute_is_over() {
    let mut state = live(&config(&["billing"]));
    feed(&mut state, 0, vec![threat(5)]);
    assert!(tickets(&state).is_empty());
    feed(&mut state, 0, calm(6..90));
    assert_eq!(tickets(&state).len(), 1);
    assert_eq!(told(&state), 1);
    state.dirty.fill(true);
    let (_, view) = state.changed_views().remove(0);
    assert_eq!(view.outlook.active, [(AlertKind::Severe, Severity::Ticket)]);
    assert_ne!(view.outlook.state, crate::detect::AlertState::Active);
}

#[test]
fn a_departments_own_severe_signals_stand_in_place_of_all_others() {
    let mut config = config(&["billing", "claims"]);
    config.departments[0].severe_signals = Some(vec![Signal::Fraud]);
    let mut state = live(&config);
    let of_claims = |second| {
        let Outcome::Scored(mut placed, audience, score) = threat(second) else { panic!("a message") };
        placed.department = state.roster.find("claims").unwrap();
        Outcome::Scored(placed, audience, score)
    };
    let said = vec![threat(5), of_claims(6)];
    feed(&mut state, 0, said);
    feed(&mut state, 0, calm(7..90));
    let of: Vec<&str> = tickets(&state).iter().map(|ticket| &*ticket.department).collect();
    assert_eq!(of, ["claims"], "and what the others have is as it was");
    assert_eq!(tickets(&state)[0].details.signals[0].signal, Signal::LegalThreat);
}

#[test]
fn without_severe_signals_there_are_no_tickets() {
    let mut config = config(&["billing"]);
    config.detect.severe_signals = vec![Signal::Fraud];
    let mut state = live(&config);
    feed(&mut state, 0, vec![threat(5)]);
    feed(&mut state, 0, calm(6..180));
    assert!(tickets(&state).is_empty());
}

#[test]
fn a_severe_message_that_comes_after_its_pane_has_closed_is_not_lost() {
    let mut state = live(&config(&["billing"]));
    feed(&mut state, 0, calm(0..600));
    feed(&mut state, 0, vec![threat(100)]);
    feed(&mut state, 0, calm(600..720));
    let [ticket] = tickets(&state)[..] else { panic!("{:?}", state.book.alerts()) };
    assert_eq!(ticket.since, at(100));
    assert_eq!(told(&state), 1);
}

#[test]
fn what_opened_and_closed_in_a_backlog_is_replayed_and_what_is_open_at_its_end_is_told_then() {
    for (hold, told_after) in [(30, 0), (3_600, 1)] {
        let mut config = config(&["billing"]);
        config.detect.hold = Span::from_secs(hold);
        let mut state = state(&config);
        state.clock.assign(partition(0), now(0));
        feed(&mut state, 0, vec![threat(5)]);
        feed(&mut state, 0, calm(6..900));
        assert!(tickets(&state)[0].replayed);
        assert_eq!(told(&state), 0);
        state.follow_backlog(false, Some(at(0)), now(2));
        assert_eq!(told(&state), told_after);
        assert_eq!(tickets(&state)[0].replayed, told_after == 0);
    }
}

#[test]
fn a_daemon_with_a_part_of_the_partitions_tells_its_severe_messages_after_the_backlog_too() {
    let mut state = state(&config(&["billing"]));
    state.clock.assign(partition(0), now(0));
    state.set_whole(false);
    feed(&mut state, 0, vec![threat(30)]);
    feed(&mut state, 0, calm(31..125));
    assert_eq!((tickets(&state).len(), told(&state)), (1, 0));
    state.follow_backlog(false, Some(at(0)), now(2));
    assert!(state.is_suspended());
    assert_eq!(told(&state), 1);
}

#[test]
fn whoever_takes_partitions_over_tells_of_what_their_owner_had_no_time_to_tell() {
    let config = config(&["billing"]);
    // Its owner saved the pane and died within the minute; nobody had all partitions since the hour before.
    let mut owner = live(&config);
    owner.take_up(&[partition(0)], &Snapshot::empty(), &mut || {});
    owner.follow_backlog(false, None, now(1));
    owner.set_whole(false);
    feed(&mut owner, 0, calm(0..600));
    feed(&mut owner, 0, vec![threat(601)]);
    feed(&mut owner, 0, calm(602..645));
    assert!(tickets(&owner).is_empty());
    let mut saved = owner.snapshot(&[(partition(0), NextOffset(1))].into(), at(0));
    saved.detector = DetectorState::default();
    saved.detector.judged_until = Some(at(-3_600));
    saved.alerts = Vec::new();

    let mut successor = state(&config);
    successor.clock.assign(partition(0), now(0));
    successor.take_up(&[partition(0)], &saved, &mut || {});
    feed(&mut successor, 0, calm(645..800));
    assert_eq!(tickets(&successor).len(), 1);
    assert_eq!(tickets(&successor)[0].since, at(600));
}

#[test]
fn the_same_messages_make_the_same_tickets_however_they_come_in_batches() {
    let outcomes: Vec<Outcome> = (0..3_000)
        .map(|second| if second % 700 == 0 { threat(second) } else { calm(second..second + 1).remove(0) })
        .collect();
    let mut made = Vec::new();
    for size in [1, 7, 3_000] {
        let mut state = live(&config(&["billing"]));
        outcomes.chunks(size).for_each(|batch| feed(&mut state, 0, batch.to_vec()));
        // What they tell beyond their figures is told elsewhere, of records that have offsets of their own.
        let plain = |alert: &Alert| Alert { details: Default::default(), ..alert.clone() };
        made.push(tickets(&state).into_iter().map(plain).collect::<Vec<_>>());
    }
    assert_eq!(made[0].len(), 5);
    assert_eq!((&made[1], &made[2]), (&made[0], &made[0]));
}

/// What waits for the topic: the ends of the events' ids, and what they show of their alerts.
fn events(state: &State) -> Vec<(String, Value)> {
    let parsed = state.events.outbox().waiting().map(|event| serde_json::from_str::<Value>(&event.envelope).unwrap());
    let told = parsed.map(|told| {
        let alert = told["data"]["id"].as_str().unwrap();
        let happened = told["id"].as_str().unwrap().trim_start_matches(alert).to_owned();
        (happened, told["data"].clone())
    });
    told.collect()
}

fn told_on_a_topic() -> Config {
    let mut config = config(&["billing"]);
    config.alerts = AlertsConfig { topic: Some("alerts".to_owned()), source: None };
    config
}

fn is_shown(state: &mut State) -> bool {
    state.dirty.fill(true);
    let (_, view) = state.changed_views().remove(0);
    view.outlook.active.contains(&(AlertKind::Severe, Severity::Ticket))
}

#[test]
fn a_ticket_is_told_on_the_topic_when_it_opens_and_when_it_is_over_and_never_escalates() {
    let mut config = told_on_a_topic();
    config.detect.hold = Span::from_secs(600);
    let mut state = live(&config);
    // Ever more of them for half an hour.
    for minute in 0..30 {
        feed(&mut state, 0, (0..=minute).map(|second| threat(minute * 60 + second)).collect());
        feed(&mut state, 0, calm(minute * 60 + 31..minute * 60 + 60));
    }
    feed(&mut state, 0, calm(1_800..3_600));
    let events = events(&state);
    let [(opened, first), (closed, last)] = &events[..] else { panic!("{events:#?}") };
    assert_eq!((&**opened, &**closed), ("-opened-1", "-closed-1"));
    for (told, messages) in [(first, 1), (last, 465)] {
        assert_eq!(told["severity"], "ticket");
        assert_eq!((&told["paged"], &told["messages"]), (&true.into(), &messages.into()));
        assert_eq!(told["signals"][0]["signal"], "legal_threat");
        assert_eq!(told["samples"].as_array().map(Vec::len), Some(if messages == 1 { 1 } else { 3 }), "{told}");
        for figure in ["expected", "p_value", "by_chance_per_month"] {
            assert_eq!(told.get(figure), Some(&Value::Null), "{figure}: nothing is tested");
        }
    }
}

#[test]
fn a_muted_ticket_is_listed_and_told_once_its_mute_is_over_if_it_is_open_still() {
    for (kinds, is_maintenance, is_muted) in
        [("['severe']", false, true), ("[]", true, true), ("['silence']", false, false)]
    {
        let until = at(400).to_rfc3339();
        let mute =
            format!("departments = ['billing']\nkinds = {kinds}\nuntil = '{until}'\nmaintenance = {is_maintenance}");
        let mut config = Config { mutes: vec![toml::from_str(&mute).unwrap()], ..told_on_a_topic() };
        config.detect.hold = Span::from_secs(3_600);
        let mut state = live(&config);
        feed(&mut state, 0, vec![threat(5)]);
        feed(&mut state, 0, calm(6..300));
        assert_eq!(tickets(&state)[0].handling.muted.is_some(), is_muted, "{kinds}");
        assert_eq!((is_shown(&mut state), told(&state)), (!is_muted, u64::from(!is_muted)));
        assert_eq!(events(&state).len(), usize::from(!is_muted));
        feed(&mut state, 0, calm(300..600));
        assert_eq!((is_shown(&mut state), told(&state)), (true, 1), "{kinds}");
        assert_eq!(events(&state).iter().map(|(happened, _)| &**happened).collect::<Vec<_>>(), ["-opened-1"]);
    }
}

#[test]
fn a_ticket_whose_mute_ends_while_windows_are_not_tested_is_told_all_the_same() {
    let mute = format!("departments = ['billing']\nuntil = '{}'", at(400).to_rfc3339());
    let mut config = Config { mutes: vec![toml::from_str(&mute).unwrap()], ..config(&["billing"]) };
    config.detect.hold = Span::from_secs(3_600);
    let mut state = live(&config);
    state.set_whole(false);
    feed(&mut state, 0, vec![threat(5)]);
    feed(&mut state, 0, calm(6..300));
    assert_eq!((tickets(&state).len(), told(&state)), (1, 0));
    feed(&mut state, 0, calm(300..600));
    assert!(state.is_suspended());
    assert_eq!((is_shown(&mut state), told(&state)), (true, 1));
}

#[test]
fn a_ticket_can_be_marked() {
    let mut config = config(&["billing"]);
    config.detect.hold = Span::from_secs(600);
    let mut state = live(&config);
    feed(&mut state, 0, vec![threat(5)]);
    feed(&mut state, 0, calm(6..90));
    let id = tickets(&state)[0].id.clone();
    let useful = Feedback { verdict: Verdict::Useful, note: "the lawyers have it".to_owned(), marked: at(90) };
    assert_eq!(state.mark(&id, useful.clone()).and_then(|alert| alert.handling.feedback), Some(useful));
    assert_eq!(state.views[0].feedback[AlertKind::Severe as usize][Verdict::Useful as usize], 1);
    // More of them leave what was said.
    feed(&mut state, 0, vec![threat(91)]);
    feed(&mut state, 0, calm(92..180));
    assert_eq!(tickets(&state)[0].messages, 2);
    assert!(tickets(&state)[0].handling.feedback.is_some());
}

/// Two messages of one minute that come late, one after the ticket of the other has closed.
fn with_late_ones(config: &Config) -> State {
    let mut state = live(config);
    feed(&mut state, 0, vec![threat(5)]);
    feed(&mut state, 0, calm(6..600));
    feed(&mut state, 0, vec![threat(10)]);
    feed(&mut state, 0, calm(600..1_200));
    feed(&mut state, 0, vec![threat(15)]);
    feed(&mut state, 0, calm(1_200..1_500));
    state
}

#[test]
fn a_late_message_of_a_minute_whose_ticket_has_closed_makes_a_ticket_of_its_own_and_is_told() {
    let state = with_late_ones(&told_on_a_topic());
    let ids: Vec<&str> = tickets(&state).iter().map(|ticket| &*ticket.id).collect();
    let first = format!("billing-severe-{}", tickets(&state)[0].started.as_millis());
    assert_eq!(ids, [&*first, &*format!("{first}-2"), &*format!("{first}-3")]);
    assert!(tickets(&state).iter().all(|ticket| ticket.handling.paged && ticket.messages == 1));
    assert_eq!(told(&state), 3);
    let opened = events(&state).into_iter().filter(|(happened, _)| happened == "-opened-1").count();
    assert_eq!(opened, 3, "each is told under an id that nobody has seen");
}

#[test]
fn the_ids_of_tickets_of_one_minute_are_the_same_after_a_restart_and_no_others_in_a_replay() {
    let config = told_on_a_topic();
    let all: Vec<String> = tickets(&with_late_ones(&config)).iter().map(|ticket| ticket.id.clone()).collect();

    let mut first = live(&config);
    feed(&mut first, 0, vec![threat(5)]);
    feed(&mut first, 0, calm(6..600));
    let mut again = state(&config);
    again.restore(&first.snapshot(&positions(), at(0)));
    again.clock.assign(partition(0), now(0));
    feed(&mut again, 0, vec![threat(10)]);
    feed(&mut again, 0, calm(600..900));
    assert_eq!(tickets(&again).iter().map(|ticket| ticket.id.clone()).collect::<Vec<_>>(), all[..2]);

    // A replay reads them faster than panes close: fewer tickets, none with an id of its own.
    let mut replayed = state(&config);
    replayed.clock.assign(partition(0), now(0));
    let outcomes = [vec![threat(5), threat(10), threat(15)], calm(16..1_500)].concat();
    feed(&mut replayed, 0, outcomes);
    assert_eq!(tickets(&replayed).iter().map(|ticket| ticket.id.clone()).collect::<Vec<_>>(), all[..1]);
}

#[test]
fn a_late_message_is_muted_by_when_it_comes_and_not_by_when_it_was_written() {
    // The first mute was over when the message came, the second had not begun when it was written.
    for (from, until, is_muted) in [(0, 300, false), (300, 100_000, true)] {
        let [from, until] = [from, until].map(|second| at(second).to_rfc3339());
        let mute = format!("departments = ['billing']\nfrom = '{from}'\nuntil = '{until}'");
        let config = Config { mutes: vec![toml::from_str(&mute).unwrap()], ..config(&["billing"]) };
        let mut state = live(&config);
        feed(&mut state, 0, calm(0..600));
        feed(&mut state, 0, vec![threat(100)]);
        feed(&mut state, 0, calm(600..700));
        assert_eq!((tickets(&state).len(), told(&state)), (1, u64::from(!is_muted)), "{until}");
    }
}
