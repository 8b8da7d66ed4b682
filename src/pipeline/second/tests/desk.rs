//! The desk, with a lane that only collects, under a clock of the test's own.

use proptest::prelude::*;

use super::*;

/// Takes so many jobs and answers none.
struct Collects {
    jobs: RefCell<Vec<Job>>,
    room: usize,
}

impl Offers for Collects {
    fn offer(&self, job: Job) -> Result<(), Job> {
        let mut jobs = self.jobs.borrow_mut();
        if jobs.len() >= self.room {
            return Err(job);
        }
        jobs.push(job);
        Ok(())
    }
}

/// A desk and what it is asked with.
struct Office {
    desk: Desk<Collects>,
    status: Arc<SecondStatus>,
    model: Arc<Fake>,
}

impl Office {
    fn new(options: DeskOptions) -> Self {
        Self::with_room(options, usize::MAX)
    }

    fn with_room(options: DeskOptions, room: usize) -> Self {
        let status = Arc::new(SecondStatus::new(super::super::first_threshold(&options), 100, 100));
        let desk = Desk::new(Collects { jobs: RefCell::default(), room }, options, Arc::clone(&status));
        Self { desk, status, model: Arc::new(Fake::new(5)) }
    }

    /// Takes a batch that was read just now.
    fn take(&mut self, now: Duration, scored: ScoredBatch, texts: &[impl AsRef<str>]) {
        self.desk.take(now, now, asked(&self.model, scored, texts));
    }

    /// The jobs that are not answered yet.
    fn jobs(&mut self) -> Vec<Job> {
        std::mem::take(&mut *self.desk.lane().jobs.borrow_mut())
    }

    /// Answers these jobs together.
    fn answer(&mut self, now: Duration, jobs: Vec<Job>, took: Duration) {
        let answers = jobs.into_iter().map(|job| {
            let text: String = job.tokens.ids().iter().filter_map(|id| char::from_u32(*id)).collect();
            (job, Ok(Fake::says(&text)))
        });
        let run = run_of(answers, took);
        self.desk.answer(now, run);
    }

    fn tick(&mut self, now: Duration) -> Vec<ScoredBatch> {
        self.desk.tick(now, |_| true);
        self.desk.released().collect()
    }

    fn fallbacks(&self) -> [u64; 4] {
        [FallbackReason::Overload, FallbackReason::Deadline, FallbackReason::Failed, FallbackReason::Panicked]
            .map(|reason| self.status.fallbacks(reason))
    }
}

type Results = Result<crate::score::lane::Logits, Failure>;

fn run_of(answers: impl Iterator<Item = (Job, Results)>, took: Duration) -> Run {
    let answers = answers.map(|(Job { ticket, model, tokens, .. }, result)| Answer { ticket, model, tokens, result });
    let answers: Vec<Answer> = answers.collect();
    let longest = answers.iter().map(|answer| answer.tokens.ids().len()).max().unwrap_or(0);
    Run { tokens: longest * answers.len(), texts: answers.len(), answers, took }
}

const TRANSFORMER: DeskOptions =
    DeskOptions { deadline: DEADLINE, max_share: None, cache_texts: 100, workers: 1, measured: None };
const CASCADE: DeskOptions = DeskOptions { max_share: Some(1.0), ..TRANSFORMER };

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn a_batch_goes_on_once_all_its_answers_are_there_with_what_they_say() {
    let mut office = Office::new(TRANSFORMER);
    let texts = ["uno", "dos", "tres"];
    office.take(millis(0), batch(0, 1, 0, &texts), &texts);
    assert!(office.tick(millis(1)).is_empty());
    let mut jobs = office.jobs();
    let last = jobs.split_off(2);
    office.answer(millis(20), jobs, millis(20));
    assert!(office.tick(millis(20)).is_empty());
    office.answer(millis(30), last, millis(10));
    let released = office.tick(millis(30));
    assert_eq!(released.len(), 1);
    assert_eq!(scores(&released[0]), texts.map(|text| second_opinion(&office.model, text)));
    assert_eq!(office.fallbacks(), [0; 4]);
    assert!(office.desk.is_empty());
}

#[test]
fn a_batch_that_wants_nothing_goes_on_at_once() {
    let mut office = Office::new(TRANSFORMER);
    office.take(millis(0), batch(0, 1, 0, &["uno"]), &[""; 0]);
    assert_eq!(office.tick(millis(0)).len(), 1);
}

