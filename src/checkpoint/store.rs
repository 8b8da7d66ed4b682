//! Where checkpoints are kept, whatever that is.

use super::kafka::KafkaStoreError;
use super::{Directory, DirectoryError, Snapshot};
use crate::ingest::Member;
use crate::message::PartitionId;

/// Why a store cannot save or fetch.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory cannot.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The topic cannot.
    #[error(transparent)]
    Kafka(#[from] KafkaStoreError),
}

impl StoreError {
    /// Whether the state has another owner by now: no trouble, and nothing is lost.
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        matches!(self, Self::Kafka(KafkaStoreError::Fenced { .. }))
    }
}

/// What became of the alert events that waited in a checkpoint that is saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// None was sent with it. They are saved, so they may be sent.
    Nothing,
    /// Those up to that number were sent with it.
    Through(u64),
    /// They should have been, and their topic does not take them, for that reason. They are saved with it.
    Refused(String),
}

/// Keeps checkpoints.
pub trait Store: Send {
    /// Saves a checkpoint: all of it or nothing. `member` is the membership of the group under which it was taken. Gives what
    /// became of the alert events in it.
    ///
    /// `go_on` is asked again and again while others are waited for, at least each second or two; where it says no, an error is
    /// returned.
    ///
    /// # Errors
    /// If it could not be saved; what was saved before still stands.
    fn save(
        &mut self,
        snapshot: &Snapshot,
        member: Option<&Member>,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Sent, StoreError>;

    /// What is saved of these partitions, and of the detector. Nothing where state does not travel: such a store is read
    /// once, when the daemon starts.
    ///
    /// `go_on` is asked again and again, at least each second; where it says no, an error is returned.
    ///
    /// # Errors
    /// If it cannot be read, or is no longer wanted.
    fn fetch(&mut self, partitions: &[PartitionId], go_on: &mut dyn FnMut() -> bool) -> Result<Snapshot, StoreError>;
}

impl Store for Directory {
    fn save(
        &mut self,
        snapshot: &Snapshot,
        _member: Option<&Member>,
        _go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Sent, StoreError> {
        Self::save(self, snapshot)?;
        Ok(Sent::Nothing)
    }

    fn fetch(&mut self, _partitions: &[PartitionId], _go_on: &mut dyn FnMut() -> bool) -> Result<Snapshot, StoreError> {
        Ok(Snapshot::empty())
    }
}
