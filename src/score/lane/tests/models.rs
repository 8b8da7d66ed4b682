//! A model takes another's place.

use super::*;

#[test]
fn jobs_of_two_models_never_share_a_run_and_each_is_run_by_its_own() {
    let (bench, old, gate) = held_up(ONE, Fake::new(1));
    let new = Arc::new(Fake::new(2));
    for (place, model) in (1..).zip([&old, &old, &new, &new, &old, &new]) {
        bench.offer(model, place, &format!("text {place}"));
    }
    drop(gate);
    let runs = bench.finish();
    for answer in runs.iter().flat_map(|run| &run.answers) {
        let expected = if [3, 4, 6].contains(&answer.ticket.place) { 2 } else { 1 };
        assert_eq!(answer.model.id().0, expected, "{:?}", answer.ticket);
    }
    assert_eq!(results(runs).len(), 7);
    assert_eq!(old.runs(), [vec!["~"], vec!["text 1", "text 2"], vec!["text 5"]]);
    assert_eq!(new.runs(), [vec!["text 3", "text 4"], vec!["text 6"]]);
}

#[test]
fn a_network_is_kept_until_a_job_of_another_model_comes() {
    let bench = Bench::new(ONE);
    let (old, new) = (Arc::new(Fake::new(1)), Arc::new(Fake::new(2)));
    for model in [&old, &old, &old, &new, &new] {
        bench.offer(model, 1, "text");
        bench.runs.recv().unwrap();
    }
    bench.finish();
    assert_eq!((old.built(), new.built()), (1, 1));
}

#[test]
fn a_model_loaded_anew_is_another_even_with_the_same_id() {
    let bench = Bench::new(ONE);
    let (once, again) = (Arc::new(Fake::new(1)), Arc::new(Fake::new(1)));
    bench.offer(&once, 1, "text");
    bench.offer(&again, 2, "text");
    bench.finish();
    assert_eq!((once.runs().len(), again.runs().len()), (1, 1));
}

#[test]
fn a_worker_to_whom_no_job_comes_lets_go_of_an_old_models_network() {
    let bench = Bench::new(LaneOptions { workers: 2, ..ONE });
    let (old, gate) = gated(Fake::new(1));
    for place in 0..2 {
        bench.offer(&old, place, "~");
        gate.wait_for_a_run();
    }
    drop(gate);
    (0..2).for_each(|_| drop(bench.runs.recv().unwrap()));
    let new = Arc::new(Fake::new(2));
    bench.offer(&new, 2, "text");
    // That of the worker that ran it, and that of the other.
    old.wait_for_a_drop();
    old.wait_for_a_drop();
    assert_eq!(old.built(), 2);
    bench.finish();
}
