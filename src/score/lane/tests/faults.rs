//! What a text that a network cannot take costs: itself.

use proptest::prelude::*;

use super::super::kit::Building;
use super::*;

/// A model that panics at `!`, fails at `%`, miscounts at `#` and says no number of `?`.
fn faulty() -> Fake {
    Fake::new(1)
        .with(b'!', Fault::Panic)
        .with(b'%', Fault::Fail)
        .with(b'#', Fault::OneTooFew)
        .with(b'?', Fault::NotANumber)
}

/// What becomes of a text, alone or not.
fn expected(text: &str) -> Result<Logits, Failure> {
    match text {
        text if text.contains('!') => Err(Failure::Panicked),
        text if text.contains(['%', '#', '?']) => Err(Failure::Failed),
        text => Ok(Fake::says(text)),
    }
}

/// So many different texts of one length, with one in their midst.
fn one_among(culprit: &str, others: usize) -> Vec<String> {
    let mut texts: Vec<String> = (0..others).map(|number| format!("{number:02}")).collect();
    texts.insert(others / 3, culprit.to_owned());
    texts
}

/// Runs a culprit among 15 others; gives how many runs that took, and how many networks.
fn cost_of(culprit: &str) -> (usize, usize) {
    let (bench, model, gate) = held_up(ONE, faulty());
    let texts = one_among(culprit, 15);
    bench.offer_all(&model, &texts);
    drop(gate);
    let results = results(bench.finish());
    for (place, text) in (1..).zip(&texts) {
        assert_eq!(results[&place], expected(text), "{text}");
    }
    (model.runs().len() - 1, model.built())
}

#[test]
fn a_text_that_makes_the_network_panic_costs_no_other_its_answer() {
    // Of 16, 8, 4, 2 and 1 each run panics, and leaves a network behind that is not used again; the other halves run.
    assert_eq!(cost_of("!!"), (9, 6));
}

#[test]
fn a_text_that_a_run_fails_over_costs_no_other_its_answer() {
    assert_eq!(cost_of("%%"), (9, 1));
}

#[test]
fn a_text_that_makes_the_network_miscount_costs_no_other_its_answer() {
    assert_eq!(cost_of("##"), (9, 1));
}

#[test]
fn an_answer_that_is_no_number_fails_alone_and_nothing_is_run_again() {
    assert_eq!(cost_of("??"), (1, 1));
}

#[test]
fn a_network_that_can_run_nothing_tries_each_text_once_alone() {
    let (bench, model, gate) = held_up(ONE, faulty());
    let texts: Vec<String> = (0..16).map(|number| format!("{number:02}!")).collect();
    bench.offer_all(&model, &texts);
    drop(gate);
    let results = results(bench.finish());
    assert!((1..=16).all(|place| results[&place] == Err(Failure::Panicked)));
    assert_eq!(model.runs().len() - 1, 2 * 16 - 1);
}

#[test]
fn what_is_left_of_a_run_that_failed_is_not_run_once_nobody_waits_for_it() {
    let (gate, door) = Gate::new();
    let model = Arc::new(Fake::new(1).with(b'~', Fault::Stall(door)).with(b'~', Fault::Fail));
    let bench = Bench::new(ONE);
    bench.offer(&model, 0, "~");
    gate.wait_for_a_run();
    let first = job(&model, 1, "~1");
    let second = Job { alive: first.alive.clone(), ..job(&model, 2, "b2") };
    let alive = first.alive.clone();
    bench.lane.offer(first).unwrap();
    bench.lane.offer(second).unwrap();
    // The text at the gate, alone; the two together, which fail; the first of them alone.
    gate.let_one_pass();
    gate.wait_for_a_run();
    gate.let_one_pass();
    gate.wait_for_a_run();
    alive.end();
    drop(gate);
    let results = results(bench.finish());
    assert_eq!((&results[&1], &results[&2]), (&Err(Failure::Failed), &Err(Failure::NobodyWaits)));
    assert_eq!(model.runs().len(), 3);
}

#[test]
fn jobs_fail_while_no_network_can_be_built_and_run_as_soon_as_one_can() {
    let model = Arc::new(Fake::new(1));
    let bench = Bench::new(ONE);
    for (building, expected) in [
        (Building::Fails, Err(Failure::Failed)),
        (Building::Panics, Err(Failure::Failed)),
        (Building::Works, Ok(Fake::says("text"))),
    ] {
        model.set_building(building);
        bench.offer(&model, 1, "text");
        let run = bench.runs.recv().unwrap();
        assert_eq!(run.answers[0].result, expected, "{building:?}");
    }
    bench.finish();
}

#[test]
fn a_reason_is_told_by_its_own_name() {
    let names: std::collections::BTreeSet<_> = Failure::ALL.iter().map(|failure| failure.to_string()).collect();
    assert_eq!(names.len(), Failure::ALL.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn each_job_is_answered_once_and_as_if_its_text_were_alone(
        texts in prop::collection::vec("[ab!%#?]{1,2}|[a-z]{1,12}", 0..40),
        workers in 1_usize..4,
        max_batch_tokens in 1_usize..60,
    ) {
        let model = Arc::new(faulty());
        let bench = Bench::new(LaneOptions { workers, max_batch_tokens, ..ONE });
        bench.offer_all(&model, &texts);
        let results = results(bench.finish());
        prop_assert_eq!(results.len(), texts.len());
        for (place, text) in (1..).zip(&texts) {
            prop_assert_eq!(&results[&place], &expected(text), "{}", text);
        }
    }
}
