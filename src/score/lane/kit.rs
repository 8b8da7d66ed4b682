//! A slow model for tests, with faults to order. Its tokens are a text's bytes, and what it says is computed from them.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::{Logits, Network, NetworkError, SlowModel, Tokens};
use crate::message::{ModelId, Probability, Score, ScorerKind};

/// What a text with a certain byte does to the run it is in.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The run panics.
    Panic,
    /// The run fails.
    Fail,
    /// The run gives one answer too few.
    OneTooFew,
    /// The answer to that text is not a number.
    NotANumber,
    /// The run stands still until its gate is opened.
    Stall(Door),
}

/// What becomes of attempts to build a network.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Building {
    Works,
    Fails,
    Panics,
}

/// Holds runs back. Once it is dropped all pass.
#[derive(Debug)]
pub(crate) struct Gate {
    arrived: Receiver<()>,
    open: Sender<()>,
}

/// The network's side of a gate.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    arrived: Sender<()>,
    open: Receiver<()>,
}

impl Gate {
    /// A gate, and the door for [`Fault::Stall`].
    pub(crate) fn new() -> (Self, Door) {
        let ((arrive, arrived), (open, opened)) = (unbounded(), unbounded());
        (Self { arrived, open }, Door { arrived: arrive, open: opened })
    }

    /// Waits until one more run stands still.
    pub(crate) fn wait_for_a_run(&self) {
        self.arrived.recv().unwrap();
    }

    /// Lets one run go on.
    pub(crate) fn let_one_pass(&self) {
        self.open.send(()).unwrap();
    }
}

impl Door {
    fn pass(&self) {
        // Either side may be gone: the test is over, or lets all pass.
        self.arrived.send(()).ok();
        self.open.recv().ok();
    }
}

/// The model.
pub(crate) struct Fake {
    id: ModelId,
    faults: Vec<(u8, Fault)>,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    building: Mutex<Building>,
    built: AtomicUsize,
    runs: Mutex<Vec<Vec<Tokens>>>,
    gone: (Sender<()>, Receiver<()>),
}

impl Fake {
    /// A model of that id without faults.
    pub(crate) fn new(id: u32) -> Self {
        let state = State {
            building: Mutex::new(Building::Works),
            built: AtomicUsize::new(0),
            runs: Mutex::default(),
            gone: unbounded(),
        };
        Self { id: ModelId(id), faults: Vec::new(), state: Arc::new(state) }
    }

    /// With a fault in the runs of texts that have that byte.
    pub(crate) fn with(mut self, byte: u8, fault: Fault) -> Self {
        self.faults.push((byte, fault));
        self
    }

    /// What becomes of attempts to build a network from now on.
    pub(crate) fn set_building(&self, building: Building) {
        *self.state.building.lock().unwrap() = building;
    }

    /// Networks built so far.
    pub(crate) fn built(&self) -> usize {
        self.state.built.load(Ordering::SeqCst)
    }

    /// Waits until one more network has been dropped.
    pub(crate) fn wait_for_a_drop(&self) {
        self.state.gone.1.recv().unwrap();
    }

    /// The texts of each run begun so far.
    pub(crate) fn runs(&self) -> Vec<Vec<String>> {
        let text = |tokens: &Tokens| tokens.ids().iter().filter_map(|id| char::from_u32(*id)).collect();
        self.state.runs.lock().unwrap().iter().map(|run| run.iter().map(text).collect()).collect()
    }

    /// A text as it sees it.
    pub(crate) fn tokens_of(text: &str) -> Tokens {
        Tokens::new(text.bytes().map(u32::from).collect::<Vec<_>>())
    }

    /// What it says of a text without faults.
    pub(crate) fn says(text: &str) -> Logits {
        logits(&Self::tokens_of(text))
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Fake({})", self.id.0)
    }
}

impl SlowModel for Fake {
    fn id(&self) -> ModelId {
        self.id
    }

    fn tokens(&self, text: &str) -> Tokens {
        Self::tokens_of(text)
    }

    fn max_tokens(&self) -> usize {
        1_000
    }

    fn network(&self) -> Result<Box<dyn Network>, NetworkError> {
        let building = *self.state.building.lock().unwrap();
        match building {
            Building::Works => {
                self.state.built.fetch_add(1, Ordering::SeqCst);
                Ok(Box::new(FakeNetwork { faults: self.faults.clone(), state: Arc::clone(&self.state) }))
            }
            Building::Fails => Err(NetworkError("the weights do not fit".to_owned())),
            Building::Panics => panic!("the weights do not fit"),
        }
    }

    fn score(&self, logits: &[f32], embedded: &Score) -> Score {
        let frustration = Probability::new(logits[0] % 101.0 / 100.0);
        Score { frustration, scorer: ScorerKind::Transformer, model: self.id, ..*embedded }
    }
}

struct FakeNetwork {
    faults: Vec<(u8, Fault)>,
    state: Arc<State>,
}

impl Network for FakeNetwork {
    fn run(&mut self, texts: &[&Tokens]) -> Result<Vec<Logits>, NetworkError> {
        self.state.runs.lock().unwrap().push(texts.iter().copied().cloned().collect());
        let mut answers: Vec<Logits> = texts.iter().map(|text| logits(text)).collect();
        for (byte, fault) in &self.faults {
            let has = |text: &Tokens| text.ids().contains(&u32::from(*byte));
            if !texts.iter().copied().any(has) {
                continue;
            }
            match fault {
                Fault::Panic => panic!("shapes differ"),
                Fault::Fail => return Err(NetworkError("out of memory".to_owned())),
                Fault::OneTooFew => drop(answers.pop()),
                Fault::NotANumber => {
                    let ill = texts.iter().zip(&mut answers).filter(|(text, _)| has(text));
                    ill.for_each(|(_, answer)| answer[1] = f32::NAN);
                }
                Fault::Stall(door) => door.pass(),
            }
        }
        Ok(answers)
    }
}

impl Drop for FakeNetwork {
    fn drop(&mut self) {
        self.state.gone.0.send(()).ok();
    }
}

#[expect(clippy::cast_precision_loss, reason = "the texts of tests are short")]
fn logits(text: &Tokens) -> Logits {
    let weighted = text.ids().iter().zip(1_u32..).map(|(id, place)| id * place);
    Box::new([weighted.sum::<u32>() as f32, text.ids().len() as f32])
}
