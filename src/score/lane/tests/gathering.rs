//! Which texts run together, and which not at all.

use super::*;

/// The runs of a model after the one that stood at the gate.
fn later_runs(model: &Fake) -> Vec<Vec<String>> {
    model.runs().split_off(1)
}

#[test]
fn a_backlog_is_run_by_length_in_runs_no_larger_than_allowed() {
    let (bench, model, gate) = held_up(LaneOptions { max_batch_tokens: 12, ..ONE }, Fake::new(1));
    bench.offer_all(&model, &["ccc", "a", "bb", "dddd", "eeeeeeeeeeeeeeeeeeee", "ffff", "g"]);
    drop(gate);
    let runs = bench.finish();
    let padded = |run: &Vec<String>| run.len() * run.iter().map(String::len).max().unwrap();
    for run in later_runs(&model) {
        assert!(run.is_sorted_by_key(String::len), "{run:?}");
        assert!(run.len() == 1 || padded(&run) <= 12, "{run:?}");
    }
    let first_batch = [vec!["a", "bb"], vec!["ccc", "dddd"], vec!["eeeeeeeeeeeeeeeeeeee"]];
    assert_eq!(later_runs(&model)[..3], first_batch, "of the splits that are allowed the one with the fewest tokens");
    let told: Vec<_> = runs.iter().map(|run| (run.texts, run.tokens)).collect();
    assert_eq!(told, model.runs().iter().map(|run| (run.len(), padded(run))).collect::<Vec<_>>());
    assert_eq!(results(runs).len(), 8);
}

#[test]
fn a_first_text_waits_for_others_until_there_are_enough() {
    let model = Arc::new(Fake::new(1));
    let bench = Bench::new(LaneOptions { workers: 3, max_wait: FOR_EVER, max_batch_tokens: 9, ..ONE });
    bench.offer_all(&model, &["one", "two", "six"]);
    let run = bench.runs.recv().unwrap();
    assert_eq!((run.answers.len(), run.texts, run.tokens), (3, 3, 9));
    assert_eq!(model.runs(), [["one", "two", "six"]]);
    bench.finish();
}

#[test]
fn texts_that_wait_for_others_are_run_at_once_when_the_lane_is_dropped() {
    let model = Arc::new(Fake::new(1));
    let bench = Bench::new(LaneOptions { max_wait: FOR_EVER, ..ONE });
    bench.offer_all(&model, &["one", "two"]);
    assert_eq!(results(bench.finish()).len(), 2);
}

#[test]
fn texts_that_are_the_same_are_run_once_and_all_who_asked_are_told() {
    let (bench, model, gate) = held_up(ONE, Fake::new(1));
    bench.offer_all(&model, &["same", "other", "same", "same"]);
    drop(gate);
    let runs = bench.finish();
    assert_eq!(later_runs(&model), [["same", "other"]]);
    assert_eq!((runs[1].answers.len(), runs[1].texts, runs[1].tokens), (4, 2, 10));
    let results = results(runs);
    for (place, text) in [(1, "same"), (2, "other"), (3, "same"), (4, "same")] {
        assert_eq!(results[&place], Ok(Fake::says(text)));
    }
}

#[test]
fn a_job_that_nobody_waits_for_is_answered_so_and_not_run() {
    let (bench, model, gate) = held_up(ONE, Fake::new(1));
    let given_up = job(&model, 1, "given up");
    given_up.alive.end();
    bench.lane.offer(given_up).unwrap();
    bench.offer(&model, 2, "awaited");
    drop(gate);
    let runs = bench.finish();
    let idle = runs.iter().find(|run| run.texts == 0).unwrap();
    assert_eq!((idle.answers.len(), idle.tokens, idle.took), (1, 0, Duration::ZERO));
    assert_eq!(later_runs(&model), [["awaited"]]);
    let results = results(runs);
    assert_eq!(results[&1], Err(Failure::NobodyWaits));
    assert_eq!(results[&2], Ok(Fake::says("awaited")));
}

#[test]
fn a_job_given_up_while_the_run_before_it_lasts_is_not_run() {
    let (model, gate) = gated(Fake::new(1));
    let bench = Bench::new(LaneOptions { max_wait: FOR_EVER, max_batch_tokens: 5, ..ONE });
    let longer = job(&model, 2, "longer");
    let alive = longer.alive.clone();
    bench.offer(&model, 1, "~");
    bench.lane.offer(longer).unwrap();
    gate.wait_for_a_run();
    alive.end();
    drop(gate);
    let results = results(bench.finish());
    assert_eq!(results[&1], Ok(Fake::says("~")));
    assert_eq!(results[&2], Err(Failure::NobodyWaits));
    assert_eq!(model.runs(), [["~"]]);
}

#[test]
fn a_text_is_run_as_long_as_one_who_asked_for_it_waits() {
    let (bench, model, gate) = held_up(ONE, Fake::new(1));
    let given_up = job(&model, 1, "same");
    given_up.alive.end();
    bench.lane.offer(given_up).unwrap();
    bench.offer(&model, 2, "same");
    drop(gate);
    let results = results(bench.finish());
    assert_eq!(results[&1], Ok(Fake::says("same")));
    assert_eq!(results[&2], Ok(Fake::says("same")));
}

#[test]
fn jobs_that_nobody_waits_for_make_no_batch_without_end() {
    let (bench, model, gate) = held_up(LaneOptions { max_batch_tokens: 3, ..ONE }, Fake::new(1));
    for place in 1..=7 {
        let given_up = job(&model, place, "given up");
        given_up.alive.end();
        bench.lane.offer(given_up).unwrap();
    }
    drop(gate);
    let runs = bench.finish();
    assert!(runs.iter().skip(1).all(|run| (1..=3).contains(&run.answers.len())));
    assert_eq!(results(runs).len(), 8);
}