#[test]
fn a_batch_goes_on_at_its_deadline_with_the_answers_that_are_there_by_then() {
    let mut office = Office::new(TRANSFORMER);
    office.take(millis(500), batch(0, 1, 0, &["uno", "dos"]), &["uno", "dos"]);
    let mut jobs = office.jobs();
    let late = jobs.split_off(1);
    office.answer(millis(600), jobs, millis(100));
    assert_eq!(office.desk.next_deadline(), Some(millis(2_500)));
    assert!(office.tick(millis(2_499)).is_empty());
    let released = office.tick(millis(2_500));
    assert_eq!(scorers(&released[0]), [ScorerKind::Transformer, ScorerKind::Embedded]);
    assert_eq!(scores(&released[0])[1], embedded(0.9));
    assert_eq!(office.fallbacks(), [0, 1, 0, 0]);
    assert!(!late[0].alive.is_alive(), "what nobody waits for need not run");
    // It came too late, and is remembered.
    office.answer(millis(2_600), late, millis(100));
    office.take(millis(2_700), batch(0, 1, 1, &["dos"]), &["dos"]);
    let released = office.tick(millis(2_700));
    assert_eq!(scores(&released[0]), [second_opinion(&office.model, "dos")]);
    assert_eq!(office.status.lookups(), [1, 2]);
}

#[test]
fn the_deadline_counts_from_when_a_batch_was_read_not_from_when_it_came() {
    let mut office = Office::new(TRANSFORMER);
    let asked = asked(&office.model, batch(0, 1, 0, &["uno"]), &["uno"]);
    office.desk.take(millis(1_900), millis(100), asked);
    assert_eq!(office.tick(millis(2_100)).len(), 1);
}

#[test]
fn a_batch_of_an_epoch_that_has_ended_is_let_go_and_not_run() {
    let mut office = Office::new(TRANSFORMER);
    office.take(millis(0), batch(0, 1, 0, &["uno"]), &["uno"]);
    office.take(millis(0), batch(1, 1, 0, &["dos"]), &["dos"]);
    office.desk.tick(millis(10), |batch| batch.partition.partition == 1);
    let released: Vec<ScoredBatch> = office.desk.released().collect();
    assert_eq!(released.len(), 1);
    assert_eq!(released[0].batch.partition.partition, 0);
    let alive: Vec<bool> = office.jobs().iter().map(|job| job.alive.is_alive()).collect();
    assert_eq!(alive, [false, true]);
    assert_eq!(office.fallbacks(), [0; 4], "nobody counts its messages");
}

#[test]
fn a_text_that_the_model_fails_over_keeps_its_first_score_and_is_counted() {
    let mut office = Office::new(TRANSFORMER);
    office.take(millis(0), batch(0, 1, 0, &["a", "b", "c"]), &["a", "b", "c"]);
    let results = [Err(Failure::Panicked), Err(Failure::Failed), Ok(Fake::says("c"))];
    let jobs = office.jobs();
    office.desk.answer(millis(10), run_of(jobs.into_iter().zip(results), millis(10)));
    let released = office.tick(millis(10));
    assert_eq!(scores(&released[0])[..2], [embedded(0.9); 2]);
    assert_eq!(scorers(&released[0])[2], ScorerKind::Transformer);
    assert_eq!(office.fallbacks(), [0, 0, 1, 1]);
}

#[test]
fn what_a_full_lane_refuses_keeps_its_first_score() {
    let mut office = Office::with_room(TRANSFORMER, 1);
    office.take(millis(0), batch(0, 1, 0, &["a", "b"]), &["a", "b"]);
    let jobs = office.jobs();
    office.answer(millis(10), jobs, millis(10));
    let released = office.tick(millis(10));
    assert_eq!(scorers(&released[0]), [ScorerKind::Transformer, ScorerKind::Embedded]);
    assert_eq!(office.fallbacks(), [1, 0, 0, 0]);
}

#[test]
fn a_text_is_not_sent_where_its_answer_would_come_too_late() {
    let mut office = Office::new(TRANSFORMER);
    // Ten tokens a second, so that fifteen take three quarters of the deadline.
    office.take(millis(0), batch(0, 1, 0, &["0123456789"]), &["0123456789"]);
    let jobs = office.jobs();
    office.answer(millis(1_000), jobs, millis(1_000));
    drop(office.tick(millis(1_000)));
    let texts = ["aaaaa", "bbbbb", "ccccc", "ddddd", "eeeee"];
    office.take(millis(1_000), batch(0, 1, 1, &texts), &texts);
    assert_eq!(office.jobs().len(), 3);
    assert_eq!(office.fallbacks(), [2, 0, 0, 0]);
}

