//! Which store keeps the state.

use super::PipelineError;
use crate::checkpoint::{Directory, KafkaStore, Loaded, Store};
use crate::config::{CheckpointStore, Config};

/// A store, ready to be used.
pub(super) struct Opened {
    pub(super) store: Box<dyn Store>,
    /// This daemon's static name in the group; none where it has none.
    pub(super) instance: Option<String>,
    /// What is restored at once; nothing where state comes with the partitions.
    pub(super) loaded: Loaded,
}

/// Opens the store that the config names.
pub(super) fn open(config: &Config) -> Result<Opened, PipelineError> {
    let named = config.kafka.group_instance_id.clone();
    match config.checkpoint.store {
        CheckpointStore::Directory => {
            let directory = Directory::open(&config.checkpoint.directory)?;
            let instance = match named {
                Some(name) => name,
                None => directory.instance_id()?,
            };
            let loaded = directory.load()?;
            Ok(Opened { store: Box::new(directory), instance: Some(instance), loaded })
        }
        CheckpointStore::Kafka => {
            // Without a name of its own a daemon needs one that no other has.
            let id = named.clone().unwrap_or_else(|| format!("{:016x}", rand::random::<u64>()));
            let store = KafkaStore::new(config, &id);
            Ok(Opened { store: Box::new(store), instance: named, loaded: Loaded::default() })
        }
    }
}
