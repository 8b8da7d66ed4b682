//! The lane with real threads and a model with faults. What is to run together waits behind a run that stands still at a gate.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, unbounded};

use super::kit::{Fake, Fault, Gate};
use super::*;

mod faults;
mod gathering;
mod models;

/// So long that no test waits for it.
const FOR_EVER: Duration = Duration::from_secs(86_400);

/// One worker that takes what is there.
const ONE: LaneOptions =
    LaneOptions { workers: 1, max_wait: Duration::ZERO, max_batch_tokens: 1_000, max_waiting: 1_000 };

/// A lane, and what comes out of it.
struct Bench {
    lane: Lane,
    runs: Receiver<Run>,
    threads: Vec<JoinHandle<()>>,
}

impl Bench {
    fn new(options: LaneOptions) -> Self {
        let (sender, runs) = unbounded();
        let (lane, threads) = Lane::start(options, sender).unwrap();
        Self { lane, runs, threads }
    }

    fn offer(&self, model: &Arc<Fake>, place: u32, text: &str) {
        self.lane.offer(job(model, place, text)).unwrap();
    }

    /// One for each text, by place from 1 on.
    fn offer_all(&self, model: &Arc<Fake>, texts: &[impl AsRef<str>]) {
        for (place, text) in (1..).zip(texts) {
            self.offer(model, place, text.as_ref());
        }
    }

    /// Drops the lane, and waits for all that comes out of it.
    fn finish(self) -> Vec<Run> {
        drop(self.lane);
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
        self.runs.iter().collect()
    }
}

fn job(model: &Arc<Fake>, place: u32, text: &str) -> Job {
    Job {
        ticket: Ticket { batch: 1, place },
        model: Arc::clone(model) as Arc<dyn SlowModel>,
        tokens: Fake::tokens_of(text),
        alive: Alive::new(),
    }
}

/// What was answered, by place. No place is answered twice.
fn results(runs: Vec<Run>) -> BTreeMap<u32, Result<Logits, Failure>> {
    let mut results = BTreeMap::new();
    for answer in runs.into_iter().flat_map(|run| run.answers) {
        assert!(results.insert(answer.ticket.place, answer.result).is_none(), "{:?} twice", answer.ticket);
    }
    results
}

/// A model that stands still at a text `~`, with that gate.
fn gated(model: Fake) -> (Arc<Fake>, Gate) {
    let (gate, door) = Gate::new();
    (Arc::new(model.with(b'~', Fault::Stall(door))), gate)
}

/// A bench whose one worker stands still at the text of place 0.
fn held_up(options: LaneOptions, model: Fake) -> (Bench, Arc<Fake>, Gate) {
    let (model, gate) = gated(model);
    let bench = Bench::new(options);
    bench.offer(&model, 0, "~");
    gate.wait_for_a_run();
    (bench, model, gate)
}

#[test]
fn each_ticket_is_answered_with_what_the_network_says_of_its_text() {
    let model = Arc::new(Fake::new(1));
    let bench = Bench::new(LaneOptions { workers: 3, max_batch_tokens: 20, ..ONE });
    let texts: Vec<String> = (0..200).map(|number| format!("text {number}")).collect();
    bench.offer_all(&model, &texts);
    let results = results(bench.finish());
    assert_eq!(results.len(), texts.len());
    for (place, text) in (1..).zip(&texts) {
        assert_eq!(results[&place], Ok(Fake::says(text)), "{text}");
    }
}

#[test]
fn an_answer_brings_its_text_and_its_model_back() {
    let model = Arc::new(Fake::new(7));
    let bench = Bench::new(ONE);
    bench.offer(&model, 3, "hola");
    let runs = bench.finish();
    let answer = &runs[0].answers[0];
    assert_eq!(answer.ticket, Ticket { batch: 1, place: 3 });
    assert_eq!(answer.tokens, Fake::tokens_of("hola"));
    assert_eq!(answer.model.id(), model.id());
}

#[test]
fn what_waits_when_the_lane_is_dropped_is_answered_before_its_threads_end() {
    let (bench, model, gate) = held_up(ONE, Fake::new(1));
    bench.offer_all(&model, &["a", "bb", "ccc"]);
    let Bench { lane, runs, threads } = bench;
    drop(lane);
    drop(gate);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(results(runs.iter().collect()).len(), 4);
}

#[test]
fn a_lane_without_work_ends_at_once_and_says_nothing() {
    assert!(Bench::new(LaneOptions { workers: 4, max_wait: FOR_EVER, ..ONE }).finish().is_empty());
}

#[test]
fn a_full_queue_refuses_a_job_and_gives_it_back() {
    let (bench, model, gate) = held_up(LaneOptions { max_waiting: 2, ..ONE }, Fake::new(1));
    bench.offer_all(&model, &["a", "b"]);
    assert_eq!(bench.lane.waiting(), 2);
    let back = bench.lane.offer(job(&model, 9, "c")).unwrap_err();
    assert_eq!((back.ticket.place, back.tokens), (9, Fake::tokens_of("c")));
    drop(gate);
    assert_eq!(results(bench.finish()).keys().copied().collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn a_network_that_stands_still_does_not_stop_the_other_worker() {
    let (bench, model, gate) = held_up(LaneOptions { workers: 2, ..ONE }, Fake::new(1));
    for place in 1..20 {
        bench.offer(&model, place, "another");
        let run = bench.runs.recv().unwrap();
        assert_eq!(run.answers[0].ticket.place, place);
    }
    drop(gate);
    assert_eq!(results(bench.finish())[&0], Ok(Fake::says("~")));
}

#[test]
fn a_worker_ends_where_nobody_listens_and_jobs_are_refused_then() {
    let model = Arc::new(Fake::new(1));
    let Bench { lane, runs, threads } = Bench::new(ONE);
    drop(runs);
    lane.offer(job(&model, 1, "a")).unwrap();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(lane.offer(job(&model, 2, "b")).unwrap_err().ticket.place, 2);
}