#[test]
fn a_model_that_stands_still_is_asked_no_more_until_it_moves() {
    let mut office = Office::new(TRANSFORMER);
    office.take(millis(0), batch(0, 1, 0, &["a"]), &["a"]);
    assert_eq!(office.tick(millis(2_000)).len(), 1);
    assert!(office.status.is_degraded());
    assert_eq!(office.status.threshold(), Worth::NEVER);
    office.take(millis(2_100), batch(0, 1, 1, &["b"]), &["b"]);
    assert_eq!(office.tick(millis(2_100)).len(), 1, "nothing waits for a model that stands still");
    let jobs = office.jobs();
    assert_eq!(jobs.len(), 1);
    office.answer(millis(60_000), jobs, millis(100));
    drop(office.tick(millis(60_000)));
    assert!(!office.status.is_degraded());
    assert_eq!(office.status.threshold(), Worth::NOTHING);
    office.take(millis(60_000), batch(0, 1, 2, &["c"]), &["c"]);
    assert_eq!(office.jobs().len(), 1);
}

#[test]
fn it_is_degraded_while_more_than_one_in_twenty_falls_back_and_recovers_by_itself() {
    let mut office = Office::with_room(TRANSFORMER, 94);
    let texts: Vec<String> = (0..100).map(|number| format!("text {number}")).collect();
    office.take(millis(0), batch(0, 1, 0, &texts), &texts);
    let jobs = office.jobs();
    office.answer(millis(100), jobs, millis(100));
    drop(office.tick(millis(100)));
    assert_eq!(office.fallbacks(), [6, 0, 0, 0]);
    assert!(office.status.is_degraded());
    drop(office.tick(millis(61_000)));
    assert!(!office.status.is_degraded());
}

#[test]
fn texts_that_were_turned_away_count_as_fallen_back() {
    let mut office = Office::new(TRANSFORMER);
    let mut asked = asked(&office.model, batch(0, 1, 0, &["a"; 30]), &[""; 0]);
    asked.wishes.turned_away = 30;
    office.desk.take(millis(0), millis(0), asked);
    assert_eq!(office.tick(millis(0)).len(), 1);
    assert_eq!(office.fallbacks(), [30, 0, 0, 0]);
    assert!(office.status.is_degraded());
}

