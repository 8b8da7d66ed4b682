//! Which store keeps the state.

use super::PipelineError;
use crate::checkpoint::{Directory, KafkaStore, Loaded, Store};
use crate::config::{CheckpointStore, Config, PrivacyConfig, read_secret};
use crate::message::HashKey;

/// A store, ready to be used.
pub(super) struct Opened {
    pub(super) store: Box<dyn Store>,
    /// This daemon's static name in the group; none where it has none.
    pub(super) instance: Option<String>,
    /// What customers are hashed with; none where they are not kept.
    pub(super) key: Option<HashKey>,
    /// What is restored at once; nothing where state comes with the partitions.
    pub(super) loaded: Loaded,
}

/// Opens the store that the config names.
pub(super) fn open(config: &Config) -> Result<Opened, PipelineError> {
    let named = config.kafka.group_instance_id.clone();
    let shared_key = key_of(&config.privacy)?;
    match config.checkpoint.store {
        CheckpointStore::Directory => {
            let directory = Directory::open(&config.checkpoint.directory)?;
            let instance = match named {
                Some(name) => name,
                None => directory.instance_id()?,
            };
            let loaded = directory.load()?;
            let key = match shared_key {
                Some(key) => key,
                None => directory.hash_key()?,
            };
            Ok(Opened { store: Box::new(directory), instance: Some(instance), key: Some(key), loaded })
        }
        CheckpointStore::Kafka => {
            // Without a name of its own a daemon needs one that no other has.
            let id = named.clone().unwrap_or_else(|| format!("{:016x}", rand::random::<u64>()));
            let store = KafkaStore::new(config, &id);
            if shared_key.is_none() {
                // A key of its own would make one customer two at each takeover.
                tracing::info!("alerts tell no number of customers: with state in a topic that needs privacy.key_file");
            }
            Ok(Opened { store: Box::new(store), instance: named, key: shared_key, loaded: Loaded::default() })
        }
    }
}

/// The key that the config names a file for.
fn key_of(privacy: &PrivacyConfig) -> Result<Option<HashKey>, PipelineError> {
    let Some(path) = &privacy.key_file else { return Ok(None) };
    let secret = read_secret(path).map_err(|what| PipelineError::Key { path: path.display().to_string(), what })?;
    Ok(Some(HashKey::of_secret(secret.trim())))
}
