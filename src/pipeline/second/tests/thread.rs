//! The thread with a real lane and a model with faults.

use std::collections::BTreeSet;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::super::{SecondLinks, start};
use super::*;
use crate::ingest::Shared;
use crate::publish::Health;
use crate::score::lane::LaneOptions;
use crate::score::lane::kit::{Fault, Gate};

/// So long that no test waits for it.
const FOR_EVER: Duration = Duration::from_secs(86_400);

const LANE: LaneOptions =
    LaneOptions { workers: 1, max_wait: Duration::ZERO, max_batch_tokens: 1_000, max_waiting: 1_000 };
const DESK: DeskOptions =
    DeskOptions { deadline: FOR_EVER, max_share: None, cache_texts: 0, workers: 1, measured: None };

struct Running {
    asked: Sender<Asked>,
    scored: Receiver<ScoredBatch>,
    status: Arc<SecondStatus>,
    shared: Arc<Shared>,
    epoch: u32,
    thread: JoinHandle<()>,
}

impl Running {
    /// With partitions 0 to 3 assigned.
    fn new(lane: LaneOptions, desk: DeskOptions) -> Self {
        let ((asked, asked_out), (scored, scored_out)) = (bounded(8), unbounded());
        let status = Arc::new(SecondStatus::new(Worth::NOTHING, lane.max_waiting, 1_000));
        let shared = Arc::<Shared>::default();
        let seats = (0..4).map(|number| shared.ledger().assign(&PartitionId::new("messages", number)).epoch);
        let epochs: BTreeSet<u32> = seats.collect();
        let links = SecondLinks {
            asked: asked_out,
            scored,
            shared: Arc::clone(&shared),
            health: Health::new(),
            status: Arc::clone(&status),
        };
        let thread = start(lane, desk, links).unwrap();
        Self { asked, scored: scored_out, status, shared, epoch: epochs.first().copied().unwrap(), thread }
    }

    fn ask(&self, model: &Arc<Fake>, partition: i32, sequence: u64, texts: &[impl AsRef<str>]) {
        self.asked.send(asked(model, batch(partition, self.epoch, sequence, texts), texts)).unwrap();
    }

    /// Waits for all that was asked, and for the thread.
    fn finish(self) -> Vec<ScoredBatch> {
        drop(self.asked);
        let scored = self.scored.iter().collect();
        self.thread.join().unwrap();
        scored
    }
}

#[test]
fn what_was_asked_is_answered_before_the_thread_ends() {
    let model = Arc::new(Fake::new(5));
    let running = Running::new(LANE, DESK);
    for number in 0..20 {
        running.ask(&model, 0, number, &[format!("text {number}"), "same".to_owned()]);
    }
    let scored = running.finish();
    assert_eq!(scored.len(), 20);
    for scored in scored {
        let text = format!("text {}", scored.batch.sequence);
        assert_eq!(scores(&scored), [second_opinion(&model, &text), second_opinion(&model, "same")]);
    }
}

#[test]
fn a_worker_that_stands_still_costs_answers_and_never_messages() {
    let (gate, door) = Gate::new();
    let model = Arc::new(Fake::new(5).with(b'~', Fault::Stall(door)));
    let running = Running::new(LANE, DeskOptions { deadline: Duration::from_millis(50), ..DESK });
    running.ask(&model, 0, 0, &["~"]);
    gate.wait_for_a_run();
    for number in 1..50 {
        running.ask(&model, 0, number, &["text"]);
    }
    // All of them come while the worker still stands there.
    let mut came: Vec<u64> = running.scored.iter().take(50).map(|scored| scored.batch.sequence).collect();
    came.sort_unstable();
    assert_eq!(came, (0..50).collect::<Vec<_>>());
    assert!(running.status.is_degraded());
    drop(gate);
    // Once it moves again it is asked again.
    let again = (50..).find(|number| {
        running.ask(&model, 0, *number, &["again"]);
        scorers(&running.scored.recv().unwrap()) == [ScorerKind::Transformer]
    });
    assert!(again.is_some());
    running.finish();
}

#[test]
fn a_burst_of_ten_times_what_the_model_manages_loses_nothing_and_holds_no_more_than_may_wait() {
    let (gate, door) = Gate::new();
    let model = Arc::new(Fake::new(5).with(b'~', Fault::Stall(door)));
    let lane = LaneOptions { max_waiting: 10, ..LANE };
    let running = Running::new(lane, DeskOptions { max_share: Some(1.0), ..DESK });
    running.ask(&model, 0, 0, &["~"]);
    gate.wait_for_a_run();
    for number in 1..=100 {
        running.ask(&model, i32::try_from(number % 4).unwrap(), number, &[format!("text {number}")]);
    }
    // Ten wait behind the gate, and all others go on while it is shut.
    let early: Vec<ScoredBatch> = running.scored.iter().take(90).collect();
    assert!(early.iter().all(|scored| scorers(scored) == [ScorerKind::Embedded]));
    assert_eq!(running.status.fallbacks(FallbackReason::Overload), 90);
    drop(gate);
    let late = running.finish();
    assert!(late.iter().all(|scored| scorers(scored) == [ScorerKind::Transformer]));
    let came: BTreeSet<u64> = early.iter().chain(&late).map(|scored| scored.batch.sequence).collect();
    assert_eq!((early.len() + late.len(), came.len()), (101, 101));
}

#[test]
fn a_text_that_makes_the_model_panic_costs_no_other_message_its_answer() {
    let model = Arc::new(Fake::new(5).with(b'!', Fault::Panic));
    let running = Running::new(LANE, DESK);
    running.ask(&model, 0, 0, &["a", "b!", "c"]);
    let status = Arc::clone(&running.status);
    let scored = running.finish();
    let expected = [ScorerKind::Transformer, ScorerKind::Embedded, ScorerKind::Transformer];
    assert_eq!(scorers(&scored[0]), expected);
    assert_eq!(status.fallbacks(FallbackReason::Panicked), 1);
}

#[test]
fn a_model_that_takes_anothers_place_answers_for_what_was_cut_for_it() {
    let (old, new) = (Arc::new(Fake::new(5)), Arc::new(Fake::new(6)));
    let running = Running::new(LANE, DeskOptions { cache_texts: 100, ..DESK });
    for (number, model) in (0..).zip([&old, &new, &old, &new]) {
        running.ask(model, 0, number, &["text"]);
    }
    let mut scored = running.finish();
    scored.sort_unstable_by_key(|scored| scored.batch.sequence);
    let models: Vec<ModelId> = scored.iter().map(|scored| scores(scored)[0].model).collect();
    assert_eq!(models, [5, 6, 5, 6].map(ModelId));
}

#[test]
fn a_rebalance_sets_its_partitions_batches_free_at_once() {
    let (gate, door) = Gate::new();
    let model = Arc::new(Fake::new(5).with(b'~', Fault::Stall(door)));
    let running = Running::new(LANE, DESK);
    running.ask(&model, 1, 0, &["~"]);
    gate.wait_for_a_run();
    running.shared.ledger().revoke(&PartitionId::new("messages", 1));
    let freed = running.scored.recv().unwrap();
    assert_eq!(scorers(&freed), [ScorerKind::Embedded]);
    drop(gate);
    assert!(running.finish().is_empty());
}
