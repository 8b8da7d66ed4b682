//! A config that is taken by a running daemon.

use super::{Pipeline, PipelineError};
use crate::checkpoint::read_learned;
use crate::config::Config;
use crate::detect::DetectorState;

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
    Baselines(#[from] PipelineError),
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

/// What was learned from history, where the config names a file of that.
pub(super) fn learned_of(config: &Config) -> Result<Option<DetectorState>, PipelineError> {
    let Some(path) = &config.detect.baselines else { return Ok(None) };
    let unreadable = |source| PipelineError::Baselines { path: path.display().to_string(), source };
    read_learned(path).map(Some).map_err(unreadable)
}
