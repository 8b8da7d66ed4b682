//! Why the dead-letter topic cannot be read, or a letter not be put back.

use std::time::Duration;

use super::Place;

/// Why the dead-letter topic cannot be read, or a letter not be put back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LettersError {
    /// librdkafka refused the settings.
    #[error("no client for the brokers {brokers} can be made: {why}; correct `kafka.properties`")]
    Client {
        /// The brokers.
        brokers: String,
        /// What librdkafka said.
        why: String,
    },
    /// No broker answers.
    #[error(
        "the brokers {brokers} do not answer: {why}; correct `kafka.brokers`, or the security settings in \
         `kafka.properties`"
    )]
    Brokers {
        /// The brokers.
        brokers: String,
        /// What librdkafka said.
        why: String,
    },
    /// A topic cannot be read or found.
    #[error("topic `{topic}` at {brokers} cannot be used: {why}; create it, correct `{key}`, or grant the right to it")]
    Topic {
        /// The brokers.
        brokers: String,
        /// The topic.
        topic: String,
        /// Where the config names it.
        key: &'static str,
        /// What the broker said.
        why: String,
    },
    /// The broker stopped sending.
    #[error(
        "topic `{topic}`: the brokers {brokers} sent nothing for {} s, and offsets {missing} are not read yet ({why}); \
         see whether the partitions have leaders, then try again", waited.as_secs_f32()
    )]
    Stalled {
        /// The brokers.
        brokers: String,
        /// The topic.
        topic: String,
        /// What was not read.
        missing: String,
        /// How long nothing came.
        waited: Duration,
        /// The last complaint.
        why: String,
    },
    /// No letter stands at a place.
    #[error("no letter stands at {place} of topic `{topic}`: {why}; `latido dead-letters list` shows what there is")]
    Nothing {
        /// The place.
        place: Place,
        /// The topic.
        topic: String,
        /// What stands there, or what there is.
        why: String,
    },
    /// A transaction failed.
    #[error(
        "transaction `{id}` at {brokers} cannot {step}: {why}; it needs the right to write and describe that \
         transactional id and to write the topics. Run it again: what was put back is known and not put back twice"
    )]
    Transaction {
        /// The brokers.
        brokers: String,
        /// The transactional id.
        id: String,
        /// What was being done.
        step: &'static str,
        /// What the broker said.
        why: String,
    },
    /// Another replay took this one's place.
    #[error(
        "another replay of the same dead letters has begun (transaction `{id}`), so this one stopped; the other goes on with the rest"
    )]
    Fenced {
        /// The transactional id.
        id: String,
    },
}
