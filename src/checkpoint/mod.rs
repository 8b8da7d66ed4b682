//! State and next offsets, saved and restored together (INV-1, INV-2).
//!
//! What a checkpoint holds is one moment of the fold: every record below its next offsets is in its panes, and none
//! above. A restarted daemon takes the panes and resumes from those offsets, whatever the consumer group committed.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod altered;
mod directory;
mod format;
mod frame;
mod hours;
mod kafka;
mod learned;
mod legacy;
mod snapshot;
mod sound;
mod store;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
mod v1;
mod v2;
mod voices;

pub use directory::{Damage, Directory, DirectoryError, Loaded, read, try_out};
pub use format::{Encoder, FORMAT_VERSION, FormatError, decode, encode};
pub use kafka::{KafkaStore, KafkaStoreError};
pub use learned::{LearnedError, encode_learned, read_learned};
pub use snapshot::{PartitionPosition, SavedHour, SavedShard, Snapshot};
pub use store::{Sent, Store, StoreError};
pub use voices::SavedVoices;