#[test]
fn in_a_cascade_both_models_scores_are_one_models_and_else_each_its_own() {
    for (options, expected) in [(CASCADE, [FIRST, FIRST]), (TRANSFORMER, [ModelId(5), FIRST])] {
        let mut office = Office::with_room(options, 1);
        office.take(millis(0), batch(0, 1, 0, &["a", "b"]), &["a", "b"]);
        let jobs = office.jobs();
        office.answer(millis(10), jobs, millis(10));
        let released = office.tick(millis(10));
        assert_eq!(scores(&released[0]).iter().map(|score| score.model).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn no_text_is_run_twice_while_its_answer_is_remembered() {
    let mut office = Office::new(TRANSFORMER);
    for number in 0..3 {
        office.take(millis(number), batch(0, 1, number, &["same", "same"]), &["same", "same"]);
        let jobs = office.jobs();
        // Of two that come at once the lane itself runs one.
        assert_eq!(jobs.len(), if number == 0 { 2 } else { 0 });
        office.answer(millis(number), jobs, millis(1));
        assert_eq!(office.tick(millis(number)).len(), 1);
    }
}

/// Plays a stream of so many texts a second to a cascade for a while, with a lane that manages `capacity` texts of 10 tokens a second.
/// Gives the part that was sent in the last 10 seconds, and each second's threshold.
fn play(rates: &[(u64, usize)], capacity: u64) -> (Vec<f64>, Vec<Worth>) {
    let mut office = Office::new(DeskOptions { cache_texts: 0, ..CASCADE });
    let (mut sent, mut thresholds) = (Vec::new(), Vec::new());
    let (mut now, mut number, mut waiting) = (0, 0, std::collections::VecDeque::new());
    for (seconds, rate) in rates {
        let (mut sent_now, mut all) = (0, 0);
        for tenth in 0..seconds * 10 {
            let texts = rate / 10;
            let threshold = office.status.threshold();
            // Worths in all steps alike, however many come.
            let worths: Vec<Worth> =
                (0..texts).map(|place| Worth::at_step(u16::try_from(place * 997 % 1_000).unwrap())).collect();
            let chosen: Vec<String> =
                worths.iter().filter(|worth| **worth >= threshold).map(|_| "0123456789".to_owned()).collect();
            let mut asked = asked(&office.model, batch(0, 1, number, &vec![""; texts.max(1)]), &chosen);
            asked.wishes.worths = worths;
            office.desk.take(millis(now), millis(now), asked);
            if tenth + 100 >= seconds * 10 {
                sent_now += chosen.len();
                all += texts;
            }
            waiting.extend(office.jobs());
            now += 100;
            number += 1;
            let done: Vec<Job> = waiting.drain(..waiting.len().min((capacity / 10) as usize)).collect();
            if !done.is_empty() {
                let took = millis(1_000 * done.len() as u64 / capacity);
                office.answer(millis(now), done, took);
            }
            drop(office.tick(millis(now)));
            if now % 1_000 == 0 {
                thresholds.push(office.status.threshold());
            }
        }
        sent.push(sent_now as f64 / all as f64);
    }
    assert_eq!(office.fallbacks(), [0; 4], "a cascade that follows its budget keeps its deadline");
    (sent, thresholds)
}

#[test]
fn a_cascade_sends_what_the_model_manages_and_more_again_once_a_burst_is_over() {
    let (sent, _) = play(&[(60, 50), (60, 500), (120, 50)], 100);
    assert!(sent[0] > 0.99, "all can be sent: {sent:?}");
    assert!((0.05..=0.2).contains(&sent[1]), "70 of 500 can: {sent:?}");
    assert!(sent[2] > 0.99, "all can be sent again: {sent:?}");
}

#[test]
fn the_same_stream_meets_the_same_thresholds() {
    let rates = [(20, 50), (20, 400), (20, 90)];
    assert_eq!(play(&rates, 100).1, play(&rates, 100).1);
}

/// What happens to a desk.
#[derive(Clone, Debug)]
enum Step {
    Take { texts: Vec<String> },
    Answer { jobs: usize, fails: bool },
    Pass { millis: u64 },
    EndEpoch,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => prop::collection::vec("[ab]{0,3}", 0..6).prop_map(|texts| Step::Take { texts }),
        3 => (1_usize..8, any::<bool>()).prop_map(|(jobs, fails)| Step::Answer { jobs, fails }),
        3 => (1_u64..1_500).prop_map(|millis| Step::Pass { millis }),
        1 => Just(Step::EndEpoch),
    ];
    prop::collection::vec(step, 0..80)
}

proptest! {
    #[test]
    fn each_batch_goes_on_once_by_its_deadline_and_each_wish_is_answered_or_counted(
        steps in steps(), room in 1_usize..12, is_cascade in any::<bool>(), cache_texts in 0_usize..5,
    ) {
        let options = DeskOptions { cache_texts, ..if is_cascade { CASCADE } else { TRANSFORMER } };
        let mut office = Office::with_room(options, room);
        let (mut now, mut epoch) = (0_u64, 1_u32);
        let mut waiting: Vec<Job> = Vec::new();
        let mut open: std::collections::BTreeMap<u64, (u64, u32)> = std::collections::BTreeMap::new();
        let (mut wishes, mut answered, mut of_ended) = (0, 0, 0);
        let mut next = 0_u64;
        for step in steps.into_iter().chain([Step::Pass { millis: 2_000 }]) {
            match step {
                Step::Take { texts } => {
                    let records = if texts.is_empty() { vec![String::new()] } else { texts.clone() };
                    office.take(millis(now), batch(0, epoch, next, &records), &texts);
                    wishes += texts.len() as u64;
                    open.insert(next, (now, epoch));
                    next += 1;
                }
                Step::Answer { jobs, fails } => {
                    waiting.extend(office.jobs());
                    let done: Vec<Job> = waiting.drain(..jobs.min(waiting.len())).collect();
                    if fails {
                        let results = done.into_iter().map(|job| (job, Err(Failure::Failed)));
                        office.desk.answer(millis(now), run_of(results, millis(5)));
                    } else {
                        office.answer(millis(now), done, millis(5));
                    }
                }
                Step::Pass { millis } => now += millis,
                Step::EndEpoch => epoch += 1,
            }
            office.desk.tick(millis(now), |batch| batch.epoch == epoch);
            for scored in office.desk.released().collect::<Vec<_>>() {
                let (_, of) = open.remove(&scored.batch.sequence).unwrap();
                let here = scorers(&scored).iter().filter(|scorer| **scorer == ScorerKind::Transformer).count() as u64;
                answered += here;
                if of != epoch {
                    of_ended += scored.outcomes.len() as u64 - here;
                }
            }
            for (begun, of) in open.values() {
                prop_assert!(now < begun + 2_000 && *of == epoch, "{begun} {of} waits at {now}");
            }
        }
        prop_assert!(open.is_empty());
        let fallen: u64 = office.fallbacks().iter().sum();
        prop_assert!(answered + fallen <= wishes);
        prop_assert!(answered + fallen + of_ended >= wishes, "{answered} + {fallen} + {of_ended} < {wishes}");
    }
}
