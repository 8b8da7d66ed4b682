//! A config that is taken by a running daemon.

use super::{Pipeline, PipelineError};
use crate::checkpoint::read_learned;
use crate::config::Config;
use crate::detect::DetectorState;
use crate::score::EmbeddedScorer;
use crate::score::lane::NetworkError;
use crate::score::second::{SlowModelError, open_slow, probe};

/// What the fold is to go on with.
#[derive(Debug)]
pub(super) struct Reload {
    pub(super) config: Box<Config>,
    /// What was learned from history, of departments of which nothing is known.
    pub(super) learned: DetectorState,
}

/// Why a config is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// A file that it names.
    #[error(transparent)]
    Files(#[from] PipelineError),
    /// The slow model.
    #[error("scorer.transformer: {0}")]
    SlowModel(#[from] SlowModelError),
    /// The fold.
    #[error("the fold takes nothing; /healthz says whether it moves. Send SIGHUP again once it does")]
    Busy,
}

impl Pipeline {
    /// Goes on as a restart would with this config from a checkpoint of this moment, between two batches. What it changes beyond departments,
    /// `[detect]` and mutes is not followed: there it must be as it was at the start.
    ///
    /// # Errors
    /// If `detect.baselines` cannot be read, or the fold stands still and many such words wait for it: all stays as it was.
    pub fn reload(&self, config: Config) -> Result<(), ReloadError> {
        let learned = learned_of(&config)?.unwrap_or_default();
        let reload = Reload { config: Box::new(config), learned };
        self.reloads.try_send(reload).map_err(|_| ReloadError::Busy)
    }
}

impl Pipeline {
    /// Reads the slow model's files anew, where there is such a model, and goes on with what they are now. Nothing changes where they
    /// are what they were.
    ///
    /// # Errors
    /// If they cannot be used, or the model says nothing sound of sentences that leave no doubt: the one that is loaded stays.
    pub fn reload_slow_model(&self, config: &Config) -> Result<(), ReloadError> {
        let Some((slot, slow)) = self.slow.as_ref().zip(open_slow(&config.scorer)?) else { return Ok(()) };
        if slow.model.id() == slot.get().id() {
            return Ok(());
        }
        let embedded = crate::score::open(&config.scorer).map_err(PipelineError::from)?;
        let rules = crate::score::open_rules(&config.signals).map_err(PipelineError::from)?;
        let unsound = |error: NetworkError| SlowModelError(format!("it cannot score sentences: {error}"));
        probe(&*slow.model, &mut EmbeddedScorer::new(embedded, rules)).map_err(unsound)?;
        tracing::info!(model = ?slow.model, "the slow model is another from now on");
        slot.replace(slow.model);
        Ok(())
    }
}

/// What was learned from history, where the config names a file of that.
pub(super) fn learned_of(config: &Config) -> Result<Option<DetectorState>, PipelineError> {
    let Some(path) = &config.detect.baselines else { return Ok(None) };
    let unreadable = |source| PipelineError::Baselines { path: path.display().to_string(), source };
    read_learned(path).map(Some).map_err(unreadable)
}
